//! When a session begins, how long it lasts, and how it goes on after a crash.

use muster_model::{
    SessionId,
    event::{DomainEvent, EndReason},
    session::SessionKind,
};
use muster_room::{Effect, Event, Input, MediaEffect, Request, Resumed};
use uuid::Uuid;

use crate::harness::{
    GRACE, KEEP_ALIVE, Meeting, Outcome, P, SECOND, START, peer_id, person, seed, settings,
};

fn ended(session: SessionId, at: i64) -> DomainEvent {
    DomainEvent::SessionEnded {
        session,
        reason: EndReason::AllLeft,
        at: Meeting::at(at),
    }
}

fn left(session: SessionId, who: P, at: i64) -> DomainEvent {
    DomainEvent::PeerLeft {
        session,
        record: who.id,
        at: Meeting::at(at),
    }
}

#[test]
fn a_session_outlives_the_last_leave_by_the_keep_alive_time() {
    let mut meeting = Meeting::new();
    let ana = meeting.join_seed(1, "Ana", "group_call_host");
    let session = meeting.room.session().unwrap();
    meeting.pass(5 * SECOND);
    meeting.leave(ana);
    assert_eq!(
        meeting.room.next_deadline(),
        Some(Meeting::at(5 * SECOND + KEEP_ALIVE))
    );
    assert!(meeting.pass(KEEP_ALIVE - 1).is_nothing());
    assert!(!meeting.room.is_idle());
    let outcome = meeting.pass(1);
    assert_eq!(outcome.records(), [ended(session, 5 * SECOND + KEEP_ALIVE)]);
    assert!(meeting.room.is_idle());
    assert_eq!(
        (meeting.room.session(), meeting.room.next_deadline()),
        (None, None)
    );
}

#[test]
fn coming_in_meanwhile_goes_on_with_it_and_later_does_not() {
    let mut meeting = Meeting::new();
    let ana = meeting.join_seed(1, "Ana", "group_call_host");
    let first = meeting.room.session().unwrap();
    meeting.leave(ana);
    meeting.pass(KEEP_ALIVE - 1);
    let ben = meeting.join_seed(2, "Ben", "group_call_participant");
    assert_eq!(meeting.room.session(), Some(first));
    assert!(meeting.pass(10 * KEEP_ALIVE).is_nothing());
    meeting.leave(ben);
    // The time is up although nobody woke the room: the one who comes then is too late.
    meeting.now = Meeting::at(20 * KEEP_ALIVE);
    let cleo = meeting.connect_late(&person(3, "Cleo", &seed("group_call_participant")));
    assert_eq!(cleo.1.records(), [ended(first, 11 * KEEP_ALIVE - 1 + KEEP_ALIVE)]);
    meeting.ask(cleo.0, Request::Join { display_name: None });
    assert_ne!(meeting.room.session(), Some(first));
}

#[test]
fn the_keep_alive_time_counts_from_the_last_leave_as_recorded() {
    let mut meeting = Meeting::new();
    let ana = meeting.join_seed(1, "Ana", "group_call_host");
    let ben = meeting.join_seed(2, "Ben", "group_call_participant");
    let session = meeting.room.session().unwrap();
    meeting.pass(SECOND);
    meeting.lose(ana);
    meeting.pass(SECOND);
    meeting.leave(ben);
    let outcome = meeting.pass(KEEP_ALIVE + GRACE);
    assert_eq!(
        outcome.records(),
        [
            left(session, ana, SECOND),
            ended(session, 2 * SECOND + KEEP_ALIVE)
        ]
    );
    // A keep-alive time shorter than the grace period does not cut the grace period short.
    let mut settings = settings();
    settings.keep_alive_micros = 0;
    let mut meeting = Meeting::with(settings);
    let ana = meeting.join_seed(1, "Ana", "group_call_host");
    let session = meeting.room.session().unwrap();
    meeting.lose(ana);
    assert!(meeting.pass(GRACE - 1).is_nothing());
    assert_eq!(
        meeting.pass(1).records(),
        [left(session, ana, 0), ended(session, 0)]
    );
}

#[test]
fn a_session_says_what_it_is_for_and_whose_breakout_room_it_is() {
    let parent = SessionId::from(Uuid::from_u128(77));
    let mut settings = settings();
    settings.kind = SessionKind::Livestream;
    settings.parent_session = Some(parent);
    let mut meeting = Meeting::with(settings);
    meeting.join_seed(1, "Ana", "livestream_host");
    assert_eq!(
        meeting.history[0],
        DomainEvent::SessionStarted {
            session: meeting.room.session().unwrap(),
            parent: Some(parent),
            kind: SessionKind::Livestream,
            title: Some("Weekly".into()),
            at: START
        }
    );
}

#[test]
fn those_who_watch_a_livestream_are_counted_at_most_once_a_second() {
    let counts = |outcome: &Outcome, who: P| -> Vec<u64> {
        let told = outcome.told(who).into_iter();
        told.filter_map(|event| match event {
            Event::PeerCount(count) => Some(count),
            _ => None,
        })
        .collect()
    };
    let mut settings = settings();
    settings.kind = SessionKind::Livestream;
    let mut meeting = Meeting::with(settings);
    let host = meeting.connect(&person(1, "Ana", &seed("livestream_host")));
    let outcome = meeting.ask(host, Request::Join { display_name: None });
    assert_eq!(counts(&outcome, host), [1]);
    for number in 2..10 {
        let viewer = meeting.join_seed(number, "Viewer", "livestream_viewer");
        if number == 5 {
            meeting.leave(viewer);
        }
    }
    let outcome = meeting.pass(SECOND);
    assert_eq!(counts(&outcome, host), [8]);
    assert_eq!(outcome.0.len(), 1);
    assert!(meeting.pass(10 * SECOND).is_nothing());
    let viewer = meeting.join_seed(20, "Viewer", "livestream_viewer");
    let outcome = meeting.leave(viewer);
    assert!(counts(&outcome, host).is_empty());
    assert_eq!(counts(&meeting.pass(SECOND), host), [8]);
    // Other sessions do not count.
    let mut meeting = Meeting::new();
    let ana = meeting.join_seed(1, "Ana", "group_call_host");
    meeting.join_seed(2, "Ben", "group_call_participant");
    assert!(counts(&meeting.pass(10 * SECOND), ana).is_empty());
}

/// A session that two people, peers 1 and 2, were in when the server died 5 seconds ago.
fn resumed() -> Resumed {
    let inside = [
        (1, "Ana", "group_call_host"),
        (2, "Ben", "group_call_participant"),
    ];
    Resumed {
        session: SessionId::from(Uuid::from_u128(5)),
        started_at: Meeting::at(-100 * SECOND),
        alive_at: Meeting::at(-5 * SECOND),
        inside: inside
            .into_iter()
            .map(|(number, name, preset)| {
                // The second was recorded under another id than its own.
                let record = if number == 2 {
                    peer_id(200)
                } else {
                    peer_id(number)
                };
                (peer_id(number), record, person(number, name, &seed(preset)))
            })
            .collect(),
        admitted: vec![crate::harness::participant_id(3)],
        chat: vec![],
        polls: vec![],
        connected_rooms: vec![],
    }
}

#[test]
fn after_a_crash_those_inside_may_come_back() {
    let mut meeting = Meeting::resumed(settings(), Some(resumed()), START);
    let session = SessionId::from(Uuid::from_u128(5));
    assert_eq!(meeting.room.session(), Some(session));
    assert_eq!(meeting.room.next_deadline(), Some(Meeting::at(GRACE)));
    meeting.pass(10 * SECOND);
    let ana = person(1, "Ana", &seed("group_call_host"));
    let stranger = meeting.stranger(&ana);
    let (peer, outcome) = meeting.reconnect(stranger, &ana);
    assert_eq!(peer.id, peer_id(1));
    assert!(outcome.media().contains(&MediaEffect::Admit {
        peer: peer.id,
        admitted: true
    }));
    let outcome = meeting.ask(peer, Request::Join { display_name: None }).granted();
    assert!(outcome.records().is_empty());
    assert_eq!(meeting.inside(peer), ["Ana", "Ben"]);
    // The guest who had been let in need not wait again (peer 2 is still somebody else's).
    meeting.stranger(&ana);
    let guest = meeting
        .connect_late(&person(3, "Guest", &seed("group_call_guest")))
        .0;
    let outcome = meeting.ask(guest, Request::Join { display_name: None });
    assert!(matches!(outcome.reply(guest), Event::PeerJoined(view) if !view.waiting));
    // The other does not come back: it left when the room was last alive.
    let outcome = meeting.pass(GRACE);
    assert_eq!(
        outcome.records(),
        [DomainEvent::PeerLeft {
            session,
            record: peer_id(200),
            at: Meeting::at(-5 * SECOND)
        }]
    );
    // From here on everything is as ever.
    meeting.leave(guest);
    meeting.leave(peer);
    let gone_at = 10 * SECOND + GRACE;
    assert_eq!(
        meeting.pass(KEEP_ALIVE).records(),
        [ended(session, gone_at + KEEP_ALIVE)]
    );
}

#[test]
fn if_nobody_comes_back_the_session_ended_with_the_crash() {
    let mut meeting = Meeting::resumed(settings(), Some(resumed()), START);
    let session = SessionId::from(Uuid::from_u128(5));
    let outcome = meeting.pass(GRACE);
    let alive_at = Meeting::at(-5 * SECOND);
    let left = |record| DomainEvent::PeerLeft {
        session,
        record,
        at: alive_at,
    };
    assert_eq!(
        outcome.records(),
        [left(peer_id(1)), left(peer_id(200)), ended(session, -5 * SECOND)]
    );
    assert!(meeting.room.is_idle());
}

#[test]
fn a_session_nobody_was_in_any_more_ends_at_once() {
    let mut before = resumed();
    before.inside.clear();
    // A clock that was set back over the restart: no session ends before it began.
    before.alive_at = Meeting::at(-1_000 * SECOND);
    let mut meeting = Meeting::resumed(settings(), Some(before), START);
    assert_eq!(meeting.room.next_deadline(), Some(START));
    let outcome = meeting.input(Input::Timeout);
    assert_eq!(
        outcome.0,
        [Effect::Record(ended(
            SessionId::from(Uuid::from_u128(5)),
            -100 * SECOND
        ))]
    );
    assert!(meeting.room.is_idle());
}
