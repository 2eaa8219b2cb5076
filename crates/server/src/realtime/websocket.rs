//! A WebSocket as the server writes to it: tungstenite reads, closes and answers pings; what the protocol
//! sends is framed here.
//!
//! tungstenite copies every frame into a buffer of the socket, which keeps the size of the largest frame
//! that ever passed: a list of a thousand people, on each of their sockets. Here the buffer lives as long
//! as the write.

use std::{io, time::Duration};

use axum::{extract::ws::WebSocketUpgrade, response::Response};
use bytes::Bytes;
use futures::{SinkExt, StreamExt};
use http::{
    HeaderMap, HeaderValue, StatusCode,
    header::{CONNECTION, SEC_WEBSOCKET_ACCEPT, SEC_WEBSOCKET_KEY, UPGRADE},
};
use hyper::upgrade::{OnUpgrade, Upgraded};
use hyper_util::rt::TokioIo;
use tokio::io::{AsyncWrite, AsyncWriteExt};
use tokio::time::timeout;
use tokio_tungstenite::{
    WebSocketStream,
    tungstenite::{
        self, Message,
        handshake::derive_accept_key,
        protocol::{CloseFrame, Role, WebSocketConfig},
    },
};

use crate::api::error::ApiError;

/// What waits to be read. Small, since most sockets are silent most of the time; longer messages get room
/// when they come.
const READ_BUFFER: usize = 2 << 10;
/// Frames are gathered up to so many bytes; longer ones are written as they are.
const PIECE: usize = 16 << 10;

/// How long the client may take for a piece before it counts as too slow. A long list may take a bad
/// network much longer.
const PIECE_TIMEOUT: Duration = Duration::from_secs(20);

const FINAL: u8 = 0x80;
const TEXT: u8 = 1;
const BINARY: u8 = 2;

/// The answer to an upgrade that was checked, and the socket that comes of it once the answer is written.
/// `_checked` shows that the headers are those of an upgrade (RFC 6455 section 4.2.1).
pub fn accept(
    _checked: &WebSocketUpgrade,
    headers: &HeaderMap,
    upgrading: OnUpgrade,
    max_message: usize,
) -> Result<
    (
        Response,
        impl Future<Output = Result<Socket, hyper::Error>> + use<>,
    ),
    ApiError,
> {
    let key = headers
        .get(SEC_WEBSOCKET_KEY)
        .ok_or_else(|| ApiError::fault("Sec-WebSocket-Key", "is missing"))?;
    let accept = HeaderValue::try_from(derive_accept_key(key.as_bytes()))
        .map_err(|_| ApiError::fault("Sec-WebSocket-Key", "is not valid"))?;
    let mut response = Response::default();
    *response.status_mut() = StatusCode::SWITCHING_PROTOCOLS;
    let told = response.headers_mut();
    told.insert(CONNECTION, HeaderValue::from_static("upgrade"));
    told.insert(UPGRADE, HeaderValue::from_static("websocket"));
    told.insert(SEC_WEBSOCKET_ACCEPT, accept);
    let config = WebSocketConfig::default()
        .read_buffer_size(READ_BUFFER)
        .max_message_size(Some(max_message))
        .max_frame_size(Some(max_message));
    let opened = async move {
        let io = TokioIo::new(upgrading.await?);
        Ok(Socket(
            WebSocketStream::from_raw_socket(io, Role::Server, Some(config)).await,
        ))
    };
    Ok((response, opened))
}

/// The server's end of an open socket.
#[derive(Debug)]
pub struct Socket(WebSocketStream<TokioIo<Upgraded>>);

impl Socket {
    /// The next message; none once the connection is over. Nothing is lost when the wait is given up.
    pub async fn recv(&mut self) -> Option<Result<Message, tungstenite::Error>> {
        self.0.next().await
    }

    /// Writes binary messages in as few system calls as they need. Given up halfway, the socket is broken.
    pub async fn write(&mut self, messages: impl Iterator<Item = Bytes>) -> Result<(), tungstenite::Error> {
        self.write_frames(messages.map(|payload| (BINARY, payload))).await
    }

    /// Writes a text message.
    pub async fn write_text(&mut self, text: &'static str) -> Result<(), tungstenite::Error> {
        let payload = Bytes::from_static(text.as_bytes());
        self.write_frames(std::iter::once((TEXT, payload))).await
    }

    async fn write_frames(
        &mut self,
        frames: impl Iterator<Item = (u8, Bytes)>,
    ) -> Result<(), tungstenite::Error> {
        // Answers to pings, of which a part may be written already.
        timeout(PIECE_TIMEOUT, self.0.flush())
            .await
            .map_err(|_| too_slow())??;
        let io = self.0.get_mut();
        let mut piece = Vec::new();
        for (opcode, payload) in frames {
            if !piece.is_empty() && piece.len() + payload.len() > PIECE {
                write_steadily(io, &piece, PIECE_TIMEOUT).await?;
                piece.clear();
            }
            put_header(&mut piece, opcode, payload.len());
            if payload.len() > PIECE {
                write_steadily(io, &piece, PIECE_TIMEOUT).await?;
                piece.clear();
                write_steadily(io, &payload, PIECE_TIMEOUT).await?;
            } else {
                piece.extend_from_slice(&payload);
            }
        }
        if !piece.is_empty() {
            write_steadily(io, &piece, PIECE_TIMEOUT).await?;
        }
        timeout(PIECE_TIMEOUT, io.flush())
            .await
            .map_err(|_| too_slow())??;
        Ok(())
    }

    /// Writes what tungstenite has to say: the answer to a close.
    pub async fn flush(&mut self) -> Result<(), tungstenite::Error> {
        self.0.flush().await
    }

    /// Begins to close.
    pub async fn close(&mut self, code: u16) -> Result<(), tungstenite::Error> {
        let frame = CloseFrame {
            code: code.into(),
            reason: "".into(),
        };
        self.0.send(Message::Close(Some(frame))).await
    }
}

fn too_slow() -> io::Error {
    io::Error::new(io::ErrorKind::TimedOut, "the client does not read")
}

/// Writes all, as long as each piece is taken `within` that time.
async fn write_steadily(
    io: &mut (impl AsyncWrite + Unpin),
    bytes: &[u8],
    within: Duration,
) -> io::Result<()> {
    for piece in bytes.chunks(PIECE) {
        timeout(within, io.write_all(piece))
            .await
            .map_err(|_| too_slow())??;
    }
    Ok(())
}

/// Head of a whole message from a server: never masked (RFC 6455 section 5.2).
fn put_header(out: &mut Vec<u8>, opcode: u8, length: usize) {
    out.push(FINAL | opcode);
    match (u8::try_from(length), u16::try_from(length)) {
        (Ok(length), _) if length < 126 => out.push(length),
        (_, Ok(length)) => {
            out.push(126);
            out.extend_from_slice(&length.to_be_bytes());
        }
        _ => {
            out.push(127);
            out.extend_from_slice(&(length as u64).to_be_bytes());
        }
    }
}

#[cfg(test)]
mod tests {
    use tokio::io::{AsyncReadExt, duplex};

    use super::*;

    #[tokio::test]
    async fn a_slow_reader_is_waited_for_while_it_reads() {
        let within = Duration::from_secs(1);
        let (mut here, mut there) = duplex(PIECE);
        let reader = tokio::spawn(async move {
            let mut piece = vec![0; PIECE];
            for _ in 0..64 {
                tokio::time::sleep(Duration::from_millis(40)).await;
                there.read_exact(&mut piece).await.unwrap();
            }
            there
        });
        write_steadily(&mut here, &vec![7; 64 * PIECE], within)
            .await
            .unwrap();
        let _open = reader.await.unwrap();
        // Who does not read at all is not.
        let error = write_steadily(&mut here, &vec![7; 2 * PIECE], within)
            .await
            .unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::TimedOut);
    }

    #[test]
    fn heads_read_as_tungstenite_reads_them() {
        for length in [0, 1, 125, 126, 127, 65_535, 65_536, 1 << 20] {
            let mut written = Vec::new();
            put_header(&mut written, BINARY, length);
            let mut read = std::io::Cursor::new(&written);
            let (head, read_length) = tungstenite::protocol::frame::FrameHeader::parse(&mut read)
                .unwrap()
                .unwrap();
            assert_eq!(read_length, length as u64);
            assert_eq!(read.position(), written.len() as u64);
            assert!(head.is_final && head.mask.is_none());
            assert_eq!(u8::from(head.opcode), BINARY);
        }
    }
}
