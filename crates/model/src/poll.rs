//! Polls.

use crate::{ParticipantId, PollId, Timestamp};

/// A question to the room.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Poll {
    /// Its id.
    pub id: PollId,
    /// The question.
    pub question: String,
    /// At least two answers.
    pub options: Vec<PollOption>,
    /// Whether names of voters are kept from everybody.
    pub anonymous: bool,
    /// Whether the results are kept from those who have not voted.
    pub hide_votes: bool,
    /// Display name of who asked; the app's id where it was asked over REST.
    pub created_by: String,
    /// The participant that asked; none where it was asked over REST.
    pub created_by_participant: Option<ParticipantId>,
    /// When it was asked.
    pub created_at: Timestamp,
}

/// One answer of a poll.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PollOption {
    /// Its text.
    pub text: String,
    /// Who chose it, in the order of voting.
    pub votes: Vec<PollVote>,
}

/// One vote.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PollVote {
    /// Who voted.
    pub participant_id: ParticipantId,
    /// Display name of the voter, as of then.
    pub name: String,
}
