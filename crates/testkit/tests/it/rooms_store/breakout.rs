//! Breakout rooms: meetings beside the lists, that go with their parent.

use std::time::Duration;

use muster_model::{MeetingId, SessionId, event::DomainEvent, meeting::MeetingStatus, session::SessionKind};
use muster_store::participants::MeetingScope;
use muster_testkit::{Database, both};
use serde_json::json;

use super::{Room, message, s};

both!(
    breakout_rooms_are_meetings_beside_the_lists,
    a_parent_takes_its_breakout_rooms_with_it,
);

async fn breakout_rooms_are_meetings_beside_the_lists(db: Database) {
    let server = crate::rooms_store::server(db).await;
    let room = Room::live(&server).await;
    let store = server.store();
    room.meeting
        .patch(
            "",
            json!({"persist_chat": true, "session_keep_alive_time_in_secs": 120, "live_stream_on_start": true}),
        )
        .await
        .expect(200);
    let rooms = vec![
        (MeetingId::random(), "Red".to_owned()),
        (MeetingId::random(), "Blue".to_owned()),
    ];
    let made = DomainEvent::ConnectedMeetingsCreated {
        meetings: rooms.clone(),
        at: s(1),
    };
    assert_eq!(room.record(vec![made.clone(), made]).await, [true, false]);
    let red = store.meeting(&room.at.scope, rooms[0].0).await.unwrap();
    assert_eq!(red.settings.title.as_deref(), Some("Red"));
    assert!(red.settings.persist_chat && !red.settings.live_stream_on_start);
    assert_eq!(red.settings.keep_alive_secs, 120);
    room.app
        .get(&format!("/meetings/{}", rooms[0].0))
        .await
        .expect(200);
    for query in [
        "",
        "?search=red",
        "?status=ACTIVE",
        &format!("?search={}", rooms[0].0),
    ] {
        let list = room.app.get(&format!("/meetings{query}")).await.expect(200);
        let wanted = i64::from(!query.contains("search"));
        assert_eq!(list.paging().0, wanted, "{query}");
        assert_eq!(list.each("id").len(), usize::try_from(wanted).unwrap(), "{query}");
    }
    // It has sessions of its own, and no breakout rooms.
    let child = Room {
        server: &server,
        app: room.app.clone(),
        meeting: room.app.at_meeting(&rooms[0].0.to_string()),
        at: MeetingScope {
            meeting: rooms[0].0,
            ..room.at.clone()
        },
        session: SessionId::random(),
    };
    let within = DomainEvent::SessionStarted {
        session: child.session,
        parent: Some(room.session),
        kind: SessionKind::Meeting,
        title: Some("Red".into()),
        at: s(2),
    };
    let nested = DomainEvent::ConnectedMeetingsCreated {
        meetings: vec![(MeetingId::random(), "x".into())],
        at: s(2),
    };
    assert_eq!(child.record(vec![within, nested]).await, [true, false]);
    let known = store.breakout_rooms(&room.at.scope, room.session).await.unwrap();
    assert_eq!(known.len(), 1);
    assert_eq!(
        (known[0].id, known[0].parent),
        (child.session, Some(room.session))
    );
    let give_up = DomainEvent::ConnectedMeetingsDeleted {
        meetings: vec![rooms[0].0, room.at.meeting],
    };
    let other = Room::live(&server).await;
    assert_eq!(other.record(vec![give_up.clone()]).await, [false]);
    assert_eq!(room.record(vec![give_up]).await, [true]);
    let red = store.meeting(&room.at.scope, rooms[0].0).await.unwrap();
    assert_eq!(red.settings.status, MeetingStatus::Inactive);
    let parent = store.meeting(&room.at.scope, room.at.meeting).await.unwrap();
    assert_eq!(parent.settings.status, MeetingStatus::Active);
    child.record(vec![child.ended(3)]).await;
    room.app
        .get(&format!("/sessions/{}", child.session))
        .await
        .expect(200);
}

async fn a_parent_takes_its_breakout_rooms_with_it(db: Database) {
    let server = crate::rooms_store::server(db).await;
    let room = Room::live(&server).await;
    let survivor = Room::of(&server, room.app.clone()).await;
    let store = server.store();
    let child = MeetingId::random();
    room.record(vec![
        DomainEvent::ConnectedMeetingsCreated {
            meetings: vec![(child, "child".into())],
            at: s(1),
        },
        room.ended(2),
    ])
    .await;
    let in_child = Room {
        server: &server,
        app: room.app.clone(),
        meeting: room.app.at_meeting(&child.to_string()),
        at: MeetingScope {
            meeting: child,
            ..room.at.clone()
        },
        session: SessionId::random(),
    };
    in_child.meeting.participant("ada").await;
    in_child.start(3).await;
    room.meeting.delete("").await.refused(409);
    in_child.record(vec![in_child.ended(4)]).await;
    room.meeting.delete("").await.expect(200);
    store.purge(server.app().now(), || false).await.unwrap();
    let count = async |sql: &str| server.database().number(sql).await;
    assert_eq!(count("SELECT COUNT(*) FROM meetings").await, 1);
    assert_eq!(count("SELECT COUNT(*) FROM participants").await, 0);
    assert_eq!(count("SELECT COUNT(*) FROM rosters").await, 1);
    assert_eq!(survivor.app.get("/meetings").await.paging().0, 1);

    // And an app takes both.
    survivor.start(5).await;
    survivor
        .record(vec![
            DomainEvent::ConnectedMeetingsCreated {
                meetings: vec![(MeetingId::random(), "child".into())],
                at: s(6),
            },
            survivor.said(&message(6, "bye")),
            survivor.ended(7),
        ])
        .await;
    let app = format!("/apps/{}", survivor.app.id);
    survivor.app.kit().delete(&app).await.expect(200);
    store.purge(server.app().now(), || false).await.unwrap();
    assert_eq!(count("SELECT COUNT(*) FROM meetings").await, 0);
    let path = format!("/sessions/{}", survivor.session);
    survivor.app.get(&path).await.expect(200);
    assert_eq!(survivor.chat().await.len(), 1);
    let week = Duration::from_secs(7 * 24 * 3600);
    let later = s(8).plus(week);
    assert_eq!(store.purge_chat(later, week, || false).await.unwrap(), 1);
    assert!(survivor.chat().await.is_empty());
}
