//! Recordings, asked for by a participant whose preset permits it.

use std::convert::Infallible;

use axum::extract::State;
use muster_model::{MeetingId, RecordingId, recording::RecordingStatus};
use serde::Serialize;

use super::caller::ClientCaller;
use crate::{
    api::{
        body::Body,
        error::ApiError,
        recordings::{
            self as management,
            input::{RecordingChange, RecordingIn},
        },
        respond::Envelope,
        route::{Access, Route},
    },
    app::App,
};

/// The operations.
pub fn routes() -> Vec<Route> {
    let member = |route: Route| route.access(Access::Participant);
    vec![
        member(Route::post("/v2/recordings", "client_start_recording", start))
            .about("Starts to record the own meeting")
            .not_built(),
        member(Route::put(
            "/v2/recordings/{recording_id}",
            "client_change_recording",
            change,
        ))
        .about("Stops, pauses or resumes a recording of the own meeting")
        .not_built(),
        member(Route::get(
            "/v2/recordings/active-recording/{meeting_id}",
            "client_get_active_recording",
            active,
        ))
        .about("Tells whether the own meeting is being recorded"),
    ]
}

/// As much of a recording as everybody in the meeting may know.
#[derive(Debug, Serialize)]
struct ActiveRecordingOut {
    id: RecordingId,
    status: RecordingStatus,
}

async fn start(State(app): State<App>, caller: ClientCaller, body: Body<RecordingIn>) -> ApiError {
    let at = match may_record(&caller, body.value.meeting_id) {
        Ok(()) => caller.at(),
        Err(error) => return error,
    };
    management::begin(&app, at, &body.value).await
}

fn may_record(caller: &ClientCaller, meeting: MeetingId) -> Result<(), ApiError> {
    caller.own(meeting)?;
    caller.require(caller.permissions().can_record)
}

async fn change(
    State(app): State<App>,
    caller: ClientCaller,
    body: Body<RecordingChange>,
) -> Result<Infallible, ApiError> {
    caller.require(caller.permissions().can_record)?;
    let id: RecordingId = caller.ids.get("recording_id", "Recording")?;
    let at = caller.at();
    let recording = app.store.recording(&at.scope, id).await?;
    if recording.meeting_id != at.meeting {
        // As if there were none: that another meeting has it is not for this caller to know.
        return Err(ApiError::not_found("Recording"));
    }
    Err(management::act(&app, at, &recording, body.value.action).await)
}

async fn active(
    State(app): State<App>,
    caller: ClientCaller,
) -> Result<Envelope<ActiveRecordingOut>, ApiError> {
    let recording = management::under_way(&app, caller.own_in_path()?).await?;
    Ok(Envelope::one(ActiveRecordingOut {
        id: recording.id,
        status: recording.status,
    }))
}
