//! Who has a media session, and who is pinned for everybody.

use muster_model::{PeerId, Timestamp};

use crate::{
    effect::Refusal,
    input::RequestId,
    room::{Handled, Room},
};

/// What of media the whole room shares.
#[derive(Debug, Default)]
pub(crate) struct MediaState;

impl Room {
    pub(crate) fn join_media(&mut self, _peer: PeerId, _id: &RequestId) -> Handled {
        Err(Refusal::NotFound("this feature"))
    }

    pub(crate) fn complete_media_join(&mut self, _peer: PeerId, _id: &RequestId) -> Handled {
        Err(Refusal::NotFound("this feature"))
    }

    pub(crate) fn leave_media(&mut self, _peer: PeerId, _id: &RequestId) -> Handled {
        Err(Refusal::NotFound("this feature"))
    }

    pub(crate) fn pin_peer(
        &mut self,
        _now: Timestamp,
        _peer: PeerId,
        _id: &RequestId,
        _whom: Option<PeerId>,
    ) -> Handled {
        Err(Refusal::NotFound("this feature"))
    }
}
