//! Messages that are passed on as they are: to the room, to some peers, to other rooms of the app.

use muster_testkit::{Api, Database, Guest, both};
use muster_wire::{
    event,
    socket::room::{BroadcastMessage, BroadcastType},
};

use super::Stage;

both!(
    a_broadcast_reaches_the_others,
    a_broadcast_to_peers_reaches_those_named,
    a_broadcast_to_rooms_stays_within_the_app,
    broadcasts_are_bounded,
);

fn message(kind: &str, payload: impl Into<Vec<u8>>) -> BroadcastMessage {
    BroadcastMessage {
        r#type: kind.to_owned(),
        payload: payload.into().into(),
        timestamp: 1_770_000_000_123,
        ..Default::default()
    }
}

fn to(kind: BroadcastType, ids: &[&str], message: BroadcastMessage) -> BroadcastMessage {
    BroadcastMessage {
        ids: ids.iter().map(|id| (*id).to_owned()).collect(),
        broadcast_type: Some(kind.into()),
        ..message
    }
}

fn same(told: &BroadcastMessage, sent: &BroadcastMessage) {
    assert_eq!(
        (&told.r#type, &told.payload, told.timestamp),
        (&sent.r#type, &sent.payload, sent.timestamp)
    );
}

async fn hears_none(guest: &mut Guest) {
    let heard = guest.pushed_events().await;
    let broadcasts = [event::BROADCAST_MESSAGE, event::BROADCAST_TO_ENTITY];
    assert!(!heard.iter().any(|event| broadcasts.contains(event)), "{heard:?}");
}

async fn a_broadcast_reaches_the_others(db: Database) {
    let stage = Stage::new(db).await;
    let mut ana = Guest::join(&stage.origin(), &stage.participant("Ana").await).await;
    let mut bo = Guest::join(&stage.origin(), &stage.participant("Bo").await).await;
    let mut cy = Guest::join(&stage.origin(), &stage.participant("Cy").await).await;
    let mut outside = Guest::connect(&stage.origin(), &stage.participant("Out").await).await;
    let sent = message("wave", "{\"hand\":\"left\"}");
    let reply = ana.ask(event::BROADCAST_MESSAGE, &sent).await.expect("a reply");
    assert!(
        reply.payload.is_empty(),
        "one with the message would reach the sender's application"
    );
    for guest in [&mut bo, &mut cy] {
        same(
            &guest.hear::<BroadcastMessage>(event::BROADCAST_MESSAGE).await,
            &sent,
        );
        hears_none(guest).await;
    }
    hears_none(&mut ana).await;
    outside.refused(event::BROADCAST_MESSAGE, &sent).await;
    hears_none(&mut outside).await;
    hears_none(&mut bo).await;
}

async fn a_broadcast_to_peers_reaches_those_named(db: Database) {
    let stage = Stage::new(db).await;
    let mut ana = Guest::join(&stage.origin(), &stage.participant("Ana").await).await;
    let mut bo = Guest::join(&stage.origin(), &stage.participant("Bo").await).await;
    let mut cy = Guest::join(&stage.origin(), &stage.participant("Cy").await).await;
    let mut outside = Guest::connect(&stage.origin(), &stage.participant("Out").await).await;
    let sent = message("nudge", "[1,2]");
    let ids = [bo.peer.as_str(), &outside.peer, "nonsense", &bo.peer];
    let wish = to(BroadcastType::Peers, &ids, sent.clone());
    let id = ana.tell(event::BROADCAST_TO_ENTITY, &wish).await;
    same(
        &bo.hear::<BroadcastMessage>(event::BROADCAST_TO_ENTITY).await,
        &sent,
    );
    hears_none(&mut bo).await;
    hears_none(&mut cy).await;
    hears_none(&mut outside).await;
    // The client expects no reply to this one.
    assert!(ana.pushed().await.iter().all(|frame| frame.id != id));
}

/// Another meeting, and somebody in it.
async fn elsewhere(origin: &str, app: &Api) -> Guest {
    let meeting = app.meeting().await;
    let made = meeting.participant("Somebody").await;
    Guest::join(origin, made["token"].as_str().unwrap()).await
}

async fn a_broadcast_to_rooms_stays_within_the_app(db: Database) {
    let stage = Stage::new(db).await;
    let origin = stage.origin();
    let mut ana = Guest::join(&origin, &stage.participant("Ana").await).await;
    let mut bo = Guest::join(&origin, &stage.participant("Bo").await).await;
    let mut near = elsewhere(&origin, &stage.app).await;
    let mut third = elsewhere(&origin, &stage.app).await;
    let mut other_app = elsewhere(&origin, &stage.app.app().await).await;
    let mut other_account = elsewhere(&origin, &stage.server.api().await.app().await).await;
    let asleep = stage.app.meeting().await;
    let sent = message("notice", "{}");
    let ids = [
        near.meeting.as_str(),
        &other_app.meeting,
        &other_account.meeting,
        &asleep.id,
        &near.meeting,
    ];
    let wish = to(BroadcastType::Rooms, &ids, sent.clone());
    let reply = ana.ask(event::BROADCAST_TO_ENTITY, &wish);
    assert!(reply.await.expect("a reply").payload.is_empty());
    let told: BroadcastMessage = near.hear(event::BROADCAST_TO_ENTITY).await;
    same(&told, &sent);
    assert_eq!(told.broadcast_type(), BroadcastType::Rooms);
    // What was passed on is with the other rooms before the reply to a later request.
    ana.room().await;
    for guest in [
        &mut other_app,
        &mut other_account,
        &mut near,
        &mut third,
        &mut bo,
        &mut ana,
    ] {
        hears_none(guest).await;
    }
    asleep.get("/active-session").await.refused(404);
    // Where it names the sender's own room, the others there hear it too.
    let own = to(
        BroadcastType::Rooms,
        &[&ana.meeting, &third.meeting],
        sent.clone(),
    );
    ana.ask(event::BROADCAST_TO_ENTITY, &own).await.expect("a reply");
    for guest in [&mut bo, &mut third] {
        same(
            &guest.hear::<BroadcastMessage>(event::BROADCAST_TO_ENTITY).await,
            &sent,
        );
    }
    hears_none(&mut ana).await;
}

async fn broadcasts_are_bounded(db: Database) {
    let stage = Stage::new(db).await;
    let mut ana = Guest::join(&stage.origin(), &stage.participant("Ana").await).await;
    let mut bo = Guest::join(&stage.origin(), &stage.participant("Bo").await).await;
    let json = |bytes: usize| format!("\"{}\"", "x".repeat(bytes - 2));
    for wrong in [
        message("big", json((64 << 10) + 1)),
        message("no JSON", "{"),
        message(&"k".repeat(257), "1"),
    ] {
        ana.refused(event::BROADCAST_MESSAGE, &wrong).await;
        let to_bo = to(BroadcastType::Peers, &[&bo.peer], wrong.clone());
        ana.refused(event::BROADCAST_TO_ENTITY, &to_bo).await;
        let to_here = to(BroadcastType::Rooms, &[&bo.meeting], wrong);
        ana.refused(event::BROADCAST_TO_ENTITY, &to_here).await;
    }
    let rooms: Vec<String> = (0..33).map(|_| uuid::Uuid::new_v4().to_string()).collect();
    let rooms: Vec<&str> = rooms.iter().map(String::as_str).collect();
    let everywhere = to(BroadcastType::Rooms, &rooms, message("x", "1"));
    ana.refused(event::BROADCAST_TO_ENTITY, &everywhere).await;
    hears_none(&mut bo).await;
    let largest = message("largest", json(64 << 10));
    ana.ask(event::BROADCAST_MESSAGE, &largest)
        .await
        .expect("a reply");
    same(
        &bo.hear::<BroadcastMessage>(event::BROADCAST_MESSAGE).await,
        &largest,
    );
}
