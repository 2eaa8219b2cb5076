//! Certificates: from files that are read again when they change, or made at start.

use std::{
    path::Path,
    sync::{Arc, PoisonError, RwLock},
    time::{Duration, SystemTime},
};

use anyhow::Context;
use rustls::{
    ServerConfig,
    crypto::aws_lc_rs::{default_provider, sign::any_supported_type},
    pki_types::{CertificateDer, PrivateKeyDer, pem::PemObject},
    server::{ClientHello, ResolvesServerCert},
    sign::CertifiedKey,
};
use tokio_util::sync::CancellationToken;

use crate::{auth::master_key::refuse_shared_file, config::TlsSource};

/// How often the files are looked at.
const LOOK_EVERY: Duration = Duration::from_secs(1);

#[derive(Debug)]
struct Current(RwLock<Arc<CertifiedKey>>);

impl ResolvesServerCert for Current {
    fn resolve(&self, _: ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
        Some(self.0.read().unwrap_or_else(PoisonError::into_inner).clone())
    }
}

/// The TLS side of a listener. For files, a task re-reads them until `stop`.
pub fn server_config(
    source: &TlsSource,
    base_domain: &str,
    stop: CancellationToken,
) -> anyhow::Result<Arc<ServerConfig>> {
    let first = match source {
        TlsSource::Files { cert, key } => load(cert, key)?,
        TlsSource::SelfSigned => self_signed(base_domain)?,
    };
    let current = Arc::new(Current(RwLock::new(Arc::new(first))));
    if let TlsSource::Files { cert, key } = source {
        tokio::spawn(follow(cert.clone(), key.clone(), current.clone(), stop));
    }
    let mut config = ServerConfig::builder_with_provider(Arc::new(default_provider()))
        .with_safe_default_protocol_versions()?
        .with_no_client_auth()
        .with_cert_resolver(current);
    config.alpn_protocols = vec![b"http/1.1".to_vec()];
    Ok(Arc::new(config))
}

async fn follow(
    cert: std::path::PathBuf,
    key: std::path::PathBuf,
    current: Arc<Current>,
    stop: CancellationToken,
) {
    let modified = |path: &Path| std::fs::metadata(path).and_then(|meta| meta.modified()).ok();
    let state = || -> (Option<SystemTime>, Option<SystemTime>) { (modified(&cert), modified(&key)) };
    let mut seen = state();
    while tokio::time::timeout(LOOK_EVERY, stop.cancelled()).await.is_err() {
        let now = state();
        if now == seen {
            continue;
        }
        seen = now;
        match load(&cert, &key) {
            Ok(fresh) => {
                *current.0.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(fresh);
                tracing::info!("the certificate was read again");
            }
            // Perhaps only one of the two is written yet; the old pair serves until both fit.
            Err(error) => tracing::warn!("the changed certificate is not used: {error:#}"),
        }
    }
}

fn load(cert: &Path, key: &Path) -> anyhow::Result<CertifiedKey> {
    refuse_shared_file(key)?;
    let chain = CertificateDer::pem_file_iter(cert)
        .and_then(Iterator::collect::<Result<Vec<_>, _>>)
        .with_context(|| format!("the certificate {} cannot be read", cert.display()))?;
    anyhow::ensure!(!chain.is_empty(), "{} holds no certificate", cert.display());
    let der = PrivateKeyDer::from_pem_file(key)
        .with_context(|| format!("the key {} cannot be read", key.display()))?;
    let certified = CertifiedKey::new(chain, any_supported_type(&der)?);
    certified
        .keys_match()
        .context("certificate and key do not belong together")?;
    Ok(certified)
}

/// A certificate that names each host beside the wildcard: common libraries refuse `*.localhost` alone.
fn self_signed(base_domain: &str) -> anyhow::Result<CertifiedKey> {
    let base = base_domain.split(':').next().unwrap_or(base_domain);
    let hosts = [
        "api",
        "socket-edge",
        "api-silos",
        "da-collector",
        "location",
        "location-legacy",
        "*",
    ];
    let mut names: Vec<String> = hosts.iter().map(|host| format!("{host}.{base}")).collect();
    names.extend([base, "localhost", "127.0.0.1", "::1"].map(str::to_owned));
    names.dedup();
    let made = rcgen::generate_simple_self_signed(names)?;
    let key =
        PrivateKeyDer::try_from(made.signing_key.serialize_der()).map_err(|e| anyhow::anyhow!("{e}"))?;
    Ok(CertifiedKey::new(
        vec![made.cert.der().clone()],
        any_supported_type(&key)?,
    ))
}
