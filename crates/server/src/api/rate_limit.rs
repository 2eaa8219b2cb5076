//! Requests a minute for each API token, and for others who may ask too often.

use std::{hash::Hash, num::NonZeroU32};

use governor::{
    DefaultKeyedRateLimiter, Quota, RateLimiter,
    clock::{Clock, DefaultClock},
};
use muster_model::ApiTokenId;

/// Holds back who asks too often: API tokens, unless said. Off without a number.
#[derive(Debug)]
pub struct RateLimit<K: Clone + Eq + Hash = ApiTokenId> {
    limiter: Option<DefaultKeyedRateLimiter<K>>,
}

impl<K: Clone + Eq + Hash> RateLimit<K> {
    /// At most so many requests a minute for each, which may come in one burst.
    pub fn new(per_minute: Option<NonZeroU32>) -> Self {
        Self {
            limiter: per_minute.map(|n| RateLimiter::keyed(Quota::per_minute(n))),
        }
    }

    /// Counts a request; the error is how many seconds to wait.
    pub fn check(&self, who: K) -> Result<(), u64> {
        let Some(limiter) = &self.limiter else {
            return Ok(());
        };
        limiter
            .check_key(&who)
            .map_err(|not_until| not_until.wait_time_from(DefaultClock::default().now()).as_secs() + 1)
    }

    /// Forgets those that have not asked for long.
    pub fn tidy(&self) {
        if let Some(limiter) = &self.limiter {
            limiter.retain_recent();
        }
    }
}
