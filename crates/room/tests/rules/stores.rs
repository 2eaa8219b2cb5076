//! Key-value stores.

use muster_model::preset::WaitingRoomType;
use muster_room::{Event, Limits, Refusal, Request, RoomSettings, StoreChange, StoreItem};

use crate::harness::{KEEP_ALIVE, Meeting, Outcome, P, SECOND, START, person_who, settings};

fn insert(store: &str, items: &[(&str, &str)]) -> Request {
    Request::StoreInsert {
        store: store.to_owned(),
        items: items
            .iter()
            .map(|(key, value)| ((*key).to_owned(), value.as_bytes().to_vec()))
            .collect(),
    }
}

fn names(keys: &[&str]) -> Vec<String> {
    keys.iter().map(|key| (*key).to_owned()).collect()
}

fn get(store: &str, keys: &[&str]) -> Request {
    Request::StoreGet {
        store: store.to_owned(),
        keys: names(keys),
    }
}

fn delete(store: &str, keys: &[&str]) -> Request {
    Request::StoreDelete {
        store: store.to_owned(),
        keys: names(keys),
    }
}

fn item(key: &str, payload: &str, by: P, at: i64) -> StoreItem {
    StoreItem {
        key: key.to_owned(),
        payload: payload.as_bytes().into(),
        peer: by.id,
        at: Meeting::at(at),
    }
}

fn event(change: StoreChange, store: &str, items: &[StoreItem]) -> Event {
    Event::Store {
        change,
        store: store.to_owned(),
        items: items.to_vec(),
    }
}

/// Keys and values, as a peer reads them.
#[track_caller]
fn read(meeting: &mut Meeting, who: P, store: &str, keys: &[&str]) -> Vec<(String, String)> {
    match meeting.ask(who, get(store, keys)).granted().reply(who) {
        Event::Store {
            change: StoreChange::Read,
            store: told,
            items,
        } => {
            assert_eq!(told, store);
            let text = |item: &StoreItem| String::from_utf8_lossy(&item.payload).into_owned();
            items.iter().map(|item| (item.key.clone(), text(item))).collect()
        }
        other => panic!("{other:?}"),
    }
}

fn pairs(items: &[(&str, &str)]) -> Vec<(String, String)> {
    let owned = |(key, value): &(&str, &str)| ((*key).to_owned(), (*value).to_owned());
    items.iter().map(owned).collect()
}

fn two() -> (Meeting, P, P) {
    two_within(Limits::default())
}

fn two_within(limits: Limits) -> (Meeting, P, P) {
    let mut meeting = Meeting::with(RoomSettings { limits, ..settings() });
    let ana = meeting.join_seed(1, "Ana", "group_call_host");
    let ben = meeting.join_seed(2, "Ben", "group_call_participant");
    (meeting, ana, ben)
}

#[track_caller]
fn assert_full(outcome: &Outcome, who: P) {
    assert!(matches!(outcome.refusal(who), Refusal::Full(_)));
    assert_eq!(outcome.0.len(), 1, "nobody is told");
}

#[test]
fn what_is_written_is_told_to_all_and_read_back() {
    let (mut meeting, ana, ben) = two();
    meeting.pass(SECOND);
    let outcome = meeting
        .ask(ana, insert("s", &[("b", "null"), ("a", "{\"x\":1}")]))
        .granted();
    let written = [
        item("a", "{\"x\":1}", ana, SECOND),
        item("b", "null", ana, SECOND),
    ];
    for who in [ana, ben] {
        assert_eq!(outcome.told(who), [event(StoreChange::Inserted, "s", &written)]);
    }
    assert_eq!(outcome.0.len(), 1, "encoded once, not recorded, no reply");
    let reply = meeting.ask(ben, get("s", &[])).reply(ben);
    assert_eq!(reply, event(StoreChange::Read, "s", &written));
    let some = read(&mut meeting, ben, "s", &["b", "zzz", "b"]);
    assert_eq!(some, pairs(&[("b", "null")]), "each once, if it is there");
    assert_eq!(read(&mut meeting, ben, "other", &[]), []);
}

#[test]
fn values_replace_and_the_last_of_a_key_counts() {
    let (mut meeting, ana, ben) = two();
    meeting.ask(ana, insert("s", &[("k", "1"), ("k", "2")])).granted();
    assert_eq!(read(&mut meeting, ben, "s", &[]), pairs(&[("k", "2")]));
    let outcome = meeting.ask(ben, insert("s", &[("k", "")])).granted();
    let told = [event(StoreChange::Inserted, "s", &[item("k", "", ben, 0)])];
    assert_eq!(outcome.told(ana), told);
    assert_eq!(read(&mut meeting, ana, "s", &["k"]), pairs(&[("k", "")]));
    assert!(meeting.ask(ana, insert("s", &[])).is_nothing());
}

#[test]
fn a_value_is_json_or_nothing_and_one_bad_value_spoils_all() {
    let (mut meeting, ana, _) = two();
    for bad in ["{", "x", "1 2", " ", "{\"a\":}"] {
        let outcome = meeting.ask(ana, insert("s", &[("good", "1"), ("bad", bad)]));
        assert!(matches!(outcome.refusal(ana), Refusal::Invalid(_)), "{bad}");
        assert_eq!(outcome.0.len(), 1);
    }
    let broken = Request::StoreInsert {
        store: "s".to_owned(),
        items: vec![("k".to_owned(), vec![b'"', 0xff, b'"'])],
    };
    assert!(matches!(
        meeting.ask(ana, broken).refusal(ana),
        Refusal::Invalid(_)
    ));
    assert_eq!(read(&mut meeting, ana, "s", &[]), []);
    for good in ["null", "-1.5e3", "\"é\"", "[]", " {} "] {
        meeting.ask(ana, insert("s", &[("k", good)])).granted();
    }
}

#[test]
fn what_is_deleted_is_told_where_it_was_there() {
    let (mut meeting, ana, ben) = two();
    meeting
        .ask(ana, insert("s", &[("a", "1"), ("b", "2"), ("c", "3")]))
        .granted();
    meeting.pass(SECOND);
    let outcome = meeting.ask(ben, delete("s", &["c", "zzz", "a", "a"])).granted();
    let gone = [item("a", "", ben, SECOND), item("c", "", ben, SECOND)];
    for who in [ana, ben] {
        assert_eq!(outcome.told(who), [event(StoreChange::Deleted, "s", &gone)]);
    }
    assert_eq!(outcome.0.len(), 1);
    assert_eq!(read(&mut meeting, ana, "s", &[]), pairs(&[("b", "2")]));
    for nothing in [delete("s", &["a"]), delete("s", &[]), delete("zzz", &["b"])] {
        assert!(meeting.ask(ben, nothing).is_nothing());
    }
    assert_eq!(read(&mut meeting, ana, "s", &[]), pairs(&[("b", "2")]));
}

#[test]
fn those_who_are_not_inside_find_nothing_and_always_get_an_answer() {
    let (mut meeting, ana, _) = two();
    meeting.ask(ana, insert("s", &[("k", "1")])).granted();
    let guest = person_who(3, "Cleo", |may| {
        may.waiting_room_type = WaitingRoomType::SkipOnAccept;
    });
    let cleo = meeting.connect(&guest);
    // More often than anybody inside may ask.
    for _ in 0..200 {
        assert_eq!(read(&mut meeting, cleo, "s", &["k"]), []);
    }
    let refused = |outcome: Outcome| assert_eq!(outcome.refusal(cleo), Refusal::NotJoined);
    refused(meeting.ask(cleo, insert("s", &[("k", "2")])));
    refused(meeting.ask(cleo, delete("s", &["k"])));
    meeting.ask(cleo, Request::Join { display_name: None }).granted();
    assert_eq!(read(&mut meeting, cleo, "s", &[]), [], "it waits");
    refused(meeting.ask(cleo, insert("s", &[("k", "2")])));
    let outcome = meeting.ask(ana, insert("s", &[("k", "3")])).granted();
    assert_eq!(outcome.told(cleo), []);
    meeting
        .ask(ana, Request::AcceptWaiting(vec![cleo.user]))
        .granted();
    meeting.ask(cleo, Request::Join { display_name: None }).granted();
    assert_eq!(read(&mut meeting, cleo, "s", &[]), pairs(&[("k", "3")]));
}

#[test]
fn stores_and_keys_are_counted() {
    let (mut meeting, ana, _) = two_within(Limits {
        stores: 2,
        store_keys: 2,
        ..Limits::default()
    });
    meeting.ask(ana, insert("s1", &[("a", "1")])).granted();
    meeting.ask(ana, insert("s2", &[("a", "1")])).granted();
    assert_full(&meeting.ask(ana, insert("s3", &[("a", "1")])), ana);
    assert_full(&meeting.ask(ana, insert("s1", &[("b", "1"), ("c", "1")])), ana);
    assert_eq!(
        read(&mut meeting, ana, "s1", &[]),
        pairs(&[("a", "1")]),
        "all or none"
    );
    meeting
        .ask(ana, insert("s1", &[("a", "2"), ("b", "1")]))
        .granted();
    assert_full(&meeting.ask(ana, insert("s1", &[("c", "1")])), ana);
    // A store without keys is none.
    meeting.ask(ana, delete("s2", &["a"])).granted();
    meeting.ask(ana, insert("s3", &[("a", "1")])).granted();
    meeting.ask(ana, delete("s1", &["a"])).granted();
    meeting.ask(ana, insert("s1", &[("c", "1")])).granted();
}

#[test]
fn bytes_are_counted_exactly() {
    // The name, a key of one byte, and seven bytes.
    let (mut meeting, ana, _) = two_within(Limits {
        store_bytes: 10,
        ..Limits::default()
    });
    assert_full(&meeting.ask(ana, insert("st", &[("k", "12345678")])), ana);
    meeting.ask(ana, insert("st", &[("k", "1234567")])).granted();
    assert_full(&meeting.ask(ana, insert("st", &[("l", "")])), ana);
    assert_full(&meeting.ask(ana, insert("x", &[("", "")])), ana);
    // What is written over frees its place.
    for _ in 0..5 {
        meeting.ask(ana, insert("st", &[("k", "7654321")])).granted();
    }
    assert_full(&meeting.ask(ana, insert("st", &[("k", "12345678")])), ana);
    meeting
        .ask(ana, insert("st", &[("k", "1"), ("l", "12345")]))
        .granted();
    assert_full(&meeting.ask(ana, insert("st", &[("l", "123456")])), ana);
    // What is deleted frees it, and the last key of a store the name.
    meeting.ask(ana, delete("st", &["l"])).granted();
    meeting.ask(ana, insert("st", &[("k", "1234567")])).granted();
    meeting.ask(ana, delete("st", &["k"])).granted();
    meeting.ask(ana, insert("s", &[("k", "12345678")])).granted();
    assert_full(&meeting.ask(ana, insert("s", &[("k", "123456789")])), ana);
}

#[test]
fn writes_and_reads_are_limited() {
    let (mut meeting, ana, ben) = two();
    for turn in 0..50 {
        let request = match turn % 2 {
            0 => insert("s", &[("k", "1")]),
            _ => delete("s", &["k"]),
        };
        meeting.ask(ana, request).granted();
    }
    for request in [insert("s", &[("k", "1")]), delete("s", &["k"])] {
        assert_eq!(meeting.ask(ana, request).refusal(ana), Refusal::TooMany);
    }
    meeting.ask(ben, insert("s", &[("k", "1")])).granted();
    meeting.pass(SECOND / 25);
    meeting.ask(ana, insert("s", &[("k", "1")])).granted();
    for _ in 0..120 {
        assert_eq!(read(&mut meeting, ben, "s", &[]).len(), 1);
    }
    assert_eq!(meeting.ask(ben, get("s", &[])).refusal(ben), Refusal::TooMany);
    meeting.pass(SECOND / 2);
    assert_eq!(read(&mut meeting, ben, "s", &[]).len(), 1);
}

#[test]
fn stores_live_as_long_as_the_session() {
    let (mut meeting, ana, ben) = two_within(Limits {
        store_bytes: 3,
        ..Limits::default()
    });
    meeting.ask(ana, insert("s", &[("k", "1")])).granted();
    meeting.leave(ana);
    assert_eq!(read(&mut meeting, ben, "s", &[]), pairs(&[("k", "1")]));
    meeting.leave(ben);
    meeting.pass(KEEP_ALIVE);
    assert_eq!(meeting.room.session(), None);
    assert_eq!(meeting.now, Meeting::at(KEEP_ALIVE));
    assert!(START < meeting.now);
    let ana = meeting.join_seed(1, "Ana", "group_call_host");
    assert_eq!(read(&mut meeting, ana, "s", &[]), []);
    // The bytes are free again too.
    meeting.ask(ana, insert("s", &[("k", "2")])).granted();
}
