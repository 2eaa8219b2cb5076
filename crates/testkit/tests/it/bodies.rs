//! Requests that are not as they should be: bodies, paths, methods.

use http::Method;
use muster_testkit::{Database, Server, both};
use serde_json::json;

both!(
    a_body_is_at_most_a_mebibyte,
    what_is_not_json_is_told_so,
    every_fault_is_told_at_once,
    nul_characters_are_refused,
    deep_nesting_is_survived,
    no_body_is_fine_where_none_is_needed,
    paths_are_read_liberally,
    unknown_paths_and_methods_are_told_apart,
    head_answers_as_get_without_a_body,
    health_and_contract_are_public,
);

async fn a_body_is_at_most_a_mebibyte(db: Database) {
    let server = Server::start(db).await;
    let app = server.api().await.app().await;
    let padded = |bytes: usize| {
        let mut body = br#"{"title":"t"}"#.to_vec();
        body.resize(bytes, b' ');
        body
    };
    let send = async |body: Vec<u8>| app.call(Method::POST, "/meetings").bytes(body).send().await;
    send(padded(1 << 20)).await.expect(201);
    assert!(send(padded((1 << 20) + 1)).await.refused(413).contains("1048576"));
    // A key does not change that, and nothing is kept of it.
    let keyed = app
        .call(Method::POST, "/meetings")
        .key("k")
        .bytes(padded(2 << 20))
        .send()
        .await;
    keyed.refused(413);
    assert_eq!(app.get("/meetings").await.paging().0, 1);
}

async fn what_is_not_json_is_told_so(db: Database) {
    let server = Server::start(db).await;
    let app = server.api().await.app().await;
    for body in [
        "",
        " ",
        "{",
        "{\"title\": }",
        "title=x",
        "{} {}",
        "\u{feff}{}",
        "{\"a\": 01}",
        "NaN",
    ] {
        let answer = app.call(Method::POST, "/meetings").bytes(body).send().await;
        assert!(answer.refused(400).starts_with("BAD_REQUEST: "), "{body}");
    }
    let latin = app
        .call(Method::POST, "/meetings")
        .bytes(b"{\"title\": \"\xe4\"}".to_vec())
        .send()
        .await;
    latin.refused(400);
    for body in [json!(null), json!([]), json!("x"), json!(1), json!(true)] {
        for answer in [
            app.post("/meetings", body.clone()).await,
            app.kit().post("/apps", body.clone()).await,
        ] {
            assert!(answer.refused(400).contains("of type object"), "{}", answer.text);
        }
    }
    // The content type is not insisted upon.
    let typed = app
        .call(Method::POST, "/meetings")
        .header("content-type", "text/plain");
    typed.bytes("{}").send().await.expect(201);
    app.call(Method::POST, "/meetings")
        .bytes("{}")
        .send()
        .await
        .expect(201);
}

async fn every_fault_is_told_at_once(db: Database) {
    let server = Server::start(db).await;
    let app = server.api().await.app().await;
    let answer = app
        .post("/meetings", json!({
            "title": 1, "record_on_start": "x", "session_keep_alive_time_in_secs": 5,
            "recording_config": {
                "max_seconds": 1, "video_config": {"width": 0, "watermark": {"position": "middle", "size": {"width": 0}}},
            },
            "ai_config": {"summarization": {"word_limit": 1}},
        }))
        .await;
    let fields = [
        "ai_config.summarization.word_limit",
        "record_on_start",
        "recording_config.max_seconds",
        "recording_config.video_config.watermark.position",
        "recording_config.video_config.watermark.size.width",
        "recording_config.video_config.width",
        "session_keep_alive_time_in_secs",
        "title",
    ];
    let message = answer.refused(400);
    assert_eq!(answer.fields(), fields, "{}", answer.text);
    for field in fields {
        assert!(message.contains(&format!("\"{field}\"")), "{message}");
    }
    assert!(
        answer.body["errors"]
            .as_array()
            .unwrap()
            .iter()
            .all(|error| error["code"] == 400)
    );
}

async fn nul_characters_are_refused(db: Database) {
    let server = Server::start(db).await;
    let app = server.api().await.app().await;
    for (body, field) in [
        ("{\"title\": \"a\\u0000b\"}", "title"),
        ("{\"unknown\": {\"x\": [\"\\u0000\"]}}", "unknown.x.0"),
        ("{\"a\\u0000\": 1}", "a\u{fffd}"),
        (
            "{\"recording_config\": {\"storage_config\": {\"type\": \"aws\", \"secret\": \"\\u0000\"}}}",
            "recording_config.storage_config.secret",
        ),
    ] {
        for (method, path) in [
            (Method::POST, "/meetings".to_owned()),
            (Method::PATCH, format!("/meetings/{}", app.meeting().await.id)),
        ] {
            let answer = app.call(method, &path).bytes(body).send().await;
            assert!(answer.refused(400).contains("NUL"), "{body}");
            assert_eq!(answer.fields(), [field]);
        }
    }
    let query = app.get("/meetings?search=a%00b").await;
    assert!(query.refused(400).contains("NUL"));
}

async fn deep_nesting_is_survived(db: Database) {
    let server = Server::start(db).await;
    let app = server.api().await.app().await;
    for depth in [100, 127, 10_000, 200_000] {
        for (open, close) in [("[", "]"), ("{\"a\":", "}")] {
            let inner = if close == "}" { "1" } else { "" };
            let body = format!("{{\"x\": {}{inner}{}}}", open.repeat(depth), close.repeat(depth));
            let answer = app.call(Method::POST, "/meetings").bytes(body).send().await;
            assert!(
                matches!(answer.status, 201 | 400 | 413),
                "{depth} {}",
                answer.text
            );
        }
    }
    app.get("/meetings").await.expect(200);
}

async fn no_body_is_fine_where_none_is_needed(db: Database) {
    let server = Server::start(db).await;
    let meeting = server.api().await.app().await.meeting().await;
    let id = meeting.participant("ada").await["id"]
        .as_str()
        .unwrap()
        .to_owned();
    let path = format!("/participants/{id}/token");
    meeting.post_empty(&path).await.expect(200);
    meeting.post(&path, json!({})).await.expect(200);
    let json_type = meeting
        .call(Method::POST, &path)
        .header("content-type", "application/json");
    json_type.send().await.expect(200);
    let length = meeting.call(Method::POST, &path).header("content-length", "0");
    length.send().await.expect(200);
    let python = meeting.call(Method::DELETE, &format!("/participants/{id}"));
    python
        .header("content-type", "application/json")
        .send()
        .await
        .expect(200);
}

async fn paths_are_read_liberally(db: Database) {
    let server = Server::start(db).await;
    let meeting = server.api().await.app().await.meeting().await;
    meeting.participant("ada").await;
    let expected = meeting.get("/participants").await.expect(200).text;
    for path in [
        "/participants/",
        "/participants//",
        "/participants?",
        "/participants/?page_no=1",
    ] {
        assert_eq!(meeting.get(path).await.expect(200).text, expected, "{path}");
    }
    // With the prefix and without it, ids in capitals, letters percent-encoded.
    let short = meeting.root.strip_prefix("/client/v4").unwrap();
    assert_eq!(
        meeting.at_root(short).get("/participants").await.expect(200).text,
        expected
    );
    let capitals = meeting.root.replace(&meeting.id, &meeting.id.to_uppercase());
    assert_eq!(
        meeting
            .at_root(&capitals)
            .get("/participants")
            .await
            .expect(200)
            .text,
        expected
    );
    let encoded = meeting.root.replace(&meeting.id, &meeting.id.replace('-', "%2D"));
    assert_eq!(
        meeting
            .at_root(&encoded)
            .get("/participants")
            .await
            .expect(200)
            .text,
        expected
    );
    // An encoded slash separates nothing.
    let slash = meeting.at_root(&meeting.root.replace("/meetings/", "/meetings%2F"));
    slash.get("/participants").await.refused(404);
}

async fn unknown_paths_and_methods_are_told_apart(db: Database) {
    let server = Server::start(db).await;
    let api = server.api().await;
    let app = api.app().await;
    for path in [
        "/nowhere",
        "/client/v4",
        "/client/v5/accounts",
        "/client/v4/client/v4/accounts",
    ] {
        let answer = api.at_root("").get(path).await;
        answer.refused(404);
        assert_eq!(answer.code(), 7003, "{path}");
        assert!(answer.body["result"].is_null() && answer.body.as_object().unwrap().contains_key("result"));
    }
    let deeper = app.get("/meetings/x/y/z").await;
    assert_eq!((deeper.status, deeper.code()), (404, 7003));
    for (method, path) in [
        (Method::PUT, "/meetings"),
        (Method::DELETE, "/meetings"),
        (Method::POST, "/meetings/x"),
    ] {
        let answer = app.call(method, path).json(&json!({})).send().await;
        answer.refused(405);
        assert_eq!(answer.code(), 7001);
        assert!(
            answer.header("allow").is_some(),
            "a 405 tells which methods there are"
        );
    }
    // Who is not known learns no more than who is.
    app.without_token().get("/nowhere/else/at/all").await.refused(404);
}

async fn head_answers_as_get_without_a_body(db: Database) {
    let server = Server::start(db).await;
    let app = server.api().await.app().await;
    let got = app.get("/meetings").await;
    let head = app.call(Method::HEAD, "/meetings").send().await;
    assert_eq!((head.status, head.text.as_str()), (200, ""));
    assert_eq!(head.header("content-type"), got.header("content-type"));
    assert_eq!(
        head.header("content-length"),
        Some(got.text.len().to_string().as_str())
    );
    assert_eq!(
        app.without_token()
            .call(Method::HEAD, "/meetings")
            .send()
            .await
            .status,
        401
    );
}

async fn health_and_contract_are_public(db: Database) {
    let server = Server::start(db).await;
    let anybody = server.api().await.without_token().at_root("");
    assert_eq!(
        anybody.get("/healthz").await.expect(200).body,
        json!({"status": "up"})
    );
    assert_eq!(
        anybody.get("/readyz").await.expect(200).body,
        json!({"status": "ready"})
    );
    assert_eq!(
        anybody.get("/openapi.json").await.expect(200).body["openapi"],
        "3.1.0"
    );
    let first = anybody
        .get("/healthz")
        .await
        .header("x-request-id")
        .unwrap()
        .to_owned();
    assert_ne!(
        Some(first.as_str()),
        anybody.get("/healthz").await.header("x-request-id")
    );
    // Only on a listener of its own.
    anybody.get("/metrics").await.refused(404);
}

#[tokio::test]
async fn pipelined_requests_without_a_reader_do_not_fill_the_memory() {
    use std::io::Write;
    let server = Server::start(Database::Sqlite).await;
    let address = server.origin().trim_start_matches("http://").to_owned();
    let resident = || {
        let status = std::fs::read_to_string("/proc/self/status").unwrap();
        let line = status.lines().find(|line| line.starts_with("VmRSS:")).unwrap();
        line.split_whitespace().nth(1).unwrap().parse::<u64>().unwrap()
    };
    let before = resident();
    let pushed = tokio::task::spawn_blocking(move || {
        let mut socket = std::net::TcpStream::connect(address).unwrap();
        socket
            .set_write_timeout(Some(std::time::Duration::from_millis(500)))
            .unwrap();
        let requests = b"GET /openapi.json HTTP/1.1\r\nhost: x\r\n\r\n".repeat(1000);
        // The server stops reading once its answers have nowhere to go.
        (0..50)
            .take_while(|_| socket.write_all(&requests).is_ok())
            .count()
    });
    let pushed = pushed.await.unwrap();
    let grown = resident().saturating_sub(before);
    assert!(grown < 200_000, "{grown} kB after {pushed} thousand requests");
}
