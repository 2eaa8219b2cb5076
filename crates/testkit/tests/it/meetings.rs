//! Meetings: every operation, its failures, and storage secrets that go in and never come out.

use muster_testkit::{Api, Database, Server, both, eventually};
use serde_json::{Value, json};
use std::time::Duration;

both!(
    a_new_meeting_has_the_defaults,
    every_setting_is_stored_and_answered,
    wrong_settings_are_told_field_by_field,
    lists_are_paged_and_newest_first,
    lists_can_be_filtered,
    patch_merges,
    put_returns_what_is_absent_to_its_default,
    status_is_changed_by_patch_alone,
    storage_secrets_never_come_out,
    what_is_not_there_is_not_found,
    a_deleted_meeting_is_gone_with_its_participants,
);

async fn an_app(server: &Server) -> Api {
    server.api().await.app().await
}

fn everything() -> Value {
    json!({
        "title": "Weekly \u{1f600}",
        "record_on_start": true,
        "live_stream_on_start": true,
        "persist_chat": true,
        "session_keep_alive_time_in_secs": 300,
        "transcribe_on_end": true,
        "summarize_on_end": true,
        "recording_config": {
            "max_seconds": 3600,
            "file_name_prefix": "weekly_1",
            "video_config": {
                "codec": "H264", "width": 1280, "height": 720, "export_file": true,
                "watermark": {
                    "url": "https://example.test/logo.png", "position": "right bottom",
                    "size": {"width": 100, "height": 50},
                },
            },
            "audio_config": {"codec": "MP3", "channel": "mono", "export_file": false},
            "storage_config": {"type": "aws", "bucket": "b", "region": "eu-central-1", "path": "p/q"},
            "realtimekit_bucket_config": {"enabled": true},
            "live_streaming_config": {"rtmp_url": "rtmp://example.test/live/key"},
        },
        "ai_config": {
            "transcription": {"keywords": ["Muster"], "language": "pt-BR", "profanity_filter": true},
            "summarization": {"word_limit": 200, "text_format": "plain_text", "summary_type": "daily_standup"},
        },
    })
}

async fn a_new_meeting_has_the_defaults(db: Database) {
    let server = Server::start(db).await;
    let app = an_app(&server).await;
    for body in [
        json!({}),
        json!({"title": null, "record_on_start": null, "session_keep_alive_time_in_secs": null, "ai_config": null}),
        json!({"unknown": {"a": 1}, "preferred_region": "eu-central-1", "waiting_room": true, "status": "INACTIVE"}),
    ] {
        let made = app.post("/meetings", body.clone()).await.expect(201).ok();
        assert_eq!(
            made,
            json!({
                "id": made["id"], "status": "ACTIVE", "record_on_start": false, "live_stream_on_start": false,
                "persist_chat": false, "session_keep_alive_time_in_secs": 60, "transcribe_on_end": false,
                "summarize_on_end": false, "created_at": made["created_at"], "updated_at": made["created_at"],
            }),
            "{body}"
        );
        let path = format!("/meetings/{}", made["id"].as_str().unwrap());
        assert_eq!(app.get(&path).await.expect(200).ok(), made);
        assert_eq!(app.get(&format!("{path}?name=x")).await.expect(200).ok(), made);
    }
}

async fn every_setting_is_stored_and_answered(db: Database) {
    let server = Server::start(db).await;
    let app = an_app(&server).await;
    let made = app.post("/meetings", everything()).await.expect(201).ok();
    for (name, value) in everything().as_object().unwrap() {
        assert_eq!(&made[name], value, "{name}");
    }
    let path = format!("/meetings/{}", made["id"].as_str().unwrap());
    assert_eq!(app.get(&path).await.expect(200).ok(), made);
    // Rows of the list leave out ai_config alone.
    let mut row = made.clone();
    row.as_object_mut().unwrap().remove("ai_config");
    assert_eq!(app.get("/meetings").await.expect(200).body["data"], json!([row]));
    // Whole numbers may be written as floats.
    let body = json!({"session_keep_alive_time_in_secs": 120.0, "recording_config": {"max_seconds": 60.0}});
    let made = app.post("/meetings", body).await.expect(201).ok();
    assert_eq!(made["session_keep_alive_time_in_secs"], 120);
    assert_eq!(made["recording_config"], json!({"max_seconds": 60}));
}

async fn wrong_settings_are_told_field_by_field(db: Database) {
    let server = Server::start(db).await;
    let app = an_app(&server).await;
    let meeting = app.meeting().await;
    let before = meeting.get("").await.ok();
    let wrong = [
        (
            json!({"title": 5, "persist_chat": "yes", "session_keep_alive_time_in_secs": 59}),
            vec!["persist_chat", "session_keep_alive_time_in_secs", "title"],
        ),
        (
            json!({"session_keep_alive_time_in_secs": 601}),
            vec!["session_keep_alive_time_in_secs"],
        ),
        (
            json!({"session_keep_alive_time_in_secs": 60.5}),
            vec!["session_keep_alive_time_in_secs"],
        ),
        (json!({"title": "x".repeat(1025)}), vec!["title"]),
        (
            json!({"recording_config": {"max_seconds": 59}}),
            vec!["recording_config.max_seconds"],
        ),
        (
            json!({"recording_config": {"max_seconds": 86401, "file_name_prefix": "a-b"}}),
            vec![
                "recording_config.file_name_prefix",
                "recording_config.max_seconds",
            ],
        ),
        (
            json!({"recording_config": {"video_config": {"codec": "AV1"}}}),
            vec!["recording_config.video_config.codec"],
        ),
        (
            json!({"recording_config": {"realtimekit_bucket_config": {}}}),
            vec!["recording_config.realtimekit_bucket_config.enabled"],
        ),
        (
            json!({"recording_config": {"realtimekit_bucket_config": {"enabled": false}}}),
            vec!["recording_config.storage_config"],
        ),
        (
            json!({"recording_config": {"storage_config": {"bucket": "b"}}}),
            vec!["recording_config.storage_config.type"],
        ),
        (
            json!({"recording_config": {"storage_config": {"type": "ftp"}}}),
            vec!["recording_config.storage_config.type"],
        ),
        (
            json!({"recording_config": {"storage_config": {"type": "sftp", "port": 70000, "auth_method": "NONE"}}}),
            vec![
                "recording_config.storage_config.auth_method",
                "recording_config.storage_config.port",
            ],
        ),
        (
            json!({"recording_config": {"video_config": {"codec": "VP8"}, "audio_config": {}}}),
            vec!["recording_config.audio_config"],
        ),
        (
            json!({"ai_config": {"transcription": {"language": "xx", "keywords": ["a", 1]}}}),
            vec![
                "ai_config.transcription.keywords.1",
                "ai_config.transcription.language",
            ],
        ),
        (
            json!({"ai_config": {"summarization": {"word_limit": 149, "text_format": "html", "summary_type": "x"}}}),
            vec![
                "ai_config.summarization.summary_type",
                "ai_config.summarization.text_format",
                "ai_config.summarization.word_limit",
            ],
        ),
        (json!({"ai_config": []}), vec!["ai_config"]),
    ];
    for (body, fields) in wrong {
        for answer in [
            app.post("/meetings", body.clone()).await,
            meeting.put("", body.clone()).await,
            meeting.patch("", body.clone()).await,
        ] {
            assert!(answer.refused(400).starts_with("BAD_REQUEST: "), "{body}");
            assert_eq!(answer.fields(), fields, "{body}: {}", answer.text);
        }
    }
    meeting.patch("", json!({"status": "CLOSED"})).await.refused(400);
    assert_eq!(meeting.get("").await.ok(), before, "nothing of it was stored");
    assert_eq!(app.get("/meetings").await.paging().0, 1);
}

async fn lists_are_paged_and_newest_first(db: Database) {
    let server = Server::start(db).await;
    let app = an_app(&server).await;
    assert_eq!(app.get("/meetings").await.expect(200).paging(), (0, 0, 0));
    let mut made = Vec::new();
    for _ in 0..27 {
        made.insert(0, app.meeting().await.id);
    }
    for (query, expected, paging) in [
        ("", &made[..25], (27, 1, 25)),
        ("?page_no=2", &made[25..], (27, 26, 27)),
        ("?page_no=0&per_page=0", &made[..25], (27, 1, 25)),
        ("?page_no=3.0&per_page=5.0", &made[10..15], (27, 11, 15)),
        ("?page_no=9&per_page=5", &made[..0], (27, 41, 27)),
        ("?per_page=100000", &made[..], (27, 1, 27)),
    ] {
        let page = app.get(&format!("/meetings{query}")).await.expect(200);
        assert_eq!(page.each("id"), expected, "{query}");
        assert_eq!(page.paging(), paging, "{query}");
    }
    for wrong in [
        "page_no=-1",
        "per_page=x",
        "status=OPEN",
        "start_time=yesterday",
        "end_time=2026-13-01",
    ] {
        let refused = app.get(&format!("/meetings?{wrong}")).await;
        refused.refused(400);
        assert_eq!(refused.fields(), [wrong.split('=').next().unwrap()]);
    }
}

async fn lists_can_be_filtered(db: Database) {
    let server = Server::start(db).await;
    let app = an_app(&server).await;
    let mut made = Vec::new();
    for title in ["Alpha", "alphabet", "50%_off", "Ümlaut"] {
        made.push(app.post("/meetings", json!({"title": title})).await.ok());
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    let id = |n: usize| made[n]["id"].as_str().unwrap().to_owned();
    app.patch(&format!("/meetings/{}", id(1)), json!({"status": "INACTIVE"}))
        .await
        .expect(200);
    let found = async |query: &str| {
        let page = app.get(&format!("/meetings?{query}")).await.expect(200);
        assert_eq!(
            page.paging().0,
            i64::try_from(page.each("id").len()).unwrap(),
            "{query}"
        );
        page.each("id")
    };
    assert_eq!(found("search=ALPHA").await, [id(1), id(0)]);
    assert_eq!(found("search=%25").await, [id(2)]);
    assert_eq!(found("search=_").await, [id(2)]);
    assert_eq!(found("search=%C3%BCml").await, [id(3)]);
    assert_eq!(found(&format!("search={}", id(2))).await, [id(2)]);
    assert_eq!(
        found(&format!("search={}", &id(2)[..8])).await,
        [""; 0],
        "an id is found whole alone"
    );
    assert_eq!(found("status=INACTIVE").await, [id(1)]);
    assert_eq!(found("status=ACTIVE&search=alpha").await, [id(0)]);
    // Answers show milliseconds, and both ends are included.
    let at = |n: usize| made[n]["created_at"].as_str().unwrap();
    assert_eq!(
        found(&format!("start_time={}", at(1))).await,
        [id(3), id(2), id(1)]
    );
    assert_eq!(found(&format!("end_time={}", at(1))).await, [id(1), id(0)]);
    assert_eq!(
        found(&format!("start_time={0}&end_time={0}", at(2))).await,
        [id(2)]
    );
    let offset = at(2).replace('Z', "%2B00:00");
    assert_eq!(
        found(&format!("start_time={offset}&end_time={offset}")).await,
        [id(2)]
    );
    let naive = at(2).replace('Z', "");
    assert_eq!(
        found(&format!("start_time={naive}&end_time={naive}")).await,
        [id(2)]
    );
    assert_eq!(found("start_time=&end_time=&search=&status=").await.len(), 4);
}

async fn patch_merges(db: Database) {
    let server = Server::start(db).await;
    let app = an_app(&server).await;
    let made = app.post("/meetings", everything()).await.ok();
    let path = format!("/meetings/{}", made["id"].as_str().unwrap());
    let patch = async |body: Value| app.patch(&path, body).await.expect(200).ok();

    let same = patch(json!({})).await;
    for (name, value) in everything().as_object().unwrap() {
        assert_eq!(&same[name], value, "{name}");
    }
    let deep = patch(json!({
        "recording_config": {"video_config": {"watermark": {"size": {"width": 7}}}},
        "ai_config": {"transcription": {"language": null}},
    }))
    .await;
    let mut expected = everything();
    expected["recording_config"]["video_config"]["watermark"]["size"]["width"] = json!(7);
    expected["ai_config"]["transcription"]
        .as_object_mut()
        .unwrap()
        .remove("language");
    assert_eq!(deep["recording_config"], expected["recording_config"]);
    assert_eq!(deep["ai_config"], expected["ai_config"]);

    let reset = patch(json!({
        "title": null, "session_keep_alive_time_in_secs": null, "record_on_start": null, "ai_config": null,
        "recording_config": {"storage_config": null, "audio_config": null},
    }))
    .await;
    assert!(reset.get("title").is_none() && reset.get("ai_config").is_none());
    assert_eq!(
        (
            &reset["session_keep_alive_time_in_secs"],
            &reset["record_on_start"]
        ),
        (&json!(60), &json!(false))
    );
    let kept = reset["recording_config"].as_object().unwrap();
    assert!(
        !kept.contains_key("storage_config")
            && !kept.contains_key("audio_config")
            && kept.contains_key("video_config")
    );
    assert_eq!(app.get(&path).await.ok(), reset);
    assert!(reset["updated_at"].as_str() > made["updated_at"].as_str());
    assert_eq!(reset["created_at"], made["created_at"]);
    // Ids and times are not the caller's to set.
    let stubborn = patch(json!({"id": "x", "created_at": "2020-01-01T00:00:00.000Z", "updated_at": 5})).await;
    assert_eq!(
        (&stubborn["id"], &stubborn["created_at"]),
        (&made["id"], &made["created_at"])
    );
    for wrong in [json!([]), json!("x"), json!(null), json!(5)] {
        app.patch(&path, wrong).await.refused(400);
    }
}

async fn put_returns_what_is_absent_to_its_default(db: Database) {
    let server = Server::start(db).await;
    let app = an_app(&server).await;
    let made = app.post("/meetings", everything()).await.ok();
    let path = format!("/meetings/{}", made["id"].as_str().unwrap());
    let put = app.put(&path, json!({"title": "New"})).await.expect(200).ok();
    assert_eq!(
        put,
        json!({
            "id": made["id"], "title": "New", "status": "ACTIVE", "record_on_start": false, "live_stream_on_start": false,
            "persist_chat": false, "session_keep_alive_time_in_secs": 60, "transcribe_on_end": false,
            "summarize_on_end": false, "created_at": made["created_at"], "updated_at": put["updated_at"],
        })
    );
    assert_eq!(app.get(&path).await.ok(), put);
    let again = app.put(&path, everything()).await.expect(200).ok();
    assert_eq!(again["recording_config"], everything()["recording_config"]);
    assert!(
        app.put(&path, json!({}))
            .await
            .expect(200)
            .ok()
            .get("title")
            .is_none()
    );
}

async fn status_is_changed_by_patch_alone(db: Database) {
    let server = Server::start(db).await;
    let meeting = an_app(&server).await.meeting().await;
    let status = async || meeting.get("").await.ok()["status"].clone();
    assert_eq!(
        meeting
            .patch("", json!({"status": "INACTIVE"}))
            .await
            .expect(200)
            .ok()["status"],
        "INACTIVE"
    );
    meeting
        .put("", json!({"title": "t", "status": "ACTIVE"}))
        .await
        .expect(200);
    assert_eq!(status().await, "INACTIVE");
    meeting.patch("", json!({"title": "u"})).await.expect(200);
    assert_eq!(status().await, "INACTIVE");
    meeting.patch("", json!({"status": null})).await.expect(200);
    assert_eq!(status().await, "INACTIVE", "there is no status to return to");
    meeting.patch("", json!({"status": "ACTIVE"})).await.expect(200);
    assert_eq!(status().await, "ACTIVE");
}

async fn storage_secrets_never_come_out(db: Database) {
    const SECRETS: [&str; 5] = [
        "AKIA-one-77",
        "s3cr3t-two-77",
        "pa55-three-77",
        "BEGIN-KEY-four-77",
        "s3cr3t-five-77",
    ];
    let mut server = Server::start(db).await;
    let app = an_app(&server).await;
    let silent = |text: &str| {
        for secret in SECRETS {
            assert!(!text.contains(secret), "{text}");
        }
        for name in ["access_key", "\"secret\"", "password", "private_key"] {
            assert!(!text.contains(name), "{text}");
        }
    };
    let body = json!({"recording_config": {"storage_config": {
        "type": "sftp", "host": "h", "port": 22, "username": "u", "auth_method": "KEY",
        "access_key": SECRETS[0], "secret": SECRETS[1], "password": SECRETS[2], "private_key": SECRETS[3],
    }}});
    let made = app
        .call(http::Method::POST, "/meetings")
        .key("k")
        .json(&body)
        .send()
        .await
        .expect(201);
    silent(&made.text);
    let path = format!("/meetings/{}", made.body["data"]["id"].as_str().unwrap());
    let sealed = async || {
        server
            .database()
            .number("SELECT COUNT(*) FROM meetings WHERE storage_secrets IS NOT NULL")
            .await
    };
    assert_eq!(sealed().await, 1);
    for answer in [
        app.call(http::Method::POST, "/meetings")
            .key("k")
            .json(&body)
            .send()
            .await,
        app.get(&path).await,
        app.get("/meetings").await,
        app.patch(&path, json!({"title": "t"})).await,
        app.patch(
            &path,
            json!({"recording_config": {"storage_config": {"secret": SECRETS[4]}}}),
        )
        .await,
    ] {
        assert!(matches!(answer.status, 200 | 201), "{}", answer.text);
        silent(&answer.text);
    }
    assert_eq!(sealed().await, 1, "a change of other fields keeps them");
    // A refusal does not repeat them either.
    let mut wrong = body.clone();
    wrong["recording_config"]["storage_config"]["secret"] = json!([SECRETS[1]]);
    wrong["recording_config"]["storage_config"]["type"] = json!(SECRETS[0]);
    let refused = app.put(&path, wrong).await;
    refused.refused(400);
    for secret in SECRETS {
        assert!(!refused.text.contains(secret), "{}", refused.text);
    }
    let tables = ["meetings", "idempotency_keys", "jobs", "facts", "keys"];
    for table in tables {
        if db == Database::Postgres {
            for secret in SECRETS {
                // Text shows as it is, bytes as hex.
                let hex = muster_server::auth::api_token::hex(secret.as_bytes());
                let sql = format!(
                    "SELECT COUNT(*) FROM {table} t WHERE t::text LIKE '%{secret}%' OR t::text LIKE '%{hex}%'"
                );
                assert_eq!(server.database().number(sql).await, 0, "{table}");
            }
        }
    }
    server.restart(|_| ()).await;
    if db == Database::Sqlite {
        for bytes in server.files() {
            for secret in SECRETS {
                assert!(
                    !bytes.windows(secret.len()).any(|w| w == secret.as_bytes()),
                    "{secret}"
                );
            }
        }
    }
    let app = app.on(server.origin());
    app.patch(&path, json!({"recording_config": {"storage_config": null}}))
        .await
        .expect(200);
    let sealed = "SELECT COUNT(*) FROM meetings WHERE storage_secrets IS NOT NULL";
    assert_eq!(
        server.database().number(sealed).await,
        0,
        "no storage, no secrets"
    );
}

async fn what_is_not_there_is_not_found(db: Database) {
    let server = Server::start(db).await;
    let api = server.api().await;
    let app = api.app().await;
    let there = app.meeting().await;
    for id in [uuid::Uuid::new_v4().to_string().as_str(), "nonsense", "%00"] {
        let path = format!("/meetings/{id}");
        assert_eq!(app.get(&path).await.refused(404), "Meeting not found");
        assert_eq!(
            app.patch(&path, json!({})).await.refused(404),
            "Meeting not found"
        );
        assert_eq!(app.put(&path, json!({})).await.refused(404), "Meeting not found");
        assert_eq!(app.delete(&path).await.refused(404), "Meeting not found");
        assert_eq!(
            api.at_app(id).get("/meetings").await.refused(404),
            "App not found"
        );
        assert_eq!(
            api.at_app(id).post("/meetings", json!({})).await.refused(404),
            "App not found"
        );
    }
    let sibling = api.app().await.at_meeting(&there.id);
    sibling.get("").await.refused(404);
    sibling.patch("", json!({"title": "mine"})).await.refused(404);
    sibling.put("", json!({"title": "mine"})).await.refused(404);
    sibling.delete("").await.refused(404);
    assert_eq!(there.get("").await.ok()["title"], "a test");
}

async fn a_deleted_meeting_is_gone_with_its_participants(db: Database) {
    let server = Server::start(db).await;
    let app = an_app(&server).await;
    let (gone, stays) = (app.meeting().await, app.meeting().await);
    for i in 0..3 {
        gone.participant(&format!("p{i}")).await;
        stays.participant(&format!("p{i}")).await;
    }
    gone.delete("?disconnect=perhaps").await.refused(400);
    let deleted = gone.delete("?disconnect=true").await.expect(200).ok();
    assert_eq!(deleted["id"], json!(gone.id));
    assert_eq!(gone.get("").await.refused(404), "Meeting not found");
    assert_eq!(gone.get("/participants").await.refused(404), "Meeting not found");
    gone.delete("").await.refused(404);
    let list = app.get("/meetings").await;
    assert_eq!((list.paging().0, list.each("id")), (1, vec![stays.id.clone()]));
    eventually(
        "its participants are purged",
        Duration::from_secs(10),
        async || {
            let sql = format!(
                "SELECT COUNT(*) FROM participants WHERE meeting_id = '{}'",
                gone.id
            );
            server.database().number(sql).await == 0
                && server.database().number("SELECT COUNT(*) FROM jobs").await == 0
        },
    )
    .await;
    assert_eq!(stays.get("/participants").await.paging().0, 3);
}
