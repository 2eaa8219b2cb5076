//! Integration tests over HTTP: one module for each feature.
#![allow(missing_docs, clippy::unwrap_used, clippy::expect_used)]

mod access;
mod accounts;
mod active_session;
mod analytics;
mod apps;
mod bodies;
mod cli;
mod client_files;
mod client_rest;
mod disk_full;
mod idempotency;
mod live;
mod livestreams;
mod meetings;
mod openapi;
mod participants;
mod presets;
mod recordings;
mod rooms_store;
mod seeds;
mod session_participants;
mod sessions;
mod smoke;
mod storms;
mod telemetry;
mod web;
mod webhook_deliveries;
mod webhooks;
