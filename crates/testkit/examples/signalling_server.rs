//! A server for clients of other languages that test signalling: media is answered, and none flows.
//!
//! Prints one line of JSON once it serves, and ends with its standard input or on SIGTERM. It runs on
//! SQLite, or on PostgreSQL with `MUSTER_TEST_STORE=postgres`; either is removed with it.
#![allow(clippy::unwrap_used, clippy::expect_used)]

use std::time::Duration;

use muster_model::Timestamp;
use muster_testkit::{Api, Database, Server};
use serde_json::{Value, json};
use tokio::{signal::unix, sync::oneshot};

/// What clients put `api.` and `socket-edge.` before. It resolves nowhere.
const BASE_DOMAIN: &str = "muster.test";

#[tokio::main]
async fn main() {
    let server = Server::builder(database())
        .with(|settings| {
            settings.base_domain = Some(BASE_DOMAIN.to_owned());
            // Links of chat files then begin with the name by which clients know the server.
            settings.public_url = Some(format!("https://api.{BASE_DOMAIN}").parse().expect("an address"));
        })
        .start()
        .await;
    let api = server.api().await;
    let app = api.app().await;
    let about = json!({
        "origin": server.origin(),
        "base_domain": BASE_DOMAIN,
        "account_id": api.account,
        "api_token": api.token,
        "app_id": app.id,
        "expired_token": expired_token(&server, &app).await,
    });
    println!("{about}");
    told_to_end().await;
    server.stop().await;
}

fn database() -> Database {
    match std::env::var("MUSTER_TEST_STORE").as_deref() {
        Err(_) | Ok("sqlite") => Database::Sqlite,
        Ok("postgres") => Database::Postgres,
        Ok(other) => panic!("MUSTER_TEST_STORE is {other}, neither sqlite nor postgres"),
    }
}

/// A token of a participant that exists, which held until a second ago.
async fn expired_token(server: &Server, app: &Api) -> String {
    let meeting = app.meeting().await;
    let participant = meeting.participant("late").await;
    let id = |value: &Value| value.as_str().expect("an id").parse().expect("an id");
    let preset = app.get("/presets").await.ok()[0]["id"].clone();
    let (hour, now) = (Duration::from_secs(3600), Timestamp::now());
    let signed_at = Timestamp::from_secs(now.as_secs() - 3601);
    server
        .app()
        .participant_tokens
        .sign_for(
            app.id.parse().expect("an id"),
            meeting.id.parse().expect("an id"),
            id(&participant["id"]),
            preset.as_str().expect("an id").parse().expect("an id"),
            hour,
            signed_at,
        )
        .expect("a token")
        .token
}

async fn told_to_end() {
    let mut terminated = unix::signal(unix::SignalKind::terminate()).expect("a signal");
    // A thread of its own: a read of standard input cannot be given up.
    let (closed, input) = oneshot::channel();
    std::thread::spawn(move || {
        let _ = std::io::copy(&mut std::io::stdin().lock(), &mut std::io::sink());
        let _ = closed.send(());
    });
    tokio::select! {
        _ = terminated.recv() => {}
        _ = input => {}
    }
}
