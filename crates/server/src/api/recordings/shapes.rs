//! Recordings, as answers show them.

use muster_model::{
    RecordingId, SessionId, Timestamp,
    meeting::{Meeting, MeetingSettings},
    recording::{Recording, RecordingStatus, StartReason, StopReason, StorageConfig, TrackDownload},
};
use serde::Serialize;
use utoipa::ToSchema;

use crate::api::meetings::MeetingOut;

const MICROS_PER_SECOND: i64 = 1_000_000;

/// A recording.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct RecordingOut {
    #[schema(value_type = String, format = Uuid)]
    id: RecordingId,
    status: RecordingStatus,
    output_file_name: String,
    #[schema(value_type = String, format = DateTime)]
    invoked_time: Timestamp,
    #[schema(value_type = Option<String>, format = DateTime, required)]
    started_time: Option<Timestamp>,
    #[schema(value_type = Option<String>, format = DateTime, required)]
    stopped_time: Option<Timestamp>,
    #[schema(value_type = Option<String>, format = Uuid, required)]
    session_id: Option<SessionId>,
    /// Bytes.
    #[schema(required)]
    file_size: Option<i64>,
    /// Whole seconds.
    #[serde(skip_serializing_if = "Option::is_none")]
    recording_duration: Option<i64>,
    #[schema(format = "uri", required)]
    download_url: Option<String>,
    #[schema(format = "uri", required)]
    audio_download_url: Option<String>,
    #[schema(value_type = Option<String>, format = DateTime, required)]
    download_url_expiry: Option<Timestamp>,
    /// Extension: the links of a track recording, which has no other ones.
    #[serde(skip_serializing_if = "Option::is_none")]
    track_downloads: Option<Vec<TrackDownload>>,
}

impl From<&Recording> for RecordingOut {
    fn from(recording: &Recording) -> Self {
        Self {
            id: recording.id,
            status: recording.status,
            output_file_name: recording.output_file_name.clone(),
            invoked_time: recording.invoked_at,
            started_time: recording.started_at,
            stopped_time: recording.stopped_at,
            session_id: recording.session_id,
            file_size: recording.file_size,
            recording_duration: recording
                .recorded_micros
                .map(|micros| micros.div_euclid(MICROS_PER_SECOND)),
            download_url: recording.download_url.clone(),
            audio_download_url: recording.audio_download_url.clone(),
            download_url_expiry: recording.download_url_expires_at,
            track_downloads: recording.track_downloads.clone(),
        }
    }
}

/// A recording with how it came about and where it goes.
#[derive(Debug, Serialize, ToSchema)]
pub struct DetailedRecordingOut {
    #[serde(flatten)]
    recording: RecordingOut,
    storage_config: Option<StorageConfig>,
    #[serde(skip_serializing_if = "Option::is_none")]
    start_reason: Option<StartReason>,
    #[serde(skip_serializing_if = "Option::is_none")]
    stop_reason: Option<StopReason>,
}

impl From<Recording> for DetailedRecordingOut {
    fn from(recording: Recording) -> Self {
        Self {
            recording: RecordingOut::from(&recording),
            storage_config: recording.storage_config,
            start_reason: recording.start_reason,
            stop_reason: recording.stop_reason,
        }
    }
}

/// A recording as lists show it.
#[derive(Debug, Serialize, ToSchema)]
pub struct ListedRecordingOut {
    #[serde(flatten)]
    recording: RecordingOut,
    storage_config: Option<StorageConfig>,
    /// Absent once it is deleted.
    #[serde(skip_serializing_if = "Option::is_none")]
    meeting: Option<MeetingOut>,
}

impl From<(Recording, Option<Meeting>)> for ListedRecordingOut {
    fn from((recording, meeting): (Recording, Option<Meeting>)) -> Self {
        // As in the list of meetings, the published contract has no ai_config here.
        let without_ai = |meeting: Meeting| Meeting {
            settings: MeetingSettings {
                ai_config: None,
                ..meeting.settings
            },
            ..meeting
        };
        Self {
            recording: RecordingOut::from(&recording),
            storage_config: recording.storage_config,
            meeting: meeting.map(without_ai).map(Into::into),
        }
    }
}

/// A track recording that was started: told twice, since clients look in both places.
#[derive(Debug, Serialize, ToSchema)]
pub struct TrackRecordingOut {
    #[serde(flatten)]
    fields: RecordingOut,
    recording: RecordingOut,
}
