//! Writes that share a commit.

use futures::future::join_all;
use muster_store::{Conn, Store, StoreError, params};
use muster_testkit::{Database, Server, both};

both!(writes_of_one_commit_stand_and_fall_by_themselves);

async fn insert(conn: &mut Conn, name: &str) -> Result<(), StoreError> {
    let sql = "INSERT INTO facts (name, value) VALUES ($1, 'kept')";
    conn.execute(sql, params![name]).await.map(|_| ())
}

/// One of five kinds of writes, and whether it is to be kept.
async fn write(store: &Store, kind: usize, name: String) -> (bool, Result<(), StoreError>) {
    match kind {
        0 => {
            let work = store.write_once(move |conn| Box::pin(async move { insert(conn, &name).await }));
            (true, work.await)
        }
        // It names what is there.
        1 => {
            let work = store.write_once(|conn| Box::pin(async move { insert(conn, "taken").await }));
            (false, work.await)
        }
        2 => {
            let work = store.write(move |conn| {
                Box::pin(async move {
                    insert(conn, &name).await?;
                    insert(conn, &format!("{name} too")).await
                })
            });
            (true, work.await)
        }
        // The second statement fails.
        3 => {
            let work = store.write(move |conn| {
                Box::pin(async move {
                    insert(conn, &name).await?;
                    insert(conn, "taken").await
                })
            });
            (false, work.await)
        }
        // It thinks better of it.
        _ => {
            let work = store.write(move |conn| {
                Box::pin(async move {
                    insert(conn, &name).await?;
                    Err(StoreError::NotFound("Reason"))
                })
            });
            (false, work.await)
        }
    }
}

async fn writes_of_one_commit_stand_and_fall_by_themselves(db: Database) {
    let server = Server::start(db).await;
    let store = server.store();
    store
        .write_once(|conn| Box::pin(async move { insert(conn, "taken").await }))
        .await
        .unwrap();
    // Each kind after each other one.
    let kinds: Vec<usize> = (0..5).flat_map(|a| (0..5).flat_map(move |b| [a, b])).collect();
    let named = |at: usize| format!("write {at}");
    let done = join_all(
        kinds
            .iter()
            .enumerate()
            .map(|(at, kind)| write(store, *kind, named(at))),
    )
    .await;
    let mut wanted = vec!["taken".to_owned()];
    for (at, (kept, result)) in done.into_iter().enumerate() {
        assert_eq!(result.is_ok(), kept, "{at}, of kind {}: {result:?}", kinds[at]);
        match kinds[at] {
            0 => wanted.push(named(at)),
            2 => wanted.extend([named(at), format!("{} too", named(at))]),
            _ => {}
        }
    }
    let stored: Vec<(String,)> = store
        .read()
        .await
        .unwrap()
        .fetch_all("SELECT name FROM facts WHERE value = 'kept'", params![])
        .await
        .unwrap();
    let mut stored: Vec<String> = stored.into_iter().map(|(name,)| name).collect();
    stored.sort();
    wanted.sort();
    assert_eq!(stored, wanted);
}
