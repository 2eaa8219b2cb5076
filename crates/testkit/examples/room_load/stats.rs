//! Latencies, counted in buckets.

use std::time::Duration;

/// Width of a bucket in microseconds.
const WIDTH: u64 = 20;
/// Buckets; what is slower than all of them counts as the slowest.
const BUCKETS: usize = 250_000;

/// How often what took how long.
pub struct Latencies {
    buckets: Vec<u32>,
    count: u64,
    longest: Duration,
}

impl Latencies {
    /// None yet.
    pub fn new() -> Self {
        Self {
            buckets: vec![0; BUCKETS],
            count: 0,
            longest: Duration::ZERO,
        }
    }

    /// Counts one.
    pub fn add(&mut self, took: Duration) {
        let micros = u64::try_from(took.as_micros()).unwrap_or(u64::MAX);
        let bucket = usize::try_from(micros / WIDTH).unwrap_or(usize::MAX);
        self.buckets[bucket.min(BUCKETS - 1)] += 1;
        self.count += 1;
        self.longest = self.longest.max(took);
    }

    /// How many.
    pub fn count(&self) -> u64 {
        self.count
    }

    /// Milliseconds within which `percent` of all were done, rounded up to a bucket.
    pub fn percentile_ms(&self, percent: u64) -> f64 {
        let wanted = (self.count * percent).div_ceil(100);
        let mut seen = 0;
        for (bucket, count) in (1_u32..).zip(&self.buckets) {
            seen += u64::from(*count);
            if seen >= wanted {
                return f64::from(bucket) * WIDTH as f64 / 1000.0;
            }
        }
        self.longest_ms()
    }

    /// Milliseconds of the slowest.
    pub fn longest_ms(&self) -> f64 {
        self.longest.as_secs_f64() * 1000.0
    }
}
