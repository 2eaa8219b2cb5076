//! For tests: servers inside the test and as processes of their own, on either database, and a small
//! client of the management API.
//!
//! Everything here ends with the test: temporary folders, databases, processes. What goes wrong is a
//! panic, since that is how a test fails.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::return_self_not_must_use)]

mod api;
mod database;
mod guest;
mod guest_media;
mod media;
mod process;
mod server;
mod sink;

pub use api::{Answer, Api, Call, new_http_client};
pub use database::{Database, TestDatabase};
pub use guest::{Closed, Guest};
pub use guest_media::read;
pub use media::FixedMedia;
pub use process::{Exit, Muster, ServerProcess, muster_binary, run};
pub use server::{Server, ServerBuilder};
pub use sink::{Received, Reply, WebhookSink};

use std::time::Duration;

/// How long a test may take before it fails.
pub const TEST_TIME: Duration = Duration::from_secs(90);

/// Runs a test's body, for a bounded time.
pub async fn bounded<T>(body: impl Future<Output = T>) -> T {
    tokio::time::timeout(TEST_TIME, body)
        .await
        .expect("the test took too long")
}

/// Asks `check` until it is true; fails after `limit`.
pub async fn eventually(what: &str, limit: Duration, mut check: impl AsyncFnMut() -> bool) {
    let give_up = tokio::time::Instant::now() + limit;
    while !check().await {
        assert!(
            tokio::time::Instant::now() < give_up,
            "not within {limit:?}: {what}"
        );
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

/// Makes two tests of each function: one on SQLite, one on PostgreSQL.
///
/// ```ignore
/// both!(an_app_has_a_name);
///
/// async fn an_app_has_a_name(db: Database) {
///     let server = Server::start(db).await;
/// }
/// ```
#[macro_export]
macro_rules! both {
    ($($name:ident),* $(,)?) => {$(
        mod $name {
            #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn sqlite() {
                $crate::bounded(super::$name($crate::Database::Sqlite)).await;
            }

            #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn postgres() {
                $crate::bounded(super::$name($crate::Database::Postgres)).await;
            }
        }
    )*};
}
