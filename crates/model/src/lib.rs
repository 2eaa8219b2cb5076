//! The plain values of Muster: identifiers, times, pages and the records a meeting server keeps.
//!
//! Nothing here does IO (but for [`Timestamp::now`]) or knows a schema of its own; every crate may use it.

pub mod analytics;
pub mod app;
pub mod chat;
pub mod delivery;
pub mod event;
pub mod id;
pub mod livestream;
pub mod media;
pub mod meeting;
pub mod number;
pub mod page;
pub mod participant;
pub mod poll;
pub mod preset;
pub mod recording;
pub mod session;
pub mod timestamp;
pub mod token;
pub mod webhook;

pub use id::{
    AccountId, ApiTokenId, AppId, ChatMessageId, DeliveryId, FileId, LivestreamId, LivestreamSessionId,
    MeetingId, ParticipantId, PeerId, PollId, PresetId, RecordingId, SessionId, WebhookId,
};
pub use media::MediaKind;
pub use page::{Page, PageInfo, PageRequest};
pub use timestamp::Timestamp;
