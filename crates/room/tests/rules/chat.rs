//! Chat: who may write what to whom, and what becomes of it. Pages and search: `chat_model.rs`, too.

use std::sync::Arc;

use muster_model::{
    ChatMessageId,
    chat::{
        ChatMessage,
        ChatPayloadKind::{self, Custom, File, Image, Text},
    },
    event::DomainEvent,
    preset::{Permissions, WaitingRoomType},
};
use muster_room::{ChatFilter, ChatPage, Effect, Event, Limits, Refusal, Request, Resumed, RoomSettings};
use uuid::Uuid;

use crate::harness::{KEEP_ALIVE, Meeting, Outcome, P, SECOND, START, peer_id, person_who, settings};

const FILE: &str = r#"{"link":"https://x.test/a.pdf","name":"a.pdf","size":12}"#;

fn say(payload: &str) -> Request {
    send(Text, payload)
}

fn send(kind: ChatPayloadKind, payload: &str) -> Request {
    Request::SendChat {
        kind,
        payload: payload.to_owned(),
    }
}

fn whisper(to: &[P], payload: &str) -> Request {
    send_to(to, Text, payload)
}

fn send_to(to: &[P], kind: ChatPayloadKind, payload: &str) -> Request {
    Request::SendPrivateChat {
        peers: to.iter().map(|peer| peer.id).collect(),
        kind,
        payload: payload.to_owned(),
    }
}

fn edit(message: ChatMessageId, payload: &str) -> Request {
    Request::EditChat {
        message,
        kind: None,
        payload: Some(payload.to_owned()),
        pinned: None,
    }
}

fn pin(message: ChatMessageId, pinned: bool) -> Request {
    Request::PinChat { message, pinned }
}

fn page() -> ChatPage {
    ChatPage {
        time_ms: 0,
        size: 100,
        from: 0,
        reversed: false,
        filter: ChatFilter::Public,
    }
}

fn search(term: &str) -> Request {
    Request::SearchChat {
        term: term.to_owned(),
        page: page(),
    }
}

/// Permissions to write to one another in private.
fn private(may: &mut Permissions) {
    may.chat.private.can_send = true;
    may.chat.private.can_receive = true;
    may.chat.private.text = true;
    may.chat.private.files = true;
}

fn moderator(may: &mut Permissions) {
    private(may);
    may.kick_participant = true;
    may.pin_participant = true;
}

/// Ana moderates; Ben and Cleo may write in private.
fn three() -> (Meeting, P, P, P) {
    three_in(settings())
}

fn three_in(settings: RoomSettings) -> (Meeting, P, P, P) {
    let mut meeting = Meeting::with(settings);
    let ana = meeting.join(&person_who(1, "Ana", moderator));
    let ben = meeting.join(&person_who(2, "Ben", private));
    let cleo = meeting.join(&person_who(3, "Cleo", private));
    (meeting, ana, ben, cleo)
}

/// The message that a request saved.
#[track_caller]
fn saved(outcome: &Outcome) -> ChatMessage {
    match outcome.records().as_slice() {
        [DomainEvent::ChatSaved { message, .. }] => message.clone(),
        other => panic!("{other:?}"),
    }
}

#[track_caller]
fn said(meeting: &mut Meeting, who: P, payload: &str) -> ChatMessageId {
    saved(&meeting.ask(who, say(payload)).granted()).id
}

#[track_caller]
fn whispered(meeting: &mut Meeting, who: P, to: &[P], payload: &str) -> ChatMessageId {
    saved(&meeting.ask(who, whisper(to, payload)).granted()).id
}

/// What a peer has in its chat.
#[track_caller]
fn chat(meeting: &mut Meeting, who: P) -> Vec<String> {
    match meeting.ask(who, Request::ChatMessages).granted().reply(who) {
        Event::ChatMessages(messages) => payloads(&messages),
        other => panic!("{other:?}"),
    }
}

fn payloads(messages: &[Arc<ChatMessage>]) -> Vec<String> {
    messages.iter().map(|message| message.payload.clone()).collect()
}

#[track_caller]
fn paged(meeting: &mut Meeting, who: P, page: ChatPage) -> (Vec<String>, bool) {
    match meeting.ask(who, Request::ChatPage(page)).granted().reply(who) {
        Event::ChatPage { messages, more } => (payloads(&messages), more),
        other => panic!("{other:?}"),
    }
}

#[track_caller]
fn found(meeting: &mut Meeting, who: P, term: &str) -> Vec<String> {
    match meeting.ask(who, search(term)).granted().reply(who) {
        Event::ChatFound(messages) => payloads(&messages),
        other => panic!("{other:?}"),
    }
}

#[track_caller]
fn assert_refused(outcome: &Outcome, who: P, refused: fn(&Refusal) -> bool) {
    let why = outcome.refusal(who);
    assert!(refused(&why), "{why:?}");
    assert_eq!(outcome.0.len(), 1, "nothing else comes of it");
}

fn not_permitted(why: &Refusal) -> bool {
    matches!(why, Refusal::NotPermitted(_))
}

fn invalid(why: &Refusal) -> bool {
    matches!(why, Refusal::Invalid(_))
}

fn not_found(why: &Refusal) -> bool {
    *why == Refusal::NotFound("message")
}

// Writing

#[test]
fn a_message_is_recorded_first_and_told_to_all_with_the_sender() {
    let (mut meeting, ana, ben, cleo) = three();
    let session = meeting.room.session().unwrap();
    meeting.pass(SECOND);
    let outcome = meeting.ask(ben, say(" Hi ")).granted();
    let message = saved(&outcome);
    assert_eq!(
        message,
        ChatMessage {
            id: message.id,
            peer_id: ben.id,
            participant_id: ben.user,
            display_name: "Ben".to_owned(),
            kind: Text,
            payload: " Hi ".to_owned(),
            recipients: vec![],
            pinned: false,
            edited: false,
            created_at: Meeting::at(SECOND),
        }
    );
    let record = DomainEvent::ChatSaved {
        session,
        message: message.clone(),
    };
    let told = Effect::Send {
        to: vec![ana.id, ben.id, cleo.id],
        event: Event::ChatSent(Arc::new(message)),
    };
    assert_eq!(outcome.0, [Effect::Record(record), told]);
    assert_eq!(chat(&mut meeting, cleo), [" Hi "]);
}

#[test]
fn a_private_message_goes_to_each_peer_of_the_participants() {
    let (mut meeting, ana, ben, cleo) = three();
    let cleo_too = meeting.join(&person_who(3, "Cleo", private));
    let ben_too = meeting.join(&person_who(2, "Ben", private));
    let outside = meeting.connect(&person_who(3, "Cleo", private));
    let outcome = meeting.ask(cleo, whisper(&[cleo, ben], "psst")).granted();
    let message = saved(&outcome);
    assert_eq!(
        message.recipients,
        [ben.user, cleo.user],
        "sorted, with the sender"
    );
    let told = Effect::Send {
        to: vec![ben.id, cleo.id, cleo_too.id, ben_too.id],
        event: Event::PrivateChatSent(Arc::new(message)),
    };
    assert_eq!(outcome.0[1..], [told]);
    for who in [ben, ben_too, cleo, cleo_too] {
        assert_eq!(chat(&mut meeting, who), ["psst"]);
        assert_eq!(found(&mut meeting, who, "ps"), ["psst"]);
    }
    for who in [ana, outside] {
        assert_eq!(chat(&mut meeting, who), [""; 0]);
        assert_eq!(found(&mut meeting, who, "ps"), [""; 0]);
    }
}

#[test]
fn a_private_message_to_nobody_is_none() {
    let (mut meeting, ana, ben, _) = three();
    let deaf = meeting.join(&person_who(4, "Dan", |may| {
        private(may);
        may.chat.private.can_receive = false;
    }));
    let away = meeting.stranger(&person_who(9, "Eve", private));
    let outside = meeting.connect(&person_who(8, "Fay", private));
    for nobody in [&[][..], &[ben], &[away], &[outside], &[ben, away]] {
        let outcome = meeting.ask(ben, whisper(nobody, "psst"));
        assert_refused(&outcome, ben, |why| *why == Refusal::NotFound("recipient"));
    }
    assert_refused(
        &meeting.ask(ben, whisper(&[deaf, away], "psst")),
        ben,
        not_permitted,
    );
    // Those who cannot be written to are left out; they may write.
    let outcome = meeting
        .ask(ben, whisper(&[deaf, ana, ana, away], "psst"))
        .granted();
    assert_eq!(saved(&outcome).recipients, [ana.user, ben.user]);
    assert_eq!(outcome.told(deaf), []);
    let outcome = meeting.ask(deaf, whisper(&[ben], "hush")).granted();
    assert_eq!(saved(&outcome).recipients, [ben.user, deaf.user]);
    assert_eq!(outcome.told(deaf).len(), 1);
}

#[test]
fn each_permission_to_write_counts() {
    let mut meeting = Meeting::new();
    let ana = meeting.join(&person_who(1, "Ana", private));
    let changes: [(fn(&mut Permissions), [bool; 6]); 6] = [
        // Public text, file, image; private text, file, image.
        (|_| (), [true, true, true, true, true, true]),
        (
            |may| may.chat.public.can_send = false,
            [false, false, false, true, true, true],
        ),
        (
            |may| may.chat.public.text = false,
            [false, true, true, true, true, true],
        ),
        (
            |may| may.chat.public.files = false,
            [true, false, false, true, true, true],
        ),
        (
            |may| may.chat.private.can_send = false,
            [true, true, true, false, false, false],
        ),
        (
            |may| may.chat.private.text = false,
            [true, true, true, false, true, true],
        ),
    ];
    for ((change, outcomes), number) in changes.into_iter().zip(10..) {
        let who = meeting.join(&person_who(number, "X", |may| {
            private(may);
            change(may);
        }));
        let contents = [(Text, "hi"), (File, FILE), (Image, "https://x.test/a.png")];
        let public = contents.map(|(kind, payload)| send(kind, payload));
        let private = contents.map(|(kind, payload)| send_to(&[ana], kind, payload));
        for ((request, granted), index) in public.into_iter().chain(private).zip(outcomes).zip(0..) {
            let outcome = meeting.ask(who, request);
            if granted {
                saved(&outcome.granted());
            } else {
                assert!(not_permitted(&outcome.refusal(who)), "{number} {index}");
                assert_eq!(outcome.0.len(), 1);
            }
        }
    }
    let no_files = meeting.join(&person_who(9, "X", |may| {
        private(may);
        may.chat.private.files = false;
    }));
    saved(&meeting.ask(no_files, whisper(&[ana], "hi")).granted());
    assert_refused(
        &meeting.ask(no_files, send_to(&[ana], File, FILE)),
        no_files,
        not_permitted,
    );
}

#[test]
fn a_custom_message_needs_permission_for_what_it_holds() {
    let mut meeting = Meeting::new();
    let texts = meeting.join(&person_who(1, "T", |may| may.chat.public.files = false));
    let files = meeting.join(&person_who(2, "F", |may| may.chat.public.text = false));
    for (payload, text, file) in [
        (r#"{"message":"hi"}"#, true, false),
        (r#"{"html":"<b>","images":[],"files":null}"#, true, false),
        (r#"{"x":1}"#, true, false),
        (r#"{"images":["https://x.test/a.png"]}"#, false, true),
        (r#"{"message":"","videos":["v"]}"#, false, true),
        (r#"{"message":"look","files":["f"]}"#, false, false),
    ] {
        for (who, granted) in [(texts, text), (files, file)] {
            let outcome = meeting.ask(who, send(Custom, payload));
            if granted {
                assert_eq!(saved(&outcome.granted()).payload, payload);
            } else {
                assert_refused(&outcome, who, not_permitted);
            }
        }
    }
}

#[test]
fn a_payload_must_be_what_its_kind_says() {
    let (mut meeting, ana, ben, _) = three();
    let too_long = "ä".repeat(10_001);
    let long_address = format!("https://x.test/{}", "a".repeat(64 << 10));
    let bad = [
        (Text, ""),
        (Text, " \n\t"),
        (Text, "a\0b"),
        (Text, &too_long),
        (Image, ""),
        (Image, "a.png"),
        (Image, "/a.png"),
        (Image, "//x.test/a.png"),
        (Image, "http:x.test"),
        (Image, "https://"),
        (Image, " https://x.test/a.png"),
        (Image, "ftp://x.test/a.png"),
        (Image, "javascript:alert(1)//://"),
        (Image, "data:image/png;base64,AA"),
        (Image, &long_address),
        (File, "https://x.test/a.pdf"),
        (File, "{"),
        (File, "[]"),
        (File, r#"{"link":"https://x.test/","name":"a"}"#),
        (File, r#"{"link":"https://x.test/","size":1}"#),
        (File, r#"{"name":"a","size":1}"#),
        (File, r#"{"link":"javascript:x","name":"a","size":1}"#),
        (File, r#"{"link":"https://x.test/","name":1,"size":1}"#),
        (File, r#"{"link":"https://x.test/","name":"a","size":"1"}"#),
        (File, r#"{"link":"https://x.test/","name":"a","size":-1}"#),
        (Custom, ""),
        (Custom, "hi"),
        (Custom, "[1]"),
        (Custom, "null"),
        (Custom, r#"{"a":1"#),
    ];
    for (kind, payload) in bad {
        meeting.pass(6 * SECOND);
        assert_refused(&meeting.ask(ana, send(kind, payload)), ana, invalid);
        assert_refused(&meeting.ask(ana, send_to(&[ben], kind, payload)), ana, invalid);
    }
    assert_eq!(chat(&mut meeting, ana), [""; 0]);
    let longest = "ä".repeat(10_000);
    let good = [
        (Text, longest.as_str()),
        (Text, "{"),
        (Image, "http://x.test"),
        (Image, "HTTPS://x.test/a?b#c"),
        (File, FILE),
        (Custom, "{}"),
    ];
    for (kind, payload) in good {
        meeting.ask(ana, send(kind, payload)).granted();
        meeting.ask(ana, send_to(&[ben], kind, payload)).granted();
    }
    assert_eq!(chat(&mut meeting, ben).len(), 12);
}

#[test]
fn messages_are_limited_texts_and_files_apart() {
    let (mut meeting, ana, ben, _) = three();
    let message = said(&mut meeting, ana, "1");
    for turn in 1..180 {
        let request = match turn % 3 {
            0 => say("more"),
            1 => edit(message, "other"),
            _ => pin(message, turn % 2 == 0),
        };
        meeting.ask(ana, request).granted();
    }
    let pin_by_edit = Request::EditChat {
        message,
        kind: None,
        payload: None,
        pinned: Some(true),
    };
    for request in [
        say("more"),
        whisper(&[ben], "more"),
        edit(message, "x"),
        pin(message, true),
        pin_by_edit,
        Request::DeleteChat(message),
        send(Custom, "{}"),
    ] {
        assert_refused(&meeting.ask(ana, request), ana, |why| *why == Refusal::TooMany);
    }
    for _ in 0..10 {
        meeting.ask(ana, send(File, FILE)).granted();
        meeting.ask(ana, send(Image, "https://x.test/")).granted();
    }
    assert_refused(&meeting.ask(ana, send(File, FILE)), ana, |why| {
        *why == Refusal::TooMany
    });
    said(&mut meeting, ben, "I may");
    meeting.pass(SECOND);
    for _ in 0..3 {
        said(&mut meeting, ana, "more");
    }
    assert_refused(&meeting.ask(ana, say("more")), ana, |why| {
        *why == Refusal::TooMany
    });
}

#[test]
fn those_who_are_not_inside_neither_write_nor_read() {
    let (mut meeting, ana, ..) = three();
    let message = said(&mut meeting, ana, "hello");
    let guest = person_who(4, "Dan", |may| {
        moderator(may);
        may.waiting_room_type = WaitingRoomType::SkipOnAccept;
    });
    let dan = meeting.connect(&guest);
    for _ in 0..2 {
        for request in [
            say("hi"),
            whisper(&[ana], "hi"),
            edit(message, "hi"),
            pin(message, true),
            Request::DeleteChat(message),
        ] {
            assert_refused(&meeting.ask(dan, request), dan, |why| *why == Refusal::NotJoined);
        }
        assert_eq!(chat(&mut meeting, dan), [""; 0]);
        assert_eq!(paged(&mut meeting, dan, page()), (vec![], false));
        assert_eq!(found(&mut meeting, dan, ""), [""; 0]);
        // The second time it waits.
        meeting.ask(dan, Request::Join { display_name: None }).granted();
    }
    assert_eq!(meeting.ask(ana, say("more")).granted().told(dan), []);
    // Who comes late finds what was said before.
    let late = meeting.join(&person_who(5, "Eve", |_| ()));
    assert_eq!(chat(&mut meeting, late), ["hello", "more"]);
}

// Changing

#[test]
fn an_edit_is_recorded_replied_to_and_told_to_others() {
    let (mut meeting, ana, ben, cleo) = three();
    let session = meeting.room.session().unwrap();
    let message = said(&mut meeting, ben, "teh");
    said(&mut meeting, ana, "next");
    meeting.pass(SECOND);
    let outcome = meeting.ask(ben, edit(message, "the")).granted();
    let new = saved(&outcome);
    assert_eq!((new.id, new.payload.as_str(), new.edited), (message, "the", true));
    assert_eq!((new.created_at, new.kind, new.pinned), (START, Text, false));
    let event = Event::ChatEdited(Arc::new(new.clone()));
    let record = DomainEvent::ChatSaved {
        session,
        message: new,
    };
    assert_eq!(outcome.0[0], Effect::Record(record));
    assert_eq!(outcome.reply(ben), event);
    assert_eq!(outcome.pushed(ben), []);
    for other in [ana, cleo] {
        assert_eq!(outcome.told(other), [event.clone()]);
    }
    assert_eq!(chat(&mut meeting, cleo), ["the", "next"]);
    assert_eq!(found(&mut meeting, cleo, "teh"), [""; 0]);
}

#[test]
fn only_the_author_edits_by_any_peer_and_only_what_may_be_sent() {
    let (mut meeting, ana, ben, cleo) = three();
    let message = said(&mut meeting, ben, "mine");
    assert_refused(&meeting.ask(ana, edit(message, "hers")), ana, not_permitted);
    let missing = ChatMessageId::from(Uuid::from_u128(1));
    assert_refused(&meeting.ask(ben, edit(missing, "x")), ben, not_found);
    let again = meeting.join(&person_who(2, "Ben", private));
    let outcome = meeting.ask(again, edit(message, "still mine")).granted();
    assert_eq!(outcome.told(ben).len(), 1);
    let change = |kind, payload: Option<&str>| Request::EditChat {
        message,
        kind,
        payload: payload.map(str::to_owned),
        pinned: None,
    };
    for request in [
        change(None, Some("")),
        change(Some(Image), None),
        change(Some(File), Some("{}")),
    ] {
        assert_refused(&meeting.ask(ben, request), ben, invalid);
    }
    assert_refused(&meeting.ask(ben, change(None, None)), ben, invalid);
    assert_eq!(chat(&mut meeting, cleo), ["still mine"]);
    let outcome = meeting.ask(ben, change(Some(File), Some(FILE))).granted();
    assert_eq!(saved(&outcome).kind, File);
    // One who may send text only cannot make a file of it.
    let dan = meeting.join(&person_who(4, "Dan", |may| may.chat.public.files = false));
    let message = said(&mut meeting, dan, "text");
    let request = Request::EditChat {
        message,
        kind: Some(File),
        payload: Some(FILE.to_owned()),
        pinned: None,
    };
    assert_refused(&meeting.ask(dan, request), dan, not_permitted);
}

#[test]
fn what_is_private_stays_so_whatever_is_done_to_it() {
    let (mut meeting, ana, ben, cleo) = three();
    let message = whispered(&mut meeting, ben, &[cleo], "psst");
    // Even a moderator: there is no such message.
    for request in [
        edit(message, "x"),
        pin(message, true),
        Request::DeleteChat(message),
    ] {
        assert_refused(&meeting.ask(ana, request), ana, not_found);
    }
    let changes = [
        edit(message, "hush"),
        pin(message, true),
        Request::DeleteChat(message),
    ];
    for request in changes {
        let outcome = meeting.ask(ben, request).granted();
        outcome.reply(ben);
        assert_eq!(outcome.pushed(ben), []);
        assert_eq!(outcome.told(cleo).len(), 1);
        assert_eq!(outcome.told(ana), []);
    }
}

#[test]
fn the_author_and_moderators_delete() {
    let (mut meeting, ana, ben, cleo) = three();
    let session = meeting.room.session().unwrap();
    let first = said(&mut meeting, ben, "one");
    let second = said(&mut meeting, ben, "two");
    let third = said(&mut meeting, ana, "three");
    assert_refused(
        &meeting.ask(cleo, Request::DeleteChat(first)),
        cleo,
        not_permitted,
    );
    for (who, message) in [(ben, first), (ana, second)] {
        let outcome = meeting.ask(who, Request::DeleteChat(message)).granted();
        assert_eq!(
            outcome.0[0],
            Effect::Record(DomainEvent::ChatDeleted { session, message })
        );
        assert_eq!(outcome.reply(who), Event::ChatDeleted(message));
        for other in [ana, ben, cleo] {
            assert_eq!(outcome.told(other), [Event::ChatDeleted(message)]);
        }
        for gone in [
            Request::DeleteChat(message),
            edit(message, "x"),
            pin(message, true),
        ] {
            assert_refused(&meeting.ask(who, gone), who, not_found);
        }
    }
    assert_refused(&meeting.ask(ben, Request::DeleteChat(third)), ben, not_permitted);
    assert_eq!(chat(&mut meeting, cleo), ["three"]);
}

#[test]
fn moderators_pin_everything_and_authors_their_own() {
    let (mut meeting, ana, ben, cleo) = three();
    let message = said(&mut meeting, ben, "rules");
    assert_refused(&meeting.ask(cleo, pin(message, true)), cleo, not_permitted);
    for (who, pinned) in [(ana, true), (ben, false), (ben, true), (ana, false)] {
        let outcome = meeting.ask(who, pin(message, pinned)).granted();
        let new = saved(&outcome);
        assert_eq!((new.pinned, new.edited), (pinned, false));
        let event = Event::ChatPinned(Arc::new(new));
        assert_eq!(outcome.reply(who), event);
        for other in [ana, ben, cleo] {
            assert_eq!(outcome.told(other), [event.clone()]);
        }
        // Once more is no change; the client gets its reply.
        let outcome = meeting.ask(who, pin(message, pinned)).granted();
        assert_eq!(outcome.reply(who), event);
        assert_eq!(outcome.0.len(), 1);
    }
}

#[test]
fn an_edit_may_pin_where_pinning_is_permitted() {
    let (mut meeting, ana, ben, cleo) = three();
    let message = said(&mut meeting, ben, "rules");
    let change = |payload: Option<&str>, pinned| Request::EditChat {
        message,
        kind: None,
        payload: payload.map(str::to_owned),
        pinned: Some(pinned),
    };
    assert_refused(&meeting.ask(cleo, change(None, true)), cleo, not_permitted);
    assert_refused(&meeting.ask(ana, change(Some("x"), true)), ana, not_permitted);
    let outcome = meeting.ask(ana, change(None, true)).granted();
    assert!(matches!(outcome.reply(ana), Event::ChatEdited(new) if new.pinned && !new.edited));
    assert_eq!(outcome.told(ben).len(), 1);
    let outcome = meeting.ask(ben, change(Some("law"), false)).granted();
    let new = saved(&outcome);
    assert_eq!(
        (new.payload.as_str(), new.pinned, new.edited),
        ("law", false, true)
    );
    // What is not pinned need not be unpinned.
    let outcome = meeting.ask(cleo, change(None, false)).granted();
    assert_eq!(outcome.0.len(), 1);
    outcome.reply(cleo);
}

// Reading

#[test]
fn the_last_thousand_are_listed() {
    let (mut meeting, ana, ben, cleo) = three();
    for number in 0..1_005 {
        meeting.pass(SECOND);
        said(&mut meeting, ana, &number.to_string());
    }
    whispered(&mut meeting, ana, &[ben], "psst");
    let listed = chat(&mut meeting, cleo);
    assert_eq!(listed.len(), 1_000);
    assert_eq!((listed[0].as_str(), listed[999].as_str()), ("5", "1004"));
    let listed = chat(&mut meeting, ben);
    assert_eq!(listed.len(), 1_000);
    assert_eq!((listed[0].as_str(), listed[999].as_str()), ("6", "psst"));
    let all = ChatPage {
        size: usize::MAX,
        ..page()
    };
    let (messages, more) = paged(&mut meeting, cleo, all);
    assert_eq!((messages.len(), more), (1_000, true));
}

#[test]
fn pages_go_on_from_a_time_either_way() {
    let (mut meeting, ana, ..) = three();
    for number in 0..5 {
        said(&mut meeting, ana, &number.to_string());
        meeting.pass(1_500); // milliseconds 0, 1, 3, 4, 6
    }
    let start = u64::try_from(START.as_micros() / 1000).unwrap();
    let mut get = |offset: Option<u64>, size, from, reversed| {
        let time_ms = offset.map_or(0, |offset| start + offset);
        let wanted = ChatPage {
            time_ms,
            size,
            from,
            reversed,
            filter: ChatFilter::Public,
        };
        let (messages, more) = paged(&mut meeting, ana, wanted);
        (messages.concat(), more)
    };
    let is = |text: &str, more| (text.to_owned(), more);
    assert_eq!(get(None, 10, 0, false), is("01234", false));
    assert_eq!(get(None, 10, 0, true), is("43210", false));
    assert_eq!(get(Some(3), 10, 0, false), is("234", false));
    assert_eq!(get(Some(3), 10, 0, true), is("210", false));
    assert_eq!(get(Some(2), 10, 0, false), is("234", false));
    assert_eq!(get(Some(2), 10, 0, true), is("10", false));
    assert_eq!(get(Some(7), 10, 0, false), is("", false));
    assert_eq!(get(None, 2, 1, false), is("12", true));
    assert_eq!(get(None, 2, 3, false), is("34", false));
    assert_eq!(get(Some(4), 2, 1, true), is("21", true));
    assert_eq!(get(None, 0, 0, false), is("0", true), "a page has at least one");
    assert_eq!(get(None, 2, usize::MAX, false), is("", false));
}

#[test]
fn pages_are_of_public_pinned_or_private_messages() {
    let (mut meeting, ana, ben, cleo) = three();
    let public = said(&mut meeting, ana, "public");
    let to_ben = whispered(&mut meeting, ana, &[ben], "to ben");
    whispered(&mut meeting, ben, &[ana], "to ana");
    whispered(&mut meeting, ana, &[ben, cleo], "to both");
    let secret = whispered(&mut meeting, ben, &[cleo], "secret");
    for (who, message) in [(ana, public), (ana, to_ben), (ben, secret)] {
        meeting.ask(who, pin(message, true)).granted();
    }
    let mut get = |who, filter| {
        let wanted = ChatPage { filter, ..page() };
        paged(&mut meeting, who, wanted).0
    };
    assert_eq!(get(ana, ChatFilter::Public), ["public"]);
    assert_eq!(get(ana, ChatFilter::Pinned(true)), ["public", "to ben"]);
    assert_eq!(get(ana, ChatFilter::Pinned(false)), ["to ana", "to both"]);
    assert_eq!(get(cleo, ChatFilter::Pinned(true)), ["public", "secret"]);
    assert_eq!(get(ana, ChatFilter::With(ben.user)), ["to ben", "to ana"]);
    assert_eq!(get(ben, ChatFilter::With(ana.user)), ["to ben", "to ana"]);
    assert_eq!(get(cleo, ChatFilter::With(ana.user)), [""; 0]);
    assert_eq!(get(cleo, ChatFilter::With(ben.user)), ["secret"]);
}

#[test]
fn search_has_no_regard_to_case() {
    let (mut meeting, ana, ben, cleo) = three();
    said(&mut meeting, ana, "Grüße aus ÖSTERREICH");
    whispered(&mut meeting, ben, &[ana], "österreich, so so");
    said(&mut meeting, cleo, "Norway");
    assert_eq!(found(&mut meeting, ana, "Österreich").len(), 2);
    assert_eq!(found(&mut meeting, cleo, "österREICH"), ["Grüße aus ÖSTERREICH"]);
    assert_eq!(found(&mut meeting, cleo, "y"), ["Norway"]);
    assert_eq!(found(&mut meeting, cleo, "Sweden"), [""; 0]);
}

#[test]
fn reading_is_limited() {
    let (mut meeting, ana, ben, _) = three();
    said(&mut meeting, ana, "hi");
    for _ in 0..40 {
        chat(&mut meeting, ana);
        paged(&mut meeting, ana, page());
        found(&mut meeting, ana, "hi");
    }
    for request in [Request::ChatMessages, Request::ChatPage(page()), search("hi")] {
        assert_refused(&meeting.ask(ana, request), ana, |why| *why == Refusal::TooMany);
    }
    assert_eq!(chat(&mut meeting, ben), ["hi"]);
    meeting.pass(SECOND / 2);
    assert_eq!(chat(&mut meeting, ana), ["hi"]);
}

// Bounds, sessions

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
        inside: vec![],
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
