//! What a client asks first: who it is, what it may do, and by which servers media may be relayed.

use axum::{
    extract::State,
    http::StatusCode,
    response::{IntoResponse, Response},
};
use muster_model::{
    AppId, ParticipantId, PresetId,
    meeting::MeetingStatus,
    preset::{Permissions, Preset, PresetConfig, PresetUi},
};
use muster_store::joining::Joiner;
use serde::Serialize;

use super::caller::ClientCaller;
use crate::{
    api::{
        error::ApiError,
        respond::{Envelope, answer},
        route::{Access, Route},
    },
    app::App,
};

/// The form of preset that the SDK reads, told where its author told none.
const PRESET_VERSION: &str = "2.0.0";

/// The operations.
pub fn routes() -> Vec<Route> {
    vec![
        Route::get(
            "/v2/internals/participant-details",
            "get_participant_details",
            details,
        )
        .about("Tells a participant who it is and what it may do")
        .access(Access::Participant),
        Route::get("/iceservers", "get_ice_servers", ice_servers)
            .about("Lists the servers by which media may be relayed")
            .access(Access::Participant),
    ]
}

/// What a client is told of itself. Optional texts are left out rather than null: the SDK copies them
/// into messages that cannot hold null.
#[derive(Debug, Serialize)]
struct DetailsOut<'a> {
    meeting: MeetingOut<'a>,
    socket: SocketOut<'a>,
    participant: ParticipantOut<'a>,
    preset: PresetOut<'a>,
}

#[derive(Debug, Serialize)]
struct MeetingOut<'a> {
    title: &'a str,
}

#[derive(Debug, Serialize)]
struct SocketOut<'a> {
    base_uri: &'a str,
}

#[derive(Debug, Serialize)]
struct ParticipantOut<'a> {
    id: ParticipantId,
    name: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    picture: Option<&'a str>,
    custom_participant_id: &'a str,
    organization_id: AppId,
}

#[derive(Debug, Serialize)]
struct PresetOut<'a> {
    id: PresetId,
    name: &'a str,
    version: &'a str,
    config: &'a PresetConfig,
    permissions: &'a Permissions,
    ui: &'a PresetUi,
}

impl<'a> DetailsOut<'a> {
    fn new(joiner: &'a Joiner, preset: &'a Preset, base_domain: &'a str) -> Self {
        let person = &joiner.person;
        Self {
            meeting: MeetingOut {
                title: joiner.meeting.title.as_deref().unwrap_or_default(),
            },
            socket: SocketOut {
                base_uri: base_domain,
            },
            participant: ParticipantOut {
                id: person.participant,
                name: &person.name,
                picture: person.picture.as_deref(),
                custom_participant_id: &person.custom_participant_id,
                organization_id: joiner.at.scope.app,
            },
            preset: PresetOut {
                id: preset.id,
                name: &preset.body.name,
                version: preset.body.version.as_deref().unwrap_or(PRESET_VERSION),
                config: &preset.body.config,
                permissions: &preset.body.permissions,
                ui: &preset.body.ui,
            },
        }
    }
}

/// 404 for an INACTIVE meeting: the SDK then tells its user that the meeting may have ended. Told only by the
/// socket, it waits for its own deadline and blames the network.
async fn details(State(app): State<App>, caller: ClientCaller) -> Result<Response, ApiError> {
    let joiner = &caller.joiner;
    if joiner.meeting.status == MeetingStatus::Inactive {
        return Err(ApiError::not_found("Active meeting"));
    }
    let preset = app
        .store
        .preset(&joiner.at.scope, joiner.person.preset_id)
        .await?;
    Ok(Envelope::one(DetailsOut::new(joiner, &preset, &app.config.base_domain)).into_response())
}

/// Not in the envelope, and always a list.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct IceServersOut {
    success: bool,
    ice_servers: [IceServerOut; 0],
}

/// A relay. There is none yet: media has a server of its own, which clients reach directly.
#[derive(Debug, Serialize)]
enum IceServerOut {}

async fn ice_servers(_: ClientCaller) -> Result<Response, ApiError> {
    let body = IceServersOut {
        success: true,
        ice_servers: [],
    };
    answer(StatusCode::OK, &body)
}
