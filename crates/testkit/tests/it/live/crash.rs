//! The server stops or is killed while people are inside.

use std::{
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use muster_model::Timestamp;
use muster_testkit::{Api, Closed, Database, Guest, Muster, ServerProcess, both, eventually};
use muster_wire::{event, socket::chat};
use serde_json::{Value, json};

use super::{hear_join, hear_leave, ids, inside};

both!(
    killed_the_session_goes_on_with_those_who_come_back,
    killed_the_session_ends_where_nobody_comes_back,
    stopped_clients_are_told_to_come_back,
    chat_that_was_echoed_is_there_after_kill_9,
);

/// Accounts of a program's own meeting.
struct Family {
    muster: Muster,
    app: Api,
    meeting: Api,
}

impl Family {
    async fn new(db: Database) -> (Self, ServerProcess) {
        let muster = Muster::new(db).await;
        let server = muster.serve(&[]);
        let app = muster.api(&server).app().await;
        let meeting = app.meeting().await;
        (Self { muster, app, meeting }, server)
    }

    async fn token(&self, name: &str) -> String {
        let body = json!({"name": name, "custom_participant_id": name, "preset_name": "group_call_host"});
        let made = self.meeting.post("/participants", body).await.expect(201).ok();
        made["token"].as_str().expect("a token").to_owned()
    }

    async fn live(&self, server: &ServerProcess) -> Option<Value> {
        let answer = self.meeting.on(&server.origin).get("/active-session").await;
        (answer.status == 200).then(|| answer.ok())
    }

    async fn stays(&self, server: &ServerProcess, session: &str) -> Vec<Value> {
        let path = format!("/sessions/{session}/participants?per_page=100");
        let listed = self.app.on(&server.origin).get(&path).await.expect(200);
        listed.body["data"]["participants"]
            .as_array()
            .expect("stays")
            .clone()
    }

    async fn session(&self, server: &ServerProcess, session: &str) -> Value {
        let listed = self.app.on(&server.origin).get("/sessions").await.expect(200);
        let found = listed.body["data"]["sessions"]
            .as_array()
            .or(listed.body["data"].as_array());
        let found = found.expect("sessions").iter().find(|one| one["id"] == session);
        found.expect("the session").clone()
    }
}

fn time(value: &Value) -> i64 {
    value
        .as_str()
        .expect("a time")
        .parse::<Timestamp>()
        .expect("a time")
        .as_micros()
}

async fn killed_the_session_goes_on_with_those_who_come_back(db: Database) {
    let (family, server) = Family::new(db).await;
    let mut ana = Guest::join(&server.origin, &family.token("Ana").await).await;
    let mut bo = Guest::join(&server.origin, &family.token("Bo").await).await;
    let session = family.live(&server).await.expect("a session");
    let id = session["id"].as_str().expect("an id").to_owned();
    server.kill();
    assert_eq!(ana.closed().await, Closed::Broken);
    assert_eq!(bo.closed().await, Closed::Broken);
    let server = family.muster.serve(&["--reconnect-grace-secs", "3600"]);
    // Live, though nobody is back yet.
    assert_eq!(family.live(&server).await.expect("a session")["id"], id);
    let mut ana = ana.again_on(&server.origin).await;
    assert!(!ana.come_in().await.waitlisted);
    assert_eq!(ana.room().await.room_uuid(), id);
    assert_eq!(inside(&mut ana).await, ids(&[&ana, &bo]), "Bo may come back, too");
    let mut bo = bo.again_on(&server.origin).await;
    bo.come_in().await;
    bo.say("back again").await;
    assert_eq!(ana.chat_heard().await, ["back again"]);
    let pushed = ana.pushed_events().await;
    assert!(
        !pushed.contains(&event::JOIN_ROOM),
        "nobody came anew: {pushed:?}"
    );
    let live = family.live(&server).await.expect("a session");
    assert_eq!((&live["id"], &live["live_participants"]), (&json!(id), &json!(2)));
    assert_eq!(live["started_at"], session["started_at"]);
    let stays = family.stays(&server, &id).await;
    assert_eq!(stays.len(), 2, "one stay each: {stays:?}");
    assert!(stays.iter().all(|stay| stay["left_at"].is_null()));
    assert_eq!(server.terminate(), Some(0));
}

async fn killed_the_session_ends_where_nobody_comes_back(db: Database) {
    let (family, server) = Family::new(db).await;
    let mut ana = Guest::join(&server.origin, &family.token("Ana").await).await;
    let bo = Guest::join(&server.origin, &family.token("Bo").await).await;
    hear_join(&mut ana).await;
    let live = family.live(&server).await.expect("a session");
    let id = live["id"].as_str().expect("an id").to_owned();
    server.kill();
    let killed_at = Timestamp::now().as_micros();
    // One of two comes back: the other left when the server was last alive.
    let server = family.muster.serve(&["--reconnect-grace-secs", "2"]);
    let mut back = ana.again_on(&server.origin).await;
    back.come_in().await;
    assert_eq!(hear_leave(&mut back).await, bo.peer);
    assert_eq!(inside(&mut back).await, ids(&[&back]));
    let at_most_ten_seconds_before = |value: &Value, killed_at: i64| {
        let early = killed_at - time(value);
        // The clock of answers has milliseconds.
        assert!(
            (-2_000..=10_000_000).contains(&early),
            "{early} µs before the kill"
        );
    };
    let stays = family.stays(&server, &id).await;
    let of_bo = stays
        .iter()
        .find(|stay| stay["custom_participant_id"] == "Bo")
        .expect("Bo");
    at_most_ten_seconds_before(&of_bo["left_at"], killed_at);
    // Killed again, nobody comes back: the session ended when the server was last alive.
    server.kill();
    let killed_at = Timestamp::now().as_micros();
    assert_eq!(back.closed().await, Closed::Broken);
    let server = family.muster.serve(&["--reconnect-grace-secs", "1"]);
    eventually("the session ends", Duration::from_secs(30), async || {
        family.live(&server).await.is_none()
    })
    .await;
    let ended = family.session(&server, &id).await;
    assert_eq!(ended["status"], "ENDED");
    at_most_ten_seconds_before(&ended["ended_at"], killed_at);
    for stay in family.stays(&server, &id).await {
        assert!(time(&stay["left_at"]) <= time(&ended["ended_at"]), "{stay}");
    }
    // Who comes now begins another.
    let mut late = ana.again_on(&server.origin).await;
    late.come_in().await;
    assert_ne!(late.room().await.room_uuid(), id);
    assert_eq!(server.terminate(), Some(0));
}

async fn stopped_clients_are_told_to_come_back(db: Database) {
    let (family, mut server) = Family::new(db).await;
    let mut ana = Guest::join(&server.origin, &family.token("Ana").await).await;
    let mut early = Guest::connect(&server.origin, &family.token("Early").await).await;
    let id = ana.room().await.room_uuid().to_owned();
    for round in 0..2 {
        let said = format!("before stop {round}");
        ana.say(&said).await;
        assert_eq!(server.terminate(), Some(0));
        assert_eq!(ana.closed().await, Closed::Code(1012));
        assert_eq!(early.closed().await, Closed::Code(1012));
        server = family.muster.serve(&[]);
        early = early.again_on(&server.origin).await;
        ana = ana.again_on(&server.origin).await;
        ana.come_in().await;
        assert_eq!(ana.room().await.room_uuid(), id, "the session goes on");
        let kept: chat::GetChatMessagesResponse = ana.request(event::GET_MESSAGES, &Guest::nothing()).await;
        assert_eq!(kept.messages.last().expect("a message").payload, said);
    }
    assert_eq!(family.stays(&server, &id).await.len(), 1);
    let rooms = family.live(&server).await.expect("a session");
    assert_eq!(rooms["live_participants"], 1);
    ana.leave().await;
    assert_eq!(server.terminate(), Some(0));
}

const ROUNDS: u64 = 3;

async fn chat_that_was_echoed_is_there_after_kill_9(db: Database) {
    let (family, mut server) = Family::new(db).await;
    let names = ["Ana", "Bo", "Cy"];
    let mut people = Vec::new();
    for name in names {
        people.push(Guest::join(&server.origin, &family.token(name).await).await);
    }
    let id = people[0].room().await.room_uuid().to_owned();
    let mut echoed: Vec<String> = Vec::new();
    for round in 0..ROUNDS {
        let count = Arc::new(AtomicU64::new(0));
        let talks: Vec<_> = people
            .drain(..)
            .map(|guest| tokio::spawn(talk_until_it_ends(guest, round, count.clone())))
            .collect();
        eventually("some is said", Duration::from_secs(30), async || {
            count.load(Ordering::Relaxed) > 4 + 7 * round
        })
        .await;
        server.kill();
        let mut ended = Vec::new();
        let before = echoed.len();
        for talk in talks {
            let (guest, said) = talk.await.expect("a talk");
            echoed.extend(said);
            ended.push(guest);
        }
        assert!(echoed.len() > before, "nothing was said");
        server = family.muster.serve(&[]);
        for guest in ended {
            let mut back = guest.again_on(&server.origin).await;
            back.come_in().await;
            assert_eq!(back.room().await.room_uuid(), id);
            people.push(back);
        }
        let kept: chat::GetChatMessagesResponse =
            people[0].request(event::GET_MESSAGES, &Guest::nothing()).await;
        let kept: Vec<&str> = kept
            .messages
            .iter()
            .map(|message| message.payload.as_str())
            .collect();
        for said in &echoed {
            assert!(kept.contains(&said.as_str()), "lost: {said}");
        }
        let mut once = kept.clone();
        once.sort_unstable();
        once.dedup();
        assert_eq!(once.len(), kept.len(), "each of them once");
    }
    assert_eq!(server.terminate(), Some(0));
}

/// Writes until the server is gone; answers what came back as an echo.
async fn talk_until_it_ends(mut guest: Guest, round: u64, count: Arc<AtomicU64>) -> (Guest, Vec<String>) {
    let mut echoed = Vec::new();
    // Fewer than the limit of texts a minute.
    for at in 0..60 {
        let text = format!("{}: {round}-{at}", guest.user);
        if !guest.try_say(&text).await {
            return (guest, echoed);
        }
        echoed.push(text);
        count.fetch_add(1, Ordering::Relaxed);
    }
    guest.closed().await;
    (guest, echoed)
}
