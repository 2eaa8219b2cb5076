//! What one is told of the room and of those inside.

use muster_model::{RecordingId, preset::WaitingRoomType};
use muster_room::{Command, Event, RecordingPhase, RecordingState, Refusal, Request};
use uuid::Uuid;

use crate::harness::{Meeting, P, SECOND, START, meeting_id, person_who};

fn list(meeting: &mut Meeting, who: P, search: &str, limit: usize, offset: usize) -> Vec<String> {
    let search = search.to_owned();
    match meeting
        .ask(
            who,
            Request::Peers {
                search,
                limit,
                offset,
            },
        )
        .reply(who)
    {
        Event::Peers(peers) => peers.iter().map(|peer| peer.display_name.clone()).collect(),
        other => panic!("{other:?}"),
    }
}

#[test]
fn the_list_is_in_order_of_coming_and_can_be_searched_and_paged() {
    let mut meeting = Meeting::new();
    let mut last = None;
    for (number, name) in ["Zoë", "Anna", "Hannah", "Ben"].into_iter().enumerate() {
        last = Some(meeting.join(&person_who(number as u128, name, |_| {})));
    }
    let ben = last.unwrap();
    let all = ["Zoë", "Anna", "Hannah", "Ben"];
    assert_eq!(list(&mut meeting, ben, "", 0, 0), all);
    assert_eq!(list(&mut meeting, ben, "ANN", 0, 0), ["Anna", "Hannah"]);
    assert_eq!(list(&mut meeting, ben, "zoË", 0, 0), ["Zoë"]);
    assert_eq!(list(&mut meeting, ben, "", 2, 1), ["Anna", "Hannah"]);
    assert_eq!(list(&mut meeting, ben, "", usize::MAX, 3), ["Ben"]);
    assert!(list(&mut meeting, ben, "", 1, usize::MAX).is_empty());
}

#[test]
fn lists_are_asked_for_at_a_bounded_rate() {
    let mut meeting = Meeting::new();
    let ana = meeting.join(&person_who(1, "Ana", |_| {}));
    for _ in 0..30 {
        list(&mut meeting, ana, "", 0, 0);
    }
    let request = || Request::Peers {
        search: String::new(),
        limit: 0,
        offset: 0,
    };
    assert_eq!(meeting.ask(ana, request()).refusal(ana), Refusal::TooMany);
    meeting.pass(2 * SECOND);
    meeting.ask(ana, request()).granted();
}

#[test]
fn who_waits_or_would_have_to_does_not_learn_who_is_inside() {
    let mut meeting = Meeting::new();
    let host = meeting.join(&person_who(1, "Ana", |may| may.accept_waiting_requests = true));
    let recording = RecordingState {
        id: RecordingId::from(Uuid::from_u128(9)),
        phase: RecordingPhase::Recording,
    };
    meeting.command(Command::Recording(recording.clone()));
    let guest = person_who(2, "Ben", |may| {
        may.waiting_room_type = WaitingRoomType::SkipOnAccept;
    });
    let ben = meeting.connect(&guest);
    assert!(list(&mut meeting, ben, "", 0, 0).is_empty());
    meeting.ask(ben, Request::Join { display_name: None });
    assert!(list(&mut meeting, ben, "", 0, 0).is_empty());
    assert_eq!(
        meeting.ask(ben, Request::PeerInfo(host.id)).refusal(ben),
        Refusal::NotFound("peer")
    );
    let Event::PeerInfo(own) = meeting.ask(ben, Request::PeerInfo(ben.id)).reply(ben) else {
        panic!()
    };
    assert!(own.waiting);
    let Event::RoomInfo(info) = meeting.ask(ben, Request::RoomInfo).reply(ben) else {
        panic!()
    };
    assert_eq!((info.meeting, info.title.as_str()), (meeting_id(1), "Weekly"));
    assert_eq!((info.started_at, info.session), (START, meeting.room.session()));
    assert!(info.recordings.is_empty());
    // Those inside do, and do not learn of those who wait.
    let Event::RoomInfo(info) = meeting.ask(host, Request::RoomInfo).reply(host) else {
        panic!()
    };
    assert_eq!(info.recordings, [recording]);
    assert_eq!(list(&mut meeting, host, "", 0, 0), ["Ana"]);
    assert_eq!(
        meeting.ask(host, Request::PeerInfo(ben.id)).refusal(host),
        Refusal::NotFound("peer")
    );
    // One who need not wait may look before coming in.
    let cleo = meeting.connect(&person_who(3, "Cleo", |_| {}));
    assert_eq!(list(&mut meeting, cleo, "", 0, 0), ["Ana"]);
    meeting.ask(cleo, Request::PeerInfo(host.id)).granted();
}

#[test]
fn before_any_session_the_room_has_a_title_and_no_session() {
    let mut meeting = Meeting::new();
    meeting.pass(SECOND);
    let ana = meeting.connect(&person_who(1, "Ana", |_| {}));
    let Event::RoomInfo(info) = meeting.ask(ana, Request::RoomInfo).reply(ana) else {
        panic!()
    };
    assert_eq!((info.session, info.started_at), (None, Meeting::at(SECOND)));
}

#[test]
fn what_a_participant_may_ask_does_not_grow_with_its_peers() {
    let mut meeting = Meeting::new();
    let person = person_who(1, "Ana", |_| ());
    let mut ana = meeting.join(&person);
    for _ in 0..50 {
        meeting.ask(ana, store_write()).granted();
    }
    assert_eq!(meeting.ask(ana, store_write()).refusal(ana), Refusal::TooMany);
    // Neither another tab nor leaving and coming back helps.
    let tab = meeting.join(&person);
    assert_eq!(meeting.ask(tab, store_write()).refusal(tab), Refusal::TooMany);
    meeting.leave(tab);
    meeting.leave(ana);
    ana = meeting.join(&person);
    assert_eq!(meeting.ask(ana, store_write()).refusal(ana), Refusal::TooMany);
    // Others ask as they like, and so does she after a pause.
    let ben = meeting.join(&person_who(2, "Ben", |_| ()));
    meeting.ask(ben, store_write()).granted();
    meeting.pass(SECOND);
    meeting.ask(ana, store_write()).granted();
}

fn store_write() -> Request {
    Request::StoreInsert {
        store: "s".to_owned(),
        items: vec![("k".to_owned(), b"1".to_vec())],
    }
}
