//! What a meeting is like for the holder of a preset.

use serde::{Deserialize, Serialize};

use crate::number::Number;

/// What the meeting is like for its holder.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct PresetConfig {
    /// The kind of meeting.
    pub view_type: ViewType,
    /// How many videos are seen at once.
    pub max_video_streams: MaxVideoStreams,
    /// How many screens may be shared at once.
    #[serde(deserialize_with = "crate::number::count")]
    pub max_screenshare_count: u32,
    /// Quality of picture and sound.
    pub media: PresetMedia,
    /// Heights in pixels that viewers of a livestream may choose from.
    #[serde(default, deserialize_with = "crate::number::counts")]
    pub livestream_viewer_qualities: Vec<u32>,
}

impl Default for PresetConfig {
    fn default() -> Self {
        Self {
            view_type: ViewType::GroupCall,
            max_video_streams: MaxVideoStreams {
                mobile: 6,
                desktop: 6,
            },
            max_screenshare_count: 1,
            media: PresetMedia::default(),
            livestream_viewer_qualities: Vec::new(),
        }
    }
}

/// The kind of meeting.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum ViewType {
    /// Everybody meets everybody.
    GroupCall,
    /// Some are on a stage, others watch.
    Webinar,
    /// Sound alone.
    AudioRoom,
    /// Some are on a stage, others watch a stream of it.
    Livestream,
}

/// How many videos are seen at once.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct MaxVideoStreams {
    /// On small devices.
    #[serde(deserialize_with = "crate::number::count")]
    pub mobile: u32,
    /// On others.
    #[serde(deserialize_with = "crate::number::count")]
    pub desktop: u32,
}

/// Quality of picture and sound.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct PresetMedia {
    /// The camera.
    pub video: PresetVideo,
    /// The shared screen.
    pub screenshare: PresetScreenshare,
    /// The microphone.
    #[serde(default)]
    pub audio: PresetAudio,
}

/// How large a picture is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
#[serde(rename_all = "lowercase")]
pub enum MediaQuality {
    /// 720 lines.
    Hd,
    /// 480 lines.
    Vga,
    /// 240 lines.
    Qvga,
    /// 1080 lines.
    Fhd,
    /// 2160 lines.
    Uhd,
}

/// The camera.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct PresetVideo {
    /// Size of the picture.
    pub quality: MediaQuality,
    /// Pictures a second.
    #[cfg_attr(feature = "schema", schema(value_type = f64, minimum = 0, maximum = 30))]
    pub frame_rate: Number,
    /// Whether the picture is sent in several sizes.
    #[serde(default)]
    pub simulcast: bool,
}

impl Default for PresetVideo {
    fn default() -> Self {
        Self {
            quality: MediaQuality::Vga,
            frame_rate: 30.into(),
            simulcast: false,
        }
    }
}

/// The shared screen.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct PresetScreenshare {
    /// Size of the picture.
    pub quality: MediaQuality,
    /// Pictures a second.
    #[cfg_attr(feature = "schema", schema(value_type = f64, minimum = 0))]
    pub frame_rate: Number,
}

impl Default for PresetScreenshare {
    fn default() -> Self {
        Self {
            quality: MediaQuality::Hd,
            frame_rate: 5.into(),
        }
    }
}

/// The microphone.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct PresetAudio {
    /// Whether sound is sent at a high bitrate.
    #[serde(default)]
    pub enable_high_bitrate: bool,
    /// Whether sound has two channels.
    #[serde(default)]
    pub enable_stereo: bool,
}
