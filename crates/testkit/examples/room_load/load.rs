//! Everybody comes in, and then stays, writes or leaves.

use std::{
    cell::{Cell, RefCell},
    io,
    rc::Rc,
    time::{Duration, Instant},
};

use muster_wire::{event, socket::chat};
use tokio::{
    sync::{Semaphore, watch},
    task::JoinSet,
    time::{sleep, sleep_until},
};

use super::{
    Options, Outcome,
    prepare::Ticket,
    socket::{Heard, Socket},
    stats::Latencies,
};

/// What a message begins with; the time at which it was sent follows.
const MARK: &[u8] = b"@sent=";
/// Digits of that time: microseconds in hexadecimal.
const DIGITS: usize = 12;
/// Characters of a message.
const LENGTH: usize = 80;
/// Writing goes on for so long before it is measured.
const WARM: Duration = Duration::from_secs(1);
/// And what was written last has so long to arrive.
const DRAIN: Duration = Duration::from_millis(500);
/// What one may write at once, and each second after that (BEHAVIOUR section 5).
const BURST: f64 = 180.0;
const PER_SECOND: f64 = 3.0;

/// What is done once everybody is inside.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Then {
    /// Leave.
    Leave,
    /// Stay.
    Stay,
    /// Write.
    Chat,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Phase {
    Stay,
    Chat,
    Leave,
}

/// What all participants share.
struct Shared {
    port: u16,
    started: Instant,
    at_once: Semaphore,
    joins: RefCell<Latencies>,
    failed: Cell<u64>,
    lost: Cell<u64>,
    sent: Cell<u64>,
    heard: Cell<u64>,
    measuring: Cell<bool>,
    deliveries: RefCell<Latencies>,
    /// Between two messages of one participant.
    every: Duration,
}

fn bump(count: &Cell<u64>) {
    count.set(count.get() + 1);
}

/// Runs a load.
pub async fn run(options: &Options, then: Then) -> Outcome {
    let text = std::fs::read_to_string(options.need::<std::path::PathBuf>("tokens")?)?;
    let tickets: Vec<Ticket> = text.lines().filter_map(Ticket::read).collect();
    let people = tickets.len();
    let seconds = Duration::from_secs(options.or("seconds", 5)?);
    let every = if then == Then::Chat {
        every(
            people as f64 / options.need::<f64>("rate")?,
            (WARM + seconds + DRAIN).as_secs_f64(),
        )?
    } else {
        Duration::MAX
    };
    let shared = Rc::new(Shared {
        port: options.need("port")?,
        started: Instant::now(),
        at_once: Semaphore::new(options.or("at-once", 32)?),
        joins: RefCell::new(Latencies::new()),
        failed: Cell::new(0),
        lost: Cell::new(0),
        sent: Cell::new(0),
        heard: Cell::new(0),
        measuring: Cell::new(false),
        deliveries: RefCell::new(Latencies::new()),
        every,
    });

    let (phase, phases) = watch::channel(Phase::Stay);
    let mut tasks = JoinSet::new();
    println!(r#"{{"phase":"joining","people":{people}}}"#);
    for (number, ticket) in tickets.into_iter().enumerate() {
        tasks.spawn_local(take_part(shared.clone(), number, ticket, phases.clone()));
    }
    everybody_in(&shared, people as u64).await;
    if shared.failed.get() > 0 {
        return Err(format!("{} of {people} did not come in", shared.failed.get()).into());
    }
    match then {
        Then::Leave => {}
        Then::Stay => sleep(seconds).await,
        Then::Chat => measure_chat(&shared, &phase, seconds).await,
    }
    let _ = phase.send(Phase::Leave);
    while tasks.join_next().await.is_some() {}
    println!(r#"{{"phase":"done","lost":{}}}"#, shared.lost.get());
    Ok(())
}

/// Between two messages of one participant, when all of them write so much.
fn every(seconds: f64, during: f64) -> Outcome<Duration> {
    if during / seconds > BURST + PER_SECOND * during {
        return Err("that rate is beyond what each may write".into());
    }
    Ok(Duration::from_secs_f64(seconds))
}

async fn everybody_in(shared: &Shared, people: u64) {
    while shared.joins.borrow().count() + shared.failed.get() < people {
        sleep(Duration::from_millis(2)).await;
    }
    let joins = shared.joins.borrow();
    let seconds = shared.started.elapsed().as_secs_f64();
    println!(
        r#"{{"phase":"joined","joined":{},"failed":{},"seconds":{seconds:.4},"p50_ms":{:.3},"p99_ms":{:.3}}}"#,
        joins.count(),
        shared.failed.get(),
        joins.percentile_ms(50),
        joins.percentile_ms(99),
    );
}

async fn measure_chat(shared: &Shared, phase: &watch::Sender<Phase>, seconds: Duration) {
    let _ = phase.send(Phase::Chat);
    sleep(WARM).await;
    println!(r#"{{"phase":"measuring"}}"#);
    let (begun, sent) = (Instant::now(), shared.sent.get());
    shared.measuring.set(true);
    sleep(seconds).await;
    shared.measuring.set(false);
    let (took, sent) = (begun.elapsed().as_secs_f64(), shared.sent.get() - sent);
    {
        let told = shared.deliveries.borrow();
        println!(
            r#"{{"phase":"measured","seconds":{took:.4},"sent":{sent},"deliveries":{},"p50_ms":{:.3},"p99_ms":{:.3},"max_ms":{:.3}}}"#,
            told.count(),
            told.percentile_ms(50),
            told.percentile_ms(99),
            told.longest_ms(),
        );
    }
    let _ = phase.send(Phase::Stay);
    sleep(DRAIN).await;
    println!(
        r#"{{"phase":"drained","sent":{},"deliveries":{}}}"#,
        shared.sent.get(),
        shared.heard.get()
    );
}

async fn take_part(shared: Rc<Shared>, number: usize, ticket: Ticket, phases: watch::Receiver<Phase>) {
    let Ok(permit) = shared.at_once.acquire().await else {
        return;
    };
    let begun = Instant::now();
    let joined = async {
        let mut socket = Socket::connect(shared.port, &ticket).await?;
        socket.come_in().await?;
        io::Result::Ok(socket)
    };
    match joined.await {
        Ok(mut socket) => {
            shared.joins.borrow_mut().add(begun.elapsed());
            drop(permit);
            if let Err(error) = stay(&shared, number, &mut socket, phases).await {
                eprintln!("participant {number} was lost: {error}");
                bump(&shared.lost);
            }
        }
        Err(error) => {
            eprintln!("participant {number} did not come in: {error}");
            bump(&shared.failed);
        }
    }
}

async fn stay(
    shared: &Shared,
    number: usize,
    socket: &mut Socket,
    mut phases: watch::Receiver<Phase>,
) -> io::Result<()> {
    let mut write_at = None;
    loop {
        let mut pinged = false;
        let writing = async {
            match write_at {
                Some(at) => sleep_until(at).await,
                None => std::future::pending().await,
            }
        };
        tokio::select! {
            biased;
            changed = phases.changed() => {
                let phase = if changed.is_ok() { *phases.borrow_and_update() } else { Phase::Leave };
                write_at = match phase {
                    Phase::Leave => return socket.leave().await,
                    Phase::Stay => None,
                    // Spread evenly, neighbours in a room apart from each other.
                    Phase::Chat => Some(tokio::time::Instant::now() + shared.every.mul_f64((number as f64 * 0.618_034).fract())),
                };
            }
            () = writing => {
                write_at = write_at.map(|at| at + shared.every);
                write(shared, socket).await?;
            }
            heard = socket.hear(|heard| match heard {
                Heard::Ping => pinged = true,
                Heard::Frame(bytes) => take_note(shared, bytes),
            }) => heard?,
        }
        if pinged {
            socket.pong().await?;
        }
    }
}

async fn write(shared: &Shared, socket: &mut Socket) -> io::Result<()> {
    let at = shared.started.elapsed().as_micros();
    let mark = String::from_utf8_lossy(MARK);
    let sent = chat::SendChatMessageToRoomRequest {
        payload_type: 0,
        payload: format!("{:.<LENGTH$}", format!("{mark}{at:0DIGITS$x}")),
    };
    socket.tell(event::SEND_MESSAGE_TO_ROOM, &sent).await?;
    bump(&shared.sent);
    Ok(())
}

/// Counts a message that came, and how long it took.
fn take_note(shared: &Shared, frame: &[u8]) {
    let Some(begins) = frame.windows(MARK.len()).position(|part| part == MARK) else {
        return;
    };
    bump(&shared.heard);
    if !shared.measuring.get() {
        return;
    }
    let digits = frame[begins + MARK.len()..].first_chunk::<DIGITS>();
    let sent = digits
        .and_then(|digits| std::str::from_utf8(digits).ok())
        .and_then(|digits| u64::from_str_radix(digits, 16).ok());
    if let Some(sent) = sent {
        let took = shared
            .started
            .elapsed()
            .saturating_sub(Duration::from_micros(sent));
        shared.deliveries.borrow_mut().add(took);
    }
}
