//! Media sessions, as the room sees them.

use std::collections::BTreeMap;

use bytes::Bytes;
use muster_model::PeerId;
use muster_room::{Event, PeerView};
use muster_wire::{event as number, media::edge};

use super::{
    super::{
        ProducerState,
        media::{ALWAYS, NO_LONGER_ALWAYS, selected_peers},
    },
    bytes,
};

/// The number and the payload of an event of these; of any other, those of an empty reply.
pub(super) fn encode(event: &Event, reply_to: Option<u32>) -> (u32, Bytes) {
    use Event as E;
    match event {
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
pub fn media_join(event: &Event, producers: &[(PeerId, Vec<ProducerState>)]) -> Bytes {
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
