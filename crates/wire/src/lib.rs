//! The client SDK's protocol.

#[allow(missing_docs, clippy::all, clippy::pedantic)]
mod generated {
    include!(concat!(env!("OUT_DIR"), "/protocol.rs"));
}
pub use generated::*;
pub mod frame;
