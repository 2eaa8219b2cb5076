//! Saved inputs of the fuzz targets, and others at random.

use std::path::Path;

use proptest::prelude::*;

#[path = "../../../../fuzz/media.rs"]
mod media;

fn replay(target: &str, least: usize, tell: fn(&[u8])) -> Vec<Vec<u8>> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("../../fuzz/corpus")
        .join(target);
    let mut paths: Vec<_> = std::fs::read_dir(&folder)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .collect();
    paths.sort();
    assert!(paths.len() >= least, "{} inputs", paths.len());
    paths
        .iter()
        .map(|path| {
            let data = std::fs::read(path).unwrap();
            tell(&data);
            data
        })
        .collect()
}

#[test]
fn saved_descriptions_end_well() {
    replay("session_description", 10, media::descriptions);
}

#[test]
fn saved_packets_end_well() {
    replay("media_packets", 8, media::packets);
}

#[test]
fn saved_payloads_end_well() {
    replay("payload_descriptor", 20, media::payloads);
}

#[test]
fn saved_stun_messages_end_well() {
    replay("stun_message", 8, media::stun);
}

/// A saved input with some bytes of it replaced, moved or left out.
fn damaged(target: &'static str) -> impl Strategy<Value = Vec<u8>> {
    let saved = replay(target, 1, |_| ());
    let damage = prop::collection::vec(
        (
            any::<prop::sample::Index>(),
            any::<prop::sample::Index>(),
            0..4,
            any::<u8>(),
        ),
        1..6,
    );
    (prop::sample::select(saved), damage).prop_map(|(mut data, damage)| {
        for (from, to, what, byte) in damage {
            if data.is_empty() {
                break;
            }
            let (from, to) = (from.index(data.len()), to.index(data.len()));
            match what {
                0 => data[from] = byte,
                1 => {
                    let moved = data.remove(from);
                    data.insert(to, moved);
                }
                2 => drop(data.drain(from.min(to)..(from.min(to) + usize::from(byte % 16)).min(data.len()))),
                _ => data.extend_from_within(from.min(to)..from.max(to)),
            }
        }
        data
    })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: ProptestConfig::default().cases.div_ceil(64), ..ProptestConfig::default() })]

    #[test]
    fn damaged_descriptions_end_well(data in damaged("session_description")) {
        media::descriptions(&data);
    }

    #[test]
    fn damaged_packets_end_well(data in damaged("media_packets")) {
        media::packets(&data);
    }

    #[test]
    fn damaged_stun_messages_end_well(data in damaged("stun_message")) {
        media::stun(&data);
    }
}

proptest! {
    #[test]
    fn damaged_payloads_end_well(data in damaged("payload_descriptor")) {
        media::payloads(&data);
    }
}
