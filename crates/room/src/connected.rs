//! Connected meetings (breakout rooms). The parent meeting keeps the list of the family; a breakout
//! room tells it who is there, and is told of the others.

use std::{collections::BTreeSet, sync::Arc};

use muster_model::{
    MeetingId, PeerId, Timestamp,
    event::{DomainEvent, EndReason},
};

use crate::{
    effect::{Effect, Event, Refusal},
    input::{Connected, ConnectedRoom, Family, Person, RequestId},
    limits::Rate,
    people::Peer,
    room::{Handled, Room},
};

/// Characters of the title of a breakout room.
const TITLE_MAX: usize = 1024;

/// What the room knows of its family.
#[derive(Debug, Default)]
pub(crate) struct ConnectedRooms {
    /// Of a parent: its breakout rooms, in the order in which they were made.
    rooms: Vec<ConnectedRoom>,
    /// Of a breakout room: the family as last heard of.
    family: Option<Arc<Family>>,
    /// Of a breakout room: it was given up.
    closed: bool,
    /// Of a breakout room that was given up: peers that were told to go back.
    pub(crate) sent_back: BTreeSet<PeerId>,
}

impl ConnectedRooms {
    /// Takes up the breakout rooms of before, in the order in which they were made. Who is in them, they
    /// tell as they come back to life.
    pub(crate) fn resume(&mut self, rooms: Vec<(MeetingId, String)>) {
        self.rooms = rooms.into_iter().map(empty_room).collect();
    }

    /// Whether somebody is in a breakout room: the session goes on although nobody is inside.
    pub(crate) fn keeps_room(&self) -> bool {
        self.rooms.iter().any(|room| !room.people.is_empty())
    }
}

fn empty_room((meeting, title): (MeetingId, String)) -> ConnectedRoom {
    ConnectedRoom {
        meeting,
        title,
        people: Vec::new(),
    }
}

impl Family {
    fn all(&self) -> impl Iterator<Item = &ConnectedRoom> {
        std::iter::once(&self.parent).chain(&self.rooms)
    }

    pub(crate) fn find(&self, meeting: MeetingId) -> Option<&ConnectedRoom> {
        self.all().find(|room| room.meeting == meeting)
    }

    /// The family as clients see it: without those who are there unseen, and without anybody for those
    /// who may not know who is there.
    fn shown(&self, with_people: bool) -> Arc<Self> {
        let shown = |room: &ConnectedRoom| {
            let people = room.people.iter();
            let seen = people.filter(|person| with_people && !person.permissions.hidden_participant);
            ConnectedRoom {
                meeting: room.meeting,
                title: room.title.clone(),
                people: seen.cloned().collect(),
            }
        };
        Arc::new(Self {
            parent: shown(&self.parent),
            rooms: self.rooms.iter().map(shown).collect(),
        })
    }
}

// What rooms tell each other
impl Room {
    /// Who is inside, each once, in the order in which they came, by the names shown.
    fn roster(&self) -> Vec<Arc<Person>> {
        let mut peers: Vec<&Peer> = self.people.all_inside().collect();
        peers.sort_by_key(|peer| peer.turn);
        let mut seen = BTreeSet::new();
        peers
            .into_iter()
            .filter(|peer| seen.insert(peer.person.participant))
            .map(|peer| {
                if peer.display_name == peer.person.name {
                    return peer.person.clone();
                }
                Arc::new(Person {
                    name: peer.display_name.clone(),
                    ..(*peer.person).clone()
                })
            })
            .collect()
    }

    /// The family as it is now. A meeting without breakout rooms is a family of its own.
    pub(crate) fn family(&self) -> Arc<Family> {
        let here = ConnectedRoom {
            meeting: self.settings.meeting,
            title: self.title(),
            people: self.roster(),
        };
        let Some(parent) = self.settings.parent else {
            return Arc::new(Family {
                parent: here,
                rooms: self.connected.rooms.clone(),
            });
        };
        self.connected.family.clone().unwrap_or_else(|| {
            // The parent has not spoken yet.
            Arc::new(Family {
                parent: empty_room((parent, String::new())),
                rooms: vec![here],
            })
        })
    }

    /// Tells those inside.
    fn show_family(&mut self, family: &Family) {
        let (with_people, without): (Vec<&Peer>, Vec<&Peer>) = self
            .people
            .all_inside()
            .partition(|peer| peer.permissions.show_participant_list);
        let with_people: Vec<PeerId> = with_people.into_iter().map(|peer| peer.id).collect();
        let without: Vec<PeerId> = without.into_iter().map(|peer| peer.id).collect();
        for (to, people) in [(with_people, true), (without, false)] {
            if !to.is_empty() {
                self.send(to, Event::ConnectedRooms(family.shown(people)));
            }
        }
    }

    /// Tells those inside and every breakout room.
    fn tell_family(&mut self) {
        let family = self.family();
        self.show_family(&family);
        for room in &family.rooms {
            let word = Connected::Family(family.clone());
            self.push(Effect::ToRoom(room.meeting, word));
        }
    }

    /// Somebody came in or went: a breakout room tells its parent, the parent tells its family.
    pub(crate) fn roster_changed(&mut self) {
        match self.settings.parent {
            Some(_) if self.connected.closed => self.send_back(),
            Some(parent) => {
                let word = Connected::Roster {
                    meeting: self.settings.meeting,
                    people: self.roster(),
                };
                self.push(Effect::ToRoom(parent, word));
            }
            None if self.connected.rooms.is_empty() || self.session().is_none() => {}
            None => self.tell_family(),
        }
    }

    /// The session is over: a parent gives up its breakout rooms. Where it was ended for all, it ends in
    /// them too.
    pub(crate) fn close_connected(&mut self, reason: EndReason) {
        self.connected.family = None;
        self.connected.sent_back.clear();
        let rooms = std::mem::take(&mut self.connected.rooms);
        if rooms.is_empty() {
            return;
        }
        let meetings: Vec<MeetingId> = rooms.iter().map(|room| room.meeting).collect();
        self.record(DomainEvent::ConnectedMeetingsDeleted {
            meetings: meetings.clone(),
        });
        let word = match reason {
            EndReason::EndedByHost => Connected::Ended,
            // Who has gone into one just now is to come back.
            EndReason::AllLeft => Connected::Closed,
        };
        for meeting in meetings {
            self.push(Effect::ToRoom(meeting, word.clone()));
        }
    }

    /// Word from another room.
    pub(crate) fn hear(&mut self, now: Timestamp, word: Connected) {
        match word {
            Connected::Broadcast(broadcast) => {
                let everybody = self.people.inside_but(None);
                self.pass_on_broadcast(everybody, broadcast);
            }
            Connected::Roster { meeting, people } => self.hear_roster(meeting, people),
            Connected::Family(family) => self.hear_family(family),
            Connected::Move { destination, people } => {
                if self.is_relative(destination) {
                    self.transfer(destination, &people.into_iter().collect());
                }
            }
            Connected::Closed if self.settings.parent.is_some() => {
                self.connected.closed = true;
                self.send_back();
            }
            Connected::Ended if self.settings.parent.is_some() => {
                // First, so that the parent is not told who is left of a room it does not know any more.
                self.connected.closed = true;
                self.end_for_all(now);
            }
            Connected::Closed | Connected::Ended => {}
        }
    }

    fn hear_roster(&mut self, meeting: MeetingId, people: Vec<Arc<Person>>) {
        if self.settings.parent.is_some() {
            return;
        }
        let rooms = &mut self.connected.rooms;
        let Some(room) = rooms.iter_mut().find(|room| room.meeting == meeting) else {
            self.push(Effect::ToRoom(meeting, Connected::Closed));
            return;
        };
        if room.people == people {
            // One that has just come to life needs to know the family all the same.
            let family = self.family();
            self.push(Effect::ToRoom(meeting, Connected::Family(family)));
        } else {
            room.people = people;
            self.tell_family();
        }
    }

    fn hear_family(&mut self, family: Arc<Family>) {
        if self.settings.parent != Some(family.parent.meeting) || self.connected.closed {
            return;
        }
        let here = family.find(self.settings.meeting);
        if here.is_some_and(|here| here.people != self.roster()) {
            // The parent began anew, or has not heard the last.
            self.roster_changed();
        }
        if self.connected.family.as_ref() != Some(&family) {
            self.show_family(&family);
            self.connected.family = Some(family);
        }
    }
}

// What people ask for
impl Room {
    /// All rooms of the family, and who is in them.
    pub(crate) fn tell_connected(&mut self, now: Timestamp, peer: PeerId, id: &RequestId) -> Handled {
        let people = self.member(peer)?.permissions.show_participant_list;
        self.take(peer, Rate::Connected, now)?;
        let shown = self.family().shown(people);
        self.reply(peer, id, Event::ConnectedRooms(shown));
        Ok(())
    }

    /// Only where somebody may make and give up breakout rooms, in a parent meeting.
    fn may_alter(&mut self, now: Timestamp, peer: PeerId) -> Handled {
        self.member_who_may(peer, "change breakout rooms", |may| {
            may.connected_meetings.can_alter_connected_meetings
        })?;
        self.take(peer, Rate::Connected, now)?;
        if self.settings.parent.is_some() {
            return Err(Refusal::Invalid(
                "breakout rooms are made and given up in the main meeting".to_owned(),
            ));
        }
        Ok(())
    }

    /// Makes breakout rooms.
    pub(crate) fn create_connected(
        &mut self,
        now: Timestamp,
        peer: PeerId,
        id: &RequestId,
        titles: Vec<String>,
    ) -> Handled {
        self.may_alter(now, peer)?;
        if titles.is_empty() {
            return Err(Refusal::Invalid("name the breakout rooms".to_owned()));
        }
        let all = self.connected.rooms.len().saturating_add(titles.len());
        if all > self.settings.limits.connected_rooms {
            return Err(Refusal::Full("the meeting takes no more breakout rooms"));
        }
        let titles: Vec<&str> = titles.iter().map(|title| title.trim()).collect();
        if !titles
            .iter()
            .all(|title| (1..=TITLE_MAX).contains(&title.chars().count()))
        {
            return Err(Refusal::Invalid(format!(
                "the title of a breakout room has 1 to {TITLE_MAX} characters"
            )));
        }
        // No database keeps it in a text.
        if titles.iter().any(|title| title.contains('\0')) {
            return Err(Refusal::Invalid(
                "the title has a character that cannot be kept".to_owned(),
            ));
        }
        let rooms: Vec<(MeetingId, String)> = titles
            .into_iter()
            .map(|title| (self.new_id(), title.to_owned()))
            .collect();
        let made = rooms.iter().cloned().map(empty_room);
        self.connected.rooms.extend(made);
        self.record(DomainEvent::ConnectedMeetingsCreated {
            meetings: rooms.clone(),
            at: now,
        });
        let event = |reply| Event::ConnectedRoomsCreated {
            rooms: rooms.clone(),
            reply,
        };
        self.reply(peer, id, event(true));
        let others = self.people.inside_but(Some(peer));
        self.send(others, event(false));
        self.tell_family();
        Ok(())
    }

    /// Gives up breakout rooms; who is in them comes back.
    pub(crate) fn delete_connected(
        &mut self,
        now: Timestamp,
        peer: PeerId,
        id: &RequestId,
        meetings: &[MeetingId],
    ) -> Handled {
        self.may_alter(now, peer)?;
        let given_up: BTreeSet<MeetingId> = meetings.iter().copied().collect();
        let known = &mut self.connected.rooms;
        let known_ids: BTreeSet<MeetingId> = known.iter().map(|room| room.meeting).collect();
        if given_up.is_empty() || !given_up.is_subset(&known_ids) {
            return Err(Refusal::NotFound("breakout room"));
        }
        let rooms: Vec<(MeetingId, String)> = known
            .extract_if(.., |room| given_up.contains(&room.meeting))
            .map(|room| (room.meeting, room.title))
            .collect();
        self.record(DomainEvent::ConnectedMeetingsDeleted {
            meetings: rooms.iter().map(|(meeting, _)| *meeting).collect(),
        });
        let event = |reply| Event::ConnectedRoomsDeleted {
            rooms: rooms.clone(),
            reply,
        };
        self.reply(peer, id, event(true));
        let others = self.people.inside_but(Some(peer));
        self.send(others, event(false));
        for (meeting, _) in &rooms {
            self.push(Effect::ToRoom(*meeting, Connected::Closed));
        }
        self.tell_family();
        Ok(())
    }
}
