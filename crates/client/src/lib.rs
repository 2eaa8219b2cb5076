//! The client's side of the protocol: the socket, WebRTC connections with real media, and participants
//! that measure what arrives. What `muster load` runs, and what tests are built on.
//!
//! A participant does what the official client does, in its order: see [`load`]. Nothing here knows how
//! the server works inside.

mod error;
pub mod load;
pub mod payload;
pub mod socket;
pub mod target;
pub mod transport;
pub mod udp;

pub use error::ClientError;
pub use socket::{Closed, Heard, Listener, Talker};
pub use target::{Claims, Target};
