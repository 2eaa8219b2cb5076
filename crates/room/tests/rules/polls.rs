//! Polls.

use muster_model::{
    PollId,
    event::DomainEvent,
    poll::Poll,
    preset::{Permissions, WaitingRoomType},
};
use muster_room::{
    Answer, Command, CommandError, Event, Limits, NewPoll, PollView, Refusal, Request, Resumed, RoomSettings,
};
use uuid::Uuid;

use crate::harness::{KEEP_ALIVE, Meeting, Outcome, P, SECOND, person, person_who, seed, settings};

fn question() -> NewPoll {
    NewPoll {
        question: "Tea?".to_owned(),
        options: vec!["Yes".to_owned(), "No".to_owned()],
        anonymous: false,
        hide_votes: false,
    }
}

fn options(texts: &[&str]) -> NewPoll {
    NewPoll {
        options: texts.iter().map(|text| (*text).to_owned()).collect(),
        ..question()
    }
}

fn three() -> (Meeting, P, P, P) {
    let mut meeting = Meeting::new();
    let ana = meeting.join(&person_who(1, "Ana", |_| ()));
    let ben = meeting.join(&person_who(2, "Ben", |_| ()));
    let cleo = meeting.join(&person_who(3, "Cleo", |_| ()));
    (meeting, ana, ben, cleo)
}

/// The one poll that a peer is told of.
#[track_caller]
fn told(outcome: &Outcome, who: P) -> PollView {
    match outcome.told(who).as_slice() {
        [Event::PollCreated(view) | Event::PollVoted(view)] => view.clone(),
        other => panic!("{other:?}"),
    }
}

#[track_caller]
fn ask(meeting: &mut Meeting, who: P, poll: NewPoll) -> PollId {
    let outcome = meeting.ask(who, Request::CreatePoll(poll)).granted();
    match outcome.records().as_slice() {
        [DomainEvent::PollSaved { poll, .. }] => poll.id,
        other => panic!("{other:?}"),
    }
}

fn vote(meeting: &mut Meeting, who: P, poll: PollId, option: usize) -> Outcome {
    meeting.ask(who, Request::Vote { poll, option })
}

#[track_caller]
fn polls(meeting: &mut Meeting, who: P) -> Vec<PollView> {
    match meeting.ask(who, Request::Polls).granted().reply(who) {
        Event::Polls(polls) => polls,
        other => panic!("{other:?}"),
    }
}

/// Names of voters by answer.
fn voters(poll: &Poll) -> Vec<Vec<&str>> {
    poll.options
        .iter()
        .map(|option| option.votes.iter().map(|vote| vote.name.as_str()).collect())
        .collect()
}

#[test]
fn a_poll_is_recorded_and_told_to_all() {
    let (mut meeting, ana, ben, cleo) = three();
    let session = meeting.room.session().unwrap();
    meeting.pass(SECOND);
    let outcome = meeting.ask(ana, Request::CreatePoll(question())).granted();
    let view = told(&outcome, ana);
    assert!(matches!(outcome.told(ana).as_slice(), [Event::PollCreated(_)]));
    assert_eq!(
        outcome.records(),
        [DomainEvent::PollSaved {
            session,
            poll: Poll::clone(&view.poll)
        }]
    );
    assert_eq!(outcome.0.len(), 2, "a record, and one message for all");
    assert!(matches!(outcome.0[0], muster_room::Effect::Record(_)));
    assert_eq!(view.poll.question, "Tea?");
    let texts: Vec<&str> = view
        .poll
        .options
        .iter()
        .map(|option| option.text.as_str())
        .collect();
    assert_eq!(texts, ["Yes", "No"]);
    assert_eq!(view.poll.created_by, "Ana");
    assert_eq!(view.poll.created_by_participant, Some(ana.user));
    assert_eq!(view.poll.created_at, Meeting::at(SECOND));
    assert_eq!(view.counts, Some(vec![0, 0]));
    assert!(view.voted.is_empty() && view.names);
    for other in [ben, cleo] {
        assert_eq!(told(&outcome, other), view);
    }
    let second = ask(&mut meeting, ben, question());
    let listed = polls(&mut meeting, cleo);
    assert_eq!(listed[0], view);
    assert_eq!(listed[1].poll.id, second);
    assert_eq!(listed.len(), 2);
}

#[test]
fn votes_are_counted_named_and_recorded() {
    let (mut meeting, ana, ben, cleo) = three();
    let session = meeting.room.session().unwrap();
    let poll = ask(&mut meeting, ana, question());
    vote(&mut meeting, ben, poll, 1).granted();
    vote(&mut meeting, cleo, poll, 0).granted();
    let outcome = vote(&mut meeting, ana, poll, 1).granted();
    let view = told(&outcome, ana);
    assert!(matches!(outcome.told(ben).as_slice(), [Event::PollVoted(_)]));
    assert_eq!(view.counts, Some(vec![1, 2]));
    assert_eq!(view.voted, [ana.user, ben.user, cleo.user]);
    assert_eq!(voters(&view.poll), [vec!["Cleo"], vec!["Ben", "Ana"]]);
    assert_eq!(view.poll.options[0].votes[0].participant_id, cleo.user);
    let record = DomainEvent::PollSaved {
        session,
        poll: Poll::clone(&view.poll),
    };
    assert_eq!(outcome.records(), [record]);
    assert_eq!(outcome.0.len(), 2);
    assert_eq!(polls(&mut meeting, cleo), [view]);
}

#[test]
fn a_participant_votes_once_by_whichever_peer() {
    let (mut meeting, ana, ben, _) = three();
    let again = meeting.join(&person_who(2, "Ben", |_| ()));
    let poll = ask(&mut meeting, ana, question());
    let other = ask(&mut meeting, ana, question());
    vote(&mut meeting, ben, poll, 1).granted();
    for (who, option) in [(ben, 1), (ben, 0), (again, 0)] {
        let outcome = vote(&mut meeting, who, poll, option);
        assert!(matches!(outcome.refusal(who), Refusal::Invalid(_)));
        assert_eq!(outcome.0.len(), 1);
    }
    vote(&mut meeting, again, other, 0).granted();
    assert_eq!(polls(&mut meeting, ana)[0].counts, Some(vec![0, 1]));
}

#[test]
fn what_is_not_there_cannot_be_voted_for() {
    let (mut meeting, ana, ben, _) = three();
    let poll = ask(&mut meeting, ana, question());
    let missing = PollId::from(Uuid::from_u128(9));
    for (poll, option, what) in [
        (poll, 2, "option"),
        (poll, usize::MAX, "option"),
        (missing, 0, "poll"),
    ] {
        let outcome = vote(&mut meeting, ben, poll, option);
        assert_eq!(outcome.refusal(ben), Refusal::NotFound(what));
        assert_eq!(outcome.0.len(), 1);
    }
    // A vote that failed is none.
    vote(&mut meeting, ben, poll, 0).granted();
}

#[test]
fn an_anonymous_poll_names_nobody() {
    let (mut meeting, ana, ben, cleo) = three();
    let anonymous = NewPoll {
        anonymous: true,
        ..question()
    };
    let poll = ask(&mut meeting, ana, anonymous);
    let outcome = vote(&mut meeting, ben, poll, 1).granted();
    for who in [ana, ben, cleo] {
        let view = told(&outcome, who);
        assert_eq!(view.counts, Some(vec![0, 1]));
        assert_eq!(view.voted, [ben.user]);
        assert!(!view.names);
        assert_eq!(
            voters(&view.poll),
            [vec![""; 0], vec![]],
            "not even in what is not to be told"
        );
        assert_eq!(polls(&mut meeting, who), [view]);
    }
    // The record has them: somebody who voted cannot vote again after a restart.
    let [DomainEvent::PollSaved { poll, .. }] = &outcome.records()[..] else {
        panic!()
    };
    assert_eq!(voters(poll), [vec![], vec!["Ben"]]);
}

#[test]
fn hidden_votes_are_shown_to_those_who_voted() {
    let (mut meeting, ana, ben, cleo) = three();
    let twin = meeting.join(&person_who(2, "Ben", |_| ()));
    let hidden = NewPoll {
        hide_votes: true,
        ..question()
    };
    let outcome = meeting.ask(ana, Request::CreatePoll(hidden)).granted();
    assert_eq!(outcome.0.len(), 2);
    let view = told(&outcome, ana);
    assert_eq!((view.counts, view.names), (None, false));
    let poll = view.poll.id;
    let outcome = vote(&mut meeting, ben, poll, 1).granted();
    assert_eq!(outcome.0.len(), 3, "a record, one message for either group");
    for who in [ben, twin] {
        let view = told(&outcome, who);
        assert_eq!(view.counts, Some(vec![0, 1]));
        assert!(view.names);
        assert_eq!(voters(&view.poll), [vec![], vec!["Ben"]]);
        assert_eq!(polls(&mut meeting, who), [view]);
    }
    // She asked, and has not voted.
    for who in [ana, cleo] {
        let view = told(&outcome, who);
        assert_eq!((&view.counts, view.names), (&None, false));
        assert_eq!(view.voted, [ben.user]);
        assert_eq!(voters(&view.poll), [vec![""; 0], vec![]]);
        assert_eq!(polls(&mut meeting, who), [view]);
    }
    let outcome = vote(&mut meeting, ana, poll, 0).granted();
    assert_eq!(told(&outcome, ana).counts, Some(vec![1, 1]));
    assert_eq!(told(&outcome, ben).counts, Some(vec![1, 1]));
    assert_eq!(told(&outcome, cleo).counts, None);
    let outcome = vote(&mut meeting, cleo, poll, 0).granted();
    assert_eq!(outcome.0.len(), 2, "all have voted: one group");
}

#[test]
fn each_right_is_asked_for() {
    let mut meeting = Meeting::new();
    let without = |number, change: fn(&mut Permissions)| person_who(number, "X", change);
    let all = meeting.join(&person_who(1, "Ana", |_| ()));
    let no_create = meeting.join(&without(2, |may| may.polls.can_create = false));
    let no_vote = meeting.join(&without(3, |may| may.polls.can_vote = false));
    let no_view = meeting.join(&without(4, |may| may.polls.can_view = false));
    let outcome = meeting.ask(no_create, Request::CreatePoll(question()));
    assert!(matches!(outcome.refusal(no_create), Refusal::NotPermitted(_)));
    assert_eq!(outcome.0.len(), 1);
    let outcome = meeting.ask(all, Request::CreatePoll(question())).granted();
    let poll = told(&outcome, no_vote).poll.id;
    assert_eq!(outcome.told(no_view), []);
    let outcome = vote(&mut meeting, no_vote, poll, 0);
    assert!(matches!(outcome.refusal(no_vote), Refusal::NotPermitted(_)));
    let outcome = vote(&mut meeting, no_create, poll, 0).granted();
    assert_eq!(outcome.told(no_view), []);
    // To vote blind is permitted; the one who does is not told either.
    let outcome = vote(&mut meeting, no_view, poll, 0).granted();
    assert_eq!(outcome.told(no_view), []);
    assert_eq!(told(&outcome, all).counts, Some(vec![2, 0]));
    assert_eq!(polls(&mut meeting, no_view), []);
    assert_eq!(polls(&mut meeting, no_vote).len(), 1);
}

#[test]
fn those_who_are_not_inside_see_no_polls() {
    let (mut meeting, ana, ..) = three();
    let poll = ask(&mut meeting, ana, question());
    let guest = person_who(4, "Dan", |may| {
        may.waiting_room_type = WaitingRoomType::SkipOnAccept;
    });
    let dan = meeting.connect(&guest);
    for _ in 0..2 {
        assert_eq!(polls(&mut meeting, dan), []);
        assert_eq!(vote(&mut meeting, dan, poll, 0).refusal(dan), Refusal::NotJoined);
        let create = meeting.ask(dan, Request::CreatePoll(question()));
        assert_eq!(create.refusal(dan), Refusal::NotJoined);
        // The second time it waits.
        meeting.ask(dan, Request::Join { display_name: None }).granted();
    }
    let outcome = meeting.ask(ana, Request::CreatePoll(question())).granted();
    assert_eq!(outcome.told(dan), []);
}

#[test]
fn a_poll_must_make_sense() {
    let (mut meeting, ana, ..) = three();
    let long = "ä".repeat(2_001);
    let many = vec!["x"; 101];
    let question_of = |text: &str| NewPoll {
        question: text.to_owned(),
        ..question()
    };
    let bad = [
        options(&[]),
        options(&["one"]),
        options(&["one", " "]),
        options(&["one", &long]),
        options(&["one", "t\0o"]),
        options(&many),
        question_of(""),
        question_of(" \n"),
        question_of(&long),
    ];
    for poll in bad {
        let outcome = meeting.ask(ana, Request::CreatePoll(poll.clone()));
        assert!(matches!(outcome.refusal(ana), Refusal::Invalid(_)), "{poll:?}");
        assert_eq!(outcome.0.len(), 1);
    }
    assert_eq!(polls(&mut meeting, ana), []);
    ask(&mut meeting, ana, options(&many[..100]));
    ask(&mut meeting, ana, question_of(&"ä".repeat(2_000)));
}

#[test]
fn a_session_has_so_many_polls() {
    let mut meeting = Meeting::with(RoomSettings {
        limits: Limits {
            polls: 2,
            ..Limits::default()
        },
        ..settings()
    });
    let ana = meeting.join(&person_who(1, "Ana", |_| ()));
    let poll = ask(&mut meeting, ana, question());
    ask(&mut meeting, ana, question());
    let outcome = meeting.ask(ana, Request::CreatePoll(question()));
    assert!(matches!(outcome.refusal(ana), Refusal::Full(_)));
    let rest = meeting.command(Command::CreatePoll {
        poll: question(),
        created_by: "app".to_owned(),
    });
    assert!(matches!(
        rest.answer(),
        Err(CommandError::Refused(Refusal::Full(_)))
    ));
    vote(&mut meeting, ana, poll, 0).granted();
}

#[test]
fn the_texts_of_all_polls_are_bounded() {
    let mut meeting = Meeting::with(RoomSettings {
        limits: Limits {
            // "Tea?", "Yes" and "No", twice.
            poll_bytes: 18,
            ..Limits::default()
        },
        ..settings()
    });
    let ana = meeting.join(&person_who(1, "Ana", |_| ()));
    ask(&mut meeting, ana, question());
    let outcome = meeting.ask(ana, Request::CreatePoll(options(&["Yes", "Never"])));
    assert!(matches!(outcome.refusal(ana), Refusal::Full(_)));
    ask(&mut meeting, ana, question());
    let outcome = meeting.ask(ana, Request::CreatePoll(question()));
    assert!(matches!(outcome.refusal(ana), Refusal::Full(_)));
}

#[test]
fn polls_and_votes_are_limited() {
    let (mut meeting, ana, ben, _) = three();
    let poll = ask(&mut meeting, ana, question());
    for _ in 1..100 {
        ask(&mut meeting, ana, question());
    }
    let outcome = meeting.ask(ana, Request::CreatePoll(question()));
    assert_eq!(outcome.refusal(ana), Refusal::TooMany);
    assert_eq!(vote(&mut meeting, ana, poll, 0).refusal(ana), Refusal::TooMany);
    vote(&mut meeting, ben, poll, 0).granted();
    meeting.pass(SECOND / 10);
    vote(&mut meeting, ana, poll, 0).granted();
    for _ in 0..120 {
        polls(&mut meeting, ben);
    }
    assert_eq!(meeting.ask(ben, Request::Polls).refusal(ben), Refusal::TooMany);
}

#[test]
fn rest_asks_in_the_name_of_the_app() {
    let mut meeting = Meeting::new();
    let command = |poll: NewPoll| Command::CreatePoll {
        poll,
        created_by: "app-1".to_owned(),
    };
    assert_eq!(
        meeting.command(command(question())).answer(),
        Err(CommandError::NoSession)
    );
    let ana = meeting.join(&person(1, "Ana", &seed("group_call_host")));
    let outcome = meeting.command(command(question()));
    let Ok(Answer::Poll(poll)) = outcome.answer() else {
        panic!("{outcome:?}")
    };
    assert_eq!(poll.created_by, "app-1");
    assert_eq!(poll.created_by_participant, None);
    let view = told(&outcome, ana);
    assert_eq!(view.poll, poll);
    assert!(matches!(outcome.told(ana).as_slice(), [Event::PollCreated(_)]));
    assert!(
        matches!(outcome.records().as_slice(), [DomainEvent::PollSaved { poll: saved, .. }] if *saved == *poll)
    );
    let bad = meeting.command(command(options(&["one"])));
    assert!(matches!(
        bad.answer(),
        Err(CommandError::Refused(Refusal::Invalid(_)))
    ));
    assert_eq!(bad.0.len(), 1);
}

#[test]
fn polls_end_with_the_session_and_outlive_a_crash() {
    let (mut meeting, ana, ben, cleo) = three();
    let hidden = NewPoll {
        hide_votes: true,
        ..question()
    };
    let poll = ask(&mut meeting, ana, hidden);
    let outcome = vote(&mut meeting, ben, poll, 1).granted();
    let [DomainEvent::PollSaved { session, poll: saved }] = &outcome.records()[..] else {
        panic!()
    };
    let resumed = Resumed {
        session: *session,
        started_at: meeting.now,
        alive_at: meeting.now,
        inside: vec![crate::harness::somebody_inside()],
        admitted: vec![],
        chat: vec![],
        polls: vec![saved.clone()],
        connected_rooms: vec![],
    };
    let mut after = Meeting::resumed(settings(), Some(resumed), meeting.now);
    let ben_again = after.join(&person_who(2, "Ben", |_| ()));
    let cleo_again = after.join(&person_who(3, "Cleo", |_| ()));
    assert_eq!(polls(&mut after, ben_again)[0].counts, Some(vec![0, 1]));
    assert_eq!(polls(&mut after, cleo_again)[0].counts, None);
    let repeat = vote(&mut after, ben_again, poll, 0);
    assert!(matches!(repeat.refusal(ben_again), Refusal::Invalid(_)));
    vote(&mut after, cleo_again, poll, 0).granted();

    for who in [ana, ben, cleo] {
        meeting.leave(who);
    }
    meeting.pass(KEEP_ALIVE);
    let ana = meeting.join(&person_who(1, "Ana", |_| ()));
    assert_eq!(polls(&mut meeting, ana), []);
    assert_eq!(
        vote(&mut meeting, ana, poll, 0).refusal(ana),
        Refusal::NotFound("poll")
    );
}
