//! What client SDKs ask over HTTP with a participant's token, and what they leave to be counted.
//!
//! `caller` says who asks; the rest is a file for each thing that is asked for. Pages of any origin may
//! ask, without cookies; so every answer, also of failure, carries CORS headers.

pub mod caller;
pub mod chat_export;
pub mod details;
pub mod livestreams;
pub mod recordings;
pub mod reports;
pub mod uploads;

use std::time::Duration;

use axum::{
    Router,
    extract::Request,
    http::{HeaderName, HeaderValue, Method, header},
    middleware::{Next, from_fn},
    response::{IntoResponse, Response},
    routing::any,
};
use tower_http::cors::{Any, CorsLayer};

use crate::{
    api::{
        error::ApiError,
        route::{Access, Route},
    },
    app::App,
};

/// How long a browser may remember what it may send: as long as Chromium does at most.
const PREFLIGHT_AGE: Duration = Duration::from_secs(7200);

/// Every operation of the clients' face.
pub fn routes() -> Vec<Route> {
    [
        details::routes(),
        uploads::routes(),
        chat_export::routes(),
        recordings::routes(),
        livestreams::routes(),
        reports::routes(),
    ]
    .into_iter()
    .flatten()
    .collect()
}

/// The clients' face. What is misspelt below its paths is answered here too, so that pages can read it.
pub fn router() -> Router<App> {
    let mut router = Router::new();
    let mut files = Router::new();
    for route in routes() {
        if route.access == Access::SignedLink {
            files = files.route(route.path, route.handler());
        } else {
            router = router.route(route.path, route.handler());
        }
    }
    let lost = || any(async || ApiError::no_route().into_response());
    let no_method = async || ApiError::no_method().into_response();
    let files = files
        .route("/files/{*rest}", lost())
        .method_not_allowed_fallback(no_method)
        .layer(from_fn(inert));
    router
        .route("/v2/{*rest}", lost())
        .method_not_allowed_fallback(no_method)
        .merge(files)
}

/// What pages of other origins may send and read. Each header by its name: `*` does not cover
/// `Authorization`.
pub fn cors() -> CorsLayer {
    CorsLayer::new()
        .allow_origin(Any)
        .allow_methods([
            Method::GET,
            Method::HEAD,
            Method::POST,
            Method::PUT,
            Method::OPTIONS,
        ])
        .allow_headers([
            header::AUTHORIZATION,
            header::CONTENT_TYPE,
            header::CONTENT_ENCODING,
            header::RANGE,
            HeaderName::from_static("tracing-id"),
            HeaderName::from_static("x-realtimekit-version"),
            HeaderName::from_static("traceparent"),
        ])
        .expose_headers([
            header::CONTENT_DISPOSITION,
            header::CONTENT_RANGE,
            header::RETRY_AFTER,
            HeaderName::from_static("x-request-id"),
        ])
        .max_age(PREFLIGHT_AGE)
}

/// What a browser gets from `/files` runs nothing, whoever wrote it.
async fn inert(request: Request, next: Next) -> Response {
    let mut response = next.run(request).await;
    let headers = response.headers_mut();
    headers.insert(
        header::X_CONTENT_TYPE_OPTIONS,
        HeaderValue::from_static("nosniff"),
    );
    headers.insert(
        header::CONTENT_SECURITY_POLICY,
        HeaderValue::from_static("sandbox; default-src 'none'"),
    );
    // A page that isolates itself may still show the pictures of its chat.
    headers.insert(
        HeaderName::from_static("cross-origin-resource-policy"),
        HeaderValue::from_static("cross-origin"),
    );
    headers
        .entry(header::CACHE_CONTROL)
        .or_insert(HeaderValue::from_static("private"));
    response
}
