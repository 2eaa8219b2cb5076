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
    app::App,
    config::{Config, Settings},
    start,
    telemetry::logs,
};

const TOKEN_LIFE: Duration = Duration::from_secs(24 * 3600);

/// Who may join the meeting: custom id, name, preset.
const PEOPLE: [(&str, &str, &str); 2] = [
    ("host", "Ada", "group_call_host"),
    ("guest", "Grace", "group_call_participant"),
];

pub async fn dev(
    settings: Settings,
    resolve: impl FnOnce(Settings) -> anyhow::Result<Config>,
) -> anyhow::Result<()> {
    let mut config = resolve(settings.clone())?;
    config.dev = true;
    if settings.public_url.is_none() {
        config.public_url = format!("http://localhost:{}", config.listen.port());
    }
    let _log = logs::init(config.log_format, &config.log_level)?;
    let mut stop = serve::StopSignals::expect()?;
    super::raise_open_files();
    let Some(running) = stop.or(start(config)).await? else {
        return Ok(());
    };
    let playground = Playground::prepare(&running.app.store).await?;
    let base = format!("http://localhost:{}", running.address.port());
    let links = playground.join_links(&running.app, &base).await?;
    serve::tell_addresses(&running);
    println!();
    playground.tell(&base, &links);
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
                    for (custom_id, name, preset) in PEOPLE {
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

    /// For each of the people who is still there, the address at which it joins. What follows the `#` stays
    /// in the browser.
    async fn join_links(&self, app: &App, base: &str) -> anyhow::Result<Vec<(&'static str, String)>> {
        let at = &self.at;
        let first = participants::Window::Page(PageRequest::default());
        let mut links = Vec::new();
        for (custom_id, ..) in PEOPLE {
            let filter = participants::ParticipantFilter {
                custom_participant_id: Some(custom_id.into()),
                ..Default::default()
            };
            let found = app.store.roster(at, &filter, &first).await?;
            let Some(listed) = found.participants.first() else {
                continue;
            };
            let person = app.store.participant(at, listed.id.parse()?).await?;
            let signed = app
                .participant_tokens
                .sign(at.scope.app, &person, TOKEN_LIFE, app.now())?;
            links.push((
                custom_id,
                format!("{base}/meet/{}#token={}", at.meeting, signed.token),
            ));
        }
        Ok(links)
    }

    fn tell(&self, base: &str, links: &[(&str, String)]) {
        let Self { at, secret } = self;
        let (account, app, meeting) = (&at.scope.account, at.scope.app, at.meeting);
        println!("account  {account}");
        println!("app      {app}");
        println!("meeting  {meeting}");
        println!("token    {secret}");
        println!("page     {base}/");
        println!();
        println!("Join the meeting, each in a tab of its own:");
        println!();
        for (who, link) in links {
            println!("{who:<8} {link}");
        }
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
