//! How people go: by themselves, for lack of a connection, or because they are removed.

use muster_model::{PeerId, Timestamp, event::DomainEvent};

use crate::{
    effect::{CloseReason, Effect, Event, MediaEffect, Stage},
    people::{Peer, Place},
    room::Room,
};

impl Room {
    /// A peer is gone for good; everybody whom it concerns is told.
    ///
    /// `at` is when it left: of one that was lost, the time of the loss and not the end of its grace.
    pub(crate) fn depart(&mut self, peer: PeerId, at: Timestamp) {
        if let Some(gone) = self.take_out(peer, at) {
            self.tell_gone(&gone);
        }
    }

    /// Removes peers: each is told that it is kicked, its connection ends, and it is gone at once.
    /// Those whose connection is lost are removed likewise, so that they come back as strangers.
    pub(crate) fn expel(&mut self, peers: &[PeerId], now: Timestamp) {
        self.send_away(peers, now, Event::Kicked);
    }

    /// As [`Self::expel`], with other words.
    pub(crate) fn send_away(&mut self, peers: &[PeerId], now: Timestamp, word: Event) {
        let mut gone: Vec<Peer> = Vec::new();
        for id in peers {
            gone.extend(self.take_out(*id, now));
        }
        let told = gone.iter().filter(|peer| peer.connection.is_some());
        let told = told.map(|peer| peer.id).collect();
        self.send(told, word);
        for peer in &gone {
            self.close(peer, CloseReason::Removed);
        }
        for peer in &gone {
            self.tell_gone(peer);
        }
    }

    /// Forgets a peer and records that it left. Nobody is told yet.
    pub(crate) fn take_out(&mut self, peer: PeerId, at: Timestamp) -> Option<Peer> {
        let gone = self.people.remove(peer)?;
        self.clock.found(&gone);
        if gone.is_inside() {
            let at = gone.lost_at.unwrap_or(at);
            self.clock.went(at, gone.watches());
            if let Some(session) = self.session() {
                self.record(DomainEvent::PeerLeft {
                    session,
                    record: gone.record,
                    at,
                });
            }
        }
        Some(gone)
    }

    fn tell_gone(&mut self, gone: &Peer) {
        self.end_media(gone.id);
        match gone.place {
            Place::Outside => {}
            Place::Waiting => {
                if !self.admissions.has(gone.person.participant) {
                    self.tell_who_waits();
                }
            }
            Place::Inside => {
                let others = self.people.inside_but(None);
                self.send(others.clone(), Event::PeerLeft(gone.view()));
                if self.media.unpin(gone.id) {
                    self.send(others, Event::PeerPinned(None));
                }
                if gone.stage == Stage::Requested {
                    self.tell_who_asks();
                }
                self.roster_changed();
            }
        }
    }

    /// The media engine lets go of a peer.
    pub(crate) fn end_media(&mut self, peer: PeerId) {
        self.push(Effect::Media(MediaEffect::Remove(peer)));
    }
}
