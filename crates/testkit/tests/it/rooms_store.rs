//! What live rooms keep, written and read through the store alone.

mod breakout;
mod chat;
mod joining;

use std::time::Duration;

use muster_model::{
    ChatMessageId, MeetingId, ParticipantId, PeerId, PollId, SessionId, Timestamp,
    app::Scope,
    chat::{ChatMessage, ChatPayloadKind},
    event::{DomainEvent, EndReason, Stay},
    meeting::MeetingStatus,
    poll::{Poll, PollOption, PollVote},
    session::{PeerViewType, SessionKind, SessionStatus},
};
use muster_store::{
    StoreError,
    participants::MeetingScope,
    rooms::{self, ChatLimits},
};
use muster_testkit::{Api, Database, Server, both};

use crate::seeds::NINE;

/// A server that does not purge chat by itself: the sessions of these tests are long past.
pub(crate) async fn server(db: Database) -> Server {
    Server::builder(db)
        .with(|settings| settings.chat_retention_days = Some(100_000))
        .start()
        .await
}

both!(
    a_session_is_kept_from_its_first_join_to_its_end,
    lengths_of_the_living_follow_the_heartbeat,
    late_news_is_counted_from_when_it_happened,
    nothing_of_others_is_touched,
    a_meeting_has_one_live_session,
    of_sessions_that_begin_at_once_one_is_kept,
    a_room_is_resumed,
    silent_sessions_are_closed_at_their_heartbeat,
);

const SECOND: i64 = 1_000_000;
const ALL: ChatLimits = ChatLimits {
    messages: 1000,
    bytes: 1 << 20,
};

/// So many seconds after nine.
fn s(seconds: u64) -> Timestamp {
    NINE.plus(Duration::from_secs(seconds))
}

/// A meeting of an app, and its room's session.
struct Room<'s> {
    server: &'s Server,
    app: Api,
    meeting: Api,
    at: MeetingScope,
    session: SessionId,
}

impl<'s> Room<'s> {
    async fn new(server: &'s Server) -> Self {
        Self::of(server, server.api().await.app().await).await
    }

    async fn of(server: &'s Server, app: Api) -> Self {
        let meeting = app.meeting().await;
        let scope = Scope {
            account: app.account.parse().unwrap(),
            app: app.id.parse().unwrap(),
        };
        Self {
            server,
            at: MeetingScope {
                scope,
                meeting: meeting.id.parse().unwrap(),
            },
            app,
            meeting,
            session: SessionId::random(),
        }
    }

    /// With a session that began at nine.
    async fn live(server: &'s Server) -> Self {
        let room = Self::new(server).await;
        room.start(0).await;
        room
    }

    async fn try_record(
        &self,
        node: &'static str,
        events: Vec<DomainEvent>,
    ) -> Result<Vec<bool>, StoreError> {
        let at = self.at.clone();
        self.server
            .store()
            .write(move |conn| {
                Box::pin(async move {
                    let mut changed = Vec::new();
                    for event in &events {
                        changed.push(rooms::record(conn, &at, node, event).await?);
                    }
                    Ok(changed)
                })
            })
            .await
    }

    async fn record(&self, events: Vec<DomainEvent>) -> Vec<bool> {
        self.try_record("node-1", events).await.unwrap()
    }

    async fn start(&self, seconds: u64) {
        assert_eq!(self.record(vec![self.started(seconds)]).await, [true]);
    }

    fn started(&self, seconds: u64) -> DomainEvent {
        DomainEvent::SessionStarted {
            session: self.session,
            parent: None,
            kind: SessionKind::Meeting,
            title: Some("Weekly".into()),
            at: s(seconds),
        }
    }

    fn left(&self, record: PeerId, seconds: u64) -> DomainEvent {
        DomainEvent::PeerLeft {
            session: self.session,
            record,
            at: s(seconds),
        }
    }

    fn joined(&self, stay: &Stay) -> DomainEvent {
        DomainEvent::PeerJoined {
            session: self.session,
            stay: stay.clone(),
        }
    }

    fn ended(&self, seconds: u64) -> DomainEvent {
        DomainEvent::SessionEnded {
            session: self.session,
            reason: EndReason::AllLeft,
            at: s(seconds),
        }
    }

    fn said(&self, message: &ChatMessage) -> DomainEvent {
        DomainEvent::ChatSaved {
            session: self.session,
            message: message.clone(),
        }
    }

    /// Shown over REST: the session's minutes in seconds, and each stay's.
    async fn seconds(&self) -> (i64, Vec<i64>) {
        let session = self.app.get(&format!("/sessions/{}", self.session)).await.ok();
        let list = self
            .app
            .get(&format!("/sessions/{}/participants?sort_order=ASC", self.session))
            .await
            .ok();
        #[allow(clippy::cast_possible_truncation)] // a few minutes
        let seconds = |minutes: &serde_json::Value| (minutes.as_f64().unwrap() * 60.0).round() as i64;
        (
            seconds(&session["minutes_consumed"]),
            list["participants"]
                .as_array()
                .unwrap()
                .iter()
                .map(|row| seconds(&row["duration"]))
                .collect(),
        )
    }

    async fn chat(&self) -> Vec<ChatMessage> {
        self.server
            .store()
            .session_chat(&self.at.scope, self.session, None, 1000)
            .await
            .unwrap()
    }
}

fn stay(custom_id: &str, seconds: u64) -> Stay {
    let record = PeerId::random();
    Stay {
        peer: record,
        record,
        participant_id: ParticipantId::random(),
        custom_participant_id: custom_id.into(),
        display_name: Some(format!("Name of {custom_id}")),
        preset_name: "group_call_host".into(),
        view_type: PeerViewType::GroupCall,
        connected_at: s(seconds),
        joined_at: s(seconds),
    }
}

fn message(seconds: u64, text: &str) -> ChatMessage {
    ChatMessage {
        id: ChatMessageId::random(),
        peer_id: PeerId::random(),
        participant_id: ParticipantId::random(),
        display_name: "Ada".into(),
        kind: ChatPayloadKind::Text,
        payload: text.into(),
        recipients: Vec::new(),
        pinned: false,
        edited: false,
        created_at: s(seconds),
    }
}

fn poll(seconds: u64) -> Poll {
    Poll {
        id: PollId::random(),
        question: "Tea?".into(),
        options: vec![
            PollOption {
                text: "yes".into(),
                votes: vec![PollVote {
                    participant_id: ParticipantId::random(),
                    name: "Ada".into(),
                }],
            },
            PollOption {
                text: "no".into(),
                votes: Vec::new(),
            },
        ],
        anonymous: false,
        hide_votes: true,
        created_by: "Ada".into(),
        created_by_participant: Some(ParticipantId::random()),
        created_at: s(seconds),
    }
}

async fn a_session_is_kept_from_its_first_join_to_its_end(db: Database) {
    let server = server(db).await;
    let room = Room::new(&server).await;
    let (ada, bob) = (stay("ada", 0), stay("bob", 10));
    assert_eq!(
        room.record(vec![room.started(0), room.joined(&ada), room.joined(&bob)])
            .await,
        [true, true, true]
    );
    // Ada goes, comes back by a new connection, and is told twice to have come.
    let back = Stay {
        connected_at: s(29),
        joined_at: s(30),
        ..ada.clone()
    };
    assert_eq!(
        room.record(vec![
            room.left(ada.record, 20),
            room.left(ada.record, 25),
            room.joined(&back),
            room.joined(&back)
        ])
        .await,
        [true, false, true, false]
    );
    let live = server
        .store()
        .session(&room.at.scope, room.session)
        .await
        .unwrap();
    assert_eq!(live.status, SessionStatus::Live);
    assert_eq!((live.live_participants, live.max_concurrent_participants), (2, 2));
    assert_eq!(live.heartbeat_at, s(30));
    assert_eq!(live.connected_micros, 40 * SECOND);

    // Bob stays to the end.
    assert_eq!(
        room.record(vec![room.left(ada.record, 40), room.ended(60), room.ended(70)])
            .await,
        [true, true, false]
    );
    let over = server
        .store()
        .session(&room.at.scope, room.session)
        .await
        .unwrap();
    assert_eq!(over.status, SessionStatus::Ended);
    assert_eq!((over.live_participants, over.max_concurrent_participants), (0, 2));
    assert_eq!(over.ended_at, Some(s(60)));
    assert_eq!(over.connected_micros, 80 * SECOND);
    assert_eq!(room.seconds().await, (80, vec![30, 50]));
    check_events(&room).await;
    // Nothing is kept of a session that is over.
    assert_eq!(
        room.record(vec![
            room.joined(&stay("eve", 80)),
            room.said(&message(80, "late")),
            room.left(bob.record, 80)
        ])
        .await,
        [false, false, false]
    );
    assert!(room.chat().await.is_empty());
}

/// What is told of the comings and goings of Ada and Bob.
async fn check_events(room: &Room<'_>) {
    let shown = room
        .app
        .get(&format!(
            "/sessions/{}/participants?include_peer_events=true&sort_order=ASC",
            room.session
        ))
        .await
        .ok();
    let events = |row: usize| -> Vec<(String, f64, String)> {
        shown["participants"][row]["peer_events"]
            .as_array()
            .unwrap()
            .iter()
            .map(|event| {
                (
                    event["event_name"].as_str().unwrap().to_owned(),
                    event["minutes_consumed"].as_f64().unwrap_or(-1.0),
                    event["created_at"].as_str().unwrap()[17..19].to_owned(),
                )
            })
            .collect()
    };
    let event = |name: &str, minutes: f64, second: &str| (name.to_owned(), minutes, second.to_owned());
    assert_eq!(
        events(0),
        [
            event("PEER_CREATED", -1.0, "00"),
            event("PEER_JOINING", -1.0, "00"),
            event("PEER_LEAVING", 0.3333, "20"),
            event("PEER_CREATED", -1.0, "29"),
            event("PEER_JOINING", -1.0, "30"),
            event("PEER_LEAVING", 0.1667, "40"),
        ]
    );
    assert_eq!(
        events(1),
        [
            event("PEER_CREATED", -1.0, "10"),
            event("PEER_JOINING", -1.0, "10"),
            event("PEER_LEAVING", 0.8333, "00"),
        ]
    );
}

async fn lengths_of_the_living_follow_the_heartbeat(db: Database) {
    let server = server(db).await;
    let room = Room::live(&server).await;
    let (ada, bob, cy) = (stay("ada", 0), stay("bob", 10), stay("cy", 20));
    let all = [&ada, &bob, &cy].map(|stay| room.joined(stay)).to_vec();
    room.record(all).await;
    assert_eq!(room.seconds().await, (30, vec![20, 10, 0]));
    room.record(vec![room.left(ada.record, 30)]).await;
    assert_eq!(server.store().heartbeat("node-1", s(50)).await.unwrap(), 1);
    assert_eq!(server.store().heartbeat("node-2", s(55)).await.unwrap(), 0);
    assert_eq!(room.seconds().await, (100, vec![30, 40, 30]));
    // A clock that went back takes nothing away.
    server.store().heartbeat("node-1", s(40)).await.unwrap();
    server.store().heartbeat("node-1", s(60)).await.unwrap();
    assert_eq!(room.seconds().await, (120, vec![30, 50, 40]));

    for (query, wanted) in [
        ("sort_by=duration&sort_order=ASC", ["ada", "cy", "bob"]),
        ("sort_by=duration&sort_order=DESC", ["bob", "cy", "ada"]),
        (
            "view=consolidated&sort_by=duration&sort_order=DESC",
            ["bob", "cy", "ada"],
        ),
    ] {
        let path = format!("/sessions/{}/participants?{query}", room.session);
        let list = room.app.get(&path).await.ok();
        let names: Vec<&str> = list["participants"]
            .as_array()
            .unwrap()
            .iter()
            .map(|row| row["custom_participant_id"].as_str().unwrap())
            .collect();
        assert_eq!(names, wanted, "{query}");
        let bob = list["participants"]
            .as_array()
            .unwrap()
            .iter()
            .find(|row| row["custom_participant_id"] == "bob");
        assert_eq!(bob.unwrap()["duration"], 0.8333, "{query}");
    }
    let days = room
        .app
        .get("/analytics/daywise?start_date=2026-03-10&end_date=2026-03-10")
        .await
        .ok();
    assert_eq!(days["session_stats"]["sessions_count"], 1);
    assert_eq!(days["session_stats"]["sessions_minutes_consumed"], 2.0);
    let one = room
        .app
        .get(&format!("/sessions/{}/participants/{}", room.session, cy.record))
        .await;
    assert!(one.expect(200).body.to_string().contains("0.6667"));
    room.record(vec![room.ended(60)]).await;
    assert_eq!(room.seconds().await, (120, vec![30, 50, 40]));
    let path = format!(
        "/sessions/{}/participants?sort_by=duration&sort_order=DESC",
        room.session
    );
    let list = room.app.get(&path).await.ok();
    assert_eq!(list["participants"][0]["custom_participant_id"], "bob");
    assert_eq!(list["participants"][2]["custom_participant_id"], "ada");
}

async fn late_news_is_counted_from_when_it_happened(db: Database) {
    let server = server(db).await;
    let room = Room::live(&server).await;
    let (ada, bob) = (stay("ada", 0), stay("bob", 5));
    room.record(vec![room.joined(&ada)]).await;
    server.store().heartbeat("node-1", s(30)).await.unwrap();
    room.record(vec![room.joined(&bob)]).await;
    assert_eq!(room.seconds().await, (55, vec![30, 25]));
    // Ada was lost long before that was sure.
    room.record(vec![room.left(ada.record, 10)]).await;
    assert_eq!(room.seconds().await, (35, vec![10, 25]));
    room.record(vec![room.left(bob.record, 1), room.ended(40)]).await;
    assert_eq!(room.seconds().await, (10, vec![10, 0]));
}

async fn nothing_of_others_is_touched(db: Database) {
    let server = server(db).await;
    let (mine, other) = (Room::live(&server).await, Room::live(&server).await);
    let (ada, poll, said) = (stay("ada", 0), poll(1), message(1, "mine"));
    mine.record(vec![
        mine.joined(&ada),
        mine.said(&said),
        DomainEvent::PollSaved {
            session: mine.session,
            poll: poll.clone(),
        },
    ])
    .await;
    // The other app's room uses the same ids, in its own session and in mine.
    let stolen = ChatMessage {
        payload: "stolen".into(),
        ..said.clone()
    };
    let mut theft = Vec::new();
    for session in [other.session, mine.session] {
        theft.extend([
            DomainEvent::PeerJoined {
                session,
                stay: Stay {
                    participant_id: ParticipantId::random(),
                    ..ada.clone()
                },
            },
            DomainEvent::PeerJoined {
                session,
                stay: ada.clone(),
            },
            DomainEvent::PeerLeft {
                session,
                record: ada.record,
                at: s(9),
            },
            DomainEvent::ChatSaved {
                session,
                message: stolen.clone(),
            },
            DomainEvent::ChatDeleted {
                session,
                message: said.id,
            },
            DomainEvent::PollSaved {
                session,
                poll: Poll {
                    options: Vec::new(),
                    ..poll.clone()
                },
            },
        ]);
    }
    theft.push(DomainEvent::SessionEnded {
        session: mine.session,
        reason: EndReason::EndedByHost,
        at: s(9),
    });
    assert_eq!(other.record(theft).await, [false; 13]);
    // In the right meeting and session, but somebody else's row.
    let impostor = Stay {
        participant_id: ParticipantId::random(),
        ..ada.clone()
    };
    mine.record(vec![mine.left(ada.record, 10)]).await;
    assert_eq!(mine.record(vec![mine.joined(&impostor)]).await, [false]);

    assert_eq!(mine.chat().await, [said]);
    assert!(other.chat().await.is_empty());
    assert_eq!(mine.seconds().await, (10, vec![10]));
    assert_eq!(other.seconds().await, (0, vec![]));
    let kept = server.store().resume_room(&mine.at, ALL).await.unwrap().unwrap();
    assert_eq!(kept.polls, [poll]);
    assert!(
        server
            .store()
            .session_chat(&other.at.scope, mine.session, None, 10)
            .await
            .unwrap()
            .is_empty()
    );
}

async fn a_meeting_has_one_live_session(db: Database) {
    let server = server(db).await;
    let mut room = Room::live(&server).await;
    assert_eq!(
        room.record(vec![room.started(0)]).await,
        [false],
        "told twice, kept once"
    );
    let first = room.session;
    room.session = SessionId::random();
    let refused = room.try_record("node-2", vec![room.started(5)]).await;
    assert!(matches!(refused, Err(StoreError::Conflict(_))), "{refused:?}");
    let second = room.session;
    room.session = first;
    room.record(vec![room.ended(6)]).await;
    room.session = second;
    room.start(7).await;
    // Live, it keeps its meeting and app from being deleted.
    room.meeting.delete("").await.refused(409);
    room.record(vec![room.ended(8)]).await;
    room.meeting.delete("").await.expect(200);
    room.session = SessionId::random();
    let refused = room.try_record("node-1", vec![room.started(9)]).await;
    assert!(
        matches!(refused, Err(StoreError::NotFound("Meeting"))),
        "{refused:?}"
    );
}

async fn of_sessions_that_begin_at_once_one_is_kept(db: Database) {
    let server = server(db).await;
    let room = Room::new(&server).await;
    let begin = async |node| {
        let mine = DomainEvent::SessionStarted {
            session: SessionId::random(),
            parent: None,
            kind: SessionKind::Meeting,
            title: None,
            at: s(0),
        };
        room.try_record(node, vec![mine]).await
    };
    let nodes = ["a", "b", "c", "d", "e", "f", "g", "h"];
    let begun = futures::future::join_all(nodes.map(begin)).await;
    let kept = begun
        .iter()
        .filter(|begun| matches!(begun, Ok(changed) if changed[0]))
        .count();
    let refused = begun
        .iter()
        .filter(|begun| matches!(begun, Err(StoreError::Conflict(_))))
        .count();
    assert_eq!((kept, refused), (1, 7), "{begun:?}");
}

async fn a_room_is_resumed(db: Database) {
    let server = server(db).await;
    let room = Room::new(&server).await;
    let store = server.store();
    assert!(store.resume_room(&room.at, ALL).await.unwrap().is_none());
    assert!(store.live_sessions_of("node-1").await.unwrap().is_empty());
    room.start(0).await;
    let mut stays = Vec::new();
    for (custom_id, second) in [("ada", 1), ("bob", 2), ("cy", 3), ("dee", 4)] {
        let added = room.meeting.participant(custom_id).await;
        stays.push(Stay {
            participant_id: added["id"].as_str().unwrap().parse().unwrap(),
            ..stay(custom_id, second)
        });
    }
    // Bob's peer has used its id in an earlier session.
    stays[1].record = PeerId::random();
    let mut events: Vec<DomainEvent> = stays.iter().map(|stay| room.joined(stay)).collect();
    let (said, asked) = (message(5, "hello"), poll(6));
    let rooms = vec![
        (MeetingId::random(), "b".to_owned()),
        (MeetingId::random(), "a".to_owned()),
        (MeetingId::random(), "gone".to_owned()),
    ];
    events.extend([
        room.left(stays[2].record, 5),
        room.said(&said),
        DomainEvent::PollSaved {
            session: room.session,
            poll: asked.clone(),
        },
        DomainEvent::ConnectedMeetingsCreated {
            meetings: rooms.clone(),
            at: s(7),
        },
        DomainEvent::ConnectedMeetingsDeleted {
            meetings: vec![rooms[2].0],
        },
    ]);
    assert!(room.record(events).await.iter().all(|changed| *changed));
    let path = format!("/participants/{}", stays[3].participant_id);
    room.meeting.delete(&path).await.expect(200);
    store.heartbeat("node-1", s(20)).await.unwrap();

    let live = store.live_sessions_of("node-1").await.unwrap();
    assert_eq!(live.len(), 1);
    assert_eq!((&live[0].at, live[0].session), (&room.at, room.session));
    assert!(store.live_sessions_of("node-2").await.unwrap().is_empty());
    let resumed = store.resume_room(&room.at, ALL).await.unwrap().unwrap();
    assert_eq!(
        (resumed.session, resumed.started_at, resumed.heartbeat_at),
        (room.session, s(0), s(20))
    );
    let inside: Vec<(PeerId, PeerId, ParticipantId)> = resumed
        .inside
        .iter()
        .map(|inside| (inside.peer, inside.record, inside.person.participant))
        .collect();
    let of = |stay: &Stay| (stay.peer, stay.record, stay.participant_id);
    assert_eq!(inside, [of(&stays[0]), of(&stays[1])]);
    let known = store
        .person(room.at.scope.app, room.at.meeting, stays[0].participant_id, None)
        .await
        .unwrap()
        .unwrap();
    let mut person = known.person;
    person.name = "Name of ada".into();
    assert_eq!(resumed.inside[0].person, person);
    assert_eq!(resumed.gone, [stays[3].record]);
    let mut admitted: Vec<ParticipantId> = stays.iter().map(|stay| stay.participant_id).collect();
    admitted.sort_by_key(ToString::to_string);
    assert_eq!(resumed.admitted, admitted);
    // One that was sent away has to be let in again, whatever its earlier stays, until it is.
    let away = DomainEvent::AdmissionRevoked {
        session: room.session,
        participant: stays[2].participant_id,
    };
    assert_eq!(room.record(vec![away]).await, [true]);
    let again = store.resume_room(&room.at, ALL).await.unwrap().unwrap().admitted;
    assert_eq!(again.len(), admitted.len() - 1);
    assert!(!again.contains(&stays[2].participant_id));
    let back = Stay {
        joined_at: s(21),
        ..stays[2].clone()
    };
    room.record(vec![room.joined(&back)]).await;
    let again = store.resume_room(&room.at, ALL).await.unwrap().unwrap().admitted;
    assert_eq!(again, admitted);
    assert_eq!((resumed.chat, resumed.polls), (vec![said], vec![asked]));
    assert_eq!(resumed.connected_meetings, rooms[..2]);
}

async fn silent_sessions_are_closed_at_their_heartbeat(db: Database) {
    let server = server(db).await;
    let (silent, alive) = (Room::live(&server).await, Room::new(&server).await);
    let ada = stay("ada", 0);
    let child = MeetingId::random();
    silent
        .record(vec![
            silent.joined(&ada),
            DomainEvent::ConnectedMeetingsCreated {
                meetings: vec![(child, "child".into())],
                at: s(1),
            },
        ])
        .await;
    alive.try_record("node-2", vec![alive.started(0)]).await.unwrap();
    let store = server.store();
    store.heartbeat("node-1", s(30)).await.unwrap();
    store.heartbeat("node-2", s(90)).await.unwrap();
    let minute = Duration::from_secs(60);
    assert!(
        store
            .close_stale_sessions(s(90), minute)
            .await
            .unwrap()
            .is_empty()
    );
    let closed = store.close_stale_sessions(s(91), minute).await.unwrap();
    assert_eq!(closed.len(), 1);
    assert_eq!(closed[0].at, silent.at);
    let session = store.session(&silent.at.scope, silent.session).await.unwrap();
    assert_eq!(closed[0].session, session);
    assert_eq!(
        (session.status, session.ended_at, session.connected_micros),
        (SessionStatus::Ended, Some(s(30)), 30 * SECOND)
    );
    assert_eq!(silent.seconds().await, (30, vec![30]));
    let parked = store.meeting(&silent.at.scope, child).await.unwrap();
    assert_eq!(parked.settings.status, MeetingStatus::Inactive);
    assert!(
        store
            .close_stale_sessions(s(91), minute)
            .await
            .unwrap()
            .is_empty()
    );
    assert_eq!(store.live_sessions_of("node-2").await.unwrap().len(), 1);
}
