//! Which sessions are alive, and the end of those whose node is not.

use std::time::Duration;

use muster_model::{MeetingId, SessionId, Timestamp, app::Scope, session::Session};

use super::{connected, sessions::end};
use crate::{Conn, Store, StoreError, params, participants::MeetingScope, sessions};

/// Sessions that one transaction ends at most.
const PIECE: i64 = 20;

/// A live session and its room's meeting.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LiveRoom {
    /// The meeting.
    pub at: MeetingScope,
    /// The meeting it is a breakout room of.
    pub parent: Option<MeetingId>,
    /// Its live session.
    pub session: SessionId,
}

/// A session that was ended because its room had been silent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Closed {
    /// The meeting.
    pub at: MeetingScope,
    /// The session, as it is now.
    pub session: Session,
}

type LiveRow = (String, String, String, String, i64, Option<String>);

fn live_room((session, meeting, app, account, _, parent): &LiveRow) -> Result<LiveRoom, StoreError> {
    Ok(LiveRoom {
        at: MeetingScope {
            scope: Scope {
                account: account.parse()?,
                app: app.parse()?,
            },
            meeting: meeting.parse()?,
        },
        parent: parent.as_deref().map(str::parse).transpose()?,
        session: session.parse()?,
    })
}

macro_rules! select_live {
    ($rest:literal) => {
        concat!(
            "SELECT s.id, s.meeting_id, s.app_id, a.account_id, s.heartbeat_at, m.parent_id FROM sessions s ",
            "JOIN apps a ON a.id = s.app_id LEFT JOIN meetings m ON m.id = s.meeting_id ",
            "WHERE s.status = 'LIVE' AND ",
            $rest
        )
    };
}

/// Ends sessions that were last known to be alive more than `older_than` before `now`, at the time when they
/// were: all who were inside leave then, and breakout rooms are given up. A bounded number of them, the
/// longest silent first: call it again until it answers none.
pub async fn close_stale(
    conn: &mut Conn,
    now: Timestamp,
    older_than: Duration,
) -> Result<Vec<Closed>, StoreError> {
    let rows: Vec<LiveRow> = conn
        .fetch_all(
            select_live!("s.heartbeat_at < $1 ORDER BY s.heartbeat_at, s.id LIMIT $2"),
            params![now.minus(older_than), PIECE],
        )
        .await?;
    let mut closed = Vec::new();
    for row in rows {
        let LiveRoom { at, session, .. } = live_room(&row)?;
        let alive_at = Timestamp::from_micros(row.4);
        // Not where it came to life again, or another node was quicker.
        if end(conn, &at, session, alive_at, Some(alive_at)).await? {
            connected::give_up_all(conn, &at).await?;
            let session = sessions::load(conn, &at.scope, session).await?;
            closed.push(Closed { at, session });
        }
    }
    Ok(closed)
}

impl Store {
    /// Notes that the rooms of a node are alive, and counts the time that those inside have stayed since
    /// their last heartbeat. Answers how many sessions the node has.
    pub async fn heartbeat(&self, node: &str, now: Timestamp) -> Result<u64, StoreError> {
        let node = node.to_owned();
        self.write(move |conn| {
            Box::pin(async move {
                conn.execute(
                    "UPDATE sessions SET heartbeat_at = $2, \
                     connected_micros = connected_micros + live_participants * ($2 - heartbeat_at) \
                     WHERE node = $1 AND status = 'LIVE' AND heartbeat_at <= $2",
                    params![node, now],
                )
                .await
            })
        })
        .await
    }

    /// Makes the live session of a meeting this node's, where it is another's that has not noted it as alive
    /// since `silent_since`. Answers false where the other one is still there: the room must not begin.
    pub async fn take_over(
        &self,
        at: &MeetingScope,
        node: &str,
        silent_since: Timestamp,
    ) -> Result<bool, StoreError> {
        macro_rules! elsewhere {
            ($before:literal) => {
                concat!(
                    $before,
                    " WHERE meeting_id = $1 AND status = 'LIVE' AND (node IS NULL OR node <> $4) ",
                    "AND app_id = (SELECT id FROM apps WHERE id = $2 AND account_id = $3)"
                )
            };
        }
        let mut values = at.params();
        values.extend(params![node]);
        let elsewhere: Option<(i64,)> = self
            .read()
            .await?
            .fetch_optional(elsewhere!("SELECT heartbeat_at FROM sessions"), values.clone())
            .await?;
        if elsewhere.is_none() {
            return Ok(true);
        }
        values.extend(params![silent_since]);
        let taken = self
            .write(move |conn| {
                Box::pin(async move {
                    conn.execute(
                        concat!(
                            elsewhere!("UPDATE sessions SET node = $4"),
                            " AND (node IS NULL OR heartbeat_at < $5)"
                        ),
                        values,
                    )
                    .await
                })
            })
            .await?;
        Ok(taken > 0)
    }

    /// The live sessions of a node, in the order in which they began.
    pub async fn live_sessions_of(&self, node: &str) -> Result<Vec<LiveRoom>, StoreError> {
        let rows: Vec<LiveRow> = self
            .read()
            .await?
            .fetch_all(
                select_live!("s.node = $1 ORDER BY s.started_at, s.id"),
                params![node],
            )
            .await?;
        rows.iter().map(live_room).collect()
    }

    /// [`close_stale`] in transactions of its own, until none is left.
    pub async fn close_stale_sessions(
        &self,
        now: Timestamp,
        older_than: Duration,
    ) -> Result<Vec<Closed>, StoreError> {
        let mut closed = Vec::new();
        loop {
            let piece = self
                .write(move |conn| Box::pin(close_stale(conn, now, older_than)))
                .await?;
            if piece.is_empty() {
                return Ok(closed);
            }
            closed.extend(piece);
        }
    }

    /// Whether a session is live that was not noted as alive since.
    pub async fn has_stale_sessions(&self, since: Timestamp) -> Result<bool, StoreError> {
        let row: Option<(i64,)> = self
            .read()
            .await?
            .fetch_optional(
                "SELECT heartbeat_at FROM sessions WHERE status = 'LIVE' AND heartbeat_at < $1 LIMIT 1",
                params![since],
            )
            .await?;
        Ok(row.is_some())
    }
}
