//! Chat: who may write what to whom, and what becomes of it.

mod bounds;
mod changing;
mod model;
mod reading;
mod writing;

use std::sync::Arc;

use muster_model::{
    ChatMessageId,
    chat::{
        ChatMessage,
        ChatPayloadKind::{self, Text},
    },
    event::DomainEvent,
    preset::Permissions,
};
use muster_room::{ChatFilter, ChatPage, Event, Refusal, Request, RoomSettings};

use crate::harness::{Meeting, Outcome, P, person_who, settings};

pub(super) const FILE: &str = r#"{"link":"https://x.test/a.pdf","name":"a.pdf","size":12}"#;

pub(super) fn say(payload: &str) -> Request {
    send(Text, payload)
}

pub(super) fn send(kind: ChatPayloadKind, payload: &str) -> Request {
    Request::SendChat {
        kind,
        payload: payload.to_owned(),
    }
}

pub(super) fn whisper(to: &[P], payload: &str) -> Request {
    send_to(to, Text, payload)
}

pub(super) fn send_to(to: &[P], kind: ChatPayloadKind, payload: &str) -> Request {
    Request::SendPrivateChat {
        peers: to.iter().map(|peer| peer.id).collect(),
        kind,
        payload: payload.to_owned(),
    }
}

pub(super) fn edit(message: ChatMessageId, payload: &str) -> Request {
    Request::EditChat {
        message,
        kind: None,
        payload: Some(payload.to_owned()),
        pinned: None,
    }
}

pub(super) fn pin(message: ChatMessageId, pinned: bool) -> Request {
    Request::PinChat { message, pinned }
}

pub(super) fn page() -> ChatPage {
    ChatPage {
        time_ms: 0,
        size: 100,
        from: 0,
        reversed: false,
        filter: ChatFilter::Public,
    }
}

pub(super) fn search(term: &str) -> Request {
    Request::SearchChat {
        term: term.to_owned(),
        page: page(),
    }
}

/// Permissions to write to one another in private.
pub(super) fn private(may: &mut Permissions) {
    may.chat.private.can_send = true;
    may.chat.private.can_receive = true;
    may.chat.private.text = true;
    may.chat.private.files = true;
}

pub(super) fn moderator(may: &mut Permissions) {
    private(may);
    may.kick_participant = true;
    may.pin_participant = true;
}

/// Ana moderates; Ben and Cleo may write in private.
pub(super) fn three() -> (Meeting, P, P, P) {
    three_in(settings())
}

pub(super) fn three_in(settings: RoomSettings) -> (Meeting, P, P, P) {
    let mut meeting = Meeting::with(settings);
    let ana = meeting.join(&person_who(1, "Ana", moderator));
    let ben = meeting.join(&person_who(2, "Ben", private));
    let cleo = meeting.join(&person_who(3, "Cleo", private));
    (meeting, ana, ben, cleo)
}

/// The message that a request saved.
#[track_caller]
pub(super) fn saved(outcome: &Outcome) -> ChatMessage {
    match outcome.records().as_slice() {
        [DomainEvent::ChatSaved { message, .. }] => message.clone(),
        other => panic!("{other:?}"),
    }
}

#[track_caller]
pub(super) fn said(meeting: &mut Meeting, who: P, payload: &str) -> ChatMessageId {
    saved(&meeting.ask(who, say(payload)).granted()).id
}

#[track_caller]
pub(super) fn whispered(meeting: &mut Meeting, who: P, to: &[P], payload: &str) -> ChatMessageId {
    saved(&meeting.ask(who, whisper(to, payload)).granted()).id
}

/// What a peer has in its chat.
#[track_caller]
pub(super) fn chat(meeting: &mut Meeting, who: P) -> Vec<String> {
    match meeting.ask(who, Request::ChatMessages).granted().reply(who) {
        Event::ChatMessages(messages) => payloads(&messages),
        other => panic!("{other:?}"),
    }
}

pub(super) fn payloads(messages: &[Arc<ChatMessage>]) -> Vec<String> {
    messages.iter().map(|message| message.payload.clone()).collect()
}

#[track_caller]
pub(super) fn paged(meeting: &mut Meeting, who: P, page: ChatPage) -> (Vec<String>, bool) {
    match meeting.ask(who, Request::ChatPage(page)).granted().reply(who) {
        Event::ChatPage { messages, more } => (payloads(&messages), more),
        other => panic!("{other:?}"),
    }
}

#[track_caller]
pub(super) fn found(meeting: &mut Meeting, who: P, term: &str) -> Vec<String> {
    match meeting.ask(who, search(term)).granted().reply(who) {
        Event::ChatFound(messages) => payloads(&messages),
        other => panic!("{other:?}"),
    }
}

#[track_caller]
pub(super) fn assert_refused(outcome: &Outcome, who: P, refused: fn(&Refusal) -> bool) {
    let why = outcome.refusal(who);
    assert!(refused(&why), "{why:?}");
    assert_eq!(outcome.0.len(), 1, "nothing else comes of it");
}

pub(super) fn not_permitted(why: &Refusal) -> bool {
    matches!(why, Refusal::NotPermitted(_))
}

pub(super) fn invalid(why: &Refusal) -> bool {
    matches!(why, Refusal::Invalid(_))
}

pub(super) fn not_found(why: &Refusal) -> bool {
    *why == Refusal::NotFound("message")
}
