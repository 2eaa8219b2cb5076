//! Connected meetings (breakout rooms).

use muster_model::{MeetingId, ParticipantId, PeerId, PresetId, Timestamp};

use crate::{
    effect::Refusal,
    input::{Connected, RequestId},
    room::{Handled, Room},
};

/// What the room knows of its family.
#[derive(Debug, Default)]
pub(crate) struct ConnectedRooms;

impl ConnectedRooms {
    /// Takes up the breakout rooms of before, in the order in which they were made.
    pub(crate) fn resume(&mut self, _rooms: Vec<(MeetingId, String)>) {}

    /// Whether somebody is in a breakout room: the session goes on although nobody is inside.
    #[allow(clippy::unused_self)]
    pub(crate) fn keeps_room(&self) -> bool {
        false
    }
}

impl Room {
    /// Somebody came in or went: a breakout room tells its parent, the parent tells its family.
    pub(crate) fn roster_changed(&mut self) {}

    /// The session is over: a parent gives up its breakout rooms.
    pub(crate) fn close_connected(&mut self, _now: Timestamp) {}

    /// Word from another room.
    pub(crate) fn hear(&mut self, _now: Timestamp, _word: Connected) {}
}

impl Room {
    pub(crate) fn tell_connected(&mut self, _peer: PeerId, _id: &RequestId) -> Handled {
        Err(Refusal::NotFound("this feature"))
    }

    pub(crate) fn create_connected(
        &mut self,
        _now: Timestamp,
        _peer: PeerId,
        _id: &RequestId,
        _titles: Vec<String>,
    ) -> Handled {
        Err(Refusal::NotFound("this feature"))
    }

    pub(crate) fn delete_connected(
        &mut self,
        _now: Timestamp,
        _peer: PeerId,
        _id: &RequestId,
        _meetings: &[MeetingId],
    ) -> Handled {
        Err(Refusal::NotFound("this feature"))
    }

    pub(crate) fn move_people(
        &mut self,
        _now: Timestamp,
        _peer: PeerId,
        _id: &RequestId,
        _source: MeetingId,
        _destination: MeetingId,
        _people: Vec<(ParticipantId, Option<PresetId>)>,
    ) -> Handled {
        Err(Refusal::NotFound("this feature"))
    }
}
