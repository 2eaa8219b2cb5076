//! Log lines on standard error: for reading on a terminal, JSON elsewhere.

use std::io::IsTerminal;

use anyhow::Context;
use tracing_subscriber::{EnvFilter, fmt, layer::SubscriberExt, util::SubscriberInitExt};

use crate::config::LogFormat;

/// Sends log lines to standard error. Call once.
pub fn init(format: LogFormat, level: &str) -> anyhow::Result<()> {
    // sqlx tells each slow statement at warn with its text; texts hold no values, but they are long.
    let filter = EnvFilter::try_new(format!("{level},sqlx=error"))
        .with_context(|| format!("log_level {level} is not a level"))?;
    let json = match format {
        LogFormat::Json => true,
        LogFormat::Human => false,
        LogFormat::Auto => !std::io::stderr().is_terminal(),
    };
    let registry = tracing_subscriber::registry().with(filter);
    if json {
        registry
            .with(
                fmt::layer()
                    .json()
                    .flatten_event(true)
                    .with_current_span(false)
                    .with_writer(std::io::stderr),
            )
            .try_init()
    } else {
        registry
            .with(
                fmt::layer()
                    .with_ansi(std::io::stderr().is_terminal())
                    .with_writer(std::io::stderr),
            )
            .try_init()
    }
    .context("logs are set up already")
}
