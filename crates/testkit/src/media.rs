//! A media engine for tests of signalling: it answers with a fixed description and carries nothing.

use std::collections::BTreeMap;

use muster_model::{MediaKind, MeetingId, PeerId};
use muster_room::{MediaEffect, RequestId};
use muster_server::{
    media::{Media, MediaEvent, MediaEvents, RoomMedia, StreamStats, TransportStats},
    realtime::codec::{Consumer, MediaPush, MediaReply, MediaRequest, ProducerState},
};
use uuid::Uuid;

/// What every offer is answered with.
const SDP: &str = "v=0\r\no=- 0 0 IN IP4 127.0.0.1\r\ns=-\r\nt=0 0\r\n";

/// A media engine for tests of signalling: it answers with a fixed description and carries nothing.
#[derive(Debug, Clone, Copy)]
pub struct FixedMedia;

impl Media for FixedMedia {
    fn open(&self, _: MeetingId, events: MediaEvents) -> Box<dyn RoomMedia> {
        Box::new(FixedRoomMedia {
            events,
            producers: BTreeMap::new(),
        })
    }
}

#[derive(Debug)]
struct FixedRoomMedia {
    events: MediaEvents,
    producers: BTreeMap<PeerId, Vec<ProducerState>>,
}

impl FixedRoomMedia {
    fn tell_others(&self, peer: PeerId, push: MediaPush) {
        self.events.say(MediaEvent::TellAll {
            but: Some(peer),
            push,
        });
    }

    fn reply(&self, peer: PeerId, to: RequestId, reply: MediaReply) {
        self.events.say(MediaEvent::Reply { peer, to, reply });
    }

    fn close_all(&mut self, peer: PeerId) {
        for producer in self.producers.remove(&peer).unwrap_or_default() {
            self.tell_others(peer, MediaPush::ProducerClosed(peer, producer));
        }
    }
}

impl RoomMedia for FixedRoomMedia {
    fn apply(&mut self, effect: MediaEffect) {
        match effect {
            MediaEffect::Remove(peer) | MediaEffect::Rejoined(peer) => self.close_all(peer),
            MediaEffect::Mute { peer, kinds, by, .. } => {
                for producer in self.producers.get_mut(&peer).into_iter().flatten() {
                    let audio = producer.kind == MediaKind::Audio;
                    if (audio && kinds.audio) || (!audio && kinds.video) {
                        producer.paused = true;
                        let push = MediaPush::ProducerToggled(peer, producer.clone(), by);
                        self.events.say(MediaEvent::TellAll { but: None, push });
                    }
                }
            }
            MediaEffect::Admit { .. } | MediaEffect::MayProduce { .. } => {}
        }
    }

    fn request(&mut self, peer: PeerId, to: RequestId, request: MediaRequest) {
        let answer = SDP.to_owned();
        match request {
            MediaRequest::CreateTransport { consuming, .. } => {
                let transport = Uuid::new_v4().to_string();
                self.reply(
                    peer,
                    to,
                    MediaReply::TransportCreated {
                        transport,
                        consuming,
                        answer,
                    },
                );
            }
            MediaRequest::Produce {
                kind,
                paused,
                screen_share,
                app_data,
                mime_type,
                transport,
                ..
            } => {
                let producer = ProducerState {
                    id: Uuid::new_v4().to_string(),
                    kind,
                    paused,
                    screen_share,
                    app_data,
                    transport,
                    mime_type,
                };
                self.producers.entry(peer).or_default().push(producer.clone());
                let reply = MediaReply::Produced {
                    producer: producer.id.clone(),
                    answer,
                };
                self.reply(peer, to, reply);
                self.events
                    .say(MediaEvent::Quality(Box::new(quality(peer, &producer))));
                self.tell_others(peer, MediaPush::ProducerCreated(peer, producer));
            }
            MediaRequest::Consume { requests, .. } => {
                let consumers = requests
                    .into_iter()
                    .enumerate()
                    .map(|(at, request)| {
                        let found = self
                            .producers
                            .values()
                            .flatten()
                            .find(|producer| producer.id == request.producer)
                            .cloned();
                        let consumer = found.map(|producer| Consumer {
                            track: producer.id.clone(),
                            mid: (at + 2).to_string(),
                            producer,
                        });
                        (
                            request.producer,
                            consumer.ok_or_else(|| "not_found_track_error".to_owned()),
                        )
                    })
                    .collect();
                let offer = Some(answer);
                self.reply(peer, to, MediaReply::Consumed { consumers, offer });
            }
            MediaRequest::ToggleProducer { producer, pause } => {
                let own = self.producers.entry(peer).or_default();
                if let Some(state) = own.iter_mut().find(|state| state.id == producer) {
                    state.paused = pause;
                    let push = MediaPush::ProducerToggled(peer, state.clone(), None);
                    self.tell_others(peer, push);
                }
            }
            MediaRequest::CloseProducer { producer, .. } => {
                let own = self.producers.entry(peer).or_default();
                if let Some(at) = own.iter().position(|state| state.id == producer) {
                    let state = own.remove(at);
                    self.tell_others(peer, MediaPush::ProducerClosed(peer, state));
                }
                self.reply(peer, to, MediaReply::ProducerClosed { answer });
            }
            MediaRequest::CloseConsumer { .. } => self.reply(peer, to, MediaReply::ConsumerClosed { answer }),
            MediaRequest::UpdateSimulcast { .. } | MediaRequest::Renegotiate { .. } => {
                self.reply(peer, to, MediaReply::Done);
            }
            MediaRequest::AudioActivity { .. } => {}
        }
    }
}

/// As if half of what a peer sent had been lost.
fn quality(peer: PeerId, producer: &ProducerState) -> TransportStats {
    let audio = producer.kind == MediaKind::Audio;
    let stream = StreamStats {
        producer: producer.id.clone(),
        kind: producer.kind,
        screen_share: producer.screen_share,
        mime_type: if audio { "audio/opus" } else { "video/VP8" },
        layer: (!audio).then_some("f"),
        packets: 100,
        bytes: 10_000,
        bitrate: Some(16_000),
        loss: Some(0.5),
        jitter: None,
        round_trip: None,
        nacks: 0,
        key_frame_requests: 0,
    };
    TransportStats {
        peer,
        transport: String::new(),
        consuming: false,
        bytes_received: 10_000,
        bytes_sent: 0,
        bitrate_received: None,
        bitrate_sent: None,
        loss: None,
        round_trip: None,
        jitter: None,
        estimate: None,
        held_back: false,
        layers: Vec::new(),
        streams: vec![stream],
    }
}
