//! Whatever people ask for, in whatever order: a room never panics, and its records stay true.

#![no_main]

use muster_fuzz::story;

libfuzzer_sys::fuzz_target!(|data: &[u8]| story::tell(data));
