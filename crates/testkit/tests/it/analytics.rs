//! Counts by day: what is filed under which day, which days are told, and impossible ranges.

use muster_model::{MeetingId, recording::Recording, session::Session};
use muster_testkit::{Database, Server, both};
use serde_json::json;

use crate::seeds::{MINUTE, NINE, Seeds};

both!(
    without_anything_all_counts_are_zero,
    sessions_and_recordings_are_counted_by_day,
    livestreams_are_counted_by_day,
    impossible_ranges_are_refused,
);

const DAY: u64 = 24 * 60;

async fn without_anything_all_counts_are_zero(db: Database) {
    let server = Server::start(db).await;
    let app = server.api().await.app().await;
    let nothing = json!({
        "session_stats": {"sessions_count": 0, "sessions_minutes_consumed": 0.0, "day_stats": []},
        "recording_stats": {"recording_count": 0, "recording_minutes_consumed": 0.0, "day_stats": []},
    });
    assert_eq!(app.get("/analytics/daywise").await.ok(), nothing);
    assert_eq!(
        app.get("/analytics/daywise?start_date=2026-01-01&end_date=")
            .await
            .ok(),
        nothing
    );
    assert_eq!(
        app.get("/analytics/livestreams/daywise?filters=x").await.ok(),
        json!([])
    );
    let total = json!({"count": 0, "total_ingest_seconds": 0, "total_viewer_seconds": 0});
    assert_eq!(app.get("/analytics/livestreams/overall").await.ok(), total);
}

async fn sessions_and_recordings_are_counted_by_day(db: Database) {
    let server = Server::start(db).await;
    let seeds = Seeds::new(&server).await;
    for (minutes, micros) in [
        (0, 30 * MINUTE),
        (60, 15 * MINUTE),
        (2 * DAY, 148_580_000),
        (40 * DAY, MINUTE),
    ] {
        let session = Session {
            connected_micros: micros,
            ..seeds.session(minutes)
        };
        seeds.add_session(&session).await;
    }
    for (minutes, micros) in [(0, Some(44 * MINUTE + 31_000_000)), (DAY, None)] {
        let recording = Recording {
            recorded_micros: micros,
            ..Seeds::recording(MeetingId::random(), minutes)
        };
        seeds.add_recording(&recording, None).await;
    }
    let shown = seeds
        .api
        .get("/analytics/daywise?start_date=2026-03-10&end_date=2026-03-12")
        .await
        .ok();
    assert_eq!(
        shown,
        json!({
            "session_stats": {"sessions_count": 3, "sessions_minutes_consumed": 47.4763, "day_stats": [
                {"day": "2026-03-10T00:00:00.000Z", "total_sessions": 2, "total_session_minutes": 45.0},
                {"day": "2026-03-12T00:00:00.000Z", "total_sessions": 1, "total_session_minutes": 2.4763},
            ]},
            "recording_stats": {"recording_count": 2, "recording_minutes_consumed": 44.5167, "day_stats": [
                {"day": "2026-03-10T00:00:00.000Z", "total_recordings": 1, "total_recording_minutes": 45},
                {"day": "2026-03-11T00:00:00.000Z", "total_recordings": 1, "total_recording_minutes": 0},
            ]},
        })
    );
    // Thirty days up to the last one, which is included.
    for (last, count) in [
        ("2026-03-10", 2),
        ("2026-04-08", 3),
        ("2026-04-09", 1),
        ("2026-03-09", 0),
    ] {
        let shown = seeds
            .api
            .get(&format!("/analytics/daywise?end_date={last}"))
            .await
            .ok();
        assert_eq!(shown["session_stats"]["sessions_count"], count, "{last}");
    }
    let other = seeds.api.app().await;
    let shown = other.get("/analytics/daywise?start_date=2026-01-01").await.ok();
    assert_eq!(shown["session_stats"]["sessions_count"], 0);
    seeds
        .api
        .kit()
        .delete(&format!("/apps/{}", seeds.api.id))
        .await
        .expect(200);
    let shown = seeds
        .api
        .get("/analytics/daywise?start_date=2026-03-10&end_date=2026-03-12")
        .await
        .ok();
    assert_eq!(shown["session_stats"]["sessions_count"], 3);
}

async fn livestreams_are_counted_by_day(db: Database) {
    let server = Server::start(db).await;
    let seeds = Seeds::new(&server).await;
    let livestream = seeds.livestream(None, 0);
    seeds.add_livestream(&livestream).await;
    for minutes in [0, 1, DAY] {
        seeds.add_on_air(&Seeds::on_air(&livestream, None, minutes)).await;
    }
    let nine = NINE.as_secs();
    let days = json!([
        {"date": "2026-03-10", "count": 2, "total_ingest_seconds": 1201, "total_viewer_seconds": 2401},
        {"date": "2026-03-11", "count": 1, "total_ingest_seconds": 600, "total_viewer_seconds": 1201},
    ]);
    for range in [
        format!("start_time={nine}&end_time={}", nine + 24 * 3600),
        "start_time=2026-03-10T09:00:00Z&end_time=2026-03-11T09:00:00.000Z".to_owned(),
        format!("start_time={nine}.0"),
    ] {
        let shown = seeds
            .api
            .get(&format!("/analytics/livestreams/daywise?{range}"))
            .await
            .ok();
        assert_eq!(shown, days, "{range}");
        let shown = seeds
            .api
            .get(&format!("/analytics/livestreams/overall?{range}"))
            .await
            .ok();
        let all = json!({"count": 3, "total_ingest_seconds": 1801, "total_viewer_seconds": 3602});
        assert_eq!(shown, all, "{range}");
    }
    for (range, count) in [
        (format!("start_time={nine}&end_time={nine}"), 1),
        (format!("start_time={}", nine + 1), 2),
        (format!("end_time={}", nine - 1), 0),
        (format!("end_time={}", nine + 30 * 24 * 3600 + 60), 2),
    ] {
        let shown = seeds
            .api
            .get(&format!("/analytics/livestreams/overall?{range}"))
            .await
            .ok();
        assert_eq!(shown["count"], count, "{range}");
    }
}

async fn impossible_ranges_are_refused(db: Database) {
    let server = Server::start(db).await;
    let app = server.api().await.app().await;
    for (query, field) in [
        ("daywise?start_date=2026-02-01&end_date=2026-01-01", "start_date"),
        ("daywise?start_date=yesterday", "start_date"),
        ("daywise?end_date=2026-02-30", "end_date"),
        ("livestreams/daywise?start_time=2&end_time=1", "start_time"),
        (
            "livestreams/overall?start_time=2&end_time=1970-01-01T00:00:01Z",
            "start_time",
        ),
        ("livestreams/overall?end_time=soon", "end_time"),
        ("livestreams/overall?end_time=99999999999999999", "end_time"),
    ] {
        let answer = app.get(&format!("/analytics/{query}")).await;
        answer.refused(400);
        assert_eq!(answer.fields(), [field], "{query}");
    }
}
