//! What REST does to those in a live session.

use std::time::Duration;

use http::Method;
use muster_testkit::{Closed, Database, Guest, both, eventually};
use muster_wire::{event, media::edge, socket::polls};
use serde_json::{Value, json};
use uuid::Uuid;

use super::{Stage, hear_join, hear_leave, ids, inside};

both!(
    the_live_session_is_told,
    people_are_kicked_by_either_id,
    all_are_kicked,
    voices_are_muted,
    a_poll_is_opened_once,
    deleting_a_participant_revokes_its_tokens_and_may_disconnect_it,
    deleting_a_meeting_disconnects_when_asked,
    deleting_an_app_disconnects_when_asked,
    ids_of_others_find_nothing,
    a_participant_that_changes_is_as_it_was_until_it_comes_back,
);

fn names(answer: &Value) -> Vec<&str> {
    let people = answer["participants"].as_array().expect("people");
    people
        .iter()
        .map(|one| one["name"].as_str().expect("a name"))
        .collect()
}

async fn the_live_session_is_told(db: Database) {
    let stage = Stage::new(db).await;
    stage.meeting.get("/active-session").await.refused(404);
    let mut ana = Guest::join(&stage.origin(), &stage.host("Ana").await).await;
    let bo = Guest::join(&stage.origin(), &stage.participant("Bo").await).await;
    let live = stage.live().await;
    assert_eq!(live["status"], "LIVE");
    assert_eq!(live["associated_id"], stage.meeting.id);
    assert_eq!(live["organization_id"], stage.app.id);
    assert_eq!(live["meeting_display_name"], "a test");
    assert_eq!(live["type"], "meeting");
    assert_eq!(
        (&live["live_participants"], &live["max_concurrent_participants"]),
        (&json!(2), &json!(2))
    );
    assert_eq!(live["id"], ana.room().await.room_uuid());
    let gone = bo.peer.clone();
    bo.leave().await;
    assert_eq!(hear_leave(&mut ana).await, gone);
    let live = stage.live().await;
    assert_eq!(
        (&live["live_participants"], &live["max_concurrent_participants"]),
        (&json!(1), &json!(2))
    );
    // The same is told of it among all sessions, and of who was there.
    let path = format!("/sessions/{}/participants", live["id"].as_str().unwrap());
    let listed = stage.app.get(&path).await.expect(200);
    let mut told: Vec<(String, bool)> = listed.body["data"]["participants"]
        .as_array()
        .unwrap()
        .iter()
        .map(|one| {
            (
                one["custom_participant_id"].as_str().unwrap().to_owned(),
                one["left_at"].is_string(),
            )
        })
        .collect();
    told.sort();
    assert_eq!(told, [("Ana".to_owned(), false), ("Bo".to_owned(), true)]);
}

async fn people_are_kicked_by_either_id(db: Database) {
    let stage = Stage::new(db).await;
    let mut ana = Guest::join(&stage.origin(), &stage.host("Ana").await).await;
    let token = stage.participant("Bo").await;
    let mut one = Guest::join(&stage.origin(), &token).await;
    let mut two = Guest::join(&stage.origin(), &token).await;
    let mut cy = Guest::join(&stage.origin(), &stage.participant("Cy").await).await;
    let mut dee = Guest::join(&stage.origin(), &stage.participant("Dee").await).await;
    let absent = stage.meeting.participant("absent").await;
    let kick = async |body: Value| stage.meeting.post("/active-session/kick", body).await;
    // With all its connections; unknown ids beside a known one are passed over.
    let done = kick(json!({"participant_ids": [one.user, Uuid::new_v4(), "x"]}))
        .await
        .expect(200)
        .ok();
    assert_eq!(
        (done["action"].as_str(), names(&done)),
        (Some("kick"), vec!["Bo"])
    );
    assert_eq!(done["participants"][0]["id"], one.user);
    for tab in [&mut one, &mut two] {
        tab.hear_empty(event::KICK).await;
        assert_eq!(tab.closed().await, Closed::Code(1000));
    }
    let done = kick(json!({"custom_participant_ids": ["Cy"], "participant_ids": [dee.user]}))
        .await
        .expect(200)
        .ok();
    let mut told = names(&done);
    told.sort_unstable();
    assert_eq!(told, ["Cy", "Dee"]);
    for guest in [&mut cy, &mut dee] {
        assert_eq!(guest.closed().await, Closed::Code(1000));
    }
    assert_eq!(inside(&mut ana).await, ids(&[&ana]));
    let pushed = ana.pushed_events().await;
    assert!(!pushed.contains(&event::KICK), "{pushed:?}");
    // One who is not there, by either id.
    kick(json!({"participant_ids": [absent["id"]]}))
        .await
        .refused(404);
    kick(json!({"custom_participant_ids": ["absent", "Bo"]}))
        .await
        .refused(404);
    kick(json!({"participant_ids": ["x"]})).await.refused(404);
    // A kick alone keeps nobody out.
    let back = Guest::join(&stage.origin(), &token).await;
    assert_eq!(hear_join(&mut ana).await.peer_id, back.peer);
}

async fn all_are_kicked(db: Database) {
    let stage = Stage::with_grace(db, 3_600).await;
    let mut ana = Guest::join(&stage.origin(), &stage.host("Ana").await).await;
    let lost = Guest::join(&stage.origin(), &stage.participant("Bo").await).await;
    hear_join(&mut ana).await;
    lost.lose();
    let session = stage.live().await["id"].as_str().unwrap().to_owned();
    let done = stage
        .meeting
        .post_empty("/active-session/kick-all")
        .await
        .expect(200)
        .ok();
    assert_eq!(done["action"], "kick_all");
    assert_eq!(
        done["kicked_participants_count"], 2,
        "one of them within its grace"
    );
    ana.hear_empty(event::KICK_ALL).await;
    assert_eq!(ana.closed().await, Closed::Code(1000));
    stage.meeting.get("/active-session").await.refused(404);
    stage
        .meeting
        .post_empty("/active-session/kick-all")
        .await
        .refused(404);
    let path = format!("/sessions/{session}/participants");
    let listed = stage.app.get(&path).await.expect(200);
    for one in listed.body["data"]["participants"].as_array().unwrap() {
        assert!(one["left_at"].is_string(), "{one}");
    }
}

async fn voices_are_muted(db: Database) {
    let stage = Stage::new(db).await;
    let mut ana = Guest::enter(&stage.origin(), &stage.host("Ana").await).await;
    let mut bo = Guest::enter(&stage.origin(), &stage.participant("Bo").await).await;
    let of_ana = ana.produce("audio").await;
    let of_bo = bo.produce("audio").await;
    bo.produce("video").await;
    let mute = json!({"participant_ids": [bo.user]});
    let done = stage
        .meeting
        .post("/active-session/mute", mute)
        .await
        .expect(200)
        .ok();
    assert_eq!(
        (done["action"].as_str(), names(&done)),
        (Some("mute"), vec!["Bo"])
    );
    let told: edge::PeerProducerToggleBroadcastResponse = bo.hear(event::PEER_PRODUCER_TOGGLED).await;
    assert_eq!(told.participant_id, bo.peer);
    let state = told.producer_state.expect("a state");
    assert_eq!((&state.producer_id, state.pause), (&of_bo, true), "sound alone");
    let all = json!({"allow_unmute": true});
    let done = stage
        .meeting
        .post("/active-session/mute-all", all)
        .await
        .expect(200)
        .ok();
    assert_eq!(done["action"], "mute_all");
    assert_eq!(done["muted_participants_count"], 2);
    loop {
        let told: edge::PeerProducerToggleBroadcastResponse = bo.hear(event::PEER_PRODUCER_TOGGLED).await;
        if told.producer_state.expect("a state").producer_id == of_ana {
            break;
        }
    }
    let nobody = json!({"custom_participant_ids": ["nobody"]});
    stage
        .meeting
        .post("/active-session/mute", nobody)
        .await
        .refused(404);
    assert_eq!(inside(&mut ana).await.len(), 2, "nobody is sent away");
}

async fn a_poll_is_opened_once(db: Database) {
    let stage = Stage::new(db).await;
    let mut ana = Guest::join(&stage.origin(), &stage.host("Ana").await).await;
    let poll = json!({"question": "Tea?", "options": ["yes", "no"], "anonymous": true});
    let post = async |body: &Value| {
        let call = stage.meeting.call(Method::POST, "/active-session/poll");
        call.key("one").json(body).send().await
    };
    let first = post(&poll).await.expect(201);
    let again = post(&poll).await.expect(201);
    assert_eq!(first.text, again.text);
    assert_eq!(again.header("idempotent-replayed"), Some("true"));
    post(&json!({"question": "Coffee?", "options": ["yes", "no"]}))
        .await
        .refused(422);
    let told: polls::UpdatePollResponse = ana.hear(event::CREATE_POLL).await;
    let told = told.poll.expect("a poll");
    let made = &first.body["data"]["poll"];
    assert_eq!(
        (made["id"].as_str(), made["question"].as_str()),
        (Some(told.poll_id.as_str()), Some("Tea?"))
    );
    assert_eq!(ana.pushed_events().await, [] as [u32; 0], "one poll");
    let all: polls::GetPollsResponse = ana.request(event::GET_POLLS, &Guest::nothing()).await;
    assert_eq!(all.polls.len(), 1);
    // Without a session the failure is not kept: the same key serves later.
    let other = stage.app.meeting().await;
    let call = || {
        other
            .call(Method::POST, "/active-session/poll")
            .key("one")
            .json(&poll)
    };
    call().send().await.refused(404);
    let token = other.participant("x").await["token"].as_str().unwrap().to_owned();
    let _x = Guest::join(&stage.origin(), &token).await;
    call().send().await.expect(201);
}

async fn deleting_a_participant_revokes_its_tokens_and_may_disconnect_it(db: Database) {
    let stage = Stage::new(db).await;
    let mut ana = Guest::join(&stage.origin(), &stage.host("Ana").await).await;
    let mut bo = Guest::join(&stage.origin(), &stage.participant("Bo").await).await;
    let mut cy = Guest::join(&stage.origin(), &stage.participant("Cy").await).await;
    let mut tab = Guest::connect(&stage.origin(), &bo.token).await;
    stage
        .meeting
        .delete(&format!("/participants/{}", bo.user))
        .await
        .expect(200);
    // One that had not come in yet does not do so now.
    assert_eq!(tab.closed().await, Closed::Code(1000));
    let path = format!("/participants/{}?disconnect=true", cy.user);
    stage.meeting.delete(&path).await.expect(200);
    assert_eq!(cy.closed().await, Closed::Code(1000));
    assert_eq!(hear_leave(&mut ana).await, cy.peer);
    // The other stays while its connection holds.
    ana.say("still here?").await;
    assert!(bo.chat_heard().await.contains(&"still here?".to_owned()));
    assert_eq!(inside(&mut ana).await, ids(&[&ana, &bo]));
    for gone in [&bo, &cy] {
        let tried = Guest::try_connect(&stage.origin(), &gone.token, &gone.meeting, &gone.peer).await;
        assert_eq!(tried.err(), Some(401));
    }
    stage.meeting.delete(&path).await.refused(404);
}

async fn deleting_a_meeting_disconnects_when_asked(db: Database) {
    let stage = Stage::new(db).await;
    let mut ana = Guest::join(&stage.origin(), &stage.host("Ana").await).await;
    stage.meeting.delete("").await.refused(409);
    stage.meeting.delete("?disconnect=false").await.refused(409);
    assert!(ana.is_answered().await);
    stage.meeting.delete("?disconnect=true").await.expect(200);
    ana.hear_empty(event::KICK_ALL).await;
    assert_eq!(ana.closed().await, Closed::Code(1000));
    stage.meeting.get("").await.refused(404);
    let tried = Guest::try_connect(&stage.origin(), &ana.token, &ana.meeting, &ana.peer).await;
    assert_eq!(tried.err(), Some(401));
    let rooms = &stage.server.app().rooms;
    eventually("its room is gone", Duration::from_secs(10), async || {
        rooms.is_empty()
    })
    .await;
}

async fn deleting_an_app_disconnects_when_asked(db: Database) {
    let stage = Stage::new(db).await;
    let mut ana = Guest::join(&stage.origin(), &stage.host("Ana").await).await;
    let other = stage.app.meeting().await;
    let token = other.participant("bo").await["token"]
        .as_str()
        .unwrap()
        .to_owned();
    let mut bo = Guest::join(&stage.origin(), &token).await;
    let beside = stage.app.app().await.meeting().await;
    let token = beside.participant("cy").await["token"]
        .as_str()
        .unwrap()
        .to_owned();
    let mut cy = Guest::join(&stage.origin(), &token).await;
    let path = format!("/apps/{}", stage.app.id);
    stage.app.kit().delete(&path).await.refused(409);
    stage
        .app
        .kit()
        .delete(&format!("{path}?disconnect=true"))
        .await
        .expect(200);
    for guest in [&mut ana, &mut bo] {
        assert_eq!(guest.closed().await, Closed::Code(1000));
    }
    assert!(cy.is_answered().await, "another app of the account");
}

async fn ids_of_others_find_nothing(db: Database) {
    let stage = Stage::new(db).await;
    let mut ana = Guest::join(&stage.origin(), &stage.host("Ana").await).await;
    let other = stage.app.meeting().await;
    let token = other.participant("bo").await["token"]
        .as_str()
        .unwrap()
        .to_owned();
    let mut bo = Guest::join(&stage.origin(), &token).await;
    // A participant of another meeting.
    for action in ["kick", "mute"] {
        let path = format!("/active-session/{action}");
        for body in [
            json!({"participant_ids": [bo.user], "ban": true}),
            json!({"custom_participant_ids": ["bo"]}),
        ] {
            stage.meeting.post(&path, body).await.refused(404);
        }
    }
    // A meeting of another app, or of another account.
    let stranger = stage.server.api().await.app().await;
    let sibling = stage.app.app().await;
    for app in [stranger, sibling] {
        let meeting = app.at_meeting(&stage.meeting.id);
        meeting.get("/active-session").await.refused(404);
        meeting.post_empty("/active-session/kick-all").await.refused(404);
        let kick = json!({"participant_ids": [ana.user]});
        meeting.post("/active-session/kick", kick).await.refused(404);
        let poll = json!({"question": "Tea?", "options": ["yes", "no"]});
        meeting.post("/active-session/poll", poll).await.refused(404);
        meeting.delete("?disconnect=true").await.refused(404);
        let path = format!("/participants/{}?disconnect=true", ana.user);
        meeting.delete(&path).await.refused(404);
    }
    assert_eq!(ana.pushed_events().await, [] as [u32; 0]);
    assert_eq!(bo.pushed_events().await, [] as [u32; 0]);
    assert_eq!(inside(&mut ana).await, ids(&[&ana]));
}

async fn a_participant_that_changes_is_as_it_was_until_it_comes_back(db: Database) {
    let stage = Stage::new(db).await;
    let mut ana = Guest::join(&stage.origin(), &stage.host("Ana").await).await;
    let mut bo = Guest::join(&stage.origin(), &stage.participant("Bo").await).await;
    let change = json!({"name": "Robert", "preset_name": "group_call_host"});
    let path = format!("/participants/{}", bo.user);
    stage.meeting.patch(&path, change).await.expect(200);
    bo.refused(event::GET_WAITING_ROOM_REQUESTS, &Guest::nothing())
        .await;
    let (token, gone) = (bo.token.clone(), bo.peer.clone());
    bo.leave().await;
    assert_eq!(hear_leave(&mut ana).await, gone);
    // The old token stands for what the participant is now.
    let mut back = Guest::connect(&stage.origin(), &token).await;
    let me = back.come_in().await;
    assert_eq!(me.display_name, "Robert");
    assert_eq!(me.flags.expect("flags").preset_name, "group_call_host");
    back.ask(event::GET_WAITING_ROOM_REQUESTS, &Guest::nothing())
        .await
        .expect("a host now");
}
