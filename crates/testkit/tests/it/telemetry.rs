//! Log lines and metrics: what they tell, and that they tell no secret and no id as a label.

use std::time::Duration;

use muster_testkit::{Database, Muster, eventually, new_http_client};
use serde_json::{Value, json};

#[tokio::test]
async fn log_lines_tell_the_request_and_no_secret() {
    let muster = Muster::new(Database::Sqlite).await;
    let mut server = muster.serve(&["--log-level", "debug"]);
    let api = muster.api(&server);
    let app = api.app().await;
    let meeting = app.meeting().await;
    let person = json!({"custom_participant_id": "ada", "preset_name": "group_call_host"});
    let joined = meeting.post("/participants", person).await.expect(201).ok();
    let api_token = api.token.clone().unwrap();
    let person_token = joined["token"].as_str().unwrap().to_owned();
    meeting
        .get(&format!("/participants?search={api_token}&token={person_token}"))
        .await;
    let lost = format!("/participants/{person_token}");
    meeting.get(&lost).await.refused(404);
    let storage = json!({"type": "aws", "bucket": "b", "secret": "S3CR3T-OF-STORAGE"});
    app.post(
        "/meetings",
        json!({"recording_config": {"storage_config": storage}}),
    )
    .await
    .expect(201);

    let mut log = String::new();
    eventually("the last request's line", Duration::from_secs(10), async || {
        log = server.log();
        log.matches("\"target\":\"access\"").count() >= 6
    })
    .await;
    for secret in [api_token.as_str(), person_token.as_str(), "S3CR3T-OF-STORAGE"] {
        assert!(!log.contains(secret), "{secret} in {log}");
    }
    let lines: Vec<Value> = log
        .lines()
        .filter_map(|line| serde_json::from_str(line).ok())
        .collect();
    let route = "/accounts/{account_id}/realtime/kit/{app_id}/meetings/{meeting_id}/participants";
    let added = lines
        .iter()
        .find(|line| line["route"] == route && line["method"] == "POST")
        .unwrap();
    assert_eq!(
        (&added["status"], &added["account"], &added["app"]),
        (&json!(201), &json!(api.account), &json!(app.id))
    );
    assert!(added["took_us"].is_u64() && added["request_id"].is_string());
}

#[tokio::test]
async fn metrics_have_a_histogram_for_each_route_and_no_ids() {
    let muster = Muster::new(Database::Sqlite).await;
    let server = muster.serve(&["--admin-listen", "127.0.0.1:0"]);
    let app = muster.api(&server).app().await;
    let meeting = app.meeting().await;
    meeting.get("").await.expect(200);
    let metrics = server.told("admin").unwrap().to_owned();
    let text = new_http_client()
        .get(&metrics)
        .send()
        .await
        .unwrap()
        .text()
        .await
        .unwrap();
    let route = r#"method="GET",route="/accounts/{account_id}/realtime/kit/{app_id}/meetings/{meeting_id}",status="200""#;
    assert!(
        text.contains(&format!("muster_http_requests_total{{{route}}} 1")),
        "{text}"
    );
    assert!(
        text.contains(&format!(
            "muster_http_request_seconds_bucket{{{route},le=\"+Inf\"}} 1"
        )),
        "{text}"
    );
    assert!(text.contains("muster_store_writable 1"), "{text}");
    for id in [&app.id, &meeting.id, &app.account] {
        assert!(!text.contains(id.as_str()), "{id} in {text}");
    }
    let public = format!("{}/metrics", server.origin);
    assert_eq!(
        new_http_client().get(public).send().await.unwrap().status(),
        404,
        "only where admins listen"
    );
}
