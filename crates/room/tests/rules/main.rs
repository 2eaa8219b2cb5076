//! The rules of a room, each in virtual time.

mod account;
mod broadcast;
mod chat;
mod commands;
mod connected;
mod connected_life;
mod connected_moves;
mod connections;
mod harness;
mod lists;
mod media;
mod model;
mod moderation;
mod permissions;
mod polls;
mod sessions;
mod stage;
mod stores;
mod stories;
mod waiting;
mod world;
