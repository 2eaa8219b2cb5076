//! Livestreams: an ingest address and its playback, and the times it was on air.

use crate::{LivestreamId, LivestreamSessionId, MeetingId, SessionId, Timestamp, session::words};

words! {
    /// What a livestream is doing.
    LivestreamStatus {
        /// On air.
        Live = "LIVE",
        /// Nothing.
        Idle = "IDLE",
        /// It failed.
        Errored = "ERRORED",
        /// It was asked for and is not on air yet.
        Invoked = "INVOKED",
    }
}

/// An ingest address and its playback.
#[derive(Clone, PartialEq, Eq)]
pub struct Livestream {
    /// Its id.
    pub id: LivestreamId,
    /// The meeting it shows; none for one that is fed from outside.
    pub meeting_id: Option<MeetingId>,
    /// Its name.
    pub name: Option<String>,
    /// What it is doing.
    pub status: LivestreamStatus,
    /// Whether it takes nothing in.
    pub disabled: bool,
    /// Where the picture is sent to.
    pub ingest_server: String,
    /// The key that opens the ingest, sealed.
    pub sealed_stream_key: Vec<u8>,
    /// Where it is watched.
    pub playback_url: String,
    /// When it was made.
    pub created_at: Timestamp,
    /// When it was last changed.
    pub updated_at: Timestamp,
}

impl std::fmt::Debug for Livestream {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Livestream")
            .field("id", &self.id)
            .field("meeting_id", &self.meeting_id)
            .field("status", &self.status)
            .finish_non_exhaustive()
    }
}

/// One stretch of time in which a livestream was on air.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LivestreamSession {
    /// Its id.
    pub id: LivestreamSessionId,
    /// The livestream.
    pub livestream_id: LivestreamId,
    /// The session of the meeting that was shown.
    pub session_id: Option<SessionId>,
    /// Why it failed.
    pub err_message: Option<String>,
    /// When it was asked for.
    pub invoked_at: Timestamp,
    /// When the picture arrived.
    pub started_at: Option<Timestamp>,
    /// When it ended.
    pub stopped_at: Option<Timestamp>,
    /// How long a picture arrived, in microseconds.
    pub ingest_micros: i64,
    /// The stays of all viewers added up, in microseconds.
    pub viewer_micros: i64,
    /// When its record was made.
    pub created_at: Timestamp,
    /// When its record was last changed.
    pub updated_at: Timestamp,
}
