//! What webhooks are told: queued in the transaction of its cause, kept as a log.
//!
//! Deliveries of one webhook and one session stand in a lane and are made one at a time, in the order in
//! which they were queued. Lanes know nothing of each other. How they are worked through is in [`turns`].

use std::{collections::BTreeMap, time::Duration};

use muster_model::{
    AppId, DeliveryId, Page, PageRequest, SessionId, Timestamp, WebhookId,
    app::Scope,
    delivery::{Delivery, DeliveryAttempt, DeliveryStatus},
    webhook::WebhookEvent,
};

use crate::{Conn, Store, StoreError, filter::Conditions, params};

pub mod turns;

/// How long a finished delivery is kept.
pub const KEEP: Duration = Duration::from_secs(30 * 24 * 3600);
/// How long a lane is kept in which nothing waits.
pub const KEEP_LANE: Duration = Duration::from_secs(24 * 3600);
/// Attempts at one delivery that are kept.
const KEEP_ATTEMPTS: i64 = 20;

fn word(event: WebhookEvent) -> Result<String, StoreError> {
    match serde_json::to_value(event)? {
        serde_json::Value::String(word) => Ok(word),
        other => Err(StoreError::Corrupt(other.to_string())),
    }
}

/// How a lane names its session: with nothing where the event belongs to none.
fn lane_name(session: Option<SessionId>) -> String {
    session.map(|id| id.to_string()).unwrap_or_default()
}

/// Puts a delivery at the end of a lane; answers its place there.
async fn line_up(
    conn: &mut Conn,
    webhook: WebhookId,
    session: &str,
    due: Timestamp,
    now: Timestamp,
) -> Result<i64, StoreError> {
    // Locks the lane until the transaction ends, so places are given in the order of commits.
    let (seq,): (i64,) = conn
        .fetch_one(
            "INSERT INTO delivery_lanes (webhook_id, session_id, last_seq, pending, due_at, updated_at) \
             VALUES ($1, $2, 1, 1, $3, $4) \
             ON CONFLICT (webhook_id, session_id) DO UPDATE SET last_seq = delivery_lanes.last_seq + 1, \
             pending = delivery_lanes.pending + 1, due_at = COALESCE(delivery_lanes.due_at, excluded.due_at), \
             updated_at = excluded.updated_at RETURNING last_seq",
            params![webhook, session, due, now],
        )
        .await?;
    Ok(seq)
}

/// Queues an event for each enabled webhook of the app that wants it; answers for how many. To be called in the
/// transaction of the cause. `body` is the JSON that is sent, as it is.
///
/// The runner looks once a second; who wants it sooner wakes it after the commit.
pub async fn enqueue(
    conn: &mut Conn,
    app: AppId,
    session: Option<SessionId>,
    event: WebhookEvent,
    body: &str,
    now: Timestamp,
) -> Result<usize, StoreError> {
    let event_word = word(event)?;
    let quoted = format!("\"{event_word}\"");
    let session = lane_name(session);
    // Always in the same order: two transactions that wait for each other's lanes would never end.
    let webhooks: Vec<(String, String, Option<i64>)> = conn
        .fetch_all(
            "SELECT id, events, paused_until FROM webhooks WHERE app_id = $1 AND enabled ORDER BY id",
            params![app],
        )
        .await?;
    let mut queued = 0;
    for (webhook, events, paused) in webhooks {
        if !events.contains(&quoted) {
            continue;
        }
        let webhook: WebhookId = webhook.parse()?;
        let due = paused.map_or(now, |until| now.max(Timestamp::from_micros(until)));
        let seq = line_up(conn, webhook, &session, due, now).await?;
        conn.execute(
            "INSERT INTO deliveries (id, app_id, webhook_id, session_id, seq, event, body, status, created_at, \
             updated_at) VALUES ($1, $2, $3, $4, $5, $6, $7, 'PENDING', $8, $8)",
            params![
                // Time-ordered: the log shows those of one moment in the order in which they were queued.
                DeliveryId::from(uuid::Uuid::now_v7()),
                app,
                webhook,
                &session,
                seq,
                &event_word,
                body,
                now
            ],
        )
        .await?;
        queued += 1;
    }
    Ok(queued)
}

/// Queues a finished delivery once more, under the same id, at the end of its lane. One that is pending is a
/// conflict, and so is one of a webhook that is disabled.
pub async fn redeliver(
    conn: &mut Conn,
    scope: &Scope,
    webhook: WebhookId,
    id: DeliveryId,
    now: Timestamp,
) -> Result<Delivery, StoreError> {
    conn.lock_rows("SELECT id FROM deliveries WHERE id = $1 FOR UPDATE", || {
        params![id]
    })
    .await?;
    let enabled = webhook_enabled(conn, scope, webhook).await?;
    let before = load(conn, webhook, id).await?;
    if before.status == DeliveryStatus::Pending {
        return Err(StoreError::Conflict("The delivery is pending".into()));
    }
    if !enabled {
        return Err(StoreError::Conflict("The webhook is disabled".into()));
    }
    let session = lane_name(before.session_id);
    let seq = line_up(conn, webhook, &session, now, now).await?;
    conn.execute(
        "UPDATE deliveries SET status = 'PENDING', seq = $1, failures = 0, error = NULL, response_status = NULL, \
         next_attempt_at = NULL, finished_at = NULL, updated_at = $2 WHERE id = $3",
        params![seq, now, id],
    )
    .await?;
    load(conn, webhook, id).await
}

/// Lets a webhook's waiting deliveries be looked at now: they fail, since it was disabled.
pub(crate) async fn disabled(conn: &mut Conn, webhook: WebhookId, now: Timestamp) -> Result<(), StoreError> {
    conn.execute(
        "UPDATE delivery_lanes SET due_at = $1 WHERE webhook_id = $2 AND due_at > $1 AND claim IS NULL",
        params![now, webhook],
    )
    .await
    .map(|_| ())
}

async fn webhook_enabled(conn: &mut Conn, scope: &Scope, id: WebhookId) -> Result<bool, StoreError> {
    let row: Option<(bool,)> = conn
        .fetch_optional(
            "SELECT enabled FROM webhooks \
             WHERE id = $1 AND app_id = (SELECT id FROM apps WHERE id = $2 AND account_id = $3)",
            params![id, scope.app, &scope.account],
        )
        .await?;
    row.map(|(enabled,)| enabled)
        .ok_or(StoreError::NotFound("Webhook"))
}

#[derive(sqlx::FromRow)]
struct DeliveryRow {
    id: String,
    webhook_id: String,
    session_id: String,
    event: String,
    body: String,
    status: String,
    attempts: i64,
    response_status: Option<i64>,
    error: Option<String>,
    next_attempt_at: Option<i64>,
    finished_at: Option<i64>,
    created_at: i64,
    updated_at: i64,
}

impl TryFrom<DeliveryRow> for Delivery {
    type Error = StoreError;

    fn try_from(row: DeliveryRow) -> Result<Self, StoreError> {
        let session = Some(row.session_id).filter(|id| !id.is_empty());
        Ok(Self {
            id: row.id.parse()?,
            webhook_id: row.webhook_id.parse()?,
            session_id: session.map(|id| id.parse()).transpose()?,
            event: serde_json::from_value(row.event.into())?,
            body: row.body,
            status: DeliveryStatus::from_word(&row.status).ok_or(StoreError::Corrupt(row.status))?,
            attempt_count: row.attempts,
            attempts: Vec::new(),
            response_status: http_status(row.response_status),
            error: row.error,
            next_attempt_at: row.next_attempt_at.map(Timestamp::from_micros),
            finished_at: row.finished_at.map(Timestamp::from_micros),
            created_at: Timestamp::from_micros(row.created_at),
            updated_at: Timestamp::from_micros(row.updated_at),
        })
    }
}

fn http_status(stored: Option<i64>) -> Option<u16> {
    stored.and_then(|status| u16::try_from(status).ok())
}

const SELECT_DELIVERIES: &str = "SELECT id, webhook_id, session_id, event, body, status, attempts, \
    response_status, error, next_attempt_at, finished_at, created_at, updated_at FROM deliveries";

#[derive(sqlx::FromRow)]
struct AttemptRow {
    delivery_id: String,
    number: i64,
    started_at: i64,
    duration_micros: Option<i64>,
    response_status: Option<i64>,
    response_body: Option<String>,
    error: Option<String>,
}

async fn load(conn: &mut Conn, webhook: WebhookId, id: DeliveryId) -> Result<Delivery, StoreError> {
    let conditions = Conditions::new("id = $1 AND webhook_id = $2", params![id, webhook]);
    let (sql, values) = conditions.select(SELECT_DELIVERIES, "", vec![]);
    let rows: Vec<DeliveryRow> = conn.fetch_all_built(sql, values).await?;
    let row = rows.into_iter().next().ok_or(StoreError::NotFound("Delivery"))?;
    let mut found = vec![Delivery::try_from(row)?];
    add_attempts(conn, &mut found).await?;
    found.pop().ok_or(StoreError::NotFound("Delivery"))
}

/// Reads the attempts at some deliveries.
async fn add_attempts(conn: &mut Conn, deliveries: &mut [Delivery]) -> Result<(), StoreError> {
    let mut wanted = Conditions::new("number > $1", params![0_i64]);
    wanted.and_one_of("delivery_id", deliveries.iter().map(|one| one.id.into()));
    let (sql, values) = wanted.select(
        "SELECT delivery_id, number, started_at, duration_micros, response_status, response_body, error \
         FROM delivery_attempts",
        "ORDER BY delivery_id, number",
        vec![],
    );
    let mut of: BTreeMap<String, Vec<DeliveryAttempt>> = BTreeMap::new();
    for row in conn.fetch_all_built::<AttemptRow>(sql, values).await? {
        let duration = row.duration_micros.and_then(|micros| u64::try_from(micros).ok());
        of.entry(row.delivery_id).or_default().push(DeliveryAttempt {
            number: row.number,
            started_at: Timestamp::from_micros(row.started_at),
            duration: duration.map(Duration::from_micros),
            response_status: http_status(row.response_status),
            response_body: row.response_body,
            error: row.error,
        });
    }
    for delivery in deliveries {
        delivery.attempts = of.remove(&delivery.id.to_string()).unwrap_or_default();
    }
    Ok(())
}

impl Store {
    /// The deliveries to one webhook, newest first.
    pub async fn deliveries(
        &self,
        scope: &Scope,
        webhook: WebhookId,
        status: Option<DeliveryStatus>,
        page: PageRequest,
    ) -> Result<Page<Delivery>, StoreError> {
        let mut conn = self.read().await?;
        webhook_enabled(&mut conn, scope, webhook).await?;
        let mut conditions = Conditions::new("webhook_id = $1", params![webhook]);
        if let Some(status) = status {
            conditions.and("status = ?", params![status.as_str()]);
        }
        let total = conditions.count(&mut conn, "", "deliveries").await?;
        let (sql, values) = conditions.select(
            SELECT_DELIVERIES,
            "ORDER BY created_at DESC, id DESC LIMIT ? OFFSET ?",
            params![page.limit(), page.offset()],
        );
        let rows: Vec<DeliveryRow> = conn.fetch_all_built(sql, values).await?;
        let mut items = rows
            .into_iter()
            .map(TryInto::try_into)
            .collect::<Result<Vec<Delivery>, _>>()?;
        add_attempts(&mut conn, &mut items).await?;
        Ok(Page {
            items,
            info: page.info(total),
        })
    }
}
