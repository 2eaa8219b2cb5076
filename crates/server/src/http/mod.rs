//! Connections: listeners, TLS, and what surrounds every request.

pub mod edge;
pub mod listener;
pub mod tls;
pub mod unread;
