//! The server: the shell around the pure crates, and the `muster` program.

pub mod api;
pub mod app;
pub mod auth;
pub mod cli;
pub mod client_api;
pub mod config;
pub mod duration;
pub mod files;
pub mod health;
pub mod http;
pub mod jobs;
pub mod media;
pub mod momentary;
pub mod node;
pub mod outbound;
pub mod realtime;
pub mod rooms;
pub mod telemetry;
pub mod web;
pub mod webhooks;

use std::{net::SocketAddr, time::Duration};

use anyhow::Context;
use axum::{Router, extract::State, routing::get};
use muster_store::Store;
use tokio::task::JoinHandle;
use tokio_util::{sync::CancellationToken, task::TaskTracker};

use crate::{app::App, config::Config, http::listener::Listener, media::MakeMedia};

/// How long requests that are under way may take once the server stops.
const FINISH_WITHIN: Duration = Duration::from_secs(10);

/// A server that runs.
#[derive(Debug)]
pub struct Running {
    /// Plain HTTP.
    pub address: SocketAddr,
    /// TLS, where there is one.
    pub tls_address: Option<SocketAddr>,
    /// Metrics, where they are served.
    pub admin_address: Option<SocketAddr>,
    /// Media, one for each shard.
    pub media_addresses: Vec<SocketAddr>,
    /// The handles of the server.
    pub app: App,
    connections: TaskTracker,
    jobs: JoinHandle<()>,
}

/// Opens the store, binds every address and begins to serve.
pub async fn start(config: Config) -> anyhow::Result<Running> {
    start_with(config, media::forwarding()).await
}

/// The same with a media engine of the caller's.
pub async fn start_with(config: Config, make_media: MakeMedia) -> anyhow::Result<Running> {
    prepare_data_dir(&config)?;
    let store = Store::open(&config.database).await?;
    let stop = CancellationToken::new();
    let app = App::build(config, store, make_media, stop.clone()).await?;
    app.rooms.resume(&app).await?;
    let router = api::router::router(app.clone());
    let connections = TaskTracker::new();

    let base = app.config.base_domain.as_str();
    let plain = Listener::bind(app.config.listen, None, router.clone(), base).await?;
    let address = plain.address()?;
    let mut listeners = vec![plain];
    let mut tls_address = None;
    if let Some((listen, source)) = &app.config.tls {
        let tls = http::tls::server_config(source, &app.config.base_domain, stop.clone())?;
        let listener = Listener::bind(*listen, Some(tls), router, base).await?;
        tls_address = Some(listener.address()?);
        listeners.push(listener);
    }
    let mut admin_address = None;
    if let Some(listen) = app.config.admin_listen {
        let listener = Listener::bind(listen, None, admin_router(app.clone()), base).await?;
        admin_address = Some(listener.address()?);
        listeners.push(listener);
    }
    for listener in listeners {
        connections.spawn(listener.serve(stop.clone(), connections.clone()));
    }
    let jobs = tokio::spawn(jobs::run(app.clone(), stop));
    Ok(Running {
        address,
        tls_address,
        admin_address,
        media_addresses: app.rooms.media_addresses(),
        app,
        connections,
        jobs,
    })
}

impl Running {
    /// Takes no more requests, lets those under way finish (10 s at most), and closes the store.
    pub async fn stop(self) {
        let had_rooms = !self.app.rooms.is_empty();
        self.app.stop.cancel();
        self.connections.close();
        self.app.sockets.close();
        let finished = async {
            self.connections.wait().await;
            self.app.sockets.wait().await;
            self.app.rooms.stopped().await;
        };
        if tokio::time::timeout(FINISH_WITHIN, finished).await.is_err() {
            tracing::warn!(open = self.connections.len(), "connections were cut");
        }
        if let Err(error) = self.jobs.await {
            tracing::error!(%error, "the jobs ended badly");
        }
        if had_rooms
            && let Err(error) = self
                .app
                .store
                .heartbeat(self.app.rooms.node(), self.app.now())
                .await
        {
            tracing::warn!(%error, "live sessions were not noted a last time");
        }
        self.app.store.close().await;
    }
}

/// Makes the data folder, readable by its owner alone, and tells early when it cannot be used.
pub fn prepare_data_dir(config: &Config) -> anyhow::Result<()> {
    use std::os::unix::fs::DirBuilderExt;
    let dir = &config.data_dir;
    std::fs::DirBuilder::new()
        .recursive(true)
        .mode(0o700)
        .create(dir)
        .and_then(|()| std::fs::read_dir(dir).map(|_| ()))
        .with_context(|| format!("the data folder {} cannot be used", dir.display()))
}

fn admin_router(app: App) -> Router {
    Router::new()
        .route(
            "/metrics",
            get(async |State(app): State<App>| app.metrics.render()),
        )
        .with_state(app)
}
