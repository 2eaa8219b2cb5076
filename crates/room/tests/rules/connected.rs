//! Breakout rooms.
