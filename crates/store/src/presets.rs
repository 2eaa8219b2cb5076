//! Presets.

use muster_model::{AppId, PresetId, Timestamp, preset::PresetBody};

use crate::{Conn, StoreError, params, search_text};

/// Adds a preset to an app.
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

/// The app's preset of that name or, when there is none, of the name with `-` and `_` exchanged.
pub async fn resolve_name(conn: &mut Conn, app: AppId, name: &str) -> Result<(PresetId, String), StoreError> {
    let exchanged: String = name
        .chars()
        .map(|c| match c {
            '-' => '_',
            '_' => '-',
            other => other,
        })
        .collect();
    let row: Option<(String, String)> = conn
        .fetch_optional(
            "SELECT id, name FROM presets WHERE app_id = $1 AND name IN ($2, $3) \
             ORDER BY CASE WHEN name = $2 THEN 0 ELSE 1 END LIMIT 1",
            params![app, name, exchanged],
        )
        .await?;
    let (id, name) = row.ok_or_else(|| StoreError::NoPreset(name.to_owned()))?;
    Ok((id.parse()?, name))
}
