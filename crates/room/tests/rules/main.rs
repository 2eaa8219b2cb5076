//! The rules of a room, each in virtual time.

mod account;
mod chat;
mod chat_model;
mod commands;
mod connections;
mod harness;
mod lists;
mod media;
mod model;
mod moderation;
mod polls;
mod sessions;
mod stage;
mod stores;
mod waiting;
