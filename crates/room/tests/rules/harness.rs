//! A meeting to test in: one room, a clock that stands still unless told, ids that count up.

#![allow(dead_code)] // each feature uses what it needs

use std::sync::Arc;

use muster_model::{
    MeetingId, ParticipantId, PeerId, PresetId, Timestamp,
    event::DomainEvent,
    preset::{Permissions, PresetBody, ViewType},
    session::SessionKind,
};
use muster_room::{
    Answer, CloseReason, Command, CommandError, CommandId, Connect, Connected, ConnectionId, Disconnect,
    Effect, Event, Input, Limits, MediaEffect, Person, Refusal, Request, RequestId, Resumed, Room,
    RoomSettings,
};
use uuid::Uuid;

/// When every test begins.
pub const START: Timestamp = Timestamp::from_secs(1_800_000_000);
pub const SECOND: i64 = 1_000_000;
/// Of the rooms tested, unless they say otherwise.
pub const GRACE: i64 = 30 * SECOND;
pub const KEEP_ALIVE: i64 = 60 * SECOND;

pub fn peer_id(number: u128) -> PeerId {
    Uuid::from_u128(0xAA00_0000 + number).into()
}

pub fn participant_id(number: u128) -> ParticipantId {
    Uuid::from_u128(0xBB00_0000 + number).into()
}

pub fn meeting_id(number: u128) -> MeetingId {
    Uuid::from_u128(0xCC00_0000 + number).into()
}

/// Meeting 1, as most tests want it.
pub fn settings() -> RoomSettings {
    RoomSettings {
        meeting: meeting_id(1),
        title: Some("Weekly".to_owned()),
        kind: SessionKind::Meeting,
        parent: None,
        parent_session: None,
        inactive: false,
        persist_chat: false,
        earlier_chat: Vec::new(),
        keep_alive_micros: KEEP_ALIVE,
        grace_micros: GRACE,
        limits: Limits::default(),
    }
}

/// One of the presets every app begins with (`group_call_host`, `webinar_viewer`, …).
pub fn seed(name: &str) -> PresetBody {
    PresetBody::seeds()
        .into_iter()
        .find(|seed| seed.name == name)
        .unwrap_or_else(|| panic!("no preset {name}"))
}

/// Participant `number` with a preset; its custom id is `c-<number>`.
pub fn person(number: u128, name: &str, preset: &PresetBody) -> Arc<Person> {
    Arc::new(Person {
        participant: participant_id(number),
        custom_participant_id: format!("c-{number}"),
        name: name.to_owned(),
        picture: None,
        preset_id: PresetId::from(Uuid::from_u128(0xDD)),
        preset_name: preset.name.clone(),
        view_type: preset.config.view_type,
        permissions: preset.permissions.clone(),
    })
}

/// Participant `number` in a group call, with the permissions of a plain person changed as said.
pub fn person_who(number: u128, name: &str, change: impl FnOnce(&mut Permissions)) -> Arc<Person> {
    let mut preset = PresetBody::named("test");
    preset.config.view_type = ViewType::GroupCall;
    change(&mut preset.permissions);
    person(number, name, &preset)
}

/// A peer as a test knows it: copied about freely.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct P {
    pub id: PeerId,
    pub connection: ConnectionId,
    pub user: ParticipantId,
}

/// What one call brought about.
#[derive(Debug, Clone, Default)]
pub struct Outcome(pub Vec<Effect>);

impl Outcome {
    /// Everything a peer is told, in order: replies and pushes.
    pub fn told(&self, who: P) -> Vec<Event> {
        self.0
            .iter()
            .filter_map(|effect| match effect {
                Effect::Reply { peer, event, .. } if *peer == who.id => Some(event.clone()),
                Effect::Send { to, event } if to.contains(&who.id) => Some(event.clone()),
                _ => None,
            })
            .collect()
    }

    /// The pushes a peer gets, without replies.
    pub fn pushed(&self, who: P) -> Vec<Event> {
        self.0
            .iter()
            .filter_map(|effect| match effect {
                Effect::Send { to, event } if to.contains(&who.id) => Some(event.clone()),
                _ => None,
            })
            .collect()
    }

    /// The one reply to a peer; fails where there is none, or more.
    #[track_caller]
    pub fn reply(&self, who: P) -> Event {
        let replies: Vec<&Event> = self
            .0
            .iter()
            .filter_map(|effect| match effect {
                Effect::Reply { peer, event, .. } if *peer == who.id => Some(event),
                _ => None,
            })
            .collect();
        assert_eq!(replies.len(), 1, "one reply, in {:#?}", self.0);
        replies[0].clone()
    }

    /// Why a peer's request was refused; fails where it was not.
    #[track_caller]
    pub fn refusal(&self, who: P) -> Refusal {
        self.0
            .iter()
            .find_map(|effect| match effect {
                Effect::Refuse { peer, why, .. } if *peer == who.id => Some(why.clone()),
                _ => None,
            })
            .unwrap_or_else(|| panic!("no refusal in {:#?}", self.0))
    }

    /// Fails where a request was refused.
    #[track_caller]
    pub fn granted(self) -> Self {
        assert!(
            !self
                .0
                .iter()
                .any(|effect| matches!(effect, Effect::Refuse { .. })),
            "refused: {:#?}",
            self.0
        );
        self
    }

    pub fn records(&self) -> Vec<DomainEvent> {
        self.0
            .iter()
            .filter_map(|effect| match effect {
                Effect::Record(event) => Some(event.clone()),
                _ => None,
            })
            .collect()
    }

    pub fn media(&self) -> Vec<MediaEffect> {
        self.0
            .iter()
            .filter_map(|effect| match effect {
                Effect::Media(effect) => Some(effect.clone()),
                _ => None,
            })
            .collect()
    }

    pub fn closed(&self) -> Vec<(PeerId, ConnectionId, CloseReason)> {
        self.0
            .iter()
            .filter_map(|effect| match effect {
                Effect::Close {
                    peer,
                    connection,
                    reason,
                } => Some((*peer, *connection, *reason)),
                _ => None,
            })
            .collect()
    }

    /// Word for other rooms.
    pub fn to_rooms(&self) -> Vec<(MeetingId, Connected)> {
        self.0
            .iter()
            .filter_map(|effect| match effect {
                Effect::ToRoom(meeting, word) => Some((*meeting, word.clone())),
                _ => None,
            })
            .collect()
    }

    pub fn answer(&self) -> Result<Answer, CommandError> {
        self.0
            .iter()
            .find_map(|effect| match effect {
                Effect::Answer { answer, .. } => Some(answer.clone()),
                _ => None,
            })
            .unwrap_or_else(|| panic!("no answer in {:#?}", self.0))
    }

    /// Whether nothing at all came of it.
    pub fn is_nothing(&self) -> bool {
        self.0.is_empty()
    }
}

/// A room, a clock, and ids.
pub struct Meeting {
    pub room: Room,
    pub now: Timestamp,
    connections: u64,
    peers: u128,
    requests: u64,
    /// Everything that was ever recorded, in order.
    pub history: Vec<DomainEvent>,
}

impl Meeting {
    pub fn new() -> Self {
        Self::with(settings())
    }

    pub fn with(settings: RoomSettings) -> Self {
        Self::resumed(settings, None, START)
    }

    /// A room that goes on after a crash.
    pub fn resumed(settings: RoomSettings, resumed: Option<Resumed>, now: Timestamp) -> Self {
        let mut made = 0;
        let ids = Box::new(move || {
            made += 1;
            Uuid::from_u128(0xEE00_0000 + made)
        });
        Self {
            room: Room::new(settings, resumed, now, ids),
            now,
            connections: 0,
            peers: 0,
            requests: 0,
            history: Vec::new(),
        }
    }

    pub fn input(&mut self, input: Input) -> Outcome {
        let outcome = Outcome(self.room.handle(self.now, input));
        self.history.extend(outcome.records());
        outcome
    }

    pub fn next_connection(&mut self) -> ConnectionId {
        self.connections += 1;
        ConnectionId(self.connections)
    }

    /// A new peer of a person that has not connected.
    pub fn stranger(&mut self, person: &Arc<Person>) -> P {
        self.peers += 1;
        P {
            id: peer_id(self.peers),
            connection: self.next_connection(),
            user: person.participant,
        }
    }

    /// A new peer of a person connects, and does nothing more.
    pub fn connect(&mut self, person: &Arc<Person>) -> P {
        let who = self.stranger(person);
        let outcome = self.connect_as(who, person);
        assert!(outcome.is_nothing(), "{outcome:#?}");
        who
    }

    /// As [`Self::connect`], where something else may have become due.
    pub fn connect_late(&mut self, person: &Arc<Person>) -> (P, Outcome) {
        let who = self.stranger(person);
        let outcome = self.connect_as(who, person);
        (who, outcome)
    }

    /// A connection that says it is that peer.
    pub fn connect_as(&mut self, who: P, person: &Arc<Person>) -> Outcome {
        self.input(Input::Connect(Connect {
            peer: who.id,
            connection: who.connection,
            person: person.clone(),
            record: who.id,
        }))
    }

    /// The peer's next connection.
    pub fn reconnect(&mut self, who: P, person: &Arc<Person>) -> (P, Outcome) {
        let again = P {
            connection: self.next_connection(),
            ..who
        };
        let outcome = self.connect_as(again, person);
        (again, outcome)
    }

    /// A new peer connects and asks to come in (it may have to wait).
    pub fn join(&mut self, person: &Arc<Person>) -> P {
        let who = self.connect(person);
        self.ask(who, Request::Join { display_name: None }).granted();
        who
    }

    /// Somebody new with one of the first presets comes in.
    pub fn join_seed(&mut self, number: u128, name: &str, preset: &str) -> P {
        self.join(&person(number, name, &seed(preset)))
    }

    pub fn ask(&mut self, who: P, request: Request) -> Outcome {
        self.requests += 1;
        let id = RequestId {
            id: format!("r-{}", self.requests).into(),
            event: 0,
        };
        self.input(Input::Request {
            peer: who.id,
            connection: who.connection,
            id,
            request,
        })
    }

    pub fn command(&mut self, command: Command) -> Outcome {
        self.requests += 1;
        self.input(Input::Command {
            id: CommandId(self.requests),
            command,
        })
    }

    /// Closes for good.
    pub fn leave(&mut self, who: P) -> Outcome {
        self.disconnect(who, Disconnect::Left)
    }

    /// Loses the connection.
    pub fn lose(&mut self, who: P) -> Outcome {
        self.disconnect(who, Disconnect::Lost)
    }

    fn disconnect(&mut self, who: P, how: Disconnect) -> Outcome {
        self.input(Input::Disconnect {
            peer: who.id,
            connection: who.connection,
            how,
        })
    }

    /// Lets time pass, waking the room whenever it wants that, and only then.
    pub fn pass(&mut self, micros: i64) -> Outcome {
        let end = Timestamp::from_micros(self.now.as_micros() + micros);
        let mut all = Vec::new();
        let mut turns = 0;
        while let Some(due) = self.room.next_deadline()
            && due <= end
        {
            self.now = self.now.max(due);
            all.extend(self.input(Input::Timeout).0);
            turns += 1;
            assert!(
                turns < 100_000,
                "the room wants to be woken again and again at {due}"
            );
        }
        self.now = end;
        Outcome(all)
    }

    /// `micros` after the beginning.
    pub fn at(micros: i64) -> Timestamp {
        Timestamp::from_micros(START.as_micros() + micros)
    }

    /// The display names of those inside, in order, as a peer inside is told.
    #[track_caller]
    pub fn inside(&mut self, asker: P) -> Vec<String> {
        let outcome = self.ask(
            asker,
            Request::Peers {
                search: String::new(),
                limit: 0,
                offset: 0,
            },
        );
        match outcome.reply(asker) {
            Event::Peers(peers) => peers.iter().map(|peer| peer.display_name.clone()).collect(),
            other => panic!("{other:?}"),
        }
    }
}

/// Somebody who was inside when a room was cut short, and does not come back within the test.
pub fn somebody_inside() -> (PeerId, PeerId, Arc<Person>) {
    let peer = peer_id(999);
    (peer, peer, person_who(999, "Ghost", |_| ()))
}
