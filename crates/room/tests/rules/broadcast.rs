//! Broadcasts.

use muster_model::MeetingId;
use muster_room::{Broadcast, Connected, Event, Input, Refusal, Request};

use crate::harness::{Meeting, P, SECOND, meeting_id, person, seed};

fn message(payload: &[u8]) -> Broadcast {
    Broadcast {
        kind: "spotlight".to_owned(),
        payload: payload.to_vec(),
        timestamp_ms: 7,
    }
}

fn to(broadcast: &Broadcast, rooms: bool) -> Event {
    Event::BroadcastTo {
        broadcast: broadcast.clone(),
        rooms,
    }
}

/// Three inside, and one who is only connected.
fn meeting() -> (Meeting, [P; 3], P) {
    let mut meeting = Meeting::new();
    let inside = [(1, "Ana"), (2, "Ben"), (3, "Cleo")]
        .map(|(number, name)| meeting.join_seed(number, name, "group_call_host"));
    let outside = meeting.connect(&person(4, "Dov", &seed("group_call_host")));
    (meeting, inside, outside)
}

#[test]
fn to_the_room() {
    let (mut meeting, [ana, ben, cleo], dov) = meeting();
    let said = message(br#"{"userId":"x"}"#);
    let outcome = meeting.ask(ana, Request::Broadcast(said.clone())).granted();
    assert_eq!(outcome.told(ana), [Event::Done]);
    assert_eq!(outcome.reply(ana), Event::Done);
    for who in [ben, cleo] {
        assert_eq!(outcome.told(who), [Event::Broadcast(said.clone())]);
    }
    assert!(outcome.told(dov).is_empty());
    let outcome = meeting.ask(dov, Request::Broadcast(said));
    assert_eq!(outcome.refusal(dov), Refusal::NotJoined);
    assert_eq!(outcome.0.len(), 1);
}

#[test]
fn to_peers() {
    let (mut meeting, [ana, ben, cleo], dov) = meeting();
    let said = message(b"[]");
    let peers = vec![ben.id, dov.id, ben.id, crate::harness::peer_id(77)];
    let outcome = meeting
        .ask(ana, Request::BroadcastToPeers(peers, said.clone()))
        .granted();
    assert_eq!(outcome.told(ben), [to(&said, false)]);
    for who in [ana, cleo, dov] {
        assert!(outcome.told(who).is_empty(), "there is no reply");
    }
    let nobody = meeting.ask(ana, Request::BroadcastToPeers(vec![dov.id], said));
    assert!(nobody.is_nothing());
}

#[test]
fn to_rooms() {
    let (mut meeting, [ana, ben, _], dov) = meeting();
    let said = message(b"1");
    let rooms = vec![meeting_id(3), meeting_id(2), meeting_id(3)];
    let outcome = meeting
        .ask(ana, Request::BroadcastToRooms(rooms, said.clone()))
        .granted();
    assert_eq!(outcome.told(ana), [Event::Done]);
    assert!(outcome.told(ben).is_empty(), "the room itself was not among them");
    let word = Connected::Broadcast(said.clone());
    assert_eq!(
        outcome.to_rooms(),
        [(meeting_id(2), word.clone()), (meeting_id(3), word.clone())]
    );

    let outcome = meeting.ask(ana, Request::BroadcastToRooms(vec![meeting_id(1)], said.clone()));
    assert!(outcome.to_rooms().is_empty());
    assert_eq!(outcome.told(ana), [Event::Done]);
    assert_eq!(outcome.told(ben), [to(&said, true)]);

    let heard = meeting.input(Input::Connected(word));
    for who in [ana, ben] {
        assert_eq!(heard.told(who), [to(&said, true)]);
    }
    assert!(heard.told(dov).is_empty());
}

#[test]
fn at_most_so_many_rooms() {
    let (mut meeting, [ana, ..], _) = meeting();
    let mut ask = |count: u128| {
        let rooms: Vec<MeetingId> = (2..2 + count).map(meeting_id).collect();
        meeting.ask(ana, Request::BroadcastToRooms(rooms, message(b"")))
    };
    assert_eq!(ask(32).granted().to_rooms().len(), 32);
    let outcome = ask(33);
    assert!(matches!(outcome.refusal(ana), Refusal::Invalid(_)));
    assert!(outcome.to_rooms().is_empty());
}

#[test]
fn what_may_be_said() {
    let (mut meeting, [ana, ben, _], _) = meeting();
    let max = muster_room::Limits::default().broadcast_bytes;
    let text = |bytes: usize| {
        let mut json = vec![b'"'];
        json.resize(bytes - 1, b'x');
        json.push(b'"');
        message(&json)
    };
    let kind = |characters: usize| Broadcast {
        kind: "ä".repeat(characters),
        ..message(b"")
    };
    for fine in [message(b""), message(b"null"), text(max), kind(256)] {
        let outcome = meeting.ask(ana, Request::Broadcast(fine.clone())).granted();
        assert_eq!(outcome.told(ben), [Event::Broadcast(fine)]);
    }
    for bad in [message(b"{"), message(b"\xFF"), text(max + 1), kind(257)] {
        for request in [
            Request::Broadcast(bad.clone()),
            Request::BroadcastToPeers(vec![ben.id], bad.clone()),
            Request::BroadcastToRooms(vec![meeting_id(1)], bad.clone()),
        ] {
            let outcome = meeting.ask(ana, request);
            assert!(matches!(outcome.refusal(ana), Refusal::Invalid(_)));
            assert_eq!(outcome.0.len(), 1, "nobody else hears of it");
        }
    }
}

#[test]
fn not_too_often() {
    let (mut meeting, [ana, ben, _], _) = meeting();
    let mut said = 0;
    let outcome = loop {
        let outcome = meeting.ask(ana, Request::BroadcastToPeers(vec![ben.id], message(b"")));
        if outcome.told(ben).is_empty() {
            break outcome;
        }
        said += 1;
        assert!(said < 1_000, "never refused");
    };
    assert_eq!((said, outcome.refusal(ana)), (50, Refusal::TooMany));
    meeting.pass(SECOND);
    meeting.ask(ana, Request::Broadcast(message(b""))).granted();
}
