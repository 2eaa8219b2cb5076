//! A point in time with microsecond resolution.

use std::{fmt, str::FromStr, time::Duration};

use jiff::fmt::{StdFmtWrite, temporal::DateTimePrinter};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// Microseconds since 1970-01-01T00:00:00Z; the form in which every time is stored.
///
/// Printed as RFC 3339 in UTC with exactly three fractional digits, cut (not rounded) to the
/// millisecond, as every answer and webhook shows it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Timestamp(i64);

/// A text that is not an RFC 3339 date and time within the years 0000 to 9999.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("not a date and time in RFC 3339 form")]
pub struct ParseTimestampError;

const MICROS_PER_DAY: i64 = 86_400_000_000;

impl Timestamp {
    /// The system clock's time. Pure crates take `now` as an argument instead.
    pub fn now() -> Self {
        Self(jiff::Timestamp::now().as_microsecond())
    }

    /// From microseconds since the epoch.
    pub const fn from_micros(micros: i64) -> Self {
        Self(micros)
    }

    /// From whole seconds since the epoch; saturates.
    pub const fn from_secs(secs: i64) -> Self {
        Self(secs.saturating_mul(1_000_000))
    }

    /// Microseconds since the epoch.
    pub const fn as_micros(self) -> i64 {
        self.0
    }

    /// Whole seconds since the epoch, rounded down.
    pub const fn as_secs(self) -> i64 {
        self.0.div_euclid(1_000_000)
    }

    /// This time and `duration` more; saturates.
    #[must_use]
    pub fn plus(self, duration: Duration) -> Self {
        Self(
            self.0
                .saturating_add(i64::try_from(duration.as_micros()).unwrap_or(i64::MAX)),
        )
    }

    /// This time less `duration`; saturates.
    #[must_use]
    pub fn minus(self, duration: Duration) -> Self {
        Self(
            self.0
                .saturating_sub(i64::try_from(duration.as_micros()).unwrap_or(i64::MAX)),
        )
    }

    /// The UTC midnight at which this time's day began.
    #[must_use]
    pub const fn start_of_day(self) -> Self {
        Self(self.0.div_euclid(MICROS_PER_DAY).saturating_mul(MICROS_PER_DAY))
    }

    /// The UTC day as `YYYY-MM-DD`.
    pub fn date(self) -> String {
        self.to_string().chars().take(10).collect()
    }

    /// The UTC midnight that begins the day `YYYY-MM-DD`.
    pub fn from_date(text: &str) -> Result<Self, ParseTimestampError> {
        let date: jiff::civil::Date = text.parse().map_err(|_| ParseTimestampError)?;
        if text.len() != 10 {
            return Err(ParseTimestampError);
        }
        let zoned = date
            .to_zoned(jiff::tz::TimeZone::UTC)
            .map_err(|_| ParseTimestampError)?;
        Ok(Self(zoned.timestamp().as_microsecond()))
    }
}

impl fmt::Display for Timestamp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        const PRINTER: DateTimePrinter = DateTimePrinter::new().precision(Some(3));
        // Times that jiff cannot hold (years past 9999) are shown as the last one it can.
        let time = jiff::Timestamp::from_microsecond(self.0).unwrap_or(if self.0 < 0 {
            jiff::Timestamp::MIN
        } else {
            jiff::Timestamp::MAX
        });
        PRINTER
            .print_timestamp(&time, StdFmtWrite(f))
            .map_err(|_| fmt::Error)
    }
}

impl FromStr for Timestamp {
    type Err = ParseTimestampError;

    fn from_str(text: &str) -> Result<Self, ParseTimestampError> {
        let parsed = text.parse::<jiff::Timestamp>().or_else(|_| {
            // Without an offset (as Python's naive datetimes print) UTC is meant.
            let civil: jiff::civil::DateTime = text.parse().map_err(|_| ParseTimestampError)?;
            civil
                .to_zoned(jiff::tz::TimeZone::UTC)
                .map(|z| z.timestamp())
                .map_err(|_| ParseTimestampError)
        })?;
        Ok(Self(parsed.as_microsecond()))
    }
}

impl Serialize for Timestamp {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Timestamp {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = std::borrow::Cow::<'de, str>::deserialize(deserializer)?;
        text.parse().map_err(serde::de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn printing_cuts_to_the_millisecond(micros in 0i64..=253_402_207_200_999_999) {
            let ours = Timestamp::from_micros(micros).to_string();
            prop_assert_eq!(ours.len(), 24);
            prop_assert_eq!(ours.parse::<Timestamp>().unwrap().as_micros(), micros.div_euclid(1000) * 1000);
        }

        #[test]
        fn any_time_prints(micros: i64) {
            prop_assert!(Timestamp::from_micros(micros).to_string().ends_with('Z'));
            let _ = Timestamp::from_micros(micros).start_of_day();
        }

        #[test]
        fn no_text_panics(text in ".*") {
            let _ = text.parse::<Timestamp>();
            let _ = Timestamp::from_date(&text);
        }
    }

    #[test]
    fn prints_three_fractional_digits() {
        assert_eq!(
            Timestamp::from_micros(1_675_248_668_039_999).to_string(),
            "2023-02-01T10:51:08.039Z"
        );
        assert_eq!(Timestamp::default().to_string(), "1970-01-01T00:00:00.000Z");
    }

    #[test]
    fn reads_offsets_and_dates() {
        let utc: Timestamp = "2023-02-01T10:51:08Z".parse().unwrap();
        assert_eq!("2023-02-01T11:51:08+01:00".parse::<Timestamp>().unwrap(), utc);
        assert_eq!(Timestamp::from_date("2023-02-01").unwrap(), utc.start_of_day());
        assert_eq!(utc.date(), "2023-02-01");
        assert!(Timestamp::from_date("2023-02-30").is_err());
    }
}
