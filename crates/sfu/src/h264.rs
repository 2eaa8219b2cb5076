//! The beginning of H.264 packets (RFC 6184), as far as forwarding needs it.

const IDR: u8 = 5;
const SEQUENCE_PARAMETER_SET: u8 = 7;
const STAP_A: u8 = 24;
const FU_A: u8 = 28;
/// In a fragment's header: it is the first of its unit.
const FRAGMENT_START: u8 = 0x80;

/// Where in a key frame a packet stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Start {
    /// Not at its beginning.
    Nothing,
    /// It begins the pictures of a key frame, and what is needed to decode them is not in it.
    Picture,
    /// It begins with what is needed to decode the pictures that come after.
    ParameterSets,
}

/// Reads a packet of packetization mode 0 or 1; none where it ends too soon.
pub fn parse(payload: &[u8]) -> Option<Start> {
    let first = *payload.first()?;
    Some(match first & 0x1f {
        STAP_A => aggregate(&payload[1..]),
        FU_A => {
            let header = *payload.get(1)?;
            if header & FRAGMENT_START == 0 {
                Start::Nothing
            } else {
                unit(header & 0x1f, &payload[2..])
            }
        }
        kind => unit(kind, &payload[1..]),
    })
}

/// A unit by its type and the bytes after its header.
fn unit(kind: u8, rest: &[u8]) -> Start {
    match kind {
        SEQUENCE_PARAMETER_SET => Start::ParameterSets,
        // A slice begins with the number of its first block, of which 0 is written as a single 1. Other
        // slices of the picture are no beginning.
        IDR if rest.first().is_some_and(|byte| byte & 0x80 != 0) => Start::Picture,
        _ => Start::Nothing,
    }
}

/// Several units, each after its size.
fn aggregate(mut rest: &[u8]) -> Start {
    let mut start = Start::Nothing;
    while let [high, low, after @ ..] = rest {
        let size = usize::from(u16::from_be_bytes([*high, *low]));
        let Some((header, body)) = after.get(..size).and_then(<[u8]>::split_first) else {
            break;
        };
        match unit(header & 0x1f, body) {
            Start::ParameterSets => return Start::ParameterSets,
            Start::Picture => start = Start::Picture,
            Start::Nothing => {}
        }
        rest = &after[size..];
    }
    start
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use str0m::format::detect_h264_keyframe;

    use super::*;

    fn stap_a(units: &[&[u8]]) -> Vec<u8> {
        let mut packet = vec![0x78];
        for unit in units {
            packet.extend(u16::try_from(unit.len()).unwrap().to_be_bytes());
            packet.extend_from_slice(unit);
        }
        packet
    }

    #[test]
    fn beginnings_of_key_frames() {
        let sps: &[u8] = &[0x67, 0x42, 0xe0, 0x1f];
        let (pps, idr, slice): (&[u8], &[u8], &[u8]) = (&[0x68, 0xce], &[0x65, 0x88, 0x84], &[0x41, 0x9a]);
        let cases: &[(&str, Vec<u8>, Start)] = &[
            ("parameter sets alone", sps.to_vec(), Start::ParameterSets),
            ("picture parameters alone", pps.to_vec(), Start::Nothing),
            ("a whole picture", idr.to_vec(), Start::Picture),
            ("a later slice", vec![0x65, 0x48, 0x84], Start::Nothing),
            ("a slice without a body", vec![0x65], Start::Nothing),
            ("another picture", slice.to_vec(), Start::Nothing),
            ("both sets", stap_a(&[sps, pps]), Start::ParameterSets),
            ("sets and picture", stap_a(&[sps, pps, idr]), Start::ParameterSets),
            (
                "delimiter and sets",
                stap_a(&[&[0x09, 0x10], sps, pps]),
                Start::ParameterSets,
            ),
            ("picture in an aggregate", stap_a(&[pps, idr]), Start::Picture),
            ("others in an aggregate", stap_a(&[pps, slice]), Start::Nothing),
            (
                "an empty unit first",
                [&[0x78, 0, 0], &stap_a(&[sps])[1..]].concat(),
                Start::Nothing,
            ),
            ("a size beyond the end", vec![0x78, 0, 9, 0x67, 1], Start::Nothing),
            ("first fragment", vec![0x7c, 0x85, 0x88], Start::Picture),
            (
                "first fragment of sets",
                vec![0x7c, 0x87, 0x42],
                Start::ParameterSets,
            ),
            (
                "first fragment of a later slice",
                vec![0x7c, 0x85, 0x48],
                Start::Nothing,
            ),
            ("middle fragment", vec![0x7c, 0x05, 0x88], Start::Nothing),
            ("last fragment", vec![0x7c, 0x45, 0x88], Start::Nothing),
            (
                "first fragment of another picture",
                vec![0x7c, 0x81, 0x9a],
                Start::Nothing,
            ),
        ];
        for (what, packet, start) in cases {
            assert_eq!(parse(packet), Some(*start), "{what}");
        }
        assert_eq!(parse(&[]), None);
        assert_eq!(parse(&[0x7c]), None, "a fragment without its header");
    }

    proptest! {
        #[test]
        fn what_begins_a_picture_is_one_for_str0m(bytes in proptest::collection::vec(any::<u8>(), 0..32)) {
            if parse(&bytes) == Some(Start::Picture) {
                prop_assert!(detect_h264_keyframe(&bytes));
            }
        }

        #[test]
        fn sets_are_found_wherever_they_are(
            before in proptest::collection::vec(proptest::collection::vec(any::<u8>(), 1..6), 0..4),
            after in proptest::collection::vec(any::<u8>(), 0..20),
        ) {
            let mut units: Vec<&[u8]> = before.iter().map(Vec::as_slice).collect();
            units.push(&[0x67, 1]);
            let packet = [stap_a(&units), after].concat();
            prop_assert_eq!(parse(&packet), Some(Start::ParameterSets));
        }
    }
}
