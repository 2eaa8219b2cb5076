//! What stands in a measured packet: enough of VP8 or opus for whoever forwards it, and a stamp that tells
//! when it was sent and what it belongs to.

/// What a stamp begins with.
const MAGIC: u32 = 0x4d75_5374;
/// Bytes of a stamp.
const STAMP: usize = 17;
/// Bytes of our VP8 payload descriptor (RFC 7741, section 4.2): picture ids of 15 bits, TL0PICIDX, TID.
const DESCRIPTOR: usize = 6;
/// Bytes of a key frame's header (RFC 6386, section 9.1); as many are left free where there is none.
const FRAME_HEADER: usize = 10;
/// An opus packet of 20 ms (RFC 6716, section 3.1).
const OPUS_TOC: u8 = 0x78;

/// Bytes of a packet of pictures at least.
pub const MIN_VIDEO: usize = DESCRIPTOR + FRAME_HEADER + STAMP;
/// Bytes of a packet of sound at least.
pub const MIN_AUDIO: usize = 1 + STAMP;

/// What a packet tells about itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Stamp {
    /// The track, by a number that no other track of the load has.
    pub track: u32,
    /// The layer, as its letter; `-` where there is but one.
    pub layer: u8,
    /// Nanoseconds of the load's own clock at which it was sent.
    pub sent: u64,
}

impl Stamp {
    fn write(&self, payload: &mut Vec<u8>) {
        payload.extend(MAGIC.to_be_bytes());
        payload.extend(self.track.to_be_bytes());
        payload.push(self.layer);
        payload.extend(self.sent.to_be_bytes());
    }

    fn read(bytes: &[u8]) -> Option<Self> {
        let (magic, rest) = bytes.split_first_chunk()?;
        let (track, rest) = rest.split_first_chunk()?;
        let (layer, rest) = rest.split_first()?;
        let (sent, _) = rest.split_first_chunk()?;
        (u32::from_be_bytes(*magic) == MAGIC).then(|| Self {
            track: u32::from_be_bytes(*track),
            layer: *layer,
            sent: u64::from_be_bytes(*sent),
        })
    }
}

/// A packet of a picture.
#[derive(Debug, Clone, Copy)]
pub struct Picture {
    /// Its number, of which 15 bits count.
    pub id: u16,
    /// Whether it is a key frame.
    pub key: bool,
    /// Whether this is its first packet.
    pub first: bool,
}

/// The payload of a packet of a picture, of at least [`MIN_VIDEO`] bytes.
pub fn video(picture: Picture, stamp: Stamp, size: usize) -> Vec<u8> {
    let mut payload = Vec::with_capacity(size.max(MIN_VIDEO));
    payload.push(if picture.first { 0x90 } else { 0x80 });
    payload.push(0xe0);
    payload.extend((picture.id | 0x8000).to_be_bytes());
    let [_, low] = picture.id.to_be_bytes();
    payload.extend([low, 0x20]);
    // The lowest bit of a frame is 0 in key frames, which go on with a start code and a size.
    let header: [u8; FRAME_HEADER] = match (picture.first, picture.key) {
        (true, true) => [0x10, 0, 0, 0x9d, 0x01, 0x2a, 0x00, 0x05, 0xd0, 0x02],
        _ => [0x11, 0, 0, 0, 0, 0, 0, 0, 0, 0],
    };
    payload.extend(header);
    stamp.write(&mut payload);
    payload.resize(size.max(MIN_VIDEO), 0);
    payload
}

/// The payload of a packet of sound, of at least [`MIN_AUDIO`] bytes.
pub fn audio(stamp: Stamp, size: usize) -> Vec<u8> {
    let mut payload = Vec::with_capacity(size.max(MIN_AUDIO));
    payload.push(OPUS_TOC);
    stamp.write(&mut payload);
    payload.resize(size.max(MIN_AUDIO), 0);
    payload
}

/// The stamp of a payload that [`video`] made, perhaps with other numbers of pictures.
pub fn read_video(payload: &[u8]) -> Option<Stamp> {
    Stamp::read(payload.get(DESCRIPTOR + FRAME_HEADER..)?)
}

/// The stamp of a payload that [`audio`] made.
pub fn read_audio(payload: &[u8]) -> Option<Stamp> {
    Stamp::read(payload.get(1..)?)
}

#[cfg(test)]
mod tests {
    use str0m::rtp::Vp8Descriptor;

    use super::*;

    #[test]
    fn what_is_written_reads() {
        let stamp = Stamp {
            track: 7,
            layer: b'h',
            sent: u64::MAX - 1,
        };
        assert_eq!(read_audio(&audio(stamp, 80)), Some(stamp));
        assert_eq!(audio(stamp, 80).len(), 80);
        assert_eq!(audio(stamp, 0).len(), MIN_AUDIO);
        for (first, key) in [(true, true), (true, false), (false, true)] {
            let picture = Picture {
                id: 0x7fff,
                key,
                first,
            };
            let payload = video(picture, stamp, 1_000);
            assert_eq!(payload.len(), 1_000);
            assert_eq!(read_video(&payload), Some(stamp));
            let descriptor = Vp8Descriptor::parse(&payload).unwrap();
            assert_eq!(descriptor.picture_id(), Some(0x7fff));
            assert_eq!(descriptor.tl0_pic_idx(), Some(0xff));
            assert_eq!(descriptor.starts_keyframe(&payload), first && key);
        }
        assert_eq!(read_audio(&[0; 80]), None, "padding is no packet of ours");
        assert_eq!(read_video(&[]), None);
    }
}
