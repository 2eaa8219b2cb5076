//! Sessions and the stays in them, as answers show them.

use std::collections::BTreeMap;

use muster_model::{
    AppId, MeetingId, PageInfo, ParticipantId, PeerId, SessionId, Timestamp,
    session::{
        PeerEvent, PeerEventName, PeerReport, PeerViewType, Session, SessionKind, SessionStatus, minutes,
    },
};
use muster_store::peers::PeerWithEvents;
use serde::Serialize;
use utoipa::ToSchema;

/// A session.
#[derive(Debug, Serialize, ToSchema)]
pub struct SessionOut {
    #[schema(value_type = String, format = Uuid)]
    id: SessionId,
    /// The meeting.
    #[schema(value_type = String, format = Uuid)]
    associated_id: MeetingId,
    /// The meeting's title when the session began; empty when it had none.
    meeting_display_name: String,
    #[serde(rename = "type")]
    kind: SessionKind,
    status: SessionStatus,
    live_participants: i64,
    max_concurrent_participants: i64,
    /// The minutes of all peers added up.
    minutes_consumed: f64,
    /// The app.
    #[schema(value_type = String, format = Uuid)]
    organization_id: AppId,
    #[schema(value_type = String, format = DateTime)]
    started_at: Timestamp,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>, format = DateTime)]
    ended_at: Option<Timestamp>,
    #[schema(value_type = String, format = DateTime)]
    created_at: Timestamp,
    #[schema(value_type = String, format = DateTime)]
    updated_at: Timestamp,
    /// Where they were asked for: the sessions of its breakout rooms, with theirs.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(no_recursion)]
    breakout_rooms: Option<Vec<SessionOut>>,
}

impl From<Session> for SessionOut {
    fn from(session: Session) -> Self {
        Self {
            id: session.id,
            associated_id: session.meeting_id,
            meeting_display_name: session.title.unwrap_or_default(),
            kind: session.kind,
            status: session.status,
            live_participants: session.live_participants,
            max_concurrent_participants: session.max_concurrent_participants,
            minutes_consumed: minutes(session.connected_micros),
            organization_id: session.app_id,
            started_at: session.started_at,
            ended_at: session.ended_at,
            created_at: session.created_at,
            updated_at: session.updated_at,
            breakout_rooms: None,
        }
    }
}

impl SessionOut {
    /// A session with its breakout rooms, which come in one list.
    pub fn with_rooms(session: Session, rooms: Vec<Session>) -> Self {
        let mut by_parent: BTreeMap<SessionId, Vec<Session>> = BTreeMap::new();
        for room in rooms {
            if let Some(parent) = room.parent {
                by_parent.entry(parent).or_default().push(room);
            }
        }
        Self::tree(session, &mut by_parent)
    }

    /// Takes each list of rooms once, so that a session that is its own ancestor ends the tree.
    fn tree(session: Session, by_parent: &mut BTreeMap<SessionId, Vec<Session>>) -> Self {
        let rooms = by_parent.remove(&session.id).unwrap_or_default();
        let rooms = rooms
            .into_iter()
            .map(|room| Self::tree(room, by_parent))
            .collect();
        Self {
            breakout_rooms: Some(rooms),
            ..session.into()
        }
    }
}

/// A page of sessions.
#[derive(Debug, Serialize, ToSchema)]
pub struct SessionsOut {
    /// The sessions.
    pub sessions: Vec<SessionOut>,
}

/// Something that happened to a peer.
#[derive(Debug, Serialize, ToSchema)]
pub struct PeerEventOut {
    id: String,
    #[schema(value_type = String, format = Uuid)]
    peer_id: PeerId,
    event_name: PeerEventName,
    #[schema(value_type = Option<String>, format = Uuid)]
    participant_id: Option<ParticipantId>,
    #[schema(value_type = Option<String>, format = Uuid)]
    session_id: Option<SessionId>,
    socket_session_id: Option<String>,
    preset_view_type: Option<PeerViewType>,
    #[serde(skip_serializing_if = "Option::is_none")]
    minutes_consumed: Option<f64>,
    #[schema(value_type = String, format = DateTime)]
    created_at: Timestamp,
    #[schema(value_type = String, format = DateTime)]
    updated_at: Timestamp,
}

impl From<PeerEvent> for PeerEventOut {
    fn from(event: PeerEvent) -> Self {
        Self {
            id: event.id,
            peer_id: event.peer_id,
            event_name: event.name,
            participant_id: event.participant_id,
            session_id: event.session_id,
            socket_session_id: event.socket_session_id,
            preset_view_type: event.preset_view_type,
            minutes_consumed: event.connected_micros.map(minutes),
            created_at: event.created_at,
            updated_at: event.updated_at,
        }
    }
}

/// A stay in a session.
#[derive(Debug, Serialize, ToSchema)]
pub struct SessionParticipantOut {
    /// The peer.
    #[schema(value_type = String, format = Uuid)]
    id: PeerId,
    /// The participant.
    #[schema(value_type = String, format = Uuid)]
    user_id: ParticipantId,
    custom_participant_id: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    display_name: Option<String>,
    preset_name: String,
    #[schema(value_type = String, format = DateTime)]
    joined_at: Timestamp,
    /// Absent while inside.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>, format = DateTime)]
    left_at: Option<Timestamp>,
    /// Minutes.
    duration: f64,
    #[schema(value_type = String, format = DateTime)]
    created_at: Timestamp,
    #[schema(value_type = String, format = DateTime)]
    updated_at: Timestamp,
    #[serde(skip_serializing_if = "Option::is_none")]
    peer_events: Option<Vec<PeerEventOut>>,
}

impl From<PeerWithEvents> for SessionParticipantOut {
    fn from(found: PeerWithEvents) -> Self {
        let peer = found.peer;
        Self {
            id: peer.id,
            user_id: peer.participant_id,
            custom_participant_id: peer.custom_participant_id,
            display_name: peer.display_name,
            preset_name: peer.preset_name,
            joined_at: peer.joined_at,
            left_at: peer.left_at,
            duration: minutes(peer.connected_micros),
            created_at: peer.created_at,
            updated_at: peer.updated_at,
            peer_events: found
                .events
                .map(|events| events.into_iter().map(Into::into).collect()),
        }
    }
}

/// A page of the stays in a session.
#[derive(Debug, Serialize, ToSchema)]
pub struct SessionParticipantsOut {
    /// The stays.
    pub participants: Vec<SessionParticipantOut>,
    /// Where the page stands; the same as beside `data`.
    pub paging: PageInfo,
}

/// One stay in a session.
#[derive(Debug, Serialize, ToSchema)]
pub struct OneSessionParticipantOut {
    /// The stay.
    pub participant: SessionParticipantOut,
}

/// A stay in a session with what the peer's client reported.
#[derive(Debug, Serialize, ToSchema)]
pub struct ReportedParticipantOut {
    #[serde(flatten)]
    stay: SessionParticipantOut,
    /// Name of the preset.
    role: String,
    #[schema(value_type = String, format = Uuid)]
    session_id: SessionId,
    peer_report: PeerReport,
}

impl ReportedParticipantOut {
    /// A stay and a report.
    pub fn new(found: PeerWithEvents, peer_report: PeerReport) -> Self {
        Self {
            role: found.peer.preset_name.clone(),
            session_id: found.peer.session_id,
            stay: found.into(),
            peer_report,
        }
    }
}

/// One stay in a session with its report.
#[derive(Debug, Serialize, ToSchema)]
pub struct PeerReportOut {
    /// The stay.
    pub participant: ReportedParticipantOut,
}

/// Where a session's chat can be downloaded.
#[derive(Debug, Serialize, ToSchema)]
pub struct ChatOut {
    /// A CSV file.
    pub chat_download_url: String,
    /// Until when the link holds.
    #[schema(value_type = String, format = DateTime)]
    pub chat_download_url_expiry: Timestamp,
}

/// Where a session's transcript can be downloaded.
#[derive(Debug, Serialize, ToSchema)]
pub struct TranscriptOut {
    #[serde(rename = "sessionId")]
    #[schema(value_type = String, format = Uuid)]
    session_id: SessionId,
    transcript_download_url: String,
    #[schema(value_type = String, format = DateTime)]
    transcript_download_url_expiry: Timestamp,
}

/// Where a session's summary can be downloaded.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct SummaryOut {
    #[schema(value_type = String, format = Uuid)]
    session_id: SessionId,
    summary_download_url: String,
    #[schema(value_type = String, format = DateTime)]
    summary_download_url_expiry: Timestamp,
}

/// That a summary is being made.
#[derive(Debug, Serialize, ToSchema)]
pub struct SummaryStartedOut {
    #[schema(value_type = String, format = Uuid)]
    session_id: SessionId,
    status: String,
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    fn session(parent: Option<SessionId>) -> Session {
        let at = Timestamp::from_secs(1_700_000_000);
        Session {
            id: SessionId::random(),
            app_id: AppId::random(),
            meeting_id: MeetingId::random(),
            parent,
            kind: SessionKind::Meeting,
            status: SessionStatus::Live,
            title: None,
            live_participants: 2,
            max_concurrent_participants: 3,
            connected_micros: 140_604_000,
            started_at: at,
            ended_at: None,
            heartbeat_at: at,
            created_at: at,
            updated_at: at,
        }
    }

    #[test]
    fn a_live_session_has_no_end_and_an_empty_title() {
        let shown = serde_json::to_value(SessionOut::from(session(None))).unwrap();
        assert_eq!(shown["meeting_display_name"], "");
        assert_eq!(shown["minutes_consumed"], json!(2.3434));
        assert_eq!((shown.get("ended_at"), shown.get("breakout_rooms")), (None, None));
        assert_eq!(shown["started_at"], "2023-11-14T22:13:20.000Z");
    }

    #[test]
    fn rooms_nest_and_circles_end() {
        let root = session(None);
        let room = session(Some(root.id));
        let inner = session(Some(room.id));
        let shown = serde_json::to_value(SessionOut::with_rooms(
            root.clone(),
            vec![inner.clone(), room.clone()],
        ))
        .unwrap();
        assert_eq!(shown["breakout_rooms"][0]["id"], room.id.to_string());
        let inner_shown = &shown["breakout_rooms"][0]["breakout_rooms"][0];
        assert_eq!(inner_shown["id"], inner.id.to_string());
        assert_eq!(inner_shown["breakout_rooms"], json!([]));

        let circle = Session {
            parent: Some(inner.id),
            ..root.clone()
        };
        let shown = serde_json::to_value(SessionOut::with_rooms(root, vec![circle, room, inner])).unwrap();
        assert!(matches!(shown, Value::Object(_)));
    }
}
