//! Moving people between connected meetings.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use muster_model::{MeetingId, ParticipantId, PeerId, PresetId, Timestamp};

use crate::{
    effect::{Effect, Event, Refusal},
    input::{Connected, Person, RequestId},
    limits::Rate,
    people::Peer,
    room::{Handled, Room},
};

impl Room {
    /// Whether a meeting is another one of the family.
    pub(crate) fn is_relative(&self, meeting: MeetingId) -> bool {
        meeting != self.settings.meeting && self.family().find(meeting).is_some()
    }

    /// Sends those who are inside elsewhere. Gives them.
    pub(crate) fn transfer(
        &mut self,
        destination: MeetingId,
        people: &BTreeMap<ParticipantId, Option<PresetId>>,
    ) -> Vec<Arc<Person>> {
        let mut gone = Vec::new();
        for (participant, preset) in people {
            let inside: Vec<&Peer> = self
                .people
                .of(*participant)
                .filter(|peer| peer.is_inside())
                .collect();
            let Some(first) = inside.first() else { continue };
            gone.push(first.person.clone());
            let peers = inside.iter().map(|peer| peer.id).collect();
            self.push(Effect::Transfer {
                participant: *participant,
                peers,
                destination,
                preset: *preset,
            });
        }
        gone
    }

    /// Everybody in a breakout room that was given up goes back to the parent; each is told once.
    pub(crate) fn send_back(&mut self) {
        let Some(parent) = self.settings.parent else {
            return;
        };
        let mut people: BTreeMap<ParticipantId, Vec<PeerId>> = BTreeMap::new();
        let sent = std::mem::take(&mut self.connected.sent_back);
        let mut told = BTreeSet::new();
        for peer in self.people.all_inside() {
            told.insert(peer.id);
            if !sent.contains(&peer.id) {
                people.entry(peer.person.participant).or_default().push(peer.id);
            }
        }
        self.connected.sent_back = told;
        for (participant, peers) in people {
            self.push(Effect::Transfer {
                participant,
                peers,
                destination: parent,
                preset: None,
            });
        }
    }
}

impl Room {
    /// Moves people from one room of the family to another. Those who are not in the one are passed
    /// over, unless nobody is.
    pub(crate) fn move_people(
        &mut self,
        now: Timestamp,
        peer: PeerId,
        id: &RequestId,
        source: MeetingId,
        destination: MeetingId,
        people: Vec<(ParticipantId, Option<PresetId>)>,
    ) -> Handled {
        let people: BTreeMap<ParticipantId, Option<PresetId>> = people.into_iter().collect();
        self.may_move(peer, source, destination, &people)?;
        self.take(peer, Rate::Connected, now)?;
        if source == destination {
            return Err(Refusal::Invalid("they are in that room already".to_owned()));
        }
        let family = self.family();
        let from = family.find(source).ok_or(Refusal::NotFound("source meeting"))?;
        if family.find(destination).is_none() {
            return Err(Refusal::NotFound("destination meeting"));
        }
        let moved = if source == self.settings.meeting {
            self.transfer(destination, &people)
        } else {
            let there = from.people.iter();
            let there: Vec<Arc<Person>> = there
                .filter(|person| people.contains_key(&person.participant))
                .cloned()
                .collect();
            if !there.is_empty() {
                let word = Connected::Move {
                    destination,
                    people: there
                        .iter()
                        .map(|person| {
                            (
                                person.participant,
                                people.get(&person.participant).copied().flatten(),
                            )
                        })
                        .collect(),
                };
                self.push(Effect::ToRoom(source, word));
            }
            there
        };
        if moved.is_empty() {
            return Err(Refusal::NotFound("participant"));
        }
        self.reply(
            peer,
            id,
            Event::PeopleMoved {
                destination,
                custom_ids: moved
                    .iter()
                    .map(|person| person.custom_participant_id.clone())
                    .collect(),
            },
        );
        Ok(())
    }

    /// Those who may change breakout rooms move anybody; others only themselves, out of the room they
    /// are in, as far as their presets go.
    fn may_move(
        &self,
        peer: PeerId,
        source: MeetingId,
        destination: MeetingId,
        people: &BTreeMap<ParticipantId, Option<PresetId>>,
    ) -> Handled {
        let member = self.member(peer)?;
        let may = &member.permissions;
        let rooms = &may.connected_meetings;
        if !rooms.can_alter_connected_meetings {
            let own = member.person.participant;
            if source != self.settings.meeting || people.keys().any(|participant| *participant != own) {
                return Err(Refusal::NotPermitted("move others"));
            }
            let switch = if self.settings.parent == Some(destination) {
                rooms.can_switch_to_parent_meeting
            } else {
                rooms.can_switch_connected_meetings
            };
            if !switch {
                return Err(Refusal::NotPermitted("go to that room"));
            }
        }
        if people.values().any(Option::is_some) && !may.can_change_participant_permissions {
            return Err(Refusal::NotPermitted("change presets"));
        }
        Ok(())
    }
}
