//! The VP9 payload descriptor (RFC 9628, section 4.2), as far as forwarding needs it.

/// What the first bytes of a VP9 packet say.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Descriptor {
    /// Whether a key frame begins with this packet: of several spatial layers, the lowest.
    pub starts_key_frame: bool,
    /// The number of the picture and how many bits it has (7 or 15).
    pub picture_id: Option<(u16, u8)>,
    /// The temporal and the spatial layer.
    pub layer: Option<(u8, u8)>,
    /// The running number of pictures in the lowest temporal layer.
    pub tl0_picture_index: Option<u8>,
}

/// Reads a descriptor; none where the packet ends too soon.
pub fn parse(payload: &[u8]) -> Option<Descriptor> {
    let mut rest = payload.iter().copied();
    let first = rest.next()?;
    let has = |bit: u8| first & bit != 0;
    let (numbered, predicted, layered, flexible, begins) =
        (has(0x80), has(0x40), has(0x20), has(0x10), has(0x08));
    let mut picture_id = None;
    if numbered {
        let high = rest.next()?;
        picture_id = Some(if high & 0x80 == 0 {
            (u16::from(high), 7)
        } else {
            (u16::from(high & 0x7f) << 8 | u16::from(rest.next()?), 15)
        });
    }
    let mut layer = None;
    let mut tl0_picture_index = None;
    if layered {
        let indices = rest.next()?;
        layer = Some((indices >> 5, indices >> 1 & 0x07));
        if !flexible {
            tl0_picture_index = Some(rest.next()?);
        }
    }
    Some(Descriptor {
        starts_key_frame: begins && !predicted && layer.is_none_or(|(_, spatial)| spatial == 0),
        picture_id,
        layer,
        tl0_picture_index,
    })
}

/// The packet with another picture id and index, cut to the bits there are; none where it does not read.
/// What it has neither of stays without.
pub fn rewrite(payload: &[u8], picture_id: Option<u16>, tl0_picture_index: Option<u8>) -> Option<Vec<u8>> {
    let descriptor = parse(payload)?;
    let mut packet = payload.to_vec();
    let mut at = 1;
    match descriptor.picture_id {
        Some((_, 7)) => {
            if let Some(id) = picture_id {
                packet[at] = id.to_be_bytes()[1] & 0x7f;
            }
            at += 1;
        }
        Some(_) => {
            if let Some(id) = picture_id {
                packet[at..at + 2].copy_from_slice(&(id | 0x8000).to_be_bytes());
            }
            at += 2;
        }
        None => {}
    }
    if let (Some(_), Some(index)) = (descriptor.tl0_picture_index, tl0_picture_index) {
        packet[at + 1] = index;
    }
    Some(packet)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn descriptors() {
        let read = |bytes: &[u8]| {
            let read = parse(bytes).unwrap();
            (
                read.starts_key_frame,
                read.picture_id,
                read.layer,
                read.tl0_picture_index,
            )
        };
        let cases: &[(&str, &[u8], _)] = &[
            (
                "the beginning of a plain key frame",
                &[0x08, 1],
                (true, None, None, None),
            ),
            ("a later packet of it", &[0x00, 1], (false, None, None, None)),
            ("a predicted frame", &[0x48, 1], (false, None, None, None)),
            (
                "a short number",
                &[0x88, 0x11, 1],
                (true, Some((0x11, 7)), None, None),
            ),
            (
                "a long number",
                &[0x88, 0x81, 0x02, 1],
                (true, Some((0x102, 15)), None, None),
            ),
            (
                "the lowest layer",
                &[0xa8, 0x81, 0x02, 0x00, 9, 1],
                (true, Some((0x102, 15)), Some((0, 0)), Some(9)),
            ),
            (
                "a higher spatial layer of a key frame",
                &[0xa8, 0x81, 0x02, 0x03, 9, 1],
                (false, Some((0x102, 15)), Some((0, 1)), Some(9)),
            ),
            (
                "a higher temporal layer",
                &[0xe8, 0x05, 0x50, 7, 1],
                (false, Some((5, 7)), Some((2, 0)), Some(7)),
            ),
            (
                "flexible mode has no index",
                &[0xb8, 0x05, 0x00, 1],
                (true, Some((5, 7)), Some((0, 0)), None),
            ),
        ];
        for (what, bytes, expected) in cases {
            assert_eq!(read(bytes), *expected, "{what}");
        }
        for short in [&[][..], &[0x80], &[0x80, 0x80], &[0x20], &[0x20, 0]] {
            assert_eq!(parse(short), None, "{short:?}");
        }
    }

    proptest! {
        #[test]
        fn only_what_is_rewritten_changes(
            bytes in proptest::collection::vec(any::<u8>(), 0..16),
            id: Option<u16>,
            index: Option<u8>,
        ) {
            let before = parse(&bytes);
            let rewritten = rewrite(&bytes, id, index);
            prop_assert_eq!(before.is_some(), rewritten.is_some());
            if let (Some(before), Some(packet)) = (before, rewritten) {
                let after = parse(&packet).unwrap();
                let mask = |bits| if bits == 7 { 0x7f } else { 0x7fff };
                let expected = before.picture_id.map(|(old, bits)| (id.unwrap_or(old) & mask(bits), bits));
                prop_assert_eq!(after.picture_id, expected);
                let expected = before.tl0_picture_index.map(|old| index.unwrap_or(old));
                prop_assert_eq!(after.tl0_picture_index, expected);
                prop_assert_eq!((after.layer, after.starts_key_frame), (before.layer, before.starts_key_frame));
                let back = rewrite(&packet, before.picture_id.map(|(id, _)| id), before.tl0_picture_index);
                prop_assert_eq!(back, Some(bytes));
            }
        }
    }
}
