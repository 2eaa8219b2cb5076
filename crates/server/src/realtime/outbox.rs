//! What waits to be written to one socket.

use std::{
    collections::VecDeque,
    sync::{Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use bytes::Bytes;
use tokio::{sync::Notify, time::Instant};

/// Frames that may wait. A client that is so far behind comes back and asks for what it missed.
const MAX_FRAMES: usize = 4096;
/// Bytes that may wait.
const MAX_BYTES: usize = 4 << 20;

/// After a write, what many are told waits for more of its kind for so long, counted from that write. The
/// first of a burst is not held back; in a busy room a write is the dearest part of a delivery.
const GATHER: Duration = Duration::from_millis(20);

/// Why the server ends a connection (RFC 6455 section 7.4; 4000 and up are ours). Only 1000 is final
/// for the client: after any other it comes back by itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u16)]
pub enum CloseCode {
    /// Removed, or left: not to come back.
    Final = 1000,
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
    /// Whether one of the frames is not to wait for others.
    at_once: bool,
    /// Whether the socket's task wakes by itself, at the end of [`GATHER`].
    gathering: bool,
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

    /// Adds a frame, to be written at once. A socket whose bound is passed is to be closed, and gets nothing
    /// more.
    pub fn push(&self, frame: Bytes) {
        self.add(frame, true);
    }

    /// Adds a frame that many get. Where something was written a moment ago, it waits for others like it.
    pub fn push_to_many(&self, frame: Bytes) {
        self.add(frame, false);
    }

    fn add(&self, frame: Bytes, at_once: bool) {
        let mut waiting = self.lock();
        if waiting.close.is_some() {
            return;
        }
        // One long answer may be longer than the bound: the client would come back and ask for it for ever.
        let full = waiting.frames.len() >= MAX_FRAMES || waiting.bytes + frame.len() > MAX_BYTES;
        if full && !waiting.frames.is_empty() {
            waiting.frames.clear();
            waiting.bytes = 0;
            waiting.close = Some(CloseCode::TryLater);
        } else {
            waiting.bytes += frame.len();
            waiting.frames.push_back(frame);
            waiting.at_once |= at_once;
            if waiting.gathering && !at_once {
                return;
            }
        }
        drop(waiting);
        self.changed.notify_one();
    }

    /// Has the socket closed after the frames that wait. The first reason stands.
    pub fn close(&self, code: CloseCode) {
        self.lock().close.get_or_insert(code);
        self.changed.notify_one();
    }

    /// Waits until there is something to do, and takes all of it into `frames`, which must be empty.
    /// `written` is when the socket was last written to.
    pub async fn take(&self, frames: &mut VecDeque<Bytes>, written: Instant) -> Option<CloseCode> {
        loop {
            let gathering = {
                let mut waiting = self.lock();
                let gathered = || written.elapsed() >= GATHER;
                if waiting.close.is_some() || waiting.at_once || (!waiting.frames.is_empty() && gathered()) {
                    waiting.bytes = 0;
                    waiting.at_once = false;
                    waiting.gathering = false;
                    std::mem::swap(&mut waiting.frames, frames);
                    return waiting.close;
                }
                waiting.gathering = !waiting.frames.is_empty();
                waiting.gathering
            };
            if gathering {
                tokio::select! {
                    () = self.changed.notified() => {}
                    () = tokio::time::sleep_until(written + GATHER) => {}
                }
            } else {
                self.changed.notified().await;
            }
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
    use futures::FutureExt;

    use super::*;

    async fn taken(outbox: &Outbox, written: Instant) -> (VecDeque<Bytes>, Option<CloseCode>) {
        let mut frames = VecDeque::new();
        let close = outbox.take(&mut frames, written).await;
        (frames, close)
    }

    #[tokio::test]
    async fn frames_come_in_order_and_then_the_close() {
        let outbox = Outbox::default();
        outbox.push(Bytes::from_static(b"a"));
        outbox.push(Bytes::from_static(b"b"));
        outbox.close(CloseCode::Final);
        outbox.close(CloseCode::Restarting);
        outbox.push(Bytes::from_static(b"too late"));
        let (frames, close) = taken(&outbox, Instant::now()).await;
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
            outbox.push_to_many(frame);
            let (frames, close) = taken(&outbox, Instant::now()).await;
            assert!(frames.is_empty());
            assert_eq!(close, Some(CloseCode::TryLater));
        }
    }

    #[tokio::test]
    async fn one_frame_beyond_the_bound_is_written() {
        let outbox = Outbox::default();
        let long = Bytes::from(vec![0; MAX_BYTES + 1]);
        outbox.push(long.clone());
        assert_eq!(
            taken(&outbox, Instant::now()).await,
            (VecDeque::from([long.clone()]), None)
        );
        outbox.push(long);
        outbox.push(Bytes::from_static(b"more"));
        assert_eq!(taken(&outbox, Instant::now()).await.1, Some(CloseCode::TryLater));
    }

    #[tokio::test]
    async fn what_many_get_waits_only_behind_a_write() {
        let outbox = Outbox::default();
        outbox.push_to_many(Bytes::from_static(b"first"));
        let long_ago = Instant::now().checked_sub(GATHER).unwrap();
        let first = taken(&outbox, long_ago).now_or_never().expect("no wait");
        assert_eq!(first.0, ["first"]);

        outbox.push_to_many(Bytes::from_static(b"second"));
        let mut frames = VecDeque::new();
        let written = Instant::now();
        let mut taking = Box::pin(outbox.take(&mut frames, written));
        assert!(taking.as_mut().now_or_never().is_none());
        outbox.push_to_many(Bytes::from_static(b"third"));
        taking.await;
        assert_eq!(frames, ["second", "third"]);
        assert!(written.elapsed() >= GATHER);
    }

    #[tokio::test]
    async fn a_reply_takes_along_what_waits() {
        let outbox = Outbox::default();
        let never = Instant::now() + Duration::from_secs(3600);
        outbox.push_to_many(Bytes::from_static(b"news"));
        let mut frames = VecDeque::new();
        let mut taking = Box::pin(outbox.take(&mut frames, never));
        assert!(taking.as_mut().now_or_never().is_none());
        outbox.push(Bytes::from_static(b"reply"));
        taking.await;
        assert_eq!(frames, ["news", "reply"]);
    }
}
