//! Logs and metrics.

pub mod json_line;
pub mod logs;
pub mod media;
pub mod metrics;
