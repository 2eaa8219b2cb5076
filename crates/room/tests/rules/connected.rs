//! Breakout rooms: several rooms, and what they tell each other.

use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;

use muster_model::{
    MeetingId, PresetId,
    event::{DomainEvent, EndReason},
    preset::{Permissions, WaitingRoomType},
};
use muster_room::{
    Command, Connected, ConnectedRoom, Effect, Event, Family, Input, Person, Refusal, Request, Resumed,
    RoomSettings,
};
use uuid::Uuid;

use crate::harness::{
    GRACE, KEEP_ALIVE, Meeting, Outcome, P, SECOND, START, meeting_id, participant_id, peer_id, person_who,
    settings,
};

/// The parent of every family here.
fn main_room() -> MeetingId {
    meeting_id(1)
}

fn child_settings(meeting: MeetingId) -> RoomSettings {
    RoomSettings {
        meeting,
        title: Some("a breakout room".to_owned()),
        parent: Some(main_room()),
        ..settings()
    }
}

/// Rooms that hear each other, as the shell would have it.
struct World(BTreeMap<MeetingId, Meeting>);

/// What came of something, in each room.
struct Outcomes(BTreeMap<MeetingId, Outcome>);

impl Outcomes {
    fn of(&self, meeting: MeetingId) -> Outcome {
        self.0.get(&meeting).cloned().unwrap_or_default()
    }

    fn told(&self, at: MeetingId, who: P) -> Vec<Event> {
        self.of(at).told(who)
    }

    /// Who is sent where, with which connections and which preset.
    fn transfers(&self, at: MeetingId) -> Vec<Effect> {
        let effects = self.of(at).0.into_iter();
        effects
            .filter(|effect| matches!(effect, Effect::Transfer { .. }))
            .collect()
    }
}

impl World {
    fn new() -> Self {
        Self(BTreeMap::from([(main_room(), Meeting::new())]))
    }

    #[track_caller]
    fn at(&mut self, meeting: MeetingId) -> &mut Meeting {
        self.0.get_mut(&meeting).unwrap()
    }

    /// Carries words from room to room until all is quiet.
    fn settle(&mut self, at: MeetingId, outcome: Outcome) -> Outcomes {
        let mut all: BTreeMap<MeetingId, Outcome> = BTreeMap::new();
        let mut words: VecDeque<(MeetingId, Connected)> = outcome.to_rooms().into();
        all.insert(at, outcome);
        let mut turns = 0;
        while let Some((meeting, word)) = words.pop_front() {
            turns += 1;
            assert!(turns < 1_000, "the rooms talk without end");
            if let Some(room) = self.0.get_mut(&meeting) {
                let outcome = room.input(Input::Connected(word));
                words.extend(outcome.to_rooms());
                all.entry(meeting).or_default().0.extend(outcome.0);
            }
        }
        Outcomes(all)
    }

    fn ask(&mut self, at: MeetingId, who: P, request: Request) -> Outcomes {
        let outcome = self.at(at).ask(who, request);
        self.settle(at, outcome)
    }

    #[track_caller]
    fn join(&mut self, at: MeetingId, person: &Arc<Person>) -> (P, Outcomes) {
        let who = self.at(at).connect(person);
        let outcomes = self.ask(at, who, Request::Join { display_name: None });
        outcomes.of(at).granted();
        (who, outcomes)
    }

    fn leave(&mut self, at: MeetingId, who: P) -> Outcomes {
        let outcome = self.at(at).leave(who);
        self.settle(at, outcome)
    }

    /// Lets time pass in one room.
    fn pass(&mut self, at: MeetingId, micros: i64) -> Outcomes {
        let outcome = self.at(at).pass(micros);
        self.settle(at, outcome)
    }

    /// Makes breakout rooms and brings them to life.
    #[track_caller]
    fn make<const N: usize>(&mut self, host: P, titles: [&str; N]) -> [MeetingId; N] {
        let titles = titles.map(str::to_owned).to_vec();
        let outcome = self
            .at(main_room())
            .ask(host, Request::CreateConnectedRooms(titles));
        let Event::ConnectedRoomsCreated { rooms, .. } = outcome.reply(host) else {
            panic!("{outcome:#?}")
        };
        let meetings: Vec<MeetingId> = rooms.iter().map(|(meeting, _)| *meeting).collect();
        for meeting in &meetings {
            self.0.insert(*meeting, Meeting::with(child_settings(*meeting)));
        }
        meetings.try_into().unwrap()
    }

    #[track_caller]
    fn family(&mut self, at: MeetingId, who: P) -> Arc<Family> {
        match self.at(at).ask(who, Request::ConnectedRooms).reply(who) {
            Event::ConnectedRooms(family) => family,
            other => panic!("{other:?}"),
        }
    }
}

/// One who makes breakout rooms, moves people, and changes what they may do.
fn host() -> Arc<Person> {
    person_who(1, "Ana", |may| {
        may.connected_meetings.can_alter_connected_meetings = true;
        may.can_change_participant_permissions = true;
        may.kick_participant = true;
    })
}

fn guest(number: u128, name: &str) -> Arc<Person> {
    person_who(number, name, |_| {})
}

/// A family with the host in the main room, and two breakout rooms.
fn family() -> (World, P, [MeetingId; 2]) {
    let mut world = World::new();
    let (ana, _) = world.join(main_room(), &host());
    let rooms = world.make(ana, ["Red", "Blue"]);
    (world, ana, rooms)
}

fn names(room: &ConnectedRoom) -> Vec<&str> {
    room.people.iter().map(|person| person.name.as_str()).collect()
}

/// Who is where, as a family says: the parent first.
fn whereabouts(family: &Family) -> Vec<Vec<&str>> {
    let rooms = family.rooms.iter();
    std::iter::once(&family.parent).chain(rooms).map(names).collect()
}

/// The last family that somebody was told of.
#[track_caller]
fn last_family(told: &[Event]) -> Arc<Family> {
    let mut families = told.iter().rev().filter_map(|event| match event {
        Event::ConnectedRooms(family) => Some(family.clone()),
        _ => None,
    });
    families.next().unwrap_or_else(|| panic!("no family in {told:?}"))
}

fn moving(source: MeetingId, destination: MeetingId, people: &[u128]) -> Request {
    Request::MovePeople {
        source,
        destination,
        people: people
            .iter()
            .map(|number| (participant_id(*number), None))
            .collect(),
    }
}

fn transfer(number: u128, peers: &[P], destination: MeetingId) -> Effect {
    Effect::Transfer {
        participant: participant_id(number),
        peers: peers.iter().map(|peer| peer.id).collect(),
        destination,
        preset: None,
    }
}

// What is told

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
        may.waiting_room_type = WaitingRoomType::SkipOnAccept
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

// Moving

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
        may.connected_meetings.can_switch_connected_meetings = true
    });
    let returns = who(3, |may| {
        may.connected_meetings.can_switch_to_parent_meeting = true
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

// How long it lasts

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
