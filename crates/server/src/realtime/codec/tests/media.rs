//! What saved frames ask of a media engine, and what an engine says.

use muster_model::{MediaKind, PeerId};
use muster_wire::{
    event as number,
    frame::{self, Frame},
    media::{self, edge},
};

use super::{
    super::{
        ConsumeRequest, Consumer, MediaPush, MediaReply, MediaRequest as M, ProducerState, media_push_frame,
        media_reply_frame,
    },
    Decoded, decode, payload, saved_frame, u, v,
};

const SDP: &str = "v=0\r\no=- 1 2 IN IP4 127.0.0.1\r\ns=-\r\nt=0 0\r\na=group:BUNDLE 0\r\n\
    m=audio 9 UDP/TLS/RTP/SAVPF 111\r\na=mid:0\r\na=sendonly\r\na=rtpmap:111 opus/48000/2\r\n";

fn text(text: &str) -> String {
    text.to_owned()
}

fn asked(name: &str) -> M {
    match decode(&saved_frame(name)).unwrap() {
        Decoded::Media(request) => request,
        other @ Decoded::Room(_) => panic!("{name}: {other:?}"),
    }
}

#[test]
fn saved_frames_ask_what_they_should() {
    let expected = [
        (
            "create_webrtc_transport",
            M::CreateTransport {
                consuming: true,
                offer: text(SDP),
            },
        ),
        (
            "produce",
            M::Produce {
                kind: MediaKind::Video,
                paused: false,
                screen_share: true,
                offer: text(SDP),
                msid: text("s t"),
                app_data: Some(text(r#"{"mid":"2","screenShare":true}"#)),
                mime_type: Some(text("video/VP8")),
                transport: Some(text("t1")),
            },
        ),
        (
            "consume",
            M::Consume {
                requests: vec![ConsumeRequest {
                    peer: Some(v()),
                    producer: text("p1"),
                    preferred_rid: Some(text("f")),
                }],
                transport: Some(text("t2")),
            },
        ),
        (
            "toggle_producer",
            M::ToggleProducer {
                producer: text("p1"),
                pause: true,
            },
        ),
        (
            "close_producer",
            M::CloseProducer {
                producer: text("p1"),
                offer: text(SDP),
            },
        ),
        (
            "close_consumer",
            M::CloseConsumer {
                mids: vec![text("2"), text("3")],
                offer: text(SDP),
                transport: Some(text("t2")),
            },
        ),
        (
            "update_consumers_simulcast",
            M::UpdateSimulcast {
                layers: vec![(text("p1"), text("q"))],
                transport: Some(text("t2")),
            },
        ),
        (
            "renegotiate",
            M::Renegotiate {
                transport: text("t2"),
                answer: text(SDP),
            },
        ),
        (
            "audio_activity",
            M::AudioActivity {
                producer: text("p1"),
                energy: 7,
                silent: false,
            },
        ),
    ];
    for (name, request) in expected {
        assert_eq!(asked(name), request, "{name}");
    }
}

#[test]
fn some_expect_no_reply_and_some_may_come_before_one_is_inside() {
    let silent = ["toggle_producer", "audio_activity"];
    let early = ["create_webrtc_transport", "renegotiate"];
    for name in [
        "create_webrtc_transport",
        "produce",
        "consume",
        "toggle_producer",
        "renegotiate",
        "audio_activity",
    ] {
        assert_eq!(asked(name).wants_reply(), !silent.contains(&name), "{name}");
        assert_eq!(asked(name).needs_presence(), !early.contains(&name), "{name}");
    }
}

#[test]
fn an_offer_must_be_there() {
    for (event, message) in [
        (number::CREATE_WEBRTC_TRANSPORT, ""),
        (number::RENEGOTIATE, ""),
        (number::CLOSE_PRODUCER, ""),
    ] {
        let request = media::RenegotiateRequest {
            transport_id: text(message),
            description: None,
        };
        let frame = Frame::decode(&frame::encode(event, "id", &request)).unwrap();
        assert_eq!(
            decode(&frame).unwrap_err().to_string(),
            "description is not valid"
        );
    }
}

pub(super) fn producer() -> ProducerState {
    ProducerState {
        id: text("p1"),
        kind: MediaKind::Video,
        paused: true,
        screen_share: true,
        app_data: Some(text("{}")),
        transport: Some(text("t1")),
        mime_type: Some(text("video/VP8")),
    }
}

fn reply(event: u32, reply: &MediaReply) -> Frame {
    let to = muster_room::RequestId {
        id: "p-1".into(),
        event,
    };
    let frame = Frame::decode(&media_reply_frame(&to, reply)).unwrap();
    assert_eq!((frame.event, frame.id.as_str()), (event, "p-1"));
    frame
}

#[test]
fn replies_carry_what_the_client_requires() {
    use media::Target::{Publisher, Subscriber};
    let answer = || text(SDP);
    let created: media::CreateTransportResponse = payload(&reply(
        number::CREATE_WEBRTC_TRANSPORT,
        &MediaReply::TransportCreated {
            transport: text("t1"),
            consuming: true,
            answer: answer(),
        },
    ));
    let description = created.description.unwrap();
    assert_eq!(created.transport_id, "t1");
    assert_eq!(
        (description.r#type.as_str(), description.sdp.as_str()),
        ("answer", SDP)
    );
    assert_eq!(description.target(), Subscriber);

    let produced: edge::ProducerCreateResponse = payload(&reply(
        number::PRODUCE,
        &MediaReply::Produced {
            producer: text("p1"),
            answer: answer(),
        },
    ));
    assert!(produced.status);
    assert_eq!(produced.producer_id, "p1");
    assert_eq!(produced.description.unwrap().target(), Publisher);

    let closed: edge::ProducerClosingResponse = payload(&reply(
        number::CLOSE_PRODUCER,
        &MediaReply::ProducerClosed { answer: answer() },
    ));
    assert_eq!(closed.description.unwrap().sdp, SDP);
    let closed: edge::ConsumerClosingResponse = payload(&reply(
        number::CLOSE_CONSUMER,
        &MediaReply::ConsumerClosed { answer: answer() },
    ));
    assert_eq!(closed.description.unwrap().sdp, SDP);
    assert!(reply(number::RENEGOTIATE, &MediaReply::Done).payload.is_empty());
}

#[test]
fn consumers_are_named_by_their_producers_and_found_by_their_mids() {
    let consumed: edge::ConsumePeerResponse = payload(&reply(
        number::CONSUME,
        &MediaReply::Consumed {
            consumers: vec![
                (
                    text("p1"),
                    Ok(Consumer {
                        producer: producer(),
                        mid: text("3"),
                        track: text("track"),
                    }),
                ),
                (text("p2"), Err(text("not_found_track_error"))),
            ],
            offer: Some(text(SDP)),
        },
    ));
    assert!(consumed.status);
    assert_eq!(consumed.description.unwrap().r#type, "offer");
    let map = consumed.consumer_ids_map.unwrap().map;
    let state = &map["p1"];
    assert_eq!(state.consumer_id, "p1");
    assert_eq!(state.error_code, None);
    let track = state.producer_track.as_ref().unwrap();
    assert_eq!(
        (
            track.stream_id.as_str(),
            track.track_id.as_str(),
            track.producer_id.as_str()
        ),
        ("3", "track", "p1")
    );
    assert_eq!(
        state.producer_state.as_ref().unwrap().app_data.as_deref(),
        Some("{}")
    );
    assert_eq!(map["p2"].error_code.as_deref(), Some("not_found_track_error"));
}

fn push(push: &MediaPush) -> Frame {
    let frame = Frame::decode(&media_push_frame(push)).unwrap();
    assert!(frame.id.is_empty());
    frame
}

#[test]
fn pushes_say_who_and_what() {
    let (peer, host): (PeerId, PeerId) = (u(), v());
    let frame = push(&MediaPush::ProducerCreated(peer, producer()));
    assert_eq!(frame.event, number::PEER_PRODUCER_CREATED);
    let created: edge::PeerProducerCreateBroadcastResponse = payload(&frame);
    assert_eq!(created.participant_id, peer.to_string());
    let state = created.producer_state.unwrap();
    assert_eq!(state.kind(), media::ProducerKind::Video);
    assert!(state.pause && state.screen_share);
    assert_eq!(state.producing_transport_id.as_deref(), Some("t1"));
    assert_eq!(state.mime_type.as_deref(), Some("video/VP8"));

    let frame = push(&MediaPush::ProducerToggled(peer, producer(), Some(host)));
    assert_eq!(frame.event, number::PEER_PRODUCER_TOGGLED);
    let toggled: edge::PeerProducerToggleBroadcastResponse = payload(&frame);
    assert_eq!(toggled.initiator_participant_id, Some(host.to_string()));
    assert_eq!(toggled.producer_state.unwrap().producer_id, "p1");

    let frame = push(&MediaPush::ProducerClosed(peer, producer()));
    assert_eq!(frame.event, number::PEER_PRODUCER_CLOSED);
    let closed: edge::PeerProducerCloseBroadcastResponse = payload(&frame);
    assert_eq!(closed.producer_state.unwrap().producer_id, "p1");

    let frame = push(&MediaPush::SelectedPeers(vec![(peer, -1), (host, 1)]));
    assert_eq!(frame.event, number::SELECTED_PEERS_DIFF);
    let selected: edge::SelectedPeersDiffResponse = payload(&frame);
    let priorities: Vec<_> = selected.entries.iter().map(|entry| entry.priority).collect();
    assert_eq!(priorities, [-1, 1]);

    let frame = push(&MediaPush::Terminated(text("moved")));
    assert_eq!(frame.event, number::MEDIA_TERMINATED);
    assert_eq!(
        payload::<edge::MediaRoomTerminationBroadcastResponse>(&frame).reason,
        "moved"
    );
}
