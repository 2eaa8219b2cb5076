//! Edits, deletes, pins.

use std::sync::Arc;

use muster_model::{
    ChatMessageId,
    chat::ChatPayloadKind::{File, Image, Text},
    event::DomainEvent,
};
use muster_room::{Effect, Event, Request};
use uuid::Uuid;

use super::{
    FILE, assert_refused, chat, edit, found, invalid, not_found, not_permitted, pin, private, said, saved,
    three, whispered,
};
use crate::harness::{SECOND, START, person_who};

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
        assert_eq!(outcome.told(other), std::slice::from_ref(&event));
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
            assert_eq!(outcome.told(other), std::slice::from_ref(&event));
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
