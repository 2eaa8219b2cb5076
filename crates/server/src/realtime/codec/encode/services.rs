//! Chat, polls, stores of plugins, and permissions.

use bytes::Bytes;
use muster_model::{
    ParticipantId,
    chat::{ChatMessage, ChatPayloadKind},
};
use muster_room::{Event, PeerPermissions, PermissionPatch, PollView, StoreChange, StoreItem};
use muster_wire::{
    event as number,
    socket::{chat, plugin, polls, preset},
};

use super::{
    super::{Context, permissions},
    bytes, media, seconds,
};

/// The number and the payload of an event of these.
pub(super) fn encode(context: &Context, event: &Event, reply_to: Option<u32>) -> (u32, Bytes) {
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
        _ => media::encode(event, reply_to),
    }
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
