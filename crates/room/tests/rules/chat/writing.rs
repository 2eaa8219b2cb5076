//! Writing to everybody, and in private.

use std::sync::Arc;

use muster_model::{
    chat::{
        ChatMessage,
        ChatPayloadKind::{Custom, File, Image, Text},
    },
    event::DomainEvent,
    preset::{Permissions, WaitingRoomType},
};
use muster_room::{Effect, Event, Refusal, Request};

use super::{
    FILE, assert_refused, chat, edit, found, invalid, moderator, not_permitted, page, paged, pin, private,
    said, saved, say, send, send_to, three, whisper,
};
use crate::harness::{Meeting, SECOND, person_who};

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
    type Change = fn(&mut Permissions);
    let mut meeting = Meeting::new();
    let ana = meeting.join(&person_who(1, "Ana", private));
    let changes: [(Change, [bool; 6]); 6] = [
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
