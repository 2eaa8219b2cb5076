//! Datagrams from strangers: none is answered.

#![no_main]

use muster_fuzz::{let_panics_unwind, media};

libfuzzer_sys::fuzz_target!(init: let_panics_unwind(), |data: &[u8]| media::stun(data));
