//! Participants.

use crate::{
    MeetingId, ParticipantId, PresetId, Timestamp,
    preset::{Permissions, ViewType},
};

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
    /// Whether it was removed from a session with a ban, which lasts until it is lifted.
    pub banned: bool,
    /// When it was added.
    pub created_at: Timestamp,
    /// When it was last changed.
    pub updated_at: Timestamp,
}

/// Who a peer is, as its token and the store say. Shared by everything that speaks of the person.
#[derive(Debug, Clone, PartialEq)]
pub struct Person {
    /// The participant; `user_id` on the wire.
    pub participant: ParticipantId,
    /// The caller's own name for the person.
    pub custom_participant_id: String,
    /// Display name; empty where there is none.
    pub name: String,
    /// Address of a picture.
    pub picture: Option<String>,
    /// The preset.
    pub preset_id: PresetId,
    /// Its name.
    pub preset_name: String,
    /// The kind of room the person sees.
    pub view_type: ViewType,
    /// What the person may do, before changes made in the room.
    pub permissions: Permissions,
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
