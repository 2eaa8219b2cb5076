//! Meetings.

use muster_model::{
    MeetingId, Page, PageRequest, Timestamp,
    app::Scope,
    meeting::{Meeting, MeetingSettings, MeetingStatus},
};

use crate::{Conn, Store, StoreError, like_pattern, params, search_text};

#[derive(sqlx::FromRow)]
struct MeetingRow {
    id: String,
    title: Option<String>,
    status: String,
    record_on_start: bool,
    live_stream_on_start: bool,
    persist_chat: bool,
    keep_alive_secs: i64,
    transcribe_on_end: bool,
    summarize_on_end: bool,
    recording_config: Option<String>,
    ai_config: Option<String>,
    created_at: i64,
    updated_at: i64,
}

impl TryFrom<MeetingRow> for Meeting {
    type Error = StoreError;

    fn try_from(row: MeetingRow) -> Result<Self, StoreError> {
        let json = |text: Option<String>| text.filter(|text| text != "null");
        Ok(Self {
            id: row.id.parse()?,
            settings: MeetingSettings {
                title: row.title,
                status: match row.status.as_str() {
                    "ACTIVE" => MeetingStatus::Active,
                    "INACTIVE" => MeetingStatus::Inactive,
                    _ => return Err(StoreError::Corrupt(row.status)),
                },
                record_on_start: row.record_on_start,
                live_stream_on_start: row.live_stream_on_start,
                persist_chat: row.persist_chat,
                keep_alive_secs: u32::try_from(row.keep_alive_secs).unwrap_or(60),
                transcribe_on_end: row.transcribe_on_end,
                summarize_on_end: row.summarize_on_end,
                recording_config: json(row.recording_config)
                    .map(|t| serde_json::from_str(&t))
                    .transpose()?,
                ai_config: json(row.ai_config)
                    .map(|t| serde_json::from_str(&t))
                    .transpose()?,
            },
            created_at: Timestamp::from_micros(row.created_at),
            updated_at: Timestamp::from_micros(row.updated_at),
        })
    }
}

macro_rules! select_meetings {
    ($rest:literal) => {
        concat!(
            "SELECT id, title, status, record_on_start, live_stream_on_start, persist_chat, keep_alive_secs, ",
            "transcribe_on_end, summarize_on_end, recording_config, ai_config, created_at, updated_at ",
            "FROM meetings WHERE app_id = (SELECT id FROM apps WHERE id = $1 AND account_id = $2) ",
            $rest
        )
    };
}

/// Which meetings of an app are wanted. Times bound the creation and are both included.
#[derive(Debug, Clone, Default)]
pub struct MeetingFilter {
    /// Part of the title, or the whole id.
    pub search: Option<String>,
    /// Only these.
    pub status: Option<MeetingStatus>,
    /// Not made before.
    pub from: Option<Timestamp>,
    /// Not made after.
    pub to: Option<Timestamp>,
}

impl MeetingFilter {
    fn is_empty(&self) -> bool {
        self.search.is_none() && self.status.is_none() && self.from.is_none() && self.to.is_none()
    }
}

/// The columns that settings fill, in the order of [`settings_params`].
fn settings_params(settings: &MeetingSettings) -> Result<Vec<crate::Param>, StoreError> {
    let json = |value: serde_json::Result<String>| value.map(Some);
    let recording = settings
        .recording_config
        .as_ref()
        .map_or(Ok(None), |c| json(serde_json::to_string(c)))?;
    let ai = settings
        .ai_config
        .as_ref()
        .map_or(Ok(None), |c| json(serde_json::to_string(c)))?;
    Ok(params![
        &settings.title,
        search_text([settings.title.as_deref()]),
        settings.status.as_str(),
        settings.record_on_start,
        settings.live_stream_on_start,
        settings.persist_chat,
        settings.keep_alive_secs,
        settings.transcribe_on_end,
        settings.summarize_on_end,
        recording,
        ai,
    ])
}

/// Makes a meeting. `sealed_secrets` are the storage secrets of its recording configuration.
pub async fn create(
    conn: &mut Conn,
    scope: &Scope,
    settings: MeetingSettings,
    sealed_secrets: Option<Vec<u8>>,
    now: Timestamp,
) -> Result<Meeting, StoreError> {
    let id = MeetingId::random();
    let mut values = settings_params(&settings)?;
    values.extend(params![sealed_secrets, id, now, scope.app, &scope.account]);
    let made = conn
        .execute(
            "INSERT INTO meetings (title, search_text, status, record_on_start, live_stream_on_start, \
             persist_chat, keep_alive_secs, transcribe_on_end, summarize_on_end, recording_config, ai_config, \
             storage_secrets, id, created_at, updated_at, app_id) \
             SELECT $1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $14, id FROM apps \
             WHERE id = $15 AND account_id = $16 AND deleted_at IS NULL",
            values,
        )
        .await?;
    if made == 0 {
        return Err(StoreError::NotFound("App"));
    }
    Ok(Meeting {
        id,
        settings,
        created_at: now,
        updated_at: now,
    })
}

/// Replaces a meeting's settings and sealed storage secrets.
pub async fn update(
    conn: &mut Conn,
    scope: &Scope,
    id: MeetingId,
    settings: &MeetingSettings,
    sealed_secrets: Option<Vec<u8>>,
    now: Timestamp,
) -> Result<(), StoreError> {
    let mut values = settings_params(settings)?;
    values.extend(params![sealed_secrets, id, now, scope.app, &scope.account]);
    let changed = conn
        .execute(
            "UPDATE meetings SET title = $1, search_text = $2, status = $3, record_on_start = $4, \
             live_stream_on_start = $5, persist_chat = $6, keep_alive_secs = $7, transcribe_on_end = $8, \
             summarize_on_end = $9, recording_config = $10, ai_config = $11, storage_secrets = $12, \
             updated_at = $14 \
             WHERE id = $13 AND app_id = (SELECT id FROM apps WHERE id = $15 AND account_id = $16)",
            values,
        )
        .await?;
    if changed == 0 {
        Err(StoreError::NotFound("Meeting"))
    } else {
        Ok(())
    }
}

/// Deletes a meeting that is not live, nor any breakout room of it; these can be entered no more from then
/// on, and go with the participants by a job. Sessions stay.
pub async fn delete(
    conn: &mut Conn,
    scope: &Scope,
    id: MeetingId,
    now: Timestamp,
) -> Result<Meeting, StoreError> {
    // Locked, so that no session begins between the check and the deletion.
    let meeting = load_locked(conn, scope, id).await?;
    crate::sessions::refuse_while_live(conn, scope, Some(id)).await?;
    conn.execute(
        "DELETE FROM meetings WHERE id = $1 \
         AND app_id = (SELECT id FROM apps WHERE id = $2 AND account_id = $3)",
        params![id, scope.app, &scope.account],
    )
    .await?;
    conn.execute(
        "UPDATE meetings SET status = 'INACTIVE', updated_at = $4 WHERE parent_id = $1 \
         AND app_id = (SELECT id FROM apps WHERE id = $2 AND account_id = $3)",
        params![id, scope.app, &scope.account, now],
    )
    .await?;
    crate::purge::schedule(conn, crate::purge::Purge::Meeting(id), now).await?;
    Ok(meeting)
}

/// One meeting, for a change in the same transaction: no other can change it before that ends.
pub async fn load_locked(conn: &mut Conn, scope: &Scope, id: MeetingId) -> Result<Meeting, StoreError> {
    conn.lock_rows(
        "SELECT id FROM meetings \
         WHERE id = $1 AND app_id = (SELECT id FROM apps WHERE id = $2 AND account_id = $3) FOR UPDATE",
        || params![id, scope.app, &scope.account],
    )
    .await?;
    load(conn, scope, id).await
}

/// One meeting.
pub async fn load(conn: &mut Conn, scope: &Scope, id: MeetingId) -> Result<Meeting, StoreError> {
    conn.fetch_optional::<MeetingRow>(
        select_meetings!("AND id = $3"),
        params![scope.app, &scope.account, id],
    )
    .await?
    .ok_or(StoreError::NotFound("Meeting"))?
    .try_into()
}

/// Those of these meetings that are there still.
pub(crate) async fn load_some(
    conn: &mut Conn,
    scope: &Scope,
    ids: impl IntoIterator<Item = MeetingId>,
) -> Result<Vec<Meeting>, StoreError> {
    let mut values = params![scope.app, &scope.account];
    let mut sql = select_meetings!("AND id IN (NULL").to_owned();
    for id in ids {
        values.extend(params![id]);
        sql.push_str(", $");
        sql.push_str(&values.len().to_string());
    }
    sql.push(')');
    let rows = conn.fetch_all_built::<MeetingRow>(sql, values).await?;
    rows.into_iter().map(TryInto::try_into).collect()
}

/// The sealed storage secrets of a meeting.
pub async fn sealed_secrets(
    conn: &mut Conn,
    scope: &Scope,
    id: MeetingId,
) -> Result<Option<Vec<u8>>, StoreError> {
    let row: Option<(Option<Vec<u8>>,)> = conn
        .fetch_optional(
            "SELECT storage_secrets FROM meetings WHERE id = $1 \
             AND app_id = (SELECT id FROM apps WHERE id = $2 AND account_id = $3)",
            params![id, scope.app, &scope.account],
        )
        .await?;
    Ok(row.and_then(|(sealed,)| sealed))
}

impl Store {
    /// One meeting.
    pub async fn meeting(&self, scope: &Scope, id: MeetingId) -> Result<Meeting, StoreError> {
        load(&mut self.read().await?, scope, id).await
    }

    /// A page of an app's meetings, newest first. Breakout rooms are not among them.
    pub async fn meetings(
        &self,
        scope: &Scope,
        filter: &MeetingFilter,
        page: PageRequest,
    ) -> Result<Page<Meeting>, StoreError> {
        let mut conn = self.read().await?;
        let mut values = params![scope.app, &scope.account];
        let (total, rows) = if filter.is_empty() {
            let total = crate::apps::kept_count(
                &mut conn,
                scope,
                "SELECT meeting_count FROM apps WHERE id = $1 AND account_id = $2",
            )
            .await?;
            values.extend(params![page.limit(), page.offset()]);
            let rows = conn
                .fetch_all::<MeetingRow>(
                    select_meetings!(
                        "AND parent_id IS NULL ORDER BY created_at DESC, id DESC LIMIT $3 OFFSET $4"
                    ),
                    values,
                )
                .await?;
            (total, rows)
        } else {
            values.extend(params![
                filter.search.as_deref().map(like_pattern),
                filter.search.as_deref().map(str::to_lowercase),
                filter.status.map(MeetingStatus::as_str),
                filter.from,
                filter.to,
            ]);
            let (total,): (i64,) = conn
                .fetch_one(
                    "SELECT COUNT(*) FROM meetings \
                     WHERE app_id = (SELECT id FROM apps WHERE id = $1 AND account_id = $2) AND parent_id IS NULL \
                     AND ($3 IS NULL OR search_text LIKE $3 ESCAPE '\\' OR id = $4) \
                     AND ($5 IS NULL OR status = $5) \
                     AND ($6 IS NULL OR created_at >= $6) AND ($7 IS NULL OR created_at <= $7)",
                    values.clone(),
                )
                .await?;
            values.extend(params![page.limit(), page.offset()]);
            let rows = conn
                .fetch_all::<MeetingRow>(
                    select_meetings!(
                        "AND parent_id IS NULL AND ($3 IS NULL OR search_text LIKE $3 ESCAPE '\\' OR id = $4) \
                         AND ($5 IS NULL OR status = $5) \
                         AND ($6 IS NULL OR created_at >= $6) AND ($7 IS NULL OR created_at <= $7) \
                         ORDER BY created_at DESC, id DESC LIMIT $8 OFFSET $9"
                    ),
                    values,
                )
                .await?;
            (total, rows)
        };
        Ok(Page {
            items: rows
                .into_iter()
                .map(TryInto::try_into)
                .collect::<Result<_, _>>()?,
            info: page.info(total),
        })
    }
}
