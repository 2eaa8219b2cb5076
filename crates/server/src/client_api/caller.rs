//! Who is calling with a participant's token.

use axum::{
    extract::FromRequestParts,
    http::{HeaderMap, header, request::Parts},
};
use muster_model::{MeetingId, preset::Permissions};
use muster_store::{clients::Client, participants::MeetingScope};

use crate::{
    api::{caller::PathIds, error::ApiError},
    app::App,
    auth::participant_token::Claims,
};

/// A participant that exists, of a meeting and an app that do; looked up at each use.
///
/// Any credentials that do not lead to one are 401: the SDK tells its user the same for 401, 403 and 404.
#[derive(Debug)]
pub struct ClientCaller {
    /// The participant, its preset and its meeting.
    pub client: Client,
    /// The ids of the path.
    pub ids: PathIds,
}

impl ClientCaller {
    /// Where the caller may act.
    pub fn at(&self) -> &MeetingScope {
        &self.client.at
    }

    /// What its preset permits.
    pub fn permissions(&self) -> &Permissions {
        &self.client.preset.body.permissions
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
        let client = client(app, &claims)
            .await?
            .ok_or_else(ApiError::unauthenticated)?;
        let ids = PathIds::of(parts, app).await?;
        Ok(Self { client, ids })
    }
}

/// Whom the claims of a good token lead to now. The one place where a participant's standing is judged.
async fn client(app: &App, claims: &Claims) -> Result<Option<Client>, ApiError> {
    Ok(app
        .store
        .client(claims.app, claims.meeting, claims.participant)
        .await?)
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
