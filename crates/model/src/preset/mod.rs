//! Presets: the rights and the look given to a participant.
//!
//! The types are strict: every member that the published contract requires must be there. What a
//! caller leaves out is filled from the defaults before a preset is read.

mod config;
mod permissions;
mod seeds;
mod ui;

use serde::{Deserialize, Serialize};
use serde_json::Value;

pub use config::{
    MaxVideoStreams, MediaQuality, PresetAudio, PresetConfig, PresetMedia, PresetScreenshare, PresetVideo,
    ViewType,
};
pub use permissions::{
    ChatPermissions, ConnectedMeetingPermissions, MediaPermission, MediaPermissions, Permissions,
    PluginAccess, PluginAccessControl, PluginPermissions, PollPermissions, PrivateChatPermissions,
    PublicChatPermissions, RecorderType, StreamPermissions, WaitingRoomType,
};
pub use ui::{
    BackgroundColors, BorderRadius, BorderWidth, BrandColors, DesignColors, DesignTokens, PresetUi, Theme,
};

use crate::{PresetId, Timestamp};

/// What a caller decides of a preset.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct PresetBody {
    /// Unique within the app.
    #[cfg_attr(feature = "schema", schema(min_length = 1, max_length = 128))]
    pub name: String,
    /// Which form of preset the caller's tools wrote; kept and given back.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub version: Option<String>,
    /// What the meeting is like for its holder.
    pub config: PresetConfig,
    /// What its holder may do.
    pub permissions: Permissions,
    /// How the meeting looks to its holder.
    pub ui: PresetUi,
    /// Kept and given back.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub track_recording: Option<Value>,
}

impl PresetBody {
    /// A preset for group calls without any power over others: what takes the place of all that a
    /// caller leaves out.
    pub fn named(name: impl Into<String>) -> Self {
        Self {
            name: name.into(),
            version: None,
            config: PresetConfig::default(),
            permissions: Permissions::default(),
            ui: PresetUi::default(),
            track_recording: None,
        }
    }
}

/// A preset of an app.
#[derive(Debug, Clone, PartialEq)]
pub struct Preset {
    /// Its id.
    pub id: PresetId,
    /// What its owner decided.
    pub body: PresetBody,
    /// When it was made.
    pub created_at: Timestamp,
    /// When it was last changed.
    pub updated_at: Timestamp,
}

/// A preset as lists show it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PresetSummary {
    /// Its id.
    pub id: PresetId,
    /// Its name.
    pub name: String,
    /// When it was made.
    pub created_at: Timestamp,
    /// When it was last changed.
    pub updated_at: Timestamp,
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn defaults_are_a_plain_group_call() {
        let body = serde_json::to_value(PresetBody::named("x")).unwrap();
        assert_eq!(
            body["config"],
            json!({
                "view_type": "GROUP_CALL",
                "max_video_streams": {"mobile": 6, "desktop": 6},
                "max_screenshare_count": 1,
                "media": {
                    "video": {"quality": "vga", "frame_rate": 30, "simulcast": false},
                    "screenshare": {"quality": "hd", "frame_rate": 5},
                    "audio": {"enable_high_bitrate": false, "enable_stereo": false},
                },
                "livestream_viewer_qualities": [],
            })
        );
        let permissions = &body["permissions"];
        for (name, value) in permissions.as_object().unwrap() {
            let granted = ["can_edit_display_name", "show_participant_list"].contains(&name.as_str());
            assert!(value.as_bool().is_none_or(|b| b == granted), "{name}");
        }
        assert_eq!(permissions["waiting_room_type"], "SKIP");
        assert_eq!(permissions["recorder_type"], "NONE");
        for kind in ["audio", "video", "screenshare"] {
            assert_eq!(permissions["media"][kind], json!({"can_produce": "ALLOWED"}));
        }
        assert_eq!(
            permissions["chat"],
            json!({
                "public": {"can_send": true, "text": true, "files": true},
                "private": {"can_send": false, "can_receive": false, "text": false, "files": false},
            })
        );
        assert_eq!(
            permissions["polls"],
            json!({"can_create": true, "can_vote": true, "can_view": true})
        );
        assert_eq!(
            permissions["plugins"],
            json!({"can_close": true, "can_start": true, "can_edit_config": false, "config": {}})
        );
        let tokens = &body["ui"]["design_tokens"];
        assert_eq!(tokens["border_radius"], "rounded");
        assert_eq!(tokens["spacing_base"], 4);
        assert_eq!(tokens["colors"]["brand"]["500"], "#b56927");
        assert_eq!(tokens["colors"]["background"]["1000"], "#141414");
        assert_eq!(body["ui"]["config_diff"], json!({}));
    }

    #[test]
    fn what_tools_add_is_kept_and_the_unknown_is_not() {
        let mut body = serde_json::to_value(PresetBody::named("x")).unwrap();
        body["version"] = json!("2.0.0");
        body["track_recording"] = json!({"enabled": true});
        body["permissions"]["track_recording"] = json!(true);
        body["permissions"]["media"]["audio"]["can_consume"] = json!("ALLOWED");
        body["permissions"]["chat"]["channel"] = json!({"can_create": "ALL"});
        body["permissions"]["chat"]["message"] = json!({"can_edit": "SELF"});
        body["permissions"]["plugins"]["config"] =
            json!({"p": {"access_control": "VIEW_ONLY", "disabled": true}});
        body["ui"]["config_diff"] = json!({"a": [1]});
        let echoed = |body: &Value| {
            serde_json::to_value(serde_json::from_value::<PresetBody>(body.clone()).unwrap()).unwrap()
        };
        assert_eq!(echoed(&body), body);
        let mut more = body.clone();
        more["nonsense"] = json!(1);
        more["permissions"]["chat"]["public"]["nonsense"] = json!(1);
        assert_eq!(echoed(&more), body);
    }

    #[test]
    fn whole_numbers_may_come_with_a_fraction_of_zero() {
        let mut body = serde_json::to_value(PresetBody::named("x")).unwrap();
        body["config"]["max_screenshare_count"] = json!(2.0);
        body["config"]["livestream_viewer_qualities"] = json!([360.0, 720]);
        body["config"]["media"]["video"]["frame_rate"] = json!(24.0);
        let read: PresetBody = serde_json::from_value(body.clone()).unwrap();
        assert_eq!(read.config.max_screenshare_count, 2);
        assert_eq!(read.config.livestream_viewer_qualities, [360, 720]);
        let shown = serde_json::to_string(&read).unwrap();
        assert!(shown.contains("\"frame_rate\":24,"), "{shown}");
        body["config"]["max_screenshare_count"] = json!(1.5);
        assert!(serde_json::from_value::<PresetBody>(body).is_err());
    }
}
