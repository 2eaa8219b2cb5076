//! Files of chats and exports behind signed links: what a link permits, and nothing else.

use std::{path::PathBuf, time::Duration};

use futures::future::join_all;
use http::Method;
use muster_model::{
    ChatMessageId, FileId, Timestamp,
    chat::{ChatMessage, ChatPayloadKind},
    event::DomainEvent,
};
use muster_server::auth::file_link::{FileGrant, FileObject};
use muster_store::{participants::MeetingScope, rooms};
use muster_testkit::{Answer, Api, Database, Server, both, eventually};
use serde_json::{Value, json};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
};
use url::Url;

use crate::{
    client_rest::join,
    seeds::{Seeds, at, uuid_text},
};

both!(
    a_file_is_written_once_and_read_in_parts,
    links_permit_one_thing,
    what_runs_is_never_shown,
    files_are_bounded,
    a_slow_line_has_time,
    who_may_not_send_files_gets_no_link,
    many_writers_make_one_file,
    files_go_when_they_expire_and_with_their_owner,
    an_app_has_so_much_room,
    links_outlive_a_restart,
    a_session_chat_is_exported,
);

/// Somebody in a meeting, and where the server keeps files.
struct Member {
    client: Api,
    meeting: Api,
    app: Api,
}

impl Member {
    async fn of(server: &Server) -> Self {
        let app = server.api().await.app().await;
        let meeting = app.meeting().await;
        let (_, client) = join(&meeting, "ada", "group_call_host").await;
        Self { client, meeting, app }
    }

    async fn ask(&self, filename: &str) -> Answer {
        let body = json!({"roomUUID": self.meeting.id, "filename": filename});
        self.client.post("/v2/meetings/chat-upload", body).await
    }

    /// Links for writing and for reading.
    async fn links(&self, filename: &str) -> (String, String) {
        let links = self.ask(filename).await.ok();
        (path(&links["put_location"]), path(&links["get_location"]))
    }

    async fn put(&self, link: &str, content_type: &str, bytes: impl Into<Vec<u8>>) -> Answer {
        let call = self.anybody().call(Method::PUT, link);
        call.header("content-type", content_type)
            .bytes(bytes)
            .send()
            .await
    }

    async fn get(&self, link: &str) -> Answer {
        self.anybody().get(link).await
    }

    /// Links are used without a token.
    fn anybody(&self) -> Api {
        self.client.without_token()
    }
}

/// A link without the public address, which is not where tests find the server.
fn path(link: &Value) -> String {
    let link = link.as_str().unwrap();
    let path = link.strip_prefix("https://api.localhost").unwrap();
    assert!(path.starts_with("/files/"), "{link}");
    path.to_owned()
}

/// The id in a link's path.
fn id(link: &str) -> FileId {
    let path = link.split('?').next().unwrap();
    path.rsplit('/').next().unwrap().parse().unwrap()
}

/// Every file on disk.
fn on_disk(server: &Server) -> Vec<PathBuf> {
    let folders = std::fs::read_dir(server.data_dir().join("files")).unwrap();
    folders
        .flat_map(|folder| std::fs::read_dir(folder.unwrap().path()).unwrap())
        .map(|file| file.unwrap().path())
        .collect()
}

fn inert(answer: &Answer) {
    assert_eq!(answer.header("x-content-type-options"), Some("nosniff"));
    assert_eq!(
        answer.header("content-security-policy"),
        Some("sandbox; default-src 'none'")
    );
    assert_eq!(answer.header("access-control-allow-origin"), Some("*"));
}

async fn a_file_is_written_once_and_read_in_parts(db: Database) {
    let server = Server::start(db).await;
    let member = Member::of(&server).await;
    let (put, get) = member.links("../holiday \"1\".png").await;
    let early = member.get(&get).await;
    early.refused(404);
    inert(&early);
    let written = member.put(&put, "image/png; x=y", "0123456789").await;
    inert(&written);
    assert_eq!(written.expect(200).body["success"], true);
    member.put(&put, "image/png", "other").await.refused(409);

    let whole = member.get(&get).await.expect(200);
    inert(&whole);
    assert_eq!(whole.text, "0123456789");
    assert_eq!(whole.header("content-type"), Some("image/png"));
    assert_eq!(whole.header("content-length"), Some("10"));
    assert_eq!(whole.header("accept-ranges"), Some("bytes"));
    assert_eq!(
        whole.header("content-disposition"),
        Some("inline; filename=\"holiday _1_.png\"; filename*=UTF-8''holiday%20%221%22.png")
    );
    let range = async |range: &str| {
        let call = member.anybody().call(Method::GET, &get);
        call.header("range", range).send().await
    };
    let part = range("bytes=2-4").await.expect(206);
    assert_eq!(
        (part.text.as_str(), part.header("content-range")),
        ("234", Some("bytes 2-4/10"))
    );
    inert(&part);
    assert_eq!(range("bytes=-3").await.expect(206).text, "789");
    inert(&range("bytes=10-").await.expect(416));
    let head = member.anybody().call(Method::HEAD, &get).send().await.expect(200);
    assert_eq!(
        (head.header("content-length"), head.text.as_str()),
        (Some("10"), "")
    );
    inert(&head);
    assert_eq!(on_disk(&server), [server.app().files.path(id(&get))]);
}

async fn links_permit_one_thing(db: Database) {
    let server = Server::start(db).await;
    let member = Member::of(&server).await;
    let (put, get) = member.links("a.txt").await;
    let (other_put, _) = member.links("b.txt").await;
    member.get(&put).await.refused(403);
    member.put(&get, "text/plain", "x").await.refused(403);
    let root = |link: &str| link.split_once('?').unwrap().0.to_owned();
    let query = |link: &str| link.split_once('?').unwrap().1.to_owned();
    let mut wrong = vec![
        root(&put),
        format!("{}?", root(&put)),
        format!("{}?{}", root(&other_put), query(&put)),
        put.replace("action=write", "action=read"),
        put.replace("action=write", "action=delete"),
        put.replace("length=26214400", "length=26214401"),
        put.replace("type=*", "type=text%2Fplain"),
        put.replace(&member.app.id, &uuid_text()),
        put.replace("signature=", "signature=A"),
        put.replace("/uploads/", "/exports/chat/"),
    ];
    let expires = put.split("expires=").nth(1).unwrap().split('&').next().unwrap();
    wrong.push(put.replace(expires, &(expires.parse::<i64>().unwrap() + 1).to_string()));
    for link in wrong {
        assert_ne!(link, put);
        let answer = member.put(&link, "text/plain", "x").await;
        inert(&answer);
        assert!(matches!(answer.status, 403 | 405), "{link}: {}", answer.text);
    }
    // One that ended, one for another type, one for fewer bytes: signed by the server itself.
    let sign = |seconds: i64, max_bytes, content_type: &str| {
        let object = FileObject::Upload(id(&put));
        let expires = Timestamp::from_secs(Timestamp::now().as_secs() + seconds);
        let grant = FileGrant {
            max_bytes,
            content_type: content_type.into(),
        };
        let link: Url =
            server
                .app()
                .file_links
                .write(member.app.id.parse().unwrap(), object, expires, &grant);
        path(&json!(link))
    };
    member
        .put(&sign(-1, 9, "*"), "text/plain", "x")
        .await
        .refused(403);
    let typed = sign(60, 9, "text/csv");
    member.put(&typed, "text/plain", "x").await.refused(415);
    member
        .put(&sign(60, 2, "*"), "text/plain", "123")
        .await
        .refused(413);
    assert!(
        on_disk(&server).is_empty(),
        "nothing was kept of what was refused"
    );
    member.put(&typed, "text/csv", "x").await.expect(200);
    member.put(&put, "text/plain", "x").await.refused(409);
}

async fn what_runs_is_never_shown(db: Database) {
    let server = Server::start(db).await;
    let member = Member::of(&server).await;
    for (content_type, shown) in [
        ("image/jpeg", true),
        ("image/gif", true),
        ("image/webp", true),
        ("image/svg+xml", false),
        ("text/html", false),
        ("application/pdf", false),
        ("nonsense", false),
    ] {
        let (put, get) = member.links("x.png").await;
        let script = "<script>alert(1)</script>";
        member.put(&put, content_type, script).await.expect(200);
        let answer = member.get(&get).await.expect(200);
        inert(&answer);
        let kind = if shown { "inline; " } else { "attachment; " };
        let disposition = answer.header("content-disposition").unwrap();
        assert!(disposition.starts_with(kind), "{content_type}: {disposition}");
    }
}

async fn files_are_bounded(db: Database) {
    const MAX: usize = 25 << 20;
    let server = Server::start(db).await;
    let member = Member::of(&server).await;
    let (put, get) = member.links("large.bin").await;
    let type_ = "application/octet-stream";
    // The server answers before it has read what it does not want; the client may see that as a broken pipe.
    let call = member
        .anybody()
        .call(Method::PUT, &put)
        .header("content-type", type_);
    if let Ok(answer) = call.bytes(vec![7; MAX + 1]).try_send().await {
        answer.refused(413);
    }
    assert!(on_disk(&server).is_empty());
    member.put(&put, type_, vec![7; MAX]).await.expect(200);
    let head = member.anybody().call(Method::HEAD, &get).send().await.expect(200);
    assert_eq!(head.header("content-length"), Some(MAX.to_string().as_str()));
    for (body, field) in [
        (json!({"filename": "x"}), "roomUUID"),
        (json!({"roomUUID": member.meeting.id}), "filename"),
        (json!({"roomUUID": member.meeting.id, "filename": ""}), "filename"),
        (json!({"roomUUID": "x", "filename": "x"}), "roomUUID"),
        (
            json!({"roomUUID": member.meeting.id, "filename": "x", "expiry": -1}),
            "expiry",
        ),
    ] {
        let answer = member.client.post("/v2/meetings/chat-upload", body).await;
        answer.refused(400);
        assert_eq!(answer.fields(), [field]);
    }
    // A person sends no more than so many files a minute; others are not held back by that.
    let mut statuses = Vec::new();
    for _ in 0..21 {
        statuses.push(member.ask("x").await.status);
    }
    assert_eq!(statuses.last(), Some(&429), "{statuses:?}");
    let (_, bob) = join(&member.meeting, "bob", "group_call_host").await;
    let body = json!({"roomUUID": member.meeting.id, "filename": "x"});
    bob.post("/v2/meetings/chat-upload", body).await.expect(200);
}

async fn a_slow_line_has_time(db: Database) {
    let server = Server::builder(db)
        .with(|settings| settings.request_timeout_secs = Some(1))
        .start()
        .await;
    let member = Member::of(&server).await;
    let (put, get) = member.links("x").await;
    let address = server.origin().replace("http://", "");
    let mut line = TcpStream::connect(&address).await.unwrap();
    let head =
        format!("PUT {put} HTTP/1.1\r\nHost: {address}\r\nContent-Length: 4\r\nConnection: close\r\n\r\n");
    line.write_all(head.as_bytes()).await.unwrap();
    for piece in ["sl", "ow"] {
        tokio::time::sleep(Duration::from_millis(700)).await;
        line.write_all(piece.as_bytes()).await.unwrap();
    }
    let mut answer = String::new();
    line.read_to_string(&mut answer).await.unwrap();
    assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
    assert_eq!(member.get(&get).await.expect(200).text, "slow");
    // One that goes away in the middle leaves nothing.
    let (put, get) = member.links("y").await;
    let mut line = TcpStream::connect(&address).await.unwrap();
    let head = format!("PUT {put} HTTP/1.1\r\nHost: {address}\r\nContent-Length: 4\r\n\r\nab");
    line.write_all(head.as_bytes()).await.unwrap();
    let limit = Duration::from_secs(10);
    eventually("a draft", limit, async || on_disk(&server).len() == 2).await;
    drop(line);
    eventually("no draft", limit, async || on_disk(&server).len() == 1).await;
    member.get(&get).await.refused(404);
    member.put(&put, "text/plain", "whole").await.expect(200);
}

async fn who_may_not_send_files_gets_no_link(db: Database) {
    let server = Server::start(db).await;
    let member = Member::of(&server).await;
    let none = json!({"can_send": false, "text": true, "files": true});
    for (name, public, private, status) in [
        ("nothing", none.clone(), none.clone(), 403),
        (
            "text",
            json!({"can_send": true, "text": true, "files": false}),
            none.clone(),
            403,
        ),
        (
            "public",
            json!({"can_send": true, "text": false, "files": true}),
            none.clone(),
            200,
        ),
        (
            "private",
            none,
            json!({"can_send": true, "can_receive": true, "text": true, "files": true}),
            200,
        ),
    ] {
        let chat = json!({"public": public, "private": private});
        let preset = json!({"name": name, "config": {}, "permissions": {"chat": chat}, "ui": {}});
        member.app.post("/presets", preset).await.expect(201);
        let (_, client) = join(&member.meeting, name, name).await;
        let body = json!({"roomUUID": member.meeting.id, "filename": "x"});
        let answer = client.post("/v2/meetings/chat-upload", body).await;
        assert_eq!(answer.status, status, "{name}: {}", answer.text);
    }
}

async fn many_writers_make_one_file(db: Database) {
    let server = Server::start(db).await;
    let member = Member::of(&server).await;
    let (put, get) = member.links("x").await;
    let body = |i: usize| vec![b'a' + u8::try_from(i).unwrap(); 100_000];
    let answers = join_all((0..8).map(|i| member.put(&put, "text/plain", body(i)))).await;
    let won: Vec<usize> = (0..8).filter(|i| answers[*i].status == 200).collect();
    assert_eq!(won.len(), 1, "{answers:?}");
    assert!(answers.iter().filter(|answer| answer.status == 409).count() == 7);
    assert_eq!(member.get(&get).await.expect(200).text.into_bytes(), body(won[0]));
    assert_eq!(on_disk(&server).len(), 1);
}

async fn files_go_when_they_expire_and_with_their_owner(db: Database) {
    let server = Server::start(db).await;
    let member = Member::of(&server).await;
    let write = async |name: &str| {
        let (put, get) = member.links(name).await;
        member.put(&put, "text/plain", name).await.expect(200);
        get
    };
    let (old, kept) = (write("old").await, write("kept").await);
    let (unwritten, _) = member.links("unwritten").await;
    let sql = format!(
        "UPDATE files SET expires_at = 1 WHERE id IN ('{}', '{}')",
        id(&old),
        id(&unwritten)
    );
    assert_eq!(server.database().execute(sql).await, 2);
    member.get(&old).await.refused(404);
    member.put(&unwritten, "text/plain", "x").await.refused(404);
    let gone = async |left: i64| {
        server.app().purge_soon();
        let rows = server.database().number("SELECT COUNT(*) FROM files").await;
        let used = server
            .database()
            .number("SELECT CAST(SUM(files) AS BIGINT) FROM file_usage")
            .await;
        (rows, used, i64::try_from(on_disk(&server).len()).unwrap()) == (left, left, left)
    };
    let limit = Duration::from_secs(20);
    eventually("expired files are gone", limit, async || gone(1).await).await;
    assert_eq!(member.get(&kept).await.expect(200).text, "kept");
    member.meeting.delete("").await.expect(200);
    eventually("files went with their meeting", limit, async || gone(0).await).await;
    member.get(&kept).await.refused(404);
}

async fn an_app_has_so_much_room(db: Database) {
    let server = Server::builder(db)
        .with(|settings| settings.files_mb_per_app = Some(1))
        .start()
        .await;
    let member = Member::of(&server).await;
    let ((first, _), (second, _)) = (member.links("a").await, member.links("b").await);
    member
        .put(&first, "text/plain", vec![1; 600_000])
        .await
        .expect(200);
    member
        .put(&second, "text/plain", vec![1; 600_000])
        .await
        .refused(409);
    assert_eq!(on_disk(&server).len(), 1);
    // What was not taken may be written smaller.
    member
        .put(&second, "text/plain", vec![1; (1 << 20) - 600_000])
        .await
        .expect(200);
    member.ask("c").await.refused(409);
    let beside = Member::of(&server).await;
    beside.ask("c").await.expect(200);
}

async fn links_outlive_a_restart(db: Database) {
    let mut server = Server::start(db).await;
    let member = Member::of(&server).await;
    let (put, get) = member.links("a").await;
    server.restart(|_| {}).await;
    let anybody = member.anybody().on(server.origin());
    let call = anybody.call(Method::PUT, &put);
    call.bytes("kept").send().await.expect(200);
    server.restart(|_| {}).await;
    assert_eq!(
        anybody.on(server.origin()).get(&get).await.expect(200).text,
        "kept"
    );
}

async fn a_session_chat_is_exported(db: Database) {
    let server = Server::start(db).await;
    let seeds = Seeds::new(&server).await;
    let meeting = seeds.api.meeting().await;
    let session = seeds.live(&meeting.id);
    seeds.add_session(&session).await;
    let link = format!("/sessions/{}/chat", session.id);
    seeds.api.get(&link).await.refused(404);
    // More than are read at once, written out of order, one of them not for everybody.
    let writer = Seeds::peer(&session, "ada", 0);
    let count = 600_u64;
    let messages: Vec<ChatMessage> = (0..count)
        .rev()
        .map(|minute| ChatMessage {
            id: ChatMessageId::random(),
            peer_id: writer.id,
            participant_id: writer.participant_id,
            display_name: "Ada".into(),
            kind: ChatPayloadKind::Text,
            payload: format!("line {minute},\n\"quoted\""),
            recipients: if minute == 7 {
                vec![writer.participant_id]
            } else {
                Vec::new()
            },
            pinned: false,
            edited: minute == 0,
            created_at: at(minute),
        })
        .collect();
    let events: Vec<DomainEvent> = messages
        .iter()
        .map(|message| DomainEvent::ChatSaved {
            session: session.id,
            message: message.clone(),
        })
        .collect();
    let at_meeting = MeetingScope {
        scope: seeds.scope.clone(),
        meeting: session.meeting_id,
    };
    let kept = server.store().write(move |conn| {
        Box::pin(async move {
            for event in events {
                assert!(rooms::record(conn, &at_meeting, "a node", &event).await?);
            }
            Ok(())
        })
    });
    kept.await.unwrap();
    let told = seeds.api.get(&link).await.ok();
    assert!(told["chat_download_url_expiry"].as_str().unwrap() > "2026");
    let path = path(&told["chat_download_url"]);
    let anybody = seeds.api.at_root("").without_token();
    let csv = anybody.get(&path).await.expect(200);
    inert(&csv);
    assert_eq!(csv.header("content-type"), Some("text/csv; charset=utf-8"));
    assert!(
        csv.header("content-disposition")
            .unwrap()
            .starts_with("attachment")
    );
    let rows: Vec<&str> = csv.text.split_terminator("\r\n").collect();
    assert_eq!(
        rows[0],
        "id,participantId,sessionId,meetingId,displayName,pinned,isEdited,payloadType,payload,createdAt"
    );
    let first = messages.last().unwrap();
    assert_eq!(
        rows[1],
        format!(
            "{},{},{},{},Ada,false,true,TEXT_MESSAGE,\"line 0,\n\"\"quoted\"\"\",{}",
            first.id, writer.participant_id, session.id, meeting.id, first.created_at
        )
    );
    let lines: Vec<u64> = rows[1..]
        .iter()
        .map(|row| {
            let rest = row.split("\"line ").nth(1).unwrap();
            rest.split(',').next().unwrap().parse().unwrap()
        })
        .collect();
    let expected: Vec<u64> = (0..count).filter(|minute| *minute != 7).collect();
    assert_eq!(lines, expected);
    let foreign = path.replace(&session.id.to_string(), &uuid_text());
    anybody.get(&foreign).await.refused(403);
    anybody.get(path.split('?').next().unwrap()).await.refused(403);
    // The past of a deleted app stays readable; strangers get no link.
    server.api().await.app().await.get(&link).await.refused(404);
}
