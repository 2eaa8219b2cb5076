//! Several rooms to test in, which hear each other: a main room and its breakout rooms.

#![allow(dead_code)] // each feature uses what it needs

use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;

use muster_model::MeetingId;
use muster_room::{Connected, ConnectedRoom, Effect, Event, Family, Input, Person, Request, RoomSettings};

use crate::harness::{Meeting, Outcome, P, meeting_id, participant_id, person_who, settings};

/// The parent of every family here.
pub fn main_room() -> MeetingId {
    meeting_id(1)
}

pub fn child_settings(meeting: MeetingId) -> RoomSettings {
    RoomSettings {
        meeting,
        title: Some("a breakout room".to_owned()),
        parent: Some(main_room()),
        ..settings()
    }
}

/// Rooms that hear each other, as the shell would have it.
pub struct World(pub BTreeMap<MeetingId, Meeting>);

/// What came of something, in each room.
pub struct Outcomes(BTreeMap<MeetingId, Outcome>);

impl Outcomes {
    pub fn of(&self, meeting: MeetingId) -> Outcome {
        self.0.get(&meeting).cloned().unwrap_or_default()
    }

    pub fn told(&self, at: MeetingId, who: P) -> Vec<Event> {
        self.of(at).told(who)
    }

    /// Who is sent where, with which connections and which preset.
    pub fn transfers(&self, at: MeetingId) -> Vec<Effect> {
        let effects = self.of(at).0.into_iter();
        effects
            .filter(|effect| matches!(effect, Effect::Transfer { .. }))
            .collect()
    }
}

impl World {
    pub fn new() -> Self {
        Self(BTreeMap::from([(main_room(), Meeting::new())]))
    }

    #[track_caller]
    pub fn at(&mut self, meeting: MeetingId) -> &mut Meeting {
        self.0
            .get_mut(&meeting)
            .unwrap_or_else(|| panic!("no room {meeting}"))
    }

    /// Carries words from room to room until all is quiet.
    pub fn settle(&mut self, at: MeetingId, outcome: Outcome) -> Outcomes {
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

    pub fn ask(&mut self, at: MeetingId, who: P, request: Request) -> Outcomes {
        let outcome = self.at(at).ask(who, request);
        self.settle(at, outcome)
    }

    #[track_caller]
    pub fn join(&mut self, at: MeetingId, person: &Arc<Person>) -> (P, Outcomes) {
        let who = self.at(at).connect(person);
        let outcomes = self.ask(at, who, Request::Join { display_name: None });
        outcomes.of(at).granted();
        (who, outcomes)
    }

    pub fn leave(&mut self, at: MeetingId, who: P) -> Outcomes {
        let outcome = self.at(at).leave(who);
        self.settle(at, outcome)
    }

    /// Lets time pass in one room.
    pub fn pass(&mut self, at: MeetingId, micros: i64) -> Outcomes {
        let outcome = self.at(at).pass(micros);
        self.settle(at, outcome)
    }

    /// Makes breakout rooms and brings them to life.
    #[track_caller]
    pub fn make<const N: usize>(&mut self, host: P, titles: [&str; N]) -> [MeetingId; N] {
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
        let made = meetings.len();
        meetings
            .try_into()
            .unwrap_or_else(|_| panic!("{made} rooms were made"))
    }

    #[track_caller]
    pub fn family(&mut self, at: MeetingId, who: P) -> Arc<Family> {
        match self.at(at).ask(who, Request::ConnectedRooms).reply(who) {
            Event::ConnectedRooms(family) => family,
            other => panic!("{other:?}"),
        }
    }
}

/// One who makes breakout rooms, moves people, and changes what they may do.
pub fn host() -> Arc<Person> {
    person_who(1, "Ana", |may| {
        may.connected_meetings.can_alter_connected_meetings = true;
        may.can_change_participant_permissions = true;
        may.kick_participant = true;
    })
}

pub fn guest(number: u128, name: &str) -> Arc<Person> {
    person_who(number, name, |_| {})
}

/// A family with the host in the main room, and two breakout rooms.
pub fn family() -> (World, P, [MeetingId; 2]) {
    let mut world = World::new();
    let (ana, _) = world.join(main_room(), &host());
    let rooms = world.make(ana, ["Red", "Blue"]);
    (world, ana, rooms)
}

pub fn names(room: &ConnectedRoom) -> Vec<&str> {
    room.people.iter().map(|person| person.name.as_str()).collect()
}

/// Who is where, as a family says: the parent first.
pub fn whereabouts(family: &Family) -> Vec<Vec<&str>> {
    let rooms = family.rooms.iter();
    std::iter::once(&family.parent).chain(rooms).map(names).collect()
}

/// The last family that somebody was told of.
#[track_caller]
pub fn last_family(told: &[Event]) -> Arc<Family> {
    let mut families = told.iter().rev().filter_map(|event| match event {
        Event::ConnectedRooms(family) => Some(family.clone()),
        _ => None,
    });
    families.next().unwrap_or_else(|| panic!("no family in {told:?}"))
}

pub fn moving(source: MeetingId, destination: MeetingId, people: &[u128]) -> Request {
    Request::MovePeople {
        source,
        destination,
        people: people
            .iter()
            .map(|number| (participant_id(*number), None))
            .collect(),
    }
}

pub fn transfer(number: u128, peers: &[P], destination: MeetingId) -> Effect {
    Effect::Transfer {
        participant: participant_id(number),
        peers: peers.iter().map(|peer| peer.id).collect(),
        destination,
        preset: None,
    }
}
