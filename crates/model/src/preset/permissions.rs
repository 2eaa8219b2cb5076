//! What the holder of a preset may do.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::Value;

/// What the holder of a preset may do.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct Permissions {
    /// Let people in from the waiting room.
    pub accept_waiting_requests: bool,
    /// Let people onto the stage.
    #[serde(default)]
    pub accept_stage_requests: bool,
    /// Let people onto the stage; the older name.
    pub can_accept_production_requests: bool,
    /// Change what others may do.
    pub can_change_participant_permissions: bool,
    /// Change the own name.
    pub can_edit_display_name: bool,
    /// Start and stop the livestream.
    pub can_livestream: bool,
    /// Start and stop the recording.
    pub can_record: bool,
    /// Put somebody in everybody's view.
    pub can_spotlight: bool,
    /// Mute others.
    pub disable_participant_audio: bool,
    /// End the screen shares of others.
    pub disable_participant_screensharing: bool,
    /// Turn off the cameras of others.
    pub disable_participant_video: bool,
    /// Be there unseen.
    pub hidden_participant: bool,
    /// Be a recorder rather than a person.
    #[serde(default)]
    pub is_recorder: bool,
    /// Remove others.
    pub kick_participant: bool,
    /// Pin others for everybody.
    pub pin_participant: bool,
    /// Which kind of recorder the holder is.
    pub recorder_type: RecorderType,
    /// See who is there.
    pub show_participant_list: bool,
    /// Whether being on stage differs from being there.
    #[serde(default)]
    pub stage_enabled: bool,
    /// Go on stage; derived from the media permissions when not given.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub stage_access: Option<MediaPermission>,
    /// Get transcripts while the meeting runs.
    #[serde(default)]
    pub transcription_enabled: bool,
    /// When the holder waits before coming in.
    pub waiting_room_type: WaitingRoomType,
    /// Send picture and sound.
    pub media: MediaPermissions,
    /// Write to others.
    pub chat: ChatPermissions,
    /// Ask and vote.
    pub polls: PollPermissions,
    /// Use plugins.
    pub plugins: PluginPermissions,
    /// Use breakout rooms.
    pub connected_meetings: ConnectedMeetingPermissions,
    /// Kept and given back.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub track_recording: Option<Value>,
}

impl Default for Permissions {
    fn default() -> Self {
        Self {
            accept_waiting_requests: false,
            accept_stage_requests: false,
            can_accept_production_requests: false,
            can_change_participant_permissions: false,
            can_edit_display_name: true,
            can_livestream: false,
            can_record: false,
            can_spotlight: false,
            disable_participant_audio: false,
            disable_participant_screensharing: false,
            disable_participant_video: false,
            hidden_participant: false,
            is_recorder: false,
            kick_participant: false,
            pin_participant: false,
            recorder_type: RecorderType::None,
            show_participant_list: true,
            stage_enabled: false,
            stage_access: None,
            transcription_enabled: false,
            waiting_room_type: WaitingRoomType::Skip,
            media: MediaPermissions::default(),
            chat: ChatPermissions::default(),
            polls: PollPermissions::default(),
            plugins: PluginPermissions::default(),
            connected_meetings: ConnectedMeetingPermissions::default(),
            track_recording: None,
        }
    }
}

/// Which kind of recorder somebody is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
#[serde(rename_all = "UPPERCASE")]
pub enum RecorderType {
    /// Records.
    Recorder,
    /// Streams.
    Livestreamer,
    /// None: a person.
    None,
}

/// When somebody waits before coming in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum WaitingRoomType {
    /// Never.
    Skip,
    /// Until somebody who may let people in is there.
    OnPrivilegedUserEntry,
    /// Until let in.
    SkipOnAccept,
}

/// Whether something may be done, or asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum MediaPermission {
    /// It may be done.
    Allowed,
    /// It may not.
    NotAllowed,
    /// It may be asked for.
    CanRequest,
}

/// Sending of picture and sound.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct MediaPermissions {
    /// The microphone.
    pub audio: StreamPermissions,
    /// The camera.
    pub video: StreamPermissions,
    /// The screen.
    pub screenshare: StreamPermissions,
}

impl MediaPermissions {
    /// Microphone, camera and screen may be sent as said.
    pub const fn producing(
        audio: MediaPermission,
        video: MediaPermission,
        screenshare: MediaPermission,
    ) -> Self {
        Self {
            audio: StreamPermissions::producing(audio),
            video: StreamPermissions::producing(video),
            screenshare: StreamPermissions::producing(screenshare),
        }
    }
}

impl Default for MediaPermissions {
    fn default() -> Self {
        use MediaPermission::Allowed;
        Self::producing(Allowed, Allowed, Allowed)
    }
}

/// One kind of media.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct StreamPermissions {
    /// Sending it.
    pub can_produce: MediaPermission,
    /// Getting it from others; kept and given back.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub can_consume: Option<MediaPermission>,
}

impl StreamPermissions {
    const fn producing(can_produce: MediaPermission) -> Self {
        Self {
            can_produce,
            can_consume: None,
        }
    }
}

/// Writing to others.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct ChatPermissions {
    /// To everybody.
    pub public: PublicChatPermissions,
    /// To one.
    pub private: PrivateChatPermissions,
    /// Kept and given back.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub channel: Option<Value>,
    /// Kept and given back.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub message: Option<Value>,
}

/// Writing to everybody.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct PublicChatPermissions {
    /// Anything at all.
    pub can_send: bool,
    /// Text.
    pub text: bool,
    /// Files.
    pub files: bool,
}

impl Default for PublicChatPermissions {
    fn default() -> Self {
        Self {
            can_send: true,
            text: true,
            files: true,
        }
    }
}

/// Writing to one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct PrivateChatPermissions {
    /// Anything at all.
    pub can_send: bool,
    /// Being written to.
    pub can_receive: bool,
    /// Text.
    pub text: bool,
    /// Files.
    pub files: bool,
}

/// Asking and voting.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct PollPermissions {
    /// Ask.
    pub can_create: bool,
    /// Vote.
    pub can_vote: bool,
    /// See polls.
    pub can_view: bool,
}

impl Default for PollPermissions {
    fn default() -> Self {
        Self {
            can_create: true,
            can_vote: true,
            can_view: true,
        }
    }
}

/// Using plugins.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct PluginPermissions {
    /// Close them.
    pub can_close: bool,
    /// Open them.
    pub can_start: bool,
    /// Change their settings.
    pub can_edit_config: bool,
    /// Exceptions by plugin id.
    pub config: BTreeMap<String, PluginAccess>,
}

impl Default for PluginPermissions {
    fn default() -> Self {
        Self {
            can_close: true,
            can_start: true,
            can_edit_config: false,
            config: BTreeMap::new(),
        }
    }
}

/// What may be done with one plugin; further members are kept and given back.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct PluginAccess {
    /// How much.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub access_control: Option<PluginAccessControl>,
    /// Whether the plugin itself knows what viewing alone means.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub handles_view_only: Option<bool>,
    /// All else.
    #[serde(flatten)]
    pub more: BTreeMap<String, Value>,
}

/// How much may be done with a plugin.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum PluginAccessControl {
    /// All.
    FullAccess,
    /// Look at it.
    ViewOnly,
}

/// Using breakout rooms.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct ConnectedMeetingPermissions {
    /// Make, change and close them.
    pub can_alter_connected_meetings: bool,
    /// Go from one to another.
    pub can_switch_connected_meetings: bool,
    /// Go back to the main meeting.
    pub can_switch_to_parent_meeting: bool,
}
