//! Webhooks.

use muster_model::{
    Timestamp, WebhookId,
    app::Scope,
    webhook::{Webhook, WebhookSettings},
};

use crate::{
    Conn, Store, StoreError, params,
    purge::{self, Purge},
};

#[derive(sqlx::FromRow)]
struct WebhookRow {
    id: String,
    name: String,
    url: String,
    events: String,
    enabled: bool,
    created_at: i64,
    updated_at: i64,
}

impl TryFrom<WebhookRow> for Webhook {
    type Error = StoreError;

    fn try_from(row: WebhookRow) -> Result<Self, StoreError> {
        Ok(Self {
            id: row.id.parse()?,
            settings: WebhookSettings {
                name: row.name,
                url: row.url,
                events: serde_json::from_str(&row.events)?,
                enabled: row.enabled,
            },
            created_at: Timestamp::from_micros(row.created_at),
            updated_at: Timestamp::from_micros(row.updated_at),
        })
    }
}

macro_rules! select_webhooks {
    ($rest:literal) => {
        concat!(
            "SELECT id, name, url, events, enabled, created_at, updated_at FROM webhooks ",
            "WHERE app_id = (SELECT id FROM apps WHERE id = $1 AND account_id = $2) ",
            $rest
        )
    };
}

fn taken(name: &str) -> StoreError {
    StoreError::Conflict(format!("A webhook with name {name} already exists"))
}

/// Webhooks of one app at most: their list has no pages, and each event goes to all of them.
const MAX_PER_APP: i64 = 100;

/// Makes a webhook; a taken name is a conflict.
pub async fn create(
    conn: &mut Conn,
    scope: &Scope,
    settings: WebhookSettings,
    now: Timestamp,
) -> Result<Webhook, StoreError> {
    let (count,): (i64,) = conn
        .fetch_one(
            "SELECT COUNT(*) FROM webhooks WHERE app_id = (SELECT id FROM apps WHERE id = $1 AND account_id = $2)",
            params![scope.app, &scope.account],
        )
        .await?;
    if count >= MAX_PER_APP {
        return Err(StoreError::Conflict(format!(
            "An app has at most {MAX_PER_APP} webhooks"
        )));
    }
    let id = WebhookId::random();
    let made = conn
        .execute(
            "INSERT INTO webhooks (id, name, url, events, enabled, created_at, updated_at, app_id) \
             SELECT $1, $2, $3, $4, $5, $6, $6, id FROM apps \
             WHERE id = $7 AND account_id = $8 AND deleted_at IS NULL \
             ON CONFLICT (app_id, name) DO NOTHING",
            params![
                id,
                &settings.name,
                &settings.url,
                serde_json::to_string(&settings.events)?,
                settings.enabled,
                now,
                scope.app,
                &scope.account
            ],
        )
        .await?;
    if made == 0 {
        crate::apps::check(conn, scope).await?;
        return Err(taken(&settings.name));
    }
    Ok(Webhook {
        id,
        settings,
        created_at: now,
        updated_at: now,
    })
}

/// Replaces what a webhook's owner decides; a taken name is a conflict.
pub async fn update(
    conn: &mut Conn,
    scope: &Scope,
    id: WebhookId,
    settings: &WebhookSettings,
    now: Timestamp,
) -> Result<(), StoreError> {
    let changed = conn
        .execute(
            "UPDATE webhooks SET name = $1, events = $3, enabled = $4, updated_at = $5, \
             failures_in_a_row = CASE WHEN url = $2 THEN failures_in_a_row ELSE 0 END, \
             paused_until = CASE WHEN url = $2 THEN paused_until ELSE NULL END, url = $2 \
             WHERE id = $6 AND app_id = (SELECT id FROM apps WHERE id = $7 AND account_id = $8)",
            params![
                &settings.name,
                &settings.url,
                serde_json::to_string(&settings.events)?,
                settings.enabled,
                now,
                id,
                scope.app,
                &scope.account
            ],
        )
        .await
        .map_err(|error| error.or_taken(|| taken(&settings.name)))?;
    if changed == 0 {
        return Err(StoreError::NotFound("Webhook"));
    }
    if !settings.enabled {
        crate::deliveries::disabled(conn, id, now).await?;
    }
    Ok(())
}

/// One webhook, for a change in the same transaction: no other can change it before that ends.
pub async fn load_locked(conn: &mut Conn, scope: &Scope, id: WebhookId) -> Result<Webhook, StoreError> {
    conn.lock_rows(
        "SELECT id FROM webhooks \
         WHERE id = $1 AND app_id = (SELECT id FROM apps WHERE id = $2 AND account_id = $3) FOR UPDATE",
        || params![id, scope.app, &scope.account],
    )
    .await?;
    load(conn, scope, id).await
}

/// Deletes a webhook. What waits for it is not delivered any more; its log is purged.
pub async fn delete(
    conn: &mut Conn,
    scope: &Scope,
    id: WebhookId,
    now: Timestamp,
) -> Result<Webhook, StoreError> {
    let webhook = load(conn, scope, id).await?;
    let deleted = conn
        .execute(
            "DELETE FROM webhooks WHERE id = $1 \
             AND app_id = (SELECT id FROM apps WHERE id = $2 AND account_id = $3)",
            params![id, scope.app, &scope.account],
        )
        .await?;
    if deleted == 0 {
        return Err(StoreError::NotFound("Webhook"));
    }
    purge::schedule(conn, Purge::Webhook(id), now).await?;
    Ok(webhook)
}

async fn load(conn: &mut Conn, scope: &Scope, id: WebhookId) -> Result<Webhook, StoreError> {
    conn.fetch_optional::<WebhookRow>(
        select_webhooks!("AND id = $3"),
        params![scope.app, &scope.account, id],
    )
    .await?
    .ok_or(StoreError::NotFound("Webhook"))?
    .try_into()
}

impl Store {
    /// One webhook.
    pub async fn webhook(&self, scope: &Scope, id: WebhookId) -> Result<Webhook, StoreError> {
        load(&mut self.read().await?, scope, id).await
    }

    /// All webhooks of an app, newest first.
    pub async fn webhooks(&self, scope: &Scope) -> Result<Vec<Webhook>, StoreError> {
        self.read()
            .await?
            .fetch_all::<WebhookRow>(
                select_webhooks!("ORDER BY created_at DESC, id DESC"),
                params![scope.app, &scope.account],
            )
            .await?
            .into_iter()
            .map(TryInto::try_into)
            .collect()
    }
}
