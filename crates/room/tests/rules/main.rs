//! The rules of a room, each in virtual time.

mod connections;
mod harness;
