//! Polls: who sees what of them, and that votes are kept.

use muster_testkit::{Database, Guest, both};
use muster_wire::{
    event,
    socket::polls::{self, GetPollsResponse, NewPollRequest, Poll, UpdatePollResponse, VotePollRequest},
};
use serde_json::json;

use super::{
    Stage,
    kit::{kick_all, preset, text},
};

both!(
    a_poll_is_made_voted_in_and_kept,
    an_anonymous_poll_tells_no_names,
    hidden_votes_show_once_one_has_voted,
    a_poll_from_rest_appears_to_those_inside,
    who_may_not_see_polls_hears_nothing,
    polls_that_make_no_sense_are_refused,
);

fn question(text: &str) -> NewPollRequest {
    NewPollRequest {
        question: text.to_owned(),
        options: vec!["yes".to_owned(), "no".to_owned()],
        ..Default::default()
    }
}

async fn told(guest: &mut Guest, event: u32) -> Poll {
    guest
        .hear::<UpdatePollResponse>(event)
        .await
        .poll
        .expect("a poll")
}

async fn all(guest: &mut Guest) -> Vec<Poll> {
    guest
        .request::<GetPollsResponse>(event::GET_POLLS, &Guest::nothing())
        .await
        .polls
}

async fn vote(guest: &mut Guest, poll: &Poll, index: u64) -> Poll {
    let vote = VotePollRequest {
        poll_id: poll.poll_id.clone(),
        index,
    };
    guest.tell(event::VOTE_POLL, &vote).await;
    told(guest, event::VOTE_POLL).await
}

fn counts(poll: &Poll) -> Vec<u64> {
    poll.options.iter().map(polls::PollOption::count).collect()
}

async fn a_poll_is_made_voted_in_and_kept(db: Database) {
    let mut stage = Stage::new(db).await;
    let (host, guest) = (stage.host("Ana").await, stage.participant("Bo").await);
    let mut ana = Guest::join(&stage.origin(), &host).await;
    let mut bo = Guest::join(&stage.origin(), &guest).await;
    let why = bo.refused(event::CREATE_POLL, &question("May I?")).await;
    assert!(why.contains("not permitted"), "{why}");
    ana.tell(event::CREATE_POLL, &question("Lunch?")).await;
    let poll = told(&mut ana, event::CREATE_POLL).await;
    assert_eq!(told(&mut bo, event::CREATE_POLL).await, poll);
    assert_eq!(
        (
            poll.question.as_str(),
            poll.created_by.as_str(),
            &poll.created_by_user_id
        ),
        ("Lunch?", "Ana", &ana.user)
    );
    assert_eq!((counts(&poll), poll.votes.len()), (vec![0, 0], 0));

    let voted = vote(&mut bo, &poll, 1).await;
    assert_eq!(told(&mut ana, event::VOTE_POLL).await, voted);
    assert_eq!(counts(&voted), [0, 1]);
    assert_eq!(voted.votes, std::slice::from_ref(&bo.user));
    let by = &voted.options[1].votes[0];
    assert_eq!((&by.user_id, by.name.as_str()), (&bo.user, "Bo"));
    let again = |index| VotePollRequest {
        poll_id: poll.poll_id.clone(),
        index,
    };
    bo.refused(event::VOTE_POLL, &again(0)).await;
    ana.refused(event::VOTE_POLL, &again(2)).await;

    // It is there for who comes later, and after the server has stopped and begun again.
    let mut cy = Guest::join(&stage.origin(), &stage.participant("Cy").await).await;
    assert_eq!(all(&mut cy).await, std::slice::from_ref(&voted));
    stage.server.restart(|_| {}).await;
    let origin = stage.origin();
    let mut ana = Guest::connect_as(&origin, &host, &ana.peer).await;
    ana.come_in().await;
    assert_eq!(all(&mut ana).await, [voted]);
    // And the vote counts as given.
    let mut bo = Guest::connect_as(&origin, &guest, &bo.peer).await;
    bo.come_in().await;
    bo.refused(event::VOTE_POLL, &again(0)).await;
    assert_eq!(counts(&vote(&mut ana, &poll, 0).await), [1, 1]);
}

async fn an_anonymous_poll_tells_no_names(db: Database) {
    let stage = Stage::new(db).await;
    let mut ana = Guest::join(&stage.origin(), &stage.host("Ana").await).await;
    let mut bo = Guest::join(&stage.origin(), &stage.participant("Bo").await).await;
    let secret = NewPollRequest {
        anonymous: true,
        ..question("Is it good?")
    };
    ana.tell(event::CREATE_POLL, &secret).await;
    let poll = told(&mut bo, event::CREATE_POLL).await;
    assert!(poll.anonymous);
    let voted = vote(&mut bo, &poll, 0).await;
    assert_eq!(told(&mut ana, event::VOTE_POLL).await, voted);
    assert_eq!(counts(&voted), [1, 0]);
    assert!(
        voted.options.iter().all(|option| option.votes.is_empty()),
        "{voted:?}"
    );
    assert_eq!(
        voted.votes,
        std::slice::from_ref(&bo.user),
        "who voted, and not for what"
    );
    assert_eq!(all(&mut ana).await, [voted]);
}

async fn hidden_votes_show_once_one_has_voted(db: Database) {
    let stage = Stage::new(db).await;
    let mut ana = Guest::join(&stage.origin(), &stage.host("Ana").await).await;
    let mut bo = Guest::join(&stage.origin(), &stage.participant("Bo").await).await;
    let hidden = NewPollRequest {
        hide_votes: true,
        ..question("Red?")
    };
    ana.tell(event::CREATE_POLL, &hidden).await;
    let poll = told(&mut bo, event::CREATE_POLL).await;
    let shown = vote(&mut bo, &poll, 0).await;
    assert_eq!((counts(&shown), shown.options[0].votes.len()), (vec![1, 0], 1));
    let to_ana = told(&mut ana, event::VOTE_POLL).await;
    assert_eq!((counts(&to_ana), to_ana.options[0].votes.len()), (vec![0, 0], 0));
    assert_eq!(counts(&all(&mut ana).await[0]), [0, 0]);
    assert_eq!(counts(&vote(&mut ana, &poll, 1).await), [1, 1]);
    assert_eq!(counts(&all(&mut ana).await[0]), [1, 1]);
}

async fn a_poll_from_rest_appears_to_those_inside(db: Database) {
    let stage = Stage::new(db).await;
    let body = json!({"question": "From outside?", "options": ["a", "b", "c"], "hide_votes": false});
    let answer = stage.meeting.post("/active-session/poll", body.clone()).await;
    answer.refused(404);
    let mut ana = Guest::join(&stage.origin(), &stage.host("Ana").await).await;
    let mut bo = Guest::join(&stage.origin(), &stage.participant("Bo").await).await;
    let made = stage
        .meeting
        .post("/active-session/poll", body)
        .await
        .expect(201)
        .ok();
    assert_eq!(made["action"], "create_poll");
    let rest = &made["poll"];
    assert_eq!(rest["created_by"], stage.app.id);
    assert_eq!(rest["options"][2], json!({"text": "c", "count": 0, "votes": []}));
    let poll = told(&mut ana, event::CREATE_POLL).await;
    assert_eq!(told(&mut bo, event::CREATE_POLL).await, poll);
    assert_eq!(
        (poll.poll_id.clone(), poll.created_by.clone()),
        (text(&rest["id"]), stage.app.id.clone())
    );
    assert_eq!(poll.options.len(), 3);
    assert_eq!(counts(&vote(&mut bo, &poll, 2).await), [0, 0, 1]);
    let one = json!({"question": "x", "options": ["only"]});
    stage.meeting.post("/active-session/poll", one).await.refused(400);
    // Polls end with their session.
    kick_all(&stage).await.expect(200);
    let mut bo = Guest::join(&stage.origin(), &bo.token).await;
    assert!(all(&mut bo).await.is_empty());
}

async fn who_may_not_see_polls_hears_nothing(db: Database) {
    let stage = Stage::new(db).await;
    let change = json!({"polls": {"can_view": false, "can_vote": false, "can_create": false}});
    let blind = preset(&stage.app, "no polls", change).await;
    let mut ana = Guest::join(&stage.origin(), &stage.host("Ana").await).await;
    let mut bo = Guest::join(&stage.origin(), &stage.token("Bo", &blind).await).await;
    ana.tell(event::CREATE_POLL, &question("Between us?")).await;
    let poll = told(&mut ana, event::CREATE_POLL).await;
    vote(&mut ana, &poll, 0).await;
    assert!(all(&mut bo).await.is_empty());
    let heard = bo.pushed_events().await;
    assert!(
        !heard.contains(&event::CREATE_POLL) && !heard.contains(&event::VOTE_POLL),
        "{heard:?}"
    );
    let blind_vote = VotePollRequest {
        poll_id: poll.poll_id,
        index: 0,
    };
    bo.refused(event::VOTE_POLL, &blind_vote).await;
}

async fn polls_that_make_no_sense_are_refused(db: Database) {
    let stage = Stage::new(db).await;
    let mut ana = Guest::join(&stage.origin(), &stage.host("Ana").await).await;
    let with = |question: &str, options: Vec<String>| NewPollRequest {
        question: question.to_owned(),
        options,
        ..Default::default()
    };
    let two = vec!["a".to_owned(), "b".to_owned()];
    for poll in [
        with("", two.clone()),
        with("x", vec!["a".to_owned()]),
        with("x", vec!["a".to_owned(), String::new()]),
        with("x", vec!["a".to_owned(); 101]),
        with(&"x".repeat(2001), two),
    ] {
        ana.refused(event::CREATE_POLL, &poll).await;
    }
    let nowhere = VotePollRequest {
        poll_id: uuid::Uuid::new_v4().to_string(),
        index: 0,
    };
    assert_eq!(ana.refused(event::VOTE_POLL, &nowhere).await, "poll not found");
    assert!(all(&mut ana).await.is_empty());
    let kept = stage.server.database().number("SELECT COUNT(*) FROM polls").await;
    assert_eq!(kept, 0);
    let mut outside = Guest::connect(&stage.origin(), &stage.host("Out").await).await;
    outside
        .refused(event::CREATE_POLL, &question("From out here?"))
        .await;
}
