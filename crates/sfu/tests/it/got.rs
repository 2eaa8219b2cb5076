//! What arrives.

use std::time::{Instant, SystemTime};

use str0m::{format::Codec, media::Mid};

use crate::pictures;

/// What each packet ends with: the layer, the number of the frame and when it was captured.
pub const TRAILER: usize = 13;

/// A packet that arrived.
#[derive(Debug, Clone)]
pub struct Got {
    pub at: Instant,
    pub mid: Mid,
    pub number: u64,
    pub time: u32,
    pub level: Option<i8>,
    /// The latest sender report: wall clock and RTP time.
    pub report: Option<(SystemTime, u32)>,
    pub codec: Codec,
    pub payload: Vec<u8>,
}

impl Got {
    fn trailer(&self) -> &[u8; TRAILER] {
        self.payload.last_chunk().unwrap()
    }

    /// Of a picture: its layer.
    pub fn layer(&self) -> char {
        char::from(self.trailer()[0])
    }

    /// The number of the frame.
    pub fn frame(&self) -> u32 {
        u32::from_be_bytes(self.trailer()[1..5].try_into().unwrap())
    }

    pub fn key(&self) -> bool {
        pictures::starts_key_frame(self.codec, &self.payload)
    }

    /// When it was captured, in microseconds of the sender's own time.
    pub fn captured(&self) -> u64 {
        u64::from_be_bytes(self.trailer()[5..].try_into().unwrap())
    }

    /// When it was captured as a receiver reckons it, in microseconds of the wall clock.
    pub fn reckoned(&self, clock_rate: u32) -> Option<i128> {
        let (wall, rtp) = self.report?;
        let wall = wall.duration_since(SystemTime::UNIX_EPOCH).unwrap().as_micros();
        let ticks = i128::from(self.time.wrapping_sub(rtp).cast_signed());
        Some(i128::try_from(wall).unwrap() + ticks * 1_000_000 / i128::from(clock_rate))
    }

    pub fn picture(&self) -> Option<u16> {
        pictures::number(self.codec, &self.payload)
    }
}
