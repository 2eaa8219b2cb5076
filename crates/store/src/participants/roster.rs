//! The list of participants that a meeting answers.

use std::collections::BTreeMap;

use muster_model::{MeetingId, PageRequest, ParticipantId, app::Scope};

use super::{MeetingScope, load};
use crate::{Conn, Row, Store, StoreError, like_pattern, params};

/// Which part of a meeting's participants is wanted.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Window {
    /// A page by number.
    Page(PageRequest),
    /// As many as the page holds, after this participant; costs the same at any depth.
    After(ParticipantId, PageRequest),
}

/// Optional bounds on a list of participants.
#[derive(Debug, Clone, Default, PartialEq, Eq, Hash)]
pub struct ParticipantFilter {
    /// Part of the name or the custom id, or the whole id.
    pub search: Option<String>,
    /// Exactly this custom id.
    pub custom_participant_id: Option<String>,
}

impl ParticipantFilter {
    /// Whether everybody is wanted.
    pub fn is_empty(&self) -> bool {
        self.search.is_none() && self.custom_participant_id.is_none()
    }
}

/// The state of a meeting's list: grows with each change of what the list shows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct RosterVersion {
    /// Changes of the meeting's participants.
    pub roster: i64,
    /// Renamings of the app's presets.
    pub presets: i64,
}

/// A participant as lists show it, with texts as stored: the hot path makes no detour over ids.
///
/// Read from a row, or from a JSON array of the fields in this order.
#[derive(Debug, Clone, sqlx::FromRow, serde::Deserialize)]
pub struct ListedParticipant {
    /// Participant id.
    pub id: String,
    /// The caller's own id.
    pub custom_participant_id: String,
    /// Name of the preset.
    pub preset_name: String,
    /// Display name.
    pub name: Option<String>,
    /// Address of a picture.
    pub picture: Option<String>,
    /// Microseconds since 1970.
    pub created_at: i64,
    /// Microseconds since 1970.
    pub updated_at: i64,
}

/// A part of a meeting's list of participants, with the state it was read in.
#[derive(Debug, Clone)]
pub struct Roster {
    /// The part, newest first.
    pub participants: Vec<ListedParticipant>,
    /// How many the whole list (as filtered) has.
    pub total: i64,
    /// The state it was read in.
    pub version: RosterVersion,
}

/// The head of a meeting's list beside a part of the list, in one statement and so in one state of
/// the database. `$1` meeting, `$2` app, `$3` account. The part comes as one JSON text: a row for each
/// participant would be handed over by a channel and cost twice as much.
macro_rules! select_roster {
    ($collect:literal, $array:literal, $part:literal) => {
        concat!(
            "SELECT r.participant_count, r.version, a.presets_version, ",
            "(SELECT CAST(COALESCE(",
            $collect,
            "(",
            $array,
            "(p.id, p.custom_participant_id, pr.name, p.name, ",
            "p.picture, p.created_at, p.updated_at)), '[]') AS TEXT) ",
            "FROM (SELECT * FROM participants WHERE meeting_id = $1 ",
            $part,
            ") p JOIN presets pr ON pr.id = p.preset_id) ",
            "FROM meetings m JOIN apps a ON a.id = m.app_id JOIN rosters r ON r.meeting_id = m.id ",
            "WHERE m.id = $1 AND a.id = $2 AND a.account_id = $3 AND a.deleted_at IS NULL"
        )
    };
}

/// The statement for each database: they name the same two JSON functions differently.
macro_rules! roster_sql {
    ($conn:expr, $part:literal) => {
        match $conn {
            Conn::Sqlite(_) => select_roster!("json_group_array", "json_array", $part),
            Conn::Postgres(_) => select_roster!("json_agg", "json_build_array", $part),
        }
    };
}

/// The state of each of these meetings' lists; those that do not exist are left out.
pub async fn roster_versions(
    conn: &mut Conn,
    meetings: &[MeetingScope],
) -> Result<BTreeMap<MeetingId, (Scope, RosterVersion)>, StoreError> {
    let mut found = BTreeMap::new();
    for at in meetings {
        let row: Option<(i64, i64)> = conn
            .fetch_optional(
                "SELECT r.version, a.presets_version FROM meetings m JOIN apps a ON a.id = m.app_id \
                 JOIN rosters r ON r.meeting_id = m.id \
                 WHERE m.id = $1 AND a.id = $2 AND a.account_id = $3 AND a.deleted_at IS NULL",
                at.params(),
            )
            .await?;
        if let Some((roster, presets)) = row {
            found.insert(at.meeting, (at.scope.clone(), RosterVersion { roster, presets }));
        }
    }
    Ok(found)
}

impl Store {
    /// A part of a meeting's list of participants, newest first.
    pub async fn roster(
        &self,
        at: &MeetingScope,
        filter: &ParticipantFilter,
        window: &Window,
    ) -> Result<Roster, StoreError> {
        let mut conn = self.read().await?;
        if !filter.is_empty() {
            return filtered_roster(&mut conn, at, filter, window).await;
        }
        let mut values = at.params();
        let (sql, more) = match window {
            Window::Page(page) => (
                roster_sql!(conn, "ORDER BY created_at DESC, id DESC LIMIT $4 OFFSET $5"),
                params![page.limit(), page.offset()],
            ),
            Window::After(id, page) => {
                let cursor = load(&mut conn, at, *id).await?;
                let sql = roster_sql!(
                    conn,
                    "AND created_at <= $5 AND (created_at < $5 OR id < $6) \
                     ORDER BY created_at DESC, id DESC LIMIT $4"
                );
                (sql, params![page.limit(), cursor.created_at, id])
            }
        };
        values.extend(more);
        let row: Option<(i64, i64, i64, String)> = conn.fetch_optional(sql, values).await?;
        let (total, roster, presets, part) = row.ok_or(StoreError::NotFound("Meeting"))?;
        let mut participants: Vec<ListedParticipant> = serde_json::from_str(&part)?;
        // Neither database promises the order of what it collects.
        participants.sort_by(|a, b| (b.created_at, &b.id).cmp(&(a.created_at, &a.id)));
        Ok(Roster {
            participants,
            total,
            version: RosterVersion { roster, presets },
        })
    }
}

/// A filtered list is counted by reading; it is bounded by one meeting.
async fn filtered_roster(
    conn: &mut Conn,
    at: &MeetingScope,
    filter: &ParticipantFilter,
    window: &Window,
) -> Result<Roster, StoreError> {
    at.check(conn).await?;
    let mut values = at.params();
    values.extend(params![
        filter.search.as_deref().map(like_pattern),
        filter.search.as_deref().map(str::to_lowercase),
        &filter.custom_participant_id
    ]);
    let (total,): (i64,) = fetch_count(conn, values.clone()).await?;
    let (offset, page, cursor) = match window {
        Window::Page(page) => (page.offset(), page, None),
        Window::After(id, page) => (0, page, Some(load(conn, at, *id).await?)),
    };
    values.extend(params![
        page.limit(),
        offset,
        cursor.as_ref().map(|c| c.created_at),
        cursor.as_ref().map(|c| c.id)
    ]);
    let rows = conn
        .fetch_all::<ListedParticipant>(
            select_participants!(
                "AND ($4 IS NULL OR p.search_text LIKE $4 ESCAPE '\\' OR p.id = $5) \
                 AND ($6 IS NULL OR p.custom_participant_id = $6) \
                 AND ($9 IS NULL OR p.created_at < $9 OR (p.created_at = $9 AND p.id < $10)) \
                 ORDER BY p.created_at DESC, p.id DESC LIMIT $7 OFFSET $8"
            ),
            values,
        )
        .await?;
    Ok(Roster {
        participants: rows,
        total,
        version: RosterVersion {
            roster: 0,
            presets: 0,
        },
    })
}

async fn fetch_count<T: Row>(conn: &mut Conn, values: Vec<crate::Param>) -> Result<T, StoreError> {
    conn.fetch_one(
        "SELECT COUNT(*) FROM participants p \
         WHERE p.meeting_id = (SELECT m.id FROM meetings m JOIN apps a ON a.id = m.app_id \
         WHERE m.id = $1 AND a.id = $2 AND a.account_id = $3) \
         AND ($4 IS NULL OR p.search_text LIKE $4 ESCAPE '\\' OR p.id = $5) \
         AND ($6 IS NULL OR p.custom_participant_id = $6)",
        values,
    )
    .await
}
