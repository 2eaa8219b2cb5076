//! The token's account, its API tokens, and the check of a token: neighbours of the contract.

use std::time::Duration;

use axum::{
    extract::State,
    http::StatusCode,
    response::{IntoResponse, Response},
};
use muster_model::{
    ApiTokenId, Timestamp,
    token::{ApiToken, Permission},
};
use muster_store::accounts::{self, NewToken};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use utoipa::ToSchema;

use super::{
    body::{Body, Input},
    caller::{AccountCaller, AnyToken},
    error::ApiError,
    idempotency::Idempotency,
    query::Query,
    respond::{Envelope, answer},
    route::{Access, Components, Route, envelope, list_of},
};
use crate::{app::App, auth::api_token};

/// The operations on accounts and tokens.
pub fn routes() -> Vec<Route> {
    const TOKENS: &str = "/accounts/{account_id}/realtime/tokens";
    const TOKEN: &str = "/accounts/{account_id}/realtime/tokens/{token_id}";
    vec![
        Route::get("/user/tokens/verify", "verify_token", verify)
            .about("Tells whether the API token works")
            .access(Access::AnyToken)
            .answers_with(200, |_| verification_schema()),
        Route::get("/accounts", "list_accounts", list_accounts)
            .about("Extension: lists the one account of the API token")
            .access(Access::AnyToken)
            .answers_with(200, |_| accounts_schema()),
        Route::get(TOKENS, "list_tokens", list_tokens)
            .about("Extension: lists the account's API tokens")
            .access(Access::AccountAdmin)
            .answers_with(200, |components: &mut Components| {
                envelope(list_of::<TokenOut>(components))
            }),
        Route::post(TOKENS, "create_token", create_token)
            .about("Extension: makes an API token; the secret is shown this once")
            .access(Access::AccountAdmin)
            .body::<TokenIn>()
            .answers::<NewTokenOut>(201),
        Route::delete(TOKEN, "revoke_token", revoke_token)
            .about("Extension: revokes an API token")
            .access(Access::AccountAdmin)
            .answers::<TokenOut>(200),
    ]
}

/// An API token to be made.
#[derive(Debug, Deserialize, ToSchema)]
pub struct TokenIn {
    permission: Permission,
    #[schema(min_length = 1, max_length = 256)]
    name: Option<String>,
    /// Seconds until it ceases to work; never when absent.
    #[schema(minimum = 1, maximum = 3_153_600_000u64)]
    #[serde(default, deserialize_with = "muster_model::number::whole")]
    expires_in: Option<u32>,
}

impl Input for TokenIn {}

/// An API token, without its secret.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = ApiTokenOut)] // a participant's token has the plain name
pub struct TokenOut {
    #[schema(value_type = String, format = Uuid)]
    id: ApiTokenId,
    name: Option<String>,
    permission: Permission,
    #[schema(value_type = String, format = DateTime)]
    created_at: Timestamp,
    #[schema(value_type = Option<String>, format = DateTime)]
    expires_at: Option<Timestamp>,
    #[schema(value_type = Option<String>, format = DateTime)]
    last_used_at: Option<Timestamp>,
}

impl From<ApiToken> for TokenOut {
    fn from(token: ApiToken) -> Self {
        Self {
            id: token.id,
            name: token.name,
            permission: token.permission,
            created_at: token.created_at,
            expires_at: token.expires_at,
            last_used_at: token.last_used_at,
        }
    }
}

/// An API token with its secret.
#[derive(Debug, Serialize, ToSchema)]
pub struct NewTokenOut {
    #[schema(value_type = String, format = Uuid)]
    id: ApiTokenId,
    name: Option<String>,
    permission: Permission,
    #[schema(value_type = String, format = DateTime)]
    created_at: Timestamp,
    #[schema(value_type = Option<String>, format = DateTime)]
    expires_at: Option<Timestamp>,
    /// Shown once.
    secret: String,
}

async fn verify(AnyToken(token): AnyToken) -> Response {
    let result = json!({"id": token.id.simple(), "status": "active", "expires_on": token.expires_at});
    gateway_answer(&result)
}

async fn list_accounts(AnyToken(token): AnyToken) -> Response {
    let account = token.account.as_str();
    let body = json!({
        "result": [{"id": account, "name": account, "type": "standard"}],
        "result_info": {"page": 1, "per_page": 1, "total_pages": 1, "count": 1, "total_count": 1},
        "success": true, "errors": [], "messages": [],
    });
    axum::Json(body).into_response()
}

/// The envelope of the gateway's own operations, which differs from RealtimeKit's.
fn gateway_answer(result: &Value) -> Response {
    let body = json!({"result": result, "success": true, "errors": [], "messages": []});
    answer(StatusCode::OK, &body).unwrap_or_else(IntoResponse::into_response)
}

async fn list_tokens(
    State(app): State<App>,
    caller: AccountCaller,
    _: Query,
) -> Result<Envelope<Vec<TokenOut>>, ApiError> {
    caller.require_admin()?;
    let tokens = app.store.tokens(Some(caller.account())).await?;
    Ok(Envelope::one(tokens.into_iter().map(TokenOut::from).collect()))
}

async fn create_token(
    State(app): State<App>,
    caller: AccountCaller,
    idempotency: Idempotency,
    body: Body<TokenIn>,
) -> Result<Response, ApiError> {
    caller.require_admin()?;
    let secret = api_token::new_secret().map_err(ApiError::internal)?;
    let now = app.now();
    let new = NewToken {
        account: caller.account().clone(),
        name: body.value.name,
        permission: body.value.permission,
        secret_hash: api_token::hash(&secret),
        expires_at: body
            .value
            .expires_in
            .map(|secs| now.plus(Duration::from_secs(secs.into()))),
    };
    idempotency
        .run(
            &app,
            &caller.token,
            caller.account().to_string(),
            body.fingerprint,
            StatusCode::CREATED,
            move |conn| Box::pin(async move { accounts::create_token(conn, new, now).await }),
            move |token| {
                Ok(Envelope::one(NewTokenOut {
                    id: token.id,
                    name: token.name,
                    permission: token.permission,
                    created_at: token.created_at,
                    expires_at: token.expires_at,
                    secret,
                }))
            },
        )
        .await
}

async fn revoke_token(State(app): State<App>, caller: AccountCaller) -> Result<Envelope<TokenOut>, ApiError> {
    caller.require_admin()?;
    let id: ApiTokenId = caller.ids.get("token_id", "Token")?;
    let (account, now) = (caller.account().clone(), app.now());
    let revoked = app
        .store
        .write(move |conn| {
            Box::pin(async move { accounts::revoke_token(conn, Some(&account), id, now).await })
        })
        .await?;
    app.api_tokens.forget(id);
    Ok(Envelope::one(revoked.into()))
}

fn gateway_schema(result: Value) -> Value {
    json!({
        "type": "object",
        "required": ["result", "success", "errors", "messages"],
        "properties": {
            "result": result,
            "success": {"type": "boolean"},
            "errors": {"type": "array", "items": {}},
            "messages": {"type": "array", "items": {}},
        },
    })
}

fn verification_schema() -> Value {
    gateway_schema(json!({
        "type": "object",
        "required": ["id", "status"],
        "properties": {
            "id": {"type": "string", "description": "32 hex digits"},
            "status": {"type": "string", "enum": ["active"]},
            "expires_on": {"type": ["string", "null"], "format": "date-time"},
        },
    }))
}

fn accounts_schema() -> Value {
    gateway_schema(json!({"type": "array", "items": {
        "type": "object",
        "required": ["id", "name"],
        "properties": {"id": {"type": "string"}, "name": {"type": "string"}, "type": {"type": "string"}},
    }}))
}
