//! The client SDK's protocol: the frame around every message, the numbers of events, the messages.
//!
//! The messages are made from `proto/*.proto` at build time, one module for each package. Nothing here
//! knows what they mean.

pub mod event;
pub mod frame;

#[allow(missing_docs, clippy::all, clippy::pedantic)]
mod generated {
    include!(concat!(env!("OUT_DIR"), "/protocol.rs"));
}
pub use generated::{common, media, socket};
pub use prost;
