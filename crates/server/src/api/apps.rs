//! Apps.

use axum::{extract::State, http::StatusCode, response::Response};
use muster_model::{AppId, Timestamp, app};
use muster_store::apps;
use serde::{Deserialize, Serialize};
use serde_json::json;
use utoipa::ToSchema;

use super::{
    body::{Body, Input},
    caller::{AccountCaller, AppCaller},
    error::ApiError,
    idempotency::Idempotency,
    query::{Kind, PAGE_NO, PER_PAGE, Param, Query},
    respond::Envelope,
    route::{Access, Route, envelope, reference},
};
use crate::app::App;

const SEARCH: Param = Param::new("search", Kind::ShortText(125), "Part of the name");
const SORT_ORDER: Param = Param::new(
    "sort_order",
    Kind::Choice(&["ASC", "DESC"]),
    "By time of creation; DESC unless given",
);
/// `disconnect` of DELETE on meetings and apps.
pub const DISCONNECT: Param = Param::new(
    "disconnect",
    Kind::Bool,
    "Extension: ends a live session instead of refusing",
);
/// The documented size of a page of apps, unlike that of other lists.
const DEFAULT_PAGE: u32 = 20;

/// The operations on apps.
pub fn routes() -> Vec<Route> {
    const LIST: &str = "/accounts/{account_id}/realtime/kit/apps";
    const ONE: &str = "/accounts/{account_id}/realtime/kit/apps/{app_id}";
    vec![
        Route::get(LIST, "list_apps", list)
            .about("Lists the account's apps")
            .access(Access::Account)
            .query(&[PAGE_NO, PER_PAGE, SEARCH, SORT_ORDER])
            .answers_page::<AppOut>(),
        Route::post(LIST, "create_app", create)
            .about("Makes an app with the usual presets")
            .access(Access::Account)
            .body::<AppIn>()
            .answers_with(200, |components| {
                let app = reference::<AppOut>(components);
                envelope(json!({"type": "object", "required": ["app"], "properties": {"app": app}}))
            }),
        Route::get(ONE, "get_app", get)
            .about("Reads an app")
            .answers::<AppOut>(200),
        Route::patch(ONE, "update_app", rename)
            .about("Extension: gives an app another name")
            .body::<AppIn>()
            .answers::<AppOut>(200),
        Route::delete(ONE, "delete_app", delete)
            .about("Extension: deletes an app; its past sessions stay readable")
            .query(&[DISCONNECT])
            .answers::<AppOut>(200),
    ]
}

/// An app to be made or renamed.
#[derive(Debug, Deserialize, ToSchema)]
pub struct AppIn {
    #[schema(min_length = 1, max_length = 1024)]
    name: String,
}

impl Input for AppIn {}

/// An app.
#[derive(Debug, Serialize, ToSchema)]
pub struct AppOut {
    #[schema(value_type = String, format = Uuid)]
    id: AppId,
    name: Option<String>,
    #[schema(value_type = String, format = DateTime)]
    created_at: Timestamp,
}

impl From<app::App> for AppOut {
    fn from(app: app::App) -> Self {
        Self {
            id: app.id,
            name: app.name,
            created_at: app.created_at,
        }
    }
}

async fn list(
    State(app): State<App>,
    caller: AccountCaller,
    query: Query,
) -> Result<Envelope<Vec<AppOut>>, ApiError> {
    let (page, search, order) =
        query.read(|r| (r.page(DEFAULT_PAGE), r.text(&SEARCH), r.choice(&SORT_ORDER)))?;
    let found = app
        .store
        .apps(caller.account(), search, order == Some("ASC"), page)
        .await?;
    Ok(found.map(AppOut::from).into())
}

async fn create(
    State(app): State<App>,
    caller: AccountCaller,
    idempotency: Idempotency,
    body: Body<AppIn>,
) -> Result<Response, ApiError> {
    let (account, now, name) = (caller.account().clone(), app.now(), body.value.name);
    let owner = account.to_string();
    idempotency
        .run(
            &app,
            &caller.token,
            owner,
            body.fingerprint,
            StatusCode::OK,
            move |conn| Box::pin(async move { apps::create(conn, &account, name, now).await }),
            |made| Ok(Envelope::one(json!({"app": AppOut::from(made)}))),
        )
        .await
}

async fn get(State(app): State<App>, caller: AppCaller) -> Result<Envelope<AppOut>, ApiError> {
    Ok(Envelope::one(app.store.app(&caller.scope).await?.into()))
}

async fn rename(
    State(app): State<App>,
    caller: AppCaller,
    body: Body<AppIn>,
) -> Result<Envelope<AppOut>, ApiError> {
    let (scope, now, name) = (caller.scope, app.now(), body.value.name);
    let renamed = app
        .store
        .write(move |conn| Box::pin(async move { apps::rename(conn, &scope, name, now).await }))
        .await?;
    Ok(Envelope::one(renamed.into()))
}

async fn delete(
    State(app): State<App>,
    caller: AppCaller,
    query: Query,
) -> Result<Envelope<AppOut>, ApiError> {
    let disconnect = query.read(|r| r.boolean(&DISCONNECT))? == Some(true);
    if disconnect {
        for meeting in app.store.live_meetings(&caller.scope).await? {
            let at = muster_store::participants::MeetingScope {
                scope: caller.scope.clone(),
                meeting,
            };
            super::active_session::end(&app, &at).await?;
        }
    }
    let (scope, now) = (caller.scope.clone(), app.now());
    let deleted = app
        .store
        .write(move |conn| Box::pin(async move { apps::delete(conn, &scope, now).await }))
        .await?;
    app.forget_app_state(&caller.scope);
    app.purge_soon();
    Ok(Envelope::one(deleted.into()))
}
