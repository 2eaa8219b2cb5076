//! The waiting room (PROTOCOL f.2, g.2).

use muster_testkit::{Closed, Database, Guest, both};
use muster_wire::{
    event,
    media::edge,
    socket::{chat, plugin, polls, room},
};
use serde_json::json;

use super::{Stage, hear_join, hear_leave, ids, inside};

both!(
    one_who_waits_is_let_in,
    one_who_waits_is_turned_away,
    one_who_waits_gets_nothing,
    a_host_who_comes_later_lets_in,
    some_wait_only_for_a_host,
    one_who_waits_loses_its_connection,
    one_who_was_let_in_does_not_wait_again,
);

/// Who waits, as the next push tells.
async fn hear_waiting(host: &mut Guest) -> Vec<String> {
    host.hear::<room::GetWaitingRoomRequests>(event::GET_WAITING_ROOM_REQUESTS)
        .await
        .requests
        .into_iter()
        .map(|request| request.peer_id)
        .collect()
}

async fn accept(host: &mut Guest, users: &[&Guest]) {
    let user_ids = users.iter().map(|user| user.user.clone()).collect();
    let wish = room::AcceptWaitingRoomRequests { user_ids };
    host.tell(event::ACCEPT_WAITING_ROOM_REQUESTS, &wish).await;
}

async fn deny(host: &mut Guest, users: &[&Guest]) {
    let user_ids = users.iter().map(|user| user.user.clone()).collect();
    let wish = room::DenyWaitingRoomRequests { user_ids };
    host.tell(event::DENY_WAITING_ROOM_REQUESTS, &wish).await;
}

impl Stage {
    /// One who has to wait until somebody lets it in.
    async fn guest(&self, name: &str) -> Guest {
        let token = self.token(name, "group_call_guest").await;
        let mut guest = Guest::connect(&self.origin(), &token).await;
        let me = guest.come_in().await;
        assert!(me.waitlisted);
        assert_eq!(me.peer_id, guest.peer);
        guest
    }
}

async fn one_who_waits_is_let_in(db: Database) {
    let stage = Stage::new(db).await;
    let mut ana = Guest::enter(&stage.origin(), &stage.host("Ana").await).await;
    let mut bo = Guest::enter(&stage.origin(), &stage.participant("Bo").await).await;
    ana.pushed().await;
    let mut cy = stage.guest("Cy").await;
    let told: room::GetWaitingRoomRequests = ana.hear(event::GET_WAITING_ROOM_REQUESTS).await;
    let request = &told.requests[0];
    assert_eq!((&request.peer_id, &request.user_id), (&cy.peer, &cy.user));
    assert_eq!(request.display_name, "Cy");
    assert_eq!(request.preset_name(), "group_call_guest");
    let mut dee = stage.guest("Dee").await;
    assert_eq!(
        hear_waiting(&mut ana).await,
        [cy.peer.clone(), dee.peer.clone()],
        "all, each time"
    );
    // Asking once more changes nothing.
    assert!(cy.come_in().await.waitlisted);
    assert_eq!(ana.pushed_events().await, [] as [u32; 0]);
    accept(&mut ana, &[&cy]).await;
    cy.hear_empty(event::WAITING_ROOM_REQUEST_ACCEPTED).await;
    assert_eq!(hear_waiting(&mut ana).await, [dee.peer.clone()]);
    assert_eq!(
        inside(&mut ana).await,
        ids(&[&ana, &bo]),
        "let in is not inside yet"
    );
    let me = cy.come_in().await;
    assert!(!me.waitlisted);
    assert_eq!(me.stage_type(), room::StageType::OnStage);
    assert_eq!(hear_join(&mut ana).await.peer_id, cy.peer);
    assert_eq!(hear_join(&mut bo).await.peer_id, cy.peer);
    assert_eq!(cy.complete_media().await.participants.len(), 2);
    assert_eq!(inside(&mut cy).await, ids(&[&ana, &bo, &cy]));
    // The other still waits, and was told nothing.
    assert_eq!(dee.pushed_events().await, [] as [u32; 0]);
    let of_bo = bo.pushed_events().await;
    assert!(
        !of_bo.contains(&event::GET_WAITING_ROOM_REQUESTS),
        "not its business: {of_bo:?}"
    );
    // Those who may not let anybody in are refused.
    let nobody = room::AcceptWaitingRoomRequests {
        user_ids: vec![dee.user.clone()],
    };
    bo.refused(event::ACCEPT_WAITING_ROOM_REQUESTS, &nobody).await;
    bo.refused(event::GET_WAITING_ROOM_REQUESTS, &Guest::nothing())
        .await;
    dee.refused(event::ACCEPT_WAITING_ROOM_REQUESTS, &nobody).await;
    assert!(dee.come_in().await.waitlisted);
}

async fn one_who_waits_is_turned_away(db: Database) {
    let stage = Stage::new(db).await;
    let mut ana = Guest::join(&stage.origin(), &stage.host("Ana").await).await;
    let mut bo = Guest::join(&stage.origin(), &stage.participant("Bo").await).await;
    hear_join(&mut ana).await;
    let mut cy = stage.guest("Cy").await;
    assert_eq!(hear_waiting(&mut ana).await, [cy.peer.clone()]);
    deny(&mut ana, &[&cy, &bo]).await;
    cy.hear_empty(event::WAITING_ROOM_REQUEST_DENIED).await;
    assert_eq!(cy.closed().await, Closed::Code(1000));
    assert_eq!(hear_waiting(&mut ana).await, [] as [&str; 0]);
    assert_eq!(
        bo.pushed_events().await,
        [] as [u32; 0],
        "one inside is not turned away"
    );
    assert_eq!(inside(&mut ana).await, ids(&[&ana, &bo]));
    // It may knock again.
    let mut again = cy.again().await;
    assert!(again.come_in().await.waitlisted);
    assert_eq!(hear_waiting(&mut ana).await, [again.peer.clone()]);
    accept(&mut ana, &[&again]).await;
    again.hear_empty(event::WAITING_ROOM_REQUEST_ACCEPTED).await;
    assert!(!again.come_in().await.waitlisted);
}

async fn one_who_waits_gets_nothing(db: Database) {
    let stage = Stage::new(db).await;
    let mut ana = Guest::enter(&stage.origin(), &stage.host("Ana").await).await;
    let sound = ana.produce("audio").await;
    ana.say("a secret").await;
    let mut cy = stage.guest("Cy").await;
    cy.join_media().await;
    cy.transport(false).await;
    // What the client asks for while it waits is answered, and empty.
    assert_eq!(cy.peers().await, []);
    let info = cy.room().await;
    assert_eq!(
        (info.room_id, info.active_recordings.len()),
        (cy.meeting.clone(), 0)
    );
    let nothing = Guest::nothing();
    let said: chat::GetChatMessagesResponse = cy.request(event::GET_MESSAGES, &nothing).await;
    assert_eq!(said.messages, []);
    let asked: polls::GetPollsResponse = cy.request(event::GET_POLLS, &nothing).await;
    assert_eq!(asked.polls, []);
    let wish = plugin::PluginStoreGetKeysRequest {
        plugin_id: cy.meeting.clone(),
        store_name: "__rtk_plugins__".to_owned(),
        get_keys: Vec::new(),
    };
    let stored: plugin::PluginStoreResponse = cy.request(event::STORE_GET_KEYS, &wish).await;
    assert_eq!(stored.store_items, []);
    // The rest is refused.
    cy.refused(event::PRODUCE, &Guest::produce_wish("audio", false))
        .await;
    cy.refused(event::CONSUME, &Guest::consume_wish(&ana.peer, &sound))
        .await;
    cy.refused(event::SELF_JOIN_COMPLETE, &edge::PeerJoinCompleteRequest {})
        .await;
    let about = room::GetPeerInfoRequest {
        peer_id: ana.peer.clone(),
    };
    cy.refused(event::GET_PEER_INFO, &about).await;
    cy.refused(event::KICK_ALL, &edge::KickAllPeersRequest::default())
        .await;
    let say = chat::SendChatMessageToRoomRequest {
        payload_type: 0,
        payload: "let me in".to_owned(),
    };
    cy.refused(event::SEND_MESSAGE_TO_ROOM, &say).await;
    // Nothing that happens inside reaches it, nor does it reach anybody.
    ana.say("another").await;
    ana.toggle(&sound, true).await;
    let mut bo = Guest::enter(&stage.origin(), &stage.participant("Bo").await).await;
    bo.say("hello").await;
    bo.leave().await;
    hear_leave(&mut ana).await;
    assert_eq!(cy.pushed_events().await, [] as [u32; 0]);
    assert_eq!(ana.chat_heard().await.last().map(String::as_str), Some("hello"));
    assert_eq!(stage.live().await["live_participants"], 1);
    // A kick reaches it, though.
    let kick = json!({"custom_participant_ids": ["Cy"]});
    stage.meeting.post("/active-session/kick", kick).await.expect(200);
    assert_eq!(cy.closed().await, Closed::Code(1000));
}

async fn a_host_who_comes_later_lets_in(db: Database) {
    let stage = Stage::new(db).await;
    let mut cy = stage.guest("Cy").await;
    // Somebody who waits begins no session.
    stage.meeting.get("/active-session").await.refused(404);
    let mut ana = Guest::join(&stage.origin(), &stage.host("Ana").await).await;
    assert_eq!(
        cy.pushed_events().await,
        [] as [u32; 0],
        "a host is here, and has to accept"
    );
    let asked: room::GetWaitingRoomRequests = ana
        .request(event::GET_WAITING_ROOM_REQUESTS, &Guest::nothing())
        .await;
    assert_eq!(asked.requests.len(), 1);
    assert_eq!(asked.requests[0].peer_id, cy.peer);
    // Peer ids among them are nobody's.
    let wish = room::AcceptWaitingRoomRequests {
        user_ids: vec![cy.peer.clone(), "x".to_owned(), String::new(), cy.user.clone()],
    };
    ana.tell(event::ACCEPT_WAITING_ROOM_REQUESTS, &wish).await;
    cy.hear_empty(event::WAITING_ROOM_REQUEST_ACCEPTED).await;
    assert!(!cy.come_in().await.waitlisted);
    // Hosts themselves never wait, whatever their preset says.
    stage
        .preset(
            "waiting_host",
            json!({}),
            json!({"accept_waiting_requests": true, "waiting_room_type": "SKIP_ON_ACCEPT"}),
        )
        .await;
    let host = stage.token("Host", "waiting_host").await;
    let mut host = Guest::connect(&stage.origin(), &host).await;
    assert!(!host.come_in().await.waitlisted);
}

async fn some_wait_only_for_a_host(db: Database) {
    let stage = Stage::with_grace(db, 0).await;
    stage
        .preset(
            "with_host",
            json!({}),
            json!({"waiting_room_type": "ON_PRIVILEGED_USER_ENTRY"}),
        )
        .await;
    let token = stage.token("Cy", "with_host").await;
    let mut cy = Guest::connect(&stage.origin(), &token).await;
    assert!(cy.come_in().await.waitlisted);
    // Somebody without that right is not who is waited for.
    let bo = Guest::join(&stage.origin(), &stage.participant("Bo").await).await;
    assert!(cy.come_in().await.waitlisted);
    let mut dee = stage.guest("Dee").await;
    let ana = Guest::join(&stage.origin(), &stage.host("Ana").await).await;
    cy.hear_empty(event::WAITING_ROOM_REQUEST_ACCEPTED).await;
    assert!(!cy.come_in().await.waitlisted);
    assert_eq!(inside(&mut cy).await, ids(&[&ana, &bo, &cy]));
    assert!(dee.come_in().await.waitlisted, "it has to be accepted");
    assert_eq!(dee.pushed_events().await, [] as [u32; 0]);
    // With a host inside, later ones come in at once; without one again, they wait.
    let eve = Guest::join(&stage.origin(), &stage.token("Eve", "with_host").await).await;
    hear_join(&mut cy).await;
    let (gone, host) = (eve.peer.clone(), ana.peer.clone());
    eve.leave().await;
    assert_eq!(hear_leave(&mut cy).await, gone);
    ana.lose();
    assert_eq!(hear_leave(&mut cy).await, host);
    let fay = stage.token("Fay", "with_host").await;
    let mut fay = Guest::connect(&stage.origin(), &fay).await;
    assert!(fay.come_in().await.waitlisted);
}

async fn one_who_waits_loses_its_connection(db: Database) {
    let stage = Stage::with_grace(db, 3_600).await;
    let mut ana = Guest::join(&stage.origin(), &stage.host("Ana").await).await;
    let mut cy = stage.guest("Cy").await;
    assert_eq!(hear_waiting(&mut ana).await, [cy.peer.clone()]);
    let mut back = cy.again().await;
    assert_eq!(cy.closed().await, Closed::Code(4001));
    assert!(back.come_in().await.waitlisted);
    assert_eq!(ana.pushed_events().await, [] as [u32; 0], "it waits as before");
    // Let in while it is away, it is told when it is back.
    accept(&mut ana, &[&back]).await;
    assert_eq!(hear_waiting(&mut ana).await, [] as [&str; 0]);
    let mut again = back.again().await;
    back.lose();
    again.hear_empty(event::WAITING_ROOM_REQUEST_ACCEPTED).await;
    assert!(!again.come_in().await.waitlisted);
    assert_eq!(inside(&mut ana).await, ids(&[&ana, &again]));
    // One who gives up is off the list.
    let dee = stage.guest("Dee").await;
    assert_eq!(hear_waiting(&mut ana).await, std::slice::from_ref(&dee.peer));
    dee.close(1000).await;
    assert_eq!(hear_waiting(&mut ana).await, [] as [&str; 0]);
}

async fn one_who_was_let_in_does_not_wait_again(db: Database) {
    let stage = Stage::new(db).await;
    let mut ana = Guest::join(&stage.origin(), &stage.host("Ana").await).await;
    let cy = stage.guest("Cy").await;
    accept(&mut ana, &[&cy]).await;
    let mut cy = cy;
    cy.hear_empty(event::WAITING_ROOM_REQUEST_ACCEPTED).await;
    cy.come_in().await;
    let (token, peer) = (cy.token.clone(), cy.peer.clone());
    cy.leave().await;
    assert_eq!(hear_leave(&mut ana).await, peer);
    // In the same session, by any connection of the participant.
    let mut again = Guest::join(&stage.origin(), &token).await;
    hear_join(&mut ana).await;
    // Until it is removed.
    let kick = room::RemoveParticipantsRequest {
        peer_ids: vec![again.peer.clone()],
    };
    ana.tell(event::KICK, &kick).await;
    assert_eq!(again.closed().await, Closed::Code(1000));
    let mut third = Guest::connect(&stage.origin(), &token).await;
    assert!(third.come_in().await.waitlisted);
    // Or the session ends.
    accept(&mut ana, &[&third]).await;
    third.hear_empty(event::WAITING_ROOM_REQUEST_ACCEPTED).await;
    third.come_in().await;
    stage
        .meeting
        .post_empty("/active-session/kick-all")
        .await
        .expect(200);
    assert_eq!(third.closed().await, Closed::Code(1000));
    let mut fourth = Guest::connect(&stage.origin(), &token).await;
    assert!(fourth.come_in().await.waitlisted);
}
