//! Counts of what happened in an app, by day.

use std::time::Duration;

use axum::extract::State;
use muster_model::{
    Timestamp,
    analytics::{Day, Range, StreamUsage, Usage},
    session::{minutes, whole_seconds},
};
use serde::Serialize;
use utoipa::ToSchema;

use super::{
    caller::HistoryCaller,
    error::ApiError,
    query::{Kind, Param, Query, Reader},
    respond::Envelope,
    route::{Access, Route, envelope, list_of},
};
use crate::app::App;

const START_DATE: Param = Param::new("start_date", Kind::Date, "The first day; 30 days unless given");
const END_DATE: Param = Param::new("end_date", Kind::Date, "The last day; today unless given");
const START_TIME: Param = Param::new("start_time", Kind::Moment, "The beginning; 30 days unless given");
const END_TIME: Param = Param::new("end_time", Kind::Moment, "The end; now unless given");
const FILTERS: Param = Param::new("filters", Kind::Text, "Without effect; in the published contract");

const DAY: Duration = Duration::from_secs(24 * 3600);
/// Days told when no beginning is given, the last one included.
const DAYS: u32 = 30;

/// The operations on counts.
pub fn routes() -> Vec<Route> {
    const DAYWISE: &str = "/accounts/{account_id}/realtime/kit/{app_id}/analytics/daywise";
    const LIVE_DAYWISE: &str = "/accounts/{account_id}/realtime/kit/{app_id}/analytics/livestreams/daywise";
    const LIVE_OVERALL: &str = "/accounts/{account_id}/realtime/kit/{app_id}/analytics/livestreams/overall";
    vec![
        Route::get(DAYWISE, "get_analytics", daywise)
            .about("Counts sessions and recordings, by UTC day and together; days without any are left out")
            .access(Access::AppHistory)
            .query(&[START_DATE, END_DATE])
            .answers::<AnalyticsOut>(200),
        Route::get(
            LIVE_DAYWISE,
            "get_livestream_analytics_by_day",
            livestreams_daywise,
        )
        .about("Counts livestreams by UTC day; days without any are left out")
        .access(Access::AppHistory)
        .query(&[START_TIME, END_TIME, FILTERS])
        .answers_with(200, |components| envelope(list_of::<StreamDayOut>(components))),
        Route::get(LIVE_OVERALL, "get_livestream_analytics", livestreams_overall)
            .about("Counts livestreams")
            .access(Access::AppHistory)
            .query(&[START_TIME, END_TIME, FILTERS])
            .answers::<StreamTotalOut>(200),
    ]
}

/// Counts of an app.
#[derive(Debug, Serialize, ToSchema)]
pub struct AnalyticsOut {
    session_stats: SessionStatsOut,
    recording_stats: RecordingStatsOut,
}

/// Counts of sessions, each on the day on which it began.
#[derive(Debug, Serialize, ToSchema)]
pub struct SessionStatsOut {
    sessions_count: i64,
    /// The minutes of all peers added up.
    sessions_minutes_consumed: f64,
    day_stats: Vec<SessionDayOut>,
}

/// Counts of sessions on a day.
#[derive(Debug, Serialize, ToSchema)]
pub struct SessionDayOut {
    /// The midnight that begins it.
    #[schema(value_type = String, format = DateTime)]
    day: Timestamp,
    total_sessions: i64,
    total_session_minutes: f64,
}

/// Counts of recordings, each on the day on which it was asked for.
#[derive(Debug, Serialize, ToSchema)]
pub struct RecordingStatsOut {
    recording_count: i64,
    recording_minutes_consumed: f64,
    day_stats: Vec<RecordingDayOut>,
}

/// Counts of recordings on a day.
#[derive(Debug, Serialize, ToSchema)]
pub struct RecordingDayOut {
    /// The midnight that begins it.
    #[schema(value_type = String, format = DateTime)]
    day: Timestamp,
    total_recordings: i64,
    /// Whole minutes.
    total_recording_minutes: i64,
}

/// Counts of livestreams on a day.
#[derive(Debug, Serialize, ToSchema)]
pub struct StreamDayOut {
    #[schema(format = Date)]
    date: String,
    #[serde(flatten)]
    total: StreamTotalOut,
}

/// Counts of livestreams.
#[derive(Debug, Serialize, ToSchema)]
pub struct StreamTotalOut {
    count: i64,
    total_ingest_seconds: i64,
    total_viewer_seconds: i64,
}

fn sum(days: &[Day<Usage>]) -> Usage {
    days.iter().fold(Usage::default(), |sum, day| Usage {
        count: sum.count + day.usage.count,
        micros: sum.micros.saturating_add(day.usage.micros),
    })
}

impl From<&[Day<Usage>]> for SessionStatsOut {
    fn from(days: &[Day<Usage>]) -> Self {
        let all = sum(days);
        let day = |day: &Day<Usage>| SessionDayOut {
            day: day.day,
            total_sessions: day.usage.count,
            total_session_minutes: minutes(day.usage.micros),
        };
        Self {
            sessions_count: all.count,
            sessions_minutes_consumed: minutes(all.micros),
            day_stats: days.iter().map(day).collect(),
        }
    }
}

impl From<&[Day<Usage>]> for RecordingStatsOut {
    fn from(days: &[Day<Usage>]) -> Self {
        let all = sum(days);
        let day = |day: &Day<Usage>| RecordingDayOut {
            day: day.day,
            total_recordings: day.usage.count,
            total_recording_minutes: whole_seconds(day.usage.micros).saturating_add(30).div_euclid(60),
        };
        Self {
            recording_count: all.count,
            recording_minutes_consumed: minutes(all.micros),
            day_stats: days.iter().map(day).collect(),
        }
    }
}

impl From<StreamUsage> for StreamTotalOut {
    fn from(usage: StreamUsage) -> Self {
        Self {
            count: usage.count,
            total_ingest_seconds: whole_seconds(usage.ingest_micros),
            total_viewer_seconds: whole_seconds(usage.viewer_micros),
        }
    }
}

/// The days asked for: 30 up to the last one, which is today, unless given otherwise.
fn days(r: &mut Reader<'_>, now: Timestamp) -> Range {
    let (first, last) = (r.date(&START_DATE), r.date(&END_DATE));
    if first.zip(last).is_some_and(|(first, last)| first > last) {
        r.fault(&START_DATE, "must not be after end_date");
    }
    let last = last.unwrap_or_else(|| now.start_of_day().max(first.unwrap_or_default()));
    Range {
        from: first.unwrap_or_else(|| last.minus(DAY * (DAYS - 1))),
        to: last.plus(DAY).minus(Duration::from_micros(1)),
    }
}

/// The moments asked for: 30 days up to the last one, which is now, unless given otherwise.
fn moments(r: &mut Reader<'_>, now: Timestamp) -> Range {
    let (first, last) = (r.moment(&START_TIME), r.moment(&END_TIME));
    if first
        .zip(last)
        .is_some_and(|((first, _), (_, last))| first > last)
    {
        r.fault(&START_TIME, "must not be after end_time");
    }
    let (begins, to) = last.unwrap_or_else(|| {
        let now = first.map_or(now, |(from, _)| now.max(from));
        (now, now)
    });
    Range {
        from: first.map_or_else(|| begins.minus(DAY * DAYS), |(from, _)| from),
        to,
    }
}

async fn daywise(
    State(app): State<App>,
    caller: HistoryCaller,
    query: Query,
) -> Result<Envelope<AnalyticsOut>, ApiError> {
    let range = query.read(|r| days(r, app.now()))?;
    let sessions = app.store.session_days(&caller.scope, range).await?;
    let recordings = app.store.recording_days(&caller.scope, range).await?;
    Ok(Envelope::one(AnalyticsOut {
        session_stats: sessions.as_slice().into(),
        recording_stats: recordings.as_slice().into(),
    }))
}

async fn livestreams_daywise(
    State(app): State<App>,
    caller: HistoryCaller,
    query: Query,
) -> Result<Envelope<Vec<StreamDayOut>>, ApiError> {
    let range = query.read(|r| moments(r, app.now()))?;
    let days = app.store.livestream_days(&caller.scope, range).await?;
    let out = |day: Day<StreamUsage>| StreamDayOut {
        date: day.day.date(),
        total: day.usage.into(),
    };
    Ok(Envelope::one(days.into_iter().map(out).collect()))
}

async fn livestreams_overall(
    State(app): State<App>,
    caller: HistoryCaller,
    query: Query,
) -> Result<Envelope<StreamTotalOut>, ApiError> {
    let range = query.read(|r| moments(r, app.now()))?;
    let days = app.store.livestream_days(&caller.scope, range).await?;
    let all = days.iter().fold(StreamUsage::default(), |sum, day| StreamUsage {
        count: sum.count + day.usage.count,
        ingest_micros: sum.ingest_micros.saturating_add(day.usage.ingest_micros),
        viewer_micros: sum.viewer_micros.saturating_add(day.usage.viewer_micros),
    });
    Ok(Envelope::one(all.into()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn now() -> Timestamp {
        "2026-03-31T12:00:00Z".parse().unwrap()
    }

    #[test]
    fn days_default_to_thirty() {
        let read = |text: &str| {
            let range = Query::of(text).read(|r| days(r, now())).unwrap();
            (range.from.to_string(), range.to.to_string())
        };
        let told = |from: &str, to: &str| (format!("{from}T00:00:00.000Z"), format!("{to}T23:59:59.999Z"));
        assert_eq!(read(""), told("2026-03-02", "2026-03-31"));
        assert_eq!(read("end_date=2026-01-31"), told("2026-01-02", "2026-01-31"));
        assert_eq!(read("start_date=2026-03-30"), told("2026-03-30", "2026-03-31"));
        assert_eq!(read("start_date=2027-01-01"), told("2027-01-01", "2027-01-01"));
        assert_eq!(
            read("start_date=2026-01-01&end_date=2026-01-01"),
            told("2026-01-01", "2026-01-01")
        );
        for wrong in [
            "start_date=2026-02-01&end_date=2026-01-01",
            "start_date=yesterday",
        ] {
            assert!(Query::of(wrong).read(|r| days(r, now())).is_err(), "{wrong}");
        }
    }

    #[test]
    fn moments_default_to_thirty_days() {
        let range = Query::of("").read(|r| moments(r, now())).unwrap();
        assert_eq!((range.from, range.to), (now().minus(DAY * 30), now()));
        let range = Query::of("start_time=1&end_time=1")
            .read(|r| moments(r, now()))
            .unwrap();
        assert_eq!(range.to.as_micros() - range.from.as_micros(), 999_999);
        assert!(
            Query::of("start_time=2&end_time=1")
                .read(|r| moments(r, now()))
                .is_err()
        );
    }
}
