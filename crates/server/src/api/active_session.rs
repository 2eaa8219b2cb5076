//! The live session of a meeting, and what can be done to those in it.

use axum::{extract::State, http::StatusCode, response::Response};
use muster_model::{ParticipantId, Timestamp, poll::Poll};
use muster_room::{Answer, Command, CommandError, NewPoll};
use muster_store::{StoreError, participants::MeetingScope};
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
            .answers::<PeopleOut>(200),
        Route::post(KICK_ALL, "kick_all_participants", kick_all)
            .about("Ends all connections, and with them the session")
            .optional_body::<Nothing>()
            .answers::<AllKickedOut>(200),
        Route::post(MUTE, "mute_participants", mute)
            .about("Turns the microphones of some participants off")
            .body::<PeopleIn>()
            .answers::<PeopleOut>(200),
        Route::post(MUTE_ALL, "mute_all_participants", mute_all)
            .about("Turns all microphones off")
            .body::<MuteAllIn>()
            .answers::<AllMutedOut>(200),
        Route::post(POLL, "create_poll", poll)
            .about("Asks those in the session a question")
            .body::<PollIn>()
            .answers::<PollCreatedOut>(201),
    ]
}

/// Participants, by either id. At least one must be named.
#[derive(Debug, Deserialize, ToSchema)]
pub struct PeopleIn {
    participant_ids: Option<Vec<String>>,
    custom_participant_ids: Option<Vec<String>>,
    /// Extension, for kicking: whether they may not come back until the ban is lifted by changing the
    /// participant's `banned`.
    ban: Option<bool>,
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
pub struct MuteAllIn {
    /// Whether they may turn their microphones on again.
    allow_unmute: bool,
}

impl Input for MuteAllIn {}

/// A question to those in a session.
#[derive(Debug, Deserialize, ToSchema)]
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

/// What an action on a live session comes to that needs an engine which is not built: 404 without a
/// session, 501 with one.
pub(super) async fn not_acted(app: &App, at: &MeetingScope, what: &str) -> ApiError {
    match app.store.active_session(at).await {
        Ok(Some(_)) => ApiError::not_built(what),
        Ok(None) => ApiError::no_active_session(at.meeting),
        Err(error) => error.into(),
    }
}

/// Has the live room carry out a command.
pub(super) async fn act(app: &App, at: &MeetingScope, command: Command) -> Result<Answer, ApiError> {
    match app.rooms.command(at, command).await {
        Ok(answer) => Ok(answer),
        Err(CommandError::NoSession) => match app.store.active_session(at).await? {
            Some(_) => Err(ApiError::unavailable("The session is live on another node")),
            None => Err(ApiError::no_active_session(at.meeting)),
        },
        Err(error @ CommandError::NobodyFound(_)) => {
            Err(ApiError::new(StatusCode::NOT_FOUND, error.to_string()))
        }
        Err(CommandError::Refused(why)) => Err(ApiError::new(StatusCode::BAD_REQUEST, why.to_string())),
    }
}

/// Ends the live session of a meeting, if there is one.
pub(super) async fn end(app: &App, at: &MeetingScope) -> Result<(), ApiError> {
    match app.rooms.command(at, Command::KickAll).await {
        Ok(_) => Ok(()),
        Err(_) if app.store.active_session(at).await?.is_none() => Ok(()),
        Err(_) => Err(ApiError::unavailable("The session is live on another node")),
    }
}

/// The people that a command was about, with the dates of their records.
async fn people(app: &App, at: &MeetingScope, answer: Answer) -> Result<Vec<PersonOut>, ApiError> {
    let Answer::People(people) = answer else {
        return Ok(Vec::new());
    };
    let mut told = Vec::with_capacity(people.len());
    for person in people {
        // One that was deleted, or belongs to the parent meeting, is told with the time of the deed.
        let (created_at, updated_at) = match app.store.participant(at, person.participant).await {
            Ok(record) => (record.created_at, record.updated_at),
            Err(StoreError::NotFound(_)) => (app.now(), app.now()),
            Err(error) => return Err(error.into()),
        };
        told.push(PersonOut {
            id: person.participant,
            name: Some(person.name.clone()).filter(|name| !name.is_empty()),
            picture: person.picture.clone(),
            created_at,
            updated_at,
        });
    }
    Ok(told)
}

fn count(answer: &Answer) -> i64 {
    match answer {
        Answer::Count(count) => i64::try_from(*count).unwrap_or(i64::MAX),
        _ => 0,
    }
}

/// Carries out a command, and answers what `tell` makes of what came of it; a repeated request is answered
/// as before.
async fn answer_with<B: Serialize, F: Future<Output = Result<B, ApiError>>>(
    app: &App,
    caller: &MeetingCaller,
    idempotency: Idempotency,
    fingerprint: String,
    (status, command): (StatusCode, Command),
    tell: impl FnOnce(Answer) -> F,
) -> Result<Response, ApiError> {
    let owner = caller.at.scope.app.to_string();
    let deed = async { Ok(Envelope::one(tell(act(app, &caller.at, command).await?).await?)) };
    idempotency
        .run_beside(app, &caller.token, owner, fingerprint, status, deed)
        .await
}

/// Ids that read as such; others can be nobody's.
fn participants(ids: Option<Vec<String>>) -> Vec<ParticipantId> {
    ids.unwrap_or_default()
        .iter()
        .filter_map(|id| id.parse().ok())
        .collect()
}

/// 404 where every id that was given can be nobody's.
fn nobody(given: Option<&Vec<String>>) -> ApiError {
    let id = given.and_then(|ids| ids.first()).map_or("", String::as_str);
    ApiError::new(
        StatusCode::NOT_FOUND,
        CommandError::NobodyFound(id.to_owned()).to_string(),
    )
}

/// The command about the people named, unless nobody can be meant.
fn about(
    people: PeopleIn,
    command: impl FnOnce(Vec<ParticipantId>, Vec<String>, bool) -> Command,
) -> Result<Command, ApiError> {
    let first = nobody(people.participant_ids.as_ref());
    let ids = participants(people.participant_ids);
    let custom_ids = people.custom_participant_ids.unwrap_or_default();
    if ids.is_empty() && custom_ids.is_empty() {
        return Err(first);
    }
    Ok(command(ids, custom_ids, people.ban.unwrap_or(false)))
}

/// Carries out a command about people, which needs a live session before it looks at their ids.
async fn act_on_people(
    app: &App,
    caller: &MeetingCaller,
    idempotency: Idempotency,
    body: Body<PeopleIn>,
    action: &str,
    command: impl FnOnce(Vec<ParticipantId>, Vec<String>, bool) -> Command,
) -> Result<Response, ApiError> {
    require_session(app, &caller.at).await?;
    let command = about(body.value, command)?;
    answer_with(
        app,
        caller,
        idempotency,
        body.fingerprint,
        (StatusCode::OK, command),
        async |answer| {
            Ok(PeopleOut {
                action: action.to_owned(),
                participants: people(app, &caller.at, answer).await?,
            })
        },
    )
    .await
}

async fn kick(
    State(app): State<App>,
    caller: MeetingCaller,
    idempotency: Idempotency,
    body: Body<PeopleIn>,
) -> Result<Response, ApiError> {
    let command = |participants, custom_ids, ban| Command::Kick {
        participants,
        custom_ids,
        ban,
    };
    act_on_people(&app, &caller, idempotency, body, "kick", command).await
}

async fn kick_all(
    State(app): State<App>,
    caller: MeetingCaller,
    idempotency: Idempotency,
    body: Body<Nothing>,
) -> Result<Response, ApiError> {
    answer_with(
        &app,
        &caller,
        idempotency,
        body.fingerprint,
        (StatusCode::OK, Command::KickAll),
        async |answer| {
            Ok(AllKickedOut {
                action: "kick_all".to_owned(),
                kicked_participants_count: count(&answer),
            })
        },
    )
    .await
}

async fn mute(
    State(app): State<App>,
    caller: MeetingCaller,
    idempotency: Idempotency,
    body: Body<PeopleIn>,
) -> Result<Response, ApiError> {
    let command = |participants, custom_ids, _| Command::Mute {
        participants,
        custom_ids,
    };
    act_on_people(&app, &caller, idempotency, body, "mute", command).await
}

async fn mute_all(
    State(app): State<App>,
    caller: MeetingCaller,
    idempotency: Idempotency,
    body: Body<MuteAllIn>,
) -> Result<Response, ApiError> {
    let command = Command::MuteAll {
        allow_unmute: body.value.allow_unmute,
    };
    answer_with(
        &app,
        &caller,
        idempotency,
        body.fingerprint,
        (StatusCode::OK, command),
        async |answer| {
            Ok(AllMutedOut {
                action: "mute_all".to_owned(),
                muted_participants_count: count(&answer),
            })
        },
    )
    .await
}

async fn poll(
    State(app): State<App>,
    caller: MeetingCaller,
    idempotency: Idempotency,
    body: Body<PollIn>,
) -> Result<Response, ApiError> {
    let input = body.value;
    let command = Command::CreatePoll {
        poll: NewPoll {
            question: input.question,
            options: input.options,
            anonymous: input.anonymous.unwrap_or(false),
            hide_votes: input.hide_votes.unwrap_or(false),
        },
        created_by: caller.at.scope.app.to_string(),
    };
    answer_with(
        &app,
        &caller,
        idempotency,
        body.fingerprint,
        (StatusCode::CREATED, command),
        async |answer| match answer {
            Answer::Poll(poll) => Ok(PollCreatedOut {
                action: "create_poll".to_owned(),
                poll: PollOut::of(&poll),
            }),
            other => Err(ApiError::internal(anyhow::anyhow!("a poll answered {other:?}"))),
        },
    )
    .await
}

async fn require_session(app: &App, at: &MeetingScope) -> Result<(), ApiError> {
    match app.store.active_session(at).await? {
        Some(_) => Ok(()),
        None => Err(ApiError::no_active_session(at.meeting)),
    }
}

impl PollOut {
    fn of(poll: &Poll) -> Self {
        let mut voted: Vec<String> = Vec::new();
        let options = poll
            .options
            .iter()
            .map(|option| {
                voted.extend(option.votes.iter().map(|vote| vote.participant_id.to_string()));
                PollOptionOut {
                    text: option.text.clone(),
                    count: option.votes.len() as i64,
                    votes: option
                        .votes
                        .iter()
                        .map(|vote| VoteOut {
                            id: vote.participant_id.to_string(),
                            name: vote.name.clone(),
                        })
                        .collect(),
                }
            })
            .collect();
        Self {
            id: poll.id.to_string(),
            question: poll.question.clone(),
            options,
            anonymous: poll.anonymous,
            hide_votes: poll.hide_votes,
            created_by: poll.created_by.clone(),
            voted,
        }
    }
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
