//! Broadcasts to the room, to peers, to other rooms.

use muster_model::{MeetingId, PeerId, Timestamp};

use crate::{
    effect::Refusal,
    input::{Broadcast, RequestId},
    room::{Handled, Room},
};

impl Room {
    pub(crate) fn broadcast(
        &mut self,
        _now: Timestamp,
        _peer: PeerId,
        _id: &RequestId,
        _broadcast: Broadcast,
    ) -> Handled {
        Err(Refusal::NotFound("this feature"))
    }

    pub(crate) fn broadcast_to_peers(
        &mut self,
        _now: Timestamp,
        _peer: PeerId,
        _peers: &[PeerId],
        _broadcast: Broadcast,
    ) -> Handled {
        Err(Refusal::NotFound("this feature"))
    }

    pub(crate) fn broadcast_to_rooms(
        &mut self,
        _now: Timestamp,
        _peer: PeerId,
        _id: &RequestId,
        _rooms: &[MeetingId],
        _broadcast: Broadcast,
    ) -> Handled {
        Err(Refusal::NotFound("this feature"))
    }
}
