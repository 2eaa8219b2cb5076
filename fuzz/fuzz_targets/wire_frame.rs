//! Bytes as a client may send them: no frame may panic, whatever is in it, and what is understood is
//! told to others without loss.

#![no_main]

use bytes::Bytes;
use libfuzzer_sys::fuzz_target;
use muster_model::MeetingId;
use muster_room::{Event, Request, RequestId};
use muster_wire::frame::Frame;

// The codec alone: the rest of the server would bring a database and TLS into each build.
#[allow(dead_code, unused_imports)]
#[path = "../../crates/server/src/realtime/codec/mod.rs"]
mod codec;

use codec::{Context, Decoded};

fuzz_target!(|data: &[u8]| {
    let bytes = Bytes::copy_from_slice(data);
    let Ok(frame) = Frame::decode(&bytes) else { return };
    assert_eq!(Frame::decode(&frame.encode()).as_ref(), Ok(&frame));
    let context = Context {
        meeting: "6f0e7a6c-1b2c-4d5e-8f90-a1b2c3d4e5f6"
            .parse::<MeetingId>()
            .unwrap(),
    };
    match codec::decode(&frame) {
        Ok(Decoded::Room(request)) => told_again(&context, &frame, request),
        Ok(Decoded::Media(_)) => {}
        Err(error) => {
            let refusal = codec::refusal_frame(frame.event, &frame.id, &error.to_string());
            assert_eq!(Frame::decode(&refusal).unwrap().id, frame.id);
        }
    }
});

/// What rooms pass on as it came reads the same in the frame that others get.
fn told_again(context: &Context, frame: &Frame, request: Request) {
    let event = match &request {
        Request::Broadcast(broadcast) => Event::Broadcast(broadcast.clone()),
        Request::UpdatePermissions(changes) => Event::PermissionsUpdated(changes.clone()),
        Request::PinPeer(peer) => Event::PeerPinned(*peer),
        _ => Event::Done,
    };
    let to = RequestId {
        id: frame.id.as_str().into(),
        event: frame.event,
    };
    let told = Frame::decode(&codec::reply_frame(context, &to, &event)).unwrap();
    assert_eq!(told.id, frame.id);
    if matches!(request, Request::Broadcast(_) | Request::UpdatePermissions(_)) {
        let Ok(Decoded::Room(again)) = codec::decode(&told) else {
            panic!("{event:?} does not read")
        };
        assert_eq!(again, request);
    }
}
