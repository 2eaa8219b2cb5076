//! Connecting, coming in, losing a connection.

use muster_model::event::DomainEvent;
use muster_room::{CloseReason, Effect, Event, MediaEffect, MediaKinds, Refusal, Request, Stage};

use crate::harness::{GRACE, Meeting, P, SECOND, START, person, person_who, seed, settings};

#[test]
fn the_first_opens_the_session_and_the_second_is_announced() {
    let mut meeting = Meeting::new();
    let ana = person(1, "Ana", &seed("group_call_host"));
    let peer = meeting.connect(&ana);
    assert_eq!(meeting.room.session(), None);
    let outcome = meeting.ask(peer, Request::Join { display_name: None }).granted();
    let session = meeting.room.session().unwrap();
    let [
        Effect::Record(DomainEvent::SessionStarted {
            session: started, at, ..
        }),
        Effect::Record(DomainEvent::PeerJoined {
            session: joined,
            stay,
        }),
        Effect::Media(MediaEffect::Admit { admitted: true, .. }),
        Effect::Media(MediaEffect::MayProduce {
            kinds: MediaKinds::ALL,
            ..
        }),
        Effect::Reply {
            event: Event::PeerJoined(view),
            ..
        },
    ] = outcome.0.as_slice()
    else {
        panic!("{outcome:#?}")
    };
    assert_eq!((*started, *joined, *at), (session, session, START));
    assert_eq!(
        (stay.record, stay.joined_at, stay.connected_at),
        (peer.id, START, START)
    );
    assert_eq!(
        (view.display_name.as_str(), view.stage, view.waiting),
        ("Ana", Stage::On, false)
    );

    let ben = meeting.connect(&person(2, "Ben", &seed("group_call_participant")));
    let outcome = meeting.ask(ben, Request::Join { display_name: None }).granted();
    assert!(matches!(
        outcome.records().as_slice(),
        [DomainEvent::PeerJoined { .. }]
    ));
    assert_eq!(outcome.told(peer), [outcome.reply(ben)]);
    assert_eq!(meeting.inside(ben), ["Ana", "Ben"]);
}

#[test]
fn a_peer_id_of_somebody_else_is_refused_unnoticed() {
    let mut meeting = Meeting::new();
    let ana = meeting.join_seed(1, "Ana", "group_call_host");
    let (thief, outcome) = meeting.reconnect(ana, &person(2, "Eve", &seed("group_call_host")));
    assert_eq!(
        outcome.0,
        [Effect::Close {
            peer: ana.id,
            connection: thief.connection,
            reason: CloseReason::Refused
        }]
    );
    assert_eq!(meeting.inside(ana), ["Ana"]);
    assert!(meeting.ask(thief, Request::RoomInfo).is_nothing());
}

#[test]
fn a_second_connection_replaces_the_first_and_goes_on_where_it_was() {
    let mut meeting = Meeting::new();
    let ana = person(1, "Ana", &seed("group_call_host"));
    let first = meeting.join(&ana);
    let ben = meeting.join_seed(2, "Ben", "group_call_participant");
    let (second, outcome) = meeting.reconnect(first, &ana);
    assert_eq!(
        outcome.closed(),
        [(first.id, first.connection, CloseReason::Replaced)]
    );
    assert_eq!(
        outcome.media(),
        [
            MediaEffect::Rejoined(first.id),
            MediaEffect::Admit {
                peer: first.id,
                admitted: true
            },
            MediaEffect::MayProduce {
                peer: first.id,
                kinds: MediaKinds::ALL
            },
        ]
    );
    assert!(outcome.told(ben).is_empty());
    // The old connection says nothing any more, and its end ends nothing.
    assert!(meeting.ask(first, Request::RoomInfo).is_nothing());
    assert!(meeting.leave(first).is_nothing());
    assert_eq!(meeting.inside(second), ["Ana", "Ben"]);
    // An older connection that comes late does not take over.
    let late = meeting.connect_as(first, &ana);
    assert_eq!(
        late.0,
        [Effect::Close {
            peer: first.id,
            connection: first.connection,
            reason: CloseReason::Replaced
        }]
    );
    assert_eq!(meeting.inside(second), ["Ana", "Ben"]);
}

#[test]
fn joining_again_replies_and_tells_nobody() {
    let mut meeting = Meeting::new();
    let ana = person(1, "Ana", &seed("group_call_host"));
    let peer = meeting.join(&ana);
    let ben = meeting.join_seed(2, "Ben", "group_call_participant");
    meeting.lose(peer);
    meeting.pass(GRACE / 2);
    let (again, _) = meeting.reconnect(peer, &ana);
    let outcome = meeting.ask(
        again,
        Request::Join {
            display_name: Some("Other".into()),
        },
    );
    let Event::PeerJoined(view) = outcome.reply(again) else {
        panic!("{outcome:#?}")
    };
    assert_eq!((view.display_name.as_str(), view.waiting), ("Ana", false));
    assert!(outcome.records().is_empty() && outcome.told(ben).is_empty());
    // It came back: the grace period that ran then ends nothing.
    assert!(meeting.pass(2 * GRACE).is_nothing());
    assert_eq!(meeting.inside(ben), ["Ana", "Ben"]);
}

#[test]
fn leaving_is_told_at_once_and_losing_the_connection_after_the_grace_period() {
    let mut meeting = Meeting::new();
    let ana = meeting.join_seed(1, "Ana", "group_call_host");
    let ben = meeting.join_seed(2, "Ben", "group_call_participant");
    let cleo = meeting.join_seed(3, "Cleo", "group_call_participant");
    let session = meeting.room.session().unwrap();

    let outcome = meeting.leave(ben);
    assert_eq!(
        outcome.records(),
        [DomainEvent::PeerLeft {
            session,
            record: ben.id,
            at: START
        }]
    );
    assert!(matches!(outcome.told(ana).as_slice(), [Event::PeerLeft(view)] if view.peer == ben.id));
    assert_eq!(outcome.media(), [MediaEffect::Remove(ben.id)]);

    meeting.pass(SECOND);
    assert!(meeting.lose(cleo).is_nothing());
    assert_eq!(meeting.inside(ana), ["Ana", "Cleo"]);
    assert!(meeting.pass(GRACE - 1).is_nothing());
    let outcome = meeting.pass(1);
    // It left when it was lost, not when hope was.
    assert_eq!(
        outcome.records(),
        [DomainEvent::PeerLeft {
            session,
            record: cleo.id,
            at: Meeting::at(SECOND)
        }]
    );
    assert!(matches!(outcome.told(ana).as_slice(), [Event::PeerLeft(view)] if view.peer == cleo.id));
    assert_eq!(meeting.inside(ana), ["Ana"]);
}

#[test]
fn who_comes_back_after_the_grace_period_is_a_stranger_even_when_nobody_woke_the_room() {
    let mut meeting = Meeting::new();
    let guest = person(2, "Ben", &seed("group_call_participant"));
    let ana = meeting.join_seed(1, "Ana", "group_call_host");
    let ben = meeting.join(&guest);
    meeting.lose(ben);
    meeting.now = Meeting::at(GRACE);
    let (again, outcome) = meeting.reconnect(ben, &guest);
    assert!(matches!(outcome.told(ana).as_slice(), [Event::PeerLeft(_)]));
    assert!(!outcome.media().contains(&MediaEffect::Rejoined(ben.id)));
    assert_eq!(meeting.inside(ana), ["Ana"]);
    let outcome = meeting.ask(again, Request::Join { display_name: None });
    assert!(
        matches!(outcome.records().as_slice(), [DomainEvent::PeerJoined { stay, .. }] if stay.record == ben.id)
    );
}

#[test]
fn a_connection_that_never_asked_to_come_in_has_nothing_to_come_back_to() {
    let mut meeting = Meeting::new();
    let eve = meeting.connect(&person(1, "Eve", &seed("group_call_participant")));
    assert_eq!(meeting.lose(eve).0, [Effect::Media(MediaEffect::Remove(eve.id))]);
    assert!(meeting.room.is_idle());
    assert_eq!(meeting.room.next_deadline(), None);
}

#[test]
fn a_full_room_takes_no_more() {
    let mut settings = settings();
    settings.limits.peers = 3;
    settings.limits.peers_per_participant = 2;
    let mut meeting = Meeting::with(settings);
    let ana = person(1, "Ana", &seed("group_call_host"));
    let one = meeting.join(&ana);
    let two = meeting.join(&ana);
    let (three, four) = (meeting.stranger(&ana), meeting.stranger(&ana));
    let full = |who: P| (who.id, who.connection, CloseReason::Full);
    assert_eq!(meeting.connect_as(three, &ana).closed(), [full(three)]);
    // A lost one makes room for another peer of the same participant.
    meeting.lose(two);
    let outcome = meeting.connect_as(four, &ana);
    assert!(outcome.closed().is_empty());
    assert!(matches!(outcome.told(one).as_slice(), [Event::PeerLeft(view)] if view.peer == two.id));
    // Now the room itself fills up.
    let ben = person(2, "Ben", &seed("group_call_participant"));
    meeting.connect(&ben);
    let cleo = person(3, "Cleo", &seed("group_call_participant"));
    let fifth = meeting.stranger(&cleo);
    assert_eq!(meeting.connect_as(fifth, &cleo).closed(), [full(fifth)]);
    assert!(meeting.ask(fifth, Request::RoomInfo).is_nothing());
}

#[test]
fn a_name_is_taken_where_the_preset_lets_it_be_edited() {
    let name = |wished: Option<&str>, may: bool| {
        let mut meeting = Meeting::new();
        let peer = meeting.connect(&person_who(1, "Ana", |mine| mine.can_edit_display_name = may));
        let wished = wished.map(str::to_owned);
        match meeting
            .ask(peer, Request::Join { display_name: wished })
            .reply(peer)
        {
            Event::PeerJoined(view) => view.display_name.clone(),
            other => panic!("{other:?}"),
        }
    };
    assert_eq!(name(None, true), "Ana");
    assert_eq!(name(Some("  Anna "), true), "Anna");
    assert_eq!(name(Some("   "), true), "Ana");
    assert_eq!(name(Some("Anna"), false), "Ana");
    assert_eq!(name(Some(&"é".repeat(300)), true), "é".repeat(256));
}

#[test]
fn one_without_a_connection_to_the_room_is_nobody() {
    let mut meeting = Meeting::new();
    let ana = person(1, "Ana", &seed("group_call_host"));
    let nobody = meeting.stranger(&ana);
    assert!(
        meeting
            .ask(nobody, Request::Join { display_name: None })
            .is_nothing()
    );
    assert!(meeting.lose(nobody).is_nothing());
    // Connected but not inside: what needs one to be inside is refused.
    let outside = meeting.connect(&ana);
    for request in [
        Request::KickAll,
        Request::CompleteMediaJoin,
        Request::JoinStage,
        Request::WaitingRequests,
    ] {
        assert_eq!(meeting.ask(outside, request).refusal(outside), Refusal::NotJoined);
    }
}

#[test]
fn a_clock_that_goes_back_does_no_harm() {
    let mut meeting = Meeting::new();
    let ana = meeting.join_seed(1, "Ana", "group_call_host");
    let ben = meeting.join_seed(2, "Ben", "group_call_participant");
    meeting.pass(10 * SECOND);
    meeting.ask(ana, Request::RoomInfo);
    meeting.now = Meeting::at(-1_000 * SECOND);
    let outcome = meeting.leave(ben);
    assert!(
        matches!(outcome.records().as_slice(), [DomainEvent::PeerLeft { at, .. }] if *at == Meeting::at(10 * SECOND))
    );
    meeting.now = muster_model::Timestamp::from_micros(i64::MIN);
    meeting.lose(ana);
    assert_eq!(
        meeting.room.next_deadline(),
        Some(Meeting::at(10 * SECOND + GRACE))
    );
}
