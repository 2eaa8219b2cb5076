//! What clients report of themselves: accepted, counted, dropped.

use axum::{
    body::Body,
    extract::{Request, State},
    http::{HeaderValue, StatusCode, header},
    response::{IntoResponse, Response},
};
use http_body_util::BodyExt;
use serde_json::json;

use crate::{
    api::{
        body::MAX_BODY,
        error::ApiError,
        respond::answer,
        route::{Access, Route},
    },
    app::App,
    http::edge::client_address,
    telemetry::metrics::ClientReport,
};

/// The operations.
pub fn routes() -> Vec<Route> {
    let public = |route: Route| route.access(Access::Public);
    vec![
        public(Route::post("/otel/logs", "report_logs", logs)).about("Takes a client's log lines"),
        public(Route::post("/api/v1/message", "report_call_stats", call_stats))
            .about("Takes a client's statistics of a call"),
        public(Route::get("/location", "get_location", location))
            .about("Tells a client the address it comes from"),
        public(Route::post("/location", "report_location", location))
            .about("Tells a client the address it comes from"),
    ]
}

async fn logs(State(app): State<App>, request: Request) -> Result<Response, ApiError> {
    accept(&app, ClientReport::Logs, request).await
}

async fn call_stats(State(app): State<App>, request: Request) -> Result<Response, ApiError> {
    accept(&app, ClientReport::CallStats, request).await
}

async fn accept(app: &App, kind: ClientReport, request: Request) -> Result<Response, ApiError> {
    drop_body(request.into_body()).await?;
    app.metrics.report(kind);
    Ok(StatusCode::NO_CONTENT.into_response())
}

/// The form of `ipinfo.io`, which the SDK expects. Nobody is asked where an address is, so `loc` is empty.
async fn location(State(app): State<App>, request: Request) -> Result<Response, ApiError> {
    let ip = client_address(&app, request.extensions(), request.headers());
    drop_body(request.into_body()).await?;
    app.metrics.report(ClientReport::Location);
    let ip = ip.map(|ip| ip.to_string()).unwrap_or_default();
    let mut response = answer(StatusCode::OK, &json!({"ip": ip, "loc": ""}))?;
    response
        .headers_mut()
        .insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    Ok(response)
}

/// Reads a body to its end, one piece at a time, and keeps none of it.
async fn drop_body(mut body: Body) -> Result<(), ApiError> {
    let mut read = 0;
    while let Some(frame) = body.frame().await {
        let frame = frame.map_err(|_| ApiError::fault("", "The body did not arrive whole"))?;
        read += frame.data_ref().map_or(0, bytes::Bytes::len);
        if read > MAX_BODY {
            let message = format!("The body must be at most {MAX_BODY} bytes long");
            return Err(ApiError::new(StatusCode::PAYLOAD_TOO_LARGE, message));
        }
    }
    Ok(())
}
