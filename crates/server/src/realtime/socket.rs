//! `GET /ws`: checks who connects and upgrades, then carries frames between the socket and its room
//! (PROTOCOL d).

use std::{collections::VecDeque, pin::pin, sync::Arc, time::Duration};

use axum::{
    Extension,
    extract::{Query, State, ws::WebSocketUpgrade},
    response::Response,
};
use bytes::Bytes;
use http::HeaderMap;
use hyper::upgrade::OnUpgrade;
use muster_model::{MeetingId, PeerId, meeting::MeetingStatus};
use muster_room::{Connect, ConnectionId, Disconnect};
use muster_store::joining::{Joiner, PeerIdUse};
use muster_wire::frame::{self, Frame};
use serde::Deserialize;
use tokio::time::{Instant, MissedTickBehavior, interval_at};
use tokio_tungstenite::tungstenite::{self, Message};

use super::{
    codec,
    outbox::{CloseCode, Outbox},
    websocket::{self, Socket},
};
use crate::{api::error::ApiError, app::App, client_api::caller::joiner, rooms::RoomHandle};

/// Bytes of one message from a client.
const MAX_MESSAGE: usize = frame::MAX_FRAME;
/// Room for so many frames is kept from one write to the next.
const KEPT_FRAMES: usize = 32;
/// How often a client in ping mode is asked for a sign of life; it closes after 30 s without one of ours.
const PING_EVERY: Duration = Duration::from_secs(10);
/// Without a frame from the client for so long, its connection counts as lost. Clients send each 15 s at
/// least.
const SILENT_AFTER: Duration = Duration::from_secs(45);
/// After a write that took so long the client has shown that it is there, though it was not listened to.
const LONG_WRITE: Duration = Duration::from_secs(10);
/// How long the client has to take the last frames and answer the close.
const CLOSE_TIMEOUT: Duration = Duration::from_secs(2);

/// The query of the socket's address. Further names are of no use here.
#[derive(Deserialize)]
pub struct SocketQuery {
    #[serde(rename = "roomID")]
    room: String,
    #[serde(rename = "peerID")]
    peer: String,
    #[serde(rename = "authToken")]
    token: String,
    ping: Option<String>,
    capabilities: Option<String>,
}

/// `2` among the capabilities: the server pings (`CAPABILITIES_PING`).
fn wants_pings(query: &SocketQuery) -> bool {
    query.ping.as_deref() == Some("true")
        || query
            .capabilities
            .as_deref()
            .is_some_and(|list| list.split([' ', ',', '+']).any(|capability| capability == "2"))
}

/// The handler of `GET /ws`.
pub async fn upgrade(
    State(app): State<App>,
    Query(query): Query<SocketQuery>,
    upgrading: Option<Extension<OnUpgrade>>,
    headers: HeaderMap,
    checked: WebSocketUpgrade,
) -> Result<Response, ApiError> {
    if app.is_stopping() {
        return Err(ApiError::unavailable("The server is stopping"));
    }
    let pings = wants_pings(&query);
    let visitor = Visitor::check(&app, &query).await?;
    let Extension(upgrading) =
        upgrading.ok_or_else(|| ApiError::fault("Connection", "cannot be upgraded"))?;
    let (response, opened) = websocket::accept(&checked, &headers, upgrading, MAX_MESSAGE)?;
    // The upgraded socket outlives the request, and the server's stop waits for it.
    let tracked = app.sockets.token();
    tokio::spawn(async move {
        let _tracked = tracked;
        match opened.await {
            Ok(socket) => visitor.visit(app, socket, pings).await,
            Err(error) => tracing::debug!(%error, "a connection was not upgraded"),
        }
    });
    Ok(response)
}

/// Somebody whose token opens the room.
struct Visitor {
    joiner: Joiner,
    peer: PeerId,
    /// What the stay is kept under.
    record: PeerId,
}

impl Visitor {
    async fn check(app: &App, query: &SocketQuery) -> Result<Self, ApiError> {
        let claims = app
            .participant_tokens
            .verify(&query.token)
            .map_err(|_| ApiError::unauthenticated())?;
        if query.room.parse::<MeetingId>() != Ok(claims.meeting) {
            return Err(ApiError::forbidden());
        }
        let peer: PeerId = query
            .peer
            .parse()
            .map_err(|_| ApiError::fault("peerID", "must be a UUID"))?;
        let banned = || ApiError::forbidden_because("The participant was removed from the meeting");
        let joiner = joiner(app, &claims, banned).await?;
        let found = app
            .store
            .peer_id_use(&joiner.at, claims.participant, peer)
            .await?;
        let record = match found {
            PeerIdUse::Free => peer,
            PeerIdUse::Here(record) => record,
            PeerIdUse::Elsewhere => PeerId::random(),
            PeerIdUse::Foreign => return Err(ApiError::forbidden_because("The peer id is taken")),
        };
        if joiner.meeting.status == MeetingStatus::Inactive {
            // Those inside are not sent away, so one who lost its connection may come back.
            let stays = match found {
                PeerIdUse::Here(record) => app.store.stays(record).await?,
                _ => false,
            };
            if !stays {
                return Err(ApiError::forbidden_because("The meeting is inactive"));
            }
        }
        Ok(Self { joiner, peer, record })
    }

    async fn visit(self, app: App, socket: Socket, pings: bool) {
        let outbox = Arc::new(Outbox::default());
        let connection = app.rooms.next_connection();
        let (at, parent) = (self.joiner.at, self.joiner.meeting.parent);
        let connect = Connect {
            peer: self.peer,
            connection,
            person: Arc::new(self.joiner.person),
            record: self.record,
        };
        let mut line = Line {
            socket,
            outbox: outbox.clone(),
            last_heard: Instant::now(),
            last_written: Instant::now(),
        };
        match app.rooms.connect(&app, &at, parent, connect, outbox).await {
            Ok(room) => {
                app.metrics.sockets.increment(1.0);
                let how = line.carry(&app, &room, self.peer, connection, pings).await;
                app.metrics.sockets.decrement(1.0);
                room.disconnected(self.peer, connection, how).await;
            }
            Err(error) => {
                tracing::warn!(meeting = %at.meeting, %error, "no room for a connection");
                line.end(CloseCode::RoomFailed).await;
            }
        }
    }
}

/// One open socket.
struct Line {
    socket: Socket,
    outbox: Arc<Outbox>,
    last_heard: Instant,
    last_written: Instant,
}

/// What a frame from the client asks of the connection itself.
enum Heard {
    /// Nothing more.
    Fine,
    /// It is over, and how.
    Over(Disconnect),
}

impl Line {
    /// Carries frames both ways until either side ends it; tells how it ended.
    async fn carry(
        &mut self,
        app: &App,
        room: &RoomHandle,
        peer: PeerId,
        connection: ConnectionId,
        pings: bool,
    ) -> Disconnect {
        let mut ticks = interval_at(Instant::now() + PING_EVERY, PING_EVERY);
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        // Waited for once, not anew with each frame: all sockets share the lock that a new wait takes.
        let mut stopped = pin!(app.stop.cancelled());
        let mut frames = VecDeque::new();
        loop {
            tokio::select! {
                message = self.socket.recv() => {
                    let Some(Ok(message)) = message else { return Disconnect::Lost };
                    self.last_heard = Instant::now();
                    if let Heard::Over(how) = self.hear(app, room, peer, connection, message).await {
                        return how;
                    }
                }
                close = self.outbox.take(&mut frames, self.last_written) => {
                    if !self.write(frames.drain(..)).await {
                        self.end(CloseCode::TryLater).await;
                        return Disconnect::Lost;
                    }
                    if frames.capacity() > KEPT_FRAMES {
                        frames = VecDeque::new();
                    }
                    if let Some(code) = close {
                        self.end(code).await;
                        return if code == CloseCode::Final { Disconnect::Left } else { Disconnect::Lost };
                    }
                }
                _ = ticks.tick() => {
                    if self.last_heard.elapsed() > SILENT_AFTER {
                        self.end(CloseCode::Silent).await;
                        return Disconnect::Lost;
                    }
                    if pings && !self.write_text(frame::PING).await {
                        return Disconnect::Lost;
                    }
                }
                () = &mut stopped => {
                    self.end(CloseCode::Restarting).await;
                    return Disconnect::Lost;
                }
            }
        }
    }

    async fn hear(
        &mut self,
        app: &App,
        room: &RoomHandle,
        peer: PeerId,
        connection: ConnectionId,
        message: Message,
    ) -> Heard {
        match message {
            Message::Binary(bytes) => self.hear_frame(app, room, peer, connection, bytes).await,
            Message::Text(text) if text.as_str() == frame::PING => {
                if self.write_text(frame::PONG).await {
                    Heard::Fine
                } else {
                    Heard::Over(Disconnect::Lost)
                }
            }
            // A pong, or nothing that the protocol knows.
            Message::Text(_) | Message::Ping(_) | Message::Pong(_) | Message::Frame(_) => Heard::Fine,
            Message::Close(close) => {
                // tungstenite answers the close when it is next flushed.
                let _ = tokio::time::timeout(CLOSE_TIMEOUT, self.socket.flush()).await;
                let left = close.is_some_and(|close| u16::from(close.code) == CloseCode::Final as u16);
                Heard::Over(if left { Disconnect::Left } else { Disconnect::Lost })
            }
        }
    }

    async fn hear_frame(
        &mut self,
        app: &App,
        room: &RoomHandle,
        peer: PeerId,
        connection: ConnectionId,
        bytes: Bytes,
    ) -> Heard {
        let frame = match Frame::decode(&bytes) {
            Ok(frame) => frame,
            Err(error) => {
                app.metrics.frames_dropped.increment(1);
                tracing::debug!(%peer, %error, "a frame does not read");
                return Heard::Fine;
            }
        };
        match codec::decode(&frame) {
            Ok(decoded) => {
                if room.request(peer, connection, &frame, decoded).await {
                    Heard::Fine
                } else {
                    // The room is gone; the client comes back and finds another.
                    self.end(CloseCode::RoomFailed).await;
                    Heard::Over(Disconnect::Lost)
                }
            }
            Err(error) => {
                app.metrics.frames_dropped.increment(1);
                self.outbox
                    .push(codec::refusal_frame(frame.event, &frame.id, &error.to_string()));
                Heard::Fine
            }
        }
    }

    /// Writes frames; false when the client does not take them.
    async fn write(&mut self, frames: impl Iterator<Item = Bytes>) -> bool {
        self.last_written = Instant::now();
        let taken = in_time(&self.outbox, self.socket.write(frames)).await;
        if self.last_written.elapsed() > LONG_WRITE {
            self.last_heard = Instant::now();
        }
        taken
    }

    async fn write_text(&mut self, text: &'static str) -> bool {
        in_time(&self.outbox, self.socket.write_text(text)).await
    }

    /// Closes, and waits a moment for the client's answer, so that it sees the code.
    async fn end(&mut self, code: CloseCode) {
        let _ = tokio::time::timeout(CLOSE_TIMEOUT, async {
            if self.socket.close(code as u16).await.is_ok() {
                while let Some(Ok(message)) = self.socket.recv().await {
                    if matches!(message, Message::Close(_)) {
                        break;
                    }
                }
            }
        })
        .await;
    }
}

/// Whether a write is taken by the client.
async fn in_time(outbox: &Outbox, write: impl Future<Output = Result<(), tungstenite::Error>>) -> bool {
    tokio::select! {
        biased;
        written = write => written.is_ok(),
        // Frames piled up behind this one: nobody reads.
        () = outbox.overflowed() => false,
    }
}
