//! From frames to requests.

use muster_model::{MeetingId, ParticipantId, PeerId, PresetId, chat::ChatPayloadKind};
use muster_room::{Broadcast, ChatFilter, ChatPage, MediaKinds, NewPoll, Request};
use muster_wire::{
    event as number,
    frame::Frame,
    media::edge,
    prost::{self, Message},
    socket::{chat, livestreaming, plugin, polls, preset, room},
};

use super::{Decoded, media, permissions};

/// Why a frame could not be understood; the client is told.
#[derive(Debug, thiserror::Error)]
pub enum DecodeError {
    /// No service here has such an event, or it is only told, never asked.
    #[error("unknown event {0}")]
    UnknownEvent(u32),
    /// The payload is not the event's message.
    #[error("the payload does not read: {0}")]
    Broken(#[from] prost::DecodeError),
    /// A value in it makes no sense.
    #[error("{0} is not valid")]
    Invalid(&'static str),
}

/// What a frame asks for.
pub fn decode(frame: &Frame) -> Result<Decoded, DecodeError> {
    if number::is_media(frame.event) {
        return media_request(frame);
    }
    room_request(frame).map(Decoded::Room)
}

fn read<M: Message + Default>(frame: &Frame) -> Result<M, DecodeError> {
    Ok(M::decode(frame.payload.clone())?)
}

/// Ids that read as such; others can be nobody's.
fn users(ids: &[String]) -> Vec<ParticipantId> {
    ids.iter().filter_map(|id| id.parse().ok()).collect()
}

fn peers(ids: &[String]) -> Vec<PeerId> {
    ids.iter().filter_map(|id| id.parse().ok()).collect()
}

fn meetings<'a>(ids: impl IntoIterator<Item = &'a String>) -> Vec<MeetingId> {
    ids.into_iter().filter_map(|id| id.parse().ok()).collect()
}

fn id<T: std::str::FromStr>(text: &str, what: &'static str) -> Result<T, DecodeError> {
    text.parse().map_err(|_| DecodeError::Invalid(what))
}

fn kind(number: i32) -> Result<ChatPayloadKind, DecodeError> {
    Ok(match number {
        0 => ChatPayloadKind::Text,
        1 => ChatPayloadKind::Image,
        2 => ChatPayloadKind::File,
        3 => ChatPayloadKind::Custom,
        _ => return Err(DecodeError::Invalid("payload_type")),
    })
}

/// A count that a client gives as a signed number.
fn size(number: i32) -> usize {
    usize::try_from(number).unwrap_or(0)
}

fn room_request(frame: &Frame) -> Result<Request, DecodeError> {
    use Request as R;
    Ok(match frame.event {
        number::JOIN_ROOM => R::Join {
            display_name: read::<room::JoinRoomRequest>(frame)?
                .peer
                .map(|peer| peer.display_name)
                .filter(|name| !name.is_empty()),
        },
        number::GET_ROOM_INFO => R::RoomInfo,
        number::GET_ROOM_PEERS => {
            let asked: room::RoomPeersInfoRequest = read(frame)?;
            R::Peers {
                search: asked.seach_query,
                limit: size(asked.limit),
                offset: size(asked.offset),
            }
        }
        number::GET_PEER_INFO => {
            R::PeerInfo(id(&read::<room::GetPeerInfoRequest>(frame)?.peer_id, "peer_id")?)
        }
        number::KICK => R::Kick(peers(&read::<room::RemoveParticipantsRequest>(frame)?.peer_ids)),
        number::KICK_ALL => R::KickAll,
        number::GET_WAITING_ROOM_REQUESTS => R::WaitingRequests,
        number::ACCEPT_WAITING_ROOM_REQUESTS => {
            R::AcceptWaiting(users(&read::<room::AcceptWaitingRoomRequests>(frame)?.user_ids))
        }
        number::DENY_WAITING_ROOM_REQUESTS => {
            R::DenyWaiting(users(&read::<room::DenyWaitingRoomRequests>(frame)?.user_ids))
        }
        number::GET_STAGE_REQUESTS => R::StageRequests,
        number::REQUEST_STAGE_ACCESS => R::RequestStage,
        number::CANCEL_STAGE_REQUEST => R::CancelStageRequest,
        number::GRANT_STAGE_ACCESS => R::GrantStage(users(
            &read::<livestreaming::GrantStageAccessRequest>(frame)?.user_ids,
        )),
        number::DENY_STAGE_ACCESS => R::DenyStage(users(
            &read::<livestreaming::DenyStageAccessRequest>(frame)?.user_ids,
        )),
        number::JOIN_STAGE => R::JoinStage,
        number::LEAVE_STAGE => {
            R::LeaveStage(users(&read::<livestreaming::LeaveStageRequest>(frame)?.user_ids))
        }
        number::BROADCAST_MESSAGE => R::Broadcast(broadcast(read(frame)?)),
        number::BROADCAST_TO_ENTITY => broadcast_to(read(frame)?),
        number::CONNECTED_ROOMS_DUMP => R::ConnectedRooms,
        number::CREATE_CONNECTED_ROOMS => R::CreateConnectedRooms(
            read::<room::CreateConnectedRoomsRequest>(frame)?
                .payloads
                .into_iter()
                .map(|wish| wish.title.unwrap_or_default())
                .collect(),
        ),
        number::DELETE_CONNECTED_ROOMS => R::DeleteConnectedRooms(meetings(
            read::<room::DisableConnectedRoomsRequest>(frame)?
                .payloads
                .iter()
                .filter_map(|wish| wish.id.as_ref()),
        )),
        number::MOVE_PEERS => move_people(read(frame)?)?,
        event => match event >> 16 {
            1 => chat_request(frame)?,
            2 => store_request(frame)?,
            3 => poll_request(frame)?,
            5 => permission_request(frame)?,
            _ => return Err(DecodeError::UnknownEvent(event)),
        },
    })
}

fn broadcast(message: room::BroadcastMessage) -> Broadcast {
    Broadcast {
        kind: message.r#type,
        payload: message.payload.to_vec(),
        timestamp_ms: message.timestamp,
    }
}

fn broadcast_to(message: room::BroadcastMessage) -> Request {
    if message.broadcast_type() == room::BroadcastType::Rooms {
        Request::BroadcastToRooms(meetings(&message.ids), broadcast(message))
    } else {
        Request::BroadcastToPeers(peers(&message.ids), broadcast(message))
    }
}

fn move_people(asked: room::MovePeersBetweenRoomsRequest) -> Result<Request, DecodeError> {
    let mut people = Vec::with_capacity(asked.participants.len());
    for person in &asked.participants {
        let Ok(participant) = person.id().parse::<ParticipantId>() else {
            continue;
        };
        let preset = match person.preset_id() {
            "" => None,
            text => Some(id::<PresetId>(text, "preset_id")?),
        };
        people.push((participant, preset));
    }
    Ok(Request::MovePeople {
        source: id(asked.source_meeting_id(), "source_meeting_id")?,
        destination: id(asked.destination_meeting_id(), "destination_meeting_id")?,
        people,
    })
}

fn chat_request(frame: &Frame) -> Result<Request, DecodeError> {
    use Request as R;
    Ok(match frame.event {
        number::GET_MESSAGES => R::ChatMessages,
        number::SEND_MESSAGE_TO_ROOM => {
            let sent: chat::SendChatMessageToRoomRequest = read(frame)?;
            R::SendChat {
                kind: kind(sent.payload_type)?,
                payload: sent.payload,
            }
        }
        number::SEND_MESSAGE_TO_PEERS => {
            let sent: chat::SendChatMessageToPeersRequest = read(frame)?;
            R::SendPrivateChat {
                peers: peers(&sent.peer_ids),
                kind: kind(sent.payload_type)?,
                payload: sent.payload,
            }
        }
        number::EDIT_MESSAGE => {
            let edit: chat::EditChatMessageRequest = read(frame)?;
            R::EditChat {
                message: id(&edit.chat_id, "chat_id")?,
                kind: edit.payload_type.map(kind).transpose()?,
                payload: edit.payload,
                pinned: edit.pinned,
            }
        }
        number::DELETE_MESSAGE => R::DeleteChat(id(
            &read::<chat::DeleteChatMessageRequest>(frame)?.chat_id,
            "chat_id",
        )?),
        number::PIN_MESSAGE => {
            let pin: chat::PinChatMessageRequest = read(frame)?;
            R::PinChat {
                message: id(&pin.chat_id, "chat_id")?,
                pinned: pin.pinned,
            }
        }
        number::GET_PAGINATED_MESSAGES => {
            let asked: chat::GetPaginatedChatMessageRoomRequest = read(frame)?;
            R::ChatPage(ChatPage {
                time_ms: asked.time_stamp,
                size: size(asked.size),
                from: size(asked.from),
                reversed: asked.reversed,
                filter: chat_filter(asked.filters)?,
            })
        }
        number::SEARCH_MESSAGES => {
            let asked: chat::SearchChatMessagesRequest = read(frame)?;
            R::SearchChat {
                term: asked.search_term,
                page: ChatPage {
                    time_ms: asked.time_stamp,
                    size: size(asked.size),
                    from: size(asked.from),
                    reversed: asked.reversed,
                    filter: ChatFilter::default(),
                },
            }
        }
        event => return Err(DecodeError::UnknownEvent(event)),
    })
}

fn chat_filter(filters: Option<chat::GetPaginatedChatMessageFilters>) -> Result<ChatFilter, DecodeError> {
    use chat::get_paginated_chat_message_filters::Filters;
    Ok(match filters.and_then(|filters| filters.filters) {
        None => ChatFilter::Public,
        Some(Filters::Pinned(pinned)) => ChatFilter::Pinned(pinned),
        Some(Filters::UserId(user)) => ChatFilter::With(id(&user, "user_id")?),
    })
}

fn store_request(frame: &Frame) -> Result<Request, DecodeError> {
    let keys = |keys: Vec<plugin::StoreKeys>| keys.into_iter().map(|key| key.store_key).collect();
    Ok(match frame.event {
        number::STORE_GET_KEYS => {
            let asked: plugin::PluginStoreGetKeysRequest = read(frame)?;
            Request::StoreGet {
                store: asked.store_name,
                keys: keys(asked.get_keys),
            }
        }
        number::STORE_INSERT_KEYS => {
            let asked: plugin::PluginStoreInsertKeysRequest = read(frame)?;
            Request::StoreInsert {
                store: asked.store_name,
                items: asked
                    .insert_keys
                    .into_iter()
                    .map(|key| (key.store_key, key.payload.unwrap_or_default().to_vec()))
                    .collect(),
            }
        }
        number::STORE_DELETE_KEYS => {
            let asked: plugin::PluginStoreDeleteKeysRequest = read(frame)?;
            Request::StoreDelete {
                store: asked.store_name,
                keys: keys(asked.delete_keys),
            }
        }
        event => return Err(DecodeError::UnknownEvent(event)),
    })
}

fn poll_request(frame: &Frame) -> Result<Request, DecodeError> {
    Ok(match frame.event {
        number::GET_POLLS => Request::Polls,
        number::CREATE_POLL => {
            let poll: polls::NewPollRequest = read(frame)?;
            Request::CreatePoll(NewPoll {
                question: poll.question,
                options: poll.options,
                anonymous: poll.anonymous,
                hide_votes: poll.hide_votes,
            })
        }
        number::VOTE_POLL => {
            let vote: polls::VotePollRequest = read(frame)?;
            Request::Vote {
                poll: id(&vote.poll_id, "poll_id")?,
                option: usize::try_from(vote.index).map_err(|_| DecodeError::Invalid("index"))?,
            }
        }
        event => return Err(DecodeError::UnknownEvent(event)),
    })
}

fn permission_request(frame: &Frame) -> Result<Request, DecodeError> {
    Ok(match frame.event {
        number::GET_USER_PRESETS => {
            Request::ReadPermissions(users(&read::<preset::ReadPeersPresetRequest>(frame)?.user_ids))
        }
        number::UPDATE_USER_PRESET => {
            let asked: preset::UpdatePeersPresetRequest = read(frame)?;
            let mut changes = Vec::with_capacity(asked.update_peers_presets.len());
            for change in asked.update_peers_presets {
                let participant = id(&change.user_ids, "user_ids")?;
                let patch = permissions::patch(&change.patch.unwrap_or_default())?;
                changes.push((participant, patch));
            }
            Request::UpdatePermissions(changes)
        }
        event => return Err(DecodeError::UnknownEvent(event)),
    })
}

fn media_request(frame: &Frame) -> Result<Decoded, DecodeError> {
    use Request as R;
    Ok(Decoded::Room(match frame.event {
        number::MEDIA_JOIN_ROOM => R::JoinMedia,
        number::SELF_JOIN_COMPLETE => R::CompleteMediaJoin,
        number::MEDIA_LEAVE_ROOM => R::LeaveMedia,
        number::GLOBAL_PIN_PEER => {
            let whom = read::<edge::GlobalPeerPinningRequest>(frame)?.participant_id;
            R::PinPeer(if whom.is_empty() {
                None
            } else {
                Some(id(&whom, "participant_id")?)
            })
        }
        number::HOST_CONTROL_PEER => {
            let asked: edge::HostMediaControlForPeerRequest = read(frame)?;
            R::MutePeer {
                peer: id(&asked.participant_id, "participant_id")?,
                kinds: MediaKinds {
                    audio: asked.audio,
                    video: asked.video,
                    screenshare: asked.scree_share,
                },
            }
        }
        number::HOST_CONTROL_ALL_PEERS => {
            let asked: edge::HostMediaControlForAllPeerRequest = read(frame)?;
            R::MuteAll(MediaKinds {
                audio: asked.audio,
                video: asked.video,
                screenshare: asked.screen_share,
            })
        }
        _ => return media::decode(frame),
    }))
}

pub(super) fn sdp(
    description: Option<muster_wire::media::SessionDescription>,
) -> Result<String, DecodeError> {
    description
        .map(|description| description.sdp)
        .filter(|sdp| !sdp.is_empty())
        .ok_or(DecodeError::Invalid("description"))
}

pub(super) fn message<M: Message + Default>(frame: &Frame) -> Result<M, DecodeError> {
    read(frame)
}
