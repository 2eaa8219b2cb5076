//! Meetings.

use serde::{Deserialize, Serialize};

use crate::{MeetingId, Timestamp, recording::RecordingConfig};

/// Whether people may join.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
#[serde(rename_all = "UPPERCASE")]
pub enum MeetingStatus {
    /// People may join.
    #[default]
    Active,
    /// Nobody can join or start a session; those inside stay.
    Inactive,
}

impl MeetingStatus {
    /// As in answers and in the store.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Active => "ACTIVE",
            Self::Inactive => "INACTIVE",
        }
    }
}

/// What is done with a meeting's speech.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
#[serde(default)]
pub struct AiConfig {
    /// Speech to text.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub transcription: Option<TranscriptionConfig>,
    /// Text to summary.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub summarization: Option<SummarizationConfig>,
}

/// Speech to text.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
#[serde(default)]
pub struct TranscriptionConfig {
    /// Words to listen for.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "schema", schema(max_items = 1000))]
    pub keywords: Option<Vec<String>>,
    /// The language spoken; en-US unless given.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub language: Option<TranscriptionLanguage>,
    /// Whether coarse words are masked; false unless given.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub profanity_filter: Option<bool>,
}

/// A language that can be transcribed; `multi` for several in one meeting.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
#[allow(missing_docs)]
pub enum TranscriptionLanguage {
    #[serde(rename = "en-US")]
    EnUs,
    #[serde(rename = "en-IN")]
    EnIn,
    #[serde(rename = "de")]
    De,
    #[serde(rename = "hi")]
    Hi,
    #[serde(rename = "sv")]
    Sv,
    #[serde(rename = "ru")]
    Ru,
    #[serde(rename = "pl")]
    Pl,
    #[serde(rename = "el")]
    El,
    #[serde(rename = "fr")]
    Fr,
    #[serde(rename = "nl")]
    Nl,
    #[serde(rename = "es")]
    Es,
    #[serde(rename = "pt")]
    Pt,
    #[serde(rename = "pt-BR")]
    PtBr,
    #[serde(rename = "it")]
    It,
    #[serde(rename = "multi")]
    Multi,
    #[serde(rename = "en")]
    En,
}

/// Text to summary.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
#[serde(default)]
pub struct SummarizationConfig {
    /// Words of the summary; 500 unless given.
    #[serde(
        skip_serializing_if = "Option::is_none",
        deserialize_with = "crate::number::whole"
    )]
    #[cfg_attr(feature = "schema", schema(minimum = 150, maximum = 1000))]
    pub word_limit: Option<u32>,
    /// Markdown unless given.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub text_format: Option<SummaryFormat>,
    /// General unless given.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub summary_type: Option<SummaryType>,
}

/// How a summary is marked up.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
#[allow(missing_docs)]
pub enum SummaryFormat {
    PlainText,
    Markdown,
}

/// What kind of talk a summary is of.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
#[allow(missing_docs)]
pub enum SummaryType {
    General,
    TeamMeeting,
    SalesCall,
    ClientCheckIn,
    Interview,
    DailyStandup,
    OneOnOneMeeting,
    Lecture,
    CodeReview,
}

/// What a caller decides of a meeting.
#[derive(Debug, Clone, PartialEq)]
pub struct MeetingSettings {
    /// Display name; need not be unique.
    pub title: Option<String>,
    /// Whether people may join.
    pub status: MeetingStatus,
    /// Whether recording starts with the session.
    pub record_on_start: bool,
    /// Whether streaming starts with the session.
    pub live_stream_on_start: bool,
    /// Whether chat is kept from session to session.
    pub persist_chat: bool,
    /// Seconds a session lasts after the last person left; 60 to 600.
    pub keep_alive_secs: u32,
    /// Whether a transcript is made afterwards.
    pub transcribe_on_end: bool,
    /// Whether a summary is made afterwards.
    pub summarize_on_end: bool,
    /// How recordings look and where they go, without the storage secrets.
    pub recording_config: Option<RecordingConfig>,
    /// What is done with the speech.
    pub ai_config: Option<AiConfig>,
}

impl Default for MeetingSettings {
    fn default() -> Self {
        Self {
            title: None,
            status: MeetingStatus::Active,
            record_on_start: false,
            live_stream_on_start: false,
            persist_chat: false,
            keep_alive_secs: 60,
            transcribe_on_end: false,
            summarize_on_end: false,
            recording_config: None,
            ai_config: None,
        }
    }
}

/// A lasting room definition; at most one session of it is live at a time.
#[derive(Debug, Clone, PartialEq)]
pub struct Meeting {
    /// Its id.
    pub id: MeetingId,
    /// The meeting it is a breakout room of.
    pub parent: Option<MeetingId>,
    /// What its owner decided.
    pub settings: MeetingSettings,
    /// When it was made.
    pub created_at: Timestamp,
    /// When it was last changed.
    pub updated_at: Timestamp,
}
