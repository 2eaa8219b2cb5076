//! The media engine on its own sockets, with real connections of clients.

#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::large_futures,
    clippy::float_cmp
)]

mod client;
mod tcp;
mod udp;
