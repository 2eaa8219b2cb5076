//! The codec against frames that the SDK's own encoder wrote, and against any bytes.

mod events;
mod media;
mod requests;

use bytes::Bytes;
use muster_model::MeetingId;
use muster_wire::{frame::Frame, prost::Message};
use proptest::prelude::*;

use super::{Context, Decoded, decode, refusal_frame};

/// The ids in the saved frames.
const U: &str = "6f0e7a6c-1b2c-4d5e-8f90-a1b2c3d4e5f6";
const V: &str = "0b1c2d3e-4f50-4a6b-8c7d-9e8f7a6b5c4d";

fn u<T: From<uuid::Uuid>>() -> T {
    U.parse::<uuid::Uuid>().unwrap().into()
}

fn v<T: From<uuid::Uuid>>() -> T {
    V.parse::<uuid::Uuid>().unwrap().into()
}

fn context() -> Context {
    Context {
        meeting: u::<MeetingId>(),
    }
}

/// The payload of a frame as a message.
fn payload<M: Message + Default>(frame: &Frame) -> M {
    M::decode(frame.payload.clone()).unwrap()
}

/// The frames that fuzzing begins with, by name.
fn saved() -> Vec<(String, Bytes)> {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/../../fuzz/corpus/wire_frame");
    let mut saved: Vec<_> = std::fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap())
        .map(|entry| {
            let bytes = std::fs::read(entry.path()).unwrap();
            (entry.file_name().into_string().unwrap(), bytes.into())
        })
        .collect();
    saved.sort();
    saved
}

fn saved_frame(name: &str) -> Frame {
    let found = saved().into_iter().find(|(known, _)| known == name);
    let (_, bytes) = found.unwrap_or_else(|| panic!("no saved frame {name}"));
    Frame::decode(&bytes).unwrap()
}

#[test]
fn saved_frames_are_understood_and_broken_ones_are_not() {
    let saved = saved();
    assert!(saved.len() > 60);
    for (name, bytes) in saved {
        let understood = Frame::decode(&bytes).is_ok_and(|frame| decode(&frame).is_ok());
        assert_eq!(understood, !name.starts_with("bad_"), "{name}");
    }
}

#[test]
fn refusals_go_where_the_client_looks_for_them() {
    use muster_wire::media::edge::ErrorResponse;
    for (request, number) in [(3, 65_535), (65_537, 65_535), (0x0300_0003, 0x0300_003c)] {
        let frame = Frame::decode(&refusal_frame(request, "p-1", "no")).unwrap();
        assert_eq!((frame.event, frame.id.as_str()), (number, "p-1"));
        let error: ErrorResponse = payload(&frame);
        assert_eq!(error.error_message, "no");
        assert_eq!(error.event_id, i32::try_from(request).unwrap());
    }
}

#[test]
fn what_is_only_told_cannot_be_asked() {
    for event in [
        1,
        4,
        8,
        11,
        17,
        24,
        26,
        28,
        35,
        37,
        38,
        40,
        43,
        44,
        45,
        65_535,
        65_542,
        131_084,
        196_611,
        262_144,
        327_682,
        0x0100_0002,
        0x0300_0000,
        0x0300_0019,
        0x0300_003c,
        0x0300_005b,
        u32::MAX,
    ] {
        let frame = Frame {
            event,
            id: String::new(),
            payload: Bytes::new(),
        };
        let error = decode(&frame).unwrap_err().to_string();
        assert_eq!(error, format!("unknown event {event}"));
    }
}

proptest! {
    /// Payloads of any bytes, and known ones with a byte changed, for every event.
    #[test]
    fn no_bytes_panic(
        random in prop::collection::vec(any::<u8>(), 0..120),
        which in any::<prop::sample::Index>(),
        at in any::<prop::sample::Index>(),
        byte: u8,
    ) {
        let saved = saved();
        let (_, bytes) = which.get(&saved);
        let mut changed = bytes.to_vec();
        let at = at.index(changed.len());
        changed[at] = byte;
        if let Ok(frame) = Frame::decode(&changed.into()) {
            let _ = decode(&frame);
        }
        if let Ok(mut frame) = Frame::decode(bytes) {
            frame.payload = random.into();
            if let Ok(Decoded::Media(request)) = decode(&frame) {
                prop_assert!(frame.event >> 24 == 3, "{request:?}");
            }
        }
    }
}
