//! Signalling of media, with an engine that answers and carries nothing (PROTOCOL e, g.1).

use muster_testkit::{Database, Guest, both, read};
use muster_wire::{
    event,
    media::edge,
    socket::{chat, plugin, polls, room},
};

use super::{Stage, hear_leave, ids};

both!(a_group_call_step_by_step, what_is_sent_is_told_paused_and_closed,);

/// PROTOCOL g.1, by its numbers.
async fn a_group_call_step_by_step(db: Database) {
    let stage = Stage::new(db).await;
    let mut ana = Guest::enter(&stage.origin(), &stage.host("Ana").await).await;
    let sound = ana.produce("audio").await;

    // 2 to 6: the socket, media and the stores before anything else (traps 3 and 7).
    let mut bo = Guest::connect(&stage.origin(), &stage.participant("Bo").await).await;
    assert!(bo.join_media().await.payload.is_empty());
    let wish = plugin::PluginStoreGetKeysRequest {
        plugin_id: bo.meeting.clone(),
        store_name: "__rtk_plugins__".to_owned(),
        get_keys: Vec::new(),
    };
    let stored: plugin::PluginStoreResponse = bo.request(event::STORE_GET_KEYS, &wish).await;
    assert_eq!(
        (stored.plugin_id, stored.store_name.as_str()),
        (bo.meeting.clone(), "__rtk_plugins__")
    );
    // 7
    let ice = stage
        .app
        .at_root("")
        .with_token(&bo.token)
        .get("/iceservers")
        .await
        .expect(200);
    assert_eq!(ice.body["success"], true);
    assert!(ice.body["iceServers"].is_array());
    // 8 to 10: twice the same request, as a client does that missed the reply.
    bo.join_media().await;
    assert_ne!(bo.transport(false).await, bo.transport(true).await);
    assert_eq!(ana.pushed_events().await, [] as [u32; 0], "nobody notices yet");
    // 11, 12
    let me = bo.come_in().await;
    assert_eq!(
        (&me.peer_id, me.stage_type()),
        (&bo.peer, room::StageType::OnStage)
    );
    assert_eq!(me.flags.clone().expect("flags").recorder_type, "NONE");
    // 13, 14
    let info = bo.room().await;
    assert!(
        info.created_at > 1_600_000_000 && info.created_at < 100_000_000_000,
        "seconds"
    );
    assert_eq!(info.active_recordings, []);
    let peers = bo.peers().await;
    assert!(peers.contains(&me), "{peers:?}");
    for peer in &peers {
        assert_eq!(peer.stage_type(), room::StageType::OnStage, "trap 1");
        assert_eq!(
            peer.flags.as_ref().expect("flags").recorder_type,
            "NONE",
            "trap 2"
        );
    }
    let nothing = Guest::nothing();
    let _: chat::GetChatMessagesResponse = bo.request(event::GET_MESSAGES, &nothing).await;
    let _: polls::GetPollsResponse = bo.request(event::GET_POLLS, &nothing).await;
    let _: room::GetWaitingRoomRequests = ana.request(event::GET_WAITING_ROOM_REQUESTS, &nothing).await;
    // 15, 16
    let joined = bo.complete_media().await;
    let state = joined.room_state.expect("a room state");
    assert_eq!(state.room_uuid, info.room_uuid());
    assert_eq!(state.pinned_peer_ids, [] as [&str; 0]);
    assert_eq!(joined.participants.len(), 1, "not itself");
    let about_ana = &joined.participants[0];
    assert_eq!(
        (&about_ana.peer_id, about_ana.display_name.as_str()),
        (&ana.peer, "Ana")
    );
    assert_eq!(about_ana.producer_states[0].producer_id, sound);
    // 17, 18
    let producers = [bo.produce("audio").await, bo.produce("video").await];
    assert_ne!(producers[0], producers[1]);
    // 12b, 16b, 18b come in this order.
    let order = ana.events_until(event::PEER_PRODUCER_CREATED).await;
    assert_eq!(
        order,
        [event::JOIN_ROOM, event::PEER_JOINED, event::PEER_PRODUCER_CREATED]
    );
    let (peer, video) = ana.hear_producer().await;
    assert_eq!((&peer, &video.producer_id), (&bo.peer, &producers[1]));
    // 19
    let family: room::GetConnectedRoomsDumpResponse = bo.request(event::CONNECTED_ROOMS_DUMP, &nothing).await;
    let parent = family.parent_meeting.expect("the meeting itself");
    assert_eq!(parent.id(), bo.meeting);
    // 20 to 22, on each side (trap 5).
    for (who, whose, what) in [
        (&mut ana, bo.peer.clone(), &producers[0]),
        (&mut bo, about_ana.peer_id.clone(), &sound),
    ] {
        let consumer = who.consume(&whose, what).await;
        let track = consumer.producer_track.expect("a track");
        assert_eq!(&track.producer_id, what);
        assert!(
            track.stream_id.parse::<u32>().is_ok(),
            "a MID: {}",
            track.stream_id
        );
        assert_eq!(&consumer.consumer_id, what, "trap 6");
        who.close_consumers(&[&track.stream_id]).await;
    }
    // 24
    let gone = bo.peer.clone();
    bo.leave().await;
    assert_eq!(hear_leave(&mut ana).await, gone);
}

async fn what_is_sent_is_told_paused_and_closed(db: Database) {
    let stage = Stage::new(db).await;
    let mut ana = Guest::enter(&stage.origin(), &stage.host("Ana").await).await;
    let mut bo = Guest::enter(&stage.origin(), &stage.participant("Bo").await).await;
    // One who is inside without media hears nothing of it.
    let mut mute = Guest::join(&stage.origin(), &stage.participant("Cy").await).await;
    let camera = bo.produce("video").await;
    let (peer, told) = ana.hear_producer().await;
    assert_eq!(
        (peer, &told.producer_id, told.pause),
        (bo.peer.clone(), &camera, false)
    );
    assert_eq!(told.kind(), muster_wire::media::ProducerKind::Video);
    assert_eq!(
        told.app_data(),
        "{\"mid\":\"2\",\"of\":\"video\"}",
        "handed on as it is"
    );
    assert_eq!(told.mime_type(), "video/VP8");
    for pause in [true, false] {
        bo.toggle(&camera, pause).await;
        let told: edge::PeerProducerToggleBroadcastResponse = ana.hear(event::PEER_PRODUCER_TOGGLED).await;
        assert_eq!(told.participant_id, bo.peer);
        let state = told.producer_state.expect("a state");
        assert_eq!((&state.producer_id, state.pause), (&camera, pause));
    }
    // Somebody who joins media now learns of it in the reply, and not once more by a push.
    let mut dee = Guest::connect(&stage.origin(), &stage.participant("Dee").await).await;
    dee.join_media().await;
    dee.come_in().await;
    let joined = dee.complete_media().await;
    let mut known: Vec<(String, usize)> = joined
        .participants
        .iter()
        .map(|one| (one.peer_id.clone(), one.producer_states.len()))
        .collect();
    known.sort();
    let mut expected = vec![(ana.peer.clone(), 0), (bo.peer.clone(), 1)];
    expected.sort();
    assert_eq!(known, expected);
    bo.close_producer(&camera).await;
    let told: edge::PeerProducerCloseBroadcastResponse = ana.hear(event::PEER_PRODUCER_CLOSED).await;
    assert_eq!(told.producer_state.expect("a state").producer_id, camera);
    assert_eq!(dee.pushed_events().await, [event::PEER_PRODUCER_CLOSED]);
    let presence = [event::JOIN_ROOM, event::PEER_JOINED];
    assert_eq!(
        mute.pushed_events().await,
        presence,
        "of Dee, and nothing of producers"
    );
    // What is gone cannot be had.
    let consumer = ana.consume(&bo.peer, &camera).await;
    assert_eq!(consumer.error_code(), "not_found_track_error");
    let own: Vec<u32> = bo.pushed_events().await;
    for number in [
        event::PEER_PRODUCER_CREATED,
        event::PEER_PRODUCER_TOGGLED,
        event::PEER_PRODUCER_CLOSED,
    ] {
        assert!(!own.contains(&number), "no echo: {own:?}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn media_before_coming_in_is_set_up_only() {
    let stage = Stage::new(Database::Sqlite).await;
    let mut ana = Guest::enter(&stage.origin(), &stage.host("Ana").await).await;
    let sound = ana.produce("audio").await;
    let mut early = Guest::connect(&stage.origin(), &stage.participant("Bo").await).await;
    early.join_media().await;
    early.transport(false).await;
    early.transport(true).await;
    early
        .refused(event::PRODUCE, &Guest::produce_wish("audio", false))
        .await;
    early
        .refused(event::CONSUME, &Guest::consume_wish(&ana.peer, &sound))
        .await;
    early
        .refused(event::SELF_JOIN_COMPLETE, &edge::PeerJoinCompleteRequest {})
        .await;
    // Nor does it hear what those inside send.
    ana.produce("video").await;
    ana.toggle(&sound, true).await;
    assert_eq!(ana.pushed_events().await, [] as [u32; 0]);
    assert_eq!(early.pushed_events().await, [] as [u32; 0]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn completing_twice_tells_others_once() {
    let stage = Stage::new(Database::Sqlite).await;
    let mut ana = Guest::enter(&stage.origin(), &stage.host("Ana").await).await;
    let mut bo = Guest::connect(&stage.origin(), &stage.participant("Bo").await).await;
    bo.come_in().await;
    for _ in 0..3 {
        assert_eq!(bo.complete_media().await.participants.len(), 1);
    }
    bo.come_in().await;
    let pushed = ana.pushed().await;
    let numbers: Vec<u32> = pushed.iter().map(|frame| frame.event).collect();
    assert_eq!(numbers, [event::JOIN_ROOM, event::PEER_JOINED]);
    let told: edge::PeerJoinBroadcastResponse = read(&pushed[1]);
    let told = told.participant.expect("a participant");
    assert_eq!((&told.peer_id, told.producer_states.len()), (&bo.peer, 0));
    assert_eq!(super::inside(&mut ana).await, ids(&[&ana, &bo]));
}
