//! What participants send each other.

/// Sound or picture.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum MediaKind {
    /// Sound (opus).
    Audio,
    /// Picture (VP8, H.264 or VP9).
    Video,
}
