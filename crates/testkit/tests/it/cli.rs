//! The program as it is run: refusals in one line, settings, signals, backup, the first command.

use std::{
    fs,
    io::{Read, Write},
    net::{TcpListener, TcpStream},
    os::unix::{fs::PermissionsExt, process::CommandExt},
    path::Path,
    process::Command,
    time::{Duration, Instant},
};

use muster_testkit::{Api, Database, Exit, Muster, ServerProcess, both, bounded, muster_binary, run};
use rustix::process::Signal;
use serde_json::{Value, json};

both!(
    a_newer_database_is_refused,
    the_first_command_finds_its_own_again,
    a_request_under_way_finishes,
);

async fn on_sqlite() -> Muster {
    Muster::new(Database::Sqlite).await
}

/// Fails unless a command ended with code 1 and one line that holds each of these texts.
#[track_caller]
fn refused(ended: &Exit, texts: &[&str]) {
    assert_eq!(ended.code, Some(1), "{}", ended.stderr);
    let lines: Vec<&str> = ended.stderr.lines().collect();
    assert_eq!(lines.len(), 1, "{}", ended.stderr);
    for text in texts {
        assert!(lines[0].contains(text), "{text}: {}", ended.stderr);
    }
    assert!(lines[0].starts_with("muster: "), "{}", ended.stderr);
}

fn write(path: &Path, content: &str) -> String {
    fs::write(path, content).unwrap();
    path.to_str().unwrap().to_owned()
}

#[tokio::test]
async fn a_taken_port_is_refused() {
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = taken.local_addr().unwrap().to_string();
    let muster = on_sqlite().await;
    refused(
        &muster.run(&["serve", "--listen", &address]),
        &[&address, "is taken"],
    );
    let both = ["serve", "--listen", "127.0.0.1:0", "--admin-listen", &address];
    refused(&muster.run(&both), &[&address, "is taken"]);
}

#[tokio::test]
async fn an_unknown_key_in_the_file_is_refused() {
    let muster = on_sqlite().await;
    let file = write(
        &muster.scratch().join("m.toml"),
        "listen = \"127.0.0.1:0\"\nlissten = \"x\"\n",
    );
    refused(&muster.run(&["serve", "--config", &file]), &[&file, "lissten"]);
    let file = write(&muster.scratch().join("m.toml"), "listen = 5");
    refused(&muster.run(&["serve", "--config", &file]), &[&file, "listen"]);
    refused(
        &muster.run(&["serve", "--config", "/nowhere/m.toml"]),
        &["/nowhere/m.toml", "cannot be read"],
    );
}

#[tokio::test]
async fn settings_that_do_not_fit_are_refused() {
    let muster = on_sqlite().await;
    let serve = |further: &[&str]| {
        run(muster.command(
            ["serve", "--listen", "127.0.0.1:0"]
                .into_iter()
                .chain(further.iter().copied()),
        ))
    };
    refused(&serve(&["--tls-listen", "127.0.0.1:0"]), &["tls_listen"]);
    refused(&serve(&["--tls-cert", "/x"]), &["tls_cert"]);
    refused(&serve(&["--base-domain", "a b"]), &["base_domain"]);
    refused(
        &serve(&["--request-timeout-secs", "0"]),
        &["request_timeout_secs"],
    );
    let mut elsewhere = muster.bare(["token", "list", "--database-url", "mysql://user:s3cret@host/db"]);
    elsewhere.arg("--data-dir").arg(muster.data_dir());
    let ended = run(elsewhere);
    refused(&ended, &["mysql", "postgres://"]);
    assert!(!ended.stderr.contains("s3cret"));
    let mut nobody = muster.bare([
        "token",
        "list",
        "--database-url",
        "postgres://u:s3cret@127.0.0.1:1/db",
    ]);
    nobody.arg("--data-dir").arg(muster.data_dir());
    let ended = run(nobody);
    refused(&ended, &[]);
    assert!(!ended.stderr.contains("s3cret"), "{}", ended.stderr);
}

#[tokio::test]
async fn a_data_folder_that_cannot_be_used_is_refused() {
    let muster = on_sqlite().await;
    fs::write(muster.data_dir(), "a file, not a folder").unwrap();
    refused(
        &muster.run(&["token", "list"]),
        &[muster.data_dir().to_str().unwrap(), "cannot be used"],
    );

    // Nothing is unreadable to root, so root asks as somebody else.
    fs::remove_file(muster.data_dir()).unwrap();
    fs::create_dir(muster.data_dir()).unwrap();
    fs::set_permissions(muster.data_dir(), fs::Permissions::from_mode(0o000)).unwrap();
    let mut command = muster.command(["token", "list"]);
    if rustix::process::geteuid().is_root() {
        let program = muster.scratch().join("muster");
        fs::copy(muster_binary(), &program).unwrap();
        fs::set_permissions(muster.scratch(), fs::Permissions::from_mode(0o755)).unwrap();
        let mut other = Command::new(program);
        other
            .args(command.get_args())
            .env_clear()
            .current_dir("/")
            .uid(65534)
            .gid(65534);
        command = other;
    }
    let ended = run(command);
    fs::set_permissions(muster.data_dir(), fs::Permissions::from_mode(0o700)).unwrap();
    refused(&ended, &[muster.data_dir().to_str().unwrap(), "cannot be used"]);
}

#[tokio::test]
async fn a_key_that_others_can_read_is_refused() {
    let muster = on_sqlite().await;
    assert_eq!(muster.serve(&[]).terminate(), Some(0));
    let key = muster.data_dir().join("master.key");
    let mode = |path: &Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
    assert_eq!((mode(&key), mode(&muster.data_dir())), (0o600, 0o700));
    fs::set_permissions(&key, fs::Permissions::from_mode(0o640)).unwrap();
    let serve = ["serve", "--listen", "127.0.0.1:0"];
    refused(&muster.run(&serve), &["master.key", "chmod 600"]);
    fs::set_permissions(&key, fs::Permissions::from_mode(0o600)).unwrap();
    // A key that is none, and one of another installation.
    let right = fs::read(&key).unwrap();
    fs::write(&key, "not a key").unwrap();
    refused(&muster.run(&serve), &["master.key"]);
    fs::write(&key, format!("{}=\n", "A".repeat(43))).unwrap();
    refused(&muster.run(&serve), &["another master key"]);
    fs::remove_file(&key).unwrap();
    refused(&muster.run(&serve), &["master.key", "missing"]);
    assert!(
        !key.exists(),
        "a new one would be no use, and a backup would carry it"
    );
    fs::write(&key, right).unwrap();
    fs::set_permissions(&key, fs::Permissions::from_mode(0o600)).unwrap();
    assert_eq!(muster.serve(&[]).terminate(), Some(0));
}

async fn a_newer_database_is_refused(db: Database) {
    let muster = Muster::new(db).await;
    assert_eq!(muster.run(&["token", "list"]).code, Some(0));
    let no_bytes = match db {
        Database::Sqlite => "x'00'",
        Database::Postgres => "'\\x00'::bytea",
    };
    let newer = format!(
        "INSERT INTO _sqlx_migrations (version, description, success, checksum, execution_time) \
         VALUES (9999, 'of the future', TRUE, {no_bytes}, 1)"
    );
    muster.database().execute(newer).await;
    for command in [
        &["serve", "--listen", "127.0.0.1:0"][..],
        &["token", "list"],
        &["dev", "--listen", "127.0.0.1:0"],
    ] {
        refused(&muster.run(command), &["newer version", "9999"]);
    }
}

#[tokio::test]
async fn flags_beat_the_environment_and_that_beats_the_file() {
    let muster = on_sqlite().await;
    let file = "public_url = \"http://file.test\"\nbase_domain = \"file.test\"\nlog_level = \"warn\"\n";
    let file = write(&muster.scratch().join("m.toml"), file);
    let links = |muster: &Muster, further: &[&str]| muster.serve(further).told("links").unwrap().to_owned();
    assert_eq!(links(&muster, &[]), "https://api.localhost");
    assert_eq!(
        links(&muster, &["--base-domain", "rtk.test:8443"]),
        "https://api.rtk.test:8443"
    );
    assert_eq!(links(&muster, &["--config", &file]), "http://file.test");
    let muster = muster.env("MUSTER_PUBLIC_URL", "http://environment.test/");
    assert_eq!(links(&muster, &["--config", &file]), "http://environment.test");
    let flag = ["--config", &file, "--public-url", "http://flag.test"];
    assert_eq!(links(&muster, &flag), "http://flag.test");
    // The file can be named in the environment, too.
    let muster = muster
        .env("MUSTER_CONFIG", &file)
        .env("MUSTER_PUBLIC_URL", "http://environment.test");
    assert_eq!(links(&muster, &[]), "http://environment.test");
}

#[tokio::test]
async fn the_default_settings_are_a_settings_file() {
    let muster = on_sqlite().await;
    let printed = run(muster.bare(["default-config"]));
    assert_eq!(printed.code, Some(0));
    let file = write(&muster.scratch().join("m.toml"), &printed.stdout);
    assert_eq!(muster.serve(&["--config", &file]).terminate(), Some(0));
    // Each key that is commented out is one, too.
    let keys = printed
        .stdout
        .lines()
        .filter_map(|line| line.strip_prefix("# "))
        .filter(|line| line.contains(" = "));
    for key in keys
        .map(|line| line.split(' ').next().unwrap())
        .filter(|key| key.chars().all(|c| c.is_ascii_lowercase() || c == '_'))
    {
        let value = if key.ends_with("listen") {
            "\"127.0.0.1:0\""
        } else {
            "\"x:/\""
        };
        let file = write(&muster.scratch().join("k.toml"), &format!("{key} = {value}\n"));
        let ended = run(muster.bare(["token", "list", "--config", &file]));
        assert!(!ended.stderr.contains("unknown field"), "{key}: {}", ended.stderr);
    }
}

#[tokio::test]
async fn the_contract_is_printed_as_committed() {
    let muster = on_sqlite().await;
    let committed =
        fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("../../openapi.json")).unwrap();
    let printed = run(muster.bare(["openapi"]));
    assert_eq!(printed.code, Some(0));
    assert!(printed.stdout == committed, "openapi.json is behind the code");
    assert!(!muster.data_dir().exists(), "it needs no data folder");
}

/// A POST whose body is sent in two halves.
struct Halves {
    stream: TcpStream,
    rest: Vec<u8>,
}

fn begin(api: &Api, path: &str, body: &Value) -> Halves {
    let host = api.origin.strip_prefix("http://").unwrap();
    let body = body.to_string().into_bytes();
    let head = format!(
        "POST {}{path} HTTP/1.1\r\nHost: {host}\r\nAuthorization: Bearer {}\r\nContent-Type: application/json\r\n\
         Content-Length: {}\r\n\r\n",
        api.root,
        api.token.as_deref().unwrap(),
        body.len()
    );
    let mut stream = TcpStream::connect(host).unwrap();
    stream.set_read_timeout(Some(Duration::from_secs(20))).unwrap();
    stream.write_all(head.as_bytes()).unwrap();
    stream.write_all(&body[..5]).unwrap();
    Halves {
        stream,
        rest: body[5..].to_vec(),
    }
}

async fn a_request_under_way_finishes(db: Database) {
    let muster = Muster::new(db).await;
    for signal in [Signal::TERM, Signal::INT] {
        let mut server = muster.serve(&[]);
        let app = muster.api(&server).app().await;
        let idle = TcpStream::connect(app.origin.strip_prefix("http://").unwrap()).unwrap();
        let mut halves = begin(&app, "/meetings", &json!({"title": "finished"}));
        tokio::time::sleep(Duration::from_millis(200)).await;
        server.signal(signal);
        tokio::time::sleep(Duration::from_millis(500)).await;
        assert!(
            TcpStream::connect(app.origin.strip_prefix("http://").unwrap()).is_err(),
            "it takes no more connections"
        );
        halves.stream.write_all(&halves.rest).unwrap();
        let mut answer = String::new();
        halves.stream.read_to_string(&mut answer).unwrap();
        assert!(answer.starts_with("HTTP/1.1 201 "), "{answer}");
        let stopping = Instant::now();
        assert_eq!(server.wait().code(), Some(0));
        assert!(
            stopping.elapsed() < Duration::from_secs(3),
            "an idle connection is not waited for"
        );
        drop(idle);
        let server = muster.serve(&[]);
        assert_eq!(
            app.on(&server.origin)
                .get("/meetings?search=finished")
                .await
                .paging()
                .0,
            1
        );
        assert_eq!(server.terminate(), Some(0));
    }
}

#[tokio::test]
async fn a_request_that_never_ends_is_cut_after_ten_seconds() {
    bounded(async {
        let muster = on_sqlite().await;
        let mut server = muster.serve(&[]);
        let app = muster.api(&server).app().await;
        let _halves = begin(&app, "/meetings", &json!({"title": "never"}));
        tokio::time::sleep(Duration::from_millis(200)).await;
        let stopping = Instant::now();
        server.signal(Signal::TERM);
        assert_eq!(server.wait().code(), Some(0));
        let took = stopping.elapsed();
        assert!((8..14).contains(&took.as_secs()), "{took:?}");
    })
    .await;
}

#[tokio::test]
async fn a_backup_is_started_on_as_it_is() {
    bounded(async {
        let muster = on_sqlite().await;
        let server = muster.serve(&[]);
        let meeting = muster.api(&server).app().await.meeting().await;
        let storage = json!({"recording_config": {"storage_config": {"type": "aws", "secret": "s3cret", "bucket": "b"}}});
        meeting.patch("", storage).await.expect(200);
        let ada = json!({"custom_participant_id": "ada", "preset_name": "group_call_host"});
        let keyed = async |meeting: &Api| {
            meeting.call(http::Method::POST, "/participants").key("k").json(&ada).send().await.expect(201).text
        };
        let first = keyed(&meeting).await;

        let file = muster.scratch().join("copy.db");
        let copied = muster.run(&["backup", file.to_str().unwrap()]);
        assert_eq!(copied.code, Some(0), "{}", copied.stderr);
        refused(&muster.run(&["backup", file.to_str().unwrap()]), &["copy.db", "exists already"]);
        meeting.participant("after the backup").await;
        server.kill();
        fs::remove_dir_all(muster.data_dir()).unwrap();

        let mut command = muster.bare(["serve", "--listen", "127.0.0.1:0", "--database-url"]);
        command.arg(format!("sqlite:{}", file.display())).arg("--data-dir").arg(muster.scratch().join("new"));
        let server = ServerProcess::start(command, "links", &muster);
        let meeting = meeting.on(&server.origin);
        // What is sealed opens: kept answers, and storage secrets, which a change reads.
        assert_eq!(keyed(&meeting).await, first);
        meeting.patch("", json!({"title": "restored"})).await.expect(200);
        assert_eq!(meeting.get("/participants").await.paging().0, 1);
    })
    .await;
}

#[tokio::test]
async fn a_backup_can_leave_the_key_out() {
    let muster = on_sqlite().await;
    assert_eq!(muster.serve(&[]).terminate(), Some(0));
    let file = muster.scratch().join("copy.db");
    let copied = muster.run(&["backup", file.to_str().unwrap(), "--without-key"]);
    assert_eq!(copied.code, Some(0), "{}", copied.stderr);
    assert!(file.exists() && !muster.scratch().join("copy.db.key").exists());
    assert_eq!(
        fs::metadata(&file).unwrap().permissions().mode() & 0o077,
        0,
        "only its owner reads it"
    );
    let elsewhere = muster.run(&["backup", "/nowhere/copy.db"]);
    refused(&elsewhere, &["/nowhere/copy.db"]);
}

#[tokio::test]
async fn a_backup_of_postgres_names_its_own_tool() {
    let muster = Muster::new(Database::Postgres).await;
    refused(&muster.run(&["backup", "copy.db"]), &["pg_dump", "master.key"]);
}

async fn the_first_command_finds_its_own_again(db: Database) {
    let muster = Muster::new(db).await;
    let mut seen: Option<[String; 3]> = None;
    let mut earlier: Option<String> = None;
    for _ in 0..2 {
        let server = muster.dev();
        let told = |name: &str| server.told(name).unwrap().to_owned();
        let ids = [told("account"), told("app"), told("meeting")];
        assert_eq!(seen.get_or_insert_with(|| ids.clone()), &ids);
        let api = Api::new(&server.origin, &ids[0], told("token"));
        if let Some(token) = earlier.replace(told("token")) {
            api.with_token(token)
                .get("/user/tokens/verify")
                .await
                .refused(401);
        }
        // The line as it is printed, pasted into a shell.
        let line = server
            .stdout
            .iter()
            .find(|line| line.starts_with("curl"))
            .unwrap();
        let pasted = Command::new("sh").args(["-c", line]).output().unwrap();
        let list: Value = serde_json::from_slice(&pasted.stdout).unwrap();
        assert_eq!(list["data"].as_array().unwrap().len(), 2, "{list}");
        assert_eq!(list["paging"]["total_count"], 2);
        assert_eq!(server.terminate(), Some(0));
    }
    // Whoever deletes the meeting gets another.
    let server = muster.dev();
    let [account, app, meeting] = seen.unwrap();
    let api = Api::new(&server.origin, account, server.told("token").unwrap());
    api.at_app(&app).at_meeting(&meeting).delete("").await.expect(200);
    assert_eq!(server.terminate(), Some(0));
    assert_ne!(muster.dev().told("meeting").unwrap(), meeting);
}

/// What `openssl` tells of the certificate that a server shows.
fn certificate(address: &str) -> String {
    let script = "openssl s_client -connect \"$0\" -servername api.localhost </dev/null 2>/dev/null | openssl x509 -noout -subject -ext subjectAltName";
    let told = Command::new("sh").args(["-c", script, address]).output().unwrap();
    String::from_utf8_lossy(&told.stdout).into_owned()
}

fn curl(url: &str) -> String {
    let told = Command::new("curl")
        .args(["--silent", "--insecure", "--max-time", "10", url])
        .output()
        .unwrap();
    String::from_utf8_lossy(&told.stdout).into_owned()
}

#[tokio::test]
async fn a_certificate_can_be_made_at_start() {
    let muster = on_sqlite().await;
    let server = muster.serve(&[
        "--tls-listen",
        "127.0.0.1:0",
        "--tls-self-signed",
        "--base-domain",
        "rtk.test:8443",
    ]);
    let tls = server.tls_origin.clone().unwrap();
    assert!(curl(&format!("{tls}/healthz")).contains("up"));
    let shown = certificate(tls.strip_prefix("https://").unwrap());
    for name in [
        "DNS:api.rtk.test",
        "DNS:socket-edge.rtk.test",
        "DNS:api-silos.rtk.test",
        "DNS:da-collector.rtk.test",
        "DNS:location.rtk.test",
        "DNS:location-legacy.rtk.test",
        "DNS:*.rtk.test",
        "DNS:rtk.test",
        "DNS:localhost",
        "IP Address:127.0.0.1",
    ] {
        assert!(shown.contains(name), "{name}: {shown}");
    }
}

/// Writes a certificate with this name, and its key.
fn make_certificate(folder: &Path, name: &str) {
    let made = Command::new("openssl")
        .args([
            "req",
            "-x509",
            "-newkey",
            "ec",
            "-pkeyopt",
            "ec_paramgen_curve:prime256v1",
            "-nodes",
            "-days",
            "2",
        ])
        .args([
            "-subj",
            &format!("/CN={name}"),
            "-keyout",
            "new.key",
            "-out",
            "new.crt",
        ])
        .current_dir(folder)
        .output()
        .expect("openssl");
    assert!(made.status.success(), "{}", String::from_utf8_lossy(&made.stderr));
    fs::set_permissions(folder.join("new.key"), fs::Permissions::from_mode(0o600)).unwrap();
    fs::rename(folder.join("new.key"), folder.join("tls.key")).unwrap();
    fs::rename(folder.join("new.crt"), folder.join("tls.crt")).unwrap();
}

#[tokio::test]
async fn certificates_are_read_again_when_they_change() {
    bounded(async {
        let muster = on_sqlite().await;
        make_certificate(muster.scratch(), "first.test");
        let path = |name: &str| muster.scratch().join(name).to_str().unwrap().to_owned();
        let (cert, key) = (path("tls.crt"), path("tls.key"));
        let further = [
            "--tls-listen",
            "127.0.0.1:0",
            "--tls-cert",
            &cert,
            "--tls-key",
            &key,
        ];
        let server = muster.serve(&further);
        let tls = server.tls_origin.clone().unwrap();
        let address = tls.strip_prefix("https://").unwrap();
        assert!(certificate(address).contains("first.test"));
        tokio::time::sleep(Duration::from_millis(20)).await;
        make_certificate(muster.scratch(), "second.test");
        muster_testkit::eventually(
            "the new certificate is shown",
            Duration::from_secs(5),
            async || certificate(address).contains("second.test"),
        )
        .await;
        // One that does not read is not used.
        fs::write(&cert, "nonsense").unwrap();
        tokio::time::sleep(Duration::from_millis(2500)).await;
        assert!(certificate(address).contains("second.test"));
        assert!(curl(&format!("{tls}/healthz")).contains("up"));
        drop(server);
        let start: Vec<&str> = ["serve", "--listen", "127.0.0.1:0"]
            .into_iter()
            .chain(further)
            .collect();
        refused(&muster.run(&start), &["tls.crt"]);
        make_certificate(muster.scratch(), "third.test");
        fs::set_permissions(&key, fs::Permissions::from_mode(0o644)).unwrap();
        refused(&muster.run(&start), &["tls.key", "chmod 600"]);
    })
    .await;
}
