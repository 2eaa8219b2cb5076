//! Text where a client brings a session description: it is taken or refused, and its sender can begin anew.

#![no_main]

use muster_fuzz::{let_panics_unwind, media};

libfuzzer_sys::fuzz_target!(init: let_panics_unwind(), |data: &[u8]| media::descriptions(data));
