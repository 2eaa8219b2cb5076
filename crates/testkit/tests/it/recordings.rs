//! Recordings: every filter, every check before a recorder would be asked, and participants' own tokens.

use muster_model::{
    MeetingId, RecordingId, Timestamp,
    recording::{Recording, RecordingKind, RecordingStatus},
};
use muster_testkit::{Api, Database, Server, both};
use serde_json::{Value, json};

use crate::seeds::{Seeds, uuid_text};

both!(
    without_recordings_lists_are_empty,
    a_recording_is_answered_whole,
    lists_are_filtered_sorted_and_paged,
    track_recordings_have_links_of_their_own,
    start_checks_all_before_it_is_not_built,
    tracks_check_all_before_they_are_not_built,
    changes_fit_the_state,
    participants_record_where_their_preset_permits_it,
    the_past_outlives_meetings_and_apps,
);

async fn without_recordings_lists_are_empty(db: Database) {
    let server = Server::start(db).await;
    let app = server.api().await.app().await;
    let meeting = app.meeting().await;
    for query in [
        String::new(),
        "page_no=0&per_page=0".into(),
        format!(
            "meeting_id={}&status=RECORDING&status=PAUSED&expired=false&search=w&sort_by=invokedTime",
            meeting.id
        ),
        "status=RECORDING,PAUSED&start_time=2026-01-01T00%3A00%3A00&end_time=2036-01-01T00:00:00%2B00:00"
            .into(),
    ] {
        let list = app.get(&format!("/recordings?{query}")).await.expect(200);
        assert_eq!((list.each("id"), list.paging()), (vec![], (0, 0, 0)), "{query}");
    }
    for (query, field) in [
        ("meeting_id=x", "meeting_id"),
        ("status=DONE", "status"),
        ("expired=maybe", "expired"),
        ("sort_by=size", "sort_by"),
        ("sort_order=up", "sort_order"),
        ("end_time=tomorrow", "end_time"),
    ] {
        let answer = app.get(&format!("/recordings?{query}")).await;
        answer.refused(400);
        assert_eq!(answer.fields(), [field], "{query}");
    }
    let active = |id: &str| format!("/recordings/active-recording/{id}");
    assert_eq!(
        app.get(&active(&meeting.id)).await.refused(404),
        format!("No active recording found for meeting_id {}", meeting.id)
    );
    for id in [uuid_text(), "x".into()] {
        assert_eq!(app.get(&active(&id)).await.refused(404), "Meeting not found");
        assert_eq!(
            app.get(&format!("/recordings/{id}")).await.refused(404),
            "Recording not found"
        );
    }
}

async fn a_recording_is_answered_whole(db: Database) {
    let server = Server::start(db).await;
    let seeds = Seeds::new(&server).await;
    let body = json!({"title": "Weekly", "ai_config": {"transcription": {"language": "de"}},
        "recording_config": {"storage_config": {"type": "aws", "bucket": "b", "secret": "S3CR3T"}}});
    let meeting = seeds.api.post("/meetings", body).await.ok();
    let id: MeetingId = meeting["id"].as_str().unwrap().parse().unwrap();
    let recording = Recording {
        storage_config: serde_json::from_value(json!({"type": "aws", "bucket": "b", "secret": "S3CR3T"}))
            .unwrap(),
        start_reason: serde_json::from_value(json!({"reason": "API_CALL", "caller": {
            "type": "ORGANIZATION", "name": "a test", "user_Id": seeds.scope.app}}))
        .unwrap(),
        stop_reason: serde_json::from_value(json!({"reason": "ALL_PEERS_LEFT"})).unwrap(),
        ..Seeds::recording(id, 0)
    };
    seeds.add_recording(&recording, Some("Weekly")).await;
    let mut whole = json!({
        "id": recording.id, "status": "UPLOADED", "output_file_name": format!("{id}_1.mp4"),
        "invoked_time": "2026-03-10T09:00:00.000Z", "started_time": "2026-03-10T09:00:00.000Z",
        "stopped_time": "2026-03-10T09:05:00.000Z", "session_id": recording.session_id, "file_size": 2_044_680,
        "recording_duration": 300, "download_url": "https://files.example.test/f", "audio_download_url": null,
        "download_url_expiry": "2026-03-17T09:00:00.000Z", "storage_config": {"type": "aws", "bucket": "b"},
        "start_reason": {"reason": "API_CALL", "caller": {
            "type": "ORGANIZATION", "name": "a test", "user_Id": seeds.scope.app}},
        "stop_reason": {"reason": "ALL_PEERS_LEFT"},
    });
    let one = seeds.api.get(&format!("/recordings/{}", recording.id)).await;
    assert_eq!(one.body["data"], whole);
    let list = seeds.api.get("/recordings").await;
    for left_out in ["start_reason", "stop_reason"] {
        whole.as_object_mut().unwrap().remove(left_out);
    }
    let mut shown = meeting.clone();
    shown.as_object_mut().unwrap().remove("ai_config");
    whole["meeting"] = shown;
    assert_eq!(list.body["data"], json!([whole]));
    for answer in [one, list] {
        assert!(!answer.text.contains("S3CR3T"));
    }
}

async fn lists_are_filtered_sorted_and_paged(db: Database) {
    let server = Server::start(db).await;
    let seeds = Seeds::new(&server).await;
    let meeting = MeetingId::random();
    let first = Seeds::recording(meeting, 0);
    let second = Recording {
        status: RecordingStatus::Paused,
        download_url_expires_at: None,
        ..Seeds::recording(MeetingId::random(), 10)
    };
    let third = Recording {
        status: RecordingStatus::Errored,
        download_url_expires_at: Some(Timestamp::now().plus(std::time::Duration::from_secs(3600))),
        ..Seeds::recording(meeting, 20)
    };
    for recording in [&first, &second, &third] {
        seeds.add_recording(recording, Some("The Weekly")).await;
    }
    for (query, wanted) in [
        (String::new(), vec![&third, &second, &first]),
        (
            "sort_by=invokedTime&sort_order=ASC".into(),
            vec![&first, &second, &third],
        ),
        ("sort_order=DSC".into(), vec![&third, &second, &first]),
        (format!("meeting_id={meeting}"), vec![&third, &first]),
        ("search=weekly".into(), vec![&third, &second, &first]),
        (format!("search={meeting}"), vec![&third, &first]),
        ("search=_".into(), vec![]),
        ("status=PAUSED,ERRORED".into(), vec![&third, &second]),
        ("status=PAUSED&status=UPLOADED".into(), vec![&second, &first]),
        ("expired=true".into(), vec![&first]),
        ("expired=false".into(), vec![&third, &second]),
        (format!("start_time={}", second.invoked_at), vec![&third, &second]),
        (format!("end_time={}", second.invoked_at), vec![&second, &first]),
    ] {
        let list = seeds.api.get(&format!("/recordings?{query}")).await.expect(200);
        let wanted: Vec<String> = wanted.iter().map(|recording| recording.id.to_string()).collect();
        assert_eq!(list.each("id"), wanted, "{query}");
        assert_eq!(list.paging().0, i64::try_from(wanted.len()).unwrap(), "{query}");
        assert!(
            list.body["data"]
                .as_array()
                .unwrap()
                .iter()
                .all(|row| row.get("meeting").is_none())
        );
    }
    let page = seeds.api.get("/recordings?page_no=2&per_page=2").await;
    assert_eq!(
        (page.each("id"), page.paging()),
        (vec![first.id.to_string()], (3, 3, 3))
    );
    let past = seeds.api.get("/recordings?page_no=3&per_page=2").await;
    assert_eq!((past.each("id"), past.paging()), (vec![], (3, 5, 3)));
    let other = seeds.api.app().await;
    assert_eq!(other.get("/recordings").await.paging(), (0, 0, 0));
    other.get(&format!("/recordings/{}", first.id)).await.refused(404);
    other
        .put(&format!("/recordings/{}", second.id), json!({"action": "stop"}))
        .await
        .refused(404);
}

async fn track_recordings_have_links_of_their_own(db: Database) {
    let server = Server::start(db).await;
    let seeds = Seeds::new(&server).await;
    let links = json!([{"layer_name": "default", "download_urls": {"ada_audio": {"download_url": "https://x.test/a"}}}]);
    let track = Recording {
        kind: RecordingKind::Track,
        download_url: None,
        track_downloads: serde_json::from_value(links.clone()).unwrap(),
        ..Seeds::recording(MeetingId::random(), 0)
    };
    seeds.add_recording(&track, None).await;
    let shown = seeds.api.get(&format!("/recordings/{}", track.id)).await.ok();
    assert_eq!(
        (&shown["download_url"], &shown["track_downloads"]),
        (&Value::Null, &links)
    );
    assert_eq!(shown["storage_config"], Value::Null);
}

async fn faults(api: &Api, path: &str, body: Value, fields: &[&str]) {
    let answer = api.post(path, body.clone()).await;
    answer.refused(400);
    assert_eq!(answer.fields(), fields, "{body}");
}

async fn start_checks_all_before_it_is_not_built(db: Database) {
    let server = Server::start(db).await;
    let seeds = Seeds::new(&server).await;
    let meeting = seeds.api.meeting().await;
    let id: MeetingId = meeting.id.parse().unwrap();
    let start = json!({"meeting_id": id});
    let both = json!({"meeting_id": id, "max_seconds": 59, "video_config": {"width": 0}});
    faults(
        &seeds.api,
        "/recordings",
        both,
        &["max_seconds", "video_config.width"],
    )
    .await;
    faults(&seeds.api, "/recordings", json!({}), &["meeting_id"]).await;
    faults(
        &seeds.api,
        "/recordings",
        json!({"meeting_id": "x"}),
        &["meeting_id"],
    )
    .await;
    let off = json!({"meeting_id": id, "realtimekit_bucket_config": {"enabled": false}});
    faults(&seeds.api, "/recordings", off, &["storage_config"]).await;
    let vp8 = json!({"meeting_id": id, "video_config": {"codec": "VP8"}, "audio_config": {"codec": "MP3"}});
    faults(&seeds.api, "/recordings", vp8, &["audio_config"]).await;

    let post = async |body: &Value| seeds.api.post("/recordings", body.clone()).await;
    let unknown = post(&json!({"meeting_id": uuid_text()})).await;
    assert_eq!(unknown.refused(404), "Meeting not found");
    let nobody = format!("No active session found for meeting_id {id}");
    assert_eq!(post(&start).await.refused(404), nobody);
    seeds.add_session(&seeds.live(&meeting.id)).await;
    assert!(post(&start).await.refused(501).contains("not built"));
    let track = Recording {
        kind: RecordingKind::Track,
        status: RecordingStatus::Recording,
        ..Seeds::recording(id, 0)
    };
    seeds.add_recording(&track, None).await;
    post(&start).await.refused(501);
    let running = Recording {
        status: RecordingStatus::Invoked,
        started_at: None,
        ..Seeds::recording(id, 1)
    };
    seeds.add_recording(&running, None).await;
    post(&start).await.refused(409);
    post(&json!({"meeting_id": id, "allow_multiple_recordings": true}))
        .await
        .refused(501);
    let active = seeds
        .api
        .get(&format!("/recordings/active-recording/{id}"))
        .await
        .ok();
    assert_eq!(
        (&active["id"], &active["started_time"]),
        (&json!(running.id), &Value::Null)
    );
    assert!(active.get("storage_config").is_none());
}

async fn tracks_check_all_before_they_are_not_built(db: Database) {
    let server = Server::start(db).await;
    let seeds = Seeds::new(&server).await;
    let meeting = seeds.api.meeting().await;
    let id = &meeting.id;
    faults(&seeds.api, "/recordings/track", json!({}), &["meeting_id"]).await;
    faults(
        &seeds.api,
        "/recordings/track",
        json!({"meeting_id": id, "user_ids": []}),
        &["user_ids"],
    )
    .await;
    let long = json!({"meeting_id": id, "user_ids": ["x".repeat(257)]});
    faults(&seeds.api, "/recordings/track", long, &["user_ids.0"]).await;
    let layer = json!({"meeting_id": id, "layers": {"second": {}}});
    faults(&seeds.api, "/recordings/track", layer, &["layers.second"]).await;
    let unknown = json!({"meeting_id": uuid_text()});
    let answer = seeds.api.post("/recordings/track", unknown).await;
    assert_eq!(answer.refused(404), "Meeting not found");
    let start =
        json!({"meeting_id": id, "layers": {"default": {"media_kind": "audio", "outputs": [{"type": "x"}]}}});
    seeds
        .api
        .post("/recordings/track", start.clone())
        .await
        .refused(404);
    seeds.add_session(&seeds.live(id)).await;
    seeds.api.post("/recordings/track", start).await.refused(501);
}

async fn changes_fit_the_state(db: Database) {
    let server = Server::start(db).await;
    let seeds = Seeds::new(&server).await;
    let meeting = seeds.api.meeting().await;
    let id: MeetingId = meeting.id.parse().unwrap();
    let stored = Seeds::recording(id, 0);
    let paused = Recording {
        status: RecordingStatus::Paused,
        ..Seeds::recording(id, 1)
    };
    for recording in [&stored, &paused] {
        seeds.add_recording(recording, None).await;
    }
    let put = async |id: RecordingId, action: &str| {
        let body = json!({"action": action});
        seeds.api.put(&format!("/recordings/{id}"), body).await
    };
    put(stored.id, "rewind").await.refused(400);
    put(RecordingId::random(), "stop").await.refused(404);
    for action in ["stop", "pause", "resume"] {
        put(stored.id, action).await.refused(409);
    }
    put(paused.id, "pause").await.refused(409);
    put(paused.id, "resume").await.refused(404);
    seeds.add_session(&seeds.live(&meeting.id)).await;
    put(paused.id, "resume").await.refused(501);
    put(paused.id, "stop").await.refused(501);
}

async fn participants_record_where_their_preset_permits_it(db: Database) {
    let server = Server::start(db).await;
    let seeds = Seeds::new(&server).await;
    let meeting = seeds.api.meeting().await;
    let person = async |custom_id: &str, preset: &str| {
        let body = json!({"custom_participant_id": custom_id, "preset_name": preset});
        meeting.post("/participants", body).await.expect(201).ok()
    };
    let token = |person: &Value| person["token"].as_str().unwrap().to_owned();
    let host = person("host", "group_call_host").await;
    let as_host = seeds.api.with_token(token(&host));
    let as_guest = seeds
        .api
        .with_token(token(&person("guest", "group_call_participant").await));

    let own = json!({"meeting_id": meeting.id});
    seeds.api.post("/recordings", own.clone()).await.refused(404);
    as_host.post("/recordings", own.clone()).await.refused(404);
    as_host.post("/recordings/track", own.clone()).await.refused(404);
    as_host.post("/recordings", json!({})).await.refused(400);
    as_guest.post("/recordings", own.clone()).await.refused(403);
    as_guest.post("/recordings", json!({})).await.refused(403);

    seeds.add_session(&seeds.live(&meeting.id)).await;
    as_host.post("/recordings", own.clone()).await.refused(501);
    // Elsewhere the token is good for nothing.
    let other = seeds.api.meeting().await;
    for id in [other.id.clone(), uuid_text()] {
        as_host
            .post("/recordings", json!({"meeting_id": id}))
            .await
            .refused(403);
    }
    let other_app = seeds.api.app().await;
    other_app
        .with_token(token(&host))
        .post("/recordings", own.clone())
        .await
        .refused(403);
    as_host.get("/recordings").await.refused(403);
    as_host.get("/sessions").await.refused(403);

    let running = |meeting: &str| Recording {
        status: RecordingStatus::Recording,
        ..Seeds::recording(meeting.parse().unwrap(), 0)
    };
    let (ours, theirs) = (running(&meeting.id), running(&other.id));
    for recording in [&ours, &theirs] {
        seeds.add_recording(recording, None).await;
    }
    let stop = json!({"action": "stop"});
    as_host
        .put(&format!("/recordings/{}", ours.id), stop.clone())
        .await
        .refused(501);
    as_host
        .put(&format!("/recordings/{}", theirs.id), stop.clone())
        .await
        .refused(403);
    as_guest
        .put(&format!("/recordings/{}", ours.id), stop.clone())
        .await
        .refused(403);

    meeting
        .delete(&format!("/participants/{}", host["id"].as_str().unwrap()))
        .await
        .expect(200);
    as_host.post("/recordings", own).await.refused(401);
}

async fn the_past_outlives_meetings_and_apps(db: Database) {
    let server = Server::start(db).await;
    let seeds = Seeds::new(&server).await;
    let meeting = seeds.api.meeting().await;
    let recording = Seeds::recording(meeting.id.parse().unwrap(), 0);
    seeds.add_recording(&recording, None).await;
    meeting.delete("").await.expect(200);
    seeds
        .api
        .kit()
        .delete(&format!("/apps/{}", seeds.api.id))
        .await
        .expect(200);
    let list = seeds.api.get("/recordings").await.expect(200);
    assert_eq!(list.each("id"), [recording.id.to_string()]);
    assert!(list.body["data"][0].get("meeting").is_none());
    seeds
        .api
        .get(&format!("/recordings/{}", recording.id))
        .await
        .expect(200);
    let start = json!({"meeting_id": meeting.id});
    assert_eq!(
        seeds.api.post("/recordings", start).await.refused(404),
        "App not found"
    );
}
