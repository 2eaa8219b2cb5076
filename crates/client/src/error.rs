//! What goes wrong on the client's side.

/// What goes wrong on the client's side.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ClientError {
    /// The address of the server is none.
    #[error("{0}")]
    Address(String),
    /// The server is not on this machine, and that was not allowed.
    #[error("{0} is not on this machine")]
    NotLoopback(String),
    /// The upgrade to a socket was refused with this HTTP status.
    #[error("the socket was refused with status {0}")]
    Refused(u16),
    /// The socket could not be made, or broke.
    #[error("the socket: {0}")]
    Socket(String),
    /// The token does not read.
    #[error("not a participant's token: {0}")]
    Token(&'static str),
    /// The server refused a request, or said what cannot be followed.
    #[error("{0}")]
    Protocol(String),
    /// A media connection could not be made, or broke.
    #[error("media: {0}")]
    Media(String),
    /// It took too long.
    #[error("no {0} in time")]
    Slow(&'static str),
}
