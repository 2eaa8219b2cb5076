//! Takes TCP connections for media (RFC 6544, passive), for clients whose networks let no UDP through, and
//! gives each to the shard that it is for.
//!
//! A stranger has seconds to send one frame (RFC 4571) with a STUN request for a user fragment that a shard
//! knows; only so many may be at that at a time. Whether the request is authentic is for the shard to say.

use std::{net::SocketAddr, sync::Arc, time::Duration};

use bytes::BytesMut;
use futures::{StreamExt, stream::FuturesUnordered};
use muster_sfu::stun;
use tokio::{
    net::TcpStream,
    sync::{OwnedSemaphorePermit, Semaphore, mpsc, oneshot},
    time::timeout,
};
use tokio_util::{
    codec::{FramedRead, LengthDelimitedCodec},
    sync::CancellationToken,
};

use super::{addresses::Addresses, shard::ToShard, strangers::Strangers, udp::canonical};
use crate::telemetry::metrics::MediaMetrics;

/// How long a stranger may take to say for whom it is.
const INTRODUCTION: Duration = Duration::from_secs(5);
/// Connections at a time.
const CONNECTIONS: usize = 10_000;
/// Bytes of a frame: what str0m reads of a datagram at most.
const FRAME_MAX: usize = 2_000;
/// Bytes that the kernel may hold for a connection on the way out: what is late need not leave.
const SEND_BUFFER: usize = 128 << 10;

/// Splits a stream into frames; one that is longer than any datagram of ours ends it.
pub(super) fn frames<R: tokio::io::AsyncRead>(stream: R) -> FramedRead<R, LengthDelimitedCodec> {
    let codec = LengthDelimitedCodec::builder()
        .length_field_type::<u16>()
        .max_frame_length(FRAME_MAX)
        .new_codec();
    FramedRead::with_capacity(stream, codec, 2 * FRAME_MAX)
}

/// A connection whose first frame is for somebody on the shard that gets it.
#[derive(Debug)]
pub(super) struct Introduced {
    pub(super) stream: std::net::TcpStream,
    pub(super) remote: SocketAddr,
    /// The candidate that the client used.
    pub(super) local: SocketAddr,
    /// The first frame.
    pub(super) first: BytesMut,
    /// What was read beyond it.
    pub(super) rest: BytesMut,
    /// Its place among all.
    pub(super) place: OwnedSemaphorePermit,
}

/// The TCP socket for media.
pub(super) struct Listener {
    pub(super) socket: std::net::TcpListener,
    pub(super) addresses: Addresses,
    pub(super) shards: Vec<mpsc::UnboundedSender<ToShard>>,
    pub(super) counters: MediaMetrics,
    pub(super) stop: CancellationToken,
}

impl Listener {
    /// Takes connections until the server stops.
    pub(super) fn run(self) {
        let runtime = match tokio::runtime::Builder::new_current_thread().enable_all().build() {
            Ok(runtime) => runtime,
            Err(error) => return tracing::error!(%error, "no runtime for media over TCP"),
        };
        if let Err(error) = runtime.block_on(self.accept()) {
            tracing::error!(%error, "no more media over TCP");
        }
    }

    async fn accept(self) -> std::io::Result<()> {
        let socket = tokio::net::TcpListener::from_std(self.socket.try_clone()?)?;
        let strangers = Strangers::default();
        let open_files = rustix::process::getrlimit(rustix::process::Resource::Nofile).current;
        let places = places(open_files);
        if places < CONNECTIONS {
            tracing::warn!(
                places,
                open_files,
                "few open files are allowed, so few clients may come by TCP"
            );
        }
        let places = Arc::new(Semaphore::new(places));
        let this = Arc::new(self);
        loop {
            let (stream, remote) = tokio::select! {
                () = this.stop.cancelled() => return Ok(()),
                accepted = socket.accept() => match accepted {
                    Ok(accepted) => accepted,
                    Err(error) => {
                        // Out of file descriptors, most likely: others must end first.
                        tracing::warn!(%error, "a connection for media was not accepted");
                        tokio::time::sleep(Duration::from_millis(50)).await;
                        continue;
                    }
                },
            };
            let remote = canonical(remote);
            let place = Arc::clone(&places).try_acquire_owned();
            let (Some(stranger), Ok(place)) = (strangers.enter(remote.ip()), place) else {
                this.counters.refuse_connection();
                continue;
            };
            let this = Arc::clone(&this);
            tokio::spawn(async move {
                let introduced = timeout(INTRODUCTION, this.introduce(stream, remote, place)).await;
                drop(stranger);
                if !matches!(introduced, Ok(Some(()))) {
                    this.counters.refuse_connection();
                }
            });
        }
    }

    /// Reads the first frame and gives the connection to the shard that it is for.
    async fn introduce(
        &self,
        stream: TcpStream,
        remote: SocketAddr,
        place: OwnedSemaphorePermit,
    ) -> Option<()> {
        let local = self
            .addresses
            .used(Some(stream.local_addr().ok()?.ip()), remote)?;
        stream.set_nodelay(true).ok()?;
        let _ = socket2::SockRef::from(&stream).set_send_buffer_size(SEND_BUFFER);
        let mut frames = frames(stream);
        let first = frames.next().await?.ok()?;
        let shard = owner(&self.shards, stun::addressee(&first)?).await?;
        let parts = frames.into_parts();
        let introduced = Introduced {
            stream: parts.io.into_std().ok()?,
            remote,
            local,
            first,
            rest: parts.read_buf,
            place,
        };
        shard.send(ToShard::Connection(Box::new(introduced))).ok()
    }
}

/// The shard that knows a user fragment. All are asked at once: the busy ones hold nobody else's up.
async fn owner<'a>(
    shards: &'a [mpsc::UnboundedSender<ToShard>],
    fragment: &str,
) -> Option<&'a mpsc::UnboundedSender<ToShard>> {
    let mut asked: FuturesUnordered<_> = shards
        .iter()
        .filter_map(|shard| {
            let (reply, answer) = oneshot::channel();
            let fragment = fragment.to_owned();
            shard.send(ToShard::Owns { fragment, reply }).ok()?;
            Some(async move { (answer.await == Ok(true)).then_some(shard) })
        })
        .collect();
    while let Some(answer) = asked.next().await {
        if answer.is_some() {
            return answer;
        }
    }
    None
}

/// Connections that there may be at a time: half of the files that the process may have open at most, for the
/// other half serves signalling and the database.
fn places(open_files: Option<u64>) -> usize {
    let half = open_files.map_or(u64::MAX, |files| files / 2);
    usize::try_from(half).map_or(CONNECTIONS, |half| half.min(CONNECTIONS))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_busy_shard_holds_up_no_other() {
        let (busy, _heard) = mpsc::unbounded_channel();
        let (gone, _) = mpsc::unbounded_channel();
        let (owns, mut asked) = mpsc::unbounded_channel();
        let shards = [busy, gone, owns];
        let answer = async {
            for _ in 0..2 {
                let Some(ToShard::Owns { fragment, reply }) = asked.recv().await else {
                    panic!("not asked")
                };
                reply.send(fragment == "ours").unwrap();
            }
        };
        let ask = async {
            let found = timeout(INTRODUCTION, owner(&shards, "ours")).await.unwrap();
            assert!(found.is_some_and(|found| found.same_channel(&shards[2])));
            let others = owner(&shards[1..], "another's").await;
            assert!(others.is_none());
        };
        tokio::join!(answer, ask);
    }

    #[test]
    fn connections_leave_half_of_the_open_files_to_others() {
        assert_eq!(places(Some(1_024)), 512);
        assert_eq!(places(Some(1 << 20)), CONNECTIONS);
        assert_eq!(places(None), CONNECTIONS);
    }

    #[tokio::test]
    async fn a_frame_that_is_too_long_or_not_whole_ends_the_stream() {
        let mut whole = frames(&[0, 3, 1, 2, 3, 0, 0, 0, 1, 9][..]);
        let mut read = Vec::new();
        while let Some(frame) = whole.next().await {
            read.push(frame.unwrap().to_vec());
        }
        assert_eq!(read, [vec![1, 2, 3], vec![], vec![9]]);
        let mut long = frames(&[0xff, 0xff, 0, 0][..]);
        assert!(long.next().await.unwrap().is_err());
        let mut half = frames(&[0, 3, 1][..]);
        assert!(half.next().await.unwrap().is_err());
    }
}
