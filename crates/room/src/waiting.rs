//! The waiting room.

use std::collections::BTreeSet;

use muster_model::{ParticipantId, PeerId, Timestamp, event::DomainEvent, preset::WaitingRoomType};

use crate::{
    effect::{Event, WaitingPerson},
    input::RequestId,
    limits::Rate,
    people::{Peer, Place},
    room::{Handled, Room},
};

/// Who needs no letting in any more, as long as the session lasts.
#[derive(Debug, Default)]
pub(crate) struct Admissions(BTreeSet<ParticipantId>);

impl Admissions {
    pub(crate) fn admit(&mut self, participant: ParticipantId) {
        self.0.insert(participant);
    }

    pub(crate) fn has(&self, participant: ParticipantId) -> bool {
        self.0.contains(&participant)
    }

    /// A participant that was sent away must be let in again; whether it had been let in.
    fn revoke(&mut self, participant: ParticipantId) -> bool {
        self.0.remove(&participant)
    }

    /// Forgets everybody, when a session ends.
    pub(crate) fn clear(&mut self) {
        self.0.clear();
    }
}

impl Room {
    /// Whether a peer would have to wait if it asked to come in now.
    pub(crate) fn must_wait(&self, peer: PeerId) -> bool {
        let Some(known) = self.people.get(peer) else {
            return true;
        };
        // Into a breakout room only its family sends people, from among those it has let in.
        if self.settings.parent.is_some() {
            return false;
        }
        if known.permissions.accept_waiting_requests || self.admissions.has(known.person.participant) {
            return false;
        }
        match known.permissions.waiting_room_type {
            WaitingRoomType::Skip => false,
            WaitingRoomType::SkipOnAccept => true,
            WaitingRoomType::OnPrivilegedUserEntry => !self
                .people
                .all_inside()
                .any(|other| other.permissions.accept_waiting_requests),
        }
    }

    /// A participant that is sent away must be let in again.
    pub(crate) fn revoke_admission(&mut self, participant: ParticipantId) {
        if self.admissions.revoke(participant)
            && let Some(session) = self.session()
        {
            self.record(DomainEvent::AdmissionRevoked { session, participant });
        }
    }

    /// Who waits and has not been let in yet.
    fn waiting_people(&self) -> Vec<WaitingPerson> {
        let mut waiting: Vec<&Peer> = self
            .people
            .all_waiting()
            .filter(|peer| !self.admissions.has(peer.person.participant))
            .collect();
        waiting.sort_by_key(|peer| (peer.connected_at, peer.id));
        waiting
            .into_iter()
            .map(|peer| WaitingPerson {
                peer: peer.id,
                person: peer.person.clone(),
                display_name: peer.display_name.clone(),
            })
            .collect()
    }

    /// Tells those who may let in who waits now.
    pub(crate) fn tell_who_waits(&mut self) {
        let told = self.people.who_may(|may| may.accept_waiting_requests);
        if !told.is_empty() {
            let waiting = self.waiting_people();
            self.send(told, Event::WaitingRequests(waiting));
        }
    }

    pub(crate) fn tell_waiting(&mut self, peer: PeerId, id: &RequestId) -> Handled {
        self.member_who_may(peer, "see who waits", |may| may.accept_waiting_requests)?;
        let waiting = self.waiting_people();
        self.reply(peer, id, Event::WaitingRequests(waiting));
        Ok(())
    }

    /// Lets participants in: for as long as the session lasts they need not wait again. Their clients
    /// are told and ask once more.
    pub(crate) fn accept_waiting(
        &mut self,
        now: Timestamp,
        peer: PeerId,
        users: &[ParticipantId],
    ) -> Handled {
        self.member_who_may(peer, "let people in", |may| may.accept_waiting_requests)?;
        self.take(peer, Rate::Other, now)?;
        let (participants, _) = self.who_waits_of(users);
        self.let_in(&participants);
        Ok(())
    }

    /// Turns participants away: told so, their connections end.
    pub(crate) fn deny_waiting(&mut self, now: Timestamp, peer: PeerId, users: &[ParticipantId]) -> Handled {
        self.member_who_may(peer, "turn people away", |may| may.accept_waiting_requests)?;
        self.take(peer, Rate::Other, now)?;
        let (participants, peers) = self.who_waits_of(users);
        for participant in participants {
            if !self.people.of(participant).any(Peer::is_inside) {
                self.revoke_admission(participant);
            }
        }
        self.send_away(&peers, now, Event::WaitingDenied);
        Ok(())
    }

    /// Those of the participants who wait, and their peers that do.
    fn who_waits_of(&self, users: &[ParticipantId]) -> (BTreeSet<ParticipantId>, Vec<PeerId>) {
        let users: BTreeSet<ParticipantId> = users.iter().copied().collect();
        let peers: Vec<&Peer> = users
            .iter()
            .flat_map(|user| self.people.of(*user))
            .filter(|peer| peer.place == Place::Waiting)
            .collect();
        (
            peers.iter().map(|peer| peer.person.participant).collect(),
            peers.iter().map(|peer| peer.id).collect(),
        )
    }

    fn let_in(&mut self, participants: &BTreeSet<ParticipantId>) {
        let news: BTreeSet<ParticipantId> = participants
            .iter()
            .copied()
            .filter(|participant| !self.admissions.has(*participant))
            .collect();
        if news.is_empty() {
            return;
        }
        let (_, peers) = self.who_waits_of(&news.iter().copied().collect::<Vec<_>>());
        for participant in news {
            self.admissions.admit(participant);
        }
        self.send(peers, Event::WaitingAccepted);
        self.tell_who_waits();
    }

    /// Somebody who may let people in is here: those who only waited for that come in.
    pub(crate) fn let_in_who_waited_for_somebody(&mut self) {
        let participants: BTreeSet<ParticipantId> = self
            .people
            .all_waiting()
            .filter(|peer| peer.permissions.waiting_room_type == WaitingRoomType::OnPrivilegedUserEntry)
            .map(|peer| peer.person.participant)
            .collect();
        self.let_in(&participants);
    }
}

impl Room {
    /// A peer's permissions were changed in the room: what hangs on them follows.
    pub(crate) fn rights_changed(&mut self, peer: PeerId) {
        self.tell_media_rights(peer);
        let Some(known) = self.people.inside(peer) else {
            return;
        };
        if known.permissions.accept_waiting_requests {
            let waiting = self.waiting_people();
            if !waiting.is_empty() {
                self.send(vec![peer], Event::WaitingRequests(waiting));
                self.let_in_who_waited_for_somebody();
            }
        }
    }
}
