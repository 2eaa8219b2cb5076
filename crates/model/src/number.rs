//! JSON numbers that mean whole numbers: `60` and `60.0` are the same, as in JSON Schema.

use serde::{Deserialize, Deserializer, de::Error};

/// Reads a whole number from 0 to 4,294,967,295, or `null`.
pub fn whole<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<u32>, D::Error> {
    match Option::<f64>::deserialize(deserializer)? {
        None => Ok(None),
        Some(value) if value.fract() == 0.0 && (0.0..=f64::from(u32::MAX)).contains(&value) => {
            #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)] // checked above
            Ok(Some(value as u32))
        }
        Some(value) => Err(D::Error::custom(format_args!(
            "{value} is not a whole number in range"
        ))),
    }
}
