//! Accepts connections, serves them, and lets them finish when the server stops.

use std::{io, net::SocketAddr, sync::Arc, time::Duration};

use anyhow::Context;
use axum::{Router, extract::ConnectInfo};
use hyper::{Request, body::Incoming, server::conn::http1, service::service_fn};
use hyper_util::rt::{TokioIo, TokioTimer};
use rustls::ServerConfig;
use tokio::{
    io::{AsyncRead, AsyncWrite},
    net::{TcpListener, TcpStream},
};
use tokio_rustls::TlsAcceptor;
use tokio_util::{sync::CancellationToken, task::TaskTracker};
use tower::ServiceExt;

use super::edge::{path_for_host, trim_trailing_slash};

/// How long a client may take over the head of a request. The wait for the next request counts, so
/// this is also how long an idle connection is kept: longer than the pools of common clients keep it.
const HEAD_TIMEOUT: Duration = Duration::from_secs(75);
/// How long a client may take over a TLS handshake.
const HANDSHAKE_TIMEOUT: Duration = Duration::from_secs(15);

/// A bound address and what is served on it.
pub struct Listener {
    socket: TcpListener,
    tls: Option<TlsAcceptor>,
    router: Router,
    base_domain: Arc<str>,
}

impl std::fmt::Debug for Listener {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Listener")
            .field("address", &self.socket.local_addr())
            .finish_non_exhaustive()
    }
}

impl Listener {
    /// Binds; one clear line when the address is taken.
    pub async fn bind(
        address: SocketAddr,
        tls: Option<Arc<ServerConfig>>,
        router: Router,
        base_domain: &str,
    ) -> anyhow::Result<Self> {
        let socket = TcpListener::bind(address).await.map_err(|error| match error.kind() {
            io::ErrorKind::AddrInUse => {
                anyhow::anyhow!("the address {address} is taken; stop the other program or choose another with --listen")
            }
            io::ErrorKind::PermissionDenied => anyhow::anyhow!("the address {address} may not be used by this user"),
            _ => anyhow::anyhow!("cannot listen on {address}: {error}"),
        })?;
        Ok(Self {
            socket,
            tls: tls.map(TlsAcceptor::from),
            router,
            base_domain: base_domain.into(),
        })
    }

    /// The address, with the port that was free where port 0 was asked for.
    pub fn address(&self) -> anyhow::Result<SocketAddr> {
        self.socket.local_addr().context("a listener has no address")
    }

    /// Serves until `stop`, then takes no more requests; open ones go on in `connections`.
    pub async fn serve(self, stop: CancellationToken, connections: TaskTracker) {
        loop {
            let (stream, peer) = tokio::select! {
                () = stop.cancelled() => return,
                accepted = self.socket.accept() => match accepted {
                    Ok(accepted) => accepted,
                    Err(error) => {
                        // Out of file descriptors, most likely: others must end first.
                        tracing::warn!(%error, "a connection was not accepted");
                        tokio::time::sleep(Duration::from_millis(50)).await;
                        continue;
                    }
                },
            };
            let (tls, router, stop) = (self.tls.clone(), self.router.clone(), stop.clone());
            let base_domain = self.base_domain.clone();
            connections.spawn(async move { handshake(stream, peer, tls, router, base_domain, stop).await });
        }
    }
}

async fn handshake(
    stream: TcpStream,
    peer: SocketAddr,
    tls: Option<TlsAcceptor>,
    router: Router,
    base_domain: Arc<str>,
    stop: CancellationToken,
) {
    let _ = stream.set_nodelay(true);
    let Some(tls) = tls else {
        return converse(stream, peer, router, base_domain, stop).await;
    };
    match tokio::time::timeout(HANDSHAKE_TIMEOUT, tls.accept(stream)).await {
        Ok(Ok(stream)) => converse(stream, peer, router, base_domain, stop).await,
        Ok(Err(error)) => tracing::debug!(%peer, %error, "no TLS session"),
        Err(_) => tracing::debug!(%peer, "no TLS session in time"),
    }
}

async fn converse<S>(
    stream: S,
    peer: SocketAddr,
    router: Router,
    base_domain: Arc<str>,
    stop: CancellationToken,
) where
    S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
{
    let service = service_fn(move |request: Request<Incoming>| {
        let request = trim_trailing_slash(request.map(axum::body::Body::new));
        let mut request = path_for_host(request, &base_domain);
        request.extensions_mut().insert(ConnectInfo(peer));
        router.clone().oneshot(request)
    });
    let connection = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(HEAD_TIMEOUT)
        // Answers are gathered into one write, in a buffer that hyper bounds: `pipeline_flush` would not.
        .writev(false)
        .serve_connection(TokioIo::new(stream), service)
        .with_upgrades();
    tokio::pin!(connection);
    let ended = tokio::select! {
        ended = connection.as_mut() => ended,
        () = stop.cancelled() => {
            connection.as_mut().graceful_shutdown();
            connection.await
        }
    };
    if let Err(error) = ended {
        tracing::debug!(%peer, %error, "a connection ended early");
    }
}
