//! The frame around every message: event number, id, payload.

use bytes::Bytes;
use prost::Message;

use crate::generated::message::v1::SocketMessage;

/// Bytes of one frame from a client at most. Session descriptions are the largest things sent.
pub const MAX_FRAME: usize = 1 << 20;
/// Characters of a frame's id at most; clients send 50 or so.
pub const MAX_ID: usize = 256;
/// The text frame that asks for a sign of life.
pub const PING: &str = "2";
/// The text frame that gives one.
pub const PONG: &str = "3";

/// A binary frame.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Frame {
    /// What it is about; see [`crate::event`].
    pub event: u32,
    /// What replies repeat; empty for what is told unasked.
    pub id: String,
    /// An encoded message, as the event says.
    pub payload: Bytes,
}

/// Bytes that are not a frame.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum FrameError {
    /// More than [`MAX_FRAME`].
    #[error("a frame has at most {MAX_FRAME} bytes")]
    TooLong,
    /// Not protobuf, or not of this shape.
    #[error("not a frame: {0}")]
    Broken(#[from] prost::DecodeError),
    /// An id of more than [`MAX_ID`].
    #[error("the id of a frame has at most {MAX_ID} characters")]
    LongId,
}

impl Frame {
    /// Reads a frame of a client. The payload is a part of `bytes`, not a copy.
    pub fn decode(bytes: &Bytes) -> Result<Self, FrameError> {
        if bytes.len() > MAX_FRAME {
            return Err(FrameError::TooLong);
        }
        Self::decode_any(bytes)
    }

    /// Reads a frame of a server, whose lists may be longer than what clients say.
    pub fn decode_any(bytes: &Bytes) -> Result<Self, FrameError> {
        let message = SocketMessage::decode(bytes.clone())?;
        let id = message.id.unwrap_or_default();
        if id.len() > MAX_ID {
            return Err(FrameError::LongId);
        }
        Ok(Self {
            event: message.event,
            id,
            payload: message.payload.unwrap_or_default(),
        })
    }

    /// The bytes of the frame. An empty payload is written too: clients tell it from a missing one.
    pub fn encode(&self) -> Bytes {
        let message = SocketMessage {
            event: self.event,
            id: Some(self.id.clone()),
            payload: Some(self.payload.clone()),
            metadata: None,
        };
        message.encode_to_vec().into()
    }
}

/// A frame around a message. An empty `id` is for what is told unasked.
pub fn encode(event: u32, id: &str, message: &impl Message) -> Bytes {
    Frame {
        event,
        id: id.to_owned(),
        payload: message.encode_to_vec().into(),
    }
    .encode()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn frames_survive() {
        for payload in [Bytes::new(), Bytes::from_static(b"payload")] {
            let frame = Frame {
                event: 0x0300_0010,
                id: "peer-1".to_owned(),
                payload,
            };
            assert_eq!(Frame::decode(&frame.encode()), Ok(frame));
        }
    }

    #[test]
    fn an_empty_payload_is_on_the_wire() {
        let frame = Frame {
            event: 31,
            id: String::new(),
            payload: Bytes::new(),
        };
        assert_eq!(frame.encode().as_ref(), [0x08, 31, 0x12, 0, 0x1a, 0]);
    }

    #[test]
    fn what_is_no_frame_is_refused() {
        assert_eq!(
            Frame::decode(&vec![0; MAX_FRAME + 1].into()),
            Err(FrameError::TooLong)
        );
        assert!(matches!(
            Frame::decode(&Bytes::from_static(&[0x08])),
            Err(FrameError::Broken(_))
        ));
        // The payload claims more bytes than there are.
        assert!(matches!(
            Frame::decode(&Bytes::from_static(&[0x1a, 0x7f, 1])),
            Err(FrameError::Broken(_))
        ));
        let long = Frame {
            event: 1,
            id: "x".repeat(MAX_ID + 1),
            payload: Bytes::new(),
        };
        assert_eq!(Frame::decode(&long.encode()), Err(FrameError::LongId));
    }
}
