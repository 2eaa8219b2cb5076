//! Changes of what people may do.

use muster_model::{ParticipantId, PeerId, Timestamp};

use crate::{
    effect::Refusal,
    input::{PermissionPatch, RequestId},
    room::{Handled, Room},
};

impl Room {
    pub(crate) fn update_permissions(
        &mut self,
        _now: Timestamp,
        _peer: PeerId,
        _id: &RequestId,
        _changes: Vec<(ParticipantId, PermissionPatch)>,
    ) -> Handled {
        Err(Refusal::NotFound("this feature"))
    }

    pub(crate) fn tell_permissions(
        &mut self,
        _peer: PeerId,
        _id: &RequestId,
        _users: &[ParticipantId],
    ) -> Handled {
        Err(Refusal::NotFound("this feature"))
    }
}
