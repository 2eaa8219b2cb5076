//! Chat that is still there later: for newcomers, for later sessions, after a full disk and a kill.

use std::fs;

use muster_testkit::{Closed, Database, Guest, Muster, both, bounded, eventually};
use muster_wire::{
    event,
    prost::Message as _,
    socket::chat::{EditChatMessageResponse, SendChatMessageToRoomResponse},
};
use serde_json::json;

use super::{
    Stage,
    chat::{edit, heard, history, payloads, to_room},
    kit::{SOON, kick_all, text, whisper},
};
use crate::disk_full::shim;

both!(chat_persists_where_the_meeting_says_so);

async fn chat_persists_where_the_meeting_says_so(db: Database) {
    let stage = Stage::new(db).await;
    let token = stage.host("Ana").await;
    let mut ana = Guest::join(&stage.origin(), &token).await;
    ana.say("forgotten").await;
    kick_all(&stage).await.expect(200);
    assert_eq!(ana.closed().await, Closed::Code(1000));
    let mut ana = Guest::join(&stage.origin(), &token).await;
    assert!(
        history(&mut ana).await.is_empty(),
        "another session, another chat"
    );
    kick_all(&stage).await.expect(200);
    ana.closed().await;

    let persistent = stage
        .app
        .post("/meetings", json!({"persist_chat": true}))
        .await
        .expect(201)
        .ok();
    let stage = Stage {
        meeting: stage.app.at_meeting(&text(&persistent["id"])),
        ..stage
    };
    let (one, two) = (stage.host("Ana").await, stage.host("Bo").await);
    let mut ana = Guest::join(&stage.origin(), &one).await;
    let bo = Guest::join(&stage.origin(), &two).await;
    let first = ana.say("first").await;
    whisper(&mut ana, &[&bo], "for Bo").await;
    kick_all(&stage).await.expect(200);
    ana.closed().await;
    let mut bo = Guest::join(&stage.origin(), &two).await;
    assert_eq!(payloads(&history(&mut bo).await), ["first", "for Bo"]);
    let mut cy = Guest::join(&stage.origin(), &stage.host("Cy").await).await;
    assert_eq!(
        history(&mut cy).await,
        std::slice::from_ref(&first),
        "what was private stays so"
    );
    // It can still be changed by who wrote it, and goes on.
    let mut ana = Guest::join(&stage.origin(), &one).await;
    ana.request::<EditChatMessageResponse>(event::EDIT_MESSAGE, &edit(&first, "1st"))
        .await;
    bo.say("second").await;
    kick_all(&stage).await.expect(200);
    bo.closed().await;
    let mut bo = Guest::join(&stage.origin(), &two).await;
    assert_eq!(payloads(&history(&mut bo).await), ["1st", "for Bo", "second"]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_newcomer_gets_the_last_thousand() {
    bounded(Box::pin(async {
        let stage = Stage::new(Database::Sqlite).await;
        let mut last = String::new();
        // Each device may write 180 messages at once.
        for device in 0..7 {
            let token = stage.host(&format!("device {device}")).await;
            let mut guest = Guest::join(&stage.origin(), &token).await;
            for n in 0..160 {
                last = format!("{}", device * 160 + n);
                guest
                    .tell(event::SEND_MESSAGE_TO_ROOM, &to_room(0, last.clone()))
                    .await;
            }
            while heard(&mut guest).await.payload != last {}
        }
        let mut late = Guest::join(&stage.origin(), &stage.participant("Late").await).await;
        let messages = history(&mut late).await;
        let wanted: Vec<String> = (120..1120).map(|n| n.to_string()).collect();
        assert_eq!(payloads(&messages), wanted, "the last thousand, oldest first");
        assert_eq!(last, "1119");
        assert_eq!(
            stage
                .server
                .database()
                .number("SELECT COUNT(*) FROM chat_messages")
                .await,
            1120
        );
    }))
    .await;
}

/// The echo is the acknowledgement: it does not come while the message cannot be stored, and a message
/// whose echo came is there after a kill.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nothing_is_echoed_that_is_not_stored() {
    bounded(Box::pin(async {
        let muster = Muster::new(Database::Sqlite).await;
        let full = muster.scratch().join("full");
        let library = shim(muster.scratch());
        let muster = muster
            .env("LD_PRELOAD", library)
            .env("SYNCSHIM_ENOSPC_FILE", &full)
            .env("SYNCSHIM_ENOSPC_MATCH", "/data/");
        let server = muster.serve(&[]);
        let meeting = muster.api(&server).app().await.meeting().await;
        let token = text(&meeting.participant("Ana").await["token"]);
        let mut ana = Guest::join(&server.origin, &token).await;
        ana.say("stored").await;

        fs::write(&full, "").unwrap();
        ana.tell(event::SEND_MESSAGE_TO_ROOM, &to_room(0, "lost")).await;
        // The room tries for some seconds, and then gives up as in a crash.
        let end = ana.closed().await;
        assert!(
            matches!(end, Closed::Code(code) if code != 1000),
            "{end:?}: clients are to come back"
        );
        let echoes = ana
            .arrived()
            .into_iter()
            .filter(|frame| frame.event == event::SEND_MESSAGE_TO_ROOM)
            .filter_map(|frame| SendChatMessageToRoomResponse::decode(frame.payload).ok()?.message)
            .count();
        assert_eq!(echoes, 0, "the echo of what was not stored");
        meeting.at_root("").get("/readyz").await.refused(503);

        fs::remove_file(&full).unwrap();
        // The room begins anew by itself; until it has, it closes connections.
        let peer = ana.peer.clone();
        let mut back = None;
        eventually("Ana is back", SOON, async || {
            let Ok(mut guest) = Guest::try_connect(&server.origin, &token, &meeting.id, &peer).await else {
                return false;
            };
            let wish = muster_wire::socket::room::JoinRoomRequest::default();
            let id = guest.tell(event::JOIN_ROOM, &wish).await;
            let came = guest.replied(&id).await;
            back = Some(guest);
            came
        })
        .await;
        let mut ana = back.expect("Ana");
        assert_eq!(payloads(&history(&mut ana).await), ["stored"]);
        ana.say("stored again").await;
        server.kill();
        ana.closed().await;
        let server = muster.serve(&[]);
        let mut ana = Guest::connect_as(&server.origin, &token, &peer).await;
        ana.come_in().await;
        assert_eq!(payloads(&history(&mut ana).await), ["stored", "stored again"]);
    }))
    .await;
}
