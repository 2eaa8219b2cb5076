//! What an app's server is told of real sessions.

use muster_testkit::{Api, Database, Guest, Muster, Reply, Server, WebhookSink, both, eventually};
use muster_wire::{event, socket::room};
use serde_json::{Value, json};

use super::{
    Stage,
    kit::{SOON, ended, id, keep_alive, kick_all, link_path, live, stays, text},
};

both!(
    the_life_of_a_session_is_told_in_order,
    everybody_left_is_told_as_such,
    chat_is_told_with_a_link_that_downloads,
    a_peer_that_comes_again_is_told_again,
    only_the_app_of_the_meeting_is_told,
    what_was_told_to_people_is_queued_already,
    what_happened_before_a_kill_is_told_after_it,
);

const EVENTS: [&str; 5] = [
    "meeting.started",
    "meeting.participantJoined",
    "meeting.participantLeft",
    "meeting.ended",
    "meeting.chatSynced",
];

async fn stage(db: Database) -> Stage {
    let builder = Server::builder(db).with(|settings| {
        settings.allow_outbound = Some(vec!["127.0.0.1/32".parse().unwrap()]);
        settings.webhook_retry_schedule = Some(["10ms", "20ms", "50ms"].map(str::to_owned).to_vec());
    });
    Stage::on(builder.start().await).await
}

async fn hook(app: &Api, url: String, events: &[&str]) -> Api {
    let body = json!({"name": url, "url": url, "events": events});
    let made = app.post("/webhooks", body).await.expect(201).ok();
    app.at(&format!("/webhooks/{}", id(&made)))
}

/// Waits until the sink has got so many bodies; answers them in order.
async fn told(sink: &WebhookSink, count: usize) -> Vec<Value> {
    eventually(&format!("{count} events"), SOON, async || sink.count() >= count).await;
    let bodies: Vec<Value> = sink
        .received()
        .iter()
        .map(muster_testkit::Received::json)
        .collect();
    assert_eq!(bodies.len(), count, "{bodies:?}");
    bodies
}

fn names(bodies: &[Value]) -> Vec<&str> {
    bodies
        .iter()
        .map(|body| body["event"].as_str().unwrap())
        .collect()
}

async fn the_life_of_a_session_is_told_in_order(db: Database) {
    let stage = stage(db).await;
    let sink = WebhookSink::start().await;
    hook(&stage.app, sink.url("/"), &EVENTS).await;
    let mut ana = Guest::join(&stage.origin(), &stage.host("Ana").await).await;
    let bo = Guest::join(&stage.origin(), &stage.participant("Bo").await).await;
    let (first, second) = (ana.peer.clone(), bo.peer.clone());
    let session = id(&live(&stage).await);
    bo.leave().await;
    ana.hear::<room::PeerInfoResponse>(event::LEAVE_ROOM).await;
    kick_all(&stage).await.expect(200);

    let session = ended(&stage.app, &session).await;
    let bodies = told(&sink, 6).await;
    let meeting = json!({
        "id": stage.meeting.id,
        "sessionId": session["id"],
        "title": "a test",
        "roomName": stage.meeting.id,
        "status": "LIVE",
        "createdAt": session["created_at"],
        "startedAt": session["started_at"],
        "organizedBy": {"id": stage.app.id, "name": "a test"},
    });
    let mut over = meeting.clone();
    over["endedAt"] = session["ended_at"].clone();
    let stays = stays(&stage.app, &id(&session)).await;
    let person = |peer: &str, left: bool| {
        let stay = stays.iter().find(|stay| stay["id"] == peer).unwrap();
        let mut person = json!({
            "peerId": peer,
            "userDisplayName": stay["display_name"],
            "customParticipantId": stay["custom_participant_id"],
            "clientSpecificId": stay["custom_participant_id"],
            "joinedAt": stay["joined_at"],
        });
        if left {
            person["leftAt"] = stay["left_at"].clone();
        }
        person
    };
    let joined = |peer: &str| json!({"event": "meeting.participantJoined", "meeting": meeting, "participant": person(peer, false)});
    let left = |peer: &str| json!({"event": "meeting.participantLeft", "meeting": meeting, "participant": person(peer, true)});
    let wanted = [
        json!({"event": "meeting.started", "meeting": meeting}),
        joined(&first),
        joined(&second),
        left(&second),
        left(&first),
        json!({"event": "meeting.ended", "meeting": over, "reason": "HOST_ENDED_MEETING"}),
    ];
    for (body, wanted) in bodies.iter().zip(&wanted) {
        assert_eq!(body, wanted);
    }
    assert_eq!(person(&second, true)["userDisplayName"], "Bo");
}

async fn everybody_left_is_told_as_such(db: Database) {
    let stage = stage(db).await;
    keep_alive(&stage, 0).await;
    let sink = WebhookSink::start().await;
    hook(&stage.app, sink.url("/"), &EVENTS).await;
    let ana = Guest::join(&stage.origin(), &stage.host("Ana").await).await;
    let session = id(&live(&stage).await);
    ana.leave().await;
    let session = ended(&stage.app, &session).await;
    let bodies = told(&sink, 4).await;
    assert_eq!(names(&bodies), [EVENTS[0], EVENTS[1], EVENTS[2], EVENTS[3]]);
    assert_eq!(bodies[3]["reason"], "ALL_PARTICIPANTS_LEFT");
    assert_eq!(bodies[3]["meeting"]["endedAt"], session["ended_at"]);
    assert_eq!(bodies[2]["participant"]["leftAt"], session["ended_at"]);
}

async fn chat_is_told_with_a_link_that_downloads(db: Database) {
    let stage = stage(db).await;
    let sink = WebhookSink::start().await;
    hook(
        &stage.app,
        sink.url("/"),
        &["meeting.chatSynced", "meeting.ended"],
    )
    .await;
    let token = stage.host("Ana").await;
    // Where nothing was written, there is nothing to fetch.
    let silent = Guest::join(&stage.origin(), &token).await;
    kick_all(&stage).await.expect(200);
    drop(silent);
    assert_eq!(names(&told(&sink, 1).await), ["meeting.ended"]);

    let mut ana = Guest::join(&stage.origin(), &token).await;
    let session = id(&live(&stage).await);
    let message = ana.say("for the record").await;
    kick_all(&stage).await.expect(200);
    let session = ended(&stage.app, &session).await;
    let bodies = told(&sink, 3).await;
    assert_eq!(names(&bodies)[1..], ["meeting.ended", "meeting.chatSynced"]);
    let synced = &bodies[2];
    let link = text(&synced["chatDownloadUrl"]);
    assert_eq!(
        synced,
        &json!({
            "event": "meeting.chatSynced",
            "sessionId": session["id"],
            "meetingId": stage.meeting.id,
            "title": "a test",
            "chatDownloadUrl": link,
            "chatDownloadUrlExpiry": synced["chatDownloadUrlExpiry"],
            "createdAt": session["created_at"],
            "startedAt": session["started_at"],
            "endedAt": session["ended_at"],
            "organizedBy": {"id": stage.app.id, "name": "a test"},
        })
    );
    let held =
        super::kit::millis(&synced["chatDownloadUrlExpiry"]) - super::kit::millis(&session["ended_at"]);
    assert_eq!(held, 7 * 24 * 3600 * 1000);
    let anybody = stage.app.at_root("").without_token();
    let csv = anybody.get(&link_path(&link)).await.expect(200);
    let lines: Vec<&str> = csv.text.lines().collect();
    assert_eq!(lines.len(), 2, "{}", csv.text);
    assert!(lines[1].starts_with(&message.chat_id), "{}", csv.text);
    assert!(lines[1].contains(",for the record,"), "{}", csv.text);
}

async fn a_peer_that_comes_again_is_told_again(db: Database) {
    let stage = stage(db).await;
    let sink = WebhookSink::start().await;
    hook(&stage.app, sink.url("/"), &EVENTS).await;
    let token = stage.host("Ana").await;
    let mut ana = Guest::join(&stage.origin(), &token).await;
    // A lost connection within the grace period is nobody's coming or going.
    let mut back = ana.again().await;
    back.come_in().await;
    ana.closed().await;
    let peer = back.peer.clone();
    back.leave().await;
    told(&sink, 3).await;
    let mut again = Guest::connect_as(&stage.origin(), &token, &peer).await;
    again.come_in().await;
    let bodies = told(&sink, 4).await;
    assert_eq!(names(&bodies), [EVENTS[0], EVENTS[1], EVENTS[2], EVENTS[1]]);
    assert_eq!(bodies[3]["participant"]["peerId"], peer);
    assert_ne!(
        bodies[3]["participant"]["joinedAt"],
        bodies[1]["participant"]["joinedAt"]
    );
    assert_eq!(
        bodies[3]["meeting"]["sessionId"],
        bodies[0]["meeting"]["sessionId"]
    );
}

async fn only_the_app_of_the_meeting_is_told(db: Database) {
    let stage = stage(db).await;
    let (sink, other_sink) = (WebhookSink::start().await, WebhookSink::start().await);
    let other = stage.app.app().await;
    hook(&stage.app, sink.url("/"), &["meeting.ended"]).await;
    hook(&other, other_sink.url("/"), &EVENTS).await;
    let ana = Guest::join(&stage.origin(), &stage.host("Ana").await).await;
    kick_all(&stage).await.expect(200);
    drop(ana);
    assert_eq!(names(&told(&sink, 1).await), ["meeting.ended"]);
    let queued = stage
        .server
        .database()
        .number("SELECT COUNT(*) FROM deliveries")
        .await;
    assert_eq!(queued, 1);
    assert_eq!(other_sink.count(), 0);
}

async fn what_was_told_to_people_is_queued_already(db: Database) {
    let stage = stage(db).await;
    let sink = WebhookSink::with(|_| Reply::RetryAfter(503, 600)).await;
    let hook = hook(&stage.app, sink.url("/"), &EVENTS).await;
    let queue = async || {
        let log = hook.get("/deliveries?per_page=100").await.expect(200);
        let mut events = log.each("event");
        events.reverse();
        events
    };
    // Each time the reply is there, so is the row: they are of one transaction.
    let mut ana = Guest::connect(&stage.origin(), &stage.host("Ana").await).await;
    assert!(queue().await.is_empty());
    ana.come_in().await;
    assert_eq!(queue().await, [EVENTS[0], EVENTS[1]]);
    let bo = Guest::join(&stage.origin(), &stage.participant("Bo").await).await;
    assert_eq!(queue().await, [EVENTS[0], EVENTS[1], EVENTS[1]]);
    bo.leave().await;
    ana.hear::<room::PeerInfoResponse>(event::LEAVE_ROOM).await;
    assert_eq!(queue().await, [EVENTS[0], EVENTS[1], EVENTS[1], EVENTS[2]]);
    kick_all(&stage).await.expect(200);
    assert_eq!(
        queue().await,
        [EVENTS[0], EVENTS[1], EVENTS[1], EVENTS[2], EVENTS[2], EVENTS[3]]
    );
    assert!(sink.count() <= 1, "later ones wait for the first");
}

async fn what_happened_before_a_kill_is_told_after_it(db: Database) {
    let muster = Muster::new(db).await;
    let sink = WebhookSink::with(|_| Reply::Break).await;
    let settings = [
        "--allow-outbound",
        "127.0.0.1/32",
        "--webhook-retry-schedule",
        "10ms,50ms,200ms,1s,1s,1s,1s,1s,1s,1s,1s,1s,1s,1s,1s,1s,1s,1s,1s,1s",
    ];
    let server = muster.serve(&settings);
    let app = muster.api(&server).app().await;
    hook(&app, sink.url("/"), &EVENTS).await;
    let meeting = app.meeting().await;
    let token = text(&meeting.participant("Ana").await["token"]);
    let mut ana = Guest::join(&server.origin, &token).await;
    server.kill();
    ana.closed().await;
    sink.script(|_| Reply::Status(200));
    let server = muster.serve(&settings);
    eventually("both events", SOON, async || delivered(&sink).len() >= 2).await;
    let bodies = delivered(&sink);
    assert_eq!(names(&bodies), [EVENTS[0], EVENTS[1]]);
    // Whoever comes back within the grace period goes on: nobody is told of a second coming.
    let meeting = meeting.on(&server.origin);
    let session = meeting.get("/active-session").await.expect(200).ok();
    assert_eq!(bodies[1]["meeting"]["sessionId"], session["id"]);
    let mut back = Guest::connect_as(&server.origin, &token, &ana.peer).await;
    back.come_in().await;
    meeting.post_empty("/active-session/kick-all").await.expect(200);
    eventually("the end", SOON, async || delivered(&sink).len() >= 4).await;
    assert_eq!(
        names(&delivered(&sink)),
        [EVENTS[0], EVENTS[1], EVENTS[2], EVENTS[3]]
    );
}

/// What the sink has taken, each once: a server that was killed may not know that it has delivered.
fn delivered(sink: &WebhookSink) -> Vec<Value> {
    let mut seen = std::collections::BTreeSet::new();
    let mut taken = sink.received();
    taken.retain(|got| got.answered == Some(200) && seen.insert(got.header("rtk-uuid").to_owned()));
    taken.iter().map(muster_testkit::Received::json).collect()
}
