//! What can go wrong in the store.

use muster_model::timestamp::ParseTimestampError;

/// A failure of a store operation. The text is for the log; callers are told by kind.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// No such record within the caller's scope. Names the kind of record.
    #[error("{0} not found")]
    NotFound(&'static str),
    /// No preset of the app has this name or id.
    #[error("no preset found with name {0}")]
    NoPreset(String),
    /// The change contradicts a record that is there. The text is fit for the caller.
    #[error("{0}")]
    Conflict(String),
    /// More writes are waiting than the store accepts.
    #[error("too many writes are waiting")]
    Busy,
    /// The disk is full, or the database refuses to grow.
    #[error("the disk is full")]
    DiskFull(#[source] sqlx::Error),
    /// The database holds migrations that this program does not know.
    #[error(
        "the database was written by a newer version of muster (migration {0}); use that version or a backup"
    )]
    NewerSchema(i64),
    /// A migration failed.
    #[error("the database could not be migrated: {0}")]
    Migrate(#[source] sqlx::migrate::MigrateError),
    /// SQLite would not sync each commit; says how it would write.
    #[error("the database file cannot be written safely ({0}); is it on a network drive?")]
    NotDurable(String),
    /// A record in the database does not read as what it should be.
    #[error("unreadable record: {0}")]
    Corrupt(String),
    /// The address names no database that is supported.
    #[error("not a database address: {0} (use sqlite:FILE or postgres://…)")]
    Address(String),
    /// The database cannot be reached, or has no connection to spare.
    #[error("the database cannot be reached: {0}")]
    Unreachable(#[source] sqlx::Error),
    /// Any other failure of the database.
    #[error("database: {0}")]
    Database(#[source] sqlx::Error),
    /// The write was in a group whose commit failed, or its code panicked.
    #[error("the write was not committed: {0}")]
    NotCommitted(String),
}

/// Primary and extended codes by which SQLite says that it cannot write more, and
/// PostgreSQL's `disk_full` and `out_of_memory` class members that mean the same.
const FULL_CODES: [&str; 5] = ["13", "778", "1034", "4874", "53100"];

impl StoreError {
    fn database_error(&self) -> Option<&dyn sqlx::error::DatabaseError> {
        match self {
            Self::Database(error) => error.as_database_error(),
            _ => None,
        }
    }

    /// This error or, where it says that a unique name is taken, what `taken` says of that.
    pub(crate) fn or_taken(self, taken: impl FnOnce() -> Self) -> Self {
        if self.is_unique_violation() { taken() } else { self }
    }

    /// Whether a statement would have made two of what there may be one of.
    fn is_unique_violation(&self) -> bool {
        self.database_error()
            .is_some_and(sqlx::error::DatabaseError::is_unique_violation)
    }

    /// Whether a statement would have left a reference to what is not there.
    pub(crate) fn is_foreign_key_violation(&self) -> bool {
        self.database_error()
            .is_some_and(sqlx::error::DatabaseError::is_foreign_key_violation)
    }

    /// Where a preset was deleted (by another transaction of PostgreSQL) after it was found: there is
    /// no such preset.
    pub(crate) fn or_no_preset(self, name: &str) -> Self {
        if self.is_foreign_key_violation() {
            Self::NoPreset(name.to_owned())
        } else {
            self
        }
    }

    /// Whether it says that writes cannot be made durable, rather than that this one was wrong.
    pub fn is_write_failure(&self) -> bool {
        matches!(self, Self::DiskFull(_) | Self::NotCommitted(_))
    }
}

impl From<sqlx::Error> for StoreError {
    fn from(error: sqlx::Error) -> Self {
        let full = error
            .as_database_error()
            .and_then(sqlx::error::DatabaseError::code)
            .is_some_and(|code| FULL_CODES.contains(&code.as_ref()));
        let gone = matches!(
            error,
            sqlx::Error::PoolTimedOut | sqlx::Error::PoolClosed | sqlx::Error::Io(_)
        );
        if gone {
            Self::Unreachable(error)
        } else if full {
            Self::DiskFull(error)
        } else {
            Self::Database(error)
        }
    }
}

impl From<sqlx::migrate::MigrateError> for StoreError {
    fn from(error: sqlx::migrate::MigrateError) -> Self {
        match error {
            sqlx::migrate::MigrateError::VersionMissing(version)
            | sqlx::migrate::MigrateError::VersionTooNew(version, _) => Self::NewerSchema(version),
            other => Self::Migrate(other),
        }
    }
}

impl From<muster_model::id::ParseIdError> for StoreError {
    fn from(error: muster_model::id::ParseIdError) -> Self {
        Self::Corrupt(error.to_string())
    }
}

impl From<ParseTimestampError> for StoreError {
    fn from(error: ParseTimestampError) -> Self {
        Self::Corrupt(error.to_string())
    }
}

impl From<serde_json::Error> for StoreError {
    fn from(error: serde_json::Error) -> Self {
        Self::Corrupt(error.to_string())
    }
}
