//! Participants.

use crate::{MeetingId, ParticipantId, PresetId, Timestamp};

/// A person's lasting permission to join one meeting.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Participant {
    /// Its id.
    pub id: ParticipantId,
    /// The meeting it may join.
    pub meeting_id: MeetingId,
    /// The preset it joins with.
    pub preset_id: PresetId,
    /// That preset's name.
    pub preset_name: String,
    /// The caller's own name for the person, 1 to 256 characters.
    pub custom_participant_id: String,
    /// Display name.
    pub name: Option<String>,
    /// Address of a picture.
    pub picture: Option<String>,
    /// When it was added.
    pub created_at: Timestamp,
    /// When it was last changed.
    pub updated_at: Timestamp,
}

/// What becomes of a second participant with the same custom id in one meeting.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum DuplicatePolicy {
    /// The record there is answers again, with the new name, picture and preset.
    #[default]
    Reuse,
    /// The request is refused as a conflict.
    Reject,
    /// A second record is made.
    Allow,
}
