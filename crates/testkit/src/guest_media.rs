//! What a fake participant does of media: the signalling, with descriptions that stand for real ones.

use muster_wire::{
    event,
    frame::{self, Frame},
    media::{self, edge},
    socket::chat,
};
use tokio_tungstenite::tungstenite::Message;

use crate::Guest;

/// What stands for a description of a client.
const SDP: &str = "v=0\r\no=- 1 1 IN IP4 127.0.0.1\r\ns=-\r\nt=0 0\r\n";

fn description(target: media::Target, kind: &str) -> media::SessionDescription {
    media::SessionDescription {
        target: target.into(),
        r#type: kind.to_owned(),
        sdp: SDP.to_owned(),
    }
}

impl Guest {
    /// Connects and does all that the SDK does until it is in the meeting, media included (PROTOCOL g.1).
    pub async fn enter(origin: &str, token: &str) -> Self {
        let mut guest = Self::connect(origin, token).await;
        guest.join_media().await;
        guest.transport(false).await;
        guest.transport(true).await;
        let peer = guest.come_in().await;
        assert!(!peer.waitlisted, "must wait: {peer:?}");
        guest.complete_media().await;
        guest
    }

    /// Begins the media session; the reply's frame.
    pub async fn join_media(&mut self) -> Frame {
        let wish = edge::PeerJoinRequest {
            room_uuid: self.meeting.clone(),
            ..Default::default()
        };
        let reply = self.ask(event::MEDIA_JOIN_ROOM, &wish).await.expect("media");
        assert_eq!(reply.event, event::MEDIA_JOIN_ROOM);
        reply
    }

    /// Makes a transport; answers its id.
    pub async fn transport(&mut self, consuming: bool) -> String {
        let target = if consuming {
            media::Target::Subscriber
        } else {
            media::Target::Publisher
        };
        let wish = media::CreateTransportRequest {
            consuming,
            description: Some(description(target, "offer")),
            ..Default::default()
        };
        let made: media::CreateTransportResponse = self.request(event::CREATE_WEBRTC_TRANSPORT, &wish).await;
        let answer = made.description.expect("an answer");
        assert_eq!((answer.r#type.as_str(), answer.target()), ("answer", target));
        assert!(!made.transport_id.is_empty());
        made.transport_id
    }

    /// Says that the media session is complete.
    pub async fn complete_media(&mut self) -> edge::PeerJoinCompleteResponse {
        self.request(event::SELF_JOIN_COMPLETE, &edge::PeerJoinCompleteRequest {})
            .await
    }

    /// What asks to send something.
    pub fn produce_wish(kind: &str, screen_share: bool) -> edge::ProducerCreateRequest {
        edge::ProducerCreateRequest {
            kind: kind.to_owned(),
            screen_share,
            description: Some(description(media::Target::Publisher, "offer")),
            msid: format!("stream {kind}"),
            app_data: Some(format!("{{\"mid\":\"2\",\"of\":\"{kind}\"}}")),
            mime_type: Some(
                if kind == "audio" {
                    "audio/opus"
                } else {
                    "video/VP8"
                }
                .to_owned(),
            ),
            producing_transport_id: Some("t".to_owned()),
            ..Default::default()
        }
    }

    /// Sends something; answers the producer's id.
    pub async fn produce(&mut self, kind: &str) -> String {
        let wish = Self::produce_wish(kind, false);
        let made: edge::ProducerCreateResponse = self.request(event::PRODUCE, &wish).await;
        assert!(made.status);
        assert_eq!(made.description.expect("an answer").r#type, "answer");
        made.producer_id
    }

    /// What asks to receive something.
    pub fn consume_wish(peer: &str, producer: &str) -> edge::ConsumePeersRequest {
        edge::ConsumePeersRequest {
            requests: vec![edge::ConsumePeerRequest {
                producing_peer_id: peer.to_owned(),
                producer_id: Some(producer.to_owned()),
                ..Default::default()
            }],
            consuming_transport_id: Some("t".to_owned()),
        }
    }

    /// Receives something, and answers the server's offer.
    pub async fn consume(&mut self, peer: &str, producer: &str) -> media::ConsumerState {
        let wish = Self::consume_wish(peer, producer);
        let reply: edge::ConsumePeerResponse = self.request(event::CONSUME, &wish).await;
        let mut consumers = reply.consumer_ids_map.expect("a map").map;
        let consumer = consumers.remove(producer).expect("a consumer");
        if consumer.error_code().is_empty() {
            assert_eq!(reply.description.expect("an offer").r#type, "offer");
            let answer = media::RenegotiateRequest {
                transport_id: "t".to_owned(),
                description: Some(description(media::Target::Subscriber, "answer")),
            };
            self.ask(event::RENEGOTIATE, &answer).await.expect("a reply");
        }
        consumer
    }

    /// Stops to receive sections of the connection.
    pub async fn close_consumers(&mut self, mids: &[&str]) {
        let wish = edge::ConsumerCloseRequest {
            consumer_ids: mids.iter().map(|mid| (*mid).to_owned()).collect(),
            description: Some(description(media::Target::Subscriber, "offer")),
            ..Default::default()
        };
        let reply: edge::ConsumerClosingResponse = self.request(event::CLOSE_CONSUMER, &wish).await;
        assert_eq!(reply.description.expect("an answer").r#type, "answer");
    }

    /// Pauses or resumes what it sends; no reply is due.
    pub async fn toggle(&mut self, producer: &str, pause: bool) {
        let wish = edge::ProducerToggleRequest {
            producer_id: producer.to_owned(),
            pause,
        };
        self.tell(event::TOGGLE_PRODUCER, &wish).await;
    }

    /// Stops to send something.
    pub async fn close_producer(&mut self, producer: &str) {
        let wish = edge::ProducerCloseRequest {
            producer_id: producer.to_owned(),
            description: Some(description(media::Target::Publisher, "offer")),
            ..Default::default()
        };
        let reply: edge::ProducerClosingResponse = self.request(event::CLOSE_PRODUCER, &wish).await;
        assert_eq!(reply.description.expect("an answer").r#type, "answer");
    }

    /// Hears that somebody sends something; answers who and what.
    pub async fn hear_producer(&mut self) -> (String, media::ProducerState) {
        let told: edge::PeerProducerCreateBroadcastResponse = self.hear(event::PEER_PRODUCER_CREATED).await;
        (told.participant_id, told.producer_state.expect("a state"))
    }

    /// The numbers of all that is told up to the next push of an event, that one included.
    pub async fn events_until(&mut self, last: u32) -> Vec<u32> {
        let mut events = Vec::new();
        while events.last() != Some(&last) {
            events.push(self.hear_any().await.event);
        }
        events
    }
}

impl Guest {
    /// Whether the connection is the peer's own: a request is answered before any end.
    pub async fn is_answered(&mut self) -> bool {
        self.try_ask(event::GET_ROOM_INFO, &Self::nothing())
            .await
            .is_some()
    }

    /// The reply to a request that was sent before, whatever it says.
    pub async fn reply(&mut self, id: &str) -> Frame {
        self.wait(|frame| frame.id == id)
            .await
            .unwrap_or_else(|closed| panic!("{closed:?} instead of a reply to {id}"))
    }

    /// Sends what ends the connection, perhaps before all of it is written.
    pub async fn send_and_forget(&mut self, message: Message) {
        let _ = self.talker.send(message).await;
    }

    /// Writes a text to everybody; whether its echo came before the connection ended.
    pub async fn try_say(&mut self, text: &str) -> bool {
        let sent = chat::SendChatMessageToRoomRequest {
            payload_type: 0,
            payload: text.to_owned(),
        };
        let bytes = frame::encode(event::SEND_MESSAGE_TO_ROOM, "said", &sent);
        if self.talker.send(Message::Binary(bytes)).await.is_err() {
            return false;
        }
        let peer = self.peer.clone();
        let echo = |frame: &Frame| {
            frame.event == event::SEND_MESSAGE_TO_ROOM
                && read::<chat::SendChatMessageToRoomResponse>(frame)
                    .message
                    .is_some_and(|message| message.peer_id == peer && message.payload == text)
        };
        self.wait(echo).await.is_ok()
    }

    /// The texts to everybody that were heard so far, in order.
    pub async fn chat_heard(&mut self) -> Vec<String> {
        let pushed = self.pushed().await;
        let said = pushed
            .iter()
            .filter(|frame| frame.event == event::SEND_MESSAGE_TO_ROOM);
        said.filter_map(|frame| {
            let told: muster_wire::socket::chat::SendChatMessageToRoomResponse = read(frame);
            told.message.map(|message| message.payload)
        })
        .collect()
    }
}

/// Reads the payload of a frame.
pub fn read<M: muster_wire::prost::Message + Default>(frame: &Frame) -> M {
    M::decode(frame.payload.clone()).expect("a payload that reads")
}
