//! Live rooms, by fake participants over real sockets.

mod breakout;
mod broadcast;
mod chat;
mod kit;
mod media;
mod permissions;
mod polls;
mod presence;
mod records;
mod stores;
mod webhooks;

use muster_testkit::{Api, Server};
use serde_json::json;

/// A meeting on a server, and tokens for it.
pub(crate) struct Stage {
    pub(crate) server: Server,
    /// At the app.
    pub(crate) app: Api,
    /// At the meeting.
    pub(crate) meeting: Api,
}

impl Stage {
    pub(crate) async fn new(db: muster_testkit::Database) -> Self {
        Self::on(Server::start(db).await).await
    }

    pub(crate) async fn on(server: Server) -> Self {
        let app = server.api().await.app().await;
        let meeting = app.meeting().await;
        Self { server, app, meeting }
    }

    pub(crate) fn origin(&self) -> String {
        self.server.origin()
    }

    /// A token for somebody with a preset.
    pub(crate) async fn token(&self, name: &str, preset: &str) -> String {
        let body = json!({"name": name, "custom_participant_id": name, "preset_name": preset});
        let added = self.meeting.post("/participants", body).await.expect(201);
        added.body["data"]["token"].as_str().expect("a token").to_owned()
    }

    pub(crate) async fn host(&self, name: &str) -> String {
        self.token(name, "group_call_host").await
    }

    pub(crate) async fn participant(&self, name: &str) -> String {
        self.token(name, "group_call_participant").await
    }
}
