//! What a participant says to the server, and what it makes of what the server says.

use std::{sync::atomic::Ordering::Relaxed, time::Instant};

use muster_wire::{
    event,
    frame::Frame,
    media::{self, edge},
    prost::Message,
    socket::room,
};
use str0m::media::{MediaKind, Mid};

use super::{
    participant::{Participant, Subscription},
    track::Track,
};
use crate::{ClientError, socket::refusal};

/// Producers asked for at a time, as by the official client.
const CONSUME_MOST: usize = 35;
/// Layers that are wished for, one after the other.
const WISHES: [&str; 3] = ["q", "h", "f"];

/// What a reply is awaited to.
#[derive(Debug)]
pub(super) enum Pending {
    JoinMedia,
    Transport { consuming: bool },
    JoinRoom,
    Complete,
    Produce { kind: MediaKind, mid: Mid },
    Consume,
    Renegotiate { count: usize },
    Switch,
}

fn read<M: Message + Default>(frame: &Frame) -> Result<M, ClientError> {
    M::decode(frame.payload.clone())
        .map_err(|error| ClientError::Protocol(format!("event {} does not read: {error}", frame.event)))
}

fn missing(what: &str) -> ClientError {
    ClientError::Protocol(format!("a reply without {what}"))
}

fn description(target: media::Target, kind: &str, sdp: String) -> media::SessionDescription {
    media::SessionDescription {
        target: target.into(),
        r#type: kind.to_owned(),
        sdp,
    }
}

impl Participant {
    async fn ask(&mut self, event: u32, message: &impl Message, pending: Pending) -> Result<(), ClientError> {
        let id = self.talker.tell(event, message).await?;
        self.pending.insert(id, pending);
        Ok(())
    }

    /// The first words.
    pub async fn begin(&mut self) -> Result<(), ClientError> {
        let wish = edge::PeerJoinRequest {
            room_uuid: self.claims.meeting_id.clone(),
            ..Default::default()
        };
        self.ask(event::MEDIA_JOIN_ROOM, &wish, Pending::JoinMedia).await
    }

    /// Does what has become possible.
    pub async fn advance(&mut self) -> Result<(), ClientError> {
        let up = self.send.connected && self.recv.connected;
        if up && self.admitted && !self.completing {
            self.completing = true;
            let wish = edge::PeerJoinCompleteRequest {};
            self.ask(event::SELF_JOIN_COMPLETE, &wish, Pending::Complete)
                .await?;
        }
        if self.joined
            && !self.producing
            && let Some(kind) = self.to_produce.pop_front()
        {
            self.produce(kind).await?;
        }
        if self.joined && !self.consuming && !self.to_consume.is_empty() {
            self.consume().await?;
        }
        let all = self.to_produce.is_empty() && !self.producing && self.negotiated >= self.role.expected;
        if self.joined && all && !self.ready {
            self.ready = true;
            self.crew.live.ready.fetch_add(1, Relaxed);
        }
        Ok(())
    }

    async fn produce(&mut self, kind: MediaKind) -> Result<(), ClientError> {
        self.producing = true;
        let video = kind.is_video();
        let rids = match &self.crew.plan.profile.video {
            Some(profile) if video => profile.rids(),
            _ => Vec::new(),
        };
        let (mid, offer) = self.send.offer_track(kind, &rids)?;
        let wish = edge::ProducerCreateRequest {
            kind: if video { "video" } else { "audio" }.to_owned(),
            description: Some(description(media::Target::Publisher, "offer", offer)),
            msid: format!("{} {mid}", self.peer),
            app_data: Some(serde_json::json!({"mid": mid.to_string(), "e2ee": false}).to_string()),
            mime_type: Some(if video { "video/VP8" } else { "audio/opus" }.to_owned()),
            producing_transport_id: Some(self.send.id.clone()),
            ..Default::default()
        };
        self.ask(event::PRODUCE, &wish, Pending::Produce { kind, mid })
            .await
    }

    async fn consume(&mut self) -> Result<(), ClientError> {
        self.consuming = true;
        let count = self.to_consume.len().min(CONSUME_MOST);
        let requests = self
            .to_consume
            .drain(..count)
            .map(|(peer, producer)| edge::ConsumePeerRequest {
                producing_peer_id: peer,
                producer_id: Some(producer.producer_id),
                producing_transport_id: producer.producing_transport_id,
                simulcast: Some(wish("f")),
                ..Default::default()
            });
        let wish = edge::ConsumePeersRequest {
            requests: requests.collect(),
            consuming_transport_id: Some(self.recv.id.clone()),
        };
        self.ask(event::CONSUME, &wish, Pending::Consume).await
    }

    /// Wishes for another layer of all pictures.
    pub async fn switch(&mut self) -> Result<(), ClientError> {
        let rid = WISHES[self.switches % WISHES.len()];
        self.switches += 1;
        let pictures = self
            .subscriptions
            .iter()
            .filter(|subscription| subscription.video);
        let requests = pictures.map(|picture| edge::UpdateConsumerSimulcastConfigRequest {
            producer_id: picture.producer.clone(),
            simulcast: Some(wish(rid)),
            mid: picture.mid.to_string(),
            ..Default::default()
        });
        let wish = edge::UpdateConsumersSimulcastConfigRequest {
            requests: requests.collect(),
            consuming_transport_id: Some(self.recv.id.clone()),
        };
        self.ask(event::UPDATE_CONSUMERS_SIMULCAST, &wish, Pending::Switch)
            .await
    }

    /// Takes a reply, or what is told unasked.
    pub async fn take_frame(&mut self, frame: Frame) -> Result<(), ClientError> {
        if let Some(pending) = self.pending.remove(&frame.id) {
            if let Some(refused) = refusal(&frame) {
                return Err(ClientError::Protocol(format!(
                    "event {} was refused: {}",
                    refused.event_id, refused.error_message
                )));
            }
            return self.replied(pending, &frame).await;
        }
        match frame.event {
            event::PEER_PRODUCER_CREATED => {
                let told: edge::PeerProducerCreateBroadcastResponse = read(&frame)?;
                self.learn(told.participant_id, told.producer_state);
            }
            event::MEDIA_TERMINATED => {
                return Err(ClientError::Media("the server terminated media".to_owned()));
            }
            _ => {}
        }
        Ok(())
    }

    /// Notes something that somebody sends.
    fn learn(&mut self, peer: String, producers: impl IntoIterator<Item = media::ProducerState>) {
        for producer in producers {
            if self.role.receives && peer != self.peer && self.known.insert(producer.producer_id.clone()) {
                self.to_consume.push((peer.clone(), producer));
            }
        }
    }

    async fn replied(&mut self, pending: Pending, frame: &Frame) -> Result<(), ClientError> {
        match pending {
            Pending::JoinMedia => self.connect_media().await,
            Pending::Transport { consuming } => {
                let made: media::CreateTransportResponse = read(frame)?;
                let remote = self.crew.plan.remote;
                let answer = made.description.ok_or_else(|| missing("an answer"))?;
                let side = if consuming { &mut self.recv } else { &mut self.send };
                side.id = made.transport_id;
                side.answered(&answer.sdp, remote)
            }
            Pending::JoinRoom => {
                let told: room::PeerInfoResponse = read(frame)?;
                if told.peer.ok_or_else(|| missing("a peer"))?.waitlisted {
                    return Err(ClientError::Protocol(
                        "the preset makes participants wait".to_owned(),
                    ));
                }
                self.admitted = true;
                Ok(())
            }
            Pending::Complete => {
                let told: edge::PeerJoinCompleteResponse = read(frame)?;
                for participant in told.participants {
                    self.learn(participant.peer_id, participant.producer_states);
                }
                self.awaits_first = !self.to_consume.is_empty();
                self.came_in();
                Ok(())
            }
            Pending::Produce { kind, mid } => {
                let made: edge::ProducerCreateResponse = read(frame)?;
                let answer = made.description.ok_or_else(|| missing("an answer"))?;
                self.send.answered(&answer.sdp, self.crew.plan.remote)?;
                self.producing = false;
                let number = self.role.sends.unwrap_or_default() + u32::from(kind.is_video());
                let profile = &self.crew.plan.profile;
                self.tracks
                    .extend(Track::new(profile, kind, mid, number, Instant::now()));
                Ok(())
            }
            Pending::Consume => self.consumed(read(frame)?).await,
            Pending::Renegotiate { count } => {
                self.negotiated += count;
                self.consuming = false;
                Ok(())
            }
            Pending::Switch => Ok(()),
        }
    }

    /// Makes both connections, and asks to come in meanwhile.
    async fn connect_media(&mut self) -> Result<(), ClientError> {
        for consuming in [false, true] {
            let (side, target, rids): (_, _, &[&str]) = if consuming {
                (&mut self.recv, media::Target::Subscriber, &[])
            } else {
                (&mut self.send, media::Target::Publisher, &["f", "h", "q"])
            };
            let wish = media::CreateTransportRequest {
                consuming,
                description: Some(description(target, "offer", side.bootstrap(rids)?)),
                ..Default::default()
            };
            self.ask(
                event::CREATE_WEBRTC_TRANSPORT,
                &wish,
                Pending::Transport { consuming },
            )
            .await?;
        }
        let wish = room::JoinRoomRequest {
            peer: Some(room::Peer {
                peer_id: self.peer.clone(),
                user_id: self.claims.participant_id.clone(),
                ..Default::default()
            }),
            ..Default::default()
        };
        self.ask(event::JOIN_ROOM, &wish, Pending::JoinRoom).await
    }

    async fn consumed(&mut self, told: edge::ConsumePeerResponse) -> Result<(), ClientError> {
        let consumers = told.consumer_ids_map.ok_or_else(|| missing("consumers"))?.map;
        let mut count = 0;
        for (producer, consumer) in consumers {
            if !consumer.error_code().is_empty() {
                let error = format!("a track was refused: {}", consumer.error_code());
                self.crew.kept.borrow_mut().error(error);
                continue;
            }
            let state = consumer.producer_state.as_ref();
            let video = state.is_some_and(|state| state.kind() == media::ProducerKind::Video);
            let track = consumer.producer_track.ok_or_else(|| missing("a track"))?;
            self.subscriptions
                .push(Subscription::new(&track.stream_id, producer, video));
            count += 1;
        }
        let Some(offer) = told.description else {
            self.negotiated += count;
            self.consuming = false;
            return Ok(());
        };
        let answer = self.recv.accept(&offer.sdp)?;
        let wish = media::RenegotiateRequest {
            transport_id: self.recv.id.clone(),
            description: Some(description(media::Target::Subscriber, "answer", answer)),
        };
        self.ask(event::RENEGOTIATE, &wish, Pending::Renegotiate { count })
            .await
    }
}

fn wish(rid: &str) -> media::Simulcast {
    media::Simulcast {
        preferred_rid: Some(rid.to_owned()),
        priority_ordering: Some("asciibetical".to_owned()),
        rid_not_available: Some("asciibetical".to_owned()),
    }
}
