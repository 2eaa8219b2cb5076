//! The live session of a meeting, and what can be done to those in it.

use axum::extract::State;
use muster_model::{ParticipantId, Timestamp};
use muster_store::participants::MeetingScope;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::{
    body::{Body, Input, Nothing},
    caller::MeetingCaller,
    error::{ApiError, Fault},
    idempotency::Idempotency,
    respond::Envelope,
    route::Route,
    sessions::shapes::SessionOut,
};
use crate::app::App;

/// The operations on live sessions.
pub fn routes() -> Vec<Route> {
    const ONE: &str = "/accounts/{account_id}/realtime/kit/{app_id}/meetings/{meeting_id}/active-session";
    const KICK: &str =
        "/accounts/{account_id}/realtime/kit/{app_id}/meetings/{meeting_id}/active-session/kick";
    const KICK_ALL: &str =
        "/accounts/{account_id}/realtime/kit/{app_id}/meetings/{meeting_id}/active-session/kick-all";
    const MUTE: &str =
        "/accounts/{account_id}/realtime/kit/{app_id}/meetings/{meeting_id}/active-session/mute";
    const MUTE_ALL: &str =
        "/accounts/{account_id}/realtime/kit/{app_id}/meetings/{meeting_id}/active-session/mute-all";
    const POLL: &str =
        "/accounts/{account_id}/realtime/kit/{app_id}/meetings/{meeting_id}/active-session/poll";
    vec![
        Route::get(ONE, "get_active_session", get)
            .about("Reads the meeting's live session")
            .answers::<SessionOut>(200),
        Route::post(KICK, "kick_participants", kick)
            .about("Ends the connections of some participants; they may come back")
            .body::<PeopleIn>()
            .answers::<PeopleOut>(200)
            .not_built(),
        Route::post(KICK_ALL, "kick_all_participants", kick_all)
            .about("Ends all connections, and with them the session")
            .optional_body::<Nothing>()
            .answers::<AllKickedOut>(200)
            .not_built(),
        Route::post(MUTE, "mute_participants", mute)
            .about("Turns the microphones of some participants off")
            .body::<PeopleIn>()
            .answers::<PeopleOut>(200)
            .not_built(),
        Route::post(MUTE_ALL, "mute_all_participants", mute_all)
            .about("Turns all microphones off")
            .body::<MuteAllIn>()
            .answers::<AllMutedOut>(200)
            .not_built(),
        Route::post(POLL, "create_poll", poll)
            .about("Asks those in the session a question")
            .body::<PollIn>()
            .answers::<PollCreatedOut>(201)
            .not_built(),
    ]
}

/// Participants, by either id. At least one must be named.
#[derive(Debug, Deserialize, ToSchema)]
pub struct PeopleIn {
    participant_ids: Option<Vec<String>>,
    custom_participant_ids: Option<Vec<String>>,
}

impl Input for PeopleIn {
    const MAY_BE_ABSENT: bool = true;

    fn check(&self, faults: &mut Vec<Fault>) {
        let named = |ids: &Option<Vec<String>>| ids.as_ref().is_some_and(|ids| !ids.is_empty());
        if !named(&self.participant_ids) && !named(&self.custom_participant_ids) {
            faults.push(Fault::of(
                "participant_ids",
                "or custom_participant_ids must name somebody",
            ));
        }
    }
}

/// How everybody is muted.
#[derive(Debug, Deserialize, ToSchema)]
#[allow(dead_code)] // checked now, read once rooms exist
pub struct MuteAllIn {
    /// Whether they may turn their microphones on again.
    allow_unmute: bool,
}

impl Input for MuteAllIn {}

/// A question to those in a session.
#[derive(Debug, Deserialize, ToSchema)]
#[allow(dead_code)] // checked now, read once rooms exist
pub struct PollIn {
    #[schema(min_length = 1)]
    question: String,
    #[schema(min_items = 2)]
    options: Vec<String>,
    /// Whether nobody is told who voted for what; false unless given.
    anonymous: Option<bool>,
    /// Whether votes are hidden until the end; false unless given.
    hide_votes: Option<bool>,
}

impl Input for PollIn {}

/// What was done, and to whom.
#[derive(Debug, Serialize, ToSchema)]
pub struct PeopleOut {
    action: String,
    participants: Vec<PersonOut>,
}

/// A participant to whom something was done.
#[derive(Debug, Serialize, ToSchema)]
pub struct PersonOut {
    #[schema(value_type = String, format = Uuid)]
    id: ParticipantId,
    name: Option<String>,
    picture: Option<String>,
    #[schema(value_type = String, format = DateTime)]
    created_at: Timestamp,
    #[schema(value_type = String, format = DateTime)]
    updated_at: Timestamp,
}

/// That everybody was sent out.
#[derive(Debug, Serialize, ToSchema)]
pub struct AllKickedOut {
    action: String,
    kicked_participants_count: i64,
}

/// That everybody was muted.
#[derive(Debug, Serialize, ToSchema)]
pub struct AllMutedOut {
    action: String,
    muted_participants_count: i64,
}

/// That a poll was opened.
#[derive(Debug, Serialize, ToSchema)]
pub struct PollCreatedOut {
    action: String,
    poll: PollOut,
}

/// A poll.
#[derive(Debug, Serialize, ToSchema)]
pub struct PollOut {
    #[schema(format = Uuid)]
    id: String,
    question: String,
    options: Vec<PollOptionOut>,
    anonymous: bool,
    hide_votes: bool,
    /// The app.
    #[schema(format = Uuid)]
    created_by: String,
    /// The participants who voted.
    voted: Vec<String>,
}

/// An answer that a poll offers.
#[derive(Debug, Serialize, ToSchema)]
pub struct PollOptionOut {
    text: String,
    count: i64,
    votes: Vec<VoteOut>,
}

/// Who voted for an answer.
#[derive(Debug, Serialize, ToSchema)]
pub struct VoteOut {
    id: String,
    /// Display name; empty when there is none.
    name: String,
}

async fn get(State(app): State<App>, caller: MeetingCaller) -> Result<Envelope<SessionOut>, ApiError> {
    let session = app.store.active_session(&caller.at).await?;
    let session = session.ok_or_else(|| ApiError::no_active_session(caller.at.meeting))?;
    Ok(Envelope::one(session.into()))
}

/// What an action on a live session comes to while there is no room to act on: 404 without a session,
/// 501 with one.
pub(super) async fn not_acted(app: &App, at: &MeetingScope, what: &str) -> ApiError {
    match app.store.active_session(at).await {
        Ok(Some(_)) => ApiError::not_built(what),
        Ok(None) => ApiError::no_active_session(at.meeting),
        Err(error) => error.into(),
    }
}

async fn kick(State(app): State<App>, caller: MeetingCaller, _: Idempotency, _: Body<PeopleIn>) -> ApiError {
    not_acted(&app, &caller.at, "Kicking participants").await
}

async fn kick_all(
    State(app): State<App>,
    caller: MeetingCaller,
    _: Idempotency,
    _: Body<Nothing>,
) -> ApiError {
    not_acted(&app, &caller.at, "Kicking participants").await
}

async fn mute(State(app): State<App>, caller: MeetingCaller, _: Idempotency, _: Body<PeopleIn>) -> ApiError {
    not_acted(&app, &caller.at, "Muting participants").await
}

async fn mute_all(
    State(app): State<App>,
    caller: MeetingCaller,
    _: Idempotency,
    _: Body<MuteAllIn>,
) -> ApiError {
    not_acted(&app, &caller.at, "Muting participants").await
}

async fn poll(State(app): State<App>, caller: MeetingCaller, _: Idempotency, _: Body<PollIn>) -> ApiError {
    not_acted(&app, &caller.at, "Asking polls").await
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;
    use crate::api::body::checked;

    #[test]
    fn somebody_must_be_named() {
        let told = |body: Value| checked::<PeopleIn>(body).is_ok();
        assert!(told(json!({"participant_ids": ["x"]})));
        assert!(told(
            json!({"custom_participant_ids": ["x"], "participant_ids": []})
        ));
        assert!(told(
            json!({"custom_participant_ids": ["x"], "participant_ids": null})
        ));
        for nobody in [
            json!({}),
            json!({"participant_ids": [], "custom_participant_ids": []}),
            json!([]),
        ] {
            assert!(!told(nobody.clone()), "{nobody}");
        }
        assert!(!told(json!({"participant_ids": [1]})));
    }

    #[test]
    fn polls_offer_a_choice() {
        let told = |body: Value| checked::<PollIn>(body).is_ok();
        assert!(told(
            json!({"question": "Tea?", "options": ["yes", "no"], "anonymous": true})
        ));
        assert!(!told(json!({"question": "Tea?", "options": ["yes"]})));
        assert!(!told(json!({"options": ["yes", "no"]})));
        assert!(checked::<MuteAllIn>(json!({})).is_err());
    }
}
