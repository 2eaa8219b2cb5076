//! Webhooks: addresses that are told what happens in an app.

use serde::{Deserialize, Serialize};

use crate::{Timestamp, WebhookId};

/// Something a webhook can be told of.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub enum WebhookEvent {
    /// A session began.
    #[serde(rename = "meeting.started")]
    MeetingStarted,
    /// A session ended.
    #[serde(rename = "meeting.ended")]
    MeetingEnded,
    /// Somebody came in.
    #[serde(rename = "meeting.participantJoined")]
    ParticipantJoined,
    /// Somebody went.
    #[serde(rename = "meeting.participantLeft")]
    ParticipantLeft,
    /// A session's chat can be fetched.
    #[serde(rename = "meeting.chatSynced")]
    ChatSynced,
    /// A recording came into another state.
    #[serde(rename = "recording.statusUpdate")]
    RecordingStatus,
    /// A livestream came into another state.
    #[serde(rename = "livestreaming.statusUpdate")]
    LivestreamStatus,
    /// A session's transcript can be fetched.
    #[serde(rename = "meeting.transcript")]
    Transcript,
    /// A session's summary can be fetched.
    #[serde(rename = "meeting.summary")]
    Summary,
}

impl WebhookEvent {
    /// Every event, in the order in which clients are told of them.
    pub const ALL: [Self; 9] = [
        Self::MeetingStarted,
        Self::MeetingEnded,
        Self::ParticipantJoined,
        Self::ParticipantLeft,
        Self::ChatSynced,
        Self::RecordingStatus,
        Self::LivestreamStatus,
        Self::Transcript,
        Self::Summary,
    ];
}

/// What a caller decides of a webhook.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WebhookSettings {
    /// Unique within the app.
    pub name: String,
    /// Where it is.
    pub url: String,
    /// What it is told of: each once, at least one.
    pub events: Vec<WebhookEvent>,
    /// Whether it is told at all.
    pub enabled: bool,
}

/// An address that is told what happens in an app.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Webhook {
    /// Its id.
    pub id: WebhookId,
    /// What its owner decided.
    pub settings: WebhookSettings,
    /// When it was made.
    pub created_at: Timestamp,
    /// When it was last changed.
    pub updated_at: Timestamp,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_and_order_are_as_published() {
        assert_eq!(
            serde_json::to_value(WebhookEvent::ALL).unwrap(),
            serde_json::json!([
                "meeting.started",
                "meeting.ended",
                "meeting.participantJoined",
                "meeting.participantLeft",
                "meeting.chatSynced",
                "recording.statusUpdate",
                "livestreaming.statusUpdate",
                "meeting.transcript",
                "meeting.summary",
            ])
        );
    }
}
