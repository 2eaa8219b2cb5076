//! Presets.
//!
//! Bodies are merged over the defaults (or, for PATCH, over the stored preset) and only then checked,
//! so that callers give as little as they like and are told all faults at once.

use axum::{extract::State, http::StatusCode, response::Response};
use muster_model::{
    PageRequest, PresetId, Timestamp,
    preset::{Permissions, Preset, PresetBody, PresetConfig, PresetSummary, PresetUi},
};
use muster_store::{participants::PresetRef, presets};
use serde::Serialize;
use serde_json::{Map, Value, json};
use utoipa::ToSchema;

use super::{
    body::{Input, Object, checked},
    caller::AppCaller,
    error::ApiError,
    idempotency::Idempotency,
    lenient::lenient,
    merge::{merge, over_defaults},
    query::{Kind, PAGE_NO, PER_PAGE, Param, Query},
    respond::Envelope,
    route::{Components, Route},
};
use crate::app::App;

const SEARCH: Param = Param::new("search", Kind::ShortText(256), "Part of the name");
const REASSIGN_TO: Param = Param::new(
    "reassign_to",
    Kind::Text,
    "Extension: the id or name of the preset that this one's participants get; \
     without it a preset in use is not deleted",
);

/// The operations on presets.
pub fn routes() -> Vec<Route> {
    const LIST: &str = "/accounts/{account_id}/realtime/kit/{app_id}/presets";
    const ONE: &str = "/accounts/{account_id}/realtime/kit/{app_id}/presets/{preset_id}";
    vec![
        Route::get(LIST, "list_presets", list)
            .about("Lists the app's presets, newest first, without what they say")
            .query(&[PAGE_NO, PER_PAGE, SEARCH])
            .answers_page::<PresetSummaryOut>(),
        Route::post(LIST, "create_preset", create)
            .about("Makes a preset; what is left out is that of a plain group call")
            .body_with(preset_in)
            .answers::<PresetOut>(201),
        Route::get(ONE, "get_preset", get)
            .about("Reads a preset")
            .answers::<PresetOut>(200),
        Route::patch(ONE, "update_preset", update)
            .about("Changes what is given, at any depth; null returns to the default")
            .body_with(preset_patch)
            .answers::<PresetOut>(200),
        Route::put(ONE, "replace_preset", replace)
            .about("Replaces the preset; what is left out is that of a plain group call")
            .body_with(preset_in)
            .answers::<PresetOut>(200),
        Route::delete(ONE, "delete_preset", delete)
            .about("Deletes a preset that no participant has")
            .query(&[REASSIGN_TO])
            .answers::<PresetOut>(200),
    ]
}

/// The schema of a preset to be made or replaced: only the name must be given.
fn preset_in(components: &mut Components) -> Value {
    named(components, "PresetIn", || {
        let mut schema = lenient::<PresetBody>();
        schema["required"] = json!(["name"]);
        schema["properties"]["name"]["type"] = json!("string");
        for (name, default) in defaults().unwrap_or_default() {
            schema["properties"][name]["default"] = default;
        }
        schema
    })
}

/// The schema of a change of a preset.
fn preset_patch(components: &mut Components) -> Value {
    named(components, "PresetPatch", || {
        let mut schema = lenient::<PresetBody>();
        schema["properties"]["name"]["type"] = json!("string");
        schema
    })
}

fn named(components: &mut Components, name: &str, schema: impl FnOnce() -> Value) -> Value {
    components.entry(name).or_insert_with(schema);
    json!({"$ref": format!("#/components/schemas/{name}")})
}

impl Input for PresetBody {
    fn normalise(body: &mut Map<String, Value>) {
        // Client SDKs write no logo as an empty one.
        let tokens = body
            .get_mut("ui")
            .and_then(|ui| ui.get_mut("design_tokens"))
            .and_then(Value::as_object_mut);
        if let Some(tokens) = tokens
            && tokens.get("logo").and_then(Value::as_str) == Some("")
        {
            tokens.remove("logo");
        }
    }
}

/// A preset.
#[derive(Debug, Serialize, ToSchema)]
pub struct PresetOut {
    #[schema(value_type = String, format = Uuid)]
    id: PresetId,
    name: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    version: Option<String>,
    config: PresetConfig,
    permissions: Permissions,
    ui: PresetUi,
    #[serde(skip_serializing_if = "Option::is_none")]
    track_recording: Option<Value>,
    #[schema(value_type = String, format = DateTime)]
    created_at: Timestamp,
    #[schema(value_type = String, format = DateTime)]
    updated_at: Timestamp,
}

impl From<Preset> for PresetOut {
    fn from(preset: Preset) -> Self {
        let body = preset.body;
        Self {
            id: preset.id,
            name: body.name,
            version: body.version,
            config: body.config,
            permissions: body.permissions,
            ui: body.ui,
            track_recording: body.track_recording,
            created_at: preset.created_at,
            updated_at: preset.updated_at,
        }
    }
}

/// A preset as the list shows it.
#[derive(Debug, Serialize, ToSchema)]
pub struct PresetSummaryOut {
    #[schema(value_type = String, format = Uuid)]
    id: PresetId,
    name: String,
    #[schema(value_type = String, format = DateTime)]
    created_at: Timestamp,
    #[schema(value_type = String, format = DateTime)]
    updated_at: Timestamp,
}

impl From<PresetSummary> for PresetSummaryOut {
    fn from(preset: PresetSummary) -> Self {
        Self {
            id: preset.id,
            name: preset.name,
            created_at: preset.created_at,
            updated_at: preset.updated_at,
        }
    }
}

fn object(body: &PresetBody) -> Result<Map<String, Value>, ApiError> {
    match serde_json::to_value(body).map_err(ApiError::internal)? {
        Value::Object(object) => Ok(object),
        _ => Err(ApiError::internal(anyhow::anyhow!("a preset is not an object"))),
    }
}

/// A preset without a name.
fn defaults() -> Result<Map<String, Value>, ApiError> {
    let mut defaults = object(&PresetBody::named(""))?;
    defaults.remove("name");
    Ok(defaults)
}

/// The whole preset that a caller means.
fn completed(given: Map<String, Value>) -> Result<PresetBody, ApiError> {
    checked(Value::Object(over_defaults(defaults()?, given)))
}

/// A stored preset with a change merged in.
fn patched(stored: &PresetBody, change: Map<String, Value>) -> Result<PresetBody, ApiError> {
    let mut whole = object(stored)?;
    merge(&mut whole, change);
    completed(whole)
}

fn preset_id(caller: &AppCaller) -> Result<PresetId, ApiError> {
    caller.ids.get("preset_id", "Preset")
}

async fn list(
    State(app): State<App>,
    caller: AppCaller,
    query: Query,
) -> Result<Envelope<Vec<PresetSummaryOut>>, ApiError> {
    let (page, search) = query.read(|r| (r.page(PageRequest::DEFAULT_SIZE), r.text(&SEARCH)))?;
    let found = app.store.presets(&caller.scope, search, page).await?;
    Ok(found.map(PresetSummaryOut::from).into())
}

async fn create(
    State(app): State<App>,
    caller: AppCaller,
    idempotency: Idempotency,
    body: Object,
) -> Result<Response, ApiError> {
    let preset = completed(body.value)?;
    let (scope, now) = (caller.scope.clone(), app.now());
    idempotency
        .run(
            &app,
            &caller.token,
            caller.scope.app.to_string(),
            body.fingerprint,
            StatusCode::CREATED,
            move |conn| Box::pin(async move { presets::create(conn, &scope, preset, now).await }),
            |preset| Ok(Envelope::one(PresetOut::from(preset))),
        )
        .await
}

async fn get(State(app): State<App>, caller: AppCaller) -> Result<Envelope<PresetOut>, ApiError> {
    let id = preset_id(&caller)?;
    Ok(Envelope::one(app.store.preset(&caller.scope, id).await?.into()))
}

async fn replace(
    State(app): State<App>,
    caller: AppCaller,
    body: Object,
) -> Result<Envelope<PresetOut>, ApiError> {
    change(&app, caller, move |_| completed(body.value)).await
}

async fn update(
    State(app): State<App>,
    caller: AppCaller,
    body: Object,
) -> Result<Envelope<PresetOut>, ApiError> {
    change(&app, caller, move |stored| patched(&stored, body.value)).await
}

/// Reads a preset, lets `decide` say what it becomes, and stores that, in one transaction.
async fn change<F>(app: &App, caller: AppCaller, decide: F) -> Result<Envelope<PresetOut>, ApiError>
where
    F: FnOnce(PresetBody) -> Result<PresetBody, ApiError> + Send + 'static,
{
    let (id, scope, now) = (preset_id(&caller)?, caller.scope, app.now());
    let changed = app
        .store
        .write(move |conn| {
            Box::pin(async move {
                let stored = presets::load_locked(conn, &scope, id).await?;
                let created_at = stored.created_at;
                let body = match decide(stored.body) {
                    Ok(body) => body,
                    Err(refused) => return Ok(Err(refused)),
                };
                presets::update(conn, &scope, id, &body, now).await?;
                Ok(Ok(Preset {
                    id,
                    body,
                    created_at,
                    updated_at: now,
                }))
            })
        })
        .await??;
    Ok(Envelope::one(changed.into()))
}

async fn delete(
    State(app): State<App>,
    caller: AppCaller,
    query: Query,
) -> Result<Envelope<PresetOut>, ApiError> {
    let reassign_to = query.read(|r| r.text(&REASSIGN_TO))?.map(|text| {
        text.parse()
            .map_or_else(|_| PresetRef::Name(text.to_owned()), PresetRef::Id)
    });
    let id = preset_id(&caller)?;
    let deleted = app
        .store
        .delete_preset(&caller.scope, id, reassign_to, app.now())
        .await?;
    Ok(Envelope::one(deleted.into()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn given(value: Value) -> Map<String, Value> {
        match value {
            Value::Object(object) => object,
            _ => panic!("an object"),
        }
    }

    fn faults(result: Result<PresetBody, ApiError>) -> String {
        format!("{:?}", result.unwrap_err())
    }

    #[test]
    fn a_name_is_enough() {
        assert_eq!(
            completed(given(json!({"name": "x"}))).unwrap(),
            PresetBody::named("x")
        );
        let nulls = json!({"name": "x", "config": null, "permissions": {"chat": {"public": null}}});
        assert_eq!(completed(given(nulls)).unwrap(), PresetBody::named("x"));
        assert!(faults(completed(given(json!({})))).contains("\\\"name\\\" is required"));
    }

    #[test]
    fn every_fault_is_told_with_its_path() {
        let body = json!({
            "name": "",
            "config": {"view_type": "CHAT", "media": {"video": {"frame_rate": 31}}},
            "permissions": {"kick_participant": "yes", "plugins": {"config": []}},
            "ui": {"design_tokens": {"spacing_base": 0, "colors": {"brand": {"300": 5}}}},
        });
        let told = faults(completed(given(body)));
        for path in [
            "name",
            "config.view_type",
            "config.media.video.frame_rate",
            "permissions.kick_participant",
            "permissions.plugins.config",
            "ui.design_tokens.spacing_base",
            "ui.design_tokens.colors.brand.300",
        ] {
            assert!(told.contains(&format!("field: \"{path}\"")), "{path} in {told}");
        }
    }

    #[test]
    fn changes_go_deep_and_null_returns_to_the_default() {
        let body = json!({
            "name": "x",
            "permissions": {"polls": {"can_create": false}, "stage_access": "ALLOWED",
                "plugins": {"config": {"p": {"access_control": "VIEW_ONLY"}}}},
            "ui": {"design_tokens": {"theme": "light", "logo": ""}},
        });
        let stored = completed(given(body)).unwrap();
        assert!(stored.ui.design_tokens.logo.is_none());
        let change = json!({
            "unknown": 1,
            "permissions": {"polls": {"can_vote": false}, "stage_access": null,
                "plugins": {"config": {"p": null, "q": {"handles_view_only": true}}}},
            "ui": {"design_tokens": {"theme": null}},
        });
        let changed = patched(&stored, given(change)).unwrap();
        let polls = changed.permissions.polls;
        assert_eq!((polls.can_create, polls.can_vote), (false, false));
        assert!(changed.permissions.stage_access.is_none());
        let plugins: Vec<&String> = changed.permissions.plugins.config.keys().collect();
        assert_eq!(plugins, ["q"]);
        assert_eq!(changed.ui.design_tokens, PresetBody::named("x").ui.design_tokens);
        assert!(patched(&stored, given(json!({"name": null}))).is_err());
    }

    #[test]
    fn the_document_requires_little_of_requests_and_all_of_answers() {
        let mut components = Components::new();
        preset_in(&mut components);
        preset_patch(&mut components);
        let text = components["PresetPatch"].to_string();
        assert!(
            !text.contains("\"required\":") && !text.contains("$ref"),
            "{text}"
        );
        assert_eq!(components["PresetIn"]["required"], json!(["name"]));
        let validator = jsonschema::validator_for(&components["PresetIn"]).unwrap();
        assert!(validator.is_valid(&json!({"name": "x", "permissions": {"media": {"audio": {}}}})));
        assert!(!validator.is_valid(&json!({"name": null})));
        assert!(validator.is_valid(&serde_json::to_value(PresetBody::named("x")).unwrap()));
        super::super::route::reference::<PresetOut>(&mut components);
        let required = |name: &str| components[name]["required"].as_array().unwrap().clone();
        for member in [
            "id",
            "name",
            "config",
            "permissions",
            "ui",
            "created_at",
            "updated_at",
        ] {
            assert!(required("PresetOut").contains(&json!(member)), "{member}");
        }
        assert_eq!(required("PresetMedia"), [json!("video"), json!("screenshare")]);
        assert_eq!(required("PresetUi"), [json!("design_tokens")]);
        for optional in [
            "accept_stage_requests",
            "is_recorder",
            "stage_enabled",
            "stage_access",
            "transcription_enabled",
            "track_recording",
        ] {
            assert!(!required("Permissions").contains(&json!(optional)), "{optional}");
        }
        assert_eq!(required("Permissions").len(), 21);
    }
}
