//! Media over UDP, on IPv4 and IPv6, and what is measured of it.

use std::{net::SocketAddr, time::Duration};

use muster_server::media::{MediaEvent, TransportStats};
use str0m::net::Protocol;
use tokio::time::Instant;

use crate::client::{PATIENCE, Stage, converse};

#[tokio::test]
async fn one_socket_serves_both_families() {
    let mut stage = Stage::new("[::]:0", 1);
    let loopback = |v6: bool| move |at: &SocketAddr| at.ip().is_loopback() && at.is_ipv6() == v6;
    for way in [Protocol::Udp, Protocol::Tcp] {
        let (ana, bo) = (stage.admit(), stage.admit());
        let mut speaks = stage.connect_to(ana, false, way, loopback(true)).await;
        let mut hears = stage.connect_to(bo, true, way, loopback(false)).await;
        let sound = stage.produce(ana, &mut speaks).await;
        stage.consume(bo, &sound, &mut hears).await;
        converse(&mut speaks, &mut hears, 20).await;
    }
}

/// What was told of how connections fare.
fn told(stage: &mut Stage) -> Vec<TransportStats> {
    let mut told = Vec::new();
    while let Ok(event) = stage.events.try_recv() {
        if let MediaEvent::Quality(stats) = event {
            told.push(*stats);
        }
    }
    told
}

#[tokio::test]
async fn quality_is_told_and_counted() {
    let mut stage = Stage::new("127.0.0.1:0", 1);
    let (ana, bo) = (stage.admit(), stage.admit());
    let mut speaks = stage.connect(ana, false, Protocol::Udp).await;
    let mut hears = stage.connect(bo, true, Protocol::Udp).await;
    let sound = stage.produce(ana, &mut speaks).await;
    stage.consume(bo, &sound, &mut hears).await;
    let begun = Instant::now();
    let mut all = Vec::new();
    // The second report of a connection is the first that knows rates.
    let whole = |all: &[TransportStats], who| {
        let mut of = all
            .iter()
            .filter(|stats| stats.peer == who)
            .flat_map(|stats| &stats.streams);
        of.any(|stream| stream.bitrate.is_some_and(|rate| rate > 0) && stream.producer == sound)
    };
    while !(whole(&all, ana) && whole(&all, bo)) {
        assert!(begun.elapsed() < 2 * PATIENCE, "{all:?}");
        converse(&mut speaks, &mut hears, 50).await;
        all.extend(told(&mut stage));
    }
    assert!(all.iter().all(|stats| (stats.peer == bo) == stats.consuming));
    for direction in ["from_client", "to_client"] {
        let count =
            format!("muster_media_bitrate_bits_per_second_count{{direction=\"{direction}\",kind=\"audio\"}}");
        assert!(stage.metric(&count) >= 1.0);
    }
    let busy = stage.metric("muster_media_busy_ratio{shard=\"0\"}");
    assert!(busy > 0.0 && busy <= 1.0, "{busy}");
    assert!(stage.metric("muster_media_shed_step{shard=\"0\"}") <= 4.0);
    let text = stage.metrics.render();
    assert!(
        !text.contains(&ana.to_string()) && !text.contains(&sound),
        "no ids"
    );
    assert!(begun.elapsed() > Duration::from_secs(5));
}

#[tokio::test]
async fn media_are_sealed_by_gcm_where_the_client_can() {
    let mut stage = Stage::new("127.0.0.1:0", 1);
    let (ana, bo) = (stage.admit(), stage.admit());
    let mut speaks = stage.connect(ana, false, Protocol::Udp).await;
    let mut hears = stage.connect(bo, true, Protocol::Udp).await;
    // Whoever is the DTLS server chooses, and browsers would choose otherwise.
    for connection in [&speaks, &hears] {
        assert!(
            connection.answer.contains("a=setup:passive"),
            "{}",
            connection.answer
        );
    }
    let sound = stage.produce(ana, &mut speaks).await;
    stage.consume(bo, &sound, &mut hears).await;
    let mut tags = Vec::new();
    for _ in 0..10 {
        converse(&mut speaks, &mut hears, 1).await;
        let header = &hears.got.last().unwrap().header;
        tags.push(hears.last_size - header.header_len - 80);
    }
    // That of AES-CM with SHA-1 has 10 bytes. Other packets may have come after some of the packets.
    tags.sort_unstable();
    assert_eq!(tags[tags.len() / 2], 16, "{tags:?}");
}
