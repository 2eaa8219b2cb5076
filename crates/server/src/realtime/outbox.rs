//! What waits to be written to one socket.

use std::{
    collections::VecDeque,
    sync::{Mutex, MutexGuard, PoisonError},
};

use bytes::Bytes;
use tokio::sync::Notify;

/// Frames that may wait. A client that is so far behind comes back and asks for what it missed.
const MAX_FRAMES: usize = 4096;
/// Bytes that may wait.
const MAX_BYTES: usize = 4 << 20;

/// Why the server ends a connection (RFC 6455 section 7.4; 4000 and up are ours). Only 1000 is final
/// for the client: after any other it comes back by itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u16)]
pub enum CloseCode {
    /// Removed, or left: not to come back.
    Final = 1000,
    /// Broken frames.
    Protocol = 1002,
    /// The room failed; it starts anew when clients come back.
    RoomFailed = 1011,
    /// The server restarts.
    Restarting = 1012,
    /// Too slow, or the room is full: later perhaps.
    TryLater = 1013,
    /// Nothing was heard for too long.
    Silent = 4000,
    /// Another connection of the same peer took its place.
    Replaced = 4001,
    /// The peer id is another participant's.
    Refused = 4003,
}

#[derive(Debug, Default)]
struct Waiting {
    frames: VecDeque<Bytes>,
    bytes: usize,
    close: Option<CloseCode>,
}

/// What waits to be written to one socket: filled by the room, emptied by the socket's task.
#[derive(Debug, Default)]
pub struct Outbox {
    waiting: Mutex<Waiting>,
    changed: Notify,
}

impl Outbox {
    fn lock(&self) -> MutexGuard<'_, Waiting> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Adds a frame. A socket whose bound is passed is to be closed, and gets nothing more.
    pub fn push(&self, frame: Bytes) {
        let mut waiting = self.lock();
        if waiting.close.is_some() {
            return;
        }
        if waiting.frames.len() >= MAX_FRAMES || waiting.bytes + frame.len() > MAX_BYTES {
            waiting.frames.clear();
            waiting.bytes = 0;
            waiting.close = Some(CloseCode::TryLater);
        } else {
            waiting.bytes += frame.len();
            waiting.frames.push_back(frame);
        }
        drop(waiting);
        self.changed.notify_one();
    }

    /// Has the socket closed after the frames that wait. The first reason stands.
    pub fn close(&self, code: CloseCode) {
        self.lock().close.get_or_insert(code);
        self.changed.notify_one();
    }

    /// Waits until there is something to do, and takes all of it.
    pub async fn take(&self) -> (VecDeque<Bytes>, Option<CloseCode>) {
        loop {
            {
                let mut waiting = self.lock();
                if !waiting.frames.is_empty() || waiting.close.is_some() {
                    waiting.bytes = 0;
                    return (std::mem::take(&mut waiting.frames), waiting.close);
                }
            }
            self.changed.notified().await;
        }
    }

    /// Waits until the bound is passed. For a write that the client does not take.
    pub async fn overflowed(&self) {
        while self.lock().close != Some(CloseCode::TryLater) {
            self.changed.notified().await;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn frames_come_in_order_and_then_the_close() {
        let outbox = Outbox::default();
        outbox.push(Bytes::from_static(b"a"));
        outbox.push(Bytes::from_static(b"b"));
        outbox.close(CloseCode::Final);
        outbox.close(CloseCode::Restarting);
        outbox.push(Bytes::from_static(b"too late"));
        let (frames, close) = outbox.take().await;
        assert_eq!(frames, ["a", "b"]);
        assert_eq!(close, Some(CloseCode::Final));
    }

    #[tokio::test]
    async fn one_that_is_not_emptied_is_closed() {
        for (frame, count) in [
            (Bytes::from_static(b"x"), MAX_FRAMES),
            (Bytes::from(vec![0; MAX_BYTES]), 1),
        ] {
            let outbox = Outbox::default();
            for _ in 0..count {
                outbox.push(frame.clone());
            }
            assert_eq!(outbox.lock().close, None);
            outbox.push(frame);
            let (frames, close) = outbox.take().await;
            assert!(frames.is_empty());
            assert_eq!(close, Some(CloseCode::TryLater));
        }
    }
}
