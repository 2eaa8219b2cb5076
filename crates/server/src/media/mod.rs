//! Media signalling: what a room's media engine is asked, and what it says.
//!
//! An engine answers by [`MediaEvent`]s that pass through the room's task, so that what it says keeps
//! its place among what the room says.

pub mod addresses;
mod connections;
pub mod engine;
mod listener;
mod load;
mod shard;
mod strangers;
mod udp;

use std::{fmt, net::SocketAddr};

use muster_model::{MeetingId, PeerId};
use muster_room::{MediaEffect, RequestId};
pub use muster_sfu::{StreamStats, TransportStats};
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;

use crate::{
    config::Config,
    realtime::codec::{MediaPush, MediaReply, MediaRequest},
    telemetry::metrics::Metrics,
};

/// Makes an engine for each live room.
pub trait Media: fmt::Debug + Send + Sync + 'static {
    /// Where its sockets are.
    fn addresses(&self) -> Vec<SocketAddr> {
        Vec::new()
    }

    /// The engine of a room that comes to life.
    fn open(&self, meeting: MeetingId, events: MediaEvents) -> Box<dyn RoomMedia>;
}

/// The media engine of one room. Nothing here may block.
pub trait RoomMedia: fmt::Debug + Send {
    /// Something changed in the room.
    fn apply(&mut self, effect: MediaEffect);

    /// A peer asks for something; the reply comes as an event.
    fn request(&mut self, peer: PeerId, id: RequestId, request: MediaRequest);
}

/// What an engine says.
#[derive(Debug, Clone)]
pub enum MediaEvent {
    /// The reply to a request.
    Reply {
        /// To whom.
        peer: PeerId,
        /// To what.
        to: RequestId,
        /// What.
        reply: MediaReply,
    },
    /// A request failed.
    Failed {
        /// Whose.
        peer: PeerId,
        /// Which.
        to: RequestId,
        /// Why, in the protocol's words.
        why: String,
    },
    /// How a connection of a peer fares, every few seconds.
    Quality(Box<TransportStats>),
    /// Something for one peer.
    Tell(PeerId, MediaPush),
    /// Something for everybody whose media session is complete.
    TellAll {
        /// But not this one.
        but: Option<PeerId>,
        /// What.
        push: MediaPush,
    },
}

/// Where an engine says it.
#[derive(Debug, Clone)]
pub struct MediaEvents(mpsc::UnboundedSender<MediaEvent>);

impl MediaEvents {
    /// A channel for one room. The engine makes events in answer to what it is told, which is bounded, and by
    /// itself for each connection one in five seconds ([`MediaEvent::Quality`]), which the room always takes.
    pub fn channel() -> (Self, mpsc::UnboundedReceiver<MediaEvent>) {
        let (events, heard) = mpsc::unbounded_channel();
        (Self(events), heard)
    }

    /// Says something; a room that is gone does not hear it.
    pub fn say(&self, event: MediaEvent) {
        let _ = self.0.send(event);
    }
}

/// Makes the engine of a server that starts.
pub type MakeMedia =
    Box<dyn FnOnce(&Config, &Metrics, &CancellationToken) -> anyhow::Result<Box<dyn Media>> + Send>;

/// The engine that forwards packets.
pub fn forwarding() -> MakeMedia {
    Box::new(|config, metrics, stop| {
        let shards = std::thread::available_parallelism().map_or(1, usize::from);
        let listen = engine::Listen {
            address: config.media_listen,
            given: config.media_ip.clone(),
            tcp: config.media_tcp,
        };
        let engine = engine::Engine::start(&listen, shards, metrics, stop)?;
        Ok(Box::new(engine))
    })
}
