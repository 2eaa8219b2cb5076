//! Removal of what has expired or lost its owner, a bounded piece at a time.

use std::time::Duration;

use muster_model::{AppId, MeetingId, Timestamp, WebhookId};

use crate::{Conn, Store, StoreError, deliveries, params};

/// How long answers are kept for repeated requests.
pub const IDEMPOTENCY_TTL: Duration = Duration::from_secs(24 * 3600);
/// How long a revoked or expired API token is kept, so that its past use can be explained.
pub const DEAD_TOKEN_TTL: Duration = Duration::from_secs(30 * 24 * 3600);
/// Rows that one transaction removes at most, so that other writes need not wait for long.
const PIECE: i64 = 500;

/// Records whose owner is gone.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Purge {
    /// What belonged to an app.
    App(AppId),
    /// What belonged to a meeting.
    Meeting(MeetingId),
    /// What a webhook was told, and was to be told.
    Webhook(WebhookId),
}

/// Notes that records are to be removed, in the transaction that deletes their owner.
pub async fn schedule(conn: &mut Conn, what: Purge, now: Timestamp) -> Result<(), StoreError> {
    let (kind, payload) = match what {
        Purge::App(id) => ("purge_app", id.to_string()),
        Purge::Meeting(id) => ("purge_meeting", id.to_string()),
        Purge::Webhook(id) => ("purge_webhook", id.to_string()),
    };
    conn.execute(
        "INSERT INTO jobs (id, kind, payload, run_at, created_at) VALUES ($1, $2, $3, $4, $4)",
        params![uuid::Uuid::now_v7().to_string(), kind, payload, now],
    )
    .await
    .map(|_| ())
}

impl Store {
    /// Removes what expired before `now`, then what has lost its owner, until nothing is left or `enough`
    /// says so. Answers how many rows went.
    pub async fn purge(&self, now: Timestamp, enough: impl Fn() -> bool) -> Result<u64, StoreError> {
        let mut removed = 0;
        loop {
            if enough() {
                return Ok(removed);
            }
            let piece = self.write(move |conn| Box::pin(purge_piece(conn, now))).await?;
            removed += piece;
            if piece == 0 {
                return Ok(removed);
            }
        }
    }

    /// Removes the chat and the polls of sessions that ended more than `keep` before `now`, until nothing is
    /// left or `enough` says so. The chat of a meeting that persists it stays; where it ceases to, or the
    /// meeting is deleted, it goes within another `keep`. Answers how many rows went.
    pub async fn purge_chat(
        &self,
        now: Timestamp,
        keep: Duration,
        enough: impl Fn() -> bool,
    ) -> Result<u64, StoreError> {
        let mut removed = 0;
        while !enough() {
            let piece = self
                .write(move |conn| Box::pin(purge_chat_piece(conn, now, now.minus(keep))))
                .await?;
            let Some(piece) = piece else {
                break;
            };
            removed += piece;
        }
        Ok(removed)
    }
}

/// Takes a piece of the chat of the session that has waited longest; none where none has waited long enough.
async fn purge_chat_piece(
    conn: &mut Conn,
    now: Timestamp,
    ended_before: Timestamp,
) -> Result<Option<u64>, StoreError> {
    let due: Option<(String, i64)> = conn
        .fetch_optional(
            "SELECT s.id, CAST(CASE WHEN EXISTS (SELECT 1 FROM meetings m WHERE m.id = s.meeting_id \
             AND m.persist_chat) THEN 1 ELSE 0 END AS BIGINT) FROM sessions s \
             WHERE s.retained_since < $1 ORDER BY s.retained_since LIMIT 1",
            params![ended_before],
        )
        .await?;
    let Some((session, persists)) = due else {
        return Ok(None);
    };
    let mut removed = conn
        .execute(
            "DELETE FROM polls WHERE id IN (SELECT id FROM polls WHERE session_id = $1 LIMIT $2)",
            params![&session, PIECE],
        )
        .await?;
    if removed == 0 && persists == 0 {
        removed = conn
            .execute(
                "DELETE FROM chat_messages WHERE id IN ( \
                 SELECT id FROM chat_messages WHERE session_id = $1 LIMIT $2)",
                params![&session, PIECE],
            )
            .await?;
    }
    if removed == 0 {
        // Chat that persists is looked at again, since the meeting may change.
        let again = (persists == 1).then_some(now);
        conn.execute(
            "UPDATE sessions SET retained_since = $2 WHERE id = $1",
            params![&session, again],
        )
        .await?;
    }
    Ok(Some(removed))
}

async fn purge_piece(conn: &mut Conn, now: Timestamp) -> Result<u64, StoreError> {
    let answers = conn
        .execute(
            "DELETE FROM idempotency_keys WHERE id IN ( \
             SELECT id FROM idempotency_keys WHERE created_at < $1 LIMIT $2)",
            params![now.minus(IDEMPOTENCY_TTL), PIECE],
        )
        .await?;
    let tokens = conn
        .execute(
            "DELETE FROM api_tokens WHERE id IN ( \
             SELECT id FROM api_tokens WHERE expires_at < $1 OR revoked_at < $1 LIMIT $2)",
            params![now.minus(DEAD_TOKEN_TTL), PIECE],
        )
        .await?;
    let told = conn
        .execute(
            "DELETE FROM deliveries WHERE id IN ( \
             SELECT id FROM deliveries WHERE finished_at < $1 LIMIT $2)",
            params![now.minus(deliveries::KEEP), PIECE],
        )
        .await?;
    let lanes = conn
        .execute(
            "DELETE FROM delivery_lanes WHERE pending = 0 AND (webhook_id, session_id) IN ( \
             SELECT webhook_id, session_id FROM delivery_lanes WHERE pending = 0 AND updated_at < $1 LIMIT $2)",
            params![now.minus(deliveries::KEEP_LANE), PIECE],
        )
        .await?;
    Ok(answers + tokens + told + lanes + purge_orphans(conn).await?)
}

async fn purge_orphans(conn: &mut Conn) -> Result<u64, StoreError> {
    let job: Option<(String, String, String)> = conn
        .fetch_optional(
            "SELECT id, kind, payload FROM jobs WHERE kind IN ('purge_app', 'purge_meeting', 'purge_webhook') \
             ORDER BY run_at, id LIMIT 1",
            params![],
        )
        .await?;
    let Some((job, kind, owner)) = job else {
        return Ok(0);
    };
    let steps: &[&'static str] = match kind.as_str() {
        "purge_meeting" => &[
            // The bytes of files are removed by the job that removes expired ones.
            "UPDATE files SET expires_at = 0 WHERE id IN ( \
             SELECT id FROM files WHERE meeting_id = $1 AND expires_at > 0 LIMIT $2)",
            "UPDATE files SET expires_at = 0 WHERE id IN ( \
             SELECT f.id FROM meetings m JOIN files f ON f.meeting_id = m.id \
             WHERE m.parent_id = $1 AND f.expires_at > 0 LIMIT $2)",
            "DELETE FROM participants WHERE id IN ( \
             SELECT id FROM participants WHERE meeting_id = $1 LIMIT $2)",
            "DELETE FROM participants WHERE id IN ( \
             SELECT p.id FROM meetings m JOIN participants p ON p.meeting_id = m.id WHERE m.parent_id = $1 LIMIT $2)",
            "DELETE FROM meetings WHERE id IN (SELECT id FROM meetings WHERE parent_id = $1 LIMIT $2)",
        ],
        "purge_webhook" => &[
            "DELETE FROM deliveries WHERE id IN (SELECT id FROM deliveries WHERE webhook_id = $1 LIMIT $2)",
            "DELETE FROM delivery_lanes WHERE webhook_id = $1 AND session_id IN ( \
             SELECT session_id FROM delivery_lanes WHERE webhook_id = $1 LIMIT $2)",
        ],
        _ => &[
            "UPDATE files SET expires_at = 0 WHERE id IN ( \
             SELECT id FROM files WHERE app_id = $1 AND expires_at > 0 LIMIT $2)",
            "DELETE FROM participants WHERE id IN ( \
             SELECT p.id FROM meetings m JOIN participants p ON p.meeting_id = m.id \
             WHERE m.app_id = $1 AND m.parent_id IS NULL LIMIT $2)",
            "DELETE FROM participants WHERE id IN ( \
             SELECT p.id FROM meetings m JOIN participants p ON p.meeting_id = m.id \
             WHERE m.app_id = $1 AND m.parent_id IS NOT NULL LIMIT $2)",
            "DELETE FROM meetings WHERE id IN ( \
             SELECT id FROM meetings WHERE app_id = $1 AND parent_id IS NULL LIMIT $2)",
            "DELETE FROM meetings WHERE id IN ( \
             SELECT id FROM meetings WHERE app_id = $1 AND parent_id IS NOT NULL LIMIT $2)",
            "DELETE FROM deliveries WHERE id IN (SELECT d.id FROM webhooks w \
             JOIN deliveries d ON d.webhook_id = w.id WHERE w.app_id = $1 LIMIT $2)",
            "DELETE FROM delivery_lanes WHERE (webhook_id, session_id) IN ( \
             SELECT l.webhook_id, l.session_id FROM webhooks w \
             JOIN delivery_lanes l ON l.webhook_id = w.id WHERE w.app_id = $1 LIMIT $2)",
            "DELETE FROM webhooks WHERE id IN (SELECT id FROM webhooks WHERE app_id = $1 LIMIT $2)",
            // A preset that a participant of an earlier deleted meeting still has stays.
            "DELETE FROM presets WHERE id IN ( \
             SELECT pr.id FROM presets pr LEFT JOIN participants p ON p.preset_id = pr.id \
             WHERE pr.app_id = $1 AND p.id IS NULL LIMIT $2)",
        ],
    };
    for step in steps {
        let removed = conn.execute(step, params![&owner, PIECE]).await?;
        if removed > 0 {
            return Ok(removed);
        }
    }
    conn.execute("DELETE FROM jobs WHERE id = $1", params![job]).await
}
