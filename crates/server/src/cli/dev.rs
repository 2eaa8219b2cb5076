//! `muster dev`: everything needed to try things, on this machine.

use std::time::Duration;

use muster_model::{
    AccountId, MeetingId, PageRequest, Timestamp,
    app::{App as AppRecord, Scope},
    meeting::MeetingSettings,
    participant::DuplicatePolicy,
    token::Permission,
};
use muster_store::{
    Store, accounts, apps, installation, meetings,
    participants::{self, MeetingScope, NewParticipant, PresetRef},
};

use super::{serve, token};
use crate::{
    config::{Config, Settings},
    start,
    telemetry::logs,
};

const TOKEN_LIFE: Duration = Duration::from_secs(24 * 3600);

pub async fn dev(
    settings: Settings,
    resolve: impl FnOnce(Settings) -> anyhow::Result<Config>,
) -> anyhow::Result<()> {
    let mut config = resolve(settings.clone())?;
    if settings.public_url.is_none() {
        config.public_url = format!("http://localhost:{}", config.listen.port());
    }
    let _log = logs::init(config.log_format, &config.log_level)?;
    let mut stop = serve::StopSignals::expect()?;
    let Some(running) = stop.or(start(config)).await? else {
        return Ok(());
    };
    let playground = Playground::prepare(&running.app.store).await?;
    serve::tell_addresses(&running);
    println!();
    playground.tell(&format!("http://localhost:{}", running.address.port()));
    stop.serve_until_told(running).await;
    Ok(())
}

/// What `muster dev` sets up once and finds again.
struct Playground {
    at: MeetingScope,
    secret: String,
}

impl Playground {
    async fn prepare(store: &Store) -> anyhow::Result<Self> {
        let at = match Self::find(store).await? {
            Some(at) => at,
            None => Self::make(store).await?,
        };
        Self::ensure_people(store, &at).await?;
        if let Some(last) = store.fact("dev_token").await?.and_then(|id| id.parse().ok()) {
            let now = Timestamp::now();
            let revoked = store
                .write(move |conn| {
                    Box::pin(async move { accounts::revoke_token(conn, None, last, now).await })
                })
                .await;
            if let Err(error) = revoked {
                tracing::debug!(%error, "the token of the last start is gone already");
            }
        }
        let (token, secret) = token::make(
            store,
            at.scope.account.clone(),
            Permission::RealtimeAdmin,
            Some("muster dev".into()),
            Some(TOKEN_LIFE),
        )
        .await?;
        let id = token.id.to_string();
        store
            .write(move |conn| Box::pin(async move { installation::set_fact(conn, "dev_token", &id).await }))
            .await?;
        Ok(Self { at, secret })
    }

    /// The meeting of an earlier start, unless it was deleted.
    async fn find(store: &Store) -> anyhow::Result<Option<MeetingScope>> {
        let (Some(account), Some(app), Some(meeting)) = (
            store.fact("dev_account").await?,
            store.fact("dev_app").await?,
            store.fact("dev_meeting").await?,
        ) else {
            return Ok(None);
        };
        let scope = Scope {
            account: account.parse()?,
            app: app.parse()?,
        };
        let meeting: MeetingId = meeting.parse()?;
        let there = store.app(&scope).await.is_ok() && store.meeting(&scope, meeting).await.is_ok();
        Ok(there.then_some(MeetingScope { scope, meeting }))
    }

    async fn make(store: &Store) -> anyhow::Result<MeetingScope> {
        let account = match store.fact("dev_account").await? {
            Some(id) => id.parse()?,
            None => AccountId::random(),
        };
        let now = Timestamp::now();
        let at = store
            .write(move |conn| {
                Box::pin(async move {
                    accounts::create_account(conn, &account, now).await?;
                    let AppRecord { id: app, .. } =
                        apps::create(conn, &account, "muster dev".into(), now).await?;
                    let scope = Scope { account, app };
                    let settings = MeetingSettings {
                        title: Some("First meeting".into()),
                        ..MeetingSettings::default()
                    };
                    let meeting = meetings::create(conn, &scope, settings, None, now).await?.id;
                    installation::set_fact(conn, "dev_account", scope.account.as_str()).await?;
                    installation::set_fact(conn, "dev_app", &app.to_string()).await?;
                    installation::set_fact(conn, "dev_meeting", &meeting.to_string()).await?;
                    Ok(MeetingScope { scope, meeting })
                })
            })
            .await?;
        Ok(at)
    }

    /// Two participants, as long as nobody has added others.
    async fn ensure_people(store: &Store, at: &MeetingScope) -> anyhow::Result<()> {
        let page = participants::Window::Page(PageRequest::default());
        if store
            .roster(at, &participants::ParticipantFilter::default(), &page)
            .await?
            .total
            > 0
        {
            return Ok(());
        }
        let (at, now) = (at.clone(), Timestamp::now());
        store
            .write(move |conn| {
                Box::pin(async move {
                    for (custom_id, name, preset) in [
                        ("host", "Ada", "group_call_host"),
                        ("guest", "Grace", "group_call_participant"),
                    ] {
                        let new = NewParticipant {
                            custom_participant_id: custom_id.into(),
                            preset: PresetRef::Name(preset.into()),
                            name: Some(name.into()),
                            picture: None,
                        };
                        participants::add(conn, &at, new, DuplicatePolicy::Reuse, now).await?;
                    }
                    Ok(())
                })
            })
            .await?;
        Ok(())
    }

    fn tell(&self, base: &str) {
        let Self { at, secret } = self;
        let (account, app, meeting) = (&at.scope.account, at.scope.app, at.meeting);
        println!("account  {account}");
        println!("app      {app}");
        println!("meeting  {meeting}");
        println!("token    {secret}");
        println!();
        println!("List the meeting's participants:");
        println!();
        println!(
            "curl -H 'Authorization: Bearer {secret}' \
             {base}/client/v4/accounts/{account}/realtime/kit/{app}/meetings/{meeting}/participants"
        );
        println!();
    }
}
