//! The last messages, pages, search.

use muster_room::{ChatFilter, ChatPage, Refusal, Request};

use super::{assert_refused, chat, found, page, paged, pin, said, search, three, whispered};
use crate::harness::{SECOND, START};

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
