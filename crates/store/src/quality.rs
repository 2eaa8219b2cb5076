//! The quality of people's media, in the reports of their stays.

use std::sync::Arc;

use muster_model::{PeerId, app::Scope, session::PeerReport};
use serde_json::{Map, Value};

use crate::{Conn, Store, StoreError, params};

impl Store {
    /// Puts the quality of the media of stays into their reports; stays that are not the scope's are left alone.
    pub async fn keep_quality(
        &self,
        scope: &Scope,
        quality: Vec<(PeerId, Map<String, Value>)>,
    ) -> Result<(), StoreError> {
        let (scope, quality) = (scope.clone(), Arc::new(quality));
        self.write(move |conn| {
            let (scope, quality) = (scope.clone(), Arc::clone(&quality));
            Box::pin(async move {
                for (record, quality) in quality.iter() {
                    keep_quality(conn, &scope, *record, quality).await?;
                }
                Ok(())
            })
        })
        .await
    }
}

async fn keep_quality(
    conn: &mut Conn,
    scope: &Scope,
    record: PeerId,
    quality: &Map<String, Value>,
) -> Result<(), StoreError> {
    let values = params![record, scope.app, &scope.account];
    let row: Option<(Option<String>,)> = conn
        .fetch_optional(
            "SELECT p.report FROM peers p JOIN sessions s ON s.id = p.session_id \
             WHERE p.id = $1 AND s.app_id = (SELECT id FROM apps WHERE id = $2 AND account_id = $3)",
            values,
        )
        .await?;
    let Some((report,)) = row else { return Ok(()) };
    let mut report: PeerReport =
        report.map_or_else(|| Ok(PeerReport::default()), |text| serde_json::from_str(&text))?;
    report.quality.clone_from(quality);
    conn.execute(
        "UPDATE peers SET report = $4 WHERE id = $1 AND session_id IN (SELECT id FROM sessions \
         WHERE app_id = (SELECT id FROM apps WHERE id = $2 AND account_id = $3))",
        params![record, scope.app, &scope.account, serde_json::to_string(&report)?],
    )
    .await?;
    Ok(())
}
