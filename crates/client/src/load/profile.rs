//! What each publisher sends.

use std::time::Duration;

use crate::payload::{MIN_AUDIO, MIN_VIDEO};

/// Between two key frames of a layer that nobody asks for.
const KEY_FRAME_INTERVAL: Duration = Duration::from_secs(10);
/// How much larger a key frame is than others.
const KEY_FRAME_FACTOR: u64 = 4;
/// The simulcast layers with what each has of the bitrate, best first.
const LAYERS: [(&str, f64); 3] = [("f", 1.0), ("h", 0.25), ("q", 0.1)];

/// What each publisher sends.
#[derive(Debug, Clone)]
pub struct Profile {
    /// Sound.
    pub audio: Option<Audio>,
    /// Pictures.
    pub video: Option<Video>,
}

/// Sound: packets of one size at one distance.
#[derive(Debug, Clone)]
pub struct Audio {
    /// Bits per second of payload.
    pub bitrate: u64,
    /// Between two packets.
    pub interval: Duration,
}

/// Pictures: frames cut into packets of equal size, spread over a part of the time until the next.
#[derive(Debug, Clone)]
pub struct Video {
    /// Bits per second of payload, of the best layer.
    pub bitrate: u64,
    /// Frames per second.
    pub frames: f64,
    /// Bytes of a payload at most.
    pub packet: usize,
    /// Whether there are the layers f, h and q.
    pub simulcast: bool,
    /// How much faster than on average a frame is sent.
    pub pacing: f64,
}

impl Audio {
    /// Bytes of a packet's payload.
    pub fn size(&self) -> usize {
        bytes(self.bitrate, self.interval).max(MIN_AUDIO)
    }
}

/// How a frame is cut.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Cut {
    /// Packets.
    pub packets: usize,
    /// Bytes of each payload.
    pub size: usize,
}

impl Video {
    /// Names of the layers, best first; none where there is but one.
    pub fn rids(&self) -> Vec<&'static str> {
        if self.simulcast {
            LAYERS.iter().map(|(rid, _)| *rid).collect()
        } else {
            Vec::new()
        }
    }

    /// Between two frames.
    pub fn interval(&self) -> Duration {
        Duration::from_secs_f64(1.0 / self.frames)
    }

    /// Frames from one key frame to the next.
    pub fn key_frame_every(&self) -> u64 {
        (KEY_FRAME_INTERVAL.as_nanos() / self.interval().as_nanos().max(1))
            .try_into()
            .unwrap_or(u64::MAX)
    }

    /// How a frame of a layer is cut.
    pub fn cut(&self, rid: Option<&str>, key: bool) -> Cut {
        let share = LAYERS
            .iter()
            .find(|(name, _)| Some(*name) == rid)
            .map_or(1.0, |(_, share)| *share);
        let factor = if key { KEY_FRAME_FACTOR } else { 1 };
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss)]
        #[expect(clippy::cast_precision_loss)]
        let bitrate = (self.bitrate as f64 * share) as u64 * factor;
        let all = bytes(bitrate, self.interval()).max(1);
        let packets = all.div_ceil(self.packet.max(MIN_VIDEO));
        Cut {
            packets,
            size: all.div_ceil(packets).max(MIN_VIDEO),
        }
    }
}

fn bytes(bitrate: u64, during: Duration) -> usize {
    let bits = u128::from(bitrate) * during.as_nanos() / 1_000_000_000;
    usize::try_from(bits.div_ceil(8)).unwrap_or(usize::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn frames_are_cut_evenly() {
        let video = Video {
            bitrate: 2_400_000,
            frames: 25.0,
            packet: 1_100,
            simulcast: true,
            pacing: 2.5,
        };
        // 12,000 bytes a frame.
        assert_eq!(
            video.cut(Some("f"), false),
            Cut {
                packets: 11,
                size: 1_091
            }
        );
        assert_eq!(video.cut(Some("h"), false).packets, 3);
        assert_eq!(video.cut(Some("f"), true).packets, 44);
        assert_eq!(video.key_frame_every(), 250);
        let audio = Audio {
            bitrate: 32_000,
            interval: Duration::from_millis(20),
        };
        assert_eq!(audio.size(), 80);
    }
}
