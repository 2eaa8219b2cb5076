//! `muster serve`.

use tokio::signal::unix::{Signal, SignalKind, signal};

use crate::{Running, config::Config, start, telemetry::logs};

pub async fn serve(config: Config) -> anyhow::Result<()> {
    let _log = logs::init(config.log_format, &config.log_level)?;
    let mut stop = StopSignals::expect()?;
    super::raise_open_files();
    let Some(running) = stop.or(start(config)).await? else {
        return Ok(());
    };
    tell_addresses(&running);
    stop.serve_until_told(running).await;
    Ok(())
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
    for address in &running.media_addresses {
        println!("media  udp://{address}");
    }
    println!("links  {}", running.app.config.public_url);
}

/// SIGTERM and SIGINT. Expected before the server starts: one that comes early must not kill it.
#[derive(Debug)]
pub struct StopSignals {
    term: Signal,
    int: Signal,
}

impl StopSignals {
    /// From now on the signals are ours.
    pub fn expect() -> anyhow::Result<Self> {
        Ok(Self {
            term: signal(SignalKind::terminate())?,
            int: signal(SignalKind::interrupt())?,
        })
    }

    /// Waits for one.
    pub async fn told(&mut self) {
        tokio::select! {
            _ = self.term.recv() => {}
            _ = self.int.recv() => {}
        }
    }

    /// What `work` comes to; nothing when told to stop meanwhile.
    pub async fn or<T>(
        &mut self,
        work: impl Future<Output = anyhow::Result<T>>,
    ) -> anyhow::Result<Option<T>> {
        tokio::select! {
            done = work => done.map(Some),
            () = self.told() => Ok(None),
        }
    }

    /// Serves until told to stop, then lets requests finish.
    pub async fn serve_until_told(mut self, running: Running) {
        tracing::info!(address = %running.address, version = env!("CARGO_PKG_VERSION"), "ready");
        self.told().await;
        tracing::info!("stopping");
        running.stop().await;
        tracing::info!("stopped");
    }
}
