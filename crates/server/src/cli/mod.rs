//! The command line.

mod backup;
mod dev;
mod load;
mod serve;
mod token;

// Tests make tokens as the command line does.
pub use token::make as make_token;

use std::{io::Write, path::PathBuf, process::ExitCode};

use clap::{Parser, Subcommand};
use muster_store::Store;

use crate::config::{Config, Settings};

/// A meeting server that speaks the interfaces of Cloudflare RealtimeKit.
#[derive(Debug, Parser)]
#[command(name = "muster", version, arg_required_else_help = true)]
struct Cli {
    /// Settings file (TOML)
    #[arg(long, env = "MUSTER_CONFIG", value_name = "FILE", global = true)]
    config: Option<PathBuf>,
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Serve until told to stop
    Serve(Settings),
    /// Serve on this machine with an account, an app, a meeting and two participants to try things on
    Dev(Settings),
    /// API tokens
    Token {
        #[command(flatten)]
        settings: Settings,
        #[command(subcommand)]
        command: token::TokenCommand,
    },
    /// Copy the database of a running server to a file
    Backup {
        #[command(flatten)]
        settings: Settings,
        #[command(flatten)]
        backup: backup::Backup,
    },
    /// Load a server with participants that have real media, and tell what they measured
    Load(Box<load::Load>),
    /// Print the OpenAPI document
    Openapi,
    /// Print the settings file with every key, its default and its meaning
    DefaultConfig,
}

/// Runs the command that was given; one line on standard error tells of a failure.
pub fn main() -> ExitCode {
    use_small_pages();
    let cli = Cli::parse();
    let run = async {
        let resolve = |settings: Settings| match &cli.config {
            Some(file) => settings.over(Settings::from_file(file)?).resolve(),
            None => settings.resolve(),
        };
        match cli.command {
            Command::Serve(settings) => Box::pin(serve::serve(resolve(settings)?)).await,
            Command::Dev(settings) => Box::pin(dev::dev(settings, resolve)).await,
            Command::Token { settings, command } => token::run(&resolve(settings)?, command).await,
            Command::Backup { settings, backup } => backup.run(&resolve(settings)?).await,
            Command::Load(load) => Box::pin(load.run()).await,
            Command::Openapi => print(&crate::api::openapi::document()),
            Command::DefaultConfig => print(crate::config::DEFAULT_TOML),
        }
    };
    let runtime = match tokio::runtime::Builder::new_multi_thread().enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => return failed(&error.into()),
    };
    match runtime.block_on(run) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => failed(&error),
    }
}

fn failed(error: &anyhow::Error) -> ExitCode {
    // Libraries break their messages over lines; ours is one.
    let line = format!("{error:#}")
        .split_whitespace()
        .collect::<Vec<_>>()
        .join(" ");
    // Not by `eprintln!`, which panics where standard error is a file on a full disk.
    let _ = writeln!(std::io::stderr(), "muster: {line}");
    ExitCode::FAILURE
}

fn print(text: &str) -> anyhow::Result<()> {
    match std::io::stdout().write_all(text.as_bytes()) {
        // `muster openapi | head` is no failure.
        Err(error) if error.kind() != std::io::ErrorKind::BrokenPipe => Err(error.into()),
        _ => Ok(()),
    }
}

/// Has memory in small pages. Of huge ones, for which the allocator asks and which some systems give unasked, each
/// thread would hold 2 MB for few small things of its own: an idle server would take twice as much.
fn use_small_pages() {
    // Where there are none it stays as it is.
    #[cfg(target_os = "linux")]
    let _ = rustix::thread::disable_transparent_huge_pages(true);
}

/// Lets the process have as many files open as it may: the usual bound of a shell is a thousand of them, and each
/// client has some.
fn raise_open_files() {
    use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
    let limit = getrlimit(Resource::Nofile);
    let raised = Rlimit {
        current: limit.maximum,
        maximum: limit.maximum,
    };
    // It stays as it is where it may not be raised.
    let _ = setrlimit(Resource::Nofile, raised);
}

/// The store, for commands that work beside a running server.
async fn open_store(config: &Config) -> anyhow::Result<Store> {
    crate::prepare_data_dir(config)?;
    Ok(Store::open(&config.database).await?)
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    #[test]
    fn as_many_files_as_may_be_are_open() {
        use rustix::process::{Resource, getrlimit};
        super::raise_open_files();
        let limit = getrlimit(Resource::Nofile);
        assert_eq!(limit.current, limit.maximum);
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn pages_are_small() {
        super::use_small_pages();
        assert_eq!(rustix::thread::transparent_huge_pages_are_disabled(), Ok(true));
    }

    #[test]
    fn the_command_line_holds_together() {
        super::Cli::command().debug_assert();
    }
}
