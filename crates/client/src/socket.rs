//! The socket to a server: requests, their replies, and what is told unasked (PROTOCOL d).

use std::time::Duration;

use futures::{
    SinkExt, StreamExt,
    stream::{SplitSink, SplitStream},
};
use muster_wire::{
    event,
    frame::{self, Frame},
    media::edge,
    prost::Message as _,
};
use tokio::{
    io::{AsyncRead, AsyncWrite},
    net::TcpStream,
    time::timeout,
};
use tokio_rustls::{TlsConnector, rustls::pki_types::ServerName};
use tokio_tungstenite::{
    WebSocketStream, client_async,
    tungstenite::{self, Message, protocol::CloseFrame},
};

use crate::{ClientError, Target};

/// How long the upgrade, and the writing of one message, may take.
const PATIENCE: Duration = Duration::from_secs(20);

trait Stream: AsyncRead + AsyncWrite + Unpin + Send {}
impl<S: AsyncRead + AsyncWrite + Unpin + Send> Stream for S {}

type Socket = WebSocketStream<Box<dyn Stream>>;

/// How a connection ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Closed {
    /// With this code.
    Code(u16),
    /// Without a word, or with bytes that are no message.
    Broken,
}

/// What comes over a socket.
#[derive(Debug)]
pub enum Heard {
    /// A message.
    Frame(Frame),
    /// A text, such as a ping.
    Text(String),
    /// The end; nothing follows.
    Closed(Closed),
}

/// Connects as a peer. `HTTP` statuses other than 101 are [`ClientError::Refused`].
pub async fn connect(
    target: &Target,
    token: &str,
    meeting: &str,
    peer: &str,
) -> Result<(Talker, Listener), ClientError> {
    timeout(PATIENCE, upgrade(target, token, meeting, peer))
        .await
        .map_err(|_| ClientError::Slow("socket"))?
}

async fn upgrade(
    target: &Target,
    token: &str,
    meeting: &str,
    peer: &str,
) -> Result<(Talker, Listener), ClientError> {
    let broken = |error: &dyn std::fmt::Display| ClientError::Socket(error.to_string());
    let stream = TcpStream::connect(&target.addresses[..])
        .await
        .map_err(|error| broken(&error))?;
    stream.set_nodelay(true).map_err(|error| broken(&error))?;
    let host = target.origin.host_str().unwrap_or_default();
    let port = target.origin.port_or_known_default().unwrap_or_default();
    let (scheme, stream): (_, Box<dyn Stream>) = if target.origin.scheme() == "https" {
        let tls = target.tls.clone().ok_or_else(|| broken(&"no settings for TLS"))?;
        let name = host.trim_start_matches('[').trim_end_matches(']').to_owned();
        let name = ServerName::try_from(name).map_err(|error| broken(&error))?;
        let stream = TlsConnector::from(tls).connect(name, stream).await;
        ("wss", Box::new(stream.map_err(|error| broken(&error))?))
    } else {
        ("ws", Box::new(stream))
    };
    let url = format!(
        "{scheme}://{host}:{port}/ws?roomID={meeting}&peerID={peer}&authToken={token}&useMediaV2=true&ping=true\
         &capabilities=2&joinWithDetails=true&useCfWorker=true&useStartSession=true"
    );
    let socket = match client_async(url, stream).await {
        Ok((socket, _)) => socket,
        Err(tungstenite::Error::Http(response)) => {
            return Err(ClientError::Refused(response.status().as_u16()));
        }
        Err(error) => return Err(broken(&error)),
    };
    let (sink, stream) = socket.split();
    let talker = Talker {
        peer: peer.to_owned(),
        sink,
        requests: 0,
    };
    Ok((talker, Listener { stream }))
}

/// The half that sends.
pub struct Talker {
    peer: String,
    sink: SplitSink<Socket, Message>,
    requests: u32,
}

impl std::fmt::Debug for Talker {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Talker({})", self.peer)
    }
}

impl Talker {
    /// A name for the next request, that no other of this connection has.
    pub fn next_id(&mut self) -> String {
        self.requests += 1;
        format!("{}-{}", self.peer, self.requests)
    }

    /// Sends bytes as they are.
    pub async fn send(&mut self, message: Message) -> Result<(), ClientError> {
        timeout(PATIENCE, self.sink.send(message))
            .await
            .map_err(|_| ClientError::Slow("write"))?
            .map_err(|error| ClientError::Socket(error.to_string()))
    }

    /// Sends a request without waiting for a reply; answers its id.
    pub async fn tell(
        &mut self,
        event: u32,
        message: &impl muster_wire::prost::Message,
    ) -> Result<String, ClientError> {
        let id = self.next_id();
        let bytes = frame::encode(event, &id, message);
        self.send(Message::Binary(bytes)).await?;
        Ok(id)
    }

    /// Closes with a code.
    pub async fn close(&mut self, code: u16) -> Result<(), ClientError> {
        let close = CloseFrame {
            code: code.into(),
            reason: "".into(),
        };
        self.send(Message::Close(Some(close))).await
    }
}

/// The half that hears.
pub struct Listener {
    stream: SplitStream<Socket>,
}

impl std::fmt::Debug for Listener {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Listener")
    }
}

impl Listener {
    /// What comes next. Nothing is lost where the wait is given up.
    pub async fn next(&mut self) -> Heard {
        loop {
            match self.stream.next().await {
                Some(Ok(Message::Binary(bytes))) => {
                    return Frame::decode_any(&bytes).map_or(Heard::Closed(Closed::Broken), Heard::Frame);
                }
                Some(Ok(Message::Text(text))) => return Heard::Text(text.to_string()),
                Some(Ok(Message::Close(Some(close)))) => {
                    return Heard::Closed(Closed::Code(close.code.into()));
                }
                Some(Ok(_)) => {}
                Some(Err(_)) | None => return Heard::Closed(Closed::Broken),
            }
        }
    }
}

/// What a reply says, where it is a refusal.
pub fn refusal(reply: &Frame) -> Option<edge::ErrorResponse> {
    matches!(reply.event, event::ERROR | event::MEDIA_ERROR)
        .then(|| edge::ErrorResponse::decode(reply.payload.clone()).unwrap_or_default())
}
