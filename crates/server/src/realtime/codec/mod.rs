//! stub
use bytes::Bytes;
use muster_model::{MeetingId, PeerId};
use muster_room::{Event, Request, RequestId};
use muster_wire::frame::Frame;
#[derive(Debug, Clone)]
pub struct MediaPush;
#[derive(Debug, Clone)]
pub struct MediaReply;
#[derive(Debug, Clone)]
pub struct MediaRequest;
#[derive(Debug, Clone)]
pub struct ProducerState;
impl MediaRequest {
    pub fn wants_reply(&self) -> bool {
        true
    }
    pub fn needs_presence(&self) -> bool {
        true
    }
}
#[derive(Debug)]
pub enum Decoded {
    Room(Request),
    Media(MediaRequest),
    Ignored,
}
#[derive(Debug)]
pub struct Context {
    pub meeting: MeetingId,
}
#[derive(Debug, thiserror::Error)]
#[error("x")]
pub struct DecodeError;
pub fn decode(_: &Frame) -> Result<Decoded, DecodeError> {
    Err(DecodeError)
}
pub fn event_frame(_: &Context, _: &Event) -> Bytes {
    Bytes::new()
}
pub fn reply_frame(_: &Context, _: &RequestId, _: &Event) -> Bytes {
    Bytes::new()
}
pub fn media_join_frame(
    _: &Context,
    _: &RequestId,
    _: &Event,
    _: Vec<(PeerId, Vec<ProducerState>)>,
) -> Bytes {
    Bytes::new()
}
pub fn refusal_frame(_: u32, _: &str, _: &str) -> Bytes {
    Bytes::new()
}
pub fn media_reply_frame(_: &RequestId, _: &MediaReply) -> Bytes {
    Bytes::new()
}
pub fn media_push_frame(_: &MediaPush) -> Bytes {
    Bytes::new()
}
pub fn transfer_frame(_: MeetingId, _: &str) -> Bytes {
    Bytes::new()
}
