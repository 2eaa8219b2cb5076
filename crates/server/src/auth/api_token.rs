//! API tokens: their secrets, and a short memory of those that were checked.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, PoisonError},
    time::{Duration, Instant},
};

use anyhow::Context;
use aws_lc_rs::{digest, rand};
use base64::{Engine, prelude::BASE64_URL_SAFE_NO_PAD};
use muster_model::{ApiTokenId, Timestamp, token::ApiToken};
use muster_store::{Store, StoreError};

use crate::momentary::Momentary;

/// Begins every secret, so that a leaked one is recognised for what it is.
const PREFIX: &str = "muster_";

/// A new secret of 256 random bits. Shown once; only its hash is kept.
pub fn new_secret() -> anyhow::Result<String> {
    let mut bytes = [0; 32];
    rand::fill(&mut bytes).context("no randomness for a token")?;
    Ok(format!("{PREFIX}{}", BASE64_URL_SAFE_NO_PAD.encode(bytes)))
}

/// SHA-256 of a secret, in hex: what the store knows of it.
pub fn hash(secret: &str) -> String {
    hex(digest::digest(&digest::SHA256, secret.as_bytes()).as_ref())
}

/// Bytes as lower-case hex digits.
pub fn hex(bytes: &[u8]) -> String {
    use std::fmt::Write;
    bytes
        .iter()
        .fold(String::with_capacity(bytes.len() * 2), |mut text, byte| {
            let _ = write!(text, "{byte:02x}");
            text
        })
}

/// How long a checked token is believed; bounds how long a revoked one still works.
const BELIEVED_FOR: Duration = Duration::from_millis(400);

/// The API tokens of the installation.
#[derive(Debug)]
pub struct ApiTokens {
    store: Store,
    checked: Momentary<[u8; digest::SHA256_OUTPUT_LEN], Arc<ApiToken>>,
    used: Mutex<HashMap<ApiTokenId, Timestamp>>,
}

impl ApiTokens {
    /// Over a store.
    pub fn new(store: Store) -> Self {
        Self {
            store,
            checked: Momentary::new(BELIEVED_FOR),
            used: Mutex::default(),
        }
    }

    /// The active token with this secret, if there is one.
    pub async fn check(&self, secret: &str) -> Result<Option<Arc<ApiToken>>, StoreError> {
        let mut key = [0; digest::SHA256_OUTPUT_LEN];
        key.copy_from_slice(digest::digest(&digest::SHA256, secret.as_bytes()).as_ref());
        if let Some(token) = self.checked.get(&key) {
            return Ok(Some(token).filter(|token| token.is_active(Timestamp::now())));
        }
        let (asked_at, now) = (Instant::now(), Timestamp::now());
        let Some(token) = Box::pin(self.store.token_by_hash(&hex(&key)))
            .await?
            .filter(|t| t.is_active(now))
        else {
            return Ok(None);
        };
        let token = Arc::new(token);
        self.checked.put_as_of(key, token.clone(), asked_at);
        self.used
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .insert(token.id, now);
        Ok(Some(token))
    }

    /// Forgets a token that was revoked here, so that it is refused at once.
    pub fn forget(&self, id: ApiTokenId) {
        self.checked.retain(|token| token.id != id);
    }

    /// Writes down when tokens were last used.
    pub async fn note_use(&self) -> Result<(), StoreError> {
        let used = std::mem::take(&mut *self.used.lock().unwrap_or_else(PoisonError::into_inner));
        if used.is_empty() {
            return Ok(());
        }
        self.store.note_token_use(used.into_iter().collect()).await
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn secrets_are_long_and_differ() {
        let (one, two) = (new_secret().unwrap(), new_secret().unwrap());
        assert!(one.starts_with(PREFIX) && one.len() == PREFIX.len() + 43 && one != two);
        assert_eq!(
            hash("abc"),
            "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
        );
    }
}
