//! Accounts and their API tokens.

use muster_model::{
    AccountId, ApiTokenId, Timestamp,
    token::{ApiToken, Permission},
};

use crate::{Conn, Store, StoreError, params};

/// A token to be made; the secret itself never reaches the store.
#[derive(Debug, Clone)]
pub struct NewToken {
    /// The tenant it will speak for.
    pub account: AccountId,
    /// What its owner calls it.
    pub name: Option<String>,
    /// What it may do.
    pub permission: Permission,
    /// SHA-256 of the secret, in hex.
    pub secret_hash: String,
    /// When it ceases to work.
    pub expires_at: Option<Timestamp>,
}

#[derive(sqlx::FromRow)]
struct TokenRow {
    id: String,
    account_id: String,
    name: Option<String>,
    permission: String,
    created_at: i64,
    expires_at: Option<i64>,
    last_used_at: Option<i64>,
    revoked_at: Option<i64>,
}

impl TryFrom<TokenRow> for ApiToken {
    type Error = StoreError;

    fn try_from(row: TokenRow) -> Result<Self, StoreError> {
        Ok(Self {
            id: row.id.parse()?,
            account: row.account_id.parse()?,
            name: row.name,
            permission: row
                .permission
                .parse()
                .map_err(|_| StoreError::Corrupt(row.permission))?,
            created_at: Timestamp::from_micros(row.created_at),
            expires_at: row.expires_at.map(Timestamp::from_micros),
            last_used_at: row.last_used_at.map(Timestamp::from_micros),
            revoked_at: row.revoked_at.map(Timestamp::from_micros),
        })
    }
}

macro_rules! select_tokens {
    ($rest:literal) => {
        concat!(
            "SELECT id, account_id, name, permission, created_at, expires_at, last_used_at, revoked_at ",
            "FROM api_tokens ",
            $rest
        )
    };
}

/// Makes an account unless it is there.
pub async fn create_account(conn: &mut Conn, id: &AccountId, now: Timestamp) -> Result<(), StoreError> {
    conn.execute(
        "INSERT INTO accounts (id, created_at) VALUES ($1, $2) ON CONFLICT (id) DO NOTHING",
        params![id, now],
    )
    .await
    .map(|_| ())
}

/// Makes a token, and its account when that is new.
pub async fn create_token(conn: &mut Conn, new: NewToken, now: Timestamp) -> Result<ApiToken, StoreError> {
    create_account(conn, &new.account, now).await?;
    let id = ApiTokenId::random();
    conn.execute(
        "INSERT INTO api_tokens (id, account_id, name, permission, secret_hash, created_at, expires_at) \
         VALUES ($1, $2, $3, $4, $5, $6, $7)",
        params![
            id,
            &new.account,
            &new.name,
            new.permission.as_str(),
            new.secret_hash,
            now,
            new.expires_at
        ],
    )
    .await?;
    Ok(ApiToken {
        id,
        account: new.account,
        name: new.name,
        permission: new.permission,
        created_at: now,
        expires_at: new.expires_at,
        last_used_at: None,
        revoked_at: None,
    })
}

/// Revokes a token of `account` (of any, when `None`: the command line may).
pub async fn revoke_token(
    conn: &mut Conn,
    account: Option<&AccountId>,
    id: ApiTokenId,
    now: Timestamp,
) -> Result<ApiToken, StoreError> {
    let account = account.map(ToString::to_string);
    conn.execute(
        "UPDATE api_tokens SET revoked_at = COALESCE(revoked_at, $3) \
         WHERE id = $1 AND ($2 IS NULL OR account_id = $2)",
        params![id, &account, now],
    )
    .await?;
    conn.fetch_optional::<TokenRow>(
        select_tokens!("WHERE id = $1 AND ($2 IS NULL OR account_id = $2)"),
        params![id, &account],
    )
    .await?
    .ok_or(StoreError::NotFound("Token"))?
    .try_into()
}

impl Store {
    /// The token whose secret has this hash, whatever its state.
    pub async fn token_by_hash(&self, secret_hash: &str) -> Result<Option<ApiToken>, StoreError> {
        self.read()
            .await?
            .fetch_optional::<TokenRow>(select_tokens!("WHERE secret_hash = $1"), params![secret_hash])
            .await?
            .map(TryInto::try_into)
            .transpose()
    }

    /// The tokens of an account (of all, when `None`), oldest first, without the revoked.
    pub async fn tokens(&self, account: Option<&AccountId>) -> Result<Vec<ApiToken>, StoreError> {
        let account = account.map(ToString::to_string);
        self.read()
            .await?
            .fetch_all::<TokenRow>(
                select_tokens!(
                    "WHERE ($1 IS NULL OR account_id = $1) AND revoked_at IS NULL ORDER BY created_at, id"
                ),
                params![account],
            )
            .await?
            .into_iter()
            .map(TryInto::try_into)
            .collect()
    }

    /// Notes when tokens were last used.
    pub async fn note_token_use(&self, used: Vec<(ApiTokenId, Timestamp)>) -> Result<(), StoreError> {
        self.write(move |conn| {
            Box::pin(async move {
                for (id, at) in used {
                    conn.execute(
                        "UPDATE api_tokens SET last_used_at = $2 WHERE id = $1",
                        params![id, at],
                    )
                    .await?;
                }
                Ok(())
            })
        })
        .await
    }
}
