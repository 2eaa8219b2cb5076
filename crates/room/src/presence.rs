//! Connections, coming in, going, and who is inside.

use muster_model::{PeerId, Timestamp};

use crate::{
    effect::Refusal,
    input::{Connect, ConnectionId, Disconnect, RequestId},
    room::{Handled, Room},
};

impl Room {
    pub(crate) fn connect(&mut self, _now: Timestamp, _connect: Connect) {}
    pub(crate) fn disconnect(
        &mut self,
        _now: Timestamp,
        _peer: PeerId,
        _connection: ConnectionId,
        _how: Disconnect,
    ) {
    }
}

impl Room {
    pub(crate) fn join(
        &mut self,
        _now: Timestamp,
        _peer: PeerId,
        _id: &RequestId,
        _display_name: Option<String>,
    ) -> Handled {
        Err(Refusal::NotFound("this feature"))
    }

    pub(crate) fn tell_room_info(&mut self, _peer: PeerId, _id: &RequestId) -> Handled {
        Err(Refusal::NotFound("this feature"))
    }

    pub(crate) fn tell_peers(
        &mut self,
        _now: Timestamp,
        _peer: PeerId,
        _id: &RequestId,
        _search: &str,
        _limit: usize,
        _offset: usize,
    ) -> Handled {
        Err(Refusal::NotFound("this feature"))
    }

    pub(crate) fn tell_peer(&mut self, _peer: PeerId, _id: &RequestId, _about: PeerId) -> Handled {
        Err(Refusal::NotFound("this feature"))
    }
}
