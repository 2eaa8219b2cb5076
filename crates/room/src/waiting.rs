//! The waiting room.

use muster_model::{ParticipantId, PeerId, Timestamp};

use crate::{
    effect::Refusal,
    input::RequestId,
    room::{Handled, Room},
};

/// Who needs no letting in any more.
#[derive(Debug, Default)]
pub(crate) struct Admissions;

impl Room {
    pub(crate) fn tell_waiting(&mut self, _peer: PeerId, _id: &RequestId) -> Handled {
        Err(Refusal::NotFound("this feature"))
    }

    pub(crate) fn accept_waiting(
        &mut self,
        _now: Timestamp,
        _peer: PeerId,
        _users: &[ParticipantId],
    ) -> Handled {
        Err(Refusal::NotFound("this feature"))
    }

    pub(crate) fn deny_waiting(
        &mut self,
        _now: Timestamp,
        _peer: PeerId,
        _users: &[ParticipantId],
    ) -> Handled {
        Err(Refusal::NotFound("this feature"))
    }
}
