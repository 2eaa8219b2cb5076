//! Chat: pages, bounds, persistence, retention.

use std::time::Duration;

use muster_model::{
    ParticipantId, SessionId,
    chat::{ChatMessage, ChatPayloadKind},
    event::DomainEvent,
};
use muster_store::rooms::{ChatCursor, ChatLimits};
use muster_testkit::{Database, both};
use serde_json::json;

use super::{ALL, Room, message, poll, s};

both!(
    chat_is_kept_by_session_and_read_in_pages,
    old_chat_is_purged_unless_it_persists,
);

async fn chat_is_kept_by_session_and_read_in_pages(db: Database) {
    let server = crate::rooms_store::server(db).await;
    let room = Room::live(&server).await;
    let store = server.store();
    assert!(!store.has_chat(&room.at.scope, room.session).await.unwrap());
    let to = ParticipantId::random();
    let mut messages: Vec<ChatMessage> = (0..7)
        .map(|n| message(n / 2, &format!("{n} \u{1f642} 'quoted'")))
        .collect();
    messages[3].recipients = vec![to, messages[3].participant_id];
    messages[4].kind = ChatPayloadKind::File;
    room.record(messages.iter().map(|message| room.said(message)).collect())
        .await;
    messages[1].payload = "changed".into();
    (messages[1].edited, messages[1].pinned) = (true, true);
    let gone = messages.pop().unwrap();
    assert_eq!(
        room.record(vec![
            room.said(&messages[1]),
            DomainEvent::ChatDeleted {
                session: room.session,
                message: gone.id
            },
            DomainEvent::ChatDeleted {
                session: room.session,
                message: gone.id
            },
        ])
        .await,
        [true, true, false]
    );
    messages.sort_by_key(|message| (message.created_at, message.id));
    assert_eq!(room.chat().await, messages);
    assert!(store.has_chat(&room.at.scope, room.session).await.unwrap());
    let (mut paged, mut after) = (Vec::new(), None);
    loop {
        let page = store
            .session_chat(&room.at.scope, room.session, after, 4)
            .await
            .unwrap();
        let Some(last) = page.last() else { break };
        after = Some(ChatCursor::from(last));
        paged.extend(page);
    }
    assert_eq!(paged, messages);
    for (limits, count) in [
        (ALL, 6),
        (ChatLimits { messages: 2, ..ALL }, 2),
        (ChatLimits { messages: 0, ..ALL }, 0),
        (ChatLimits { bytes: 20, ..ALL }, 1),
    ] {
        let latest = store.meeting_chat(&room.at, limits).await.unwrap();
        assert_eq!(latest, messages[messages.len() - count..], "{limits:?}");
    }
    // More than is read at once; then edited in a later session of the meeting, which it does not move to.
    let many: Vec<ChatMessage> = (0..600).map(|n| message(100 + n, "x")).collect();
    room.record(many.iter().map(|message| room.said(message)).collect())
        .await;
    let latest = store.meeting_chat(&room.at, ALL).await.unwrap();
    assert_eq!((latest.len(), &latest[6..]), (606, &many[..]));
    room.record(vec![room.ended(1000)]).await;
    let later = Room {
        session: SessionId::random(),
        app: room.app.clone(),
        meeting: room.meeting.clone(),
        at: room.at.clone(),
        server: &server,
    };
    later.start(1001).await;
    let edited = ChatMessage {
        payload: "edited later".into(),
        ..many[0].clone()
    };
    assert_eq!(later.record(vec![later.said(&edited)]).await, [true]);
    assert!(later.chat().await.is_empty());
    assert!(room.chat().await.contains(&edited));
}

async fn old_chat_is_purged_unless_it_persists(db: Database) {
    let server = crate::rooms_store::server(db).await;
    let (brief, lasting) = (Room::live(&server).await, Room::live(&server).await);
    let live = Room::live(&server).await;
    lasting
        .meeting
        .patch("", json!({"persist_chat": true}))
        .await
        .expect(200);
    for room in [&brief, &lasting, &live] {
        let mut events: Vec<DomainEvent> = (0..1100).map(|n| room.said(&message(n, "x"))).collect();
        events.push(DomainEvent::PollSaved {
            session: room.session,
            poll: poll(1),
        });
        room.record(events).await;
    }
    brief.record(vec![brief.ended(10)]).await;
    lasting.record(vec![lasting.ended(10)]).await;
    let store = server.store();
    let day = Duration::from_secs(24 * 3600);
    assert_eq!(store.purge_chat(s(10).plus(day), day, || false).await.unwrap(), 0);
    assert_eq!(store.purge_chat(s(11).plus(day), day, || true).await.unwrap(), 0);
    // Polls go in either case.
    assert_eq!(
        store.purge_chat(s(11).plus(day), day, || false).await.unwrap(),
        1102
    );
    assert!(brief.chat().await.is_empty());
    for room in [&lasting, &live] {
        let kept = store.has_chat(&room.at.scope, room.session).await.unwrap();
        assert!(kept);
    }
    let polls = server.database().number("SELECT COUNT(*) FROM polls").await;
    assert_eq!(polls, 1);
    assert_eq!(
        store
            .purge_chat(s(11).plus(2 * day), day, || false)
            .await
            .unwrap(),
        0
    );
    lasting
        .meeting
        .patch("", json!({"persist_chat": false}))
        .await
        .expect(200);
    assert_eq!(
        store
            .purge_chat(s(20).plus(3 * day), day, || false)
            .await
            .unwrap(),
        1100
    );
}
