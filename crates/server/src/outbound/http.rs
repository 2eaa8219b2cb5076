//! A client for addresses from outside: it connects only to what [`may_reach`] permits.
//!
//! A host name is resolved once for a connection, the addresses are judged, and the connection goes to one
//! that passed: a name that resolves differently a moment later gains nothing. No redirects, no proxies.

use std::{
    io,
    net::{IpAddr, SocketAddr},
    sync::Arc,
    time::Duration,
};

use anyhow::Context;
use futures::future::BoxFuture;
use ipnet::IpNet;
use reqwest::{
    Client,
    dns::{Addrs, Name, Resolve, Resolving},
};
use rustls::{ClientConfig, RootCertStore};

use super::may_reach;

/// Says what a host name resolves to.
pub trait Lookup: Send + Sync + 'static {
    /// The addresses of a host, in the order in which they are tried.
    fn lookup(&self, host: String) -> BoxFuture<'static, io::Result<Vec<IpAddr>>>;
}

/// The resolver of the operating system.
#[derive(Debug, Clone, Copy)]
pub struct SystemLookup;

impl Lookup for SystemLookup {
    fn lookup(&self, host: String) -> BoxFuture<'static, io::Result<Vec<IpAddr>>> {
        Box::pin(async move {
            let found = tokio::net::lookup_host((host, 0)).await?;
            Ok(found.map(|address| address.ip()).collect())
        })
    }
}

/// A host name leads only to places that are not on the public internet. Which is not told: names inside the
/// operator's network are not the caller's business.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the host leads to an address that is not public")]
pub struct NotPublic;

struct Judged<L> {
    lookup: Arc<L>,
    allowed: Arc<[IpNet]>,
}

impl<L: Lookup> Resolve for Judged<L> {
    fn resolve(&self, name: Name) -> Resolving {
        let (lookup, allowed) = (Arc::clone(&self.lookup), Arc::clone(&self.allowed));
        Box::pin(async move {
            let found = lookup.lookup(name.as_str().to_owned()).await?;
            let none_at_all = found.is_empty();
            let public: Vec<IpAddr> = found
                .into_iter()
                .filter(|address| may_reach(*address, &allowed))
                .collect();
            if public.is_empty() && !none_at_all {
                return Err(NotPublic.into());
            }
            // Port 0 stands for the one of the URL.
            let addresses: Addrs = Box::new(public.into_iter().map(|ip| SocketAddr::new(ip, 0)));
            Ok(addresses)
        })
    }
}

/// The certificate authorities of the system, or those of Mozilla where the system has none.
fn roots() -> RootCertStore {
    let mut roots = RootCertStore::empty();
    let (taken, _) = roots.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
    if taken == 0 {
        roots.extend(webpki_roots::TLS_SERVER_ROOTS.iter().cloned());
    }
    roots
}

/// How to speak TLS as a client. Reads the system's certificates, so not on the runtime.
pub fn tls() -> anyhow::Result<ClientConfig> {
    Ok(
        ClientConfig::builder_with_provider(rustls::crypto::aws_lc_rs::default_provider().into())
            .with_safe_default_protocol_versions()
            .context("the TLS versions")?
            .with_root_certificates(roots())
            .with_no_client_auth(),
    )
}

/// A client whose every request is given up after `timeout`. It judges host names; a literal address must be
/// judged with [`check`](super::check) before each request. Reads the system's certificates, so not on the runtime.
pub fn client(lookup: impl Lookup, allowed: &[IpNet], timeout: Duration) -> anyhow::Result<Client> {
    Client::builder()
        .tls_backend_preconfigured(tls()?)
        .dns_resolver(Arc::new(Judged {
            lookup: Arc::new(lookup),
            allowed: allowed.into(),
        }))
        .redirect(reqwest::redirect::Policy::none())
        .no_proxy()
        .http1_only()
        .referer(false)
        .timeout(timeout)
        .pool_max_idle_per_host(4)
        .pool_idle_timeout(Duration::from_secs(30))
        .user_agent(concat!("muster/", env!("CARGO_PKG_VERSION")))
        .build()
        .context("the HTTP client")
}

/// Why a request failed, for whoever gave the address: no more than the kind.
pub fn explain(error: &reqwest::Error) -> &'static str {
    let mut cause: Option<&(dyn std::error::Error + 'static)> = Some(error);
    let (mut tls, mut refused) = (false, false);
    while let Some(current) = cause {
        refused |= current.is::<NotPublic>();
        tls |= current.is::<rustls::Error>();
        // The source of an I/O error is that of what it wraps, not what it wraps.
        let wrapped = current.downcast_ref::<io::Error>().and_then(io::Error::get_ref);
        cause = match wrapped {
            Some(wrapped) => Some(wrapped),
            None => current.source(),
        };
    }
    match error {
        _ if refused => NOT_PUBLIC,
        error if error.is_timeout() => "no answer in time",
        _ if tls => "the TLS handshake failed",
        error if error.is_connect() => "no connection",
        _ => "the connection broke",
    }
}

/// What [`explain`] says of [`NotPublic`].
pub const NOT_PUBLIC: &str = "the host leads to an address that is not public";
