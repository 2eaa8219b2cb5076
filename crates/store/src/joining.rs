//! What is to be known of one who wants to come into a room.

use muster_model::{
    AppId, MeetingId, ParticipantId, PeerId, PresetId,
    app::Scope,
    meeting::MeetingStatus,
    participant::Person,
    preset::{Permissions, ViewType},
};

use crate::{Store, StoreError, params, participants::MeetingScope};

/// What a room needs to know of its meeting.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct JoinedMeeting {
    /// Its title.
    pub title: Option<String>,
    /// Whether people may join.
    pub status: MeetingStatus,
    /// Seconds a session lasts after the last person left.
    pub keep_alive_secs: u32,
    /// Whether chat is kept from session to session.
    pub persist_chat: bool,
    /// Whether recording starts with the session.
    pub record_on_start: bool,
    /// Whether streaming starts with the session.
    pub live_stream_on_start: bool,
    /// The meeting it is a breakout room of.
    pub parent: Option<MeetingId>,
}

/// A participant, the meeting it may join, and whether anything speaks against that now.
#[derive(Debug, Clone, PartialEq)]
pub struct Joiner {
    /// The meeting, in its app and account.
    pub at: MeetingScope,
    /// About the meeting.
    pub meeting: JoinedMeeting,
    /// Who it is, as of now.
    pub person: Person,
    /// Whether it may not come back.
    pub banned: bool,
    /// Whether the app was deleted.
    pub app_deleted: bool,
}

/// Whose the id is that a client chose for its peer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PeerIdUse {
    /// Nobody's: the stay is kept under it.
    Free,
    /// The same participant's in the live session of the meeting: the stay goes on under this record.
    Here(PeerId),
    /// The same participant's in another session: the stay needs a record with a fresh id.
    Elsewhere,
    /// Another participant's: refuse.
    Foreign,
}

/// The columns of a [`PersonRow`]: of a participant `pt` with its preset `own`, unless there is `other`.
macro_rules! person_columns {
    () => {
        "pt.id AS participant_id, pt.custom_participant_id, pt.name, pt.picture, \
         COALESCE(other.id, own.id) AS preset_id, COALESCE(other.name, own.name) AS preset_name, \
         COALESCE(other.document, own.document) AS document"
    };
}
pub(crate) use person_columns;

#[derive(sqlx::FromRow)]
pub(crate) struct PersonRow {
    participant_id: String,
    custom_participant_id: String,
    name: Option<String>,
    picture: Option<String>,
    preset_id: String,
    preset_name: String,
    document: String,
}

/// As much of a preset's document as a room needs.
#[derive(serde::Deserialize)]
struct Document {
    config: Config,
    permissions: Permissions,
}

#[derive(serde::Deserialize)]
struct Config {
    view_type: ViewType,
}

impl TryFrom<PersonRow> for Person {
    type Error = StoreError;

    fn try_from(row: PersonRow) -> Result<Self, StoreError> {
        let preset: Document = serde_json::from_str(&row.document)?;
        Ok(Self {
            participant: row.participant_id.parse()?,
            custom_participant_id: row.custom_participant_id,
            name: row.name.unwrap_or_default(),
            picture: row.picture,
            preset_id: row.preset_id.parse()?,
            preset_name: row.preset_name,
            view_type: preset.config.view_type,
            permissions: preset.permissions,
        })
    }
}

#[derive(sqlx::FromRow)]
struct JoinerRow {
    account_id: String,
    deleted_at: Option<i64>,
    title: Option<String>,
    status: String,
    keep_alive_secs: i64,
    persist_chat: bool,
    record_on_start: bool,
    live_stream_on_start: bool,
    parent_id: Option<String>,
    banned_at: Option<i64>,
    #[sqlx(flatten)]
    person: PersonRow,
}

impl Store {
    /// What a token's claims stand for now: a participant of the meeting, or of the parent of that breakout
    /// room. None where one of them is gone, or they do not belong together.
    ///
    /// The participant's own preset counts, except that one of the parent may have been moved into a breakout
    /// room `with_preset`.
    pub async fn person(
        &self,
        app: AppId,
        meeting: MeetingId,
        participant: ParticipantId,
        with_preset: Option<PresetId>,
    ) -> Result<Option<Joiner>, StoreError> {
        let row = self
            .read()
            .await?
            .fetch_optional::<JoinerRow>(
                concat!(
                    "SELECT a.account_id, a.deleted_at, m.title, m.status, m.keep_alive_secs, m.persist_chat, ",
                    "m.record_on_start, m.live_stream_on_start, m.parent_id, pt.banned_at, ",
                    person_columns!(),
                    " FROM participants pt JOIN meetings m ON m.id = $2 ",
                    "AND (pt.meeting_id = m.id OR pt.meeting_id = m.parent_id) ",
                    // The parent may be gone with its participants yet to be purged.
                    "JOIN meetings home ON home.id = pt.meeting_id ",
                    "JOIN apps a ON a.id = m.app_id AND a.id = home.app_id ",
                    "JOIN presets own ON own.id = pt.preset_id ",
                    "LEFT JOIN presets other ON other.id = $4 AND other.app_id = a.id ",
                    "AND pt.meeting_id = m.parent_id ",
                    "WHERE pt.id = $3 AND a.id = $1"
                ),
                params![app, meeting, participant, with_preset],
            )
            .await?;
        let Some(row) = row else {
            return Ok(None);
        };
        Ok(Some(Joiner {
            at: MeetingScope {
                scope: Scope {
                    account: row.account_id.parse()?,
                    app,
                },
                meeting,
            },
            meeting: JoinedMeeting {
                title: row.title,
                status: match row.status.as_str() {
                    "ACTIVE" => MeetingStatus::Active,
                    "INACTIVE" => MeetingStatus::Inactive,
                    _ => return Err(StoreError::Corrupt(row.status)),
                },
                keep_alive_secs: u32::try_from(row.keep_alive_secs).unwrap_or(60),
                persist_chat: row.persist_chat,
                record_on_start: row.record_on_start,
                live_stream_on_start: row.live_stream_on_start,
                parent: row.parent_id.map(|id| id.parse()).transpose()?,
            },
            person: row.person.try_into()?,
            banned: row.banned_at.is_some(),
            app_deleted: row.deleted_at.is_some(),
        }))
    }

    /// Whether the stay kept under a record goes on: the peer is inside, or may still come back.
    pub async fn stays(&self, record: PeerId) -> Result<bool, StoreError> {
        let row: Option<(String,)> = self
            .read()
            .await?
            .fetch_optional(
                "SELECT p.id FROM peers p JOIN sessions s ON s.id = p.session_id \
                 WHERE p.id = $1 AND p.left_at IS NULL AND s.status = 'LIVE'",
                params![record],
            )
            .await?;
        Ok(row.is_some())
    }

    /// Whose a peer's id is, for a participant that comes into a meeting with it.
    pub async fn peer_id_use(
        &self,
        at: &MeetingScope,
        participant: ParticipantId,
        peer: PeerId,
    ) -> Result<PeerIdUse, StoreError> {
        // An id is one for the whole installation, so rows of other tenants count; nothing of them is told.
        let rows: Vec<(String, String, i64)> = self
            .read()
            .await?
            .fetch_all(
                "SELECT p.id, p.participant_id, CAST(CASE WHEN s.status = 'LIVE' AND s.meeting_id = $2 \
                 AND s.app_id = (SELECT id FROM apps WHERE id = $3 AND account_id = $4) THEN 1 ELSE 0 END \
                 AS BIGINT) FROM (SELECT id, participant_id, session_id FROM peers WHERE id = $1 \
                 UNION ALL SELECT id, participant_id, session_id FROM peers WHERE peer_id = $1) p \
                 JOIN sessions s ON s.id = p.session_id",
                params![peer, at.meeting, at.scope.app, &at.scope.account],
            )
            .await?;
        let participant = participant.to_string();
        if rows.is_empty() {
            return Ok(PeerIdUse::Free);
        }
        if rows.iter().any(|(_, owner, _)| *owner != participant) {
            return Ok(PeerIdUse::Foreign);
        }
        match rows.iter().find(|(_, _, here)| *here == 1) {
            Some((record, ..)) => Ok(PeerIdUse::Here(record.parse()?)),
            None => Ok(PeerIdUse::Elsewhere),
        }
    }
}
