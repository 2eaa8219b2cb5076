//! Carries SQLite's write-ahead log over into the database, beside the writer rather than on it.
//!
//! SQLite would do so within the commit that fills the log to a thousand pages, and every write that
//! waits for that commit would wait for the copying too. So a connection of its own copies while the
//! writer goes on. Only the writer can bring the log back to its start, by copying the little that was
//! added meanwhile; it is asked to when the log has grown long.

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use sqlx::SqlitePool;
use tokio::sync::mpsc;

use crate::{Conn, StoreError, params};

/// From one copying to the next, at least: pages that are written again and again are copied once.
const PAUSE: Duration = Duration::from_millis(100);
/// Pages of log from which the writer brings it back to its start.
const LONG: i64 = 4_000;
/// Pages at which SQLite itself checkpoints within a commit, should the task here have died.
pub(crate) const AT_LAST: u32 = 50_000;

/// The writer's side.
#[derive(Debug)]
pub(crate) struct Checkpoints {
    committed: mpsc::Sender<()>,
    wanted: Arc<AtomicBool>,
}

impl Checkpoints {
    /// Starts the task on a pool of one connection. It ends with the writer.
    pub(crate) fn start(pool: SqlitePool) -> Self {
        let (committed, commits) = mpsc::channel(1);
        let wanted = Arc::new(AtomicBool::new(false));
        tokio::spawn(run(pool, commits, wanted.clone()));
        Self { committed, wanted }
    }

    /// To be called by the writer after each commit, on its own connection.
    pub(crate) async fn after_commit(&self, conn: &mut Conn) {
        // A commit that is not told of is covered by the one that is still to be looked at.
        let _ = self.committed.try_send(());
        if self.wanted.swap(false, Ordering::Relaxed)
            && let Err(error) = checkpoint(conn).await
        {
            tracing::warn!(%error, "the log was not brought back to its start");
        }
    }
}

async fn run(pool: SqlitePool, mut commits: mpsc::Receiver<()>, wanted: Arc<AtomicBool>) {
    while commits.recv().await.is_some() {
        match pool.acquire().await {
            Ok(conn) => match checkpoint(&mut Conn::Sqlite(conn)).await {
                Ok(pages) => wanted.store(pages > LONG, Ordering::Relaxed),
                Err(error) => tracing::warn!(%error, "the log was not carried over"),
            },
            Err(error) => tracing::warn!(%error, "no connection for checkpoints"),
        }
        tokio::time::sleep(PAUSE).await;
    }
    pool.close().await;
}

/// Copies what no reader still needs to be in the log, without waiting for anybody; tells the pages of
/// the log.
async fn checkpoint(conn: &mut Conn) -> Result<i64, StoreError> {
    let (_busy, pages, _copied): (i64, i64, i64) = conn
        .fetch_one("PRAGMA wal_checkpoint(PASSIVE)", params![])
        .await?;
    Ok(pages)
}
