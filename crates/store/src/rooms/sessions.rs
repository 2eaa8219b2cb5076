//! The beginning and the end of a session.

use muster_model::{SessionId, Timestamp, session::SessionKind};

use super::session_params;
use crate::{Conn, StoreError, params, participants::MeetingScope, search_text, sessions};

pub(super) struct NewSession<'a> {
    pub(super) id: SessionId,
    pub(super) parent: Option<SessionId>,
    pub(super) kind: SessionKind,
    pub(super) title: Option<&'a str>,
    pub(super) time: Timestamp,
}

pub(super) async fn start(
    conn: &mut Conn,
    at: &MeetingScope,
    node: &str,
    new: &NewSession<'_>,
) -> Result<bool, StoreError> {
    // So that neither meeting nor app is deleted without seeing the session.
    conn.lock_rows(
        "SELECT m.id FROM meetings m JOIN apps a ON a.id = m.app_id \
         WHERE m.id = $1 AND a.id = $2 AND a.account_id = $3 FOR KEY SHARE",
        || at.params(),
    )
    .await?;
    let mut values = at.params();
    values.extend(params![
        new.id,
        new.parent,
        new.kind.as_str(),
        new.title,
        search_text([new.title]),
        new.time,
        node
    ]);
    // A violation of uniqueness would spoil the transaction on PostgreSQL.
    let made = conn
        .execute(
            "INSERT INTO sessions (id, app_id, meeting_id, parent_session_id, type, status, title, search_text, \
             live_participants, max_concurrent_participants, connected_micros, started_at, heartbeat_at, \
             created_at, updated_at, node) \
             SELECT $4, a.id, m.id, (SELECT s.id FROM sessions s WHERE s.id = $5 AND s.app_id = a.id), \
             $6, 'LIVE', $7, $8, 0, 0, 0, $9, $9, $9, $9, $10 \
             FROM meetings m JOIN apps a ON a.id = m.app_id \
             WHERE m.id = $1 AND a.id = $2 AND a.account_id = $3 AND a.deleted_at IS NULL \
             ON CONFLICT DO NOTHING",
            values,
        )
        .await?;
    if made > 0 {
        return Ok(true);
    }
    match sessions::active(conn, at).await? {
        Some(live) if live.id == new.id => Ok(false),
        Some(_) => Err(StoreError::Conflict(
            "Another session of the meeting is live".into(),
        )),
        None => Err(StoreError::NotFound("Meeting")),
    }
}

/// The goings of all who are inside; `$uuid` makes the id of each.
macro_rules! insert_goings {
    ($uuid:literal) => {
        concat!(
            "INSERT INTO peer_events (id, peer_id, participant_id, session_id, preset_view_type, event_name, ",
            "connected_micros, created_at, updated_at) SELECT ",
            $uuid,
            ", p.id, p.participant_id, p.session_id, p.view_type, 'PEER_LEAVING', ",
            "CASE WHEN $2 > p.present_since THEN $2 - p.present_since ELSE 0 END, ",
            "CASE WHEN $2 > p.present_since THEN $2 ELSE p.present_since END, ",
            "CASE WHEN $2 > p.present_since THEN $2 ELSE p.present_since END ",
            "FROM peers p WHERE p.session_id = $1 AND p.present_since IS NOT NULL"
        )
    };
}

/// Ends a session that is live (and whose heartbeat is `seen`, if that is given). Those still inside leave at
/// that time.
pub(super) async fn end(
    conn: &mut Conn,
    at: &MeetingScope,
    session: SessionId,
    time: Timestamp,
    seen: Option<Timestamp>,
) -> Result<bool, StoreError> {
    let ended = conn
        .execute(
            "UPDATE sessions SET status = 'ENDED', live_participants = 0, updated_at = $5, \
             ended_at = CASE WHEN $5 > started_at THEN $5 ELSE started_at END, \
             heartbeat_at = CASE WHEN $5 > started_at THEN $5 ELSE started_at END, \
             retained_since = CASE WHEN EXISTS (SELECT 1 FROM chat_messages c WHERE c.session_id = $1) \
             OR EXISTS (SELECT 1 FROM polls p WHERE p.session_id = $1) THEN $5 END \
             WHERE id = $1 AND meeting_id = $2 AND status = 'LIVE' \
             AND app_id = (SELECT id FROM apps WHERE id = $3 AND account_id = $4) \
             AND ($6 IS NULL OR heartbeat_at = $6)",
            session_params(at, session, params![time, seen]),
        )
        .await?;
    if ended == 0 {
        return Ok(false);
    }
    let goings = match conn {
        Conn::Sqlite(_) => insert_goings!(
            "lower(hex(randomblob(4)) || '-' || hex(randomblob(2)) || '-4' || substr(hex(randomblob(2)), 2) \
             || '-8' || substr(hex(randomblob(2)), 2) || '-' || hex(randomblob(6)))"
        ),
        Conn::Postgres(_) => insert_goings!("CAST(gen_random_uuid() AS TEXT)"),
    };
    conn.execute(goings, params![session, time]).await?;
    conn.execute(
        "UPDATE peers SET left_at = CASE WHEN $2 > present_since THEN $2 ELSE present_since END, \
         connected_micros = connected_micros + CASE WHEN $2 > present_since THEN $2 - present_since ELSE 0 END, \
         present_since = NULL, updated_at = $2 WHERE session_id = $1 AND present_since IS NOT NULL",
        params![session, time],
    )
    .await?;
    conn.execute(
        "UPDATE sessions SET connected_micros = COALESCE((SELECT CAST(SUM(p.connected_micros) AS BIGINT) \
         FROM peers p WHERE p.session_id = $1), 0) WHERE id = $1",
        params![session],
    )
    .await?;
    Ok(true)
}
