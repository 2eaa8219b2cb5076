//! The waiting room.

use std::sync::Arc;

use muster_model::preset::WaitingRoomType::{self, OnPrivilegedUserEntry, SkipOnAccept};
use muster_room::{CloseReason, Effect, Event, MediaEffect, Person, Refusal, Request, WaitingPerson};

use crate::harness::{GRACE, KEEP_ALIVE, Meeting, Outcome, P, SECOND, participant_id, person_who};

fn host(number: u128) -> Arc<Person> {
    person_who(number, "Host", |may| {
        may.accept_waiting_requests = true;
        may.kick_participant = true;
        may.waiting_room_type = SkipOnAccept;
    })
}

fn guest(number: u128, kind: WaitingRoomType) -> Arc<Person> {
    person_who(number, &format!("Guest {number}"), |may| {
        may.waiting_room_type = kind;
    })
}

fn join(meeting: &mut Meeting, who: P) -> Outcome {
    meeting.ask(who, Request::Join { display_name: None }).granted()
}

/// Whether the reply says that one waits.
#[track_caller]
fn waits(outcome: &Outcome, who: P) -> bool {
    match outcome.reply(who) {
        Event::PeerJoined(view) => view.waiting,
        other => panic!("{other:?}"),
    }
}

fn names(event: &Event) -> Vec<String> {
    match event {
        Event::WaitingRequests(people) => people.iter().map(|one| one.display_name.clone()).collect(),
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_guest_waits_is_let_in_and_need_not_wait_again() {
    let mut meeting = Meeting::new();
    let host = meeting.join(&host(1));
    let other = meeting.join(&person_who(5, "Other", |_| {}));
    let visitor = guest(2, SkipOnAccept);
    let ben = meeting.connect(&visitor);
    let outcome = join(&mut meeting, ben);
    assert!(waits(&outcome, ben));
    assert!(outcome.records().is_empty() && outcome.told(other).is_empty());
    assert!(
        !outcome
            .media()
            .iter()
            .any(|effect| matches!(effect, MediaEffect::Admit { .. }))
    );
    assert_eq!(
        outcome.told(host),
        [Event::WaitingRequests(vec![WaitingPerson {
            peer: ben.id,
            person: visitor.clone(),
            display_name: "Guest 2".into()
        }])]
    );
    // Asking again changes nothing and tells nobody.
    let outcome = join(&mut meeting, ben);
    assert!(waits(&outcome, ben) && outcome.told(host).is_empty());

    let outcome = meeting
        .ask(host, Request::AcceptWaiting(vec![ben.user]))
        .granted();
    assert_eq!(outcome.told(ben), [Event::WaitingAccepted]);
    assert_eq!(outcome.told(host), [Event::WaitingRequests(vec![])]);
    assert!(outcome.told(other).is_empty());
    // Let in twice is once.
    assert!(
        meeting
            .ask(host, Request::AcceptWaiting(vec![ben.user]))
            .is_nothing()
    );

    let outcome = join(&mut meeting, ben);
    assert!(!waits(&outcome, ben));
    assert!(matches!(outcome.told(host).as_slice(), [Event::PeerJoined(_)]));
    meeting.leave(ben);
    let again = meeting.connect(&visitor);
    assert!(!waits(&join(&mut meeting, again), again));
}

#[test]
fn an_admission_ends_with_the_session_and_with_a_kick() {
    let mut meeting = Meeting::new();
    let (boss, visitor) = (host(1), guest(2, SkipOnAccept));
    let first = meeting.join(&boss);
    let ben = meeting.join(&visitor);
    meeting.ask(first, Request::AcceptWaiting(vec![ben.user]));
    join(&mut meeting, ben);
    meeting.ask(first, Request::Kick(vec![ben.id])).granted();
    let ben = meeting.connect(&visitor);
    assert!(waits(&join(&mut meeting, ben), ben));
    meeting.ask(first, Request::AcceptWaiting(vec![ben.user]));
    join(&mut meeting, ben);
    meeting.leave(first);
    meeting.leave(ben);
    meeting.pass(KEEP_ALIVE);
    assert_eq!(meeting.room.session(), None);
    let ben = meeting.connect(&visitor);
    assert!(waits(&join(&mut meeting, ben), ben));
}

#[test]
fn turned_away_is_told_and_closed() {
    let mut meeting = Meeting::new();
    let boss = meeting.join(&host(1));
    let visitor = guest(2, SkipOnAccept);
    let ben = meeting.join(&visitor);
    let outcome = meeting.ask(boss, Request::DenyWaiting(vec![ben.user])).granted();
    assert_eq!(
        outcome.0,
        [
            Effect::Send {
                to: vec![ben.id],
                event: Event::WaitingDenied
            },
            Effect::Close {
                peer: ben.id,
                connection: ben.connection,
                reason: CloseReason::Removed
            },
            Effect::Media(MediaEffect::Remove(ben.id)),
            Effect::Send {
                to: vec![boss.id],
                event: Event::WaitingRequests(vec![])
            },
        ]
    );
    let again = meeting.connect(&visitor);
    assert!(waits(&join(&mut meeting, again), again));
    // Denied after being let in, before coming in: must be let in again.
    meeting.ask(boss, Request::AcceptWaiting(vec![ben.user]));
    meeting.ask(boss, Request::DenyWaiting(vec![ben.user]));
    let third = meeting.connect(&visitor);
    assert!(waits(&join(&mut meeting, third), third));
}

#[test]
fn some_wait_only_for_somebody_who_may_let_them_in() {
    let mut meeting = Meeting::new();
    let early = meeting.connect(&guest(2, OnPrivilegedUserEntry));
    let strict = meeting.connect(&guest(3, SkipOnAccept));
    assert!(waits(&join(&mut meeting, early), early));
    assert!(waits(&join(&mut meeting, strict), strict));
    assert_eq!(meeting.room.session(), None);
    meeting.pass(SECOND);
    let boss = meeting.connect(&host(1));
    let outcome = join(&mut meeting, boss);
    assert!(!waits(&outcome, boss));
    assert_eq!(outcome.told(early), [Event::WaitingAccepted]);
    assert!(outcome.told(strict).is_empty());
    assert_eq!(names(outcome.told(boss).last().unwrap()), ["Guest 3"]);
    // It holds although that somebody goes before they ask again; newcomers wait again.
    meeting.leave(boss);
    assert!(!waits(&join(&mut meeting, early), early));
    let late = meeting.connect(&guest(4, OnPrivilegedUserEntry));
    assert!(waits(&join(&mut meeting, late), late));
    meeting.join(&host(5));
    let third = meeting.connect(&guest(6, OnPrivilegedUserEntry));
    assert!(!waits(&join(&mut meeting, third), third));
}

#[test]
fn the_list_is_for_those_who_may_let_in_and_follows_every_change() {
    let mut meeting = Meeting::new();
    let boss = meeting.join(&host(1));
    let plain = meeting.join(&person_who(9, "Plain", |_| {}));
    let one = meeting.join(&guest(2, SkipOnAccept));
    meeting.pass(SECOND);
    let two = meeting.join(&guest(3, SkipOnAccept));
    let reply = meeting.ask(boss, Request::WaitingRequests).reply(boss);
    assert_eq!(names(&reply), ["Guest 2", "Guest 3"]);
    for request in [
        Request::WaitingRequests,
        Request::AcceptWaiting(vec![one.user]),
        Request::DenyWaiting(vec![one.user]),
    ] {
        assert!(matches!(
            meeting.ask(plain, request.clone()).refusal(plain),
            Refusal::NotPermitted(_)
        ));
        assert_eq!(meeting.ask(two, request).refusal(two), Refusal::NotJoined);
    }
    assert_eq!(names(&meeting.leave(one).told(boss)[0]), ["Guest 3"]);
    assert!(meeting.lose(two).is_nothing());
    assert!(meeting.pass(GRACE - 1).is_nothing());
    let outcome = meeting.pass(1);
    assert_eq!(outcome.told(boss), [Event::WaitingRequests(vec![])]);
    assert!(outcome.records().is_empty());
    // Ids of nobody are passed over.
    let nobody = participant_id(99);
    assert!(
        meeting
            .ask(boss, Request::AcceptWaiting(vec![nobody]))
            .is_nothing()
    );
    assert!(meeting.ask(boss, Request::DenyWaiting(vec![nobody])).is_nothing());
}

#[test]
fn one_that_was_let_in_while_its_connection_was_lost_is_told_when_it_is_back() {
    let mut meeting = Meeting::new();
    let boss = meeting.join(&host(1));
    let visitor = guest(2, SkipOnAccept);
    let ben = meeting.join(&visitor);
    meeting.lose(ben);
    meeting.pass(SECOND);
    meeting
        .ask(boss, Request::AcceptWaiting(vec![ben.user]))
        .granted();
    let (ben, outcome) = meeting.reconnect(ben, &visitor);
    assert_eq!(outcome.told(ben), [Event::WaitingAccepted]);
    assert!(!waits(&join(&mut meeting, ben), ben));
}

#[test]
fn one_who_waits_can_be_kicked_and_gets_no_media() {
    let mut meeting = Meeting::new();
    let boss = meeting.join(&host(1));
    let ben = meeting.join(&guest(2, SkipOnAccept));
    assert_eq!(
        meeting.ask(ben, Request::JoinMedia).reply(ben),
        Event::MediaJoined
    );
    assert_eq!(
        meeting.ask(ben, Request::CompleteMediaJoin).refusal(ben),
        Refusal::NotJoined
    );
    let outcome = meeting.ask(boss, Request::Kick(vec![ben.id])).granted();
    assert_eq!(outcome.told(ben), [Event::Kicked]);
    assert_eq!(outcome.closed(), [(ben.id, ben.connection, CloseReason::Removed)]);
    assert_eq!(outcome.told(boss), [Event::WaitingRequests(vec![])]);
    assert!(outcome.records().is_empty());
}
