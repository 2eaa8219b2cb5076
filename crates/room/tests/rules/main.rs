//! The rules of a room, each in virtual time.

mod account;
mod commands;
mod connections;
mod harness;
mod lists;
mod media;
mod model;
mod moderation;
mod sessions;
mod stage;
mod waiting;
