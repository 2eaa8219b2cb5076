//! What webhooks are told, and how they can tell that it comes from here.

pub mod payload;
pub mod signing;

use axum::{extract::State, http::StatusCode, response::Response};
use serde_json::json;

use crate::{
    api::{
        error::ApiError,
        respond::answer,
        route::{Access, Route, object},
    },
    app::App,
};

/// The operations for receivers of webhooks; served at the root alone.
pub fn routes() -> Vec<Route> {
    vec![
        Route::get("/.well-known/webhooks.json", "webhook_public_key", public_key)
            .about("Tells the key that signs what webhooks are told")
            .access(Access::Public)
            .answers_with(200, |_| {
                object([
                    ("success", json!({"type": "boolean"})),
                    ("data", object([("publicKey", json!({"type": "string"}))])),
                    ("message", json!({"type": "string"})),
                ])
            }),
    ]
}

async fn public_key(State(app): State<App>) -> Result<Response, ApiError> {
    let key = app.webhook_keys.get().await.map_err(ApiError::internal)?;
    let body = json!({"success": true, "data": {"publicKey": key.public_pem()}, "message": ""});
    answer(StatusCode::OK, &body)
}
