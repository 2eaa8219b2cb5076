//! What REST and the server itself want.

use muster_model::{
    LivestreamId, RecordingId,
    event::{DomainEvent, EndReason},
};
use muster_room::{
    Answer, CloseReason, Command, CommandError, Event, LivestreamPhase, LivestreamState, MediaEffect,
    MediaKinds, NewPoll, RecordingPhase, RecordingState, Refusal, Request,
};
use uuid::Uuid;

use crate::harness::{KEEP_ALIVE, Meeting, P, START, participant_id, person, seed};

fn kick(participants: &[u128], custom: &[&str], ban: bool) -> Command {
    Command::Kick {
        participants: participants
            .iter()
            .map(|number| participant_id(*number))
            .collect(),
        custom_ids: custom.iter().map(ToString::to_string).collect(),
        ban,
    }
}

/// The names of those acted on.
#[track_caller]
fn people(answer: Result<Answer, CommandError>) -> Vec<String> {
    match answer {
        Ok(Answer::People(people)) => people.iter().map(|one| one.name.clone()).collect(),
        other => panic!("{other:?}"),
    }
}

fn three() -> (Meeting, [P; 3]) {
    let mut meeting = Meeting::new();
    let who = [(1, "Ana"), (2, "Ben"), (3, "Cleo")]
        .map(|(number, name)| meeting.join_seed(number, name, "group_call_participant"));
    (meeting, who)
}

#[test]
fn without_a_live_session_nothing_can_be_done() {
    let mut meeting = Meeting::new();
    meeting.connect(&person(1, "Ana", &seed("group_call_host")));
    let recording = RecordingState {
        id: RecordingId::from(Uuid::nil()),
        phase: RecordingPhase::Recording,
    };
    for command in [
        kick(&[1], &[], false),
        Command::KickAll,
        Command::Mute {
            participants: vec![participant_id(1)],
            custom_ids: vec![],
        },
        Command::MuteAll { allow_unmute: true },
        Command::CreatePoll {
            poll: NewPoll {
                question: "?".into(),
                options: vec!["a".into(), "b".into()],
                anonymous: false,
                hide_votes: false,
            },
            created_by: "REST".into(),
        },
        Command::Recording(recording),
    ] {
        assert_eq!(meeting.command(command).answer(), Err(CommandError::NoSession));
    }
}

#[test]
fn people_are_kicked_by_either_id_with_all_their_peers() {
    let (mut meeting, [ana, ben, cleo]) = three();
    let second = meeting.join_seed(2, "Ben", "group_call_participant");
    let outcome = meeting.command(kick(&[2, 99], &["c-3", "c-2", "nobody"], false));
    assert_eq!(people(outcome.answer()), ["Ben", "Cleo"]);
    for who in [ben, cleo, second] {
        assert_eq!(outcome.told(who)[0], Event::Kicked);
        assert!(
            outcome
                .closed()
                .contains(&(who.id, who.connection, CloseReason::Removed))
        );
    }
    assert!(!outcome.told(ana).contains(&Event::Kicked));
    assert_eq!(meeting.inside(ana), ["Ana"]);
    // It is no ban.
    assert!(
        !outcome
            .records()
            .iter()
            .any(|event| matches!(event, DomainEvent::Banned { .. }))
    );
    meeting.join_seed(2, "Ben", "group_call_participant");
    assert_eq!(meeting.inside(ana), ["Ana", "Ben"]);
}

#[test]
fn where_nobody_is_found_the_first_id_is_named() {
    let (mut meeting, [ana, ..]) = three();
    meeting.connect(&person(9, "Outside", &seed("group_call_participant")));
    let nobody = |id: String| Err(CommandError::NobodyFound(id));
    let outcome = meeting.command(kick(&[9, 98], &["c-7"], true));
    assert_eq!(outcome.answer(), nobody(participant_id(9).to_string()));
    assert!(outcome.records().is_empty());
    let outcome = meeting.command(kick(&[], &["c-7", "c-8"], false));
    assert_eq!(outcome.answer(), nobody("c-7".into()));
    let outcome = meeting.command(Command::Mute {
        participants: vec![],
        custom_ids: vec!["c-7".into()],
    });
    assert_eq!(outcome.answer(), nobody("c-7".into()));
    assert_eq!(meeting.inside(ana).len(), 3);
}

#[test]
fn a_ban_is_recorded_for_those_found_before_they_are_told() {
    let (mut meeting, [_, ben, _]) = three();
    // A tab that has not come in yet goes too.
    let tab = meeting.connect(&person(2, "Ben", &seed("group_call_participant")));
    let outcome = meeting.command(kick(&[2, 99], &[], true));
    let records = outcome.records();
    assert_eq!(
        records[0],
        DomainEvent::Banned {
            participant: ben.user,
            at: START
        }
    );
    assert!(matches!(
        records[1..],
        [DomainEvent::AdmissionRevoked { .. }, DomainEvent::PeerLeft { .. }]
    ));
    let closed: Vec<_> = outcome.closed().into_iter().map(|(peer, ..)| peer).collect();
    assert_eq!(closed, [ben.id, tab.id]);
}

#[test]
fn one_who_waits_is_found_too() {
    let (mut meeting, _) = three();
    let guest = meeting.join_seed(7, "Guest", "group_call_guest");
    let outcome = meeting.command(kick(&[], &["c-7"], false));
    assert_eq!(people(outcome.answer()), ["Guest"]);
    assert_eq!(outcome.told(guest), [Event::Kicked]);
}

#[test]
fn ending_for_all_counts_those_inside() {
    let (mut meeting, [ana, ..]) = three();
    meeting.join_seed(7, "Guest", "group_call_guest");
    let outcome = meeting.command(Command::KickAll);
    assert_eq!(outcome.answer(), Ok(Answer::Count(3)));
    assert_eq!(outcome.told(ana), [Event::KickedAll]);
    assert!(matches!(
        outcome.records().last(),
        Some(DomainEvent::SessionEnded { reason: EndReason::EndedByHost, at, .. }) if *at == START
    ));
    assert!(meeting.room.is_idle());
    // Within the keep-alive time there is a session, with nobody to count.
    let (mut meeting, who) = three();
    for one in who {
        meeting.leave(one);
    }
    meeting.pass(KEEP_ALIVE / 2);
    assert_eq!(meeting.command(Command::KickAll).answer(), Ok(Answer::Count(0)));
    assert_eq!(meeting.room.session(), None);
}

#[test]
fn muting_cuts_voices() {
    let (mut meeting, [ana, ben, cleo]) = three();
    let muted = |who: P, allow_unmute| MediaEffect::Mute {
        peer: who.id,
        kinds: MediaKinds {
            audio: true,
            video: false,
            screenshare: false,
        },
        by: None,
        allow_unmute,
    };
    let outcome = meeting.command(Command::Mute {
        participants: vec![ben.user],
        custom_ids: vec!["c-1".into()],
    });
    assert_eq!(people(outcome.answer()), ["Ana", "Ben"]);
    assert_eq!(outcome.media(), [muted(ana, true), muted(ben, true)]);
    let outcome = meeting.command(Command::MuteAll { allow_unmute: false });
    assert_eq!(outcome.answer(), Ok(Answer::Count(3)));
    assert_eq!(outcome.media(), [ana, ben, cleo].map(|who| muted(who, false)));
}

#[test]
fn a_deleted_participant_goes_from_wherever_it_is() {
    let mut meeting = Meeting::new();
    let gone = person(2, "Ben", &seed("group_call_participant"));
    let outside = meeting.connect(&gone);
    let outcome = meeting.command(Command::RemoveParticipant(outside.user));
    assert_eq!(outcome.answer(), Ok(Answer::Done));
    assert_eq!(
        outcome.closed(),
        [(outside.id, outside.connection, CloseReason::Removed)]
    );
    assert!(meeting.room.is_idle());
    let ana = meeting.join_seed(1, "Ana", "group_call_host");
    let (inside, lost) = (meeting.join(&gone), meeting.join(&gone));
    meeting.lose(lost);
    let outcome = meeting.command(Command::RemoveParticipant(inside.user));
    assert_eq!(outcome.told(inside)[0], Event::Kicked);
    assert_eq!(outcome.records().len(), 3);
    assert_eq!(meeting.inside(ana), ["Ana"]);
    let outcome = meeting.command(Command::RemoveParticipant(inside.user));
    assert_eq!(outcome.answer(), Ok(Answer::Done));
}

#[test]
fn those_inside_follow_recordings_and_newcomers_are_told_which_run() {
    let (mut meeting, [ana, ..]) = three();
    let state = |number: u128, phase| RecordingState {
        id: RecordingId::from(Uuid::from_u128(number)),
        phase,
    };
    let running = |meeting: &mut Meeting, who: P| match meeting.ask(who, Request::RoomInfo).reply(who) {
        Event::RoomInfo(info) => info.recordings,
        other => panic!("{other:?}"),
    };
    let one = state(1, RecordingPhase::Recording);
    let outcome = meeting.command(Command::Recording(one.clone()));
    assert_eq!(outcome.answer(), Ok(Answer::Done));
    assert_eq!(outcome.told(ana), [Event::Recording(one.clone())]);
    let paused = state(1, RecordingPhase::Paused);
    let two = state(2, RecordingPhase::Starting);
    meeting.command(Command::Recording(paused.clone()));
    meeting.command(Command::Recording(two.clone()));
    assert_eq!(running(&mut meeting, ana), [paused, two.clone()]);
    let over = state(1, RecordingPhase::Stopped);
    let outcome = meeting.command(Command::Recording(over.clone()));
    assert_eq!(outcome.told(ana), [Event::Recording(over)]);
    assert_eq!(running(&mut meeting, ana), [two]);
    // The next session begins without any.
    meeting.command(Command::KickAll);
    let ana = meeting.join_seed(1, "Ana", "group_call_host");
    assert!(running(&mut meeting, ana).is_empty());
}

#[test]
fn those_inside_follow_the_livestream() {
    let (mut meeting, [ana, ..]) = three();
    let state = LivestreamState {
        id: LivestreamId::from(Uuid::from_u128(1)),
        name: "Show".into(),
        playback_url: "https://live.example/1.m3u8".into(),
        manual_ingest: false,
        phase: LivestreamPhase::Started,
    };
    let outcome = meeting.command(Command::Livestream(state.clone()));
    assert_eq!(outcome.told(ana), [Event::Livestream(state)]);
}

#[test]
fn an_inactive_meeting_lets_nobody_in_and_keeps_those_inside() {
    let join = || Request::Join { display_name: None };
    let mut meeting = Meeting::new();
    let ana = meeting.join_seed(1, "Ana", "group_call_host");
    let ben = meeting.connect(&person(2, "Ben", &seed("group_call_participant")));
    let outcome = meeting.command(Command::SetActive(false));
    assert_eq!(outcome.answer(), Ok(Answer::Done));
    let outcome = meeting.ask(ben, join());
    assert_eq!(
        outcome.refusal(ben),
        Refusal::NotPermitted("join an inactive meeting")
    );
    // One inside asks again, as after a reconnection.
    assert!(matches!(
        meeting.ask(ana, join()).reply(ana),
        Event::PeerJoined(_)
    ));
    assert_eq!(meeting.inside(ana), ["Ana"]);
    meeting.command(Command::SetActive(true));
    meeting.ask(ben, join());
    assert_eq!(meeting.inside(ana), ["Ana", "Ben"]);
}

#[test]
fn a_deleted_participant_that_may_stay_does_not_come_in_any_more() {
    let mut meeting = Meeting::new();
    let ana = meeting.join_seed(1, "Ana", "group_call_host");
    let deleted = person(2, "Ben", &seed("group_call_guest"));
    let waits = meeting.join(&deleted);
    let outside = meeting.connect(&deleted);
    let other = meeting.join(&person(3, "Cleo", &seed("group_call_participant")));
    meeting
        .ask(ana, Request::AcceptWaiting(vec![waits.user]))
        .granted();
    meeting.ask(waits, Request::Join { display_name: None }).granted();
    let waiting_too = meeting.connect(&deleted);
    let outcome = meeting.command(Command::TurnAwayParticipant(outside.user));
    assert_eq!(outcome.answer(), Ok(Answer::Done));
    let closed: Vec<_> = outcome.closed().iter().map(|(peer, ..)| *peer).collect();
    assert_eq!(closed, [outside.id, waiting_too.id]);
    assert!(outcome.records().is_empty());
    assert_eq!(meeting.inside(ana), ["Ana", "Cleo", "Ben"]);
    let outcome = meeting.command(Command::TurnAwayParticipant(other.user));
    assert!(outcome.closed().is_empty());
}
