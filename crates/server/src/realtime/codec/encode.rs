//! From what rooms say to numbers and payloads.

use std::collections::BTreeMap;

use bytes::Bytes;
use muster_model::{
    MeetingId, ParticipantId, PeerId,
    chat::{ChatMessage, ChatPayloadKind},
    preset::RecorderType,
};
use muster_room::{
    Broadcast, ConnectedRoom, Event, Family, LivestreamPhase, LivestreamState, PeerPermissions, PeerView,
    PermissionPatch, PollView, RecordingPhase, RecordingState, RoomInfo, Stage, StageRequest, StoreChange,
    StoreItem, WaitingPerson,
};
use muster_wire::{
    common::RecordingType,
    event as number,
    media::edge,
    prost::Message,
    socket::{chat, livestreaming, plugin, polls, preset, recording, room},
};

use super::{
    Context, ProducerState,
    media::{ALWAYS, NO_LONGER_ALWAYS, selected_peers},
    permissions,
};

fn bytes(message: &impl Message) -> Bytes {
    message.encode_to_vec().into()
}

/// The number and the payload of an event; a reply has the number of its request, except where the client
/// waits for another (PROTOCOL d.4).
pub(super) fn encode(context: &Context, event: &Event, reply_to: Option<u32>) -> (u32, Bytes) {
    use Event as E;
    match event {
        E::PeerJoined(view) => (number::JOIN_ROOM, peer_info(view)),
        E::PeerLeft(view) => (number::LEAVE_ROOM, peer_info(view)),
        E::PeerInfo(view) => (number::GET_PEER_INFO, peer_info(view)),
        E::RoomInfo(info) => (number::GET_ROOM_INFO, room_info(info)),
        E::Peers(views) => (
            number::GET_ROOM_PEERS,
            bytes(&room::RoomPeersInfoResponse {
                peers: views.iter().map(|view| peer(view)).collect(),
            }),
        ),
        E::PeerCount(count) => (
            number::ROOM_PEER_COUNT,
            bytes(&room::RoomPeerCountResponse { count: *count }),
        ),
        E::Kicked => (number::KICK, Bytes::new()),
        E::KickedAll => (number::KICK_ALL, Bytes::new()),
        E::WaitingRequests(people) => (number::GET_WAITING_ROOM_REQUESTS, waiting(people)),
        E::WaitingAccepted => (number::WAITING_ROOM_REQUEST_ACCEPTED, Bytes::new()),
        E::WaitingDenied => (number::WAITING_ROOM_REQUEST_DENIED, Bytes::new()),
        E::StageRequests(requests) => (number::GET_STAGE_REQUESTS, stage_requests(requests)),
        E::StageGranted => (number::GRANT_STAGE_ACCESS, Bytes::new()),
        E::StageDenied => (number::DENY_STAGE_ACCESS, Bytes::new()),
        E::StageLeft => (number::LEAVE_STAGE, Bytes::new()),
        E::StageStatus {
            peer,
            participant,
            stage,
        } => (
            number::PEER_STAGE_STATUS_UPDATE,
            bytes(&room::PeerStatusUpdate {
                peer_id: peer.to_string(),
                user_id: participant.to_string(),
                stage_type: Some(stage_type(*stage).into()),
            }),
        ),
        E::Broadcast(broadcast) => (
            number::BROADCAST_MESSAGE,
            bytes(&broadcast_message(broadcast, None)),
        ),
        E::BroadcastTo { broadcast, rooms } => {
            let kind = if *rooms {
                room::BroadcastType::Rooms
            } else {
                room::BroadcastType::Peers
            };
            (
                number::BROADCAST_TO_ENTITY,
                bytes(&broadcast_message(broadcast, Some(kind))),
            )
        }
        E::Recording(state) => recording_event(state),
        E::Livestream(state) => livestream_event(context, state),
        E::ConnectedRooms(family) => (number::CONNECTED_ROOMS_DUMP, family_dump(family)),
        E::ConnectedRoomsCreated { rooms, reply } => (
            if *reply {
                number::CREATE_CONNECTED_ROOMS
            } else {
                number::CONNECTED_ROOMS_UPDATED
            },
            rooms_created(rooms),
        ),
        E::ConnectedRoomsDeleted { rooms, reply } => (
            if *reply {
                number::DELETE_CONNECTED_ROOMS
            } else {
                number::CONNECTED_ROOMS_DELETED
            },
            rooms_deleted(rooms),
        ),
        E::PeopleMoved {
            destination,
            custom_ids,
        } => (number::MOVE_PEERS, people_moved(*destination, custom_ids)),
        E::Done => (reply_to.unwrap_or(number::ERROR), Bytes::new()),
        _ => feature(context, event, reply_to),
    }
}

/// The events of the services beside presence.
fn feature(context: &Context, event: &Event, reply_to: Option<u32>) -> (u32, Bytes) {
    use Event as E;
    match event {
        E::ChatMessages(messages) => (number::GET_MESSAGES, chat_messages(messages)),
        E::ChatFound(messages) => (number::SEARCH_MESSAGES, chat_messages(messages)),
        E::ChatSent(message) => (
            number::SEND_MESSAGE_TO_ROOM,
            bytes(&chat::SendChatMessageToRoomResponse {
                message: Some(chat_message(message)),
            }),
        ),
        E::PrivateChatSent(message) => (
            number::SEND_MESSAGE_TO_PEERS,
            bytes(&chat::SendChatMessageToPeersResponse {
                message: Some(chat_message(message)),
            }),
        ),
        E::ChatEdited(message) => (
            number::EDIT_MESSAGE,
            bytes(&chat::EditChatMessageResponse {
                message: Some(chat_message(message)),
            }),
        ),
        E::ChatDeleted(message) => (
            number::DELETE_MESSAGE,
            bytes(&chat::DeleteChatMessageResponse {
                chat_id: message.to_string(),
                channel_id: None,
            }),
        ),
        E::ChatPinned(message) => (
            number::PIN_MESSAGE,
            bytes(&chat::PinChatMessageResponse {
                chat_id: message.id.to_string(),
                pinned: message.pinned,
                channel_id: None,
                message: Some(chat_message(message)),
            }),
        ),
        E::ChatPage { messages, more } => (
            number::GET_PAGINATED_MESSAGES,
            bytes(&chat::GetPaginatedChatMessageRoomResponse {
                messages: messages.iter().map(|message| chat_message(message)).collect(),
                next: *more,
            }),
        ),
        E::Polls(views) => (
            number::GET_POLLS,
            bytes(&polls::GetPollsResponse {
                polls: views.iter().map(poll).collect(),
            }),
        ),
        E::PollCreated(view) => (number::CREATE_POLL, poll_update(view)),
        E::PollVoted(view) => (number::VOTE_POLL, poll_update(view)),
        E::Store { change, store, items } => store_items(context, *change, store, items),
        E::PermissionsUpdated(changes) => (number::UPDATE_USER_PRESET, permission_updates(changes)),
        E::Permissions(people) => (number::GET_USER_PRESETS, permission_texts(people)),
        E::MediaJoined => (number::MEDIA_JOIN_ROOM, Bytes::new()),
        E::MediaJoinCompleted { .. } => (number::SELF_JOIN_COMPLETE, media_join(event, &[])),
        E::PeerMediaJoined(view) => (
            number::PEER_JOINED,
            bytes(&edge::PeerJoinBroadcastResponse {
                participant: Some(media_participant(view, &[])),
            }),
        ),
        E::MediaLeft => (
            number::MEDIA_LEAVE_ROOM,
            bytes(&edge::PeerLeaveResponse { closed: false }),
        ),
        E::PeerMediaLeft(peer) => (
            number::PEER_LEFT,
            bytes(&edge::PeerLeaveBroadcastResponse {
                participant_id: peer.to_string(),
            }),
        ),
        E::Muted { all } => (
            if *all {
                number::HOST_CONTROL_ALL_PEERS
            } else {
                number::HOST_CONTROL_PEER
            },
            bytes(&edge::HostMediaControlForPeerResponse {
                status: "success".to_owned(),
            }),
        ),
        E::Pinned => (number::GLOBAL_PIN_PEER, Bytes::new()),
        E::PeerPinned(peer) => (
            number::PEER_PINNED,
            bytes(&edge::GlobalPeerPinningBroadcastResponse {
                participant_id: peer.map(|id| id.to_string()).unwrap_or_default(),
            }),
        ),
        E::AlwaysTaken(peer, always) => (
            number::SELECTED_PEERS_DIFF,
            selected_peers(&[(*peer, if *always { ALWAYS } else { NO_LONGER_ALWAYS })]),
        ),
        _ => (reply_to.unwrap_or(number::ERROR), Bytes::new()),
    }
}

fn peer(view: &PeerView) -> room::Peer {
    let person = &view.person;
    let permissions = &person.permissions;
    room::Peer {
        peer_id: view.peer.to_string(),
        user_id: person.participant.to_string(),
        display_name: view.display_name.clone(),
        // Unset would be off stage (trap 1).
        stage_type: Some(stage_type(view.stage).into()),
        custom_participant_id: Some(person.custom_participant_id.clone()),
        preset_id: Some(person.preset_id.to_string()),
        display_picture_url: person.picture.clone(),
        waitlisted: view.waiting,
        flags: Some(room::PeerFlags {
            preset_name: person.preset_name.clone(),
            // Empty would make a recorder of everybody (trap 2).
            recorder_type: match permissions.recorder_type {
                RecorderType::None => "NONE",
                RecorderType::Recorder => "RECORDER",
                RecorderType::Livestreamer => "LIVESTREAMER",
            }
            .to_owned(),
            hidden_participant: permissions.hidden_participant,
        }),
    }
}

fn peer_info(view: &PeerView) -> Bytes {
    bytes(&room::PeerInfoResponse {
        peer: Some(peer(view)),
    })
}

const fn stage_type(stage: Stage) -> room::StageType {
    match stage {
        Stage::On => room::StageType::OnStage,
        Stage::Approved => room::StageType::ApprovedStage,
        Stage::Requested => room::StageType::RequestedStage,
        Stage::Off => room::StageType::OffStage,
    }
}

fn seconds(at: muster_model::Timestamp) -> u64 {
    u64::try_from(at.as_secs()).unwrap_or(0)
}

fn room_info(info: &RoomInfo) -> Bytes {
    bytes(&room::RoomInfoResponse {
        room: Some(room::Room {
            room_id: info.meeting.to_string(),
            title: info.title.clone(),
            created_at: seconds(info.started_at),
            active_recordings: info
                .recordings
                .iter()
                .map(|state| room::ActiveRecording {
                    recording_id: state.id.to_string(),
                    recording_type: RecordingType::Composite.into(),
                    recording_status: match state.phase {
                        RecordingPhase::Starting => "STARTING",
                        RecordingPhase::Recording => "RECORDING",
                        RecordingPhase::Paused => "PAUSED",
                        RecordingPhase::Stopping | RecordingPhase::Stopped => "STOPPING",
                    }
                    .to_owned(),
                })
                .collect(),
            room_uuid: Some(
                info.session
                    .map_or_else(|| info.meeting.to_string(), |session| session.to_string()),
            ),
        }),
    })
}

fn waiting(people: &[WaitingPerson]) -> Bytes {
    bytes(&room::GetWaitingRoomRequests {
        requests: people
            .iter()
            .map(|waiting| room::WaitingRoomRequest {
                peer_id: waiting.peer.to_string(),
                user_id: waiting.person.participant.to_string(),
                display_name: waiting.display_name.clone(),
                picture: waiting.person.picture.clone(),
                custom_participant_id: Some(waiting.person.custom_participant_id.clone()),
                preset_name: Some(waiting.person.preset_name.clone()),
            })
            .collect(),
    })
}

fn stage_requests(requests: &[StageRequest]) -> Bytes {
    bytes(&livestreaming::GetStageRequestsResponse {
        stage_requests: requests
            .iter()
            .map(|request| livestreaming::StageRequest {
                display_name: request.display_name.clone(),
                user_id: request.participant.to_string(),
                peer_id: request.peer.to_string(),
            })
            .collect(),
    })
}

fn broadcast_message(broadcast: &Broadcast, kind: Option<room::BroadcastType>) -> room::BroadcastMessage {
    room::BroadcastMessage {
        r#type: broadcast.kind.clone(),
        payload: broadcast.payload.clone().into(),
        timestamp: broadcast.timestamp_ms,
        ids: Vec::new(),
        broadcast_type: kind.map(Into::into),
    }
}

fn recording_event(state: &RecordingState) -> (u32, Bytes) {
    let number = match state.phase {
        // Going on after a pause is told as a start.
        RecordingPhase::Starting | RecordingPhase::Recording => number::RECORDING_STARTED,
        RecordingPhase::Paused => number::RECORDING_PAUSED,
        RecordingPhase::Stopping | RecordingPhase::Stopped => number::RECORDING_STOPPED,
    };
    let event = recording::RecordingEvent {
        recording_id: state.id.to_string(),
        err_message: String::new(),
        recording_type: RecordingType::Composite.into(),
    };
    (number, bytes(&event))
}

fn livestream_event(context: &Context, state: &LivestreamState) -> (u32, Bytes) {
    let (number, status) = match state.phase {
        LivestreamPhase::Invoked => (number::LIVESTREAM_INVOKED, "INVOKED"),
        LivestreamPhase::Started => (number::LIVESTREAM_STARTED, "LIVE"),
        LivestreamPhase::Stopped => (number::LIVESTREAM_STOPPED, "IDLE"),
        LivestreamPhase::Errored => (number::LIVESTREAM_ERRORED, "ERRORED"),
    };
    let event = livestreaming::LiveStreamingEvent {
        livestream_id: state.id.to_string(),
        name: state.name.clone(),
        meeting_id: context.meeting.to_string(),
        playback_url: state.playback_url.clone(),
        status: status.to_owned(),
        manual_ingest: Some(state.manual_ingest),
        ..Default::default()
    };
    (number, bytes(&event))
}

fn connected_room(connected: &ConnectedRoom) -> room::ConnectedMeetingDump {
    room::ConnectedMeetingDump {
        id: Some(connected.meeting.to_string()),
        title: Some(connected.title.clone()),
        participants: connected
            .people
            .iter()
            .map(|person| room::ConnectedMeetingPeer {
                id: Some(person.participant.to_string()),
                display_name: Some(person.name.clone()),
                custom_participant_id: Some(person.custom_participant_id.clone()),
                preset_id: Some(person.preset_id.to_string()),
                display_picture_url: person.picture.clone(),
            })
            .collect(),
    }
}

fn family_dump(family: &Family) -> Bytes {
    bytes(&room::GetConnectedRoomsDumpResponse {
        parent_meeting: Some(connected_room(&family.parent)),
        meetings: family.rooms.iter().map(connected_room).collect(),
    })
}

fn rooms_created(rooms: &[(MeetingId, String)]) -> Bytes {
    bytes(&room::CreateConnectedRoomsResponse {
        payloads: rooms
            .iter()
            .map(|(meeting, title)| room::CreateRoomResponsePayload {
                id: Some(meeting.to_string()),
                title: Some(title.clone()),
                error: None,
            })
            .collect(),
    })
}

fn rooms_deleted(rooms: &[(MeetingId, String)]) -> Bytes {
    bytes(&room::DisableConnectedRoomsResponse {
        payloads: rooms
            .iter()
            .map(|(meeting, title)| room::DisableConnectedRoomPayload {
                id: Some(meeting.to_string()),
                status: Some("INACTIVE".to_owned()),
                title: Some(title.clone()),
                error: None,
            })
            .collect(),
    })
}

fn people_moved(destination: MeetingId, custom_ids: &[String]) -> Bytes {
    bytes(&room::MovePeersBetweenRoomsResponse {
        payloads: custom_ids
            .iter()
            .map(|custom_id| room::MovedPeer {
                meeting_id: Some(destination.to_string()),
                // The client takes this word, anywhere in the reply, for a failure (PROTOCOL f.11).
                custom_participant_id: (!custom_id.contains("error")).then(|| custom_id.clone()),
                error: None,
            })
            .collect(),
    })
}

fn chat_message(message: &ChatMessage) -> chat::ChatMessage {
    chat::ChatMessage {
        chat_id: message.id.to_string(),
        peer_id: message.peer_id.to_string(),
        user_id: message.participant_id.to_string(),
        display_name: message.display_name.clone(),
        pinned: message.pinned,
        is_edited: message.edited,
        payload_type: match message.kind {
            ChatPayloadKind::Text => 0,
            ChatPayloadKind::Image => 1,
            ChatPayloadKind::File => 2,
            ChatPayloadKind::Custom => 3,
        },
        payload: message.payload.clone(),
        target_user_ids: message.recipients.iter().map(ToString::to_string).collect(),
        created_at: seconds(message.created_at),
        created_at_ms: u64::try_from(message.created_at.as_micros() / 1000).ok(),
        channel_id: None,
        channel_index: None,
    }
}

fn chat_messages(messages: &[std::sync::Arc<ChatMessage>]) -> Bytes {
    bytes(&chat::GetChatMessagesResponse {
        messages: messages.iter().map(|message| chat_message(message)).collect(),
    })
}

fn poll(view: &PollView) -> polls::Poll {
    let poll = &view.poll;
    let options = poll.options.iter().enumerate().map(|(at, option)| {
        let count = view.counts.as_ref().and_then(|counts| counts.get(at).copied());
        let votes = if view.names && count.is_some() {
            option
                .votes
                .iter()
                .map(|vote| polls::PollVote {
                    user_id: vote.participant_id.to_string(),
                    name: vote.name.clone(),
                })
                .collect()
        } else {
            Vec::new()
        };
        polls::PollOption {
            text: option.text.clone(),
            count: Some(count.unwrap_or(0)),
            votes,
        }
    });
    polls::Poll {
        poll_id: poll.id.to_string(),
        created_by: poll.created_by.clone(),
        created_by_user_id: poll
            .created_by_participant
            .map(|id| id.to_string())
            .unwrap_or_default(),
        question: poll.question.clone(),
        options: options.collect(),
        hide_votes: poll.hide_votes,
        anonymous: poll.anonymous,
        votes: view.voted.iter().map(ToString::to_string).collect(),
    }
}

fn poll_update(view: &PollView) -> Bytes {
    bytes(&polls::UpdatePollResponse {
        poll: Some(poll(view)),
    })
}

fn store_items(context: &Context, change: StoreChange, store: &str, items: &[StoreItem]) -> (u32, Bytes) {
    let number = match change {
        StoreChange::Inserted => number::STORE_INSERT_KEYS,
        StoreChange::Read => number::STORE_GET_KEYS,
        StoreChange::Deleted => number::STORE_DELETE_KEYS,
    };
    let response = plugin::PluginStoreResponse {
        plugin_id: context.meeting.to_string(),
        store_name: store.to_owned(),
        store_items: items
            .iter()
            .map(|item| plugin::PluginStoreItem {
                timestamp: item.at.to_string(),
                peer_id: item.peer.to_string(),
                store_key: item.key.clone(),
                payload: Bytes::copy_from_slice(&item.payload),
            })
            .collect(),
    };
    (number, bytes(&response))
}

fn permission_updates(changes: &[(ParticipantId, PermissionPatch)]) -> Bytes {
    bytes(&preset::UpdatePeersPresetResponse {
        update_peers_presets: changes
            .iter()
            .map(|(participant, patch)| preset::UpdatePeerPreset {
                user_ids: participant.to_string(),
                patch: Some(permissions::updates(patch)),
            })
            .collect(),
    })
}

fn permission_texts(people: &[PeerPermissions]) -> Bytes {
    bytes(&preset::ReadPeersPresetResponse {
        peer_presets: people
            .iter()
            .map(|person| {
                // Permissions are plain values, so they can always be written as JSON.
                let value = serde_json::to_value(&*person.permissions).unwrap_or_default();
                let text = serde_json::json!({"permissions": permissions::camel_case(value)}).to_string();
                preset::PeerPreset {
                    user_id: person.participant.to_string(),
                    peer_id: person.peer.to_string(),
                    preset: text.into(),
                }
            })
            .collect(),
    })
}

fn media_participant(view: &PeerView, producers: &[ProducerState]) -> edge::RoomParticipants {
    edge::RoomParticipants {
        peer_id: view.peer.to_string(),
        producer_states: producers.iter().map(ProducerState::encode).collect(),
        display_name: view.display_name.clone(),
        user_id: Some(view.person.participant.to_string()),
        capabilities: None,
    }
}

/// The payload of [`Event::MediaJoinCompleted`]; empty for any other.
pub(super) fn media_join(event: &Event, producers: &[(PeerId, Vec<ProducerState>)]) -> Bytes {
    let Event::MediaJoinCompleted {
        session,
        peer,
        pinned,
        participants,
    } = event
    else {
        return Bytes::new();
    };
    let by_peer: BTreeMap<PeerId, &[ProducerState]> = producers
        .iter()
        .map(|(peer, states)| (*peer, states.as_slice()))
        .collect();
    let of = |peer: PeerId| by_peer.get(&peer).copied().unwrap_or_default();
    bytes(&edge::PeerJoinCompleteResponse {
        room_state: Some(edge::GetRoomStateResponse {
            room_uuid: session.to_string(),
            current_peer_id: peer.to_string(),
            pinned_peer_ids: pinned.iter().map(ToString::to_string).collect(),
            ..Default::default()
        }),
        participants: participants
            .iter()
            .map(|view| media_participant(view, of(view.peer)))
            .collect(),
        selected_peers: Some(edge::SelectedPeersResponse {
            compulsory_peers: pinned
                .iter()
                .filter(|pinned| *pinned != peer)
                .map(ToString::to_string)
                .collect(),
            ..Default::default()
        }),
        max_preferred_streams: 0,
    })
}
