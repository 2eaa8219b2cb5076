//! The media engine on its own sockets, with real connections of clients.

mod client;
mod tcp;
