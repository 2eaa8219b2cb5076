//! Anything for packets from a peer that is connected: others are not disturbed, and what it sends well arrives.

#![no_main]

use muster_fuzz::{let_panics_unwind, media};

libfuzzer_sys::fuzz_target!(init: let_panics_unwind(), |data: &[u8]| media::packets(data));
