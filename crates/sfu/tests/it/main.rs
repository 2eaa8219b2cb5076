//! Meetings through a shard, with real connections, in virtual time.

#![expect(clippy::unwrap_used)]

mod client;
mod codecs;
mod faults;
mod layers;
mod media;
mod pictures;
mod replay;
mod world;
