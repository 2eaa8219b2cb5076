//! The handles a request may use, and nothing else.

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use anyhow::Context;
use muster_model::{ParticipantId, SessionId, Timestamp, app::Scope};
use muster_store::{Store, apps::AppState};
use tokio::sync::{Notify, Semaphore};
use tokio_util::{sync::CancellationToken, task::TaskTracker};

use crate::{
    api::{idempotency::InFlight, participants::pages::RosterPages, rate_limit::RateLimit},
    auth::{
        api_token::ApiTokens,
        file_link::{FileLinks, FileObject},
        master_key::MasterKey,
        participant_token::ParticipantTokens,
    },
    client_api::uploads::UPLOADS_PER_MINUTE,
    config::Config,
    files::FileFolder,
    media::MakeMedia,
    momentary::Momentary,
    node::Node,
    rooms::Rooms,
    telemetry::metrics::Metrics,
    webhooks::signing::WebhookKeys,
};

/// Everything a request may use; cheap to clone.
#[derive(Debug, Clone)]
pub struct App(Arc<Handles>);

/// What [`App`] points to.
#[derive(Debug)]
pub struct Handles {
    /// The settings.
    pub config: Config,
    /// The records.
    pub store: Store,
    /// Seals secrets.
    pub master_key: Arc<MasterKey>,
    /// Checks API tokens.
    pub api_tokens: ApiTokens,
    /// Signs and verifies participant tokens.
    pub participant_tokens: ParticipantTokens,
    /// Signs what webhooks are told.
    pub webhook_keys: WebhookKeys,
    /// Signs and verifies links to files.
    pub file_links: FileLinks,
    /// Keeps the bytes of files.
    pub files: FileFolder,
    /// Files a minute for each participant.
    pub upload_rate: RateLimit<ParticipantId>,
    /// Finished pages of participant lists.
    pub roster_pages: RosterPages,
    /// Requests with an idempotency key that are being answered.
    pub in_flight: InFlight,
    /// Requests a minute for each API token.
    pub rate_limit: RateLimit,
    /// What is counted.
    pub metrics: Metrics,
    /// Requests that may run at once.
    pub requests: Semaphore,
    /// Wakes the purge.
    pub purge_wanted: Notify,
    /// Wakes the deliveries of webhooks.
    pub deliveries_wanted: Notify,
    /// Live rooms.
    pub rooms: Rooms,
    /// Open sockets of clients.
    pub sockets: TaskTracker,
    /// Cancelled when the server stops.
    pub stop: CancellationToken,
    writable: AtomicBool,
    app_states: Momentary<Scope, AppState>,
}

impl std::ops::Deref for App {
    type Target = Handles;

    fn deref(&self) -> &Handles {
        &self.0
    }
}

/// How long the state of an app is believed.
const APP_BELIEVED_FOR: Duration = Duration::from_millis(400);

impl App {
    /// Builds the handles; makes the installation's keys at first start.
    pub async fn build(
        config: Config,
        store: Store,
        make_media: MakeMedia,
        stop: CancellationToken,
    ) -> anyhow::Result<Self> {
        // A new key would open nothing of what the old one sealed, and a backup would carry the wrong one.
        anyhow::ensure!(
            config.master_key_file.exists() || !ParticipantTokens::has_key(&store).await?,
            "the master key {} is missing, and this database was sealed with one; put it back",
            config.master_key_file.display()
        );
        let master_key = Arc::new(MasterKey::load_or_create(&config.master_key_file)?);
        let participant_tokens = ParticipantTokens::load_or_create(&store, &master_key).await?;
        let file_links = FileLinks::load_or_create(&store, &master_key, &config.public_url).await?;
        let files = FileFolder::open(&config.data_dir).context("the folder of files cannot be used")?;
        let folder = config.data_dir.clone();
        let node = tokio::task::spawn_blocking(move || Node::of(&folder)).await??;
        let metrics = Metrics::new()?;
        let media = make_media(&config, &metrics, &stop)?;
        Ok(Self(Arc::new(Handles {
            rooms: Rooms::new(media, node),
            sockets: TaskTracker::new(),
            file_links,
            files,
            upload_rate: RateLimit::new(Some(UPLOADS_PER_MINUTE)),
            api_tokens: ApiTokens::new(store.clone()),
            roster_pages: RosterPages::new(store.clone(), config.page_cache_bytes, stop.clone()),
            in_flight: InFlight::default(),
            rate_limit: RateLimit::new(config.rate_limit_per_minute),
            requests: Semaphore::new(config.max_concurrent_requests),
            purge_wanted: Notify::new(),
            deliveries_wanted: Notify::new(),
            webhook_keys: WebhookKeys::new(store.clone(), Arc::clone(&master_key)),
            stop,
            writable: AtomicBool::new(true),
            app_states: Momentary::new(APP_BELIEVED_FOR),
            participant_tokens,
            master_key,
            metrics,
            config,
            store,
        })))
    }

    /// The time, for everything that is written down or signed.
    #[allow(clippy::unused_self)] // a method, so that a later clock needs no other call sites
    pub fn now(&self) -> Timestamp {
        Timestamp::now()
    }

    /// Whether the server is on its way out.
    pub fn is_stopping(&self) -> bool {
        self.stop.is_cancelled()
    }

    /// Has the purge run now rather than within the minute.
    pub fn purge_soon(&self) {
        self.purge_wanted.notify_one();
    }

    /// Has queued deliveries looked at now rather than within a second. To be called after the commit.
    pub fn deliver_soon(&self) {
        self.deliveries_wanted.notify_one();
    }

    /// Whether the last write that touched the disk succeeded.
    pub fn is_writable(&self) -> bool {
        self.writable.load(Ordering::Relaxed)
    }

    /// Notes whether writes succeed.
    pub fn set_writable(&self, writable: bool) {
        self.metrics.writable.set(f64::from(u8::from(writable)));
        if self.writable.swap(writable, Ordering::Relaxed) != writable {
            if writable {
                tracing::info!("the store can be written again");
            } else {
                tracing::error!("the store cannot be written; reads go on");
            }
        }
    }

    /// The state of an app, as of a moment ago at most.
    pub async fn app_state(&self, scope: &Scope) -> Result<Option<AppState>, muster_store::StoreError> {
        if let Some(state) = self.app_states.get(scope) {
            return Ok(Some(state));
        }
        let state = Box::pin(self.store.app_state(scope)).await?;
        if let Some(state) = state {
            self.app_states.put(scope.clone(), state);
        }
        Ok(state)
    }

    /// Forgets the state of an app that was changed here.
    pub fn forget_app_state(&self, scope: &Scope) {
        self.app_states.forget(scope);
    }

    /// A link to a session's chat as CSV.
    pub fn chat_export_link(&self, scope: &Scope, session: SessionId, expires_at: Timestamp) -> String {
        self.file_links
            .read(scope.app, FileObject::ChatExport(session), expires_at)
            .into()
    }
}
