//! How media fares: of shards, and of clients' connections. No ids as labels.

use metrics::{Counter, Gauge, Histogram, Key, KeyName, Label, Recorder, Unit};
use metrics_exporter_prometheus::{Matcher, PrometheusBuilder, PrometheusRecorder};
use muster_model::MediaKind;
use muster_sfu::{Counters, Load, StreamStats, TransportStats};

use super::metrics::METADATA;

const LOSS: &str = "muster_media_loss_ratio";
const JITTER: &str = "muster_media_jitter_seconds";
const ROUND_TRIP: &str = "muster_media_round_trip_seconds";
const BITRATE: &str = "muster_media_bitrate_bits_per_second";
const LAYERS: &str = "muster_media_received_layers_total";
const BUSY: &str = "muster_media_busy_ratio";
const LAG: &str = "muster_media_lag_seconds";
const SHED: &str = "muster_media_shed_step";

/// Sets the buckets of what is not measured in seconds.
pub(super) fn set_buckets(builder: PrometheusBuilder) -> anyhow::Result<PrometheusBuilder> {
    let exactly = |name: &str| Matcher::Full(name.to_owned());
    let bitrates = [32e3, 64e3, 128e3, 250e3, 500e3, 1e6, 2e6, 4e6, 8e6, 16e6];
    Ok(builder
        .set_buckets_for_metric(exactly(LOSS), &[0.001, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5])?
        .set_buckets_for_metric(exactly(BITRATE), &bitrates)?)
}

fn key(name: &'static str, labels: &[(&'static str, &'static str)]) -> Key {
    let labels: Vec<Label> = labels
        .iter()
        .map(|(name, value)| Label::from_static_parts(name, value))
        .collect();
    Key::from_parts(name, labels)
}

/// What media shards count.
#[derive(Clone)]
pub struct MediaMetrics {
    datagrams: Counter,
    unknown: Counter,
    malformed: Counter,
    forwarded: Counter,
    key_frame_requests: Counter,
    layer_switches: Counter,
    failures: Counter,
    unsent: Counter,
    refused: Counter,
    /// TCP connections of clients.
    pub connections: Gauge,
    /// How connections fare.
    pub quality: QualityMetrics,
}

impl std::fmt::Debug for MediaMetrics {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("MediaMetrics")
    }
}

impl MediaMetrics {
    pub(super) fn new(recorder: &PrometheusRecorder) -> Self {
        let counter = |name, about: &'static str| {
            recorder.describe_counter(KeyName::from_const_str(name), None, about.into());
            recorder.register_counter(&Key::from_static_name(name), &METADATA)
        };
        let datagrams = counter("muster_media_datagrams_total", "Datagrams that came.");
        let unknown = counter("muster_media_unknown_total", "Datagrams that belonged to nobody.");
        let malformed = counter("muster_media_malformed_total", "Datagrams that did not read.");
        let forwarded = counter(
            "muster_media_forwarded_total",
            "Media packets handed on, once for each receiver.",
        );
        let key_frame_requests = counter("muster_media_key_frame_requests_total", "Key frames asked for.");
        let layer_switches = counter("muster_media_layer_switches_total", "Changes of layer.");
        let failures = counter(
            "muster_media_failures_total",
            "Connections that broke down inside.",
        );
        let unsent = counter(
            "muster_media_unsent_total",
            "Datagrams and frames that the kernel or the client did not take in time.",
        );
        let refused = counter(
            "muster_media_tcp_refused_total",
            "TCP connections for media that were of nobody, or too many.",
        );
        recorder.describe_gauge(
            "muster_media_tcp_connections".into(),
            None,
            "TCP connections of clients for media.".into(),
        );
        let connections =
            recorder.register_gauge(&Key::from_static_name("muster_media_tcp_connections"), &METADATA);
        connections.set(0.0);
        let quality = QualityMetrics::new(recorder);
        Self {
            datagrams,
            unknown,
            malformed,
            forwarded,
            key_frame_requests,
            layer_switches,
            failures,
            unsent,
            refused,
            connections,
            quality,
        }
    }

    /// Counts datagrams and frames that the kernel or the client did not take in time.
    pub fn unsent(&self, count: u64) {
        if count > 0 {
            self.unsent.increment(count);
        }
    }

    /// Counts a TCP connection that was closed because it was of nobody.
    pub fn refuse_connection(&self) {
        self.refused.increment(1);
    }

    /// Adds what was counted between two looks at one shard.
    pub fn note(&self, before: &Counters, now: &Counters) {
        for (counter, before, now) in [
            (&self.datagrams, before.datagrams, now.datagrams),
            (&self.unknown, before.unknown, now.unknown),
            (&self.malformed, before.malformed, now.malformed),
            (&self.forwarded, before.forwarded, now.forwarded),
            (
                &self.key_frame_requests,
                before.key_frame_requests,
                now.key_frame_requests,
            ),
            (&self.layer_switches, before.layer_switches, now.layer_switches),
            (&self.failures, before.failures, now.failures),
        ] {
            if now > before {
                counter.increment(now - before);
            }
        }
    }
}

/// One direction of one kind of media.
#[derive(Clone)]
struct Streams {
    loss: Histogram,
    jitter: Histogram,
    bitrate: Histogram,
}

/// How clients' connections fare, from what they say every few seconds.
#[derive(Clone)]
pub struct QualityMetrics {
    /// From clients and to them; sound, cameras and screens.
    streams: [[Streams; 3]; 2],
    round_trip: Histogram,
    /// The layers of cameras that receivers get, and nothing.
    layers: [Counter; 4],
}

const KINDS: [&str; 3] = ["audio", "camera", "screen"];
const DIRECTIONS: [&str; 2] = ["from_client", "to_client"];
const RIDS: [&str; 4] = ["f", "h", "q", "none"];

impl QualityMetrics {
    pub(super) fn new(recorder: &PrometheusRecorder) -> Self {
        for (name, unit, about) in [
            (
                LOSS,
                None,
                "The part of a stream's packets that was lost in an interval.",
            ),
            (
                JITTER,
                Some(Unit::Seconds),
                "How much the delay of a stream varies (RFC 3550).",
            ),
            (ROUND_TRIP, Some(Unit::Seconds), "Round trips to clients."),
            (BITRATE, None, "What a stream takes."),
        ] {
            recorder.describe_histogram(name.into(), unit, about.into());
        }
        recorder.describe_counter(
            LAYERS.into(),
            None,
            "The layers of cameras that receivers get, counted at each look.".into(),
        );
        let streams = DIRECTIONS.map(|direction| {
            KINDS.map(|kind| {
                let labels = [("direction", direction), ("kind", kind)];
                let histogram = |name| recorder.register_histogram(&key(name, &labels), &METADATA);
                Streams {
                    loss: histogram(LOSS),
                    jitter: histogram(JITTER),
                    bitrate: histogram(BITRATE),
                }
            })
        });
        Self {
            streams,
            round_trip: recorder.register_histogram(&key(ROUND_TRIP, &[]), &METADATA),
            layers: RIDS.map(|rid| recorder.register_counter(&key(LAYERS, &[("layer", rid)]), &METADATA)),
        }
    }

    /// Takes how a connection fares.
    pub fn note(&self, stats: &TransportStats) {
        if let Some(round_trip) = stats.round_trip {
            self.round_trip.record(round_trip.as_secs_f64());
        }
        for stream in &stats.streams {
            self.note_stream(stats.consuming, stream);
        }
    }

    fn note_stream(&self, consuming: bool, stream: &StreamStats) {
        let kind = match (stream.kind, stream.screen_share) {
            (MediaKind::Audio, _) => 0,
            (MediaKind::Video, false) => 1,
            (MediaKind::Video, true) => 2,
        };
        let streams = &self.streams[usize::from(consuming)][kind];
        if let Some(loss) = stream.loss {
            streams.loss.record(f64::from(loss));
        }
        if let Some(jitter) = stream.jitter {
            streams.jitter.record(jitter.as_secs_f64());
        }
        if let Some(bitrate) = stream.bitrate {
            // Beyond 2^53 bits per second nothing is sent.
            #[expect(clippy::cast_precision_loss)]
            streams.bitrate.record(bitrate as f64);
        }
        if consuming && kind == 1 {
            let layer = stream.layer.unwrap_or("none");
            if let Some(at) = RIDS.iter().position(|rid| *rid == layer) {
                self.layers[at].increment(1);
            }
        }
    }
}

/// How busy a shard is.
#[derive(Clone)]
pub struct ShardMetrics {
    busy: Gauge,
    lag: Gauge,
    shed: Gauge,
}

impl ShardMetrics {
    pub(super) fn describe(recorder: &PrometheusRecorder) {
        recorder.describe_gauge(
            BUSY.into(),
            None,
            "The part of the last second that a shard was at work.".into(),
        );
        recorder.describe_gauge(
            LAG.into(),
            Some(Unit::Seconds),
            "The longest that a shard was late in the last second.".into(),
        );
        recorder.describe_gauge(
            SHED.into(),
            None,
            "What an overloaded shard leaves out: 0 nothing, 1 and 2 larger layers of cameras, 3 cameras, 4 screens too.".into(),
        );
    }

    pub(super) fn new(recorder: &PrometheusRecorder, index: usize) -> Self {
        let gauge = |name: &'static str| {
            let labels = vec![Label::new("shard", index.to_string())];
            let gauge = recorder.register_gauge(&Key::from_parts(name, labels), &METADATA);
            gauge.set(0.0);
            gauge
        };
        Self {
            busy: gauge(BUSY),
            lag: gauge(LAG),
            shed: gauge(SHED),
        }
    }

    /// Takes the load of the last second, and what is left out because of it.
    pub fn note(&self, load: Load, shed_step: usize) {
        self.busy.set(f64::from(load.busy));
        self.lag.set(load.lag.as_secs_f64());
        self.shed
            .set(u32::try_from(shed_step).map_or(f64::NAN, f64::from));
    }
}
