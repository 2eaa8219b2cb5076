//! `/healthz`: the process is up. `/readyz`: it can do its work.

use axum::{extract::State, http::StatusCode, response::Response};
use serde_json::json;

use crate::{
    api::{
        error::ApiError,
        respond::answer,
        route::{Access, Route},
    },
    app::App,
};

/// The operations that a supervisor asks; served at the root alone.
pub fn routes() -> Vec<Route> {
    let status = |_: &mut _| json!({"type": "object", "required": ["status"], "properties": {"status": {"type": "string"}}});
    vec![
        Route::get("/healthz", "healthz", healthz)
            .about("Tells that the process is up")
            .access(Access::Public)
            .answers_with(200, status),
        Route::get("/readyz", "readyz", readyz)
            .about("Tells that the store can be read and written")
            .access(Access::Public)
            .answers_with(200, status),
    ]
}

async fn healthz() -> Result<Response, ApiError> {
    answer(StatusCode::OK, &json!({"status": "up"}))
}

async fn readyz(State(app): State<App>) -> Result<Response, ApiError> {
    if app.is_stopping() {
        return Err(ApiError::unavailable("The server is stopping"));
    }
    if !app.is_writable() {
        return Err(ApiError::unavailable("The store cannot be written"));
    }
    app.store.fact("last_probe").await?;
    answer(StatusCode::OK, &json!({"status": "ready"}))
}
