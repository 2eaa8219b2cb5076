//! Sessions of meetings, live and past, and who was in them.

pub mod shapes;

use std::time::Duration;

use axum::{extract::State, http::StatusCode};
use muster_model::{
    PageRequest, PeerId, SessionId, Timestamp,
    app::Scope,
    session::{ReportPart, SessionStatus},
};
use muster_store::{
    peers::{PeerOrder, PeerQuery},
    sessions::{SessionFilter, SessionOrder},
};
use shapes::{
    ChatOut, OneSessionParticipantOut, PeerReportOut, ReportedParticipantOut, SessionOut,
    SessionParticipantsOut, SessionsOut, SummaryOut, SummaryStartedOut, TranscriptOut,
};

use super::{
    body::{Body, Nothing},
    caller::{AppCaller, HistoryCaller, PathIds},
    error::ApiError,
    idempotency::Idempotency,
    query::{Kind, ORDERS, PAGE_NO, PER_PAGE, Param, Query, Reader},
    respond::Envelope,
    route::{Access, Route, paged, reference},
};
use crate::{app::App, auth::file_link::FileObject};

/// How long a link to an export holds; another is made when one asks again.
const EXPORT_LINK_TTL: Duration = Duration::from_secs(24 * 3600);

const SORT_BY: Param = Param::new(
    "sort_by",
    Kind::Choice(&["minutesConsumed", "createdAt"]),
    "By the minutes of all peers or (unless given) by creation",
);
const SORT_ORDER: Param = Param::new("sort_order", ORDERS, "DESC unless given");
const START_TIME: Param = Param::new("start_time", Kind::Time, "Not begun before");
const END_TIME: Param = Param::new("end_time", Kind::Time, "Not begun after");
const PARTICIPANTS: Param = Param::new(
    "participants",
    Kind::Text,
    "The most peers at once, as min:max, both included; either may be left out",
);
const STATUS: Param = Param::new("status", Kind::Choices(SessionStatus::WORDS), "Only these");
const SEARCH: Param = Param::new(
    "search",
    Kind::ShortText(256),
    "Part of the title, or the id of the meeting or the session",
);
const ASSOCIATED_ID: Param = Param::new("associated_id", Kind::Id, "Of this meeting");
const MEETING_ID: Param = Param::new("meeting_id", Kind::Id, "Extension: the same as associated_id");
const WITH_ROOMS: Param = Param::new(
    "include_breakout_rooms",
    Kind::Bool,
    "With the sessions of its breakout rooms",
);
const PEER_SEARCH: Param = Param::new(
    "search",
    Kind::ShortText(256),
    "Part of the display name or the custom id, or the id of the participant or the peer",
);
const PEER_SORT_BY: Param = Param::new(
    "sort_by",
    Kind::Choice(&["joinedAt", "duration"]),
    "By arrival unless given",
);
const WITH_EVENTS: Param = Param::new(
    "include_peer_events",
    Kind::Bool,
    "With what happened to each peer",
);
const VIEW: Param = Param::new(
    "view",
    Kind::Choice(&["raw", "consolidated"]),
    "consolidated: one row for each person, with the time in breakout rooms added",
);
const FILTERS: Param = Param::new(
    "filters",
    Kind::Choices(ReportPart::WORDS),
    "Only these parts of the report",
);
const FORMAT: Param = Param::new(
    "format",
    Kind::Choice(&["SRT", "VTT", "JSON", "CSV"]),
    "CSV unless given",
);

/// The operations on sessions.
pub fn routes() -> Vec<Route> {
    const LIST: &str = "/accounts/{account_id}/realtime/kit/{app_id}/sessions";
    const ONE: &str = "/accounts/{account_id}/realtime/kit/{app_id}/sessions/{session_id}";
    const PEERS: &str = "/accounts/{account_id}/realtime/kit/{app_id}/sessions/{session_id}/participants";
    const PEER: &str =
        "/accounts/{account_id}/realtime/kit/{app_id}/sessions/{session_id}/participants/{participant_id}";
    const REPORT: &str = "/accounts/{account_id}/realtime/kit/{app_id}/sessions/peer-report/{peer_id}";
    const CHAT: &str = "/accounts/{account_id}/realtime/kit/{app_id}/sessions/{session_id}/chat";
    const TRANSCRIPT: &str = "/accounts/{account_id}/realtime/kit/{app_id}/sessions/{session_id}/transcript";
    const SUMMARY: &str = "/accounts/{account_id}/realtime/kit/{app_id}/sessions/{session_id}/summary";
    let history = |route: Route| route.access(Access::AppHistory);
    vec![
        history(Route::get(LIST, "list_sessions", list))
            .about("Lists the app's sessions, newest first unless sorted otherwise")
            .query(&[
                PAGE_NO,
                PER_PAGE,
                SORT_BY,
                SORT_ORDER,
                START_TIME,
                END_TIME,
                PARTICIPANTS,
                STATUS,
                SEARCH,
                ASSOCIATED_ID,
                MEETING_ID,
            ])
            .answers_with(200, |components| {
                paged(reference::<SessionsOut>(components), components)
            }),
        history(Route::get(ONE, "get_session", get))
            .about("Reads a session")
            .query(&[WITH_ROOMS])
            .answers::<SessionOut>(200),
        history(Route::get(PEERS, "list_session_participants", participants))
            .about("Lists who was in a session, newest first unless sorted otherwise")
            .query(&[
                PAGE_NO,
                PER_PAGE,
                PEER_SEARCH,
                PEER_SORT_BY,
                SORT_ORDER,
                WITH_EVENTS,
                VIEW,
            ])
            .answers_with(200, |components| {
                paged(reference::<SessionParticipantsOut>(components), components)
            }),
        history(Route::get(PEER, "get_session_participant", participant))
            .about("Reads one stay in a session, by the id of the peer or (the latest) of the participant")
            .query(&[WITH_EVENTS])
            .answers::<OneSessionParticipantOut>(200),
        history(Route::get(REPORT, "get_peer_report", report))
            .about("Reads one stay in a session with what the peer's client reported")
            .query(&[WITH_EVENTS, FILTERS])
            .answers::<PeerReportOut>(200),
        history(Route::get(CHAT, "get_session_chat", chat))
            .about("Answers where a session's chat can be downloaded; 404 where none was kept")
            .answers::<ChatOut>(200),
        history(Route::get(TRANSCRIPT, "get_session_transcript", transcript))
            .about("Answers where a session's transcript can be downloaded; 404 where none was made")
            .query(&[FORMAT])
            .answers::<TranscriptOut>(200),
        history(Route::get(SUMMARY, "get_session_summary", summary))
            .about("Answers where a session's summary can be downloaded; 404 where none was made")
            .answers::<SummaryOut>(200),
        Route::post(SUMMARY, "summarize_session", summarize)
            .about("Has a summary made of a session's transcript; 404 where there is none")
            .optional_body::<Nothing>()
            .answers::<SummaryStartedOut>(200),
    ]
}

/// The session in a path.
fn session_id(ids: &PathIds) -> Result<SessionId, ApiError> {
    ids.get("session_id", "Session")
}

/// `min:max`, where either may be left out.
fn range(text: &str) -> Option<(Option<i64>, Option<i64>)> {
    let bound = |text: &str| match text {
        "" => Some(None),
        digits if digits.bytes().all(|b| b.is_ascii_digit()) => {
            Some(Some(digits.parse().unwrap_or(i64::MAX)))
        }
        _ => None,
    };
    let (min, max) = text.split_once(':')?;
    let (min, max) = (bound(min.trim())?, bound(max.trim())?);
    let ordered = min.zip(max).is_none_or(|(min, max)| min <= max);
    (ordered && (min.is_some() || max.is_some())).then_some((min, max))
}

fn filter(r: &mut Reader<'_>) -> SessionFilter {
    let (min_participants, max_participants) = match r.text(&PARTICIPANTS).map(range) {
        None => (None, None),
        Some(Some(bounds)) => bounds,
        Some(None) => {
            r.fault(
                &PARTICIPANTS,
                "must be two whole numbers such as 1:10, the smaller one first",
            );
            (None, None)
        }
    };
    let associated = r.id(&ASSOCIATED_ID);
    let meeting = r.id(&MEETING_ID);
    if associated.is_some() && meeting.is_some() && associated != meeting {
        r.fault(
            &MEETING_ID,
            "must be the same as associated_id where both are given",
        );
    }
    let statuses = r.choices(&STATUS);
    SessionFilter {
        meeting: associated.or(meeting),
        search: r.text(&SEARCH).map(str::to_owned),
        statuses: statuses
            .into_iter()
            .filter_map(SessionStatus::from_word)
            .collect(),
        from: r.time(&START_TIME),
        to: r.time_to(&END_TIME),
        min_participants,
        max_participants,
    }
}

async fn list(
    State(app): State<App>,
    caller: HistoryCaller,
    query: Query,
) -> Result<Envelope<SessionsOut>, ApiError> {
    let (page, filter, order, ascending) = query.read(|r| {
        let order = match r.choice(&SORT_BY) {
            Some("minutesConsumed") => SessionOrder::Minutes,
            _ => SessionOrder::Created,
        };
        (
            r.page(PageRequest::DEFAULT_SIZE),
            filter(r),
            order,
            r.ascending(&SORT_ORDER),
        )
    })?;
    let found = app
        .store
        .sessions(&caller.scope, &filter, order, ascending, page)
        .await?
        .map(SessionOut::from);
    let sessions = SessionsOut {
        sessions: found.items,
    };
    Ok(Envelope::paged(sessions, found.info))
}

async fn get(
    State(app): State<App>,
    caller: HistoryCaller,
    query: Query,
) -> Result<Envelope<SessionOut>, ApiError> {
    let with_rooms = query.read(|r| r.boolean(&WITH_ROOMS))?.unwrap_or(false);
    let session = app.store.session(&caller.scope, session_id(&caller.ids)?).await?;
    Ok(Envelope::one(if with_rooms {
        let rooms = app.store.breakout_rooms(&caller.scope, session.id).await?;
        SessionOut::with_rooms(session, rooms)
    } else {
        session.into()
    }))
}

async fn participants(
    State(app): State<App>,
    caller: HistoryCaller,
    query: Query,
) -> Result<Envelope<SessionParticipantsOut>, ApiError> {
    let (page, wanted) = query.read(|r| {
        let wanted = PeerQuery {
            search: r.text(&PEER_SEARCH).map(str::to_owned),
            order: match r.choice(&PEER_SORT_BY) {
                Some("duration") => PeerOrder::Duration,
                _ => PeerOrder::Joined,
            },
            ascending: r.ascending(&SORT_ORDER),
            consolidated: r.choice(&VIEW) == Some("consolidated"),
            events: r.boolean(&WITH_EVENTS).unwrap_or(false),
        };
        (r.page(PageRequest::DEFAULT_SIZE), wanted)
    })?;
    let found = app
        .store
        .peers(&caller.scope, session_id(&caller.ids)?, &wanted, page)
        .await?
        .map(Into::into);
    let data = SessionParticipantsOut {
        participants: found.items,
        paging: found.info,
    };
    Ok(Envelope::paged(data, found.info))
}

async fn participant(
    State(app): State<App>,
    caller: HistoryCaller,
    query: Query,
) -> Result<Envelope<OneSessionParticipantOut>, ApiError> {
    let with_events = query.read(|r| r.boolean(&WITH_EVENTS))?.unwrap_or(false);
    let session = session_id(&caller.ids)?;
    // A session that is not there is told before an id that cannot be anybody's.
    let Ok(id) = caller.ids.get::<PeerId>("participant_id", "Participant") else {
        app.store.session(&caller.scope, session).await?;
        return Err(ApiError::not_found("Participant"));
    };
    let found = app
        .store
        .peer(&caller.scope, session, *id.as_uuid(), with_events)
        .await?;
    Ok(Envelope::one(OneSessionParticipantOut {
        participant: found.into(),
    }))
}

async fn report(
    State(app): State<App>,
    caller: HistoryCaller,
    query: Query,
) -> Result<Envelope<PeerReportOut>, ApiError> {
    let (with_events, parts) = query.read(|r| (r.boolean(&WITH_EVENTS), r.choices(&FILTERS)))?;
    let id: PeerId = caller.ids.get("peer_id", "Peer")?;
    let (found, report) = app
        .store
        .peer_report(&caller.scope, id, with_events.unwrap_or(false))
        .await?;
    let parts: Vec<ReportPart> = parts.into_iter().filter_map(ReportPart::from_word).collect();
    Ok(Envelope::one(PeerReportOut {
        participant: ReportedParticipantOut::new(found, report.only(&parts)),
    }))
}

/// 404 for what a session could have left behind: the session itself is not there, or nothing was kept.
async fn nothing(app: &App, scope: &Scope, ids: &PathIds, what: &str) -> ApiError {
    let session = async { Ok(app.store.session(scope, session_id(ids)?).await?) };
    match session.await {
        Ok(session) => {
            let message = format!("No {what} found for session_id {}", session.id);
            ApiError::new(StatusCode::NOT_FOUND, message)
        }
        Err(error) => error,
    }
}

async fn chat(State(app): State<App>, caller: HistoryCaller) -> Result<Envelope<ChatOut>, ApiError> {
    let session = session_id(&caller.ids)?;
    if !app.store.has_chat(&caller.scope, session).await? {
        return Err(nothing(&app, &caller.scope, &caller.ids, "chat").await);
    }
    let object = FileObject::ChatExport(session);
    let expires = app.now().plus(EXPORT_LINK_TTL);
    Ok(Envelope::one(ChatOut {
        chat_download_url: app.file_links.read(caller.scope.app, object, expires).into(),
        chat_download_url_expiry: Timestamp::from_secs(expires.as_secs()),
    }))
}

async fn transcript(State(app): State<App>, caller: HistoryCaller, query: Query) -> ApiError {
    match query.read(|r| r.choice(&FORMAT)) {
        Ok(_) => nothing(&app, &caller.scope, &caller.ids, "transcript").await,
        Err(error) => error,
    }
}

async fn summary(State(app): State<App>, caller: HistoryCaller) -> ApiError {
    nothing(&app, &caller.scope, &caller.ids, "summary").await
}

async fn summarize(State(app): State<App>, caller: AppCaller, _: Idempotency, _: Body<Nothing>) -> ApiError {
    nothing(&app, &caller.scope, &caller.ids, "transcript").await
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ranges_are_read() {
        assert_eq!(range("1:10"), Some((Some(1), Some(10))));
        assert_eq!(range("5:"), Some((Some(5), None)));
        assert_eq!(range(":5"), Some((None, Some(5))));
        assert_eq!(range("99999999999999999999:"), Some((Some(i64::MAX), None)));
        for wrong in ["", ":", "5", "10:1", "a:b", "1:2:3", "-1:5", "1.5:2"] {
            assert_eq!(range(wrong), None, "{wrong}");
        }
    }
}
