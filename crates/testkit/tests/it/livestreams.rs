//! Livestreams: the shapes that official clients insist on, and every check before a streamer would be asked.

use muster_model::{
    MeetingId, SessionId,
    livestream::{Livestream, LivestreamStatus},
};
use muster_testkit::{Answer, Database, Server, both};
use serde_json::{Value, json};

use crate::seeds::{Seeds, at, uuid_text};

both!(
    without_livestreams_lists_are_empty,
    a_livestream_is_answered_whole,
    lists_are_filtered_sorted_and_paged,
    times_on_air_are_answered,
    start_and_stop_check_all_before_they_are_not_built,
    participants_stream_where_their_preset_permits_it,
    the_past_outlives_meetings_and_apps,
);

fn ids(answer: &Answer) -> Vec<String> {
    let list = answer.body["data"]["livestreams"]
        .as_array()
        .expect("livestreams");
    let id = |livestream: &Value| livestream["id"].as_str().unwrap().to_owned();
    list.iter().map(id).collect()
}

const ZERO: [i64; 3] = [0, 0, 0];

fn inner_paging(answer: &Answer) -> [i64; 3] {
    let paging = &answer.body["data"]["paging"];
    assert_eq!(paging, &answer.body["paging"], "the same in both places");
    ["total_count", "start_offset", "end_offset"].map(|name| paging[name].as_i64().unwrap())
}

async fn without_livestreams_lists_are_empty(db: Database) {
    let server = Server::start(db).await;
    let seeds = Seeds::new(&server).await;
    let meeting = seeds.api.meeting().await;
    let session = seeds.session(0);
    seeds.add_session(&session).await;
    for query in [
        "",
        "?exclude_meetings=true&status=LIVE&sort_order=DSC&page_no=1&per_page=10",
    ] {
        let list = seeds.api.get(&format!("/livestreams{query}")).await.expect(200);
        assert_eq!((ids(&list), inner_paging(&list)), (vec![], ZERO));
    }
    let list = meeting.get("/livestream").await.expect(200);
    assert_eq!((ids(&list), inner_paging(&list)), (vec![], ZERO));
    assert_eq!(list.body["data"]["sessions"], json!([]));
    let list = seeds
        .api
        .get(&format!("/sessions/{}/livestream-sessions", session.id))
        .await
        .expect(200);
    assert_eq!(
        (&list.body["data"]["data"], inner_paging(&list)),
        (&json!([]), ZERO)
    );
    let none = format!("No active livestream found for meeting_id {}", meeting.id);
    assert_eq!(meeting.get("/active-livestream").await.refused(404), none);
    for id in [uuid_text(), "x".into()] {
        for (path, what) in [
            (format!("/livestreams/{id}"), "Livestream"),
            (
                format!("/livestreams/{id}/active-livestream-session"),
                "Livestream",
            ),
            (format!("/livestreams/sessions/{id}"), "Livestream session"),
            (format!("/meetings/{id}/livestream"), "Meeting"),
            (format!("/meetings/{id}/active-livestream"), "Meeting"),
            (format!("/sessions/{id}/livestream-sessions"), "Session"),
        ] {
            let answer = seeds.api.get(&path).await;
            assert_eq!(answer.refused(404), format!("{what} not found"), "{path}");
        }
    }
    for query in [
        "status=ON",
        "sort_order=up",
        "exclude_meetings=x",
        "start_time=x",
        "page_no=x",
    ] {
        seeds.api.get(&format!("/livestreams?{query}")).await.refused(400);
    }
}

async fn a_livestream_is_answered_whole(db: Database) {
    let server = Server::start(db).await;
    let seeds = Seeds::new(&server).await;
    let meeting = seeds.api.meeting().await;
    let livestream = Livestream {
        status: LivestreamStatus::Live,
        ..seeds.livestream(Some(meeting.id.parse().unwrap()), 0)
    };
    seeds.add_livestream(&livestream).await;
    let whole = json!({
        "id": livestream.id, "name": "launch", "status": "LIVE", "disabled": "false", "meeting_id": meeting.id,
        "ingest_server": "rtmps://live.example.test:443/live/", "stream_key": "key",
        "playback_url": "https://live.example.test/manifest/video.m3u8",
        "created_at": "2026-03-10T09:00:00.000Z", "updated_at": "2026-03-10T09:00:00.000Z",
    });
    let list = seeds.api.get("/livestreams").await.expect(200);
    assert_eq!(
        (&list.body["data"]["livestreams"], inner_paging(&list)),
        (&json!([whole]), [1, 1, 1])
    );
    assert_eq!(meeting.get("/active-livestream").await.ok(), whole);
    assert_eq!(
        meeting.get("/livestream").await.ok()["livestreams"],
        json!([whole])
    );
    let one = seeds
        .api
        .get(&format!("/livestreams/{}", livestream.id))
        .await
        .ok();
    assert_eq!(
        (&one["livestream"], &one["session"], &one["sessions"]),
        (&whole, &Value::Null, &json!([]))
    );
    let on_air = format!("/livestreams/{}/active-livestream-session", livestream.id);
    let message = format!(
        "No active livestream session found for livestream_id {}",
        livestream.id
    );
    assert_eq!(seeds.api.get(&on_air).await.refused(404), message);
    let other = seeds.api.app().await;
    assert_eq!(ids(&other.get("/livestreams").await), [""; 0]);
    other
        .get(&format!("/livestreams/{}", livestream.id))
        .await
        .refused(404);
    other.get(&on_air).await.refused(404);
    // The key is sealed in the records.
    let sql = format!(
        "SELECT COUNT(*) FROM livestreams WHERE CAST(stream_key AS TEXT) = '{}'",
        "key"
    );
    if db == Database::Sqlite {
        assert_eq!(server.database().number(sql).await, 0);
    }
}

async fn lists_are_filtered_sorted_and_paged(db: Database) {
    let server = Server::start(db).await;
    let seeds = Seeds::new(&server).await;
    let first = seeds.livestream(None, 0);
    let second = Livestream {
        status: LivestreamStatus::Errored,
        disabled: true,
        name: None,
        ..seeds.livestream(Some(MeetingId::random()), 10)
    };
    let third = seeds.livestream(None, 20);
    for livestream in [&first, &second, &third] {
        seeds.add_livestream(livestream).await;
    }
    for (query, wanted) in [
        (String::new(), vec![&third, &second, &first]),
        ("sort_order=ASC".into(), vec![&first, &second, &third]),
        ("sort_order=DSC".into(), vec![&third, &second, &first]),
        ("sort_order=DESC".into(), vec![&third, &second, &first]),
        ("exclude_meetings=true".into(), vec![&third, &first]),
        ("exclude_meetings=false".into(), vec![&third, &second, &first]),
        ("status=ERRORED".into(), vec![&second]),
        ("status=ERRORED,LIVE".into(), vec![&second]),
        (format!("start_time={}", second.created_at), vec![&third, &second]),
        (format!("end_time={}", second.created_at), vec![&second, &first]),
        ("page_no=2&per_page=2".into(), vec![&first]),
        ("page_no=5".into(), vec![]),
    ] {
        let list = seeds.api.get(&format!("/livestreams?{query}")).await.expect(200);
        let wanted: Vec<String> = wanted
            .iter()
            .map(|livestream| livestream.id.to_string())
            .collect();
        assert_eq!(ids(&list), wanted, "{query}");
    }
    let shown = seeds.api.get("/livestreams?status=ERRORED").await.body["data"]["livestreams"][0].clone();
    assert_eq!(
        (&shown["disabled"], &shown["name"]),
        (&json!("true"), &Value::Null)
    );
}

async fn times_on_air_are_answered(db: Database) {
    let server = Server::start(db).await;
    let seeds = Seeds::new(&server).await;
    let session = seeds.session(0);
    seeds.add_session(&session).await;
    let livestream = seeds.livestream(Some(session.meeting_id), 0);
    seeds.add_livestream(&livestream).await;
    let first = Seeds::on_air(&livestream, Some(session.id), 0);
    let mut second = Seeds::on_air(&livestream, Some(SessionId::random()), 20);
    second.stopped_at = None;
    let mut third = Seeds::on_air(&livestream, None, 40);
    third.err_message = Some("no picture came".into());
    for on_air in [&first, &second, &third] {
        seeds.add_on_air(on_air).await;
    }
    let whole = json!({
        "id": first.id, "livestream_id": livestream.id, "err_message": null, "invoked_time": at(0),
        "started_time": at(0), "stopped_time": at(10), "created_at": at(0), "updated_at": at(10),
        "ingest_seconds": 600, "viewer_seconds": 1201,
    });
    let path = format!("/livestreams/sessions/{}", first.id);
    assert_eq!(seeds.api.get(&path).await.ok(), whole);
    seeds.api.app().await.get(&path).await.refused(404);
    let of_session = seeds
        .api
        .get(&format!("/sessions/{}/livestream-sessions", session.id))
        .await;
    assert_eq!(
        (&of_session.body["data"]["data"], inner_paging(&of_session)),
        (&json!([whole]), [1, 1, 1])
    );

    let one = seeds
        .api
        .get(&format!("/livestreams/{}?per_page=2&page_no=2", livestream.id))
        .await;
    let data = &one.body["data"];
    assert_eq!(
        (&data["session"]["id"], &data["sessions"]),
        (&json!(third.id), &json!([whole]))
    );
    assert_eq!(data["session"]["err_message"], "no picture came");
    assert_eq!(inner_paging(&one), [3, 3, 3]);

    let on_air = seeds
        .api
        .get(&format!(
            "/livestreams/{}/active-livestream-session",
            livestream.id
        ))
        .await
        .ok();
    assert_eq!(on_air["session"]["id"], json!(second.id));
    assert_eq!(
        (
            &on_air["session"]["ingest_seconds"],
            &on_air["session"]["viewer_seconds"]
        ),
        (&json!("600"), &json!("1201"))
    );
    assert_eq!(on_air["livestream"]["stream_key"], "key");

    // The meeting itself was never there, or is gone: its livestreams are told all the same.
    let of_meeting = seeds
        .api
        .get(&format!("/meetings/{}/livestream", session.meeting_id))
        .await;
    assert_eq!(
        (ids(&of_meeting), inner_paging(&of_meeting)),
        (vec![livestream.id.to_string()], [1, 1, 1])
    );
    let sessions = of_meeting.body["data"]["sessions"].as_array().unwrap();
    let shown: Vec<&Value> = sessions.iter().map(|session| &session["id"]).collect();
    assert_eq!(shown, [&json!(third.id), &json!(second.id), &json!(first.id)]);
}

async fn start_and_stop_check_all_before_they_are_not_built(db: Database) {
    let server = Server::start(db).await;
    let seeds = Seeds::new(&server).await;
    let meeting = seeds.api.meeting().await;
    seeds
        .api
        .post("/livestreams", json!({"name": 7}))
        .await
        .refused(400);
    for body in [json!({}), json!({"name": "launch"}), json!({"name": null})] {
        seeds.api.post("/livestreams", body).await.refused(501);
    }
    seeds.api.post_empty("/livestreams").await.refused(501);

    let wide = meeting
        .post(
            "/livestreams",
            json!({"name": 1, "video_config": {"width": "wide", "height": 0}}),
        )
        .await;
    wide.refused(400);
    assert_eq!(
        wide.fields(),
        ["name", "video_config.height", "video_config.width"]
    );
    let unknown = seeds.api.at_meeting(&uuid_text());
    assert_eq!(
        unknown.post_empty("/livestreams").await.refused(404),
        "Meeting not found"
    );
    assert_eq!(
        unknown.post_empty("/active-livestream/stop").await.refused(404),
        "Meeting not found"
    );
    let nobody = format!("No active session found for meeting_id {}", meeting.id);
    let start = json!({"name": "launch", "video_config": {"width": 1280.0, "height": 720}});
    assert_eq!(
        meeting.post("/livestreams", start.clone()).await.refused(404),
        nobody
    );
    seeds.add_session(&seeds.live(&meeting.id)).await;
    meeting.post("/livestreams", start.clone()).await.refused(501);
    meeting.post_empty("/livestreams").await.refused(501);
    let none = format!("No active livestream found for meeting_id {}", meeting.id);
    assert_eq!(
        meeting.post_empty("/active-livestream/stop").await.refused(404),
        none
    );

    let running = Livestream {
        status: LivestreamStatus::Invoked,
        ..seeds.livestream(Some(meeting.id.parse().unwrap()), 0)
    };
    seeds.add_livestream(&running).await;
    meeting.post("/livestreams", start).await.refused(400);
    meeting.post_empty("/active-livestream/stop").await.refused(501);
    meeting
        .post("/active-livestream/stop", json!({}))
        .await
        .refused(501);
}

async fn participants_stream_where_their_preset_permits_it(db: Database) {
    let server = Server::start(db).await;
    let seeds = Seeds::new(&server).await;
    let (meeting, other) = (seeds.api.meeting().await, seeds.api.meeting().await);
    let person = async |custom_id: &str, preset: &str| {
        let body = json!({"custom_participant_id": custom_id, "preset_name": preset});
        meeting.post("/participants", body).await.expect(201).ok()["token"]
            .as_str()
            .unwrap()
            .to_owned()
    };
    let host = person("host", "livestream_host").await;
    let viewer = person("viewer", "livestream_viewer").await;
    meeting
        .with_token(&host)
        .post_empty("/livestreams")
        .await
        .refused(404);
    meeting
        .with_token(&host)
        .post_empty("/active-livestream/stop")
        .await
        .refused(404);
    meeting
        .with_token(&viewer)
        .post_empty("/livestreams")
        .await
        .refused(403);
    meeting
        .with_token(&viewer)
        .post_empty("/active-livestream/stop")
        .await
        .refused(403);
    other
        .with_token(&host)
        .post_empty("/livestreams")
        .await
        .refused(403);
    seeds
        .api
        .with_token(&host)
        .post("/livestreams", json!({}))
        .await
        .refused(403);
    meeting
        .with_token(&host)
        .get("/active-livestream")
        .await
        .refused(403);
    seeds.add_session(&seeds.live(&meeting.id)).await;
    meeting
        .with_token(&host)
        .post_empty("/livestreams")
        .await
        .refused(501);
}

async fn the_past_outlives_meetings_and_apps(db: Database) {
    let server = Server::start(db).await;
    let seeds = Seeds::new(&server).await;
    let meeting = seeds.api.meeting().await;
    let livestream = seeds.livestream(Some(meeting.id.parse().unwrap()), 0);
    seeds.add_livestream(&livestream).await;
    let on_air = Seeds::on_air(&livestream, None, 0);
    seeds.add_on_air(&on_air).await;
    meeting.delete("").await.expect(200);
    seeds
        .api
        .kit()
        .delete(&format!("/apps/{}", seeds.api.id))
        .await
        .expect(200);
    assert_eq!(
        ids(&seeds.api.get("/livestreams").await.expect(200)),
        [livestream.id.to_string()]
    );
    for path in [
        format!("/livestreams/{}", livestream.id),
        format!("/livestreams/sessions/{}", on_air.id),
        format!("/meetings/{}/livestream", meeting.id),
    ] {
        seeds.api.get(&path).await.expect(200);
    }
    seeds.api.post("/livestreams", json!({})).await.refused(404);
}
