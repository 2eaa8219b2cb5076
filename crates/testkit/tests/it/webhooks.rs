//! Webhooks over HTTP: their management.

use futures::future::join_all;
use http::Method;
use muster_testkit::{Api, Database, Server, both};
use serde_json::{Value, json};

both!(
    an_app_begins_without_webhooks,
    a_webhook_is_made_read_changed_replaced_and_deleted,
    the_events_are_named_in_the_published_order,
    every_fault_is_told,
    addresses_that_are_not_public_are_refused,
    what_the_operator_allows_is_taken,
    names_are_unique_within_the_app,
    twenty_at_once_make_one_webhook,
    a_repeated_request_answers_the_same,
    ids_that_are_none_and_ids_of_nobody,
    strangers_learn_nothing,
    webhooks_go_with_their_app,
);

const EVENTS: [&str; 9] = [
    "meeting.started",
    "meeting.ended",
    "meeting.participantJoined",
    "meeting.participantLeft",
    "meeting.chatSynced",
    "recording.statusUpdate",
    "livestreaming.statusUpdate",
    "meeting.transcript",
    "meeting.summary",
];

async fn an_app(server: &Server) -> Api {
    server.api().await.app().await
}

fn hook(name: &str) -> Value {
    json!({"name": name, "url": "https://example.com/hook?a=b", "events": ["meeting.ended", "meeting.started"]})
}

async fn make(app: &Api, name: &str) -> Value {
    app.post("/webhooks", hook(name)).await.expect(201).ok()
}

fn path(webhook: &Value) -> String {
    format!("/webhooks/{}", webhook["id"].as_str().unwrap())
}

async fn an_app_begins_without_webhooks(db: Database) {
    let server = Server::start(db).await;
    let app = an_app(&server).await;
    let list = app.get("/webhooks").await.expect(200);
    assert_eq!(list.body, json!({"success": true, "data": []}));
    // The list is whole: paging parameters do nothing.
    for i in 0..3 {
        make(&app, &format!("w{i}")).await;
    }
    let list = app.get("/webhooks?page_no=2&per_page=1").await.expect(200);
    assert_eq!(list.each("name"), ["w2", "w1", "w0"]);
    assert!(list.body.get("paging").is_none());
}

async fn a_webhook_is_made_read_changed_replaced_and_deleted(db: Database) {
    let server = Server::start(db).await;
    let app = an_app(&server).await;
    let made = make(&app, "first").await;
    let members: Vec<&String> = made.as_object().unwrap().keys().collect();
    assert_eq!(members.len(), 7, "{made}");
    assert_eq!(made["url"], "https://example.com/hook?a=b", "as it was given");
    assert_eq!(made["events"], json!(["meeting.ended", "meeting.started"]));
    assert_eq!(made["enabled"], true);
    assert_eq!(made["created_at"], made["updated_at"]);
    assert_eq!(app.get(&path(&made)).await.expect(200).ok(), made);
    assert_eq!(app.get("/webhooks").await.ok(), json!([made]));

    let same = app
        .patch(&path(&made), json!({"name": null, "unknown": 1}))
        .await
        .expect(200)
        .ok();
    assert_eq!((&same["name"], &same["events"]), (&made["name"], &made["events"]));
    let off = app
        .patch(&path(&made), json!({"enabled": false}))
        .await
        .expect(200)
        .ok();
    assert_eq!((&off["enabled"], &off["url"]), (&json!(false), &made["url"]));
    let change = json!({"name": "renamed", "url": "http://example.org", "events": ["meeting.summary", "meeting.summary"]});
    let changed = app.patch(&path(&made), change).await.expect(200).ok();
    assert_eq!(changed["events"], json!(["meeting.summary"]), "each event once");
    assert_eq!(
        (&changed["enabled"], &changed["id"]),
        (&json!(false), &made["id"])
    );
    assert_eq!(changed["url"], "http://example.org");
    assert_eq!(app.get(&path(&made)).await.ok(), changed);

    let replaced = app.put(&path(&made), hook("anew")).await.expect(200).ok();
    assert_eq!(replaced["enabled"], true, "its default again");
    assert_eq!(
        (&replaced["id"], &replaced["name"]),
        (&made["id"], &json!("anew"))
    );
    assert_eq!(replaced["created_at"], made["created_at"]);
    app.put(&path(&made), json!({"name": "part"})).await.refused(400);

    let gone = app.delete(&path(&made)).await.expect(200).ok();
    assert_eq!(gone, replaced);
    app.get(&path(&made)).await.refused(404);
    app.delete(&path(&made)).await.refused(404);
    assert_eq!(app.get("/webhooks").await.ok(), json!([]));
}

async fn the_events_are_named_in_the_published_order(db: Database) {
    let server = Server::start(db).await;
    let app = an_app(&server).await;
    make(&app, "one").await;
    assert_eq!(app.get("/webhooks/all").await.expect(200).ok(), json!(EVENTS));
    let body = json!({"name": "all", "url": "https://example.com", "events": EVENTS, "enabled": false});
    let made = app.post("/webhooks", body).await.expect(201).ok();
    assert_eq!(
        (&made["events"], &made["enabled"]),
        (&json!(EVENTS), &json!(false))
    );
    app.delete("/webhooks/all").await.refused(405);
}

async fn every_fault_is_told(db: Database) {
    let server = Server::start(db).await;
    let app = an_app(&server).await;
    let kept = make(&app, "kept").await;
    let with = |change: Value| {
        let mut body = hook("x");
        for (name, value) in change.as_object().unwrap() {
            body[name] = value.clone();
        }
        body
    };
    for (body, fields) in [
        (json!({}), vec!["events", "name", "url"]),
        (with(json!({"name": ""})), vec!["name"]),
        (with(json!({"name": "x".repeat(257)})), vec!["name"]),
        (with(json!({"events": []})), vec!["events"]),
        (with(json!({"events": "meeting.started"})), vec!["events"]),
        (
            with(json!({"events": ["meeting.started", "meeting.paused"]})),
            vec!["events.1"],
        ),
        (with(json!({"events": [null]})), vec!["events.0", "events.0"]),
        (with(json!({"enabled": "yes"})), vec!["enabled"]),
        (with(json!({"url": "example"})), vec!["url"]),
        (with(json!({"url": ""})), vec!["url"]),
        (with(json!({"url": "ftp://example.com/hook"})), vec!["url"]),
        (with(json!({"url": "mailto:a@example.com"})), vec!["url"]),
        (with(json!({"url": "http://"})), vec!["url"]),
        (with(json!({"url": "http://exa mple.com/"})), vec!["url"]),
        (
            with(json!({"name": 1, "url": 2, "events": 3})),
            vec!["events", "name", "url"],
        ),
    ] {
        for refused in [
            app.post("/webhooks", body.clone()).await,
            app.put(&path(&kept), body.clone()).await,
        ] {
            refused.refused(400);
            assert_eq!(refused.fields(), fields, "{body}");
        }
    }
    for wrong in [
        json!({"events": []}),
        json!({"url": "nowhere"}),
        json!({"name": ""}),
    ] {
        app.patch(&path(&kept), wrong).await.refused(400);
    }
    assert_eq!(app.get("/webhooks").await.ok(), json!([kept]));
}

async fn addresses_that_are_not_public_are_refused(db: Database) {
    let server = Server::start(db).await;
    let app = an_app(&server).await;
    let kept = make(&app, "kept").await;
    for host in [
        "127.0.0.1",
        "127.1",
        "2130706433",
        "0177.0.0.1",
        "0x7f000001",
        "10.1.2.3",
        "169.254.169.254",
        "192.168.0.1",
        "0.0.0.0",
        "[::1]",
        "[::ffff:127.0.0.1]",
        "[fd00::1]",
        "[fe80::1]",
    ] {
        let mut body = hook("inside");
        body["url"] = json!(format!("http://{host}:8080/hook"));
        for refused in [
            app.post("/webhooks", body.clone()).await,
            app.put(&path(&kept), body.clone()).await,
            app.patch(&path(&kept), json!({"url": body["url"]})).await,
        ] {
            refused.refused(400);
            assert_eq!(refused.fields(), ["url"], "{host}: {}", refused.text);
        }
    }
    assert_eq!(app.get("/webhooks").await.ok(), json!([kept]));
    for url in [
        "https://8.8.8.8/hook",
        "https://[2606:4700::1111]/",
        "http://hooks.internal:8080/x",
    ] {
        app.patch(&path(&kept), json!({"url": url})).await.expect(200);
    }
}

async fn what_the_operator_allows_is_taken(db: Database) {
    let mut server = Server::builder(db)
        .with(|settings| settings.allow_outbound = Some(vec!["127.0.0.0/8".parse().unwrap()]))
        .start()
        .await;
    let api = server.api().await;
    let app = api.app().await;
    let mut body = hook("local");
    body["url"] = json!("http://127.0.0.1:9/hook");
    let made = app.post("/webhooks", body.clone()).await.expect(201).ok();
    body["url"] = json!("http://10.0.0.1/hook");
    app.put(&path(&made), body).await.refused(400);
    // What is no longer allowed can still be renamed or turned off; its address is not looked at again.
    server.restart(|settings| settings.allow_outbound = None).await;
    let app = app.on(server.origin());
    app.patch(&path(&made), json!({"enabled": false}))
        .await
        .expect(200);
    app.patch(&path(&made), json!({"url": made["url"]}))
        .await
        .refused(400);
}

async fn names_are_unique_within_the_app(db: Database) {
    let server = Server::start(db).await;
    let api = server.api().await;
    let (app, elsewhere) = (api.app().await, api.app().await);
    let (one, other) = (make(&app, "one").await, make(&app, "other").await);
    let told = app.post("/webhooks", hook("one")).await.refused(409);
    assert!(told.contains("one"), "{told}");
    app.patch(&path(&other), json!({"name": "one"}))
        .await
        .refused(409);
    app.put(&path(&other), hook("one")).await.refused(409);
    app.patch(&path(&other), json!({"name": "other"}))
        .await
        .expect(200);
    make(&elsewhere, "one").await;
    app.delete(&path(&one)).await.expect(200);
    app.patch(&path(&other), json!({"name": "one"})).await.expect(200);
}

async fn twenty_at_once_make_one_webhook(db: Database) {
    let server = Server::start(db).await;
    let app = an_app(&server).await;
    let answers = join_all((0..20).map(|_| app.post("/webhooks", hook("wanted")))).await;
    let mut statuses: Vec<u16> = answers.iter().map(|answer| answer.status).collect();
    statuses.sort_unstable();
    assert_eq!(statuses[0], 201);
    assert!(statuses[1..].iter().all(|status| *status == 409), "{statuses:?}");
    assert_eq!(app.get("/webhooks").await.each("name"), ["wanted"]);
}

async fn a_repeated_request_answers_the_same(db: Database) {
    let server = Server::start(db).await;
    let app = an_app(&server).await;
    let send = |name: &str| {
        app.call(Method::POST, "/webhooks")
            .key("k1")
            .json(&hook(name))
            .send()
    };
    let first = send("once").await.expect(201);
    let second = send("once").await.expect(201);
    assert_eq!(second.header("idempotent-replayed"), Some("true"));
    assert_eq!(first.body, second.body);
    send("twice").await.refused(422);
    assert_eq!(app.get("/webhooks").await.each("name"), ["once"]);
    // A refusal is not kept: the key is free for the request put right.
    let taken = app
        .call(Method::POST, "/webhooks")
        .key("k2")
        .json(&hook("once"))
        .send()
        .await;
    taken.refused(409);
    let free = app
        .call(Method::POST, "/webhooks")
        .key("k2")
        .json(&hook("free"))
        .send()
        .await;
    free.expect(201);
}

async fn ids_that_are_none_and_ids_of_nobody(db: Database) {
    let server = Server::start(db).await;
    let api = server.api().await;
    let (app, other) = (api.app().await, api.app().await);
    let foreign = path(&make(&other, "foreign").await);
    let nobody = format!("/webhooks/{}", uuid::Uuid::new_v4());
    for (path, status) in [
        ("/webhooks/not-an-id", 400),
        (nobody.as_str(), 404),
        (foreign.as_str(), 404),
    ] {
        app.get(path).await.refused(status);
        app.patch(path, json!({"enabled": false})).await.refused(status);
        app.put(path, hook("x")).await.refused(status);
        app.delete(path).await.refused(status);
    }
    let told = app.get("/webhooks/not-an-id").await.refused(400);
    assert_eq!(told, "BAD_REQUEST: \"id\" must be a valid GUID");
    assert_eq!(other.get(&foreign).await.ok()["enabled"], true);
}

async fn strangers_learn_nothing(db: Database) {
    let server = Server::start(db).await;
    let app = an_app(&server).await;
    let made = make(&app, "mine").await;
    for path in ["/webhooks".to_owned(), "/webhooks/all".into(), path(&made)] {
        let refused = app.without_token().get(&path).await;
        refused.refused(401);
        assert_eq!(refused.body["message"], "Unauthorized");
        app.with_token("mst_no_such_token").get(&path).await.refused(401);
        server
            .api()
            .await
            .at_root(&app.root)
            .get(&path)
            .await
            .refused(403);
    }
    // Credentials are asked for before ids and bodies are looked at.
    app.without_token().get("/webhooks/not-an-id").await.refused(401);
    app.without_token()
        .post("/webhooks", json!({}))
        .await
        .refused(401);
}

async fn webhooks_go_with_their_app(db: Database) {
    let server = Server::start(db).await;
    let api = server.api().await;
    let app = api.app().await;
    make(&app, "mine").await;
    app.meeting().await.participant("ada").await;
    api.kit().delete(&format!("/apps/{}", app.id)).await.expect(200);
    app.get("/webhooks").await.refused(404);
    server.store().purge(server.app().now(), || false).await.unwrap();
    for table in ["webhooks", "presets", "participants", "meetings"] {
        let left = server
            .database()
            .number(format!("SELECT COUNT(*) FROM {table}"))
            .await;
        assert_eq!(left, 0, "{table}");
    }
}
