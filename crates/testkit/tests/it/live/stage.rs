//! The stage of webinars and livestreams (PROTOCOL f.3).

use muster_testkit::{Database, Guest, both};
use muster_wire::{
    event,
    socket::{
        livestreaming,
        room::{self, StageType},
    },
};
use serde_json::json;

use super::{Stage, hear_join, hear_leave};

both!(
    somebody_asks_is_let_on_stage_and_steps_down,
    requests_are_taken_back_and_refused,
    somebody_is_taken_off_stage,
    who_may_not_come_on_stage,
    viewers_of_a_livestream_are_told_how_many_they_are,
);

/// Where a peer is, as the next push tells: whose, and where.
async fn hear_status(guest: &mut Guest) -> (String, StageType) {
    let told: room::PeerStatusUpdate = guest.hear(event::PEER_STAGE_STATUS_UPDATE).await;
    (told.peer_id.clone(), told.stage_type())
}

/// Who asks to come on stage, as the next push tells.
async fn hear_asking(host: &mut Guest) -> Vec<String> {
    host.hear::<livestreaming::GetStageRequestsResponse>(event::GET_STAGE_REQUESTS)
        .await
        .stage_requests
        .into_iter()
        .map(|request| request.peer_id)
        .collect()
}

fn leave_wish(users: &[&Guest]) -> livestreaming::LeaveStageRequest {
    livestreaming::LeaveStageRequest {
        user_ids: users.iter().map(|user| user.user.clone()).collect(),
    }
}

async fn grant(host: &mut Guest, user: &Guest) {
    let wish = livestreaming::GrantStageAccessRequest {
        user_ids: vec![user.user.clone()],
    };
    host.tell(event::GRANT_STAGE_ACCESS, &wish).await;
}

async fn deny(host: &mut Guest, user: &Guest) {
    let wish = livestreaming::DenyStageAccessRequest {
        user_ids: vec![user.user.clone()],
    };
    host.tell(event::DENY_STAGE_ACCESS, &wish).await;
}

/// Steps on or off stage oneself: the reply comes under 38, with the request's id.
async fn step(guest: &mut Guest, number: u32, wish: &impl muster_wire::prost::Message) -> StageType {
    let reply = guest.ask(number, wish).await.expect("a status");
    assert_eq!(reply.event, event::PEER_STAGE_STATUS_UPDATE);
    let status: room::PeerStatusUpdate = muster_testkit::read(&reply);
    assert_eq!((&status.peer_id, &status.user_id), (&guest.peer, &guest.user));
    status.stage_type()
}

/// A presenter and two viewers.
async fn webinar(stage: &Stage) -> (Guest, Guest, Guest) {
    let origin = stage.origin();
    let mut host = Guest::connect(&origin, &stage.token("Host", "webinar_presenter").await).await;
    assert_eq!(host.come_in().await.stage_type(), StageType::OnStage);
    let mut viewers = Vec::new();
    for name in ["Ana", "Bo"] {
        let mut viewer = Guest::connect(&origin, &stage.token(name, "webinar_viewer").await).await;
        assert_eq!(viewer.come_in().await.stage_type(), StageType::OffStage);
        assert_eq!(hear_join(&mut host).await.stage_type(), StageType::OffStage);
        viewers.push(viewer);
    }
    let bo = viewers.pop().expect("Bo");
    let mut ana = viewers.pop().expect("Ana");
    hear_join(&mut ana).await;
    (host, ana, bo)
}

async fn somebody_asks_is_let_on_stage_and_steps_down(db: Database) {
    let stage = Stage::new(db).await;
    let (mut host, mut ana, mut bo) = webinar(&stage).await;
    ana.tell(event::REQUEST_STAGE_ACCESS, &Guest::nothing()).await;
    let asked = (ana.peer.clone(), StageType::RequestedStage);
    for guest in [&mut ana, &mut bo, &mut host] {
        assert_eq!(hear_status(guest).await, asked);
    }
    assert_eq!(hear_asking(&mut host).await, [ana.peer.clone()]);
    let list: livestreaming::GetStageRequestsResponse =
        host.request(event::GET_STAGE_REQUESTS, &Guest::nothing()).await;
    assert_eq!(list.stage_requests[0].user_id, ana.user);
    assert_eq!(list.stage_requests[0].display_name, "Ana");
    // Not before it is let on.
    ana.refused(event::JOIN_STAGE, &Guest::nothing()).await;
    grant(&mut host, &ana).await;
    ana.hear_empty(event::GRANT_STAGE_ACCESS).await;
    for guest in [&mut bo, &mut host] {
        assert_eq!(
            hear_status(guest).await,
            (ana.peer.clone(), StageType::ApprovedStage)
        );
    }
    assert_eq!(hear_asking(&mut host).await, [] as [&str; 0]);
    assert_eq!(
        step(&mut ana, event::JOIN_STAGE, &Guest::nothing()).await,
        StageType::OnStage
    );
    for guest in [&mut bo, &mut host] {
        assert_eq!(hear_status(guest).await, (ana.peer.clone(), StageType::OnStage));
    }
    // Late comers see who is where.
    let mut cy = Guest::join(&stage.origin(), &stage.token("Cy", "webinar_viewer").await).await;
    let peers = cy.peers().await;
    let on: Vec<&str> = peers
        .iter()
        .filter(|peer| peer.stage_type() == StageType::OnStage)
        .map(|peer| peer.display_name.as_str())
        .collect();
    assert_eq!(on, ["Host", "Ana"]);
    let own = leave_wish(&[&ana]);
    assert_eq!(
        step(&mut ana, event::LEAVE_STAGE, &own).await,
        StageType::OffStage
    );
    for guest in [&mut bo, &mut host] {
        assert_eq!(hear_status(guest).await, (ana.peer.clone(), StageType::OffStage));
    }
    // Only hosts are told who asks: the client of anybody else fails on it.
    for guest in [&mut ana, &mut bo] {
        let pushed = guest.pushed_events().await;
        assert!(!pushed.contains(&event::GET_STAGE_REQUESTS), "{pushed:?}");
    }
}

async fn requests_are_taken_back_and_refused(db: Database) {
    let stage = Stage::new(db).await;
    let (mut host, mut ana, mut bo) = webinar(&stage).await;
    ana.tell(event::REQUEST_STAGE_ACCESS, &Guest::nothing()).await;
    assert_eq!(hear_asking(&mut host).await, [ana.peer.clone()]);
    bo.tell(event::REQUEST_STAGE_ACCESS, &Guest::nothing()).await;
    assert_eq!(hear_asking(&mut host).await, [ana.peer.clone(), bo.peer.clone()]);
    ana.tell(event::CANCEL_STAGE_REQUEST, &Guest::nothing()).await;
    assert_eq!(hear_asking(&mut host).await, [bo.peer.clone()]);
    deny(&mut host, &bo).await;
    bo.hear_empty(event::DENY_STAGE_ACCESS).await;
    assert_eq!(hear_asking(&mut host).await, [] as [&str; 0]);
    let mut told = Vec::new();
    for _ in 0..4 {
        told.push(hear_status(&mut host).await);
    }
    assert_eq!(
        told,
        [
            (ana.peer.clone(), StageType::RequestedStage),
            (bo.peer.clone(), StageType::RequestedStage),
            (ana.peer.clone(), StageType::OffStage),
            (bo.peer.clone(), StageType::OffStage),
        ]
    );
    for viewer in [&mut ana, &mut bo] {
        viewer.refused(event::JOIN_STAGE, &Guest::nothing()).await;
    }
    // One who asks and goes is off the list.
    ana.tell(event::REQUEST_STAGE_ACCESS, &Guest::nothing()).await;
    assert_eq!(hear_asking(&mut host).await, [ana.peer.clone()]);
    let gone = ana.peer.clone();
    ana.leave().await;
    assert_eq!(hear_asking(&mut host).await, [] as [&str; 0]);
    assert_eq!(hear_leave(&mut host).await, gone);
    // One may be invited without having asked, and change one's mind before stepping up.
    grant(&mut host, &bo).await;
    bo.hear_empty(event::GRANT_STAGE_ACCESS).await;
    bo.tell(event::CANCEL_STAGE_REQUEST, &Guest::nothing()).await;
    bo.refused(event::JOIN_STAGE, &Guest::nothing()).await;
}

async fn somebody_is_taken_off_stage(db: Database) {
    let stage = Stage::new(db).await;
    let (mut host, mut ana, mut bo) = webinar(&stage).await;
    grant(&mut host, &ana).await;
    ana.hear_empty(event::GRANT_STAGE_ACCESS).await;
    step(&mut ana, event::JOIN_STAGE, &Guest::nothing()).await;
    bo.refused(event::LEAVE_STAGE, &leave_wish(&[&ana])).await;
    for _ in 0..2 {
        assert_eq!(hear_status(&mut bo).await.0, ana.peer);
    }
    // The reply to the host comes under 19; all are told by 38.
    let reply = host.ask(event::LEAVE_STAGE, &leave_wish(&[&ana])).await.unwrap();
    assert_eq!(reply.event, event::LEAVE_STAGE);
    let down = (ana.peer.clone(), StageType::OffStage);
    assert_eq!(hear_status(&mut ana).await, down);
    assert_eq!(hear_status(&mut bo).await, down);
    // Its client then steps down by itself: nothing more for others.
    let own = leave_wish(&[&ana]);
    assert_eq!(
        step(&mut ana, event::LEAVE_STAGE, &own).await,
        StageType::OffStage
    );
    assert_eq!(bo.pushed_events().await, [] as [u32; 0]);
    ana.refused(event::JOIN_STAGE, &Guest::nothing()).await;
    // The host steps down and up as it likes.
    let own = leave_wish(&[&host]);
    assert_eq!(
        step(&mut host, event::LEAVE_STAGE, &own).await,
        StageType::OffStage
    );
    assert_eq!(
        hear_status(&mut bo).await,
        (host.peer.clone(), StageType::OffStage)
    );
    assert_eq!(
        step(&mut host, event::JOIN_STAGE, &Guest::nothing()).await,
        StageType::OnStage
    );
    assert_eq!(
        hear_status(&mut bo).await,
        (host.peer.clone(), StageType::OnStage)
    );
}

async fn who_may_not_come_on_stage(db: Database) {
    let stage = Stage::new(db).await;
    let (mut host, mut ana, _bo) = webinar(&stage).await;
    stage
        .preset(
            "watcher",
            json!({"view_type": "WEBINAR"}),
            json!({"stage_enabled": true, "stage_access": "NOT_ALLOWED"}),
        )
        .await;
    let mut cy = Guest::connect(&stage.origin(), &stage.token("Cy", "watcher").await).await;
    assert_eq!(cy.come_in().await.stage_type(), StageType::OffStage);
    cy.refused(event::REQUEST_STAGE_ACCESS, &Guest::nothing()).await;
    cy.refused(event::JOIN_STAGE, &Guest::nothing()).await;
    // Viewers let nobody on, and see no requests.
    let wish = livestreaming::GrantStageAccessRequest {
        user_ids: vec![ana.user.clone()],
    };
    ana.refused(event::GRANT_STAGE_ACCESS, &wish).await;
    ana.refused(event::GET_STAGE_REQUESTS, &Guest::nothing()).await;
    ana.refused(event::JOIN_STAGE, &Guest::nothing()).await;
    // Those who are not inside have no stage at all.
    let mut early = Guest::connect(&stage.origin(), &stage.token("Dee", "webinar_viewer").await).await;
    early
        .refused(event::REQUEST_STAGE_ACCESS, &Guest::nothing())
        .await;
    early.refused(event::JOIN_STAGE, &Guest::nothing()).await;
    hear_join(&mut host).await;
    assert_eq!(host.pushed_events().await, [] as [u32; 0]);
    // In a group call everybody is on it.
    let mut eve = Guest::connect(&stage.origin(), &stage.participant("Eve").await).await;
    assert_eq!(eve.come_in().await.stage_type(), StageType::OnStage);
    eve.refused(event::REQUEST_STAGE_ACCESS, &Guest::nothing()).await;
}

async fn viewers_of_a_livestream_are_told_how_many_they_are(db: Database) {
    let stage = Stage::new(db).await;
    let origin = stage.origin();
    let mut host = Guest::connect(&origin, &stage.token("Host", "livestream_host").await).await;
    assert_eq!(host.come_in().await.stage_type(), StageType::OnStage);
    let mut ana = Guest::connect(&origin, &stage.token("Ana", "livestream_viewer").await).await;
    assert_eq!(ana.come_in().await.stage_type(), StageType::OffStage);
    let mut bo = Guest::join(&origin, &stage.token("Bo", "livestream_viewer").await).await;
    // Told once a second at most, so perhaps some numbers are passed over.
    for guest in [&mut host, &mut ana, &mut bo] {
        hear_count(guest, 3).await;
    }
    ana.leave().await;
    for guest in [&mut host, &mut bo] {
        hear_count(guest, 2).await;
    }
    // A viewer comes on stage: its client then asks to come in once more, which is no second coming.
    bo.tell(event::REQUEST_STAGE_ACCESS, &Guest::nothing()).await;
    assert_eq!(hear_asking(&mut host).await, [bo.peer.clone()]);
    grant(&mut host, &bo).await;
    bo.hear_empty(event::GRANT_STAGE_ACCESS).await;
    assert_eq!(
        step(&mut bo, event::JOIN_STAGE, &Guest::nothing()).await,
        StageType::OnStage
    );
    assert_eq!(bo.come_in().await.stage_type(), StageType::OnStage);
    bo.join_media().await;
    bo.complete_media().await;
    assert_eq!(stage.live().await["live_participants"], 2);
}

/// Waits to be told of so many.
async fn hear_count(guest: &mut Guest, count: u64) {
    while guest
        .hear::<room::RoomPeerCountResponse>(event::ROOM_PEER_COUNT)
        .await
        .count
        != count
    {}
}
