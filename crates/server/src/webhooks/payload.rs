//! What webhooks are told of a session: the JSON bodies, made of plain values.

use std::fmt;

use muster_model::{
    AppId, MeetingId, PeerId, SessionId, Timestamp,
    event::{DomainEvent, EndReason, Stay},
    webhook::WebhookEvent,
};
use serde_json::{Value, json};

/// A link to the messages of a session that has ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ChatLink {
    /// Where they are read.
    pub url: String,
    /// Until when.
    pub expires_at: Timestamp,
}

/// What the bodies tell of the app, the meeting and the session.
pub struct Context<'a> {
    /// The app.
    pub app: AppId,
    /// Its name.
    pub app_name: Option<&'a str>,
    /// The meeting.
    pub meeting: MeetingId,
    /// Its title.
    pub title: Option<&'a str>,
    /// When the session's record was made.
    pub created_at: Timestamp,
    /// When the session began.
    pub started_at: Timestamp,
    /// The stay behind a record, of somebody who is leaving.
    pub stay: &'a dyn Fn(PeerId) -> Option<Stay>,
    /// The link to the session's messages, where there are any to be read; asked when it ends.
    pub chat: Option<ChatLink>,
}

impl fmt::Debug for Context<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Context({} of {})", self.meeting, self.app)
    }
}

impl Context<'_> {
    fn organizer(&self) -> Value {
        json!({"id": self.app, "name": self.app_name})
    }

    /// The member `meeting`. Its status stays `LIVE` in events of the end too: receivers know no other.
    fn meeting(&self, session: SessionId, ended_at: Option<Timestamp>) -> Value {
        let mut meeting = json!({
            "id": self.meeting,
            "sessionId": session,
            "title": self.title,
            "roomName": self.meeting,
            "status": "LIVE",
            "createdAt": self.created_at,
            "startedAt": self.started_at,
            "organizedBy": self.organizer(),
        });
        if let Some(ended_at) = ended_at {
            meeting["endedAt"] = json!(ended_at);
        }
        meeting
    }
}

/// `meeting.started`.
pub fn started(context: &Context<'_>, session: SessionId) -> Value {
    json!({"event": WebhookEvent::MeetingStarted, "meeting": context.meeting(session, None)})
}

/// `meeting.ended`.
pub fn ended(context: &Context<'_>, session: SessionId, reason: EndReason, at: Timestamp) -> Value {
    json!({
        "event": WebhookEvent::MeetingEnded,
        "meeting": context.meeting(session, Some(at)),
        "reason": reason.as_str(),
    })
}

fn participant(stay: &Stay) -> Value {
    json!({
        "peerId": stay.peer,
        "userDisplayName": stay.display_name,
        "customParticipantId": stay.custom_participant_id,
        "clientSpecificId": stay.custom_participant_id,
        "joinedAt": stay.joined_at,
    })
}

/// `meeting.participantJoined`.
pub fn joined(context: &Context<'_>, session: SessionId, stay: &Stay) -> Value {
    json!({
        "event": WebhookEvent::ParticipantJoined,
        "meeting": context.meeting(session, None),
        "participant": participant(stay),
    })
}

/// `meeting.participantLeft`.
pub fn left(context: &Context<'_>, session: SessionId, stay: &Stay, at: Timestamp) -> Value {
    let mut participant = participant(stay);
    participant["leftAt"] = json!(at);
    json!({
        "event": WebhookEvent::ParticipantLeft,
        "meeting": context.meeting(session, None),
        "participant": participant,
    })
}

/// `meeting.chatSynced`.
pub fn chat_synced(context: &Context<'_>, session: SessionId, ended_at: Timestamp, chat: &ChatLink) -> Value {
    json!({
        "event": WebhookEvent::ChatSynced,
        "sessionId": session,
        "meetingId": context.meeting,
        "title": context.title,
        "chatDownloadUrl": chat.url,
        "chatDownloadUrlExpiry": chat.expires_at,
        "createdAt": context.created_at,
        "startedAt": context.started_at,
        "endedAt": ended_at,
        "organizedBy": context.organizer(),
    })
}

/// What is told of something that happened in a room, in order. A stay that is not known is not told.
pub fn for_domain_event(event: &DomainEvent, context: &Context<'_>) -> Vec<(WebhookEvent, Value)> {
    match event {
        DomainEvent::SessionStarted { session, .. } => {
            vec![(WebhookEvent::MeetingStarted, started(context, *session))]
        }
        DomainEvent::PeerJoined { session, stay } => {
            vec![(WebhookEvent::ParticipantJoined, joined(context, *session, stay))]
        }
        DomainEvent::PeerLeft { session, record, at } => (context.stay)(*record)
            .map(|stay| (WebhookEvent::ParticipantLeft, left(context, *session, &stay, *at)))
            .into_iter()
            .collect(),
        DomainEvent::SessionEnded { session, reason, at } => {
            let mut told = vec![(WebhookEvent::MeetingEnded, ended(context, *session, *reason, *at))];
            if let Some(chat) = &context.chat {
                told.push((
                    WebhookEvent::ChatSynced,
                    chat_synced(context, *session, *at, chat),
                ));
            }
            told
        }
        DomainEvent::ChatSaved { .. }
        | DomainEvent::ChatDeleted { .. }
        | DomainEvent::PollSaved { .. }
        | DomainEvent::Banned { .. }
        | DomainEvent::AdmissionRevoked { .. }
        | DomainEvent::ConnectedMeetingsCreated { .. }
        | DomainEvent::ConnectedMeetingsDeleted { .. } => Vec::new(),
    }
}

#[cfg(test)]
mod tests {
    use muster_model::{
        ParticipantId,
        session::{PeerViewType, SessionKind},
    };
    use uuid::Uuid;

    use super::*;

    fn id<T: From<Uuid>>(n: u128) -> T {
        Uuid::from_u128(n).into()
    }

    fn at(text: &str) -> Timestamp {
        text.parse().unwrap()
    }

    fn ada() -> Stay {
        Stay {
            peer: id(4),
            record: id(4),
            participant_id: id::<ParticipantId>(5),
            custom_participant_id: "u-1".into(),
            display_name: Some("Ada".into()),
            preset_name: "host".into(),
            view_type: PeerViewType::GroupCall,
            connected_at: at("2026-08-01T09:00:02Z"),
            joined_at: at("2026-08-01T09:00:03.511Z"),
        }
    }

    fn of(event: DomainEvent, chat: Option<ChatLink>) -> Vec<(WebhookEvent, Value)> {
        let known = |record: PeerId| (record == ada().record).then(ada);
        let context = Context {
            app: id(1),
            app_name: Some("my-app"),
            meeting: id(2),
            title: Some("Weekly"),
            created_at: at("2026-08-01T09:00:00Z"),
            started_at: at("2026-08-01T09:00:00Z"),
            stay: &known,
            chat,
        };
        for_domain_event(&event, &context)
    }

    fn meeting() -> Value {
        json!({
            "id": "00000000-0000-0000-0000-000000000002",
            "sessionId": "00000000-0000-0000-0000-000000000003",
            "title": "Weekly",
            "roomName": "00000000-0000-0000-0000-000000000002",
            "status": "LIVE",
            "createdAt": "2026-08-01T09:00:00.000Z",
            "startedAt": "2026-08-01T09:00:00.000Z",
            "organizedBy": {"id": "00000000-0000-0000-0000-000000000001", "name": "my-app"},
        })
    }

    #[test]
    fn a_session_begins() {
        let event = DomainEvent::SessionStarted {
            session: id(3),
            parent: None,
            kind: SessionKind::Meeting,
            title: Some("Weekly".into()),
            at: at("2026-08-01T09:00:00Z"),
        };
        let body = json!({"event": "meeting.started", "meeting": meeting()});
        assert_eq!(of(event, None), [(WebhookEvent::MeetingStarted, body)]);
    }

    #[test]
    fn somebody_comes_and_goes() {
        let mut person = json!({
            "peerId": "00000000-0000-0000-0000-000000000004",
            "userDisplayName": "Ada",
            "customParticipantId": "u-1",
            "clientSpecificId": "u-1",
            "joinedAt": "2026-08-01T09:00:03.511Z",
        });
        let came = DomainEvent::PeerJoined {
            session: id(3),
            stay: ada(),
        };
        let body = json!({"event": "meeting.participantJoined", "meeting": meeting(), "participant": person});
        assert_eq!(of(came, None), [(WebhookEvent::ParticipantJoined, body)]);

        let went = |record| DomainEvent::PeerLeft {
            session: id(3),
            record,
            at: at("2026-08-01T09:40:00Z"),
        };
        person["leftAt"] = json!("2026-08-01T09:40:00.000Z");
        let body = json!({"event": "meeting.participantLeft", "meeting": meeting(), "participant": person});
        assert_eq!(of(went(id(4)), None), [(WebhookEvent::ParticipantLeft, body)]);
        assert_eq!(of(went(id(9)), None), []);
    }

    #[test]
    fn a_session_ends_with_and_without_messages() {
        let event = |reason| DomainEvent::SessionEnded {
            session: id(3),
            reason,
            at: at("2026-08-01T09:45:10.120Z"),
        };
        let mut meeting = meeting();
        meeting["endedAt"] = json!("2026-08-01T09:45:10.120Z");
        let body = |reason| json!({"event": "meeting.ended", "meeting": meeting, "reason": reason});
        assert_eq!(
            of(event(EndReason::AllLeft), None),
            [(WebhookEvent::MeetingEnded, body("ALL_PARTICIPANTS_LEFT"))]
        );
        let link = ChatLink {
            url: "https://api.example.com/files/x".into(),
            expires_at: at("2026-08-08T09:46:00Z"),
        };
        let synced = json!({
            "event": "meeting.chatSynced",
            "sessionId": "00000000-0000-0000-0000-000000000003",
            "meetingId": "00000000-0000-0000-0000-000000000002",
            "title": "Weekly",
            "chatDownloadUrl": "https://api.example.com/files/x",
            "chatDownloadUrlExpiry": "2026-08-08T09:46:00.000Z",
            "createdAt": "2026-08-01T09:00:00.000Z",
            "startedAt": "2026-08-01T09:00:00.000Z",
            "endedAt": "2026-08-01T09:45:10.120Z",
            "organizedBy": {"id": "00000000-0000-0000-0000-000000000001", "name": "my-app"},
        });
        assert_eq!(
            of(event(EndReason::EndedByHost), Some(link)),
            [
                (WebhookEvent::MeetingEnded, body("HOST_ENDED_MEETING")),
                (WebhookEvent::ChatSynced, synced),
            ]
        );
    }

    #[test]
    fn what_stays_in_the_room_is_not_told() {
        let banned = DomainEvent::Banned {
            participant: id(5),
            at: at("2026-08-01T09:00:00Z"),
        };
        assert_eq!(of(banned, None), []);
    }
}
