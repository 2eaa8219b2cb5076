//! From what rooms say to numbers and payloads.

mod media;
mod services;

use bytes::Bytes;
use muster_model::{MeetingId, preset::RecorderType};
use muster_room::{
    Broadcast, ConnectedRoom, Event, Family, LivestreamPhase, LivestreamState, PeerView, RecordingPhase,
    RecordingState, RoomInfo, Stage, StageRequest, WaitingPerson,
};
use muster_wire::{
    common::RecordingType,
    event as number,
    prost::Message,
    socket::{livestreaming, recording, room},
};

pub use self::media::media_join;
use super::Context;

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
        _ => services::encode(context, event, reply_to),
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
