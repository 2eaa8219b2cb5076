//! Connecting, coming in, losing a connection.

use muster_model::event::DomainEvent;
use muster_room::{CloseReason, Effect, Event, MediaEffect, MediaKinds, Request, Stage};

use crate::harness::{Meeting, START, person, seed};

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
