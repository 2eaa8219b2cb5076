//! The stage.

use std::collections::BTreeSet;

use muster_model::{ParticipantId, PeerId, Timestamp, preset::MediaPermission};

use crate::{
    effect::{Event, Refusal, Stage, StageRequest},
    input::RequestId,
    limits::Rate,
    people::Peer,
    room::{Handled, Room},
};

impl Peer {
    /// Whether the peer may go on stage by itself, may ask to, or may not; derived from what it may
    /// send where the preset does not say (PROTOCOL c, `stage_access`).
    pub(crate) fn stage_access(&self) -> MediaPermission {
        if let Some(access) = self.permissions.stage_access {
            return access;
        }
        let media = &self.permissions.media;
        let kinds = [&media.audio, &media.video, &media.screenshare];
        for access in [MediaPermission::Allowed, MediaPermission::CanRequest] {
            if kinds.iter().any(|kind| kind.can_produce == access) {
                return access;
            }
        }
        MediaPermission::NotAllowed
    }

    /// Where the peer is when it comes in. Without a stage everybody is on it (PROTOCOL 0, trap 1).
    pub(crate) fn first_stage(&self) -> Stage {
        if !self.has_stage() || self.stage_access() == MediaPermission::Allowed {
            Stage::On
        } else {
            Stage::Off
        }
    }
}

impl Room {
    /// Those who ask to come on stage, in the order in which they came in.
    fn stage_requests(&self) -> Vec<StageRequest> {
        let mut asking: Vec<&Peer> = self
            .people
            .all_inside()
            .filter(|peer| peer.stage == Stage::Requested)
            .collect();
        asking.sort_by_key(|peer| peer.turn);
        asking
            .into_iter()
            .map(|peer| StageRequest {
                peer: peer.id,
                participant: peer.person.participant,
                display_name: peer.display_name.clone(),
            })
            .collect()
    }

    /// Tells those who may accept it who asks to come on stage; the client of anybody else fails on it.
    pub(crate) fn tell_who_asks(&mut self) {
        let told: Vec<PeerId> = self
            .people
            .all_inside()
            .filter(|peer| peer.accepts_stage_requests())
            .map(|peer| peer.id)
            .collect();
        if !told.is_empty() {
            let asking = self.stage_requests();
            self.send(told, Event::StageRequests(asking));
        }
    }

    /// Puts a peer somewhere else; the media engine learns what it may send there. Gives the news for
    /// others, none where nothing changed.
    fn put_on_stage(&mut self, peer: PeerId, stage: Stage) -> Option<Event> {
        let known = self.people.get_mut(peer)?;
        if known.stage == stage {
            return None;
        }
        known.stage = stage;
        let news = known.stage_status();
        self.tell_media_rights(peer);
        Some(news)
    }

    fn host_of_stage(&mut self, now: Timestamp, peer: PeerId) -> Handled {
        if !self.member(peer)?.accepts_stage_requests() {
            return Err(Refusal::NotPermitted("let people on stage"));
        }
        self.take(peer, Rate::Other, now)
    }

    /// Those peers inside of these participants that have a stage and are in one of these places.
    fn staged(&self, users: &[ParticipantId], places: &[Stage]) -> Vec<PeerId> {
        let users: BTreeSet<ParticipantId> = users.iter().copied().collect();
        users
            .iter()
            .flat_map(|user| self.people.of(*user))
            .filter(|peer| peer.is_inside() && peer.has_stage() && places.contains(&peer.stage))
            .map(|peer| peer.id)
            .collect()
    }

    pub(crate) fn tell_stage_requests(&mut self, peer: PeerId, id: &RequestId) -> Handled {
        if !self.member(peer)?.accepts_stage_requests() {
            return Err(Refusal::NotPermitted("see who asks to come on stage"));
        }
        let asking = self.stage_requests();
        self.reply(peer, id, Event::StageRequests(asking));
        Ok(())
    }

    /// Asks to come on stage. Who may go by itself, asks already or is there, need not.
    pub(crate) fn request_stage(&mut self, now: Timestamp, peer: PeerId) -> Handled {
        let member = self.member(peer)?;
        if !member.has_stage() || member.stage_access() == MediaPermission::NotAllowed {
            return Err(Refusal::NotPermitted("come on stage"));
        }
        if member.stage != Stage::Off || member.stage_access() == MediaPermission::Allowed {
            return Ok(());
        }
        self.take(peer, Rate::Other, now)?;
        self.change_stage(&[peer], Stage::Requested, None);
        Ok(())
    }

    /// Takes the request back, or the permission that came of it.
    pub(crate) fn cancel_stage_request(&mut self, now: Timestamp, peer: PeerId) -> Handled {
        let member = self.member(peer)?;
        if !matches!(member.stage, Stage::Requested | Stage::Approved) {
            return Ok(());
        }
        self.take(peer, Rate::Other, now)?;
        self.change_stage(&[peer], Stage::Off, None);
        Ok(())
    }

    /// Lets participants on stage, whether they asked or are invited. Those who may go by themselves
    /// are left alone: their clients do not listen to it.
    pub(crate) fn grant_stage(&mut self, now: Timestamp, peer: PeerId, users: &[ParticipantId]) -> Handled {
        self.host_of_stage(now, peer)?;
        let mut granted = self.staged(users, &[Stage::Requested, Stage::Off]);
        granted.retain(|id| {
            self.people
                .get(*id)
                .is_some_and(|known| known.stage_access() != MediaPermission::Allowed)
        });
        self.change_stage(&granted, Stage::Approved, Some(&Event::StageGranted));
        Ok(())
    }

    /// Refuses participants, or takes back what was granted and not yet used.
    pub(crate) fn deny_stage(&mut self, now: Timestamp, peer: PeerId, users: &[ParticipantId]) -> Handled {
        self.host_of_stage(now, peer)?;
        let denied = self.staged(users, &[Stage::Requested, Stage::Approved]);
        self.change_stage(&denied, Stage::Off, Some(&Event::StageDenied));
        Ok(())
    }

    /// Puts peers somewhere else. With a word for them they are told that and others their new status;
    /// without, everybody is told the status. Hosts get the list of requests where it changed.
    fn change_stage(&mut self, peers: &[PeerId], stage: Stage, word: Option<&Event>) {
        let mut list_changed = stage == Stage::Requested;
        for peer in peers {
            list_changed |= self
                .people
                .get(*peer)
                .is_some_and(|known| known.stage == Stage::Requested);
            let Some(news) = self.put_on_stage(*peer, stage) else {
                continue;
            };
            if let Some(word) = word {
                self.send(vec![*peer], word.clone());
            }
            let told = self.people.inside_but(word.map(|_| *peer));
            self.send(told, news);
        }
        if list_changed && !peers.is_empty() {
            self.tell_who_asks();
        }
    }

    /// Steps on stage: who was let on, or may go by itself.
    pub(crate) fn join_stage(&mut self, now: Timestamp, peer: PeerId, id: &RequestId) -> Handled {
        let member = self.member(peer)?;
        let may = !member.has_stage()
            || matches!(member.stage, Stage::On | Stage::Approved)
            || member.stage_access() == MediaPermission::Allowed;
        if !may {
            return Err(Refusal::NotPermitted("come on stage"));
        }
        self.take(peer, Rate::Other, now)?;
        self.move_self(peer, id, Stage::On);
        Ok(())
    }

    /// Steps down oneself (one's own id, or none), or has others step down.
    pub(crate) fn leave_stage(
        &mut self,
        now: Timestamp,
        peer: PeerId,
        id: &RequestId,
        users: &[ParticipantId],
    ) -> Handled {
        let member = self.member(peer)?;
        let own = member.person.participant;
        let others: Vec<ParticipantId> = users.iter().copied().filter(|user| *user != own).collect();
        let own_too = users.len() != others.len() || users.is_empty();
        if own_too && !member.has_stage() {
            return Err(Refusal::Invalid("there is no stage to leave".to_owned()));
        }
        if !others.is_empty() && !member.accepts_stage_requests() {
            return Err(Refusal::NotPermitted("take people off stage"));
        }
        self.take(peer, Rate::Other, now)?;
        if others.is_empty() {
            self.move_self(peer, id, Stage::Off);
            return Ok(());
        }
        self.reply(peer, id, Event::StageLeft);
        let mut down = self.staged(&others, &[Stage::On, Stage::Approved, Stage::Requested]);
        if own_too {
            down.push(peer);
        }
        self.change_stage(&down, Stage::Off, None);
        Ok(())
    }

    /// The reply, under the number of the status, tells the asker; the others are told by a push.
    fn move_self(&mut self, peer: PeerId, id: &RequestId, stage: Stage) {
        let asked = self
            .people
            .get(peer)
            .is_some_and(|known| known.stage == Stage::Requested);
        let news = self.put_on_stage(peer, stage);
        let Some(status) = self.people.get(peer).map(Peer::stage_status) else {
            return;
        };
        self.reply(peer, id, status);
        if let Some(news) = news {
            let others = self.people.inside_but(Some(peer));
            self.send(others, news);
        }
        if asked {
            self.tell_who_asks();
        }
    }
}

impl Peer {
    fn stage_status(&self) -> Event {
        Event::StageStatus {
            peer: self.id,
            participant: self.person.participant,
            stage: self.stage,
        }
    }
}
