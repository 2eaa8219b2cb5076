//! Taking deliveries in their turn, and noting what came of them.
//!
//! A lane is due when its first delivery may be tried. A claim moves the due time to where the claim lapses,
//! so a process that dies holds nothing up for longer than that; one that starts again releases its claims at
//! once. An attempt that was cut short counts as an attempt, but not against the retry schedule.

use std::{collections::BTreeMap, fmt::Write, time::Duration};

use muster_model::{DeliveryId, Timestamp, WebhookId};

use super::KEEP_ATTEMPTS;
use crate::{Conn, Param, Store, StoreError, params};

/// A delivery that this process is to try now.
#[derive(Debug, Clone)]
pub struct Claim {
    /// The delivery.
    pub delivery: DeliveryId,
    /// The webhook.
    pub webhook: WebhookId,
    /// Where it goes.
    pub url: String,
    /// What is sent.
    pub body: String,
    /// Which attempt this is, from 1.
    pub number: i64,
    /// Attempts that failed since it was queued.
    pub failures: u32,
    session: String,
    token: String,
}

/// How much may be claimed at once.
#[derive(Debug, Clone)]
pub struct Room {
    /// In all.
    pub total: usize,
    /// For one webhook.
    pub per_webhook: usize,
    /// What of that is taken already.
    pub in_flight: BTreeMap<WebhookId, usize>,
}

/// What came of an attempt.
#[derive(Debug, Clone)]
pub enum Verdict {
    /// The endpoint took it.
    Delivered,
    /// It is to be tried again then.
    Retry(Timestamp),
    /// It is given up. `endpoint_failed`: since the endpoint does not work, rather than that it refused this.
    Failed {
        /// Whether it counts against the endpoint.
        endpoint_failed: bool,
    },
}

/// What is noted of an attempt.
#[derive(Debug, Clone)]
pub struct Outcome {
    /// What comes of it.
    pub verdict: Verdict,
    /// How long it took.
    pub duration: Duration,
    /// The HTTP status of the answer.
    pub response_status: Option<u16>,
    /// The beginning of the answer's body.
    pub response_body: Option<String>,
    /// Why it failed.
    pub error: Option<String>,
}

/// How an endpoint that keeps failing is slowed down.
#[derive(Debug, Clone, Copy)]
pub struct Slowing {
    /// So many failures in a row are borne.
    pub bears: u32,
    /// The first pause; each further failure after it doubles it.
    pub first: Duration,
    /// The longest pause.
    pub longest: Duration,
}

impl Slowing {
    /// The pause after so many failures in a row.
    fn pause(&self, failures: i64) -> Option<Duration> {
        let beyond = u32::try_from(failures - i64::from(self.bears)).ok()?;
        Some(self.first.saturating_mul(1 << beyond.min(16)).min(self.longest))
    }
}

/// Lanes looked at by one statement.
const BATCH: i64 = 64;
/// Deliveries that one transaction gives up at most.
const GIVE_UP: i64 = 500;

impl Store {
    /// When the next lane is due, or a claim lapses; none where nothing waits.
    pub async fn next_delivery_at(&self) -> Result<Option<Timestamp>, StoreError> {
        let (due,): (Option<i64>,) = self
            .read()
            .await?
            .fetch_one(
                "SELECT MIN(due_at) FROM delivery_lanes WHERE due_at IS NOT NULL",
                params![],
            )
            .await?;
        Ok(due.map(Timestamp::from_micros))
    }
}

/// Releases what an earlier life of the process `node` had claimed; answers how many.
pub async fn release(conn: &mut Conn, node: &str, now: Timestamp) -> Result<u64, StoreError> {
    conn.execute(
        "UPDATE delivery_lanes SET due_at = $1, claim = NULL, claimed_by = NULL WHERE claimed_by = $2",
        params![now, node],
    )
    .await
}

/// Claims deliveries that are due, the longest due first. Each counts as attempted from now on; the claims
/// lapse at `until`.
pub async fn claim(
    conn: &mut Conn,
    node: &str,
    mut room: Room,
    now: Timestamp,
    until: Timestamp,
) -> Result<Vec<Claim>, StoreError> {
    let mut claims = Vec::new();
    loop {
        let lanes = due_lanes(conn, &room, now).await?;
        let more = lanes.len() == usize::try_from(BATCH).unwrap_or(usize::MAX);
        let mut passed_over = false;
        for (webhook, session) in lanes {
            if room.total == 0 {
                return Ok(claims);
            }
            let webhook: WebhookId = webhook.parse()?;
            let taken = room.in_flight.entry(webhook).or_default();
            if *taken >= room.per_webhook {
                passed_over = true;
                continue;
            }
            if let Some(claim) = claim_lane(conn, node, webhook, session, now, until).await? {
                *taken += 1;
                room.total -= 1;
                claims.push(claim);
            }
        }
        // Lanes of a webhook that has its fill by now may have hidden others.
        if !(more && passed_over) {
            return Ok(claims);
        }
    }
}

async fn due_lanes(
    conn: &mut Conn,
    room: &Room,
    now: Timestamp,
) -> Result<Vec<(String, String)>, StoreError> {
    let mut sql =
        "SELECT webhook_id, session_id FROM delivery_lanes WHERE due_at <= $1 AND webhook_id NOT IN (''"
            .to_owned();
    let mut values = params![now];
    for (webhook, taken) in &room.in_flight {
        if *taken >= room.per_webhook {
            values.push(Param::from(webhook));
            let _ = write!(sql, ", ${}", values.len());
        }
    }
    values.push(Param::from(BATCH));
    let _ = write!(sql, ") ORDER BY due_at LIMIT ${}", values.len());
    if matches!(conn, Conn::Postgres(_)) {
        sql.push_str(" FOR UPDATE SKIP LOCKED");
    }
    conn.fetch_all_built(sql, values).await
}

#[derive(sqlx::FromRow)]
struct HeadRow {
    id: String,
    body: String,
    attempts: i64,
    failures: i64,
    url: Option<String>,
    enabled: Option<bool>,
}

async fn claim_lane(
    conn: &mut Conn,
    node: &str,
    webhook: WebhookId,
    session: String,
    now: Timestamp,
    until: Timestamp,
) -> Result<Option<Claim>, StoreError> {
    let head: Option<HeadRow> = conn
        .fetch_optional(
            "SELECT d.id, d.body, d.attempts, d.failures, w.url, w.enabled FROM deliveries d \
             LEFT JOIN webhooks w ON w.id = d.webhook_id \
             WHERE d.webhook_id = $1 AND d.session_id = $2 AND d.status = 'PENDING' ORDER BY d.seq LIMIT 1",
            params![webhook, &session],
        )
        .await?;
    let (head, url) = match head {
        Some(head) if head.enabled == Some(true) => {
            let url = head.url.clone().unwrap_or_default();
            (head, url)
        }
        Some(_) => {
            give_up(conn, webhook, &session, now).await?;
            return Ok(None);
        }
        // Its webhook was deleted, and the deliveries with it.
        None => {
            conn.execute(
                "DELETE FROM delivery_lanes WHERE webhook_id = $1 AND session_id = $2",
                params![webhook, &session],
            )
            .await?;
            return Ok(None);
        }
    };
    let (number, token) = (head.attempts + 1, uuid::Uuid::new_v4().to_string());
    conn.execute(
        "UPDATE delivery_lanes SET due_at = $1, claim = $2, claimed_by = $3 \
         WHERE webhook_id = $4 AND session_id = $5",
        params![until, &token, node, webhook, &session],
    )
    .await?;
    conn.execute(
        "UPDATE deliveries SET attempts = $1, next_attempt_at = NULL, updated_at = $2 WHERE id = $3",
        params![number, now, &head.id],
    )
    .await?;
    conn.execute(
        "INSERT INTO delivery_attempts (delivery_id, number, started_at) VALUES ($1, $2, $3)",
        params![&head.id, number, now],
    )
    .await?;
    if number > KEEP_ATTEMPTS {
        conn.execute(
            "DELETE FROM delivery_attempts WHERE delivery_id = $1 AND number <= $2",
            params![&head.id, number - KEEP_ATTEMPTS],
        )
        .await?;
    }
    Ok(Some(Claim {
        delivery: head.id.parse()?,
        webhook,
        url,
        body: head.body,
        number,
        failures: u32::try_from(head.failures).unwrap_or(u32::MAX),
        session,
        token,
    }))
}

/// Gives up what waits in the lane of a webhook that was disabled or deleted, so many at a time.
async fn give_up(
    conn: &mut Conn,
    webhook: WebhookId,
    session: &str,
    now: Timestamp,
) -> Result<(), StoreError> {
    let given_up = conn
        .execute(
            "UPDATE deliveries SET status = 'FAILED', error = 'the webhook was disabled', next_attempt_at = NULL, \
             finished_at = $1, updated_at = $1 WHERE id IN (SELECT id FROM deliveries \
             WHERE webhook_id = $2 AND session_id = $3 AND status = 'PENDING' ORDER BY seq LIMIT $4)",
            params![now, webhook, session, GIVE_UP],
        )
        .await?;
    advance(
        conn,
        webhook,
        session,
        i64::try_from(given_up).unwrap_or(i64::MAX),
        now,
    )
    .await
}

/// Takes so many deliveries off a lane's count, and makes it due again if more wait.
async fn advance(
    conn: &mut Conn,
    webhook: WebhookId,
    session: &str,
    done: i64,
    due: Timestamp,
) -> Result<(), StoreError> {
    conn.execute(
        "UPDATE delivery_lanes SET pending = pending - $1, claim = NULL, claimed_by = NULL, \
         due_at = CASE WHEN pending > $1 THEN $2 ELSE NULL END WHERE webhook_id = $3 AND session_id = $4",
        params![done, due, webhook, session],
    )
    .await
    .map(|_| ())
}

/// Notes what came of an attempt and lets the lane go on. A claim that has lapsed changes nothing.
pub async fn finish(
    conn: &mut Conn,
    claim: &Claim,
    outcome: &Outcome,
    slowing: Slowing,
    now: Timestamp,
) -> Result<(), StoreError> {
    // The webhook before the lane, as a pause takes them: see `endpoint_failed`.
    let paused = match outcome.verdict {
        Verdict::Delivered => {
            endpoint_works(conn, claim.webhook).await?;
            None
        }
        Verdict::Retry(_)
        | Verdict::Failed {
            endpoint_failed: true,
        } => endpoint_failed(conn, claim.webhook, slowing, now).await?,
        Verdict::Failed {
            endpoint_failed: false,
        } => None,
    };
    conn.lock_rows(
        "SELECT 1 FROM delivery_lanes WHERE webhook_id = $1 AND session_id = $2 FOR UPDATE",
        || params![claim.webhook, &claim.session],
    )
    .await?;
    let ours: Option<(i64,)> = conn
        .fetch_optional(
            "SELECT pending FROM delivery_lanes WHERE webhook_id = $1 AND session_id = $2 AND claim = $3",
            params![claim.webhook, &claim.session, &claim.token],
        )
        .await?;
    if ours.is_none() {
        return Ok(());
    }
    let response_status = outcome.response_status.map(i64::from);
    conn.execute(
        "UPDATE delivery_attempts SET duration_micros = $1, response_status = $2, response_body = $3, error = $4 \
         WHERE delivery_id = $5 AND number = $6",
        params![
            i64::try_from(outcome.duration.as_micros()).unwrap_or(i64::MAX),
            response_status,
            &outcome.response_body,
            &outcome.error,
            claim.delivery,
            claim.number
        ],
    )
    .await?;
    let not_before = paused.unwrap_or(now);
    let (status, failed, next) = match outcome.verdict {
        Verdict::Delivered => ("DELIVERED", 0_i64, None),
        Verdict::Retry(at) => ("PENDING", 1, Some(at.max(not_before))),
        Verdict::Failed { .. } => ("FAILED", 1, None),
    };
    conn.execute(
        "UPDATE deliveries SET status = $1, failures = failures + $2, response_status = $3, error = $4, \
         next_attempt_at = $5, finished_at = $6, updated_at = $7 WHERE id = $8",
        params![
            status,
            failed,
            response_status,
            &outcome.error,
            next,
            next.is_none().then_some(now),
            now,
            claim.delivery
        ],
    )
    .await?;
    match next {
        Some(at) => advance(conn, claim.webhook, &claim.session, 0, at).await,
        None => advance(conn, claim.webhook, &claim.session, 1, not_before).await,
    }
}

async fn endpoint_works(conn: &mut Conn, webhook: WebhookId) -> Result<(), StoreError> {
    conn.execute(
        "UPDATE webhooks SET failures_in_a_row = 0, paused_until = NULL \
         WHERE id = $1 AND (failures_in_a_row > 0 OR paused_until IS NOT NULL)",
        params![webhook],
    )
    .await
    .map(|_| ())
}

/// Counts a failure against an endpoint; answers until when it is left alone, if it is.
async fn endpoint_failed(
    conn: &mut Conn,
    webhook: WebhookId,
    slowing: Slowing,
    now: Timestamp,
) -> Result<Option<Timestamp>, StoreError> {
    // Attempts that were under way when the pause began say nothing new.
    let counted: Option<(i64,)> = conn
        .fetch_optional(
            "UPDATE webhooks SET failures_in_a_row = failures_in_a_row + 1 \
             WHERE id = $1 AND (paused_until IS NULL OR paused_until <= $2) RETURNING failures_in_a_row",
            params![webhook, now],
        )
        .await?;
    let Some((failures,)) = counted else {
        let row: Option<(Option<i64>,)> = conn
            .fetch_optional(
                "SELECT paused_until FROM webhooks WHERE id = $1",
                params![webhook],
            )
            .await?;
        return Ok(row.and_then(|(until,)| until).map(Timestamp::from_micros));
    };
    let Some(pause) = slowing.pause(failures) else {
        return Ok(None);
    };
    let until = now.plus(pause);
    conn.execute(
        "UPDATE webhooks SET paused_until = $1 WHERE id = $2",
        params![until, webhook],
    )
    .await?;
    conn.execute(
        "UPDATE delivery_lanes SET due_at = $1 WHERE webhook_id = $2 AND due_at < $1 AND claim IS NULL",
        params![until, webhook],
    )
    .await?;
    Ok(Some(until))
}
