//! What webhooks are told: signed, in order, again when it fails, and kept in a log.

use std::{
    collections::BTreeMap,
    fs, io,
    net::IpAddr,
    process::Command,
    sync::{
        Arc, Mutex,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use base64::{Engine, prelude::BASE64_STANDARD};
use futures::future::BoxFuture;
use muster_model::{AppId, SessionId, Timestamp, webhook::WebhookEvent};
use muster_server::outbound::http;
use muster_store::{Store, deliveries};
use muster_testkit::{
    Answer, Api, Database, Muster, Received, Reply, Server, ServerBuilder, WebhookSink, both, eventually,
};
use serde_json::{Value, json};

both!(
    a_delivery_is_signed_and_logged,
    only_who_wants_an_event_is_told,
    a_session_s_events_keep_their_order_over_retries,
    what_is_refused_is_not_tried_again,
    an_endpoint_says_when_to_come_back,
    what_is_given_up_can_be_delivered_again,
    a_slow_endpoint_holds_up_no_other,
    places_that_are_not_public_get_nothing,
    a_disabled_or_deleted_webhook_is_told_no_more,
    an_endpoint_that_keeps_failing_is_slowed_down,
    rows_of_another_process_are_found,
    the_log_has_pages_and_ends,
    a_stop_lets_attempts_finish,
    an_endpoint_must_prove_who_it_is,
    none_is_lost_and_order_is_kept_over_ten_kills,
);

const SOON: Duration = Duration::from_secs(10);

fn builder(db: Database, schedule: &str) -> ServerBuilder {
    let schedule = schedule.split(',').map(str::to_owned).collect();
    Server::builder(db).with(|settings| {
        settings.allow_outbound = Some(vec!["127.0.0.1/32".parse().unwrap()]);
        settings.webhook_retry_schedule = Some(schedule);
    })
}

const FAST: &str = "5ms,10ms,20ms,30ms,40ms";

async fn hook(app: &Api, name: &str, url: String) -> Api {
    let body = json!({"name": name, "url": url, "events": ["meeting.started", "meeting.ended"]});
    let made = app.post("/webhooks", body).await.expect(201).ok();
    app.at(&format!("/webhooks/{}", made["id"].as_str().unwrap()))
}

fn body(n: usize) -> String {
    json!({"event": "meeting.started", "n": n, "name": "Ada — Ω"}).to_string()
}

async fn enqueue(
    store: &Store,
    app: &Api,
    session: Option<SessionId>,
    event: WebhookEvent,
    body: String,
) -> usize {
    let app: AppId = app.id.parse().unwrap();
    store
        .write(move |conn| {
            Box::pin(
                async move { deliveries::enqueue(conn, app, session, event, &body, Timestamp::now()).await },
            )
        })
        .await
        .unwrap()
}

async fn tell(server: &Server, app: &Api, session: SessionId, n: usize) {
    let told = enqueue(
        server.store(),
        app,
        Some(session),
        WebhookEvent::MeetingStarted,
        body(n),
    );
    assert!(told.await > 0);
    server.app().deliver_soon();
}

async fn log(hook: &Api, query: &str) -> Answer {
    hook.get(&format!("/deliveries{query}")).await.expect(200)
}

/// Waits until so many deliveries have a status; answers them, newest first.
async fn logged(hook: &Api, status: &str, count: usize) -> Vec<Value> {
    let mut found = Vec::new();
    eventually(&format!("{count} {status}"), SOON, async || {
        let answer = log(hook, &format!("?per_page=1000&status={status}")).await;
        found.clone_from(answer.body["data"].as_array().unwrap());
        found.len() >= count
    })
    .await;
    assert_eq!(found.len(), count);
    found
}

fn number(received: &Received) -> usize {
    usize::try_from(received.json()["n"].as_u64().unwrap()).unwrap()
}

/// Asks the openssl command whether a signature is one of the key's.
fn openssl_accepts(folder: &std::path::Path, pem: &str, signature: &str, message: &[u8]) -> bool {
    let file = |name: &str, content: &[u8]| {
        let path = folder.join(name);
        fs::write(&path, content).unwrap();
        path
    };
    let ran = Command::new("openssl")
        .args(["dgst", "-sha256", "-verify"])
        .arg(file("key.pem", pem.as_bytes()))
        .arg("-signature")
        .arg(file("signature", &BASE64_STANDARD.decode(signature).unwrap()))
        .arg(file("message", message))
        .output()
        .expect("the command openssl");
    ran.status.success()
}

fn timed_signature(received: &Received) -> (i64, &str, Vec<u8>) {
    let (time, signature) = received.header("muster-signature").split_once(',').unwrap();
    let time = time.strip_prefix("t=").unwrap();
    let message = [time.as_bytes(), b".", &received.body].concat();
    (
        time.parse().unwrap(),
        signature.strip_prefix("v1=").unwrap(),
        message,
    )
}

async fn public_key(api: &Api) -> String {
    let told = api
        .at_root("")
        .without_token()
        .get("/.well-known/webhooks.json")
        .await
        .expect(200);
    assert_eq!(told.body["message"], "");
    assert_eq!(told.body.as_object().unwrap().len(), 3);
    told.ok()["publicKey"].as_str().unwrap().to_owned()
}

async fn a_delivery_is_signed_and_logged(db: Database) {
    let mut server = builder(db, FAST).start().await;
    let sink = WebhookSink::with(|_| Reply::Body("thanks\0".repeat(1000))).await;
    let app = server.api().await.app().await;
    let hook = hook(&app, "one", sink.url("/hook?a=b")).await;
    let session = SessionId::random();
    tell(&server, &app, session, 7).await;
    let delivery = logged(&hook, "DELIVERED", 1).await.remove(0);

    let received = sink.received().remove(0);
    assert_eq!(sink.count(), 1);
    assert_eq!(received.path, "/hook?a=b");
    assert_eq!(received.body, body(7).as_bytes());
    assert_eq!(received.header("content-type"), "application/json");
    assert!(received.header("user-agent").starts_with("muster/"));
    assert_eq!(received.header("rtk-webhook-id"), delivery["webhook_id"]);
    assert_eq!(received.header("rtk-uuid"), delivery["id"]);

    let pem = public_key(&app).await;
    assert!(pem.starts_with("-----BEGIN PUBLIC KEY-----\n"));
    let folder = server.data_dir();
    let signature = received.header("rtk-signature");
    assert!(openssl_accepts(folder, &pem, signature, &received.body));
    assert!(!openssl_accepts(folder, &pem, signature, b"another body"));
    let (time, signature, message) = timed_signature(&received);
    assert!((Timestamp::now().as_secs() - time).abs() < 60);
    assert!(openssl_accepts(folder, &pem, signature, &message));
    assert!(!openssl_accepts(folder, &pem, signature, &received.body));

    assert_eq!(delivery["event"], "meeting.started");
    assert_eq!(delivery["session_id"], session.to_string());
    assert_eq!(delivery["payload"]["n"], 7);
    assert_eq!(delivery["attempt_count"], 1);
    assert_eq!(delivery["error"], Value::Null);
    let attempts = delivery["attempts"].as_array().unwrap();
    assert_eq!(attempts.len(), 1);
    assert_eq!(attempts[0]["response_status"], 200);
    assert!(attempts[0]["duration_ms"].as_u64().unwrap() < 5000);
    let kept = attempts[0]["response_body"].as_str().unwrap();
    assert!(kept.starts_with("thanks") && kept.len() <= 1024, "{}", kept.len());

    // The key is the installation's own for good.
    server.restart(|_| {}).await;
    assert_eq!(public_key(&app.on(server.origin())).await, pem);
}

async fn only_who_wants_an_event_is_told(db: Database) {
    let server = builder(db, FAST).start().await;
    let sink = WebhookSink::start().await;
    let api = server.api().await;
    let (app, other) = (api.app().await, api.app().await);
    for name in ["a", "b"] {
        hook(&app, name, sink.url(&format!("/{name}"))).await;
    }
    hook(&other, "c", sink.url("/c")).await;
    let disabled =
        json!({"name": "d", "url": sink.url("/d"), "events": ["meeting.started"], "enabled": false});
    app.post("/webhooks", disabled).await.expect(201);
    let queue = async |event| enqueue(server.store(), &app, None, event, body(1)).await;
    assert_eq!(queue(WebhookEvent::ParticipantJoined).await, 0);
    assert_eq!(queue(WebhookEvent::MeetingEnded).await, 2);
    server.app().deliver_soon();
    eventually("both are told", SOON, async || sink.count() == 2).await;
    let mut paths: Vec<_> = sink.received().into_iter().map(|r| r.path).collect();
    paths.sort();
    assert_eq!(paths, ["/a", "/b"]);
}

async fn a_session_s_events_keep_their_order_over_retries(db: Database) {
    let server = builder(db, "50ms,100ms,100ms,100ms").start().await;
    let failed = AtomicUsize::new(0);
    // The first event fails three times: by a status, by a broken connection, by a status.
    let sink = WebhookSink::with(move |received| {
        let first = number(received) == 0;
        match first.then(|| failed.fetch_add(1, Ordering::SeqCst)) {
            Some(0) => Reply::Status(500),
            Some(1) => Reply::Break,
            Some(2) => Reply::Status(503),
            _ => Reply::Status(200),
        }
    })
    .await;
    let app = server.api().await.app().await;
    let hook = hook(&app, "one", sink.url("/")).await;
    let (a, b) = (SessionId::random(), SessionId::random());
    for n in 0..5 {
        tell(&server, &app, a, n).await;
    }
    for n in 100..105 {
        tell(&server, &app, b, n).await;
    }
    let delivered = logged(&hook, "DELIVERED", 10).await;
    let received = sink.received();
    let of = |range: std::ops::Range<usize>| -> Vec<usize> {
        received
            .iter()
            .map(number)
            .filter(|n| range.contains(n))
            .collect()
    };
    assert_eq!(of(0..5), [0, 0, 0, 0, 1, 2, 3, 4]);
    assert_eq!(of(100..105), [100, 101, 102, 103, 104]);
    let last_of_b = received.iter().position(|r| number(r) == 104).unwrap();
    let second_of_a = received.iter().position(|r| number(r) == 1).unwrap();
    assert!(last_of_b < second_of_a, "one session held up the other");
    let ids: std::collections::BTreeSet<_> = received
        .iter()
        .filter(|r| number(r) == 0)
        .map(|r| r.header("rtk-uuid"))
        .collect();
    assert_eq!(ids.len(), 1, "the id is the same over retries");
    let first = delivered.iter().find(|d| d["payload"]["n"] == 0).unwrap();
    let of_attempts = |field: &str| -> Vec<Value> {
        let attempts = first["attempts"].as_array().unwrap();
        attempts.iter().map(|attempt| attempt[field].clone()).collect()
    };
    assert_eq!(of_attempts("number"), [1, 2, 3, 4]);
    assert_eq!(
        of_attempts("response_status"),
        [json!(500), Value::Null, json!(503), json!(200)]
    );
    assert_eq!(
        of_attempts("error"),
        [
            json!("answered 500"),
            json!("the connection broke"),
            json!("answered 503"),
            Value::Null
        ]
    );
}

async fn what_is_refused_is_not_tried_again(db: Database) {
    let server = builder(db, FAST).start().await;
    let sink = WebhookSink::start().await;
    let elsewhere = sink.url("/elsewhere");
    sink.script(move |received| match number(received) {
        0 => Reply::Status(400),
        1 => Reply::Status(404),
        2 => Reply::Redirect(elsewhere.clone()),
        3 => Reply::Status(410),
        _ => Reply::Status(204),
    });
    let app = server.api().await.app().await;
    let hook = hook(&app, "one", sink.url("/")).await;
    let session = SessionId::random();
    for n in 0..5 {
        tell(&server, &app, session, n).await;
    }
    logged(&hook, "DELIVERED", 1).await;
    let failed = logged(&hook, "FAILED", 4).await;
    let errors: Vec<_> = failed.iter().map(|d| d["error"].as_str().unwrap()).collect();
    assert_eq!(
        errors,
        ["answered 410", "answered 302", "answered 404", "answered 400"]
    );
    assert!(failed.iter().all(|d| d["attempt_count"] == 1));
    let told: Vec<_> = sink.received().iter().map(number).collect();
    assert_eq!(told, [0, 1, 2, 3, 4]);
    assert!(
        sink.received().iter().all(|r| r.path == "/"),
        "a redirect was followed"
    );
}

async fn an_endpoint_says_when_to_come_back(db: Database) {
    let server = builder(db, FAST).start().await;
    let calls = AtomicUsize::new(0);
    let sink = WebhookSink::with(move |_| match calls.fetch_add(1, Ordering::SeqCst) {
        0 => Reply::RetryAfter(429, 1),
        1 => Reply::RetryAfter(503, 2),
        _ => Reply::Status(200),
    })
    .await;
    let app = server.api().await.app().await;
    let hook = hook(&app, "one", sink.url("/")).await;
    tell(&server, &app, SessionId::random(), 1).await;
    logged(&hook, "DELIVERED", 1).await;
    let times: Vec<_> = sink.received().iter().map(|r| r.at).collect();
    assert_eq!(times.len(), 3);
    assert!(times[1] - times[0] >= Duration::from_millis(990));
    assert!(times[2] - times[1] >= Duration::from_millis(1990));
}

async fn what_is_given_up_can_be_delivered_again(db: Database) {
    let server = builder(db, "5ms,5ms").start().await;
    let sink = WebhookSink::with(|_| Reply::Status(500)).await;
    let app = server.api().await.app().await;
    let hook = hook(&app, "one", sink.url("/")).await;
    tell(&server, &app, SessionId::random(), 1).await;
    let failed = logged(&hook, "FAILED", 1).await.remove(0);
    assert_eq!(failed["attempt_count"], 3);
    assert_eq!((failed["response_status"].as_u64(), sink.count()), (Some(500), 3));
    assert!(failed["finished_at"].is_string());
    let again = format!("/deliveries/{}/redeliver", failed["id"].as_str().unwrap());

    sink.script(|_| Reply::Slow(Duration::from_millis(700)));
    let queued = hook.post_empty(&again).await.expect(200).ok();
    assert_eq!(
        (&queued["id"], &queued["status"]),
        (&failed["id"], &json!("PENDING"))
    );
    hook.post_empty(&again).await.refused(409);
    let delivered = logged(&hook, "DELIVERED", 1).await.remove(0);
    assert_eq!(delivered["id"], failed["id"]);
    assert_eq!(delivered["attempt_count"], 4);
    assert_eq!(delivered["error"], Value::Null);
    // What arrived can be had again too.
    sink.script(|_| Reply::Status(200));
    hook.post_empty(&again).await.expect(200);
    eventually("it comes once more", SOON, async || sink.count() == 5).await;
    let received = sink.received();
    assert!(received.iter().all(|r| r.header("rtk-uuid") == failed["id"]));
    logged(&hook, "DELIVERED", 1).await;

    hook.patch("", json!({"enabled": false})).await.expect(200);
    hook.post_empty(&again).await.refused(409);
    let nobody = format!("/deliveries/{}/redeliver", uuid::Uuid::new_v4());
    hook.post_empty(&nobody).await.refused(404);
    hook.post_empty("/deliveries/no-id/redeliver").await.refused(404);
}

async fn a_slow_endpoint_holds_up_no_other(db: Database) {
    let server = builder(db, FAST).start().await;
    let slow = WebhookSink::with(|_| Reply::Slow(Duration::from_secs(2))).await;
    let quick = WebhookSink::start().await;
    let api = server.api().await;
    let (app, other) = (api.app().await, api.app().await);
    hook(&app, "slow", slow.url("/")).await;
    hook(&other, "quick", quick.url("/")).await;
    // More lanes than are looked at in one go.
    for n in 0..150 {
        tell(&server, &app, SessionId::random(), n).await;
    }
    eventually("the slow one is busy", SOON, async || slow.count() >= 4).await;
    for n in 0..50 {
        tell(&server, &other, SessionId::random(), n).await;
    }
    eventually("the quick one is told all", Duration::from_secs(5), async || {
        quick.count() == 50
    })
    .await;
    assert!(slow.count() < 30);
    assert_eq!(slow.busiest(), 4, "one endpoint is called by a few at once");
    assert!(quick.busiest() <= 4);
}

async fn places_that_are_not_public_get_nothing(db: Database) {
    let server = Server::start(db).await;
    let sink = WebhookSink::start().await;
    let port = sink.address.port();
    let app = server.api().await.app().await;
    let hook = hook(&app, "one", "https://example.com/hook".into()).await;
    let spellings = [
        "127.0.0.1",
        "127.1",
        "2130706433",
        "0x7f000001",
        "0177.0.0.1",
        "0x7f.0.0.1",
        "%31%32%37.0.0.1",
        "[::ffff:127.0.0.1]",
        "[::ffff:7f00:1]",
        "[::127.0.0.1]",
        "[64:ff9b::7f00:1]",
        "[::1]",
        "0.0.0.0",
        "10.0.0.1",
        "169.254.169.254",
        "localhost",
        "user:password@localhost",
    ];
    for (n, host) in spellings.into_iter().enumerate() {
        // As if it had been stored before the rule, or resolved differently then.
        let sql = format!("UPDATE webhooks SET url = 'http://{host}:{port}/'");
        assert_eq!(server.database().execute(sql).await, 1);
        tell(&server, &app, SessionId::random(), n).await;
        let failed = logged(&hook, "FAILED", n + 1).await;
        let newest = &failed[0];
        assert_eq!(newest["attempt_count"], 1, "{host}");
        let error = newest["error"].as_str().unwrap();
        assert!(
            error.contains("not") && error.contains("public"),
            "{host}: {error}"
        );
        // What a name resolves to inside is not told.
        assert!(!host.contains("localhost") || !error.contains("127."), "{error}");
    }
    assert_eq!(sink.count(), 0);
}

/// Answers each lookup with the next of its lists.
struct Script(Arc<Mutex<Vec<Vec<IpAddr>>>>);

impl http::Lookup for Script {
    fn lookup(&self, _: String) -> BoxFuture<'static, io::Result<Vec<IpAddr>>> {
        let next = self.0.lock().unwrap().remove(0);
        Box::pin(async move { Ok(next) })
    }
}

#[tokio::test]
async fn a_name_that_changes_its_mind_gains_nothing() {
    let sink = WebhookSink::with(|_| Reply::Status(200)).await;
    let ip = |text: &str| text.parse::<IpAddr>().unwrap();
    let answers = Arc::new(Mutex::new(vec![
        // Only the address that is allowed is connected to, whatever stands before it.
        vec![ip("127.0.0.2"), ip("10.0.0.1"), ip("127.0.0.1")],
        // The next resolutions of the same name lead inside.
        vec![ip("127.0.0.2")],
        vec![ip("::ffff:10.0.0.1"), ip("169.254.169.254")],
        vec![],
    ]));
    let allowed = ["127.0.0.1/32".parse().unwrap()];
    let client = http::client(Script(Arc::clone(&answers)), &allowed, Duration::from_secs(2)).unwrap();
    let url = format!("http://rebinding.example:{}/", sink.address.port());
    // Each on a connection of its own, so that each resolves anew.
    let send = || client.post(&url).header("connection", "close").send();
    let first = send().await.unwrap();
    assert_eq!(first.remote_addr().unwrap().ip(), ip("127.0.0.1"));
    assert_eq!(answers.lock().unwrap().len(), 3, "a connection resolves once");
    for _ in 0..2 {
        let refused = send().await.unwrap_err();
        assert_eq!(http::explain(&refused), http::NOT_PUBLIC);
    }
    assert_eq!(http::explain(&send().await.unwrap_err()), "no connection");
    assert_eq!(sink.count(), 1);
}

async fn a_disabled_or_deleted_webhook_is_told_no_more(db: Database) {
    let server = builder(db, "1h").start().await;
    let sink = WebhookSink::with(|_| Reply::Status(500)).await;
    let app = server.api().await.app().await;
    let (off, gone) = (
        hook(&app, "off", sink.url("/")).await,
        hook(&app, "gone", sink.url("/")).await,
    );
    let session = SessionId::random();
    for n in 0..3 {
        tell(&server, &app, session, n).await;
    }
    eventually("both were tried", SOON, async || sink.count() == 2).await;
    eventually("it is to be tried again", SOON, async || {
        log(&off, "").await.body["data"][2]["next_attempt_at"].is_string()
    })
    .await;
    off.patch("", json!({"enabled": false})).await.expect(200);
    let failed = logged(&off, "FAILED", 3).await;
    assert!(failed.iter().all(|d| d["error"] == "the webhook was disabled"));
    gone.delete("").await.expect(200);
    gone.get("/deliveries").await.refused(404);
    eventually("its log is purged", SOON, async || {
        let count = async |table| {
            server
                .database()
                .number(format!("SELECT COUNT(*) FROM {table}"))
                .await
        };
        count("deliveries").await == 3 && count("delivery_lanes").await == 1
    })
    .await;
    assert_eq!(sink.count(), 2);
    // Enabled again it is told what happens from then on.
    sink.script(|_| Reply::Status(200));
    off.patch("", json!({"enabled": true})).await.expect(200);
    tell(&server, &app, session, 9).await;
    logged(&off, "DELIVERED", 1).await;
    assert_eq!(number(&sink.received()[2]), 9);
}

async fn an_endpoint_that_keeps_failing_is_slowed_down(db: Database) {
    let server = builder(db, "1ms,1ms,1ms,1ms,1ms").start().await;
    let sink = WebhookSink::with(|_| Reply::Status(500)).await;
    let app = server.api().await.app().await;
    let hook = hook(&app, "one", sink.url("/")).await;
    let session = SessionId::random();
    for n in 0..40 {
        tell(&server, &app, session, n).await;
    }
    eventually("ten failures", SOON, async || sink.count() >= 10).await;
    tokio::time::sleep(Duration::from_millis(1500)).await;
    assert_eq!(sink.count(), 10, "it is left alone for a while");
    let pending = log(&hook, "?status=PENDING").await.paging().0;
    assert_eq!(pending, 39, "nothing is lost by that");
    sink.script(|_| Reply::Status(200));
    logged(&hook, "DELIVERED", 39).await;
    let times = sink.received();
    assert!(times[10].at - times[9].at >= Duration::from_millis(4900));
    let told: Vec<_> = times[10..].iter().map(number).collect();
    assert_eq!(told, (1..40).collect::<Vec<_>>());
}

async fn rows_of_another_process_are_found(db: Database) {
    let server = builder(db, FAST).start().await;
    let sink = WebhookSink::start().await;
    let app = server.api().await.app().await;
    let hook = hook(&app, "one", sink.url("/")).await;
    let store = Store::open(server.database().address()).await.unwrap();
    let told = enqueue(&store, &app, None, WebhookEvent::MeetingEnded, body(1)).await;
    assert_eq!(told, 1);
    eventually("it is found", Duration::from_secs(3), async || sink.count() == 1).await;
    assert_eq!(logged(&hook, "DELIVERED", 1).await[0]["session_id"], Value::Null);
    store.close().await;
}

async fn the_log_has_pages_and_ends(db: Database) {
    let server = builder(db, FAST).start().await;
    let sink = WebhookSink::start().await;
    let app = server.api().await.app().await;
    let hook = hook(&app, "one", sink.url("/")).await;
    let session = SessionId::random();
    for n in 0..7 {
        tell(&server, &app, session, n).await;
    }
    logged(&hook, "DELIVERED", 7).await;
    let page = log(&hook, "?per_page=3&page_no=2&status=DELIVERED").await;
    assert_eq!(page.paging(), (7, 4, 6));
    let numbers: Vec<_> = (0..3)
        .map(|at| page.body["data"][at]["payload"]["n"].as_u64())
        .collect();
    assert_eq!(numbers, [Some(3), Some(2), Some(1)]);
    assert_eq!(log(&hook, "?status=FAILED").await.paging(), (0, 0, 0));
    hook.get("/deliveries?status=lost").await.refused(400);
    let purge = async |days: u64| {
        let then = Timestamp::now().plus(Duration::from_secs(days * 86_400));
        server.store().purge(then, || false).await.unwrap();
        log(&hook, "").await.paging().0
    };
    assert_eq!(purge(29).await, 7);
    assert_eq!(purge(31).await, 0);
    for table in ["delivery_attempts", "delivery_lanes"] {
        let left = server
            .database()
            .number(format!("SELECT COUNT(*) FROM {table}"))
            .await;
        assert_eq!(left, 0, "{table}");
    }
}

async fn a_stop_lets_attempts_finish(db: Database) {
    let mut server = builder(db, FAST).start().await;
    let sink = WebhookSink::with(|_| Reply::Slow(Duration::from_secs(1))).await;
    let app = server.api().await.app().await;
    let hook = hook(&app, "one", sink.url("/")).await;
    let session = SessionId::random();
    tell(&server, &app, session, 0).await;
    tell(&server, &app, session, 1).await;
    eventually("the first is under way", SOON, async || sink.count() == 1).await;
    server.restart(|_| {}).await;
    let hook = hook.on(server.origin());
    logged(&hook, "DELIVERED", 2).await;
    let told: Vec<_> = sink.received().iter().map(number).collect();
    assert_eq!(told, [0, 1], "the first was not told twice");
}

async fn an_endpoint_must_prove_who_it_is(db: Database) {
    // The server's own TLS listener, with a certificate that nobody trusts.
    let server = builder(db, FAST)
        .with(|settings| {
            settings.tls_listen = Some(([127, 0, 0, 1], 0).into());
            settings.tls_self_signed = Some(true);
            settings.webhook_retry_schedule = Some(vec!["5ms".into()]);
        })
        .start()
        .await;
    let app = server.api().await.app().await;
    let url = format!("https://{}/", server.tls_address());
    let hook = hook(&app, "one", url).await;
    tell(&server, &app, SessionId::random(), 1).await;
    let failed = logged(&hook, "FAILED", 1).await.remove(0);
    assert_eq!(failed["error"], "the TLS handshake failed");
    assert_eq!(failed["attempt_count"], 2);
}

const EVENTS: usize = 1000;
const SESSIONS: usize = 25;
const KILLS: usize = 10;

/// Fails about three calls in ten, but none of an event's more than four times.
fn flaky() -> impl Fn(&Received) -> Reply + Send + Sync {
    let (calls, failed) = (AtomicUsize::new(0), Mutex::new(BTreeMap::<usize, usize>::new()));
    move |received| {
        let call = calls.fetch_add(1, Ordering::SeqCst);
        let mut failed = failed.lock().unwrap();
        let failures = failed.entry(number(received)).or_default();
        // Spread over all events: a multiple of 7 runs through the remainders of 10.
        if call * 7 % 10 < 3 && *failures < 4 {
            *failures += 1;
            return [Reply::Status(500), Reply::Break, Reply::Status(429)][call % 3].clone();
        }
        Reply::Slow(Duration::from_millis(2))
    }
}

async fn none_is_lost_and_order_is_kept_over_ten_kills(db: Database) {
    let sink = WebhookSink::with(flaky()).await;
    let muster = Muster::new(db)
        .await
        .env("MUSTER_WEBHOOK_RETRY_SCHEDULE", "2ms,4ms,6ms,8ms,10ms");
    let serve = || muster.serve(&["--allow-outbound", "127.0.0.1/32"]);
    let mut server = serve();
    let app = muster.api(&server).app().await;
    let endpoint = hook(&app, "one", sink.url("/")).await;
    let store = Store::open(muster.database().address()).await.unwrap();
    let sessions: Vec<_> = (0..SESSIONS).map(|_| SessionId::random()).collect();
    let queue = async |range: std::ops::Range<usize>| {
        let (app, sessions): (AppId, _) = (app.id.parse().unwrap(), sessions.clone());
        let queued = store.write(move |conn| {
            Box::pin(async move {
                for n in range {
                    let (session, text) = (Some(sessions[n % SESSIONS]), body(n));
                    let event = WebhookEvent::MeetingStarted;
                    deliveries::enqueue(conn, app, session, event, &text, Timestamp::now()).await?;
                }
                Ok(())
            })
        });
        queued.await.unwrap();
    };
    for kill in 0..KILLS {
        let each = EVENTS / KILLS;
        for tenth in 0..10 {
            let from = kill * each + tenth * each / 10;
            queue(from..from + each / 10).await;
        }
        // In the middle of it: much of what there is has been told, and much has not.
        let seen = sink.count();
        eventually("deliveries go on", SOON, async || sink.count() >= seen + each / 3).await;
        server.kill();
        server = serve();
    }
    let endpoint = endpoint.on(&server.origin);
    eventually("all is delivered", Duration::from_secs(40), async || {
        log(&endpoint, "?status=DELIVERED&per_page=1").await.paging().0 == EVENTS as i64
    })
    .await;
    assert_eq!(log(&endpoint, "").await.paging().0, EVENTS as i64, "none failed");
    store.close().await;

    let received = sink.received();
    let failed = received.iter().filter(|r| r.answered != Some(200)).count();
    assert!(failed * 4 > EVENTS, "the receiver failed {failed} calls");
    let mut ids: BTreeMap<usize, &str> = BTreeMap::new();
    let mut told: BTreeMap<usize, Vec<usize>> = BTreeMap::new();
    for call in &received {
        let n = number(call);
        assert_eq!(
            *ids.entry(n).or_insert(call.header("rtk-uuid")),
            call.header("rtk-uuid")
        );
        // Nothing is told of a session before what came earlier was taken. A kill may have one told twice.
        let earlier = told.entry(n % SESSIONS).or_default();
        let due = earlier.len() * SESSIONS + n % SESSIONS;
        assert!(n <= due, "event {n} came before {due}");
        assert!(n + SESSIONS >= due, "event {n} came again after later ones");
        if n == due && call.answered == Some(200) {
            earlier.push(n);
        }
    }
    assert_eq!(told.values().map(Vec::len).sum::<usize>(), EVENTS);
    let again = received.len() - failed - EVENTS;
    assert!(again <= KILLS * 4, "{again} were told twice");

    let pem = public_key(&endpoint).await;
    let share = received.len().div_ceil(4);
    std::thread::scope(|threads| {
        for (worker, calls) in received.chunks(share).enumerate() {
            let folder = muster.scratch().join(format!("verify-{worker}"));
            let pem = &pem;
            threads.spawn(move || all_verify(&folder, pem, calls));
        }
    });
}

fn all_verify(folder: &std::path::Path, pem: &str, calls: &[Received]) {
    fs::create_dir(folder).unwrap();
    for (index, call) in calls.iter().enumerate() {
        assert!(openssl_accepts(
            folder,
            pem,
            call.header("rtk-signature"),
            &call.body
        ));
        if index % 10 == 0 {
            let (_, signature, message) = timed_signature(call);
            assert!(openssl_accepts(folder, pem, signature, &message));
        }
    }
}
