//! Live rooms, by fake participants over real sockets.

mod breakout;
mod broadcast;
mod chat;
mod chat_kept;
mod crash;
mod kit;
mod media;
mod moderation;
mod nodes;
mod permissions;
mod polls;
mod presence;
mod producers;
mod reconnect;
mod records;
mod rest_actions;
mod sockets;
mod stage;
mod stores;
mod waiting;
mod webhooks;

use muster_testkit::{Api, Server};
use serde_json::json;

/// Somebody comes in: the next that a guest is told of.
pub(crate) async fn hear_join(guest: &mut muster_testkit::Guest) -> muster_wire::socket::room::Peer {
    guest
        .hear::<muster_wire::socket::room::PeerInfoResponse>(muster_wire::event::JOIN_ROOM)
        .await
        .peer
        .expect("a peer")
}

/// Somebody went: the next that a guest is told of.
pub(crate) async fn hear_leave(guest: &mut muster_testkit::Guest) -> String {
    guest
        .hear::<muster_wire::socket::room::PeerInfoResponse>(muster_wire::event::LEAVE_ROOM)
        .await
        .peer
        .expect("a peer")
        .peer_id
}

/// The ids of all inside, sorted.
pub(crate) async fn inside(guest: &mut muster_testkit::Guest) -> Vec<String> {
    let mut ids: Vec<String> = guest.peers().await.into_iter().map(|peer| peer.peer_id).collect();
    ids.sort();
    ids
}

/// Ids of guests, sorted.
pub(crate) fn ids(guests: &[&muster_testkit::Guest]) -> Vec<String> {
    let mut ids: Vec<String> = guests.iter().map(|guest| guest.peer.clone()).collect();
    ids.sort();
    ids
}

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

    /// On a server that lets lost connections come back within so many seconds.
    pub(crate) async fn with_grace(db: muster_testkit::Database, seconds: u64) -> Self {
        let server = Server::builder(db).with(|settings| settings.reconnect_grace_secs = Some(seconds));
        Self::on(server.start().await).await
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

    /// A preset made from those of a plain group call.
    pub(crate) async fn preset(&self, name: &str, config: serde_json::Value, permissions: serde_json::Value) {
        let body = json!({"name": name, "config": config, "permissions": permissions});
        self.app.post("/presets", body).await.expect(201);
    }

    /// The live session, as REST tells it.
    pub(crate) async fn live(&self) -> serde_json::Value {
        self.meeting.get("/active-session").await.expect(200).ok()
    }

    pub(crate) async fn participant(&self, name: &str) -> String {
        self.token(name, "group_call_participant").await
    }
}
