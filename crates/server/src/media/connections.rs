//! A shard's TCP connections. Each has a task of the shard's own runtime; the shard itself waits for none.

use std::{
    collections::HashMap,
    io,
    net::SocketAddr,
    time::{Duration, Instant},
};

use bytes::BytesMut;
use futures::StreamExt;
use muster_sfu::{Sfu, Transmit};
use tokio::{
    io::{AsyncReadExt, AsyncWrite, AsyncWriteExt},
    net::{TcpStream, tcp::OwnedReadHalf},
    sync::mpsc,
    time::timeout,
};

use super::listener::{self, Introduced};
use crate::telemetry::metrics::MediaMetrics;

/// Frames that wait for a client to read, each no longer than a datagram. It is what a camera sends in a
/// second; later than that it is of no use.
const WAITING: usize = 128;
/// Frames that wait for the shard, of all connections together; then they are not read.
const ARRIVED: usize = 256;
/// How long a client may read nothing.
const STUCK: Duration = Duration::from_secs(10);
/// How long a client may send nothing: ICE asks every few seconds.
const IDLE: Duration = Duration::from_secs(60);

/// What a connection says.
#[derive(Debug)]
pub(super) enum Word {
    /// A frame came.
    Frame {
        from: Name,
        local: SocketAddr,
        frame: BytesMut,
    },
    /// It has ended.
    Ended(Name),
}

/// A connection among all that there ever were.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Name {
    remote: SocketAddr,
    number: u64,
}

#[derive(Debug)]
struct Connection {
    number: u64,
    /// Its task ends when this does, after what waits.
    out: mpsc::Sender<Vec<u8>>,
}

/// A shard's TCP connections.
#[derive(Debug)]
pub(super) struct Connections {
    open: HashMap<SocketAddr, Connection>,
    count: u64,
    words: mpsc::Sender<Word>,
    heard: mpsc::Receiver<Word>,
    /// Those whose last frame was of nobody.
    doubtful: Vec<Name>,
    counters: MediaMetrics,
}

impl Connections {
    pub(super) fn new(counters: MediaMetrics) -> Self {
        let (words, heard) = mpsc::channel(ARRIVED);
        Self {
            open: HashMap::new(),
            count: 0,
            words,
            heard,
            doubtful: Vec::new(),
            counters,
        }
    }

    /// Takes a connection whose first frame is for somebody here.
    pub(super) fn add(&mut self, introduced: Introduced, sfu: &mut Sfu) -> io::Result<()> {
        let stream = TcpStream::from_std(introduced.stream)?;
        self.count += 1;
        let name = Name {
            remote: introduced.remote,
            number: self.count,
        };
        let (out, waiting) = mpsc::channel(WAITING);
        let connection = Connection {
            number: name.number,
            out,
        };
        self.open.insert(name.remote, connection);
        let (words, counters) = (self.words.clone(), self.counters.clone());
        let (rest, place, local) = (introduced.rest, introduced.place, introduced.local);
        counters.connections.increment(1);
        tokio::spawn(async move {
            let (read, write) = stream.into_split();
            tokio::select! {
                () = hear(read, rest, name, local, &words) => {}
                () = speak(write, waiting) => {}
            }
            counters.connections.decrement(1);
            drop(place);
            let _ = words.send(Word::Ended(name)).await;
        });
        self.take(
            Word::Frame {
                from: name,
                local,
                frame: introduced.first,
            },
            sfu,
        );
        Ok(())
    }

    /// The next word.
    pub(super) async fn next(&mut self) -> Option<Word> {
        self.heard.recv().await
    }

    /// Deals with a word and all that wait.
    pub(super) fn take_all(&mut self, first: Word, sfu: &mut Sfu) {
        self.take(first, sfu);
        for _ in 0..ARRIVED {
            let Ok(word) = self.heard.try_recv() else { return };
            self.take(word, sfu);
        }
    }

    fn is_open(&self, name: Name) -> bool {
        self.open
            .get(&name.remote)
            .is_some_and(|connection| connection.number == name.number)
    }

    fn take(&mut self, word: Word, sfu: &mut Sfu) {
        match word {
            Word::Frame { from, local, frame } => {
                if self.is_open(from) && !sfu.handle_frame(Instant::now(), from.remote, local, &frame) {
                    self.doubtful.push(from);
                }
            }
            Word::Ended(name) => {
                if self.is_open(name) {
                    self.open.remove(&name.remote);
                    sfu.forget_connection(name.remote);
                }
            }
        }
    }

    /// Sends a frame, or loses it where the client does not read.
    pub(super) fn send(&self, transmit: Transmit) {
        let lost = match self.open.get(&transmit.to) {
            Some(connection) => connection.out.try_send(transmit.bytes).is_err(),
            None => true,
        };
        if lost {
            self.counters.unsent(1);
        }
    }

    /// Closes connections that are of nobody, or of nobody any more, after what was said to them.
    pub(super) fn settle(&mut self, sfu: &mut Sfu) {
        while let Some(remote) = sfu.poll_closed() {
            self.open.remove(&remote);
        }
        for name in std::mem::take(&mut self.doubtful) {
            if self.is_open(name) {
                self.open.remove(&name.remote);
                self.counters.refuse_connection();
            }
        }
    }
}

/// Reads until the client sends nothing more, or something that is no frame.
async fn hear(
    read: OwnedReadHalf,
    rest: BytesMut,
    from: Name,
    local: SocketAddr,
    words: &mpsc::Sender<Word>,
) {
    let mut frames = listener::frames((&rest[..]).chain(read));
    while let Ok(Some(Ok(frame))) = timeout(IDLE, frames.next()).await {
        if words.send(Word::Frame { from, local, frame }).await.is_err() {
            return;
        }
    }
}

/// Writes what waits, several frames at a time, until there will be nothing more.
async fn speak(mut write: impl AsyncWrite + Unpin, mut waiting: mpsc::Receiver<Vec<u8>>) {
    let mut frames = Vec::with_capacity(WAITING);
    let mut bytes = Vec::new();
    while waiting.recv_many(&mut frames, WAITING).await > 0 {
        bytes.clear();
        for frame in frames.drain(..) {
            let Ok(size) = u16::try_from(frame.len()) else {
                continue;
            };
            bytes.extend_from_slice(&size.to_be_bytes());
            bytes.extend_from_slice(&frame);
        }
        let mut left = &bytes[..];
        while !left.is_empty() {
            match timeout(STUCK, write.write(left)).await {
                Ok(Ok(written)) if written > 0 => left = &left[written..],
                _ => return,
            }
        }
    }
}
