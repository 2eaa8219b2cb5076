//! Requests a minute for each API token.

use std::num::NonZeroU32;

use governor::{
    DefaultKeyedRateLimiter, Quota, RateLimiter,
    clock::{Clock, DefaultClock},
};
use muster_model::ApiTokenId;

/// Holds back tokens that ask too often. Off unless configured.
#[derive(Debug, Default)]
pub struct RateLimit {
    limiter: Option<DefaultKeyedRateLimiter<ApiTokenId>>,
}

impl RateLimit {
    /// At most so many requests a minute for each token, which may come in one burst.
    pub fn new(per_minute: Option<NonZeroU32>) -> Self {
        Self {
            limiter: per_minute.map(|n| RateLimiter::keyed(Quota::per_minute(n))),
        }
    }

    /// Counts a request; the error is how many seconds to wait.
    pub fn check(&self, token: ApiTokenId) -> Result<(), u64> {
        let Some(limiter) = &self.limiter else {
            return Ok(());
        };
        limiter
            .check_key(&token)
            .map_err(|not_until| not_until.wait_time_from(DefaultClock::default().now()).as_secs() + 1)
    }

    /// Forgets tokens that have not asked for long.
    pub fn tidy(&self) {
        if let Some(limiter) = &self.limiter {
            limiter.retain_recent();
        }
    }
}
