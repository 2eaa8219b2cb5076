//! The one writer of an SQLite database.
//!
//! SQLite has one writer at a time, and a commit waits for the disk. So writes that arrive while a
//! commit is under way are gathered and committed together: one sync for all of them. Each runs in
//! its own savepoint, so one that fails takes nothing with it; and none is answered before the commit.
//! A write that is a single statement needs no savepoint: a statement that fails has changed nothing.

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
    /// Whether it leaves something to undo when it fails.
    fn needs_savepoint(&self) -> bool;
    /// Runs it; the answer is held back until the group's fate is known.
    fn run(self: Box<Self>, conn: &mut Conn) -> BoxFuture<'_, Ran>;
    /// Answers a job that could not be run.
    fn refuse(self: Box<Self>, why: &str);
}

/// Answers a job, given what became of the commit.
type Reply = Box<dyn FnOnce(Result<(), &str>) + Send>;

/// How a job came out within its group's transaction.
#[derive(Clone, Copy)]
struct Outcome {
    kept: bool,
    had_savepoint: bool,
}

/// A job that ran and waits for the commit.
pub(crate) struct Ran {
    outcome: Outcome,
    reply: Reply,
}

struct Write<T, F> {
    work: F,
    needs_savepoint: bool,
    reply: oneshot::Sender<Result<T, StoreError>>,
}

impl<T, F> Job for Write<T, F>
where
    T: Send + 'static,
    F: for<'c> FnOnce(&'c mut Conn) -> BoxFuture<'c, Result<T, StoreError>> + Send + 'static,
{
    fn needs_savepoint(&self) -> bool {
        self.needs_savepoint
    }

    fn run(self: Box<Self>, conn: &mut Conn) -> BoxFuture<'_, Ran> {
        let Self {
            work,
            needs_savepoint,
            reply,
        } = *self;
        Box::pin(async move {
            let result = contain_panic(work, conn).await;
            Ran {
                outcome: Outcome {
                    kept: result.is_ok(),
                    had_savepoint: needs_savepoint,
                },
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

    /// Runs `work` in a transaction and answers after its commit is on disk. Without a savepoint, `work`
    /// must do no more than one change, and that last.
    pub(crate) async fn write<T, F>(&self, needs_savepoint: bool, work: F) -> Result<T, StoreError>
    where
        T: Send + 'static,
        F: for<'c> FnOnce(&'c mut Conn) -> BoxFuture<'c, Result<T, StoreError>> + Send + 'static,
    {
        let (reply, answer) = oneshot::channel();
        self.queue
            .try_send(Box::new(Write {
                work,
                needs_savepoint,
                reply,
            }))
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
            broken = next_savepoint(conn, last_of(&ran), job.needs_savepoint())
                .await
                .err()
                .map(|error| error.to_string());
        }
        match &broken {
            Some(why) => job.refuse(why),
            None => ran.push(job.run(conn).await),
        }
    }
    if broken.is_none() {
        // A failure of the last is undone too.
        broken = next_savepoint(conn, last_of(&ran), false)
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

fn last_of(ran: &[Ran]) -> Option<Outcome> {
    ran.last().map(|job| job.outcome)
}

/// Stands at a new savepoint where the next job needs one, having undone what the job before did if that
/// failed; in one exchange with the database, as each costs about as much as a statement.
///
/// An error here means that the whole transaction is lost (SQLite rolls all of it back when the disk is
/// full, for one).
async fn next_savepoint(conn: &mut Conn, before: Option<Outcome>, needed: bool) -> Result<(), StoreError> {
    match before {
        // The savepoint itself stays after this.
        Some(failed) if !failed.kept && failed.had_savepoint => conn.control("ROLLBACK TO job").await,
        // A failure may have been the end of the transaction: then there is no savepoint to release.
        Some(before) if needed || !before.kept => conn.control("RELEASE job; SAVEPOINT job").await,
        _ => Ok(()),
    }
}
