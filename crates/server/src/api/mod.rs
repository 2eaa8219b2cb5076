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
pub mod error;
pub mod idempotency;
pub mod livestreams;
pub mod meetings;
pub mod openapi;
pub mod participants;
pub mod query;
pub mod rate_limit;
pub mod recordings;
pub mod respond;
pub mod route;
pub mod router;
pub mod sessions;
