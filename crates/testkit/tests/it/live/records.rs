//! What is kept of real joins: sessions, stays, counts, exports.

use muster_model::Timestamp;
use muster_testkit::{Closed, Database, Guest, both};
use muster_wire::{
    event,
    media::edge,
    socket::{chat, room},
};
use serde_json::{Value, json};

use super::{
    Stage,
    kit::{ended, id, keep_alive, kick_all, link_path, live, millis, stays, text, whisper},
};

both!(
    a_stay_is_recorded_from_coming_to_going,
    people_are_counted,
    the_same_peer_goes_on_with_its_record,
    a_second_device_has_a_record_of_its_own,
    a_session_outlives_the_last_leave,
    a_session_ends_so_long_after_the_last_leave,
    rest_ends_a_session_for_all,
    a_host_ends_a_session_for_all,
    people_of_a_live_session_are_found,
    a_deleted_participant_stays_in_the_record,
    sessions_are_counted_by_day,
    chat_is_exported_without_what_was_private,
    the_quality_of_media_is_in_the_report,
);

fn events(stay: &Value) -> Vec<&str> {
    let events = stay["peer_events"].as_array().expect("events");
    events
        .iter()
        .map(|event| event["event_name"].as_str().unwrap())
        .collect()
}

async fn a_stay_is_recorded_from_coming_to_going(db: Database) {
    let stage = Stage::new(db).await;
    let before = Timestamp::now().as_micros() / 1000;
    let ana = Guest::join(&stage.origin(), &stage.host("Ana").await).await;
    let session = live(&stage).await;
    assert_eq!(session["associated_id"], stage.meeting.id);
    assert_eq!(session["organization_id"], stage.app.id);
    assert_eq!(session["meeting_display_name"], "a test");
    assert_eq!(
        (&session["type"], &session["status"]),
        (&json!("meeting"), &json!("LIVE"))
    );
    assert_eq!(session["live_participants"], 1);
    assert!(session.get("ended_at").is_none());
    assert!(millis(&session["started_at"]) >= before);

    let inside = stays(&stage.app, &id(&session)).await.remove(0);
    assert!(inside.get("left_at").is_none(), "{inside}");
    assert_eq!(events(&inside), ["PEER_CREATED", "PEER_JOINING"]);
    assert_eq!(
        inside["joined_at"], session["started_at"],
        "the first join begins the session"
    );

    let (peer, user) = (ana.peer.clone(), ana.user.clone());
    ana.leave().await;
    kick_all(&stage).await.expect(200);
    let session = ended(&stage.app, &id(&session)).await;
    let all = stays(&stage.app, &id(&session)).await;
    assert_eq!(all.len(), 1);
    let stay = &all[0];
    assert_eq!((&stay["id"], &stay["user_id"]), (&json!(peer), &json!(user)));
    assert_eq!(stay["custom_participant_id"], "Ana");
    assert_eq!(stay["display_name"], "Ana");
    assert_eq!(stay["preset_name"], "group_call_host");
    assert_eq!(stay["joined_at"], inside["joined_at"]);
    assert_eq!(events(stay), ["PEER_CREATED", "PEER_JOINING", "PEER_LEAVING"]);
    for event in stay["peer_events"].as_array().unwrap() {
        assert_eq!(event["peer_id"], stay["id"]);
        assert_eq!(event["participant_id"], stay["user_id"]);
        assert_eq!(event["session_id"], session["id"]);
        assert_eq!(event["preset_view_type"], "GROUP_CALL");
    }
    assert_eq!(stay["peer_events"][1]["created_at"], stay["joined_at"]);
    assert_eq!(stay["peer_events"][2]["created_at"], stay["left_at"]);
    // The length is that of the stay, in minutes of four decimals.
    let stayed = millis(&stay["left_at"]) - millis(&stay["joined_at"]);
    let told = stay["duration"].as_f64().unwrap() * 60_000.0;
    assert!(
        (told - f64::from(i32::try_from(stayed).unwrap())).abs() < 8.0,
        "{told} {stayed}"
    );
    assert_eq!(stay["peer_events"][2]["minutes_consumed"], stay["duration"]);
    assert_eq!(session["minutes_consumed"], stay["duration"]);
    assert_eq!(session["live_participants"], 0);
    assert!(millis(&session["ended_at"]) >= millis(&stay["left_at"]));

    // Both ids lead to it.
    for by in [&stay["id"], &stay["user_id"]] {
        let path = format!("/sessions/{}/participants/{}", id(&session), text(by));
        let one = stage.app.get(&path).await.expect(200).ok();
        assert_eq!(one["participant"]["left_at"], stay["left_at"]);
    }
}

async fn people_are_counted(db: Database) {
    let stage = Stage::new(db).await;
    let origin = stage.origin();
    let ana = Guest::join(&origin, &stage.host("Ana").await).await;
    let bo = Guest::join(&origin, &stage.participant("Bo").await).await;
    let cy = Guest::join(&origin, &stage.participant("Cy").await).await;
    let counts = async || {
        let session = live(&stage).await;
        let count = |name: &str| session[name].as_i64().unwrap();
        (count("live_participants"), count("max_concurrent_participants"))
    };
    assert_eq!(counts().await, (3, 3));
    bo.leave().await;
    let mut ana = ana;
    ana.hear::<room::PeerInfoResponse>(event::LEAVE_ROOM).await;
    assert_eq!(counts().await, (2, 3));
    let dee = Guest::join(&origin, &stage.participant("Dee").await).await;
    assert_eq!(counts().await, (3, 3));
    // One who is connected but has not come in does not count.
    let waiting = Guest::connect(&origin, &stage.participant("Eve").await).await;
    assert_eq!(counts().await, (3, 3));

    let session = id(&live(&stage).await);
    kick_all(&stage).await.expect(200);
    let session = ended(&stage.app, &session).await;
    assert_eq!(session["max_concurrent_participants"], 3);
    assert_eq!(session["live_participants"], 0);
    let stays = stays(&stage.app, &id(&session)).await;
    assert_eq!(stays.len(), 4);
    let sum: f64 = stays.iter().map(|stay| stay["duration"].as_f64().unwrap()).sum();
    let told = session["minutes_consumed"].as_f64().unwrap();
    // Each of the five figures is rounded to four decimals.
    assert!((sum - told).abs() < 0.0003, "{sum} {told}");
    assert!(
        stays
            .iter()
            .all(|stay| millis(&stay["left_at"]) <= millis(&session["ended_at"]))
    );
    drop((ana, cy, dee, waiting));
}

async fn the_same_peer_goes_on_with_its_record(db: Database) {
    let stage = Stage::new(db).await;
    let mut watch = Guest::join(&stage.origin(), &stage.host("Watch").await).await;
    let token = stage.participant("Bo").await;
    let bo = Guest::join(&stage.origin(), &token).await;
    let peer = bo.peer.clone();
    bo.leave().await;
    watch.hear::<room::PeerInfoResponse>(event::LEAVE_ROOM).await;
    let session = id(&live(&stage).await);
    let first = stays(&stage.app, &session).await.remove(1);
    assert_eq!(events(&first), ["PEER_CREATED", "PEER_JOINING", "PEER_LEAVING"]);

    let mut again = Guest::connect_as(&stage.origin(), &token, &peer).await;
    again.come_in().await;
    let all = stays(&stage.app, &session).await;
    assert_eq!(all.len(), 2, "one record for the peer");
    let second = &all[1];
    assert_eq!(second["id"], peer);
    assert!(second.get("left_at").is_none(), "inside again");
    assert_eq!(second["joined_at"], first["joined_at"]);
    assert_eq!(
        events(second),
        [
            "PEER_CREATED",
            "PEER_JOINING",
            "PEER_LEAVING",
            "PEER_CREATED",
            "PEER_JOINING"
        ]
    );
    again.leave().await;
    watch.hear::<room::PeerInfoResponse>(event::LEAVE_ROOM).await;
    let last = stays(&stage.app, &session).await.remove(1);
    let leavings: Vec<f64> = last["peer_events"]
        .as_array()
        .unwrap()
        .iter()
        .filter_map(|event| event["minutes_consumed"].as_f64())
        .collect();
    assert_eq!(leavings.len(), 2);
    // Time outside does not count: the length is that of both times inside.
    let told = last["duration"].as_f64().unwrap();
    assert!(
        (leavings.iter().sum::<f64>() - told).abs() < 0.0003,
        "{leavings:?} {told}"
    );
    assert_eq!(live(&stage).await["max_concurrent_participants"], 2);
}

async fn a_second_device_has_a_record_of_its_own(db: Database) {
    let stage = Stage::new(db).await;
    let token = stage.host("Ana").await;
    let one = Guest::join(&stage.origin(), &token).await;
    let two = Guest::join(&stage.origin(), &token).await;
    assert_ne!(one.peer, two.peer);
    let session = live(&stage).await;
    assert_eq!(session["live_participants"], 2);
    let all = stays(&stage.app, &id(&session)).await;
    assert_eq!(all.len(), 2);
    assert!(all.iter().all(|stay| stay["user_id"] == one.user), "{all:?}");
    let mut ids: Vec<String> = all.iter().map(id).collect();
    ids.sort();
    let mut peers = vec![one.peer.clone(), two.peer.clone()];
    peers.sort();
    assert_eq!(ids, peers);
    let path = format!("/sessions/{}/participants?view=consolidated", id(&session));
    let people = stage.app.get(&path).await.expect(200);
    assert_eq!(people.paging().0, 1, "one person");

    // A kick is of the person, not of a device.
    let kick = json!({"custom_participant_ids": ["Ana"]});
    let kicked = stage
        .meeting
        .post("/active-session/kick", kick)
        .await
        .expect(200)
        .ok();
    assert_eq!(kicked["participants"].as_array().unwrap().len(), 1);
    for mut guest in [one, two] {
        guest.hear_empty(event::KICK).await;
        assert_eq!(guest.closed().await, Closed::Code(1000));
    }
    assert_eq!(live(&stage).await["live_participants"], 0);
}

async fn a_session_outlives_the_last_leave(db: Database) {
    let stage = Stage::new(db).await;
    let token = stage.host("Ana").await;
    let ana = Guest::join(&stage.origin(), &token).await;
    let session = live(&stage).await;
    ana.leave().await;
    muster_testkit::eventually("nobody is inside", super::kit::SOON, async || {
        live(&stage).await["live_participants"] == 0
    })
    .await;
    // Within the minute that it is kept, whoever comes finds the same one.
    let mut back = Guest::join(&stage.origin(), &token).await;
    assert_eq!(live(&stage).await["id"], session["id"]);
    assert_eq!(back.room().await.room_uuid(), id(&session));
    kick_all(&stage).await.expect(200);
    assert_eq!(back.closed().await, Closed::Code(1000));

    let mut anew = Guest::join(&stage.origin(), &token).await;
    let second = live(&stage).await;
    assert_ne!(second["id"], session["id"]);
    assert_eq!(anew.room().await.room_uuid(), id(&second));
    let list = stage
        .app
        .get(&format!("/sessions?associated_id={}", stage.meeting.id))
        .await
        .expect(200)
        .ok();
    let told: Vec<(String, String)> = list["sessions"]
        .as_array()
        .unwrap()
        .iter()
        .map(|session| (id(session), text(&session["status"])))
        .collect();
    assert_eq!(
        told,
        [
            (id(&second), "LIVE".to_owned()),
            (id(&session), "ENDED".to_owned())
        ]
    );
}

async fn a_session_ends_so_long_after_the_last_leave(db: Database) {
    let stage = Stage::new(db).await;
    keep_alive(&stage, 1).await;
    let ana = Guest::join(&stage.origin(), &stage.host("Ana").await).await;
    let bo = Guest::join(&stage.origin(), &stage.participant("Bo").await).await;
    let session = id(&live(&stage).await);
    bo.leave().await;
    ana.leave().await;
    let session = ended(&stage.app, &session).await;
    let left = stays(&stage.app, &id(&session))
        .await
        .iter()
        .map(|stay| millis(&stay["left_at"]))
        .max()
        .unwrap();
    // However late the server gets to it, the record says when it was due.
    assert_eq!(millis(&session["ended_at"]), left + 1000);
    stage.meeting.get("/active-session").await.refused(404);
}

async fn rest_ends_a_session_for_all(db: Database) {
    let stage = Stage::new(db).await;
    kick_all(&stage).await.refused(404);
    let mut guests = Vec::new();
    for name in ["Ana", "Bo", "Cy"] {
        guests.push(Guest::join(&stage.origin(), &stage.participant(name).await).await);
    }
    let session = id(&live(&stage).await);
    let told = kick_all(&stage).await.expect(200).ok();
    assert_eq!(
        told,
        json!({"action": "kick_all", "kicked_participants_count": 3})
    );
    // The answer comes when it is done.
    let session = stage
        .app
        .get(&format!("/sessions/{session}"))
        .await
        .expect(200)
        .ok();
    assert_eq!(session["status"], "ENDED");
    stage.meeting.get("/active-session").await.refused(404);
    kick_all(&stage).await.refused(404);
    for guest in &mut guests {
        guest.hear_empty(event::KICK_ALL).await;
        assert_eq!(
            guest.closed().await,
            Closed::Code(1000),
            "they are not to come back by themselves"
        );
    }
    for stay in stays(&stage.app, &id(&session)).await {
        assert_eq!(stay["left_at"], session["ended_at"]);
    }
}

async fn a_host_ends_a_session_for_all(db: Database) {
    let stage = Stage::new(db).await;
    let mut ana = Guest::join(&stage.origin(), &stage.host("Ana").await).await;
    let mut bo = Guest::join(&stage.origin(), &stage.participant("Bo").await).await;
    let session = id(&live(&stage).await);
    let all = edge::KickAllPeersRequest {
        propagate_kick_across_rooms: true,
    };
    let why = bo.refused(event::KICK_ALL, &all).await;
    assert!(why.contains("not permitted"), "{why}");
    assert_eq!(live(&stage).await["live_participants"], 2);
    ana.tell(event::KICK_ALL, &all).await;
    for guest in [&mut ana, &mut bo] {
        guest.hear_empty(event::KICK_ALL).await;
        assert_eq!(guest.closed().await, Closed::Code(1000));
    }
    let session = stage
        .app
        .get(&format!("/sessions/{session}"))
        .await
        .expect(200)
        .ok();
    assert_eq!(session["status"], "ENDED");
}

async fn people_of_a_live_session_are_found(db: Database) {
    let stage = Stage::new(db).await;
    let mut guests = Vec::new();
    for name in ["Ana", "Bo", "Boris", "Cy"] {
        guests.push(Guest::join(&stage.origin(), &stage.participant(name).await).await);
    }
    let path = format!("/sessions/{}/participants", id(&live(&stage).await));
    let names = async |query: &str| {
        let list = stage.app.get(&format!("{path}?{query}")).await.expect(200);
        let people = list.body["data"]["participants"].as_array().unwrap().clone();
        let names: Vec<String> = people.iter().map(|row| text(&row["display_name"])).collect();
        (names, list.paging())
    };
    let texts = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect::<Vec<_>>();
    assert_eq!(names("").await, (texts(&["Cy", "Boris", "Bo", "Ana"]), (4, 1, 4)));
    assert_eq!(
        names("sort_order=ASC&per_page=3").await,
        (texts(&["Ana", "Bo", "Boris"]), (4, 1, 3))
    );
    assert_eq!(
        names("sort_order=ASC&per_page=3&page_no=2").await,
        (texts(&["Cy"]), (4, 4, 4))
    );
    assert_eq!(names("search=bo&sort_order=ASC").await.0, ["Bo", "Boris"]);
    assert_eq!(names(&format!("search={}", guests[3].peer)).await.0, ["Cy"]);
    assert_eq!(names(&format!("search={}", guests[0].user)).await.0, ["Ana"]);
    assert_eq!(names("search=nobody").await, (vec![], (0, 0, 0)));
    // Who came first has been there longest.
    assert_eq!(
        names("sort_by=duration&sort_order=DESC").await.0,
        ["Ana", "Bo", "Boris", "Cy"]
    );
}

async fn a_deleted_participant_stays_in_the_record(db: Database) {
    let stage = Stage::new(db).await;
    let _ana = Guest::join(&stage.origin(), &stage.host("Ana").await).await;
    let token = stage.participant("Bo").await;
    let mut bo = Guest::join(&stage.origin(), &token).await;
    let gone = stage
        .meeting
        .delete(&format!("/participants/{}?disconnect=true", bo.user))
        .await
        .expect(200)
        .ok();
    assert_eq!(gone["custom_participant_id"], "Bo");
    assert_eq!(bo.closed().await, Closed::Code(1000));
    let refused = Guest::try_connect(&stage.origin(), &token, &bo.meeting, &bo.peer).await;
    assert!(refused.is_err(), "its token is worth nothing now");
    let stay = stays(&stage.app, &id(&live(&stage).await)).await.remove(1);
    assert_eq!(
        (&stay["user_id"], &stay["display_name"]),
        (&json!(bo.user), &json!("Bo"))
    );
    assert!(stay["left_at"].is_string());
}

async fn sessions_are_counted_by_day(db: Database) {
    let stage = Stage::new(db).await;
    let token = stage.host("Ana").await;
    let mut minutes = 0.0;
    for _ in 0..2 {
        let guest = Guest::join(&stage.origin(), &token).await;
        let session = id(&live(&stage).await);
        kick_all(&stage).await.expect(200);
        minutes += ended(&stage.app, &session).await["minutes_consumed"]
            .as_f64()
            .unwrap();
        drop(guest);
    }
    let told = stage.app.get("/analytics/daywise").await.ok()["session_stats"].clone();
    assert_eq!(told["sessions_count"], 2);
    let days = told["day_stats"].as_array().unwrap();
    // Two where midnight came between them.
    let sum: i64 = days
        .iter()
        .map(|day| day["total_sessions"].as_i64().unwrap())
        .sum();
    assert_eq!(sum, 2);
    let consumed = told["sessions_minutes_consumed"].as_f64().unwrap();
    assert!((consumed - minutes).abs() < 0.0003, "{consumed} {minutes}");
    let other = stage.app.app().await;
    let told = other.get("/analytics/daywise").await.ok();
    assert_eq!(told["session_stats"]["sessions_count"], 0);
}

async fn chat_is_exported_without_what_was_private(db: Database) {
    let stage = Stage::new(db).await;
    let mut ana = Guest::join(&stage.origin(), &stage.host("Ana").await).await;
    let bo = Guest::join(&stage.origin(), &stage.host("Bo").await).await;
    let session = id(&live(&stage).await);
    let path = format!("/sessions/{session}/chat");
    stage.app.get(&path).await.refused(404);

    let first = ana.say("hello, \"all\"\r\nof you").await;
    whisper(&mut ana, &[&bo], "a secret").await;
    let second = ana.say("more").await;
    let third = ana.say("gone soon").await;
    let edit = chat::EditChatMessageRequest {
        chat_id: second.chat_id.clone(),
        payload: Some("less".to_owned()),
        ..Default::default()
    };
    ana.request::<chat::EditChatMessageResponse>(event::EDIT_MESSAGE, &edit)
        .await;
    let pin = chat::PinChatMessageRequest {
        chat_id: first.chat_id.clone(),
        pinned: true,
        channel_id: None,
    };
    ana.request::<chat::PinChatMessageResponse>(event::PIN_MESSAGE, &pin)
        .await;
    let delete = chat::DeleteChatMessageRequest {
        chat_id: third.chat_id,
        channel_id: None,
    };
    ana.request::<chat::DeleteChatMessageResponse>(event::DELETE_MESSAGE, &delete)
        .await;

    let line = |message: &chat::ChatMessage, marks: &str, payload: &str| {
        let at = Timestamp::from_micros(i64::try_from(message.created_at_ms()).unwrap() * 1000);
        format!(
            "{},{},{session},{},Ana,{marks},TEXT_MESSAGE,{payload},{at}\r\n",
            message.chat_id, ana.user, stage.meeting.id,
        )
    };
    let wanted = [
        "id,participantId,sessionId,meetingId,displayName,pinned,isEdited,payloadType,payload,createdAt\r\n"
            .to_owned(),
        line(&first, "true,false", "\"hello, \"\"all\"\"\r\nof you\""),
        line(&second, "false,true", "less"),
    ]
    .concat();
    let export = async || {
        let told = stage.app.get(&path).await.expect(200).ok();
        let link = link_path(&text(&told["chat_download_url"]));
        let anybody = stage.app.at_root("").without_token();
        anybody.get(&link).await.expect(200)
    };
    let csv = export().await;
    assert_eq!(csv.text, wanted);
    assert_eq!(csv.header("content-type"), Some("text/csv; charset=utf-8"));
    // It is the same once the session is over.
    kick_all(&stage).await.expect(200);
    assert_eq!(export().await.text, wanted);
}

async fn the_quality_of_media_is_in_the_report(db: Database) {
    let stage = Stage::new(db).await;
    let mut ana = Guest::enter(&stage.origin(), &stage.host("Ana").await).await;
    let sound = ana.produce("audio").await;
    // The engine tells of it before it answers what comes next.
    let camera = ana.produce("video").await;
    ana.toggle(&camera, true).await;
    let path = format!("/sessions/peer-report/{}", ana.peer);
    ana.leave().await;
    kick_all(&stage).await.expect(200);
    let report = stage.app.get(&path).await.expect(200).body["data"]["participant"]["peer_report"].take();
    let quality = &report["quality"];
    assert_eq!(quality["audio_producer"][0]["producer_id"], sound);
    assert_eq!(quality["audio_producer"][0]["packets_sent"], 100);
    assert_eq!(quality["audio_producer_cumulative"]["packet_loss"]["avg"], 50.0);
    assert_eq!(quality["video_producer"][0]["producer_id"], camera);
    let one = stage
        .app
        .get(&format!("{path}?filters=device_info"))
        .await
        .expect(200);
    assert_eq!(
        one.body["data"]["participant"]["peer_report"]["quality"],
        json!({})
    );
}
