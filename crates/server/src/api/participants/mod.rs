//! Participants of a meeting: the page this project began with.

pub mod pages;

use std::time::Duration;

use axum::{extract::State, http::StatusCode, response::Response};
use muster_model::{PageRequest, ParticipantId, PresetId, Timestamp, participant::Participant};
use muster_room::Command;
use muster_store::participants::{
    self, NewParticipant, ParticipantFilter, ParticipantPatch, PresetRef, Window,
};
use serde::{Deserialize, Deserializer, Serialize};
use serde_json::{Map, Value};
use utoipa::ToSchema;

use super::{
    body::{Body, Input},
    caller::MeetingCaller,
    error::{ApiError, Fault},
    idempotency::Idempotency,
    query::{Kind, PAGE_NO, PER_PAGE, Param, Query},
    respond::{Envelope, answer, json_bytes},
    route::Route,
};
use crate::app::App;

const SEARCH: Param = Param::new(
    "search",
    Kind::ShortText(256),
    "Extension: part of the name or the custom id, or the id",
);
const CUSTOM_ID: Param = Param::new(
    "custom_participant_id",
    Kind::Text,
    "Extension: exactly this custom id",
);
const AFTER: Param = Param::new(
    "after",
    Kind::Text,
    "Extension: the id of a participant; the page begins after it and costs the same at any depth. \
     Its offsets count from there",
);
const DISCONNECT: Param = Param::new(
    "disconnect",
    Kind::Bool,
    "Extension: also ends the participant's connections",
);

/// The operations on participants.
pub fn routes() -> Vec<Route> {
    const LIST: &str = "/accounts/{account_id}/realtime/kit/{app_id}/meetings/{meeting_id}/participants";
    const ONE: &str =
        "/accounts/{account_id}/realtime/kit/{app_id}/meetings/{meeting_id}/participants/{participant_id}";
    const TOKEN: &str = "/accounts/{account_id}/realtime/kit/{app_id}/meetings/{meeting_id}/participants/{participant_id}/token";
    vec![
        Route::get(LIST, "list_participants", list)
            .about("Lists the meeting's participants, newest first")
            .query(&[PAGE_NO, PER_PAGE, SEARCH, CUSTOM_ID, AFTER])
            .answers_page::<ParticipantOut>(),
        Route::post(LIST, "add_participant", add)
            .about("Adds a participant and answers a token; a known custom id answers the same record")
            .body::<ParticipantIn>()
            .answers::<ParticipantWithToken>(201),
        Route::get(ONE, "get_participant", get)
            .about("Reads a participant")
            .answers::<ParticipantOut>(200),
        Route::patch(ONE, "update_participant", update)
            .about("Changes what is given and answers a new token")
            .body::<ParticipantChange>()
            .answers::<ParticipantWithToken>(200),
        Route::put(ONE, "replace_participant", replace)
            .about("Replaces the participant and answers a new token")
            .body::<ParticipantIn>()
            .answers::<ParticipantWithToken>(200),
        Route::delete(ONE, "delete_participant", delete)
            .about("Removes the participant; none of its tokens holds any longer")
            .query(&[DISCONNECT])
            .answers::<DeletedParticipant>(200),
        Route::post(TOKEN, "refresh_participant_token", refresh)
            .about("Answers a new token; older ones hold until they expire")
            .optional_body::<RefreshIn>()
            .answers::<TokenOut>(200),
    ]
}

/// A participant to be added, or the whole of one to be replaced. Either `preset_name` or (extension)
/// `preset_id` must be given.
#[derive(Debug, Deserialize, ToSchema)]
pub struct ParticipantIn {
    /// The caller's own name for the person.
    #[schema(min_length = 1, max_length = 256)]
    custom_participant_id: String,
    #[schema(min_length = 1, max_length = 128)]
    preset_name: Option<String>,
    #[schema(value_type = Option<String>, format = Uuid)]
    preset_id: Option<PresetId>,
    #[schema(max_length = 1024)]
    name: Option<String>,
    #[schema(format = "uri", max_length = 4096)]
    picture: Option<String>,
    /// Extension: seconds for which the token holds.
    #[schema(minimum = 1, maximum = 315_360_000)]
    #[serde(default, deserialize_with = "muster_model::number::whole")]
    expires_in: Option<u32>,
}

impl Input for ParticipantIn {
    fn normalise(body: &mut Map<String, Value>) {
        // The predecessor's name of the field.
        if let Some(id) = body.remove("client_specific_id") {
            body.entry("custom_participant_id").or_insert(id);
        }
    }

    fn check_fields(body: &Map<String, Value>, faults: &mut Vec<Fault>) {
        let absent = |name| body.get(name).is_none_or(Value::is_null);
        if absent("preset_name") && absent("preset_id") {
            faults.push(Fault::of("preset_name", "is required"));
        }
    }
}

fn preset_ref(name: Option<String>, id: Option<PresetId>) -> Option<PresetRef> {
    name.map(PresetRef::Name).or(id.map(PresetRef::Id))
}

/// A change of a participant: what is absent stays, a name or picture of `null` is taken away.
#[derive(Debug, Deserialize, ToSchema)]
pub struct ParticipantChange {
    #[schema(min_length = 1, max_length = 128)]
    preset_name: Option<String>,
    #[schema(value_type = Option<String>, format = Uuid)]
    preset_id: Option<PresetId>,
    #[serde(default, deserialize_with = "given")]
    #[schema(value_type = Option<String>, max_length = 1024)]
    name: Option<Option<String>>,
    #[serde(default, deserialize_with = "given")]
    #[schema(value_type = Option<String>, format = "uri", max_length = 4096)]
    picture: Option<Option<String>>,
    /// Extension: whether it may not join. Set by kicking with `ban` too.
    banned: Option<bool>,
    /// Extension: seconds for which the token holds.
    #[schema(minimum = 1, maximum = 315_360_000)]
    #[serde(default, deserialize_with = "muster_model::number::whole")]
    expires_in: Option<u32>,
}

impl Input for ParticipantChange {}

/// Tells `null` from absent.
fn given<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Option<String>>, D::Error> {
    Option::deserialize(deserializer).map(Some)
}

/// How long a refreshed token holds.
#[derive(Debug, Deserialize, ToSchema)]
pub struct RefreshIn {
    /// Extension: seconds for which the token holds.
    #[schema(minimum = 1, maximum = 315_360_000)]
    #[serde(default, deserialize_with = "muster_model::number::whole")]
    expires_in: Option<u32>,
}

impl Input for RefreshIn {
    const MAY_BE_ABSENT: bool = true;
}

/// A participant.
#[derive(Debug, Serialize, ToSchema)]
pub struct ParticipantOut {
    #[schema(value_type = String, format = Uuid)]
    id: ParticipantId,
    custom_participant_id: String,
    preset_name: String,
    name: Option<String>,
    #[schema(format = "uri")]
    picture: Option<String>,
    #[schema(value_type = String, format = DateTime)]
    created_at: Timestamp,
    #[schema(value_type = String, format = DateTime)]
    updated_at: Timestamp,
    /// Extension: true where it may not join. Not told in lists.
    #[serde(skip_serializing_if = "Option::is_none")]
    banned: Option<bool>,
}

impl ParticipantOut {
    fn with_ban(participant: Participant) -> Self {
        Self {
            banned: participant.banned.then_some(true),
            ..participant.into()
        }
    }
}

impl From<Participant> for ParticipantOut {
    fn from(participant: Participant) -> Self {
        Self {
            id: participant.id,
            custom_participant_id: participant.custom_participant_id,
            preset_name: participant.preset_name,
            name: participant.name,
            picture: participant.picture,
            created_at: participant.created_at,
            updated_at: participant.updated_at,
            banned: None,
        }
    }
}

/// A participant and a token to join with.
#[derive(Debug, Serialize, ToSchema)]
pub struct ParticipantWithToken {
    #[serde(flatten)]
    participant: ParticipantOut,
    #[serde(flatten)]
    token: TokenOut,
}

/// A participant's token and (extension) when it ends.
#[derive(Debug, Serialize, ToSchema)]
pub struct TokenOut {
    token: String,
    #[schema(value_type = String, format = DateTime)]
    expires_at: Timestamp,
}

/// What is said of a participant that was removed.
#[derive(Debug, Serialize, ToSchema)]
pub struct DeletedParticipant {
    custom_participant_id: String,
    #[schema(value_type = String, format = Uuid)]
    preset_id: PresetId,
    #[schema(value_type = String, format = DateTime)]
    created_at: Timestamp,
    #[schema(value_type = String, format = DateTime)]
    updated_at: Timestamp,
}

fn sign(
    app: &App,
    caller: &MeetingCaller,
    participant: &Participant,
    ttl: Option<u32>,
) -> anyhow::Result<TokenOut> {
    let ttl = ttl.map_or(app.config.participant_token_ttl, |secs| {
        Duration::from_secs(secs.into())
    });
    let signed = app
        .participant_tokens
        .sign(caller.at.scope.app, participant, ttl, app.now())?;
    Ok(TokenOut {
        token: signed.token,
        expires_at: signed.expires_at,
    })
}

fn with_token(
    app: &App,
    caller: &MeetingCaller,
    participant: Participant,
    ttl: Option<u32>,
) -> anyhow::Result<Envelope<ParticipantWithToken>> {
    let token = sign(app, caller, &participant, ttl)?;
    Ok(Envelope::one(ParticipantWithToken {
        participant: ParticipantOut::with_ban(participant),
        token,
    }))
}

async fn list(State(app): State<App>, caller: MeetingCaller, query: Query) -> Result<Response, ApiError> {
    let (page, filter, after) = query.read(|r| {
        let filter = ParticipantFilter {
            search: r.text(&SEARCH).map(str::to_owned),
            custom_participant_id: r.text(&CUSTOM_ID).map(str::to_owned),
        };
        (r.page(PageRequest::DEFAULT_SIZE), filter, r.text(&AFTER))
    })?;
    let window = match after {
        None => Window::Page(page),
        Some(id) => Window::After(id.parse().map_err(|_| ApiError::not_found("Participant"))?, page),
    };
    let body = app.roster_pages.page(caller.at, filter, window).await?;
    Ok(json_bytes(StatusCode::OK, body))
}

async fn add(
    State(app): State<App>,
    caller: MeetingCaller,
    idempotency: Idempotency,
    body: Body<ParticipantIn>,
) -> Result<Response, ApiError> {
    let input = body.value;
    let preset = preset_ref(input.preset_name, input.preset_id)
        .ok_or_else(|| ApiError::fault("preset_name", "is required"))?;
    let new = NewParticipant {
        custom_participant_id: input.custom_participant_id,
        preset,
        name: input.name,
        picture: input.picture,
    };
    let (at, policy, now) = (caller.at.clone(), app.config.duplicate_participants, app.now());
    let (token, owner) = (caller.token.clone(), caller.at.scope.app.to_string());
    let signer = app.clone();
    if !idempotency.is_given() {
        // Nothing is kept beside it.
        let added = app
            .store
            .write_once(move |conn| {
                Box::pin(async move { participants::add(conn, &at, new, policy, now).await })
            })
            .await?;
        let added = with_token(&app, &caller, added, input.expires_in).map_err(ApiError::internal)?;
        return answer(StatusCode::CREATED, &added);
    }
    idempotency
        .run(
            &app,
            &token,
            owner,
            body.fingerprint,
            StatusCode::CREATED,
            move |conn| Box::pin(async move { participants::add(conn, &at, new, policy, now).await }),
            move |participant| with_token(&signer, &caller, participant, input.expires_in),
        )
        .await
}

async fn get(State(app): State<App>, caller: MeetingCaller) -> Result<Envelope<ParticipantOut>, ApiError> {
    let id = caller.participant()?;
    let participant = app.store.participant(&caller.at, id).await?;
    Ok(Envelope::one(ParticipantOut::with_ban(participant)))
}

async fn update(
    State(app): State<App>,
    caller: MeetingCaller,
    body: Body<ParticipantChange>,
) -> Result<Envelope<ParticipantWithToken>, ApiError> {
    let input = body.value;
    let patch = ParticipantPatch {
        custom_participant_id: None,
        preset: preset_ref(input.preset_name, input.preset_id),
        name: input.name,
        picture: input.picture,
        banned: input.banned,
    };
    change(&app, &caller, patch, input.expires_in).await
}

async fn replace(
    State(app): State<App>,
    caller: MeetingCaller,
    body: Body<ParticipantIn>,
) -> Result<Envelope<ParticipantWithToken>, ApiError> {
    let input = body.value;
    let patch = ParticipantPatch {
        custom_participant_id: Some(input.custom_participant_id),
        preset: preset_ref(input.preset_name, input.preset_id),
        name: Some(input.name),
        picture: Some(input.picture),
        banned: None,
    };
    change(&app, &caller, patch, input.expires_in).await
}

async fn change(
    app: &App,
    caller: &MeetingCaller,
    patch: ParticipantPatch,
    expires_in: Option<u32>,
) -> Result<Envelope<ParticipantWithToken>, ApiError> {
    let (id, at, now) = (caller.participant()?, caller.at.clone(), app.now());
    let participant = app
        .store
        .write(move |conn| Box::pin(async move { participants::patch(conn, &at, id, patch, now).await }))
        .await?;
    with_token(app, caller, participant, expires_in).map_err(ApiError::internal)
}

async fn delete(
    State(app): State<App>,
    caller: MeetingCaller,
    query: Query,
) -> Result<Envelope<DeletedParticipant>, ApiError> {
    let disconnect = query.read(|r| r.boolean(&DISCONNECT))? == Some(true);
    let (id, at) = (caller.participant()?, caller.at.clone());
    let gone = app
        .store
        .write(move |conn| Box::pin(async move { participants::delete(conn, &at, id).await }))
        .await?;
    let command = if disconnect {
        Command::RemoveParticipant(id)
    } else {
        Command::TurnAwayParticipant(id)
    };
    app.rooms.command_family(&caller.at, &command).await;
    Ok(Envelope::one(DeletedParticipant {
        custom_participant_id: gone.custom_participant_id,
        preset_id: gone.preset_id,
        created_at: gone.created_at,
        updated_at: gone.updated_at,
    }))
}

async fn refresh(
    State(app): State<App>,
    caller: MeetingCaller,
    idempotency: Idempotency,
    body: Body<RefreshIn>,
) -> Result<Response, ApiError> {
    let (id, at) = (caller.participant()?, caller.at.clone());
    let (token, owner) = (caller.token.clone(), caller.at.scope.app.to_string());
    let (signer, expires_in) = (app.clone(), body.value.expires_in);
    // Reading in the writer's transaction keeps the answer beside what it is based on; without a key
    // nothing is written, so the readers do.
    if !idempotency.is_given() {
        let participant = app.store.participant(&at, id).await?;
        let signed = sign(&app, &caller, &participant, expires_in).map_err(ApiError::internal)?;
        return super::respond::answer(StatusCode::OK, &Envelope::one(signed));
    }
    idempotency
        .run(
            &app,
            &token,
            owner,
            body.fingerprint,
            StatusCode::OK,
            move |conn| Box::pin(async move { participants::load(conn, &at, id).await }),
            move |participant| Ok(Envelope::one(sign(&signer, &caller, &participant, expires_in)?)),
        )
        .await
}
