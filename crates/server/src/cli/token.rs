//! `muster token …`: works beside a running server, which honours a revocation within a second.

use std::time::Duration;

use anyhow::Context;
use clap::{Args, Subcommand};
use muster_model::{AccountId, ApiTokenId, Timestamp, token::Permission};
use muster_store::{
    Store,
    accounts::{self, NewToken},
};

use crate::{auth::api_token, config::Config};

#[derive(Debug, Subcommand)]
pub enum TokenCommand {
    /// Make a token, and its account on first use; the secret is the last line, shown once
    Create(Create),
    /// List the tokens that are not revoked
    List {
        /// Only those of this account
        #[arg(long, value_name = "ID")]
        account_id: Option<AccountId>,
    },
    /// Revoke a token
    Revoke {
        /// Its id, as `token list` tells it
        id: ApiTokenId,
    },
}

#[derive(Debug, Args)]
pub struct Create {
    /// The account it speaks for
    #[arg(long, value_name = "ID")]
    account_id: AccountId,
    /// realtime, or realtime-admin to manage tokens too
    #[arg(long, value_name = "PERMISSION")]
    permission: Permission,
    /// What it is for
    #[arg(long)]
    name: Option<String>,
    /// How long it works, such as 12h, 30d or 52w; for ever unless given
    #[arg(long, value_name = "TIME", value_parser = crate::duration::parse)]
    expires_in: Option<Duration>,
}

pub async fn run(config: &Config, command: TokenCommand) -> anyhow::Result<()> {
    let store = super::open_store(config).await?;
    match command {
        TokenCommand::Create(create) => {
            let (token, secret) = make(
                &store,
                create.account_id,
                create.permission,
                create.name,
                create.expires_in,
            )
            .await?;
            println!("id       {}", token.id);
            println!("account  {}", token.account);
            println!("{secret}");
        }
        TokenCommand::List { account_id } => {
            for token in store.tokens(account_id.as_ref()).await? {
                let when = |time: Option<Timestamp>| time.map_or("never".to_owned(), |t| t.to_string());
                println!(
                    "{}  {}  {}  expires {}  last used {}  {}",
                    token.id,
                    token.account,
                    token.permission.as_str(),
                    when(token.expires_at),
                    when(token.last_used_at),
                    token.name.unwrap_or_default()
                );
            }
        }
        TokenCommand::Revoke { id } => {
            let now = Timestamp::now();
            store
                .write(move |conn| Box::pin(async move { accounts::revoke_token(conn, None, id, now).await }))
                .await
                .with_context(|| format!("token {id}"))?;
            println!("revoked {id}");
        }
    }
    store.close().await;
    Ok(())
}

/// Makes a token; answers it with its secret.
pub async fn make(
    store: &Store,
    account: AccountId,
    permission: Permission,
    name: Option<String>,
    expires_in: Option<Duration>,
) -> anyhow::Result<(muster_model::token::ApiToken, String)> {
    let (secret, now) = (api_token::new_secret()?, Timestamp::now());
    let new = NewToken {
        account,
        name,
        permission,
        secret_hash: api_token::hash(&secret),
        expires_at: expires_in.map(|time| now.plus(time)),
    };
    let token = store
        .write(move |conn| Box::pin(async move { accounts::create_token(conn, new, now).await }))
        .await?;
    Ok((token, secret))
}
