//! The records of Muster, in SQLite or PostgreSQL.
//!
//! Reads go to a pool; writes go through [`Store::write`], which answers only after the commit is on
//! disk. SQL text never leaves this crate, and every statement is bounded by account and app.

use std::{path::PathBuf, time::Duration};

use futures::future::BoxFuture;
use sqlx::{
    PgPool, SqlitePool,
    postgres::PgPoolOptions,
    sqlite::{SqliteConnectOptions, SqliteJournalMode, SqlitePoolOptions, SqliteSynchronous},
};

mod checkpoint;
mod conn;
mod error;
mod filter;
mod quality;
mod writer;

pub mod accounts;
pub mod analytics;
pub mod apps;
pub mod deliveries;
pub mod files;
pub mod idempotency;
pub mod installation;
pub mod joining;
pub mod livestreams;
pub mod meetings;
pub mod members;
pub mod participants;
pub mod peers;
pub mod presets;
pub mod purge;
pub mod recordings;
pub mod rooms;
pub mod sessions;
pub mod webhooks;

use checkpoint::Checkpoints;
pub use conn::{Conn, Param, Row};
pub use error::StoreError;
use writer::Writer;

/// Where the records are.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Address {
    /// An SQLite file, made when it is not there.
    Sqlite(PathBuf),
    /// A PostgreSQL database, as `postgres://user:password@host:port/database?…`.
    Postgres(String),
}

impl std::str::FromStr for Address {
    type Err = StoreError;

    fn from_str(text: &str) -> Result<Self, StoreError> {
        if text.starts_with("postgres://") || text.starts_with("postgresql://") {
            return Ok(Self::Postgres(text.to_owned()));
        }
        match text.strip_prefix("sqlite:") {
            Some(path) if !path.trim_start_matches('/').is_empty() => {
                Ok(Self::Sqlite(path.strip_prefix("//").unwrap_or(path).into()))
            }
            // The address may hold a password, so only its scheme is repeated.
            _ => Err(StoreError::Address(
                text.split(':').next().unwrap_or_default().to_owned(),
            )),
        }
    }
}

/// A handle on the records; cheap to clone.
#[derive(Debug, Clone)]
pub struct Store {
    db: Db,
}

#[derive(Debug, Clone)]
enum Db {
    Sqlite { readers: SqlitePool, writer: Writer },
    Postgres { pool: PgPool },
}

/// How SQLite commits.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Durability {
    /// `wal` as it should be.
    pub journal_mode: String,
    /// 2 (FULL) as it should be: the log is synced at each commit.
    pub synchronous: i64,
}

impl Durability {
    /// Whether a commit is on disk when it is done.
    pub fn is_full(&self) -> bool {
        self.journal_mode == "wal" && self.synchronous >= 2
    }
}

/// The writer's page cache, at most 32 MiB (a negative number counts KiB).
const WRITER_CACHE: &str = "-32768";
/// How long a statement waits for another process's write lock on SQLite.
const BUSY_TIMEOUT: Duration = Duration::from_secs(5);

impl Store {
    /// Opens the database, making the file when missing, and brings its schema up to date.
    pub async fn open(address: &Address) -> Result<Self, StoreError> {
        let db = match address {
            Address::Sqlite(path) => Self::open_sqlite(path).await?,
            Address::Postgres(url) => {
                let pool = PgPoolOptions::new()
                    .max_connections(16)
                    .acquire_timeout(Duration::from_secs(3))
                    .connect(url)
                    .await?;
                sqlx::migrate!("migrations/postgres").run(&pool).await?;
                Db::Postgres { pool }
            }
        };
        let store = Self { db };
        match store.durability().await? {
            Some(durability) if !durability.is_full() => {
                Err(StoreError::NotDurable(format!("{durability:?}")))
            }
            _ => Ok(store),
        }
    }

    async fn open_sqlite(path: &std::path::Path) -> Result<Db, StoreError> {
        let options = SqliteConnectOptions::new()
            .filename(path)
            .create_if_missing(true)
            .journal_mode(SqliteJournalMode::Wal)
            // FULL: a commit is on disk before it is answered. Never weaken this.
            .synchronous(SqliteSynchronous::Full)
            .busy_timeout(BUSY_TIMEOUT)
            .pragma("wal_autocheckpoint", checkpoint::AT_LAST.to_string())
            .foreign_keys(true);
        let alone = SqlitePoolOptions::new()
            .max_connections(1)
            .idle_timeout(None)
            .max_lifetime(None);
        // The writer visits indexes at random places; what it has at hand it need not read again.
        // What a savepoint may have to put back would otherwise be copied into a file, page by page.
        let writing = options
            .clone()
            .pragma("cache_size", WRITER_CACHE)
            .pragma("temp_store", "MEMORY");
        let pool = alone.clone().connect_with(writing).await?;
        // Two programs that start at once must not both migrate; sqlx locks only PostgreSQL for this.
        let lock = migration_lock(path).await?;
        sqlx::migrate!("migrations/sqlite").run(&pool).await?;
        drop(lock);
        let cores = std::thread::available_parallelism().map_or(2, usize::from);
        let checkpoints = Checkpoints::start(alone.connect_lazy_with(options.clone()));
        let readers = SqlitePoolOptions::new()
            .max_connections(u32::try_from(cores + 1).unwrap_or(4).min(8))
            .idle_timeout(None)
            .max_lifetime(None)
            .test_before_acquire(false)
            .connect_lazy_with(options.read_only(true).create_if_missing(false));
        Ok(Db::Sqlite {
            readers,
            writer: Writer::start(pool, checkpoints),
        })
    }

    /// A connection for reading.
    pub async fn read(&self) -> Result<Conn, StoreError> {
        Ok(match &self.db {
            Db::Sqlite { readers, .. } => Conn::Sqlite(readers.acquire().await?),
            Db::Postgres { pool } => Conn::Postgres(pool.acquire().await?),
        })
    }

    /// Runs `work` in a transaction and answers after its commit is on disk.
    ///
    /// An error from `work` undoes what it did. `work` may share its commit with other writes.
    pub async fn write<T, F>(&self, work: F) -> Result<T, StoreError>
    where
        T: Send + 'static,
        F: for<'c> FnOnce(&'c mut Conn) -> BoxFuture<'c, Result<T, StoreError>> + Send + 'static,
    {
        self.write_with(true, work).await
    }

    /// The same for `work` that makes one change by one statement, after which it does not fail: on
    /// SQLite it is spared what would be needed to undo a part of it.
    pub async fn write_once<T, F>(&self, work: F) -> Result<T, StoreError>
    where
        T: Send + 'static,
        F: for<'c> FnOnce(&'c mut Conn) -> BoxFuture<'c, Result<T, StoreError>> + Send + 'static,
    {
        self.write_with(false, work).await
    }

    async fn write_with<T, F>(&self, needs_savepoint: bool, work: F) -> Result<T, StoreError>
    where
        T: Send + 'static,
        F: for<'c> FnOnce(&'c mut Conn) -> BoxFuture<'c, Result<T, StoreError>> + Send + 'static,
    {
        match &self.db {
            Db::Sqlite { writer, .. } => writer.write(needs_savepoint, work).await,
            // In a task of its own: a caller that goes away must not leave a transaction open.
            Db::Postgres { pool } => tokio::spawn(write_postgres(pool.clone(), work))
                .await
                .unwrap_or_else(|error| Err(StoreError::NotCommitted(error.to_string()))),
        }
    }

    /// How SQLite's writer commits; PostgreSQL has its own settings for that.
    pub async fn durability(&self) -> Result<Option<Durability>, StoreError> {
        if !self.is_sqlite() {
            return Ok(None);
        }
        self.write(|conn| {
            Box::pin(async move {
                let (journal_mode,): (String,) = conn.fetch_one("PRAGMA journal_mode", params![]).await?;
                let (synchronous,): (i64,) = conn.fetch_one("PRAGMA synchronous", params![]).await?;
                Ok(Some(Durability {
                    journal_mode,
                    synchronous,
                }))
            })
        })
        .await
    }

    /// Whether the records are in SQLite.
    pub fn is_sqlite(&self) -> bool {
        matches!(self.db, Db::Sqlite { .. })
    }

    /// Writes a consistent copy of an SQLite database to a file that must not exist yet, or be empty.
    pub async fn backup(&self, file: &std::path::Path) -> Result<(), StoreError> {
        let path = file.to_string_lossy().into_owned();
        self.read()
            .await?
            .execute("VACUUM INTO $1", params![path])
            .await
            .map(|_| ())
    }

    /// Closes every connection, after the statements on them.
    pub async fn close(&self) {
        match &self.db {
            Db::Sqlite { readers, .. } => readers.close().await,
            Db::Postgres { pool } => pool.close().await,
        }
    }
}

/// An exclusive lock on a file beside the database, until it is dropped.
async fn migration_lock(database: &std::path::Path) -> Result<std::fs::File, StoreError> {
    let mut name = database.as_os_str().to_owned();
    name.push(".lock");
    let locked = tokio::task::spawn_blocking(move || {
        let file = std::fs::OpenOptions::new().create(true).append(true).open(name)?;
        file.lock()?;
        Ok(file)
    });
    locked
        .await
        .unwrap_or_else(|error| Err(std::io::Error::other(error)))
        .map_err(|error| StoreError::Database(sqlx::Error::Io(error)))
}

async fn write_postgres<T, F>(pool: PgPool, work: F) -> Result<T, StoreError>
where
    F: for<'c> FnOnce(&'c mut Conn) -> BoxFuture<'c, Result<T, StoreError>>,
{
    let mut conn = Conn::Postgres(pool.acquire().await?);
    conn.control("BEGIN").await?;
    let result = writer::contain_panic(work, &mut conn).await;
    let ended = conn
        .control(if result.is_ok() { "COMMIT" } else { "ROLLBACK" })
        .await;
    if ended.is_err()
        && let Conn::Postgres(broken) = conn
    {
        // Its transaction may still be open.
        let _ = broken.close().await;
    }
    let value = result?;
    ended.map(|()| value)
}

/// What `?search=` compares: the given texts in lower case, one a line.
pub(crate) fn search_text<'a>(texts: impl IntoIterator<Item = Option<&'a str>>) -> String {
    texts
        .into_iter()
        .flatten()
        .map(str::to_lowercase)
        .collect::<Vec<_>>()
        .join("\n")
}

/// The `LIKE … ESCAPE '\'` pattern that finds `needle` anywhere in a [`search_text`].
pub(crate) fn like_pattern(needle: &str) -> String {
    let mut pattern = String::with_capacity(needle.len() + 2);
    pattern.push('%');
    for c in needle.to_lowercase().chars() {
        if matches!(c, '%' | '_' | '\\') {
            pattern.push('\\');
        }
        pattern.push(c);
    }
    pattern.push('%');
    pattern
}
