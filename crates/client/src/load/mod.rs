//! Load: many participants with real media from one process, and what they measured.
//!
//! Publishers come in first, then subscribers. When all have what they are to have, or had the time for it,
//! it is measured for a while: each packet carries the time at which it was sent, on the clock of this
//! process. Participants are spread over a few threads and share nothing but counters while it runs.

mod participant;
mod profile;
mod report;
mod signalling;
pub mod stats;
mod track;

use std::{
    cell::RefCell,
    rc::Rc,
    sync::{Arc, atomic::Ordering::Relaxed},
    time::{Duration, Instant},
};

use tokio::{
    sync::{Semaphore, oneshot, watch},
    task::{JoinSet, LocalSet},
    time::{sleep, timeout},
};

use self::{
    participant::{Crew, JOIN_LIMIT, Role, take_part},
    stats::{Clock, Kept, Live},
};
pub use self::{
    profile::{Audio, Profile, Video},
    report::{Joins, Packets, Report},
};
use crate::{ClientError, Target, transport::certificate, udp::Buffers};

/// Media flows for so long before it is measured: what ways carry is found out meanwhile.
const WARM: Duration = Duration::from_secs(4);
/// And what was sent last has so long to arrive.
const DRAIN: Duration = Duration::from_millis(500);
/// How long leaving may take.
const LEAVING: Duration = Duration::from_secs(5);
/// How often is looked whether all are there.
const LOOK: Duration = Duration::from_millis(10);

/// The tokens of those who take part in one meeting.
#[derive(Debug, Clone, Default)]
pub struct Meeting {
    /// Of those who send.
    pub publishers: Vec<String>,
    /// Of those who receive.
    pub subscribers: Vec<String>,
}

/// A load to be run.
#[derive(Debug, Clone)]
pub struct Plan {
    /// The server.
    pub target: Target,
    /// Whether media may go beyond this machine.
    pub remote: bool,
    /// Who takes part.
    pub meetings: Vec<Meeting>,
    /// What publishers send.
    pub profile: Profile,
    /// Whether publishers receive each other too.
    pub duplex: bool,
    /// How long is measured.
    pub during: Duration,
    /// How many join at a time.
    pub at_once: usize,
    /// How often receivers wish for another layer; never where absent.
    pub switch_every: Option<Duration>,
    /// Threads at most.
    pub threads: usize,
}

/// How far a load has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Phase {
    /// Publishers come in.
    Publishers,
    /// Subscribers come in.
    Subscribers,
    /// Everybody is inside, as far as they come in at all.
    Joined,
    /// It is measured.
    Measuring,
    /// It is not measured any more.
    Measured,
    /// All leave.
    Leave,
}

/// What is told while it runs, once a second and when a phase begins.
#[derive(Debug, Clone, Copy)]
pub struct Progress {
    /// How far it has come.
    pub phase: Phase,
    /// Whether that is new.
    pub begins: bool,
    /// Who is to take part.
    pub people: u64,
    /// Who came in.
    pub joined: u64,
    /// Who did not, or was lost.
    pub failed: u64,
    /// Packets received each second since it was told last.
    pub packets_per_second: f64,
    /// Bits of payload received each second since then.
    pub bits_per_second: f64,
}

impl Plan {
    /// Who sends.
    pub fn publishers(&self) -> u64 {
        self.meetings.iter().map(|m| m.publishers.len() as u64).sum()
    }

    /// Who takes part.
    pub fn people(&self) -> u64 {
        let subscribers: u64 = self.meetings.iter().map(|m| m.subscribers.len() as u64).sum();
        self.publishers() + subscribers
    }

    fn roles(&self) -> Vec<Role> {
        let kinds = usize::from(self.profile.audio.is_some()) + usize::from(self.profile.video.is_some());
        let mut roles = Vec::new();
        let mut number = 0;
        for (meeting, people) in self.meetings.iter().enumerate() {
            let publishers = people.publishers.len();
            for token in &people.publishers {
                roles.push(Role {
                    meeting,
                    token: token.clone(),
                    sends: Some(number),
                    receives: self.duplex,
                    expected: if self.duplex { (publishers - 1) * kinds } else { 0 },
                });
                number += 2;
            }
            for token in &people.subscribers {
                roles.push(Role {
                    meeting,
                    token: token.clone(),
                    sends: None,
                    receives: true,
                    expected: publishers * kinds,
                });
            }
        }
        roles
    }
}

/// Runs a load to its end, or until `stop` says so or is gone. It takes no longer than joining may and the
/// measuring takes, and a little for the rest.
pub async fn run(
    plan: Plan,
    tell: impl FnMut(Progress),
    stop: oneshot::Receiver<()>,
) -> Result<Report, ClientError> {
    let plan = Arc::new(plan);
    let clock = Arc::new(Clock::default());
    let live = Arc::new(Live::default());
    let (phase, phases) = watch::channel(Phase::Publishers);
    let joining = Arc::new(Semaphore::new(plan.at_once.max(1)));
    let certificate = certificate()?;
    let mut shares: Vec<Vec<Role>> = vec![Vec::new(); plan.threads.max(1)];
    let count = shares.len();
    for (at, role) in plan.roles().into_iter().enumerate() {
        shares[at % count].push(role);
    }
    let mut threads = Vec::new();
    for (index, roles) in shares.into_iter().filter(|roles| !roles.is_empty()).enumerate() {
        let (plan, clock, live) = (Arc::clone(&plan), Arc::clone(&clock), Arc::clone(&live));
        let (phases, joining, certificate) = (phases.clone(), Arc::clone(&joining), certificate.clone());
        let (done, kept) = oneshot::channel();
        std::thread::Builder::new()
            .name(format!("load-{index}"))
            .spawn(move || {
                let crew = move || Crew {
                    plan,
                    clock,
                    live,
                    phase: phases,
                    joining,
                    certificate,
                    kept: RefCell::default(),
                    buffers: RefCell::new(Buffers::default()),
                };
                let _ = done.send(crew_of(crew(), roles));
            })
            .map_err(|error| ClientError::Media(format!("no thread: {error}")))?;
        threads.push(kept);
    }
    drop(phases);
    let mut course = Course {
        plan: &plan,
        live: &live,
        clock: &clock,
        phase: &phase,
        tell,
        told: Instant::now(),
        received: (0, 0),
    };
    let measured = tokio::select! {
        measured = course.run() => Some(measured),
        _ = stop => None,
    };
    joining.close();
    let _ = phase.send(Phase::Leave);
    let mut kept = Kept::default();
    for thread in threads {
        match timeout(LEAVING, thread).await {
            Ok(Ok(part)) => kept.merge(part),
            Ok(Err(_)) | Err(_) => kept.error("a thread of the load did not end as it should"),
        }
    }
    Ok(Report::new(&plan, &live, &kept, measured.unwrap_or_default()))
}

/// Runs participants on this thread.
fn crew_of(crew: Crew, roles: Vec<Role>) -> Kept {
    let crew = Rc::new(crew);
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    match runtime {
        Ok(runtime) => {
            LocalSet::new().block_on(&runtime, async {
                let mut tasks = JoinSet::new();
                for role in roles {
                    tasks.spawn_local(take_part(Rc::clone(&crew), role));
                }
                while let Some(ended) = tasks.join_next().await {
                    if let Err(error) = ended {
                        crew.live.lost.fetch_add(1, Relaxed);
                        crew.kept.borrow_mut().error(error);
                    }
                }
            });
        }
        Err(error) => crew.kept.borrow_mut().error(error),
    }
    crew.kept.take()
}

/// The course of a load.
struct Course<'a, T> {
    plan: &'a Plan,
    live: &'a Live,
    clock: &'a Clock,
    phase: &'a watch::Sender<Phase>,
    tell: T,
    told: Instant,
    received: (u64, u64),
}

impl<T: FnMut(Progress)> Course<'_, T> {
    /// Everything up to the leaving; how long was measured.
    async fn run(&mut self) -> Duration {
        let (publishers, people) = (self.plan.publishers(), self.plan.people());
        self.enter(Phase::Publishers);
        self.until_inside(publishers, JOIN_LIMIT * 2).await;
        // Who comes in later finds all of them sending, so that its first packet tells of its own join.
        self.until_ready(publishers, JOIN_LIMIT).await;
        self.enter(Phase::Subscribers);
        self.until_inside(people, JOIN_LIMIT * 2).await;
        self.until_ready(people, JOIN_LIMIT).await;
        self.enter(Phase::Joined);
        self.last(WARM).await;
        if self.nobody_is_left() {
            return Duration::ZERO;
        }
        self.clock.measure(self.plan.during);
        let begun = Instant::now();
        self.enter(Phase::Measuring);
        self.last(self.plan.during).await;
        let measured = begun.elapsed().min(self.plan.during);
        self.enter(Phase::Measured);
        self.last(DRAIN).await;
        measured
    }

    fn counts(&self) -> (u64, u64) {
        let gone = self.live.failed.load(Relaxed) + self.live.lost.load(Relaxed);
        (self.live.joined.load(Relaxed), gone)
    }

    fn nobody_is_left(&self) -> bool {
        let failed = self.live.failed.load(Relaxed);
        let lost = self.live.lost.load(Relaxed);
        failed + lost >= self.plan.people()
    }

    async fn until_inside(&mut self, people: u64, limit: Duration) {
        // So many at a time, each for as long as a join may take: whoever makes progress goes on.
        let mut last = (Instant::now(), 0);
        loop {
            let done = self.live.joined.load(Relaxed) + self.live.failed.load(Relaxed);
            if done > last.1 {
                last = (Instant::now(), done);
            }
            if done >= people || last.0.elapsed() > limit {
                return;
            }
            sleep(LOOK).await;
            self.every_second();
        }
    }

    async fn until_ready(&mut self, people: u64, limit: Duration) {
        let begun = Instant::now();
        loop {
            let (_, gone) = self.counts();
            if self.live.ready.load(Relaxed) + gone >= people || begun.elapsed() > limit {
                return;
            }
            sleep(LOOK).await;
            self.every_second();
        }
    }

    /// Lets time pass, unless everybody is gone.
    async fn last(&mut self, during: Duration) {
        let end = Instant::now() + during;
        while !self.nobody_is_left() {
            let left = end.saturating_duration_since(Instant::now());
            if left.is_zero() {
                return;
            }
            sleep(left.min(LOOK)).await;
            self.every_second();
        }
    }

    fn enter(&mut self, phase: Phase) {
        let _ = self.phase.send(phase);
        self.tell_progress(true);
    }

    fn every_second(&mut self) {
        if self.told.elapsed() >= Duration::from_secs(1) {
            self.tell_progress(false);
        }
    }

    #[expect(clippy::cast_precision_loss)]
    fn tell_progress(&mut self, begins: bool) {
        let received = (
            self.live.received.load(Relaxed),
            self.live.received_bytes.load(Relaxed),
        );
        let seconds = self.told.elapsed().as_secs_f64().max(1e-3);
        let (joined, failed) = self.counts();
        (self.tell)(Progress {
            phase: *self.phase.borrow(),
            begins,
            people: self.plan.people(),
            joined,
            failed,
            packets_per_second: (received.0 - self.received.0) as f64 / seconds,
            bits_per_second: (received.1 - self.received.1) as f64 * 8.0 / seconds,
        });
        (self.told, self.received) = (Instant::now(), received);
    }
}
