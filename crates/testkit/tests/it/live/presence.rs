//! Coming in, going, and who is inside.

use futures::future::join_all;
use muster_testkit::{Database, Guest, both};
use muster_wire::{
    event,
    media::edge,
    socket::{plugin, room},
};
use serde_json::json;

use super::{Stage, hear_join, hear_leave, ids, inside};

both!(
    two_people_meet,
    fifty_people_meet,
    one_participant_in_two_tabs,
    who_somebody_is_comes_from_the_token,
    one_who_leaves_is_gone_at_once,
    people_are_found_by_name_and_page,
    a_session_goes_on_for_those_who_come_back_and_counts_its_people,
);

async fn two_people_meet(db: Database) {
    let stage = Stage::new(db).await;
    let mut ana = Guest::join(&stage.origin(), &stage.host("Ana").await).await;
    let mut bo = Guest::connect(&stage.origin(), &stage.participant("Bo").await).await;
    let me = bo.come_in().await;
    assert_eq!(me.peer_id, bo.peer);
    assert_eq!(me.user_id, bo.user);
    assert_eq!(me.display_name, "Bo");
    assert_eq!(me.stage_type(), room::StageType::OnStage);
    assert!(!me.waitlisted);
    let flags = me.flags.expect("flags");
    assert_eq!(flags.recorder_type, "NONE");
    assert_eq!(flags.preset_name, "group_call_participant");
    let told = ana.hear::<room::PeerInfoResponse>(event::JOIN_ROOM).await;
    assert_eq!(told.peer.expect("a peer").peer_id, bo.peer);
    assert_eq!(inside(&mut ana).await, ids(&[&ana, &bo]));
    let info = bo.room().await;
    assert_eq!(info.room_id, bo.meeting);

    let live = stage.live().await;
    assert_eq!(live["live_participants"], 2);
    assert_eq!(live["id"], info.room_uuid());

    let gone = bo.peer.clone();
    bo.leave().await;
    let told = ana.hear::<room::PeerInfoResponse>(event::LEAVE_ROOM).await;
    assert_eq!(told.peer.expect("a peer").peer_id, gone);
    ana.leave().await;
    stage.server.stop().await;
}

async fn fifty_people_meet(db: Database) {
    const PEOPLE: usize = 50;
    let stage = Stage::new(db).await;
    let origin = stage.origin();
    let mut tokens = Vec::new();
    for at in 0..PEOPLE {
        tokens.push(stage.participant(&format!("Person {at}")).await);
    }
    let mut guests = join_all(tokens.iter().map(|token| Guest::join(&origin, token))).await;
    let mut all: Vec<String> = guests.iter().map(|guest| guest.peer.clone()).collect();
    all.sort();
    // Each is told of each who came after it, and each lists everybody: together they know all.
    let mut told = 0;
    for guest in &mut guests {
        let peers = guest.peers().await;
        assert!(
            peers
                .iter()
                .all(|peer| peer.stage_type() == room::StageType::OnStage)
        );
        let mut listed: Vec<String> = peers.into_iter().map(|peer| peer.peer_id).collect();
        listed.sort();
        assert_eq!(listed, all);
        let pushed = guest.pushed_events().await;
        assert!(
            pushed.iter().all(|number| *number == event::JOIN_ROOM),
            "{pushed:?}"
        );
        told += pushed.len();
    }
    assert_eq!(told, PEOPLE * (PEOPLE - 1) / 2);
    let live = stage.live().await;
    assert_eq!(
        (&live["live_participants"], &live["max_concurrent_participants"]),
        (&json!(PEOPLE), &json!(PEOPLE))
    );
    // They all speak, and all hear all of it, in one and the same order.
    let mut ear = Guest::join(&origin, &stage.participant("Ear").await).await;
    for (at, guest) in guests.iter_mut().enumerate() {
        assert!(guest.try_say(&format!("hello from {at}")).await);
    }
    let order = ear.chat_heard().await;
    assert_eq!(order.len(), PEOPLE);
    for (at, guest) in guests.iter_mut().enumerate() {
        let own = format!("hello from {at}");
        let of_others: Vec<String> = order.iter().filter(|text| **text != own).cloned().collect();
        assert_eq!(guest.chat_heard().await, of_others);
    }
    let listener = ear.peer.clone();
    ear.leave().await;
    // All but one go at the same time.
    let mut last = guests.pop().expect("somebody");
    let mut going: Vec<String> = guests.iter().map(|guest| guest.peer.clone()).collect();
    join_all(guests.into_iter().map(Guest::leave)).await;
    let mut gone = Vec::new();
    // Those, and the one that only listened.
    for _ in 0..=going.len() {
        gone.push(hear_leave(&mut last).await);
    }
    going.push(listener);
    gone.sort();
    going.sort();
    assert_eq!(gone, going);
    assert_eq!(inside(&mut last).await, ids(&[&last]));
    assert_eq!(stage.live().await["live_participants"], 1);
}

async fn one_participant_in_two_tabs(db: Database) {
    let stage = Stage::new(db).await;
    let mut ana = Guest::join(&stage.origin(), &stage.host("Ana").await).await;
    let token = stage.participant("Bo").await;
    let mut one = Guest::join(&stage.origin(), &token).await;
    let mut two = Guest::join(&stage.origin(), &token).await;
    assert_eq!(one.user, two.user);
    for tab in [&one, &two] {
        let told = hear_join(&mut ana).await;
        assert_eq!((told.peer_id, told.user_id), (tab.peer.clone(), tab.user.clone()));
    }
    assert_eq!(hear_join(&mut one).await.peer_id, two.peer);
    assert_eq!(inside(&mut ana).await, ids(&[&ana, &one, &two]));
    assert_eq!(stage.live().await["live_participants"], 3);
    // What is said reaches both; one goes and the other stays.
    ana.say("both of you").await;
    assert_eq!(one.chat_heard().await, ["both of you"]);
    assert_eq!(two.chat_heard().await, ["both of you"]);
    let gone = two.peer.clone();
    two.leave().await;
    assert_eq!(hear_leave(&mut one).await, gone);
    assert_eq!(inside(&mut one).await, ids(&[&ana, &one]));
    // Two stays of one participant.
    let session = stage.live().await["id"].as_str().unwrap().to_owned();
    let listed = stage
        .app
        .get(&format!("/sessions/{session}/participants"))
        .await
        .expect(200);
    let stays = listed.body["data"]["participants"].as_array().unwrap();
    let of_bo = stays.iter().filter(|stay| stay["custom_participant_id"] == "Bo");
    assert_eq!(of_bo.count(), 2, "{stays:?}");
}

async fn who_somebody_is_comes_from_the_token(db: Database) {
    let stage = Stage::new(db).await;
    let mut ana = Guest::join(&stage.origin(), &stage.host("Ana").await).await;
    stage
        .preset("unnamed", json!({}), json!({"can_edit_display_name": false}))
        .await;
    let tokens = [
        (stage.participant("Bo").await, "Another name"),
        (stage.token("Cy", "unnamed").await, "Cy"),
    ];
    for (token, name) in tokens {
        let mut guest = Guest::connect(&stage.origin(), &token).await;
        let wish = room::JoinRoomRequest {
            peer: Some(room::Peer {
                peer_id: ana.peer.clone(),
                user_id: ana.user.clone(),
                display_name: "Another name".to_owned(),
                preset_id: Some("group_call_host".to_owned()),
                waitlisted: false,
                ..Default::default()
            }),
            ..Default::default()
        };
        let me: room::PeerInfoResponse = guest.request(event::JOIN_ROOM, &wish).await;
        let me = me.peer.expect("a peer");
        assert_eq!((&me.peer_id, &me.user_id), (&guest.peer, &guest.user));
        assert_eq!(me.display_name, name);
        assert_eq!(hear_join(&mut ana).await, me);
        // Nor does it get the rights of another.
        guest
            .refused(event::GET_WAITING_ROOM_REQUESTS, &Guest::nothing())
            .await;
        guest.leave().await;
    }
}

async fn one_who_leaves_is_gone_at_once(db: Database) {
    let stage = Stage::with_grace(db, 3_600).await;
    let mut ana = Guest::enter(&stage.origin(), &stage.host("Ana").await).await;
    let mut bo = Guest::enter(&stage.origin(), &stage.participant("Bo").await).await;
    let peer = bo.peer.clone();
    let leaving = edge::PeerLeaveRequest { close_room: false };
    let left: edge::PeerLeaveResponse = bo.request(event::MEDIA_LEAVE_ROOM, &leaving).await;
    assert!(!left.closed);
    let told: edge::PeerLeaveBroadcastResponse = ana.hear(event::PEER_LEFT).await;
    assert_eq!(told.participant_id, peer);
    assert_eq!(inside(&mut ana).await, ids(&[&ana, &bo]), "its media only");
    bo.close(1000).await;
    assert_eq!(hear_leave(&mut ana).await, peer);
    assert_eq!(inside(&mut ana).await, ids(&[&ana]));
    assert_eq!(stage.live().await["live_participants"], 1);
}

async fn people_are_found_by_name_and_page(db: Database) {
    let stage = Stage::new(db).await;
    let mut guests = Vec::new();
    for name in ["Ana", "Bo", "Boris"] {
        guests.push(Guest::join(&stage.origin(), &stage.participant(name).await).await);
    }
    // One who could come in may look before (getParticipantsInMeetingPreJoin).
    let mut early = Guest::connect(&stage.origin(), &stage.participant("Dee").await).await;
    for (search, limit, offset, expected) in [
        ("", 0, 0, vec!["Ana", "Bo", "Boris"]),
        ("BO", 0, 0, vec!["Bo", "Boris"]),
        ("", 2, 1, vec!["Bo", "Boris"]),
        ("", 1, 0, vec!["Ana"]),
        ("nobody", 0, 0, vec![]),
        ("", -5, -5, vec!["Ana", "Bo", "Boris"]),
    ] {
        let wish = room::RoomPeersInfoRequest {
            seach_query: search.to_owned(),
            limit,
            offset,
        };
        let found: room::RoomPeersInfoResponse = early.request(event::GET_ROOM_PEERS, &wish).await;
        let names: Vec<&str> = found
            .peers
            .iter()
            .map(|peer| peer.display_name.as_str())
            .collect();
        assert_eq!(names, expected, "{search} {limit} {offset}");
    }
    let about = room::GetPeerInfoRequest {
        peer_id: guests[1].peer.clone(),
    };
    let found: room::PeerInfoResponse = early.request(event::GET_PEER_INFO, &about).await;
    assert_eq!(found.peer.expect("a peer").display_name, "Bo");
    let nobody = room::GetPeerInfoRequest {
        peer_id: uuid::Uuid::new_v4().to_string(),
    };
    early.refused(event::GET_PEER_INFO, &nobody).await;
    // Looking is not coming in.
    assert_eq!(guests[0].pushed_events().await, [event::JOIN_ROOM; 2]);
    assert_eq!(stage.live().await["live_participants"], 3);
    early
        .ask(event::GET_ROOM_INFO, &plugin::StoreKeys::default())
        .await
        .unwrap();
}

async fn a_session_goes_on_for_those_who_come_back_and_counts_its_people(db: Database) {
    let stage = Stage::new(db).await;
    let token = stage.participant("Ana").await;
    let mut ana = Guest::join(&stage.origin(), &token).await;
    let session = ana.room().await.room_uuid().to_owned();
    let peer = ana.peer.clone();
    ana.leave().await;
    // It is kept for a while after the last one left (60 s unless the meeting says otherwise).
    let mut again = Guest::connect_as(&stage.origin(), &token, &peer).await;
    assert_eq!(again.room().await.room_uuid(), session, "before coming in");
    again.come_in().await;
    assert_eq!(again.room().await.room_uuid(), session);
    let mut bo = Guest::join(&stage.origin(), &stage.participant("Bo").await).await;
    let live = stage.live().await;
    assert_eq!(live["id"], session);
    assert_eq!(live["live_participants"], 2);
    assert_eq!(live["max_concurrent_participants"], 2);
    bo.peers().await;
    bo.close(1000).await;
    assert_eq!(hear_leave(&mut again).await.len(), 36);
    again.close(1000).await;
    let sessions = stage.app.get("/sessions").await.expect(200);
    assert_eq!(sessions.paging().0, 1);
}
