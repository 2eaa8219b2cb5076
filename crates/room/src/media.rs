//! Who has a media session, what a peer may send, and who is pinned for everybody.

use muster_model::{PeerId, Timestamp, preset::MediaPermission};

use crate::{
    effect::{Effect, Event, MediaEffect, PeerView, Refusal, Stage},
    input::{MediaKinds, RequestId},
    limits::Rate,
    people::Peer,
    room::{Handled, Room},
};

/// What of media the whole room shares.
#[derive(Debug, Default)]
pub(crate) struct MediaState {
    /// Pinned for everybody; always somebody inside.
    pinned: Option<PeerId>,
}

impl MediaState {
    /// Forgets a peer; whether it was pinned.
    pub(crate) fn unpin(&mut self, peer: PeerId) -> bool {
        let was = self.pinned == Some(peer);
        if was {
            self.pinned = None;
        }
        was
    }

    /// Forgets everything, when a session ends.
    pub(crate) fn clear(&mut self) {
        self.pinned = None;
    }
}

impl Peer {
    /// What the peer may send now, by its preset and by where it is with respect to the stage
    /// (PROTOCOL c, stage gating).
    pub(crate) fn may_produce(&self) -> MediaKinds {
        let gated = self.has_stage();
        let on = matches!(self.stage, Stage::On | Stage::Approved);
        let may = |permission| match permission {
            MediaPermission::Allowed => !gated || on,
            MediaPermission::CanRequest => gated && on,
            MediaPermission::NotAllowed => false,
        };
        let media = &self.permissions.media;
        MediaKinds {
            audio: may(media.audio.can_produce),
            video: may(media.video.can_produce),
            screenshare: may(media.screenshare.can_produce),
        }
    }
}

impl Room {
    /// Tells the media engine what a peer inside may send now.
    pub(crate) fn tell_media_rights(&mut self, peer: PeerId) {
        if let Some(known) = self.people.inside(peer) {
            let kinds = known.may_produce();
            self.push(Effect::Media(MediaEffect::MayProduce { peer, kinds }));
        }
    }

    /// A media session begins; clients do this before they come in, and again when no reply came.
    pub(crate) fn join_media(&mut self, peer: PeerId, id: &RequestId) -> Handled {
        self.people.get(peer).ok_or(Refusal::NotJoined)?;
        self.reply(peer, id, Event::MediaJoined);
        Ok(())
    }

    /// A peer's transports are up. Others are told once for each of its connections: after a
    /// reconnection it sends everything anew.
    pub(crate) fn complete_media_join(&mut self, now: Timestamp, peer: PeerId, id: &RequestId) -> Handled {
        let session = self.session().ok_or(Refusal::NotJoined)?;
        self.member(peer)?;
        self.take(peer, Rate::Other, now)?;
        let known = self.people.get_mut(peer).ok_or(Refusal::NotJoined)?;
        let news = !known.in_media || known.media_told != known.connection;
        known.in_media = true;
        known.media_told = known.connection;
        let view = known.view();
        let mut others: Vec<&Peer> = self
            .people
            .all_inside()
            .filter(|other| other.in_media && other.id != peer)
            .collect();
        others.sort_by_key(|other| other.turn);
        let participants: Vec<std::sync::Arc<PeerView>> = others.into_iter().map(Peer::view).collect();
        self.reply(
            peer,
            id,
            Event::MediaJoinCompleted {
                session,
                peer,
                pinned: self.media.pinned.into_iter().collect(),
                participants,
            },
        );
        if news {
            let others = self.people.inside_but(Some(peer));
            self.send(others, Event::PeerMediaJoined(view));
        }
        Ok(())
    }

    /// A media session is over.
    pub(crate) fn leave_media(&mut self, peer: PeerId, id: &RequestId) -> Handled {
        let known = self.people.get_mut(peer).ok_or(Refusal::NotJoined)?;
        let news = std::mem::take(&mut known.in_media);
        self.reply(peer, id, Event::MediaLeft);
        if news {
            let others = self.people.inside_but(Some(peer));
            self.send(others, Event::PeerMediaLeft(peer));
        }
        Ok(())
    }

    /// Pins a peer for everybody in place of the one before, or unpins.
    pub(crate) fn pin_peer(
        &mut self,
        now: Timestamp,
        peer: PeerId,
        id: &RequestId,
        whom: Option<PeerId>,
    ) -> Handled {
        self.member_who_may(peer, "pin people", |may| may.pin_participant)?;
        self.take(peer, Rate::Other, now)?;
        if whom.is_some_and(|whom| self.people.inside(whom).is_none()) {
            return Err(Refusal::NotFound("peer"));
        }
        let before = std::mem::replace(&mut self.media.pinned, whom);
        self.reply(peer, id, Event::Pinned);
        let everybody = self.people.inside_but(None);
        self.send(everybody, Event::PeerPinned(whom));
        // By the pin alone the official client shows a tile, but takes no media that it did not take before.
        for (other, always) in [
            (before.filter(|before| Some(*before) != whom), false),
            (whom, true),
        ] {
            if let Some(other) = other {
                let others = self.people.inside_but(Some(other));
                self.send(others, Event::AlwaysTaken(other, always));
            }
        }
        Ok(())
    }
}

impl Room {
    /// Whether a peer may ask the media engine for something: always for what is set up before coming in,
    /// and for the rest only while it is inside.
    pub fn may_use_media(&self, peer: PeerId, needs_presence: bool) -> Result<(), Refusal> {
        if needs_presence {
            self.member(peer).map(|_| ())
        } else {
            Ok(())
        }
    }

    /// Who is pinned for everybody.
    pub fn pinned(&self) -> Option<PeerId> {
        self.media.pinned
    }

    /// Those inside whose media session is complete.
    pub fn media_peers(&self) -> Vec<PeerId> {
        self.people
            .all_inside()
            .filter(|peer| peer.in_media)
            .map(|peer| peer.id)
            .collect()
    }

    /// The record that the stay of somebody inside is kept under.
    pub fn record_of(&self, peer: PeerId) -> Option<PeerId> {
        let peer = self.people.get(peer)?;
        peer.is_inside().then_some(peer.record)
    }

    /// The preset of a participant that is known here.
    pub fn preset_of(&self, participant: muster_model::ParticipantId) -> Option<muster_model::PresetId> {
        self.people
            .of(participant)
            .next()
            .map(|peer| peer.person.preset_id)
    }
}
