//! A fake participant: speaks the client's protocol over a real socket.

use std::{collections::VecDeque, time::Duration};

pub use muster_client::Closed;
use muster_client::{Claims, ClientError, Heard, Talker, Target, socket};
use muster_wire::{
    event,
    frame::Frame,
    media::edge,
    socket::{chat, plugin, room},
};
use tokio::{sync::mpsc, task::JoinHandle, time::timeout};
use tokio_tungstenite::tungstenite::Message;
use uuid::Uuid;

/// How long anything may take.
pub(crate) const PATIENCE: Duration = Duration::from_secs(20);

/// A fake participant with one connection.
pub struct Guest {
    /// Where the server is, as `http://host:port`.
    pub origin: String,
    /// The token it came with.
    pub token: String,
    /// Its peer id.
    pub peer: String,
    /// Its meeting, as the token says.
    pub meeting: String,
    /// Its participant, as the token says; `user_id` on the wire.
    pub user: String,
    pub(crate) talker: Talker,
    heard: mpsc::UnboundedReceiver<Heard>,
    reader: JoinHandle<()>,
    pushes: VecDeque<Frame>,
    texts: VecDeque<String>,
    closed: Option<Closed>,
}

impl std::fmt::Debug for Guest {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Guest({} as {})", self.user, self.peer)
    }
}

impl Guest {
    /// Connects with a fresh peer id.
    pub async fn connect(origin: &str, token: &str) -> Self {
        Self::connect_as(origin, token, &Uuid::new_v4().to_string()).await
    }

    /// Connects with a chosen peer id.
    pub async fn connect_as(origin: &str, token: &str, peer: &str) -> Self {
        let meeting = Claims::read(token).expect("a token").meeting_id;
        Self::try_connect(origin, token, &meeting, peer)
            .await
            .expect("a socket")
    }

    /// Connects, or tells the HTTP status with which the server refused.
    pub async fn try_connect(origin: &str, token: &str, meeting: &str, peer: &str) -> Result<Self, u16> {
        let target = Target::resolve(origin, true, None).await.expect("an address");
        let (talker, mut listener) = match socket::connect(&target, token, meeting, peer).await {
            Ok(connected) => connected,
            Err(ClientError::Refused(status)) => return Err(status),
            Err(error) => panic!("no socket: {error}"),
        };
        let (hear, heard) = mpsc::unbounded_channel();
        let reader = tokio::spawn(async move {
            let mut over = false;
            while !over {
                let next = listener.next().await;
                over = matches!(next, Heard::Closed(_));
                let _ = hear.send(next);
            }
        });
        Ok(Self {
            origin: origin.to_owned(),
            token: token.to_owned(),
            peer: peer.to_owned(),
            meeting: meeting.to_owned(),
            user: Claims::read(token).expect("a token").participant_id,
            talker,
            heard,
            reader,
            pushes: VecDeque::new(),
            texts: VecDeque::new(),
            closed: None,
        })
    }

    /// Another connection of the same peer, as after a lost one.
    pub async fn again(&self) -> Self {
        Self::connect_as(&self.origin, &self.token, &self.peer).await
    }

    /// Another connection of the same peer, to the server as it listens now.
    pub async fn again_on(&self, origin: &str) -> Self {
        Self::connect_as(origin, &self.token, &self.peer).await
    }

    /// Connects and comes in.
    pub async fn join(origin: &str, token: &str) -> Self {
        let mut guest = Self::connect(origin, token).await;
        let peer = guest.come_in().await;
        assert!(!peer.waitlisted, "must wait: {peer:?}");
        guest
    }

    /// Sends bytes as they are.
    pub async fn send_raw(&mut self, message: Message) {
        self.talker.send(message).await.expect("an open socket");
    }

    /// Sends without waiting for a reply; answers the request's id.
    pub async fn tell(&mut self, event: u32, message: &impl muster_wire::prost::Message) -> String {
        self.talker.tell(event, message).await.expect("an open socket")
    }

    /// Asks, and waits for the reply with the same id; an error reply is the error.
    pub async fn ask(
        &mut self,
        event: u32,
        message: &impl muster_wire::prost::Message,
    ) -> Result<Frame, String> {
        let id = self.tell(event, message).await;
        let reply = self
            .wait(|frame| frame.id == id)
            .await
            .unwrap_or_else(|closed| panic!("{closed:?} instead of a reply to {event}"));
        if let Some(error) = socket::refusal(&reply) {
            assert_eq!(error.event_id, i32::try_from(event).expect("a number"));
            return Err(error.error_message);
        }
        Ok(reply)
    }

    /// Asks, and waits for the reply; none where the connection ends instead.
    pub async fn try_ask(&mut self, event: u32, message: &impl muster_wire::prost::Message) -> Option<Frame> {
        let id = self.talker.tell(event, message).await.ok()?;
        self.wait(|frame| frame.id == id).await.ok()
    }

    /// Asks, and reads the reply, which must come under the number of the request.
    pub async fn request<R: muster_wire::prost::Message + Default>(
        &mut self,
        event: u32,
        message: &impl muster_wire::prost::Message,
    ) -> R {
        let reply = self
            .ask(event, message)
            .await
            .unwrap_or_else(|why| panic!("{event} was refused: {why}"));
        assert_eq!(reply.event, event, "the number of the reply");
        R::decode(reply.payload).expect("a reply that reads")
    }

    /// Asks for something that must be refused; answers why.
    pub async fn refused(&mut self, event: u32, message: &impl muster_wire::prost::Message) -> String {
        self.ask(event, message).await.expect_err("a refusal")
    }

    /// The next frame, kept or yet to come, for which `wanted` holds.
    pub(crate) async fn wait(&mut self, wanted: impl Fn(&Frame) -> bool) -> Result<Frame, Closed> {
        if let Some(at) = self.pushes.iter().position(&wanted) {
            return Ok(self.pushes.remove(at).expect("it is there"));
        }
        let waiting = async {
            loop {
                match self.heard.recv().await {
                    Some(Heard::Frame(frame)) if wanted(&frame) => return Ok(frame),
                    Some(Heard::Frame(frame)) => self.pushes.push_back(frame),
                    Some(Heard::Text(text)) => self.texts.push_back(text),
                    Some(Heard::Closed(closed)) => {
                        self.closed = Some(closed);
                        return Err(closed);
                    }
                    None => return Err(self.closed.unwrap_or(Closed::Broken)),
                }
            }
        };
        timeout(PATIENCE, waiting).await.expect("something in time")
    }

    /// The next push of an event, which must be told unasked; earlier ones of other kinds are kept.
    pub async fn hear<M: muster_wire::prost::Message + Default>(&mut self, event: u32) -> M {
        let frame = self
            .wait(|frame| frame.event == event && frame.id.is_empty())
            .await
            .unwrap_or_else(|closed| panic!("{closed:?} instead of event {event}"));
        M::decode(frame.payload).expect("a push that reads")
    }

    /// The next push, whatever it is of.
    pub async fn hear_any(&mut self) -> Frame {
        self.wait(|frame| frame.id.is_empty())
            .await
            .unwrap_or_else(|closed| panic!("{closed:?} instead of a push"))
    }

    /// The next push of an event whose payload says nothing.
    pub async fn hear_empty(&mut self, event: u32) {
        self.hear::<plugin::StoreKeys>(event).await;
    }

    /// The next text frame.
    pub async fn hear_text(&mut self) -> String {
        loop {
            if let Some(text) = self.texts.pop_front() {
                return text;
            }
            match timeout(PATIENCE, self.heard.recv())
                .await
                .expect("a text in time")
            {
                Some(Heard::Text(text)) => return text,
                Some(Heard::Frame(frame)) => self.pushes.push_back(frame),
                Some(Heard::Closed(closed)) => panic!("{closed:?} instead of a text"),
                None => panic!("closed instead of a text"),
            }
        }
    }

    /// Everything pushed so far: a request and its reply are a fence, since the server keeps the order.
    pub async fn pushed(&mut self) -> Vec<Frame> {
        let _ = self
            .ask(event::GET_ROOM_INFO, &plugin::StoreKeys::default())
            .await;
        self.pushes.drain(..).collect()
    }

    /// The numbers of everything pushed so far.
    pub async fn pushed_events(&mut self) -> Vec<u32> {
        self.pushed().await.into_iter().map(|frame| frame.event).collect()
    }

    /// Whether a request is replied to before the connection ends.
    pub async fn replied(&mut self, id: &str) -> bool {
        self.wait(|frame| frame.id == id).await.is_ok()
    }

    /// Everything pushed that has arrived by now; the server is asked nothing.
    pub fn arrived(&mut self) -> Vec<Frame> {
        while let Ok(heard) = self.heard.try_recv() {
            match heard {
                Heard::Frame(frame) => self.pushes.push_back(frame),
                Heard::Text(text) => self.texts.push_back(text),
                Heard::Closed(closed) => self.closed = Some(closed),
            }
        }
        self.pushes.drain(..).collect()
    }

    /// Waits for the end of the connection.
    pub async fn closed(&mut self) -> Closed {
        if let Some(closed) = self.closed {
            return closed;
        }
        self.wait(|_| false).await.expect_err("an end")
    }

    /// Asks to come in (event 3).
    pub async fn come_in(&mut self) -> room::Peer {
        let wish = room::JoinRoomRequest {
            peer: Some(room::Peer {
                peer_id: self.peer.clone(),
                user_id: self.user.clone(),
                ..Default::default()
            }),
            ..Default::default()
        };
        self.request::<room::PeerInfoResponse>(event::JOIN_ROOM, &wish)
            .await
            .peer
            .expect("a peer")
    }

    /// Everybody inside (event 2).
    pub async fn peers(&mut self) -> Vec<room::Peer> {
        self.request::<room::RoomPeersInfoResponse>(
            event::GET_ROOM_PEERS,
            &room::RoomPeersInfoRequest::default(),
        )
        .await
        .peers
    }

    /// About the room (event 5).
    pub async fn room(&mut self) -> room::Room {
        self.request::<room::RoomInfoResponse>(event::GET_ROOM_INFO, &plugin::StoreKeys::default())
            .await
            .room
            .expect("a room")
    }

    /// Writes a text to everybody, and waits for the echo, which says that it is stored.
    pub async fn say(&mut self, text: &str) -> chat::ChatMessage {
        let sent = chat::SendChatMessageToRoomRequest {
            payload_type: 0,
            payload: text.to_owned(),
        };
        self.tell(event::SEND_MESSAGE_TO_ROOM, &sent).await;
        loop {
            let message = self
                .hear::<chat::SendChatMessageToRoomResponse>(event::SEND_MESSAGE_TO_ROOM)
                .await
                .message
                .expect("a message");
            if message.peer_id == self.peer && message.payload == text {
                return message;
            }
        }
    }

    /// Leaves for good: media first, then close code 1000 (PROTOCOL d.5).
    pub async fn leave(mut self) {
        let leaving = edge::PeerLeaveRequest { close_room: false };
        let _ = self.ask(event::MEDIA_LEAVE_ROOM, &leaving).await;
        self.close(1000).await;
    }

    /// Closes with a code.
    pub async fn close(mut self, code: u16) {
        let _ = self.talker.close(code).await;
        let _ = timeout(PATIENCE, self.closed()).await;
    }

    /// Loses the connection without a word.
    pub fn lose(self) {
        drop(self);
    }

    /// The bytes of a payload of which nothing is asked.
    pub fn nothing() -> plugin::StoreKeys {
        plugin::StoreKeys::default()
    }
}

impl Drop for Guest {
    fn drop(&mut self) {
        self.reader.abort();
    }
}
