//! What is counted, in the form Prometheus reads. No ids as labels.

use std::{
    collections::HashMap,
    sync::{PoisonError, RwLock},
    time::Duration,
};

use axum::http::{Method, StatusCode};
use metrics::{Counter, Gauge, Histogram, Key, KeyName, Label, Level, Metadata, Recorder};
use metrics_exporter_prometheus::{PrometheusBuilder, PrometheusHandle, PrometheusRecorder};
use muster_sfu::Counters;

const METADATA: Metadata<'static> = Metadata::new("muster", Level::INFO, None);
const BUCKETS: [f64; 11] = [
    0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.5, 1.0, 5.0,
];

type ByStatus = HashMap<StatusCode, (Counter, Histogram)>;

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
}

impl std::fmt::Debug for MediaMetrics {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("MediaMetrics")
    }
}

impl MediaMetrics {
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

/// The metrics of one server.
pub struct Metrics {
    recorder: PrometheusRecorder,
    handle: PrometheusHandle,
    requests: RwLock<HashMap<(Method, String), ByStatus>>,
    /// Whether the store can be written: 1 or 0.
    pub writable: Gauge,
    /// Open sockets of clients.
    pub sockets: Gauge,
    /// Frames of clients that did not read, or asked for what is not known.
    pub frames_dropped: Counter,
    /// Requests of clients that their rooms refused.
    pub requests_refused: Counter,
    /// Rooms that ended because of a failure.
    pub rooms_failed: Counter,
    /// What media shards count.
    pub media: MediaMetrics,
    reports: [Counter; ClientReport::ALL.len()],
}

/// What clients report of themselves, and is dropped.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ClientReport {
    /// Log lines.
    Logs,
    /// Statistics of a call.
    CallStats,
    /// Where the client would like to know it is.
    Location,
}

impl ClientReport {
    const ALL: [Self; 3] = [Self::Logs, Self::CallStats, Self::Location];

    const fn word(self) -> &'static str {
        match self {
            Self::Logs => "logs",
            Self::CallStats => "call_stats",
            Self::Location => "location",
        }
    }
}

impl std::fmt::Debug for Metrics {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Metrics")
    }
}

impl Metrics {
    /// Metrics at zero.
    pub fn new() -> anyhow::Result<Self> {
        let recorder = PrometheusBuilder::new().set_buckets(&BUCKETS)?.build_recorder();
        let handle = recorder.handle();
        recorder.describe_counter(
            "muster_http_requests_total".into(),
            None,
            "Requests answered.".into(),
        );
        recorder.describe_histogram(
            "muster_http_request_seconds".into(),
            Some(metrics::Unit::Seconds),
            "Time from a request's head to its answer's.".into(),
        );
        recorder.describe_gauge(
            "muster_store_writable".into(),
            None,
            "1 while writes succeed.".into(),
        );
        let writable = recorder.register_gauge(&Key::from_static_name("muster_store_writable"), &METADATA);
        writable.set(1.0);
        let sockets = recorder.register_gauge(&Key::from_static_name("muster_sockets"), &METADATA);
        sockets.set(0.0);
        let counter = |name, about: &'static str| {
            recorder.describe_counter(KeyName::from_const_str(name), None, about.into());
            recorder.register_counter(&Key::from_static_name(name), &METADATA)
        };
        let frames_dropped = counter(
            "muster_client_frames_dropped_total",
            "Frames of clients that did not read, or asked for what is not known.",
        );
        let requests_refused = counter(
            "muster_client_requests_refused_total",
            "Requests of clients that their rooms refused.",
        );
        let rooms_failed = counter(
            "muster_rooms_failed_total",
            "Rooms that ended because of a failure.",
        );
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
        recorder.describe_counter(
            "muster_client_reports_total".into(),
            None,
            "Reports of clients that were dropped.".into(),
        );
        let reports = ClientReport::ALL.map(|kind| {
            let labels = vec![Label::new("kind", kind.word())];
            let key = Key::from_parts("muster_client_reports_total", labels);
            recorder.register_counter(&key, &METADATA)
        });
        Ok(Self {
            recorder,
            handle,
            requests: RwLock::default(),
            writable,
            sockets,
            frames_dropped,
            requests_refused,
            rooms_failed,
            media: MediaMetrics {
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
            },
            reports,
        })
    }

    /// Counts a request.
    pub fn request(&self, method: &Method, route: &str, status: StatusCode, took: Duration) {
        // Methods are free text on the wire; only those a route can have get a label of their own.
        let known = matches!(
            *method,
            Method::GET | Method::HEAD | Method::POST | Method::PUT | Method::PATCH | Method::DELETE
        );
        let method = if known { method.clone() } else { Method::OPTIONS };
        let key = (method, route.to_owned());
        let requests = self.requests.read().unwrap_or_else(PoisonError::into_inner);
        if let Some((counter, histogram)) = requests.get(&key).and_then(|by_status| by_status.get(&status)) {
            counter.increment(1);
            histogram.record(took.as_secs_f64());
            return;
        }
        drop(requests);
        let labels = vec![
            Label::new("method", key.0.to_string()),
            Label::new("route", key.1.clone()),
            Label::new("status", status.as_u16().to_string()),
        ];
        let counter = self.recorder.register_counter(
            &Key::from_parts("muster_http_requests_total", labels.clone()),
            &METADATA,
        );
        let histogram = self
            .recorder
            .register_histogram(&Key::from_parts("muster_http_request_seconds", labels), &METADATA);
        counter.increment(1);
        histogram.record(took.as_secs_f64());
        self.requests
            .write()
            .unwrap_or_else(PoisonError::into_inner)
            .entry(key)
            .or_default()
            .insert(status, (counter, histogram));
    }

    /// Counts a client's report.
    pub fn report(&self, kind: ClientReport) {
        self.reports[kind as usize].increment(1);
    }

    /// The text for Prometheus.
    pub fn render(&self) -> String {
        self.handle.render()
    }

    /// Moves samples into their buckets, so that they do not pile up while nobody asks.
    pub fn tidy(&self) {
        self.handle.run_upkeep();
    }
}
