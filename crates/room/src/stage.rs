//! The stage.

use muster_model::{ParticipantId, PeerId, Timestamp};

use crate::{
    effect::Refusal,
    input::RequestId,
    room::{Handled, Room},
};

impl Room {
    pub(crate) fn tell_stage_requests(&mut self, _peer: PeerId, _id: &RequestId) -> Handled {
        Err(Refusal::NotFound("this feature"))
    }

    pub(crate) fn request_stage(&mut self, _now: Timestamp, _peer: PeerId) -> Handled {
        Err(Refusal::NotFound("this feature"))
    }

    pub(crate) fn cancel_stage_request(&mut self, _now: Timestamp, _peer: PeerId) -> Handled {
        Err(Refusal::NotFound("this feature"))
    }

    pub(crate) fn grant_stage(
        &mut self,
        _now: Timestamp,
        _peer: PeerId,
        _users: &[ParticipantId],
    ) -> Handled {
        Err(Refusal::NotFound("this feature"))
    }

    pub(crate) fn deny_stage(&mut self, _now: Timestamp, _peer: PeerId, _users: &[ParticipantId]) -> Handled {
        Err(Refusal::NotFound("this feature"))
    }

    pub(crate) fn join_stage(&mut self, _now: Timestamp, _peer: PeerId, _id: &RequestId) -> Handled {
        Err(Refusal::NotFound("this feature"))
    }

    pub(crate) fn leave_stage(
        &mut self,
        _now: Timestamp,
        _peer: PeerId,
        _id: &RequestId,
        _users: &[ParticipantId],
    ) -> Handled {
        Err(Refusal::NotFound("this feature"))
    }
}
