//! Apps.

use muster_model::{
    AccountId, AppId, Page, PageRequest, Timestamp,
    app::{App, Scope},
    preset::PresetBody,
};

use crate::{Conn, Store, StoreError, like_pattern, params, presets, search_text};

#[derive(sqlx::FromRow)]
struct AppRow {
    id: String,
    name: Option<String>,
    created_at: i64,
}

impl TryFrom<AppRow> for App {
    type Error = StoreError;

    fn try_from(row: AppRow) -> Result<Self, StoreError> {
        Ok(Self {
            id: row.id.parse()?,
            name: row.name,
            created_at: Timestamp::from_micros(row.created_at),
        })
    }
}

/// Makes an app with its first presets.
pub async fn create(
    conn: &mut Conn,
    account: &AccountId,
    name: String,
    now: Timestamp,
) -> Result<App, StoreError> {
    let id = AppId::random();
    conn.execute(
        "INSERT INTO apps (id, account_id, name, search_text, created_at, updated_at) \
         VALUES ($1, $2, $3, $4, $5, $5)",
        params![id, account, &name, search_text([Some(name.as_str())]), now],
    )
    .await?;
    for preset in PresetBody::seeds() {
        presets::insert(conn, id, &preset, now).await?;
    }
    Ok(App {
        id,
        name: Some(name),
        created_at: now,
    })
}

/// Gives an app another name.
pub async fn rename(conn: &mut Conn, scope: &Scope, name: String, now: Timestamp) -> Result<App, StoreError> {
    conn.execute(
        "UPDATE apps SET name = $3, search_text = $4, updated_at = $5 \
         WHERE id = $1 AND account_id = $2 AND deleted_at IS NULL",
        params![
            scope.app,
            &scope.account,
            &name,
            search_text([Some(name.as_str())]),
            now
        ],
    )
    .await?;
    load(conn, scope).await
}

/// Deletes an app that has no live session, and what belongs to it; its sessions, recordings and livestreams stay readable.
///
/// Meetings and participants, which can be many, go by a job.
pub async fn delete(conn: &mut Conn, scope: &Scope, now: Timestamp) -> Result<App, StoreError> {
    // So that no session begins between the check and the deletion.
    conn.lock_rows(
        "SELECT id FROM apps WHERE id = $1 AND account_id = $2 FOR UPDATE",
        || params![scope.app, &scope.account],
    )
    .await?;
    let app = load(conn, scope).await?;
    crate::sessions::refuse_while_live(conn, scope, None).await?;
    conn.execute(
        "UPDATE apps SET deleted_at = $3, updated_at = $3 WHERE id = $1 AND account_id = $2",
        params![scope.app, &scope.account, now],
    )
    .await?;
    crate::purge::schedule(conn, crate::purge::Purge::App(scope.app), now).await?;
    Ok(app)
}

/// One app, deleted or not.
pub async fn load(conn: &mut Conn, scope: &Scope) -> Result<App, StoreError> {
    conn.fetch_optional::<AppRow>(
        "SELECT id, name, created_at FROM apps WHERE id = $1 AND account_id = $2 AND deleted_at IS NULL",
        params![scope.app, &scope.account],
    )
    .await?
    .ok_or(StoreError::NotFound("App"))?
    .try_into()
}

/// Goes on only when the app is in use.
pub(crate) async fn check(conn: &mut Conn, scope: &Scope) -> Result<(), StoreError> {
    load(conn, scope).await.map(|_| ())
}

/// A count that triggers keep on the app's row; `sql` reads it with `$1` app and `$2` account.
pub(crate) async fn kept_count(conn: &mut Conn, scope: &Scope, sql: &'static str) -> Result<i64, StoreError> {
    let counted: Option<(i64,)> = conn
        .fetch_optional(sql, params![scope.app, &scope.account])
        .await?;
    Ok(counted.map_or(0, |(count,)| count))
}

/// Whether an app can be used.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AppState {
    /// It can.
    Live,
    /// It was deleted; only its past can be read.
    Deleted,
}

impl Store {
    /// One app of an account.
    pub async fn app(&self, scope: &Scope) -> Result<App, StoreError> {
        load(&mut self.read().await?, scope).await
    }

    /// Whose an app is, in use or deleted: for what was signed for the app alone.
    pub async fn scope_of(&self, app: AppId) -> Result<Option<Scope>, StoreError> {
        let row: Option<(String,)> = self
            .read()
            .await?
            .fetch_optional("SELECT account_id FROM apps WHERE id = $1", params![app])
            .await?;
        row.map(|(account,)| {
            Ok(Scope {
                account: account.parse()?,
                app,
            })
        })
        .transpose()
    }

    /// Whether the account has such an app, and in which state.
    pub async fn app_state(&self, scope: &Scope) -> Result<Option<AppState>, StoreError> {
        let row: Option<(Option<i64>,)> = self
            .read()
            .await?
            .fetch_optional(
                "SELECT deleted_at FROM apps WHERE id = $1 AND account_id = $2",
                params![scope.app, &scope.account],
            )
            .await?;
        Ok(row.map(|(deleted,)| {
            if deleted.is_some() {
                AppState::Deleted
            } else {
                AppState::Live
            }
        }))
    }

    /// A page of an account's apps by time of creation, newest first unless `ascending`.
    pub async fn apps(
        &self,
        account: &AccountId,
        search: Option<&str>,
        ascending: bool,
        page: PageRequest,
    ) -> Result<Page<App>, StoreError> {
        let pattern = search.map(like_pattern);
        let mut conn = self.read().await?;
        let (total,): (i64,) = conn
            .fetch_one(
                "SELECT COUNT(*) FROM apps WHERE account_id = $1 AND deleted_at IS NULL \
                 AND ($2 IS NULL OR search_text LIKE $2 ESCAPE '\\')",
                params![account, &pattern],
            )
            .await?;
        let order = if ascending { "ASC" } else { "DESC" };
        let rows = conn
            .fetch_all_built::<AppRow>(
                format!(
                    "SELECT id, name, created_at FROM apps WHERE account_id = $1 AND deleted_at IS NULL \
                     AND ($2 IS NULL OR search_text LIKE $2 ESCAPE '\\') \
                     ORDER BY created_at {order}, id {order} LIMIT $3 OFFSET $4"
                ),
                params![account, &pattern, page.limit(), page.offset()],
            )
            .await?;
        Ok(Page {
            items: rows
                .into_iter()
                .map(TryInto::try_into)
                .collect::<Result<_, _>>()?,
            info: page.info(total),
        })
    }
}
