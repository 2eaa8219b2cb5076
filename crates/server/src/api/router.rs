//! The route table, and the router built from it.

use axum::{Router, response::IntoResponse};

use super::{
    accounts, active_session, analytics, apps, error::ApiError, livestreams, meetings, openapi, participants,
    presets, recordings, route::Route, sessions, webhook_deliveries, webhooks,
};
use crate::{app::App, client_api, health, http::edge, realtime::socket, web};

/// The prefix under which the hosted service serves the API; every route is served without it too.
pub const PREFIX: &str = "/client/v4";

/// Every operation of the management API, in the order of the document.
pub fn routes() -> Vec<Route> {
    [
        accounts::routes(),
        apps::routes(),
        meetings::routes(),
        participants::routes(),
        presets::routes(),
        webhooks::routes(),
        webhook_deliveries::routes(),
        active_session::routes(),
        sessions::routes(),
        recordings::routes(),
        livestreams::routes(),
        analytics::routes(),
    ]
    .into_iter()
    .flatten()
    .collect()
}

/// What is served at the root alone, whatever the host name.
pub fn root_routes() -> Vec<Route> {
    let mut routes = health::routes();
    routes.extend(crate::webhooks::routes());
    routes
}

/// The router over every face that is built.
pub fn router(app: App) -> Router {
    let mut management = Router::new();
    for route in routes() {
        management = management
            .route(&format!("{PREFIX}{}", route.path), route.handler())
            .route(route.path, route.handler());
    }
    for route in root_routes() {
        management = management.route(route.path, route.handler());
    }
    let edge = axum::middleware::from_fn_with_state(app.clone(), edge::edge);
    let management = management
        .route("/openapi.json", axum::routing::get(openapi::serve))
        .merge(web::router(&app.config))
        .fallback(async || ApiError::no_route().into_response())
        .method_not_allowed_fallback(async || ApiError::no_method().into_response())
        .layer(edge.clone());
    // Outside of the edge, so that a page can read what the edge refuses too.
    let clients = client_api::router()
        .route("/ws", axum::routing::get(socket::upgrade))
        .layer(edge)
        .layer(client_api::cors());
    management.merge(clients).with_state(app)
}
