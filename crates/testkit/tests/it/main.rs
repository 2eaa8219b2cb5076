//! Integration tests over HTTP: one module for each feature.
#![allow(missing_docs, clippy::unwrap_used, clippy::expect_used)]

mod accounts;
mod apps;
mod meetings;
mod participants;
mod presets;
mod smoke;
mod webhooks;
