//! Connections that are lost, taken over, or refused.

use std::time::Duration;

use futures::future::join_all;
use muster_testkit::{Closed, Database, Guest, TEST_TIME, both, eventually};
use muster_wire::{event, media::edge, socket::room};
use serde_json::json;
use uuid::Uuid;

use super::{Stage, hear_join, hear_leave, ids, inside};

both!(
    a_lost_connection_comes_back_unnoticed,
    after_the_grace_one_is_gone,
    a_second_socket_takes_the_place_of_the_first,
    the_peer_id_of_somebody_inside_is_refused_to_others,
    one_who_is_kicked_while_away_comes_back_as_a_stranger,
    tokens_that_open_nothing,
    an_inactive_meeting_lets_nobody_in_and_keeps_those_inside,
    one_who_is_banned_stays_out_until_the_ban_is_lifted,
);

const LONG: u64 = 3_600;

async fn a_lost_connection_comes_back_unnoticed(db: Database) {
    let stage = Stage::with_grace(db, LONG).await;
    let mut ana = Guest::enter(&stage.origin(), &stage.host("Ana").await).await;
    let mut bo = Guest::enter(&stage.origin(), &stage.participant("Bo").await).await;
    let camera = bo.produce("video").await;
    assert_eq!(ana.hear_producer().await.1.producer_id, camera);
    let session = bo.room().await.room_uuid().to_owned();
    ana.pushed().await;
    for round in 0..3 {
        let mut back = bo.again().await;
        if round % 2 == 0 {
            // Sometimes the server has not noticed yet that the old one is gone.
            bo.lose();
        }
        assert!(!back.come_in().await.waitlisted);
        assert_eq!(back.room().await.room_uuid(), session);
        assert_eq!(inside(&mut back).await, ids(&[&ana, &back]));
        bo = back;
    }
    // What it sent before is closed, and sent anew; others heard of no coming and going.
    let closed: edge::PeerProducerCloseBroadcastResponse = ana.hear(event::PEER_PRODUCER_CLOSED).await;
    assert_eq!(closed.producer_state.expect("a state").producer_id, camera);
    ana.say("still there?").await;
    assert_eq!(bo.chat_heard().await, ["still there?"]);
    let heard = ana.pushed_events().await;
    assert!(
        !heard.contains(&event::LEAVE_ROOM) && !heard.contains(&event::JOIN_ROOM),
        "{heard:?}"
    );
    bo.join_media().await;
    bo.complete_media().await;
    let again = bo.produce("video").await;
    let (peer, told) = ana.hear_producer().await;
    assert_eq!((peer, told.producer_id), (bo.peer.clone(), again));
    let live = stage.live().await;
    assert_eq!(
        (&live["id"], &live["live_participants"]),
        (&json!(session), &json!(2))
    );
    assert_eq!(live["max_concurrent_participants"], 2);
}

async fn after_the_grace_one_is_gone(db: Database) {
    let stage = Stage::with_grace(db, 0).await;
    let mut ana = Guest::join(&stage.origin(), &stage.host("Ana").await).await;
    let bo = Guest::join(&stage.origin(), &stage.participant("Bo").await).await;
    let (peer, token) = (bo.peer.clone(), bo.token.clone());
    hear_join(&mut ana).await;
    bo.lose();
    assert_eq!(hear_leave(&mut ana).await, peer);
    assert_eq!(inside(&mut ana).await, ids(&[&ana]));
    assert_eq!(stage.live().await["live_participants"], 1);
    // Closes other than 1000 are losses, too.
    let bo = Guest::join(&stage.origin(), &token).await;
    assert_eq!(hear_join(&mut ana).await.peer_id, bo.peer);
    let again = bo.peer.clone();
    bo.close(3002).await;
    assert_eq!(hear_leave(&mut ana).await, again);
    // It comes in as anybody does, under the same id or another.
    for id in [peer, again, Uuid::new_v4().to_string()] {
        let mut bo = Guest::connect_as(&stage.origin(), &token, &id).await;
        bo.come_in().await;
        assert_eq!(hear_join(&mut ana).await.peer_id, id);
        bo.close(1000).await;
        assert_eq!(hear_leave(&mut ana).await, id);
    }
}

async fn a_second_socket_takes_the_place_of_the_first(db: Database) {
    let stage = Stage::with_grace(db, LONG).await;
    let mut ana = Guest::join(&stage.origin(), &stage.host("Ana").await).await;
    let mut first = Guest::join(&stage.origin(), &stage.participant("Bo").await).await;
    hear_join(&mut ana).await;
    let mut second = first.again().await;
    assert_eq!(first.closed().await, Closed::Code(4001));
    ana.say("to whom?").await;
    assert_eq!(
        second.chat_heard().await,
        ["to whom?"],
        "it is inside without asking"
    );
    // Many at once: one of them stays, the others are replaced, and nobody else notices.
    let mut many = join_all((0..12).map(|_| second.again())).await;
    assert_eq!(second.closed().await, Closed::Code(4001));
    assert_eq!(inside(&mut ana).await, ids(&[&ana, &second]));
    // A socket is open before its room has heard of it, so the others end one after the other.
    let mut open = Vec::new();
    eventually("one of them stays", TEST_TIME, async || {
        open = join_all(many.iter_mut().map(Guest::is_answered)).await;
        open.iter().filter(|open| **open).count() == 1
    })
    .await;
    assert!(open.contains(&true));
    assert_eq!(ana.pushed_events().await, [] as [u32; 0]);
    assert_eq!(stage.live().await["live_participants"], 2);
}

async fn the_peer_id_of_somebody_inside_is_refused_to_others(db: Database) {
    let stage = Stage::with_grace(db, LONG).await;
    let mut ana = Guest::join(&stage.origin(), &stage.host("Ana").await).await;
    let thief = stage.participant("Thief").await;
    let take =
        async |meeting: &str, peer: &str| Guest::try_connect(&stage.origin(), &thief, meeting, peer).await;
    assert_eq!(take(&ana.meeting, &ana.peer).await.err(), Some(403));
    assert_eq!(
        take(&ana.meeting, &ana.peer.to_uppercase()).await.err(),
        Some(403)
    );
    // One who has only connected is in no record yet: the room itself refuses.
    let mut early = Guest::connect(&stage.origin(), &stage.participant("Early").await).await;
    early.room().await;
    let mut late = take(&early.meeting, &early.peer).await.expect("a socket");
    assert_eq!(late.closed().await, Closed::Code(4003));
    // Nor does it get the place of one whose connection is lost, or in another meeting.
    let bo = Guest::join(&stage.origin(), &stage.participant("Bo").await).await;
    let peer = bo.peer.clone();
    hear_join(&mut ana).await;
    bo.lose();
    assert_eq!(take(&ana.meeting, &peer).await.err(), Some(403));
    let other = stage.app.meeting().await;
    let token = other.participant("thief").await["token"]
        .as_str()
        .unwrap()
        .to_owned();
    let elsewhere = Guest::try_connect(&stage.origin(), &token, &other.id, &ana.peer).await;
    assert_eq!(elsewhere.err(), Some(403));
    // Nobody noticed any of it.
    assert_eq!(ana.pushed_events().await, [] as [u32; 0]);
    early.come_in().await;
    assert_eq!(hear_join(&mut ana).await.peer_id, early.peer);
    assert_eq!(inside(&mut early).await.len(), 3);
}

async fn one_who_is_kicked_while_away_comes_back_as_a_stranger(db: Database) {
    let stage = Stage::with_grace(db, LONG).await;
    let mut ana = Guest::join(&stage.origin(), &stage.host("Ana").await).await;
    let bo = Guest::join(&stage.origin(), &stage.participant("Bo").await).await;
    let (peer, token) = (bo.peer.clone(), bo.token.clone());
    hear_join(&mut ana).await;
    bo.lose();
    assert_eq!(inside(&mut ana).await.len(), 2);
    let kick = room::RemoveParticipantsRequest {
        peer_ids: vec![peer.clone()],
    };
    ana.tell(event::KICK, &kick).await;
    assert_eq!(hear_leave(&mut ana).await, peer);
    let mut back = Guest::connect_as(&stage.origin(), &token, &peer).await;
    back.refused(event::SELF_JOIN_COMPLETE, &edge::PeerJoinCompleteRequest {})
        .await;
    assert_eq!(inside(&mut ana).await, ids(&[&ana]));
    assert_eq!(ana.pushed_events().await, [] as [u32; 0]);
    back.come_in().await;
    assert_eq!(hear_join(&mut ana).await.peer_id, peer);
    assert_eq!(stage.live().await["live_participants"], 2);
}

async fn tokens_that_open_nothing(db: Database) {
    let stage = Stage::new(db).await;
    let origin = stage.origin();
    let mut ana = Guest::join(&origin, &stage.host("Ana").await).await;
    let peer = || Uuid::new_v4().to_string();
    let meeting = ana.meeting.clone();
    let good = stage.participant("Bo").await;
    let open = async |token: &str, meeting: &str, peer: &str| {
        Guest::try_connect(&origin, token, meeting, peer).await.err()
    };
    // Another room than the token's: one of the same app, one that is not there, none.
    let other = stage.app.meeting().await;
    assert_eq!(open(&good, &other.id, &peer()).await, Some(403));
    assert_eq!(open(&good, &peer(), &peer()).await, Some(403));
    assert_eq!(open(&good, "x", &peer()).await, Some(403));
    // Peer ids are UUIDs.
    for wrong in ["", "x", "7", "00000000-0000-0000-0000-00000000000"] {
        assert_eq!(open(&good, &meeting, wrong).await, Some(400), "{wrong:?}");
    }
    // Tokens of nobody.
    assert_eq!(open(&forged(&good), &meeting, &peer()).await, Some(401));
    let short = json!({"custom_participant_id": "short", "preset_name": "group_call_host", "expires_in": 1});
    let short = stage.meeting.post("/participants", short).await.expect(201).ok();
    let token = short["token"].as_str().unwrap();
    eventually("it expires", Duration::from_secs(20), async || {
        open(token, &meeting, &peer()).await == Some(401)
    })
    .await;
    let body = json!({"custom_participant_id": "gone", "preset_name": "group_call_host"});
    let gone = stage.meeting.post("/participants", body).await.expect(201).ok();
    let path = format!("/participants/{}", gone["id"].as_str().unwrap());
    stage.meeting.delete(&path).await.expect(200);
    assert_eq!(
        open(gone["token"].as_str().unwrap(), &meeting, &peer()).await,
        Some(401)
    );
    // One of a meeting that is gone.
    let of_other = other.participant("x").await;
    other.delete("").await.expect(200);
    assert_eq!(
        open(of_other["token"].as_str().unwrap(), &other.id, &peer()).await,
        Some(401)
    );
    assert_eq!(ana.pushed_events().await, [] as [u32; 0]);
    assert_eq!(open(&good, &meeting, &peer()).await, None);
}

/// The same claims under a signature that is not the server's.
fn forged(token: &str) -> String {
    let (claims, signature) = token.rsplit_once('.').expect("a token");
    let turned: String = signature.chars().rev().collect();
    format!("{claims}.{turned}")
}

async fn an_inactive_meeting_lets_nobody_in_and_keeps_those_inside(db: Database) {
    let stage = Stage::with_grace(db, LONG).await;
    let mut ana = Guest::join(&stage.origin(), &stage.host("Ana").await).await;
    let mut bo = Guest::join(&stage.origin(), &stage.participant("Bo").await).await;
    let left = Guest::join(&stage.origin(), &stage.participant("Cy").await).await;
    let (left_token, left_peer) = (left.token.clone(), left.peer.clone());
    left.leave().await;
    assert_eq!(hear_leave(&mut ana).await, left_peer);
    let late = stage.participant("Late").await;
    let mut early = Guest::connect(&stage.origin(), &stage.participant("Early").await).await;
    early.room().await;
    let inactive = json!({"status": "INACTIVE"});
    stage.meeting.patch("", inactive).await.expect(200);
    // One whose connection was open by then does not come in either.
    early
        .refused(event::JOIN_ROOM, &room::JoinRoomRequest::default())
        .await;
    let open = async |token: &str, peer: &str| {
        let guest = Guest::try_connect(&stage.origin(), token, &stage.meeting.id, peer).await;
        guest.err()
    };
    assert_eq!(open(&late, &Uuid::new_v4().to_string()).await, Some(403));
    assert_eq!(open(&left_token, &left_peer).await, Some(403), "it had left");
    ana.say("we stay").await;
    assert_eq!(bo.chat_heard().await, ["we stay"]);
    // One inside that loses its connection comes back.
    let back = bo.again().await;
    assert_eq!(bo.closed().await, Closed::Code(4001));
    assert_eq!(inside(&mut ana).await, ids(&[&ana, &back]));
    back.close(1000).await;
    stage
        .meeting
        .patch("", json!({"status": "ACTIVE"}))
        .await
        .expect(200);
    early.come_in().await;
    let late = Guest::join(&stage.origin(), &late).await;
    assert_eq!(inside(&mut ana).await, ids(&[&ana, &early, &late]));
}

async fn one_who_is_banned_stays_out_until_the_ban_is_lifted(db: Database) {
    let stage = Stage::new(db).await;
    let mut ana = Guest::join(&stage.origin(), &stage.host("Ana").await).await;
    let mut bo = Guest::join(&stage.origin(), &stage.participant("Bo").await).await;
    let kick = json!({"custom_participant_ids": ["Bo"], "ban": true});
    stage.meeting.post("/active-session/kick", kick).await.expect(200);
    assert_eq!(bo.closed().await, Closed::Code(1000));
    assert_eq!(hear_leave(&mut ana).await, bo.peer);
    let open = async |peer: &str| {
        Guest::try_connect(&stage.origin(), &bo.token, &bo.meeting, peer)
            .await
            .err()
    };
    assert_eq!(open(&bo.peer).await, Some(403));
    assert_eq!(open(&Uuid::new_v4().to_string()).await, Some(403));
    // Nor by a token made since.
    let path = format!("/participants/{}", bo.user);
    let fresh = stage
        .meeting
        .post_empty(&format!("{path}/token"))
        .await
        .expect(200)
        .ok();
    let fresh = fresh["token"].as_str().unwrap();
    let tried = Guest::try_connect(&stage.origin(), fresh, &bo.meeting, &bo.peer).await;
    assert_eq!(tried.err(), Some(403));
    assert_eq!(ana.pushed_events().await, [event::JOIN_ROOM]);
    stage
        .meeting
        .patch(&path, json!({"banned": false}))
        .await
        .expect(200);
    let back = Guest::join(&stage.origin(), fresh).await;
    assert_eq!(hear_join(&mut ana).await.peer_id, back.peer);
}
