//! Log lines on standard error: for reading on a terminal, JSON elsewhere.
//!
//! JSON lines are gathered and written together by a thread of their own, since a system call for each
//! request's line would cost as much as the request. A line is on its way within a tenth of a second.

use std::{
    io::{self, IsTerminal, Write},
    sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError},
    thread::JoinHandle,
    time::{Duration, Instant},
};

use anyhow::Context;
use tracing_subscriber::{
    EnvFilter,
    fmt::{self, MakeWriter},
    layer::SubscriberExt,
    util::SubscriberInitExt,
};

use super::json_line::JsonLine;
use crate::config::LogFormat;

/// How long a line may wait for others.
const GATHER: Duration = Duration::from_millis(100);
/// Bytes that are written without further waiting.
const ENOUGH: usize = 64 << 10;
/// Bytes that may wait while standard error takes nothing; further lines are dropped and counted.
const TOO_MUCH: usize = 8 << 20;

/// Keeps the log going; writes what is left when dropped.
#[must_use]
#[derive(Debug)]
pub struct LogGuard(Option<(Gathered, JoinHandle<()>)>);

/// Sends log lines to standard error. Call once.
pub fn init(format: LogFormat, level: &str) -> anyhow::Result<LogGuard> {
    // sqlx tells each slow statement at warn with its text; texts hold no values, but they are long.
    // str0m warns of each codec in an offer that it does not take.
    let filter = EnvFilter::try_new(format!("{level},sqlx=error,str0m=error"))
        .with_context(|| format!("log_level {level} is not a level"))?;
    let terminal = io::stderr().is_terminal();
    let json = match format {
        LogFormat::Json => true,
        LogFormat::Human => false,
        LogFormat::Auto => !terminal,
    };
    let registry = tracing_subscriber::registry().with(filter);
    if !json {
        registry
            .with(fmt::layer().with_ansi(terminal).with_writer(io::stderr))
            .try_init()
            .context("logs are set up already")?;
        return Ok(LogGuard(None));
    }
    let gathered = Gathered::default();
    let lines = gathered.clone();
    registry
        .with(fmt::layer().event_format(JsonLine).with_writer(lines))
        .try_init()
        .context("logs are set up already")?;
    let writer = gathered.clone();
    let thread = std::thread::Builder::new()
        .name("log".into())
        .spawn(move || writer.write_out())?;
    Ok(LogGuard(Some((gathered, thread))))
}

impl Drop for LogGuard {
    fn drop(&mut self) {
        if let Some((gathered, thread)) = self.0.take() {
            gathered.lock().ended = true;
            gathered.0.wake.notify_one();
            // Standard error may be a pipe that nobody reads; the program ends all the same.
            let patience = Instant::now() + Duration::from_secs(1);
            while !thread.is_finished() && Instant::now() < patience {
                std::thread::sleep(Duration::from_millis(5));
            }
        }
    }
}

#[derive(Debug, Default)]
struct Waiting {
    lines: Vec<u8>,
    dropped: u64,
    ended: bool,
}

#[derive(Debug, Default)]
struct Shared {
    waiting: Mutex<Waiting>,
    wake: Condvar,
}

/// Lines that wait to be written.
#[derive(Debug, Clone, Default)]
struct Gathered(Arc<Shared>);

impl Gathered {
    fn lock(&self) -> MutexGuard<'_, Waiting> {
        self.0.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Writes until told that no more lines come.
    fn write_out(&self) {
        let mut lines = Vec::with_capacity(ENOUGH);
        let mut ended = false;
        while !ended {
            let waiting = self.lock();
            let (mut waiting, _) = self
                .0
                .wake
                .wait_timeout_while(waiting, GATHER, |waiting| {
                    waiting.lines.len() < ENOUGH && !waiting.ended
                })
                .unwrap_or_else(PoisonError::into_inner);
            ended = waiting.ended;
            std::mem::swap(&mut lines, &mut waiting.lines);
            let dropped = std::mem::take(&mut waiting.dropped);
            drop(waiting);
            if dropped > 0 {
                let _ = writeln!(
                    lines,
                    r#"{{"level":"WARN","message":"log lines dropped","count":{dropped}}}"#
                );
            }
            // There is nowhere to tell that standard error is gone.
            let _ = io::stderr().write_all(&lines);
            lines.clear();
        }
    }
}

impl<'a> MakeWriter<'a> for Gathered {
    type Writer = &'a Self;

    fn make_writer(&'a self) -> &'a Self {
        self
    }
}

impl Write for &Gathered {
    fn write(&mut self, line: &[u8]) -> io::Result<usize> {
        let mut waiting = self.lock();
        if waiting.lines.len() + line.len() > TOO_MUCH {
            waiting.dropped += 1;
            return Ok(line.len());
        }
        let before = waiting.lines.len();
        waiting.lines.extend_from_slice(line);
        if before < ENOUGH && waiting.lines.len() >= ENOUGH {
            self.0.wake.notify_one();
        }
        Ok(line.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_are_kept_whole_and_bounded() {
        let gathered = Gathered::default();
        (&gathered).write_all(b"one\n").unwrap();
        (&gathered).write_all(b"two\n").unwrap();
        assert_eq!(gathered.lock().lines, b"one\ntwo\n");
        for _ in 0..=TOO_MUCH / ENOUGH {
            (&gathered).write_all(&vec![b'x'; ENOUGH]).unwrap();
        }
        let waiting = gathered.lock();
        assert!(waiting.lines.len() <= TOO_MUCH && waiting.dropped > 0);
    }
}
