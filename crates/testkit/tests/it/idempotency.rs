//! `Idempotency-Key`: a repeated POST answers what the first one answered, in each state it can be in.

use std::time::Duration;

use futures::future::join_all;
use http::Method;
use muster_model::{Timestamp, token::Permission};
use muster_testkit::{Answer, Api, Database, Server, both, eventually};
use serde_json::{Value, json};

both!(
    a_repetition_answers_the_same,
    another_body_is_refused,
    only_one_of_those_in_flight_goes_on,
    failures_are_not_kept,
    token_app_and_path_each_have_their_own_keys,
    a_key_has_a_bounded_length,
    every_post_takes_a_key,
    an_app_keeps_a_bounded_number,
    answers_are_purged_after_a_day,
    a_repetition_after_a_restart_answers_the_same,
);

async fn post(at: &Api, path: &str, key: &str, body: &Value) -> Answer {
    at.call(Method::POST, path).key(key).json(body).send().await
}

fn ada() -> Value {
    json!({"custom_participant_id": "ada", "preset_name": "group_call_host", "name": "Ada"})
}

fn replayed(answer: &Answer) -> bool {
    answer.header("idempotent-replayed") == Some("true")
}

async fn a_repetition_answers_the_same(db: Database) {
    let server = Server::start(db).await;
    let app = server.api().await.app().await;
    let first = post(&app, "/meetings", "k1", &json!({"title": "t"}))
        .await
        .expect(201);
    let again = post(&app, "/meetings", "k1", &json!({"title": "t"}))
        .await
        .expect(201);
    assert_eq!(first.text, again.text);
    assert_eq!((replayed(&first), replayed(&again)), (false, true));
    assert_eq!(again.header("content-type"), Some("application/json"));
    assert_eq!(app.get("/meetings").await.paging().0, 1);
    post(&app, "/meetings", "k2", &json!({"title": "t"}))
        .await
        .expect(201);
    assert_eq!(app.get("/meetings").await.paging().0, 2);
    // The same path with a slash at its end, and without the prefix, is the same operation.
    assert_eq!(
        post(&app, "/meetings/", "k1", &json!({"title": "t"})).await.text,
        first.text
    );
    let short = app.at_root(app.root.strip_prefix("/client/v4").unwrap());
    assert_eq!(
        post(&short, "/meetings", "k1", &json!({"title": "t"})).await.text,
        first.text
    );

    // A participant's token is repeated, too: sealed where it is kept.
    let meeting = app.meeting().await;
    let made = post(&meeting, "/participants", "p", &ada()).await.expect(201);
    assert_eq!(
        post(&meeting, "/participants", "p", &ada())
            .await
            .expect(201)
            .text,
        made.text
    );
    let token = made.body["data"]["token"].as_str().unwrap();
    if db == Database::Postgres {
        let hex = muster_server::auth::api_token::hex(token.as_bytes());
        let sql = format!(
            "SELECT COUNT(*) FROM idempotency_keys t WHERE t::text LIKE '%{token}%' OR t::text LIKE '%{hex}%'"
        );
        assert_eq!(server.database().number(sql).await, 0);
    } else {
        for bytes in server.files() {
            assert!(!bytes.windows(token.len()).any(|w| w == token.as_bytes()));
        }
    }
}

async fn another_body_is_refused(db: Database) {
    let server = Server::start(db).await;
    let app = server.api().await.app().await;
    post(&app, "/meetings", "k", &json!({"title": "a"}))
        .await
        .expect(201);
    let other = post(&app, "/meetings", "k", &json!({"title": "b"})).await;
    assert!(other.refused(422).contains("another body"));
    post(&app, "/meetings", "k", &json!({"title": "a"}))
        .await
        .expect(201);
    assert_eq!(app.get("/meetings").await.paging().0, 1);
}

async fn only_one_of_those_in_flight_goes_on(db: Database) {
    let server = Server::start(db).await;
    let meeting = server.api().await.app().await.meeting().await;
    for round in 0..5 {
        let key = format!("k{round}");
        let body = json!({"custom_participant_id": key, "preset_name": "group_call_host"});
        let answers = join_all((0..16).map(|_| post(&meeting, "/participants", &key, &body))).await;
        let mut texts = Vec::new();
        for answer in answers {
            if answer.status == 201 {
                texts.push(answer.text);
            } else {
                assert!(answer.refused(409).contains("in flight"));
                // Unlike other conflicts: asked again, it answers what the first one did.
                assert_eq!(
                    (answer.header("x-should-retry"), answer.header("retry-after")),
                    (None, Some("1"))
                );
            }
        }
        texts.dedup();
        assert_eq!(texts.len(), 1, "one token for all");
        assert_eq!(meeting.get("/participants").await.paging().0, round + 1);
    }
}

async fn failures_are_not_kept(db: Database) {
    let server = Server::start(db).await;
    let meeting = server.api().await.app().await.meeting().await;
    let mut body = ada();
    body["preset_name"] = json!("later");
    post(&meeting, "/participants", "k", &body).await.refused(404);
    post(&meeting, "/participants", "k", &json!({}))
        .await
        .refused(400);
    let rename = "UPDATE presets SET name = 'later' WHERE name = 'group_call_guest'";
    assert_eq!(server.database().execute(rename).await, 1);
    assert!(!replayed(
        &post(&meeting, "/participants", "k", &body).await.expect(201)
    ));
    assert!(replayed(
        &post(&meeting, "/participants", "k", &body).await.expect(201)
    ));
}

async fn token_app_and_path_each_have_their_own_keys(db: Database) {
    let server = Server::start(db).await;
    let api = server.api().await;
    let (_, secret) = server.token(&api.account, Permission::Realtime, None).await;
    let (one, two) = (api.app().await, api.app().await);
    let body = json!({"title": "t"});
    let answers = [
        post(&one, "/meetings", "k", &body).await.expect(201),
        post(&two, "/meetings", "k", &body).await.expect(201),
        post(&one.with_token(secret), "/meetings", "k", &body)
            .await
            .expect(201),
        post(&api.kit(), "/apps", "k", &json!({"name": "n"}))
            .await
            .expect(200),
        post(&one.meeting().await, "/participants", "k", &ada())
            .await
            .expect(201),
        post(&one.meeting().await, "/participants", "k", &ada())
            .await
            .expect(201),
    ];
    assert!(!answers.iter().any(replayed));
    assert_eq!(one.get("/meetings").await.paging().0, 4);
    let count = server
        .database()
        .number("SELECT COUNT(*) FROM idempotency_keys")
        .await;
    assert_eq!(count, 6);
}

async fn a_key_has_a_bounded_length(db: Database) {
    let server = Server::start(db).await;
    let app = server.api().await.app().await;
    post(&app, "/meetings", &"k".repeat(255), &json!({}))
        .await
        .expect(201);
    for wrong in [&"k".repeat(256), "", "   "] {
        let refused = post(&app, "/meetings", wrong, &json!({})).await;
        refused.refused(400);
        assert_eq!(refused.fields(), ["Idempotency-Key"]);
    }
    assert_eq!(app.get("/meetings").await.paging().0, 1);
}

async fn every_post_takes_a_key(db: Database) {
    let server = Server::start(db).await;
    let api = server.api().await;
    let app = post(&api.kit(), "/apps", "k", &json!({"name": "n"}))
        .await
        .expect(200);
    assert_eq!(
        post(&api.kit(), "/apps", "k", &json!({"name": "n"})).await.text,
        app.text
    );
    assert_eq!(api.kit().get("/apps").await.paging().0, 1);

    let tokens = api.at(&format!("/accounts/{}/realtime/tokens", api.account));
    let made = post(&tokens, "", "k", &json!({"permission": "realtime"}))
        .await
        .expect(201);
    assert_eq!(
        post(&tokens, "", "k", &json!({"permission": "realtime"}))
            .await
            .text,
        made.text
    );
    assert_eq!(tokens.get("").await.each("id").len(), 2);

    let meeting = api.app().await.meeting().await;
    let id = meeting.participant("ada").await["id"]
        .as_str()
        .unwrap()
        .to_owned();
    let path = format!("/participants/{id}/token");
    let refreshed = meeting
        .call(Method::POST, &path)
        .key("k")
        .send()
        .await
        .expect(200);
    let again = meeting
        .call(Method::POST, &path)
        .key("k")
        .send()
        .await
        .expect(200);
    assert_eq!(again.text, refreshed.text);
    let other = post(&meeting, &path, "k", &json!({"expires_in": 5})).await;
    other.refused(422);
    // Where a method is repeatable by itself the header is ignored.
    for _ in 0..2 {
        let put = meeting
            .call(Method::PUT, "")
            .key("k")
            .json(&json!({"title": "x"}));
        assert!(!replayed(&put.send().await.expect(200)));
    }
}

async fn an_app_keeps_a_bounded_number(db: Database) {
    let server = Server::start(db).await;
    let app = server.api().await.app().await;
    let count = async || {
        server
            .database()
            .number("SELECT COUNT(*) FROM idempotency_keys")
            .await
    };
    let first = post(&app, "/meetings", "first", &json!({})).await.expect(201);
    // 9,999 younger ones make it the oldest of 10,000, another app's do not count.
    let now = Timestamp::now().as_micros();
    for (owner, rows) in [(app.id.as_str(), 9_999), ("another-app", 50)] {
        let values: Vec<String> = (0..rows)
            .map(|i| {
                format!(
                    "('{owner}-{i}', '{owner}', 'f', 201, {}, {})",
                    empty_bytes(db),
                    now + i
                )
            })
            .collect();
        for piece in values.chunks(1000) {
            let sql = format!(
                "INSERT INTO idempotency_keys (id, owner, fingerprint, status, body, created_at) VALUES {}",
                piece.join(", ")
            );
            server.database().execute(sql).await;
        }
    }
    assert_eq!(count().await, 10_050);
    assert_eq!(
        post(&app, "/meetings", "first", &json!({}))
            .await
            .expect(201)
            .text,
        first.text
    );
    post(&app, "/meetings", "second", &json!({})).await.expect(201);
    assert_eq!(count().await, 10_050, "the oldest made room");
    assert!(!replayed(
        &post(&app, "/meetings", "first", &json!({})).await.expect(201)
    ));
}

fn empty_bytes(db: Database) -> &'static str {
    match db {
        Database::Sqlite => "x''",
        Database::Postgres => "''::bytea",
    }
}

async fn answers_are_purged_after_a_day(db: Database) {
    let server = Server::start(db).await;
    let app = server.api().await.app().await;
    post(&app, "/meetings", "k", &json!({})).await.expect(201);
    let later = |hours: u64| Timestamp::now().plus(Duration::from_secs(hours * 3600));
    server.store().purge(later(23), || false).await.unwrap();
    assert!(replayed(
        &post(&app, "/meetings", "k", &json!({})).await.expect(201)
    ));
    server.store().purge(later(25), || false).await.unwrap();
    assert!(!replayed(
        &post(&app, "/meetings", "k", &json!({})).await.expect(201)
    ));
    assert_eq!(app.get("/meetings").await.paging().0, 2);
    // The server's own job does the same.
    let day_ago = Timestamp::now().minus(Duration::from_secs(25 * 3600)).as_micros();
    server
        .database()
        .execute(format!("UPDATE idempotency_keys SET created_at = {day_ago}"))
        .await;
    server.app().purge_soon();
    eventually("the job purges", Duration::from_secs(10), async || {
        server
            .database()
            .number("SELECT COUNT(*) FROM idempotency_keys")
            .await
            == 0
    })
    .await;
}

async fn a_repetition_after_a_restart_answers_the_same(db: Database) {
    let mut server = Server::start(db).await;
    let meeting = server.api().await.app().await.meeting().await;
    let first = post(&meeting, "/participants", "k", &ada()).await.expect(201);
    server.restart(|_| ()).await;
    let meeting = meeting.on(server.origin());
    let again = post(&meeting, "/participants", "k", &ada()).await.expect(201);
    assert_eq!(first.text, again.text);
    assert!(replayed(&again));
}
