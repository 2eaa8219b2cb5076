//! Moving people between the rooms of a family.

use muster_model::{PresetId, preset::Permissions};
use muster_room::{Connected, Effect, Event, Input, Refusal, Request};
use uuid::Uuid;

use crate::harness::{meeting_id, participant_id, person_who};
use crate::world::{family, guest, host, main_room, moving, transfer};

#[test]
fn people_are_moved_from_here() {
    let (mut world, ana, [red, _]) = family();
    let (ben, _) = world.join(main_room(), &guest(2, "Ben"));
    let (ben_too, _) = world.join(main_room(), &guest(2, "Ben"));
    world.at(main_room()).connect(&guest(2, "Ben"));
    let outcomes = world.ask(main_room(), ana, moving(main_room(), red, &[2, 8]));
    let here = outcomes.of(main_room());
    let moved = Event::PeopleMoved {
        destination: red,
        custom_ids: vec!["c-2".to_owned()],
    };
    assert_eq!(here.told(ana), [moved]);
    assert_eq!(
        outcomes.transfers(main_room()),
        [transfer(2, &[ben, ben_too], red)]
    );
    assert!(here.to_rooms().is_empty());
}

#[test]
fn people_are_moved_from_elsewhere() {
    let (mut world, ana, [red, blue]) = family();
    let (ben, _) = world.join(red, &guest(2, "Ben"));
    for destination in [blue, main_room()] {
        let outcomes = world.ask(main_room(), ana, moving(red, destination, &[2]));
        let moved = Event::PeopleMoved {
            destination,
            custom_ids: vec!["c-2".to_owned()],
        };
        assert_eq!(outcomes.of(main_room()).told(ana), [moved]);
        assert!(outcomes.transfers(main_room()).is_empty());
        assert_eq!(outcomes.transfers(red), [transfer(2, &[ben], destination)]);
    }
    // A room sends nobody out of its family, whoever says so.
    let word = Connected::Move {
        destination: meeting_id(7),
        people: vec![(participant_id(2), None)],
    };
    assert!(world.at(red).input(Input::Connected(word)).is_nothing());
}

#[test]
fn moves_that_make_no_sense() {
    let (mut world, ana, [red, _]) = family();
    let cases = [
        (
            main_room(),
            main_room(),
            Refusal::Invalid("they are in that room already".to_owned()),
        ),
        (meeting_id(7), red, Refusal::NotFound("source meeting")),
        (
            main_room(),
            meeting_id(7),
            Refusal::NotFound("destination meeting"),
        ),
        (main_room(), red, Refusal::NotFound("participant")),
        (red, main_room(), Refusal::NotFound("participant")),
    ];
    for (source, destination, why) in cases {
        let outcome = world.at(main_room()).ask(ana, moving(source, destination, &[8]));
        assert_eq!(outcome.refusal(ana), why);
        assert_eq!(outcome.0.len(), 1);
    }
}

#[test]
fn another_preset_only_from_those_who_may_change_permissions() {
    let (mut world, ana, [red, _]) = family();
    let mover = person_who(2, "Ben", |may| {
        may.connected_meetings.can_alter_connected_meetings = true;
    });
    let (ben, _) = world.join(main_room(), &mover);
    let preset = PresetId::from(Uuid::from_u128(5));
    let request = || Request::MovePeople {
        source: main_room(),
        destination: red,
        people: vec![(participant_id(2), Some(preset))],
    };
    let outcome = world.at(main_room()).ask(ben, request());
    assert_eq!(outcome.refusal(ben), Refusal::NotPermitted("change presets"));
    let outcomes = world.ask(main_room(), ana, request());
    let sent = Effect::Transfer {
        participant: participant_id(2),
        peers: vec![ben.id],
        destination: red,
        preset: Some(preset),
    };
    assert_eq!(outcomes.transfers(main_room()), [sent]);
    // It goes along from room to room.
    let (ben_in_red, _) = world.join(red, &mover);
    let outcomes = world.ask(
        main_room(),
        ana,
        Request::MovePeople {
            source: red,
            destination: main_room(),
            people: vec![(participant_id(2), Some(preset))],
        },
    );
    let sent = Effect::Transfer {
        participant: participant_id(2),
        peers: vec![ben_in_red.id],
        destination: main_room(),
        preset: Some(preset),
    };
    assert_eq!(outcomes.transfers(red), [sent]);
}

#[test]
fn without_the_right_to_move_others_one_goes_where_one_may() {
    let (mut world, _, [red, blue]) = family();
    let who = |number, change: fn(&mut Permissions)| person_who(number, "x", change);
    let switches = who(2, |may| {
        may.connected_meetings.can_switch_connected_meetings = true;
    });
    let returns = who(3, |may| {
        may.connected_meetings.can_switch_to_parent_meeting = true;
    });
    for (number, person, to_room, to_parent) in [
        (2, switches, true, false),
        (3, returns, false, true),
        (4, who(4, |_| {}), false, false),
    ] {
        let (here, _) = world.join(main_room(), &person);
        let (there, _) = world.join(red, &person);
        for (at, peer, destination, may) in [
            (main_room(), here, red, to_room),
            (red, there, blue, to_room),
            (red, there, main_room(), to_parent),
        ] {
            let outcomes = world.ask(at, peer, moving(at, destination, &[number]));
            if may {
                assert_eq!(outcomes.transfers(at), [transfer(number, &[peer], destination)]);
                outcomes.of(at).granted();
            } else {
                let why = outcomes.of(at).refusal(peer);
                assert_eq!(why, Refusal::NotPermitted("go to that room"));
                assert!(outcomes.transfers(at).is_empty());
            }
        }
        // Neither others, nor oneself out of a room where one's other peer is.
        for (source, destination, whom) in [
            (main_room(), red, vec![1]),
            (main_room(), red, vec![number, 1]),
            (red, blue, vec![number]),
        ] {
            let outcome = world
                .at(main_room())
                .ask(here, moving(source, destination, &whom));
            assert_eq!(outcome.refusal(here), Refusal::NotPermitted("move others"));
        }
        world.leave(main_room(), here);
        world.leave(red, there);
    }
}

#[test]
fn a_host_in_a_breakout_room_moves_people_too() {
    let (mut world, _, [red, blue]) = family();
    let (ana, _) = world.join(red, &host());
    let (ben, _) = world.join(red, &guest(2, "Ben"));
    let (cleo, _) = world.join(blue, &guest(3, "Cleo"));
    let outcomes = world.ask(red, ana, moving(red, blue, &[2]));
    assert_eq!(outcomes.transfers(red), [transfer(2, &[ben], blue)]);
    let outcomes = world.ask(red, ana, moving(blue, red, &[3]));
    assert_eq!(outcomes.transfers(blue), [transfer(3, &[cleo], red)]);
    let outcome = world.at(red).ask(ana, moving(red, meeting_id(7), &[2]));
    assert_eq!(outcome.refusal(ana), Refusal::NotFound("destination meeting"));
}
