//! What a load measured.

use std::{collections::BTreeMap, sync::atomic::Ordering::Relaxed, time::Duration};

use serde::Serialize;

use super::{
    Plan,
    stats::{Kept, Live, Received, Spread},
};

/// What a load measured. Packets, bytes and delays are of what was sent while it was measured.
#[derive(Debug, Clone, Serialize)]
pub struct Report {
    /// Meetings.
    pub meetings: usize,
    /// Who sent.
    pub publishers: u64,
    /// Who only received.
    pub subscribers: u64,
    /// How long was measured, in seconds.
    pub seconds: f64,
    /// Coming in.
    pub joins: Joins,
    /// Packets.
    pub packets: Packets,
    /// From the writing of a packet to its reading; repaired ones are as late as they came.
    pub delay: Spread,
    /// Bits per second of payload sent, all publishers together.
    pub sent_bits_per_second: f64,
    /// Bits per second of payload received, all receivers together.
    pub received_bits_per_second: f64,
    /// Packets per second received, all receivers together.
    pub received_packets_per_second: f64,
    /// How often a receiver's layer became another.
    pub layer_switches: u64,
    /// Key frames that the server asked for.
    pub key_frame_requests: u64,
    /// How late packets left at most, in milliseconds: what this program itself adds.
    pub send_lag_ms: f64,
    /// What went wrong, and how often.
    pub errors: BTreeMap<String, u64>,
}

/// Coming in.
#[derive(Debug, Clone, Serialize)]
pub struct Joins {
    /// Who was to come in.
    pub attempted: u64,
    /// Who did.
    pub succeeded: u64,
    /// Who did not.
    pub failed: u64,
    /// Who was inside and was lost.
    pub lost: u64,
    /// Those who came in, for each of all; 1 is everybody.
    pub success: f64,
    /// From the first byte to being inside, with both connections up.
    pub time: Spread,
    /// From the first byte to the first packet of media, of receivers that found somebody sending.
    pub first_packet: Spread,
}

/// Packets.
#[derive(Debug, Clone, Serialize)]
pub struct Packets {
    /// By publishers.
    pub sent: u64,
    /// By receivers: each packet once for each. With simulcast, what their numbers tell, since each gets
    /// one layer of several.
    pub expected: u64,
    /// By receivers.
    pub received: u64,
    /// Those among them that came after a later one; most were lost and sent again.
    pub late: u64,
    /// What is missing of what was expected, as a share.
    pub loss: f64,
    /// Tracks received, each once for each receiver, that should have been.
    pub subscriptions: u64,
    /// Those among them on which nothing came.
    pub silent: u64,
}

#[expect(clippy::cast_precision_loss)]
fn ratio(part: u64, whole: u64) -> f64 {
    if whole == 0 {
        0.0
    } else {
        part as f64 / whole as f64
    }
}

impl Report {
    #[expect(clippy::cast_precision_loss)]
    pub(super) fn new(plan: &Plan, live: &Live, kept: &Kept, measured: Duration) -> Self {
        let seconds = measured.as_secs_f64();
        let rate = |count: u64| {
            if seconds > 0.0 {
                count as f64 / seconds
            } else {
                0.0
            }
        };
        let (attempted, succeeded) = (plan.people(), live.joined.load(Relaxed));
        let packets = packets(plan, kept);
        let received_bytes: u64 = kept.subscriptions.iter().map(|got| got.bytes).sum();
        Self {
            meetings: plan.meetings.len(),
            publishers: plan.publishers(),
            subscribers: attempted - plan.publishers(),
            seconds,
            joins: Joins {
                attempted,
                succeeded,
                failed: attempted - succeeded,
                lost: live.lost.load(Relaxed),
                success: ratio(succeeded, attempted),
                time: kept.joins.spread(),
                first_packet: kept.first_packets.spread(),
            },
            delay: kept.delays.spread(),
            sent_bits_per_second: rate(kept.sent_bytes * 8),
            received_bits_per_second: rate(received_bytes * 8),
            received_packets_per_second: rate(packets.received),
            packets,
            layer_switches: kept.subscriptions.iter().map(|got| got.switches).sum(),
            key_frame_requests: kept.key_frame_requests,
            send_lag_ms: kept.lag.as_secs_f64() * 1_000.0,
            errors: kept
                .errors
                .iter()
                .map(|(text, count)| (text.clone(), *count))
                .collect(),
        }
    }

    /// Whether everybody came in and stayed.
    pub fn is_whole(&self) -> bool {
        self.joins.succeeded == self.joins.attempted && self.joins.lost == 0 && self.errors.is_empty()
    }
}

fn packets(plan: &Plan, kept: &Kept) -> Packets {
    let receivers = |meeting| kept.receivers.get(&meeting).copied().unwrap_or_default();
    let simulcast = plan.profile.video.as_ref().is_some_and(|video| video.simulcast);
    let of_sent: u64 = kept
        .sent
        .iter()
        .map(|track| track.packets * receivers(track.meeting).saturating_sub(u64::from(track.own)))
        .sum();
    let subscriptions: u64 = kept
        .sent
        .iter()
        .map(|track| receivers(track.meeting).saturating_sub(u64::from(track.own)))
        .sum();
    let received = kept.subscriptions.iter().map(|got| got.packets).sum();
    let heard = kept.subscriptions.iter().filter(|got| got.packets > 0).count() as u64;
    let expected = if simulcast {
        kept.subscriptions.iter().map(Received::numbered).sum()
    } else {
        of_sent
    };
    Packets {
        sent: kept.sent.iter().map(|track| track.packets).sum(),
        expected,
        received,
        late: kept.subscriptions.iter().map(|got| got.late).sum(),
        loss: ratio(expected.saturating_sub(received), expected),
        subscriptions,
        silent: subscriptions.saturating_sub(heard),
    }
}
