//! Between the client's frames and what rooms and media engines understand. Pure: bytes in, values out,
//! and back. The shapes are those of PROTOCOL (e) and (f).

mod decode;
mod encode;
pub mod media;
mod permissions;
#[cfg(test)]
mod tests;

use bytes::Bytes;
use muster_model::{MeetingId, PeerId};
use muster_room::{Event, Request, RequestId};
use muster_wire::{event as number, frame};

pub use self::decode::{DecodeError, decode};
pub use self::media::{ALWAYS, ConsumeRequest, Consumer, MediaPush, MediaReply, MediaRequest, ProducerState};

/// What a frame asks for.
#[derive(Debug)]
pub enum Decoded {
    /// Something of the room.
    Room(Request),
    /// Something of the media engine.
    Media(MediaRequest),
}

/// What has to be known for encoding besides the event.
#[derive(Debug, Clone, Copy)]
pub struct Context {
    /// The room's meeting; names the stores.
    pub meeting: MeetingId,
}

/// A frame for what is told unasked.
pub fn event_frame(context: &Context, event: &Event) -> Bytes {
    let (number, payload) = encode::encode(context, event, None);
    raw(number, "", payload)
}

/// The reply to a request, under the number that the client waits for.
pub fn reply_frame(context: &Context, to: &RequestId, event: &Event) -> Bytes {
    let (number, payload) = encode::encode(context, event, Some(to.event));
    raw(number, &to.id, payload)
}

/// The reply to the completion of a media session, with what others send.
pub fn media_join_frame(to: &RequestId, event: &Event, producers: &[(PeerId, Vec<ProducerState>)]) -> Bytes {
    let payload = encode::media_join(event, producers);
    raw(to.event, &to.id, payload)
}

/// The reply of a media engine.
pub fn media_reply_frame(to: &RequestId, reply: &MediaReply) -> Bytes {
    raw(to.event, &to.id, reply.encode())
}

/// What a media engine tells unasked.
pub fn media_push_frame(push: &MediaPush) -> Bytes {
    let (number, payload) = push.encode();
    raw(number, "", payload)
}

/// Tells a client to go to another meeting.
pub fn transfer_frame(meeting: MeetingId, token: &str) -> Bytes {
    let transfer = muster_wire::socket::room::TransferPeer {
        meeting_id: Some(meeting.to_string()),
        auth_token: Some(token.to_owned()),
    };
    frame::encode(number::TRANSFER_PEER, "", &transfer)
}

/// Tells a client that its request was refused (PROTOCOL d.4).
pub fn refusal_frame(request_event: u32, id: &str, why: &str) -> Bytes {
    let number = if number::is_media(request_event) {
        number::MEDIA_ERROR
    } else {
        number::ERROR
    };
    let error = muster_wire::media::edge::ErrorResponse {
        error_message: why.to_owned(),
        event_id: i32::try_from(request_event).unwrap_or(0),
    };
    frame::encode(number, id, &error)
}

fn raw(event: u32, id: &str, payload: Bytes) -> Bytes {
    frame::Frame {
        event,
        id: id.to_owned(),
        payload,
    }
    .encode()
}
