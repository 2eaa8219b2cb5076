//! Recordings that were made or are under way.

use serde::{Deserialize, Serialize};

use super::StorageConfig;
use crate::{MeetingId, RecordingId, SessionId, Timestamp, session::words};

words! {
    /// What is recorded.
    RecordingKind {
        /// The room as a viewer sees it.
        Composite = "COMPOSITE",
        /// Each voice for itself.
        Track = "TRACK",
    }
}

words! {
    /// How far a recording is.
    RecordingStatus {
        /// Asked for.
        Invoked = "INVOKED",
        /// Running.
        Recording = "RECORDING",
        /// Stopped, being stored.
        Uploading = "UPLOADING",
        /// Stored.
        Uploaded = "UPLOADED",
        /// Failed.
        Errored = "ERRORED",
        /// Paused.
        Paused = "PAUSED",
    }
}

impl RecordingStatus {
    /// Whether it can still record: asked for, running or paused.
    pub const fn is_active(self) -> bool {
        matches!(self, Self::Invoked | Self::Recording | Self::Paused)
    }
}

words! {
    /// Why a recording began.
    StartCause {
        /// Somebody asked for it.
        ApiCall = "API_CALL",
        /// The meeting records from its start.
        RecordOnStart = "RECORD_ON_START",
    }
}

words! {
    /// Why a recording ended. A recording that ran its full time has no cause.
    StopCause {
        /// Somebody asked for it.
        ApiCall = "API_CALL",
        /// It failed.
        InternalError = "INTERNAL_ERROR",
        /// Nobody was left.
        AllPeersLeft = "ALL_PEERS_LEFT",
    }
}

words! {
    /// What kind of caller started or stopped a recording.
    CallerKind {
        /// The app, with an API token.
        Organization = "ORGANIZATION",
        /// A participant.
        User = "USER",
    }
}

/// Who started or stopped a recording.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct RecordingCaller {
    /// What kind of caller.
    #[serde(rename = "type")]
    pub kind: CallerKind,
    /// Its name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// Its id, a UUID.
    #[serde(rename = "user_Id", default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "schema", schema(format = "uuid"))]
    pub user_id: Option<String>,
}

/// Why a recording began, and who asked for it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct StartReason {
    /// Why.
    pub reason: StartCause,
    /// Who.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub caller: Option<RecordingCaller>,
}

/// Why a recording ended, and who asked for it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct StopReason {
    /// Why.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<StopCause>,
    /// Who.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub caller: Option<RecordingCaller>,
}

/// The links of one layer of a track recording.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct TrackDownload {
    /// The layer.
    pub layer_name: String,
    /// For each file its link.
    pub download_urls: std::collections::BTreeMap<String, TrackFile>,
}

/// The link of one file of a track recording.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct TrackFile {
    /// Where the file is.
    pub download_url: String,
}

/// A recording of a session.
#[derive(Debug, Clone, PartialEq)]
pub struct Recording {
    /// Its id.
    pub id: RecordingId,
    /// Its meeting, which may be gone by now.
    pub meeting_id: MeetingId,
    /// Its session.
    pub session_id: Option<SessionId>,
    /// What is recorded.
    pub kind: RecordingKind,
    /// How far it is.
    pub status: RecordingStatus,
    /// Name of its file.
    pub output_file_name: String,
    /// When it was asked for.
    pub invoked_at: Timestamp,
    /// When it began.
    pub started_at: Option<Timestamp>,
    /// When it ended.
    pub stopped_at: Option<Timestamp>,
    /// Its length in microseconds.
    pub recorded_micros: Option<i64>,
    /// Its size in bytes.
    pub file_size: Option<i64>,
    /// The file with picture, where this installation keeps it.
    pub download_url: Option<String>,
    /// The file of sound alone.
    pub audio_download_url: Option<String>,
    /// When the links cease to work.
    pub download_url_expires_at: Option<Timestamp>,
    /// The links of a track recording.
    pub track_downloads: Option<Vec<TrackDownload>>,
    /// The caller's own storage, without its secrets.
    pub storage_config: Option<StorageConfig>,
    /// Why it began.
    pub start_reason: Option<StartReason>,
    /// Why it ended.
    pub stop_reason: Option<StopReason>,
    /// When its record was made.
    pub created_at: Timestamp,
    /// When its record was last changed.
    pub updated_at: Timestamp,
}
