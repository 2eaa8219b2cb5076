//! Kicks by people, and ending for all.

use muster_model::event::{DomainEvent, EndReason};
use muster_room::{CloseReason, Effect, Event, MediaEffect, Refusal, Request};

use crate::harness::{GRACE, Meeting, SECOND, START, person, person_who, seed};

#[test]
fn a_kick_is_for_the_victims_and_may_be_said_twice() {
    let mut meeting = Meeting::new();
    let ana = meeting.join_seed(1, "Ana", "group_call_host");
    let ben = meeting.join_seed(2, "Ben", "group_call_participant");
    let cleo = meeting.join_seed(3, "Cleo", "group_call_participant");
    let session = meeting.room.session().unwrap();
    let outcome = meeting.ask(ana, Request::Kick(vec![ben.id])).granted();
    let left = |view: &Event| matches!(view, Event::PeerLeft(view) if view.peer == ben.id);
    assert_eq!(
        outcome.records(),
        [
            DomainEvent::AdmissionRevoked {
                session,
                participant: ben.user
            },
            DomainEvent::PeerLeft {
                session,
                record: ben.id,
                at: START
            }
        ]
    );
    assert_eq!(outcome.told(ben), [Event::Kicked]);
    assert_eq!(outcome.closed(), [(ben.id, ben.connection, CloseReason::Removed)]);
    // The one who asked is told of the leaving alone: a 30 would make its client leave.
    for other in [ana, cleo] {
        assert!(matches!(outcome.told(other).as_slice(), [one] if left(one)));
    }
    let kicked = outcome.0.iter().position(|effect| {
        matches!(
            effect,
            Effect::Send {
                event: Event::Kicked,
                ..
            }
        )
    });
    let closed = outcome
        .0
        .iter()
        .position(|effect| matches!(effect, Effect::Close { .. }));
    assert!(kicked < closed);
    assert!(meeting.ask(ana, Request::Kick(vec![ben.id])).is_nothing());
    // What the shell says of the closed connection means nothing any more.
    assert!(meeting.leave(ben).is_nothing());
    let outcome = meeting
        .ask(ana, Request::Kick(vec![ana.id, cleo.id, cleo.id]))
        .granted();
    assert_eq!(outcome.closed().len(), 2);
    assert!(outcome.told(ana).contains(&Event::Kicked));
}

#[test]
fn kicking_needs_permission() {
    let mut meeting = Meeting::new();
    let ana = meeting.join_seed(1, "Ana", "group_call_host");
    let ben = meeting.join_seed(2, "Ben", "group_call_participant");
    for request in [Request::Kick(vec![ana.id]), Request::KickAll] {
        let outcome = meeting.ask(ben, request);
        assert!(matches!(outcome.refusal(ben), Refusal::NotPermitted(_)));
        assert_eq!(outcome.0.len(), 1);
    }
    assert_eq!(meeting.inside(ana), ["Ana", "Ben"]);
}

#[test]
fn one_kicked_while_its_connection_is_lost_comes_back_as_a_stranger() {
    let mut meeting = Meeting::new();
    let ana = meeting.join_seed(1, "Ana", "group_call_host");
    let plain = person(2, "Ben", &seed("group_call_participant"));
    let ben = meeting.join(&plain);
    meeting.pass(SECOND);
    meeting.lose(ben);
    meeting.pass(SECOND);
    let outcome = meeting.ask(ana, Request::Kick(vec![ben.id])).granted();
    assert!(matches!(
        outcome.records().as_slice(),
        [DomainEvent::AdmissionRevoked { participant, .. }, DomainEvent::PeerLeft { at, .. }]
            if *at == Meeting::at(SECOND) && *participant == ben.user
    ));
    assert!(outcome.closed().is_empty() && outcome.told(ben).is_empty());
    assert!(matches!(outcome.told(ana).as_slice(), [Event::PeerLeft(_)]));
    let (ben, outcome) = meeting.reconnect(ben, &plain);
    assert!(outcome.is_nothing());
    assert_eq!(
        meeting.ask(ben, Request::CompleteMediaJoin).refusal(ben),
        Refusal::NotJoined
    );
    assert_eq!(meeting.inside(ana), ["Ana"]);
    assert!(meeting.pass(2 * GRACE).is_nothing());
}

#[test]
fn ending_for_all_ends_at_once_for_the_asker_too() {
    let mut meeting = Meeting::new();
    let ana = meeting.join_seed(1, "Ana", "group_call_host");
    let ben = meeting.join_seed(2, "Ben", "group_call_participant");
    let guest = meeting.join_seed(3, "Guest", "group_call_guest");
    let lost = meeting.join_seed(4, "Lost", "group_call_participant");
    let outside = meeting.connect(&person_who(5, "Outside", |_| {}));
    let session = meeting.room.session().unwrap();
    meeting.lose(lost);
    meeting.pass(SECOND);
    let outcome = meeting.ask(ana, Request::KickAll).granted();
    let now = Meeting::at(SECOND);
    let left = |record, at| DomainEvent::PeerLeft { session, record, at };
    assert_eq!(
        outcome.records(),
        [
            left(ana.id, now),
            left(ben.id, now),
            left(lost.id, START),
            DomainEvent::SessionEnded {
                session,
                reason: EndReason::EndedByHost,
                at: now
            },
        ]
    );
    for who in [ana, ben, guest] {
        assert_eq!(outcome.told(who), [Event::KickedAll]);
    }
    assert!(outcome.told(outside).is_empty());
    let closed: Vec<_> = outcome
        .closed()
        .iter()
        .map(|(peer, _, reason)| (*peer, *reason))
        .collect();
    assert_eq!(
        closed,
        [ana, ben, guest].map(|who| (who.id, CloseReason::Removed))
    );
    assert!(outcome.media().contains(&MediaEffect::Remove(lost.id)));
    assert_eq!(
        (meeting.room.session(), meeting.room.next_deadline()),
        (None, None)
    );
    assert!(!meeting.room.is_idle());
    // The next to come in opens another session.
    meeting
        .ask(outside, Request::Join { display_name: None })
        .granted();
    assert!(meeting.room.session().is_some_and(|next| next != session));
}

#[test]
fn what_others_hear_of_is_asked_for_at_a_bounded_rate() {
    let mut meeting = Meeting::new();
    let ana = meeting.join_seed(1, "Ana", "group_call_host");
    for _ in 0..100 {
        meeting.ask(ana, Request::PinPeer(Some(ana.id))).granted();
    }
    for request in [
        Request::PinPeer(None),
        Request::Kick(vec![]),
        Request::CompleteMediaJoin,
    ] {
        assert_eq!(meeting.ask(ana, request).refusal(ana), Refusal::TooMany);
    }
    meeting.pass(SECOND);
    meeting.ask(ana, Request::PinPeer(None)).granted();
}
