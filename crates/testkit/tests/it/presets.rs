//! Presets over HTTP.

use futures::future::join_all;
use http::Method;
use muster_testkit::{Api, Database, Server, both};
use serde_json::{Value, json};

both!(
    a_new_app_has_seven_whole_presets,
    a_name_is_enough_and_the_answer_is_whole,
    every_fault_is_told_with_its_path,
    what_is_not_known_is_left_out_and_what_tools_add_is_kept,
    changes_go_deep_and_replacements_begin_anew,
    names_are_unique_within_the_app,
    twenty_at_once_make_one_preset,
    changes_at_once_do_not_undo_each_other,
    a_repeated_request_answers_the_same,
    pages_and_search,
    a_preset_in_use_is_not_deleted,
    participants_can_be_moved_first,
    many_participants_are_moved,
    participants_of_a_deleted_meeting_do_not_count,
    deletes_and_joins_at_once_leave_nobody_without_a_preset,
    renaming_shows_in_the_next_list,
    what_is_not_there_is_not_found,
);

async fn an_app(server: &Server) -> Api {
    server.api().await.app().await
}

async fn make(app: &Api, name: &str) -> Value {
    app.post("/presets", json!({"name": name})).await.expect(201).ok()
}

fn path(preset: &Value) -> String {
    format!("/presets/{}", preset["id"].as_str().unwrap())
}

fn add(custom_id: &str, preset: &str) -> Value {
    json!({"custom_participant_id": custom_id, "preset_name": preset})
}

/// What strict clients insist on in every preset.
#[track_caller]
fn assert_whole(preset: &Value) {
    for pointer in [
        "/id",
        "/name",
        "/created_at",
        "/updated_at",
        "/config/view_type",
        "/config/max_video_streams/desktop",
        "/config/media/video/frame_rate",
        "/config/media/screenshare/quality",
        "/permissions/connected_meetings/can_switch_to_parent_meeting",
        "/permissions/plugins/config",
        "/permissions/chat/private/can_receive",
        "/permissions/media/screenshare/can_produce",
        "/permissions/recorder_type",
        "/permissions/waiting_room_type",
        "/ui/design_tokens/colors/brand/300",
        "/ui/design_tokens/colors/background/1000",
        "/ui/design_tokens/colors/video_bg",
        "/ui/design_tokens/theme",
        "/ui/config_diff",
    ] {
        let found = preset.pointer(pointer).unwrap_or(&Value::Null);
        assert!(!found.is_null(), "{pointer} of {preset}");
    }
}

async fn a_new_app_has_seven_whole_presets(db: Database) {
    let server = Server::start(db).await;
    let app = an_app(&server).await;
    let list = app.get("/presets").await.expect(200);
    assert_eq!(list.paging(), (7, 1, 7));
    let mut names = list.each("name");
    names.sort();
    assert_eq!(
        names,
        [
            "group_call_guest",
            "group_call_host",
            "group_call_participant",
            "livestream_host",
            "livestream_viewer",
            "webinar_presenter",
            "webinar_viewer",
        ]
    );
    for row in list.body["data"].as_array().unwrap() {
        let members: Vec<&String> = row.as_object().unwrap().keys().collect();
        assert_eq!(members.len(), 4, "{row}");
        let preset = app.get(&path(row)).await.expect(200).ok();
        assert_whole(&preset);
        assert_eq!(preset["name"], row["name"]);
        let host = ["host", "presenter"]
            .iter()
            .any(|role| preset["name"].as_str().unwrap().ends_with(role));
        assert_eq!(preset["permissions"]["kick_participant"], host, "{preset}");
    }
}

async fn a_name_is_enough_and_the_answer_is_whole(db: Database) {
    let server = Server::start(db).await;
    let app = an_app(&server).await;
    let made = make(&app, "sparse").await;
    assert_whole(&made);
    assert_eq!(made["config"]["view_type"], "GROUP_CALL");
    assert_eq!(made["permissions"]["plugins"]["config"], json!({}));
    assert_eq!(app.get(&path(&made)).await.ok(), made);
    // It is good for participants, by either spelling of its name.
    let meeting = app.meeting().await;
    meeting
        .post("/participants", add("a", "sparse"))
        .await
        .expect(201);
    // Whole numbers may come with a fraction of zero, and go without.
    let body = json!({"name": "floats", "config": {"max_screenshare_count": 2.0,
        "livestream_viewer_qualities": [360.0], "media": {"video": {"frame_rate": 24.0}}}});
    let answer = app.post("/presets", body).await.expect(201);
    assert!(
        answer.text.contains("\"max_screenshare_count\":2,"),
        "{}",
        answer.text
    );
    assert!(answer.text.contains("\"frame_rate\":24,"), "{}", answer.text);
}

async fn every_fault_is_told_with_its_path(db: Database) {
    let server = Server::start(db).await;
    let app = an_app(&server).await;
    let wrong = json!({
        "config": {"view_type": "CHAT", "max_screenshare_count": 1.5, "media": {"video": {"frame_rate": 31}}},
        "permissions": {"kick_participant": "yes", "media": {"audio": "ALLOWED"}, "plugins": {"config": []}},
        "ui": {"design_tokens": {"spacing_base": 0, "logo": "no address", "colors": {"brand": {"300": 5}}}},
    });
    let mut expected = vec![
        "config.max_screenshare_count",
        "config.media.video.frame_rate",
        "config.view_type",
        "permissions.kick_participant",
        "permissions.media.audio",
        "permissions.plugins.config",
        "ui.design_tokens.colors.brand.300",
        "ui.design_tokens.logo",
        "ui.design_tokens.spacing_base",
    ];
    let stored = make(&app, "stored").await;
    let patched = app.patch(&path(&stored), wrong.clone()).await;
    patched.refused(400);
    assert_eq!(patched.fields(), expected);
    expected.insert(3, "name");
    for refused in [
        app.post("/presets", wrong.clone()).await,
        app.put(&path(&stored), wrong).await,
    ] {
        assert!(refused.refused(400).starts_with("BAD_REQUEST: "));
        assert_eq!(refused.fields(), expected);
    }
    assert_eq!(app.get(&path(&stored)).await.ok(), stored, "nothing was changed");
    for (body, field) in [
        (json!({"name": ""}), "name"),
        (json!({"name": "x".repeat(129)}), "name"),
        (json!({"name": null}), "name"),
        (json!({"name": 5}), "name"),
        (json!({"name": "x", "ui": "dark"}), "ui"),
        (json!([]), ""),
    ] {
        let refused = app.post("/presets", body.clone()).await;
        refused.refused(400);
        assert_eq!(refused.fields(), [field], "{body}");
    }
    let broken = app
        .call(Method::POST, "/presets")
        .bytes("{\"name\":")
        .send()
        .await;
    broken.refused(400);
    assert_eq!(app.get("/presets").await.paging().0, 8);
}

async fn what_is_not_known_is_left_out_and_what_tools_add_is_kept(db: Database) {
    let server = Server::start(db).await;
    let app = an_app(&server).await;
    let plugin = "00000000-0000-4000-8000-000000000001";
    let tools = json!({
        "name": "tools",
        "version": "2.0.0",
        "track_recording": {"a": 1},
        "permissions": {
            "media": {"audio": {"can_consume": "ALLOWED"}},
            "chat": {"channel": {"can_create": "ALL"}, "message": {"can_edit": "SELF"}},
            "plugins": {"config": {plugin: {"access_control": "VIEW_ONLY", "handles_view_only": true, "disabled": false}}},
        },
        "ui": {"config_diff": {"root": [{"b": null}]}, "design_tokens": {"logo": ""}},
    });
    let mut body = tools.clone();
    body["nonsense"] = json!(1);
    body["permissions"]["nonsense"] = json!({"deep": true});
    let made = app.post("/presets", body).await.expect(201).ok();
    assert_whole(&made);
    assert!(!made.to_string().contains("nonsense"));
    for pointer in [
        "/version",
        "/track_recording",
        "/permissions/media/audio/can_consume",
        "/permissions/chat/channel",
        "/permissions/chat/message",
        "/permissions/plugins/config",
        "/ui/config_diff",
    ] {
        assert_eq!(made.pointer(pointer), tools.pointer(pointer), "{pointer}");
    }
    assert!(made["ui"]["design_tokens"].get("logo").is_none());
    assert_eq!(app.get(&path(&made)).await.ok(), made);
    // What was answered can be given back whole, ids and times with it.
    let put = app.put(&path(&made), made.clone()).await.expect(200).ok();
    assert_eq!(
        json!({"updated_at": null, "was": put}).pointer("/was/ui"),
        Some(&made["ui"])
    );
    assert_eq!(put["permissions"], made["permissions"]);
}

async fn changes_go_deep_and_replacements_begin_anew(db: Database) {
    let server = Server::start(db).await;
    let app = an_app(&server).await;
    let body = json!({
        "name": "deep",
        "permissions": {"kick_participant": true, "polls": {"can_create": false}, "stage_access": "ALLOWED"},
        "ui": {"design_tokens": {"theme": "light", "font_family": "Inter"}},
    });
    let made = app.post("/presets", body).await.expect(201).ok();
    let same = app.patch(&path(&made), json!({})).await.expect(200).ok();
    assert_eq!(same["permissions"], made["permissions"]);
    let change = json!({
        "permissions": {"polls": {"can_vote": false}, "kick_participant": null},
        "ui": {"design_tokens": {"font_family": null, "colors": {"danger": "#000000"}}},
    });
    let changed = app.patch(&path(&made), change).await.expect(200).ok();
    assert_eq!(changed["id"], made["id"]);
    assert_eq!(changed["created_at"], made["created_at"]);
    assert!(changed["updated_at"].as_str() >= made["updated_at"].as_str());
    assert_eq!(
        changed["permissions"]["polls"],
        json!({"can_create": false, "can_vote": false, "can_view": true})
    );
    assert_eq!(changed["permissions"]["kick_participant"], false, "the default");
    assert_eq!(changed["permissions"]["stage_access"], "ALLOWED");
    let tokens = &changed["ui"]["design_tokens"];
    assert_eq!(
        (
            &tokens["theme"],
            tokens.get("font_family"),
            &tokens["colors"]["danger"]
        ),
        (&json!("light"), None, &json!("#000000"))
    );
    assert_eq!(app.get(&path(&made)).await.ok(), changed);

    let replaced = app
        .put(
            &path(&made),
            json!({"name": "anew", "config": {"view_type": "WEBINAR"}}),
        )
        .await
        .expect(200)
        .ok();
    assert_whole(&replaced);
    assert_eq!(
        (&replaced["id"], &replaced["name"]),
        (&made["id"], &json!("anew"))
    );
    assert_eq!(replaced["config"]["view_type"], "WEBINAR");
    assert!(replaced["permissions"].get("stage_access").is_none());
    assert_eq!(replaced["ui"]["design_tokens"]["theme"], "dark");
    app.put(&path(&made), json!({})).await.refused(400);
    app.patch(&path(&made), json!({"name": null})).await.refused(400);
}

async fn names_are_unique_within_the_app(db: Database) {
    let server = Server::start(db).await;
    let app = an_app(&server).await;
    let one = make(&app, "one").await;
    let told = app.post("/presets", json!({"name": "one"})).await.refused(409);
    assert!(told.contains("one"), "{told}");
    app.post("/presets", json!({"name": "group_call_host"}))
        .await
        .refused(409);
    app.patch(&path(&one), json!({"name": "group_call_host"}))
        .await
        .refused(409);
    app.put(&path(&one), json!({"name": "group_call_host"}))
        .await
        .refused(409);
    assert_eq!(app.get(&path(&one)).await.ok()["name"], "one");
    app.patch(&path(&one), json!({"name": "one"})).await.expect(200);
    // Names differ by case, and other apps have their own.
    make(&app, "One").await;
    make(&server.api().await.app().await, "one").await;
    // A name that was given up is free.
    app.patch(&path(&one), json!({"name": "two"})).await.expect(200);
    make(&app, "one").await;
}

async fn twenty_at_once_make_one_preset(db: Database) {
    let server = Server::start(db).await;
    let app = an_app(&server).await;
    let answers = join_all((0..20).map(|_| app.post("/presets", json!({"name": "wanted"})))).await;
    let mut statuses: Vec<u16> = answers.iter().map(|answer| answer.status).collect();
    statuses.sort_unstable();
    assert_eq!(statuses[0], 201);
    assert!(statuses[1..].iter().all(|status| *status == 409), "{statuses:?}");
    assert_eq!(app.get("/presets?search=wanted").await.paging().0, 1);
    // Renaming onto one name at once is no other matter.
    let mut presets = Vec::new();
    for i in 0..10 {
        presets.push(make(&app, &format!("n{i}")).await);
    }
    let answers = join_all(
        presets
            .iter()
            .map(|preset| async { app.patch(&path(preset), json!({"name": "won"})).await }),
    )
    .await;
    let won = answers.iter().filter(|answer| answer.status == 200).count();
    let lost = answers.iter().filter(|answer| answer.status == 409).count();
    assert_eq!((won, lost), (1, 9));
}

async fn changes_at_once_do_not_undo_each_other(db: Database) {
    let server = Server::start(db).await;
    let app = an_app(&server).await;
    let preset = make(&app, "busy").await;
    let members = [
        "kick_participant",
        "pin_participant",
        "can_record",
        "can_livestream",
        "can_spotlight",
        "accept_waiting_requests",
    ];
    let changes = members.map(|member| {
        let (app, path) = (&app, path(&preset));
        async move {
            app.patch(&path, json!({"permissions": {member: true}}))
                .await
                .expect(200)
        }
    });
    join_all(changes).await;
    let changed = app.get(&path(&preset)).await.ok();
    for member in members {
        assert_eq!(changed["permissions"][member], true, "{member}");
    }
}

async fn a_repeated_request_answers_the_same(db: Database) {
    let server = Server::start(db).await;
    let app = an_app(&server).await;
    let send = |name: &str| {
        let body = json!({"name": name});
        app.call(Method::POST, "/presets").key("k1").json(&body).send()
    };
    let first = send("once").await.expect(201);
    let second = send("once").await.expect(201);
    assert_eq!(second.header("idempotent-replayed"), Some("true"));
    assert_eq!(first.body, second.body);
    send("other").await.refused(422);
    app.post("/presets", json!({"name": "once"})).await.refused(409);
    assert_eq!(app.get("/presets?search=once").await.paging().0, 1);
}

async fn pages_and_search(db: Database) {
    let server = Server::start(db).await;
    let app = an_app(&server).await;
    for i in 0..3 {
        make(&app, &format!("Extra_{i} 100%")).await;
    }
    let newest = app.get("/presets?per_page=3").await;
    assert_eq!(
        newest.each("name"),
        ["Extra_2 100%", "Extra_1 100%", "Extra_0 100%"]
    );
    let mut seen = Vec::new();
    for page in 1..=4 {
        let answer = app
            .get(&format!("/presets?page_no={page}&per_page=3"))
            .await
            .expect(200);
        let (total, start, end) = answer.paging();
        assert_eq!((total, start), (10, (page - 1) * 3 + 1));
        assert_eq!(end, (page * 3).min(10));
        seen.extend(answer.each("id"));
    }
    seen.sort();
    seen.dedup();
    assert_eq!(seen.len(), 10);
    for (query, paging, rows) in [
        ("", (10, 1, 10), 10),
        ("?page_no=&per_page=", (10, 1, 10), 10),
        ("?page_no=0&per_page=0", (10, 1, 10), 10),
        ("?page_no=2.0&per_page=4.0", (10, 5, 8), 4),
        ("?page_no=5&per_page=3", (10, 13, 10), 0),
        ("?per_page=99999", (10, 1, 10), 10),
        ("?search=extra_", (3, 1, 3), 3),
        ("?search=WEBINAR_", (2, 1, 2), 2),
        ("?search=webinar%25", (0, 0, 0), 0),
        ("?search=100%25", (3, 1, 3), 3),
        ("?search=extra-", (0, 0, 0), 0),
        ("?search=", (10, 1, 10), 10),
    ] {
        let answer = app.get(&format!("/presets{query}")).await.expect(200);
        assert_eq!(answer.paging(), paging, "{query}");
        assert_eq!(answer.each("id").len(), rows, "{query}");
    }
    for wrong in ["page_no=-1", "per_page=1.5", "page_no=first"] {
        app.get(&format!("/presets?{wrong}")).await.refused(400);
    }
}

async fn a_preset_in_use_is_not_deleted(db: Database) {
    let server = Server::start(db).await;
    let app = an_app(&server).await;
    let preset = make(&app, "in use").await;
    let meeting = app.meeting().await;
    for id in ["a", "b"] {
        meeting.post("/participants", add(id, "in use")).await.expect(201);
    }
    let told = app.delete(&path(&preset)).await.refused(409);
    assert!(told.contains("2 participants"), "{told}");
    let list = meeting.get("/participants").await;
    meeting
        .delete(&format!("/participants/{}", list.each("id")[0]))
        .await
        .expect(200);
    let told = app.delete(&path(&preset)).await.refused(409);
    assert!(
        told.contains("1 participant") && !told.contains("participants"),
        "{told}"
    );
    meeting
        .delete(&format!("/participants/{}", list.each("id")[1]))
        .await
        .expect(200);
    let gone = app.delete(&path(&preset)).await.expect(200).ok();
    assert_eq!(gone, preset, "the preset as it was");
    app.get(&path(&preset)).await.refused(404);
    app.delete(&path(&preset)).await.refused(404);
    let told = meeting
        .post("/participants", add("c", "in use"))
        .await
        .refused(404);
    assert!(told.starts_with("No preset found"), "{told}");
    // The first presets are no different.
    let seed = &app.get("/presets?search=webinar_viewer").await.body["data"][0];
    app.delete(&path(seed)).await.expect(200);
    assert_eq!(app.get("/presets").await.paging().0, 6);
}

async fn participants_can_be_moved_first(db: Database) {
    let server = Server::start(db).await;
    let app = an_app(&server).await;
    let preset = make(&app, "old").await;
    let (here, there) = (app.meeting().await, app.meeting().await);
    for meeting in [&here, &there] {
        meeting.post("/participants", add("a", "old")).await.expect(201);
        meeting
            .post("/participants", add("b", "group_call_host"))
            .await
            .expect(201);
        // A finished page of the list must not outlive the move.
        assert!(
            meeting
                .get("/participants")
                .await
                .each("preset_name")
                .contains(&"old".into())
        );
    }
    let to = |target: &str| format!("{}?reassign_to={target}", path(&preset));
    let told = app.delete(&to("nobody")).await.refused(404);
    assert!(told.starts_with("No preset found with name nobody"), "{told}");
    app.delete(&to("old")).await.refused(409);
    let other = make(&server.api().await.app().await, "foreign").await;
    app.delete(&to(other["id"].as_str().unwrap())).await.refused(404);
    app.delete(&to("")).await.refused(409);
    assert_eq!(
        here.get("/participants?custom_participant_id=a")
            .await
            .each("preset_name"),
        ["old"]
    );

    app.delete(&to("group-call-guest")).await.expect(200);
    for meeting in [&here, &there] {
        let mut names = meeting.get("/participants").await.each("preset_name");
        names.sort();
        assert_eq!(names, ["group_call_guest", "group_call_host"]);
    }
    app.get(&path(&preset)).await.refused(404);
    // By id, too; and without participants it is a plain delete.
    let by_id = make(&app, "by id").await;
    here.post("/participants", add("c", "by id")).await.expect(201);
    let target = app.get("/presets?search=webinar_viewer").await.each("id")[0].clone();
    app.delete(&format!("{}?reassign_to={target}", path(&by_id)))
        .await
        .expect(200);
    let moved = here.get("/participants?custom_participant_id=c").await;
    assert_eq!(moved.each("preset_name"), ["webinar_viewer"]);
    let unused = make(&app, "unused").await;
    app.delete(&format!("{}?reassign_to={target}", path(&unused)))
        .await
        .expect(200);
}

async fn many_participants_are_moved(db: Database) {
    let server = Server::start(db).await;
    let app = an_app(&server).await;
    let preset = make(&app, "crowded").await;
    let meeting = app.meeting().await;
    let id = preset["id"].as_str().unwrap();
    let rows: Vec<String> = (0..1200)
        .map(|i| {
            let one = uuid::Uuid::new_v4();
            format!(
                "('{one}', '{}', '{}', '{id}', 'c{i}', 'c{i}', {i}, {i})",
                app.id, meeting.id
            )
        })
        .collect();
    let sql = format!(
        "INSERT INTO participants (id, app_id, meeting_id, preset_id, custom_participant_id, search_text, \
         created_at, updated_at) VALUES {}",
        rows.join(", ")
    );
    server.database().execute(sql).await;
    let told = app.delete(&path(&preset)).await.refused(409);
    assert!(told.contains("1200 participants"), "{told}");
    app.delete(&format!("{}?reassign_to=group_call_guest", path(&preset)))
        .await
        .expect(200);
    let list = meeting.get("/participants?per_page=1000").await;
    assert_eq!(list.paging().0, 1200);
    assert!(
        list.each("preset_name")
            .iter()
            .all(|name| name == "group_call_guest")
    );
}

async fn participants_of_a_deleted_meeting_do_not_count(db: Database) {
    let server = Server::start(db).await;
    let app = an_app(&server).await;
    let preset = make(&app, "brief").await;
    let meeting = app.meeting().await;
    meeting.post("/participants", add("a", "brief")).await.expect(201);
    app.delete(&path(&preset)).await.refused(409);
    meeting.delete("").await.expect(200);
    app.delete(&path(&preset)).await.expect(200);
}

async fn deletes_and_joins_at_once_leave_nobody_without_a_preset(db: Database) {
    let server = Server::start(db).await;
    let app = an_app(&server).await;
    let meeting = app.meeting().await;
    for round in 0..8 {
        let name = format!("short-lived {round}");
        let preset = make(&app, &name).await;
        let adds = (0..8).map(|i| meeting.post("/participants", add(&format!("r{round}-{i}"), &name)));
        let at = path(&preset);
        let deletes = (0..4).map(|_| app.delete(&at));
        let (added, deleted) = futures::future::join(join_all(adds), join_all(deletes)).await;
        let added: Vec<u16> = added.iter().map(|answer| answer.status).collect();
        let deleted: Vec<u16> = deleted.iter().map(|answer| answer.status).collect();
        assert!(
            added.iter().all(|status| [201, 404].contains(status)),
            "{added:?}"
        );
        assert!(
            deleted.iter().all(|status| [200, 404, 409].contains(status)),
            "{deleted:?}"
        );
        let gone = deleted.iter().filter(|status| **status == 200).count();
        assert!(gone <= 1, "{deleted:?}");
        assert!(gone == 0 || !added.contains(&201), "{added:?} {deleted:?}");
        let list = meeting.get("/participants?per_page=100").await.expect(200);
        let of_round = list.each("preset_name").iter().filter(|n| **n == name).count();
        assert_eq!(of_round, added.iter().filter(|status| **status == 201).count());
    }
}

async fn renaming_shows_in_the_next_list(db: Database) {
    let server = Server::start(db).await;
    let app = an_app(&server).await;
    let preset = make(&app, "before").await;
    let meeting = app.meeting().await;
    meeting
        .post("/participants", add("a", "before"))
        .await
        .expect(201);
    for name in ["after", "later", "before"] {
        app.patch(&path(&preset), json!({"name": name})).await.expect(200);
        assert_eq!(meeting.get("/participants").await.each("preset_name"), [name]);
    }
}

async fn what_is_not_there_is_not_found(db: Database) {
    let server = Server::start(db).await;
    let api = server.api().await;
    let (app, other) = (api.app().await, api.app().await);
    let foreign = path(&make(&other, "foreign").await);
    let nobody = format!("/presets/{}", uuid::Uuid::new_v4());
    for path in [nobody.as_str(), "/presets/not-an-id", foreign.as_str()] {
        app.get(path).await.refused(404);
        app.patch(path, json!({"name": "x"})).await.refused(404);
        app.put(path, json!({"name": "x"})).await.refused(404);
        app.delete(path).await.refused(404);
    }
    assert_eq!(other.get(&foreign).await.ok()["name"], "foreign");
    app.without_token().get("/presets").await.refused(401);
    let stranger = server.api().await;
    stranger.at_root(&app.root).get("/presets").await.refused(403);
    app.call(Method::DELETE, "/presets").send().await.refused(405);
}
