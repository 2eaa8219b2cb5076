//! Chat: what people wrote to a room or to one another.

use crate::{ChatMessageId, ParticipantId, PeerId, Timestamp, session::words};

words! {
    /// What the payload of a message is.
    ChatPayloadKind {
        /// Text.
        Text = "TEXT_MESSAGE",
        /// The address of a picture.
        Image = "IMAGE_MESSAGE",
        /// JSON: `link`, `name`, `size`.
        File = "FILE_MESSAGE",
        /// JSON: `message`, `html`, `images`, `videos`, `files`.
        Custom = "CUSTOM_MESSAGE",
    }
}

/// One message.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ChatMessage {
    /// Its id.
    pub id: ChatMessageId,
    /// The peer that wrote it.
    pub peer_id: PeerId,
    /// That peer's participant.
    pub participant_id: ParticipantId,
    /// Display name of the writer, as of then.
    pub display_name: String,
    /// What the payload is.
    pub kind: ChatPayloadKind,
    /// Text, an address, or JSON, as the kind says.
    pub payload: String,
    /// The participants it is for, the writer among them; none: it is for everybody.
    pub recipients: Vec<ParticipantId>,
    /// Whether it is pinned.
    pub pinned: bool,
    /// Whether its payload was changed since.
    pub edited: bool,
    /// When it was written.
    pub created_at: Timestamp,
}

impl ChatMessage {
    /// Whether a participant may see it.
    pub fn is_for(&self, participant: ParticipantId) -> bool {
        self.recipients.is_empty() || self.recipients.contains(&participant)
    }
}
