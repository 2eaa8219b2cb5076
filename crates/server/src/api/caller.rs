//! Who is calling: extractors that end a request with 400, 401, 403 or 404 before its handler runs.

use std::{marker::PhantomData, str::FromStr, sync::Arc};

use axum::{
    extract::{FromRequestParts, RawPathParams},
    http::{HeaderMap, header, request::Parts},
};
use muster_model::{
    AccountId, AppId, MeetingId, ParticipantId,
    app::Scope,
    token::{ApiToken, Permission},
};
use muster_store::{apps::AppState, members::MemberRights, participants::MeetingScope};

use super::error::ApiError;
use crate::{app::App, auth::participant_token::Claims};

/// What a caller showed.
#[derive(Debug, Clone)]
pub enum Credential {
    /// An active API token.
    ApiToken(Arc<ApiToken>),
    /// A participant's token that holds; good for few operations.
    Participant(Box<Claims>),
}

/// Reads and checks the credentials of a request.
pub async fn credential(app: &App, headers: &HeaderMap) -> Result<Credential, ApiError> {
    let secret = secret(headers)?;
    if secret.starts_with("eyJ") {
        let claims = app
            .participant_tokens
            .verify(secret)
            .map_err(|_| ApiError::unauthenticated())?;
        return Ok(Credential::Participant(Box::new(claims)));
    }
    let token = app
        .api_tokens
        .check(secret)
        .await?
        .ok_or_else(ApiError::unauthenticated)?;
    if let Err(wait) = app.rate_limit.check(token.id) {
        return Err(ApiError::too_many(wait));
    }
    Ok(Credential::ApiToken(token))
}

/// The secret in the headers. Where both kinds of header are given only `Authorization` counts.
fn secret(headers: &HeaderMap) -> Result<&str, ApiError> {
    if let Some(value) = headers.get(header::AUTHORIZATION) {
        if headers.get_all(header::AUTHORIZATION).iter().count() > 1 {
            return Err(ApiError::bad_header((6111, "Several Authorization headers")));
        }
        return value
            .to_str()
            .ok()
            .and_then(|text| text.split_once(' '))
            .filter(|(scheme, _)| scheme.eq_ignore_ascii_case("bearer"))
            .map(|(_, secret)| secret.trim())
            .filter(|secret| !secret.is_empty() && !secret.contains(' '))
            .ok_or_else(|| ApiError::bad_header((6111, "Invalid format for Authorization header")));
    }
    let text = |name| headers.get(name).map(|value| value.to_str().unwrap_or_default());
    match (text("x-auth-email"), text("x-auth-key")) {
        // The e-mail says nothing by itself; the Python SDK sends it alone where CLOUDFLARE_EMAIL is set.
        (_, None) => Err(ApiError::no_credentials()),
        (email, Some(key)) => {
            if !email.is_some_and(looks_like_email) {
                return Err(ApiError::bad_header((
                    6102,
                    "Invalid format for X-Auth-Email header",
                )));
            }
            Some(key)
                .filter(|key| !key.is_empty() && key.bytes().all(|b| b.is_ascii_graphic()))
                .ok_or_else(|| ApiError::bad_header((6103, "Invalid format for X-Auth-Key header")))
        }
    }
}

fn looks_like_email(text: &str) -> bool {
    text.len() <= 320
        && text
            .split_once('@')
            .is_some_and(|(user, host)| !user.is_empty() && !host.is_empty())
        && text.bytes().all(|b| b.is_ascii_graphic())
}

/// Any active API token.
#[derive(Debug, Clone)]
pub struct AnyToken(pub Arc<ApiToken>);

impl FromRequestParts<App> for AnyToken {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, app: &App) -> Result<Self, ApiError> {
        match credential(app, &parts.headers).await? {
            Credential::ApiToken(token) => Ok(Self(token)),
            Credential::Participant(_) => Err(ApiError::forbidden()),
        }
    }
}

/// The names in the path, as they came.
#[derive(Debug)]
pub struct PathIds(RawPathParams);

impl PathIds {
    /// Reads them.
    pub async fn of(parts: &mut Parts, app: &App) -> Result<Self, ApiError> {
        RawPathParams::from_request_parts(parts, app)
            .await
            .map(Self)
            .map_err(|_| ApiError::no_route())
    }

    fn raw(&self, name: &str) -> &str {
        self.0
            .iter()
            .find(|(key, _)| *key == name)
            .map_or("", |(_, value)| value)
    }

    /// An id of the path; one that does not read is a record that does not exist.
    pub fn get<T: FromStr>(&self, name: &str, kind: &'static str) -> Result<T, ApiError> {
        self.raw(name).parse().map_err(|_| ApiError::not_found(kind))
    }
}

/// A token of the account in the path.
#[derive(Debug)]
pub struct AccountCaller {
    /// The token.
    pub token: Arc<ApiToken>,
    /// Further ids of the path.
    pub ids: PathIds,
}

impl AccountCaller {
    async fn of(token: Arc<ApiToken>, parts: &mut Parts, app: &App) -> Result<Self, ApiError> {
        let ids = PathIds::of(parts, app).await?;
        if ids.raw("account_id") == token.account.as_str() {
            Ok(Self { token, ids })
        } else {
            Err(ApiError::forbidden())
        }
    }

    /// The account.
    pub fn account(&self) -> &AccountId {
        &self.token.account
    }

    /// Goes on only with the permission Realtime Admin.
    pub fn require_admin(&self) -> Result<(), ApiError> {
        if self.token.permission == Permission::RealtimeAdmin {
            Ok(())
        } else {
            Err(ApiError::forbidden())
        }
    }
}

impl FromRequestParts<App> for AccountCaller {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, app: &App) -> Result<Self, ApiError> {
        let AnyToken(token) = AnyToken::from_request_parts(parts, app).await?;
        Self::of(token, parts, app).await
    }
}

/// A token of the account in the path, for an app of that account, whatever the app's state.
#[derive(Debug)]
pub struct HistoryCaller {
    /// The token.
    pub token: Arc<ApiToken>,
    /// Account and app.
    pub scope: Scope,
    /// Further ids of the path.
    pub ids: PathIds,
    /// Whether the app is in use or was deleted.
    pub state: AppState,
}

impl HistoryCaller {
    async fn of(token: Arc<ApiToken>, parts: &mut Parts, app: &App) -> Result<Self, ApiError> {
        let AccountCaller { token, ids } = AccountCaller::of(token, parts, app).await?;
        let scope = Scope {
            account: token.account.clone(),
            app: ids.get::<AppId>("app_id", "App")?,
        };
        let state = app
            .app_state(&scope)
            .await?
            .ok_or_else(|| ApiError::not_found("App"))?;
        Ok(Self {
            token,
            scope,
            ids,
            state,
        })
    }
}

impl FromRequestParts<App> for HistoryCaller {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, app: &App) -> Result<Self, ApiError> {
        let AnyToken(token) = AnyToken::from_request_parts(parts, app).await?;
        Self::of(token, parts, app).await
    }
}

/// A token of the account in the path, for an app in use of that account.
#[derive(Debug)]
pub struct AppCaller {
    /// The token.
    pub token: Arc<ApiToken>,
    /// Account and app.
    pub scope: Scope,
    /// Further ids of the path.
    pub ids: PathIds,
}

impl AppCaller {
    async fn of(token: Arc<ApiToken>, parts: &mut Parts, app: &App) -> Result<Self, ApiError> {
        let HistoryCaller {
            token,
            scope,
            ids,
            state,
        } = HistoryCaller::of(token, parts, app).await?;
        match state {
            AppState::Live => Ok(Self { token, scope, ids }),
            AppState::Deleted => Err(ApiError::not_found("App")),
        }
    }
}

impl FromRequestParts<App> for AppCaller {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, app: &App) -> Result<Self, ApiError> {
        let AnyToken(token) = AnyToken::from_request_parts(parts, app).await?;
        Self::of(token, parts, app).await
    }
}

/// The same, with a meeting id in the path. Whether there is such a meeting is the store's to say.
#[derive(Debug)]
pub struct MeetingCaller {
    /// The token.
    pub token: Arc<ApiToken>,
    /// Account, app and meeting.
    pub at: MeetingScope,
    /// Further ids of the path.
    pub ids: PathIds,
}

impl MeetingCaller {
    /// The participant in the path.
    pub fn participant(&self) -> Result<ParticipantId, ApiError> {
        self.ids.get("participant_id", "Participant")
    }
}

impl FromRequestParts<App> for MeetingCaller {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, app: &App) -> Result<Self, ApiError> {
        let AppCaller { token, scope, ids } = AppCaller::from_request_parts(parts, app).await?;
        let meeting = ids.get::<MeetingId>("meeting_id", "Meeting")?;
        Ok(Self {
            token,
            at: MeetingScope { scope, meeting },
            ids,
        })
    }
}

/// Something that a participant may do through this API when its preset permits it.
pub trait Right: Send + Sync + 'static {
    /// Whether it may.
    fn of(rights: MemberRights) -> bool;
}

/// Starting and stopping recordings.
#[derive(Debug)]
pub struct Recording;

impl Right for Recording {
    fn of(rights: MemberRights) -> bool {
        rights.can_record
    }
}

/// Starting and stopping livestreams.
#[derive(Debug)]
pub struct Livestreaming;

impl Right for Livestreaming {
    fn of(rights: MemberRights) -> bool {
        rights.can_livestream
    }
}

/// A token of the account in the path, for an app in use of that account; or the token of a participant
/// of that app whose preset gives it the right `R`, for its own meeting.
#[derive(Debug)]
pub struct MemberCaller<R> {
    /// Account and app.
    pub scope: Scope,
    /// Further ids of the path.
    pub ids: PathIds,
    /// The only meeting that the caller may touch, when it is a participant.
    meeting: Option<MeetingId>,
    right: PhantomData<R>,
}

impl<R> MemberCaller<R> {
    /// The meeting, unless it is another one than a participant's own.
    pub fn meeting(&self, meeting: MeetingId) -> Result<MeetingScope, ApiError> {
        if self.meeting.is_some_and(|own| own != meeting) {
            return Err(ApiError::forbidden());
        }
        Ok(MeetingScope {
            scope: self.scope.clone(),
            meeting,
        })
    }
}

impl<R: Right> FromRequestParts<App> for MemberCaller<R> {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, app: &App) -> Result<Self, ApiError> {
        let claims = match credential(app, &parts.headers).await? {
            Credential::ApiToken(token) => {
                let AppCaller { scope, ids, .. } = AppCaller::of(token, parts, app).await?;
                return Ok(Self {
                    scope,
                    ids,
                    meeting: None,
                    right: PhantomData,
                });
            }
            Credential::Participant(claims) => claims,
        };
        let ids = PathIds::of(parts, app).await?;
        let account = ids.raw("account_id").parse().map_err(|_| ApiError::forbidden())?;
        if ids.raw("app_id").parse() != Ok(claims.app) {
            return Err(ApiError::forbidden());
        }
        let at = MeetingScope {
            scope: Scope {
                account,
                app: claims.app,
            },
            meeting: claims.meeting,
        };
        let rights = app
            .store
            .member_rights(&at, claims.participant)
            .await?
            .ok_or_else(ApiError::unauthenticated)?;
        if !R::of(rights) {
            return Err(ApiError::forbidden());
        }
        Ok(Self {
            scope: at.scope,
            ids,
            meeting: Some(at.meeting),
            right: PhantomData,
        })
    }
}
