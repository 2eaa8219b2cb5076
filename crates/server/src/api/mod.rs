//! The management API: one file per resource, and what they share.
//!
//! `router` is the table of contents; `route`, `query`, `body`, `caller`, `respond`, `error` and
//! `idempotency` are what a resource file is written with.

pub mod accounts;
pub mod active_session;
pub mod analytics;
pub mod apps;
pub mod body;
pub mod caller;
#[cfg(test)]
mod contract;
pub mod error;
pub mod idempotency;
pub mod lenient;
pub mod livestreams;
pub mod meetings;
pub mod merge;
pub mod openapi;
pub mod participants;
pub mod presets;
pub mod query;
pub mod rate_limit;
pub mod recordings;
pub mod respond;
pub mod route;
pub mod router;
pub mod sessions;
pub mod storage;
pub mod webhook_deliveries;
pub mod webhooks;
