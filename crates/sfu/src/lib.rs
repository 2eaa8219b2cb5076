//! Which media packet goes to whom: a selective forwarding unit for one shard, which holds many rooms.
//!
//! There is no socket, clock or thread here. Datagrams, commands and the time go in; datagrams, events and
//! the next deadline come out:
//!
//! 1. [`Sfu::handle_datagram`] and [`Sfu::command`], as things come; [`Sfu::handle_timeout`] when
//!    [`Sfu::poll_timeout`] is due. Several datagrams may go in before anything is taken out.
//! 2. [`Sfu::poll_transmit`] and [`Sfu::poll_event`] until both are empty.
//! 3. [`Sfu::poll_timeout`], which is asked last.
//!
//! Each peer has a connection for sending and one for receiving. Media passes without being decoded: of the
//! layers that a camera sends, each receiver gets the one that fits its wish and its way.

mod api;
mod commands;
mod demux;
mod events;
mod forward;
mod layers;
mod link;
mod negotiation;
mod rewrite;
mod sdp;
mod sequence;
mod sfu;
mod speakers;
mod state;
pub mod stun;
pub mod vp8;

pub use api::{
    Caps, Command, ConsumeError, ConsumeRequest, Consumed, Counters, Kinds, Lost, MediaError, MediaKind,
    ProducerInfo, Reply, SfuConfig, SfuEvent, Transmit, TransportStats,
};
pub use sfu::Sfu;
