//! A full disk, played by a library that is put before libc; and that each commit is synced.

use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
    time::Duration,
};

use muster_testkit::{Answer, Api, Database, Muster, Server, bounded, eventually};
use serde_json::json;

/// Compiles the library that `make bench` uses too.
pub(crate) fn shim(folder: &Path) -> PathBuf {
    let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../bench/lib/syncshim.c");
    let library = folder.join("syncshim.so");
    let compiled = Command::new("cc")
        .args(["-O1", "-shared", "-fPIC", "-o"])
        .arg(&library)
        .arg(source)
        .arg("-ldl")
        .status()
        .expect("a C compiler");
    assert!(compiled.success());
    library
}

async fn add(meeting: &Api, custom_id: &str) -> Answer {
    let body = json!({"custom_participant_id": custom_id, "preset_name": "group_call_guest"});
    meeting.post("/participants", body).await
}

#[tokio::test]
async fn a_full_disk_refuses_writes_and_loses_nothing() {
    bounded(async {
        let muster = Muster::new(Database::Sqlite).await;
        let full = muster.scratch().join("full");
        let library = shim(muster.scratch());
        let muster = muster
            .env("LD_PRELOAD", library)
            .env("SYNCSHIM_ENOSPC_FILE", &full)
            .env("SYNCSHIM_ENOSPC_MATCH", "/data/");
        let server = muster.serve(&[]);
        let meeting = muster.api(&server).app().await.meeting().await;
        let health = meeting.at_root("");
        let mut acknowledged = Vec::new();
        for round in 0..3 {
            for i in 0..5 {
                add(&meeting, &format!("{round}-{i}")).await.expect(201);
                acknowledged.push(format!("{round}-{i}"));
            }
            health.get("/readyz").await.expect(200);

            fs::write(&full, "").unwrap();
            let refused = futures::future::join_all((0..20).map(|i| {
                let meeting = meeting.clone();
                async move { add(&meeting, &format!("lost-{i}")).await }
            }))
            .await;
            for answer in refused {
                answer.refused(503);
                assert!(answer.header("retry-after").is_some());
            }
            meeting.patch("", json!({"title": "lost"})).await.refused(503);
            health.get("/readyz").await.refused(503);
            health.get("/healthz").await.expect(200);
            assert_eq!(meeting.get("").await.expect(200).ok()["title"], "a test");
            let list = meeting.get("/participants?per_page=1000").await.expect(200);
            let mut listed = list.each("custom_participant_id");
            listed.sort();
            assert_eq!(listed, acknowledged);
            assert_eq!(list.paging().0, i64::try_from(acknowledged.len()).unwrap());

            fs::remove_file(&full).unwrap();
            eventually("the server is ready again", Duration::from_secs(5), async || {
                health.get("/readyz").await.status == 200
            })
            .await;
        }
        add(&meeting, "after").await.expect(201);
        acknowledged.push("after".into());
        server.kill();
        let server = muster.serve(&[]);
        let mut listed = meeting
            .on(&server.origin)
            .get("/participants?per_page=1000")
            .await
            .each("custom_participant_id");
        listed.sort();
        assert_eq!(listed, acknowledged);
    })
    .await;
}

#[tokio::test]
async fn a_full_disk_at_start_is_told_in_one_line() {
    let muster = Muster::new(Database::Sqlite).await;
    let full = muster.scratch().join("full");
    fs::write(&full, "").unwrap();
    let library = shim(muster.scratch());
    let muster = muster
        .env("LD_PRELOAD", library)
        .env("SYNCSHIM_ENOSPC_FILE", &full)
        .env("SYNCSHIM_ENOSPC_MATCH", "/data/");
    let ended = muster.run(&["token", "list"]);
    assert_eq!(ended.code, Some(1), "{}", ended.stderr);
    assert_eq!(ended.stderr.lines().count(), 1, "{}", ended.stderr);
    assert!(ended.stderr.contains("full"), "{}", ended.stderr);
}

#[tokio::test]
async fn the_writer_syncs_fully() {
    let server = Server::start(Database::Sqlite).await;
    let durability = server.store().durability().await.unwrap().unwrap();
    assert_eq!(
        (durability.journal_mode.as_str(), durability.synchronous),
        ("wal", 2)
    );
    assert!(durability.is_full());
}

#[tokio::test]
async fn each_acknowledged_write_was_synced() {
    bounded(async {
        let muster = Muster::new(Database::Sqlite).await;
        let (counter, library) = (muster.scratch().join("syncs"), shim(muster.scratch()));
        let muster = muster
            .env("LD_PRELOAD", library)
            .env("SYNCSHIM_COUNTER", &counter);
        let server = muster.serve(&[]);
        let meeting = muster.api(&server).app().await.meeting().await;
        // The first two of the shared counters are fsync and fdatasync.
        let syncs = || {
            let bytes = fs::read(&counter).unwrap();
            let number = |at: usize| u64::from_ne_bytes(bytes[at..at + 8].try_into().unwrap());
            number(0) + number(8)
        };
        for i in 0..20 {
            let before = syncs();
            add(&meeting, &format!("p{i}")).await.expect(201);
            assert!(syncs() > before, "a create without a sync");
        }
    })
    .await;
}
