//! Livestreams and transcripts of the caller's own meeting.

use axum::{extract::State, http::StatusCode};
use muster_model::livestream::LivestreamStatus;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::caller::ClientCaller;
use crate::{
    api::{
        body::{Body, Input, Nothing},
        error::ApiError,
        livestreams::{self as management, shapes::opened_stream_key},
        respond::Envelope,
        route::{Access, Route},
    },
    app::App,
};

/// The operations.
pub fn routes() -> Vec<Route> {
    const START: &str = "/v2/meetings/{meeting_id}/livestreams";
    const ACTIVE: &str = "/v2/meetings/{meeting_id}/active-livestream";
    const STOP: &str = "/v2/meetings/{meeting_id}/active-livestream/stop";
    const TRANSCRIPT: &str = "/v2/meetings/{meeting_id}/active-transcript";
    let member = |route: Route| route.access(Access::Participant);
    vec![
        member(Route::post(START, "client_start_livestream", start))
            .about("Starts to stream the own meeting")
            .not_built(),
        member(Route::get(ACTIVE, "client_get_active_livestream", active))
            .about("Tells where the own meeting's livestream is watched"),
        member(Route::post(STOP, "client_stop_livestream", stop))
            .about("Stops the own meeting's livestream")
            .not_built(),
        member(Route::get(TRANSCRIPT, "client_get_active_transcript", transcript))
            .about("Answers where the live transcript can be read; 404 where none is made"),
    ]
}

/// A livestream of the meeting to be started.
#[derive(Debug, Deserialize, ToSchema)]
#[allow(dead_code)] // checked now, read once there is a streamer
pub struct ClientLivestreamIn {
    /// Whether the picture comes from outside rather than from the room.
    manual_ingest: Option<bool>,
}

impl Input for ClientLivestreamIn {
    const MAY_BE_ABSENT: bool = true;
}

/// A livestream, as everybody in the meeting may see it; the way in only for who may livestream.
#[derive(Debug, Serialize)]
struct ActiveLivestreamOut {
    status: LivestreamStatus,
    playback_url: String,
    /// Always false: a meeting's livestream shows its room.
    manual_ingest: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    ingest_server: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    stream_key: Option<String>,
}

async fn start(State(app): State<App>, caller: ClientCaller, _: Body<ClientLivestreamIn>) -> ApiError {
    match may_livestream(&caller) {
        Ok(()) => management::begin(&app, caller.at()).await,
        Err(error) => error,
    }
}

fn may_livestream(caller: &ClientCaller) -> Result<(), ApiError> {
    caller.own_in_path()?;
    caller.require(caller.permissions().can_livestream)
}

async fn active(
    State(app): State<App>,
    caller: ClientCaller,
) -> Result<Envelope<ActiveLivestreamOut>, ApiError> {
    let livestream = management::under_way(&app, caller.own_in_path()?).await?;
    let (ingest_server, stream_key) = if caller.permissions().can_livestream {
        let key = opened_stream_key(&app.master_key, &livestream)?;
        (Some(livestream.ingest_server), Some(key))
    } else {
        (None, None)
    };
    Ok(Envelope::one(ActiveLivestreamOut {
        status: livestream.status,
        playback_url: livestream.playback_url,
        manual_ingest: false,
        ingest_server,
        stream_key,
    }))
}

async fn stop(State(app): State<App>, caller: ClientCaller, _: Body<Nothing>) -> ApiError {
    match may_livestream(&caller) {
        Ok(()) => management::end(&app, caller.at()).await,
        Err(error) => error,
    }
}

async fn transcript(caller: ClientCaller) -> ApiError {
    let may = caller
        .own_in_path()
        .and_then(|at| Ok((at, caller.require(caller.permissions().transcription_enabled)?)));
    match may {
        Ok((at, ())) => ApiError::new(
            StatusCode::NOT_FOUND,
            format!("No active transcript found for meeting_id {}", at.meeting),
        ),
        Err(error) => error,
    }
}
