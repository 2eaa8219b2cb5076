//! The participants of a meeting: the list this project began with, and everything that changes it.

use std::collections::BTreeSet;

use base64::{Engine, prelude::BASE64_URL_SAFE_NO_PAD};
use futures::future::join_all;
use muster_model::participant::DuplicatePolicy;
use muster_testkit::{Api, Database, Muster, Server, TestDatabase, both};
use serde_json::{Value, json};

async fn a_meeting(server: &Server) -> Api {
    server.api().await.app().await.meeting().await
}

fn add(custom_id: &str, preset: &str) -> Value {
    json!({"custom_participant_id": custom_id, "preset_name": preset})
}

/// Puts many participants into a meeting by SQL, several to a moment; answers their ids, newest first.
async fn crowd(database: &TestDatabase, app: &str, meeting: &str, count: usize) -> Vec<String> {
    let mut rows: Vec<(usize, String)> = (0..count)
        .map(|i| (1_000_000 + i / 7, uuid::Uuid::new_v4().to_string()))
        .collect();
    let values: Vec<String> = rows
        .iter()
        .enumerate()
        .map(|(i, (at, id))| {
            format!(
                "('{id}', '{app}', '{meeting}', (SELECT id FROM presets WHERE app_id = '{app}' AND name = \
                 'group_call_guest'), 'c{i}', 0, 'Person {i}', NULL, 'c{i}\nperson {i}', {at}, {at})"
            )
        })
        .collect();
    for piece in values.chunks(250) {
        let sql = format!(
            "INSERT INTO participants (id, app_id, meeting_id, preset_id, custom_participant_id, duplicate_no, \
             name, picture, search_text, created_at, updated_at) VALUES {}",
            piece.join(", ")
        );
        database.execute(sql).await;
    }
    rows.sort_by(|a, b| b.cmp(a));
    rows.into_iter().map(|(_, id)| id).collect()
}

fn app_id(meeting: &Api) -> String {
    let parts: Vec<&str> = meeting.root.split('/').collect();
    parts[parts.len() - 3].to_owned()
}

fn claims(token: &str) -> (Value, Value) {
    let part = |n: usize| {
        let text = token.split('.').nth(n).unwrap();
        serde_json::from_slice(&BASE64_URL_SAFE_NO_PAD.decode(text).unwrap()).unwrap()
    };
    (part(0), part(1))
}

both!(
    the_list_has_the_published_form,
    pages_hold_at_every_edge,
    the_count_follows_every_change,
    the_cursor_walks_a_thousand_without_gap_or_double,
    search_finds_parts_and_lookup_finds_exactly,
    what_is_not_there_is_not_found,
    a_known_custom_id_is_the_same_record,
    twenty_at_once_make_one_record,
    the_policy_can_reject_or_allow,
    presets_are_found_with_hyphen_or_underscore,
    wrong_bodies_are_told_field_by_field,
    an_inactive_meeting_still_takes_participants,
    patch_changes_what_is_given_and_put_all,
    tokens_say_who_may_join_what_and_until_when,
    a_write_is_in_the_very_next_read,
    a_write_of_another_process_is_in_the_very_next_read,
);

async fn the_list_has_the_published_form(db: Database) {
    let server = Server::start(db).await;
    let meeting = a_meeting(&server).await;
    let empty = meeting.get("/participants").await.expect(200);
    assert_eq!(
        empty.body,
        json!({
            "success": true, "data": [],
            "paging": {"total_count": 0, "start_offset": 0, "end_offset": 0},
        })
    );

    let ada = meeting.post("/participants", json!({
        "custom_participant_id": "ada", "preset_name": "group_call_host",
        "name": "Ada \"Countess\" \u{1f469}\u{200d}\u{1f4bb}", "picture": "https://example.test/ada.png",
    })).await.expect(201).ok();
    let grace = meeting
        .post("/participants", add("grace", "group_call_guest"))
        .await
        .expect(201)
        .ok();
    let list = meeting.get("/participants").await.expect(200);
    assert_eq!(list.header("content-type"), Some("application/json"));
    let row = |made: &Value, preset: &str| {
        json!({
            "id": made["id"], "custom_participant_id": made["custom_participant_id"], "preset_name": preset,
            "name": made["name"], "picture": made["picture"],
            "created_at": made["created_at"], "updated_at": made["updated_at"],
        })
    };
    // Newest first; null where nothing was given; and no token anywhere.
    assert_eq!(
        list.body,
        json!({
            "success": true,
            "data": [row(&grace, "group_call_guest"), row(&ada, "group_call_host")],
            "paging": {"total_count": 2, "start_offset": 1, "end_offset": 2},
        })
    );
    assert!(list.body["data"][0]["name"].is_null() && list.body["data"][0]["picture"].is_null());
    assert!(!list.text.contains("token") && !list.text.contains("eyJ"));
    for time in [&ada["created_at"], &ada["updated_at"], &ada["expires_at"]] {
        let text = time.as_str().unwrap();
        assert!(
            text.len() == 24 && text.ends_with('Z') && &text[19..20] == ".",
            "{text}"
        );
    }
    let one = meeting
        .get(&format!("/participants/{}", ada["id"].as_str().unwrap()))
        .await
        .expect(200)
        .ok();
    assert_eq!(one, row(&ada, "group_call_host"));
}

async fn pages_hold_at_every_edge(db: Database) {
    let server = Server::start(db).await;
    let meeting = a_meeting(&server).await;
    let all = crowd(server.database(), &app_id(&meeting), &meeting.id, 60).await;
    let ids = |from: usize, to: usize| all[from..to].to_vec();
    for (query, expected, paging) in [
        ("", ids(0, 25), (60, 1, 25)),
        ("?page_no=&per_page=", ids(0, 25), (60, 1, 25)),
        ("?page_no=1&per_page=30", ids(0, 30), (60, 1, 30)),
        ("?page_no=2&per_page=30", ids(30, 60), (60, 31, 60)),
        ("?page_no=3&per_page=25", ids(50, 60), (60, 51, 60)),
        ("?page_no=0&per_page=10", ids(0, 10), (60, 1, 10)),
        ("?page_no=2&per_page=0", ids(25, 50), (60, 26, 50)),
        ("?page_no=2.0&per_page=7.0", ids(7, 14), (60, 8, 14)),
        ("?per_page=1000", ids(0, 60), (60, 1, 60)),
        ("?per_page=99999999", ids(0, 60), (60, 1, 60)),
        ("?page_no=4&per_page=30", vec![], (60, 91, 60)),
        ("?per_page=1&unknown=7", ids(0, 1), (60, 1, 1)),
    ] {
        let page = meeting.get(&format!("/participants{query}")).await.expect(200);
        assert_eq!(page.each("id"), expected, "{query}");
        assert_eq!(page.paging(), paging, "{query}");
    }
    let far = meeting
        .get("/participants?page_no=99999999999999999999999&per_page=1000")
        .await
        .expect(200);
    assert_eq!(
        (far.each("id").len(), far.paging().0, far.paging().2),
        (0, 60, 60)
    );
    for query in [
        "page_no=-1",
        "per_page=-5",
        "page_no=abc",
        "per_page=ten",
        "page_no=1.5",
        "per_page=2.25",
        "page_no=1e3",
        "page_no=0x10",
        "page_no=%201",
        "per_page=%2B5",
    ] {
        let refused = meeting.get(&format!("/participants?{query}")).await;
        refused.refused(400);
        assert_eq!(refused.fields(), [query.split('=').next().unwrap()], "{query}");
    }
    let both = meeting.get("/participants?page_no=x&per_page=y").await;
    assert_eq!(both.fields(), ["page_no", "per_page"]);
}

async fn the_count_follows_every_change(db: Database) {
    let server = Server::start(db).await;
    let meeting = a_meeting(&server).await;
    let mut made = Vec::new();
    for i in 0..5 {
        made.push(meeting.participant(&format!("p{i}")).await);
        assert_eq!(meeting.get("/participants").await.paging(), (i + 1, 1, i + 1));
    }
    // The same person again counts once.
    meeting.participant("p3").await;
    assert_eq!(meeting.get("/participants?per_page=2").await.paging(), (5, 1, 2));
    for (gone, participant) in (1..).zip(&made) {
        let path = format!("/participants/{}", participant["id"].as_str().unwrap());
        let deleted = meeting.delete(&path).await.expect(200).ok();
        let mut keys: Vec<&String> = deleted.as_object().unwrap().keys().collect();
        keys.sort();
        assert_eq!(
            keys,
            ["created_at", "custom_participant_id", "preset_id", "updated_at"]
        );
        assert_eq!(
            deleted["custom_participant_id"],
            participant["custom_participant_id"]
        );
        let left = meeting.get("/participants").await;
        assert_eq!(left.paging().0, 5 - gone);
        assert_eq!(left.each("id").len() as i64, 5 - gone);
        assert_eq!(meeting.get(&path).await.refused(404), "Participant not found");
        assert_eq!(meeting.delete(&path).await.refused(404), "Participant not found");
    }
}

async fn the_cursor_walks_a_thousand_without_gap_or_double(db: Database) {
    let server = Server::start(db).await;
    let meeting = a_meeting(&server).await;
    let all = crowd(server.database(), &app_id(&meeting), &meeting.id, 1000).await;
    for (size, filter) in [(37, ""), (1000, ""), (101, "&search=person")] {
        let mut seen: Vec<String> = Vec::new();
        let mut cursor = String::new();
        loop {
            let page = meeting
                .get(&format!("/participants?per_page={size}{filter}{cursor}"))
                .await
                .expect(200);
            assert_eq!(page.paging().0, 1000);
            let ids = page.each("id");
            assert_eq!(page.paging().2, ids.len() as i64);
            let Some(last) = ids.last() else { break };
            cursor = format!("&after={last}");
            seen.extend(ids);
        }
        assert_eq!(seen, all, "{size}{filter}");
    }
    // By number, the walk is the same.
    let mut seen = Vec::new();
    for number in 1..=11 {
        seen.extend(
            meeting
                .get(&format!("/participants?page_no={number}&per_page=97"))
                .await
                .each("id"),
        );
    }
    assert_eq!(seen, all);
    for unknown in ["nonsense", &uuid::Uuid::new_v4().to_string()] {
        let refused = meeting.get(&format!("/participants?after={unknown}")).await;
        assert_eq!(refused.refused(404), "Participant not found");
    }
    // A cursor of another meeting is none of this one.
    let other = meeting.at_app(&app_id(&meeting)).meeting().await;
    other
        .get(&format!("/participants?after={}", all[0]))
        .await
        .refused(404);
}

async fn search_finds_parts_and_lookup_finds_exactly(db: Database) {
    let server = Server::start(db).await;
    let meeting = a_meeting(&server).await;
    for (custom_id, name) in [
        ("user:1", "Ada Lovelace"),
        ("user:10", "Grace Hopper"),
        ("u%1", "100%_sure"),
        ("back\\slash", "ÄRGER"),
    ] {
        let body =
            json!({"custom_participant_id": custom_id, "preset_name": "group_call_host", "name": name});
        meeting.post("/participants", body).await.expect(201);
    }
    let found = async |query: &str| {
        let page = meeting.get(&format!("/participants?{query}")).await.expect(200);
        let mut ids = page.each("custom_participant_id");
        assert_eq!(page.paging().0, ids.len() as i64, "{query}");
        ids.sort();
        ids
    };
    assert_eq!(found("search=LOVE").await, ["user:1"]);
    assert_eq!(found("search=user:1").await, ["user:1", "user:10"]);
    assert_eq!(found("search=%25").await, ["u%1"], "a percent sign is itself");
    assert_eq!(found("search=0%25_s").await, ["u%1"]);
    assert_eq!(found("search=_").await, ["u%1"]);
    assert_eq!(found("search=%5C").await, ["back\\slash"]);
    assert_eq!(found("search=%C3%A4rger").await, ["back\\slash"]);
    assert_eq!(found("search=nobody").await, [""; 0]);
    assert_eq!(found("search=").await.len(), 4);
    assert_eq!(found("custom_participant_id=user:1").await, ["user:1"]);
    assert_eq!(found("custom_participant_id=USER:1").await, [""; 0]);
    assert_eq!(found("custom_participant_id=user:1&search=hopper").await, [""; 0]);
    let ada = meeting
        .get("/participants?custom_participant_id=user:1")
        .await
        .each("id")
        .remove(0);
    assert_eq!(found(&format!("search={}", ada.to_uppercase())).await, ["user:1"]);
    assert!(
        meeting
            .get("/participants?search=%00")
            .await
            .refused(400)
            .contains("NUL")
    );
}

async fn what_is_not_there_is_not_found(db: Database) {
    let server = Server::start(db).await;
    let api = server.api().await;
    let app = api.app().await;
    let meeting = app.meeting().await;
    let ada = meeting.participant("ada").await["id"]
        .as_str()
        .unwrap()
        .to_owned();
    let nobody = uuid::Uuid::new_v4().to_string();
    for unknown in [nobody.as_str(), "nonsense", "..%2F..", "%00"] {
        let elsewhere = app.at_meeting(unknown);
        assert_eq!(
            elsewhere.get("/participants").await.refused(404),
            "Meeting not found"
        );
        let body = add("x", "group_call_host");
        assert_eq!(
            elsewhere.post("/participants", body.clone()).await.refused(404),
            "Meeting not found"
        );
        let path = format!("/participants/{ada}");
        assert_eq!(elsewhere.get(&path).await.refused(404), "Meeting not found");
        assert_eq!(
            api.at_app(unknown)
                .at_meeting(&meeting.id)
                .get("/participants")
                .await
                .refused(404),
            "App not found"
        );
        let path = format!("/participants/{unknown}");
        assert_eq!(meeting.get(&path).await.refused(404), "Participant not found");
        assert_eq!(
            meeting.patch(&path, json!({})).await.refused(404),
            "Participant not found"
        );
        assert_eq!(
            meeting.put(&path, body).await.refused(404),
            "Participant not found"
        );
        assert_eq!(meeting.delete(&path).await.refused(404), "Participant not found");
        assert_eq!(
            meeting.post_empty(&format!("{path}/token")).await.refused(404),
            "Participant not found"
        );
    }
    // Another meeting of the same app, another app of the same account, another account.
    app.meeting()
        .await
        .get(&format!("/participants/{ada}"))
        .await
        .refused(404);
    let sibling = api.app().await.at_meeting(&meeting.id);
    assert_eq!(
        sibling.get("/participants").await.refused(404),
        "Meeting not found"
    );
    assert_eq!(
        sibling.get(&format!("/participants/{ada}")).await.refused(404),
        "Meeting not found"
    );
    sibling
        .post("/participants", add("spy", "group_call_host"))
        .await
        .refused(404);
    let stranger = server.api().await;
    meeting
        .with_token(stranger.token.clone().unwrap())
        .get("/participants")
        .await
        .refused(403);
    stranger
        .at_app(&app.id)
        .at_meeting(&meeting.id)
        .get("/participants")
        .await
        .refused(404);
    assert_eq!(meeting.get("/participants").await.paging().0, 1);
}

async fn a_known_custom_id_is_the_same_record(db: Database) {
    let server = Server::start(db).await;
    let meeting = a_meeting(&server).await;
    let first = meeting.participant("ada").await;
    let second = meeting
        .post(
            "/participants",
            json!({
                "custom_participant_id": "ada", "preset_name": "group_call_host", "name": "Ada the Second",
            }),
        )
        .await
        .expect(201)
        .ok();
    assert_eq!(second["id"], first["id"]);
    assert_eq!(second["created_at"], first["created_at"]);
    assert_eq!(second["name"], "Ada the Second");
    assert_eq!(second["preset_name"], "group_call_host");
    assert_ne!(second["token"], first["token"]);
    let list = meeting.get("/participants").await;
    assert_eq!(list.paging().0, 1);
    assert_eq!(list.body["data"][0]["name"], "Ada the Second");
    assert_eq!(list.body["data"][0]["updated_at"], second["updated_at"]);
    // In another meeting the same id is another person's.
    let other = meeting
        .at_app(&app_id(&meeting))
        .meeting()
        .await
        .participant("ada")
        .await;
    assert_ne!(other["id"], first["id"]);
    // Case counts.
    assert_ne!(meeting.participant("Ada").await["id"], first["id"]);
}

async fn twenty_at_once_make_one_record(db: Database) {
    let server = Server::start(db).await;
    let meeting = a_meeting(&server).await;
    let answers = join_all((0..20).map(|i| {
        let meeting = meeting.clone();
        async move {
            let body = json!({
                "custom_participant_id": "ada", "preset_name": "group_call_host", "name": format!("Ada {i}"),
            });
            meeting.post("/participants", body).await.expect(201).ok()
        }
    }))
    .await;
    let distinct = |field: &str| -> BTreeSet<String> {
        answers
            .iter()
            .map(|made| made[field].as_str().unwrap().to_owned())
            .collect()
    };
    assert_eq!(distinct("id").len(), 1);
    assert_eq!(distinct("token").len(), 20);
    assert_eq!(distinct("name").len(), 20, "each is told what it sent");
    let list = meeting.get("/participants").await;
    assert_eq!((list.paging().0, list.each("id").len()), (1, 1));
    assert!(distinct("name").contains(list.body["data"][0]["name"].as_str().unwrap()));
}

async fn the_policy_can_reject_or_allow(db: Database) {
    let mut server = Server::builder(db)
        .with(|s| s.duplicate_participants = Some(DuplicatePolicy::Reject))
        .start()
        .await;
    let meeting = a_meeting(&server).await;
    let first = meeting.participant("ada").await;
    let again = meeting.post("/participants", add("ada", "group_call_host")).await;
    assert!(again.refused(409).contains("already exists"));
    assert_eq!(again.header("x-should-retry"), Some("false"));
    let list = meeting.get("/participants").await;
    assert_eq!(list.paging().0, 1);
    assert_eq!(list.body["data"][0]["preset_name"], "group_call_participant");

    server
        .restart(|s| s.duplicate_participants = Some(DuplicatePolicy::Allow))
        .await;
    let meeting = meeting.on(server.origin());
    let mut ids = BTreeSet::from([first["id"].as_str().unwrap().to_owned()]);
    for _ in 0..3 {
        ids.insert(
            meeting.participant("ada").await["id"]
                .as_str()
                .unwrap()
                .to_owned(),
        );
    }
    let listed: BTreeSet<String> = meeting
        .get("/participants?custom_participant_id=ada")
        .await
        .each("id")
        .into_iter()
        .collect();
    assert_eq!((ids.len(), &listed), (4, &ids));
    // The number of a removed one is not in the way of the next.
    meeting
        .delete(&format!("/participants/{}", first["id"].as_str().unwrap()))
        .await
        .expect(200);
    meeting.participant("ada").await;
    assert_eq!(meeting.get("/participants").await.paging().0, 4);
}

async fn presets_are_found_with_hyphen_or_underscore(db: Database) {
    let server = Server::start(db).await;
    let meeting = a_meeting(&server).await;
    for name in [
        "group_call_host",
        "group_call_participant",
        "group_call_guest",
        "webinar_presenter",
        "webinar_viewer",
        "livestream_host",
        "livestream_viewer",
    ] {
        let hyphens = name.replace('_', "-");
        for spelt in [name, &hyphens] {
            let made = meeting
                .post("/participants", add("ada", spelt))
                .await
                .expect(201)
                .ok();
            assert_eq!(made["preset_name"], name, "the stored name is answered");
        }
    }
    for unknown in ["nobody", "GROUP_CALL_HOST", "group call host", "Ärger", "%"] {
        let refused = meeting.post("/participants", add("bob", unknown)).await;
        assert_eq!(
            refused.refused(404),
            format!("No preset found with name {unknown}")
        );
    }
    let (ada, by_id) = (
        meeting.get("/participants").await.body["data"][0].clone(),
        uuid::Uuid::new_v4(),
    );
    let path = format!("/participants/{}", ada["id"].as_str().unwrap());
    for body in [json!({"preset_name": "nobody"}), json!({"preset_id": by_id})] {
        let refused = meeting.patch(&path, body).await.refused(404);
        assert!(refused.starts_with("No preset found with name "), "{refused}");
    }
    // A preset of another app is unknown here, by id too.
    let preset = meeting.delete(&path).await.expect(200).ok()["preset_id"].clone();
    let other = a_meeting(&server).await;
    let body = json!({"custom_participant_id": "x", "preset_id": preset});
    other.post("/participants", body.clone()).await.refused(404);
    assert_eq!(
        meeting.post("/participants", body).await.expect(201).ok()["preset_name"],
        "livestream_viewer"
    );
}

async fn wrong_bodies_are_told_field_by_field(db: Database) {
    let server = Server::start(db).await;
    let meeting = a_meeting(&server).await;
    let long = "x".repeat(257);
    for (body, fields) in [
        (json!({}), vec!["custom_participant_id", "preset_name"]),
        (
            json!({"custom_participant_id": "", "preset_name": "group_call_host"}),
            vec!["custom_participant_id"],
        ),
        (
            json!({"custom_participant_id": long, "preset_name": "group_call_host"}),
            vec!["custom_participant_id"],
        ),
        (
            json!({"custom_participant_id": 7, "preset_name": true}),
            vec!["custom_participant_id", "preset_name"],
        ),
        (
            json!({"custom_participant_id": "a", "preset_name": null}),
            vec!["preset_name"],
        ),
        (
            json!({"custom_participant_id": "a", "preset_name": "group_call_host", "picture": "no address"}),
            vec!["picture"],
        ),
        (
            json!({"custom_participant_id": "a", "preset_name": "group_call_host", "name": ["x"], "expires_in": 0}),
            vec!["expires_in", "name"],
        ),
        (
            json!({"custom_participant_id": "a", "preset_name": "group_call_host", "expires_in": 1.5}),
            vec!["expires_in"],
        ),
    ] {
        let refused = meeting.post("/participants", body.clone()).await;
        assert!(refused.refused(400).starts_with("BAD_REQUEST: "), "{body}");
        assert_eq!(refused.fields(), fields, "{body}: {}", refused.text);
    }
    assert_eq!(meeting.get("/participants").await.paging().0, 0);
    // Unknown keys are ignored, and 256 characters are counted, not bytes.
    let body = json!({"custom_participant_id": "ä".repeat(256), "preset_name": "group_call_host", "metadata": {"a": 1}});
    meeting.post("/participants", body).await.expect(201);
    // The predecessor's name of the field.
    let old = json!({"client_specific_id": "old", "preset_name": "group_call_host"});
    let made = meeting.post("/participants", old).await.expect(201).ok();
    assert_eq!(made["custom_participant_id"], "old");
    assert!(made.get("client_specific_id").is_none());
}

async fn an_inactive_meeting_still_takes_participants(db: Database) {
    let server = Server::start(db).await;
    let meeting = a_meeting(&server).await;
    meeting.patch("", json!({"status": "INACTIVE"})).await.expect(200);
    let ada = meeting.participant("ada").await;
    let path = format!("/participants/{}/token", ada["id"].as_str().unwrap());
    meeting.post_empty(&path).await.expect(200);
    assert_eq!(meeting.get("/participants").await.paging().0, 1);
}

async fn patch_changes_what_is_given_and_put_all(db: Database) {
    let server = Server::start(db).await;
    let meeting = a_meeting(&server).await;
    let ada = meeting.post("/participants", json!({
        "custom_participant_id": "ada", "preset_name": "group_call_host", "name": "Ada", "picture": "https://e.test/a",
    })).await.ok();
    let path = format!("/participants/{}", ada["id"].as_str().unwrap());

    let same = meeting.patch(&path, json!({})).await.expect(200).ok();
    assert_eq!(
        (&same["name"], &same["picture"], &same["preset_name"]),
        (&ada["name"], &ada["picture"], &ada["preset_name"])
    );
    assert!(same["token"].as_str().unwrap().starts_with("eyJ") && same["token"] != ada["token"]);

    let named = meeting
        .patch(&path, json!({"name": "Ada L."}))
        .await
        .expect(200)
        .ok();
    assert_eq!(
        (&named["name"], &named["picture"]),
        (&json!("Ada L."), &ada["picture"])
    );
    let moved = meeting
        .patch(&path, json!({"preset_name": "webinar-viewer", "picture": null}))
        .await
        .expect(200)
        .ok();
    assert_eq!(
        (&moved["preset_name"], &moved["name"], &moved["picture"]),
        (&json!("webinar_viewer"), &json!("Ada L."), &Value::Null)
    );
    let kept = meeting
        .patch(&path, json!({"preset_name": null, "name": null}))
        .await
        .expect(200)
        .ok();
    assert_eq!(
        (&kept["preset_name"], &kept["name"]),
        (&json!("webinar_viewer"), &Value::Null)
    );
    assert_eq!(
        meeting
            .patch(&path, json!({"name": 5, "preset_name": ""}))
            .await
            .fields(),
        ["name", "preset_name"]
    );
    // A custom id is not PATCH's to change.
    let not_moved = meeting
        .patch(&path, json!({"custom_participant_id": "else"}))
        .await
        .expect(200)
        .ok();
    assert_eq!(not_moved["custom_participant_id"], "ada");

    let put = meeting
        .put(
            &path,
            json!({"custom_participant_id": "countess", "preset_name": "group_call_guest"}),
        )
        .await
        .expect(200)
        .ok();
    assert_eq!(put["id"], ada["id"]);
    assert_eq!(put["created_at"], ada["created_at"]);
    assert_eq!(
        (&put["custom_participant_id"], &put["name"], &put["picture"]),
        (&json!("countess"), &Value::Null, &Value::Null)
    );
    assert!(put["token"].is_string() && put["expires_at"].is_string());
    meeting
        .put(&path, json!({"custom_participant_id": "countess"}))
        .await
        .refused(400);
    meeting
        .put(&path, json!({"preset_name": "group_call_guest"}))
        .await
        .refused(400);
    meeting.participant("grace").await;
    let taken = meeting
        .put(
            &path,
            json!({"custom_participant_id": "grace", "preset_name": "group_call_guest"}),
        )
        .await;
    assert!(taken.refused(409).contains("already exists"));
    let list = meeting.get("/participants?search=countess").await;
    assert_eq!(list.each("id"), [ada["id"].as_str().unwrap()]);
    assert_eq!(list.body["data"][0]["updated_at"], put["updated_at"]);
    assert_eq!(
        meeting.get("/participants?search=ada").await.paging().0,
        0,
        "the old id is not found any more"
    );
}

async fn tokens_say_who_may_join_what_and_until_when(db: Database) {
    let server = Server::builder(db)
        .with(|s| s.participant_token_ttl_secs = Some(3600))
        .start()
        .await;
    let meeting = a_meeting(&server).await;
    let made = meeting.participant("ada").await;
    let (header, first) = claims(made["token"].as_str().unwrap());
    assert_eq!(header["alg"], "EdDSA");
    assert_eq!(first["orgId"], json!(app_id(&meeting)));
    assert_eq!(first["meetingId"], json!(meeting.id));
    assert_eq!(first["participantId"], made["id"]);
    let seconds = |claims: &Value| claims["exp"].as_i64().unwrap() - claims["iat"].as_i64().unwrap();
    assert_eq!(seconds(&first), 3600);
    let path = format!("/participants/{}", made["id"].as_str().unwrap());

    let refreshed = meeting
        .post_empty(&format!("{path}/token"))
        .await
        .expect(200)
        .ok();
    let (_, second) = claims(refreshed["token"].as_str().unwrap());
    assert_ne!(first["jti"], second["jti"]);
    assert_eq!(first["presetId"], second["presetId"]);
    for (body, expected) in [
        (json!({}), 3600),
        (json!({"expires_in": 60}), 60),
        (json!({"expires_in": 90.0}), 90),
        (json!({"expires_in": null}), 3600),
    ] {
        let token = meeting
            .post(&format!("{path}/token"), body.clone())
            .await
            .expect(200)
            .ok();
        let (_, claims) = claims(token["token"].as_str().unwrap());
        assert_eq!(seconds(&claims), expected, "{body}");
        // expires_at is exp, as everybody else writes times.
        let shown: muster_model::Timestamp = token["expires_at"].as_str().unwrap().parse().unwrap();
        assert_eq!(shown.as_secs(), claims["exp"].as_i64().unwrap());
    }
    for wrong in [
        json!({"expires_in": 0}),
        json!({"expires_in": "1h"}),
        json!({"expires_in": 315_360_001}),
        json!([]),
    ] {
        meeting.post(&format!("{path}/token"), wrong).await.refused(400);
    }
    let added = json!({"custom_participant_id": "b", "preset_name": "group_call_host", "expires_in": 120});
    let (_, added) = claims(
        meeting.post("/participants", added).await.ok()["token"]
            .as_str()
            .unwrap(),
    );
    assert_eq!(seconds(&added), 120);
    let (_, patched) = claims(
        meeting
            .patch(&path, json!({"preset_name": "webinar_viewer", "expires_in": 30}))
            .await
            .ok()["token"]
            .as_str()
            .unwrap(),
    );
    assert_eq!(seconds(&patched), 30);
    assert_ne!(patched["presetId"], first["presetId"]);
}

async fn a_write_is_in_the_very_next_read(db: Database) {
    let named =
        |name: &str| json!({"custom_participant_id": "ada", "preset_name": "group_call_host", "name": name});
    // One server keeps finished pages, the other renders each anew.
    for megabytes in [32, 0] {
        let server = Server::builder(db)
            .with(|s| s.page_cache_mb = Some(megabytes))
            .start()
            .await;
        let meeting = a_meeting(&server).await;
        let ada = meeting.participant("ada").await;
        let path = format!("/participants/{}", ada["id"].as_str().unwrap());
        for i in 0..200 {
            let name = format!("Ada {i}");
            match i % 4 {
                0 => {
                    meeting.post("/participants", named(&name)).await.expect(201);
                }
                1 => {
                    meeting.patch(&path, json!({"name": name})).await.expect(200);
                }
                2 => {
                    meeting.put(&path, named(&name)).await.expect(200);
                }
                _ => {
                    let guest = meeting.participant("guest").await;
                    assert_eq!(meeting.get("/participants").await.paging().0, 2);
                    meeting
                        .delete(&format!("/participants/{}", guest["id"].as_str().unwrap()))
                        .await
                        .expect(200);
                    assert_eq!(meeting.get("/participants").await.paging().0, 1);
                    continue;
                }
            }
            let read = meeting.get("/participants").await;
            assert_eq!(read.body["data"][0]["name"], json!(name));
            assert_eq!(
                meeting.get("/participants?per_page=1").await.body["data"][0]["name"],
                json!(name)
            );
        }
    }
}

async fn a_write_of_another_process_is_in_the_very_next_read(db: Database) {
    let muster = Muster::new(db).await;
    let (one, two) = (muster.serve(&[]), muster.serve(&[]));
    let here = muster.api(&one).app().await.meeting().await;
    let there = here.on(&two.origin);
    let ada = here.participant("ada").await;
    let path = format!("/participants/{}", ada["id"].as_str().unwrap());
    for i in 0..50 {
        let (writer, reader) = if i % 2 == 0 {
            (&here, &there)
        } else {
            (&there, &here)
        };
        let name = format!("Ada {i}");
        writer.patch(&path, json!({"name": name})).await.expect(200);
        assert_eq!(
            reader.get("/participants").await.body["data"][0]["name"],
            json!(name)
        );
    }
    for i in 0..10 {
        let guest = there.participant(&format!("g{i}")).await;
        assert_eq!(
            here.get("/participants").await.each("id")[0],
            guest["id"].as_str().unwrap()
        );
        // The list shows the preset's name, so renaming one changes the list.
        let sql = format!(
            "UPDATE presets SET name = 'renamed {i}' WHERE id = (SELECT preset_id FROM participants WHERE id = '{}')",
            ada["id"].as_str().unwrap()
        );
        assert_eq!(muster.database().execute(sql).await, 1);
        for reader in [&here, &there] {
            let shown = reader.get("/participants?per_page=100").await;
            assert!(
                shown.each("preset_name").contains(&format!("renamed {i}")),
                "{}",
                shown.text
            );
        }
        let back = format!("UPDATE presets SET name = 'group_call_participant' WHERE name = 'renamed {i}'");
        muster.database().execute(back).await;
        assert!(!here.get("/participants").await.text.contains("renamed"));
    }
}
