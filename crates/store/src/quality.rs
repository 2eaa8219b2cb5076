//! The quality of people's media, in the reports of their stays.

use std::sync::Arc;

use muster_model::{PeerId, app::Scope, session::PeerReport};
use serde_json::{Map, Value};

use crate::{Conn, Store, StoreError, params};

/// Stays that one transaction writes at most, so that other writes need not wait for long.
const PIECE: usize = 64;

impl Store {
    /// Puts the quality of the media of stays into their reports; stays that are not the scope's are left alone,
    /// and so are those whose report does not read.
    pub async fn keep_quality(
        &self,
        scope: &Scope,
        quality: Vec<(PeerId, Map<String, Value>)>,
    ) -> Result<(), StoreError> {
        let (scope, quality) = (scope.clone(), Arc::new(quality));
        for begin in (0..quality.len()).step_by(PIECE) {
            let (scope, quality) = (scope.clone(), Arc::clone(&quality));
            self.write(move |conn| {
                Box::pin(async move {
                    for (record, quality) in quality.iter().skip(begin).take(PIECE) {
                        keep_quality(conn, &scope, *record, quality).await?;
                    }
                    Ok(())
                })
            })
            .await?;
        }
        Ok(())
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
    let read = report.map_or_else(|| Ok(PeerReport::default()), |text| serde_json::from_str(&text));
    let mut report: PeerReport = match read {
        Ok(report) => report,
        Err(error) => {
            tracing::warn!(%record, %error, "the report of a stay does not read; its quality is not kept");
            return Ok(());
        }
    };
    report.quality.clone_from(quality);
    conn.execute(
        "UPDATE peers SET report = $4 WHERE id = $1 AND session_id IN (SELECT id FROM sessions \
         WHERE app_id = (SELECT id FROM apps WHERE id = $2 AND account_id = $3))",
        params![record, scope.app, &scope.account, serde_json::to_string(&report)?],
    )
    .await?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use muster_model::{AccountId, Timestamp};
    use serde_json::json;

    use super::*;
    use crate::{Address, accounts, apps};

    /// An account's app with the stays of a session, and their reports.
    async fn stays(store: &Store, reports: Vec<(PeerId, Option<&'static str>)>) -> Scope {
        let now = Timestamp::now();
        store
            .write(move |conn| {
                Box::pin(async move {
                    let account = AccountId::random();
                    accounts::create_account(conn, &account, now).await?;
                    let app = apps::create(conn, &account, "a test".into(), now).await?.id;
                    let session = PeerId::random();
                    conn.execute(
                        "INSERT INTO sessions (id, app_id, meeting_id, type, status, search_text, live_participants, \
                         max_concurrent_participants, connected_micros, started_at, heartbeat_at, created_at, \
                         updated_at) VALUES ($1, $2, 'm', 'meeting', 'ENDED', '', 0, 0, 0, 1, 1, 1, 1)",
                        params![session, app],
                    )
                    .await?;
                    for (peer, report) in reports {
                        conn.execute(
                            "INSERT INTO peers (id, session_id, participant_id, custom_participant_id, preset_name, \
                             search_text, joined_at, connected_micros, report, created_at, updated_at) \
                             VALUES ($1, $2, 'p', 'c', 'host', '', 1, 0, $3, 1, 1)",
                            params![peer, session, report.map(str::to_owned)],
                        )
                        .await?;
                    }
                    Ok(Scope { account, app })
                })
            })
            .await
            .unwrap()
    }

    #[tokio::test]
    async fn one_unreadable_report_costs_no_other_its_quality() {
        let dir = tempfile::tempdir().unwrap();
        let address = Address::Sqlite(dir.path().join("muster.db"));
        let store = Store::open(&address).await.unwrap();
        // More than a piece, with one that does not read in each.
        let reports: Vec<(PeerId, Option<&str>)> = (0..PIECE + 10)
            .map(|at| (PeerId::random(), (at % PIECE == 3).then_some("{\"metadata\": 7}")))
            .collect();
        let scope = stays(&store, reports.clone()).await;
        let quality: Map<String, Value> = [("audio_producer".to_owned(), json!([]))].into_iter().collect();
        let all = reports.iter().map(|(peer, _)| (*peer, quality.clone())).collect();
        store.keep_quality(&scope, all).await.unwrap();
        let mut conn = store.read().await.unwrap();
        for (peer, before) in reports {
            let row: Option<(Option<String>,)> = conn
                .fetch_optional("SELECT report FROM peers WHERE id = $1", params![peer])
                .await
                .unwrap();
            let report = row.unwrap().0.unwrap();
            match before {
                Some(before) => assert_eq!(report, before),
                None => assert_eq!(
                    serde_json::from_str::<PeerReport>(&report).unwrap().quality,
                    quality
                ),
            }
        }
        drop(conn);
        store.close().await;
    }
}
