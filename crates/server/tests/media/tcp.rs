//! Media over TCP (RFC 6544, RFC 4571).

use std::time::Duration;

use str0m::net::Protocol;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
    time::{Instant, timeout},
};

use crate::client::{PATIENCE, Stage, converse};

#[tokio::test]
async fn two_people_hear_each_other_by_tcp_alone() {
    // More shards than one: the listener has to find the one that knows the client.
    let mut stage = Stage::new("127.0.0.1:0", 3);
    let (ana, bo) = (stage.admit(), stage.admit());
    let mut speaks = stage.connect(ana, false, Protocol::Tcp).await;
    let mut hears = stage.connect(bo, true, Protocol::Tcp).await;
    assert_eq!(stage.metric("muster_media_tcp_connections"), 2.0);
    let sound = stage.produce(ana, &mut speaks).await;
    stage.consume(bo, &sound, &mut hears).await;
    converse(&mut speaks, &mut hears, 50).await;
    let mut numbers: Vec<u64> = hears.got.iter().map(|packet| *packet.seq_no).collect();
    numbers.dedup();
    assert_eq!(numbers.len(), hears.got.len(), "each once");
    assert!(numbers.is_sorted(), "{numbers:?}");
    assert_eq!(hears.got[0].payload.len(), 80);
    // Somebody who comes by UDP hears the same.
    let cy = stage.admit();
    let mut other = stage.connect(cy, true, Protocol::Udp).await;
    stage.consume(cy, &sound, &mut other).await;
    converse(&mut speaks, &mut other, 20).await;
    drop((speaks, hears));
    let gone = async {
        while stage.metric("muster_media_tcp_connections") > 0.0 {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    };
    timeout(PATIENCE, gone)
        .await
        .expect("closed connections are noticed");
}

#[tokio::test]
async fn a_connection_that_was_replaced_is_closed_although_its_client_stays() {
    let mut stage = Stage::new("127.0.0.1:0", 2);
    let ana = stage.admit();
    let before = stage.connect(ana, false, Protocol::Tcp).await;
    let mut after = stage.connect(ana, false, Protocol::Tcp).await;
    let closed = async {
        while stage.metric("muster_media_tcp_connections") > 1.0 {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    };
    timeout(PATIENCE, closed).await.expect("its place is free");
    drop(before);
    // The one in its place carries on.
    let sound = stage.produce(ana, &mut after).await;
    let bo = stage.admit();
    let mut hears = stage.connect(bo, true, Protocol::Tcp).await;
    stage.consume(bo, &sound, &mut hears).await;
    converse(&mut after, &mut hears, 20).await;
}

/// A request for a user fragment, with nothing to show that it is authentic.
fn request(fragment: &str) -> Vec<u8> {
    let name = format!("{fragment}:x");
    let padded = name.len().next_multiple_of(4);
    let mut message = vec![0, 1];
    message.extend(u16::try_from(padded + 4).unwrap().to_be_bytes());
    message.extend([0x21, 0x12, 0xa4, 0x42]);
    message.extend([7; 12]);
    message.extend([0, 6]);
    message.extend(u16::try_from(name.len()).unwrap().to_be_bytes());
    message.extend(name.as_bytes());
    message.resize(20 + 4 + padded, 0);
    framed(&message)
}

fn framed(bytes: &[u8]) -> Vec<u8> {
    let mut frame = u16::try_from(bytes.len()).unwrap().to_be_bytes().to_vec();
    frame.extend_from_slice(bytes);
    frame
}

/// How long until the server closes a connection on which this was written, without a byte of reply.
async fn closed_after(stage: &Stage, bytes: &[u8]) -> Duration {
    use muster_server::media::Media;
    let mut stream = TcpStream::connect(stage.engine.addresses()[0]).await.unwrap();
    let begun = Instant::now();
    stream.write_all(bytes).await.unwrap();
    let mut reply = [0; 1];
    let read = timeout(PATIENCE, stream.read(&mut reply))
        .await
        .expect("it is closed");
    assert!(!matches!(read, Ok(1)), "nothing is said to strangers");
    begun.elapsed()
}

#[tokio::test]
async fn strangers_are_told_nothing_and_closed() {
    let mut stage = Stage::new("127.0.0.1:0", 2);
    let ana = stage.admit();
    let bo = stage.admit();
    let mut speaks = stage.connect(ana, false, Protocol::Tcp).await;
    let mut hears = stage.connect(bo, true, Protocol::Tcp).await;
    let sound = stage.produce(ana, &mut speaks).await;
    stage.consume(bo, &sound, &mut hears).await;
    let known = speaks.fragment_of_server();
    let at_once: [&[u8]; 5] = [
        b"GET / HTTP/1.1\r\nhost: example.org\r\n\r\n",
        &[0xff; 3_000],
        &framed(&[0x16, 0xfe, 0xfd, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 0]),
        &request("nobody"),
        // For somebody who is there, but not authentic.
        &request(&known),
    ];
    for bytes in at_once {
        let took = closed_after(&stage, bytes).await;
        assert!(took < Duration::from_secs(4), "{took:?} for {bytes:?}");
    }
    // A frame that never is whole, and nothing at all: both at the same time, as each waits for the limit.
    let (half, nothing) = tokio::join!(closed_after(&stage, &[0, 100, 0, 1]), closed_after(&stage, &[]));
    for took in [half, nothing] {
        assert!(
            took > Duration::from_secs(3) && took < Duration::from_secs(10),
            "{took:?}"
        );
    }
    assert!(stage.metric("muster_media_tcp_refused_total") >= 7.0);
    converse(&mut speaks, &mut hears, 20).await;
}

#[tokio::test]
async fn one_network_cannot_take_all_places() {
    use muster_server::media::Media;
    let stage = Stage::new("127.0.0.1:0", 1);
    let at = stage.engine.addresses()[0];
    let mut waiting = Vec::new();
    // The limit for one network is 32; these say nothing.
    for _ in 0..32 {
        waiting.push(TcpStream::connect(at).await.unwrap());
    }
    let mut refused = TcpStream::connect(at).await.unwrap();
    let mut reply = [0; 1];
    let read = timeout(Duration::from_secs(3), refused.read(&mut reply)).await;
    assert!(!matches!(read.expect("closed at once"), Ok(1)));
    waiting.clear();
    let served = async {
        loop {
            let mut stream = TcpStream::connect(at).await.unwrap();
            // One that is let in may wait for its time; one that is not is closed at once.
            if timeout(Duration::from_millis(500), stream.read(&mut reply))
                .await
                .is_err()
            {
                return;
            }
        }
    };
    timeout(PATIENCE, served).await.expect("places become free");
}

#[tokio::test]
async fn somebody_who_does_not_read_slows_nobody_down() {
    let mut stage = Stage::new("127.0.0.1:0", 1);
    let (ana, bo, cy) = (stage.admit(), stage.admit(), stage.admit());
    let mut speaks = stage.connect(ana, false, Protocol::Tcp).await;
    let mut stuck = stage.connect(bo, true, Protocol::Tcp).await;
    let mut hears = stage.connect(cy, true, Protocol::Tcp).await;
    let sound = stage.produce(ana, &mut speaks).await;
    stage.consume(bo, &sound, &mut stuck).await;
    stage.consume(cy, &sound, &mut hears).await;
    stuck.shrink();
    let begun = Instant::now();
    while stage.metric("muster_media_unsent_total") == 0.0 {
        assert!(begun.elapsed() < 3 * PATIENCE, "it is never noticed");
        for _ in 0..500 {
            speaks.speak_much();
        }
        converse(&mut speaks, &mut hears, 1).await;
    }
    converse(&mut speaks, &mut hears, 50).await;
}
