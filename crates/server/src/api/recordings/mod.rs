//! Recordings of sessions.

pub mod input;
pub mod shapes;

use axum::extract::State;
use input::{RecordingAction, RecordingChange, RecordingIn, TrackRecordingIn};
use muster_model::{
    MeetingId, PageRequest, RecordingId,
    recording::{Recording as Record, RecordingKind, RecordingStatus},
};
use muster_store::{participants::MeetingScope, recordings::RecordingFilter};
use shapes::{DetailedRecordingOut, ListedRecordingOut, RecordingOut, TrackRecordingOut};

use super::{
    active_session::not_acted,
    body::Body,
    caller::{HistoryCaller, MemberCaller, Recording},
    error::ApiError,
    idempotency::Idempotency,
    query::{Kind, ORDERS, PAGE_NO, PER_PAGE, Param, Query},
    respond::Envelope,
    route::{Access, Route},
};
use crate::app::App;

const MEETING_ID: Param = Param::new("meeting_id", Kind::Id, "Of this meeting");
const EXPIRED: Param = Param::new(
    "expired",
    Kind::Bool,
    "Only those whose download links have (or have not) ceased to work",
);
const SEARCH: Param = Param::new(
    "search",
    Kind::ShortText(256),
    "Part of the meeting's title, or its id",
);
const SORT_BY: Param = Param::new(
    "sort_by",
    Kind::Choice(&["invokedTime"]),
    "The only order there is",
);
const SORT_ORDER: Param = Param::new("sort_order", ORDERS, "DESC unless given");
const START_TIME: Param = Param::new("start_time", Kind::Time, "Not asked for before");
const END_TIME: Param = Param::new("end_time", Kind::Time, "Not asked for after");
const STATUS: Param = Param::new("status", Kind::Choices(RecordingStatus::WORDS), "Only these");

/// The operations on recordings.
pub fn routes() -> Vec<Route> {
    const LIST: &str = "/accounts/{account_id}/realtime/kit/{app_id}/recordings";
    const ONE: &str = "/accounts/{account_id}/realtime/kit/{app_id}/recordings/{recording_id}";
    const ACTIVE: &str =
        "/accounts/{account_id}/realtime/kit/{app_id}/recordings/active-recording/{meeting_id}";
    const TRACK: &str = "/accounts/{account_id}/realtime/kit/{app_id}/recordings/track";
    vec![
        Route::get(LIST, "list_recordings", list)
            .about("Lists the app's recordings, newest first")
            .access(Access::AppHistory)
            .query(&[
                PAGE_NO, PER_PAGE, MEETING_ID, EXPIRED, SEARCH, SORT_BY, SORT_ORDER, START_TIME, END_TIME,
                STATUS,
            ])
            .answers_page::<ListedRecordingOut>(),
        Route::post(LIST, "start_recording", start)
            .about("Starts to record a live session")
            .access(Access::AppOrMember)
            .body::<RecordingIn>()
            .answers::<DetailedRecordingOut>(200)
            .not_built(),
        Route::get(ONE, "get_recording", get)
            .about("Reads a recording")
            .access(Access::AppHistory)
            .answers::<DetailedRecordingOut>(200),
        Route::put(ONE, "change_recording", change)
            .about("Stops, pauses or resumes a recording")
            .access(Access::AppOrMember)
            .body::<RecordingChange>()
            .answers::<DetailedRecordingOut>(200)
            .not_built(),
        Route::get(ACTIVE, "get_active_recording", active)
            .about("Reads the meeting's recording that is under way")
            .access(Access::AppHistory)
            .answers::<RecordingOut>(200),
        Route::post(TRACK, "start_track_recording", start_track)
            .about("Starts to record each voice of a live session for itself")
            .access(Access::AppOrMember)
            .body::<TrackRecordingIn>()
            .answers::<TrackRecordingOut>(200)
            .not_built(),
    ]
}

async fn list(
    State(app): State<App>,
    caller: HistoryCaller,
    query: Query,
) -> Result<Envelope<Vec<ListedRecordingOut>>, ApiError> {
    let now = app.now();
    let (page, filter, ascending) = query.read(|r| {
        r.choice(&SORT_BY);
        let statuses = r.choices(&STATUS);
        let filter = RecordingFilter {
            meeting: r.id(&MEETING_ID),
            search: r.text(&SEARCH).map(str::to_owned),
            statuses: statuses
                .into_iter()
                .filter_map(RecordingStatus::from_word)
                .collect(),
            from: r.time(&START_TIME),
            to: r.time_to(&END_TIME),
            expired: r.boolean(&EXPIRED).map(|expired| (expired, now)),
        };
        (
            r.page(PageRequest::DEFAULT_SIZE),
            filter,
            r.ascending(&SORT_ORDER),
        )
    })?;
    let found = app
        .store
        .recordings(&caller.scope, &filter, ascending, page)
        .await?;
    Ok(found.map(ListedRecordingOut::from).into())
}

async fn get(
    State(app): State<App>,
    caller: HistoryCaller,
) -> Result<Envelope<DetailedRecordingOut>, ApiError> {
    let id: RecordingId = caller.ids.get("recording_id", "Recording")?;
    Ok(Envelope::one(
        app.store.recording(&caller.scope, id).await?.into(),
    ))
}

async fn active(State(app): State<App>, caller: HistoryCaller) -> Result<Envelope<RecordingOut>, ApiError> {
    let meeting: MeetingId = caller.ids.get("meeting_id", "Meeting")?;
    let at = MeetingScope {
        scope: caller.scope,
        meeting,
    };
    let recording = under_way(&app, &at).await?;
    Ok(Envelope::one(RecordingOut::from(&recording)))
}

/// The meeting's recording that is under way; 404 without one.
pub async fn under_way(app: &App, at: &MeetingScope) -> Result<Record, ApiError> {
    if let Some(recording) = app.store.active_recording(at).await? {
        return Ok(recording);
    }
    app.store.meeting(&at.scope, at.meeting).await?;
    let message = format!("No active recording found for meeting_id {}", at.meeting);
    Err(ApiError::new(axum::http::StatusCode::NOT_FOUND, message))
}

async fn start(
    State(app): State<App>,
    caller: MemberCaller<Recording>,
    _: Idempotency,
    body: Body<RecordingIn>,
) -> Result<Envelope<DetailedRecordingOut>, ApiError> {
    let at = caller.meeting(body.value.meeting_id)?;
    Err(begin(&app, &at, &body.value).await)
}

/// Starts to record a meeting's live session; tells why it cannot.
pub async fn begin(app: &App, at: &MeetingScope, wanted: &RecordingIn) -> ApiError {
    let running = async {
        app.store.meeting(&at.scope, at.meeting).await?;
        app.store.active_recording(at).await
    };
    match running.await {
        Err(error) => error.into(),
        Ok(Some(running))
            if running.kind == RecordingKind::Composite && wanted.allow_multiple_recordings != Some(true) =>
        {
            ApiError::conflict(format!(
                "A recording of meeting {} is under way already",
                at.meeting
            ))
        }
        Ok(_) => not_acted(app, at, "Recording").await,
    }
}

async fn start_track(
    State(app): State<App>,
    caller: MemberCaller<Recording>,
    _: Idempotency,
    body: Body<TrackRecordingIn>,
) -> Result<Envelope<TrackRecordingOut>, ApiError> {
    let at = caller.meeting(body.value.meeting_id)?;
    Err(not_acted(&app, &at, "Track recording").await)
}

/// Why an action does not fit the state of a recording.
fn contradiction(recording: &Record, action: RecordingAction) -> Option<String> {
    let (fits, done) = match action {
        RecordingAction::Stop => (recording.status.is_active(), "stopped"),
        RecordingAction::Pause => (recording.status == RecordingStatus::Recording, "paused"),
        RecordingAction::Resume => (recording.status == RecordingStatus::Paused, "resumed"),
    };
    (!fits).then(|| {
        let status = recording.status.as_str();
        format!("A recording that is {status} cannot be {done}")
    })
}

async fn change(
    State(app): State<App>,
    caller: MemberCaller<Recording>,
    body: Body<RecordingChange>,
) -> Result<Envelope<DetailedRecordingOut>, ApiError> {
    let id: RecordingId = caller.ids.get("recording_id", "Recording")?;
    let recording = app.store.recording(&caller.scope, id).await?;
    let at = caller.meeting(recording.meeting_id)?;
    Err(act(&app, &at, &recording, body.value.action).await)
}

/// Stops, pauses or resumes a recording of a meeting; tells why it cannot.
pub async fn act(app: &App, at: &MeetingScope, recording: &Record, action: RecordingAction) -> ApiError {
    match contradiction(recording, action) {
        Some(why) => ApiError::conflict(why),
        None => not_acted(app, at, "Recording").await,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn actions_fit_the_state() {
        let fits = |status| {
            let now = muster_model::Timestamp::default();
            let recording = Record {
                id: RecordingId::random(),
                meeting_id: MeetingId::random(),
                session_id: None,
                kind: RecordingKind::Composite,
                status,
                output_file_name: "x.mp4".into(),
                invoked_at: now,
                started_at: None,
                stopped_at: None,
                recorded_micros: None,
                file_size: None,
                download_url: None,
                audio_download_url: None,
                download_url_expires_at: None,
                track_downloads: None,
                storage_config: None,
                start_reason: None,
                stop_reason: None,
                created_at: now,
                updated_at: now,
            };
            [
                RecordingAction::Stop,
                RecordingAction::Pause,
                RecordingAction::Resume,
            ]
            .map(|action| contradiction(&recording, action).is_none())
        };
        assert_eq!(fits(RecordingStatus::Invoked), [true, false, false]);
        assert_eq!(fits(RecordingStatus::Recording), [true, true, false]);
        assert_eq!(fits(RecordingStatus::Paused), [true, false, true]);
        for over in [
            RecordingStatus::Uploading,
            RecordingStatus::Uploaded,
            RecordingStatus::Errored,
        ] {
            assert_eq!(fits(over), [false, false, false]);
        }
    }
}
