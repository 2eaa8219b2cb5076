//! The real program as a child process: for signals, kill -9, the command line, and two servers over
//! the same records.

use std::{
    ffi::OsString,
    fs::File,
    io::{BufRead, BufReader},
    path::{Path, PathBuf},
    process::{Child, Command, ExitStatus, Stdio},
    sync::{Arc, mpsc},
    time::{Duration, Instant},
};

use rustix::process::{Pid, Signal, kill_process};
use tempfile::TempDir;

use crate::{Api, Database, TestDatabase};

/// How long a process may take to become ready, and to end by itself.
const PATIENCE: Duration = Duration::from_secs(30);

/// The `muster` program that was built beside this test.
pub fn muster_binary() -> PathBuf {
    let this = std::env::current_exe().expect("the test's own path");
    this.ancestors()
        .skip(1)
        .take(3)
        .map(|folder| folder.join("muster"))
        .find(|file| file.is_file())
        .unwrap_or_else(|| {
            panic!(
                "no program `muster` beside {}: run `cargo build -p muster-server` first (`make test` does)",
                this.display()
            )
        })
}

/// How a command ended, and what it said.
#[derive(Debug)]
pub struct Exit {
    /// Its exit code; none when a signal ended it.
    pub code: Option<i32>,
    /// Standard output.
    pub stdout: String,
    /// Standard error.
    pub stderr: String,
}

/// A data folder and a database, and commands of the program run on them.
#[derive(Debug, Clone)]
pub struct Muster {
    database: Arc<TestDatabase>,
    dir: Arc<TempDir>,
    env: Vec<(OsString, OsString)>,
}

impl Muster {
    /// A fresh data folder and database.
    pub async fn new(kind: Database) -> Self {
        let dir = tempfile::tempdir().expect("a folder");
        Self {
            database: Arc::new(TestDatabase::create(kind, &dir.path().join("data")).await),
            dir: Arc::new(dir),
            env: Vec::new(),
        }
    }

    /// With a variable in the environment of every command.
    #[must_use]
    pub fn env(mut self, name: impl Into<OsString>, value: impl Into<OsString>) -> Self {
        self.env.push((name.into(), value.into()));
        self
    }

    /// The data folder; it is there once a command has run.
    pub fn data_dir(&self) -> PathBuf {
        self.dir.path().join("data")
    }

    /// A folder for other files of the test; it goes with the data folder.
    pub fn scratch(&self) -> &Path {
        self.dir.path()
    }

    /// The database.
    pub fn database(&self) -> &TestDatabase {
        &self.database
    }

    /// A command with nothing from the test's environment, and without data folder or database.
    pub fn bare<'a>(&self, arguments: impl IntoIterator<Item = &'a str>) -> Command {
        let mut command = Command::new(muster_binary());
        for (name, _) in std::env::vars_os() {
            if name.to_string_lossy().starts_with("MUSTER_") {
                command.env_remove(name);
            }
        }
        command
            .args(arguments)
            // Many servers at once on one machine.
            .env("MUSTER_MEDIA_LISTEN", "127.0.0.1:0")
            .envs(self.env.iter().cloned())
            .current_dir(self.dir.path())
            .stdin(Stdio::null());
        command
    }

    /// The same on the data folder and the database.
    pub fn command<'a>(&self, arguments: impl IntoIterator<Item = &'a str>) -> Command {
        let mut command = self.bare(arguments);
        command
            .arg("--data-dir")
            .arg(self.data_dir())
            .arg("--database-url")
            .arg(self.database.url());
        command
    }

    /// Runs a command on the data folder and the database to its end.
    pub fn run(&self, arguments: &[&str]) -> Exit {
        run(self.command(arguments.iter().copied()))
    }

    /// Makes a token on the command line; answers its id and its secret.
    pub fn token(&self, account: &str, permission: &str) -> (String, String) {
        let arguments = [
            "token",
            "create",
            "--account-id",
            account,
            "--permission",
            permission,
        ];
        let made = self.run(&arguments);
        assert_eq!(made.code, Some(0), "{}", made.stderr);
        let id = made
            .stdout
            .lines()
            .find_map(|line| line.strip_prefix("id"))
            .expect("an id");
        let secret = made.stdout.lines().last().expect("a secret");
        (id.trim().to_owned(), secret.to_owned())
    }

    /// Starts `muster serve` on a free port, and waits until it is ready.
    pub fn serve(&self, further: &[&str]) -> ServerProcess {
        let arguments = ["serve", "--listen", "127.0.0.1:0"];
        let command = self.command(arguments.into_iter().chain(further.iter().copied()));
        ServerProcess::start(command, "links", self)
    }

    /// Starts `muster dev` on a free port, and waits until it has told all.
    pub fn dev(&self) -> ServerProcess {
        ServerProcess::start(self.command(["dev", "--listen", "127.0.0.1:0"]), "curl", self)
    }

    /// A caller for a fresh account on a server of these records.
    pub fn api(&self, server: &ServerProcess) -> Api {
        let account = uuid::Uuid::new_v4().simple().to_string();
        let (_, secret) = self.token(&account, "realtime-admin");
        Api::new(&server.origin, account, secret)
    }
}

/// Runs a command to its end, for a bounded time.
pub fn run(mut command: Command) -> Exit {
    let mut out = tempfile::tempfile().expect("a file");
    let mut err = tempfile::tempfile().expect("a file");
    command
        .stdout(out.try_clone().expect("a file"))
        .stderr(err.try_clone().expect("a file"));
    let mut child = command.spawn().expect("the program starts");
    let status = wait(&mut child, PATIENCE).unwrap_or_else(|| {
        let _ = child.kill();
        let _ = child.wait();
        panic!("{command:?} did not end; it said: {}", read(&mut err));
    });
    Exit {
        code: status.code(),
        stdout: read(&mut out),
        stderr: read(&mut err),
    }
}

fn read(file: &mut File) -> String {
    use std::io::{Read, Seek};
    let mut text = String::new();
    file.rewind().expect("rewinding");
    file.read_to_string(&mut text).expect("reading");
    text
}

fn wait(child: &mut Child, limit: Duration) -> Option<ExitStatus> {
    let give_up = Instant::now() + limit;
    loop {
        if let Some(status) = child.try_wait().expect("waiting") {
            return Some(status);
        }
        if Instant::now() >= give_up {
            return None;
        }
        std::thread::sleep(Duration::from_millis(10));
    }
}

/// A server in a process of its own; killed with this handle.
#[derive(Debug)]
pub struct ServerProcess {
    child: Child,
    log: File,
    /// Where it listens, as `http://host:port`.
    pub origin: String,
    /// Where it listens for TLS, as `https://host:port`.
    pub tls_origin: Option<String>,
    /// What it printed while it started.
    pub stdout: Vec<String>,
    _records: Muster,
}

impl ServerProcess {
    /// Runs a command that serves, and waits until it is ready and has printed a line that begins with
    /// `last`.
    pub fn start(mut command: Command, last: &str, records: &Muster) -> Self {
        let mut log = tempfile::tempfile().expect("a file");
        command
            .stdout(Stdio::piped())
            .stderr(log.try_clone().expect("a file"));
        let mut child = command.spawn().expect("the program starts");
        let (tell, told) = mpsc::channel();
        let out = BufReader::new(child.stdout.take().expect("its output"));
        // Goes on reading, so that the process never waits for a full pipe.
        std::thread::spawn(move || {
            for line in out.lines().map_while(Result::ok) {
                let _ = tell.send(line);
            }
        });
        let mut stdout = Vec::new();
        let give_up = Instant::now() + PATIENCE;
        while !stdout.iter().any(|line: &String| line.starts_with(last)) {
            let left = give_up.saturating_duration_since(Instant::now());
            let Ok(line) = told.recv_timeout(left) else {
                let _ = child.kill();
                let _ = child.wait();
                panic!("{command:?} did not start; it said: {}", read(&mut log));
            };
            stdout.push(line);
        }
        let mut server = Self {
            origin: String::new(),
            tls_origin: None,
            child,
            log,
            stdout,
            _records: records.clone(),
        };
        server.origin = server.told("http").expect("the server's address").to_owned();
        server.tls_origin = server.told("https").map(str::to_owned);
        server
    }

    /// What it wrote to standard error so far.
    pub fn log(&mut self) -> String {
        read(&mut self.log.try_clone().expect("the log"))
    }

    /// Sends a signal.
    pub fn signal(&self, signal: Signal) {
        let pid = Pid::from_child(&self.child);
        kill_process(pid, signal).expect("the process is there");
    }

    /// The rest of a line that was printed at start, after its first word.
    pub fn told(&self, name: &str) -> Option<&str> {
        self.stdout
            .iter()
            .find_map(|line| line.strip_prefix(name)?.strip_prefix(' '))
            .map(str::trim)
    }

    /// kill -9.
    pub fn kill(mut self) {
        self.child.kill().expect("the process is there");
        self.child.wait().expect("its end");
    }

    /// Tells it to stop, and waits until it has; answers its exit code.
    pub fn terminate(mut self) -> Option<i32> {
        self.signal(Signal::TERM);
        self.wait().code()
    }

    /// Waits until it has ended.
    pub fn wait(&mut self) -> ExitStatus {
        wait(&mut self.child, PATIENCE).expect("the server did not end")
    }
}

impl Drop for ServerProcess {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
