//! Livestreams and the times they were on air. Those of deleted meetings and apps stay readable.

use muster_model::{
    LivestreamId, LivestreamSessionId, MeetingId, Page, PageRequest, SessionId, Timestamp,
    app::Scope,
    livestream::{Livestream, LivestreamSession, LivestreamStatus},
};

use crate::{
    Conn, Param, Row, Store, StoreError, filter::Conditions, meetings, params, participants::MeetingScope,
};

#[derive(sqlx::FromRow)]
struct LivestreamRow {
    id: String,
    meeting_id: Option<String>,
    name: Option<String>,
    status: String,
    disabled: bool,
    ingest_server: String,
    stream_key: Vec<u8>,
    playback_url: String,
    created_at: i64,
    updated_at: i64,
}

impl TryFrom<LivestreamRow> for Livestream {
    type Error = StoreError;

    fn try_from(row: LivestreamRow) -> Result<Self, StoreError> {
        Ok(Self {
            id: row.id.parse()?,
            meeting_id: row.meeting_id.map(|id| id.parse()).transpose()?,
            name: row.name,
            status: LivestreamStatus::from_word(&row.status).ok_or(StoreError::Corrupt(row.status))?,
            disabled: row.disabled,
            ingest_server: row.ingest_server,
            sealed_stream_key: row.stream_key,
            playback_url: row.playback_url,
            created_at: Timestamp::from_micros(row.created_at),
            updated_at: Timestamp::from_micros(row.updated_at),
        })
    }
}

#[derive(sqlx::FromRow)]
struct LivestreamSessionRow {
    id: String,
    livestream_id: String,
    session_id: Option<String>,
    err_message: Option<String>,
    invoked_at: i64,
    started_at: Option<i64>,
    stopped_at: Option<i64>,
    ingest_micros: i64,
    viewer_micros: i64,
    created_at: i64,
    updated_at: i64,
}

impl TryFrom<LivestreamSessionRow> for LivestreamSession {
    type Error = StoreError;

    fn try_from(row: LivestreamSessionRow) -> Result<Self, StoreError> {
        Ok(Self {
            id: row.id.parse()?,
            livestream_id: row.livestream_id.parse()?,
            session_id: row.session_id.map(|id| id.parse()).transpose()?,
            err_message: row.err_message,
            invoked_at: Timestamp::from_micros(row.invoked_at),
            started_at: row.started_at.map(Timestamp::from_micros),
            stopped_at: row.stopped_at.map(Timestamp::from_micros),
            ingest_micros: row.ingest_micros,
            viewer_micros: row.viewer_micros,
            created_at: Timestamp::from_micros(row.created_at),
            updated_at: Timestamp::from_micros(row.updated_at),
        })
    }
}

macro_rules! select_livestreams {
    ($rest:literal) => {
        concat!(
            "SELECT id, meeting_id, name, status, disabled, ingest_server, stream_key, playback_url, created_at, ",
            "updated_at FROM livestreams",
            $rest
        )
    };
}

macro_rules! select_livestream_sessions {
    ($rest:literal) => {
        concat!(
            "SELECT id, livestream_id, session_id, err_message, invoked_at, started_at, stopped_at, ingest_micros, ",
            "viewer_micros, created_at, updated_at FROM livestream_sessions",
            $rest
        )
    };
}

/// The records of an app (`$1`) of an account (`$2`).
const IN_APP: &str = "app_id = (SELECT id FROM apps WHERE id = $1 AND account_id = $2)";

/// Which livestreams of an app are wanted. Times bound the creation and are both included.
#[derive(Debug, Clone, Default)]
pub struct LivestreamFilter {
    /// Of this meeting.
    pub meeting: Option<MeetingId>,
    /// None that show a meeting.
    pub exclude_meetings: bool,
    /// Any of these; all when there are none.
    pub statuses: Vec<LivestreamStatus>,
    /// Not made before.
    pub from: Option<Timestamp>,
    /// Not made after.
    pub to: Option<Timestamp>,
}

impl LivestreamFilter {
    fn is_empty(&self) -> bool {
        self.meeting.is_none()
            && !self.exclude_meetings
            && self.statuses.is_empty()
            && self.from.is_none()
            && self.to.is_none()
    }

    fn conditions(&self, scope: &Scope) -> Conditions {
        let mut conditions = Conditions::new(IN_APP, params![scope.app, &scope.account]);
        if let Some(meeting) = self.meeting {
            conditions.and("meeting_id = ?", params![meeting]);
        }
        if self.exclude_meetings {
            conditions.and("meeting_id IS NULL", params![]);
        }
        if !self.statuses.is_empty() {
            let words = self.statuses.iter().map(|status| status.as_str().into());
            conditions.and_one_of("status", words);
        }
        if let Some(from) = self.from {
            conditions.and("created_at >= ?", params![from]);
        }
        if let Some(to) = self.to {
            conditions.and("created_at <= ?", params![to]);
        }
        conditions
    }
}

/// Writes the record of a livestream.
pub async fn insert(conn: &mut Conn, scope: &Scope, livestream: &Livestream) -> Result<(), StoreError> {
    let made = conn
        .execute(
            "INSERT INTO livestreams (app_id, id, meeting_id, name, status, disabled, ingest_server, stream_key, \
             playback_url, created_at, updated_at) \
             SELECT id, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12 FROM apps WHERE id = $1 AND account_id = $2",
            params![
                scope.app,
                &scope.account,
                livestream.id,
                livestream.meeting_id,
                &livestream.name,
                livestream.status.as_str(),
                livestream.disabled,
                &livestream.ingest_server,
                livestream.sealed_stream_key.clone(),
                &livestream.playback_url,
                livestream.created_at,
                livestream.updated_at,
            ],
        )
        .await?;
    if made == 0 {
        Err(StoreError::NotFound("App"))
    } else {
        Ok(())
    }
}

/// Writes the record of a time on air.
pub async fn insert_session(
    conn: &mut Conn,
    scope: &Scope,
    session: &LivestreamSession,
) -> Result<(), StoreError> {
    let made = conn
        .execute(
            "INSERT INTO livestream_sessions (app_id, livestream_id, id, session_id, err_message, invoked_at, \
             started_at, stopped_at, ingest_micros, viewer_micros, created_at, updated_at) \
             SELECT app_id, id, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13 FROM livestreams \
             WHERE id = $3 AND app_id = (SELECT id FROM apps WHERE id = $1 AND account_id = $2)",
            params![
                scope.app,
                &scope.account,
                session.livestream_id,
                session.id,
                session.session_id,
                &session.err_message,
                session.invoked_at,
                session.started_at,
                session.stopped_at,
                session.ingest_micros,
                session.viewer_micros,
                session.created_at,
                session.updated_at,
            ],
        )
        .await?;
    if made == 0 {
        Err(StoreError::NotFound("Livestream"))
    } else {
        Ok(())
    }
}

async fn page_of<R, T>(
    conn: &mut Conn,
    conditions: Conditions,
    select: &str,
    rest: &'static str,
    total: i64,
    page: PageRequest,
) -> Result<Page<T>, StoreError>
where
    R: Row,
    T: TryFrom<R, Error = StoreError>,
{
    let (sql, values) = conditions.select(select, rest, params![page.limit(), page.offset()]);
    let rows = conn.fetch_all_built::<R>(sql, values).await?;
    Ok(Page {
        items: rows
            .into_iter()
            .map(TryInto::try_into)
            .collect::<Result<_, _>>()?,
        info: page.info(total),
    })
}

async fn sessions_page(
    conn: &mut Conn,
    conditions: Conditions,
    page: PageRequest,
) -> Result<Page<LivestreamSession>, StoreError> {
    let total = conditions.count(conn, "", "livestream_sessions").await?;
    page_of::<LivestreamSessionRow, _>(
        conn,
        conditions,
        select_livestream_sessions!(""),
        "ORDER BY invoked_at DESC, id DESC LIMIT ? OFFSET ?",
        total,
        page,
    )
    .await
}

async fn load(conn: &mut Conn, scope: &Scope, id: LivestreamId) -> Result<Livestream, StoreError> {
    conn.fetch_optional::<LivestreamRow>(
        select_livestreams!(
            " WHERE id = $3 AND app_id = (SELECT id FROM apps WHERE id = $1 AND account_id = $2)"
        ),
        params![scope.app, &scope.account, id],
    )
    .await?
    .ok_or(StoreError::NotFound("Livestream"))?
    .try_into()
}

impl Store {
    /// A page of an app's livestreams by creation.
    pub async fn livestreams(
        &self,
        scope: &Scope,
        filter: &LivestreamFilter,
        ascending: bool,
        page: PageRequest,
    ) -> Result<Page<Livestream>, StoreError> {
        let mut conn = self.read().await?;
        let conditions = filter.conditions(scope);
        let total = if filter.is_empty() {
            crate::apps::kept_count(
                &mut conn,
                scope,
                "SELECT livestream_count FROM apps WHERE id = $1 AND account_id = $2",
            )
            .await?
        } else {
            conditions.count(&mut conn, "", "livestreams").await?
        };
        let rest = if ascending {
            "ORDER BY created_at ASC, id ASC LIMIT ? OFFSET ?"
        } else {
            "ORDER BY created_at DESC, id DESC LIMIT ? OFFSET ?"
        };
        page_of::<LivestreamRow, _>(&mut conn, conditions, select_livestreams!(""), rest, total, page).await
    }

    /// A page of a meeting's livestreams, newest first, and the times these were on air, newest first
    /// and as many as a page can hold. The meeting may be deleted, if it was ever streamed.
    pub async fn livestreams_of_meeting(
        &self,
        at: &MeetingScope,
        page: PageRequest,
    ) -> Result<(Page<Livestream>, Vec<LivestreamSession>), StoreError> {
        let filter = LivestreamFilter {
            meeting: Some(at.meeting),
            ..LivestreamFilter::default()
        };
        let found = self.livestreams(&at.scope, &filter, false, page).await?;
        let mut conn = self.read().await?;
        if found.info.total_count == 0 {
            meetings::load(&mut conn, &at.scope, at.meeting).await?;
            return Ok((found, Vec::new()));
        }
        let mut conditions = Conditions::new(IN_APP, params![at.scope.app, &at.scope.account]);
        let ids = found.items.iter().map(|livestream| Param::from(livestream.id));
        conditions.and_one_of("livestream_id", ids);
        let sessions = page_of::<LivestreamSessionRow, _>(
            &mut conn,
            conditions,
            select_livestream_sessions!(""),
            "ORDER BY invoked_at DESC, id DESC LIMIT ? OFFSET ?",
            0,
            PageRequest::new(
                None,
                Some(u64::from(PageRequest::MAX_SIZE)),
                PageRequest::MAX_SIZE,
            ),
        )
        .await?;
        Ok((found, sessions.items))
    }

    /// One livestream.
    pub async fn livestream(&self, scope: &Scope, id: LivestreamId) -> Result<Livestream, StoreError> {
        load(&mut self.read().await?, scope, id).await
    }

    /// A meeting's livestream that is on air or was asked for, the latest of several.
    pub async fn active_livestream(&self, at: &MeetingScope) -> Result<Option<Livestream>, StoreError> {
        self.read()
            .await?
            .fetch_optional::<LivestreamRow>(
                select_livestreams!(
                    " WHERE meeting_id = $3 AND status IN ('LIVE', 'INVOKED') \
                     AND app_id = (SELECT id FROM apps WHERE id = $1 AND account_id = $2) \
                     ORDER BY created_at DESC, id DESC LIMIT 1"
                ),
                params![at.scope.app, &at.scope.account, at.meeting],
            )
            .await?
            .map(TryInto::try_into)
            .transpose()
    }

    /// One time on air.
    pub async fn livestream_session(
        &self,
        scope: &Scope,
        id: LivestreamSessionId,
    ) -> Result<LivestreamSession, StoreError> {
        self.read()
            .await?
            .fetch_optional::<LivestreamSessionRow>(
                select_livestream_sessions!(
                    " WHERE id = $3 AND app_id = (SELECT id FROM apps WHERE id = $1 AND account_id = $2)"
                ),
                params![scope.app, &scope.account, id],
            )
            .await?
            .ok_or(StoreError::NotFound("Livestream session"))?
            .try_into()
    }

    /// The latest time a livestream was on air; only one that is not over, if `active`.
    pub async fn latest_livestream_session(
        &self,
        scope: &Scope,
        id: LivestreamId,
        active: bool,
    ) -> Result<Option<LivestreamSession>, StoreError> {
        let mut conditions = Conditions::new(IN_APP, params![scope.app, &scope.account]);
        conditions.and("livestream_id = ?", params![id]);
        if active {
            conditions.and("stopped_at IS NULL", params![]);
        }
        let (sql, values) = conditions.select(
            select_livestream_sessions!(""),
            "ORDER BY invoked_at DESC, id DESC LIMIT 1",
            params![],
        );
        let rows = self
            .read()
            .await?
            .fetch_all_built::<LivestreamSessionRow>(sql, values)
            .await?;
        rows.into_iter().next().map(TryInto::try_into).transpose()
    }

    /// A page of the times a livestream was on air, newest first.
    pub async fn sessions_of_livestream(
        &self,
        scope: &Scope,
        id: LivestreamId,
        page: PageRequest,
    ) -> Result<Page<LivestreamSession>, StoreError> {
        let mut conditions = Conditions::new(IN_APP, params![scope.app, &scope.account]);
        conditions.and("livestream_id = ?", params![id]);
        sessions_page(&mut self.read().await?, conditions, page).await
    }

    /// A page of the times a session was on air, newest first.
    pub async fn livestream_sessions_of_session(
        &self,
        scope: &Scope,
        id: SessionId,
        page: PageRequest,
    ) -> Result<Page<LivestreamSession>, StoreError> {
        self.session(scope, id).await?;
        let mut conditions = Conditions::new(IN_APP, params![scope.app, &scope.account]);
        conditions.and("session_id = ?", params![id]);
        sessions_page(&mut self.read().await?, conditions, page).await
    }
}
