//! A story told to a room: bytes become people, what they ask for, and the passing of time. Shared by the
//! fuzz target and by the test that replays its corpus.

use std::{collections::BTreeSet, sync::Arc};

use muster_model::{
    Timestamp,
    chat::ChatPayloadKind,
    event::DomainEvent,
    participant::Person,
    preset::{Permissions, ViewType, WaitingRoomType},
    session::SessionKind,
};
use muster_room::{
    Broadcast, ChatFilter, ChatPage, Command, CommandId, Connect, ConnectionId, Disconnect, Effect, Input,
    Limits, MediaKinds, NewPoll, PermissionPatch, Request, RequestId, Room, RoomSettings,
};
use uuid::Uuid;

const PEERS: u8 = 6;
const START: i64 = 1_800_000_000_000_000;

struct Bytes<'a>(std::slice::Iter<'a, u8>);

impl Bytes<'_> {
    fn next(&mut self) -> Option<u8> {
        self.0.next().copied()
    }

    fn small(&mut self) -> u8 {
        self.next().unwrap_or(0)
    }

    fn flag(&mut self) -> bool {
        self.small().is_multiple_of(2)
    }

    fn text(&mut self) -> String {
        let len = usize::from(self.small() % 32);
        let bytes: Vec<u8> = self.0.by_ref().take(len).copied().collect();
        String::from_utf8_lossy(&bytes).into_owned()
    }

    fn id<T: From<Uuid>>(&mut self, kind: u128) -> T {
        id(kind, self.small() % PEERS)
    }

    fn ids<T: From<Uuid>>(&mut self, kind: u128) -> Vec<T> {
        let count = self.small() % 4;
        (0..count).map(|_| self.id(kind)).collect()
    }
}

fn id<T: From<Uuid>>(kind: u128, number: u8) -> T {
    Uuid::from_u128((kind << 64) | u128::from(number)).into()
}

/// Two peers of each person; the first is a host, the last waits to be let in.
fn person(peer: u8) -> Arc<Person> {
    let number = peer / 2;
    let host = number == 0;
    let mut permissions = Permissions {
        accept_waiting_requests: host,
        accept_stage_requests: host,
        can_change_participant_permissions: host,
        kick_participant: host,
        pin_participant: host,
        disable_participant_audio: host,
        stage_enabled: number == 1,
        ..Permissions::default()
    };
    permissions.chat.private.can_send = true;
    permissions.chat.private.can_receive = true;
    permissions.chat.private.text = true;
    permissions.connected_meetings.can_alter_connected_meetings = host;
    if number == 2 {
        permissions.waiting_room_type = WaitingRoomType::SkipOnAccept;
    }
    Arc::new(Person {
        participant: id(2, number),
        custom_participant_id: format!("c{number}"),
        name: format!("Person {number}"),
        picture: None,
        preset_id: id(3, number),
        preset_name: "preset".to_owned(),
        view_type: ViewType::GroupCall,
        permissions,
    })
}

fn request(bytes: &mut Bytes<'_>) -> Request {
    let page = |bytes: &mut Bytes<'_>| ChatPage {
        time_ms: u64::from(bytes.small()) * 1000,
        size: usize::from(bytes.small()),
        from: usize::from(bytes.small() % 8),
        reversed: bytes.flag(),
        filter: ChatFilter::Pinned(true),
    };
    let broadcast = |bytes: &mut Bytes<'_>| Broadcast {
        kind: bytes.text(),
        payload: bytes.text().into_bytes(),
        timestamp_ms: 1,
    };
    match bytes.small() % 34 {
        0..=4 => Request::Join {
            display_name: Some(bytes.text()),
        },
        5 => Request::RoomInfo,
        6 => Request::Peers {
            search: bytes.text(),
            limit: usize::from(bytes.small()),
            offset: usize::from(bytes.small()),
        },
        7 => Request::Kick(bytes.ids(1)),
        8 => Request::KickAll,
        9 => Request::AcceptWaiting(bytes.ids(2)),
        10 => Request::DenyWaiting(bytes.ids(2)),
        11 => Request::RequestStage,
        12 => Request::CancelStageRequest,
        13 => Request::GrantStage(bytes.ids(2)),
        14 => Request::DenyStage(bytes.ids(2)),
        15 => Request::JoinStage,
        16 => Request::LeaveStage(bytes.ids(2)),
        17 => Request::ChatMessages,
        18 | 19 => Request::SendChat {
            kind: [
                ChatPayloadKind::Text,
                ChatPayloadKind::Image,
                ChatPayloadKind::File,
                ChatPayloadKind::Custom,
            ][usize::from(bytes.small() % 4)],
            payload: bytes.text(),
        },
        20 => Request::SendPrivateChat {
            peers: bytes.ids(1),
            kind: ChatPayloadKind::Text,
            payload: bytes.text(),
        },
        21 => Request::EditChat {
            message: bytes.id(9),
            kind: None,
            payload: Some(bytes.text()),
            pinned: Some(bytes.flag()),
        },
        22 => Request::DeleteChat(bytes.id(9)),
        23 => Request::ChatPage(page(bytes)),
        24 => Request::SearchChat {
            term: bytes.text(),
            page: page(bytes),
        },
        25 => Request::CreatePoll(NewPoll {
            question: bytes.text(),
            options: (0..bytes.small() % 4).map(|_| bytes.text()).collect(),
            anonymous: bytes.flag(),
            hide_votes: bytes.flag(),
        }),
        26 => Request::Vote {
            poll: bytes.id(9),
            option: usize::from(bytes.small() % 5),
        },
        27 => Request::StoreInsert {
            store: bytes.text(),
            items: vec![(bytes.text(), bytes.text().into_bytes())],
        },
        28 => Request::StoreGet {
            store: bytes.text(),
            keys: Vec::new(),
        },
        29 => Request::Broadcast(broadcast(bytes)),
        30 => Request::UpdatePermissions(vec![(
            bytes.id(2),
            PermissionPatch(std::iter::once((bytes.text(), serde_json::Value::Bool(true))).collect()),
        )]),
        31 => Request::CreateConnectedRooms(vec![bytes.text()]),
        32 => Request::CompleteMediaJoin,
        _ => Request::MuteAll(MediaKinds::ALL),
    }
}

/// Tells the story, and checks what must hold whatever is told: every stay ends once at most, and only
/// within a session.
pub fn tell(data: &[u8]) {
    let mut bytes = Bytes(data.iter());
    let mut made = 0u8;
    let settings = RoomSettings {
        meeting: id(4, 0),
        title: None,
        kind: SessionKind::Meeting,
        parent: None,
        parent_session: None,
        inactive: false,
        persist_chat: bytes.flag(),
        earlier_chat: Vec::new(),
        keep_alive_micros: 60_000_000,
        grace_micros: 30_000_000,
        limits: Limits {
            chat_messages: 20,
            store_bytes: 200,
            polls: 3,
            ..Limits::default()
        },
    };
    let mut now = START;
    let ids = Box::new(move || {
        // Few enough that later requests name what is there.
        made = (made + 1) % PEERS;
        Uuid::from_u128((9 << 64) | u128::from(made))
    });
    let mut room = Room::new(settings, None, Timestamp::from_micros(now), ids);
    let mut connections = [0u64; PEERS as usize];
    let mut inside = BTreeSet::new();
    let mut live = false;
    while let Some(act) = bytes.next() {
        let peer = bytes.small() % PEERS;
        let at = usize::from(peer);
        let input = match act % 8 {
            0 => {
                connections[at] += 1;
                Input::Connect(Connect {
                    peer: id(1, peer),
                    connection: ConnectionId(connections[at]),
                    person: person(peer),
                    record: id(1, peer),
                })
            }
            1 => Input::Disconnect {
                peer: id(1, peer),
                connection: ConnectionId(connections[at]),
                how: if bytes.flag() {
                    Disconnect::Left
                } else {
                    Disconnect::Lost
                },
            },
            2 => {
                now += i64::from(bytes.small()) * 1_000_000;
                Input::Timeout
            }
            3 => Input::Command {
                id: CommandId(1),
                command: match bytes.small() % 4 {
                    0 => Command::KickAll,
                    1 => Command::RemoveParticipant(bytes.id(2)),
                    2 => Command::MuteAll { allow_unmute: false },
                    _ => Command::Kick {
                        participants: bytes.ids(2),
                        custom_ids: vec![bytes.text()],
                        ban: bytes.flag(),
                    },
                },
            },
            _ => Input::Request {
                peer: id(1, peer),
                connection: ConnectionId(connections[at]),
                id: RequestId {
                    id: "r".into(),
                    event: 1,
                },
                request: request(&mut bytes),
            },
        };
        for effect in room.handle(Timestamp::from_micros(now), input) {
            let Effect::Record(event) = effect else { continue };
            match event {
                DomainEvent::SessionStarted { .. } => assert!(!std::mem::replace(&mut live, true)),
                DomainEvent::PeerJoined { stay, .. } => assert!(live && inside.insert(stay.record)),
                DomainEvent::PeerLeft { record, .. } => assert!(live && inside.remove(&record)),
                DomainEvent::SessionEnded { .. } => {
                    assert!(std::mem::replace(&mut live, false) && inside.is_empty());
                }
                DomainEvent::AdmissionRevoked { .. }
                | DomainEvent::ChatSaved { .. }
                | DomainEvent::ChatDeleted { .. }
                | DomainEvent::PollSaved { .. } => {
                    assert!(live);
                }
                // Of participants and meetings, whether or not anybody is inside.
                DomainEvent::Banned { .. }
                | DomainEvent::ConnectedMeetingsCreated { .. }
                | DomainEvent::ConnectedMeetingsDeleted { .. } => {}
            }
        }
        assert_eq!(room.session().is_some(), live);
    }
}
