//! Chat.

use muster_model::{
    ChatMessageId, ParticipantId, SessionId, Timestamp,
    app::Scope,
    chat::{ChatMessage, ChatPayloadKind},
};

use super::{live_session, session_params};
use crate::{Conn, Param, Store, StoreError, params, participants::MeetingScope};

/// How much chat a room takes up: the latest messages, up to whichever bound comes first.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ChatLimits {
    /// Messages.
    pub messages: usize,
    /// Bytes of their payloads.
    pub bytes: usize,
}

/// The place of a message among those of its session.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ChatCursor {
    /// When it was written.
    pub created_at: Timestamp,
    /// Its id.
    pub id: ChatMessageId,
}

impl From<&ChatMessage> for ChatCursor {
    fn from(message: &ChatMessage) -> Self {
        Self {
            created_at: message.created_at,
            id: message.id,
        }
    }
}

#[derive(sqlx::FromRow)]
struct ChatRow {
    id: String,
    peer_id: String,
    participant_id: String,
    display_name: String,
    kind: String,
    payload: String,
    recipients: Option<String>,
    pinned: bool,
    edited: bool,
    created_at: i64,
}

impl TryFrom<ChatRow> for ChatMessage {
    type Error = StoreError;

    fn try_from(row: ChatRow) -> Result<Self, StoreError> {
        Ok(Self {
            id: row.id.parse()?,
            peer_id: row.peer_id.parse()?,
            participant_id: row.participant_id.parse()?,
            display_name: row.display_name,
            kind: ChatPayloadKind::from_word(&row.kind).ok_or(StoreError::Corrupt(row.kind))?,
            payload: row.payload,
            recipients: row
                .recipients
                .map(|json| serde_json::from_str::<Vec<ParticipantId>>(&json))
                .transpose()?
                .unwrap_or_default(),
            pinned: row.pinned,
            edited: row.edited,
            created_at: Timestamp::from_micros(row.created_at),
        })
    }
}

macro_rules! select_chat {
    ($rest:literal) => {
        concat!(
            "SELECT id, peer_id, participant_id, display_name, kind, payload, recipients, pinned, edited, ",
            "created_at FROM chat_messages WHERE ",
            $rest
        )
    };
}

/// A message keeps its session, its writer and its recipients, whoever changes the rest.
pub(super) async fn save(
    conn: &mut Conn,
    at: &MeetingScope,
    session: SessionId,
    message: &ChatMessage,
) -> Result<bool, StoreError> {
    let recipients = (!message.recipients.is_empty())
        .then(|| serde_json::to_string(&message.recipients))
        .transpose()?;
    let changed = conn
        .execute(
            concat!(
                "INSERT INTO chat_messages (id, session_id, meeting_id, peer_id, participant_id, display_name, ",
                "kind, payload, recipients, pinned, edited, created_at) ",
                "SELECT $5, id, meeting_id, $6, $7, $8, $9, $10, $11, $12, $13, $14 FROM sessions WHERE id = ",
                live_session!(),
                " ON CONFLICT (id) DO UPDATE SET kind = excluded.kind, payload = excluded.payload, ",
                "pinned = excluded.pinned, edited = excluded.edited ",
                // Chat that persists may be edited in a later session of its meeting.
                "WHERE chat_messages.meeting_id = excluded.meeting_id"
            ),
            session_params(
                at,
                session,
                params![
                    message.id,
                    message.peer_id,
                    message.participant_id,
                    &message.display_name,
                    message.kind.as_str(),
                    &message.payload,
                    recipients,
                    message.pinned,
                    message.edited,
                    message.created_at,
                ],
            ),
        )
        .await?;
    Ok(changed > 0)
}

pub(super) async fn delete(
    conn: &mut Conn,
    at: &MeetingScope,
    message: ChatMessageId,
) -> Result<bool, StoreError> {
    let mut values = at.params();
    values.extend(params![message]);
    let gone = conn
        .execute(
            "DELETE FROM chat_messages WHERE id = $4 AND meeting_id = (SELECT m.id FROM meetings m \
             JOIN apps a ON a.id = m.app_id WHERE m.id = $1 AND a.id = $2 AND a.account_id = $3)",
            values,
        )
        .await?;
    Ok(gone > 0)
}

/// Messages read at once: a few megabytes at most.
const CHUNK: usize = 256;

/// The latest messages within the limits, oldest first. `sql` answers them newest first, before a time
/// (`$4`) and an id (`$5`), so many (`$6`).
async fn latest(
    conn: &mut Conn,
    sql: &'static str,
    within: Vec<Param>,
    limits: ChatLimits,
) -> Result<Vec<ChatMessage>, StoreError> {
    let mut found: Vec<ChatMessage> = Vec::new();
    let mut bytes = 0_usize;
    'reading: loop {
        let wanted = limits.messages.saturating_sub(found.len()).min(CHUNK);
        let before = found.last().map(ChatCursor::from);
        let mut values = within.clone();
        values.extend(params![
            before.map_or(i64::MAX, |cursor| cursor.created_at.as_micros()),
            before.map_or_else(String::new, |cursor| cursor.id.to_string()),
            i64::try_from(wanted).unwrap_or(0),
        ]);
        let rows = conn.fetch_all::<ChatRow>(sql, values).await?;
        let more = !rows.is_empty() && rows.len() == wanted;
        for row in rows {
            bytes = bytes.saturating_add(row.payload.len());
            if bytes > limits.bytes {
                break 'reading;
            }
            found.push(row.try_into()?);
        }
        if !more {
            break;
        }
    }
    found.reverse();
    Ok(found)
}

/// The latest chat of a session that is being resumed.
pub(super) async fn latest_of_session(
    conn: &mut Conn,
    scope: &Scope,
    session: SessionId,
    limits: ChatLimits,
) -> Result<Vec<ChatMessage>, StoreError> {
    latest(
        conn,
        select_chat!(
            "session_id = (SELECT id FROM sessions WHERE id = $1 \
             AND app_id = (SELECT id FROM apps WHERE id = $2 AND account_id = $3)) \
             AND created_at <= $4 AND (created_at < $4 OR id < $5) \
             ORDER BY created_at DESC, id DESC LIMIT $6"
        ),
        params![session, scope.app, &scope.account],
        limits,
    )
    .await
}

/// The latest chat of all sessions of a meeting.
pub(super) async fn latest_of_meeting(
    conn: &mut Conn,
    at: &MeetingScope,
    limits: ChatLimits,
) -> Result<Vec<ChatMessage>, StoreError> {
    latest(
        conn,
        select_chat!(
            "meeting_id = (SELECT m.id FROM meetings m JOIN apps a ON a.id = m.app_id \
             WHERE m.id = $1 AND a.id = $2 AND a.account_id = $3) \
             AND created_at <= $4 AND (created_at < $4 OR id < $5) \
             ORDER BY created_at DESC, id DESC LIMIT $6"
        ),
        at.params(),
        limits,
    )
    .await
}

impl Store {
    /// At most `limit` messages of a session, oldest first, after the one at `after`; none where there is no
    /// such session.
    pub async fn session_chat(
        &self,
        scope: &Scope,
        session: SessionId,
        after: Option<ChatCursor>,
        limit: u32,
    ) -> Result<Vec<ChatMessage>, StoreError> {
        let rows = self
            .read()
            .await?
            .fetch_all::<ChatRow>(
                select_chat!(
                    "session_id = (SELECT id FROM sessions WHERE id = $1 \
                     AND app_id = (SELECT id FROM apps WHERE id = $2 AND account_id = $3)) \
                     AND created_at >= $4 AND (created_at > $4 OR id > $5) \
                     ORDER BY created_at, id LIMIT $6"
                ),
                params![
                    session,
                    scope.app,
                    &scope.account,
                    after.map_or(i64::MIN, |cursor| cursor.created_at.as_micros()),
                    after.map_or_else(String::new, |cursor| cursor.id.to_string()),
                    limit,
                ],
            )
            .await?;
        rows.into_iter().map(TryInto::try_into).collect()
    }

    /// Whether a session has any message.
    pub async fn has_chat(&self, scope: &Scope, session: SessionId) -> Result<bool, StoreError> {
        let row: Option<(i64,)> = self
            .read()
            .await?
            .fetch_optional(
                "SELECT created_at FROM chat_messages WHERE session_id = (SELECT id FROM sessions WHERE id = $1 \
                 AND app_id = (SELECT id FROM apps WHERE id = $2 AND account_id = $3)) LIMIT 1",
                params![session, scope.app, &scope.account],
            )
            .await?;
        Ok(row.is_some())
    }

    /// The latest messages of all sessions of a meeting, oldest first: what a room begins with whose chat
    /// persists.
    pub async fn meeting_chat(
        &self,
        at: &MeetingScope,
        limits: ChatLimits,
    ) -> Result<Vec<ChatMessage>, StoreError> {
        latest_of_meeting(&mut self.read().await?, at, limits).await
    }
}
