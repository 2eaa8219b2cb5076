//! stub
#[derive(Debug)]
pub struct Frame {
    pub event: u32,
    pub id: String,
    pub payload: bytes::Bytes,
}
pub const MAX_FRAME: usize = 1 << 20;
pub const PING: &str = "2";
pub const PONG: &str = "3";
impl Frame {
    pub fn decode(_: &bytes::Bytes) -> Result<Self, std::fmt::Error> {
        Err(std::fmt::Error)
    }
}
