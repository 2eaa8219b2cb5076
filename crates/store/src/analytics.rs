//! Counts by UTC day, made from the records. Each is filed under the day on which it began.

use muster_model::{
    Timestamp,
    analytics::{Day, Range, StreamUsage, Usage},
    app::Scope,
};

use crate::{Store, StoreError, params};

const MICROS_PER_DAY: i64 = 86_400_000_000;

/// Counts by day of a table's rows: `$3` to `$4` bound the column, `$5` is the length of a day.
macro_rules! by_day {
    ($table:literal, $began:literal, $sums:literal) => {
        concat!(
            "SELECT ",
            $began,
            " / $5, COUNT(*), ",
            $sums,
            " FROM ",
            $table,
            " WHERE app_id = (SELECT id FROM apps WHERE id = $1 AND account_id = $2) AND ",
            $began,
            " >= $3 AND ",
            $began,
            " <= $4 GROUP BY 1 ORDER BY 1"
        )
    };
}

fn midnight(day: i64) -> Timestamp {
    Timestamp::from_micros(day.saturating_mul(MICROS_PER_DAY))
}

impl Store {
    async fn usage_by_day(
        &self,
        sql: &'static str,
        scope: &Scope,
        range: Range,
    ) -> Result<Vec<Day<Usage>>, StoreError> {
        let rows: Vec<(i64, i64, i64)> = self
            .read()
            .await?
            .fetch_all(
                sql,
                params![scope.app, &scope.account, range.from, range.to, MICROS_PER_DAY],
            )
            .await?;
        let of = |(day, count, micros)| Day {
            day: midnight(day),
            usage: Usage { count, micros },
        };
        Ok(rows.into_iter().map(of).collect())
    }

    /// The days on which sessions began, with the stays of all their peers; those of the living up to the
    /// heartbeat.
    pub async fn session_days(&self, scope: &Scope, range: Range) -> Result<Vec<Day<Usage>>, StoreError> {
        self.usage_by_day(
            by_day!("sessions", "started_at", "CAST(SUM(connected_micros) AS BIGINT)"),
            scope,
            range,
        )
        .await
    }

    /// The days on which recordings were asked for, with their lengths.
    pub async fn recording_days(&self, scope: &Scope, range: Range) -> Result<Vec<Day<Usage>>, StoreError> {
        self.usage_by_day(
            by_day!(
                "recordings",
                "invoked_at",
                "CAST(COALESCE(SUM(recorded_micros), 0) AS BIGINT)"
            ),
            scope,
            range,
        )
        .await
    }

    /// The days on which livestreams were asked for.
    pub async fn livestream_days(
        &self,
        scope: &Scope,
        range: Range,
    ) -> Result<Vec<Day<StreamUsage>>, StoreError> {
        let rows: Vec<(i64, i64, i64, i64)> = self
            .read()
            .await?
            .fetch_all(
                by_day!(
                    "livestream_sessions",
                    "invoked_at",
                    "CAST(SUM(ingest_micros) AS BIGINT), CAST(SUM(viewer_micros) AS BIGINT)"
                ),
                params![scope.app, &scope.account, range.from, range.to, MICROS_PER_DAY],
            )
            .await?;
        let of = |(day, count, ingest_micros, viewer_micros)| Day {
            day: midnight(day),
            usage: StreamUsage {
                count,
                ingest_micros,
                viewer_micros,
            },
        };
        Ok(rows.into_iter().map(of).collect())
    }
}
