//! Databases that live as long as a test.

use std::path::{Path, PathBuf};

use muster_store::Address;
use sqlx::{AssertSqlSafe, Connection, PgConnection, SqliteConnection, sqlite::SqliteConnectOptions};

/// Names the cluster in which tests make their databases; `scripts/with-postgres` sets it.
pub const POSTGRES_URL: &str = "MUSTER_TEST_POSTGRES_URL";

/// Which database a test runs on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Database {
    /// A file in the server's data folder.
    Sqlite,
    /// A fresh database in the cluster of the test run.
    Postgres,
}

/// A database of a test's own. A PostgreSQL database is dropped with it.
#[derive(Debug)]
pub struct TestDatabase {
    address: Address,
    drop_name: Option<String>,
}

impl TestDatabase {
    /// Makes a database; one of SQLite is `muster.db` in the data folder, and made by the server.
    pub async fn create(kind: Database, data_dir: &Path) -> Self {
        match kind {
            Database::Sqlite => Self {
                address: Address::Sqlite(data_dir.join("muster.db")),
                drop_name: None,
            },
            Database::Postgres => {
                let name = format!("t_{}", uuid::Uuid::new_v4().simple());
                let cluster = cluster_url();
                run_on_cluster(&cluster, format!("CREATE DATABASE {name}")).await;
                let mut url = url::Url::parse(&cluster).expect("the cluster's address");
                url.set_path(&name);
                Self {
                    address: Address::Postgres(url.into()),
                    drop_name: Some(name),
                }
            }
        }
    }

    /// Where it is.
    pub fn address(&self) -> &Address {
        &self.address
    }

    /// What `--database-url` takes.
    pub fn url(&self) -> String {
        match &self.address {
            Address::Sqlite(file) => format!("sqlite:{}", file.display()),
            Address::Postgres(url) => url.clone(),
        }
    }

    /// The file of an SQLite database.
    pub fn file(&self) -> PathBuf {
        match &self.address {
            Address::Sqlite(file) => file.clone(),
            Address::Postgres(_) => panic!("a PostgreSQL database is no file"),
        }
    }

    /// Runs SQL text over a connection of its own, as another process would; answers the rows touched.
    pub async fn execute(&self, sql: impl Into<String>) -> u64 {
        let sql = AssertSqlSafe(sql.into());
        match &self.address {
            Address::Sqlite(file) => {
                let mut conn = open_sqlite(file).await;
                let done = sqlx::raw_sql(sql).execute(&mut conn).await.expect("SQL");
                conn.close().await.expect("closing");
                done.rows_affected()
            }
            Address::Postgres(url) => {
                let mut conn = PgConnection::connect(url).await.expect("PostgreSQL");
                let done = sqlx::raw_sql(sql).execute(&mut conn).await.expect("SQL");
                conn.close().await.expect("closing");
                done.rows_affected()
            }
        }
    }

    /// The one BIGINT that a query answers, such as a count.
    pub async fn number(&self, sql: impl Into<String>) -> i64 {
        let sql = AssertSqlSafe(sql.into());
        match &self.address {
            Address::Sqlite(file) => {
                let mut conn = open_sqlite(file).await;
                let number = sqlx::query_scalar(sql)
                    .fetch_one(&mut conn)
                    .await
                    .expect("a number");
                conn.close().await.expect("closing");
                number
            }
            Address::Postgres(url) => {
                let mut conn = PgConnection::connect(url).await.expect("PostgreSQL");
                let number = sqlx::query_scalar(sql)
                    .fetch_one(&mut conn)
                    .await
                    .expect("a number");
                conn.close().await.expect("closing");
                number
            }
        }
    }
}

impl Drop for TestDatabase {
    fn drop(&mut self) {
        let Some(name) = self.drop_name.take() else {
            return;
        };
        // Dropped inside the test's runtime, so the connection needs one of its own.
        let dropped = std::thread::spawn(move || {
            tokio::runtime::Builder::new_current_thread()
                .enable_all()
                .build()
                .expect("a runtime")
                .block_on(run_on_cluster(
                    &cluster_url(),
                    format!("DROP DATABASE {name} WITH (FORCE)"),
                ));
        });
        let dropped = dropped.join().is_ok();
        assert!(
            dropped || std::thread::panicking(),
            "the test's database was not dropped"
        );
    }
}

fn cluster_url() -> String {
    std::env::var(POSTGRES_URL).unwrap_or_else(|_| {
        panic!(
            "{POSTGRES_URL} is not set: run the tests by `make test`, or by `scripts/with-postgres cargo nextest run`"
        )
    })
}

async fn run_on_cluster(cluster: &str, sql: String) {
    let mut conn = PgConnection::connect(cluster).await.expect("the cluster");
    // The template is locked while another test copies it; that passes.
    for attempt in 0.. {
        match sqlx::raw_sql(AssertSqlSafe(sql.clone())).execute(&mut conn).await {
            Ok(_) => break,
            Err(_) if attempt < 50 => tokio::time::sleep(std::time::Duration::from_millis(100)).await,
            Err(error) => panic!("{sql}: {error}"),
        }
    }
    let _ = conn.close().await;
}

async fn open_sqlite(file: &Path) -> SqliteConnection {
    let options = SqliteConnectOptions::new()
        .filename(file)
        .busy_timeout(std::time::Duration::from_secs(10));
    SqliteConnection::connect_with(&options).await.expect("SQLite")
}
