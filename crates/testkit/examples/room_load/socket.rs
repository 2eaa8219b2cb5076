//! A client's end of a socket (RFC 6455), as lean as can be: the server is to be measured, not this.

use std::{cell::RefCell, io, time::Duration};

use muster_wire::{
    event,
    frame::{self, Frame},
    prost::Message,
    socket::room,
};
use tokio::{io::AsyncWriteExt, net::TcpStream};
use uuid::Uuid;

const TEXT: u8 = 1;
const BINARY: u8 = 2;
const CLOSE: u8 = 8;
const FINAL: u8 = 0x80;
const MASKED: u8 = 0x80;
/// The length follows in 16 bits, or in 64.
const LENGTH_OF_16: u8 = 0x7e;
const LENGTH_OF_64: u8 = 0x7f;

/// A message's kind, its payload, and what follows it.
type Split<'a> = (u8, &'a [u8], &'a [u8]);

/// How long an answer may take.
const PATIENCE: Duration = Duration::from_secs(30);

thread_local! {
    /// All sockets are read by one thread, so one buffer does: an idle one then costs next to nothing.
    static BUFFER: RefCell<Vec<u8>> = RefCell::new(vec![0; 256 << 10]);
}

/// A message from the server.
#[derive(Clone, Copy)]
pub enum Heard<'a> {
    /// A frame of the protocol.
    Frame(&'a [u8]),
    /// A ping, to be answered with [`Socket::pong`].
    Ping,
}

/// A participant's open socket.
pub struct Socket {
    stream: TcpStream,
    /// The beginning of a message of which the rest has not come yet.
    rest: Vec<u8>,
    peer: String,
    user: String,
    requests: u32,
}

fn broken(why: &str) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, why.to_owned())
}

impl Socket {
    /// Connects with a fresh peer id.
    pub async fn connect(port: u16, ticket: &super::prepare::Ticket) -> io::Result<Self> {
        let stream = TcpStream::connect(("127.0.0.1", port)).await?;
        stream.set_nodelay(true)?;
        let mut socket = Self {
            stream,
            rest: Vec::new(),
            peer: Uuid::new_v4().to_string(),
            user: ticket.participant.clone(),
            requests: 0,
        };
        let request = format!(
            "GET /ws?roomID={}&peerID={}&authToken={}&useMediaV2=true&ping=true&capabilities=2\
             &joinWithDetails=true&useCfWorker=true&useStartSession=true HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\n\
             Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n\
             Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n",
            ticket.meeting, socket.peer, ticket.token
        );
        socket.stream.write_all(request.as_bytes()).await?;
        tokio::time::timeout(PATIENCE, socket.upgraded()).await??;
        Ok(socket)
    }

    async fn upgraded(&mut self) -> io::Result<()> {
        loop {
            self.read(|_| Ok(0)).await?;
            if let Some(end) = self.rest.windows(4).position(|four| four == b"\r\n\r\n") {
                if !self.rest.starts_with(b"HTTP/1.1 101 ") {
                    return Err(broken(&String::from_utf8_lossy(&self.rest)));
                }
                self.rest.drain(..end + 4);
                return Ok(());
            }
        }
    }

    /// Waits for bytes; `take` gets all there are and answers how many it is done with.
    async fn read(&mut self, mut take: impl FnMut(&[u8]) -> io::Result<usize>) -> io::Result<()> {
        loop {
            self.stream.readable().await?;
            let done = BUFFER.with_borrow_mut(|buffer| {
                let count = match self.stream.try_read(buffer) {
                    Ok(0) => return Err(io::ErrorKind::UnexpectedEof.into()),
                    Ok(count) => count,
                    Err(error) if error.kind() == io::ErrorKind::WouldBlock => return Ok(false),
                    Err(error) => return Err(error),
                };
                if self.rest.is_empty() {
                    let done = take(&buffer[..count])?;
                    self.rest.extend_from_slice(&buffer[done..count]);
                } else {
                    self.rest.extend_from_slice(&buffer[..count]);
                    let done = take(&self.rest)?;
                    self.rest.drain(..done);
                }
                if self.rest.is_empty() {
                    self.rest = Vec::new();
                }
                Ok(true)
            })?;
            if done {
                return Ok(());
            }
        }
    }

    /// Waits for messages, and passes on all that are there.
    pub async fn hear(&mut self, mut each: impl FnMut(Heard<'_>)) -> io::Result<()> {
        self.read(|mut bytes| {
            let all = bytes.len();
            while let Some((opcode, payload, rest)) = split(bytes)? {
                match opcode {
                    BINARY => each(Heard::Frame(payload)),
                    TEXT if payload == frame::PING.as_bytes() => each(Heard::Ping),
                    TEXT => {}
                    CLOSE => {
                        let code = payload.first_chunk().map_or(0, |code| u16::from_be_bytes(*code));
                        return Err(io::Error::new(
                            io::ErrorKind::ConnectionReset,
                            format!("closed with {code}"),
                        ));
                    }
                    _ => return Err(broken("an unknown kind of message")),
                }
                bytes = rest;
            }
            Ok(all - bytes.len())
        })
        .await
    }

    async fn send(&mut self, opcode: u8, payload: &[u8]) -> io::Result<()> {
        let mut message = Vec::with_capacity(payload.len() + 8);
        message.push(FINAL | opcode);
        match (u8::try_from(payload.len()), u16::try_from(payload.len())) {
            (Ok(length), _) if length < LENGTH_OF_16 => message.push(MASKED | length),
            (_, Ok(length)) => {
                message.push(MASKED | LENGTH_OF_16);
                message.extend_from_slice(&length.to_be_bytes());
            }
            _ => return Err(broken("a message too long for this client")),
        }
        // Masks guard proxies against hostile pages; none is here, and a mask of zeroes changes nothing.
        message.extend_from_slice(&[0; 4]);
        message.extend_from_slice(payload);
        self.stream.write_all(&message).await
    }

    /// Answers a ping.
    pub async fn pong(&mut self) -> io::Result<()> {
        self.send(TEXT, frame::PONG.as_bytes()).await
    }

    /// Sends a request without waiting for a reply; answers its id.
    pub async fn tell(&mut self, event: u32, message: &impl Message) -> io::Result<String> {
        self.requests += 1;
        let id = format!("{}-{}", self.peer, self.requests);
        self.send(BINARY, &frame::encode(event, &id, message)).await?;
        Ok(id)
    }

    async fn ask(&mut self, event: u32, message: &impl Message) -> io::Result<()> {
        let id = self.tell(event, message).await?;
        let reply = async {
            loop {
                let (mut replied, mut pinged) = (None, false);
                self.hear(|heard| match heard {
                    Heard::Ping => pinged = true,
                    Heard::Frame(bytes) => {
                        // The id comes right behind the number of the event.
                        let near = &bytes[..bytes.len().min(id.len() + 16)];
                        if near.windows(id.len()).any(|part| part == id.as_bytes()) {
                            replied = Some(Frame::decode(&bytes.to_vec().into()));
                        }
                    }
                })
                .await?;
                if pinged {
                    self.pong().await?;
                }
                match replied {
                    Some(Ok(reply)) if reply.event == event => return Ok(()),
                    Some(reply) => return Err(broken(&format!("{event} was answered with {reply:?}"))),
                    None => {}
                }
            }
        };
        tokio::time::timeout(PATIENCE, reply).await?
    }

    /// Does what the client SDK does from its socket's opening until it is inside (PROTOCOL d.6), but for
    /// what only reads.
    pub async fn come_in(&mut self) -> io::Result<()> {
        self.ask(event::MEDIA_JOIN_ROOM, &room::RoomPeersInfoRequest::default())
            .await?;
        let wish = room::JoinRoomRequest {
            peer: Some(room::Peer {
                peer_id: self.peer.clone(),
                user_id: self.user.clone(),
                ..Default::default()
            }),
            ..Default::default()
        };
        self.ask(event::JOIN_ROOM, &wish).await?;
        self.ask(event::SELF_JOIN_COMPLETE, &room::RoomPeersInfoRequest::default())
            .await
    }

    /// Leaves for good.
    pub async fn leave(&mut self) -> io::Result<()> {
        self.send(CLOSE, &1000_u16.to_be_bytes()).await
    }
}

/// The first whole message of `bytes`.
fn split(bytes: &[u8]) -> io::Result<Option<Split<'_>>> {
    let [first, second, rest @ ..] = bytes else {
        return Ok(None);
    };
    if first & 0xf0 != FINAL || second & MASKED != 0 {
        return Err(broken("a message in parts, or masked"));
    }
    let (length, rest) = match *second {
        LENGTH_OF_16 => match rest.split_first_chunk() {
            Some((length, rest)) => (usize::from(u16::from_be_bytes(*length)), rest),
            None => return Ok(None),
        },
        LENGTH_OF_64 => match rest.split_first_chunk() {
            Some((length, rest)) => (
                usize::try_from(u64::from_be_bytes(*length)).map_err(io::Error::other)?,
                rest,
            ),
            None => return Ok(None),
        },
        length => (usize::from(length), rest),
    };
    Ok(rest
        .split_at_checked(length)
        .map(|(payload, rest)| (first & 0x0f, payload, rest)))
}
