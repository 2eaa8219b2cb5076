//! The web page: the console at `/` and below `/console`, a meeting at `/meet/{meeting_id}`.
//!
//! `web/` is built by Vite into `web/dist`, which is embedded here; the server runs without it, too, and
//! says how to build it. Every answer says what the page may load: `policy` has the rules.

mod files;
mod policy;

use axum::{
    Json, Router,
    extract::{Path, State},
    http::{HeaderMap, HeaderValue, StatusCode, header},
    response::{IntoResponse, Response},
    routing::get,
};
use rust_embed::RustEmbed;
use serde::Serialize;

use self::{
    files::{Caching, file},
    policy::Policies,
};
use crate::{api::error::ApiError, app::App, config::Config};

/// What Vite built. Debug builds read the folder at each request, so that a page can be built beside them.
#[derive(RustEmbed)]
#[folder = "../../web/dist"]
#[allow_missing = true]
struct Built;

/// Leads the client SDK's requests to the origin of the page, for `muster dev`.
const DEV_ORIGIN: &str = include_str!("dev-origin.js");
/// Stands in that script for the base domain, as a JavaScript string.
const BASE_DOMAIN: &str = "'the base domain'";

const NOT_BUILT: &str = "<!doctype html><html lang=\"en\"><meta charset=\"utf-8\"><title>Muster</title>\
    <h1>The web page is not part of this program</h1>\
    <p>It is built with Node: <code>make build</code> (or <code>npm ci &amp;&amp; npm run build</code> in \
    <code>web/</code> before <code>cargo build</code>) makes a program that has it.</p>\
    <p>The API works without it: <a href=\"/openapi.json\">openapi.json</a>.</p></html>";

/// What pages are told of the server: `GET /settings.json`.
#[derive(Debug, Serialize)]
struct PageSettings<'a> {
    public_url: &'a str,
    base_domain: &'a str,
    dev: bool,
}

/// The routes of the page.
pub fn router(config: &Config) -> Router<App> {
    pages::<Built, App>(Policies::new(config))
        .route("/settings.json", get(settings))
        .route("/dev-origin.js", get(dev_origin))
}

/// The pages and their files, out of any folder.
fn pages<Files: RustEmbed + 'static, S: Clone + Send + Sync + 'static>(policies: Policies) -> Router<S> {
    let console = move |policy: HeaderValue| {
        get(async move |headers: HeaderMap| page::<Files>("index.html", &headers, &policy))
    };
    let meet =
        get(async move |headers: HeaderMap| page::<Files>("meet/index.html", &headers, &policies.meet));
    let mut router = Router::new();
    for path in ["/", "/console", "/console/{*rest}"] {
        router = router.route(path, console(policies.console.clone()));
    }
    router
        .route("/meet", meet.clone())
        .route("/meet/{meeting_id}", meet)
        .route("/assets/{*name}", get(asset::<Files>))
}

/// A page; which screen of it is shown, its own script finds out.
fn page<Files: RustEmbed>(name: &str, headers: &HeaderMap, policy: &HeaderValue) -> Response {
    let mut response = file::<Files>(name, headers, Caching::Revalidate).unwrap_or_else(|| {
        let html = HeaderValue::from_static("text/html; charset=utf-8");
        (
            StatusCode::NOT_IMPLEMENTED,
            [(header::CONTENT_TYPE, html)],
            NOT_BUILT,
        )
            .into_response()
    });
    policy::apply(response.headers_mut(), policy);
    response
}

/// A file whose name tells its content: it never changes.
async fn asset<Files: RustEmbed>(Path(name): Path<String>, headers: HeaderMap) -> Response {
    let found = file::<Files>(&format!("assets/{name}"), &headers, Caching::Forever);
    let mut response = found.unwrap_or_else(|| ApiError::no_route().into_response());
    policy::inert(response.headers_mut());
    response
}

async fn settings(State(app): State<App>) -> Response {
    let Config {
        public_url,
        base_domain,
        dev,
        ..
    } = &app.config;
    let told = PageSettings {
        public_url,
        base_domain,
        dev: *dev,
    };
    let mut response = Json(told).into_response();
    let headers = response.headers_mut();
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-cache"));
    policy::inert(headers);
    response
}

/// Only where everything is on one machine: elsewhere nothing should lead requests away from where they belong.
async fn dev_origin(State(app): State<App>) -> Response {
    if !app.config.dev {
        return ApiError::no_route().into_response();
    }
    // A host name needs no escapes.
    let script = DEV_ORIGIN.replacen(BASE_DOMAIN, &format!("'{}'", app.config.base_domain), 1);
    let javascript = HeaderValue::from_static("text/javascript; charset=utf-8");
    let mut response = ([(header::CONTENT_TYPE, javascript)], script).into_response();
    let headers = response.headers_mut();
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-cache"));
    policy::inert(headers);
    response
}
