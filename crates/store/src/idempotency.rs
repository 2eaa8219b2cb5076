//! Answers kept for repeated requests (`Idempotency-Key`).

use muster_model::Timestamp;

use crate::{Conn, StoreError, params};

/// Answers kept for one app (or account) at most; the oldest go first.
pub const MAX_PER_OWNER: i64 = 10_000;

/// Which request is meant. Both hashes are SHA-256 in hex.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RequestKey {
    /// Over token, app, method, path and key.
    pub id: String,
    /// The app, or the account for operations above apps.
    pub owner: String,
    /// Over the request's body.
    pub fingerprint: String,
}

/// An answer that was given before.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KeptAnswer {
    /// Hash of the body it answered.
    pub fingerprint: String,
    /// HTTP status.
    pub status: u16,
    /// The body, sealed.
    pub sealed_body: Vec<u8>,
}

/// The answer kept for this request, if any.
pub async fn find(conn: &mut Conn, key: &RequestKey) -> Result<Option<KeptAnswer>, StoreError> {
    let row: Option<(String, i64, Vec<u8>)> = conn
        .fetch_optional(
            "SELECT fingerprint, status, body FROM idempotency_keys WHERE id = $1",
            params![&key.id],
        )
        .await?;
    row.map(|(fingerprint, status, sealed_body)| {
        let status = u16::try_from(status).map_err(|_| StoreError::Corrupt("status".into()))?;
        Ok(KeptAnswer {
            fingerprint,
            status,
            sealed_body,
        })
    })
    .transpose()
}

/// Keeps an answer, in the transaction of the effect it answers.
///
/// A second request with the same key that got this far is a conflict.
pub async fn keep(
    conn: &mut Conn,
    key: &RequestKey,
    status: u16,
    sealed_body: Vec<u8>,
    now: Timestamp,
) -> Result<(), StoreError> {
    let kept = conn
        .execute(
            "INSERT INTO idempotency_keys (id, owner, fingerprint, status, body, created_at) \
             VALUES ($1, $2, $3, $4, $5, $6) ON CONFLICT (id) DO NOTHING",
            params![
                &key.id,
                &key.owner,
                &key.fingerprint,
                i64::from(status),
                sealed_body,
                now
            ],
        )
        .await?;
    if kept == 0 {
        return Err(StoreError::Conflict(
            "a request with this Idempotency-Key is in flight".into(),
        ));
    }
    conn.execute(
        "DELETE FROM idempotency_keys WHERE owner = $1 AND created_at <= COALESCE(( \
             SELECT created_at FROM idempotency_keys WHERE owner = $1 \
             ORDER BY created_at DESC LIMIT 1 OFFSET $2), -1)",
        params![&key.owner, MAX_PER_OWNER],
    )
    .await?;
    Ok(())
}
