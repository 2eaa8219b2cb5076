//! What several files of scenarios need.

use std::time::Duration;

use muster_model::Timestamp;
use muster_testkit::{Answer, Api, Guest, eventually};
use muster_wire::{event, socket::chat};
use serde_json::{Value, json};

use super::Stage;

/// How long something that happens by itself may take.
pub(crate) const SOON: Duration = Duration::from_secs(20);

/// The live session, as it is told.
pub(crate) async fn live(stage: &Stage) -> Value {
    stage.meeting.get("/active-session").await.expect(200).ok()
}

/// The id in an answer.
#[track_caller]
pub(crate) fn id(of: &Value) -> String {
    text(&of["id"])
}

#[track_caller]
pub(crate) fn text(value: &Value) -> String {
    value
        .as_str()
        .unwrap_or_else(|| panic!("no text: {value}"))
        .to_owned()
}

/// A time in an answer, in milliseconds.
#[track_caller]
pub(crate) fn millis(value: &Value) -> i64 {
    text(value).parse::<Timestamp>().expect("a time").as_micros() / 1000
}

/// Has sessions of the meeting end that long after the last one left; the API knows no less than a minute.
/// It counts from the room's next beginning.
pub(crate) async fn keep_alive(stage: &Stage, secs: u32) {
    let sql = format!(
        "UPDATE meetings SET keep_alive_secs = {secs} WHERE id = '{}'",
        stage.meeting.id
    );
    assert_eq!(stage.server.database().execute(sql).await, 1);
}

/// Ends the session for all, from outside.
pub(crate) async fn kick_all(stage: &Stage) -> Answer {
    stage.meeting.post_empty("/active-session/kick-all").await
}

/// Waits until a session has ended; answers it.
pub(crate) async fn ended(app: &Api, session: &str) -> Value {
    let mut found = Value::Null;
    eventually("the session ends", SOON, async || {
        found = app.get(&format!("/sessions/{session}")).await.expect(200).ok();
        found["status"] == "ENDED"
    })
    .await;
    found
}

/// The stays in a session, the earliest first, with what happened to each peer.
pub(crate) async fn stays(app: &Api, session: &str) -> Vec<Value> {
    let path = format!("/sessions/{session}/participants?include_peer_events=true&sort_order=ASC");
    let list = app.get(&path).await.expect(200).ok();
    list["participants"].as_array().expect("participants").clone()
}

/// Makes a preset: the one of a host, with other permissions; answers its name.
pub(crate) async fn preset(app: &Api, name: &str, permissions: Value) -> String {
    let presets = app.get("/presets?search=group_call_host").await.expect(200).ok();
    let host = app
        .get(&format!("/presets/{}", id(&presets[0])))
        .await
        .expect(200)
        .ok();
    let body = json!({
        "name": name, "config": host["config"], "permissions": host["permissions"], "ui": host["ui"],
    });
    let made = app.post("/presets", body).await.expect(201).ok();
    let change = json!({"permissions": permissions});
    app.patch(&format!("/presets/{}", id(&made)), change)
        .await
        .expect(200);
    name.to_owned()
}

/// A link without the public address, which is not where tests find the server.
#[track_caller]
pub(crate) fn link_path(link: &str) -> String {
    let path = link.strip_prefix("https://api.localhost").expect("a public link");
    assert!(path.starts_with("/files/"), "{link}");
    path.to_owned()
}

/// Writes a text to some, and waits for the echo.
pub(crate) async fn whisper(from: &mut Guest, to: &[&Guest], words: &str) -> chat::ChatMessage {
    let sent = chat::SendChatMessageToPeersRequest {
        peer_ids: to.iter().map(|guest| guest.peer.clone()).collect(),
        payload_type: 0,
        payload: words.to_owned(),
    };
    from.tell(event::SEND_MESSAGE_TO_PEERS, &sent).await;
    from.hear::<chat::SendChatMessageToPeersResponse>(event::SEND_MESSAGE_TO_PEERS)
        .await
        .message
        .expect("a message")
}
