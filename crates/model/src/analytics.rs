//! Counts of what happened, by day.

use crate::Timestamp;

/// What happened on one UTC day, or in all of a range.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Usage {
    /// How many sessions or recordings began.
    pub count: i64,
    /// Their lengths added up, in microseconds.
    pub micros: i64,
}

/// What was streamed on one UTC day, or in all of a range.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct StreamUsage {
    /// How many livestream sessions began.
    pub count: i64,
    /// How long pictures arrived, in microseconds.
    pub ingest_micros: i64,
    /// The stays of all viewers added up, in microseconds.
    pub viewer_micros: i64,
}

/// The UTC day that began at a time, and what happened on it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Day<T> {
    /// The midnight that begins it.
    pub day: Timestamp,
    /// What happened.
    pub usage: T,
}

/// A range of time, both ends included.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Range {
    /// Its beginning.
    pub from: Timestamp,
    /// Its end.
    pub to: Timestamp,
}
