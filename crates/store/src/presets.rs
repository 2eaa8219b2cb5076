//! Presets.

use muster_model::{
    AppId, Page, PageRequest, PresetId, Timestamp,
    app::Scope,
    preset::{Preset, PresetBody, PresetSummary},
};

use crate::{Conn, Store, StoreError, like_pattern, params, participants::PresetRef, search_text};

/// Participants that one transaction moves to another preset at most, so that other writes need not
/// wait for long.
const PIECE: i64 = 500;

#[derive(sqlx::FromRow)]
struct PresetRow {
    id: String,
    document: String,
    created_at: i64,
    updated_at: i64,
}

impl TryFrom<PresetRow> for Preset {
    type Error = StoreError;

    fn try_from(row: PresetRow) -> Result<Self, StoreError> {
        Ok(Self {
            id: row.id.parse()?,
            body: serde_json::from_str(&row.document)?,
            created_at: Timestamp::from_micros(row.created_at),
            updated_at: Timestamp::from_micros(row.updated_at),
        })
    }
}

#[derive(sqlx::FromRow)]
struct SummaryRow {
    id: String,
    name: String,
    created_at: i64,
    updated_at: i64,
}

impl TryFrom<SummaryRow> for PresetSummary {
    type Error = StoreError;

    fn try_from(row: SummaryRow) -> Result<Self, StoreError> {
        Ok(Self {
            id: row.id.parse()?,
            name: row.name,
            created_at: Timestamp::from_micros(row.created_at),
            updated_at: Timestamp::from_micros(row.updated_at),
        })
    }
}

fn taken(name: &str) -> StoreError {
    StoreError::Conflict(format!("A preset with name {name} already exists"))
}

/// Adds a preset to an app that was made in the same transaction.
pub async fn insert(
    conn: &mut Conn,
    app: AppId,
    body: &PresetBody,
    now: Timestamp,
) -> Result<PresetId, StoreError> {
    let id = PresetId::random();
    conn.execute(
        "INSERT INTO presets (id, app_id, name, search_text, document, created_at, updated_at) \
         VALUES ($1, $2, $3, $4, $5, $6, $6)",
        params![
            id,
            app,
            &body.name,
            search_text([Some(body.name.as_str())]),
            serde_json::to_string(body)?,
            now
        ],
    )
    .await?;
    Ok(id)
}

/// Makes a preset; a taken name is a conflict.
pub async fn create(
    conn: &mut Conn,
    scope: &Scope,
    body: PresetBody,
    now: Timestamp,
) -> Result<Preset, StoreError> {
    let id = PresetId::random();
    let made = conn
        .execute(
            "INSERT INTO presets (id, name, search_text, document, created_at, updated_at, app_id) \
             SELECT $1, $2, $3, $4, $5, $5, id FROM apps \
             WHERE id = $6 AND account_id = $7 AND deleted_at IS NULL \
             ON CONFLICT (app_id, name) DO NOTHING",
            params![
                id,
                &body.name,
                search_text([Some(body.name.as_str())]),
                serde_json::to_string(&body)?,
                now,
                scope.app,
                &scope.account
            ],
        )
        .await?;
    if made == 0 {
        crate::apps::check(conn, scope).await?;
        return Err(taken(&body.name));
    }
    Ok(Preset {
        id,
        body,
        created_at: now,
        updated_at: now,
    })
}

/// Replaces what a preset says; a taken name is a conflict.
pub async fn update(
    conn: &mut Conn,
    scope: &Scope,
    id: PresetId,
    body: &PresetBody,
    now: Timestamp,
) -> Result<(), StoreError> {
    let changed = conn
        .execute(
            "UPDATE presets SET name = $1, search_text = $2, document = $3, updated_at = $4 \
             WHERE id = $5 AND app_id = (SELECT id FROM apps WHERE id = $6 AND account_id = $7)",
            params![
                &body.name,
                search_text([Some(body.name.as_str())]),
                serde_json::to_string(body)?,
                now,
                id,
                scope.app,
                &scope.account
            ],
        )
        .await
        .map_err(|error| error.or_taken(|| taken(&body.name)))?;
    if changed == 0 {
        return Err(StoreError::NotFound("Preset"));
    }
    Ok(())
}

/// One preset, for a change in the same transaction: no other can change it before that ends.
pub async fn load_locked(conn: &mut Conn, scope: &Scope, id: PresetId) -> Result<Preset, StoreError> {
    conn.lock_rows(
        "SELECT id FROM presets \
         WHERE id = $1 AND app_id = (SELECT id FROM apps WHERE id = $2 AND account_id = $3) FOR UPDATE",
        || params![id, scope.app, &scope.account],
    )
    .await?;
    load(conn, scope, id).await
}

async fn load(conn: &mut Conn, scope: &Scope, id: PresetId) -> Result<Preset, StoreError> {
    conn.fetch_optional::<PresetRow>(
        "SELECT id, document, created_at, updated_at FROM presets \
         WHERE id = $1 AND app_id = (SELECT id FROM apps WHERE id = $2 AND account_id = $3)",
        params![id, scope.app, &scope.account],
    )
    .await?
    .ok_or(StoreError::NotFound("Preset"))?
    .try_into()
}

/// The app's preset of that name or, when there is none, of the name with `-` and `_` exchanged.
pub async fn resolve_name(conn: &mut Conn, app: AppId, name: &str) -> Result<(PresetId, String), StoreError> {
    let row: Option<(String, String)> = conn
        .fetch_optional(
            "SELECT id, name FROM presets WHERE app_id = $1 AND name IN ($2, $3) \
             ORDER BY CASE WHEN name = $2 THEN 0 ELSE 1 END LIMIT 1",
            params![app, name, exchanged(name)],
        )
        .await?;
    let (id, name) = row.ok_or_else(|| StoreError::NoPreset(name.to_owned()))?;
    Ok((id.parse()?, name))
}

/// A name with `-` and `_` exchanged: clients were written against apps that spell their presets either way.
pub(crate) fn exchanged(name: &str) -> String {
    let exchange = |c| match c {
        '-' => '_',
        '_' => '-',
        other => other,
    };
    name.chars().map(exchange).collect()
}

/// The app's preset that a caller names, with its name.
pub async fn resolve(
    conn: &mut Conn,
    scope: &Scope,
    preset: &PresetRef,
) -> Result<(PresetId, String), StoreError> {
    match preset {
        PresetRef::Name(name) => resolve_name(conn, scope.app, name).await,
        PresetRef::Id(id) => {
            let row: Option<(String,)> = conn
                .fetch_optional(
                    "SELECT name FROM presets WHERE id = $1 AND app_id = $2",
                    params![id, scope.app],
                )
                .await?;
            let (name,) = row.ok_or_else(|| StoreError::NoPreset(id.to_string()))?;
            Ok((*id, name))
        }
    }
}

/// Takes a piece of a preset's participants away from it: those whose meeting is gone are removed,
/// as the purge will do anyway, the others move to `target`, if any. Answers how many were touched.
async fn vacate(
    conn: &mut Conn,
    scope: &Scope,
    id: PresetId,
    target: Option<&PresetRef>,
    now: Timestamp,
) -> Result<u64, StoreError> {
    let orphans = conn
        .execute(
            "DELETE FROM participants WHERE id IN (SELECT p.id FROM participants p \
             LEFT JOIN meetings m ON m.id = p.meeting_id \
             WHERE p.preset_id = $1 AND p.app_id = $2 AND m.id IS NULL LIMIT $3)",
            params![id, scope.app, PIECE],
        )
        .await?;
    let Some(target) = target else {
        return Ok(orphans);
    };
    let (target, target_name) = resolve(conn, scope, target).await?;
    if target == id {
        return Err(StoreError::Conflict(
            "A preset's participants cannot be reassigned to the preset itself".into(),
        ));
    }
    let moved = conn
        .execute(
            "UPDATE participants SET preset_id = $1, updated_at = $2 WHERE id IN ( \
             SELECT id FROM participants WHERE preset_id = $3 AND app_id = $4 LIMIT $5)",
            params![target, now, id, scope.app, PIECE],
        )
        .await
        .map_err(|error| error.or_no_preset(&target_name))?;
    Ok(orphans + moved)
}

/// One step on the way to a deleted preset: `None` when there is more to move.
async fn delete_step(
    conn: &mut Conn,
    scope: &Scope,
    id: PresetId,
    reassign_to: Option<&PresetRef>,
    now: Timestamp,
) -> Result<Option<Preset>, StoreError> {
    let preset = load(conn, scope, id).await?;
    if vacate(conn, scope, id, reassign_to, now).await? >= PIECE.unsigned_abs() {
        return Ok(None);
    }
    let (count,): (i64,) = conn
        .fetch_one(
            "SELECT COUNT(*) FROM participants WHERE preset_id = $1 AND app_id = $2",
            params![id, scope.app],
        )
        .await?;
    if count > 0 {
        let who = if count == 1 { "participant" } else { "participants" };
        return Err(StoreError::Conflict(format!(
            "The preset is used by {count} {who}"
        )));
    }
    let deleted = conn
        .execute(
            "DELETE FROM presets WHERE id = $1 \
             AND app_id = (SELECT id FROM apps WHERE id = $2 AND account_id = $3)",
            params![id, scope.app, &scope.account],
        )
        .await
        .map_err(|error| {
            // Of PostgreSQL: a participant was added after the count.
            if error.is_foreign_key_violation() {
                StoreError::Conflict("The preset is used by 1 participant".into())
            } else {
                error
            }
        })?;
    if deleted == 0 {
        return Err(StoreError::NotFound("Preset"));
    }
    Ok(Some(preset))
}

impl Store {
    /// One preset.
    pub async fn preset(&self, scope: &Scope, id: PresetId) -> Result<Preset, StoreError> {
        load(&mut self.read().await?, scope, id).await
    }

    /// A page of an app's presets, newest first; `search` is part of the name.
    pub async fn presets(
        &self,
        scope: &Scope,
        search: Option<&str>,
        page: PageRequest,
    ) -> Result<Page<PresetSummary>, StoreError> {
        let pattern = search.map(like_pattern);
        let mut conn = self.read().await?;
        let (total,): (i64,) = conn
            .fetch_one(
                "SELECT COUNT(*) FROM presets \
                 WHERE app_id = (SELECT id FROM apps WHERE id = $1 AND account_id = $2) \
                 AND ($3 IS NULL OR search_text LIKE $3 ESCAPE '\\')",
                params![scope.app, &scope.account, &pattern],
            )
            .await?;
        let rows = conn
            .fetch_all::<SummaryRow>(
                "SELECT id, name, created_at, updated_at FROM presets \
                 WHERE app_id = (SELECT id FROM apps WHERE id = $1 AND account_id = $2) \
                 AND ($3 IS NULL OR search_text LIKE $3 ESCAPE '\\') \
                 ORDER BY created_at DESC, id DESC LIMIT $4 OFFSET $5",
                params![scope.app, &scope.account, &pattern, page.limit(), page.offset()],
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

    /// Deletes a preset. Its participants move to `reassign_to` first, some at a time; without that,
    /// a preset in use is a conflict.
    pub async fn delete_preset(
        &self,
        scope: &Scope,
        id: PresetId,
        reassign_to: Option<PresetRef>,
        now: Timestamp,
    ) -> Result<Preset, StoreError> {
        loop {
            let (scope, target) = (scope.clone(), reassign_to.clone());
            let step = self
                .write(move |conn| {
                    Box::pin(async move { delete_step(conn, &scope, id, target.as_ref(), now).await })
                })
                .await?;
            if let Some(deleted) = step {
                return Ok(deleted);
            }
        }
    }
}
