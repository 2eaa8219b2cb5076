//! Who has a connection to the room, or had one a moment ago.

use std::{collections::BTreeMap, sync::Arc};

use muster_model::{
    ParticipantId, PeerId, Timestamp,
    preset::{Permissions, ViewType},
};

use crate::{
    effect::{PeerView, Stage},
    input::{ConnectionId, Person},
};

/// How far a peer has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Place {
    /// It has a connection and has not asked to come in.
    Outside,
    /// It waits to be let in.
    Waiting,
    /// It is inside.
    Inside,
}

/// One peer.
#[derive(Debug)]
pub(crate) struct Peer {
    pub(crate) id: PeerId,
    pub(crate) person: Arc<Person>,
    /// Changed in the room, from those of the preset.
    pub(crate) permissions: Arc<Permissions>,
    pub(crate) display_name: String,
    /// The record its stay is kept under.
    pub(crate) record: PeerId,
    pub(crate) place: Place,
    pub(crate) stage: Stage,
    /// Counts up with each coming in: the order in which people are listed.
    pub(crate) turn: u64,
    /// None while the connection is lost.
    pub(crate) connection: Option<ConnectionId>,
    /// When its connection was first accepted.
    pub(crate) connected_at: Timestamp,
    /// Until when it may come back; set while the connection is lost.
    pub(crate) grace_until: Option<Timestamp>,
    /// Since when the connection is lost: if it does not come back, it left then.
    pub(crate) lost_at: Option<Timestamp>,
    /// Whether its media session is complete: others know what it sends.
    pub(crate) in_media: bool,
    /// By which connection others were last told that its media session is complete.
    pub(crate) media_told: Option<ConnectionId>,
}

impl Peer {
    pub(crate) fn is_inside(&self) -> bool {
        self.place == Place::Inside
    }

    /// Whether being on stage differs from being inside, for this peer (PROTOCOL c, `stage_enabled`).
    pub(crate) fn has_stage(&self) -> bool {
        self.permissions.stage_enabled
            || matches!(self.person.view_type, ViewType::Webinar | ViewType::Livestream)
    }

    /// Whether it came to a livestream.
    pub(crate) fn watches(&self) -> bool {
        self.person.view_type == ViewType::Livestream
    }

    /// Whether it may let others onto the stage, by the new name or the old one.
    pub(crate) fn accepts_stage_requests(&self) -> bool {
        self.permissions.accept_stage_requests || self.permissions.can_accept_production_requests
    }

    /// The peer as others see it now.
    pub(crate) fn view(&self) -> Arc<PeerView> {
        Arc::new(PeerView {
            peer: self.id,
            person: self.person.clone(),
            display_name: self.display_name.clone(),
            stage: self.stage,
            waiting: self.place == Place::Waiting,
        })
    }
}

/// Everybody known to the room. Iteration is in the order of ids, so that the same inputs always give
/// the same effects.
#[derive(Debug, Default)]
pub(crate) struct People {
    peers: BTreeMap<PeerId, Peer>,
    by_participant: BTreeMap<ParticipantId, Vec<PeerId>>,
}

impl People {
    pub(crate) fn insert(&mut self, peer: Peer) {
        let ids = self.by_participant.entry(peer.person.participant).or_default();
        if !ids.contains(&peer.id) {
            ids.push(peer.id);
        }
        self.peers.insert(peer.id, peer);
    }

    pub(crate) fn remove(&mut self, id: PeerId) -> Option<Peer> {
        let peer = self.peers.remove(&id)?;
        if let Some(ids) = self.by_participant.get_mut(&peer.person.participant) {
            ids.retain(|other| *other != id);
            if ids.is_empty() {
                self.by_participant.remove(&peer.person.participant);
            }
        }
        Some(peer)
    }

    pub(crate) fn get(&self, id: PeerId) -> Option<&Peer> {
        self.peers.get(&id)
    }

    pub(crate) fn get_mut(&mut self, id: PeerId) -> Option<&mut Peer> {
        self.peers.get_mut(&id)
    }

    /// A peer that is inside.
    pub(crate) fn inside(&self, id: PeerId) -> Option<&Peer> {
        self.get(id).filter(|peer| peer.is_inside())
    }

    /// Every peer that waits to be let in.
    pub(crate) fn all_waiting(&self) -> impl Iterator<Item = &Peer> {
        self.all().filter(|peer| peer.place == Place::Waiting)
    }

    /// Every peer, whatever its place.
    pub(crate) fn all(&self) -> impl Iterator<Item = &Peer> {
        self.peers.values()
    }

    /// Every peer inside.
    pub(crate) fn all_inside(&self) -> impl Iterator<Item = &Peer> {
        self.all().filter(|peer| peer.is_inside())
    }

    /// The ids of all inside but one.
    pub(crate) fn inside_but(&self, but: Option<PeerId>) -> Vec<PeerId> {
        self.all_inside()
            .map(|peer| peer.id)
            .filter(|id| Some(*id) != but)
            .collect()
    }

    /// The peers of a participant, whatever their place.
    pub(crate) fn of(&self, participant: ParticipantId) -> impl Iterator<Item = &Peer> {
        self.by_participant
            .get(&participant)
            .into_iter()
            .flatten()
            .filter_map(|id| self.peers.get(id))
    }

    /// The ids of those inside who may do something.
    pub(crate) fn who_may(&self, may: impl Fn(&Permissions) -> bool) -> Vec<PeerId> {
        self.all_inside()
            .filter(|peer| may(&peer.permissions))
            .map(|peer| peer.id)
            .collect()
    }

    pub(crate) fn len(&self) -> usize {
        self.peers.len()
    }
}
