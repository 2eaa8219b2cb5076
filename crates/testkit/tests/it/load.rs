//! `muster load` against the program: what it measures, what it refuses, and that it leaves nothing behind.

use std::{
    io::{BufRead, BufReader},
    process::{Child, Command, Stdio},
    time::{Duration, Instant},
};

use muster_testkit::{Api, Database, Exit, Muster, ServerProcess, run};
use rustix::process::{Pid, Signal, kill_process};
use serde_json::Value;

/// What little the tests send each second: they run beside others.
const SMALL: [&str; 4] = ["--video-bitrate", "200000", "--video-fps", "15"];

struct Stage {
    muster: Muster,
    server: ServerProcess,
    api: Api,
}

impl Stage {
    async fn new() -> Self {
        let muster = Muster::new(Database::Sqlite).await;
        let server = muster.serve(&[]);
        let api = muster.api(&server);
        Self { muster, server, api }
    }

    fn command(&self, further: &[&str]) -> Command {
        let arguments = ["load", "--url", &self.server.origin, "--json"];
        let mut command = self
            .muster
            .bare(arguments.into_iter().chain(further.iter().copied()));
        command.env("MUSTER_TOKEN", self.api.token.as_deref().unwrap());
        command
    }

    fn load(&self, further: &[&str]) -> Exit {
        run(self.command(further))
    }

    /// Apps of the account, but for those that tests made.
    async fn apps(&self) -> Value {
        self.api.kit().get("/apps").await.ok()
    }
}

#[track_caller]
fn report(ended: &Exit) -> Value {
    let last = ended
        .stdout
        .lines()
        .last()
        .unwrap_or_else(|| panic!("{}", ended.stderr));
    let report: Value = serde_json::from_str(last).unwrap();
    assert_eq!(report["phase"], "done", "{report}");
    report
}

fn number(value: &Value) -> f64 {
    value.as_f64().unwrap_or_else(|| panic!("no number: {value}"))
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_packet_arrives_and_nothing_is_left() {
    let stage = Stage::new().await;
    let people = ["--publishers", "2", "--subscribers", "4", "--seconds", "2"];
    let ended = stage.load(&[&people[..], &SMALL].concat());
    assert_eq!(ended.code, Some(0), "{} {}", ended.stdout, ended.stderr);
    let report = report(&ended);
    assert_eq!(report["joins"]["succeeded"], 6, "{report}");
    assert_eq!(report["joins"]["first_packet"]["count"], 4, "{report}");
    let packets = &report["packets"];
    // Sound and pictures of two, at each of four.
    assert_eq!(packets["subscriptions"], 16, "{report}");
    assert_eq!(packets["silent"], 0, "{report}");
    assert_eq!(packets["received"], packets["expected"], "{report}");
    // For two seconds: 50 of sound and 30 of pictures a second, by two.
    assert!(number(&packets["sent"]) > 200.0, "{report}");
    let delay = number(&report["delay"]["p50_ms"]);
    assert!(delay > 0.0 && delay < 1_000.0, "{report}");
    assert_eq!(
        stage.apps().await,
        serde_json::json!([]),
        "its app is gone, with its meetings"
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn layers_are_switched_and_publishers_hear_each_other() {
    let stage = Stage::new().await;
    let app = stage.api.app().await;
    let ended = stage.load(&[
        "--app-id",
        &app.id,
        "--publishers",
        "3",
        "--subscribers",
        "0",
        "--duplex",
        "--simulcast",
        "--switch-every",
        "1",
        "--seconds",
        "5",
        "--video-bitrate",
        "600000",
    ]);
    assert_eq!(ended.code, Some(0), "{} {}", ended.stdout, ended.stderr);
    let report = report(&ended);
    assert_eq!(
        report["packets"]["subscriptions"], 12,
        "two tracks of two others for each of three: {report}"
    );
    assert_eq!(report["packets"]["silent"], 0, "{report}");
    assert!(number(&report["layer_switches"]) >= 6.0, "{report}");
    assert!(number(&report["key_frame_requests"]) >= 3.0, "{report}");
    let left = app.get("/meetings").await.ok();
    assert_eq!(
        left,
        serde_json::json!([]),
        "its meetings are gone, the app is not its own"
    );
}

#[tokio::test]
async fn another_machine_is_refused() {
    let muster = Muster::new(Database::Sqlite).await;
    let load = |url: &str| {
        let mut command = muster.bare(["load", "--url", url]);
        command.env("MUSTER_TOKEN", "x");
        run(command)
    };
    for far in ["http://192.0.2.1:8080", "https://[2001:db8::1]"] {
        let ended = load(far);
        assert_eq!(ended.code, Some(1), "{}", ended.stderr);
        for text in ["is not on this machine", "--allow-remote"] {
            assert!(ended.stderr.contains(text), "{}", ended.stderr);
        }
    }
    let ended = run(muster.bare(["load", "--url", "http://127.0.0.1:1"]));
    assert_eq!(ended.code, Some(1));
    assert!(ended.stderr.contains("MUSTER_TOKEN"), "{}", ended.stderr);
    let ended = load("http://127.0.0.1:1");
    assert_eq!(ended.code, Some(1), "nobody listens: {}", ended.stderr);
}

/// A load of which standard output is read; killed with this handle.
struct Running(Child);

impl Running {
    /// Starts a load that would go on for long, and waits until it measures.
    fn measuring(stage: &Stage) -> Self {
        let people = ["--publishers", "1", "--subscribers", "2", "--seconds", "600"];
        let mut command = stage.command(&[&people[..], &SMALL].concat());
        command.stdout(Stdio::piped()).stderr(Stdio::null());
        let mut running = Self(command.spawn().unwrap());
        let out = BufReader::new(running.0.stdout.take().unwrap());
        let (tell, told) = std::sync::mpsc::channel();
        std::thread::spawn(move || {
            for line in out.lines().map_while(Result::ok) {
                let _ = tell.send(line);
            }
        });
        loop {
            let line = told
                .recv_timeout(Duration::from_secs(30))
                .expect("it measures in time");
            if line.contains("\"measuring\"") {
                return running;
            }
        }
    }

    fn ends_within(&mut self, limit: Duration) -> Option<i32> {
        let give_up = Instant::now() + limit;
        loop {
            if let Some(status) = self.0.try_wait().unwrap() {
                return status.code();
            }
            assert!(Instant::now() < give_up, "it goes on");
            std::thread::sleep(Duration::from_millis(20));
        }
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn it_ends_with_the_server() {
    let stage = Stage::new().await;
    let mut load = Running::measuring(&stage);
    stage.server.kill();
    assert_eq!(load.ends_within(Duration::from_secs(30)), Some(1));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn told_to_stop_it_tidies_up() {
    let stage = Stage::new().await;
    let mut load = Running::measuring(&stage);
    assert_ne!(stage.apps().await, serde_json::json!([]), "an app of its own");
    kill_process(Pid::from_child(&load.0), Signal::INT).unwrap();
    assert_eq!(load.ends_within(Duration::from_secs(30)), Some(1));
    assert_eq!(stage.apps().await, serde_json::json!([]));
}
