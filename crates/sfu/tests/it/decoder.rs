//! When a receiver can show pictures: each needs all of its packets, and all since the last key frame.

use std::{
    collections::BTreeMap,
    time::{Duration, Instant},
};

/// After so long without a picture a receiver asks for a key frame, and again.
const PATIENCE: Duration = Duration::from_millis(500);

#[derive(Debug, Clone, Copy)]
struct Part {
    last: bool,
    key: bool,
}

#[derive(Debug, Default)]
pub struct Decoder {
    /// The number that goes on with what was shown.
    next: Option<u64>,
    waiting: BTreeMap<u64, Part>,
    /// When pictures were shown.
    pub shown: Vec<Instant>,
    asked: Option<Instant>,
}

impl Decoder {
    pub fn take(&mut self, number: u64, last: bool, key: bool, now: Instant) {
        if self.next.is_none_or(|next| number >= next) {
            self.waiting.insert(number, Part { last, key });
        }
        while let Some(after) = self.whole() {
            self.waiting = self.waiting.split_off(&after);
            self.next = Some(after);
            self.shown.push(now);
        }
    }

    /// The number after the next picture that can be shown.
    fn whole(&self) -> Option<u64> {
        let keys = self.waiting.iter().filter(|(_, part)| part.key);
        let starts = self.next.into_iter().chain(keys.map(|(number, _)| *number));
        starts.into_iter().find_map(|start| {
            let mut number = start;
            loop {
                let part = self.waiting.get(&number)?;
                number += 1;
                if part.last {
                    return Some(number);
                }
            }
        })
    }

    /// Whether a key frame is to be asked for now.
    pub fn lacks_key_frame(&mut self, now: Instant) -> bool {
        let since = self.shown.last().copied().max(self.asked);
        let since = *self.asked.insert(since.unwrap_or(now));
        let lacks = !self.waiting.is_empty() && now >= since + PATIENCE;
        if lacks {
            self.asked = Some(now);
        }
        lacks
    }

    /// The longest time without a new picture from then on, up to now.
    pub fn longest_freeze(&self, from: Instant, now: Instant) -> Duration {
        let shown = self.shown.iter().copied().filter(|at| *at > from);
        let times: Vec<Instant> = std::iter::once(from).chain(shown).chain([now]).collect();
        let gaps = times.windows(2).map(|pair| pair[1] - pair[0]);
        gaps.max().unwrap()
    }
}
