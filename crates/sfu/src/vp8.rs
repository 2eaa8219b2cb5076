//! The VP8 payload descriptor (RFC 7741, section 4.2), as far as forwarding needs it.

/// What the first bytes of a VP8 packet say.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Descriptor {
    /// Whether a key frame begins with this packet.
    pub starts_key_frame: bool,
    /// The number of the picture and how many bits it has (7 or 15).
    pub picture_id: Option<(u16, u8)>,
    /// The running number of pictures in the lowest temporal layer.
    pub tl0_picture_index: Option<u8>,
}

/// Reads a descriptor; none where the packet ends too soon.
pub fn parse(payload: &[u8]) -> Option<Descriptor> {
    let mut rest = payload.iter().copied();
    let first = rest.next()?;
    let mut picture_id = None;
    let mut tl0_picture_index = None;
    if first & 0x80 != 0 {
        let extension = rest.next()?;
        if extension & 0x80 != 0 {
            let high = rest.next()?;
            picture_id = Some(if high & 0x80 == 0 {
                (u16::from(high), 7)
            } else {
                (u16::from(high & 0x7f) << 8 | u16::from(rest.next()?), 15)
            });
        }
        if extension & 0x40 != 0 {
            tl0_picture_index = Some(rest.next()?);
        }
        if extension & 0x30 != 0 {
            rest.next()?;
        }
    }
    // The first byte of the frame: its lowest bit is 0 in a key frame (RFC 6386, section 9.1).
    let frame = rest.next()?;
    let starts_frame = first & 0x17 == 0x10;
    Some(Descriptor {
        starts_key_frame: starts_frame && frame & 1 == 0,
        picture_id,
        tl0_picture_index,
    })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use str0m::rtp::Vp8Descriptor;

    use super::*;

    #[test]
    fn plain_key_frame() {
        let key = parse(&[0x10, 0x00, 1, 2]).unwrap();
        assert_eq!(
            (key.starts_key_frame, key.picture_id, key.tl0_picture_index),
            (true, None, None)
        );
        assert!(!parse(&[0x10, 0x01]).unwrap().starts_key_frame, "an inter frame");
        assert!(
            !parse(&[0x00, 0x00]).unwrap().starts_key_frame,
            "not the start of a partition"
        );
        assert!(
            !parse(&[0x11, 0x00]).unwrap().starts_key_frame,
            "not the first partition"
        );
    }

    #[test]
    fn long_and_short_picture_ids() {
        let long = parse(&[0x90, 0xe0, 0x81, 0x02, 9, 0x20, 0]).unwrap();
        assert_eq!(
            (long.picture_id, long.tl0_picture_index),
            (Some((0x102, 15)), Some(9))
        );
        let short = parse(&[0x90, 0x80, 0x11, 0]).unwrap();
        assert_eq!(short.picture_id, Some((0x11, 7)));
        assert_eq!(parse(&[0x90, 0xe0, 0x81]), None);
        assert_eq!(parse(&[]), None);
    }

    proptest! {
        // The descriptor is rewritten by str0m's patch, so both must see the same fields.
        #[test]
        fn it_reads_what_str0m_reads(bytes in proptest::collection::vec(any::<u8>(), 0..16)) {
            if let (Some(ours), Ok(theirs)) = (parse(&bytes), Vp8Descriptor::parse(&bytes)) {
                prop_assert_eq!(ours.picture_id.map(|(id, _)| id), theirs.picture_id());
                prop_assert_eq!(ours.tl0_picture_index, theirs.tl0_pic_idx());
                prop_assert_eq!(ours.starts_key_frame, theirs.starts_keyframe(&bytes));
            }
            if Vp8Descriptor::parse(&bytes).is_ok() {
                prop_assert!(parse(&bytes).is_some());
            }
        }
    }
}
