//! What saved frames ask of a room.

use muster_model::{PresetId, chat::ChatPayloadKind};
use muster_room::{Broadcast, ChatFilter, ChatPage, MediaKinds, NewPoll, PermissionPatch, Request as R};
use muster_wire::{event as number, frame, socket};
use serde_json::Value;

use super::{Decoded, Frame, U, V, decode, saved, saved_frame, u, v};

fn asked(name: &str) -> R {
    match decode(&saved_frame(name)).unwrap() {
        Decoded::Room(request) => request,
        other @ Decoded::Media(_) => panic!("{name}: {other:?}"),
    }
}

fn page(time_ms: u64, size: usize, from: usize, reversed: bool, filter: ChatFilter) -> ChatPage {
    ChatPage {
        time_ms,
        size,
        from,
        reversed,
        filter,
    }
}

const NOW: u64 = 1_700_000_000_123;

fn presence() -> Vec<(&'static str, R)> {
    vec![
        (
            "join_room",
            R::Join {
                display_name: Some("Ana é".to_owned()),
            },
        ),
        ("get_room_info", R::RoomInfo),
        (
            "get_room_peers_all",
            R::Peers {
                search: String::new(),
                limit: 0,
                offset: 0,
            },
        ),
        (
            "get_room_peers",
            R::Peers {
                search: "an".to_owned(),
                limit: 20,
                offset: 40,
            },
        ),
        ("get_peer_info", R::PeerInfo(u())),
        ("kick", R::Kick(vec![u(), v()])),
        ("kick_all", R::KickAll),
        ("get_waiting_room_requests", R::WaitingRequests),
        ("accept_waiting_room_requests", R::AcceptWaiting(vec![u(), v()])),
        ("deny_waiting_room_requests", R::DenyWaiting(vec![u()])),
        ("get_stage_requests", R::StageRequests),
        ("request_stage_access", R::RequestStage),
        ("cancel_stage_request", R::CancelStageRequest),
        ("grant_stage_access", R::GrantStage(vec![u(), v()])),
        ("deny_stage_access", R::DenyStage(vec![u()])),
        ("join_stage", R::JoinStage),
        ("leave_stage", R::LeaveStage(vec![v()])),
    ]
}

fn features() -> Vec<(&'static str, R)> {
    vec![
        ("get_messages", R::ChatMessages),
        (
            "send_message_to_room",
            R::SendChat {
                kind: ChatPayloadKind::Text,
                payload: "hello 🎥".to_owned(),
            },
        ),
        (
            "send_message_to_peers",
            R::SendPrivateChat {
                peers: vec![u(), v()],
                kind: ChatPayloadKind::File,
                payload: r#"{"link":"https://a.example/f","name":"f","size":1}"#.to_owned(),
            },
        ),
        (
            "edit_message",
            R::EditChat {
                message: u(),
                kind: Some(ChatPayloadKind::Text),
                payload: Some("other".to_owned()),
                pinned: Some(true),
            },
        ),
        ("delete_message", R::DeleteChat(u())),
        (
            "pin_message",
            R::PinChat {
                message: u(),
                pinned: true,
            },
        ),
        (
            "get_paginated_messages_public",
            R::ChatPage(page(NOW, 50, 0, true, ChatFilter::Public)),
        ),
        (
            "get_paginated_messages_pinned",
            R::ChatPage(page(0, 50, 10, false, ChatFilter::Pinned(true))),
        ),
        (
            "get_paginated_messages_private",
            R::ChatPage(page(NOW, 50, 0, true, ChatFilter::With(v()))),
        ),
        (
            "search_messages",
            R::SearchChat {
                term: "hell".to_owned(),
                page: page(0, 20, 0, true, ChatFilter::Public),
            },
        ),
        ("get_polls", R::Polls),
        (
            "create_poll",
            R::CreatePoll(NewPoll {
                question: "Who?".to_owned(),
                options: vec!["a".to_owned(), "b".to_owned()],
                anonymous: true,
                hide_votes: true,
            }),
        ),
        ("vote_poll", R::Vote { poll: u(), option: 1 }),
        (
            "store_get_keys",
            R::StoreGet {
                store: "__rtk_plugins__".to_owned(),
                keys: Vec::new(),
            },
        ),
        (
            "store_insert_keys",
            R::StoreInsert {
                store: "s".to_owned(),
                items: vec![
                    ("k".to_owned(), br#"{"a":null}"#.to_vec()),
                    ("l".to_owned(), Vec::new()),
                ],
            },
        ),
        (
            "store_delete_keys",
            R::StoreDelete {
                store: "s".to_owned(),
                keys: vec!["k".to_owned()],
            },
        ),
    ]
}

fn others() -> Vec<(&'static str, R)> {
    let broadcast = || Broadcast {
        kind: "x".to_owned(),
        payload: b"[1]".to_vec(),
        timestamp_ms: NOW,
    };
    vec![
        (
            "broadcast_message",
            R::Broadcast(Broadcast {
                kind: "spotlight".to_owned(),
                payload: format!(r#"{{"userId":"{U}","currentTab":{{"type":"plugin"}}}}"#).into(),
                timestamp_ms: NOW,
            }),
        ),
        (
            "broadcast_to_peers",
            R::BroadcastToPeers(vec![u(), v()], broadcast()),
        ),
        (
            "broadcast_to_rooms",
            R::BroadcastToRooms(vec![u(), v()], broadcast()),
        ),
        ("get_user_presets", R::ReadPermissions(vec![v()])),
        (
            "update_user_preset",
            R::UpdatePermissions(vec![(v(), patch()), (u(), PermissionPatch::default())]),
        ),
        ("connected_rooms_dump", R::ConnectedRooms),
        (
            "create_connected_rooms",
            R::CreateConnectedRooms(vec!["one".to_owned(), "two".to_owned()]),
        ),
        ("delete_connected_rooms", R::DeleteConnectedRooms(vec![u(), v()])),
        (
            "move_peers",
            R::MovePeople {
                source: u(),
                destination: v(),
                people: vec![(u(), Some(v::<PresetId>())), (v(), None)],
            },
        ),
        ("media_join_room", R::JoinMedia),
        ("self_join_complete", R::CompleteMediaJoin),
        ("media_leave_room", R::LeaveMedia),
        (
            "host_control_peer",
            R::MutePeer {
                peer: v(),
                kinds: MediaKinds {
                    audio: true,
                    video: false,
                    screenshare: true,
                },
            },
        ),
        (
            "host_control_all_peers",
            R::MuteAll(MediaKinds {
                audio: true,
                video: true,
                screenshare: false,
            }),
        ),
        ("global_pin_peer", R::PinPeer(Some(u()))),
        ("global_unpin_peer", R::PinPeer(None)),
    ]
}

/// The patch in the saved frame. An optional false is a value; a field that is not there is none.
fn patch() -> PermissionPatch {
    let flags = [
        ("polls.can_create", true),
        ("polls.can_vote", false),
        ("polls.can_view", true),
        ("plugins.can_close", true),
        ("plugins.can_start", false),
        ("chat.public.can_send", false),
        ("chat.public.text", true),
        ("chat.public.files", false),
        ("chat.private.can_send", true),
        ("chat.private.can_receive", true),
        ("chat.private.text", true),
        ("chat.private.files", false),
        ("accept_waiting_requests", true),
        ("can_record", false),
        ("kick_participant", true),
        ("connected_meetings.can_alter_connected_meetings", true),
    ];
    let words = [
        ("waiting_room_type", "ON_PRIVILEGED_USER_ENTRY"),
        ("recorder_type", "NONE"),
        ("media.audio.can_produce", "NOT_ALLOWED"),
        ("media.video.can_produce", "CAN_REQUEST"),
        ("media.screenshare.can_produce", "ALLOWED"),
    ];
    let flags = flags.map(|(path, value)| (path.to_owned(), Value::from(value)));
    let words = words.map(|(path, value)| (path.to_owned(), Value::from(value)));
    PermissionPatch(flags.into_iter().chain(words).collect())
}

#[test]
fn saved_frames_ask_what_they_should() {
    let expected: Vec<_> = [presence(), features(), others()].concat();
    for (name, request) in &expected {
        assert_eq!(&asked(name), request, "{name}");
    }
    // None of them goes unread.
    for (name, bytes) in saved() {
        let Ok(Ok(Decoded::Room(_))) = Frame::decode(&bytes).map(|frame| decode(&frame)) else {
            continue;
        };
        assert!(expected.iter().any(|(known, _)| *known == name), "{name}");
    }
}

fn ask(event: u32, message: &impl muster_wire::prost::Message) -> Result<Decoded, super::super::DecodeError> {
    decode(&Frame::decode(&frame::encode(event, "id", message)).unwrap())
}

#[test]
fn ids_that_are_nobodys_are_passed_over() {
    let user_ids = vec![V.to_owned(), "nobody".to_owned(), String::new(), U.to_owned()];
    let Ok(Decoded::Room(request)) = ask(
        number::ACCEPT_WAITING_ROOM_REQUESTS,
        &socket::room::AcceptWaitingRoomRequests { user_ids },
    ) else {
        panic!("refused");
    };
    assert_eq!(request, R::AcceptWaiting(vec![v(), u()]));
}

#[test]
fn values_that_make_no_sense_are_refused() {
    let kind = socket::chat::SendChatMessageToRoomRequest {
        payload_type: 4,
        payload: "x".to_owned(),
    };
    let message = socket::chat::DeleteChatMessageRequest {
        chat_id: "x".to_owned(),
        channel_id: None,
    };
    let waiting = socket::preset::UpdatePeersPresetRequest {
        update_peers_presets: vec![socket::preset::UpdatePeerPreset {
            user_ids: V.to_owned(),
            patch: Some(socket::preset::PresetUpdates {
                waiting_room_type: Some(9),
                ..Default::default()
            }),
        }],
    };
    for (refused, what) in [
        (ask(number::SEND_MESSAGE_TO_ROOM, &kind), "payload_type"),
        (ask(number::DELETE_MESSAGE, &message), "chat_id"),
        (ask(number::UPDATE_USER_PRESET, &waiting), "waiting_room_type"),
    ] {
        assert_eq!(refused.unwrap_err().to_string(), format!("{what} is not valid"));
    }
}

#[test]
fn negative_counts_are_none() {
    let Ok(Decoded::Room(R::ChatPage(page))) = ask(
        number::GET_PAGINATED_MESSAGES,
        &socket::chat::GetPaginatedChatMessageRoomRequest {
            size: -5,
            from: i32::MIN,
            ..Default::default()
        },
    ) else {
        panic!("refused");
    };
    assert_eq!((page.size, page.from), (0, 0));
}
