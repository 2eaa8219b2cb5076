//! One shard: a thread that owns a socket and a [`Sfu`], and nothing that could make it wait.

use std::{
    collections::HashMap,
    io::{self, IoSliceMut},
    net::{IpAddr, SocketAddr, UdpSocket as StdUdpSocket},
    panic::{AssertUnwindSafe, catch_unwind},
    time::Instant,
};

use muster_model::{MeetingId, PeerId};
use muster_room::RequestId;
use muster_sfu::{
    Command, ConsumeRequest, Consumed, Lost, MediaError, MediaKind, ProducerInfo, Reply, Sfu, SfuConfig,
    SfuEvent,
};
use quinn_udp::{BATCH_SIZE, RecvMeta, UdpSockRef, UdpSocketState};
use tokio::{io::Interest, net::UdpSocket, sync::mpsc};
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

use super::{MediaEvent, MediaEvents};
use crate::{
    realtime::codec::{self, Consumer, MediaPush, MediaReply, MediaRequest, ProducerState},
    telemetry::metrics::MediaMetrics,
};

/// Bytes of one read: several datagrams of one sender may come as one.
const READ_BYTES: usize = 64 << 10;
/// Reads before others get their turn.
const READS: usize = 16;

/// What a shard is told.
#[derive(Debug)]
pub(super) enum ToShard {
    /// A room comes to life.
    Open {
        /// Which.
        meeting: MeetingId,
        /// Where it is told what happens.
        events: MediaEvents,
    },
    /// A room is over.
    Close(MeetingId),
    /// A peer asks for something.
    Ask {
        /// In which room.
        meeting: MeetingId,
        /// Who.
        peer: PeerId,
        /// The client's name for it.
        id: RequestId,
        /// What.
        request: MediaRequest,
    },
    /// The room wants something of a peer.
    Tell {
        /// Which room.
        meeting: MeetingId,
        /// Of whom.
        peer: PeerId,
        /// What.
        command: Command,
        /// Who had it done, where somebody did.
        by: Option<PeerId>,
    },
}

/// What a shard is started with.
pub(super) struct Shard {
    pub(super) socket: StdUdpSocket,
    pub(super) candidates: Vec<SocketAddr>,
    /// Whether clients reach us by other addresses than our own.
    pub(super) translated: bool,
    pub(super) counters: MediaMetrics,
    pub(super) stop: CancellationToken,
}

impl Shard {
    /// Runs until the server stops. After a failure it begins anew; clients then join media again.
    pub(super) fn run(self, mut heard: mpsc::UnboundedReceiver<ToShard>) {
        let runtime = match tokio::runtime::Builder::new_current_thread().enable_all().build() {
            Ok(runtime) => runtime,
            Err(error) => return tracing::error!(%error, "no runtime for media"),
        };
        let mut rooms = HashMap::new();
        while !self.stop.is_cancelled() {
            let live = AssertUnwindSafe(|| runtime.block_on(self.live(&mut heard, &mut rooms)));
            match catch_unwind(live) {
                Ok(Ok(())) => return,
                Ok(Err(error)) => tracing::error!(%error, "a media shard failed and begins anew"),
                Err(_) => tracing::error!("a media shard panicked and begins anew"),
            }
            for events in rooms.values() {
                events.say(MediaEvent::TellAll {
                    but: None,
                    push: MediaPush::Terminated("the media server began anew".to_owned()),
                });
            }
            std::thread::sleep(std::time::Duration::from_millis(200));
        }
    }

    async fn live(
        &self,
        heard: &mut mpsc::UnboundedReceiver<ToShard>,
        rooms: &mut HashMap<MeetingId, MediaEvents>,
    ) -> anyhow::Result<()> {
        let sfu = Sfu::new(SfuConfig::new(self.candidates.clone()), Instant::now())?;
        let line = Line::new(&self.socket, self.candidates.clone(), self.translated)?;
        let mut desk = Desk { sfu, rooms, by: None };
        for meeting in desk.rooms.keys() {
            desk.sfu.open_room(*meeting);
        }
        let mut buffers = Buffers::new();
        let mut told = desk.sfu.counters();
        loop {
            let due = desk.sfu.poll_timeout();
            tokio::select! {
                () = self.stop.cancelled() => return Ok(()),
                word = heard.recv() => match word {
                    Some(word) => {
                        desk.hear(word);
                        while let Ok(word) = heard.try_recv() {
                            desk.hear(word);
                        }
                    }
                    None => return Ok(()),
                },
                ready = line.socket.readable() => {
                    ready?;
                    for _ in 0..READS {
                        if !line.receive(&mut buffers, &mut desk.sfu)? {
                            break;
                        }
                    }
                }
                () = sleep_until(due) => desk.sfu.handle_timeout(Instant::now()),
            }
            while let Some(transmit) = desk.sfu.poll_transmit() {
                line.send(&transmit);
            }
            desk.tell();
            let counted = desk.sfu.counters();
            self.counters.note(&told, &counted);
            told = counted;
        }
    }
}

async fn sleep_until(due: Option<Instant>) {
    match due {
        Some(due) => tokio::time::sleep_until(due.into()).await,
        None => std::future::pending().await,
    }
}

struct Buffers {
    memory: Vec<Vec<u8>>,
    about: Vec<RecvMeta>,
}

impl Buffers {
    fn new() -> Self {
        Self {
            memory: vec![vec![0; READ_BYTES]; BATCH_SIZE],
            about: vec![RecvMeta::default(); BATCH_SIZE],
        }
    }
}

/// The socket, and which of our addresses a datagram came to.
struct Line {
    socket: UdpSocket,
    state: UdpSocketState,
    candidates: Vec<SocketAddr>,
    translated: bool,
}

impl Line {
    fn new(socket: &StdUdpSocket, candidates: Vec<SocketAddr>, translated: bool) -> io::Result<Self> {
        let socket = UdpSocket::from_std(socket.try_clone()?)?;
        let state = UdpSocketState::new(UdpSockRef::from(&socket))?;
        Ok(Self {
            socket,
            state,
            candidates,
            translated,
        })
    }

    /// Reads what one system call gives; false when there is nothing more.
    fn receive(&self, buffers: &mut Buffers, sfu: &mut Sfu) -> io::Result<bool> {
        let read = {
            let mut slices: Vec<IoSliceMut<'_>> = buffers
                .memory
                .iter_mut()
                .map(|memory| IoSliceMut::new(memory))
                .collect();
            let about = &mut buffers.about;
            self.socket.try_io(Interest::READABLE, || {
                self.state
                    .recv(UdpSockRef::from(&self.socket), &mut slices, about)
            })
        };
        let count = match read {
            Ok(count) => count,
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => return Ok(false),
            // Word of a receiver that is gone; nothing of ours.
            Err(error) if error.kind() == io::ErrorKind::ConnectionReset => return Ok(true),
            Err(error) => return Err(error),
        };
        let now = Instant::now();
        for (memory, about) in buffers.memory.iter().zip(&buffers.about).take(count) {
            let Some(destination) = self.destination(about.dst_ip, about.addr) else {
                continue;
            };
            for datagram in memory[..about.len].chunks(about.stride.max(1)) {
                sfu.handle_datagram(now, about.addr, destination, datagram);
            }
        }
        Ok(true)
    }

    /// The candidate that the sender used.
    fn destination(&self, ip: Option<IpAddr>, source: SocketAddr) -> Option<SocketAddr> {
        let told = ip.map(|ip| ip.to_canonical()).filter(|_| !self.translated);
        self.candidates
            .iter()
            .find(|candidate| told == Some(candidate.ip()))
            .or_else(|| {
                let v4 = source.ip().to_canonical().is_ipv4();
                self.candidates.iter().find(|candidate| candidate.is_ipv4() == v4)
            })
            .copied()
    }

    fn send(&self, transmit: &muster_sfu::Transmit) {
        let source = (!self.translated).then(|| transmit.from.ip());
        let datagram = quinn_udp::Transmit {
            destination: transmit.to,
            ecn: None,
            contents: &transmit.bytes,
            segment_size: None,
            src_ip: source,
        };
        // What the kernel does not take at once is lost, as on any other way; receivers ask again.
        let _ = self.socket.try_io(Interest::WRITABLE, || {
            self.state.try_send(UdpSockRef::from(&self.socket), &datagram)
        });
    }
}

/// Between the rooms and the unit.
struct Desk<'a> {
    sfu: Sfu,
    rooms: &'a mut HashMap<MeetingId, MediaEvents>,
    /// Who has just had somebody muted.
    by: Option<PeerId>,
}

impl Desk<'_> {
    fn hear(&mut self, word: ToShard) {
        match word {
            ToShard::Open { meeting, events } => {
                self.sfu.open_room(meeting);
                self.rooms.insert(meeting, events);
            }
            ToShard::Close(meeting) => {
                self.sfu.close_room(Instant::now(), meeting);
                self.rooms.remove(&meeting);
            }
            ToShard::Tell {
                meeting,
                peer,
                command,
                by,
            } => {
                self.tell();
                // Nobody in the room: somebody who is not there, so that the client takes it for force.
                self.by = Some(by.unwrap_or_else(|| PeerId::from(Uuid::nil())));
                if let Err(error) = self.sfu.command(Instant::now(), meeting, peer, command) {
                    tracing::debug!(%meeting, %peer, %error, "media did not follow the room");
                }
                self.tell();
                self.by = None;
            }
            ToShard::Ask {
                meeting,
                peer,
                id,
                request,
            } => self.ask(meeting, peer, id, request),
        }
    }

    fn ask(&mut self, meeting: MeetingId, peer: PeerId, to: RequestId, request: MediaRequest) {
        let wants_reply = request.wants_reply();
        let consuming = matches!(
            request,
            MediaRequest::CreateTransport { consuming: true, .. } | MediaRequest::CloseConsumer { .. }
        );
        let consume = matches!(request, MediaRequest::Consume { .. });
        let Some(command) = command(request) else { return };
        let event = match self.sfu.command(Instant::now(), meeting, peer, command) {
            Ok(reply) => MediaEvent::Reply {
                peer,
                to,
                reply: self.reply(meeting, reply, consuming),
            },
            Err(error) => MediaEvent::Failed {
                peer,
                to,
                why: failure(&error, consume),
            },
        };
        if wants_reply && let Some(events) = self.rooms.get(&meeting) {
            events.say(event);
        }
        self.tell();
    }

    fn reply(&self, meeting: MeetingId, reply: Reply, consuming: bool) -> MediaReply {
        match reply {
            Reply::Transport { transport, answer } => MediaReply::TransportCreated {
                transport,
                consuming,
                answer,
            },
            Reply::Produced { producer, answer } => MediaReply::Produced { producer, answer },
            Reply::Consumed { consumers, offer } => MediaReply::Consumed {
                consumers: consumers
                    .into_iter()
                    .map(|(producer, consumed)| {
                        let consumer = match consumed {
                            Ok(consumed) => self.consumer(meeting, consumed),
                            Err(error) => Err(error.code().to_owned()),
                        };
                        (producer, consumer)
                    })
                    .collect(),
                offer,
            },
            Reply::Answer(answer) if consuming => MediaReply::ConsumerClosed { answer },
            Reply::Answer(answer) => MediaReply::ProducerClosed { answer },
            Reply::Done => MediaReply::Done,
        }
    }

    fn consumer(&self, meeting: MeetingId, consumed: Consumed) -> Result<Consumer, String> {
        self.sfu
            .producers(meeting, consumed.producing_peer)
            .into_iter()
            .find(|producer| producer.id == consumed.consumer)
            .map(|producer| Consumer {
                producer: state(producer),
                mid: consumed.mid,
                track: consumed.track,
            })
            .ok_or_else(|| "not_found_track_error".to_owned())
    }

    /// Passes on what has happened.
    fn tell(&mut self) {
        while let Some((meeting, event)) = self.sfu.poll_event() {
            let Some(events) = self.rooms.get(&meeting) else {
                continue;
            };
            let tell_all = |but, push| events.say(MediaEvent::TellAll { but, push });
            match event {
                SfuEvent::ProducerCreated(producer) => {
                    let peer = producer.peer;
                    tell_all(Some(peer), MediaPush::ProducerCreated(peer, state(producer)));
                }
                SfuEvent::ProducerClosed(producer) => {
                    let peer = producer.peer;
                    tell_all(Some(peer), MediaPush::ProducerClosed(peer, state(producer)));
                }
                SfuEvent::ProducerToggled { producer, muted } => {
                    let peer = producer.peer;
                    let (but, by) = if muted {
                        (None, self.by)
                    } else {
                        (Some(peer), None)
                    };
                    tell_all(but, MediaPush::ProducerToggled(peer, state(producer), by));
                }
                SfuEvent::ActiveSpeakers(peers) => {
                    let entries = (1..).zip(peers).map(|(priority, peer)| (peer, priority));
                    tell_all(None, MediaPush::SelectedPeers(entries.collect()));
                }
                SfuEvent::TransportLost { peer, why, .. } if why != Lost::Closed => {
                    events.say(MediaEvent::Tell(
                        peer,
                        MediaPush::Terminated("the connection was lost".to_owned()),
                    ));
                }
                SfuEvent::TransportLost { .. } | SfuEvent::TransportConnected { .. } | SfuEvent::Stats(_) => {
                }
            }
        }
    }
}

/// Why a request failed, in words that make the client do what helps (PROTOCOL e.4).
fn failure(error: &MediaError, consume: bool) -> String {
    let code = match error {
        MediaError::InvalidDescription(_) => "invalid_session_description",
        MediaError::NoTransport | MediaError::Internal | MediaError::NoRoom => "internal_error",
        _ => return error.to_string(),
    };
    if consume {
        serde_json::json!({"errorCode": code, "errorDescription": "Backend error"}).to_string()
    } else {
        error.to_string()
    }
}

fn kind(kind: codec::MediaKind) -> MediaKind {
    match kind {
        codec::MediaKind::Audio => MediaKind::Audio,
        codec::MediaKind::Video => MediaKind::Video,
    }
}

fn state(producer: ProducerInfo) -> ProducerState {
    ProducerState {
        id: producer.id,
        kind: match producer.kind {
            MediaKind::Audio => codec::MediaKind::Audio,
            MediaKind::Video => codec::MediaKind::Video,
        },
        paused: producer.paused,
        screen_share: producer.screen_share,
        app_data: producer.app_data,
        transport: Some(producer.transport),
        mime_type: Some(producer.mime_type.to_owned()),
    }
}

/// The unit's command for a client's request; none for what it hears for itself.
fn command(request: MediaRequest) -> Option<Command> {
    Some(match request {
        MediaRequest::CreateTransport { consuming, offer } => Command::CreateTransport { consuming, offer },
        MediaRequest::Produce {
            kind: what,
            paused,
            screen_share,
            offer,
            app_data,
            mime_type,
            transport,
            ..
        } => Command::Produce {
            kind: kind(what),
            paused,
            screen_share,
            offer,
            app_data,
            mime_type,
            transport,
        },
        MediaRequest::Consume { requests, transport } => Command::Consume {
            requests: requests
                .into_iter()
                .map(|request| ConsumeRequest {
                    producer: request.producer,
                    preferred_rid: request.preferred_rid,
                })
                .collect(),
            transport,
        },
        MediaRequest::ToggleProducer { producer, pause } => Command::ToggleProducer { producer, pause },
        MediaRequest::CloseProducer { producer, offer } => Command::CloseProducer { producer, offer },
        MediaRequest::CloseConsumer {
            mids,
            offer,
            transport,
        } => Command::CloseConsumer {
            mids,
            offer,
            transport,
        },
        MediaRequest::UpdateSimulcast { layers, .. } => Command::UpdateSimulcast { layers },
        MediaRequest::Renegotiate { transport, answer } => Command::Renegotiate { transport, answer },
        // The levels in the packets tell more, and cannot be made up.
        MediaRequest::AudioActivity { .. } => return None,
    })
}
