//! What those may do who run a meeting: remove, mute, pin, end for all.

use muster_testkit::{Closed, Database, Guest, both};
use muster_wire::{event, media::edge, socket::room};
use uuid::Uuid;

use super::{Stage, hear_join, hear_leave, ids, inside};

both!(
    somebody_is_removed,
    the_session_is_ended_for_all,
    somebody_is_muted_and_then_everybody,
    somebody_is_pinned_for_all,
    nobody_without_the_right_does_any_of_it,
);

fn kick(peers: &[&str]) -> room::RemoveParticipantsRequest {
    room::RemoveParticipantsRequest {
        peer_ids: peers.iter().map(|peer| (*peer).to_owned()).collect(),
    }
}

async fn somebody_is_removed(db: Database) {
    let stage = Stage::with_grace(db, 3_600).await;
    let mut ana = Guest::join(&stage.origin(), &stage.host("Ana").await).await;
    let token = stage.participant("Bo").await;
    let mut bo = Guest::join(&stage.origin(), &token).await;
    let mut tab = Guest::join(&stage.origin(), &token).await;
    let mut cy = Guest::join(&stage.origin(), &stage.participant("Cy").await).await;
    ana.pushed().await;
    tab.pushed().await;
    // The client sends it twice; unknown ids are passed over.
    for _ in 0..2 {
        ana.tell(event::KICK, &kick(&[&bo.peer, &Uuid::new_v4().to_string(), "x"]))
            .await;
    }
    bo.hear_empty(event::KICK).await;
    assert_eq!(
        bo.closed().await,
        Closed::Code(1000),
        "it is not to come back by itself"
    );
    for guest in [&mut ana, &mut cy, &mut tab] {
        assert_eq!(hear_leave(guest).await, bo.peer);
        // Trap 4: whoever gets 30 leaves, the sender too.
        let pushed = guest.pushed_events().await;
        assert!(
            !pushed.contains(&event::KICK) && !pushed.contains(&event::LEAVE_ROOM),
            "{pushed:?}"
        );
    }
    assert_eq!(
        inside(&mut ana).await,
        ids(&[&ana, &tab, &cy]),
        "one connection of two"
    );
    // It may come back, which is a coming in like any other.
    let mut again = bo.again().await;
    again.come_in().await;
    assert_eq!(hear_join(&mut ana).await.peer_id, bo.peer);
}

async fn the_session_is_ended_for_all(db: Database) {
    let stage = Stage::new(db).await;
    let mut ana = Guest::join(&stage.origin(), &stage.host("Ana").await).await;
    let mut bo = Guest::join(&stage.origin(), &stage.participant("Bo").await).await;
    let waits = stage.token("Cy", "group_call_guest").await;
    let mut cy = Guest::connect(&stage.origin(), &waits).await;
    assert!(cy.come_in().await.waitlisted);
    let session = stage.live().await["id"].as_str().unwrap().to_owned();
    let wish = edge::KickAllPeersRequest {
        propagate_kick_across_rooms: true,
    };
    bo.refused(event::KICK_ALL, &wish).await;
    ana.tell(event::KICK_ALL, &wish).await;
    for guest in [&mut ana, &mut bo, &mut cy] {
        guest.hear_empty(event::KICK_ALL).await;
        assert_eq!(guest.closed().await, Closed::Code(1000));
    }
    stage.meeting.get("/active-session").await.refused(404);
    let ended = stage
        .app
        .get(&format!("/sessions/{session}"))
        .await
        .expect(200)
        .body["data"]
        .clone();
    let ended = ended.get("session").unwrap_or(&ended);
    assert_eq!(ended["status"], "ENDED", "{ended}");
    assert_eq!(ended["live_participants"], 0);
    // The next one begins another.
    let mut dee = Guest::join(&stage.origin(), &stage.participant("Dee").await).await;
    assert_ne!(dee.room().await.room_uuid(), session);
    assert_eq!(inside(&mut dee).await, ids(&[&dee]));
}

async fn hear_mute(guest: &mut Guest) -> (String, String, bool, String) {
    let told: edge::PeerProducerToggleBroadcastResponse = guest.hear(event::PEER_PRODUCER_TOGGLED).await;
    let by = told.initiator_participant_id().to_owned();
    let state = told.producer_state.expect("a state");
    (told.participant_id, state.producer_id, state.pause, by)
}

async fn somebody_is_muted_and_then_everybody(db: Database) {
    let stage = Stage::new(db).await;
    let mut ana = Guest::enter(&stage.origin(), &stage.host("Ana").await).await;
    let mut bo = Guest::enter(&stage.origin(), &stage.participant("Bo").await).await;
    let mut cy = Guest::enter(&stage.origin(), &stage.participant("Cy").await).await;
    let of_ana = ana.produce("audio").await;
    let (sound, camera) = (bo.produce("audio").await, bo.produce("video").await);
    let of_cy = cy.produce("audio").await;
    let wish = edge::HostMediaControlForPeerRequest {
        participant_id: bo.peer.clone(),
        audio: true,
        ..Default::default()
    };
    let done: edge::HostMediaControlForPeerResponse = ana.request(event::HOST_CONTROL_PEER, &wish).await;
    assert_eq!(done.status, "success");
    let muted = (bo.peer.clone(), sound.clone(), true, ana.peer.clone());
    assert_eq!(
        hear_mute(&mut bo).await,
        muted,
        "the victim, so that its client mutes"
    );
    assert_eq!(hear_mute(&mut cy).await, muted);
    let wish = edge::HostMediaControlForAllPeerRequest {
        audio: false,
        video: true,
        screen_share: false,
    };
    let done: edge::HostMediaControlForAllPeerResponse =
        ana.request(event::HOST_CONTROL_ALL_PEERS, &wish).await;
    assert_eq!(done.status, "success");
    assert_eq!(hear_mute(&mut bo).await.1, camera);
    let wish = edge::HostMediaControlForAllPeerRequest {
        audio: true,
        ..Default::default()
    };
    let _: edge::HostMediaControlForAllPeerResponse = ana.request(event::HOST_CONTROL_ALL_PEERS, &wish).await;
    let mut told = vec![hear_mute(&mut bo).await.1, hear_mute(&mut bo).await.1];
    told.sort();
    let mut expected = vec![sound, of_cy];
    expected.sort();
    assert_eq!(told, expected, "not the host's own {of_ana}");
    // Nobody, and one who is not here.
    let nobody = edge::HostMediaControlForPeerRequest {
        participant_id: Uuid::new_v4().to_string(),
        audio: true,
        ..Default::default()
    };
    ana.refused(event::HOST_CONTROL_PEER, &nobody).await;
}

async fn somebody_is_pinned_for_all(db: Database) {
    let stage = Stage::with_grace(db, 0).await;
    let mut ana = Guest::enter(&stage.origin(), &stage.host("Ana").await).await;
    let mut bo = Guest::enter(&stage.origin(), &stage.participant("Bo").await).await;
    let pin = |peer: &str| edge::GlobalPeerPinningRequest {
        participant_id: peer.to_owned(),
    };
    for whom in [bo.peer.clone(), ana.peer.clone(), String::new(), bo.peer.clone()] {
        ana.ask(event::GLOBAL_PIN_PEER, &pin(&whom))
            .await
            .expect("a reply");
        for guest in [&mut ana, &mut bo] {
            let told: edge::GlobalPeerPinningBroadcastResponse = guest.hear(event::PEER_PINNED).await;
            assert_eq!(told.participant_id, whom, "all are told, the asker too");
        }
    }
    ana.refused(event::GLOBAL_PIN_PEER, &pin(&Uuid::new_v4().to_string()))
        .await;
    // Late comers learn of it; somebody who is gone is not pinned.
    let mut cy = Guest::connect(&stage.origin(), &stage.participant("Cy").await).await;
    cy.come_in().await;
    let pinned = cy
        .complete_media()
        .await
        .room_state
        .expect("a state")
        .pinned_peer_ids;
    assert_eq!(pinned, [bo.peer.clone()]);
    let gone = bo.peer.clone();
    bo.lose();
    assert_eq!(hear_leave(&mut cy).await, gone);
    let told: edge::GlobalPeerPinningBroadcastResponse = cy.hear(event::PEER_PINNED).await;
    assert_eq!(told.participant_id, "");
    let state = cy.complete_media().await.room_state.expect("a state");
    assert_eq!(state.pinned_peer_ids, [] as [&str; 0]);
}

async fn nobody_without_the_right_does_any_of_it(db: Database) {
    let stage = Stage::new(db).await;
    let mut ana = Guest::enter(&stage.origin(), &stage.host("Ana").await).await;
    let sound = ana.produce("audio").await;
    let mut bo = Guest::enter(&stage.origin(), &stage.participant("Bo").await).await;
    let mut early = Guest::connect(&stage.origin(), &stage.host("Early").await).await;
    ana.pushed().await;
    for guest in [&mut bo, &mut early] {
        guest.refused(event::KICK, &kick(&[&ana.peer])).await;
        guest
            .refused(event::KICK_ALL, &edge::KickAllPeersRequest::default())
            .await;
        let mute = edge::HostMediaControlForPeerRequest {
            participant_id: ana.peer.clone(),
            audio: true,
            ..Default::default()
        };
        guest.refused(event::HOST_CONTROL_PEER, &mute).await;
        let all = edge::HostMediaControlForAllPeerRequest {
            audio: true,
            video: true,
            screen_share: true,
        };
        guest.refused(event::HOST_CONTROL_ALL_PEERS, &all).await;
        let pin = edge::GlobalPeerPinningRequest {
            participant_id: guest.peer.clone(),
        };
        guest.refused(event::GLOBAL_PIN_PEER, &pin).await;
    }
    // What is somebody else's cannot be paused or closed.
    bo.toggle(&sound, true).await;
    assert_eq!(bo.pushed_events().await, [] as [u32; 0]);
    assert_eq!(ana.pushed_events().await, [] as [u32; 0]);
    assert_eq!(inside(&mut ana).await, ids(&[&ana, &bo]));
}
