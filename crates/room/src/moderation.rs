//! Kicking, muting, ending for all; commands from REST.

use muster_model::{PeerId, Timestamp};

use crate::{
    effect::{Answer, CommandError, Refusal},
    input::{Command, MediaKinds, RequestId},
    room::{Handled, Room},
};

impl Room {
    pub(crate) fn command(&mut self, _now: Timestamp, _command: Command) -> Result<Answer, CommandError> {
        Err(CommandError::NoSession)
    }
}

impl Room {
    pub(crate) fn kick_peers(&mut self, _now: Timestamp, _peer: PeerId, _peers: &[PeerId]) -> Handled {
        Err(Refusal::NotFound("this feature"))
    }

    pub(crate) fn kick_all_by(&mut self, _now: Timestamp, _peer: PeerId) -> Handled {
        Err(Refusal::NotFound("this feature"))
    }

    pub(crate) fn mute_peer(
        &mut self,
        _now: Timestamp,
        _peer: PeerId,
        _id: &RequestId,
        _whom: PeerId,
        _kinds: MediaKinds,
    ) -> Handled {
        Err(Refusal::NotFound("this feature"))
    }

    pub(crate) fn mute_all_by(
        &mut self,
        _now: Timestamp,
        _peer: PeerId,
        _id: &RequestId,
        _kinds: MediaKinds,
    ) -> Handled {
        Err(Refusal::NotFound("this feature"))
    }
}
