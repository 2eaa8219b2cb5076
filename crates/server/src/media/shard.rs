//! One shard: a thread that owns a socket and a [`Sfu`], and nothing that could make it wait.

use std::{
    collections::HashMap,
    net::{SocketAddr, UdpSocket},
    panic::{AssertUnwindSafe, catch_unwind},
    time::Instant,
};

use muster_model::{MeetingId, PeerId};
use muster_room::RequestId;
use muster_sfu::{
    Command, ConsumeRequest, Consumed, Lost, MediaError, ProducerInfo, Protocol, Reply, Sfu, SfuConfig,
    SfuEvent,
};
use tokio::sync::{mpsc, oneshot};
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

use super::{
    MediaEvent, MediaEvents,
    addresses::Addresses,
    connections::{self, Connections},
    listener::Introduced,
    load,
    udp::{Buffers, Line, READS},
};
use crate::{
    realtime::codec::{Consumer, MediaPush, MediaReply, MediaRequest, ProducerState},
    telemetry::{media::ShardMetrics, metrics::MediaMetrics},
};

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
    /// Somebody wants to know whether an ICE user fragment is of a client here.
    Owns {
        /// Which.
        fragment: String,
        /// The answer.
        reply: oneshot::Sender<bool>,
    },
    /// A TCP connection of a client here.
    Connection(Box<Introduced>),
}

/// What a shard is started with.
pub(super) struct Shard {
    pub(super) socket: UdpSocket,
    pub(super) addresses: Addresses,
    /// Where clients reach every shard by TCP.
    pub(super) tcp_candidates: Vec<SocketAddr>,
    pub(super) counters: MediaMetrics,
    pub(super) gauges: ShardMetrics,
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
        let mut config = SfuConfig::new(self.addresses.candidates.clone());
        config.tcp_candidates.clone_from(&self.tcp_candidates);
        let sfu = Sfu::new(config, Instant::now())?;
        let mut line = Line::new(&self.socket)?;
        let connections = Connections::new(self.counters.clone());
        let mut desk = Desk {
            sfu,
            connections,
            rooms,
            by: None,
            counters: self.counters.clone(),
        };
        let mut meter = load::Meter::new(Instant::now());
        for meeting in desk.rooms.keys() {
            desk.sfu.open_room(*meeting);
        }
        let mut buffers = Buffers::new();
        let mut told = desk.sfu.counters();
        loop {
            let due = desk.sfu.poll_timeout();
            let slept = Instant::now();
            let turn = tokio::select! {
                () = self.stop.cancelled() => return Ok(()),
                word = heard.recv() => match word {
                    Some(word) => Turn::Word(word),
                    None => return Ok(()),
                },
                ready = line.socket.readable() => {
                    ready?;
                    Turn::Datagrams
                }
                Some(word) = desk.connections.next() => Turn::Frame(word),
                () = sleep_until(due) => Turn::Due,
            };
            if let Some(load) = meter.woke(slept, Instant::now(), due) {
                desk.sfu.note_load(Instant::now(), load);
                self.gauges.note(load, desk.sfu.shed_step());
            }
            match turn {
                Turn::Word(word) => {
                    desk.hear(word);
                    while let Ok(word) = heard.try_recv() {
                        desk.hear(word);
                    }
                }
                Turn::Datagrams => {
                    for _ in 0..READS {
                        if !line.receive(&self.addresses, &mut buffers, &mut desk.sfu)? {
                            break;
                        }
                    }
                }
                Turn::Frame(word) => desk.connections.take_all(word, &mut desk.sfu),
                Turn::Due => desk.sfu.handle_timeout(Instant::now()),
            }
            while let Some(transmit) = desk.sfu.poll_transmit() {
                match transmit.protocol {
                    Protocol::Udp => line.send(&self.addresses, &transmit),
                    Protocol::Tcp => desk.connections.send(transmit),
                }
            }
            line.flush(&self.addresses);
            desk.connections.settle(&mut desk.sfu);
            self.counters.unsent(std::mem::take(&mut line.unsent));
            desk.tell();
            let counted = desk.sfu.counters();
            self.counters.note(&told, &counted);
            told = counted;
        }
    }
}

/// What a shard was woken by.
enum Turn {
    Word(ToShard),
    Datagrams,
    Frame(connections::Word),
    Due,
}

async fn sleep_until(due: Option<Instant>) {
    match due {
        Some(due) => tokio::time::sleep_until(due.into()).await,
        None => std::future::pending().await,
    }
}

/// Between the rooms and the unit.
struct Desk<'a> {
    sfu: Sfu,
    connections: Connections,
    rooms: &'a mut HashMap<MeetingId, MediaEvents>,
    /// Who has just had somebody muted.
    by: Option<PeerId>,
    counters: MediaMetrics,
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
            ToShard::Owns { fragment, reply } => {
                let _ = reply.send(self.sfu.knows_fragment(&fragment));
            }
            ToShard::Connection(introduced) => {
                if let Err(error) = self.connections.add(*introduced, &mut self.sfu) {
                    tracing::debug!(%error, "a connection for media was not taken");
                }
            }
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
                SfuEvent::Stats(stats) => {
                    self.counters.quality.note(&stats);
                    events.say(MediaEvent::Quality(Box::new(stats)));
                }
                SfuEvent::TransportLost { .. } | SfuEvent::TransportConnected { .. } => {}
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

fn state(producer: ProducerInfo) -> ProducerState {
    ProducerState {
        id: producer.id,
        kind: producer.kind,
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
            kind,
            paused,
            screen_share,
            offer,
            app_data,
            mime_type,
            transport,
            ..
        } => Command::Produce {
            kind,
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
