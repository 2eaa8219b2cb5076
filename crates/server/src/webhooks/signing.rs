//! The key that signs what webhooks are told: RSA-2048, as receivers of this kind verify today.

use std::{fmt, sync::Arc};

use anyhow::Context;
use aws_lc_rs::{
    encoding::{AsDer, Pkcs8V1Der, PublicKeyX509Der},
    rand::SystemRandom,
    rsa::{KeyPair, KeySize},
    signature::{KeyPair as _, RSA_PKCS1_SHA256},
};
use base64::{Engine, prelude::BASE64_STANDARD};
use muster_model::Timestamp;
use muster_store::Store;
use tokio::sync::OnceCell;

use crate::auth::master_key::MasterKey;

const KEY_NAME: &str = "webhooks";

/// A key pair.
pub struct SigningKey {
    pair: KeyPair,
    public_pem: String,
}

impl fmt::Debug for SigningKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SigningKey")
    }
}

/// The signatures of one request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Signatures {
    /// `rtk-signature`: Base64 of RSASSA-PKCS1-v1_5 with SHA-256 over the body.
    pub of_body: String,
    /// `muster-signature`: `t=<seconds since 1970>,v1=<the same over "<t>.<body>">`.
    pub with_time: String,
}

impl SigningKey {
    fn generate() -> anyhow::Result<Vec<u8>> {
        let pair = KeyPair::generate(KeySize::Rsa2048).context("no RSA key could be made")?;
        let pkcs8: Pkcs8V1Der<'_> = pair.as_der().context("the RSA key cannot be written")?;
        Ok(pkcs8.as_ref().to_vec())
    }

    fn from_pkcs8(pkcs8: &[u8]) -> anyhow::Result<Self> {
        let pair = KeyPair::from_pkcs8(pkcs8).context("the stored signing key does not read")?;
        let spki: PublicKeyX509Der<'_> = pair
            .public_key()
            .as_der()
            .context("the public key cannot be written")?;
        let public_pem = pem("PUBLIC KEY", spki.as_ref());
        Ok(Self { pair, public_pem })
    }

    /// The public key as PEM (SPKI).
    pub fn public_pem(&self) -> &str {
        &self.public_pem
    }

    fn sign(&self, message: &[u8]) -> anyhow::Result<String> {
        let mut signature = vec![0; self.pair.public_modulus_len()];
        self.pair
            .sign(&RSA_PKCS1_SHA256, &SystemRandom::new(), message, &mut signature)
            .context("a webhook's body could not be signed")?;
        Ok(BASE64_STANDARD.encode(signature))
    }

    /// Signs a body that is sent at `now`. Takes a millisecond or two of one core.
    pub fn signatures(&self, body: &str, now: Timestamp) -> anyhow::Result<Signatures> {
        let seconds = now.as_secs();
        let timed = self.sign(format!("{seconds}.{body}").as_bytes())?;
        Ok(Signatures {
            of_body: self.sign(body.as_bytes())?,
            with_time: format!("t={seconds},v1={timed}"),
        })
    }
}

fn pem(label: &str, der: &[u8]) -> String {
    let mut text = format!("-----BEGIN {label}-----\n");
    let encoded = BASE64_STANDARD.encode(der);
    for (index, c) in encoded.chars().enumerate() {
        if index > 0 && index % 64 == 0 {
            text.push('\n');
        }
        text.push(c);
    }
    text + "\n-----END " + label + "-----\n"
}

/// The installation's signing key, made when it is first wanted: that takes too long for a start.
#[derive(Debug, Clone)]
pub struct WebhookKeys {
    store: Store,
    master: Arc<MasterKey>,
    key: Arc<OnceCell<Arc<SigningKey>>>,
}

impl WebhookKeys {
    /// Over the records of an installation.
    pub fn new(store: Store, master: Arc<MasterKey>) -> Self {
        Self {
            store,
            master,
            key: Arc::default(),
        }
    }

    /// The key; made and stored if there is none yet.
    pub async fn get(&self) -> anyhow::Result<Arc<SigningKey>> {
        self.key.get_or_try_init(|| self.load_or_create()).await.cloned()
    }

    /// Has the key made in the background.
    pub fn make_ready(&self) {
        if self.key.initialized() {
            return;
        }
        let keys = self.clone();
        tokio::spawn(async move {
            if let Err(error) = keys.get().await {
                tracing::warn!("the key that signs webhooks is not ready: {error:#}");
            }
        });
    }

    async fn load_or_create(&self) -> anyhow::Result<Arc<SigningKey>> {
        let sealed = if let Some(sealed) = self.store.key(KEY_NAME).await? {
            sealed
        } else {
            let fresh = tokio::task::spawn_blocking(SigningKey::generate).await??;
            let sealed = self.master.seal(KEY_NAME, &fresh)?;
            self.store.keep_key(KEY_NAME, sealed, Timestamp::now()).await?
        };
        let pkcs8 = self.master.open(KEY_NAME, &sealed)?;
        Ok(Arc::new(SigningKey::from_pkcs8(&pkcs8)?))
    }
}
