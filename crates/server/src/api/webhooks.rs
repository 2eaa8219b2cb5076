//! Webhooks: who is told what happens in an app.

use axum::{extract::State, http::StatusCode, response::Response};
use muster_model::{
    Timestamp, WebhookId,
    webhook::{Webhook, WebhookEvent, WebhookSettings},
};
use muster_store::webhooks;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::{
    body::{Body, Input},
    caller::AppCaller,
    error::{ApiError, Fault},
    idempotency::Idempotency,
    respond::Envelope,
    route::{Route, envelope, list_of},
};
use crate::{app::App, outbound};

/// The operations on webhooks.
pub fn routes() -> Vec<Route> {
    const LIST: &str = "/accounts/{account_id}/realtime/kit/{app_id}/webhooks";
    const EVENTS: &str = "/accounts/{account_id}/realtime/kit/{app_id}/webhooks/all";
    const ONE: &str = "/accounts/{account_id}/realtime/kit/{app_id}/webhooks/{webhook_id}";
    vec![
        Route::get(LIST, "list_webhooks", list)
            .about("Lists all of the app's webhooks, newest first")
            .answers_with(200, |components| envelope(list_of::<WebhookOut>(components))),
        Route::post(LIST, "create_webhook", create)
            .about("Makes a webhook")
            .body::<WebhookIn>()
            .answers::<WebhookOut>(201),
        Route::get(EVENTS, "list_webhook_events", events)
            .about("Lists the events a webhook can be told of")
            .answers_with(200, |components| envelope(list_of::<WebhookEvent>(components))),
        Route::get(ONE, "get_webhook", get)
            .about("Reads a webhook")
            .answers::<WebhookOut>(200),
        Route::patch(ONE, "update_webhook", update)
            .about("Changes what is given")
            .body::<WebhookPatch>()
            .answers::<WebhookOut>(200),
        Route::put(ONE, "replace_webhook", replace)
            .about("Replaces the webhook; it is enabled unless told otherwise")
            .body::<WebhookIn>()
            .answers::<WebhookOut>(200),
        Route::delete(ONE, "delete_webhook", delete)
            .about("Deletes a webhook")
            .answers::<WebhookOut>(200),
    ]
}

/// A webhook to be made, or the whole of one to be replaced.
#[derive(Debug, Deserialize, ToSchema)]
pub struct WebhookIn {
    /// Unique within the app.
    #[schema(min_length = 1, max_length = 256)]
    name: String,
    /// An http or https address that does not lead into a private network.
    #[schema(format = "uri", max_length = 4096)]
    url: String,
    /// What it is told of.
    #[schema(min_items = 1)]
    events: Vec<WebhookEvent>,
    #[schema(default = true)]
    enabled: Option<bool>,
}

impl Input for WebhookIn {
    fn check(&self, faults: &mut Vec<Fault>) {
        if let Err(refusal) = outbound::parse(&self.url) {
            faults.push(Fault::of("url", refusal));
        }
    }
}

impl From<WebhookIn> for WebhookSettings {
    fn from(input: WebhookIn) -> Self {
        Self {
            name: input.name,
            url: input.url,
            events: distinct(input.events),
            enabled: input.enabled.unwrap_or(true),
        }
    }
}

/// A change of a webhook: what is absent or `null` stays.
#[derive(Debug, Deserialize, ToSchema)]
pub struct WebhookPatch {
    #[schema(min_length = 1, max_length = 256)]
    name: Option<String>,
    #[schema(format = "uri", max_length = 4096)]
    url: Option<String>,
    #[schema(min_items = 1)]
    events: Option<Vec<WebhookEvent>>,
    enabled: Option<bool>,
}

impl Input for WebhookPatch {
    fn check(&self, faults: &mut Vec<Fault>) {
        if let Some(Err(refusal)) = self.url.as_deref().map(outbound::parse) {
            faults.push(Fault::of("url", refusal));
        }
    }
}

impl WebhookPatch {
    fn over(self, stored: WebhookSettings) -> WebhookSettings {
        WebhookSettings {
            name: self.name.unwrap_or(stored.name),
            url: self.url.unwrap_or(stored.url),
            events: self.events.map_or(stored.events, distinct),
            enabled: self.enabled.unwrap_or(stored.enabled),
        }
    }
}

/// Each event once, where it came first.
fn distinct(events: Vec<WebhookEvent>) -> Vec<WebhookEvent> {
    let mut kept = Vec::with_capacity(WebhookEvent::ALL.len());
    for event in events {
        if !kept.contains(&event) {
            kept.push(event);
        }
    }
    kept
}

/// A webhook.
#[derive(Debug, Serialize, ToSchema)]
pub struct WebhookOut {
    #[schema(value_type = String, format = Uuid)]
    id: WebhookId,
    name: String,
    #[schema(format = "uri")]
    url: String,
    events: Vec<WebhookEvent>,
    enabled: bool,
    #[schema(value_type = String, format = DateTime)]
    created_at: Timestamp,
    #[schema(value_type = String, format = DateTime)]
    updated_at: Timestamp,
}

impl From<Webhook> for WebhookOut {
    fn from(webhook: Webhook) -> Self {
        let settings = webhook.settings;
        Self {
            id: webhook.id,
            name: settings.name,
            url: settings.url,
            events: settings.events,
            enabled: settings.enabled,
            created_at: webhook.created_at,
            updated_at: webhook.updated_at,
        }
    }
}

/// The webhook in the path. The published contract answers 400, not 404, where it is no id.
pub(super) fn webhook_id(caller: &AppCaller) -> Result<WebhookId, ApiError> {
    caller
        .ids
        .get("webhook_id", "Webhook")
        .map_err(|_| ApiError::fault("id", "must be a valid GUID"))
}

fn check_address(app: &App, url: &str) -> Result<(), ApiError> {
    outbound::check(url, &app.config.allow_outbound)
        .map(|_| ())
        .map_err(|refusal| ApiError::fault("url", refusal))
}

async fn list(State(app): State<App>, caller: AppCaller) -> Result<Envelope<Vec<WebhookOut>>, ApiError> {
    let found = app.store.webhooks(&caller.scope).await?;
    Ok(Envelope::one(found.into_iter().map(WebhookOut::from).collect()))
}

async fn events(_: AppCaller) -> Envelope<[WebhookEvent; 9]> {
    Envelope::one(WebhookEvent::ALL)
}

async fn create(
    State(app): State<App>,
    caller: AppCaller,
    idempotency: Idempotency,
    body: Body<WebhookIn>,
) -> Result<Response, ApiError> {
    let settings = WebhookSettings::from(body.value);
    check_address(&app, &settings.url)?;
    app.webhook_keys.make_ready();
    let (scope, now) = (caller.scope.clone(), app.now());
    idempotency
        .run(
            &app,
            &caller.token,
            caller.scope.app.to_string(),
            body.fingerprint,
            StatusCode::CREATED,
            move |conn| Box::pin(async move { webhooks::create(conn, &scope, settings, now).await }),
            |webhook| Ok(Envelope::one(WebhookOut::from(webhook))),
        )
        .await
}

async fn get(State(app): State<App>, caller: AppCaller) -> Result<Envelope<WebhookOut>, ApiError> {
    let id = webhook_id(&caller)?;
    Ok(Envelope::one(app.store.webhook(&caller.scope, id).await?.into()))
}

async fn update(
    State(app): State<App>,
    caller: AppCaller,
    body: Body<WebhookPatch>,
) -> Result<Envelope<WebhookOut>, ApiError> {
    let id = webhook_id(&caller)?;
    let patch = body.value;
    // An address that is kept was judged when it came.
    if let Some(url) = &patch.url {
        check_address(&app, url)?;
    }
    change(&app, caller, id, move |stored| patch.over(stored)).await
}

async fn replace(
    State(app): State<App>,
    caller: AppCaller,
    body: Body<WebhookIn>,
) -> Result<Envelope<WebhookOut>, ApiError> {
    let id = webhook_id(&caller)?;
    let settings = WebhookSettings::from(body.value);
    check_address(&app, &settings.url)?;
    change(&app, caller, id, move |_| settings).await
}

/// Reads a webhook, lets `decide` say what it becomes, and stores that, in one transaction.
async fn change<F>(
    app: &App,
    caller: AppCaller,
    id: WebhookId,
    decide: F,
) -> Result<Envelope<WebhookOut>, ApiError>
where
    F: FnOnce(WebhookSettings) -> WebhookSettings + Send + 'static,
{
    let (scope, now) = (caller.scope, app.now());
    let changed = app
        .store
        .write(move |conn| {
            Box::pin(async move {
                let stored = webhooks::load_locked(conn, &scope, id).await?;
                let settings = decide(stored.settings);
                webhooks::update(conn, &scope, id, &settings, now).await?;
                Ok(Webhook {
                    id,
                    settings,
                    created_at: stored.created_at,
                    updated_at: now,
                })
            })
        })
        .await?;
    // What waits fails when it was disabled.
    app.deliver_soon();
    Ok(Envelope::one(changed.into()))
}

async fn delete(State(app): State<App>, caller: AppCaller) -> Result<Envelope<WebhookOut>, ApiError> {
    let (id, scope, now) = (webhook_id(&caller)?, caller.scope, app.now());
    let deleted = app
        .store
        .write(move |conn| Box::pin(async move { webhooks::delete(conn, &scope, id, now).await }))
        .await?;
    app.purge_soon();
    Ok(Envelope::one(deleted.into()))
}
