//! Kicking, muting, ending for all; commands from REST.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use muster_model::{ParticipantId, PeerId, Timestamp, event::DomainEvent};

use crate::{
    effect::{Answer, CommandError, Effect, Event, MediaEffect, Refusal},
    input::{Command, MediaKinds, Person, RecordingPhase, RecordingState, RequestId},
    limits::Rate,
    people::{Peer, Place},
    room::{Handled, Room},
};

/// What REST mutes: voices.
const VOICE: MediaKinds = MediaKinds {
    audio: true,
    video: false,
    screenshare: false,
};

/// Participants by id.
type Matched = BTreeMap<ParticipantId, Arc<Person>>;

// Commands
impl Room {
    /// What REST, or the server itself, wants. What is told of a participant or the meeting counts at any
    /// time; the rest needs a live session.
    pub(crate) fn command(&mut self, now: Timestamp, command: Command) -> Result<Answer, CommandError> {
        if let Command::RemoveParticipant(participant) = command {
            let peers: Vec<PeerId> = self.people.of(participant).map(|peer| peer.id).collect();
            self.revoke_admission(participant);
            self.expel(&peers, now);
            return Ok(Answer::Done);
        }
        if let Command::TurnAwayParticipant(participant) = command {
            let outside = self.people.of(participant).filter(|peer| !peer.is_inside());
            let peers: Vec<PeerId> = outside.map(|peer| peer.id).collect();
            self.expel(&peers, now);
            return Ok(Answer::Done);
        }
        if let Command::SetActive(active) = command {
            self.inactive = !active;
            return Ok(Answer::Done);
        }
        if self.session().is_none() {
            return Err(CommandError::NoSession);
        }
        match command {
            Command::Kick {
                participants,
                custom_ids,
                ban,
            } => self.kick_people(now, &participants, &custom_ids, ban),
            Command::KickAll => {
                let count = self.end_for_all(now).ok_or(CommandError::NoSession)?;
                Ok(Answer::Count(count))
            }
            Command::Mute {
                participants,
                custom_ids,
            } => {
                let people = self.matched(&participants, &custom_ids, Peer::is_inside)?;
                let peers = self.peers_of(&people, Peer::is_inside);
                self.mute(&peers, VOICE, None, true);
                Ok(Answer::People(people.into_values().collect()))
            }
            Command::MuteAll { allow_unmute } => {
                let peers = self.people.inside_but(None);
                self.mute(&peers, VOICE, None, allow_unmute);
                Ok(Answer::Count(peers.len() as u64))
            }
            Command::CreatePoll { poll, created_by } => {
                Ok(Answer::Poll(self.create_poll(now, poll, created_by)?))
            }
            Command::Recording(state) => {
                self.recording_changed(state);
                Ok(Answer::Done)
            }
            Command::Livestream(state) => {
                let everybody = self.people.inside_but(None);
                self.send(everybody, Event::Livestream(state));
                Ok(Answer::Done)
            }
            Command::RemoveParticipant(_) | Command::TurnAwayParticipant(_) | Command::SetActive(_) => {
                Ok(Answer::Done)
            }
        }
    }

    /// Those named, by either id, who have a peer that is meant. Where nobody is found, the first id
    /// is told of.
    fn matched(
        &self,
        participants: &[ParticipantId],
        custom_ids: &[String],
        meant: impl Fn(&Peer) -> bool,
    ) -> Result<Matched, CommandError> {
        let mut people = Matched::new();
        let first_custom = custom_ids.first();
        for participant in participants {
            if let Some(peer) = self.people.of(*participant).find(|peer| meant(peer)) {
                people.insert(*participant, peer.person.clone());
            }
        }
        let custom_ids: BTreeSet<&str> = custom_ids.iter().map(String::as_str).collect();
        if !custom_ids.is_empty() {
            for peer in self.people.all().filter(|peer| meant(peer)) {
                if custom_ids.contains(peer.person.custom_participant_id.as_str()) {
                    people.insert(peer.person.participant, peer.person.clone());
                }
            }
        }
        if people.is_empty() {
            let first = participants.first().map(ToString::to_string);
            let first = first.or_else(|| first_custom.cloned());
            return Err(CommandError::NobodyFound(first.unwrap_or_default()));
        }
        Ok(people)
    }

    fn peers_of(&self, people: &Matched, meant: impl Fn(&Peer) -> bool) -> Vec<PeerId> {
        people
            .keys()
            .flat_map(|participant| self.people.of(*participant))
            .filter(|peer| meant(peer))
            .map(|peer| peer.id)
            .collect()
    }

    /// Removes those named who are inside or wait, with all their peers. Banned are those found.
    fn kick_people(
        &mut self,
        now: Timestamp,
        participants: &[ParticipantId],
        custom_ids: &[String],
        ban: bool,
    ) -> Result<Answer, CommandError> {
        let people = self.matched(participants, custom_ids, |peer| peer.place != Place::Outside)?;
        // A connection that has not asked to come in yet may stay, but for a ban.
        let peers = self.peers_of(&people, |peer| ban || peer.place != Place::Outside);
        for participant in people.keys() {
            if ban {
                self.record(DomainEvent::Banned {
                    participant: *participant,
                    at: now,
                });
            }
            self.revoke_admission(*participant);
        }
        self.expel(&peers, now);
        Ok(Answer::People(people.into_values().collect()))
    }

    fn recording_changed(&mut self, state: RecordingState) {
        if state.phase == RecordingPhase::Stopped {
            self.recordings.remove(&state.id);
        } else {
            self.recordings.insert(state.id, state.clone());
        }
        let everybody = self.people.inside_but(None);
        self.send(everybody, Event::Recording(state));
    }

    fn mute(&mut self, peers: &[PeerId], kinds: MediaKinds, by: Option<PeerId>, allow_unmute: bool) {
        for peer in peers {
            self.push(Effect::Media(MediaEffect::Mute {
                peer: *peer,
                kinds,
                by,
                allow_unmute,
            }));
        }
    }
}

// What people may do to each other
impl Room {
    /// Removes peers that are inside or wait. Others are passed over: clients send this twice. There is
    /// no reply, as anybody who hears of a kick takes himself for kicked (PROTOCOL 0, trap 4).
    pub(crate) fn kick_peers(&mut self, now: Timestamp, peer: PeerId, peers: &[PeerId]) -> Handled {
        self.member_who_may(peer, "remove people", |may| may.kick_participant)?;
        self.take(peer, Rate::Other, now)?;
        let mut victims = Vec::new();
        for id in peers {
            if let Some(known) = self.people.get(*id)
                && known.place != Place::Outside
            {
                self.revoke_admission(known.person.participant);
                victims.push(*id);
            }
        }
        self.expel(&victims, now);
        Ok(())
    }

    /// Ends the session for everybody, the asker too.
    pub(crate) fn kick_all_by(&mut self, now: Timestamp, peer: PeerId) -> Handled {
        self.member_who_may(peer, "end the session", |may| may.kick_participant)?;
        self.end_for_all(now);
        Ok(())
    }

    fn may_mute(&self, peer: PeerId, kinds: MediaKinds) -> Handled {
        let may = &self.member(peer)?.permissions;
        if kinds.audio && !may.disable_participant_audio {
            return Err(Refusal::NotPermitted("mute others"));
        }
        if kinds.video && !may.disable_participant_video {
            return Err(Refusal::NotPermitted("turn off the cameras of others"));
        }
        if kinds.screenshare && !may.disable_participant_screensharing {
            return Err(Refusal::NotPermitted("end the screen shares of others"));
        }
        Ok(())
    }

    /// Cuts what one peer inside sends.
    pub(crate) fn mute_peer(
        &mut self,
        now: Timestamp,
        peer: PeerId,
        id: &RequestId,
        whom: PeerId,
        kinds: MediaKinds,
    ) -> Handled {
        self.may_mute(peer, kinds)?;
        self.take(peer, Rate::Other, now)?;
        if self.people.inside(whom).is_none() {
            return Err(Refusal::NotFound("peer"));
        }
        self.reply(peer, id, Event::Muted { all: false });
        self.mute(&[whom], kinds, Some(peer), true);
        Ok(())
    }

    /// Cuts what everybody else sends.
    pub(crate) fn mute_all_by(
        &mut self,
        now: Timestamp,
        peer: PeerId,
        id: &RequestId,
        kinds: MediaKinds,
    ) -> Handled {
        self.may_mute(peer, kinds)?;
        self.take(peer, Rate::Other, now)?;
        let others = self.people.inside_but(Some(peer));
        self.reply(peer, id, Event::Muted { all: true });
        self.mute(&others, kinds, Some(peer), true);
        Ok(())
    }
}
