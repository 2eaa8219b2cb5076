//! Livestreams, of meetings and others.

pub mod shapes;

use axum::{extract::State, http::StatusCode};
use muster_model::{
    LivestreamId, LivestreamSessionId, MeetingId, Page, PageRequest, SessionId,
    livestream::{Livestream, LivestreamStatus},
};
use muster_store::{livestreams::LivestreamFilter, participants::MeetingScope};
use serde::Deserialize;
use shapes::{
    LivestreamOnAirOut, LivestreamOut, LivestreamSessionOut, LivestreamSessionsOut,
    LivestreamWithSessionsOut, LivestreamsOut, MeetingLivestreamsOut, NewLivestreamOut, StartedLivestreamOut,
    StoppedLivestreamOut,
};
use utoipa::ToSchema;

use super::{
    active_session::not_acted,
    body::{Body, Input, Nothing},
    caller::{AppCaller, HistoryCaller, Livestreaming, MemberCaller},
    error::ApiError,
    idempotency::Idempotency,
    query::{Kind, ORDERS, PAGE_NO, PER_PAGE, Param, Query},
    respond::Envelope,
    route::{Access, Route, paged, reference},
};
use crate::{app::App, auth::master_key::MasterKey};

const EXCLUDE_MEETINGS: Param = Param::new(
    "exclude_meetings",
    Kind::Bool,
    "Without those of meetings; false unless given",
);
const STATUS: Param = Param::new("status", Kind::Choices(LivestreamStatus::WORDS), "Only these");
const START_TIME: Param = Param::new("start_time", Kind::Time, "Not made before");
const END_TIME: Param = Param::new("end_time", Kind::Time, "Not made after");
const SORT_ORDER: Param = Param::new("sort_order", ORDERS, "By time of creation; DSC unless given");

/// The operations on livestreams.
pub fn routes() -> Vec<Route> {
    const LIST: &str = "/accounts/{account_id}/realtime/kit/{app_id}/livestreams";
    const ONE: &str = "/accounts/{account_id}/realtime/kit/{app_id}/livestreams/{livestream_id}";
    const ON_AIR: &str =
        "/accounts/{account_id}/realtime/kit/{app_id}/livestreams/{livestream_id}/active-livestream-session";
    const SESSION: &str =
        "/accounts/{account_id}/realtime/kit/{app_id}/livestreams/sessions/{livestream-session-id}";
    const OF_MEETING: &str = "/accounts/{account_id}/realtime/kit/{app_id}/meetings/{meeting_id}/livestream";
    const START: &str = "/accounts/{account_id}/realtime/kit/{app_id}/meetings/{meeting_id}/livestreams";
    const ACTIVE: &str =
        "/accounts/{account_id}/realtime/kit/{app_id}/meetings/{meeting_id}/active-livestream";
    const STOP: &str =
        "/accounts/{account_id}/realtime/kit/{app_id}/meetings/{meeting_id}/active-livestream/stop";
    const OF_SESSION: &str =
        "/accounts/{account_id}/realtime/kit/{app_id}/sessions/{session_id}/livestream-sessions";
    let history = |route: Route| route.access(Access::AppHistory);
    vec![
        history(Route::get(LIST, "list_livestreams", list))
            .about("Lists the app's livestreams, newest first unless sorted otherwise")
            .query(&[
                PAGE_NO,
                PER_PAGE,
                EXCLUDE_MEETINGS,
                STATUS,
                START_TIME,
                END_TIME,
                SORT_ORDER,
            ])
            .answers_with(200, |components| {
                paged(reference::<LivestreamsOut>(components), components)
            }),
        Route::post(LIST, "create_livestream", create)
            .about("Makes a livestream that is fed from outside")
            .optional_body::<LivestreamIn>()
            .answers::<NewLivestreamOut>(201)
            .not_built(),
        history(Route::get(ONE, "get_livestream", get))
            .about("Reads a livestream and its times on air")
            .query(&[PAGE_NO, PER_PAGE])
            .answers_with(200, |components| {
                paged(reference::<LivestreamWithSessionsOut>(components), components)
            }),
        history(Route::get(ON_AIR, "get_active_livestream_session", on_air))
            .about("Reads a livestream that is on air")
            .answers::<LivestreamOnAirOut>(200),
        history(Route::get(SESSION, "get_livestream_session", session))
            .about("Reads a time on air")
            .answers::<LivestreamSessionOut>(200),
        history(Route::get(OF_MEETING, "list_meeting_livestreams", of_meeting))
            .about("Lists the meeting's livestreams, newest first, with their times on air")
            .query(&[PAGE_NO, PER_PAGE])
            .answers_with(200, |components| {
                paged(reference::<MeetingLivestreamsOut>(components), components)
            }),
        Route::post(START, "start_livestream", start)
            .about("Starts to stream a live session")
            .access(Access::AppOrMember)
            .optional_body::<StartLivestreamIn>()
            .answers::<StartedLivestreamOut>(201)
            .not_built(),
        history(Route::get(ACTIVE, "get_active_livestream", active))
            .about("Reads the meeting's livestream that is on air or was asked for")
            .answers::<LivestreamOut>(200),
        Route::post(STOP, "stop_livestream", stop)
            .about("Stops the meeting's livestream")
            .access(Access::AppOrMember)
            .optional_body::<Nothing>()
            .answers::<StoppedLivestreamOut>(200)
            .not_built(),
        history(Route::get(OF_SESSION, "list_session_livestreams", of_session))
            .about("Lists the times a session was on air, newest first")
            .query(&[PAGE_NO, PER_PAGE])
            .answers_with(200, |components| {
                paged(reference::<LivestreamSessionsOut>(components), components)
            }),
    ]
}

/// A livestream to be made.
#[derive(Debug, Deserialize, ToSchema)]
#[allow(dead_code)] // checked now, read once there is a streamer
pub struct LivestreamIn {
    #[schema(max_length = 1024)]
    name: Option<String>,
}

impl Input for LivestreamIn {
    const MAY_BE_ABSENT: bool = true;
}

/// A livestream of a meeting to be started.
#[derive(Debug, Deserialize, ToSchema)]
#[allow(dead_code)] // checked now, read once there is a streamer
pub struct StartLivestreamIn {
    #[schema(max_length = 1024)]
    name: Option<String>,
    video_config: Option<StreamSize>,
}

impl Input for StartLivestreamIn {
    const MAY_BE_ABSENT: bool = true;
}

/// The size of a livestream's picture in pixels.
#[derive(Debug, Deserialize, ToSchema)]
#[allow(dead_code)] // as above
pub struct StreamSize {
    #[schema(minimum = 1, maximum = 3840)]
    #[serde(default, deserialize_with = "muster_model::number::whole")]
    width: Option<u32>,
    #[schema(minimum = 1, maximum = 3840)]
    #[serde(default, deserialize_with = "muster_model::number::whole")]
    height: Option<u32>,
}

fn opened(master_key: &MasterKey, page: Page<Livestream>) -> Result<Vec<LivestreamOut>, ApiError> {
    let open = |livestream| LivestreamOut::open(master_key, livestream);
    page.items.into_iter().map(open).collect()
}

/// The meeting in a path.
fn meeting(caller: &HistoryCaller) -> Result<MeetingScope, ApiError> {
    let meeting: MeetingId = caller.ids.get("meeting_id", "Meeting")?;
    Ok(MeetingScope {
        scope: caller.scope.clone(),
        meeting,
    })
}

/// 404: a meeting is not streamed.
fn no_active_livestream(meeting: MeetingId) -> ApiError {
    let message = format!("No active livestream found for meeting_id {meeting}");
    ApiError::new(StatusCode::NOT_FOUND, message)
}

async fn list(
    State(app): State<App>,
    caller: HistoryCaller,
    query: Query,
) -> Result<Envelope<LivestreamsOut>, ApiError> {
    let (page, filter, ascending) = query.read(|r| {
        let statuses = r.choices(&STATUS);
        let filter = LivestreamFilter {
            meeting: None,
            exclude_meetings: r.boolean(&EXCLUDE_MEETINGS).unwrap_or(false),
            statuses: statuses
                .into_iter()
                .filter_map(LivestreamStatus::from_word)
                .collect(),
            from: r.time(&START_TIME),
            to: r.time_to(&END_TIME),
        };
        (
            r.page(PageRequest::DEFAULT_SIZE),
            filter,
            r.ascending(&SORT_ORDER),
        )
    })?;
    let found = app
        .store
        .livestreams(&caller.scope, &filter, ascending, page)
        .await?;
    let paging = found.info;
    let livestreams = opened(&app.master_key, found)?;
    Ok(Envelope::paged(LivestreamsOut { livestreams, paging }, paging))
}

async fn create(_: AppCaller, _: Idempotency, _: Body<LivestreamIn>) -> ApiError {
    ApiError::not_built("Livestreaming")
}

async fn get(
    State(app): State<App>,
    caller: HistoryCaller,
    query: Query,
) -> Result<Envelope<LivestreamWithSessionsOut>, ApiError> {
    let page = query.read(|r| r.page(PageRequest::DEFAULT_SIZE))?;
    let id: LivestreamId = caller.ids.get("livestream_id", "Livestream")?;
    let livestream = app.store.livestream(&caller.scope, id).await?;
    let latest = app
        .store
        .latest_livestream_session(&caller.scope, id, false)
        .await?;
    let sessions = app.store.sessions_of_livestream(&caller.scope, id, page).await?;
    let paging = sessions.info;
    let data = LivestreamWithSessionsOut {
        livestream: LivestreamOut::open(&app.master_key, livestream)?,
        session: latest.map(Into::into),
        sessions: sessions.map(Into::into).items,
        paging,
    };
    Ok(Envelope::paged(data, paging))
}

async fn on_air(
    State(app): State<App>,
    caller: HistoryCaller,
) -> Result<Envelope<LivestreamOnAirOut>, ApiError> {
    let id: LivestreamId = caller.ids.get("livestream_id", "Livestream")?;
    let livestream = app.store.livestream(&caller.scope, id).await?;
    let session = app
        .store
        .latest_livestream_session(&caller.scope, id, true)
        .await?;
    let session = session.ok_or_else(|| {
        let message = format!("No active livestream session found for livestream_id {id}");
        ApiError::new(StatusCode::NOT_FOUND, message)
    })?;
    Ok(Envelope::one(LivestreamOnAirOut {
        livestream: LivestreamOut::open(&app.master_key, livestream)?,
        session: session.into(),
    }))
}

async fn session(
    State(app): State<App>,
    caller: HistoryCaller,
) -> Result<Envelope<LivestreamSessionOut>, ApiError> {
    let id: LivestreamSessionId = caller.ids.get("livestream-session-id", "Livestream session")?;
    let session = app.store.livestream_session(&caller.scope, id).await?;
    Ok(Envelope::one(session.into()))
}

async fn of_meeting(
    State(app): State<App>,
    caller: HistoryCaller,
    query: Query,
) -> Result<Envelope<MeetingLivestreamsOut>, ApiError> {
    let page = query.read(|r| r.page(PageRequest::DEFAULT_SIZE))?;
    let (found, sessions) = app.store.livestreams_of_meeting(&meeting(&caller)?, page).await?;
    let paging = found.info;
    let data = MeetingLivestreamsOut {
        livestreams: opened(&app.master_key, found)?,
        sessions: sessions.into_iter().map(Into::into).collect(),
        paging,
    };
    Ok(Envelope::paged(data, paging))
}

async fn active(State(app): State<App>, caller: HistoryCaller) -> Result<Envelope<LivestreamOut>, ApiError> {
    let livestream = under_way(&app, &meeting(&caller)?).await?;
    Ok(Envelope::one(LivestreamOut::open(&app.master_key, livestream)?))
}

/// The meeting's livestream that is on air or was asked for; 404 without one.
pub async fn under_way(app: &App, at: &MeetingScope) -> Result<Livestream, ApiError> {
    if let Some(livestream) = app.store.active_livestream(at).await? {
        return Ok(livestream);
    }
    app.store.meeting(&at.scope, at.meeting).await?;
    Err(no_active_livestream(at.meeting))
}

async fn of_session(
    State(app): State<App>,
    caller: HistoryCaller,
    query: Query,
) -> Result<Envelope<LivestreamSessionsOut>, ApiError> {
    let page = query.read(|r| r.page(PageRequest::DEFAULT_SIZE))?;
    let id: SessionId = caller.ids.get("session_id", "Session")?;
    let found = app
        .store
        .livestream_sessions_of_session(&caller.scope, id, page)
        .await?
        .map(Into::into);
    let data = LivestreamSessionsOut {
        data: found.items,
        paging: found.info,
    };
    Ok(Envelope::paged(data, found.info))
}

async fn start(
    State(app): State<App>,
    caller: MemberCaller<Livestreaming>,
    _: Idempotency,
    _: Body<StartLivestreamIn>,
) -> Result<Envelope<StartedLivestreamOut>, ApiError> {
    let at = caller.meeting(caller.ids.get("meeting_id", "Meeting")?)?;
    Err(begin(&app, &at).await)
}

/// Starts to stream a meeting's live session; tells why it cannot.
pub async fn begin(app: &App, at: &MeetingScope) -> ApiError {
    let running = async {
        app.store.meeting(&at.scope, at.meeting).await?;
        app.store.active_livestream(at).await
    };
    match running.await {
        Err(error) => error.into(),
        // Clients of the hosted service know this as 400, not as a conflict.
        Ok(Some(_)) => ApiError::new(
            StatusCode::BAD_REQUEST,
            format!("Meeting {} is streamed already", at.meeting),
        ),
        Ok(None) => not_acted(app, at, "Livestreaming").await,
    }
}

async fn stop(
    State(app): State<App>,
    caller: MemberCaller<Livestreaming>,
    _: Idempotency,
    _: Body<Nothing>,
) -> Result<Envelope<StoppedLivestreamOut>, ApiError> {
    let at = caller.meeting(caller.ids.get("meeting_id", "Meeting")?)?;
    Err(end(&app, &at).await)
}

/// Stops the meeting's livestream; tells why it cannot.
pub async fn end(app: &App, at: &MeetingScope) -> ApiError {
    match under_way(app, at).await {
        Ok(_) => ApiError::not_built("Livestreaming"),
        Err(error) => error,
    }
}
