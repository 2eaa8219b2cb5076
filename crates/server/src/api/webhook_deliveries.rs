//! The log of what a webhook was told (extension): each delivery with its attempts, and once more on request.

use axum::{extract::State, http::StatusCode, response::Response};
use muster_model::{
    DeliveryId, PageRequest, SessionId, Timestamp, WebhookId,
    delivery::{Delivery, DeliveryAttempt, DeliveryStatus},
    webhook::WebhookEvent,
};
use muster_store::deliveries;
use serde::Serialize;
use serde_json::value::RawValue;
use utoipa::ToSchema;

use super::{
    body::{Body, Nothing},
    caller::AppCaller,
    error::ApiError,
    idempotency::Idempotency,
    query::{Kind, PAGE_NO, PER_PAGE, Param, Query},
    respond::Envelope,
    route::Route,
    webhooks::webhook_id,
};
use crate::app::App;

const STATUS: Param = Param::new(
    "status",
    Kind::Choice(DeliveryStatus::WORDS),
    "Deliveries in this state",
);

/// The operations on deliveries.
pub fn routes() -> Vec<Route> {
    const LIST: &str = "/accounts/{account_id}/realtime/kit/{app_id}/webhooks/{webhook_id}/deliveries";
    const AGAIN: &str = "/accounts/{account_id}/realtime/kit/{app_id}/webhooks/{webhook_id}/deliveries/{delivery_id}/redeliver";
    vec![
        Route::get(LIST, "list_webhook_deliveries", list)
            .about("Extension: lists what the webhook was told in the last 30 days, newest first")
            .query(&[PAGE_NO, PER_PAGE, STATUS])
            .answers_page::<DeliveryOut>(),
        Route::post(AGAIN, "redeliver_webhook_delivery", redeliver)
            .about("Extension: queues a delivery that has ended once more, under the same id")
            .answers::<DeliveryOut>(200),
    ]
}

/// One event told to one webhook.
#[derive(Debug, Serialize, ToSchema)]
pub struct DeliveryOut {
    /// `rtk-uuid`: the same over all attempts.
    #[schema(value_type = String, format = Uuid)]
    id: DeliveryId,
    #[schema(value_type = String, format = Uuid)]
    webhook_id: WebhookId,
    /// The session the event is of.
    #[schema(value_type = Option<String>, format = Uuid)]
    session_id: Option<SessionId>,
    event: WebhookEvent,
    status: DeliveryStatus,
    /// What is sent.
    #[schema(value_type = Object)]
    payload: Box<RawValue>,
    /// Attempts begun so far.
    attempt_count: i64,
    /// The latest attempts, at most 20, oldest first.
    attempts: Vec<AttemptOut>,
    /// The HTTP status of the last answer.
    response_status: Option<u16>,
    /// Why the last attempt failed.
    error: Option<String>,
    /// When it is tried again, after an attempt that failed.
    #[schema(value_type = Option<String>, format = DateTime)]
    next_attempt_at: Option<Timestamp>,
    /// When it was delivered or given up.
    #[schema(value_type = Option<String>, format = DateTime)]
    finished_at: Option<Timestamp>,
    #[schema(value_type = String, format = DateTime)]
    created_at: Timestamp,
    #[schema(value_type = String, format = DateTime)]
    updated_at: Timestamp,
}

/// One attempt at a delivery.
#[derive(Debug, Serialize, ToSchema)]
pub struct AttemptOut {
    /// Which, from 1.
    number: i64,
    #[schema(value_type = String, format = DateTime)]
    started_at: Timestamp,
    /// Milliseconds; null while it is under way, and where the server ended meanwhile.
    duration_ms: Option<u64>,
    /// The HTTP status of the answer.
    response_status: Option<u16>,
    /// The beginning of the answer's body, at most 1 KiB.
    response_body: Option<String>,
    /// Why it failed.
    error: Option<String>,
}

impl From<DeliveryAttempt> for AttemptOut {
    fn from(attempt: DeliveryAttempt) -> Self {
        let millis = |time: std::time::Duration| u64::try_from(time.as_millis()).unwrap_or(u64::MAX);
        Self {
            number: attempt.number,
            started_at: attempt.started_at,
            duration_ms: attempt.duration.map(millis),
            response_status: attempt.response_status,
            response_body: attempt.response_body,
            error: attempt.error,
        }
    }
}

impl TryFrom<Delivery> for DeliveryOut {
    type Error = serde_json::Error;

    fn try_from(delivery: Delivery) -> Result<Self, serde_json::Error> {
        Ok(Self {
            id: delivery.id,
            webhook_id: delivery.webhook_id,
            session_id: delivery.session_id,
            event: delivery.event,
            status: delivery.status,
            payload: RawValue::from_string(delivery.body)?,
            attempt_count: delivery.attempt_count,
            attempts: delivery.attempts.into_iter().map(Into::into).collect(),
            response_status: delivery.response_status,
            error: delivery.error,
            next_attempt_at: delivery.next_attempt_at,
            finished_at: delivery.finished_at,
            created_at: delivery.created_at,
            updated_at: delivery.updated_at,
        })
    }
}

async fn list(
    State(app): State<App>,
    caller: AppCaller,
    query: Query,
) -> Result<Envelope<Vec<DeliveryOut>>, ApiError> {
    let id = webhook_id(&caller)?;
    let (page, status) = query.read(|r| {
        let status = r.choice(&STATUS).and_then(DeliveryStatus::from_word);
        (r.page(PageRequest::DEFAULT_SIZE), status)
    })?;
    let found = app.store.deliveries(&caller.scope, id, status, page).await?;
    let items = found
        .items
        .into_iter()
        .map(TryInto::try_into)
        .collect::<Result<Vec<DeliveryOut>, _>>()
        .map_err(ApiError::internal)?;
    Ok(Envelope::paged(items, found.info))
}

async fn redeliver(
    State(app): State<App>,
    caller: AppCaller,
    idempotency: Idempotency,
    body: Body<Nothing>,
) -> Result<Response, ApiError> {
    let webhook = webhook_id(&caller)?;
    let id: DeliveryId = caller.ids.get("delivery_id", "Delivery")?;
    let (scope, now) = (caller.scope.clone(), app.now());
    let answer = idempotency
        .run(
            &app,
            &caller.token,
            caller.scope.app.to_string(),
            body.fingerprint,
            StatusCode::OK,
            move |conn| Box::pin(async move { deliveries::redeliver(conn, &scope, webhook, id, now).await }),
            |delivery| Ok(Envelope::one(DeliveryOut::try_from(delivery)?)),
        )
        .await?;
    app.deliver_soon();
    Ok(answer)
}
