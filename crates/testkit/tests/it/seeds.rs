//! Records that only rooms write, put into the store by hand.

use std::time::Duration;

use muster_model::{
    AppId, LivestreamId, LivestreamSessionId, MeetingId, ParticipantId, PeerId, RecordingId, SessionId,
    Timestamp,
    app::Scope,
    livestream::{Livestream, LivestreamSession, LivestreamStatus},
    recording::{Recording, RecordingKind, RecordingStatus},
    session::{
        Peer, PeerEvent, PeerEventName, PeerReport, PeerViewType, Session, SessionKind, SessionStatus,
    },
};
use muster_server::api::livestreams::shapes::STREAM_KEY_PURPOSE;
use muster_store::{livestreams, peers, recordings, sessions};
use muster_testkit::{Api, Server};

/// 2026-03-10T09:00:00.000Z: when the first of the seeded records began.
pub const NINE: Timestamp = Timestamp::from_micros(1_773_133_200_000_000);
pub const MINUTE: i64 = 60_000_000;

/// So many minutes (and 123 microseconds, which answers do not show) after nine.
pub fn at(minutes: u64) -> Timestamp {
    NINE.plus(Duration::from_secs(60 * minutes) + Duration::from_micros(123))
}

/// An app of a server, and what is seeded into it.
pub struct Seeds<'s> {
    pub server: &'s Server,
    pub api: Api,
    pub scope: Scope,
}

impl<'s> Seeds<'s> {
    pub async fn new(server: &'s Server) -> Self {
        Self::of(server, server.api().await.app().await)
    }

    pub fn of(server: &'s Server, api: Api) -> Self {
        let scope = Scope {
            account: api.account.parse().unwrap(),
            app: api.id.parse::<AppId>().unwrap(),
        };
        Self { server, api, scope }
    }

    /// An ended session of 30 minutes with nobody's rows in it, that began so many minutes after nine.
    pub fn session(&self, minutes: u64) -> Session {
        Session {
            id: SessionId::random(),
            app_id: self.scope.app,
            meeting_id: MeetingId::random(),
            parent: None,
            kind: SessionKind::Meeting,
            status: SessionStatus::Ended,
            title: Some(format!("Session {minutes}")),
            live_participants: 0,
            max_concurrent_participants: 2,
            connected_micros: 60 * MINUTE,
            started_at: at(minutes),
            ended_at: Some(at(minutes + 30)),
            heartbeat_at: at(minutes + 30),
            created_at: at(minutes),
            updated_at: at(minutes + 30),
        }
    }

    /// A live session of a meeting.
    pub fn live(&self, meeting: &str) -> Session {
        Session {
            meeting_id: meeting.parse().unwrap(),
            status: SessionStatus::Live,
            ended_at: None,
            live_participants: 1,
            ..self.session(0)
        }
    }

    pub async fn add_session(&self, session: &Session) {
        let (scope, session) = (self.scope.clone(), session.clone());
        self.server
            .store()
            .write(move |conn| Box::pin(async move { sessions::insert(conn, &scope, &session).await }))
            .await
            .unwrap();
    }

    /// A stay of ten minutes that began so many minutes after nine.
    pub fn peer(session: &Session, custom_id: &str, minutes: u64) -> Peer {
        Peer {
            id: PeerId::random(),
            session_id: session.id,
            participant_id: ParticipantId::random(),
            custom_participant_id: custom_id.into(),
            display_name: Some(format!("Name of {custom_id}")),
            preset_name: "group_call_host".into(),
            joined_at: at(minutes),
            left_at: Some(at(minutes + 10)),
            connected_micros: 10 * MINUTE,
            created_at: at(minutes),
            updated_at: at(minutes + 10),
        }
    }

    /// Adds a stay, and its coming and going.
    pub async fn add_peer(&self, peer: &Peer, report: Option<PeerReport>) {
        let (scope, peer) = (self.scope.clone(), peer.clone());
        let mut events = vec![(PeerEventName::Created, peer.joined_at)];
        events.extend(peer.left_at.map(|at| (PeerEventName::Leaving, at)));
        self.server
            .store()
            .write(move |conn| {
                Box::pin(async move {
                    peers::insert(conn, &scope, &peer, report.as_ref()).await?;
                    for (name, time) in events {
                        let event = PeerEvent {
                            id: uuid_text(),
                            peer_id: peer.id,
                            name,
                            participant_id: Some(peer.participant_id),
                            session_id: Some(peer.session_id),
                            socket_session_id: None,
                            preset_view_type: Some(PeerViewType::GroupCall),
                            connected_micros: (name == PeerEventName::Leaving)
                                .then_some(peer.connected_micros),
                            created_at: time,
                            updated_at: time,
                        };
                        peers::insert_event(conn, &scope, &event).await?;
                    }
                    Ok(())
                })
            })
            .await
            .unwrap();
    }

    /// A recording that was stored, asked for so many minutes after nine.
    pub fn recording(meeting: MeetingId, minutes: u64) -> Recording {
        Recording {
            id: RecordingId::random(),
            meeting_id: meeting,
            session_id: Some(SessionId::random()),
            kind: RecordingKind::Composite,
            status: RecordingStatus::Uploaded,
            output_file_name: format!("{meeting}_1.mp4"),
            invoked_at: at(minutes),
            started_at: Some(at(minutes)),
            stopped_at: Some(at(minutes + 5)),
            recorded_micros: Some(5 * MINUTE + 700_000),
            file_size: Some(2_044_680),
            download_url: Some("https://files.example.test/f".into()),
            audio_download_url: None,
            download_url_expires_at: Some(at(minutes + 60 * 24 * 7)),
            track_downloads: None,
            storage_config: None,
            start_reason: None,
            stop_reason: None,
            created_at: at(minutes),
            updated_at: at(minutes + 5),
        }
    }

    pub async fn add_recording(&self, recording: &Recording, title: Option<&str>) {
        let (scope, recording, title) = (self.scope.clone(), recording.clone(), title.map(str::to_owned));
        self.server
            .store()
            .write(move |conn| {
                Box::pin(async move {
                    recordings::insert(conn, &scope, &recording, title.as_deref(), Some(vec![1])).await
                })
            })
            .await
            .unwrap();
    }

    /// A livestream made so many minutes after nine, whose key is `key`.
    pub fn livestream(&self, meeting: Option<MeetingId>, minutes: u64) -> Livestream {
        Livestream {
            id: LivestreamId::random(),
            meeting_id: meeting,
            name: Some("launch".into()),
            status: LivestreamStatus::Idle,
            disabled: false,
            ingest_server: "rtmps://live.example.test:443/live/".into(),
            sealed_stream_key: self
                .server
                .app()
                .master_key
                .seal(STREAM_KEY_PURPOSE, b"key")
                .unwrap(),
            playback_url: "https://live.example.test/manifest/video.m3u8".into(),
            created_at: at(minutes),
            updated_at: at(minutes),
        }
    }

    pub async fn add_livestream(&self, livestream: &Livestream) {
        let (scope, livestream) = (self.scope.clone(), livestream.clone());
        self.server
            .store()
            .write(move |conn| Box::pin(async move { livestreams::insert(conn, &scope, &livestream).await }))
            .await
            .unwrap();
    }

    /// Ten minutes on air with two viewers, asked for so many minutes after nine.
    pub fn on_air(livestream: &Livestream, session: Option<SessionId>, minutes: u64) -> LivestreamSession {
        LivestreamSession {
            id: LivestreamSessionId::random(),
            livestream_id: livestream.id,
            session_id: session,
            err_message: None,
            invoked_at: at(minutes),
            started_at: Some(at(minutes)),
            stopped_at: Some(at(minutes + 10)),
            ingest_micros: 10 * MINUTE + 400_000,
            viewer_micros: 20 * MINUTE + 600_000,
            created_at: at(minutes),
            updated_at: at(minutes + 10),
        }
    }

    pub async fn add_on_air(&self, session: &LivestreamSession) {
        let (scope, session) = (self.scope.clone(), session.clone());
        self.server
            .store()
            .write(move |conn| {
                Box::pin(async move { livestreams::insert_session(conn, &scope, &session).await })
            })
            .await
            .unwrap();
    }
}

/// A fresh UUID as text.
pub fn uuid_text() -> String {
    SessionId::random().to_string()
}
