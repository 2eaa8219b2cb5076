//! One connection, to either database, and the few ways a statement is run on it.
//!
//! SQL is written once, with `$1` placeholders, and must hold for SQLite and PostgreSQL.

use sqlx::{
    AssertSqlSafe, FromRow, PgConnection, Postgres, Sqlite, SqliteConnection, pool::PoolConnection,
    postgres::PgRow, sqlite::SqliteRow,
};

use crate::StoreError;

/// A connection to the database, perhaps inside a transaction.
#[derive(Debug)]
pub enum Conn {
    /// To SQLite.
    Sqlite(PoolConnection<Sqlite>),
    /// To PostgreSQL.
    Postgres(PoolConnection<Postgres>),
}

/// A value bound to a placeholder.
#[derive(Debug, Clone)]
pub enum Param {
    /// TEXT.
    Text(Option<String>),
    /// BIGINT.
    Int(Option<i64>),
    /// BOOLEAN.
    Bool(Option<bool>),
    /// BLOB or BYTEA.
    Bytes(Option<Vec<u8>>),
}

/// A row type that both databases can fill.
pub trait Row: for<'r> FromRow<'r, SqliteRow> + for<'r> FromRow<'r, PgRow> + Send + Unpin + 'static {}
impl<T> Row for T where T: for<'r> FromRow<'r, SqliteRow> + for<'r> FromRow<'r, PgRow> + Send + Unpin + 'static
{}

/// Binds each argument by its type: `params![meeting_id, title, now]`.
#[macro_export]
macro_rules! params {
    ($($value:expr),* $(,)?) => { vec![$($crate::Param::from($value)),*] };
}

/// Runs `$query` on whichever connection `$conn` is, with `$params` bound.
macro_rules! on_either {
    ($conn:expr, $params:expr, $make:expr, |$query:ident, $c:ident| $run:expr) => {
        match $conn {
            Conn::Sqlite(connection) => {
                let $c: &mut SqliteConnection = &mut *connection;
                let mut $query = $make;
                for param in $params {
                    $query = match param {
                        Param::Text(value) => $query.bind(value),
                        Param::Int(value) => $query.bind(value),
                        Param::Bool(value) => $query.bind(value),
                        Param::Bytes(value) => $query.bind(value),
                    };
                }
                $run
            }
            Conn::Postgres(connection) => {
                let $c: &mut PgConnection = &mut *connection;
                let mut $query = $make;
                for param in $params {
                    $query = match param {
                        Param::Text(value) => $query.bind(value),
                        Param::Int(value) => $query.bind(value),
                        Param::Bool(value) => $query.bind(value),
                        Param::Bytes(value) => $query.bind(value),
                    };
                }
                $run
            }
        }
    };
}

impl Conn {
    /// Runs a statement; answers how many rows it touched.
    pub async fn execute(&mut self, sql: &'static str, params: Vec<Param>) -> Result<u64, StoreError> {
        Ok(on_either!(self, params, sqlx::query(sql), |query, c| query
            .execute(c)
            .await?
            .rows_affected()))
    }

    /// All rows of a query.
    pub async fn fetch_all<T: Row>(
        &mut self,
        sql: &'static str,
        params: Vec<Param>,
    ) -> Result<Vec<T>, StoreError> {
        Ok(on_either!(self, params, sqlx::query_as(sql), |query, c| query
            .fetch_all(c)
            .await?))
    }

    /// The first row of a query, if any.
    pub async fn fetch_optional<T: Row>(
        &mut self,
        sql: &'static str,
        params: Vec<Param>,
    ) -> Result<Option<T>, StoreError> {
        Ok(on_either!(self, params, sqlx::query_as(sql), |query, c| query
            .fetch_optional(c)
            .await?))
    }

    /// The row of a query that always has one.
    pub async fn fetch_one<T: Row>(
        &mut self,
        sql: &'static str,
        params: Vec<Param>,
    ) -> Result<T, StoreError> {
        Ok(on_either!(self, params, sqlx::query_as(sql), |query, c| query
            .fetch_one(c)
            .await?))
    }

    /// All rows of a query whose text was put together from constant pieces (sort orders, optional
    /// filters). Never pass text that came from outside.
    pub async fn fetch_all_built<T: Row>(
        &mut self,
        sql: String,
        params: Vec<Param>,
    ) -> Result<Vec<T>, StoreError> {
        let sql = AssertSqlSafe(sql);
        Ok(on_either!(self, params, sqlx::query_as(sql), |query, c| query
            .fetch_all(c)
            .await?))
    }

    /// Locks the rows that a `SELECT … FOR UPDATE` names until the transaction ends, so that a change
    /// made of what is read now loses no other change. SQLite has one writer at a time as it is.
    pub(crate) async fn lock_rows(
        &mut self,
        select_for_update: &'static str,
        params: impl FnOnce() -> Vec<Param>,
    ) -> Result<(), StoreError> {
        if let Self::Postgres(_) = self {
            self.execute(select_for_update, params()).await?;
        }
        Ok(())
    }

    /// Runs transaction control and other text without parameters, unprepared.
    pub(crate) async fn control(&mut self, sql: &'static str) -> Result<(), StoreError> {
        match self {
            Self::Sqlite(c) => sqlx::raw_sql(sql).execute(&mut **c).await.map(|_| ())?,
            Self::Postgres(c) => sqlx::raw_sql(sql).execute(&mut **c).await.map(|_| ())?,
        }
        Ok(())
    }
}

macro_rules! param_from {
    ($($variant:ident: $type:ty),* $(,)?) => {$(
        impl From<$type> for Param {
            fn from(value: $type) -> Self {
                Self::$variant(Some(value.into()))
            }
        }
        impl From<Option<$type>> for Param {
            fn from(value: Option<$type>) -> Self {
                Self::$variant(value.map(Into::into))
            }
        }
    )*};
}
param_from!(Text: String, Text: &str, Int: i64, Int: i32, Int: u32, Bool: bool, Bytes: Vec<u8>);

impl From<&String> for Param {
    fn from(value: &String) -> Self {
        Self::Text(Some(value.clone()))
    }
}

impl From<&Option<String>> for Param {
    fn from(value: &Option<String>) -> Self {
        Self::Text(value.clone())
    }
}

macro_rules! param_from_id {
    ($($name:ident),* $(,)?) => {$(
        impl From<muster_model::$name> for Param {
            fn from(id: muster_model::$name) -> Self {
                Self::Text(Some(id.to_string()))
            }
        }
        impl From<&muster_model::$name> for Param {
            fn from(id: &muster_model::$name) -> Self {
                Self::Text(Some(id.to_string()))
            }
        }
        impl From<Option<muster_model::$name>> for Param {
            fn from(id: Option<muster_model::$name>) -> Self {
                Self::Text(id.map(|id| id.to_string()))
            }
        }
    )*};
}
param_from_id!(
    AccountId,
    ApiTokenId,
    AppId,
    ChatMessageId,
    FileId,
    LivestreamId,
    LivestreamSessionId,
    MeetingId,
    ParticipantId,
    PeerId,
    PollId,
    PresetId,
    RecordingId,
    SessionId,
    WebhookId,
);

impl From<muster_model::Timestamp> for Param {
    fn from(time: muster_model::Timestamp) -> Self {
        Self::Int(Some(time.as_micros()))
    }
}

impl From<Option<muster_model::Timestamp>> for Param {
    fn from(time: Option<muster_model::Timestamp>) -> Self {
        Self::Int(time.map(muster_model::Timestamp::as_micros))
    }
}
