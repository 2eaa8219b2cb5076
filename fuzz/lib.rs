//! What the fuzz targets are told in: the stories, and the virtual-time world of the shard's own tests.

// The targets need a part of it.
#[allow(dead_code)]
#[path = "../crates/sfu/tests/it/client.rs"]
mod client;
#[allow(dead_code)]
#[path = "../crates/sfu/tests/it/decoder.rs"]
mod decoder;
#[allow(dead_code)]
#[path = "../crates/sfu/tests/it/got.rs"]
mod got;
pub mod media;
#[allow(dead_code)]
#[path = "../crates/sfu/tests/it/pictures.rs"]
mod pictures;
pub mod story;
#[allow(dead_code)]
#[path = "../crates/sfu/tests/it/world.rs"]
mod world;

/// Lets a panic unwind, where libFuzzer's hook would end the process: the shard outlives what panics in a
/// connection, and only what panics beyond that is a finding.
pub fn let_panics_unwind() {
    std::panic::set_hook(Box::new(|panic| eprintln!("{panic}")));
}
