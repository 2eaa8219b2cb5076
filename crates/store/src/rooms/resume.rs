//! What a room goes on with after its node was stopped or killed.

use muster_model::{
    MeetingId, ParticipantId, PeerId, SessionId, Timestamp, app::Scope, chat::ChatMessage, event::Stay,
    participant::Person, poll::Poll, session::PeerViewType,
};

use super::{ChatLimits, chat, connected, polls};
use crate::{Conn, Store, StoreError, joining::PersonRow, params, participants::MeetingScope, sessions};

/// One who was inside.
#[derive(Debug, Clone, PartialEq)]
pub struct Inside {
    /// The peer.
    pub peer: PeerId,
    /// The record of its stay.
    pub record: PeerId,
    /// Who it is. The name is that of the stay, which may have been edited.
    pub person: Person,
}

/// A live session, as far as the store has it.
#[derive(Debug, Clone, PartialEq)]
pub struct ResumedRoom {
    /// The session.
    pub session: SessionId,
    /// When it began.
    pub started_at: Timestamp,
    /// When the room was last known to be alive.
    pub heartbeat_at: Timestamp,
    /// Who was inside, in the order of coming.
    pub inside: Vec<Inside>,
    /// Records of stays that go on though the participant was deleted: to be left at `heartbeat_at`.
    pub gone: Vec<PeerId>,
    /// Participants who were inside at any time, and were not sent away since.
    pub admitted: Vec<ParticipantId>,
    /// The latest chat, oldest first; of all sessions where the meeting's chat persists.
    pub chat: Vec<ChatMessage>,
    /// Polls, oldest first.
    pub polls: Vec<Poll>,
    /// Breakout rooms, in the order in which they were made.
    pub connected_meetings: Vec<(MeetingId, String)>,
}

#[derive(sqlx::FromRow)]
struct StayRow {
    record: String,
    peer_id: Option<String>,
    display_name: Option<String>,
    #[sqlx(flatten)]
    person: PersonRow,
}

async fn inside(
    conn: &mut Conn,
    at: &MeetingScope,
    session: SessionId,
) -> Result<(Vec<Inside>, Vec<PeerId>), StoreError> {
    let rows = conn
        .fetch_all::<StayRow>(
            // One who was moved here with another preset has the one of its stay.
            concat!(
                "SELECT p.id AS record, p.peer_id, p.display_name, ",
                crate::joining::person_columns!(),
                " FROM peers p JOIN sessions s ON s.id = p.session_id ",
                "JOIN participants pt ON pt.id = p.participant_id AND pt.app_id = s.app_id ",
                "JOIN presets own ON own.id = pt.preset_id ",
                "LEFT JOIN presets other ON other.app_id = s.app_id AND other.name = p.preset_name ",
                "AND pt.meeting_id <> s.meeting_id ",
                "WHERE s.id = $1 AND s.app_id = (SELECT id FROM apps WHERE id = $2 AND account_id = $3) ",
                "AND p.present_since IS NOT NULL ORDER BY p.joined_at, p.id"
            ),
            params![session, at.scope.app, &at.scope.account],
        )
        .await?;
    let mut found = Vec::with_capacity(rows.len());
    for row in rows {
        let record: PeerId = row.record.parse()?;
        let mut person = Person::try_from(row.person)?;
        if let Some(name) = row.display_name {
            person.name = name;
        }
        found.push(Inside {
            peer: row.peer_id.map_or(Ok(record), |id| id.parse())?,
            record,
            person,
        });
    }
    let gone: Vec<(String,)> = conn
        .fetch_all(
            "SELECT p.id FROM peers p JOIN sessions s ON s.id = p.session_id \
             LEFT JOIN participants pt ON pt.id = p.participant_id AND pt.app_id = s.app_id \
             WHERE s.id = $1 AND s.app_id = (SELECT id FROM apps WHERE id = $2 AND account_id = $3) \
             AND p.present_since IS NOT NULL AND pt.id IS NULL ORDER BY p.joined_at, p.id",
            params![session, at.scope.app, &at.scope.account],
        )
        .await?;
    let gone = gone
        .into_iter()
        .map(|(id,)| id.parse())
        .collect::<Result<_, _>>()?;
    Ok((found, gone))
}

impl Store {
    /// What the live session of a meeting is gone on with; none where no session is live.
    pub async fn resume_room(
        &self,
        at: &MeetingScope,
        limits: ChatLimits,
    ) -> Result<Option<ResumedRoom>, StoreError> {
        let mut conn = self.read().await?;
        let Some(session) = sessions::active(&mut conn, at).await? else {
            return Ok(None);
        };
        let (inside, gone) = inside(&mut conn, at, session.id).await?;
        let admitted: Vec<(String,)> = conn
            .fetch_all(
                "SELECT DISTINCT participant_id FROM peers WHERE session_id = (SELECT id FROM sessions \
                 WHERE id = $1 AND app_id = (SELECT id FROM apps WHERE id = $2 AND account_id = $3)) \
                 AND NOT sent_away ORDER BY participant_id",
                params![session.id, at.scope.app, &at.scope.account],
            )
            .await?;
        let settings = crate::meetings::load(&mut conn, &at.scope, at.meeting)
            .await?
            .settings;
        let chat = if settings.persist_chat {
            chat::latest_of_meeting(&mut conn, at, limits).await?
        } else {
            chat::latest_of_session(&mut conn, &at.scope, session.id, limits).await?
        };
        Ok(Some(ResumedRoom {
            session: session.id,
            started_at: session.started_at,
            heartbeat_at: session.heartbeat_at,
            inside,
            gone,
            admitted: admitted
                .into_iter()
                .map(|(id,)| id.parse())
                .collect::<Result<_, _>>()?,
            chat,
            polls: polls::of_session(&mut conn, &at.scope, session.id).await?,
            connected_meetings: connected::of_meeting(&mut conn, at).await?,
        }))
    }
}

#[derive(sqlx::FromRow)]
struct PresentRow {
    id: String,
    peer_id: Option<String>,
    participant_id: String,
    custom_participant_id: String,
    display_name: Option<String>,
    preset_name: String,
    view_type: Option<String>,
    joined_at: i64,
    created_at: i64,
}

impl Store {
    /// The stays of those who are in a live session, as they were recorded.
    pub async fn stays_inside(&self, scope: &Scope, session: SessionId) -> Result<Vec<Stay>, StoreError> {
        let rows: Vec<PresentRow> = self
            .read()
            .await?
            .fetch_all(
                "SELECT p.id, p.peer_id, p.participant_id, p.custom_participant_id, p.display_name, p.preset_name, \
                 p.view_type, p.joined_at, p.created_at FROM peers p JOIN sessions s ON s.id = p.session_id \
                 WHERE s.id = $1 AND s.app_id = (SELECT id FROM apps WHERE id = $2 AND account_id = $3) \
                 AND p.present_since IS NOT NULL ORDER BY p.joined_at, p.id",
                params![session, scope.app, &scope.account],
            )
            .await?;
        rows.into_iter()
            .map(|row| {
                let record = row.id.parse()?;
                Ok(Stay {
                    peer: row.peer_id.map_or(Ok(record), |id| id.parse())?,
                    record,
                    participant_id: row.participant_id.parse()?,
                    custom_participant_id: row.custom_participant_id,
                    display_name: row.display_name,
                    preset_name: row.preset_name,
                    view_type: row
                        .view_type
                        .as_deref()
                        .and_then(PeerViewType::from_word)
                        .unwrap_or(PeerViewType::GroupCall),
                    connected_at: Timestamp::from_micros(row.created_at),
                    joined_at: Timestamp::from_micros(row.joined_at),
                })
            })
            .collect()
    }
}
