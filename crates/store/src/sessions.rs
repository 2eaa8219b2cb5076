//! Sessions of meetings. Those of deleted meetings and apps stay readable.

use muster_model::{
    MeetingId, Page, PageRequest, SessionId, Timestamp,
    app::Scope,
    session::{Session, SessionKind, SessionStatus},
};

use crate::{
    Conn, Store, StoreError, filter::Conditions, like_pattern, params, participants::MeetingScope,
    search_text,
};

/// How deep breakout rooms of breakout rooms are followed.
pub const MAX_ROOM_DEPTH: i64 = 8;
/// How many breakout rooms of one session are told at most.
pub const MAX_ROOMS: i64 = 1000;

#[derive(sqlx::FromRow)]
struct SessionRow {
    id: String,
    app_id: String,
    meeting_id: String,
    parent_session_id: Option<String>,
    #[sqlx(rename = "type")]
    kind: String,
    status: String,
    title: Option<String>,
    live_participants: i64,
    max_concurrent_participants: i64,
    connected_micros: i64,
    started_at: i64,
    ended_at: Option<i64>,
    heartbeat_at: i64,
    created_at: i64,
    updated_at: i64,
}

impl TryFrom<SessionRow> for Session {
    type Error = StoreError;

    fn try_from(row: SessionRow) -> Result<Self, StoreError> {
        Ok(Self {
            id: row.id.parse()?,
            app_id: row.app_id.parse()?,
            meeting_id: row.meeting_id.parse()?,
            parent: row.parent_session_id.map(|id| id.parse()).transpose()?,
            kind: SessionKind::from_word(&row.kind).ok_or(StoreError::Corrupt(row.kind))?,
            status: SessionStatus::from_word(&row.status).ok_or(StoreError::Corrupt(row.status))?,
            title: row.title,
            live_participants: row.live_participants,
            max_concurrent_participants: row.max_concurrent_participants,
            connected_micros: row.connected_micros,
            started_at: Timestamp::from_micros(row.started_at),
            ended_at: row.ended_at.map(Timestamp::from_micros),
            heartbeat_at: Timestamp::from_micros(row.heartbeat_at),
            created_at: Timestamp::from_micros(row.created_at),
            updated_at: Timestamp::from_micros(row.updated_at),
        })
    }
}

macro_rules! select_sessions {
    ($rest:literal) => {
        concat!(
            "SELECT id, app_id, meeting_id, parent_session_id, type, status, title, live_participants, ",
            "max_concurrent_participants, connected_micros, started_at, ended_at, heartbeat_at, created_at, ",
            "updated_at FROM sessions",
            $rest
        )
    };
}

/// Which sessions of an app are wanted. Times bound the start, numbers the most peers at once; all
/// bounds are included.
#[derive(Debug, Clone, Default)]
pub struct SessionFilter {
    /// Of this meeting.
    pub meeting: Option<MeetingId>,
    /// Part of the title, or the whole id of the meeting or the session.
    pub search: Option<String>,
    /// Any of these; all when there are none.
    pub statuses: Vec<SessionStatus>,
    /// Not begun before.
    pub from: Option<Timestamp>,
    /// Not begun after.
    pub to: Option<Timestamp>,
    /// At least so many.
    pub min_participants: Option<i64>,
    /// At most so many.
    pub max_participants: Option<i64>,
}

impl SessionFilter {
    fn is_empty(&self) -> bool {
        self.meeting.is_none()
            && self.search.is_none()
            && self.statuses.is_empty()
            && self.from.is_none()
            && self.to.is_none()
            && self.min_participants.is_none()
            && self.max_participants.is_none()
    }

    fn conditions(&self, scope: &Scope) -> Conditions {
        let mut conditions = Conditions::new(
            "app_id = (SELECT id FROM apps WHERE id = $1 AND account_id = $2)",
            params![scope.app, &scope.account],
        );
        if let Some(meeting) = self.meeting {
            conditions.and("meeting_id = ?", params![meeting]);
        }
        if let Some(search) = &self.search {
            let id = search.to_lowercase();
            conditions.and(
                "search_text LIKE ? ESCAPE '\\' OR meeting_id = ? OR id = ?",
                params![like_pattern(search), &id, &id],
            );
        }
        if !self.statuses.is_empty() {
            let words = self.statuses.iter().map(|status| status.as_str().into());
            conditions.and_one_of("status", words);
        }
        if let Some(from) = self.from {
            conditions.and("started_at >= ?", params![from]);
        }
        if let Some(to) = self.to {
            conditions.and("started_at <= ?", params![to]);
        }
        if let Some(min) = self.min_participants {
            conditions.and("max_concurrent_participants >= ?", params![min]);
        }
        if let Some(max) = self.max_participants {
            conditions.and("max_concurrent_participants <= ?", params![max]);
        }
        conditions
    }
}

/// By what a list of sessions is ordered.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum SessionOrder {
    /// When its record was made.
    #[default]
    Created,
    /// The minutes of all peers.
    Minutes,
}

/// Writes the record of a session.
pub async fn insert(conn: &mut Conn, scope: &Scope, session: &Session) -> Result<(), StoreError> {
    let made = conn
        .execute(
            "INSERT INTO sessions (id, app_id, meeting_id, parent_session_id, type, status, title, search_text, \
             live_participants, max_concurrent_participants, connected_micros, started_at, ended_at, \
             heartbeat_at, created_at, updated_at) \
             SELECT $3, id, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17 FROM apps \
             WHERE id = $1 AND account_id = $2",
            params![
                scope.app,
                &scope.account,
                session.id,
                session.meeting_id,
                session.parent,
                session.kind.as_str(),
                session.status.as_str(),
                &session.title,
                search_text([session.title.as_deref()]),
                session.live_participants,
                session.max_concurrent_participants,
                session.connected_micros,
                session.started_at,
                session.ended_at,
                session.heartbeat_at,
                session.created_at,
                session.updated_at,
            ],
        )
        .await?;
    if made == 0 {
        Err(StoreError::NotFound("App"))
    } else {
        Ok(())
    }
}

/// The live session of a meeting, if there is one.
pub async fn active(conn: &mut Conn, at: &MeetingScope) -> Result<Option<Session>, StoreError> {
    conn.fetch_optional::<SessionRow>(
        select_sessions!(
            " WHERE meeting_id = $1 AND status = 'LIVE' \
             AND app_id = (SELECT id FROM apps WHERE id = $2 AND account_id = $3)"
        ),
        params![at.meeting, at.scope.app, &at.scope.account],
    )
    .await?
    .map(TryInto::try_into)
    .transpose()
}

/// Refuses what may not happen while a session is live, in the app or in one meeting of it and that
/// meeting's breakout rooms.
pub(crate) async fn refuse_while_live(
    conn: &mut Conn,
    scope: &Scope,
    meeting: Option<MeetingId>,
) -> Result<(), StoreError> {
    if is_live(conn, scope, meeting).await? {
        return Err(StoreError::Conflict(
            "A session is live; end it first, or add ?disconnect=true".into(),
        ));
    }
    Ok(())
}

async fn is_live(conn: &mut Conn, scope: &Scope, meeting: Option<MeetingId>) -> Result<bool, StoreError> {
    let mut values = params![scope.app, &scope.account];
    let sql = if let Some(meeting) = meeting {
        values.extend(params![meeting]);
        "SELECT started_at FROM sessions WHERE status = 'LIVE' \
         AND app_id = (SELECT id FROM apps WHERE id = $1 AND account_id = $2) \
         AND meeting_id IN (SELECT $3 UNION ALL SELECT id FROM meetings WHERE parent_id = $3) LIMIT 1"
    } else {
        "SELECT started_at FROM sessions WHERE status = 'LIVE' \
         AND app_id = (SELECT id FROM apps WHERE id = $1 AND account_id = $2) LIMIT 1"
    };
    let row: Option<(i64,)> = conn.fetch_optional(sql, values).await?;
    Ok(row.is_some())
}

pub(crate) async fn load(conn: &mut Conn, scope: &Scope, id: SessionId) -> Result<Session, StoreError> {
    conn.fetch_optional::<SessionRow>(
        select_sessions!(
            " WHERE id = $1 AND app_id = (SELECT id FROM apps WHERE id = $2 AND account_id = $3)"
        ),
        params![id, scope.app, &scope.account],
    )
    .await?
    .ok_or(StoreError::NotFound("Session"))?
    .try_into()
}

impl Store {
    /// The live session of a meeting; tells a missing meeting from one that nobody is in.
    pub async fn active_session(&self, at: &MeetingScope) -> Result<Option<Session>, StoreError> {
        let mut conn = self.read().await?;
        crate::meetings::load(&mut conn, &at.scope, at.meeting).await?;
        active(&mut conn, at).await
    }

    /// Whether a session is live, in the app or in one meeting of it (or a breakout room of that).
    pub async fn is_live(&self, scope: &Scope, meeting: Option<MeetingId>) -> Result<bool, StoreError> {
        is_live(&mut self.read().await?, scope, meeting).await
    }

    /// One session.
    pub async fn session(&self, scope: &Scope, id: SessionId) -> Result<Session, StoreError> {
        load(&mut self.read().await?, scope, id).await
    }

    /// The breakout rooms of a session and those within them, in the order in which they began.
    pub async fn breakout_rooms(&self, scope: &Scope, id: SessionId) -> Result<Vec<Session>, StoreError> {
        let rows = self
            .read()
            .await?
            .fetch_all::<SessionRow>(
                concat!(
                    // A session that is wrongly its own ancestor ends at the bound on depth.
                    "WITH RECURSIVE rooms (room_id, depth) AS ( \
                     SELECT id, CAST(0 AS BIGINT) FROM sessions WHERE id = $1 \
                     AND app_id = (SELECT id FROM apps WHERE id = $2 AND account_id = $3) \
                     UNION ALL \
                     SELECT s.id, rooms.depth + 1 FROM rooms JOIN sessions s ON s.parent_session_id = rooms.room_id \
                     WHERE rooms.depth < $4 \
                     AND s.app_id = (SELECT id FROM apps WHERE id = $2 AND account_id = $3)) ",
                    select_sessions!(
                        " WHERE id IN (SELECT room_id FROM rooms) AND id <> $1 ORDER BY started_at, id LIMIT $5"
                    )
                ),
                params![id, scope.app, &scope.account, MAX_ROOM_DEPTH, MAX_ROOMS],
            )
            .await?;
        rows.into_iter().map(TryInto::try_into).collect()
    }

    /// A page of an app's sessions.
    pub async fn sessions(
        &self,
        scope: &Scope,
        filter: &SessionFilter,
        order: SessionOrder,
        ascending: bool,
        page: PageRequest,
    ) -> Result<Page<Session>, StoreError> {
        let mut conn = self.read().await?;
        let conditions = filter.conditions(scope);
        let total = if filter.is_empty() {
            crate::apps::kept_count(
                &mut conn,
                scope,
                "SELECT session_count FROM apps WHERE id = $1 AND account_id = $2",
            )
            .await?
        } else {
            conditions.count(&mut conn, "", "sessions").await?
        };
        let rest = match (order, ascending) {
            (SessionOrder::Created, true) => "ORDER BY created_at ASC, id ASC LIMIT ? OFFSET ?",
            (SessionOrder::Created, false) => "ORDER BY created_at DESC, id DESC LIMIT ? OFFSET ?",
            (SessionOrder::Minutes, true) => "ORDER BY connected_micros ASC, id ASC LIMIT ? OFFSET ?",
            (SessionOrder::Minutes, false) => "ORDER BY connected_micros DESC, id DESC LIMIT ? OFFSET ?",
        };
        let (sql, values) =
            conditions.select(select_sessions!(""), rest, params![page.limit(), page.offset()]);
        let rows = conn.fetch_all_built::<SessionRow>(sql, values).await?;
        Ok(Page {
            items: rows
                .into_iter()
                .map(TryInto::try_into)
                .collect::<Result<_, _>>()?,
            info: page.info(total),
        })
    }
}
