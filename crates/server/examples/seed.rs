//! Fills a data folder for the benchmarks: meetings with participants, by the store's own operations.
//!
//! `seed --data-dir D --account-id A --meetings N --participants P [--into-one-meeting Q]` makes N
//! meetings of P participants, and with the last option one more of Q. The last line of its output is
//! JSON: account, app, a token, and the meeting to read (the one of Q where there is one).

use std::{collections::HashMap, error::Error, path::PathBuf};

use muster_model::{
    AccountId, MeetingId, Timestamp, app::Scope, meeting::MeetingSettings, participant::DuplicatePolicy,
    token::Permission,
};
use muster_server::auth::api_token;
use muster_store::{
    Address, Store,
    accounts::{self, NewToken},
    apps, meetings,
    participants::{self, MeetingScope, NewParticipant, PresetRef},
};

/// Participants added in one transaction.
const PIECE: usize = 2_000;

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let args: Vec<String> = std::env::args().skip(1).collect();
    let given: HashMap<&str, &str> = args
        .chunks(2)
        .filter_map(|pair| Some((pair.first()?.as_str(), pair.get(1)?.as_str())))
        .collect();
    let need = |name: &str| {
        given
            .get(name)
            .copied()
            .ok_or_else(|| format!("{name} is missing"))
    };
    let number = |name: &str| -> Result<usize, Box<dyn Error>> { Ok(need(name)?.parse()?) };

    let data_dir = PathBuf::from(need("--data-dir")?);
    std::fs::create_dir_all(&data_dir)?;
    let store = Store::open(&Address::Sqlite(data_dir.join("muster.db"))).await?;
    let account: AccountId = need("--account-id")?.parse()?;
    let (scope, secret) = prepare(&store, account).await?;

    let mut to_read = None;
    for _ in 0..number("--meetings")? {
        to_read = Some(fill(&store, &scope, number("--participants")?).await?);
    }
    if given.contains_key("--into-one-meeting") {
        to_read = Some(fill(&store, &scope, number("--into-one-meeting")?).await?);
    }
    let (account, app) = (&scope.account, scope.app);
    let meeting = to_read.map(|id| id.to_string()).unwrap_or_default();
    println!(r#"{{"account_id":"{account}","app_id":"{app}","token":"{secret}","meeting_id":"{meeting}"}}"#);
    store.close().await;
    Ok(())
}

async fn prepare(store: &Store, account: AccountId) -> Result<(Scope, String), Box<dyn Error>> {
    let secret = api_token::new_secret()?;
    let token = NewToken {
        account: account.clone(),
        name: Some("seed".into()),
        permission: Permission::RealtimeAdmin,
        secret_hash: api_token::hash(&secret),
        expires_at: None,
    };
    let now = Timestamp::now();
    let app = store
        .write(move |conn| {
            Box::pin(async move {
                let account = token.account.clone();
                accounts::create_token(conn, token, now).await?;
                apps::create(conn, &account, "bench".into(), now).await
            })
        })
        .await?;
    Ok((Scope { account, app: app.id }, secret))
}

async fn fill(store: &Store, scope: &Scope, people: usize) -> Result<MeetingId, Box<dyn Error>> {
    let (within, now) = (scope.clone(), Timestamp::now());
    let meeting = store
        .write(move |conn| {
            Box::pin(async move {
                let settings = MeetingSettings {
                    title: Some("Bench".into()),
                    ..MeetingSettings::default()
                };
                meetings::create(conn, &within, settings, None, now).await
            })
        })
        .await?
        .id;
    let mut next = 0;
    while next < people {
        let numbers = next..people.min(next + PIECE);
        next = numbers.end;
        let at = MeetingScope {
            scope: scope.clone(),
            meeting,
        };
        store
            .write(move |conn| {
                Box::pin(async move {
                    for number in numbers {
                        let new = NewParticipant {
                            custom_participant_id: format!("user-{number:07}"),
                            preset: PresetRef::Name("group_call_participant".into()),
                            name: Some(format!("Participant number {number}")),
                            picture: Some(format!("https://example.org/pictures/{number}.png")),
                        };
                        participants::add(conn, &at, new, DuplicatePolicy::Reuse, Timestamp::now()).await?;
                    }
                    Ok(())
                })
            })
            .await?;
    }
    Ok(meeting)
}
