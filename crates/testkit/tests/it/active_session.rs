//! Live sessions as REST knows them by their rows alone: what rooms do is in `live`.

use muster_testkit::{Api, Database, Server, both};
use serde_json::{Value, json};

use crate::seeds::{Seeds, uuid_text};

both!(
    without_a_session_all_is_not_found,
    bodies_are_checked_first,
    a_live_session_is_read,
    a_session_without_a_room_here_is_live_elsewhere,
    what_is_live_is_not_deleted,
);

fn actions() -> Vec<(&'static str, Value)> {
    vec![
        ("kick", json!({"participant_ids": ["x"]})),
        (
            "kick",
            json!({"custom_participant_ids": ["x"], "participant_ids": []}),
        ),
        ("kick-all", json!({})),
        (
            "mute",
            json!({"participant_ids": null, "custom_participant_ids": ["x"]}),
        ),
        ("mute-all", json!({"allow_unmute": true})),
        (
            "poll",
            json!({"question": "Tea?", "options": ["yes", "no"], "anonymous": true, "hide_votes": false}),
        ),
    ]
}

async fn without_a_session_all_is_not_found(db: Database) {
    let server = Server::start(db).await;
    let app = server.api().await.app().await;
    let meeting = app.meeting().await;
    let nobody = format!("No active session found for meeting_id {}", meeting.id);
    assert_eq!(meeting.get("/active-session").await.refused(404), nobody);
    for (action, body) in actions() {
        let path = format!("/active-session/{action}");
        assert_eq!(
            meeting.post(&path, body.clone()).await.refused(404),
            nobody,
            "{action}"
        );
        for id in [uuid_text(), "x".into()] {
            let answer = app.at_meeting(&id).post(&path, body.clone()).await;
            assert_eq!(answer.refused(404), "Meeting not found", "{action}");
        }
    }
    assert_eq!(
        meeting.post_empty("/active-session/kick-all").await.refused(404),
        nobody
    );
    let unknown = app.at_meeting(&uuid_text()).get("/active-session").await;
    assert_eq!(unknown.refused(404), "Meeting not found");
}

async fn refused(meeting: &Api, action: &str, body: Value, field: &str) {
    let answer = meeting
        .post(&format!("/active-session/{action}"), body.clone())
        .await;
    answer.refused(400);
    assert_eq!(answer.fields(), [field], "{action} {body}");
}

async fn bodies_are_checked_first(db: Database) {
    let server = Server::start(db).await;
    let meeting = server.api().await.app().await.meeting().await;
    for action in ["kick", "mute"] {
        refused(&meeting, action, json!({}), "participant_ids").await;
        let nobody = json!({"participant_ids": [], "custom_participant_ids": []});
        refused(&meeting, action, nobody, "participant_ids").await;
        refused(
            &meeting,
            action,
            json!({"participant_ids": [7]}),
            "participant_ids.0",
        )
        .await;
        refused(
            &meeting,
            action,
            json!({"custom_participant_ids": "x"}),
            "custom_participant_ids",
        )
        .await;
        let path = format!("/active-session/{action}");
        meeting.post_empty(&path).await.refused(400);
    }
    refused(&meeting, "mute-all", json!({}), "allow_unmute").await;
    refused(
        &meeting,
        "mute-all",
        json!({"allow_unmute": "yes"}),
        "allow_unmute",
    )
    .await;
    refused(
        &meeting,
        "poll",
        json!({"question": "Tea?", "options": ["yes"]}),
        "options",
    )
    .await;
    refused(
        &meeting,
        "poll",
        json!({"question": "", "options": ["yes", "no"]}),
        "question",
    )
    .await;
    let answer = meeting
        .post("/active-session/poll", json!({"anonymous": 1}))
        .await;
    answer.refused(400);
    assert_eq!(answer.fields(), ["anonymous", "options", "question"]);
    meeting
        .post("/active-session/kick-all", json!([]))
        .await
        .refused(400);
}

async fn a_live_session_is_read(db: Database) {
    let server = Server::start(db).await;
    let seeds = Seeds::new(&server).await;
    let meeting = seeds.api.meeting().await;
    let live = seeds.live(&meeting.id);
    seeds.add_session(&live).await;
    let shown = meeting.get("/active-session").await.expect(200).ok();
    assert_eq!(
        (&shown["id"], &shown["status"]),
        (&json!(live.id), &json!("LIVE"))
    );
    assert_eq!(shown["live_participants"], 1);
    let other = Seeds::of(&server, server.api().await.app().await);
    other
        .api
        .at_meeting(&meeting.id)
        .get("/active-session")
        .await
        .refused(404);
}

/// A row without a room in this process is kept by another one.
async fn a_session_without_a_room_here_is_live_elsewhere(db: Database) {
    let server = Server::start(db).await;
    let seeds = Seeds::new(&server).await;
    let meeting = seeds.api.meeting().await;
    seeds.add_session(&seeds.live(&meeting.id)).await;
    let path = "/active-session/kick";
    for (action, mut body) in actions() {
        if let Some(ids) = body.get_mut("participant_ids").filter(|ids| ids[0] == "x") {
            // An id that is nobody's is told as such, wherever the session is.
            meeting
                .post(path, json!({"participant_ids": ids}))
                .await
                .refused(404);
            *ids = json!([uuid_text()]);
        }
        let answer = meeting.post(&format!("/active-session/{action}"), body).await;
        assert!(answer.refused(503).contains("another node"), "{action}");
    }
    meeting.post(path, json!({})).await.refused(400);
}

async fn what_is_live_is_not_deleted(db: Database) {
    let server = Server::start(db).await;
    let seeds = Seeds::new(&server).await;
    let meeting = seeds.api.meeting().await;
    let live = seeds.live(&meeting.id);
    seeds.add_session(&live).await;
    let app_path = format!("/apps/{}", seeds.api.id);
    let kit = seeds.api.kit();
    meeting.delete("").await.refused(409);
    kit.delete(&app_path).await.refused(409);
    meeting.delete("?disconnect=true").await.refused(503);
    kit.delete(&format!("{app_path}?disconnect=true"))
        .await
        .refused(503);
    meeting.get("").await.expect(200);
    seeds.api.meeting().await.delete("").await.expect(200);
}
