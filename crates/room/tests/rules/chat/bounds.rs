//! How much is kept, and for how long.

use muster_model::{
    ChatMessageId,
    chat::{ChatMessage, ChatPayloadKind::Text},
    event::DomainEvent,
};
use muster_room::{Limits, Request, Resumed, RoomSettings};
use uuid::Uuid;

use super::{assert_refused, chat, edit, moderator, not_found, pin, private, said, saved, three_in};
use crate::harness::{KEEP_ALIVE, Meeting, SECOND, START, peer_id, person_who, settings};

fn within(limits: Limits) -> RoomSettings {
    RoomSettings { limits, ..settings() }
}

#[test]
fn the_oldest_fall_out() {
    let (mut meeting, ana, ben, _) = three_in(within(Limits {
        chat_messages: 3,
        ..Limits::default()
    }));
    let first = said(&mut meeting, ana, "1");
    meeting.ask(ana, pin(first, true)).granted();
    for text in ["2", "3", "4", "5"] {
        said(&mut meeting, ana, text);
    }
    assert_eq!(chat(&mut meeting, ben), ["3", "4", "5"]);
    assert_refused(&meeting.ask(ana, edit(first, "x")), ana, not_found);
}

#[test]
fn bytes_bound_the_chat_too_and_edits_count() {
    let bytes = 20_000;
    let (mut meeting, ana, ben, _) = three_in(within(Limits {
        chat_bytes: bytes,
        ..Limits::default()
    }));
    let long = "x".repeat(4_000);
    for _ in 0..30 {
        said(&mut meeting, ana, &long);
        let kept: usize = chat(&mut meeting, ben).iter().map(String::len).sum();
        assert!(kept <= bytes);
    }
    assert_eq!(chat(&mut meeting, ben).len(), 4);
    let short: Vec<ChatMessageId> = (0..20).map(|_| said(&mut meeting, ana, "y")).collect();
    assert!(chat(&mut meeting, ben).len() > 20, "nothing is counted twice");
    meeting.pass(60 * SECOND);
    for message in &short {
        meeting.ask(ana, edit(*message, &long)).granted();
    }
    let kept: usize = chat(&mut meeting, ben).iter().map(String::len).sum();
    assert!(kept <= bytes);
    meeting.pass(60 * SECOND);
    for _ in 0..4 {
        let last = said(&mut meeting, ana, &long);
        meeting.ask(ana, Request::DeleteChat(last)).granted();
    }
    for _ in 0..4 {
        said(&mut meeting, ana, "z");
    }
    assert!(
        chat(&mut meeting, ben).len() >= 7,
        "what is deleted is not counted"
    );
}

fn old(number: u128, payload: &str) -> ChatMessage {
    ChatMessage {
        id: Uuid::from_u128(number).into(),
        peer_id: peer_id(99),
        participant_id: crate::harness::participant_id(2),
        display_name: "Ben".to_owned(),
        kind: Text,
        payload: payload.to_owned(),
        recipients: vec![],
        pinned: false,
        edited: false,
        created_at: START,
    }
}

#[test]
fn chat_ends_with_the_session_unless_it_is_kept() {
    for persist_chat in [false, true] {
        let (mut meeting, ana, ben, cleo) = three_in(RoomSettings {
            persist_chat,
            earlier_chat: vec![old(1, "long ago")],
            ..settings()
        });
        said(&mut meeting, ana, "hi");
        assert_eq!(chat(&mut meeting, ana), ["long ago", "hi"]);
        // By an author who was there before.
        let edited = meeting.ask(ben, edit(old(1, "").id, "yesterday")).granted();
        assert!(saved(&edited).edited);
        for who in [ana, ben, cleo] {
            meeting.leave(who);
        }
        meeting.pass(KEEP_ALIVE);
        let ana = meeting.join(&person_who(1, "Ana", moderator));
        let kept: &[&str] = if persist_chat { &["yesterday", "hi"] } else { &[] };
        assert_eq!(chat(&mut meeting, ana), kept);
    }
}

#[test]
fn a_room_that_goes_on_has_each_message_once_within_its_bounds() {
    let limits = Limits {
        chat_messages: 3,
        ..Limits::default()
    };
    let settings = RoomSettings {
        earlier_chat: vec![old(1, "1"), old(2, "2"), old(3, "3")],
        ..within(limits)
    };
    let resumed = Resumed {
        session: Uuid::from_u128(7).into(),
        started_at: START,
        alive_at: START,
        inside: vec![crate::harness::somebody_inside()],
        admitted: vec![],
        chat: vec![old(3, "3, edited"), old(4, "4")],
        polls: vec![],
        connected_rooms: vec![],
    };
    let mut meeting = Meeting::resumed(settings, Some(resumed), START);
    let ben = meeting.join(&person_who(2, "Ben", private));
    assert_eq!(chat(&mut meeting, ben), ["2", "3, edited", "4"]);
    let outcome = meeting.ask(ben, edit(old(4, "").id, "four")).granted();
    assert!(matches!(
        outcome.records().as_slice(),
        [DomainEvent::ChatSaved { session, .. }] if *session == Uuid::from_u128(7).into()
    ));
    said(&mut meeting, ben, "5");
    assert_eq!(chat(&mut meeting, ben), ["3, edited", "four", "5"]);
}
