//! Key-value stores.

use muster_model::{PeerId, Timestamp};

use crate::{
    effect::Refusal,
    input::RequestId,
    room::{Handled, Room},
};

/// The stores of the room; they live as long as its session.
#[derive(Debug, Default)]
pub(crate) struct Stores;

impl Stores {
    /// Forgets everything, when a session ends.
    pub(crate) fn clear(&mut self) {}
}

impl Room {
    pub(crate) fn read_store(
        &mut self,
        _peer: PeerId,
        _id: &RequestId,
        _store: String,
        _keys: &[String],
    ) -> Handled {
        Err(Refusal::NotFound("this feature"))
    }

    pub(crate) fn write_store(
        &mut self,
        _now: Timestamp,
        _peer: PeerId,
        _id: &RequestId,
        _store: String,
        _items: Vec<(String, Vec<u8>)>,
    ) -> Handled {
        Err(Refusal::NotFound("this feature"))
    }

    pub(crate) fn clear_store(
        &mut self,
        _now: Timestamp,
        _peer: PeerId,
        _id: &RequestId,
        _store: String,
        _keys: Vec<String>,
    ) -> Handled {
        Err(Refusal::NotFound("this feature"))
    }
}
