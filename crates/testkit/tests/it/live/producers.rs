//! Signalling of media, by an engine that carries nothing: what is asked, answered, and told to others.

use muster_testkit::{Database, Guest, Muster, both, bounded};
use muster_wire::{
    event,
    media::{self, CreateTransportRequest, CreateTransportResponse, SessionDescription, edge},
};

use super::{Stage, kit::text};

both!(
    media_is_set_up_before_and_after_coming_in,
    who_is_not_inside_sends_and_gets_nothing,
    what_one_does_with_a_track_is_told,
    a_reconnection_begins_with_no_tracks,
    hosts_mute_and_pin,
);

fn offer() -> SessionDescription {
    SessionDescription {
        target: media::Target::Publisher.into(),
        r#type: "offer".to_owned(),
        sdp: "v=0\r\n".to_owned(),
    }
}

fn transport(consuming: bool) -> CreateTransportRequest {
    CreateTransportRequest {
        consuming,
        description: Some(offer()),
        ..Default::default()
    }
}

fn track(kind: &str, transport: &str) -> edge::ProducerCreateRequest {
    edge::ProducerCreateRequest {
        kind: kind.to_owned(),
        description: Some(offer()),
        msid: "stream track".to_owned(),
        app_data: Some("{\"mid\":\"0\"}".to_owned()),
        mime_type: Some("audio/opus".to_owned()),
        producing_transport_id: Some(transport.to_owned()),
        ..Default::default()
    }
}

async fn complete(guest: &mut Guest) -> edge::PeerJoinCompleteResponse {
    guest
        .request(event::SELF_JOIN_COMPLETE, &edge::PeerJoinCompleteRequest {})
        .await
}

/// Comes in with everything that a client sets up; answers the transport it sends by.
async fn with_media(guest: &mut Guest) -> String {
    let begin = edge::PeerJoinRequest {
        room_uuid: guest.meeting.clone(),
        ..Default::default()
    };
    guest
        .request::<edge::PeerJoinResponse>(event::MEDIA_JOIN_ROOM, &begin)
        .await;
    let mut transports = Vec::new();
    for consuming in [false, true] {
        let told: CreateTransportResponse = guest
            .request(event::CREATE_WEBRTC_TRANSPORT, &transport(consuming))
            .await;
        assert!(told.description.unwrap().sdp.starts_with("v=0"));
        transports.push(told.transport_id);
    }
    assert_ne!(transports[0], transports[1]);
    guest.come_in().await;
    complete(guest).await;
    transports.remove(0)
}

async fn produce(guest: &mut Guest, kind: &str, transport: &str) -> String {
    let told: edge::ProducerCreateResponse = guest.request(event::PRODUCE, &track(kind, transport)).await;
    assert!(told.status);
    told.producer_id
}

async fn media_is_set_up_before_and_after_coming_in(db: Database) {
    let stage = Stage::new(db).await;
    let mut ana = Guest::connect(&stage.origin(), &stage.host("Ana").await).await;
    with_media(&mut ana).await;
    let mut bo = Guest::connect(&stage.origin(), &stage.participant("Bo").await).await;
    let by = with_media(&mut bo).await;
    let sound = produce(&mut bo, "audio", &by).await;
    // In this order: who came, that it is ready, what it sends (PROTOCOL g.1).
    let order: Vec<u32> = ana
        .pushed_events()
        .await
        .into_iter()
        .filter(|number| {
            [event::JOIN_ROOM, event::PEER_JOINED, event::PEER_PRODUCER_CREATED].contains(number)
        })
        .collect();
    assert_eq!(
        order,
        [event::JOIN_ROOM, event::PEER_JOINED, event::PEER_PRODUCER_CREATED]
    );
    // Who comes later is told in the reply what there is already.
    let mut cy = Guest::join(&stage.origin(), &stage.participant("Cy").await).await;
    let told = complete(&mut cy).await;
    let state = told.room_state.unwrap();
    assert_eq!(state.current_peer_id, cy.peer);
    assert_eq!(state.room_uuid, cy.room().await.room_uuid());
    let sends: Vec<(String, Vec<String>)> = told
        .participants
        .into_iter()
        .map(|peer| {
            let ids = peer.producer_states.into_iter().map(|state| state.producer_id);
            (peer.peer_id, ids.collect())
        })
        .collect();
    assert_eq!(
        sends,
        [(ana.peer.clone(), vec![]), (bo.peer.clone(), vec![sound.clone()])]
    );

    let wish = edge::ConsumePeersRequest {
        requests: vec![edge::ConsumePeerRequest {
            producing_peer_id: bo.peer.clone(),
            producer_id: Some(sound.clone()),
            ..Default::default()
        }],
        consuming_transport_id: None,
    };
    let told: edge::ConsumePeerResponse = ana.request(event::CONSUME, &wish).await;
    let consumers = told.consumer_ids_map.unwrap().map;
    let consumer = &consumers[&sound];
    let track = consumer.producer_track.as_ref().unwrap();
    assert_eq!(consumer.consumer_id, sound);
    assert!(
        !track.stream_id.is_empty(),
        "the mid on the receiver's connection"
    );
}

async fn who_is_not_inside_sends_and_gets_nothing(db: Database) {
    let stage = Stage::new(db).await;
    let mut ana = Guest::connect(&stage.origin(), &stage.host("Ana").await).await;
    with_media(&mut ana).await;
    let waiting = stage.token("Wim", "group_call_guest").await;
    let mut wim = Guest::connect(&stage.origin(), &waiting).await;
    assert!(wim.come_in().await.waitlisted);
    // Transports may be there before one is let in, and nothing goes through them.
    wim.request::<CreateTransportResponse>(event::CREATE_WEBRTC_TRANSPORT, &transport(false))
        .await;
    wim.refused(event::PRODUCE, &track("audio", "x")).await;
    wim.refused(event::CONSUME, &edge::ConsumePeersRequest::default())
        .await;
    wim.refused(event::SELF_JOIN_COMPLETE, &edge::PeerJoinCompleteRequest {})
        .await;
    let heard = ana.pushed_events().await;
    assert!(!heard.contains(&event::PEER_PRODUCER_CREATED) && !heard.contains(&event::PEER_JOINED));
    produce(&mut ana, "video", "x").await;
    assert!(!wim.pushed_events().await.contains(&event::PEER_PRODUCER_CREATED));
}

async fn what_one_does_with_a_track_is_told(db: Database) {
    let stage = Stage::new(db).await;
    let mut ana = Guest::connect(&stage.origin(), &stage.host("Ana").await).await;
    with_media(&mut ana).await;
    let mut bo = Guest::connect(&stage.origin(), &stage.participant("Bo").await).await;
    let by = with_media(&mut bo).await;
    let sound = produce(&mut bo, "audio", &by).await;
    let told: edge::PeerProducerCreateBroadcastResponse = ana.hear(event::PEER_PRODUCER_CREATED).await;
    let state = told.producer_state.unwrap();
    assert_eq!((&told.participant_id, &state.producer_id), (&bo.peer, &sound));
    assert_eq!(
        state.app_data.as_deref(),
        Some("{\"mid\":\"0\"}"),
        "as it was given"
    );
    assert!(!state.pause);
    for pause in [true, false] {
        let toggle = edge::ProducerToggleRequest {
            producer_id: sound.clone(),
            pause,
        };
        bo.tell(event::TOGGLE_PRODUCER, &toggle).await;
        let told: edge::PeerProducerToggleBroadcastResponse = ana.hear(event::PEER_PRODUCER_TOGGLED).await;
        assert_eq!(told.participant_id, bo.peer);
        assert_eq!(told.producer_state.unwrap().pause, pause);
    }
    let close = edge::ProducerCloseRequest {
        producer_id: sound.clone(),
        description: Some(offer()),
        producing_transport_id: Some(by),
    };
    bo.request::<edge::ProducerClosingResponse>(event::CLOSE_PRODUCER, &close)
        .await;
    let told: edge::PeerProducerCloseBroadcastResponse = ana.hear(event::PEER_PRODUCER_CLOSED).await;
    assert_eq!(told.producer_state.unwrap().producer_id, sound);
    let peer = bo.peer.clone();
    bo.leave().await;
    let told: edge::PeerLeaveBroadcastResponse = ana.hear(event::PEER_LEFT).await;
    assert_eq!(told.participant_id, peer);
}

async fn a_reconnection_begins_with_no_tracks(db: Database) {
    let stage = Stage::new(db).await;
    let mut ana = Guest::connect(&stage.origin(), &stage.host("Ana").await).await;
    with_media(&mut ana).await;
    let mut bo = Guest::connect(&stage.origin(), &stage.participant("Bo").await).await;
    let by = with_media(&mut bo).await;
    let old = produce(&mut bo, "audio", &by).await;
    let mut again = bo.again().await;
    again.come_in().await;
    let told: edge::PeerProducerCloseBroadcastResponse = ana.hear(event::PEER_PRODUCER_CLOSED).await;
    assert_eq!(told.producer_state.unwrap().producer_id, old);
    complete(&mut again).await;
    let anew = produce(&mut again, "audio", &by).await;
    let mut cy = Guest::join(&stage.origin(), &stage.participant("Cy").await).await;
    let told = complete(&mut cy).await;
    let of_bo = told
        .participants
        .iter()
        .find(|peer| peer.peer_id == again.peer)
        .unwrap();
    let ids: Vec<&String> = of_bo
        .producer_states
        .iter()
        .map(|state| &state.producer_id)
        .collect();
    assert_eq!(ids, [&anew]);
    assert!(
        !ana.pushed_events().await.contains(&event::LEAVE_ROOM),
        "nobody left"
    );
}

async fn hosts_mute_and_pin(db: Database) {
    let stage = Stage::new(db).await;
    let mut ana = Guest::connect(&stage.origin(), &stage.host("Ana").await).await;
    let by = with_media(&mut ana).await;
    produce(&mut ana, "audio", &by).await;
    let mut bo = Guest::connect(&stage.origin(), &stage.participant("Bo").await).await;
    let by = with_media(&mut bo).await;
    let sound = produce(&mut bo, "audio", &by).await;
    let mute_ana = edge::HostMediaControlForPeerRequest {
        participant_id: ana.peer.clone(),
        audio: true,
        ..Default::default()
    };
    let why = bo.refused(event::HOST_CONTROL_PEER, &mute_ana).await;
    assert!(why.contains("not permitted"), "{why}");
    let mute_all = edge::HostMediaControlForAllPeerRequest {
        audio: true,
        ..Default::default()
    };
    let told: edge::HostMediaControlForAllPeerResponse =
        ana.request(event::HOST_CONTROL_ALL_PEERS, &mute_all).await;
    assert_eq!(told.status, "success", "the client knows no other word");
    let told: edge::PeerProducerToggleBroadcastResponse = bo.hear(event::PEER_PRODUCER_TOGGLED).await;
    assert_eq!(told.participant_id, bo.peer);
    assert_eq!(told.initiator_participant_id.as_ref(), Some(&ana.peer));
    let state = told.producer_state.unwrap();
    assert!(state.pause && state.producer_id == sound);

    let pin = edge::GlobalPeerPinningRequest {
        participant_id: bo.peer.clone(),
    };
    bo.refused(event::GLOBAL_PIN_PEER, &pin).await;
    ana.request::<edge::GlobalPeerPinningResponse>(event::GLOBAL_PIN_PEER, &pin)
        .await;
    for guest in [&mut ana, &mut bo] {
        let told: edge::GlobalPeerPinningBroadcastResponse = guest.hear(event::PEER_PINNED).await;
        assert_eq!(told.participant_id, pin.participant_id);
    }
    let mut cy = Guest::join(&stage.origin(), &stage.participant("Cy").await).await;
    let state = complete(&mut cy).await.room_state.unwrap();
    assert_eq!(
        state.pinned_peer_ids,
        [pin.participant_id],
        "for who comes later too"
    );
}

/// An offer that is none is refused in the words of the protocol, by the program itself, and all else works.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_offer_that_is_none_is_refused() {
    bounded(async {
        let muster = Muster::new(Database::Sqlite).await;
        let server = muster.serve(&[]);
        let meeting = muster.api(&server).app().await.meeting().await;
        let token = text(&meeting.participant("Ana").await["token"]);
        let mut ana = Guest::connect(&server.origin, &token).await;
        let begin = edge::PeerJoinRequest::default();
        ana.request::<edge::PeerJoinResponse>(event::MEDIA_JOIN_ROOM, &begin)
            .await;
        let why = ana
            .refused(event::CREATE_WEBRTC_TRANSPORT, &transport(false))
            .await;
        assert!(why.contains("description"), "{why}");
        ana.come_in().await;
        complete(&mut ana).await;
        ana.say("words do").await;
        let end = edge::PeerLeaveRequest { close_room: false };
        let told: edge::PeerLeaveResponse = ana.request(event::MEDIA_LEAVE_ROOM, &end).await;
        assert!(!told.closed);
    })
    .await;
}
