//! Apps: every operation and its failures.

use std::time::Duration;

use muster_testkit::{Database, Server, both, eventually};
use serde_json::json;

both!(
    apps_are_made_read_and_renamed,
    lists_are_sorted_searched_and_paged,
    wrong_bodies_are_told,
    what_is_not_there_is_not_found,
    a_deleted_app_takes_everything_with_it,
);

async fn apps_are_made_read_and_renamed(db: Database) {
    let server = Server::start(db).await;
    let kit = server.api().await.kit();
    // 200, and one level deeper than elsewhere: as published.
    let made = kit
        .post("/apps", json!({"name": "One", "more": 1}))
        .await
        .expect(200)
        .ok();
    let app = &made["app"];
    assert_eq!(
        made,
        json!({"app": {"id": app["id"], "name": "One", "created_at": app["created_at"]}})
    );
    let path = format!("/apps/{}", app["id"].as_str().unwrap());
    assert_eq!(&kit.get(&path).await.expect(200).ok(), app);
    let renamed = kit.patch(&path, json!({"name": "Two"})).await.expect(200).ok();
    assert_eq!(
        renamed,
        json!({"id": app["id"], "name": "Two", "created_at": app["created_at"]})
    );
    assert_eq!(kit.get(&path).await.ok(), renamed);
    assert_eq!(kit.get("/apps?search=two").await.paging().0, 1);
    assert_eq!(kit.get("/apps?search=one").await.paging().0, 0);
    // Names need not be unique.
    kit.post("/apps", json!({"name": "Two"})).await.expect(200);
    assert_eq!(kit.get("/apps?search=two").await.paging().0, 2);
}

async fn lists_are_sorted_searched_and_paged(db: Database) {
    let server = Server::start(db).await;
    let api = server.api().await;
    let kit = api.kit();
    assert_eq!(kit.get("/apps").await.expect(200).paging(), (0, 0, 0));
    let mut made = Vec::new();
    for i in 0..22 {
        let app = kit
            .post("/apps", json!({"name": format!("App {i} %")}))
            .await
            .ok();
        made.insert(0, app["app"]["id"].as_str().unwrap().to_owned());
    }
    server.api().await.app().await;
    let oldest_first: Vec<String> = made.iter().rev().cloned().collect();
    for (query, expected, paging) in [
        ("", &made[..20], (22, 1, 20)),
        ("?page_no=2", &made[20..], (22, 21, 22)),
        ("?sort_order=DESC&per_page=3", &made[..3], (22, 1, 3)),
        (
            "?sort_order=ASC&per_page=3&page_no=2",
            &oldest_first[3..6],
            (22, 4, 6),
        ),
        ("?search=APP%2021", &made[..1], (1, 1, 1)),
        ("?search=%25&per_page=1000", &made[..], (22, 1, 22)),
        ("?search=_", &made[..0], (0, 0, 0)),
        (
            "?page_no=0&per_page=0&search=&sort_order=",
            &made[..20],
            (22, 1, 20),
        ),
    ] {
        let page = kit.get(&format!("/apps{query}")).await.expect(200);
        assert_eq!(page.each("id"), expected, "{query}");
        assert_eq!(page.paging(), paging, "{query}");
    }
    for wrong in [
        "page_no=-1",
        "per_page=1.5",
        "sort_order=asc",
        &format!("search={}", "x".repeat(126)),
    ] {
        kit.get(&format!("/apps?{wrong}")).await.refused(400);
    }
}

async fn wrong_bodies_are_told(db: Database) {
    let server = Server::start(db).await;
    let api = server.api().await;
    let app = api.app().await;
    let path = format!("/apps/{}", app.id);
    for body in [
        json!({}),
        json!({"name": ""}),
        json!({"name": null}),
        json!({"name": 5}),
        json!({"name": "x".repeat(1025)}),
    ] {
        for answer in [
            api.kit().post("/apps", body.clone()).await,
            api.kit().patch(&path, body.clone()).await,
        ] {
            answer.refused(400);
            assert_eq!(answer.fields(), ["name"], "{body}");
        }
    }
    assert_eq!(api.kit().get("/apps").await.paging().0, 1);
}

async fn what_is_not_there_is_not_found(db: Database) {
    let server = Server::start(db).await;
    let api = server.api().await;
    let foreign = server.api().await.app().await;
    for id in [
        uuid::Uuid::new_v4().to_string().as_str(),
        "nonsense",
        "%00",
        &foreign.id,
    ] {
        let path = format!("/apps/{id}");
        assert_eq!(api.kit().get(&path).await.refused(404), "App not found");
        assert_eq!(
            api.kit().patch(&path, json!({"name": "mine"})).await.refused(404),
            "App not found"
        );
        assert_eq!(api.kit().delete(&path).await.refused(404), "App not found");
    }
    assert_eq!(foreign.kit().get("/apps").await.body["data"][0]["name"], "a test");
}

async fn a_deleted_app_takes_everything_with_it(db: Database) {
    let server = Server::start(db).await;
    let api = server.api().await;
    let (gone, stays) = (api.app().await, api.app().await);
    for app in [&gone, &stays] {
        for _ in 0..2 {
            let meeting = app.meeting().await;
            meeting.participant("a").await;
            meeting.participant("b").await;
        }
    }
    let deleted = api
        .kit()
        .delete(&format!("/apps/{}", gone.id))
        .await
        .expect(200)
        .ok();
    assert_eq!(deleted["id"], json!(gone.id));
    assert_eq!(
        api.kit().get(&format!("/apps/{}", gone.id)).await.refused(404),
        "App not found"
    );
    assert_eq!(
        api.kit().delete(&format!("/apps/{}", gone.id)).await.refused(404),
        "App not found"
    );
    assert_eq!(gone.get("/meetings").await.refused(404), "App not found");
    assert_eq!(
        gone.post("/meetings", json!({})).await.refused(404),
        "App not found"
    );
    assert_eq!(
        api.kit().get("/apps").await.each("id"),
        std::slice::from_ref(&stays.id)
    );
    eventually(
        "its meetings and participants are purged",
        Duration::from_secs(10),
        async || {
            let database = server.database();
            database
                .number(format!(
                    "SELECT COUNT(*) FROM meetings WHERE app_id = '{}'",
                    gone.id
                ))
                .await
                == 0
                && database
                    .number(format!(
                        "SELECT COUNT(*) FROM participants WHERE app_id = '{}'",
                        gone.id
                    ))
                    .await
                    == 0
                && database.number("SELECT COUNT(*) FROM jobs").await == 0
        },
    )
    .await;
    assert_eq!(
        server
            .database()
            .number("SELECT COUNT(*) FROM participants")
            .await,
        4
    );
    assert_eq!(stays.get("/meetings").await.paging().0, 2);
}
