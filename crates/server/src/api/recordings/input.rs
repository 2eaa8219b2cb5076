//! What a recording is asked to be.

use std::collections::BTreeMap;

use muster_model::{
    MeetingId,
    recording::{AudioConfig, BucketConfig, StorageConfig, VideoCodec, VideoConfig},
};
use serde::Deserialize;
use serde_json::{Map, Value};
use utoipa::{
    ToSchema,
    openapi::schema::{ArrayBuilder, ObjectBuilder, Schema, Type},
};

use crate::api::{body::Input, error::Fault, storage};

/// A recording of the room to be started. What is absent is as the meeting says, else the default.
#[derive(Debug, Deserialize, ToSchema)]
#[allow(dead_code)] // checked now, read once there is a recorder
pub struct RecordingIn {
    #[schema(value_type = String, format = Uuid)]
    pub(crate) meeting_id: MeetingId,
    /// Seconds after which it ends by itself.
    #[schema(minimum = 60, maximum = 86400)]
    #[serde(default, deserialize_with = "muster_model::number::whole")]
    max_seconds: Option<u32>,
    /// Begins the name of each file; letters, digits and `_`.
    #[schema(pattern = "^[A-Za-z0-9_]*$", max_length = 256)]
    file_name_prefix: Option<String>,
    video_config: Option<VideoConfig>,
    audio_config: Option<AudioConfig>,
    storage_config: Option<StorageConfig>,
    realtimekit_bucket_config: Option<BucketConfig>,
    rtmp_out_config: Option<RtmpOutConfig>,
    interactive_config: Option<InteractiveConfig>,
    /// A page to be recorded instead of the room.
    #[schema(format = "uri", max_length = 4096)]
    url: Option<String>,
    /// Whether it may run beside another one; false unless given.
    pub(super) allow_multiple_recordings: Option<bool>,
}

/// Where a recording is streamed to meanwhile.
#[derive(Debug, Deserialize, ToSchema)]
#[allow(dead_code)] // as above
pub struct RtmpOutConfig {
    #[schema(format = "uri", max_length = 4096)]
    rtmp_url: Option<String>,
}

/// What is written into a recording beside picture and sound.
#[derive(Debug, Deserialize, ToSchema)]
#[allow(dead_code)] // as above
pub struct InteractiveConfig {
    #[serde(rename = "type")]
    kind: Option<InteractiveKind>,
}

/// How that is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, ToSchema)]
pub enum InteractiveKind {
    /// As ID3 tags of an HLS stream.
    #[serde(rename = "ID3")]
    Id3,
}

impl Input for RecordingIn {
    fn normalise(body: &mut Map<String, Value>) {
        storage::normalise(body.get_mut("storage_config"));
    }

    fn check(&self, faults: &mut Vec<Fault>) {
        let bucket_off = self
            .realtimekit_bucket_config
            .is_some_and(|bucket| !bucket.enabled);
        if bucket_off && self.storage_config.is_none() {
            faults.push(Fault::of(
                "storage_config",
                "is required when realtimekit_bucket_config.enabled is false",
            ));
        }
        let codec = self.video_config.as_ref().and_then(|video| video.codec);
        if codec == Some(VideoCodec::VP8) && self.audio_config.is_some() {
            faults.push(Fault::of(
                "audio_config",
                "cannot be changed when the video codec is VP8",
            ));
        }
    }
}

/// A recording of each voice for itself to be started.
#[derive(Debug, Deserialize, ToSchema)]
#[allow(dead_code)] // checked now, read once there is a recorder
pub struct TrackRecordingIn {
    #[schema(value_type = String, format = Uuid)]
    pub(super) meeting_id: MeetingId,
    /// By name; `default` is the only one there is.
    layers: Option<BTreeMap<String, TrackLayer>>,
    /// Only these participants, by their custom ids; everybody unless given.
    #[schema(schema_with = user_ids)]
    user_ids: Option<Vec<String>>,
}

fn user_ids() -> Schema {
    let id = ObjectBuilder::new()
        .schema_type(Type::String)
        .min_length(Some(1))
        .max_length(Some(256));
    ArrayBuilder::new()
        .items(id)
        .min_items(Some(1))
        .max_items(Some(100))
        .into()
}

/// How the voices are recorded.
#[derive(Debug, Deserialize, ToSchema)]
#[allow(dead_code)] // as above
pub struct TrackLayer {
    /// Begins the name of each file; letters, digits and `_`.
    #[schema(pattern = "^[A-Za-z0-9_]*$", max_length = 256)]
    file_name_prefix: Option<String>,
    media_kind: Option<MediaKind>,
    /// Where the files go.
    #[schema(value_type = Option<Vec<Object>>)]
    outputs: Option<Vec<Map<String, Value>>>,
}

/// What is recorded of a track.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum MediaKind {
    /// Sound.
    Audio,
}

impl Input for TrackRecordingIn {
    fn check(&self, faults: &mut Vec<Fault>) {
        for name in self.layers.iter().flat_map(BTreeMap::keys) {
            if name != "default" {
                faults.push(Fault::of(
                    format!("layers.{name}"),
                    "is not a layer; default is the only one",
                ));
            }
        }
    }
}

/// What is to become of a recording.
#[derive(Debug, Deserialize, ToSchema)]
pub struct RecordingChange {
    /// What is to be done.
    pub action: RecordingAction,
}

impl Input for RecordingChange {}

/// What can be done to a recording.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum RecordingAction {
    /// End it.
    Stop,
    /// Leave out what comes.
    Pause,
    /// Go on.
    Resume,
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::api::body::checked;

    const MEETING: &str = "97440c6a-140b-40a9-9499-b23fd7a3868a";

    fn faults<T: Input + std::fmt::Debug>(mut body: Value) -> String {
        body["meeting_id"] = json!(MEETING);
        checked::<T>(body).map_or_else(|error| format!("{error:?}"), |_| String::new())
    }

    #[test]
    fn recordings_are_checked_whole() {
        let ok = json!({
            "allow_multiple_recordings": false, "max_seconds": 60.0, "file_name_prefix": "a_1",
            "audio_config": {"channel": "stereo", "codec": "AAC", "export_file": true},
            "interactive_config": {"type": "ID3"}, "realtimekit_bucket_config": {"enabled": true},
            "rtmp_out_config": {"rtmp_url": "rtmp://example.com/live"}, "url": null, "unknown": 1,
            "video_config": {"codec": "H264", "width": 1280, "height": 720, "watermark": {
                "url": "http://example.com", "position": "left top", "size": {"height": 1, "width": 1}}},
        });
        assert_eq!(faults::<RecordingIn>(ok), "");
        for (wrong, field) in [
            (json!({"max_seconds": 59}), "max_seconds"),
            (json!({"video_config": {"width": 0}}), "video_config.width"),
            (
                json!({"realtimekit_bucket_config": {}}),
                "realtimekit_bucket_config.enabled",
            ),
            (
                json!({"realtimekit_bucket_config": {"enabled": false}}),
                "storage_config",
            ),
            (
                json!({"video_config": {"codec": "VP8"}, "audio_config": {}}),
                "audio_config",
            ),
            (json!({"file_name_prefix": "a b"}), "file_name_prefix"),
            (json!({"url": "not a uri"}), "url"),
            (
                json!({"interactive_config": {"type": "ID4"}}),
                "interactive_config.type",
            ),
            (json!({"storage_config": {"bucket": "b"}}), "storage_config.type"),
        ] {
            assert!(faults::<RecordingIn>(wrong.clone()).contains(field), "{wrong}");
        }
        let both = faults::<RecordingIn>(json!({"max_seconds": 5, "video_config": {"height": 4000}}));
        assert!(
            both.contains("max_seconds") && both.contains("video_config.height"),
            "{both}"
        );
        let stored = json!({"realtimekit_bucket_config": {"enabled": false},
            "storage_config": {"type": "sftp", "host": "h", "port": 22.0, "private_key": "k"}});
        assert_eq!(faults::<RecordingIn>(stored), "");
        let r2 = json!({"storage_config": {"type": "cloudflare", "bucket": "b"}});
        assert_eq!(faults::<RecordingIn>(r2), "");
    }

    #[test]
    fn tracks_are_checked_whole() {
        for ok in [
            json!({}),
            json!({"layers": {"default": {"file_name_prefix": "voice", "media_kind": "audio"}}}),
            json!({"layers": {"default": {"outputs": [{"type": "REALTIMEKIT_BUCKET"}]}}, "user_ids": ["ada"]}),
        ] {
            assert_eq!(faults::<TrackRecordingIn>(ok.clone()), "", "{ok}");
        }
        for (wrong, field) in [
            (json!({"user_ids": []}), "user_ids"),
            (json!({"user_ids": ["x".repeat(257)]}), "user_ids.0"),
            (json!({"user_ids": vec!["x"; 101]}), "user_ids"),
            (json!({"layers": {"other": {}}}), "layers.other"),
            (
                json!({"layers": {"default": {"media_kind": "video"}}}),
                "layers.default.media_kind",
            ),
        ] {
            assert!(
                faults::<TrackRecordingIn>(wrong.clone()).contains(field),
                "{wrong}"
            );
        }
    }
}
