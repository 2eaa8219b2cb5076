//! Meetings, participants and their tokens, by the store's own operations.

use std::{fmt::Write, path::PathBuf, time::Duration};

use muster_model::{
    AccountId, MeetingId, Timestamp, app::Scope, meeting::MeetingSettings, participant::DuplicatePolicy,
    token::Permission,
};
use muster_server::auth::{api_token, master_key::MasterKey, participant_token::ParticipantTokens};
use muster_store::{
    Address, Store,
    accounts::{self, NewToken},
    apps, meetings,
    participants::{self, MeetingScope, NewParticipant, PresetRef},
};

use super::{Options, Outcome};

/// Rows written in one transaction.
const PIECE: usize = 2_000;
const TOKEN_TTL: Duration = Duration::from_secs(24 * 3600);
const ACCOUNT: &str = "0123456789abcdef0123456789abcdef";

/// What somebody comes in with.
pub struct Ticket {
    /// The meeting.
    pub meeting: String,
    /// The participant.
    pub participant: String,
    /// The token.
    pub token: String,
}

impl Ticket {
    /// Reads what [`run`] wrote.
    pub fn read(line: &str) -> Option<Self> {
        let mut words = line.split(' ').map(str::to_owned);
        Some(Self {
            meeting: words.next()?,
            participant: words.next()?,
            token: words.next()?,
        })
    }
}

/// Makes rooms and people, and writes a ticket a line.
pub async fn run(options: &Options) -> Outcome {
    let data_dir: PathBuf = options.need("data-dir")?;
    let (rooms, people): (usize, usize) = (options.need("rooms")?, options.need("people")?);
    std::fs::create_dir_all(&data_dir)?;
    let store = Store::open(&Address::Sqlite(data_dir.join("muster.db"))).await?;
    let master = MasterKey::load_or_create(&data_dir.join("master.key"))?;
    let tokens = ParticipantTokens::load_or_create(&store, &master).await?;
    let account: AccountId = ACCOUNT.parse()?;
    // An account begins with its first token; nobody learns this one's secret.
    let token = NewToken {
        account: account.clone(),
        name: Some("rooms".into()),
        permission: Permission::RealtimeAdmin,
        secret_hash: api_token::hash(&api_token::new_secret()?),
        expires_at: None,
    };
    let now = Timestamp::now();
    let app = store
        .write(move |conn| {
            Box::pin(async move {
                let account = token.account.clone();
                accounts::create_token(conn, token, now).await?;
                apps::create(conn, &account, "rooms".into(), now).await
            })
        })
        .await?;
    let scope = Scope { account, app: app.id };

    let mut meetings = Vec::with_capacity(rooms);
    while meetings.len() < rooms {
        let count = PIECE.min(rooms - meetings.len());
        meetings.extend(make_meetings(&store, &scope, count).await?);
    }
    let mut tickets = String::new();
    if people > 0 {
        for meeting in meetings {
            fill(&store, &tokens, &scope, meeting, people, &mut tickets).await?;
        }
    }
    std::fs::write(options.need::<PathBuf>("out")?, tickets)?;
    store.close().await;
    println!(r#"{{"phase":"done","rooms":{rooms},"people":{people}}}"#);
    Ok(())
}

async fn make_meetings(store: &Store, scope: &Scope, count: usize) -> Outcome<Vec<MeetingId>> {
    let within = scope.clone();
    let made = store.write(move |conn| {
        Box::pin(async move {
            let mut made = Vec::with_capacity(count);
            for number in 0..count {
                let settings = MeetingSettings {
                    title: Some(format!("Room {number}")),
                    ..MeetingSettings::default()
                };
                let meeting = meetings::create(conn, &within, settings, None, Timestamp::now()).await?;
                made.push(meeting.id);
            }
            Ok(made)
        })
    });
    Ok(made.await?)
}

async fn fill(
    store: &Store,
    tokens: &ParticipantTokens,
    scope: &Scope,
    meeting: MeetingId,
    people: usize,
    tickets: &mut String,
) -> Outcome {
    let at = MeetingScope {
        scope: scope.clone(),
        meeting,
    };
    let now = Timestamp::now();
    let added = store.write(move |conn| {
        Box::pin(async move {
            let mut added = Vec::with_capacity(people);
            for number in 0..people {
                let new = NewParticipant {
                    custom_participant_id: format!("user-{number:07}"),
                    preset: PresetRef::Name("group_call_host".into()),
                    name: Some(format!("Participant number {number}")),
                    picture: None,
                };
                added.push(participants::add(conn, &at, new, DuplicatePolicy::Reuse, now).await?);
            }
            Ok(added)
        })
    });
    for participant in added.await? {
        let signed = tokens.sign(scope.app, &participant, TOKEN_TTL, now)?;
        writeln!(tickets, "{meeting} {} {}", participant.id, signed.token)?;
    }
    Ok(())
}
