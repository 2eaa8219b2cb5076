//! Accounts and API tokens: credentials in every form, and how each failure is told.

use std::time::{Duration, Instant};

use http::Method;
use muster_model::token::Permission;
use muster_testkit::{Answer, Api, Call, Database, Muster, Server, both, eventually};
use serde_json::json;

both!(
    a_token_can_be_verified,
    the_account_of_the_token_is_listed,
    tokens_are_made_listed_and_revoked,
    only_an_admin_manages_tokens,
    a_token_ceases_at_its_expiry,
    the_command_line_revokes_beside_a_running_server,
    the_pair_of_headers_works_too,
    wrong_credentials_are_told_apart,
    who_asks_too_often_waits,
);

async fn a_token_can_be_verified(db: Database) {
    let server = Server::start(db).await;
    let api = server.api().await;
    let verified = api.get("/user/tokens/verify").await.expect(200);
    let id = verified.body["result"]["id"].as_str().unwrap();
    assert!(id.len() == 32 && id.bytes().all(|b| b.is_ascii_hexdigit()));
    assert_eq!(verified.body["result"]["status"], "active");
    assert_eq!(
        (
            &verified.body["success"],
            &verified.body["errors"],
            &verified.body["messages"]
        ),
        (&json!(true), &json!([]), &json!([]))
    );
    let unknown = api.with_token("muster_nonsense").get("/user/tokens/verify").await;
    unknown.refused(401);
    assert_eq!(unknown.code(), 10_000);
}

async fn the_account_of_the_token_is_listed(db: Database) {
    let server = Server::start(db).await;
    let (api, _other) = (server.api().await, server.api().await);
    let accounts = api.get("/accounts").await.expect(200);
    assert_eq!(accounts.body["result"].as_array().unwrap().len(), 1);
    assert_eq!(accounts.body["result"][0]["id"], json!(api.account));
    assert_eq!(accounts.body["result_info"]["total_count"], 1);
}

fn tokens(api: &Api) -> Api {
    api.at(&format!("/accounts/{}/realtime/tokens", api.account))
}

async fn tokens_are_made_listed_and_revoked(db: Database) {
    let server = Server::start(db).await;
    let api = server.api().await;
    let tokens = tokens(&api);
    let made = tokens
        .post(
            "",
            json!({"permission": "realtime", "name": "CI", "expires_in": 3600}),
        )
        .await
        .expect(201)
        .ok();
    let secret = made["secret"].as_str().unwrap().to_owned();
    assert!(secret.starts_with("muster_") && secret.len() > 40);
    assert_eq!(
        (&made["permission"], &made["name"]),
        (&json!("realtime"), &json!("CI"))
    );
    let list = tokens.get("").await.expect(200);
    assert_eq!(list.each("id").len(), 2);
    assert!(!list.text.contains(&secret) && !list.text.contains("secret") && !list.text.contains("hash"));
    assert_eq!(list.body["data"][1]["expires_at"], made["expires_at"]);
    let works = api.with_token(&secret);
    works.kit().get("/apps").await.expect(200);

    let path = format!("/{}", made["id"].as_str().unwrap());
    let revoked = tokens.delete(&path).await.expect(200).ok();
    assert_eq!(revoked["id"], made["id"]);
    works.kit().get("/apps").await.refused(401);
    assert_eq!(tokens.get("").await.each("id").len(), 1);
    for unknown in [uuid::Uuid::new_v4().to_string(), "nonsense".into()] {
        assert_eq!(
            tokens.delete(&format!("/{unknown}")).await.refused(404),
            "Token not found"
        );
    }
    // Another account's token is not to be found.
    let stranger = server.api().await;
    let other = stranger.at(&format!("/accounts/{}/realtime/tokens", stranger.account));
    other.delete(&path).await.refused(404);
    let mine = tokens.get("").await.each("id").remove(0);
    other.delete(&format!("/{mine}")).await.refused(404);
    tokens.get("").await.expect(200);
    for (body, fields) in [
        (json!({}), vec!["permission"]),
        (
            json!({"permission": "root", "name": "", "expires_in": 0}),
            vec!["expires_in", "name", "permission"],
        ),
        (
            json!({"permission": "realtime", "expires_in": 1.5}),
            vec!["expires_in"],
        ),
    ] {
        let refused = tokens.post("", body.clone()).await;
        refused.refused(400);
        assert_eq!(refused.fields(), fields, "{body}");
    }
}

async fn only_an_admin_manages_tokens(db: Database) {
    let server = Server::start(db).await;
    let admin = server.api().await;
    let (id, secret) = server.token(&admin.account, Permission::Realtime, None).await;
    let plain = admin.with_token(secret);
    let tokens = tokens(&plain);
    for answer in [
        tokens.get("").await,
        tokens.post("", json!({"permission": "realtime-admin"})).await,
        tokens.delete(&format!("/{id}")).await,
    ] {
        answer.refused(403);
        assert_eq!(answer.code(), 10_000);
    }
    // Everything else is open to it, writes too.
    let app = plain.app().await;
    app.meeting().await.participant("ada").await;
    plain.get("/user/tokens/verify").await.expect(200);
}

async fn a_token_ceases_at_its_expiry(db: Database) {
    let server = Server::start(db).await;
    let api = server.api().await;
    let (_, secret) = server
        .token(&api.account, Permission::Realtime, Some(Duration::from_secs(2)))
        .await;
    let brief = api.with_token(secret);
    let made = Instant::now();
    brief.kit().get("/apps").await.expect(200);
    eventually("it is refused", Duration::from_secs(4), async || {
        brief.kit().get("/apps").await.status == 401
    })
    .await;
    assert!(made.elapsed() > Duration::from_millis(1_800));
}

async fn the_command_line_revokes_beside_a_running_server(db: Database) {
    let muster = Muster::new(db).await;
    let server = muster.serve(&[]);
    let account = "0123456789abcdef0123456789abcdef";
    let (id, secret) = muster.token(account, "realtime");
    let api = Api::new(&server.origin, account, secret);
    let app = api.app().await;
    let listed = muster.run(&["token", "list", "--account-id", account]);
    assert!(listed.stdout.contains(&id), "{}", listed.stdout);
    // The token is in the server's memory when it is revoked.
    app.get("/meetings").await.expect(200);
    let revoked = muster.run(&["token", "revoke", &id]);
    assert_eq!(revoked.code, Some(0), "{}", revoked.stderr);
    eventually("it is refused", Duration::from_secs(1), async || {
        app.get("/meetings").await.status == 401
    })
    .await;
    app.get("/meetings").await.refused(401);
    assert!(!muster.run(&["token", "list"]).stdout.contains(&id));
    let unknown = muster.run(&["token", "revoke", &uuid::Uuid::new_v4().to_string()]);
    assert_eq!(
        (unknown.code, unknown.stderr.lines().count()),
        (Some(1), 1),
        "{}",
        unknown.stderr
    );
}

fn with(api: &Api, headers: &[(&str, &str)]) -> Call {
    let mut call = api.without_token().kit().call(Method::GET, "/apps");
    for (name, value) in headers {
        call = call.header(name, value);
    }
    call
}

async fn the_pair_of_headers_works_too(db: Database) {
    let server = Server::start(db).await;
    let api = server.api().await;
    let key = api.token.clone().unwrap();
    let bearer = format!("Bearer {key}");
    let email = ("x-auth-email", "ada@example.test");
    let asked = async |headers: &[(&str, &str)]| with(&api, headers).send().await;
    for good in [
        vec![email, ("x-auth-key", &key)],
        vec![("authorization", &bearer), email],
        vec![("authorization", &bearer), ("x-auth-key", "wrong")],
        vec![("authorization", &format!("bearer  {key}"))],
    ] {
        asked(&good).await.expect(200);
    }
    // With both given only Bearer counts: nothing falls through.
    let wrong = asked(&[("authorization", "Bearer wrong"), email, ("x-auth-key", &key)]).await;
    wrong.refused(401);
    assert_eq!(wrong.code(), 10_000);
    asked(&[email, ("x-auth-key", "wrong")]).await.refused(401);
}

async fn wrong_credentials_are_told_apart(db: Database) {
    let server = Server::start(db).await;
    let api = server.api().await;
    let key = api.token.clone().unwrap();
    let chain = |answer: &Answer| {
        answer.body["errors"][0]["error_chain"][0]["code"]
            .as_u64()
            .unwrap_or(0)
    };

    let none = with(&api, &[]).send().await;
    none.refused(401);
    assert_eq!(
        (none.code(), &none.body["message"], &none.body["result"]),
        (9106, &json!("Unauthorized"), &json!(null))
    );
    assert_eq!(none.header("www-authenticate"), Some("Bearer"));
    for authorization in ["Basic YTpi", "Bearer", "Bearer ", "Bearer a b", &key, "\u{ff}"] {
        let refused = with(&api, &[("authorization", authorization)]).send().await;
        refused.refused(400);
        assert_eq!((refused.code(), chain(&refused)), (6003, 6111), "{authorization}");
    }
    for (email, code) in [("nobody", 6102), ("@x", 6102), ("a@", 6102), ("a b@c", 6102)] {
        let refused = with(&api, &[("x-auth-email", email), ("x-auth-key", &key)])
            .send()
            .await;
        refused.refused(400);
        assert_eq!((refused.code(), chain(&refused)), (6003, code), "{email}");
    }
    let keyless = with(&api, &[("x-auth-email", "a@b")]).send().await;
    assert_eq!(
        keyless.refused(401),
        "Missing X-Auth-Key, X-Auth-Email or Authorization headers"
    );
    let spaced = with(&api, &[("x-auth-email", "a@b"), ("x-auth-key", "a b")])
        .send()
        .await;
    spaced.refused(400);
    assert_eq!((spaced.code(), chain(&spaced)), (6003, 6103));
    for unknown in ["muster_x", "x", "eyJhbGciOiJub25lIn0.e30.", "eyJ"] {
        let refused = with(&api, &[("authorization", &format!("Bearer {unknown}"))])
            .send()
            .await;
        refused.refused(401);
        assert_eq!(refused.code(), 10_000, "{unknown}");
    }
    let elsewhere = api.at("/accounts/someone-else/realtime/kit").get("/apps").await;
    elsewhere.refused(403);
    assert_eq!(elsewhere.code(), 10_000);
    let lost = api.get("/nowhere").await;
    lost.refused(404);
    assert_eq!(lost.code(), 7003);
    let method = api.kit().call(Method::PUT, "/apps").send().await;
    method.refused(405);
    assert_eq!(method.code(), 7001);
}

async fn who_asks_too_often_waits(db: Database) {
    let server = Server::builder(db)
        .with(|s| s.rate_limit_per_minute = Some(5))
        .start()
        .await;
    let (busy, calm) = (server.api().await, server.api().await);
    for _ in 0..5 {
        busy.kit().get("/apps").await.expect(200);
    }
    let refused = busy.kit().get("/apps").await;
    refused.refused(429);
    assert_eq!(refused.code(), 971);
    let wait: u64 = refused.header("retry-after").unwrap().parse().unwrap();
    assert!((1..=60).contains(&wait), "{wait}");
    // Each token has a measure of its own, and whoever is unknown is told so.
    calm.kit().get("/apps").await.expect(200);
    for _ in 0..10 {
        busy.with_token("muster_wrong")
            .kit()
            .get("/apps")
            .await
            .refused(401);
    }
}
