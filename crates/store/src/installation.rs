//! What belongs to the installation as a whole: its keys and small facts.

use muster_model::Timestamp;

use crate::{Conn, Store, StoreError, params};

impl Store {
    /// A sealed key of the installation.
    pub async fn key(&self, name: &str) -> Result<Option<Vec<u8>>, StoreError> {
        let row: Option<(Vec<u8>,)> = self
            .read()
            .await?
            .fetch_optional("SELECT sealed FROM keys WHERE name = $1", params![name])
            .await?;
        Ok(row.map(|(sealed,)| sealed))
    }

    /// Stores a sealed key unless there is one by now; answers the one that stands.
    pub async fn keep_key(
        &self,
        name: &'static str,
        sealed: Vec<u8>,
        now: Timestamp,
    ) -> Result<Vec<u8>, StoreError> {
        self.write(move |conn| {
            Box::pin(async move {
                conn.execute(
                    "INSERT INTO keys (name, sealed, created_at) VALUES ($1, $2, $3) \
                     ON CONFLICT (name) DO NOTHING",
                    params![name, sealed, now],
                )
                .await?;
                let (sealed,): (Vec<u8>,) = conn
                    .fetch_one("SELECT sealed FROM keys WHERE name = $1", params![name])
                    .await?;
                Ok(sealed)
            })
        })
        .await
    }

    /// A small fact.
    pub async fn fact(&self, name: &str) -> Result<Option<String>, StoreError> {
        let row: Option<(String,)> = self
            .read()
            .await?
            .fetch_optional("SELECT value FROM facts WHERE name = $1", params![name])
            .await?;
        Ok(row.map(|(value,)| value))
    }

    /// Whether a write can be made durable now: makes one.
    pub async fn probe_write(&self, now: Timestamp) -> Result<(), StoreError> {
        self.write(move |conn| Box::pin(async move { set_fact(conn, "last_probe", &now.to_string()).await }))
            .await
    }
}

/// Notes a small fact.
pub async fn set_fact(conn: &mut Conn, name: &str, value: &str) -> Result<(), StoreError> {
    conn.execute(
        "INSERT INTO facts (name, value) VALUES ($1, $2) ON CONFLICT (name) DO UPDATE SET value = $2",
        params![name, value],
    )
    .await
    .map(|_| ())
}
