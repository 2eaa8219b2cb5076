//! The one writer of an SQLite database.
//!
//! SQLite has one writer at a time, and a commit waits for the disk. So writes that arrive while a
//! commit is under way are gathered and committed together: one sync for all of them. Each runs in
//! its own savepoint, so one that fails takes nothing with it; and none is answered before the commit.

use std::{any::Any, panic::AssertUnwindSafe, time::Duration};

use futures::{FutureExt, future::BoxFuture};
use sqlx::SqlitePool;
use tokio::sync::{mpsc, oneshot};

use crate::{Conn, StoreError, checkpoint::Checkpoints};

/// Writes that may wait before further ones are refused as busy.
const QUEUE: usize = 4096;
/// Writes in one commit. Bounds how long the first of them waits for the last.
const GROUP: usize = 256;

/// What runs inside the transaction.
pub(crate) trait Job: Send + 'static {
    /// Runs it; the answer is held back until the group's fate is known.
    fn run(self: Box<Self>, conn: &mut Conn) -> BoxFuture<'_, Ran>;
    /// Answers a job that could not be run.
    fn refuse(self: Box<Self>, why: &str);
}

/// Answers a job, given what became of the commit.
type Reply = Box<dyn FnOnce(Result<(), &str>) + Send>;

/// A job that ran and waits for the commit.
pub(crate) struct Ran {
    kept: bool,
    reply: Reply,
}

struct Write<T, F> {
    work: F,
    reply: oneshot::Sender<Result<T, StoreError>>,
}

impl<T, F> Job for Write<T, F>
where
    T: Send + 'static,
    F: for<'c> FnOnce(&'c mut Conn) -> BoxFuture<'c, Result<T, StoreError>> + Send + 'static,
{
    fn run(self: Box<Self>, conn: &mut Conn) -> BoxFuture<'_, Ran> {
        let Self { work, reply } = *self;
        Box::pin(async move {
            let result = contain_panic(work, conn).await;
            Ran {
                kept: result.is_ok(),
                reply: Box::new(move |commit| {
                    let answer = match (result, commit) {
                        (Ok(_), Err(why)) => Err(StoreError::NotCommitted(why.to_owned())),
                        (result, _) => result,
                    };
                    // The caller may have gone; the write stands all the same.
                    let _ = reply.send(answer);
                }),
            }
        })
    }

    fn refuse(self: Box<Self>, why: &str) {
        let _ = self.reply.send(Err(StoreError::NotCommitted(why.to_owned())));
    }
}

/// Runs `work`; a panic in it is its failure alone.
pub(crate) async fn contain_panic<T, F>(work: F, conn: &mut Conn) -> Result<T, StoreError>
where
    F: for<'c> FnOnce(&'c mut Conn) -> BoxFuture<'c, Result<T, StoreError>>,
{
    AssertUnwindSafe(async { work(conn).await })
        .catch_unwind()
        .await
        .unwrap_or_else(|panic| Err(StoreError::NotCommitted(panic_text(panic.as_ref()))))
}

fn panic_text(panic: &(dyn Any + Send)) -> String {
    panic
        .downcast_ref::<&str>()
        .map(|text| (*text).to_owned())
        .or_else(|| panic.downcast_ref::<String>().cloned())
        .unwrap_or_else(|| "panic".to_owned())
}

/// Hands writes to the writer's task.
#[derive(Debug, Clone)]
pub(crate) struct Writer {
    queue: mpsc::Sender<Box<dyn Job>>,
}

impl std::fmt::Debug for dyn Job {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Job")
    }
}

impl Writer {
    /// Starts the writer's task on a pool of exactly one connection. The task ends with the last handle.
    pub(crate) fn start(pool: SqlitePool, checkpoints: Checkpoints) -> Self {
        let (queue, jobs) = mpsc::channel(QUEUE);
        tokio::spawn(run(pool, checkpoints, jobs));
        Self { queue }
    }

    /// Runs `work` in a transaction and answers after its commit is on disk.
    pub(crate) async fn write<T, F>(&self, work: F) -> Result<T, StoreError>
    where
        T: Send + 'static,
        F: for<'c> FnOnce(&'c mut Conn) -> BoxFuture<'c, Result<T, StoreError>> + Send + 'static,
    {
        let (reply, answer) = oneshot::channel();
        self.queue
            .try_send(Box::new(Write { work, reply }))
            .map_err(|_| StoreError::Busy)?;
        answer
            .await
            .unwrap_or_else(|_| Err(StoreError::NotCommitted("the writer stopped".into())))
    }
}

async fn run(pool: SqlitePool, checkpoints: Checkpoints, mut jobs: mpsc::Receiver<Box<dyn Job>>) {
    let mut group: Vec<Box<dyn Job>> = Vec::with_capacity(GROUP);
    let mut conn = None;
    while jobs.recv_many(&mut group, GROUP).await > 0 {
        let mut ready = match conn.take() {
            Some(ready) => ready,
            None => match pool.acquire().await {
                Ok(fresh) => Conn::Sqlite(fresh),
                Err(error) => {
                    tracing::error!(%error, "no connection for the writer");
                    for job in group.drain(..) {
                        job.refuse("no connection");
                    }
                    tokio::time::sleep(Duration::from_millis(50)).await;
                    continue;
                }
            },
        };
        if commit_group(&mut ready, group.drain(..)).await {
            checkpoints.after_commit(&mut ready).await;
            conn = Some(ready);
        } else if let Conn::Sqlite(broken) = ready {
            // A transaction may still be open on it; a new connection starts clean.
            let _ = broken.close().await;
        }
    }
}

/// Runs and commits a group; false when the connection may be left in an unknown state.
async fn commit_group(conn: &mut Conn, group: impl ExactSizeIterator<Item = Box<dyn Job>>) -> bool {
    if let Err(error) = conn.control("BEGIN IMMEDIATE; SAVEPOINT job").await {
        tracing::error!(%error, "no transaction begun");
        for job in group {
            job.refuse(&error.to_string());
        }
        return false;
    }
    let mut ran: Vec<Ran> = Vec::with_capacity(group.len());
    let mut broken: Option<String> = None;
    for job in group {
        if broken.is_none() {
            broken = next_savepoint(conn, ran.last().map(|done| done.kept))
                .await
                .err()
                .map(|error| error.to_string());
        }
        match &broken {
            Some(why) => job.refuse(why),
            None => ran.push(job.run(conn).await),
        }
    }
    if broken.is_none() && ran.last().is_some_and(|last| !last.kept) {
        broken = conn
            .control("ROLLBACK TO job")
            .await
            .err()
            .map(|error| error.to_string());
    }
    let outcome = match broken {
        Some(why) => Err(why),
        None => conn.control("COMMIT").await.map_err(|error| {
            tracing::error!(%error, "commit failed");
            error.to_string()
        }),
    };
    let clean = outcome.is_ok() || conn.control("ROLLBACK").await.is_ok();
    for done in ran {
        (done.reply)(match &outcome {
            Ok(()) => Ok(()),
            Err(why) => Err(why),
        });
    }
    clean
}

/// Closes the savepoint of the job before, undoing what that did if it failed, and stands at a new one;
/// in one exchange with the database, as each costs about as much as a statement.
///
/// An error here means that the whole transaction is lost (SQLite rolls all of it back when the disk is
/// full, for one).
async fn next_savepoint(conn: &mut Conn, before_was_kept: Option<bool>) -> Result<(), StoreError> {
    match before_was_kept {
        None => Ok(()),
        Some(true) => conn.control("RELEASE job; SAVEPOINT job").await,
        // The savepoint itself stays after this.
        Some(false) => conn.control("ROLLBACK TO job").await,
    }
}
