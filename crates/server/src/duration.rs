//! Lengths of time as people write them in settings and flags.

use std::time::Duration;

use anyhow::{Context, bail};

/// Reads `500ms`, `90s`, `15m`, `12h`, `30d`, `52w`; at least 1 of the unit.
pub fn parse(text: &str) -> anyhow::Result<Duration> {
    let digits = text.bytes().take_while(u8::is_ascii_digit).count();
    let (count, unit) = text.split_at(digits);
    let millis: u64 = match unit {
        "ms" => 1,
        "s" => 1000,
        "m" => 60_000,
        "h" => 3_600_000,
        "d" => 86_400_000,
        "w" => 7 * 86_400_000,
        _ => bail!("must be a whole number and one of ms, s, m, h, d, w"),
    };
    let count: u32 = count
        .parse()
        .context("must be a whole number and one of ms, s, m, h, d, w")?;
    if count == 0 {
        bail!("must be at least 1{unit}");
    }
    Ok(Duration::from_millis(u64::from(count) * millis))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_have_a_unit() {
        assert_eq!(parse("30d").unwrap(), Duration::from_secs(30 * 86_400));
        assert_eq!(parse("5ms").unwrap(), Duration::from_millis(5));
        for wrong in ["", "30", "d", "-1d", "1.5h", "0s", "3é", "é", "99999999999s"] {
            assert!(parse(wrong).is_err(), "{wrong}");
        }
    }
}
