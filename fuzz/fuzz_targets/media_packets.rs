//! Anything for packets from a peer that is connected: others are not disturbed, and what it sends well arrives.

#![no_main]

// Each target has a story of its own out of these.
#[allow(dead_code)]
#[path = "../../crates/sfu/tests/it/client.rs"]
mod client;
#[allow(dead_code)]
#[path = "../media.rs"]
mod media;
#[allow(dead_code)]
#[path = "../../crates/sfu/tests/it/pictures.rs"]
mod pictures;
#[allow(dead_code)]
#[path = "../../crates/sfu/tests/it/world.rs"]
mod world;

libfuzzer_sys::fuzz_target!(|data: &[u8]| {
    // The shard outlives what panics in a connection; only what panics beyond that is a finding.
    std::panic::set_hook(Box::new(|panic| eprintln!("{panic}")));
    media::packets(data);
});
