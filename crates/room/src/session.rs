//! When the session begins, how long it outlives its people, and how it goes on after a crash.

use std::sync::Arc;

use muster_model::{PeerId, SessionId, Timestamp, chat::ChatMessage, poll::Poll};

use crate::{input::Person, room::Room};

/// The session a room goes on with, as the store has it.
#[derive(Debug, Clone)]
pub struct Resumed {
    /// The session.
    pub session: SessionId,
    /// When it began.
    pub started_at: Timestamp,
    /// When the room was last known to be alive: those who do not come back left then.
    pub alive_at: Timestamp,
    /// Who was inside: peer, record of its stay, and who it is. They may come back within the grace period.
    pub inside: Vec<(PeerId, PeerId, Arc<Person>)>,
    /// Participants who were inside at any time: they need no letting in.
    pub admitted: Vec<muster_model::ParticipantId>,
    /// Messages, oldest first.
    pub chat: Vec<ChatMessage>,
    /// Polls, oldest first.
    pub polls: Vec<Poll>,
    /// Breakout rooms, in the order in which they were made.
    pub connected_rooms: Vec<(muster_model::MeetingId, String)>,
}

/// The session that is live, if one is, and when it ends.
#[derive(Debug, Default)]
pub(crate) struct Clock;

impl Room {
    pub(crate) fn resume(&mut self, _resumed: Resumed, _now: Timestamp) {}

    /// Does everything that has become due.
    pub(crate) fn pass_time(&mut self, _now: Timestamp) {}

    /// The live session.
    pub fn session(&self) -> Option<SessionId> {
        None
    }

    /// When the room wants [`crate::Input::Timeout`].
    pub fn next_deadline(&self) -> Option<Timestamp> {
        None
    }

    /// Whether nothing is left to do: no session, nobody connected, no breakout rooms to keep.
    pub fn is_idle(&self) -> bool {
        true
    }
}
