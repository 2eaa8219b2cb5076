//! Polls.

use std::sync::Arc;

use muster_model::{PeerId, PollId, Timestamp, poll::Poll};

use crate::{
    effect::Refusal,
    input::{NewPoll, RequestId},
    room::{Handled, Room},
};

/// The polls of the session.
#[derive(Debug, Default)]
pub(crate) struct Polls;

impl Polls {
    /// Takes up the polls of before, oldest first.
    pub(crate) fn resume(&mut self, _polls: Vec<Poll>) {}

    /// Forgets everything, when a session ends.
    pub(crate) fn clear(&mut self) {}
}

impl Room {
    /// Makes a poll in the name of somebody outside (REST), and tells everybody inside.
    pub(crate) fn create_poll(
        &mut self,
        _now: Timestamp,
        _poll: NewPoll,
        _created_by: String,
    ) -> Result<Arc<Poll>, Refusal> {
        Err(Refusal::NotFound("polls"))
    }
}

impl Room {
    pub(crate) fn tell_polls(&mut self, _peer: PeerId, _id: &RequestId) -> Handled {
        Err(Refusal::NotFound("this feature"))
    }

    pub(crate) fn create_poll_by(
        &mut self,
        _now: Timestamp,
        _peer: PeerId,
        _id: &RequestId,
        _poll: NewPoll,
    ) -> Handled {
        Err(Refusal::NotFound("this feature"))
    }

    pub(crate) fn vote(
        &mut self,
        _now: Timestamp,
        _peer: PeerId,
        _id: &RequestId,
        _poll: PollId,
        _option: usize,
    ) -> Handled {
        Err(Refusal::NotFound("this feature"))
    }
}
