//! Participants.

use muster_model::{
    MeetingId, ParticipantId, PresetId, Timestamp,
    app::Scope,
    participant::{DuplicatePolicy, Participant},
};

use crate::{Conn, Store, StoreError, params, presets, search_text};

/// By what a caller names a preset.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum PresetRef {
    /// By its name; `-` and `_` are alike where no name matches exactly.
    Name(String),
    /// By its id (extension).
    Id(PresetId),
}

/// A participant to be added, or the whole of one to be replaced.
#[derive(Debug, Clone)]
pub struct NewParticipant {
    /// The caller's own name for the person.
    pub custom_participant_id: String,
    /// Its preset.
    pub preset: PresetRef,
    /// Display name.
    pub name: Option<String>,
    /// Address of a picture.
    pub picture: Option<String>,
}

/// A partial change: `None` leaves a field as it is.
#[derive(Debug, Clone, Default)]
pub struct ParticipantPatch {
    /// Another custom id (a replacement may change it).
    pub custom_participant_id: Option<String>,
    /// Another preset.
    pub preset: Option<PresetRef>,
    /// Another display name, or none.
    pub name: Option<Option<String>>,
    /// Another picture, or none.
    pub picture: Option<Option<String>>,
    /// Ban, or lift the ban.
    pub banned: Option<bool>,
}

#[derive(sqlx::FromRow)]
struct ParticipantRow {
    id: String,
    meeting_id: String,
    preset_id: String,
    preset_name: String,
    custom_participant_id: String,
    name: Option<String>,
    picture: Option<String>,
    banned: bool,
    created_at: i64,
    updated_at: i64,
}

impl TryFrom<ParticipantRow> for Participant {
    type Error = StoreError;

    fn try_from(row: ParticipantRow) -> Result<Self, StoreError> {
        Ok(Self {
            id: row.id.parse()?,
            meeting_id: row.meeting_id.parse()?,
            preset_id: row.preset_id.parse()?,
            preset_name: row.preset_name,
            custom_participant_id: row.custom_participant_id,
            name: row.name,
            picture: row.picture,
            banned: row.banned,
            created_at: Timestamp::from_micros(row.created_at),
            updated_at: Timestamp::from_micros(row.updated_at),
        })
    }
}

/// `SELECT` of participants within a meeting (`$1`) of an app (`$2`) of an account (`$3`).
macro_rules! select_participants {
    ($rest:literal) => {
        concat!(
            "SELECT p.id, p.meeting_id, p.preset_id, pr.name AS preset_name, p.custom_participant_id, p.name, ",
            "p.picture, p.banned_at IS NOT NULL AS banned, p.created_at, p.updated_at FROM participants p JOIN presets pr ON pr.id = p.preset_id ",
            "WHERE p.meeting_id = (SELECT m.id FROM meetings m JOIN apps a ON a.id = m.app_id ",
            "WHERE m.id = $1 AND a.id = $2 AND a.account_id = $3) ",
            $rest
        )
    };
}

// Here, since it uses the statement above.
mod roster;

pub use roster::{ListedParticipant, ParticipantFilter, Roster, RosterVersion, Window, roster_versions};

/// A meeting within its scope: what every statement on participants is bounded by.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct MeetingScope {
    /// Account and app.
    pub scope: Scope,
    /// The meeting.
    pub meeting: MeetingId,
}

impl MeetingScope {
    pub(crate) fn params(&self) -> Vec<crate::Param> {
        params![self.meeting, self.scope.app, &self.scope.account]
    }

    async fn check(&self, conn: &mut Conn) -> Result<(), StoreError> {
        let found: Option<(i64,)> = conn
            .fetch_optional(
                "SELECT m.created_at FROM meetings m JOIN apps a ON a.id = m.app_id \
                 WHERE m.id = $1 AND a.id = $2 AND a.account_id = $3 AND a.deleted_at IS NULL",
                self.params(),
            )
            .await?;
        found.map(|_| ()).ok_or(StoreError::NotFound("Meeting"))
    }
}

fn searchable(custom_id: &str, name: Option<&str>) -> String {
    search_text([Some(custom_id), name])
}

fn taken() -> StoreError {
    StoreError::Conflict("A participant with this custom_participant_id already exists".into())
}

/// Whether there is such a meeting, and its app's preset that the caller names; by one statement where the
/// name is given, which is the usual way.
async fn check_and_resolve(
    conn: &mut Conn,
    at: &MeetingScope,
    preset: &PresetRef,
) -> Result<(PresetId, String), StoreError> {
    let PresetRef::Name(name) = preset else {
        at.check(conn).await?;
        return presets::resolve(conn, &at.scope, preset).await;
    };
    let mut values = at.params();
    values.extend(params![name, presets::exchanged(name)]);
    let row: Option<(Option<String>, Option<String>)> = conn
        .fetch_optional(
            "SELECT pr.id, pr.name FROM meetings m JOIN apps a ON a.id = m.app_id \
             LEFT JOIN presets pr ON pr.app_id = a.id AND pr.name IN ($4, $5) \
             WHERE m.id = $1 AND a.id = $2 AND a.account_id = $3 AND a.deleted_at IS NULL \
             ORDER BY CASE WHEN pr.name = $4 THEN 0 ELSE 1 END LIMIT 1",
            values,
        )
        .await?;
    match row {
        None => Err(StoreError::NotFound("Meeting")),
        Some((Some(id), Some(name))) => Ok((id.parse()?, name)),
        Some(_) => Err(StoreError::NoPreset(name.clone())),
    }
}

/// What was added, as it then stands.
#[derive(sqlx::FromRow)]
struct AddedRow {
    id: String,
    preset_id: String,
    preset_name: String,
    created_at: i64,
}

/// Adds a participant to the meeting that `MeetingScope::params` name, with its app's preset of one of two
/// names, if there are such; one statement, since each is an exchange with the database.
macro_rules! insert_participant {
    ($on_conflict:literal) => {
        concat!(
            "INSERT INTO participants (id, app_id, meeting_id, preset_id, custom_participant_id, ",
            "duplicate_no, name, picture, search_text, created_at, updated_at) ",
            "SELECT $4, a.id, m.id, pr.id, $5, $6, $7, $8, $9, $10, $10 ",
            "FROM meetings m JOIN apps a ON a.id = m.app_id ",
            "JOIN presets pr ON pr.app_id = a.id AND pr.name IN ($11, $12) ",
            "WHERE m.id = $1 AND a.id = $2 AND a.account_id = $3 AND a.deleted_at IS NULL ",
            "ORDER BY CASE WHEN pr.name = $11 THEN 0 ELSE 1 END LIMIT 1 ",
            "ON CONFLICT (meeting_id, custom_participant_id, duplicate_no) ",
            $on_conflict,
            " RETURNING id, preset_id, ",
            "(SELECT pr.name FROM presets pr WHERE pr.id = preset_id) AS preset_name, created_at"
        )
    };
}

/// Adds a participant; what becomes of a known custom id is `policy`'s to say.
///
/// Its one change is the last that it does, so that it can be run by [`Store::write_once`].
pub async fn add(
    conn: &mut Conn,
    at: &MeetingScope,
    new: NewParticipant,
    policy: DuplicatePolicy,
    now: Timestamp,
) -> Result<Participant, StoreError> {
    // So that the meeting is not deleted before the participant is in it, where its purge finds it.
    conn.lock_rows(
        "SELECT m.id FROM meetings m JOIN apps a ON a.id = m.app_id \
         WHERE m.id = $1 AND a.id = $2 AND a.account_id = $3 FOR KEY SHARE",
        || at.params(),
    )
    .await?;
    let preset_name = match &new.preset {
        PresetRef::Name(name) => name.clone(),
        PresetRef::Id(_) => check_and_resolve(conn, at, &new.preset).await?.1,
    };
    let duplicate_no = match policy {
        DuplicatePolicy::Allow => next_duplicate_no(conn, at, &new.custom_participant_id).await?,
        _ => 0,
    };
    let mut values = at.params();
    values.extend(params![
        ParticipantId::random(),
        &new.custom_participant_id,
        duplicate_no,
        &new.name,
        &new.picture,
        searchable(&new.custom_participant_id, new.name.as_deref()),
        now,
        &preset_name,
        presets::exchanged(&preset_name),
    ]);
    let sql = if policy == DuplicatePolicy::Reuse {
        insert_participant!(
            "DO UPDATE SET preset_id = excluded.preset_id, search_text = excluded.search_text, \
             name = excluded.name, picture = excluded.picture, updated_at = excluded.updated_at"
        )
    } else {
        insert_participant!("DO NOTHING")
    };
    let added: Option<AddedRow> = conn
        .fetch_optional(sql, values)
        .await
        .map_err(|error| error.or_no_preset(&preset_name))?;
    let Some(added) = added else {
        check_and_resolve(conn, at, &new.preset).await?;
        return Err(taken());
    };
    Ok(Participant {
        id: added.id.parse()?,
        meeting_id: at.meeting,
        preset_id: added.preset_id.parse()?,
        preset_name: added.preset_name,
        custom_participant_id: new.custom_participant_id,
        name: new.name,
        picture: new.picture,
        banned: false,
        created_at: Timestamp::from_micros(added.created_at),
        updated_at: now,
    })
}

/// Of two that are added at once, one may meet the other's number, and be told so.
async fn next_duplicate_no(conn: &mut Conn, at: &MeetingScope, custom_id: &str) -> Result<i64, StoreError> {
    let (next,): (i64,) = conn
        .fetch_one(
            "SELECT COALESCE(MAX(duplicate_no) + 1, 0) FROM participants \
             WHERE meeting_id = $1 AND custom_participant_id = $2",
            params![at.meeting, custom_id],
        )
        .await?;
    Ok(next)
}

/// Changes a participant.
pub async fn patch(
    conn: &mut Conn,
    at: &MeetingScope,
    id: ParticipantId,
    patch: ParticipantPatch,
    now: Timestamp,
) -> Result<Participant, StoreError> {
    conn.lock_rows(
        "SELECT id FROM participants WHERE id = $1 AND meeting_id = $2 \
         AND app_id = (SELECT id FROM apps WHERE id = $3 AND account_id = $4) FOR UPDATE",
        || params![id, at.meeting, at.scope.app, &at.scope.account],
    )
    .await?;
    let mut participant = load(conn, at, id).await?;
    if let Some(preset) = &patch.preset {
        (participant.preset_id, participant.preset_name) = presets::resolve(conn, &at.scope, preset).await?;
    }
    if let Some(custom_id) = patch
        .custom_participant_id
        .filter(|c| *c != participant.custom_participant_id)
    {
        let other: Option<(i64,)> = conn
            .fetch_optional(
                "SELECT created_at FROM participants WHERE meeting_id = $1 AND custom_participant_id = $2",
                params![at.meeting, &custom_id],
            )
            .await?;
        if other.is_some() {
            return Err(taken());
        }
        participant.custom_participant_id = custom_id;
    }
    participant.name = patch.name.unwrap_or(participant.name);
    participant.picture = patch.picture.unwrap_or(participant.picture);
    participant.banned = patch.banned.unwrap_or(participant.banned);
    participant.updated_at = now;
    conn.execute(
        "UPDATE participants SET preset_id = $3, custom_participant_id = $4, name = $5, picture = $6, \
         search_text = $7, updated_at = $8, banned_at = CASE WHEN $9 THEN COALESCE(banned_at, $8) END \
         WHERE id = $1 AND meeting_id = $2",
        params![
            id,
            at.meeting,
            participant.preset_id,
            &participant.custom_participant_id,
            &participant.name,
            &participant.picture,
            searchable(&participant.custom_participant_id, participant.name.as_deref()),
            now,
            participant.banned
        ],
    )
    .await
    .map_err(|error| error.or_taken(taken).or_no_preset(&participant.preset_name))?;
    Ok(participant)
}

/// Removes a participant, and with it the validity of all its tokens.
pub async fn delete(
    conn: &mut Conn,
    at: &MeetingScope,
    id: ParticipantId,
) -> Result<Participant, StoreError> {
    let participant = load(conn, at, id).await?;
    conn.execute(
        "DELETE FROM participants WHERE id = $1 AND meeting_id = $2",
        params![id, at.meeting],
    )
    .await?;
    Ok(participant)
}

/// One participant; tells a missing meeting from a missing participant.
pub async fn load(conn: &mut Conn, at: &MeetingScope, id: ParticipantId) -> Result<Participant, StoreError> {
    let mut values = at.params();
    values.extend(params![id]);
    let row = conn
        .fetch_optional::<ParticipantRow>(select_participants!("AND p.id = $4"), values)
        .await?;
    if let Some(row) = row {
        return row.try_into();
    }
    at.check(conn).await?;
    Err(StoreError::NotFound("Participant"))
}

impl Store {
    /// One participant.
    pub async fn participant(&self, at: &MeetingScope, id: ParticipantId) -> Result<Participant, StoreError> {
        load(&mut self.read().await?, at, id).await
    }
}
