//! `Idempotency-Key` (extension): a repeated POST answers what the first one answered.
//!
//! The answer is stored, sealed, in the transaction of the effect, so that there is never one without
//! the other. Only answers of success are kept.

use std::{
    collections::HashSet,
    sync::{Arc, Mutex, PoisonError},
};

use aws_lc_rs::digest;
use axum::{
    extract::{FromRequestParts, MatchedPath, RawPathParams},
    http::{HeaderName, HeaderValue, StatusCode, request::Parts},
    response::Response,
};
use futures::future::BoxFuture;
use muster_model::token::ApiToken;
use muster_store::{
    Conn, StoreError,
    idempotency::{self, KeptAnswer, RequestKey},
};
use serde::Serialize;
use uuid::Uuid;

use super::{error::ApiError, respond::json_bytes, router::PREFIX};
use crate::{
    app::App,
    auth::{api_token::hex, master_key::MasterKey},
};

const SEAL_PURPOSE: &str = "idempotency";
const MAX_KEY: usize = 255;
const REPLAYED: HeaderName = HeaderName::from_static("idempotent-replayed");

/// Keys of requests that are being answered.
#[derive(Debug, Default, Clone)]
pub struct InFlight(Arc<Mutex<HashSet<String>>>);

struct Claim {
    in_flight: InFlight,
    id: String,
}

impl InFlight {
    fn claim(&self, id: &str) -> Option<Claim> {
        let fresh = self
            .0
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .insert(id.to_owned());
        fresh.then(|| Claim {
            in_flight: self.clone(),
            id: id.to_owned(),
        })
    }
}

impl Drop for Claim {
    fn drop(&mut self) {
        self.in_flight
            .0
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .remove(&self.id);
    }
}

/// The request's idempotency key, if it has one.
#[derive(Debug, Clone)]
pub struct Idempotency {
    key: Option<String>,
    method_and_path: String,
}

impl FromRequestParts<App> for Idempotency {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, app: &App) -> Result<Self, ApiError> {
        let key = match parts.headers.get("idempotency-key") {
            None => None,
            Some(value) => Some(
                value
                    .to_str()
                    .ok()
                    .map(str::trim)
                    .filter(|key| (1..=MAX_KEY).contains(&key.len()))
                    .ok_or_else(|| {
                        ApiError::fault(
                            "Idempotency-Key",
                            format_args!("must be 1 to {MAX_KEY} characters"),
                        )
                    })?
                    .to_owned(),
            ),
        };
        // The route and the ids in it, not the path: an operation can be spelt in several ways.
        let method_and_path = if key.is_some() {
            operation(parts, app).await?
        } else {
            String::new()
        };
        Ok(Self { key, method_and_path })
    }
}

/// The method, the route's template and the ids of the path.
async fn operation(parts: &mut Parts, app: &App) -> Result<String, ApiError> {
    let route = parts
        .extensions
        .get::<MatchedPath>()
        .map(|path| path.as_str().to_owned())
        .unwrap_or_default();
    let mut text = format!(
        "{} {}",
        parts.method,
        route.strip_prefix(PREFIX).unwrap_or(&route)
    );
    let ids = RawPathParams::from_request_parts(parts, app)
        .await
        .map_err(|_| ApiError::no_route())?;
    for (_, id) in &ids {
        text.push(' ');
        text.push_str(
            &id.parse::<Uuid>()
                .map_or_else(|_| id.to_owned(), |id| id.to_string()),
        );
    }
    Ok(text)
}

/// What an effect comes to.
enum Outcome {
    Done(Vec<u8>),
    Repeated { status: StatusCode, body: Vec<u8> },
    OtherBody,
}

impl Outcome {
    /// What a request that was answered before comes to.
    fn of(
        master_key: &MasterKey,
        kept: &KeptAnswer,
        request: &RequestKey,
        status: StatusCode,
    ) -> Result<Self, StoreError> {
        if kept.fingerprint != request.fingerprint {
            return Ok(Self::OtherBody);
        }
        let body = master_key
            .open(SEAL_PURPOSE, &kept.sealed_body)
            .map_err(|error| StoreError::Corrupt(error.to_string()))?;
        let status = StatusCode::from_u16(kept.status).unwrap_or(status);
        Ok(Self::Repeated { status, body })
    }

    fn answer(self, status: StatusCode) -> Result<Response, ApiError> {
        match self {
            Self::Done(body) => Ok(json_bytes(status, body.into())),
            Self::Repeated { status, body } => {
                let mut response = json_bytes(status, body.into());
                response
                    .headers_mut()
                    .insert(REPLAYED, HeaderValue::from_static("true"));
                Ok(response)
            }
            Self::OtherBody => Err(ApiError::new(
                StatusCode::UNPROCESSABLE_ENTITY,
                "This Idempotency-Key was used for a request with another body",
            )),
        }
    }
}

impl Idempotency {
    /// Whether the request has a key.
    pub fn is_given(&self) -> bool {
        self.key.is_some()
    }

    /// Runs `effect` in a transaction and answers with what `render` makes of its result; or, when
    /// the request is a repetition, with what was answered before.
    ///
    /// `owner` is the app or account that the kept answer counts for.
    #[allow(clippy::too_many_arguments)] // who, for whom, of what: all of it makes the key
    pub async fn run<T, B, F, R>(
        self,
        app: &App,
        token: &ApiToken,
        owner: String,
        fingerprint: String,
        status: StatusCode,
        effect: F,
        render: R,
    ) -> Result<Response, ApiError>
    where
        T: Send + 'static,
        B: Serialize,
        F: for<'c> FnOnce(&'c mut Conn) -> BoxFuture<'c, Result<T, StoreError>> + Send + 'static,
        R: FnOnce(T) -> anyhow::Result<B> + Send + 'static,
    {
        let render = move |value| -> anyhow::Result<Vec<u8>> { Ok(serde_json::to_vec(&render(value)?)?) };
        let Some(key) = &self.key else {
            let value = app.store.write(effect).await?;
            return Ok(json_bytes(
                status,
                render(value).map_err(ApiError::internal)?.into(),
            ));
        };
        let (request, _claim) = self.claim(app, token, key, owner, fingerprint)?;
        let (master_key, now) = (app.master_key.clone(), app.now());
        let outcome = app
            .store
            .write(move |conn| {
                Box::pin(async move {
                    if let Some(kept) = idempotency::find(conn, &request).await? {
                        return Outcome::of(&master_key, &kept, &request, status);
                    }
                    let value = effect(conn).await?;
                    let unkept = |error: String| StoreError::NotCommitted(error);
                    let body = render(value).map_err(|error| unkept(error.to_string()))?;
                    let sealed = master_key
                        .seal(SEAL_PURPOSE, &body)
                        .map_err(|error| unkept(error.to_string()))?;
                    idempotency::keep(conn, &request, status.as_u16(), sealed, now).await?;
                    Ok(Outcome::Done(body))
                })
            })
            .await?;
        outcome.answer(status)
    }

    /// The same for what is not done by a transaction of its own, such as what a live room does. A crash
    /// between the deed and the keeping of its answer lets a repetition do it again.
    pub async fn run_beside<B: Serialize>(
        self,
        app: &App,
        token: &ApiToken,
        owner: String,
        fingerprint: String,
        status: StatusCode,
        deed: impl Future<Output = Result<B, ApiError>>,
    ) -> Result<Response, ApiError> {
        let render = |value: B| serde_json::to_vec(&value).map_err(ApiError::internal);
        let Some(key) = &self.key else {
            return Ok(json_bytes(status, render(deed.await?)?.into()));
        };
        let (request, _claim) = self.claim(app, token, key, owner, fingerprint)?;
        if let Some(kept) = idempotency::find(&mut app.store.read().await?, &request).await? {
            return Outcome::of(&app.master_key, &kept, &request, status)?.answer(status);
        }
        let body = render(deed.await?)?;
        let (sealed, now) = (
            app.master_key
                .seal(SEAL_PURPOSE, &body)
                .map_err(ApiError::internal)?,
            app.now(),
        );
        app.store
            .write(move |conn| {
                Box::pin(async move { idempotency::keep(conn, &request, status.as_u16(), sealed, now).await })
            })
            .await?;
        Outcome::Done(body).answer(status)
    }

    /// The request's place among kept answers, which is this request's alone until the claim is dropped.
    fn claim(
        &self,
        app: &App,
        token: &ApiToken,
        key: &str,
        owner: String,
        fingerprint: String,
    ) -> Result<(RequestKey, Claim), ApiError> {
        let request = RequestKey {
            id: self.id(token, &owner, key),
            owner,
            fingerprint,
        };
        let claim = app.in_flight.claim(&request.id).ok_or_else(ApiError::in_flight)?;
        Ok((request, claim))
    }

    fn id(&self, token: &ApiToken, owner: &str, key: &str) -> String {
        let text = format!("{}\n{owner}\n{}\n{key}", token.id, self.method_and_path);
        hex(digest::digest(&digest::SHA256, text.as_bytes()).as_ref())
    }
}
