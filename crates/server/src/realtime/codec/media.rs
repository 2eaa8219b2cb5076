//! What a media engine is asked, and what it says (PROTOCOL e).

use std::collections::HashMap;

use bytes::Bytes;
use muster_model::{MediaKind, PeerId};
use muster_wire::{
    event as number,
    frame::Frame,
    media::{self, edge},
    prost::Message,
};

use super::{
    Decoded,
    decode::{DecodeError, message, sdp},
};

/// What a media engine is asked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum MediaRequest {
    /// A connection for sending or receiving (e.2).
    CreateTransport {
        /// Whether it is for receiving.
        consuming: bool,
        /// The client's offer.
        offer: String,
    },
    /// Send something (e.3).
    Produce {
        /// What.
        kind: MediaKind,
        /// Whether it begins paused.
        paused: bool,
        /// Whether it is a screen.
        screen_share: bool,
        /// The client's offer, with a section more.
        offer: String,
        /// Stream and track, as in SDP.
        msid: String,
        /// The client's own JSON; its `mid` names the section. Handed on as it is.
        app_data: Option<String>,
        /// Such as `video/VP8`.
        mime_type: Option<String>,
        /// By which connection.
        transport: Option<String>,
    },
    /// Receive something (e.4).
    Consume {
        /// What.
        requests: Vec<ConsumeRequest>,
        /// By which connection.
        transport: Option<String>,
    },
    /// Pause or resume what one sends.
    ToggleProducer {
        /// Which.
        producer: String,
        /// Whether it pauses then.
        pause: bool,
    },
    /// Send something no more.
    CloseProducer {
        /// Which.
        producer: String,
        /// The client's offer, with the section inactive.
        offer: String,
    },
    /// Receive something no more.
    CloseConsumer {
        /// Names of sections.
        mids: Vec<String>,
        /// The client's offer.
        offer: String,
        /// By which connection.
        transport: Option<String>,
    },
    /// Wish for other layers.
    UpdateSimulcast {
        /// Consumer and rid.
        layers: Vec<(String, String)>,
        /// By which connection.
        transport: Option<String>,
    },
    /// The answer to the server's offer.
    Renegotiate {
        /// Of which connection.
        transport: String,
        /// The answer.
        answer: String,
    },
    /// How loud one is.
    AudioActivity {
        /// Which producer.
        producer: String,
        /// 0 to 10.
        energy: i32,
        /// Whether that is silence.
        silent: bool,
    },
}

impl MediaRequest {
    /// Whether the client waits for a reply.
    pub const fn wants_reply(&self) -> bool {
        !matches!(self, Self::ToggleProducer { .. } | Self::AudioActivity { .. })
    }

    /// Whether one has to be inside for it. Connections are set up before (trap 7).
    pub const fn needs_presence(&self) -> bool {
        !matches!(self, Self::CreateTransport { .. } | Self::Renegotiate { .. })
    }
}

/// Something to be received.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ConsumeRequest {
    /// Whose; none where it does not read.
    pub peer: Option<PeerId>,
    /// What.
    pub producer: String,
    /// The layer wished for.
    pub preferred_rid: Option<String>,
}

/// What a peer sends, for others.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ProducerState {
    /// Its id, unique everywhere.
    pub id: String,
    /// Sound or picture.
    pub kind: MediaKind,
    /// Whether it pauses.
    pub paused: bool,
    /// Whether it is a screen.
    pub screen_share: bool,
    /// As the sender gave it.
    pub app_data: Option<String>,
    /// By which connection it is sent.
    pub transport: Option<String>,
    /// Such as `audio/opus`.
    pub mime_type: Option<String>,
}

impl ProducerState {
    pub(super) fn encode(&self) -> media::ProducerState {
        media::ProducerState {
            producer_id: self.id.clone(),
            kind: match self.kind {
                MediaKind::Audio => media::ProducerKind::Audio,
                MediaKind::Video => media::ProducerKind::Video,
            }
            .into(),
            pause: self.paused,
            screen_share: self.screen_share,
            app_data: self.app_data.clone(),
            producing_transport_id: self.transport.clone(),
            mime_type: self.mime_type.clone(),
            codec: None,
        }
    }
}

/// Something that is received.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Consumer {
    /// What it is of; names the consumer too (trap 6).
    pub producer: ProducerState,
    /// The section that carries it on the receiver's connection (trap 5).
    pub mid: String,
    /// The track's id in SDP.
    pub track: String,
}

/// What a media engine replies.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum MediaReply {
    /// To [`MediaRequest::CreateTransport`].
    TransportCreated {
        /// The connection.
        transport: String,
        /// Whether it is for receiving.
        consuming: bool,
        /// The answer.
        answer: String,
    },
    /// To [`MediaRequest::Produce`].
    Produced {
        /// The producer.
        producer: String,
        /// The answer.
        answer: String,
    },
    /// To [`MediaRequest::Consume`].
    Consumed {
        /// By producer: what is received, or the code of what went wrong.
        consumers: Vec<(String, Result<Consumer, String>)>,
        /// The server's offer for the whole connection, where anything is new.
        offer: Option<String>,
    },
    /// To [`MediaRequest::CloseProducer`].
    ProducerClosed {
        /// The answer.
        answer: String,
    },
    /// To [`MediaRequest::CloseConsumer`].
    ConsumerClosed {
        /// The answer.
        answer: String,
    },
    /// To [`MediaRequest::Renegotiate`] and [`MediaRequest::UpdateSimulcast`].
    Done,
}

/// The priority of a peer whose media clients take, however many speak.
pub const ALWAYS: i32 = -1;
/// The priority of one of whom this is no longer so.
pub const NO_LONGER_ALWAYS: i32 = 0x0ead_beef;

/// The payload that changes whose media clients take.
pub(super) fn selected_peers(entries: &[(PeerId, i32)]) -> Bytes {
    bytes(&edge::SelectedPeersDiffResponse {
        entries: entries
            .iter()
            .map(|(peer, priority)| edge::SelectedPeersDiffEntry {
                peer_id: peer.to_string(),
                priority: *priority,
            })
            .collect(),
    })
}

/// What a media engine tells unasked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum MediaPush {
    /// Somebody sends something.
    ProducerCreated(PeerId, ProducerState),
    /// Somebody pauses or resumes something, perhaps made to by another.
    ProducerToggled(PeerId, ProducerState, Option<PeerId>),
    /// Somebody sends something no more.
    ProducerClosed(PeerId, ProducerState),
    /// Who speaks: peers with their priorities (e.6), from 1, or [`ALWAYS`].
    SelectedPeers(Vec<(PeerId, i32)>),
    /// The media session is over; the client joins again.
    Terminated(String),
}

fn description(target: media::Target, kind: &str, sdp: &str) -> media::SessionDescription {
    media::SessionDescription {
        target: target.into(),
        r#type: kind.to_owned(),
        sdp: sdp.to_owned(),
    }
}

impl MediaReply {
    /// The payload.
    pub fn encode(&self) -> Bytes {
        use media::Target::{Publisher, Subscriber};
        match self {
            Self::TransportCreated {
                transport,
                consuming,
                answer,
            } => bytes(&media::CreateTransportResponse {
                transport_id: transport.clone(),
                description: Some(description(
                    if *consuming { Subscriber } else { Publisher },
                    "answer",
                    answer,
                )),
                transcription_enabled: None,
                producer_ids: Vec::new(),
            }),
            Self::Produced { producer, answer } => bytes(&edge::ProducerCreateResponse {
                status: true,
                producer_id: producer.clone(),
                description: Some(description(Publisher, "answer", answer)),
            }),
            Self::Consumed { consumers, offer } => bytes(&edge::ConsumePeerResponse {
                status: true,
                consumer_ids_map: Some(media::ProducerIdToConsumerMap {
                    map: consumers
                        .iter()
                        .map(|(producer, consumer)| (producer.clone(), consumer_state(consumer)))
                        .collect::<HashMap<_, _>>(),
                }),
                description: offer
                    .as_ref()
                    .map(|offer| description(Subscriber, "offer", offer)),
            }),
            Self::ProducerClosed { answer } => bytes(&edge::ProducerClosingResponse {
                description: Some(description(Publisher, "answer", answer)),
            }),
            Self::ConsumerClosed { answer } => bytes(&edge::ConsumerClosingResponse {
                description: Some(description(Subscriber, "answer", answer)),
            }),
            Self::Done => Bytes::new(),
        }
    }
}

fn consumer_state(consumer: &Result<Consumer, String>) -> media::ConsumerState {
    match consumer {
        Ok(consumer) => media::ConsumerState {
            consumer_id: consumer.producer.id.clone(),
            producer_state: Some(consumer.producer.encode()),
            producer_track: Some(media::ProducerTrack {
                track_id: consumer.track.clone(),
                producer_id: consumer.producer.id.clone(),
                stream_id: consumer.mid.clone(),
            }),
            error_code: None,
        },
        Err(code) => media::ConsumerState {
            error_code: Some(code.clone()),
            ..Default::default()
        },
    }
}

impl MediaPush {
    /// The event's number and the payload.
    pub fn encode(&self) -> (u32, Bytes) {
        match self {
            Self::ProducerCreated(peer, state) => (
                number::PEER_PRODUCER_CREATED,
                bytes(&edge::PeerProducerCreateBroadcastResponse {
                    participant_id: peer.to_string(),
                    producer_state: Some(state.encode()),
                }),
            ),
            Self::ProducerToggled(peer, state, initiator) => (
                number::PEER_PRODUCER_TOGGLED,
                bytes(&edge::PeerProducerToggleBroadcastResponse {
                    participant_id: peer.to_string(),
                    producer_state: Some(state.encode()),
                    initiator_participant_id: initiator.map(|id| id.to_string()),
                }),
            ),
            Self::ProducerClosed(peer, state) => (
                number::PEER_PRODUCER_CLOSED,
                bytes(&edge::PeerProducerCloseBroadcastResponse {
                    participant_id: peer.to_string(),
                    producer_state: Some(state.encode()),
                }),
            ),
            Self::SelectedPeers(entries) => (number::SELECTED_PEERS_DIFF, selected_peers(entries)),
            Self::Terminated(reason) => (
                number::MEDIA_TERMINATED,
                bytes(&edge::MediaRoomTerminationBroadcastResponse {
                    reason: reason.clone(),
                }),
            ),
        }
    }
}

fn bytes(message: &impl Message) -> Bytes {
    message.encode_to_vec().into()
}

/// What a frame asks of the media engine.
pub(super) fn decode(frame: &Frame) -> Result<Decoded, DecodeError> {
    use MediaRequest as M;
    Ok(Decoded::Media(match frame.event {
        number::CREATE_WEBRTC_TRANSPORT => {
            let asked: media::CreateTransportRequest = message(frame)?;
            M::CreateTransport {
                consuming: asked.consuming,
                offer: sdp(asked.description)?,
            }
        }
        number::PRODUCE => {
            let asked: edge::ProducerCreateRequest = message(frame)?;
            M::Produce {
                kind: match asked.kind.as_str() {
                    "audio" => MediaKind::Audio,
                    "video" => MediaKind::Video,
                    _ => return Err(DecodeError::Invalid("kind")),
                },
                paused: asked.paused,
                screen_share: asked.screen_share,
                offer: sdp(asked.description)?,
                msid: asked.msid,
                app_data: asked.app_data,
                mime_type: asked.mime_type,
                transport: asked.producing_transport_id,
            }
        }
        number::CONSUME => {
            let asked: edge::ConsumePeersRequest = message(frame)?;
            M::Consume {
                requests: asked
                    .requests
                    .into_iter()
                    .map(|request| ConsumeRequest {
                        peer: request.producing_peer_id.parse().ok(),
                        producer: request.producer_id.unwrap_or_default(),
                        preferred_rid: request.simulcast.and_then(|wish| wish.preferred_rid),
                    })
                    .collect(),
                transport: asked.consuming_transport_id,
            }
        }
        number::TOGGLE_PRODUCER => {
            let asked: edge::ProducerToggleRequest = message(frame)?;
            M::ToggleProducer {
                producer: asked.producer_id,
                pause: asked.pause,
            }
        }
        number::CLOSE_PRODUCER => {
            let asked: edge::ProducerCloseRequest = message(frame)?;
            M::CloseProducer {
                producer: asked.producer_id,
                offer: sdp(asked.description)?,
            }
        }
        number::CLOSE_CONSUMER => {
            let asked: edge::ConsumerCloseRequest = message(frame)?;
            M::CloseConsumer {
                mids: asked.consumer_ids,
                offer: sdp(asked.description)?,
                transport: asked.consuming_transport_id,
            }
        }
        number::UPDATE_CONSUMERS_SIMULCAST => {
            let asked: edge::UpdateConsumersSimulcastConfigRequest = message(frame)?;
            M::UpdateSimulcast {
                layers: asked
                    .requests
                    .into_iter()
                    .filter_map(|request| {
                        let rid = request.simulcast.and_then(|wish| wish.preferred_rid)?;
                        Some((request.producer_id, rid))
                    })
                    .collect(),
                transport: asked.consuming_transport_id,
            }
        }
        number::RENEGOTIATE => {
            let asked: media::RenegotiateRequest = message(frame)?;
            M::Renegotiate {
                transport: asked.transport_id,
                answer: sdp(asked.description)?,
            }
        }
        number::AUDIO_ACTIVITY => {
            let told: media::AudioActivityRequest = message(frame)?;
            M::AudioActivity {
                producer: told.producer_id,
                energy: told.energy.clamp(0, 10),
                silent: told.silent,
            }
        }
        event => return Err(DecodeError::UnknownEvent(event)),
    }))
}
