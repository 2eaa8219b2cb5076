//! What is counted, in the form Prometheus reads. No ids as labels.

use std::{
    collections::HashMap,
    sync::{PoisonError, RwLock},
    time::Duration,
};

use axum::http::{Method, StatusCode};
use metrics::{Counter, Gauge, Histogram, Key, KeyName, Label, Level, Metadata, Recorder};
use metrics_exporter_prometheus::{PrometheusBuilder, PrometheusHandle, PrometheusRecorder};

pub use super::media::MediaMetrics;
use super::media::{self, ShardMetrics};

pub(super) const METADATA: Metadata<'static> = Metadata::new("muster", Level::INFO, None);
const BUCKETS: [f64; 11] = [
    0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.5, 1.0, 5.0,
];

type ByStatus = HashMap<StatusCode, (Counter, Histogram)>;

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
        let builder = PrometheusBuilder::new().set_buckets(&BUCKETS)?;
        let recorder = media::set_buckets(builder)?.build_recorder();
        ShardMetrics::describe(&recorder);
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
            handle,
            requests: RwLock::default(),
            writable,
            sockets,
            frames_dropped,
            requests_refused,
            rooms_failed,
            media: MediaMetrics::new(&recorder),
            reports,
            recorder,
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

    /// The metrics of a media shard, by its number.
    pub fn shard(&self, index: usize) -> ShardMetrics {
        ShardMetrics::new(&self.recorder, index)
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
