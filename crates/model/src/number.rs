//! JSON numbers that mean whole numbers: `60` and `60.0` are the same, as in JSON Schema.

use serde::{Deserialize, Deserializer, Serialize, Serializer, de::Error};

fn to_whole<E: Error>(value: f64) -> Result<u32, E> {
    if value.fract() == 0.0 && (0.0..=f64::from(u32::MAX)).contains(&value) {
        #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)] // checked above
        Ok(value as u32)
    } else {
        Err(E::custom(format_args!("{value} is not a whole number in range")))
    }
}

/// Reads a whole number from 0 to 4,294,967,295, or `null`.
pub fn whole<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<u32>, D::Error> {
    Option::<f64>::deserialize(deserializer)?
        .map(to_whole)
        .transpose()
}

/// Reads a whole number from 0 to 4,294,967,295.
pub fn count<'de, D: Deserializer<'de>>(deserializer: D) -> Result<u32, D::Error> {
    to_whole(f64::deserialize(deserializer)?)
}

/// Reads a list of whole numbers from 0 to 4,294,967,295.
pub fn counts<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<u32>, D::Error> {
    Vec::<f64>::deserialize(deserializer)?
        .into_iter()
        .map(to_whole)
        .collect()
}

/// Any number; a whole one is written without a fraction, however it came.
#[derive(Debug, Clone, Copy, PartialEq, PartialOrd, Deserialize)]
#[serde(transparent)]
pub struct Number(f64);

impl Number {
    /// The number itself.
    pub const fn get(self) -> f64 {
        self.0
    }
}

impl From<u32> for Number {
    fn from(value: u32) -> Self {
        Self(value.into())
    }
}

impl Serialize for Number {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match to_whole::<serde::de::value::Error>(self.0) {
            Ok(whole) => serializer.serialize_u32(whole),
            Err(_) => serializer.serialize_f64(self.0),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn whole_numbers_lose_their_fraction() {
        let echoed =
            |text: &str| serde_json::to_string(&serde_json::from_str::<Number>(text).unwrap()).unwrap();
        assert_eq!(echoed("30.0"), "30");
        assert_eq!(echoed("29.97"), "29.97");
        assert_eq!(echoed("-1.0"), "-1.0");
    }
}
