//! Breakout rooms: what is told of them, making them and giving them up.

use std::sync::Arc;

use muster_model::{MeetingId, event::DomainEvent, preset::WaitingRoomType};
use muster_room::{Connected, ConnectedRoom, Effect, Event, Family, Input, Refusal, Request};

use crate::harness::{Meeting, SECOND, START, meeting_id, person_who};
use crate::world::{
    World, child_settings, family, guest, host, last_family, main_room, moving, names, transfer, whereabouts,
};

#[test]
fn a_plain_meeting_is_a_family_of_its_own_and_tells_nobody() {
    let mut world = World::new();
    let (ana, first) = world.join(main_room(), &host());
    let ben = guest(2, "Ben");
    let (ben_1, second) = world.join(main_room(), &ben);
    world.join(main_room(), &ben);
    let unseen = person_who(3, "Bot", |may| may.hidden_participant = true);
    let (_, third) = world.join(main_room(), &unseen);
    let blind = person_who(4, "Eve", |may| may.show_participant_list = false);
    let (eve, _) = world.join(main_room(), &blind);
    for outcomes in [first, second, third] {
        let outcome = outcomes.of(main_room());
        assert!(outcome.to_rooms().is_empty());
        let of_family = |event: &Event| matches!(event, Event::ConnectedRooms(_));
        assert!(!outcome.told(ana).iter().any(of_family));
    }
    let family = world.family(main_room(), ana);
    assert_eq!((family.parent.meeting, family.rooms.len()), (main_room(), 0));
    assert_eq!(family.parent.title, "Weekly");
    assert_eq!(names(&family.parent), ["Ana", "Ben", "Eve"]);
    assert!(world.family(main_room(), eve).parent.people.is_empty());
    let leaving = world.leave(main_room(), ben_1).of(main_room());
    assert!(leaving.to_rooms().is_empty());

    let outside = world.at(main_room()).connect(&host());
    let outcome = world.at(main_room()).ask(outside, Request::ConnectedRooms);
    assert_eq!(outcome.refusal(outside), Refusal::NotJoined);
}

#[test]
fn people_are_listed_by_the_names_shown() {
    let mut world = World::new();
    let who = person_who(1, "Ana", |may| may.can_edit_display_name = true);
    let ana = world.at(main_room()).connect(&who);
    let display_name = Some("Annie".to_owned());
    world.ask(main_room(), ana, Request::Join { display_name });
    assert_eq!(names(&world.family(main_room(), ana).parent), ["Annie"]);
}

#[test]
fn all_follow_who_is_where() {
    let (mut world, ana, [red, blue]) = family();
    let blind = person_who(9, "Eve", |may| may.show_participant_list = false);
    let (eve, _) = world.join(main_room(), &blind);
    let (ben, outcomes) = world.join(red, &guest(2, "Ben"));
    let expected = vec![vec!["Ana", "Eve"], vec!["Ben"], vec![]];
    let told = last_family(&outcomes.told(main_room(), ana));
    assert_eq!(whereabouts(&told), expected);
    assert_eq!(told.rooms[0].title, "Red");
    assert_eq!(whereabouts(&last_family(&outcomes.told(red, ben))), expected);
    let nobody = last_family(&outcomes.told(main_room(), eve));
    assert_eq!(whereabouts(&nobody), vec![Vec::<&str>::new(); 3]);
    assert_eq!(nobody.rooms[1].title, "Blue");

    let (cleo, outcomes) = world.join(blue, &guest(3, "Cleo"));
    let expected = vec![vec!["Ana", "Eve"], vec!["Ben"], vec!["Cleo"]];
    assert_eq!(whereabouts(&last_family(&outcomes.told(red, ben))), expected);
    assert_eq!(whereabouts(&world.family(blue, cleo)), expected);

    let outcomes = world.leave(main_room(), eve);
    assert_eq!(names(&last_family(&outcomes.told(red, ben)).parent), ["Ana"]);
    let outcomes = world.leave(blue, cleo);
    assert!(names(&last_family(&outcomes.told(red, ben)).rooms[1]).is_empty());
    // The second peer of somebody who is there changes nothing, and nobody is told.
    let (_, outcomes) = world.join(red, &guest(2, "Ben"));
    assert!(outcomes.told(main_room(), ana).is_empty());
}

#[test]
fn a_breakout_room_knows_its_parent_before_it_has_heard_of_it() {
    let red = meeting_id(2);
    let mut alone = Meeting::with(child_settings(red));
    let ben = alone.join(&guest(2, "Ben"));
    let Event::ConnectedRooms(family) = alone.ask(ben, Request::ConnectedRooms).reply(ben) else {
        panic!()
    };
    assert_eq!(family.parent.meeting, main_room());
    assert_eq!(
        (family.rooms[0].meeting, names(&family.rooms[0])),
        (red, vec!["Ben"])
    );
    // Somebody else's family is not its own.
    let other = Arc::new(Family {
        parent: ConnectedRoom {
            meeting: meeting_id(7),
            title: String::new(),
            people: Vec::new(),
        },
        rooms: Vec::new(),
    });
    let heard = alone.input(Input::Connected(Connected::Family(other)));
    assert!(heard.is_nothing());
}

#[test]
fn nobody_waits_before_a_breakout_room() {
    let (mut world, _, [red, _]) = family();
    let shy = person_who(2, "Ben", |may| {
        may.waiting_room_type = WaitingRoomType::SkipOnAccept;
    });
    let (_, outcomes) = world.join(red, &shy);
    let joined = |record: &DomainEvent| matches!(record, DomainEvent::PeerJoined { .. });
    assert!(outcomes.of(red).records().iter().any(joined));
}

// Making and giving up

#[test]
fn made_and_told_to_all() {
    let mut world = World::new();
    let (ana, _) = world.join(main_room(), &host());
    let (ben, _) = world.join(main_room(), &guest(2, "Ben"));
    let titles = vec!["  Red ".to_owned(), "Blue".to_owned()];
    let outcome = world
        .at(main_room())
        .ask(ana, Request::CreateConnectedRooms(titles));
    let Event::ConnectedRoomsCreated { rooms, reply: true } = outcome.reply(ana) else {
        panic!("{outcome:#?}")
    };
    assert_eq!(rooms.len(), 2);
    assert_ne!(rooms[0].0, rooms[1].0);
    assert_eq!((rooms[0].1.as_str(), rooms[1].1.as_str()), ("Red", "Blue"));
    let made = DomainEvent::ConnectedMeetingsCreated {
        meetings: rooms.clone(),
        at: START,
    };
    assert_eq!(outcome.0[0], Effect::Record(made));
    let told = outcome.told(ben);
    let created = Event::ConnectedRoomsCreated {
        rooms: rooms.clone(),
        reply: false,
    };
    assert_eq!((told.len(), &told[0]), (2, &created));
    assert!(!outcome.told(ana).contains(&created));
    for who in [ana, ben] {
        let family = last_family(&outcome.told(who));
        assert_eq!(whereabouts(&family), [vec!["Ana", "Ben"], vec![], vec![]]);
    }
    let to: Vec<MeetingId> = outcome.to_rooms().iter().map(|(meeting, _)| *meeting).collect();
    assert_eq!(to, [rooms[0].0, rooms[1].0]);
}

#[test]
fn titles_and_numbers_have_bounds() {
    let mut world = World::new();
    let (ana, _) = world.join(main_room(), &host());
    let mut ask = |titles: Vec<String>| {
        world
            .at(main_room())
            .ask(ana, Request::CreateConnectedRooms(titles))
    };
    for bad in [
        vec![],
        vec!["  ".to_owned()],
        vec!["fine".to_owned(), "ä".repeat(1025)],
    ] {
        let outcome = ask(bad);
        assert!(matches!(outcome.refusal(ana), Refusal::Invalid(_)));
        assert_eq!(outcome.0.len(), 1);
    }
    ask(vec!["ä".repeat(1024)]).granted();
    ask(vec!["x".to_owned(); 99]).granted();
    assert!(matches!(ask(vec!["x".to_owned()]).refusal(ana), Refusal::Full(_)));
}

#[test]
fn given_up_and_all_come_back() {
    let (mut world, ana, [red, blue]) = family();
    let (ben, _) = world.join(red, &guest(2, "Ben"));
    let (ben_too, _) = world.join(red, &guest(2, "Ben"));
    let (eve, _) = world.join(main_room(), &guest(5, "Eve"));
    let outcomes = world.ask(main_room(), ana, Request::DeleteConnectedRooms(vec![red]));
    let here = outcomes.of(main_room());
    let rooms = vec![(red, "Red".to_owned())];
    let deleted = |reply| Event::ConnectedRoomsDeleted {
        rooms: rooms.clone(),
        reply,
    };
    assert_eq!(here.reply(ana), deleted(true));
    assert_eq!(here.told(eve)[0], deleted(false));
    assert_eq!(
        here.records(),
        [DomainEvent::ConnectedMeetingsDeleted { meetings: vec![red] }]
    );
    let family = last_family(&here.told(eve));
    assert_eq!((family.rooms.len(), family.rooms[0].meeting), (1, blue));
    assert_eq!(
        outcomes.transfers(red),
        [transfer(2, &[ben, ben_too], main_room())]
    );

    // Each is told once, and one who comes by an old token is sent back too.
    let outcomes = world.leave(red, ben_too);
    assert!(outcomes.transfers(red).is_empty());
    assert!(
        outcomes.of(red).to_rooms().is_empty(),
        "its parent does not know it any more"
    );
    let (cleo, outcomes) = world.join(red, &guest(3, "Cleo"));
    assert_eq!(outcomes.transfers(red), [transfer(3, &[cleo], main_room())]);
    let again = world.at(red).input(Input::Connected(Connected::Closed));
    assert!(again.is_nothing());
    // A room that began anew since does not know; its parent does.
    world.0.insert(red, Meeting::with(child_settings(red)));
    let (dov, outcomes) = world.join(red, &guest(4, "Dov"));
    assert_eq!(outcomes.transfers(red), [transfer(4, &[dov], main_room())]);
}

#[test]
fn only_those_of_the_family_are_given_up() {
    let (mut world, ana, [red, _]) = family();
    for meetings in [vec![], vec![red, meeting_id(7)], vec![main_room()]] {
        let outcome = world
            .at(main_room())
            .ask(ana, Request::DeleteConnectedRooms(meetings));
        assert_eq!(outcome.refusal(ana), Refusal::NotFound("breakout room"));
        assert_eq!(outcome.0.len(), 1);
    }
}

#[test]
fn who_may_change_them_and_where() {
    let (mut world, _, [red, _]) = family();
    let (ben, _) = world.join(main_room(), &guest(2, "Ben"));
    let (ana_in_red, _) = world.join(red, &host());
    let requests = [
        Request::CreateConnectedRooms(vec!["Green".to_owned()]),
        Request::DeleteConnectedRooms(vec![red]),
    ];
    for request in requests {
        let outcome = world.at(main_room()).ask(ben, request.clone());
        assert_eq!(
            outcome.refusal(ben),
            Refusal::NotPermitted("change breakout rooms")
        );
        let outcome = world.at(red).ask(ana_in_red, request);
        let why = outcome.refusal(ana_in_red).to_string();
        assert!(why.contains("main meeting"), "{why}");
    }
}

#[test]
fn not_too_often() {
    let (mut world, ana, [red, _]) = family();
    let request = || Request::DeleteConnectedRooms(vec![meeting_id(7)]);
    let mut refused = 0;
    while world.at(main_room()).ask(ana, request()).refusal(ana) != Refusal::TooMany {
        refused += 1;
    }
    assert_eq!(refused, 59, "one was for making them");
    for request in [Request::ConnectedRooms, moving(main_room(), red, &[1])] {
        let outcome = world.at(main_room()).ask(ana, request);
        assert_eq!(outcome.refusal(ana), Refusal::TooMany);
    }
    world.at(main_room()).pass(SECOND);
    world.family(main_room(), ana);
}

#[test]
fn a_title_that_no_database_keeps_is_refused() {
    let mut world = World::new();
    let (ana, _) = world.join(main_room(), &host());
    let titles = vec!["Red".to_owned(), "Bl\0ue".to_owned()];
    let outcomes = world.ask(main_room(), ana, Request::CreateConnectedRooms(titles));
    let outcome = outcomes.of(main_room());
    assert!(matches!(outcome.refusal(ana), Refusal::Invalid(_)));
    assert!(outcome.records().is_empty());
}
