//! What client SDKs ask with a participant's token: who may ask, and the shapes they insist on.

use std::time::Duration;

use http::Method;
use muster_model::{
    PresetId, Timestamp,
    livestream::{Livestream, LivestreamStatus},
    participant::Participant,
    recording::{Recording, RecordingStatus},
    token::Permission,
};
use muster_server::{
    api::route::{Access, Route},
    client_api::routes,
};
use muster_testkit::{Answer, Api, Database, Server, both};
use serde_json::{Value, json};

use crate::seeds::{Seeds, uuid_text};

both!(
    every_route_is_closed_to_strangers,
    a_participant_is_told_who_it_is,
    who_is_gone_is_not_told_anything,
    relays_are_a_list,
    recordings_are_asked_for_as_the_preset_permits,
    livestreams_are_asked_for_as_the_preset_permits,
    transcripts_are_found_where_they_are_made,
    pages_of_any_origin_may_ask,
    reports_are_taken_and_dropped,
);

fn text(value: &Value) -> &str {
    value.as_str().unwrap()
}

/// Adds a participant with a preset; answers its id and a caller with its token, at the root of the server.
pub async fn join(meeting: &Api, custom_id: &str, preset: &str) -> (String, Api) {
    let body = json!({"custom_participant_id": custom_id, "preset_name": preset, "name": "Ada"});
    let made = meeting.post("/participants", body).await.expect(201).ok();
    let client = meeting.at_root("").with_token(text(&made["token"]));
    (text(&made["id"]).to_owned(), client)
}

/// A body that the route takes, about a meeting.
fn body(route: &Route, meeting: &str) -> Option<Value> {
    match route.path {
        "/v2/meetings/chat-upload" => Some(json!({"roomUUID": meeting, "filename": "a.txt"})),
        "/v2/recordings" => Some(json!({"meeting_id": meeting})),
        "/v2/recordings/{recording_id}" => Some(json!({"action": "stop"})),
        _ => matches!(route.method, Method::POST | Method::PUT).then(|| json!({})),
    }
}

async fn ask(client: &Api, route: &Route, meeting: &str, recording: &str) -> Answer {
    let path = route
        .path
        .replace("{meeting_id}", meeting)
        .replace("{recording_id}", recording)
        .replace("{app_id}", &uuid_text())
        .replace("{file_id}", &uuid_text())
        .replace("{session_id}", &uuid_text());
    let call = client.call(route.method.clone(), &path);
    match body(route, meeting) {
        Some(body) => call.json(&body).send().await,
        None => call.send().await,
    }
}

/// A token of that participant that ended a second ago.
fn ended_token(server: &Server, meeting: &Api, app: &Api, participant: &str) -> String {
    let now = Timestamp::now();
    let person = Participant {
        id: participant.parse().unwrap(),
        meeting_id: meeting.id.parse().unwrap(),
        preset_id: PresetId::random(),
        preset_name: "group_call_host".into(),
        custom_participant_id: "ada".into(),
        name: None,
        picture: None,
        banned: false,
        created_at: now,
        updated_at: now,
    };
    let began = now.minus(Duration::from_secs(61));
    let tokens = &server.app().participant_tokens;
    let signed = tokens.sign(app.id.parse().unwrap(), &person, Duration::from_secs(60), began);
    signed.unwrap().token
}

async fn every_route_is_closed_to_strangers(db: Database) {
    let server = Server::start(db).await;
    let seeds = Seeds::new(&server).await;
    let app = &seeds.api;
    let (meeting, beside) = (app.meeting().await, app.meeting().await);
    let (id, member) = join(&meeting, "ada", "group_call_host").await;
    let (_, neighbour) = join(&beside, "bob", "group_call_host").await;
    let abroad = server.api().await.app().await.meeting().await;
    let (_, foreigner) = join(&abroad, "eve", "group_call_host").await;
    let recording = Seeds::recording(meeting.id.parse().unwrap(), 0);
    seeds.add_recording(&recording, None).await;
    let recording = recording.id.to_string();
    let (_, secret) = server.token(&app.account, Permission::RealtimeAdmin, None).await;
    let mut forged = member.token.clone().unwrap();
    let end = forged.split_off(forged.len() - 4);
    forged.push_str(if end == "AAAA" { "BBBB" } else { "AAAA" });
    let strangers = [
        ("no token", member.without_token()),
        ("no token at all", member.with_token("x")),
        ("a forged token", member.with_token(forged)),
        ("an API token", member.with_token(secret)),
        (
            "a token that ended",
            member.with_token(ended_token(&server, &meeting, app, &id)),
        ),
    ];
    for route in routes() {
        match route.access {
            Access::Public => continue,
            Access::SignedLink => {
                for client in [&member, &member.without_token()] {
                    ask(client, &route, &meeting.id, &recording).await.refused(403);
                }
                continue;
            }
            Access::Participant => {}
            other => panic!("{route:?}: {other:?} is not for clients"),
        }
        for (about, client) in &strangers {
            let answer = ask(client, &route, &meeting.id, &recording).await;
            assert_eq!(answer.status, 401, "{about} at {route:?}: {}", answer.text);
            answer.refused(401);
        }
        // Good tokens of other meetings, of the same app and of another account.
        for client in [&neighbour, &foreigner] {
            let answer = ask(client, &route, &meeting.id, &recording).await;
            match (route.path, body(&route, "").is_some()) {
                ("/v2/recordings/{recording_id}", _) => {
                    assert_eq!(answer.refused(404), "Recording not found");
                }
                (path, named) if named || path.contains("{meeting_id}") => {
                    answer.refused(403);
                }
                _ => assert!(
                    !answer.expect(200).text.contains(&meeting.id),
                    "{route:?} tells only of oneself"
                ),
            }
        }
        let own = ask(&member, &route, &meeting.id, &recording).await;
        assert!(
            !matches!(own.status, 401 | 403 | 500) || route.path.ends_with("active-transcript"),
            "{route:?}: {}",
            own.text
        );
    }
}

async fn a_participant_is_told_who_it_is(db: Database) {
    let server = Server::builder(db)
        .with(|settings| settings.base_domain = Some("rtk.test:8443".into()))
        .start()
        .await;
    let app = server.api().await.app().await;
    let meeting = app.meeting().await;
    let (id, client) = join(&meeting, "ada", "group_call_host").await;
    let details = client.get("/v2/internals/participant-details").await.expect(200);
    assert!(
        details
            .header("content-type")
            .unwrap()
            .contains("application/json")
    );
    let data = details.clone().ok();
    assert_eq!(data["meeting"], json!({"title": "a test"}));
    assert_eq!(data["socket"], json!({"base_uri": "rtk.test:8443"}));
    assert_eq!(
        data["participant"],
        json!({"id": id, "name": "Ada", "custom_participant_id": "ada", "organization_id": app.id}),
        "without a picture there is no member for it"
    );
    let preset = &data["preset"];
    assert_eq!(preset["name"], "group_call_host");
    assert_eq!(preset["version"], "2.0.0");
    assert_eq!(preset["config"]["view_type"], "GROUP_CALL");
    assert_eq!(
        preset["config"]["max_video_streams"],
        json!({"mobile": 6, "desktop": 6})
    );
    let permissions = preset["permissions"].as_object().unwrap();
    for name in [
        "accept_waiting_requests",
        "can_accept_production_requests",
        "can_edit_display_name",
        "can_record",
        "can_livestream",
        "can_spotlight",
        "disable_participant_audio",
        "disable_participant_video",
        "disable_participant_screensharing",
        "kick_participant",
        "pin_participant",
        "transcription_enabled",
        "can_change_participant_permissions",
        "hidden_participant",
        "show_participant_list",
        "is_recorder",
        "stage_enabled",
        "accept_stage_requests",
    ] {
        assert!(permissions[name].is_boolean(), "{name}");
    }
    assert_eq!(permissions["recorder_type"], "NONE");
    assert_eq!(permissions["waiting_room_type"], "SKIP");
    assert_eq!(permissions["plugins"]["config"], json!({}));
    assert_eq!(permissions["media"]["screenshare"]["can_produce"], "ALLOWED");
    assert_eq!(permissions["chat"]["private"]["files"], true);
    assert_eq!(permissions["polls"]["can_vote"], true);
    assert!(permissions["connected_meetings"]["can_switch_to_parent_meeting"].is_boolean());
    let colours = &preset["ui"]["design_tokens"]["colors"];
    for colour in [
        &colours["brand"]["500"],
        &colours["background"]["1000"],
        &colours["text"],
        &colours["video_bg"],
        &colours["text_on_brand"],
    ] {
        assert!(colour.is_string(), "{colours}");
    }
    assert!(!details.text.contains("null"), "{}", details.text);

    let path = format!("/participants/{id}");
    let picture = "https://pics.example.com/a.png";
    meeting
        .patch(&path, json!({"picture": picture}))
        .await
        .expect(200);
    meeting.patch("", json!({"status": "INACTIVE"})).await.expect(200);
    client.get("/v2/internals/participant-details").await.refused(404);
    meeting.patch("", json!({"status": "ACTIVE"})).await.expect(200);
    let data = client.get("/v2/internals/participant-details").await.ok();
    assert_eq!(data["participant"]["picture"], picture);
    // The preset that counts is the one of now.
    let guest = json!({"preset_name": "group_call_guest"});
    meeting.patch(&path, guest).await.expect(200);
    let data = client.get("/v2/internals/participant-details").await.ok();
    assert_eq!(data["preset"]["name"], "group_call_guest");
    assert_eq!(
        data["preset"]["permissions"]["waiting_room_type"],
        "SKIP_ON_ACCEPT"
    );
}

async fn who_is_gone_is_not_told_anything(db: Database) {
    let server = Server::start(db).await;
    let api = server.api().await;
    let app = api.app().await;
    let meeting = app.meeting().await;
    let (id, deleted) = join(&meeting, "ada", "group_call_host").await;
    let (banned_id, banned) = join(&meeting, "bob", "group_call_host").await;
    let (_, orphan) = join(&app.meeting().await, "cleo", "group_call_host").await;
    let path = "/v2/internals/participant-details";
    meeting.delete(&format!("/participants/{id}")).await.expect(200);
    deleted.get(path).await.refused(401);
    let sql = format!("UPDATE participants SET banned_at = 1 WHERE id = '{banned_id}'");
    assert_eq!(server.database().execute(sql).await, 1);
    banned.get(path).await.refused(403);
    orphan.get(path).await.expect(200);
    api.kit().delete(&format!("/apps/{}", app.id)).await.expect(200);
    orphan.get(path).await.refused(401);
}

async fn relays_are_a_list(db: Database) {
    let server = Server::start(db).await;
    let meeting = server.api().await.app().await.meeting().await;
    let (_, client) = join(&meeting, "ada", "group_call_guest").await;
    let answer = client.get("/iceservers").await.expect(200);
    assert_eq!(answer.body, json!({"success": true, "iceServers": []}));
    server.stop().await;

    let relay = "turn:relay.example.org:3478?transport=udp";
    let server = Server::builder(db)
        .with(|settings| {
            settings.turn_urls = Some(vec![relay.to_owned()]);
            settings.turn_secret = Some("a secret".to_owned());
        })
        .start()
        .await;
    let meeting = server.api().await.app().await.meeting().await;
    let (ada, client) = join(&meeting, "ada", "group_call_guest").await;
    let answer = client.get("/iceservers").await.expect(200);
    let told = &answer.body["iceServers"][0];
    assert_eq!(told["urls"], json!([relay]));
    let (until, whose) = text(&told["username"]).split_once(':').unwrap();
    assert!(until.parse::<i64>().unwrap() > server.app().now().as_secs() + 3600);
    assert_eq!(whose, ada);
    assert!(!text(&told["credential"]).is_empty());
}

async fn recordings_are_asked_for_as_the_preset_permits(db: Database) {
    let server = Server::start(db).await;
    let seeds = Seeds::new(&server).await;
    let meeting = seeds.api.meeting().await;
    let (_, host) = join(&meeting, "ada", "group_call_host").await;
    let (_, guest) = join(&meeting, "bob", "group_call_participant").await;
    let wanted = json!({"meeting_id": meeting.id, "allow_multiple_recordings": false, "max_seconds": 60});
    guest.post("/v2/recordings", wanted.clone()).await.refused(403);
    host.post(
        "/v2/recordings",
        json!({"meeting_id": meeting.id, "max_seconds": 1}),
    )
    .await
    .refused(400);
    let nobody = format!("No active session found for meeting_id {}", meeting.id);
    assert_eq!(
        host.post("/v2/recordings", wanted.clone()).await.refused(404),
        nobody
    );
    seeds.add_session(&seeds.live(&meeting.id)).await;
    host.post("/v2/recordings", wanted.clone()).await.refused(501);

    let active = format!("/v2/recordings/active-recording/{}", meeting.id);
    guest.get(&active).await.refused(404);
    let recording = Recording {
        status: RecordingStatus::Recording,
        ..Seeds::recording(meeting.id.parse().unwrap(), 0)
    };
    seeds.add_recording(&recording, None).await;
    let told = json!({"id": recording.id, "status": "RECORDING"});
    assert_eq!(
        guest.get(&active).await.ok(),
        told,
        "and nothing of where it goes"
    );
    host.post("/v2/recordings", wanted).await.refused(409);
    let one = format!("/v2/recordings/{}", recording.id);
    guest.put(&one, json!({"action": "stop"})).await.refused(403);
    host.put(&one, json!({"action": "resume"})).await.refused(409);
    host.put(&one, json!({"action": "restart"})).await.refused(400);
    host.put(&one, json!({"action": "stop"})).await.refused(501);
    let none = format!("/v2/recordings/{}", uuid_text());
    host.put(&none, json!({"action": "stop"})).await.refused(404);
}

async fn livestreams_are_asked_for_as_the_preset_permits(db: Database) {
    let server = Server::start(db).await;
    let seeds = Seeds::new(&server).await;
    let meeting = seeds.api.meeting().await;
    let (_, host) = join(&meeting, "ada", "group_call_host").await;
    let (_, guest) = join(&meeting, "bob", "group_call_participant").await;
    let at = |path: &str| format!("/v2/meetings/{}/{path}", meeting.id);
    let manual = json!({"manual_ingest": false});
    guest.post(&at("livestreams"), manual.clone()).await.refused(403);
    host.post(&at("livestreams"), json!({"manual_ingest": "no"}))
        .await
        .refused(400);
    host.post(&at("livestreams"), manual.clone()).await.refused(404);
    seeds.add_session(&seeds.live(&meeting.id)).await;
    host.post(&at("livestreams"), manual.clone()).await.refused(501);
    host.get(&at("active-livestream")).await.refused(404);
    host.post_empty(&at("active-livestream/stop")).await.refused(404);

    let livestream = Livestream {
        status: LivestreamStatus::Live,
        ..seeds.livestream(Some(meeting.id.parse().unwrap()), 0)
    };
    seeds.add_livestream(&livestream).await;
    let mut seen = json!({
        "status": "LIVE", "playback_url": livestream.playback_url, "manual_ingest": false,
    });
    assert_eq!(
        guest.get(&at("active-livestream")).await.ok(),
        seen,
        "no key for guests"
    );
    seen["ingest_server"] = json!(livestream.ingest_server);
    seen["stream_key"] = json!("key");
    assert_eq!(host.get(&at("active-livestream")).await.ok(), seen);
    host.post(&at("livestreams"), manual).await.refused(400);
    guest.post_empty(&at("active-livestream/stop")).await.refused(403);
    host.post_empty(&at("active-livestream/stop")).await.refused(501);
}

async fn transcripts_are_found_where_they_are_made(db: Database) {
    let server = Server::start(db).await;
    let app = server.api().await.app().await;
    let meeting = app.meeting().await;
    let preset = json!({
        "name": "scribe", "config": {}, "permissions": {"transcription_enabled": true}, "ui": {},
    });
    app.post("/presets", preset).await.expect(201);
    let (_, scribe) = join(&meeting, "ada", "scribe").await;
    let (_, other) = join(&meeting, "bob", "group_call_host").await;
    let path = format!("/v2/meetings/{}/active-transcript", meeting.id);
    let none = format!("No active transcript found for meeting_id {}", meeting.id);
    assert_eq!(scribe.get(&path).await.refused(404), none);
    other.get(&path).await.refused(403);
}

async fn pages_of_any_origin_may_ask(db: Database) {
    let server = Server::start(db).await;
    let app = server.api().await.app().await;
    let (_, client) = join(&app.meeting().await, "ada", "group_call_host").await;
    let preflight = async |path: &str| {
        client
            .without_token()
            .call(Method::OPTIONS, path)
            .header("origin", "https://app.example.com")
            .header("access-control-request-method", "PUT")
            .header("access-control-request-headers", "authorization,tracing-id")
            .send()
            .await
    };
    for path in [
        "/v2/internals/participant-details",
        "/iceservers",
        "/v2/recordings",
        "/v2/no/such/path",
        "/files/uploads/a/b",
        "/otel/logs",
        "/api/v1/message",
        "/location",
    ] {
        let answer = preflight(path).await.expect(200);
        assert_eq!(answer.header("access-control-allow-origin"), Some("*"), "{path}");
        assert_eq!(answer.header("access-control-allow-credentials"), None);
        let list = |name: &str| answer.header(name).unwrap().to_ascii_lowercase();
        let headers = list("access-control-allow-headers");
        for name in [
            "authorization",
            "tracing-id",
            "x-realtimekit-version",
            "traceparent",
            "content-type",
            "content-encoding",
        ] {
            assert!(
                headers.split(',').any(|given| given.trim() == name),
                "{name}: {headers}"
            );
        }
        let methods = list("access-control-allow-methods");
        for method in ["get", "post", "put", "options", "head"] {
            assert!(
                methods.split(',').any(|given| given.trim() == method),
                "{methods}"
            );
        }
        let age: u64 = answer.header("access-control-max-age").unwrap().parse().unwrap();
        assert!(age >= 600, "each call would be asked twice");
    }
    // Failures can be read too, even of what there is not.
    let origin = |client: &Api, method, path: &str| {
        client
            .call(method, path)
            .header("origin", "https://app.example.com")
            .send()
    };
    let stranger = client.without_token();
    for (method, path, status) in [
        (Method::GET, "/iceservers", 401),
        (Method::GET, "/v2/no/such/path", 404),
        (Method::DELETE, "/v2/recordings", 405),
        (Method::GET, "/files/uploads/a/b", 404),
    ] {
        let answer = origin(&stranger, method, path).await.expect(status);
        assert_eq!(answer.header("access-control-allow-origin"), Some("*"), "{path}");
    }
    let answer = origin(&client, Method::GET, "/iceservers").await.expect(200);
    assert_eq!(answer.header("access-control-allow-origin"), Some("*"));
    // The management API is for servers: pages get no permission there.
    let management = preflight(&format!("{}/meetings", app.root)).await;
    assert_eq!(management.header("access-control-allow-origin"), None);
    let answer = origin(&app, Method::GET, "/meetings").await.expect(200);
    assert_eq!(answer.header("access-control-allow-origin"), None);
}

async fn reports_are_taken_and_dropped(db: Database) {
    let server = Server::start(db).await;
    let client = Api::new(server.origin(), "a", "b").at_root("").without_token();
    let send = async |path: &str, host: &str, body: Vec<u8>| {
        client
            .call(Method::POST, path)
            .header("host", host)
            .header("content-type", "application/gzip")
            .header("content-encoding", "gzip")
            .bytes(body)
            .send()
            .await
    };
    let small = || b"not even gzip".to_vec();
    send("/otel/logs", "localhost", small()).await.expect(204);
    send("/api/v1/message", "localhost", small()).await.expect(204);
    send("/", "api-silos.rtk.test", small()).await.expect(204);
    send("/?x=1", "DA-collector.rtk.test:8443", small())
        .await
        .expect(204);
    let answer = send("/otel/logs", "localhost", vec![b' '; (1 << 20) + 1]).await;
    answer.refused(413);
    let legacy = send("/?token=a&peerId=b", "location-legacy.rtk.test", small()).await;
    let here = json!({"ip": "127.0.0.1", "loc": ""});
    assert_eq!(legacy.expect(200).body, here);
    let located = client.call(Method::GET, "/").header("host", "location.rtk.test");
    assert_eq!(located.send().await.expect(200).body, here);
    assert_eq!(client.get("/location").await.expect(200).body, here);
    let preflight = client
        .call(Method::OPTIONS, "/")
        .header("host", "api-silos.rtk.test");
    let answer = preflight.send().await.expect(200);
    assert_eq!(answer.header("access-control-allow-origin"), Some("*"));
    // Another host's root is the web page, and not a place for reports.
    send("/", "api.rtk.test", small()).await.expect(405);
    let metrics = server.app().metrics.render();
    for (kind, count) in [("logs", 2), ("call_stats", 2), ("location", 3)] {
        let line = format!("muster_client_reports_total{{kind=\"{kind}\"}} {count}");
        assert!(metrics.contains(&line), "{line} in {metrics}");
    }
}
