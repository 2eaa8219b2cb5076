//! The messages against bytes that were made without us (see `make.mjs`), and against broken ones.

#![allow(clippy::unwrap_used)] // a test fails by panicking

use std::{collections::BTreeSet, sync::LazyLock};

use muster_wire::{
    frame::Frame,
    prost::{DecodeError, Message, bytes::Bytes},
};
use proptest::prelude::*;
use prost_reflect::{DescriptorPool, DynamicMessage, SerializeOptions};
use serde_json::Value;

/// Reads a message into its type and writes it again.
type Again = fn(Bytes) -> Result<Vec<u8>, DecodeError>;

fn again<M: Message + Default>(bytes: Bytes) -> Result<Vec<u8>, DecodeError> {
    M::decode(bytes).map(|message| message.encode_to_vec())
}

macro_rules! messages {
    ($($package:literal $path:path { $($name:ident),* $(,)? })*) => {
        /// Every message by its protobuf name.
        fn messages() -> Vec<(String, Again)> {
            let mut all: Vec<(String, Again)> = Vec::new();
            $({
                use $path as package;
                $(all.push((format!("{}.{}", $package, stringify!($name)), again::<package::$name>));)*
            })*
            all
        }
    };
}

messages! {
    "media.edge" muster_wire::media::edge {
        ConsumePeerRequest, ConsumePeerResponse, ConsumePeersRequest, ConsumerCloseRequest,
        ConsumerClosingResponse, ErrorResponse, GeoLocation, GetRoomStateResponse,
        GlobalPeerPinningBroadcastResponse, GlobalPeerPinningRequest, GlobalPeerPinningResponse,
        HostMediaControlForAllPeerRequest, HostMediaControlForAllPeerResponse,
        HostMediaControlForPeerRequest, HostMediaControlForPeerResponse, KickAllPeersRequest,
        MediaRoomTerminationBroadcastResponse, PeerDisplayNameEditRequest,
        PeerDisplayNameEditResponse, PeerJoinBroadcastResponse, PeerJoinCompleteRequest,
        PeerJoinCompleteResponse, PeerJoinRequest, PeerJoinResponse, PeerLeaveBroadcastResponse,
        PeerLeaveRequest, PeerLeaveResponse, PeerProducerCloseBroadcastResponse,
        PeerProducerCreateBroadcastResponse, PeerProducerToggleBroadcastResponse,
        ProducerCloseRequest, ProducerClosingResponse, ProducerCreateRequest,
        ProducerCreateResponse, ProducerToggleRequest, RoomParticipants, SelectedPeersDiffEntry,
        SelectedPeersDiffResponse, SelectedPeersResponse, UpdateConsumerSimulcastConfigRequest,
        UpdateConsumersSimulcastConfigRequest,
    }
    "media" muster_wire::media {
        AudioActivityRequest, Codec, ConsumerState, CreateTransportRequest, CreateTransportResponse,
        HeaderExtension, PeerRtpCapabilitites, PreferredCodec, ProducerIdToConsumerMap,
        ProducerPayload, ProducerState, ProducerTrack, RenegotiateRequest, RenegotiateResponse,
        RtpCapabilitites, RtpCapability, SessionDescription, Simulcast,
    }
    "socket.ai" muster_wire::socket::ai {
        MeetingTranscript,
    }
    "socket.api" muster_wire::socket::api {
        ErrorMessage,
    }
    "socket.chat" muster_wire::socket::chat {
        ChatMessage, DeleteChatMessageRequest, DeleteChatMessageResponse, EditChatMessageRequest,
        EditChatMessageResponse, GetChatMessagesResponse, GetPaginatedChatMessageFilters,
        GetPaginatedChatMessageRoomRequest, GetPaginatedChatMessageRoomResponse,
        PinChatMessageRequest, PinChatMessageResponse, SearchChatMessagesRequest,
        SendChatMessageToPeersRequest, SendChatMessageToPeersResponse, SendChatMessageToRoomRequest,
        SendChatMessageToRoomResponse,
    }
    "socket.livestreaming" muster_wire::socket::livestreaming {
        DenyStageAccessRequest, GetStagePeersResponse, GetStageRequestsResponse,
        GrantStageAccessRequest, LeaveStageRequest, LiveStreamingEvent, StageRequest,
    }
    "socket.plugin" muster_wire::socket::plugin {
        PluginStoreDeleteKeysRequest, PluginStoreGetKeysRequest, PluginStoreInsertKeysRequest,
        PluginStoreItem, PluginStoreResponse, StoreKeys,
    }
    "socket.polls" muster_wire::socket::polls {
        GetPollsResponse, NewPollRequest, Poll, PollOption, PollVote, UpdatePollResponse,
        VotePollRequest,
    }
    "socket.preset" muster_wire::socket::preset {
        ChatPermissionUpdate, ConnectedMeetingPermissionUpdate, MediaPermissionUpdate, PeerPreset,
        PluginsPermissionsUpdate, PollsPermissionUpdate, PresetUpdates, PrivateChatPermission,
        PublicChatPermission, ReadPeersPresetRequest, ReadPeersPresetResponse, StreamPermission,
        UpdatePeerPreset, UpdatePeersPresetRequest, UpdatePeersPresetResponse,
    }
    "socket.recording" muster_wire::socket::recording {
        RecordingEvent,
    }
    "socket.room" muster_wire::socket::room {
        AcceptWaitingRoomRequests, ActiveRecording, AddedParticipant, BroadcastMessage,
        ConnectedMeetingDump, ConnectedMeetingPeer, CreateConnectedRoomsRequest,
        CreateConnectedRoomsResponse, CreateRoomRequestPayload, CreateRoomResponsePayload,
        DenyWaitingRoomRequests, DisableConnectedRoomPayload, DisableConnectedRoomsRequest,
        DisableConnectedRoomsResponse, DisableRoomPayload, GetAllAddedParticipantsResponse,
        GetConnectedRoomsDumpResponse, GetPeerInfoRequest, GetRoomStageStateResponse,
        GetWaitingRoomRequests, JoinRoomRequest, LeaveRoomRequest, MovePeerPayload,
        MovePeersBetweenRoomsRequest, MovePeersBetweenRoomsResponse, MovedPeer, Peer, PeerFlags,
        PeerInfoResponse, PeerStatusUpdate, RemoveParticipantsRequest, Room, RoomInfoResponse,
        RoomPeerCountResponse, RoomPeersInfoRequest, RoomPeersInfoResponse, ServiceError,
        TransferPeer, WaitingRoomRequest,
    }
}

/// Bytes of one message, and what they hold in protobuf's JSON.
struct Golden {
    message: String,
    value: Value,
    bytes: Bytes,
}

static GOLDEN: LazyLock<Vec<Golden>> = LazyLock::new(|| {
    let rows: Vec<Value> = serde_json::from_str(include_str!("messages.json")).unwrap();
    let text = |row: &Value, key: &str| row[key].as_str().unwrap().to_owned();
    rows.iter()
        .map(|row| Golden {
            message: text(row, "message"),
            value: row["value"].clone(),
            bytes: unhex(&text(row, "hex")),
        })
        .collect()
});

/// The frame, which has a type of its own.
const FRAME: &str = "message.v1.SocketMessage";

fn unhex(text: &str) -> Bytes {
    let text = text.replace(' ', "");
    (0..text.len())
        .step_by(2)
        .map(|at| u8::from_str_radix(&text[at..at + 2], 16).unwrap())
        .collect::<Vec<_>>()
        .into()
}

fn typed(name: &str) -> Again {
    let found = messages().into_iter().find(|(known, _)| known == name);
    found.unwrap_or_else(|| panic!("{name} is in no list")).1
}

/// All but the frame, with their types.
fn goldens() -> impl Iterator<Item = (&'static Golden, Again)> {
    GOLDEN
        .iter()
        .filter(|golden| golden.message != FRAME)
        .map(|golden| (golden, typed(&golden.message)))
}

fn schema() -> DescriptorPool {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/proto");
    let mut files: Vec<_> = std::fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .collect();
    files.sort();
    DescriptorPool::from_file_descriptor_set(protox::compile(files, [folder]).unwrap()).unwrap()
}

#[test]
fn every_message_of_the_schema_has_golden_bytes_and_a_type() {
    let schema: BTreeSet<String> = schema()
        .all_messages()
        .filter(|message| !message.is_map_entry())
        .map(|message| message.full_name().to_owned())
        .collect();
    let golden: BTreeSet<String> = GOLDEN.iter().map(|golden| golden.message.clone()).collect();
    assert_eq!(schema, golden);
    let mut types: BTreeSet<String> = messages().into_iter().map(|(name, _)| name).collect();
    types.insert(FRAME.to_owned());
    assert_eq!(schema, types);
}

/// Names, numbers, types and presence of all fields agree with the SDK's.
#[test]
fn golden_bytes_hold_what_they_should() {
    let schema = schema();
    let options = SerializeOptions::new()
        .use_proto_field_name(true)
        .use_enum_numbers(true);
    for golden in GOLDEN.iter() {
        let message = schema.get_message_by_name(&golden.message).unwrap();
        let read = DynamicMessage::decode(message, golden.bytes.clone()).unwrap();
        let value = read
            .serialize_with_options(serde_json::value::Serializer, &options)
            .unwrap();
        assert_eq!(value, golden.value, "{}", golden.message);
    }
}

/// The types lose no field and write the same bytes; a field that one of them lacks would be gone.
#[test]
fn types_write_the_golden_bytes_again() {
    for (golden, again) in goldens() {
        assert_eq!(
            again(golden.bytes.clone()).unwrap(),
            golden.bytes,
            "{} {}",
            golden.message,
            golden.value
        );
    }
}

#[test]
fn frames_of_the_sdk_are_read() {
    let frames: Vec<_> = GOLDEN.iter().filter(|golden| golden.message == FRAME).collect();
    assert!(frames.len() >= 2);
    for golden in frames {
        let frame = Frame::decode(&golden.bytes).unwrap();
        assert_eq!(
            u64::from(frame.event),
            golden.value["event"].as_u64().unwrap_or(0)
        );
        assert_eq!(frame.id, golden.value["id"].as_str().unwrap());
        let full = golden.value["event"].is_u64();
        assert_eq!(
            frame.payload.as_ref(),
            if full { &[0, 255, 3, 0][..] } else { &[] }
        );
    }
}

#[test]
fn a_peer_reads_as_a_hand_would_read_it() {
    use muster_wire::socket::room::{Peer, PeerFlags, StageType};
    // 1 "p", 2 "u", 3 "n", 4 ON_STAGE, 8 true, 9 {1 "host", 2 "NONE"}
    let bytes = unhex("0a0170120175 1a016e 2001 4001 4a0c0a04686f737412044e4f4e45");
    let peer = Peer {
        peer_id: "p".to_owned(),
        user_id: "u".to_owned(),
        display_name: "n".to_owned(),
        stage_type: Some(StageType::OnStage.into()),
        waitlisted: true,
        flags: Some(PeerFlags {
            preset_name: "host".to_owned(),
            recorder_type: "NONE".to_owned(),
            hidden_participant: false,
        }),
        ..Peer::default()
    };
    assert_eq!(Peer::decode(bytes.clone()).unwrap(), peer);
    assert_eq!(peer.encode_to_vec(), bytes);
}

#[test]
fn times_and_signed_numbers_read_as_a_hand_would_read_them() {
    use muster_wire::{media::edge::SelectedPeersDiffEntry, socket::chat::ChatMessage};
    // 11: 1700000000, 12: 1700000000123
    let message = ChatMessage::decode(unhex("5880e2cfaa06 60fbd095ffbc31")).unwrap();
    assert_eq!(message.created_at, 1_700_000_000);
    assert_eq!(message.created_at_ms, Some(1_700_000_000_123));
    // 1 "p", 2: -1, in ten bytes
    let entry = SelectedPeersDiffEntry::decode(unhex("0a0170 10ffffffffffffffffff01")).unwrap();
    assert_eq!((entry.peer_id.as_str(), entry.priority), ("p", -1));
}

#[test]
fn unknown_fields_are_passed_over() {
    // 1000: a varint, 8 bytes, 5 bytes of text, 4 bytes.
    for unknown in [
        "c03e2a",
        "c13e0102030405060708",
        "c23e0568656c6c6f",
        "c53e01020304",
    ] {
        for (golden, again) in goldens() {
            let bytes: Bytes = [golden.bytes.as_ref(), &unhex(unknown)].concat().into();
            assert_eq!(again(bytes).unwrap(), golden.bytes, "{}", golden.message);
        }
    }
}

#[test]
fn bytes_that_end_too_soon_are_refused_or_hold_less() {
    for (golden, again) in goldens().filter(|(golden, _)| !golden.bytes.is_empty()) {
        let mut refused = 0;
        for end in 0..golden.bytes.len() {
            match again(golden.bytes.slice(..end)) {
                Ok(bytes) => assert!(bytes.len() <= end, "{} at {end}", golden.message),
                Err(_) => refused += 1,
            }
        }
        // The last field is cut within at the latest.
        assert!(refused > 0, "{}", golden.message);
        assert!(
            again(golden.bytes.slice(..golden.bytes.len() - 1)).is_err(),
            "{}",
            golden.message
        );
    }
}

#[test]
fn fields_of_another_wire_type_are_refused() {
    for (golden, again) in goldens().filter(|(golden, _)| !golden.bytes.is_empty()) {
        // No field of the schema has eight bytes, and 3, 4, 6 and 7 are groups or nothing at all.
        for wire_type in [1, 3, 4, 6, 7] {
            let mut bytes = golden.bytes.to_vec();
            bytes[0] = bytes[0] & !7 | wire_type;
            assert!(again(bytes.into()).is_err(), "{} as {wire_type}", golden.message);
        }
    }
}

#[test]
fn lengths_that_lie_are_refused() {
    use muster_wire::socket::room::{Peer, RoomPeersInfoResponse};
    // A string, and a list's element, of 4 GB.
    for bytes in ["0affffffff0f", "0affffffffffffffffff01"] {
        assert!(Peer::decode(unhex(bytes)).is_err());
        assert!(RoomPeersInfoResponse::decode(unhex(bytes)).is_err());
        assert!(Frame::decode(&unhex(bytes)).is_err());
    }
    // A string that is not UTF-8, and a number of eleven bytes.
    assert!(Peer::decode(unhex("0a02c328")).is_err());
    assert!(Frame::decode(&unhex("08ffffffffffffffffffff01")).is_err());
}

proptest! {
    /// Whatever comes: read or refused, and what was read writes and reads again.
    #[test]
    fn no_bytes_panic(
        bytes in prop::collection::vec(any::<u8>(), 0..200),
        which in any::<prop::sample::Index>(),
        at in any::<prop::sample::Index>(),
        byte: u8,
    ) {
        if let Ok(frame) = Frame::decode(&bytes.clone().into()) {
            prop_assert_eq!(Frame::decode(&frame.encode()), Ok(frame));
        }
        let &(golden, known) = which.get(&goldens().collect::<Vec<_>>());
        let mut changed = golden.bytes.to_vec();
        if !changed.is_empty() {
            let at = at.index(changed.len());
            changed[at] = byte;
        }
        for bytes in [bytes, changed] {
            if let Ok(written) = known(bytes.into()) {
                prop_assert_eq!(known(written.clone().into()).unwrap().len(), written.len());
            }
        }
    }
}
