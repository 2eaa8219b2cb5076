//! The quality of people's media, as their connections told it: kept for the report of each stay.
//!
//! Written when somebody leaves and every few minutes, so a crash loses minutes of it and never a stay.

use std::{
    collections::{BTreeMap, HashMap},
    time::Duration,
};

use muster_model::{MediaKind, PeerId, Timestamp};
use serde_json::{Map, Value, json};
use tokio::time::Instant;

use crate::media::{StreamStats, TransportStats};

/// How often it is written.
const WRITE_EVERY: Duration = Duration::from_secs(300);
/// Samples of one kind that are kept; of longer stays every second, every fourth and so on.
const SAMPLES: usize = 32;

/// What is known of everybody inside, by the record of the stay.
#[derive(Debug, Default)]
pub(super) struct Quality {
    stays: HashMap<PeerId, Stay>,
    write_at: Option<Instant>,
}

#[derive(Debug, Default)]
struct Stay {
    series: BTreeMap<&'static str, Series>,
    changed: bool,
}

/// One kind of media in one direction.
#[derive(Debug, Default)]
struct Series {
    samples: Vec<Value>,
    /// Of so many samples one is kept.
    stride: usize,
    seen: usize,
    loss: Summary<4>,
    round_trip: Summary<3>,
}

/// The mean of what was seen, and how often it was at least as bad as some bounds.
#[derive(Debug)]
struct Summary<const N: usize> {
    count: u32,
    sum: f64,
    beyond: [u32; N],
}

impl<const N: usize> Default for Summary<N> {
    fn default() -> Self {
        Self {
            count: 0,
            sum: 0.0,
            beyond: [0; N],
        }
    }
}

impl<const N: usize> Summary<N> {
    fn add(&mut self, value: f64, bounds: [u32; N]) {
        self.count += 1;
        self.sum += value;
        for (beyond, bound) in self.beyond.iter_mut().zip(bounds) {
            *beyond += u32::from(value >= f64::from(bound));
        }
    }

    fn json(&self, names: [&str; N]) -> Option<Value> {
        let count = f64::from(self.count);
        let mut json = Map::new();
        json.insert("avg".to_owned(), round(self.sum / count));
        for (name, beyond) in names.into_iter().zip(self.beyond) {
            json.insert(name.to_owned(), round(f64::from(beyond) / count));
        }
        (self.count > 0).then_some(Value::Object(json))
    }
}

fn round(value: f64) -> Value {
    json!((value * 10_000.0).round() / 10_000.0)
}

/// In percent and in milliseconds, as the report has them.
const LOSS_BOUNDS: [u32; 4] = [5, 10, 25, 50];
const LOSS_NAMES: [&str; 4] = [
    "5_or_greater_event_fraction",
    "10_or_greater_event_fraction",
    "25_or_greater_event_fraction",
    "50_or_greater_event_fraction",
];
const ROUND_TRIP_BOUNDS: [u32; 3] = [100, 250, 500];
const ROUND_TRIP_NAMES: [&str; 3] = [
    "100ms_or_greater_event_fraction",
    "250ms_or_greater_event_fraction",
    "500ms_or_greater_event_fraction",
];

impl Series {
    fn add(&mut self, now: Timestamp, stats: &TransportStats, stream: &StreamStats) {
        let round_trip = stream.round_trip.or(stats.round_trip);
        if let Some(loss) = stream.loss {
            self.loss.add(f64::from(loss) * 100.0, LOSS_BOUNDS);
        }
        if let Some(round_trip) = round_trip {
            self.round_trip
                .add(round_trip.as_secs_f64() * 1_000.0, ROUND_TRIP_BOUNDS);
        }
        self.stride = self.stride.max(1);
        self.seen += 1;
        if !self.seen.is_multiple_of(self.stride) {
            return;
        }
        let seconds = |time: Option<Duration>| time.map(|time| round(time.as_secs_f64()));
        let (packets, bytes) = if stats.consuming {
            ("packets_received", "bytes_received")
        } else {
            ("packets_sent", "bytes_sent")
        };
        let mut sample = Map::new();
        let mut put = |name: &str, value: Option<Value>| {
            if let Some(value) = value {
                sample.insert(name.to_owned(), value);
            }
        };
        put("timestamp", serde_json::to_value(now).ok());
        put("producer_id", Some(json!(stream.producer)));
        put("consumer_id", stats.consuming.then(|| json!(stream.producer)));
        put(packets, Some(json!(stream.packets)));
        put(bytes, Some(json!(stream.bytes)));
        put("packet_loss", stream.loss.map(|loss| round(loss.into())));
        put("jitter", seconds(stream.jitter));
        put("rtt", seconds(round_trip));
        put("bitrate", stream.bitrate.map(|bitrate| json!(bitrate)));
        if stream.kind == MediaKind::Video {
            put("layer", Some(json!(stream.layer)));
            put("pli_count", Some(json!(stream.key_frame_requests)));
        }
        self.samples.push(Value::Object(sample));
        if self.samples.len() > SAMPLES {
            let mut at = 0;
            self.samples.retain(|_| {
                at += 1;
                at % 2 == 0
            });
            self.stride *= 2;
        }
    }

    fn summary(&self) -> Value {
        let mut summary = Map::new();
        let loss = self.loss.json(LOSS_NAMES).map(|json| ("packet_loss", json));
        let round_trip = self.round_trip.json(ROUND_TRIP_NAMES).map(|json| ("rtt", json));
        for (name, json) in loss.into_iter().chain(round_trip) {
            summary.insert(name.to_owned(), json);
        }
        Value::Object(summary)
    }
}

/// What the report calls it.
fn kind(consuming: bool, stream: &StreamStats) -> &'static str {
    match (stream.screen_share, stream.kind, consuming) {
        (false, MediaKind::Audio, false) => "audio_producer",
        (false, MediaKind::Audio, true) => "audio_consumer",
        (false, MediaKind::Video, false) => "video_producer",
        (false, MediaKind::Video, true) => "video_consumer",
        (true, MediaKind::Audio, false) => "screenshare_audio_producer",
        (true, MediaKind::Audio, true) => "screenshare_audio_consumer",
        (true, MediaKind::Video, false) => "screenshare_video_producer",
        (true, MediaKind::Video, true) => "screenshare_video_consumer",
    }
}

impl Stay {
    fn json(&self) -> Map<String, Value> {
        let mut json = Map::new();
        for (name, series) in &self.series {
            json.insert((*name).to_owned(), Value::Array(series.samples.clone()));
            json.insert(format!("{name}_cumulative"), series.summary());
        }
        json
    }
}

impl Quality {
    /// Takes how a connection of a stay fares.
    pub(super) fn note(&mut self, record: PeerId, now: Timestamp, stats: &TransportStats) {
        if stats.streams.is_empty() {
            return;
        }
        let stay = self.stays.entry(record).or_default();
        stay.changed = true;
        for stream in &stats.streams {
            let name = kind(stats.consuming, stream);
            stay.series.entry(name).or_default().add(now, stats, stream);
        }
        self.write_at.get_or_insert_with(|| Instant::now() + WRITE_EVERY);
    }

    /// When it is to be written next.
    pub(super) fn due(&self) -> Option<Instant> {
        self.write_at
    }

    /// What a stay that is over had, to be written.
    pub(super) fn take(&mut self, record: PeerId) -> Option<Map<String, Value>> {
        self.stays.remove(&record).map(|stay| stay.json())
    }

    /// What has changed since it was last asked for, to be written.
    pub(super) fn changed(&mut self) -> Vec<(PeerId, Map<String, Value>)> {
        self.write_at = None;
        let mut changed = Vec::new();
        for (record, stay) in &mut self.stays {
            if std::mem::take(&mut stay.changed) {
                changed.push((*record, stay.json()));
            }
        }
        changed
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn stats(consuming: bool, loss: f32, round_trip: u64) -> TransportStats {
        let stream = StreamStats {
            producer: "p".to_owned(),
            kind: MediaKind::Video,
            screen_share: false,
            mime_type: "video/VP8",
            layer: Some("h"),
            packets: 100,
            bytes: 100_000,
            bitrate: Some(160_000),
            loss: Some(loss),
            jitter: Some(Duration::from_millis(12)),
            round_trip: None,
            nacks: 3,
            key_frame_requests: 2,
        };
        TransportStats {
            peer: PeerId::random(),
            transport: "t".to_owned(),
            consuming,
            bytes_received: 0,
            bytes_sent: 0,
            bitrate_received: None,
            bitrate_sent: None,
            loss: None,
            round_trip: Some(Duration::from_millis(round_trip)),
            jitter: None,
            estimate: None,
            held_back: false,
            layers: Vec::new(),
            streams: vec![stream],
        }
    }

    #[tokio::test]
    async fn samples_and_sums_of_a_stay() {
        let (mut quality, record) = (Quality::default(), PeerId::random());
        let now = Timestamp::from_micros(1_700_000_000_000_000);
        assert_eq!(quality.due(), None);
        quality.note(record, now, &stats(true, 0.0, 40));
        quality.note(record, now, &stats(true, 0.2, 300));
        assert!(quality.due().is_some());
        let changed = quality.changed();
        assert!(quality.changed().is_empty() && quality.due().is_none());
        let json = quality.take(record).unwrap();
        assert_eq!(changed, [(record, json.clone())]);
        assert_eq!(
            json["video_consumer"][1],
            json!({
                "timestamp": now, "producer_id": "p", "consumer_id": "p", "packets_received": 100,
                "bytes_received": 100_000, "packet_loss": 0.2, "jitter": 0.012, "rtt": 0.3, "bitrate": 160_000,
                "layer": "h", "pli_count": 2,
            })
        );
        assert_eq!(
            json["video_consumer_cumulative"],
            json!({
                "packet_loss": {"avg": 10.0, "5_or_greater_event_fraction": 0.5, "10_or_greater_event_fraction": 0.5,
                    "25_or_greater_event_fraction": 0.0, "50_or_greater_event_fraction": 0.0},
                "rtt": {"avg": 170.0, "100ms_or_greater_event_fraction": 0.5, "250ms_or_greater_event_fraction": 0.5,
                    "500ms_or_greater_event_fraction": 0.0},
            })
        );
        assert!(quality.take(record).is_none());
    }

    #[tokio::test]
    async fn a_long_stay_takes_no_more_room() {
        let (mut quality, record) = (Quality::default(), PeerId::random());
        for second in 0..20_000 {
            let now = Timestamp::from_micros(second * 1_000_000);
            quality.note(record, now, &stats(false, 0.0, 40));
        }
        let json = quality.take(record).unwrap();
        let samples = json["video_producer"].as_array().unwrap();
        assert!(
            (SAMPLES / 2..=SAMPLES).contains(&samples.len()),
            "{}",
            samples.len()
        );
        let last: Timestamp = serde_json::from_value(samples.last().unwrap()["timestamp"].clone()).unwrap();
        assert!(last.as_micros() > 18_000 * 1_000_000, "of the whole stay");
    }
}
