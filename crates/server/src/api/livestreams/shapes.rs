//! Livestreams and their times on air, as answers show them.

use muster_model::{
    LivestreamId, LivestreamSessionId, MeetingId, PageInfo, Timestamp,
    livestream::{Livestream, LivestreamSession, LivestreamStatus},
    session::whole_seconds,
};
use serde::Serialize;
use utoipa::ToSchema;

use crate::{api::error::ApiError, auth::master_key::MasterKey};

/// For what stream keys are sealed.
pub const STREAM_KEY_PURPOSE: &str = "stream-key";

/// A livestream.
#[derive(Debug, Serialize, ToSchema)]
pub struct LivestreamOut {
    #[schema(value_type = String, format = Uuid)]
    id: LivestreamId,
    name: Option<String>,
    status: LivestreamStatus,
    /// `"true"` or `"false"`: the published contract has a text here.
    disabled: String,
    #[schema(value_type = Option<String>, format = Uuid)]
    meeting_id: Option<MeetingId>,
    ingest_server: String,
    stream_key: String,
    playback_url: String,
    #[schema(value_type = String, format = DateTime)]
    created_at: Timestamp,
    #[schema(value_type = String, format = DateTime)]
    updated_at: Timestamp,
}

impl LivestreamOut {
    /// A livestream with its stream key opened.
    pub fn open(master_key: &MasterKey, livestream: Livestream) -> Result<Self, ApiError> {
        Ok(Self {
            stream_key: opened_stream_key(master_key, &livestream)?,
            id: livestream.id,
            name: livestream.name,
            status: livestream.status,
            disabled: livestream.disabled.to_string(),
            meeting_id: livestream.meeting_id,
            ingest_server: livestream.ingest_server,
            playback_url: livestream.playback_url,
            created_at: livestream.created_at,
            updated_at: livestream.updated_at,
        })
    }
}

/// The key that opens a livestream's ingest.
pub fn opened_stream_key(master_key: &MasterKey, livestream: &Livestream) -> Result<String, ApiError> {
    let key = master_key
        .open(STREAM_KEY_PURPOSE, &livestream.sealed_stream_key)
        .map_err(ApiError::internal)?;
    String::from_utf8(key).map_err(ApiError::internal)
}

/// What is known of a time on air beside its length.
#[derive(Debug, Serialize, ToSchema)]
pub struct OnAirOut {
    #[schema(value_type = String, format = Uuid)]
    id: LivestreamSessionId,
    #[schema(value_type = String, format = Uuid)]
    livestream_id: LivestreamId,
    /// Why it failed.
    err_message: Option<String>,
    #[schema(value_type = String, format = DateTime)]
    invoked_time: Timestamp,
    #[schema(value_type = Option<String>, format = DateTime)]
    started_time: Option<Timestamp>,
    #[schema(value_type = Option<String>, format = DateTime)]
    stopped_time: Option<Timestamp>,
    #[schema(value_type = String, format = DateTime)]
    created_at: Timestamp,
    #[schema(value_type = String, format = DateTime)]
    updated_at: Timestamp,
}

impl From<LivestreamSession> for OnAirOut {
    fn from(session: LivestreamSession) -> Self {
        Self {
            id: session.id,
            livestream_id: session.livestream_id,
            err_message: session.err_message,
            invoked_time: session.invoked_at,
            started_time: session.started_at,
            stopped_time: session.stopped_at,
            created_at: session.created_at,
            updated_at: session.updated_at,
        }
    }
}

/// A time on air.
#[derive(Debug, Serialize, ToSchema)]
pub struct LivestreamSessionOut {
    #[serde(flatten)]
    on_air: OnAirOut,
    ingest_seconds: i64,
    viewer_seconds: i64,
}

impl From<LivestreamSession> for LivestreamSessionOut {
    fn from(session: LivestreamSession) -> Self {
        Self {
            ingest_seconds: whole_seconds(session.ingest_micros),
            viewer_seconds: whole_seconds(session.viewer_micros),
            on_air: session.into(),
        }
    }
}

/// A time on air that is not over. The published contract has its lengths as texts.
#[derive(Debug, Serialize, ToSchema)]
pub struct ActiveLivestreamSessionOut {
    #[serde(flatten)]
    on_air: OnAirOut,
    ingest_seconds: String,
    viewer_seconds: String,
}

impl From<LivestreamSession> for ActiveLivestreamSessionOut {
    fn from(session: LivestreamSession) -> Self {
        Self {
            ingest_seconds: whole_seconds(session.ingest_micros).to_string(),
            viewer_seconds: whole_seconds(session.viewer_micros).to_string(),
            on_air: session.into(),
        }
    }
}

/// A page of livestreams.
#[derive(Debug, Serialize, ToSchema)]
pub struct LivestreamsOut {
    /// The livestreams.
    pub livestreams: Vec<LivestreamOut>,
    /// Where the page stands; the same as beside `data`.
    pub paging: PageInfo,
}

/// A livestream and its times on air, the latest first.
#[derive(Debug, Serialize, ToSchema)]
pub struct LivestreamWithSessionsOut {
    /// The livestream.
    pub livestream: LivestreamOut,
    /// The latest time on air.
    pub session: Option<LivestreamSessionOut>,
    /// A page of them.
    pub sessions: Vec<LivestreamSessionOut>,
    /// Where the page stands; the same as beside `data`.
    pub paging: PageInfo,
}

/// A livestream that is on air.
#[derive(Debug, Serialize, ToSchema)]
pub struct LivestreamOnAirOut {
    /// The livestream.
    pub livestream: LivestreamOut,
    /// The time on air.
    pub session: ActiveLivestreamSessionOut,
}

/// A page of a meeting's livestreams with their times on air.
#[derive(Debug, Serialize, ToSchema)]
pub struct MeetingLivestreamsOut {
    /// The livestreams.
    pub livestreams: Vec<LivestreamOut>,
    /// The times these were on air, the latest first.
    pub sessions: Vec<LivestreamSessionOut>,
    /// Where the page of livestreams stands; the same as beside `data`.
    pub paging: PageInfo,
}

/// A page of the times a session was on air.
#[derive(Debug, Serialize, ToSchema)]
pub struct LivestreamSessionsOut {
    /// The times on air.
    pub data: Vec<LivestreamSessionOut>,
    /// Where the page stands; the same as beside `data`.
    pub paging: PageInfo,
}

/// A livestream that was made.
#[derive(Debug, Serialize, ToSchema)]
pub struct NewLivestreamOut {
    #[schema(value_type = String, format = Uuid)]
    id: LivestreamId,
    name: Option<String>,
    status: LivestreamStatus,
    disabled: bool,
    ingest_server: String,
    stream_key: String,
    playback_url: String,
    #[schema(value_type = Option<String>, format = Uuid)]
    meeting_id: Option<MeetingId>,
}

/// A livestream of a meeting that was started.
#[derive(Debug, Serialize, ToSchema)]
pub struct StartedLivestreamOut {
    #[schema(value_type = String, format = Uuid)]
    id: LivestreamId,
    status: LivestreamStatus,
    ingest_server: String,
    stream_key: String,
    playback_url: String,
}

/// That a livestream was stopped.
#[derive(Debug, Serialize, ToSchema)]
pub struct StoppedLivestreamOut {
    message: String,
}
