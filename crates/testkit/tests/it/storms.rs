//! kill -9 in the middle of many writes: what was acknowledged is there.

use std::{
    collections::BTreeSet,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
};

use muster_testkit::{Api, Database, Muster, TEST_TIME, both, eventually};
use serde_json::json;

both!(nothing_acknowledged_is_lost_to_kill_9);

const ROUNDS: usize = 5;
const CLIENTS: usize = 24;

async fn nothing_acknowledged_is_lost_to_kill_9(db: Database) {
    let muster = Muster::new(db).await;
    let mut server = muster.serve(&[]);
    let meeting = muster.api(&server).app().await.meeting().await;
    let mut acknowledged = BTreeSet::new();
    for round in 0..ROUNDS {
        let here = meeting.on(&server.origin);
        let count = Arc::new(AtomicUsize::new(0));
        let clients: Vec<_> = (0..CLIENTS)
            .map(|client| {
                let name = format!("{round}-{client}");
                tokio::spawn(add_until_it_fails(here.clone(), name, count.clone()))
            })
            .collect();
        // The kill falls into the middle of the storm, however fast the machine is.
        let enough = CLIENTS * (3 + 2 * round);
        eventually("a storm", TEST_TIME, async || {
            count.load(Ordering::Relaxed) >= enough
        })
        .await;
        server.kill();
        for client in clients {
            acknowledged.extend(client.await.unwrap());
        }
        server = muster.serve(&[]);
        everything_is_there(&meeting.on(&server.origin), &muster, &acknowledged).await;
    }
    assert_eq!(server.terminate(), Some(0));
}

/// Adds participants until the server is gone; answers the ids of those that were acknowledged.
async fn add_until_it_fails(meeting: Api, client: String, count: Arc<AtomicUsize>) -> Vec<String> {
    let mut ids = Vec::new();
    for i in 0.. {
        let body =
            json!({"custom_participant_id": format!("{client}-{i}"), "preset_name": "group_call_guest"});
        match meeting
            .call(http::Method::POST, "/participants")
            .json(&body)
            .try_send()
            .await
        {
            Ok(answer) => {
                ids.push(answer.expect(201).ok()["id"].as_str().unwrap().to_owned());
                count.fetch_add(1, Ordering::Relaxed);
            }
            Err(_) => break,
        }
    }
    ids
}

async fn everything_is_there(meeting: &Api, muster: &Muster, acknowledged: &BTreeSet<String>) {
    let (mut listed, mut cursor) = (BTreeSet::new(), String::new());
    let total = loop {
        let page = meeting
            .get(&format!("/participants?per_page=1000{cursor}"))
            .await
            .expect(200);
        let ids = page.each("id");
        let Some(last) = ids.last() else {
            break page.paging().0;
        };
        cursor = format!("&after={last}");
        listed.extend(ids);
    };
    let lost: Vec<_> = acknowledged.difference(&listed).collect();
    assert!(lost.is_empty(), "lost {} of {}", lost.len(), acknowledged.len());
    let rows = muster
        .database()
        .number("SELECT COUNT(*) FROM participants")
        .await;
    assert_eq!((total, i64::try_from(listed.len()).unwrap()), (rows, rows));
}
