//! The client's socket: from upgrade to close, and the codec between frames and rooms.

pub mod codec;
pub mod outbox;
pub mod socket;
pub mod websocket;
