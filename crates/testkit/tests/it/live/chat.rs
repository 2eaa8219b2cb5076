//! Chat over real sockets: who gets what.

use muster_testkit::{Database, Guest, both};
use muster_wire::{
    event,
    socket::chat::{
        self, DeleteChatMessageRequest, DeleteChatMessageResponse, EditChatMessageRequest,
        EditChatMessageResponse, GetChatMessagesResponse, PinChatMessageRequest, PinChatMessageResponse,
        SearchChatMessagesRequest, SendChatMessageToPeersRequest, SendChatMessageToPeersResponse,
        SendChatMessageToRoomRequest, SendChatMessageToRoomResponse,
        get_paginated_chat_message_filters::Filters,
    },
};
use serde_json::{Value, json};

use super::{
    Stage,
    kit::{link_path, preset, text, whisper},
};

both!(
    a_message_reaches_everybody_inside,
    a_private_message_reaches_those_it_is_for,
    only_the_writer_changes_a_message,
    messages_are_deleted_and_pinned_by_right,
    pages_go_both_ways,
    pages_are_filtered,
    messages_are_found_by_their_text,
    a_file_goes_from_one_to_another,
    what_makes_no_sense_is_refused,
    too_many_files_are_refused,
    presets_bound_what_is_written,
);

pub(super) fn to_room(payload_type: i32, payload: impl Into<String>) -> SendChatMessageToRoomRequest {
    SendChatMessageToRoomRequest {
        payload_type,
        payload: payload.into(),
    }
}

pub(super) async fn heard(guest: &mut Guest) -> chat::ChatMessage {
    guest
        .hear::<SendChatMessageToRoomResponse>(event::SEND_MESSAGE_TO_ROOM)
        .await
        .message
        .expect("a message")
}

pub(super) async fn history(guest: &mut Guest) -> Vec<chat::ChatMessage> {
    guest
        .request::<GetChatMessagesResponse>(event::GET_MESSAGES, &Guest::nothing())
        .await
        .messages
}

pub(super) fn payloads(messages: &[chat::ChatMessage]) -> Vec<&str> {
    messages.iter().map(|message| message.payload.as_str()).collect()
}

async fn a_message_reaches_everybody_inside(db: Database) {
    let stage = Stage::new(db).await;
    let origin = stage.origin();
    let mut ana = Guest::join(&origin, &stage.host("Ana").await).await;
    let mut bo = Guest::join(&origin, &stage.participant("Bo").await).await;
    let mut outside = Guest::connect(&origin, &stage.participant("Out").await).await;
    let sent = bo.say("hello").await;
    let told = heard(&mut ana).await;
    assert_eq!(told, sent);
    assert_eq!((&told.peer_id, &told.user_id), (&bo.peer, &bo.user));
    assert_eq!((told.display_name.as_str(), told.payload_type), ("Bo", 0));
    assert!(!told.pinned && !told.is_edited && told.target_user_ids.is_empty());
    assert_eq!(
        told.created_at,
        told.created_at_ms() / 1000,
        "seconds and milliseconds"
    );

    // Nobody has it twice, and who has not come in has nothing: neither now nor by asking.
    assert!(!bo.pushed_events().await.contains(&event::SEND_MESSAGE_TO_ROOM));
    assert!(!ana.pushed_events().await.contains(&event::SEND_MESSAGE_TO_ROOM));
    assert!(history(&mut outside).await.is_empty());
    assert!(
        !outside
            .pushed_events()
            .await
            .contains(&event::SEND_MESSAGE_TO_ROOM)
    );
    outside
        .refused(event::SEND_MESSAGE_TO_ROOM, &to_room(0, "me too"))
        .await;
    outside.come_in().await;
    assert_eq!(history(&mut outside).await, [sent]);
}

async fn a_private_message_reaches_those_it_is_for(db: Database) {
    let stage = Stage::new(db).await;
    let origin = stage.origin();
    let mut ana = Guest::join(&origin, &stage.host("Ana").await).await;
    let token = stage.host("Bo").await;
    let mut bo = Guest::join(&origin, &token).await;
    let mut tablet = Guest::join(&origin, &token).await;
    let mut cy = Guest::join(&origin, &stage.host("Cy").await).await;
    let mut dee = Guest::join(&origin, &stage.participant("Dee").await).await;

    let sent = whisper(&mut ana, &[&bo], "between us").await;
    let mut to = vec![ana.user.clone(), bo.user.clone()];
    to.sort();
    let mut told = sent.target_user_ids.clone();
    told.sort();
    assert_eq!(told, to);
    for guest in [&mut bo, &mut tablet] {
        let heard = guest
            .hear::<SendChatMessageToPeersResponse>(event::SEND_MESSAGE_TO_PEERS)
            .await;
        assert_eq!(heard.message.as_ref(), Some(&sent), "each device of the person");
        assert_eq!(history(guest).await, std::slice::from_ref(&sent));
    }
    assert!(!cy.pushed_events().await.contains(&event::SEND_MESSAGE_TO_PEERS));
    assert!(history(&mut cy).await.is_empty());
    for message in [
        cy.refused(event::EDIT_MESSAGE, &edit(&sent, "mine")).await,
        cy.refused(event::DELETE_MESSAGE, &delete(&sent)).await,
        cy.refused(event::PIN_MESSAGE, &pin(&sent, true)).await,
    ] {
        assert_eq!(message, "message not found", "it is nothing of theirs to know");
    }

    // Dee's preset lets nobody write to her in private, nor her to others.
    let to_dee = SendChatMessageToPeersRequest {
        peer_ids: vec![dee.peer.clone(), ana.peer.clone()],
        payload_type: 0,
        payload: "psst".to_owned(),
    };
    let why = ana.refused(event::SEND_MESSAGE_TO_PEERS, &to_dee).await;
    assert!(why.contains("not permitted"), "{why}");
    let why = dee.refused(event::SEND_MESSAGE_TO_PEERS, &to_dee).await;
    assert!(why.contains("not permitted"), "{why}");
    let nobody = SendChatMessageToPeersRequest {
        peer_ids: vec![uuid::Uuid::new_v4().to_string()],
        ..to_dee
    };
    ana.refused(event::SEND_MESSAGE_TO_PEERS, &nobody).await;
    assert!(!dee.pushed_events().await.contains(&event::SEND_MESSAGE_TO_PEERS));

    // An edit of it goes where it went.
    ana.request::<EditChatMessageResponse>(event::EDIT_MESSAGE, &edit(&sent, "still between us"))
        .await;
    let heard = bo.hear::<EditChatMessageResponse>(event::EDIT_MESSAGE).await;
    assert_eq!(heard.message.unwrap().payload, "still between us");
    assert!(!cy.pushed_events().await.contains(&event::EDIT_MESSAGE));
}

pub(super) fn edit(message: &chat::ChatMessage, payload: &str) -> EditChatMessageRequest {
    EditChatMessageRequest {
        chat_id: message.chat_id.clone(),
        payload: Some(payload.to_owned()),
        ..Default::default()
    }
}

fn delete(message: &chat::ChatMessage) -> DeleteChatMessageRequest {
    DeleteChatMessageRequest {
        chat_id: message.chat_id.clone(),
        channel_id: None,
    }
}

fn pin(message: &chat::ChatMessage, pinned: bool) -> PinChatMessageRequest {
    PinChatMessageRequest {
        chat_id: message.chat_id.clone(),
        pinned,
        channel_id: None,
    }
}

async fn only_the_writer_changes_a_message(db: Database) {
    let stage = Stage::new(db).await;
    let mut ana = Guest::join(&stage.origin(), &stage.host("Ana").await).await;
    let mut bo = Guest::join(&stage.origin(), &stage.participant("Bo").await).await;
    let sent = bo.say("frist").await;
    let why = ana.refused(event::EDIT_MESSAGE, &edit(&sent, "hers")).await;
    assert!(why.contains("not permitted"), "{why}");
    let told = bo
        .request::<EditChatMessageResponse>(event::EDIT_MESSAGE, &edit(&sent, "first"))
        .await
        .message
        .unwrap();
    assert!(told.is_edited);
    assert_eq!(
        (told.payload.as_str(), &told.chat_id, told.created_at_ms),
        ("first", &sent.chat_id, sent.created_at_ms)
    );
    let heard = ana.hear::<EditChatMessageResponse>(event::EDIT_MESSAGE).await;
    assert_eq!(heard.message.as_ref(), Some(&told));
    assert_eq!(history(&mut ana).await, [told]);
    let kept = "SELECT COUNT(*) FROM chat_messages WHERE payload = 'first' AND edited";
    assert_eq!(
        stage.server.database().number(kept).await,
        1,
        "in place of the first one"
    );
    assert_eq!(
        stage
            .server
            .database()
            .number("SELECT COUNT(*) FROM chat_messages")
            .await,
        1
    );
}

async fn messages_are_deleted_and_pinned_by_right(db: Database) {
    let stage = Stage::new(db).await;
    let mut ana = Guest::join(&stage.origin(), &stage.host("Ana").await).await;
    let mut bo = Guest::join(&stage.origin(), &stage.participant("Bo").await).await;
    let hers = ana.say("hers").await;
    let his = bo.say("his").await;
    for why in [
        bo.refused(event::DELETE_MESSAGE, &delete(&hers)).await,
        bo.refused(event::PIN_MESSAGE, &pin(&hers, true)).await,
    ] {
        assert!(why.contains("not permitted"), "{why}");
    }
    let told = ana
        .request::<PinChatMessageResponse>(event::PIN_MESSAGE, &pin(&his, true))
        .await;
    assert!(told.pinned && told.message.as_ref().unwrap().pinned);
    assert_eq!(told.chat_id, his.chat_id);
    let heard = bo.hear::<PinChatMessageResponse>(event::PIN_MESSAGE).await;
    assert_eq!(heard, told);
    assert!(!told.message.unwrap().is_edited, "a pin is no edit");

    let told = ana
        .request::<DeleteChatMessageResponse>(event::DELETE_MESSAGE, &delete(&his))
        .await;
    assert_eq!(told.chat_id, his.chat_id);
    let heard = bo.hear::<DeleteChatMessageResponse>(event::DELETE_MESSAGE).await;
    assert_eq!(heard.chat_id, his.chat_id);
    assert_eq!(payloads(&history(&mut bo).await), ["hers"]);
    let why = bo.refused(event::DELETE_MESSAGE, &delete(&his)).await;
    assert_eq!(why, "message not found");
    assert_eq!(
        stage
            .server
            .database()
            .number("SELECT COUNT(*) FROM chat_messages")
            .await,
        1
    );
}

struct Page {
    time_stamp: u64,
    from: i32,
    reversed: bool,
    filters: Option<Filters>,
}

/// Seven messages at once, as the client pages them.
async fn page(guest: &mut Guest, page: Page) -> (Vec<String>, bool) {
    let wish = chat::GetPaginatedChatMessageRoomRequest {
        time_stamp: page.time_stamp,
        size: 7,
        from: page.from,
        reversed: page.reversed,
        channel_id: None,
        filters: page.filters.map(|filters| chat::GetPaginatedChatMessageFilters {
            filters: Some(filters),
        }),
    };
    let told: chat::GetPaginatedChatMessageRoomResponse =
        guest.request(event::GET_PAGINATED_MESSAGES, &wish).await;
    let found = told.messages.into_iter().map(|message| message.payload).collect();
    (found, told.next)
}

async fn pages_go_both_ways(db: Database) {
    let stage = Stage::new(db).await;
    let mut ana = Guest::join(&stage.origin(), &stage.host("Ana").await).await;
    let mut bo = Guest::join(&stage.origin(), &stage.participant("Bo").await).await;
    let mut sent = Vec::new();
    for n in 0..20 {
        sent.push(ana.say(&n.to_string()).await);
    }
    let ask = |time_stamp, from, reversed| Page {
        time_stamp,
        from,
        reversed,
        filters: None,
    };
    let range = |numbers: &mut dyn Iterator<Item = usize>| numbers.map(|n| n.to_string()).collect::<Vec<_>>();
    assert_eq!(page(&mut bo, ask(0, 0, false)).await, (range(&mut (0..7)), true));
    assert_eq!(page(&mut bo, ask(0, 7, false)).await, (range(&mut (7..14)), true));
    assert_eq!(
        page(&mut bo, ask(0, 14, false)).await,
        (range(&mut (14..20)), false)
    );
    assert_eq!(
        page(&mut bo, ask(0, 13, false)).await,
        (range(&mut (13..20)), false)
    );
    assert_eq!(
        page(&mut bo, ask(0, 0, true)).await,
        (range(&mut (13..20).rev()), true)
    );
    assert_eq!(
        page(&mut bo, ask(0, 14, true)).await,
        (range(&mut (0..6).rev()), false)
    );
    assert_eq!(page(&mut bo, ask(0, 99, true)).await, (vec![], false));
    // From a time on, and up to it. Several may be of one millisecond.
    let at = sent[10].created_at_ms();
    let since = sent
        .iter()
        .position(|message| message.created_at_ms() >= at)
        .unwrap();
    let until = sent
        .iter()
        .rposition(|message| message.created_at_ms() <= at)
        .unwrap();
    let (found, _) = page(&mut bo, ask(at, 0, false)).await;
    assert_eq!(found[0], since.to_string());
    let (found, _) = page(&mut bo, ask(at, 0, true)).await;
    assert_eq!(found[0], until.to_string());
}

async fn pages_are_filtered(db: Database) {
    let stage = Stage::new(db).await;
    let mut ana = Guest::join(&stage.origin(), &stage.host("Ana").await).await;
    let mut bo = Guest::join(&stage.origin(), &stage.host("Bo").await).await;
    let mut cy = Guest::join(&stage.origin(), &stage.host("Cy").await).await;
    ana.say("public").await;
    let pinned = bo.say("pinned").await;
    cy.request::<PinChatMessageResponse>(event::PIN_MESSAGE, &pin(&pinned, true))
        .await;
    whisper(&mut ana, &[&bo], "for Bo").await;
    whisper(&mut ana, &[&cy], "for Cy").await;
    whisper(&mut bo, &[&ana], "for Ana").await;
    let ask = |filters| Page {
        time_stamp: 0,
        from: 0,
        reversed: false,
        filters,
    };
    let (bo_user, ana_user) = (bo.user.clone(), ana.user.clone());
    assert_eq!(page(&mut ana, ask(None)).await.0, ["public", "pinned"]);
    assert_eq!(
        page(&mut ana, ask(Some(Filters::Pinned(true)))).await.0,
        ["pinned"]
    );
    assert_eq!(
        page(&mut ana, ask(Some(Filters::UserId(bo_user.clone()))))
            .await
            .0,
        ["for Bo", "for Ana"]
    );
    assert_eq!(
        page(&mut cy, ask(Some(Filters::UserId(ana_user)))).await.0,
        ["for Cy"]
    );
    assert!(
        page(&mut cy, ask(Some(Filters::UserId(bo_user))))
            .await
            .0
            .is_empty()
    );
}

async fn messages_are_found_by_their_text(db: Database) {
    let stage = Stage::new(db).await;
    let mut ana = Guest::join(&stage.origin(), &stage.host("Ana").await).await;
    let bo = Guest::join(&stage.origin(), &stage.host("Bo").await).await;
    let mut cy = Guest::join(&stage.origin(), &stage.host("Cy").await).await;
    for text in ["Apple pie", "a pear", "APPLES"] {
        ana.say(text).await;
    }
    whisper(&mut ana, &[&bo], "an apple a day").await;
    let search = |term: &str| SearchChatMessagesRequest {
        size: 50,
        search_term: term.to_owned(),
        ..Default::default()
    };
    let found: GetChatMessagesResponse = cy.request(event::SEARCH_MESSAGES, &search("apple")).await;
    assert_eq!(
        payloads(&found.messages),
        ["Apple pie", "APPLES"],
        "not what was private"
    );
    let found: GetChatMessagesResponse = ana.request(event::SEARCH_MESSAGES, &search("apple")).await;
    assert_eq!(found.messages.len(), 3);
    let found: GetChatMessagesResponse = cy.request(event::SEARCH_MESSAGES, &search("plum")).await;
    assert!(found.messages.is_empty());
}

async fn a_file_goes_from_one_to_another(db: Database) {
    let stage = Stage::new(db).await;
    let mut ana = Guest::join(&stage.origin(), &stage.host("Ana").await).await;
    let mut bo = Guest::join(&stage.origin(), &stage.participant("Bo").await).await;
    let client = stage.app.at_root("").with_token(bo.token.clone());
    let wish = json!({"roomUUID": stage.meeting.id, "filename": "notes.txt"});
    let links = client
        .post("/v2/meetings/chat-upload", wish)
        .await
        .expect(200)
        .ok();
    let anybody = client.without_token();
    let put = link_path(&text(&links["put_location"]));
    let written = anybody
        .call(http::Method::PUT, &put)
        .header("content-type", "text/plain");
    written.bytes("what was agreed").send().await.expect(200);
    let file = json!({"link": links["get_location"], "name": "notes.txt", "size": 15});
    bo.tell(event::SEND_MESSAGE_TO_ROOM, &to_room(2, file.to_string()))
        .await;
    let told = heard(&mut ana).await;
    assert_eq!(told.payload_type, 2);
    let payload: Value = serde_json::from_str(&told.payload).unwrap();
    assert_eq!(payload, file);
    let got = anybody.get(&link_path(&text(&payload["link"]))).await.expect(200);
    assert_eq!(got.text, "what was agreed");
    // A picture is its address alone.
    bo.tell(
        event::SEND_MESSAGE_TO_ROOM,
        &to_room(1, text(&links["get_location"])),
    )
    .await;
    let told = heard(&mut ana).await;
    assert_eq!(
        (told.payload_type, told.payload),
        (1, text(&links["get_location"]))
    );
}

async fn what_makes_no_sense_is_refused(db: Database) {
    let stage = Stage::new(db).await;
    let mut ana = Guest::join(&stage.origin(), &stage.host("Ana").await).await;
    let mut bo = Guest::join(&stage.origin(), &stage.participant("Bo").await).await;
    for message in [
        to_room(0, "x".repeat(10_001)),
        to_room(0, " \n"),
        to_room(0, "a\0b"),
        to_room(1, "javascript:alert(1)"),
        to_room(2, "{\"link\":"),
        to_room(2, "{\"link\":\"ftp://x\",\"name\":\"x\",\"size\":1}"),
        to_room(3, "[1]"),
        to_room(9, "what is this"),
    ] {
        ana.refused(event::SEND_MESSAGE_TO_ROOM, &message).await;
    }
    let gone = chat::ChatMessage {
        chat_id: uuid::Uuid::new_v4().to_string(),
        ..Default::default()
    };
    assert_eq!(
        ana.refused(event::DELETE_MESSAGE, &delete(&gone)).await,
        "message not found"
    );
    let nonsense = chat::ChatMessage {
        chat_id: "x".to_owned(),
        ..Default::default()
    };
    ana.refused(event::DELETE_MESSAGE, &delete(&nonsense)).await;
    ana.refused(event::SEND_MESSAGE_TO_ROOM, &to_room(0, "")).await;
    assert!(!bo.pushed_events().await.contains(&event::SEND_MESSAGE_TO_ROOM));
    // The longest one there may be goes through, to everybody.
    let long = "ä".repeat(10_000);
    ana.say(&long).await;
    assert_eq!(heard(&mut bo).await.payload, long);
}

async fn too_many_files_are_refused(db: Database) {
    let stage = Stage::new(db).await;
    let mut ana = Guest::join(&stage.origin(), &stage.host("Ana").await).await;
    let mut bo = Guest::join(&stage.origin(), &stage.host("Bo").await).await;
    // Twenty a minute: of twice as many at once not all can pass, however slow the machine.
    let image = to_room(1, "https://example.com/a.png");
    for _ in 0..40 {
        ana.tell(event::SEND_MESSAGE_TO_ROOM, &image).await;
    }
    let frames = ana.pushed().await;
    let echoes = frames
        .iter()
        .filter(|frame| frame.event == event::SEND_MESSAGE_TO_ROOM)
        .count();
    let refusals = frames.iter().filter(|frame| frame.event == event::ERROR).count();
    assert_eq!(echoes + refusals, 40);
    assert!(echoes >= 20 && refusals > 0, "{echoes} {refusals}");
    // Text is counted for itself, and so is everybody else.
    ana.say("words pass").await;
    bo.tell(event::SEND_MESSAGE_TO_ROOM, &image).await;
    while heard(&mut bo).await.peer_id != bo.peer {}
}

async fn presets_bound_what_is_written(db: Database) {
    let stage = Stage::new(db).await;
    let no_files = preset(
        &stage.app,
        "words only",
        json!({"chat": {"public": {"files": false}, "private": {"files": false}}}),
    )
    .await;
    let silent = preset(
        &stage.app,
        "silent",
        json!({"chat": {"public": {"can_send": false}, "private": {"can_send": false}}}),
    )
    .await;
    let mut words = Guest::join(&stage.origin(), &stage.token("Wor", &no_files).await).await;
    let mut silent = Guest::join(&stage.origin(), &stage.token("Sil", &silent).await).await;
    let image = to_room(1, "https://example.com/a.png");
    words.refused(event::SEND_MESSAGE_TO_ROOM, &image).await;
    words.say("words").await;
    silent
        .refused(event::SEND_MESSAGE_TO_ROOM, &to_room(0, "no"))
        .await;
    assert_eq!(heard(&mut silent).await.payload, "words");
    let client = stage.app.at_root("").with_token(words.token.clone());
    let wish = json!({"roomUUID": stage.meeting.id, "filename": "notes.txt"});
    client.post("/v2/meetings/chat-upload", wish).await.refused(403);
}
