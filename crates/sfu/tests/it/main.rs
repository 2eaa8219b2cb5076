//! Meetings through a shard, with real connections, in virtual time.

#![expect(clippy::unwrap_used)]

mod client;
mod codecs;
mod decoder;
mod faults;
mod got;
mod latency;
mod layers;
mod matrix;
mod media;
mod pictures;
mod replay;
mod starved;
mod world;
