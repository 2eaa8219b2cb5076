//! Media presence, pins, mutes by people.

use muster_model::{PeerId, preset::PresetBody};
use muster_room::{Event, MediaEffect, MediaKinds, Refusal, Request};

use crate::harness::{Meeting, P, person, person_who, seed};

const MICROPHONE: MediaKinds = MediaKinds {
    audio: true,
    video: false,
    screenshare: false,
};

fn two() -> (Meeting, P, P) {
    let mut meeting = Meeting::new();
    let ana = meeting.join_seed(1, "Ana", "group_call_host");
    let ben = meeting.join_seed(2, "Ben", "group_call_participant");
    (meeting, ana, ben)
}

/// Whom the reply names: pinned, and others with media.
#[track_caller]
fn completed(meeting: &mut Meeting, who: P) -> (Vec<muster_model::PeerId>, Vec<muster_model::PeerId>) {
    match meeting.ask(who, Request::CompleteMediaJoin).reply(who) {
        Event::MediaJoinCompleted {
            session,
            peer,
            pinned,
            participants,
        } => {
            assert_eq!((Some(session), peer), (meeting.room.session(), who.id));
            (pinned, participants.iter().map(|view| view.peer).collect())
        }
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_media_session_begins_before_coming_in_and_is_complete_only_inside() {
    let mut meeting = Meeting::new();
    let ana = meeting.connect(&person(1, "Ana", &PresetBody::named("x")));
    for _ in 0..16 {
        assert_eq!(
            meeting.ask(ana, Request::JoinMedia).reply(ana),
            Event::MediaJoined
        );
    }
    let outcome = meeting.ask(ana, Request::CompleteMediaJoin);
    assert_eq!(outcome.refusal(ana), Refusal::NotJoined);
    meeting.ask(ana, Request::Join { display_name: None });
    assert_eq!(completed(&mut meeting, ana), (vec![], vec![]));
}

#[test]
fn others_learn_of_it_once_for_each_connection() {
    let mut meeting = Meeting::new();
    let ana = meeting.join_seed(1, "Ana", "group_call_host");
    let plain = person(2, "Ben", &seed("group_call_participant"));
    let ben = meeting.join(&plain);
    let guest = meeting.join(&person_who(3, "Guest", |may| {
        may.waiting_room_type = muster_model::preset::WaitingRoomType::SkipOnAccept;
    }));
    completed(&mut meeting, ana);
    let outcome = meeting.ask(ben, Request::CompleteMediaJoin).granted();
    assert!(matches!(outcome.told(ana).as_slice(), [Event::PeerMediaJoined(view)] if view.peer == ben.id));
    assert!(outcome.pushed(ben).is_empty() && outcome.told(guest).is_empty());
    let outcome = meeting.ask(ben, Request::CompleteMediaJoin).granted();
    assert!(outcome.told(ana).is_empty());
    assert_eq!(completed(&mut meeting, ben).1, [ana.id]);

    let (ben, _) = meeting.reconnect(ben, &plain);
    // Its consumers live on meanwhile.
    assert_eq!(completed(&mut meeting, ana).1, [ben.id]);
    let outcome = meeting.ask(ben, Request::CompleteMediaJoin).granted();
    assert!(matches!(
        outcome.told(ana).as_slice(),
        [Event::PeerMediaJoined(_)]
    ));

    let outcome = meeting.ask(ben, Request::LeaveMedia).granted();
    assert_eq!(outcome.reply(ben), Event::MediaLeft);
    assert_eq!(outcome.told(ana), [Event::PeerMediaLeft(ben.id)]);
    assert!(meeting.ask(ben, Request::LeaveMedia).told(ana).is_empty());
    assert!(completed(&mut meeting, ana).1.is_empty());
}

#[test]
fn somebody_is_pinned_for_everybody_until_it_goes() {
    let (mut meeting, ana, ben) = two();
    let outcome = meeting.ask(ana, Request::PinPeer(Some(ben.id))).granted();
    let pin = Event::PeerPinned(Some(ben.id));
    let taken = |whom: PeerId, always| Event::AlwaysTaken(whom, always);
    assert_eq!(
        outcome.told(ana),
        [Event::Pinned, pin.clone(), taken(ben.id, true)],
        "its media goes to those on other pages too"
    );
    assert_eq!(outcome.told(ben), [pin], "nobody takes what is its own");
    assert_eq!(completed(&mut meeting, ana).0, [ben.id]);
    assert!(matches!(
        meeting.ask(ben, Request::PinPeer(None)).refusal(ben),
        Refusal::NotPermitted(_)
    ));
    let cleo = meeting.connect(&person(3, "Cleo", &PresetBody::named("x")));
    assert_eq!(
        meeting.ask(ana, Request::PinPeer(Some(cleo.id))).refusal(ana),
        Refusal::NotFound("peer")
    );
    let outcome = meeting.leave(ben);
    assert!(outcome.told(ana).contains(&Event::PeerPinned(None)));
    assert!(
        !outcome.told(ana).contains(&taken(ben.id, false)),
        "clients forget who left"
    );
    assert!(completed(&mut meeting, ana).0.is_empty());
    meeting.ask(ana, Request::PinPeer(Some(ana.id))).granted();
    let outcome = meeting.ask(ana, Request::PinPeer(None)).granted();
    assert_eq!(outcome.told(ana), [Event::Pinned, Event::PeerPinned(None)]);
    assert!(completed(&mut meeting, ana).0.is_empty());
}

#[test]
fn hosts_mute_one_or_all_others() {
    let (mut meeting, ana, ben) = two();
    let cleo = meeting.join_seed(3, "Cleo", "group_call_participant");
    let muted = |who: P, kinds: MediaKinds| MediaEffect::Mute {
        peer: who.id,
        kinds,
        by: Some(ana.id),
        allow_unmute: true,
    };
    let outcome = meeting.ask(
        ana,
        Request::MutePeer {
            peer: ben.id,
            kinds: MediaKinds::ALL,
        },
    );
    assert_eq!(outcome.reply(ana), Event::Muted { all: false });
    assert_eq!(outcome.media(), [muted(ben, MediaKinds::ALL)]);
    let outcome = meeting.ask(ana, Request::MuteAll(MICROPHONE));
    assert_eq!(outcome.reply(ana), Event::Muted { all: true });
    assert_eq!(outcome.media(), [muted(ben, MICROPHONE), muted(cleo, MICROPHONE)]);
    meeting.leave(cleo);
    let gone = Request::MutePeer {
        peer: cleo.id,
        kinds: MICROPHONE,
    };
    assert_eq!(meeting.ask(ana, gone).refusal(ana), Refusal::NotFound("peer"));
}

#[test]
fn each_kind_that_is_muted_needs_its_own_permission() {
    let kinds = |audio, video, screenshare| MediaKinds {
        audio,
        video,
        screenshare,
    };
    let singles = [
        kinds(true, false, false),
        kinds(false, true, false),
        kinds(false, false, true),
    ];
    for (allowed, one) in singles.into_iter().enumerate() {
        let mut meeting = Meeting::new();
        let host = meeting.join(&person_who(1, "Host", |may| {
            may.disable_participant_audio = one.audio;
            may.disable_participant_video = one.video;
            may.disable_participant_screensharing = one.screenshare;
        }));
        let ben = meeting.join_seed(2, "Ben", "group_call_participant");
        for (asked, kinds) in singles.into_iter().chain([MediaKinds::ALL]).enumerate() {
            for request in [Request::MuteAll(kinds), Request::MutePeer { peer: ben.id, kinds }] {
                let outcome = meeting.ask(host, request);
                if asked == allowed {
                    outcome.granted().reply(host);
                } else {
                    assert!(matches!(outcome.refusal(host), Refusal::NotPermitted(_)));
                    assert!(outcome.media().is_empty());
                }
            }
        }
    }
}
