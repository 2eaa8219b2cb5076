//! Who is calling with a participant's token.

use axum::{
    extract::FromRequestParts,
    http::{HeaderMap, header, request::Parts},
};
use muster_model::{MeetingId, preset::Permissions};
use muster_store::{joining::Joiner, participants::MeetingScope};

use crate::{
    api::{caller::PathIds, error::ApiError},
    app::App,
    auth::participant_token::Claims,
};

/// A participant that exists, of a meeting and an app that do; looked up at each use.
///
/// Credentials that do not lead to one are 401, whatever they are, and 403 where the participant was banned:
/// the SDK tells its user the same for both.
#[derive(Debug)]
pub struct ClientCaller {
    /// The participant, its rights and its meeting.
    pub joiner: Joiner,
    /// The ids of the path.
    pub ids: PathIds,
}

impl ClientCaller {
    /// Where the caller may act.
    pub fn at(&self) -> &MeetingScope {
        &self.joiner.at
    }

    /// What its preset permits.
    pub fn permissions(&self) -> &Permissions {
        &self.joiner.person.permissions
    }

    /// Goes on only when the meeting is the caller's own. Whether another one exists is not told.
    pub fn own(&self, meeting: MeetingId) -> Result<&MeetingScope, ApiError> {
        if meeting == self.at().meeting {
            Ok(self.at())
        } else {
            Err(ApiError::forbidden())
        }
    }

    /// Goes on only when the meeting in the path is the caller's own.
    pub fn own_in_path(&self) -> Result<&MeetingScope, ApiError> {
        self.own(self.ids.get("meeting_id", "Meeting")?)
    }

    /// Goes on only with a right.
    pub fn require(&self, right: bool) -> Result<(), ApiError> {
        if right { Ok(()) } else { Err(ApiError::forbidden()) }
    }
}

impl FromRequestParts<App> for ClientCaller {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, app: &App) -> Result<Self, ApiError> {
        let claims = claims(app, &parts.headers)?;
        let joiner = joiner(app, &claims, ApiError::forbidden).await?;
        let ids = PathIds::of(parts, app).await?;
        Ok(Self { joiner, ids })
    }
}

/// Whom the claims of a good token lead to now; `banned` is what one hears who may not come back. The one
/// place where a participant's standing is judged.
pub async fn joiner(
    app: &App,
    claims: &Claims,
    banned: impl FnOnce() -> ApiError,
) -> Result<Joiner, ApiError> {
    let found = app
        .store
        .person(
            claims.app,
            claims.meeting,
            claims.participant,
            Some(claims.preset),
        )
        .await?;
    match found {
        Some(joiner) if joiner.banned => Err(banned()),
        Some(joiner) if !joiner.app_deleted => Ok(joiner),
        _ => Err(ApiError::unauthenticated()),
    }
}

fn claims(app: &App, headers: &HeaderMap) -> Result<Claims, ApiError> {
    let mut given = headers.get_all(header::AUTHORIZATION).iter();
    let value = given.next().ok_or_else(ApiError::no_credentials)?;
    let token = value
        .to_str()
        .ok()
        .filter(|_| given.next().is_none())
        .and_then(|text| text.split_once(' '))
        .filter(|(scheme, _)| scheme.eq_ignore_ascii_case("bearer"))
        .map(|(_, token)| token.trim())
        .ok_or_else(ApiError::unauthenticated)?;
    app.participant_tokens
        .verify(token)
        .map_err(|_| ApiError::unauthenticated())
}
