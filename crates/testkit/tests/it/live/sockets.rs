//! Sockets: what is no protocol at all, too much, or too slow.

use std::time::Duration;

use bytes::Bytes;
use futures::{SinkExt, StreamExt};
use muster_testkit::{Answer, Closed, Database, Guest, both, eventually};
use muster_wire::{
    event,
    frame::{self, Frame},
    socket::{plugin, room},
};
use tokio::net::TcpSocket;
use tokio_tungstenite::{client_async, tungstenite::Message};

use super::{Stage, hear_join, hear_leave, ids, inside};

both!(a_thousand_requests_at_once_are_answered_in_order);

/// A frame with a payload as it is.
fn frame_of(number: u32, id: &str, payload: &[u8]) -> Bytes {
    Frame {
        event: number,
        id: id.to_owned(),
        payload: Bytes::copy_from_slice(payload),
    }
    .encode()
}

/// What a counter says.
fn counted(stage: &Stage, name: &str) -> u64 {
    let text = stage.server.app().metrics.render();
    let line = text.lines().find(|line| line.starts_with(name));
    line.and_then(|line| line.rsplit(' ').next()?.parse().ok())
        .unwrap_or(0)
}

const DROPPED: &str = "muster_client_frames_dropped_total ";

async fn pair() -> (Stage, Guest, Guest) {
    let stage = Stage::new(Database::Sqlite).await;
    let mut ana = Guest::join(&stage.origin(), &stage.host("Ana").await).await;
    let bo = Guest::join(&stage.origin(), &stage.participant("Bo").await).await;
    hear_join(&mut ana).await;
    (stage, ana, bo)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn unknown_events_get_an_error() {
    let (stage, mut ana, mut bo) = pair().await;
    let nothing = Guest::nothing();
    let unknown = [
        1,
        7,
        LEAVE,
        event::WAITING_ROOM_REQUEST_ACCEPTED,
        99,
        65_534,
        event::ERROR,
        (1 << 16) + 6,
        (4 << 16) + 1,
        (9 << 16) + 1,
        0x0100_0010,
        event::PEER_JOINED,
        event::MEDIA_ERROR,
        event::MEDIA + 250,
        i32::MAX.unsigned_abs(),
    ];
    for number in unknown {
        let why = bo.refused(number, &nothing).await;
        assert!(!why.is_empty(), "{number}");
    }
    assert_eq!(counted(&stage, DROPPED), unknown.len() as u64);
    // The highest numbers do not fit the error's field; the reply still comes.
    let id = bo.tell(u32::MAX, &nothing).await;
    let told = bo.pushed().await;
    assert!(
        told.iter()
            .any(|frame| frame.id == id && frame.event == event::ERROR),
        "{told:?}"
    );
    assert_eq!(ana.pushed_events().await, [] as [u32; 0]);
}

/// Only ever told, never asked.
const LEAVE: u32 = event::LEAVE_ROOM;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn payloads_that_do_not_read_get_an_error() {
    let (stage, mut ana, mut bo) = pair().await;
    let mut count = 0;
    for number in [
        event::JOIN_ROOM,
        event::GET_ROOM_PEERS,
        event::GET_PEER_INFO,
        event::KICK,
        event::ACCEPT_WAITING_ROOM_REQUESTS,
        event::SEND_MESSAGE_TO_ROOM,
        event::EDIT_MESSAGE,
        event::STORE_INSERT_KEYS,
        event::CREATE_POLL,
        event::VOTE_POLL,
        event::UPDATE_USER_PRESET,
        event::MOVE_PEERS,
        event::PRODUCE,
        event::CONSUME,
        event::CREATE_WEBRTC_TRANSPORT,
        event::RENEGOTIATE,
        event::HOST_CONTROL_PEER,
    ] {
        for payload in [&b"\xff"[..], b"\x0a\x7f", b"\x0a\x02\xff\xfe"] {
            count += 1;
            let id = format!("broken-{count}");
            bo.send_raw(Message::Binary(frame_of(number, &id, payload))).await;
            let reply = bo.reply(&id).await;
            assert!(
                matches!(reply.event, event::ERROR | event::MEDIA_ERROR),
                "{number} {payload:?}: {reply:?}"
            );
        }
    }
    assert!(
        counted(&stage, DROPPED) >= count / 2,
        "most of them do not even read"
    );
    assert_eq!(inside(&mut ana).await, ids(&[&ana, &bo]));
    assert_eq!(ana.pushed_events().await, [] as [u32; 0]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn frames_that_do_not_read_are_dropped_and_counted() {
    let (stage, mut ana, mut bo) = pair().await;
    let long_id = frame_of(event::GET_ROOM_INFO, &"x".repeat(frame::MAX_ID + 1), b"");
    let broken: [Bytes; 5] = [
        Bytes::from_static(b"\xff\xff\xff\xff"),
        Bytes::from_static(b"\x08"),
        Bytes::from_static(b"{\"event\":5}"),
        Bytes::from(vec![0; 1000]),
        long_id,
    ];
    let count = broken.len() as u64;
    for bytes in broken {
        bo.send_raw(Message::Binary(bytes)).await;
    }
    assert_eq!(bo.pushed_events().await, [] as [u32; 0], "no reply, since no id");
    assert_eq!(counted(&stage, DROPPED), count);
    // An empty frame reads as event 0 with nothing in it, and is refused.
    bo.send_raw(Message::Binary(Bytes::new())).await;
    assert_eq!(bo.pushed_events().await, [event::ERROR]);
    // Texts that nobody knows are passed over; "2" is answered by "3" (trap 9).
    for text in ["", "x", "22", "{}", "\u{1f600}"] {
        bo.send_raw(Message::Text(text.into())).await;
    }
    bo.send_raw(Message::Text("3".into())).await;
    bo.send_raw(Message::Text("2".into())).await;
    while bo.hear_text().await != "3" {}
    bo.send_raw(Message::Ping(Bytes::from_static(b"?"))).await;
    assert_eq!(inside(&mut bo).await, ids(&[&ana, &bo]));
    assert_eq!(ana.pushed_events().await, [] as [u32; 0]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn one_in_ping_mode_is_asked_for_a_sign_of_life() {
    let (_stage, _ana, mut bo) = pair().await;
    assert_eq!(bo.hear_text().await, "2");
    bo.send_raw(Message::Text("3".into())).await;
    assert!(bo.is_answered().await);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn too_long_a_frame_ends_its_own_connection_alone() {
    let stage = Stage::with_grace(Database::Sqlite, 0).await;
    let mut ana = Guest::join(&stage.origin(), &stage.host("Ana").await).await;
    let mut bo = Guest::join(&stage.origin(), &stage.participant("Bo").await).await;
    hear_join(&mut ana).await;
    // As long as may be.
    let overhead = frame_of(event::GET_ROOM_INFO, "long", &vec![0; 1 << 19]).len() - (1 << 19);
    let longest = frame_of(
        event::GET_ROOM_INFO,
        "long",
        &vec![0; frame::MAX_FRAME - overhead - 8],
    );
    assert!(longest.len() <= frame::MAX_FRAME && longest.len() > frame::MAX_FRAME - 64);
    bo.send_raw(Message::Binary(longest)).await;
    bo.reply("long").await;
    // And longer.
    let id = bo.peer.clone();
    bo.send_and_forget(Message::Binary(vec![0; frame::MAX_FRAME + 1].into()))
        .await;
    assert_ne!(bo.closed().await, Closed::Code(1000), "it may come back");
    assert_eq!(hear_leave(&mut ana).await, id);
    let mut back = bo.again().await;
    back.come_in().await;
    assert_eq!(inside(&mut ana).await, ids(&[&ana, &back]));
}

async fn a_thousand_requests_at_once_are_answered_in_order(db: Database) {
    const REQUESTS: usize = 1_000;
    let stage = Stage::new(db).await;
    let mut ana = Guest::join(&stage.origin(), &stage.host("Ana").await).await;
    let mut bo = Guest::join(&stage.origin(), &stage.participant("Bo").await).await;
    let mut asked = Vec::new();
    for at in 0..REQUESTS {
        let number = if at % 3 == 0 {
            event::GET_ROOM_INFO
        } else {
            event::GET_POLLS
        };
        asked.push(ana.tell(number, &Guest::nothing()).await);
    }
    assert!(bo.is_answered().await, "others go on");
    for id in &asked {
        ana.reply(id).await;
    }
    // The replies came in the order of the requests.
    let mut asked = Vec::new();
    for _ in 0..REQUESTS {
        asked.push(ana.tell(event::GET_ROOM_INFO, &Guest::nothing()).await);
    }
    let answered: Vec<String> = ana
        .pushed()
        .await
        .into_iter()
        .filter(|frame| !frame.id.is_empty())
        .map(|frame| frame.id)
        .collect();
    assert_eq!(answered, asked);
    // Lists of people are limited, and what is over the limit is refused, not queued.
    let mut refused = 0;
    for _ in 0..100 {
        let wish = room::RoomPeersInfoRequest::default();
        refused += usize::from(ana.ask(event::GET_ROOM_PEERS, &wish).await.is_err());
    }
    assert!(refused > 0);
    assert!(ana.is_answered().await);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn one_who_does_not_read_is_disconnected_and_holds_up_nobody() {
    let stage = Stage::with_grace(Database::Sqlite, 0).await;
    let origin = stage.origin();
    let mut ana = Guest::join(&origin, &stage.host("Ana").await).await;
    let mut speakers = Vec::new();
    for name in ["Bo", "Cy", "Dee", "Eve"] {
        speakers.push(Guest::join(&origin, &stage.participant(name).await).await);
    }
    for _ in &speakers {
        hear_join(&mut ana).await;
    }
    // It comes in, and then reads nothing, with little room for what it does not read.
    let token = stage.participant("Slow").await;
    let peer = uuid::Uuid::new_v4().to_string();
    let host = origin.trim_start_matches("http://");
    let socket = TcpSocket::new_v4().unwrap();
    socket.set_recv_buffer_size(4096).unwrap();
    let stream = socket.connect(host.parse().unwrap()).await.unwrap();
    let meeting = &stage.meeting.id;
    let url = format!("ws://{host}/ws?roomID={meeting}&peerID={peer}&authToken={token}");
    let (mut slow, _) = client_async(url, stream).await.unwrap();
    let join = frame::encode(event::JOIN_ROOM, "join", &room::JoinRoomRequest::default());
    slow.send(Message::Binary(join)).await.unwrap();
    assert_eq!(hear_join(&mut ana).await.peer_id, peer);

    // Others speak until more is due to it than the sockets and the queue hold.
    let message = room::BroadcastMessage {
        r#type: "noise".to_owned(),
        payload: format!("\"{}\"", "7".repeat(60_000)).into(),
        ..Default::default()
    };
    let mut gone = false;
    let mut said = 0;
    'speaking: for _ in 0..400 {
        for speaker in &mut speakers {
            if let Err(why) = speaker.ask(event::BROADCAST_MESSAGE, &message).await {
                assert!(why.contains("too many"), "{why}");
                tokio::time::sleep(Duration::from_millis(50)).await;
                continue;
            }
            said += 1;
            // All others take what they are told, one by one.
            let heard = ana.pushed().await;
            gone |= heard.iter().any(|frame| frame.event == event::LEAVE_ROOM);
            if gone {
                break 'speaking;
            }
        }
        for speaker in &mut speakers {
            speaker.pushed().await;
        }
    }
    if !gone {
        assert_eq!(hear_leave(&mut ana).await, peer);
    }
    assert!(said > 60, "the queue holds some: {said}");
    // The connection is over; where it ends by a word, that is "later".
    let end = loop {
        match slow.next().await {
            Some(Ok(Message::Close(Some(close)))) => break Some(u16::from(close.code)),
            Some(Ok(_)) => {}
            Some(Err(_)) | None => break None,
        }
    };
    assert!(matches!(end, None | Some(1013)), "{end:?}");
    // Nobody else was held up, and it may come back.
    for speaker in &mut speakers {
        assert!(speaker.is_answered().await);
    }
    let mut back = Guest::connect_as(&origin, &token, &peer).await;
    back.come_in().await;
    assert_eq!(inside(&mut back).await.len(), 6);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_socket_without_an_upgrade() {
    let (stage, ana, _bo) = pair().await;
    let ws = stage.app.at_root("/ws").without_token();
    let good = format!(
        "?roomID={}&peerID={}&authToken={}",
        ana.meeting, ana.peer, ana.token
    );
    for query in ["", "?roomID=x", &good] {
        let answer: Answer = ws.get(query).await;
        assert!((400..=426).contains(&answer.status), "{query}: {}", answer.status);
        assert!(!answer.text.contains(&ana.token));
    }
    assert_eq!(inside(&mut { ana }).await.len(), 2);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_was_opened_and_not_used_leaves_nothing_behind() {
    let stage = Stage::with_grace(Database::Sqlite, 3_600).await;
    let token = stage.participant("Ana").await;
    for _ in 0..20 {
        let mut guest = Guest::connect(&stage.origin(), &token).await;
        guest.room().await;
        guest.lose();
    }
    let app = stage.server.app();
    eventually("no room without people", Duration::from_secs(20), async || {
        app.rooms.is_empty()
    })
    .await;
    assert_eq!(counted(&stage, "muster_sockets "), 0);
    stage.meeting.get("/active-session").await.refused(404);
    let sessions = stage.app.get("/sessions").await.expect(200);
    assert_eq!(sessions.paging().0, 0);
    // One participant has a bounded number of connections; the rest is to try later.
    let mut open = Vec::new();
    for _ in 0..32 {
        open.push(Guest::join(&stage.origin(), &token).await);
    }
    let mut over = Guest::connect(&stage.origin(), &token).await;
    assert_eq!(over.closed().await, Closed::Code(1013));
    assert!(open[0].is_answered().await);
    let keys: plugin::PluginStoreResponse = open[0]
        .request(
            event::STORE_GET_KEYS,
            &plugin::PluginStoreGetKeysRequest {
                plugin_id: stage.meeting.id.clone(),
                store_name: "any".to_owned(),
                get_keys: Vec::new(),
            },
        )
        .await;
    assert_eq!(keys.store_items, []);
}
