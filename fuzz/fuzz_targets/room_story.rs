//! Whatever people ask for, in whatever order: a room never panics, and its records stay true.

#![no_main]

#[path = "../story.rs"]
mod story;

libfuzzer_sys::fuzz_target!(|data: &[u8]| story::tell(data));
