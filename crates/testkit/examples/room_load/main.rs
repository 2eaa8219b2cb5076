//! Load for live rooms, for the benchmarks: many participants from one process and one thread, over
//! loopback.
//!
//! - `prepare --data-dir D --out FILE --rooms R --people P` makes meetings with participants in a stopped
//!   server's folder, and writes a token for each: rooms one after the other, a token a line.
//! - `join --port N --tokens FILE --at-once C` brings everybody in, `C` at a time, and leaves.
//! - `idle … --seconds S` brings them in, and has them stay for so long, answering pings.
//! - `chat … --seconds S --rate M` has them write `M` messages a second altogether, each to its room.
//!
//! Standard output has one JSON object a line, each with its `phase`; the last is `done`. Every run ends
//! within `--limit` seconds (120).

// Counts of people and messages are far below where a float loses any.
#![allow(clippy::cast_precision_loss)]

mod load;
mod prepare;
mod socket;
mod stats;

use std::{collections::HashMap, error::Error, str::FromStr, time::Duration};

/// What goes wrong ends the program.
pub type Outcome<T = ()> = Result<T, Box<dyn Error>>;

/// `--name value` pairs.
pub struct Options(HashMap<String, String>);

impl Options {
    fn parse(args: impl Iterator<Item = String>) -> Outcome<Self> {
        let args: Vec<String> = args.collect();
        let mut given = HashMap::new();
        for pair in args.chunks(2) {
            let [name, value] = pair else {
                return Err(format!("{} has no value", pair[0]).into());
            };
            let name = name
                .strip_prefix("--")
                .ok_or_else(|| format!("{name} is no option"))?;
            given.insert(name.to_owned(), value.clone());
        }
        Ok(Self(given))
    }

    /// One that must be there.
    pub fn need<T: FromStr<Err: Error + 'static>>(&self, name: &str) -> Outcome<T> {
        let value = self.0.get(name).ok_or_else(|| format!("--{name} is missing"))?;
        Ok(value.parse()?)
    }

    /// One that need not.
    pub fn or<T: FromStr<Err: Error + 'static>>(&self, name: &str, otherwise: T) -> Outcome<T> {
        if self.0.contains_key(name) {
            self.need(name)
        } else {
            Ok(otherwise)
        }
    }
}

fn main() -> Outcome {
    let mut args = std::env::args().skip(1);
    let command = args.next().ok_or("say what to do: prepare, join, idle or chat")?;
    let options = Options::parse(args)?;
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()?;
    let limit = Duration::from_secs(options.or("limit", 120)?);
    let everything = async {
        match command.as_str() {
            "prepare" => prepare::run(&options).await,
            "join" => load::run(&options, load::Then::Leave).await,
            "idle" => load::run(&options, load::Then::Stay).await,
            "chat" => load::run(&options, load::Then::Chat).await,
            other => Err(format!("{other} is unknown").into()),
        }
    };
    let local = tokio::task::LocalSet::new();
    local
        .block_on(&runtime, async { tokio::time::timeout(limit, everything).await })
        .map_err(|_| "it took longer than --limit")?
}
