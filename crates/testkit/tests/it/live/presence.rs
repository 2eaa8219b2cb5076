//! Coming in, going, and who is inside.

use muster_testkit::{Database, Guest, both};
use muster_wire::{event, socket::room};

use super::Stage;

both!(two_people_meet);

async fn two_people_meet(db: Database) {
    let stage = Stage::new(db).await;
    let mut ana = Guest::join(&stage.origin(), &stage.host("Ana").await).await;
    let mut bo = Guest::connect(&stage.origin(), &stage.participant("Bo").await).await;
    let me = bo.come_in().await;
    assert_eq!(me.peer_id, bo.peer);
    assert_eq!(me.user_id, bo.user);
    assert_eq!(me.display_name, "Bo");
    assert_eq!(me.stage_type(), room::StageType::OnStage);
    assert!(!me.waitlisted);
    let flags = me.flags.expect("flags");
    assert_eq!(flags.recorder_type, "NONE");
    assert_eq!(flags.preset_name, "group_call_participant");
    let told = ana.hear::<room::PeerInfoResponse>(event::JOIN_ROOM).await;
    assert_eq!(told.peer.expect("a peer").peer_id, bo.peer);
    let mut peers: Vec<String> = ana.peers().await.into_iter().map(|peer| peer.peer_id).collect();
    peers.sort();
    let mut both = vec![ana.peer.clone(), bo.peer.clone()];
    both.sort();
    assert_eq!(peers, both);
    let info = bo.room().await;
    assert_eq!(info.room_id, bo.meeting);

    let live = stage.meeting.get("/active-session").await.expect(200);
    assert_eq!(live.body["data"]["live_participants"], 2);
    assert_eq!(live.body["data"]["id"], info.room_uuid());

    let gone = bo.peer.clone();
    bo.leave().await;
    let told = ana.hear::<room::PeerInfoResponse>(event::LEAVE_ROOM).await;
    assert_eq!(told.peer.expect("a peer").peer_id, gone);
    ana.leave().await;
    stage.server.stop().await;
}
