//! Who was in a session: lists in both views, single reads and reports.

use muster_model::session::Session;
use muster_testkit::{Answer, Database, Server, both};
use serde_json::{Value, json};

use crate::seeds::{Seeds, at, uuid_text};

both!(
    participants_are_listed,
    participants_are_consolidated_over_breakout_rooms,
    a_participant_is_found_by_either_id,
    peer_reports_are_cut_to_their_filters,
);

fn names(answer: &Answer) -> Vec<String> {
    let rows = answer.body["data"]["participants"]
        .as_array()
        .expect("participants");
    let name = |row: &Value| row["custom_participant_id"].as_str().unwrap().to_owned();
    rows.iter().map(name).collect()
}

async fn participants_are_listed(db: Database) {
    let server = Server::start(db).await;
    let seeds = Seeds::new(&server).await;
    let session = seeds.session(0);
    seeds.add_session(&session).await;
    let path = format!("/sessions/{}/participants", session.id);
    let empty = seeds.api.get(&path).await.expect(200);
    let zero = json!({"total_count": 0, "start_offset": 0, "end_offset": 0});
    assert_eq!(empty.body["data"], json!({"participants": [], "paging": zero}));
    assert_eq!(empty.paging(), (0, 0, 0));

    let ada = Seeds::peer(&session, "ada", 0);
    let mut bob = Seeds::peer(&session, "bob", 1);
    (bob.connected_micros, bob.left_at, bob.display_name) = (348_580_000, None, None);
    let again = Seeds::peer(&session, "ada", 2);
    for peer in [&ada, &bob, &again] {
        seeds.add_peer(peer, None).await;
    }
    let list = seeds.api.get(&path).await.expect(200);
    assert_eq!(names(&list), ["ada", "bob", "ada"]);
    assert_eq!(list.body["data"]["paging"], list.body["paging"]);
    assert_eq!(list.paging(), (3, 1, 3));
    assert_eq!(
        list.body["data"]["participants"][1],
        json!({
            "id": bob.id, "user_id": bob.participant_id, "custom_participant_id": "bob",
            "preset_name": "group_call_host", "joined_at": "2026-03-10T09:01:00.000Z", "duration": 5.8097,
            "created_at": "2026-03-10T09:01:00.000Z", "updated_at": "2026-03-10T09:11:00.000Z",
        })
    );
    assert_eq!(
        list.body["data"]["participants"][0]["left_at"],
        "2026-03-10T09:12:00.000Z"
    );
    for (query, wanted) in [
        ("sort_order=ASC&per_page=2".to_owned(), vec!["ada", "bob"]),
        (
            "sort_by=joinedAt&sort_order=DESC&page_no=2&per_page=2".into(),
            vec!["ada"],
        ),
        ("sort_by=duration&sort_order=ASC&per_page=1".into(), vec!["bob"]),
        ("search=NAME%20OF".into(), vec!["ada", "ada"]),
        ("search=bo".into(), vec!["bob"]),
        (format!("search={}", bob.participant_id), vec!["bob"]),
        (format!("search={}", again.id), vec!["ada"]),
        ("search=nobody".into(), vec![]),
        ("view=raw".into(), vec!["ada", "bob", "ada"]),
        ("view=consolidated&sort_order=ASC".into(), vec!["ada", "bob"]),
        ("view=consolidated&search=bob".into(), vec!["bob"]),
        ("page_no=9".into(), vec![]),
    ] {
        let list = seeds.api.get(&format!("{path}?{query}")).await.expect(200);
        assert_eq!(names(&list), wanted, "{query}");
    }
    let with = seeds.api.get(&format!("{path}?include_peer_events=true")).await;
    let events = &with.body["data"]["participants"][0]["peer_events"];
    assert_eq!(events.as_array().unwrap().len(), 2);
    assert_eq!(
        events[1],
        json!({
            "id": events[1]["id"], "peer_id": again.id, "event_name": "PEER_LEAVING",
            "participant_id": again.participant_id, "session_id": session.id, "socket_session_id": null,
            "preset_view_type": "GROUP_CALL", "minutes_consumed": 10.0,
            "created_at": "2026-03-10T09:12:00.000Z", "updated_at": "2026-03-10T09:12:00.000Z",
        })
    );
    seeds
        .api
        .get(&format!("{path}?view=all&sort_by=name"))
        .await
        .refused(400);
    seeds
        .api
        .get(&format!("/sessions/{}/participants", uuid_text()))
        .await
        .refused(404);
}

async fn participants_are_consolidated_over_breakout_rooms(db: Database) {
    let server = Server::start(db).await;
    let seeds = Seeds::new(&server).await;
    let session = seeds.session(0);
    let room = Session {
        parent: Some(session.id),
        ..seeds.session(5)
    };
    seeds.add_session(&session).await;
    seeds.add_session(&room).await;
    let here = Seeds::peer(&session, "ada", 0);
    let there = Seeds::peer(&room, "ada", 5);
    let mut guest = Seeds::peer(&room, "guest", 6);
    guest.left_at = None;
    for peer in [&here, &there, &guest] {
        seeds.add_peer(peer, None).await;
    }
    let path = format!("/sessions/{}/participants", session.id);
    assert_eq!(names(&seeds.api.get(&path).await), ["ada"]);
    let list = seeds
        .api
        .get(&format!(
            "{path}?view=consolidated&include_peer_events=true&sort_by=duration"
        ))
        .await
        .expect(200);
    assert_eq!(
        (names(&list), list.paging()),
        (vec!["ada".into(), "guest".into()], (2, 1, 2))
    );
    let ada = &list.body["data"]["participants"][0];
    assert_eq!(
        (&ada["id"], &ada["user_id"]),
        (&json!(here.id), &json!(here.participant_id))
    );
    assert_eq!(
        (&ada["duration"], &ada["joined_at"]),
        (&json!(20.0), &json!(at(0)))
    );
    assert_eq!(ada["left_at"], json!(at(15)));
    assert_eq!(ada["peer_events"].as_array().unwrap().len(), 4, "of both stays");
    let guest = &list.body["data"]["participants"][1];
    assert!(guest.get("left_at").is_none(), "still inside");
    assert_eq!(guest["peer_events"].as_array().unwrap().len(), 1);
    let page = seeds
        .api
        .get(&format!("{path}?view=consolidated&per_page=1&page_no=2"))
        .await;
    assert_eq!(page.paging(), (2, 2, 2));
}

async fn a_participant_is_found_by_either_id(db: Database) {
    let server = Server::start(db).await;
    let seeds = Seeds::new(&server).await;
    let session = seeds.session(0);
    let other = seeds.session(1);
    seeds.add_session(&session).await;
    seeds.add_session(&other).await;
    let first = Seeds::peer(&session, "ada", 0);
    let mut second = Seeds::peer(&session, "ada", 2);
    second.participant_id = first.participant_id;
    for peer in [&first, &second] {
        seeds.add_peer(peer, None).await;
    }
    let path = format!("/sessions/{}/participants", session.id);
    for (id, peer) in [
        (first.id.to_string(), &first),
        (second.id.to_string(), &second),
        (first.participant_id.to_string(), &second),
    ] {
        let found = seeds.api.get(&format!("{path}/{id}")).await.ok();
        assert_eq!(found["participant"]["id"], json!(peer.id));
        assert!(found["participant"].get("peer_events").is_none());
        let found = seeds
            .api
            .get(&format!("{path}/{id}?include_peer_events=true"))
            .await
            .ok();
        assert_eq!(found["participant"]["peer_events"].as_array().unwrap().len(), 2);
    }
    for id in [uuid_text(), "x".into()] {
        let answer = seeds.api.get(&format!("{path}/{id}")).await;
        assert_eq!(answer.refused(404), "Participant not found");
        let answer = seeds
            .api
            .get(&format!("/sessions/{}/participants/{id}", uuid_text()))
            .await;
        assert_eq!(answer.refused(404), "Session not found");
    }
    let elsewhere = seeds
        .api
        .get(&format!("/sessions/{}/participants/{}", other.id, first.id))
        .await;
    elsewhere.refused(404);
}

async fn peer_reports_are_cut_to_their_filters(db: Database) {
    let server = Server::start(db).await;
    let seeds = Seeds::new(&server).await;
    let session = seeds.session(0);
    seeds.add_session(&session).await;
    let (told, silent) = (Seeds::peer(&session, "ada", 0), Seeds::peer(&session, "bob", 1));
    let report = json!({
        "metadata": {"device_info": {"cpus": 8}, "ip_information": {"city": "x"}, "events": []},
        "quality": {"audio_producer": []},
    });
    seeds
        .add_peer(&told, Some(serde_json::from_value(report.clone()).unwrap()))
        .await;
    seeds.add_peer(&silent, None).await;
    let path = format!("/sessions/peer-report/{}", told.id);
    let found = seeds.api.get(&path).await.ok();
    let person = &found["participant"];
    assert_eq!(person["peer_report"], report);
    assert_eq!(
        (&person["role"], &person["session_id"]),
        (&json!("group_call_host"), &json!(session.id))
    );
    assert_eq!(
        (&person["id"], &person["duration"]),
        (&json!(told.id), &json!(10.0))
    );
    assert!(person.get("peer_events").is_none());
    for (query, metadata, quality) in [
        (
            "filters=device_info",
            json!({"device_info": {"cpus": 8}}),
            json!({}),
        ),
        (
            "filters=events,ip_information",
            json!({"ip_information": {"city": "x"}, "events": []}),
            json!({}),
        ),
        ("filters=quality_stats", json!({}), json!({"audio_producer": []})),
        ("filters=precall_network_information", json!({}), json!({})),
    ] {
        let found = seeds
            .api
            .get(&format!("{path}?{query}&include_peer_events=true"))
            .await
            .ok();
        let shown = &found["participant"]["peer_report"];
        assert_eq!(
            shown,
            &json!({"metadata": metadata, "quality": quality}),
            "{query}"
        );
        assert!(found["participant"]["peer_events"].is_array());
    }
    let found = seeds
        .api
        .get(&format!("/sessions/peer-report/{}", silent.id))
        .await
        .ok();
    assert_eq!(
        found["participant"]["peer_report"],
        json!({"metadata": {}, "quality": {}})
    );
    seeds
        .api
        .get(&format!("{path}?filters=weather"))
        .await
        .refused(400);
    for id in [uuid_text(), told.participant_id.to_string(), "x".into()] {
        let answer = seeds.api.get(&format!("/sessions/peer-report/{id}")).await;
        assert_eq!(answer.refused(404), "Peer not found");
    }
}
