//! The first bytes of pictures' packets: they are read or refused.

#![no_main]

use muster_fuzz::{let_panics_unwind, media};

libfuzzer_sys::fuzz_target!(init: let_panics_unwind(), |data: &[u8]| media::payloads(data));
