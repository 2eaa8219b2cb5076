//! What a room says, as clients read it.

use std::{fmt::Debug, sync::Arc};

use muster_model::{
    ParticipantId, PeerId, Timestamp,
    chat::{ChatMessage, ChatPayloadKind},
    participant::Person,
    poll::{Poll, PollOption, PollVote},
    preset::{Permissions, RecorderType, ViewType},
};
use muster_room::{
    Broadcast, ConnectedRoom, Event as E, Family, LivestreamPhase, LivestreamState, PeerPermissions,
    PeerView, PermissionPatch, PollView, RecordingPhase, RecordingState, RequestId, RoomInfo, Stage,
    StageRequest, StoreChange, StoreItem, WaitingPerson,
};
use muster_wire::{
    media::edge,
    prost::Message,
    socket::{chat, livestreaming, plugin, polls, preset, recording, room},
};
use serde_json::{Value, json};

use super::{
    super::{event_frame, media_join_frame, reply_frame, transfer_frame},
    Frame, U, V, context,
    media::producer,
    payload, u, v,
};

const AT: Timestamp = Timestamp::from_micros(1_700_000_000_123_456);

fn person() -> Arc<Person> {
    Arc::new(Person {
        participant: v(),
        custom_participant_id: "c-1".to_owned(),
        name: "Ana".to_owned(),
        picture: None,
        preset_id: u(),
        preset_name: "host".to_owned(),
        view_type: ViewType::GroupCall,
        permissions: Permissions::default(),
    })
}

fn view() -> Arc<PeerView> {
    Arc::new(PeerView {
        peer: u(),
        person: person(),
        display_name: "Ana B".to_owned(),
        stage: Stage::On,
        waiting: false,
    })
}

/// The frame for others, under its number and no id.
fn told(event: &E, number: u32) -> Frame {
    let frame = Frame::decode(&event_frame(&context(), event)).unwrap();
    assert_eq!((frame.event, frame.id.as_str()), (number, ""), "{event:?}");
    frame
}

fn told_as<M: Message + Default>(event: &E, number: u32) -> M {
    payload(&told(event, number))
}

#[track_caller]
fn all<T: PartialEq + Debug>(got: impl IntoIterator<Item = T>, expected: impl IntoIterator<Item = T>) {
    let (got, expected): (Vec<_>, Vec<_>) = (got.into_iter().collect(), expected.into_iter().collect());
    assert_eq!(got, expected);
}

#[test]
fn empty_payloads_are_on_the_wire() {
    for (event, number) in [
        (E::Kicked, 30),
        (E::KickedAll, 31),
        (E::WaitingAccepted, 35),
        (E::WaitingDenied, 37),
        (E::StageGranted, 15),
        (E::StageDenied, 16),
        (E::StageLeft, 19),
        (E::MediaJoined, 0x0300_0010),
        (E::Pinned, 0x0300_0013),
    ] {
        assert!(told(&event, number).payload.is_empty());
        // Field 3 with a length of zero closes the frame.
        assert!(event_frame(&context(), &event).ends_with(&[0x1a, 0]), "{event:?}");
    }
}

#[test]
fn replies_have_the_id_of_their_request_and_its_number_but_for_the_stage() {
    let reply = |event: &E, number| {
        let to = RequestId {
            id: "p-1".into(),
            event: number,
        };
        let frame = Frame::decode(&reply_frame(&context(), &to, event)).unwrap();
        assert_eq!(frame.id, "p-1");
        frame.event
    };
    assert_eq!(reply(&E::Done, 39), 39);
    assert_eq!(reply(&E::PeerJoined(view()), 3), 3);
    assert_eq!(reply(&E::StageLeft, 19), 19);
    assert_eq!(reply(&E::Muted { all: true }, 0x0300_005e), 0x0300_005e);
    let status = E::StageStatus {
        peer: u(),
        participant: v(),
        stage: Stage::On,
    };
    assert_eq!(reply(&status, 18), 38);
    assert_eq!(reply(&status, 19), 38);
}

#[test]
fn a_person_is_on_stage_and_no_recorder() {
    let expected = room::Peer {
        peer_id: U.to_owned(),
        user_id: V.to_owned(),
        display_name: "Ana B".to_owned(),
        stage_type: Some(1),
        custom_participant_id: Some("c-1".to_owned()),
        preset_id: Some(U.to_owned()),
        display_picture_url: None,
        waitlisted: false,
        flags: Some(room::PeerFlags {
            preset_name: "host".to_owned(),
            recorder_type: "NONE".to_owned(),
            hidden_participant: false,
        }),
    };
    for (event, number) in [
        (E::PeerJoined(view()), 3),
        (E::PeerLeft(view()), 4),
        (E::PeerInfo(view()), 0),
    ] {
        assert_eq!(
            told_as::<room::PeerInfoResponse>(&event, number).peer.as_ref(),
            Some(&expected)
        );
    }
    let peers: room::RoomPeersInfoResponse = told_as(&E::Peers(vec![view(), view()]), 2);
    assert_eq!(peers.peers, [expected.clone(), expected]);
}

#[test]
fn recorders_and_those_who_wait_are_told_apart() {
    for (kind, word) in [
        (RecorderType::Recorder, "RECORDER"),
        (RecorderType::Livestreamer, "LIVESTREAMER"),
    ] {
        let mut hidden = (*person()).clone();
        hidden.permissions.recorder_type = kind;
        hidden.permissions.hidden_participant = true;
        let view = PeerView {
            person: Arc::new(hidden),
            waiting: true,
            stage: Stage::Off,
            ..(*view()).clone()
        };
        let peer = told_as::<room::PeerInfoResponse>(&E::PeerJoined(Arc::new(view)), 3)
            .peer
            .unwrap();
        assert!(peer.waitlisted);
        assert_eq!(peer.stage_type, Some(4));
        let flags = peer.flags.unwrap();
        assert_eq!(flags.recorder_type, word);
        assert!(flags.hidden_participant);
    }
}

#[test]
fn rooms_tell_seconds_and_what_is_recorded() {
    let info = RoomInfo {
        meeting: u(),
        title: "Weekly".to_owned(),
        started_at: AT,
        session: Some(v()),
        recordings: vec![RecordingState {
            id: v(),
            phase: RecordingPhase::Paused,
        }],
    };
    let told: room::RoomInfoResponse = told_as(&E::RoomInfo(info), 5);
    let told = told.room.unwrap();
    assert_eq!((told.room_id.as_str(), told.title.as_str()), (U, "Weekly"));
    assert_eq!(told.created_at, 1_700_000_000);
    assert_eq!(told.room_uuid.as_deref(), Some(V));
    assert_eq!(told.active_recordings[0].recording_id, V);
    assert_eq!(told.active_recordings[0].recording_status, "PAUSED");
    assert_eq!(
        told_as::<room::RoomPeerCountResponse>(&E::PeerCount(7), 17).count,
        7
    );
}

#[test]
fn those_who_wait_or_ask_are_listed() {
    let waiting = E::WaitingRequests(vec![WaitingPerson {
        peer: u(),
        person: person(),
        display_name: "Ana B".to_owned(),
    }]);
    let requests = told_as::<room::GetWaitingRoomRequests>(&waiting, 33).requests;
    all(
        requests,
        [room::WaitingRoomRequest {
            peer_id: U.to_owned(),
            user_id: V.to_owned(),
            display_name: "Ana B".to_owned(),
            picture: None,
            custom_participant_id: Some("c-1".to_owned()),
            preset_name: Some("host".to_owned()),
        }],
    );
    let asking = E::StageRequests(vec![StageRequest {
        peer: u(),
        participant: v(),
        display_name: "Ana".to_owned(),
    }]);
    all(
        told_as::<livestreaming::GetStageRequestsResponse>(&asking, 12).stage_requests,
        [livestreaming::StageRequest {
            display_name: "Ana".to_owned(),
            user_id: V.to_owned(),
            peer_id: U.to_owned(),
        }],
    );
    for (stage, number) in [
        (Stage::On, 1),
        (Stage::Approved, 2),
        (Stage::Requested, 3),
        (Stage::Off, 4),
    ] {
        let status = E::StageStatus {
            peer: u(),
            participant: v(),
            stage,
        };
        let status: room::PeerStatusUpdate = told_as(&status, 38);
        assert_eq!((status.peer_id.as_str(), status.user_id.as_str()), (U, V));
        assert_eq!(status.stage_type, Some(number));
    }
}

fn message(kind: ChatPayloadKind) -> Arc<ChatMessage> {
    Arc::new(ChatMessage {
        id: u(),
        peer_id: v(),
        participant_id: u(),
        display_name: "Ana".to_owned(),
        kind,
        payload: "hello".to_owned(),
        recipients: vec![u(), v()],
        pinned: true,
        edited: true,
        created_at: AT,
    })
}

fn wire_message(payload_type: i32) -> chat::ChatMessage {
    chat::ChatMessage {
        chat_id: U.to_owned(),
        peer_id: V.to_owned(),
        user_id: U.to_owned(),
        display_name: "Ana".to_owned(),
        pinned: true,
        is_edited: true,
        payload_type,
        payload: "hello".to_owned(),
        target_user_ids: vec![U.to_owned(), V.to_owned()],
        created_at: 1_700_000_000,
        created_at_ms: Some(1_700_000_000_123),
        channel_id: None,
        channel_index: None,
    }
}

#[test]
fn messages_carry_seconds_and_milliseconds() {
    use ChatPayloadKind::{Custom, File, Image, Text};
    for (kind, number) in [(Text, 0), (Image, 1), (File, 2), (Custom, 3)] {
        let sent: chat::SendChatMessageToRoomResponse = told_as(&E::ChatSent(message(kind)), 65_537);
        assert_eq!(sent.message, Some(wire_message(number)));
    }
    let text = || message(Text);
    let expected = wire_message(0);
    let sent: chat::SendChatMessageToPeersResponse = told_as(&E::PrivateChatSent(text()), 65_538);
    assert_eq!(sent.message.as_ref(), Some(&expected));
    let edited: chat::EditChatMessageResponse = told_as(&E::ChatEdited(text()), 65_539);
    assert_eq!(edited.message.as_ref(), Some(&expected));
    let deleted: chat::DeleteChatMessageResponse = told_as(&E::ChatDeleted(u()), 65_540);
    assert_eq!(deleted.chat_id, U);
    let pinned: chat::PinChatMessageResponse = told_as(&E::ChatPinned(text()), 65_546);
    assert_eq!((pinned.chat_id.as_str(), pinned.pinned), (U, true));
    assert_eq!(pinned.message.as_ref(), Some(&expected));
    let page = E::ChatPage {
        messages: vec![text()],
        more: true,
    };
    let page: chat::GetPaginatedChatMessageRoomResponse = told_as(&page, 65_541);
    assert!(page.next);
    assert_eq!(page.messages.as_slice(), std::slice::from_ref(&expected));
    for (event, number) in [
        (E::ChatMessages(vec![text()]), 65_536),
        (E::ChatFound(vec![text()]), 65_543),
    ] {
        let messages = told_as::<chat::GetChatMessagesResponse>(&event, number).messages;
        assert_eq!(messages.as_slice(), std::slice::from_ref(&expected));
    }
}

fn poll_view(counts: Option<Vec<u64>>, names: bool) -> PollView {
    let option = |text: &str, votes| PollOption {
        text: text.to_owned(),
        votes,
    };
    let vote = PollVote {
        participant_id: v(),
        name: "Ana".to_owned(),
    };
    PollView {
        poll: Arc::new(Poll {
            id: u(),
            question: "Who?".to_owned(),
            options: vec![option("a", vec![vote]), option("b", Vec::new())],
            anonymous: !names,
            hide_votes: counts.is_none(),
            created_by: "Ben".to_owned(),
            created_by_participant: Some(v()),
            created_at: AT,
        }),
        counts,
        voted: vec![v()],
        names,
    }
}

#[test]
fn polls_keep_what_is_hidden() {
    let open = poll_view(Some(vec![1, 0]), true);
    let polls: polls::GetPollsResponse = told_as(&E::Polls(vec![open.clone()]), 196_609);
    let poll = &polls.polls[0];
    assert_eq!((poll.poll_id.as_str(), poll.question.as_str()), (U, "Who?"));
    assert_eq!(
        (poll.created_by.as_str(), poll.created_by_user_id.as_str()),
        ("Ben", V)
    );
    assert_eq!(poll.votes, [V]);
    all(
        poll.options
            .iter()
            .map(|option| (option.text.as_str(), option.count)),
        [("a", Some(1)), ("b", Some(0))],
    );
    assert_eq!(poll.options[0].votes[0].name, "Ana");
    assert_eq!(poll.options[0].votes[0].user_id, V);

    for (event, number) in [
        (E::PollCreated(open.clone()), 196_608),
        (E::PollVoted(open), 196_610),
    ] {
        assert!(
            told_as::<polls::UpdatePollResponse>(&event, number)
                .poll
                .is_some()
        );
    }
    let anonymous = E::PollVoted(poll_view(Some(vec![1, 0]), false));
    let poll = told_as::<polls::UpdatePollResponse>(&anonymous, 196_610)
        .poll
        .unwrap();
    assert!(poll.anonymous);
    assert_eq!(poll.options[0].count, Some(1));
    assert!(poll.options[0].votes.is_empty());
    let hidden = E::PollVoted(poll_view(None, true));
    let poll = told_as::<polls::UpdatePollResponse>(&hidden, 196_610)
        .poll
        .unwrap();
    assert!(poll.hide_votes);
    assert_eq!(poll.options[0].count.unwrap_or(0), 0);
    assert!(poll.options[0].votes.is_empty());
}

#[test]
fn stores_go_by_the_meeting() {
    for (change, number) in [
        (StoreChange::Inserted, 131_081),
        (StoreChange::Read, 131_082),
        (StoreChange::Deleted, 131_083),
    ] {
        let event = E::Store {
            change,
            store: "s".to_owned(),
            items: vec![StoreItem {
                key: "k".to_owned(),
                payload: Arc::from(&b"null"[..]),
                peer: v(),
                at: AT,
            }],
        };
        let told: plugin::PluginStoreResponse = told_as(&event, number);
        assert_eq!((told.plugin_id.as_str(), told.store_name.as_str()), (U, "s"));
        let item = &told.store_items[0];
        assert_eq!((item.store_key.as_str(), item.peer_id.as_str()), ("k", V));
        assert_eq!(item.payload.as_ref(), b"null");
    }
}

#[test]
fn broadcasts_are_passed_on() {
    let broadcast = || Broadcast {
        kind: "x".to_owned(),
        payload: b"[1]".to_vec(),
        timestamp_ms: 1_700_000_000_123,
    };
    let to = |rooms| E::BroadcastTo {
        broadcast: broadcast(),
        rooms,
    };
    for (event, number, kind) in [
        (E::Broadcast(broadcast()), 29, None),
        (to(false), 39, Some(0)),
        (to(true), 39, Some(1)),
    ] {
        let told: room::BroadcastMessage = told_as(&event, number);
        assert_eq!((told.r#type.as_str(), told.payload.as_ref()), ("x", &b"[1]"[..]));
        assert_eq!(told.timestamp, 1_700_000_000_123);
        assert_eq!(told.broadcast_type, kind);
    }
}

#[test]
fn permissions_are_told_as_numbers_and_as_text() {
    let patch = PermissionPatch(
        [
            ("chat.public.can_send", json!(false)),
            ("media.audio.can_produce", json!("CAN_REQUEST")),
            ("waiting_room_type", json!("SKIP_ON_ACCEPT")),
        ]
        .map(|(path, value)| (path.to_owned(), value))
        .into(),
    );
    let told: preset::UpdatePeersPresetResponse =
        told_as(&E::PermissionsUpdated(vec![(v(), patch)]), 327_681);
    let update = &told.update_peers_presets[0];
    assert_eq!(update.user_ids, V);
    let patch = update.patch.as_ref().unwrap();
    assert_eq!(
        patch.chat.as_ref().unwrap().public.as_ref().unwrap().can_send,
        Some(false)
    );
    assert_eq!(
        patch.media.as_ref().unwrap().audio.as_ref().unwrap().can_produce,
        Some(3)
    );
    assert_eq!(patch.waiting_room_type, Some(3));
    assert_eq!((patch.polls.as_ref(), patch.can_record), (None, None));

    let permissions = E::Permissions(vec![PeerPermissions {
        peer: u(),
        participant: v(),
        permissions: Arc::new(Permissions::default()),
    }]);
    let told: preset::ReadPeersPresetResponse = told_as(&permissions, 327_680);
    let person = &told.peer_presets[0];
    assert_eq!((person.user_id.as_str(), person.peer_id.as_str()), (V, U));
    let text: Value = serde_json::from_slice(&person.preset).unwrap();
    assert_eq!(text["permissions"]["chat"]["public"]["canSend"], true);
    assert_eq!(text["permissions"]["polls"]["canVote"], true);
    assert_eq!(text["permissions"]["media"]["video"]["canProduce"], "ALLOWED");
    assert_eq!(text["permissions"].get("can_record"), None);
}

#[test]
fn recordings_and_livestreams_have_a_number_for_each_state() {
    use RecordingPhase as R;
    for (phase, number) in [(R::Recording, 40), (R::Paused, 42), (R::Stopped, 41)] {
        let state = RecordingState { id: u(), phase };
        assert_eq!(
            told_as::<recording::RecordingEvent>(&E::Recording(state), number).recording_id,
            U
        );
    }
    for (phase, number) in [
        (LivestreamPhase::Started, 8),
        (LivestreamPhase::Stopped, 9),
        (LivestreamPhase::Errored, 10),
        (LivestreamPhase::Invoked, 44),
    ] {
        let state = LivestreamState {
            id: v(),
            name: "show".to_owned(),
            playback_url: "https://a.example/x.m3u8".to_owned(),
            manual_ingest: true,
            phase,
        };
        let told: livestreaming::LiveStreamingEvent = told_as(&E::Livestream(state), number);
        assert_eq!((told.livestream_id.as_str(), told.meeting_id.as_str()), (V, U));
        assert_eq!(told.playback_url, "https://a.example/x.m3u8");
        assert_eq!(told.manual_ingest, Some(true));
    }
}

#[test]
fn families_always_have_a_parent() {
    let room = |meeting: &str, title: &str, people| ConnectedRoom {
        meeting: meeting.parse().unwrap(),
        title: title.to_owned(),
        people,
    };
    let family = Family {
        parent: room(U, "all", Vec::new()),
        rooms: vec![room(V, "one", vec![person()])],
    };
    let told: room::GetConnectedRoomsDumpResponse = told_as(&E::ConnectedRooms(Arc::new(family)), 20);
    let parent = told.parent_meeting.unwrap();
    assert_eq!((parent.id(), parent.title()), (U, "all"));
    assert_eq!((told.meetings[0].id(), told.meetings[0].title()), (V, "one"));
    let person = &told.meetings[0].participants[0];
    // The client compares it with the participant of its own token.
    assert_eq!(
        (person.id(), person.display_name(), person.custom_participant_id()),
        (V, "Ana", "c-1")
    );
    assert_eq!(person.display_picture_url, None);
}

#[test]
fn changes_of_the_family_have_other_numbers_as_replies() {
    let rooms = || vec![(u(), "one".to_owned())];
    for (reply, created, deleted) in [(true, 21, 22), (false, 26, 27)] {
        let made: room::CreateConnectedRoomsResponse = told_as(
            &E::ConnectedRoomsCreated {
                rooms: rooms(),
                reply,
            },
            created,
        );
        assert_eq!((made.payloads[0].id(), made.payloads[0].title()), (U, "one"));
        assert_eq!(made.payloads[0].error, None);
        let gone: room::DisableConnectedRoomsResponse = told_as(
            &E::ConnectedRoomsDeleted {
                rooms: rooms(),
                reply,
            },
            deleted,
        );
        assert_eq!((gone.payloads[0].id(), gone.payloads[0].title()), (U, "one"));
    }
    let frame = Frame::decode(&transfer_frame(v(), "token")).unwrap();
    assert_eq!(frame.event, 24);
    let transfer: room::TransferPeer = payload(&frame);
    assert_eq!((transfer.meeting_id(), transfer.auth_token()), (V, "token"));
}

#[test]
fn a_move_never_reads_as_a_failure() {
    let moved = E::PeopleMoved {
        destination: v(),
        custom_ids: vec!["c-1".to_owned(), "terror@a.example".to_owned()],
    };
    let frame = told(&moved, 23);
    let told: room::MovePeersBetweenRoomsResponse = payload(&frame);
    all(
        told.payloads
            .iter()
            .map(|moved| (moved.meeting_id(), moved.custom_participant_id())),
        [(V, "c-1"), (V, "")],
    );
    // The client takes the word anywhere in the bytes for a failure (PROTOCOL f.11).
    assert!(!frame.payload.windows(5).any(|word| word == b"error"));
}

#[test]
fn media_sessions_are_told() {
    let joined: edge::PeerJoinBroadcastResponse = told_as(&E::PeerMediaJoined(view()), 0x0300_0019);
    let participant = joined.participant.unwrap();
    assert_eq!(
        (participant.peer_id.as_str(), participant.display_name.as_str()),
        (U, "Ana B")
    );
    assert_eq!(participant.user_id(), V);
    assert!(participant.producer_states.is_empty());
    let left: edge::PeerLeaveBroadcastResponse = told_as(&E::PeerMediaLeft(u()), 0x0300_001a);
    assert_eq!(left.participant_id, U);
    assert!(!told_as::<edge::PeerLeaveResponse>(&E::MediaLeft, 0x0300_0011).closed);
    for (all, number) in [(false, 0x0300_005d), (true, 0x0300_005e)] {
        let muted: edge::HostMediaControlForPeerResponse = told_as(&E::Muted { all }, number);
        // Anything else is a failure to the client.
        assert_eq!(muted.status, "success");
    }
    for (peer, id) in [(Some(u()), U), (None, "")] {
        let pinned: edge::GlobalPeerPinningBroadcastResponse = told_as(&E::PeerPinned(peer), 0x0300_001e);
        assert_eq!(pinned.participant_id, id);
    }
    for (always, priority) in [(true, -1), (false, 246_267_631)] {
        let diff: edge::SelectedPeersDiffResponse = told_as(&E::AlwaysTaken(u(), always), 0x0300_0028);
        let entry = &diff.entries[0];
        assert_eq!((entry.peer_id.as_str(), entry.priority), (U, priority));
    }
}

#[test]
fn whoever_completes_hears_what_each_of_the_others_sends() {
    let other = Arc::new(PeerView {
        peer: v(),
        ..(*view()).clone()
    });
    let event = E::MediaJoinCompleted {
        session: v(),
        peer: PeerId::random(),
        pinned: vec![v()],
        participants: vec![view(), other],
    };
    let to = RequestId {
        id: "p-1".into(),
        event: 0x0300_0014,
    };
    let producers = vec![(v::<PeerId>(), vec![producer(), producer()])];
    let frame = Frame::decode(&media_join_frame(&to, &event, &producers)).unwrap();
    assert_eq!((frame.event, frame.id.as_str()), (0x0300_0014, "p-1"));
    let told: edge::PeerJoinCompleteResponse = payload(&frame);
    let state = told.room_state.unwrap();
    assert_eq!(
        (state.room_uuid.as_str(), state.pinned_peer_ids.as_slice()),
        (V, &[V.to_owned()][..])
    );
    all(
        told.participants
            .iter()
            .map(|other| (other.peer_id.as_str(), other.producer_states.len())),
        [(U, 0), (V, 2)],
    );
    assert!(told.selected_peers.is_some());
}

#[test]
fn a_participant_is_never_taken_for_a_peer() {
    let (participant, peer) = (ParticipantId::random(), PeerId::random());
    let status = E::StageStatus {
        peer,
        participant,
        stage: Stage::On,
    };
    let told: room::PeerStatusUpdate = told_as(&status, 38);
    assert_eq!(
        (told.peer_id, told.user_id),
        (peer.to_string(), participant.to_string())
    );
}
