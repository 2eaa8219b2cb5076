//! A relay that does nothing but to hand datagrams on, and a load for it: what media costs at the least on
//! this machine, for the benchmarks to set the server beside. Loopback only.
//!
//! - `serve` prints `{"port":N}` and relays between all who ever sent a datagram of one byte to that port,
//!   until its standard input ends.
//! - `load PORT PUBLISHERS SUBSCRIBERS DUPLEX SECONDS STREAM…` has each publisher send what the streams say,
//!   and measures as `muster load` does. DUPLEX is 1 where publishers receive each other. A stream is
//!   `MICROSECONDS,PACKETS,BYTES,PACING`: so many packets in each interval, sent so much faster than evenly.
//!
//! Standard output has one JSON object a line; the load's last one is the report.

// Numbers of participants are far below where a float loses any.
#![allow(clippy::cast_precision_loss)]

use std::{
    cell::{Cell, RefCell},
    error::Error,
    net::{Ipv4Addr, SocketAddr},
    rc::Rc,
    time::{Duration, Instant},
};

use muster_client::{
    load::stats::{Clock, Times},
    payload::{self, Stamp},
    udp::{Buffers, Udp},
};
use tokio::{
    sync::oneshot,
    task::{JoinSet, LocalSet},
    time::{sleep, sleep_until},
};

type Outcome<T = ()> = Result<T, Box<dyn Error>>;

/// Registers its sender as a receiver.
const HELLO: [u8; 1] = [0];
/// As `muster load` does.
const WARM: Duration = Duration::from_secs(4);
const DRAIN: Duration = Duration::from_millis(500);
/// What SRTP and header extensions add to a payload, in bytes.
const OVERHEAD: usize = 36;
/// A load takes no longer.
const LIMIT: Duration = Duration::from_secs(120);

fn main() -> Outcome {
    let args: Vec<String> = std::env::args().skip(1).collect();
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()?;
    let local = LocalSet::new();
    match args.first().map(String::as_str) {
        Some("serve") => local.block_on(&runtime, serve()),
        Some("load") => {
            let load = Load::parse(&args[1..])?;
            let run = async { tokio::time::timeout(LIMIT, load.run()).await };
            local.block_on(&runtime, run)?
        }
        _ => Err("say what to do: serve or load".into()),
    }
}

fn loopback(port: u16) -> SocketAddr {
    (Ipv4Addr::LOCALHOST, port).into()
}

async fn serve() -> Outcome {
    let mut udp = Udp::bind(loopback(0))?;
    println!(r#"{{"port":{}}}"#, udp.local().port());
    let mut buffers = Buffers::default();
    let mut people: Vec<SocketAddr> = Vec::new();
    let mut read: Vec<(SocketAddr, Vec<u8>)> = Vec::new();
    let mut sent: Vec<(SocketAddr, Vec<u8>)> = Vec::new();
    let (tell, mut over) = oneshot::channel::<()>();
    std::thread::spawn(move || {
        let _ = std::io::copy(&mut std::io::stdin(), &mut std::io::sink());
        drop(tell);
    });
    loop {
        tokio::select! {
            biased;
            ready = udp.readable() => ready?,
            _ = &mut over => return Ok(()),
        }
        read.clear();
        udp.receive(&mut buffers, |from, datagram| {
            if datagram == HELLO {
                if !people.contains(&from) {
                    people.push(from);
                }
            } else {
                read.push((from, datagram.to_vec()));
            }
        })?;
        for to in &people {
            sent.clear();
            let others = read.iter().filter(|(from, _)| from != to);
            sent.extend(others.map(|(_, datagram)| (*to, datagram.clone())));
            udp.send(&sent);
        }
    }
}

#[derive(Debug, Clone, Copy)]
struct Stream {
    interval: Duration,
    packets: u32,
    bytes: usize,
    pacing: f64,
}

struct Load {
    relay: SocketAddr,
    publishers: usize,
    subscribers: usize,
    duplex: bool,
    seconds: Duration,
    streams: Vec<Stream>,
}

/// What all share; there is one thread.
struct Shared {
    clock: Clock,
    buffers: RefCell<Buffers>,
    delays: RefCell<Times>,
    sent: Cell<u64>,
    received: Cell<u64>,
}

impl Load {
    fn parse(args: &[String]) -> Outcome<Self> {
        let [port, publishers, subscribers, duplex, seconds, streams @ ..] = args else {
            return Err("load PORT PUBLISHERS SUBSCRIBERS DUPLEX SECONDS STREAM…".into());
        };
        let stream = |text: &String| -> Outcome<Stream> {
            let words: Vec<&str> = text.split(',').collect();
            let [interval, packets, bytes, pacing] = words[..] else {
                return Err("a stream is MICROSECONDS,PACKETS,BYTES,PACING".into());
            };
            Ok(Stream {
                interval: Duration::from_micros(interval.parse()?),
                packets: packets.parse()?,
                bytes: bytes.parse()?,
                pacing: pacing.parse()?,
            })
        };
        Ok(Self {
            relay: loopback(port.parse()?),
            publishers: publishers.parse()?,
            subscribers: subscribers.parse()?,
            duplex: duplex == "1",
            seconds: Duration::from_secs(seconds.parse()?),
            streams: streams.iter().map(stream).collect::<Outcome<_>>()?,
        })
    }

    async fn run(self) -> Outcome {
        let shared = Rc::new(Shared {
            clock: Clock::default(),
            buffers: RefCell::default(),
            delays: RefCell::default(),
            sent: Cell::new(0),
            received: Cell::new(0),
        });
        let mut tasks = JoinSet::new();
        for number in 0..self.publishers + self.subscribers {
            let mut udp = Udp::bind(loopback(0))?;
            let publishes = number < self.publishers;
            if !publishes || self.duplex {
                udp.send(&[(self.relay, HELLO)]);
            }
            let streams = if publishes {
                self.streams.clone()
            } else {
                Vec::new()
            };
            tasks.spawn_local(take_part(Rc::clone(&shared), udp, self.relay, streams, number));
        }
        sleep(WARM).await;
        shared.clock.measure(self.seconds);
        println!(r#"{{"phase":"measuring"}}"#);
        sleep(self.seconds).await;
        println!(r#"{{"phase":"measured"}}"#);
        sleep(DRAIN).await;
        tasks.abort_all();
        let each = self.subscribers + if self.duplex { self.publishers - 1 } else { 0 };
        let expected = shared.sent.get() * each as u64;
        let report = serde_json::json!({
            "phase": "done",
            "packets": {"sent": shared.sent.get(), "expected": expected, "received": shared.received.get()},
            "delay": serde_json::to_value(shared.delays.borrow().spread())?,
        });
        println!("{report}");
        Ok(())
    }
}

async fn take_part(shared: Rc<Shared>, mut udp: Udp, relay: SocketAddr, streams: Vec<Stream>, number: usize) {
    // When the next packet of each stream is due, and which of its frame that is.
    let begun = Instant::now();
    let offset = |stream: &Stream| stream.interval.mul_f64((number as f64 * 0.618_034).fract());
    let mut due: Vec<(Instant, u32)> = streams.iter().map(|stream| (begun + offset(stream), 0)).collect();
    let sleep = sleep_until(begun.into());
    tokio::pin!(sleep);
    loop {
        if let Some(next) = due.iter().map(|(at, _)| *at).min() {
            sleep.as_mut().reset(next.into());
        }
        tokio::select! {
            biased;
            ready = udp.readable() => {
                if ready.is_err() {
                    return;
                }
                take_in(&shared, &udp);
            }
            () = &mut sleep, if !streams.is_empty() => {}
        }
        let mut batch = Vec::new();
        for (stream, (at, part)) in streams.iter().zip(&mut due) {
            while *at <= Instant::now() {
                let stamp = Stamp {
                    track: 0,
                    layer: b'-',
                    sent: shared.clock.nanos(Instant::now()),
                };
                shared
                    .sent
                    .set(shared.sent.get() + shared.clock.counts(stamp.sent));
                batch.push((relay, payload::audio(stamp, stream.bytes + OVERHEAD)));
                let step = stream.interval.div_f64(stream.pacing * f64::from(stream.packets));
                *part += 1;
                if *part < stream.packets {
                    *at += step;
                } else {
                    *at += stream.interval.saturating_sub(step * (stream.packets - 1));
                    *part = 0;
                }
            }
        }
        udp.send(&batch);
    }
}

fn take_in(shared: &Shared, udp: &Udp) {
    let mut now = None;
    let _ = udp.receive(&mut shared.buffers.borrow_mut(), |_, datagram| {
        let now = *now.get_or_insert_with(Instant::now);
        if let Some(stamp) = payload::read_audio(datagram)
            && shared.clock.counts(stamp.sent) == 1
        {
            shared.received.set(shared.received.get() + 1);
            let took = shared.clock.nanos(now).saturating_sub(stamp.sent);
            shared.delays.borrow_mut().add(Duration::from_nanos(took));
        }
    });
}
