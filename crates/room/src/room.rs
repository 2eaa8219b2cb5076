//! The room: routes each input to the part that it concerns.

use std::collections::BTreeMap;

use muster_model::{MeetingId, PeerId, Timestamp, event::DomainEvent, session::SessionKind};
use uuid::Uuid;

use crate::{
    chat::{Chat, ChatChange},
    connected::ConnectedRooms,
    effect::{Effect, Event, Refusal},
    input::{Input, Request, RequestId},
    limits::{Limits, Rate, Requests},
    media::MediaState,
    people::{Peer, People},
    polls::Polls,
    session::{Clock, Resumed},
    stores::Stores,
    waiting::Admissions,
};

/// What a room is told when it comes to life.
#[derive(Debug, Clone)]
pub struct RoomSettings {
    /// Its meeting.
    pub meeting: MeetingId,
    /// The meeting's title.
    pub title: Option<String>,
    /// What its sessions are for.
    pub kind: SessionKind,
    /// The meeting that it is a breakout room of.
    pub parent: Option<MeetingId>,
    /// The session of that meeting.
    pub parent_session: Option<muster_model::SessionId>,
    /// Whether nobody may come in who is not inside, from the start; see [`crate::Command::SetActive`].
    pub inactive: bool,
    /// Whether chat is kept from session to session.
    pub persist_chat: bool,
    /// Messages of earlier sessions, oldest first, where chat is kept.
    pub earlier_chat: Vec<muster_model::chat::ChatMessage>,
    /// How long a session outlives the last leave, in microseconds.
    pub keep_alive_micros: i64,
    /// How long a peer whose connection is lost may come back, in microseconds.
    pub grace_micros: i64,
    /// Bounds.
    pub limits: Limits,
}

/// One live meeting.
pub struct Room {
    pub(crate) settings: RoomSettings,
    pub(crate) ids: Box<dyn FnMut() -> Uuid + Send>,
    pub(crate) people: People,
    pub(crate) clock: Clock,
    pub(crate) admissions: Admissions,
    pub(crate) chat: Chat,
    pub(crate) polls: Polls,
    pub(crate) stores: Stores,
    pub(crate) connected: ConnectedRooms,
    /// What people may do otherwise than their presets say.
    pub(crate) changes: crate::permissions::Changes,
    pub(crate) media: MediaState,
    pub(crate) recordings: BTreeMap<muster_model::RecordingId, crate::input::RecordingState>,
    /// Counts up with each coming in.
    pub(crate) turns: u64,
    /// Whether nobody may come in.
    pub(crate) inactive: bool,
    requests: Requests,
    effects: Vec<Effect>,
}

impl std::fmt::Debug for Room {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Room")
            .field("meeting", &self.settings.meeting)
            .field("people", &self.people)
            .finish_non_exhaustive()
    }
}

/// What a part of the room may answer a request with.
pub(crate) type Handled = Result<(), Refusal>;

impl Room {
    /// A room nobody is in; or one that goes on with the session that a stop or a crash cut short.
    /// `ids` gives a new random UUID at each call.
    pub fn new(
        settings: RoomSettings,
        resumed: Option<Resumed>,
        now: Timestamp,
        ids: Box<dyn FnMut() -> Uuid + Send>,
    ) -> Self {
        let mut room = Self {
            people: People::default(),
            clock: Clock::default(),
            admissions: Admissions::default(),
            chat: Chat::default(),
            polls: Polls::default(),
            stores: Stores::default(),
            connected: ConnectedRooms::default(),
            changes: BTreeMap::new(),
            media: MediaState::default(),
            recordings: BTreeMap::new(),
            turns: 0,
            inactive: settings.inactive,
            requests: Requests::default(),
            effects: Vec::new(),
            settings,
            ids,
        };
        room.begin(resumed, now);
        room
    }

    /// Takes one input and says what is to be done, in order.
    ///
    /// The room's time never goes back: where `now` is before that of an earlier call, the earlier one
    /// counts. What became due before `now` is done before the input.
    pub fn handle(&mut self, now: Timestamp, input: Input) -> Vec<Effect> {
        let now = self.clock.advance(now);
        self.pass_time(now);
        match input {
            Input::Connect(connect) => self.connect(now, connect),
            Input::Disconnect {
                peer,
                connection,
                how,
            } => self.disconnect(now, peer, connection, how),
            Input::Request {
                peer,
                connection,
                id,
                request,
            } => {
                if self.people.get(peer).and_then(|known| known.connection) == Some(connection)
                    && let Err(why) = self.request(now, peer, &id, request)
                {
                    self.push(Effect::Refuse { peer, to: id, why });
                }
            }
            Input::Command { id, command } => {
                let answer = self.command(now, command);
                self.push(Effect::Answer { to: id, answer });
            }
            Input::Connected(word) => self.hear(now, word),
            Input::Timeout => {}
        }
        self.pass_time(now);
        std::mem::take(&mut self.effects)
    }

    fn request(&mut self, now: Timestamp, peer: PeerId, id: &RequestId, request: Request) -> Handled {
        use Request as R;
        match request {
            R::Join { display_name } => self.join(now, peer, id, display_name),
            R::RoomInfo => self.tell_room_info(peer, id),
            R::Peers {
                search,
                limit,
                offset,
            } => self.tell_peers(now, peer, id, &search, limit, offset),
            R::PeerInfo(about) => self.tell_peer(peer, id, about),
            R::Kick(peers) => self.kick_peers(now, peer, &peers),
            R::KickAll => self.kick_all_by(now, peer),

            R::WaitingRequests => self.tell_waiting(peer, id),
            R::AcceptWaiting(users) => self.accept_waiting(now, peer, &users),
            R::DenyWaiting(users) => self.deny_waiting(now, peer, &users),

            R::StageRequests => self.tell_stage_requests(peer, id),
            R::RequestStage => self.request_stage(now, peer),
            R::CancelStageRequest => self.cancel_stage_request(now, peer),
            R::GrantStage(users) => self.grant_stage(now, peer, &users),
            R::DenyStage(users) => self.deny_stage(now, peer, &users),
            R::JoinStage => self.join_stage(now, peer, id),
            R::LeaveStage(users) => self.leave_stage(now, peer, id, &users),

            R::ChatMessages => self.tell_chat(now, peer, id),
            R::SendChat { kind, payload } => self.send_chat(now, peer, id, kind, payload),
            R::SendPrivateChat { peers, kind, payload } => {
                self.send_private_chat(now, peer, id, &peers, kind, payload)
            }
            R::EditChat {
                message,
                kind,
                payload,
                pinned,
            } => {
                let change = ChatChange {
                    kind,
                    payload,
                    pinned,
                };
                self.edit_chat(now, peer, id, message, change)
            }
            R::DeleteChat(message) => self.delete_chat(now, peer, id, message),
            R::PinChat { message, pinned } => self.pin_chat(now, peer, id, message, pinned),
            R::ChatPage(page) => self.tell_chat_page(now, peer, id, &page),
            R::SearchChat { term, page } => self.search_chat(now, peer, id, &term, &page),

            R::Polls => self.tell_polls(now, peer, id),
            R::CreatePoll(poll) => self.create_poll_by(now, peer, id, poll),
            R::Vote { poll, option } => self.vote(now, peer, id, poll, option),

            R::StoreGet { store, keys } => self.read_store(now, peer, id, store, &keys),
            R::StoreInsert { store, items } => self.write_store(now, peer, id, store, items),
            R::StoreDelete { store, keys } => self.clear_store(now, peer, id, store, keys),

            R::Broadcast(broadcast) => self.broadcast(now, peer, id, broadcast),
            R::BroadcastToPeers(peers, broadcast) => self.broadcast_to_peers(now, peer, &peers, broadcast),
            R::BroadcastToRooms(rooms, broadcast) => {
                self.broadcast_to_rooms(now, peer, id, &rooms, broadcast)
            }

            R::UpdatePermissions(changes) => self.update_permissions(now, peer, id, changes),
            R::ReadPermissions(users) => self.tell_permissions(now, peer, id, &users),

            R::ConnectedRooms => self.tell_connected(now, peer, id),
            R::CreateConnectedRooms(titles) => self.create_connected(now, peer, id, titles),
            R::DeleteConnectedRooms(meetings) => self.delete_connected(now, peer, id, &meetings),
            R::MovePeople {
                source,
                destination,
                people,
            } => self.move_people(now, peer, id, source, destination, people),

            R::JoinMedia => self.join_media(peer, id),
            R::CompleteMediaJoin => self.complete_media_join(now, peer, id),
            R::LeaveMedia => self.leave_media(peer, id),
            R::MutePeer { peer: whom, kinds } => self.mute_peer(now, peer, id, whom, kinds),
            R::MuteAll(kinds) => self.mute_all_by(now, peer, id, kinds),
            R::PinPeer(whom) => self.pin_peer(now, peer, id, whom),
        }
    }

    // What the parts of the room share.

    pub(crate) fn push(&mut self, effect: Effect) {
        self.effects.push(effect);
    }

    /// Whether something was brought about that the shell has not been given yet.
    pub(crate) fn has_effects(&self) -> bool {
        !self.effects.is_empty()
    }

    pub(crate) fn record(&mut self, event: DomainEvent) {
        self.push(Effect::Record(event));
    }

    pub(crate) fn send(&mut self, to: Vec<PeerId>, event: Event) {
        if !to.is_empty() {
            self.push(Effect::Send { to, event });
        }
    }

    pub(crate) fn reply(&mut self, peer: PeerId, to: &RequestId, event: Event) {
        self.push(Effect::Reply {
            peer,
            to: to.clone(),
            event,
        });
    }

    /// The asking peer, which must be inside.
    pub(crate) fn member(&self, peer: PeerId) -> Result<&Peer, Refusal> {
        self.people.inside(peer).ok_or(Refusal::NotJoined)
    }

    /// The asking peer, which must be inside and be permitted; `what` completes "you are not permitted to".
    pub(crate) fn member_who_may(
        &self,
        peer: PeerId,
        what: &'static str,
        may: impl Fn(&muster_model::preset::Permissions) -> bool,
    ) -> Result<&Peer, Refusal> {
        let member = self.member(peer)?;
        if may(&member.permissions) {
            Ok(member)
        } else {
            Err(Refusal::NotPermitted(what))
        }
    }

    /// Counts a request against the limit of the peer's participant, whichever of its peers asks.
    pub(crate) fn take(&mut self, peer: PeerId, rate: Rate, now: Timestamp) -> Handled {
        let participant = self
            .people
            .get(peer)
            .ok_or(Refusal::NotJoined)?
            .person
            .participant;
        self.requests.take(participant, rate, now)
    }

    pub(crate) fn new_id<T: From<Uuid>>(&mut self) -> T {
        (self.ids)().into()
    }

    /// The title, empty where there is none.
    pub(crate) fn title(&self) -> String {
        self.settings.title.clone().unwrap_or_default()
    }
}
