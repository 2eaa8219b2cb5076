//! What a room may grow to, and how often a participant may ask.

use std::collections::BTreeMap;

use muster_model::{ParticipantId, Timestamp};

use crate::effect::Refusal;

/// Bounds of a room.
#[derive(Debug, Clone)]
pub struct Limits {
    /// Peers with a connection at once, whatever their place.
    pub peers: usize,
    /// Peers that one participant may have at once.
    pub peers_per_participant: usize,
    /// Messages that are kept at hand; older ones stay in the record.
    pub chat_messages: usize,
    /// Bytes of messages that are kept at hand.
    pub chat_bytes: usize,
    /// Characters of a text message (the client's own bound is 2,000).
    pub chat_text: usize,
    /// Bytes of the payload of any other message.
    pub chat_payload: usize,
    /// Polls of a session.
    pub polls: usize,
    /// Answers of a poll.
    pub poll_options: usize,
    /// Characters of a question or an answer.
    pub poll_text: usize,
    /// Bytes of the questions and answers of all polls of a session.
    pub poll_bytes: usize,
    /// Stores of a room.
    pub stores: usize,
    /// Keys of a store.
    pub store_keys: usize,
    /// Bytes of all stores.
    pub store_bytes: usize,
    /// Bytes of a broadcast.
    pub broadcast_bytes: usize,
    /// Breakout rooms.
    pub connected_rooms: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            peers: 10_000,
            peers_per_participant: 32,
            chat_messages: 10_000,
            chat_bytes: 16 << 20,
            chat_text: 10_000,
            chat_payload: 64 << 10,
            polls: 500,
            poll_options: 100,
            poll_text: 2_000,
            poll_bytes: 1 << 20,
            stores: 256,
            store_keys: 1_000,
            store_bytes: 4 << 20,
            broadcast_bytes: 64 << 10,
            connected_rooms: 100,
        }
    }
}

/// What is counted for itself (BEHAVIOUR section 5).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Rate {
    /// Writes of stores, and broadcasts.
    Store,
    /// Text messages, edits, pins and deletes.
    ChatText,
    /// Messages with a picture or a file.
    ChatFile,
    /// Breakout rooms.
    Connected,
    /// Lists of those inside.
    Peers,
    /// Changes of permissions.
    Permissions,
    /// Reads of chat, polls and stores: short questions with long answers.
    Reads,
    /// Everything else that others hear of: polls, stage, waiting room, moderation.
    Other,
}

impl Rate {
    const COUNT: usize = 8;

    /// Requests at once, and the time after which one more is allowed, in microseconds.
    const fn bucket(self) -> (u32, i64) {
        match self {
            // The client's own limit can be raised by the application, so ours leaves room.
            Self::Store => (50, 1_000_000 / 25),
            Self::ChatText => (180, 60_000_000 / 180),
            Self::ChatFile => (20, 60_000_000 / 20),
            Self::Connected => (60, 60_000_000 / 60),
            Self::Peers => (30, 60_000_000 / 30),
            Self::Permissions => (1000, 60_000_000 / 1000),
            Self::Reads => (120, 1_000_000 / 2),
            Self::Other => (100, 1_000_000 / 10),
        }
    }
}

/// The requests of each participant. They are counted whether or not it is still connected: otherwise a new
/// peer id would be as good as a pause.
#[derive(Debug, Default)]
pub(crate) struct Requests {
    of: BTreeMap<ParticipantId, Rates>,
    /// How many there may be before those are forgotten who might ask as often as anybody.
    tidy_at: usize,
}

impl Requests {
    /// Takes one request, or refuses it.
    pub(crate) fn take(
        &mut self,
        participant: ParticipantId,
        rate: Rate,
        now: Timestamp,
    ) -> Result<(), Refusal> {
        let taken = self.of.entry(participant).or_default().take(rate, now);
        if self.of.len() > self.tidy_at {
            self.of.retain(|_, rates| !rates.are_full(now));
            self.tidy_at = 2 * self.of.len() + 64;
        }
        taken
    }
}

/// The requests of one participant, as one bucket for each kind: the time at which it would be full again.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Rates([Option<Timestamp>; Rate::COUNT]);

impl Rates {
    /// Whether nothing of them is used up.
    fn are_full(&self, now: Timestamp) -> bool {
        self.0.iter().flatten().all(|full_at| *full_at <= now)
    }

    /// Takes one request, or refuses it.
    pub(crate) fn take(&mut self, rate: Rate, now: Timestamp) -> Result<(), Refusal> {
        let (burst, every) = rate.bucket();
        let full_at = &mut self.0[rate as usize];
        let base = full_at.map_or(now, |at| at.max(now)).as_micros();
        let next = base + every;
        if next - now.as_micros() > i64::from(burst) * every {
            return Err(Refusal::TooMany);
        }
        *full_at = Some(Timestamp::from_micros(next));
        Ok(())
    }
}
