//! How a meeting is recorded, and where the result goes.

use std::fmt;

use serde::{Deserialize, Serialize};

mod record;

pub use record::*;

/// A secret that goes in but never comes out: it has no serialised form and no printed one.
#[derive(Clone, PartialEq, Eq, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema), schema(value_type = String))]
#[serde(transparent)]
pub struct Secret(String);

impl Secret {
    /// The secret itself, for the one place that needs it.
    pub fn expose(&self) -> &str {
        &self.0
    }
}

impl Serialize for Secret {
    /// Fails: fields of this type are skipped, and one that is not must not leak.
    fn serialize<S: serde::Serializer>(&self, _: S) -> Result<S::Ok, S::Error> {
        Err(serde::ser::Error::custom("a secret is not serialised"))
    }
}

impl From<String> for Secret {
    fn from(text: String) -> Self {
        Self(text)
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("[secret]")
    }
}

/// What a recording of a meeting looks like and where it is stored. Absent fields mean the default
/// of the level above (start call, then meeting, then installation).
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
#[serde(default)]
pub struct RecordingConfig {
    /// Seconds after which a recording ends by itself.
    #[serde(
        skip_serializing_if = "Option::is_none",
        deserialize_with = "crate::number::whole"
    )]
    #[cfg_attr(feature = "schema", schema(minimum = 60, maximum = 86400))]
    pub max_seconds: Option<u32>,
    /// Begins the name of each file; letters, digits and `_`.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "schema", schema(pattern = "^[A-Za-z0-9_]*$", max_length = 256))]
    pub file_name_prefix: Option<String>,
    /// The picture.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub video_config: Option<VideoConfig>,
    /// The sound.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub audio_config: Option<AudioConfig>,
    /// The caller's own storage.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub storage_config: Option<StorageConfig>,
    /// This installation's own storage.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub realtimekit_bucket_config: Option<BucketConfig>,
    /// Where the meeting is streamed to.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub live_streaming_config: Option<LiveStreamingConfig>,
}

/// The picture of a recording.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
#[serde(default)]
pub struct VideoConfig {
    /// H264 (mp4) unless given.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub codec: Option<VideoCodec>,
    /// Pixels; 1280 unless given.
    #[serde(
        skip_serializing_if = "Option::is_none",
        deserialize_with = "crate::number::whole"
    )]
    #[cfg_attr(feature = "schema", schema(minimum = 1, maximum = 1920))]
    pub width: Option<u32>,
    /// Pixels; 720 unless given.
    #[serde(
        skip_serializing_if = "Option::is_none",
        deserialize_with = "crate::number::whole"
    )]
    #[cfg_attr(feature = "schema", schema(minimum = 1, maximum = 1920))]
    pub height: Option<u32>,
    /// Whether a file with picture is made; true unless given.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub export_file: Option<bool>,
    /// A picture laid over the video.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub watermark: Option<Watermark>,
}

/// How a recording's picture is coded.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub enum VideoCodec {
    /// H.264 in an mp4 file.
    H264,
    /// VP8 in a `WebM` file.
    VP8,
}

/// A picture laid over the video.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
#[serde(default)]
pub struct Watermark {
    /// Where the picture is.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "schema", schema(format = "uri", max_length = 4096))]
    pub url: Option<String>,
    /// The corner it stands in; left top unless given.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub position: Option<WatermarkPosition>,
    /// Its size.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub size: Option<WatermarkSize>,
}

/// A corner of the picture.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub enum WatermarkPosition {
    /// Top left.
    #[serde(rename = "left top")]
    LeftTop,
    /// Top right.
    #[serde(rename = "right top")]
    RightTop,
    /// Bottom left.
    #[serde(rename = "left bottom")]
    LeftBottom,
    /// Bottom right.
    #[serde(rename = "right bottom")]
    RightBottom,
}

/// The size of a watermark in pixels.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
#[serde(default)]
pub struct WatermarkSize {
    /// Pixels.
    #[serde(
        skip_serializing_if = "Option::is_none",
        deserialize_with = "crate::number::whole"
    )]
    #[cfg_attr(feature = "schema", schema(minimum = 1, maximum = 65535))]
    pub width: Option<u32>,
    /// Pixels.
    #[serde(
        skip_serializing_if = "Option::is_none",
        deserialize_with = "crate::number::whole"
    )]
    #[cfg_attr(feature = "schema", schema(minimum = 1, maximum = 65535))]
    pub height: Option<u32>,
}

/// The sound of a recording.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
#[serde(default)]
pub struct AudioConfig {
    /// AAC unless given.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub codec: Option<AudioCodec>,
    /// Stereo unless given.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub channel: Option<AudioChannel>,
    /// Whether a file of sound alone is made; true unless given.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub export_file: Option<bool>,
}

/// How a recording's sound is coded.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub enum AudioCodec {
    /// MP3.
    MP3,
    /// AAC.
    AAC,
}

/// How many channels a recording's sound has.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
#[serde(rename_all = "lowercase")]
pub enum AudioChannel {
    /// One.
    Mono,
    /// Two.
    Stereo,
}

/// Storage of the caller's. The four secrets are taken in and never given out.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct StorageConfig {
    /// What kind of storage.
    #[serde(rename = "type")]
    pub kind: StorageKind,
    /// Whose store it is; `type: cloudflare` is taken as `aws` with this (extension).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub provider: Option<StorageProvider>,
    /// Key id of the storage account. Write-only.
    #[serde(default, skip_serializing_if = "never_told")]
    #[cfg_attr(feature = "schema", schema(value_type = Option<String>, write_only, max_length = 16384))]
    pub access_key: Option<Secret>,
    /// Secret of the storage account. Write-only.
    #[serde(default, skip_serializing_if = "never_told")]
    #[cfg_attr(feature = "schema", schema(value_type = Option<String>, write_only, max_length = 16384))]
    pub secret: Option<Secret>,
    /// Bucket or container.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "schema", schema(max_length = 1024))]
    pub bucket: Option<String>,
    /// Region of the bucket.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "schema", schema(max_length = 1024))]
    pub region: Option<String>,
    /// Folder within it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "schema", schema(max_length = 1024))]
    pub path: Option<String>,
    /// Address of an S3-compatible store that is not one of the known ones (extension).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "schema", schema(format = "uri", max_length = 4096))]
    pub endpoint: Option<String>,
    /// Host of an SFTP server.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "schema", schema(max_length = 1024))]
    pub host: Option<String>,
    /// Port of an SFTP server.
    #[serde(
        default,
        skip_serializing_if = "Option::is_none",
        deserialize_with = "crate::number::whole"
    )]
    #[cfg_attr(feature = "schema", schema(minimum = 1, maximum = 65535))]
    pub port: Option<u32>,
    /// User at an SFTP server.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "schema", schema(max_length = 1024))]
    pub username: Option<String>,
    /// How to sign in at an SFTP server.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub auth_method: Option<SftpAuthMethod>,
    /// Password at an SFTP server, or of the private key. Write-only.
    #[serde(default, skip_serializing_if = "never_told")]
    #[cfg_attr(feature = "schema", schema(value_type = Option<String>, write_only, max_length = 16384))]
    pub password: Option<Secret>,
    /// Private key for an SFTP server. Write-only.
    #[serde(default, skip_serializing_if = "never_told")]
    #[cfg_attr(feature = "schema", schema(value_type = Option<String>, write_only, max_length = 16384))]
    pub private_key: Option<Secret>,
}

/// Kinds of storage a recording can be copied to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
#[serde(rename_all = "lowercase")]
pub enum StorageKind {
    /// S3 or, with an endpoint, any store that speaks its interface.
    Aws,
    /// Azure Blob Storage.
    Azure,
    /// Spaces.
    Digitalocean,
    /// Google Cloud Storage.
    Gcs,
    /// A server that speaks SFTP.
    Sftp,
}

/// Whose S3-compatible store it is, where that is not the type's own.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
#[serde(rename_all = "lowercase")]
pub enum StorageProvider {
    /// R2.
    Cloudflare,
}

/// How to sign in at an SFTP server.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
#[serde(rename_all = "UPPERCASE")]
pub enum SftpAuthMethod {
    /// With a private key.
    Key,
    /// With a password.
    Password,
}

/// For fields that are read and never written. (`skip_serializing` would hide them from the document too.)
fn never_told<T>(_: &T) -> bool {
    true
}

/// The secrets of a [`StorageConfig`], by field name. This form exists to be sealed.
#[derive(Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct StorageSecrets {
    /// Key id.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub access_key: Option<String>,
    /// Secret.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub secret: Option<String>,
    /// Password.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub password: Option<String>,
    /// Private key.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub private_key: Option<String>,
}

impl fmt::Debug for StorageSecrets {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("[secrets]")
    }
}

impl StorageConfig {
    /// Takes the secrets out of the configuration.
    pub fn take_secrets(&mut self) -> StorageSecrets {
        let take = |secret: &mut Option<Secret>| secret.take().map(|s| s.expose().to_owned());
        StorageSecrets {
            access_key: take(&mut self.access_key),
            secret: take(&mut self.secret),
            password: take(&mut self.password),
            private_key: take(&mut self.private_key),
        }
    }
}

impl StorageSecrets {
    /// Whether there is nothing to keep.
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }

    /// These secrets over older ones: what is not given anew stays.
    #[must_use]
    pub fn over(self, older: Self) -> Self {
        Self {
            access_key: self.access_key.or(older.access_key),
            secret: self.secret.or(older.secret),
            password: self.password.or(older.password),
            private_key: self.private_key.or(older.private_key),
        }
    }
}

/// Whether recordings are kept in this installation's own storage.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct BucketConfig {
    /// Without it, recordings have no download links here.
    pub enabled: bool,
}

/// Where a meeting is streamed to.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
#[serde(default)]
pub struct LiveStreamingConfig {
    /// An RTMP address.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "schema", schema(format = "uri", max_length = 4096))]
    pub rtmp_url: Option<String>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn secrets_are_neither_serialised_nor_printed() {
        let text = r#"{"type":"aws","access_key":"AK1","secret":"S3CR3T","bucket":"b","password":"PW","private_key":"PK"}"#;
        let mut config: StorageConfig = serde_json::from_str(text).unwrap();
        for shown in [serde_json::to_string(&config).unwrap(), format!("{config:?}")] {
            for secret in ["AK1", "S3CR3T", "PW", "PK"] {
                assert!(!shown.contains(secret), "{shown}");
            }
        }
        let secrets = config.take_secrets();
        assert_eq!(secrets.secret.as_deref(), Some("S3CR3T"));
        assert_eq!(format!("{secrets:?}"), "[secrets]");
    }
}
