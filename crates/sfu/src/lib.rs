//! Which media packet goes to whom: a selective forwarding unit for one shard, which holds many rooms.
//!
//! There is no socket, clock or thread here. Datagrams, commands and the time go in; datagrams, events and
//! the next deadline come out:
//!
//! 1. [`Sfu::handle_datagram`] and [`Sfu::command`], as things come; [`Sfu::handle_timeout`] when
//!    [`Sfu::poll_timeout`] is due. Several datagrams may go in before anything is taken out.
//! 2. [`Sfu::poll_transmit`] and [`Sfu::poll_event`] until both are empty; then [`Sfu::poll_closed`].
//! 3. [`Sfu::poll_timeout`], which is asked last.
//!
//! Each peer has a connection for sending and one for receiving. Media passes without being decoded: of the
//! layers that a camera sends, each receiver gets the one that fits its wish and its way.

mod api;
mod codec;
mod commands;
mod demux;
mod departed;
mod events;
mod floor;
mod forward;
pub mod h264;
mod isolation;
mod layers;
mod link;
mod negotiation;
mod report;
mod retire;
mod rewrite;
mod sdp;
mod sequence;
mod sfu;
mod shape;
mod shedding;
mod speakers;
mod state;
pub mod stun;
pub mod vp8;
pub mod vp9;

pub use api::{
    Caps, Command, ConsumeError, ConsumeRequest, Consumed, Counters, Kinds, Lost, MediaError, MediaKind,
    ProducerInfo, Protocol, Reply, SfuConfig, SfuEvent, StreamStats, Transmit, TransportStats,
};
pub use sfu::Sfu;
pub use shedding::Load;

// The meetings of the integration tests, for tests of what only tests can make happen; those use more of them.
#[cfg(test)]
extern crate self as muster_sfu;
#[cfg(test)]
#[path = "../tests/it/client.rs"]
#[allow(dead_code, clippy::unwrap_used, unreachable_pub)]
mod client;
#[cfg(test)]
#[path = "../tests/it/decoder.rs"]
#[allow(dead_code, clippy::unwrap_used, unreachable_pub)]
mod decoder;
#[cfg(test)]
#[path = "../tests/it/got.rs"]
#[allow(dead_code, clippy::unwrap_used, unreachable_pub)]
mod got;
#[cfg(test)]
#[path = "../tests/it/pictures.rs"]
#[allow(dead_code, clippy::unwrap_used, unreachable_pub)]
mod pictures;
#[cfg(test)]
#[path = "../tests/it/world.rs"]
#[allow(dead_code, clippy::unwrap_used, unreachable_pub)]
mod world;
