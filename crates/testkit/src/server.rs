//! A server inside the test.

use std::{path::Path, time::Duration};

use muster_model::{AccountId, token::Permission};
use muster_server::{Running, app::App, cli::make_token, config::Settings};
use muster_store::Store;
use tempfile::TempDir;

use crate::{Api, Database, TestDatabase};

/// A server inside the test, with a folder and a database of its own; it ends with this handle.
#[derive(Debug)]
pub struct Server {
    running: Option<Running>,
    settings: Settings,
    database: TestDatabase,
    dir: TempDir,
}

/// A server to be started with settings other than the usual ones.
#[derive(Debug)]
#[must_use]
pub struct ServerBuilder {
    kind: Database,
    settings: Settings,
}

impl ServerBuilder {
    /// Changes settings.
    pub fn with(mut self, change: impl FnOnce(&mut Settings)) -> Self {
        change(&mut self.settings);
        self
    }

    /// Starts it.
    pub async fn start(self) -> Server {
        let dir = tempfile::tempdir().expect("a folder");
        let database = TestDatabase::create(self.kind, dir.path()).await;
        let settings = Settings {
            data_dir: Some(dir.path().to_owned()),
            database_url: Some(database.url()),
            listen: Some(([127, 0, 0, 1], 0).into()),
            ..self.settings
        };
        let mut server = Server {
            running: None,
            settings,
            database,
            dir,
        };
        server.start_again().await;
        server
    }
}

impl Server {
    /// Starts a server with the usual settings.
    pub async fn start(kind: Database) -> Self {
        Self::builder(kind).start().await
    }

    /// A server to be started with other settings.
    pub fn builder(kind: Database) -> ServerBuilder {
        ServerBuilder {
            kind,
            settings: Settings::default(),
        }
    }

    /// Stops the server as SIGTERM does, and starts it on the same folder and database, perhaps with
    /// other settings. Its port is another one.
    pub async fn restart(&mut self, change: impl FnOnce(&mut Settings)) {
        self.stop_serving().await;
        change(&mut self.settings);
        self.start_again().await;
    }

    /// Stops the server and removes what it left.
    pub async fn stop(mut self) {
        self.stop_serving().await;
    }

    async fn start_again(&mut self) {
        let config = self.settings.clone().resolve().expect("settings");
        let media: muster_server::media::MakeMedia = Box::new(|_, _, _| Ok(Box::new(crate::FixedMedia)));
        self.running = Some(muster_server::start_with(config, media).await.expect("a server"));
    }

    async fn stop_serving(&mut self) {
        if let Some(running) = self.running.take() {
            running.stop().await;
        }
    }

    fn running(&self) -> &Running {
        self.running.as_ref().expect("a server that runs")
    }

    /// Where it listens, as `http://host:port`.
    pub fn origin(&self) -> String {
        format!("http://{}", self.running().address)
    }

    /// Where it listens for TLS, if it does.
    pub fn tls_address(&self) -> std::net::SocketAddr {
        self.running().tls_address.expect("a TLS listener")
    }

    /// Its handles.
    pub fn app(&self) -> &App {
        &self.running().app
    }

    /// Its records.
    pub fn store(&self) -> &Store {
        &self.app().store
    }

    /// Its database, for SQL beside the server.
    pub fn database(&self) -> &TestDatabase {
        &self.database
    }

    /// Its data folder.
    pub fn data_dir(&self) -> &Path {
        self.dir.path()
    }

    /// What the files of its data folder hold, those in folders within it left out.
    pub fn files(&self) -> Vec<Vec<u8>> {
        let entries = std::fs::read_dir(self.data_dir()).expect("the folder");
        let paths = entries.map(|entry| entry.expect("an entry").path());
        paths
            .filter(|path| path.is_file())
            .map(|path| std::fs::read(path).expect("a file"))
            .collect()
    }

    /// A caller for a fresh account, with the permission Realtime Admin.
    pub async fn api(&self) -> Api {
        let account = AccountId::random().to_string();
        let token = self.token(&account, Permission::RealtimeAdmin, None).await.1;
        Api::new(self.origin(), account, token)
    }

    /// Makes an API token; answers its id and its secret.
    pub async fn token(
        &self,
        account: &str,
        permission: Permission,
        expires_in: Option<Duration>,
    ) -> (String, String) {
        let account = account.parse().expect("an account id");
        let (token, secret) = make_token(self.store(), account, permission, None, expires_in)
            .await
            .expect("a token");
        (token.id.to_string(), secret)
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        if let Some(running) = &self.running {
            running.app.stop.cancel();
        }
    }
}
