//! Presets: the rights and the look given to a participant.

use serde::{Deserialize, Serialize};

/// What a caller decides of a preset.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct PresetBody {
    /// Unique within the app.
    pub name: String,
}

impl PresetBody {
    /// The presets every new app has.
    pub fn seeds() -> Vec<Self> {
        ["group_call_host", "group_call_participant"]
            .map(|name| Self { name: name.into() })
            .into()
    }
}
