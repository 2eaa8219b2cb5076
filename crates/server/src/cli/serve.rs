//! `muster serve`.

use tokio::signal::unix::{SignalKind, signal};

use crate::{Running, config::Config, start, telemetry::logs};

pub async fn serve(config: Config) -> anyhow::Result<()> {
    let _log = logs::init(config.log_format, &config.log_level)?;
    let running = start(config).await?;
    tell_addresses(&running);
    until_told_to_stop(running).await
}

/// Tells on standard output where the server can be reached.
pub fn tell_addresses(running: &Running) {
    println!("http   http://{}", running.address);
    if let Some(address) = running.tls_address {
        println!("https  https://{address}");
    }
    if let Some(address) = running.admin_address {
        println!("admin  http://{address}/metrics");
    }
    println!("links  {}", running.app.config.public_url);
}

/// Serves until SIGTERM or SIGINT, then lets requests finish.
pub async fn until_told_to_stop(running: Running) -> anyhow::Result<()> {
    let (mut term, mut int) = (signal(SignalKind::terminate())?, signal(SignalKind::interrupt())?);
    tracing::info!(address = %running.address, version = env!("CARGO_PKG_VERSION"), "ready");
    tokio::select! {
        _ = term.recv() => {}
        _ = int.recv() => {}
    }
    tracing::info!("stopping");
    running.stop().await;
    tracing::info!("stopped");
    Ok(())
}
