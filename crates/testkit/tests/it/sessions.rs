//! Sessions: every filter and order, what outlives meetings and apps, and that nothing is told to others.

use muster_model::{
    SessionId,
    session::{Session, SessionStatus},
};
use muster_testkit::{Answer, Database, Server, both};
use serde_json::{Value, json};

use crate::seeds::{MINUTE, NINE, Seeds, uuid_text};

both!(
    without_sessions_lists_are_empty,
    a_session_is_answered_whole,
    lists_are_filtered,
    lists_are_sorted_and_paged,
    breakout_rooms_are_told_when_asked_for,
    what_a_session_did_not_leave_behind_is_not_found,
    the_past_outlives_meetings_and_apps,
    others_are_told_nothing,
);

fn ids(answer: &Answer) -> Vec<String> {
    let sessions = answer.body["data"]["sessions"].as_array().expect("sessions");
    let id = |session: &Value| session["id"].as_str().unwrap().to_owned();
    sessions.iter().map(id).collect()
}

async fn without_sessions_lists_are_empty(db: Database) {
    let server = Server::start(db).await;
    let app = server.api().await.app().await;
    for query in [
        "",
        "?page_no=0&per_page=0",
        "?page_no=7",
        "?status=LIVE&search=x&participants=1:10",
    ] {
        let list = app.get(&format!("/sessions{query}")).await.expect(200);
        assert_eq!(list.body["data"], json!({"sessions": []}), "{query}");
        assert_eq!(list.paging(), (0, 0, 0), "{query}");
    }
    for (query, field) in [
        ("participants=ten", "participants"),
        ("participants=5:1", "participants"),
        ("status=OVER", "status"),
        ("sort_by=title", "sort_by"),
        ("sort_order=up", "sort_order"),
        ("start_time=yesterday", "start_time"),
        ("associated_id=x", "associated_id"),
        ("meeting_id=x", "meeting_id"),
        ("page_no=-1", "page_no"),
        ("per_page=1.5", "per_page"),
    ] {
        let answer = app.get(&format!("/sessions?{query}")).await;
        answer.refused(400);
        assert_eq!(answer.fields(), [field], "{query}");
    }
    let (a, b) = (uuid_text(), uuid_text());
    let two = app
        .get(&format!("/sessions?associated_id={a}&meeting_id={b}"))
        .await;
    two.refused(400);
}

async fn a_session_is_answered_whole(db: Database) {
    let server = Server::start(db).await;
    let seeds = Seeds::new(&server).await;
    let ended = Session {
        connected_micros: 140_604_000,
        ..seeds.session(0)
    };
    let meeting = seeds.api.meeting().await;
    let live = Session {
        title: None,
        ..seeds.live(&meeting.id)
    };
    seeds.add_session(&ended).await;
    seeds.add_session(&live).await;
    let whole = json!({
        "id": ended.id, "associated_id": ended.meeting_id, "meeting_display_name": "Session 0",
        "type": "meeting", "status": "ENDED", "live_participants": 0, "max_concurrent_participants": 2,
        "minutes_consumed": 2.3434, "organization_id": seeds.scope.app,
        "started_at": "2026-03-10T09:00:00.000Z", "ended_at": "2026-03-10T09:30:00.000Z",
        "created_at": "2026-03-10T09:00:00.000Z", "updated_at": "2026-03-10T09:30:00.000Z",
    });
    let path = format!("/sessions/{}", ended.id);
    assert_eq!(seeds.api.get(&path).await.expect(200).ok(), whole);
    let list = seeds.api.get("/sessions?status=ENDED").await;
    assert_eq!(list.body["data"]["sessions"], json!([whole]));
    let shown = seeds.api.get(&format!("/sessions/{}", live.id)).await.ok();
    assert_eq!(
        (&shown["meeting_display_name"], &shown["status"]),
        (&json!(""), &json!("LIVE"))
    );
    assert!(shown.get("ended_at").is_none());
    for id in [uuid_text(), "x".into()] {
        assert_eq!(
            seeds.api.get(&format!("/sessions/{id}")).await.refused(404),
            "Session not found"
        );
    }
}

/// Three sessions: the first is live, the second was of many people, the third of long.
async fn three(seeds: &Seeds<'_>) -> [Session; 3] {
    let meeting = seeds.api.meeting().await;
    let first = Session {
        title: Some("Weekly 100%".into()),
        ..seeds.live(&meeting.id)
    };
    let second = Session {
        max_concurrent_participants: 9,
        ..seeds.session(10)
    };
    let third = Session {
        connected_micros: 90 * MINUTE,
        meeting_id: second.meeting_id,
        ..seeds.session(20)
    };
    for session in [&first, &second, &third] {
        seeds.add_session(session).await;
    }
    [first, second, third]
}

async fn lists_are_filtered(db: Database) {
    let server = Server::start(db).await;
    let seeds = Seeds::new(&server).await;
    let all = three(&seeds).await;
    let [first, second, third] = &all;
    for (query, wanted) in [
        (String::new(), vec![third, second, first]),
        ("status=LIVE".into(), vec![first]),
        ("status=LIVE,ENDED".into(), vec![third, second, first]),
        ("status=LIVE&status=ENDED".into(), vec![third, second, first]),
        ("status=".into(), vec![third, second, first]),
        ("participants=3:10".into(), vec![second]),
        ("participants=1%3A8".into(), vec![third, first]),
        ("participants=9:".into(), vec![second]),
        ("participants=:2".into(), vec![third, first]),
        ("search=weekly".into(), vec![first]),
        ("search=100%25".into(), vec![first]),
        ("search=S%25n".into(), vec![]),
        (format!("search={}", second.id), vec![second]),
        (format!("search={}", second.meeting_id), vec![third, second]),
        (
            format!("associated_id={}", second.meeting_id),
            vec![third, second],
        ),
        (format!("meeting_id={}", first.meeting_id), vec![first]),
        (
            format!("meeting_id={0}&associated_id={0}", first.meeting_id),
            vec![first],
        ),
        (format!("start_time={}", second.started_at), vec![third, second]),
        (format!("end_time={}", second.started_at), vec![second, first]),
        (
            format!("start_time={0}&end_time={0}&search=session", second.started_at),
            vec![second],
        ),
        ("start_time=2027-01-01T00:00:00".into(), vec![]),
    ] {
        let list = seeds.api.get(&format!("/sessions?{query}")).await.expect(200);
        let wanted: Vec<String> = wanted.iter().map(|session| session.id.to_string()).collect();
        assert_eq!(ids(&list), wanted, "{query}");
        let count = i64::try_from(wanted.len()).unwrap();
        assert_eq!(list.paging(), (count, count.min(1), count), "{query}");
    }
}

async fn lists_are_sorted_and_paged(db: Database) {
    let server = Server::start(db).await;
    let seeds = Seeds::new(&server).await;
    let [first, second, third] = three(&seeds).await.map(|session| session.id.to_string());
    for (query, wanted) in [
        ("sort_by=createdAt&sort_order=ASC", [&first, &second, &third]),
        ("sort_order=DSC", [&third, &second, &first]),
        ("sort_by=createdAt&sort_order=DESC", [&third, &second, &first]),
    ] {
        let list = seeds.api.get(&format!("/sessions?{query}")).await;
        assert_eq!(ids(&list).iter().collect::<Vec<_>>(), wanted, "{query}");
    }
    let longest = seeds
        .api
        .get("/sessions?sort_by=minutesConsumed&per_page=1")
        .await;
    assert_eq!(
        (ids(&longest), longest.paging()),
        (vec![third.clone()], (3, 1, 1))
    );
    let longest = seeds
        .api
        .get("/sessions?sort_by=minutesConsumed&sort_order=ASC&page_no=3&per_page=1")
        .await;
    assert_eq!((ids(&longest), longest.paging()), (vec![third], (3, 3, 3)));
    let page = seeds.api.get("/sessions?page_no=2.0&per_page=2.0").await;
    assert_eq!((ids(&page), page.paging()), (vec![first], (3, 3, 3)));
    let past = seeds.api.get("/sessions?page_no=9&per_page=2").await;
    assert_eq!((ids(&past), past.paging()), (vec![], (3, 17, 3)));
}

async fn breakout_rooms_are_told_when_asked_for(db: Database) {
    let server = Server::start(db).await;
    let seeds = Seeds::new(&server).await;
    let parent = seeds.session(0);
    let child = |minutes, parent: SessionId| Session {
        parent: Some(parent),
        ..seeds.session(minutes)
    };
    let room = child(5, parent.id);
    let inner = child(7, room.id);
    let other = child(9, parent.id);
    for session in [&parent, &room, &inner, &other] {
        seeds.add_session(session).await;
    }
    let path = format!("/sessions/{}", parent.id);
    assert!(seeds.api.get(&path).await.ok().get("breakout_rooms").is_none());
    let shown = seeds
        .api
        .get(&format!("{path}?include_breakout_rooms=true"))
        .await
        .ok();
    assert_eq!(shown["breakout_rooms"][0]["id"], json!(room.id));
    assert_eq!(
        shown["breakout_rooms"][0]["breakout_rooms"][0]["id"],
        json!(inner.id)
    );
    assert_eq!(shown["breakout_rooms"][1]["id"], json!(other.id));
    assert_eq!(shown["breakout_rooms"][1]["breakout_rooms"], json!([]));

    // One that is wrongly its own ancestor is answered all the same.
    let sql = format!(
        "UPDATE sessions SET parent_session_id = '{}' WHERE id = '{}'",
        inner.id, parent.id
    );
    server.database().execute(sql).await;
    let shown = seeds
        .api
        .get(&format!("{path}?include_breakout_rooms=true"))
        .await
        .ok();
    assert_eq!(shown["breakout_rooms"].as_array().unwrap().len(), 2);
    seeds
        .api
        .get(&format!("{path}/participants?view=consolidated"))
        .await
        .expect(200);
}

async fn what_a_session_did_not_leave_behind_is_not_found(db: Database) {
    let server = Server::start(db).await;
    let seeds = Seeds::new(&server).await;
    let session = seeds.session(0);
    seeds.add_session(&session).await;
    for (what, name) in [
        ("chat", "chat"),
        ("transcript?format=VTT", "transcript"),
        ("summary", "summary"),
    ] {
        let answer = seeds.api.get(&format!("/sessions/{}/{what}", session.id)).await;
        assert_eq!(
            answer.refused(404),
            format!("No {name} found for session_id {}", session.id)
        );
        let answer = seeds.api.get(&format!("/sessions/{}/{what}", uuid_text())).await;
        assert_eq!(answer.refused(404), "Session not found");
    }
    let summary = |id: String| format!("/sessions/{id}/summary");
    let answer = seeds.api.post_empty(&summary(session.id.to_string())).await;
    assert_eq!(
        answer.refused(404),
        format!("No transcript found for session_id {}", session.id)
    );
    let answer = seeds.api.post(&summary(uuid_text()), json!({})).await;
    assert_eq!(answer.refused(404), "Session not found");
    let answer = seeds
        .api
        .get(&format!("/sessions/{}/transcript?format=PDF", session.id))
        .await;
    answer.refused(400);
}

async fn the_past_outlives_meetings_and_apps(db: Database) {
    let server = Server::start(db).await;
    let seeds = Seeds::new(&server).await;
    let meeting = seeds.api.meeting().await;
    let session = Session {
        status: SessionStatus::Ended,
        ended_at: Some(NINE),
        ..seeds.live(&meeting.id)
    };
    seeds.add_session(&session).await;
    seeds.add_peer(&Seeds::peer(&session, "ada", 0), None).await;
    meeting.delete("").await.expect(200);
    let paths = [
        "/sessions".into(),
        format!("/sessions/{}", session.id),
        format!("/sessions/{}/participants", session.id),
    ];
    for path in &paths {
        seeds.api.get(path).await.expect(200);
    }
    let apps = seeds.api.kit();
    apps.delete(&format!("/apps/{}", seeds.api.id)).await.expect(200);
    for path in &paths {
        seeds.api.get(path).await.expect(200);
    }
    assert_eq!(ids(&seeds.api.get("/sessions").await), [session.id.to_string()]);
    seeds
        .api
        .post_empty(&format!("/sessions/{}/summary", session.id))
        .await
        .refused(404);
}

async fn others_are_told_nothing(db: Database) {
    let server = Server::start(db).await;
    let seeds = Seeds::new(&server).await;
    let session = seeds.session(0);
    seeds.add_session(&session).await;
    let peer = Seeds::peer(&session, "ada", 0);
    seeds.add_peer(&peer, None).await;
    // Another app of the same account, and an app of another account.
    for other in [seeds.api.app().await, server.api().await.app().await] {
        assert_eq!(ids(&other.get("/sessions").await.expect(200)), [""; 0]);
        for path in [
            format!("/sessions/{}", session.id),
            format!("/sessions/{}?include_breakout_rooms=true", session.id),
            format!("/sessions/{}/participants", session.id),
            format!("/sessions/{}/participants?view=consolidated", session.id),
            format!("/sessions/{}/participants/{}", session.id, peer.id),
            format!("/sessions/peer-report/{}", peer.id),
            format!("/sessions/{}/livestream-sessions", session.id),
        ] {
            other.get(&path).await.refused(404);
        }
    }
}
