//! How long a family of rooms lasts, and how it begins again.

use std::sync::Arc;

use muster_model::{
    MeetingId,
    event::{DomainEvent, EndReason},
};
use muster_room::{Command, Connected, Event, Input, Person, Request, Resumed};
use uuid::Uuid;

use crate::harness::{GRACE, KEEP_ALIVE, Meeting, SECOND, START, meeting_id, peer_id, settings};
use crate::world::{
    World, child_settings, family, guest, host, last_family, main_room, transfer, whereabouts,
};

#[test]
fn the_parent_lives_while_anybody_is_in_a_breakout_room() {
    let (mut world, ana, [red, blue]) = family();
    let (ben, _) = world.join(red, &guest(2, "Ben"));
    world.leave(main_room(), ana);
    assert_eq!(world.at(main_room()).room.next_deadline(), None);
    world.pass(main_room(), 10 * KEEP_ALIVE);
    assert!(world.at(main_room()).room.session().is_some());

    world.at(red).pass(10 * KEEP_ALIVE);
    world.leave(red, ben);
    world.pass(main_room(), KEEP_ALIVE - SECOND);
    assert!(
        world.at(main_room()).room.session().is_some(),
        "it lives on after the last one"
    );
    let outcomes = world.pass(main_room(), SECOND);
    let here = outcomes.of(main_room());
    let [ended, deleted] = &here.records()[..] else {
        panic!("{here:#?}")
    };
    let all_left = EndReason::AllLeft;
    assert!(matches!(ended, DomainEvent::SessionEnded { reason, .. } if *reason == all_left));
    let meetings = vec![red, blue];
    assert_eq!(*deleted, DomainEvent::ConnectedMeetingsDeleted { meetings });
    assert!(world.at(main_room()).room.is_idle());
    // One who goes there now is sent to the main room.
    let (cleo, outcomes) = world.join(red, &guest(3, "Cleo"));
    assert_eq!(outcomes.transfers(red), [transfer(3, &[cleo], main_room())]);
}

#[test]
fn ended_for_all_ends_in_breakout_rooms_too() {
    let (mut world, ana, [red, blue]) = family();
    let (ben, _) = world.join(red, &guest(2, "Ben"));
    let outcome = world.at(main_room()).ask(ana, Request::KickAll);
    let deleted = DomainEvent::ConnectedMeetingsDeleted {
        meetings: vec![red, blue],
    };
    assert!(outcome.records().contains(&deleted));
    let outcomes = world.settle(main_room(), outcome);
    assert_eq!(outcomes.told(red, ben), [Event::KickedAll]);
    assert!(outcomes.transfers(red).is_empty());
    let closed = outcomes.of(red).closed();
    assert_eq!((closed.len(), closed[0].0), (1, ben.id));
    let by_host = |record: &DomainEvent| {
        matches!(
            record,
            DomainEvent::SessionEnded {
                reason: EndReason::EndedByHost,
                ..
            }
        )
    };
    assert!(outcomes.of(red).records().iter().any(by_host));
    assert!(outcomes.of(red).to_rooms().is_empty());
    for meeting in [main_room(), red, blue] {
        assert_eq!(world.at(meeting).room.session(), None);
    }
}

#[test]
fn ended_in_a_breakout_room_ends_only_there() {
    let (mut world, ana, [red, _]) = family();
    let (_ben, _) = world.join(red, &guest(2, "Ben"));
    let outcome = world.at(red).command(Command::KickAll);
    let outcomes = world.settle(red, outcome);
    let family = last_family(&outcomes.told(main_room(), ana));
    assert_eq!(whereabouts(&family), [vec!["Ana"], vec![], vec![]]);
    assert!(world.at(main_room()).room.session().is_some());
}

#[test]
fn words_for_breakout_rooms_do_nothing_in_a_plain_one() {
    let mut world = World::new();
    let (ana, _) = world.join(main_room(), &host());
    let family = world.family(main_room(), ana);
    for word in [Connected::Closed, Connected::Ended, Connected::Family(family)] {
        assert!(world.at(main_room()).input(Input::Connected(word)).is_nothing());
    }
    assert_eq!(world.at(main_room()).inside(ana), ["Ana"]);
}

fn cut_short(inside: &[(u128, &Arc<Person>)], rooms: &[(MeetingId, &str)]) -> Resumed {
    let inside = inside.iter();
    let rooms = rooms.iter();
    Resumed {
        session: Uuid::from_u128(0xFF).into(),
        started_at: START,
        alive_at: START,
        inside: inside
            .map(|(number, person)| (peer_id(*number), peer_id(*number), Arc::clone(person)))
            .collect(),
        admitted: Vec::new(),
        chat: Vec::new(),
        polls: Vec::new(),
        connected_rooms: rooms
            .map(|(meeting, title)| (*meeting, (*title).to_owned()))
            .collect(),
    }
}

#[test]
fn a_parent_that_begins_again_learns_who_is_where() {
    let (mut world, _, [red, blue]) = family();
    let (ben, _) = world.join(red, &guest(2, "Ben"));
    let resumed = cut_short(&[], &[(red, "Red"), (blue, "Blue")]);
    let again = Meeting::resumed(settings(), Some(resumed), START);
    world.0.insert(main_room(), again);
    let due = world.at(main_room()).room.next_deadline();
    assert_eq!(due, Some(START), "it has something to say");
    let outcome = world.at(main_room()).input(Input::Timeout);
    world.settle(main_room(), outcome);
    world.pass(main_room(), 2 * GRACE + KEEP_ALIVE);
    assert!(
        world.at(main_room()).room.session().is_some(),
        "somebody is in a breakout room"
    );
    let (ana, _) = world.at(main_room()).connect_late(&host());
    world.ask(main_room(), ana, Request::Join { display_name: None });
    let expected = vec![vec!["Ana"], vec!["Ben"], vec![]];
    let told = world.family(main_room(), ana);
    assert_eq!(
        (whereabouts(&told), told.rooms[1].title.as_str()),
        (expected.clone(), "Blue")
    );
    assert_eq!(whereabouts(&world.family(red, ben)), expected);
}

#[test]
fn without_anybody_it_ends_after_the_grace_period() {
    let resumed = cut_short(&[], &[(meeting_id(2), "Red")]);
    let mut world = World::new();
    world
        .0
        .insert(main_room(), Meeting::resumed(settings(), Some(resumed), START));
    world.pass(main_room(), GRACE - 1);
    assert!(world.at(main_room()).room.session().is_some());
    let outcomes = world.pass(main_room(), 1);
    let deleted = DomainEvent::ConnectedMeetingsDeleted {
        meetings: vec![meeting_id(2)],
    };
    assert!(outcomes.of(main_room()).records().contains(&deleted));
}

#[test]
fn a_breakout_room_that_begins_again_says_who_is_there() {
    let red = meeting_id(2);
    let ben = guest(2, "Ben");
    let mut room = Meeting::resumed(child_settings(red), Some(cut_short(&[(1, &ben)], &[])), START);
    assert_eq!(room.room.next_deadline(), Some(START));
    let outcome = room.input(Input::Timeout);
    let word = Connected::Roster {
        meeting: red,
        people: vec![ben],
    };
    assert_eq!(outcome.to_rooms(), [(main_room(), word)]);
    assert_eq!(room.room.next_deadline(), Some(Meeting::at(GRACE)));
}
