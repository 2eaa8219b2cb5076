//! Rooms that begin with a session that is there already.

use std::time::Duration;

use muster_model::{
    PeerId, SessionId, Timestamp,
    app::Scope,
    event::{DomainEvent, Stay},
    meeting::MeetingStatus,
    session::{PeerViewType, SessionKind},
};
use muster_store::{participants::MeetingScope, rooms};
use muster_testkit::{Closed, Database, Guest, both};

use super::Stage;

both!(
    a_session_of_a_process_that_is_gone_is_taken_over,
    a_session_of_another_process_is_left_alone,
    a_room_begins_as_its_meeting_is_now,
);

fn at(stage: &Stage) -> MeetingScope {
    MeetingScope {
        scope: Scope {
            account: stage.app.account.parse().unwrap(),
            app: stage.app.id.parse().unwrap(),
        },
        meeting: stage.meeting.id.parse().unwrap(),
    }
}

/// A session of a process that was last heard of so long ago, with somebody inside.
async fn session_of(stage: &Stage, node: &str, seconds_ago: u64) -> SessionId {
    let session = SessionId::random();
    let at = at(stage);
    let began = Timestamp::now().minus(Duration::from_secs(seconds_ago));
    let added = stage.meeting.participant("bo").await;
    let peer = PeerId::random();
    let joined = DomainEvent::PeerJoined {
        session,
        stay: Stay {
            peer,
            record: peer,
            participant_id: added["id"].as_str().unwrap().parse().unwrap(),
            custom_participant_id: "bo".to_owned(),
            display_name: None,
            preset_name: added["preset_name"].as_str().unwrap().to_owned(),
            view_type: PeerViewType::GroupCall,
            connected_at: began,
            joined_at: began,
        },
    };
    let started = DomainEvent::SessionStarted {
        session,
        parent: None,
        kind: SessionKind::Meeting,
        title: None,
        at: began,
    };
    let (store, node) = (stage.server.store(), node.to_owned());
    let kept = store.write(move |conn| {
        Box::pin(async move {
            let kept = rooms::record(conn, &at, &node, &started).await?;
            Ok(kept && rooms::record(conn, &at, &node, &joined).await?)
        })
    });
    assert!(kept.await.unwrap());
    session
}

async fn a_session_of_a_process_that_is_gone_is_taken_over(db: Database) {
    let stage = Stage::new(db).await;
    let session = session_of(&stage, "gone", 30).await;
    let mut ana = Guest::join(&stage.origin(), &stage.host("Ana").await).await;
    assert_eq!(ana.room().await.room_uuid(), session.to_string());
    // It is noted as alive from now on: nobody ends it as one that no process keeps.
    let kept = stage
        .server
        .store()
        .live_sessions_of(stage.server.app().rooms.node());
    let kept: Vec<_> = kept.await.unwrap().iter().map(|live| live.session).collect();
    assert_eq!(kept, [session]);
}

async fn a_session_of_another_process_is_left_alone(db: Database) {
    let stage = Stage::new(db).await;
    let session = session_of(&stage, "other", 5).await;
    let mut ana = Guest::connect(&stage.origin(), &stage.host("Ana").await).await;
    assert_eq!(ana.closed().await, Closed::Code(1011));
    let kept = stage.server.store().live_sessions_of("other").await.unwrap();
    assert_eq!(kept.len(), 1);
    assert_eq!(kept[0].session, session);
}

async fn a_room_begins_as_its_meeting_is_now(db: Database) {
    let stage = Stage::new(db).await;
    let app = stage.server.app();
    session_of(&stage, app.rooms.node(), 0).await;
    let at = at(&stage);
    let meeting = stage.server.store().meeting(&at.scope, at.meeting).await.unwrap();
    // Whoever begins it, and whatever that one knows of it: the records say how.
    assert_eq!(meeting.settings.status, MeetingStatus::Active);
    app.rooms.get_or_start(app, &at, None).unwrap();
    Guest::join(&stage.origin(), &stage.host("Ana").await).await;
}
