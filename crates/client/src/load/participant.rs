//! One participant: what the official client does, in its order (PROTOCOL g.1), from joining to leaving.

use std::{
    cell::RefCell,
    collections::{HashMap, HashSet, VecDeque},
    rc::Rc,
    sync::{Arc, atomic::Ordering::Relaxed},
    time::{Duration, Instant},
};

use muster_wire::{event, frame::PONG, media, media::edge};
use str0m::{
    config::DtlsCert,
    media::{MediaKind, Mid},
    rtp::{RtpPacket, Ssrc},
};
use tokio::{
    sync::{OwnedSemaphorePermit, Semaphore, watch},
    time::sleep_until,
};
use tokio_tungstenite::tungstenite::Message;
use uuid::Uuid;

use super::{
    Phase, Plan,
    signalling::Pending,
    stats::{Clock, Kept, Live, Received, SentTrack},
    track::Track,
};
use crate::{
    Claims, ClientError, Closed, Heard, Listener, Talker, payload, socket,
    transport::{Happened, Transport},
    udp::Buffers,
};

/// How long a join may take.
pub(super) const JOIN_LIMIT: Duration = Duration::from_secs(20);
/// How long the server may take to take note of somebody leaving.
const LEAVE_LIMIT: Duration = Duration::from_secs(2);

/// What participants of one thread share.
pub(super) struct Crew {
    pub plan: Arc<Plan>,
    pub clock: Arc<Clock>,
    pub live: Arc<Live>,
    pub phase: watch::Receiver<Phase>,
    pub joining: Arc<Semaphore>,
    pub certificate: DtlsCert,
    pub kept: RefCell<Kept>,
    pub buffers: RefCell<Buffers>,
}

/// Who a participant is.
#[derive(Debug, Clone)]
pub(super) struct Role {
    /// The meeting's place in the plan.
    pub meeting: usize,
    pub token: String,
    /// The number of its first track, for who sends.
    pub sends: Option<u32>,
    pub receives: bool,
    /// How many tracks it is to receive.
    pub expected: usize,
}

/// A track that is received.
pub(super) struct Subscription {
    pub mid: Mid,
    pub producer: String,
    pub video: bool,
    received: Received,
}

impl Subscription {
    pub fn new(mid: &str, producer: String, video: bool) -> Self {
        Self {
            mid: Mid::from(mid),
            producer,
            video,
            received: Received::default(),
        }
    }
}

pub(super) struct Participant {
    pub crew: Rc<Crew>,
    pub role: Role,
    pub claims: Claims,
    pub peer: String,
    pub talker: Talker,
    pub pending: HashMap<String, Pending>,
    pub send: Transport,
    pub recv: Transport,
    /// Whether the room has let it in.
    pub admitted: bool,
    pub completing: bool,
    pub joined: bool,
    pub ready: bool,
    pub to_produce: VecDeque<MediaKind>,
    pub producing: bool,
    pub tracks: Vec<Track>,
    packets: HashMap<u32, u64>,
    pub known: HashSet<String>,
    pub to_consume: Vec<(String, media::ProducerState)>,
    pub consuming: bool,
    pub subscriptions: Vec<Subscription>,
    pub negotiated: usize,
    streams: HashMap<Ssrc, usize>,
    /// Whether the first packet that comes tells how long it took: somebody was sending already.
    pub awaits_first: bool,
    pub begun: Instant,
    permit: Option<OwnedSemaphorePermit>,
    next_switch: Option<Instant>,
    pub switches: usize,
}

/// Takes part until the load is over; what comes of it is counted.
pub(super) async fn take_part(crew: Rc<Crew>, role: Role) {
    let mut phase = crew.phase.clone();
    let first = if role.sends.is_some() {
        Phase::Publishers
    } else {
        Phase::Subscribers
    };
    let Ok(now) = phase.wait_for(|phase| *phase >= first).await.map(|phase| *phase) else {
        return;
    };
    if now == Phase::Leave {
        return;
    }
    let Ok(permit) = Arc::clone(&crew.joining).acquire_owned().await else {
        return;
    };
    let made = Participant::connect(&crew, role, permit).await;
    let (mut participant, mut listener) = match made {
        Ok(made) => made,
        Err(error) => {
            crew.live.failed.fetch_add(1, Relaxed);
            crew.kept.borrow_mut().error(error);
            return;
        }
    };
    let ended = participant.live(&mut listener, phase).await;
    participant.account(ended.is_ok());
    if let Err(error) = ended {
        let count = if participant.joined {
            &crew.live.lost
        } else {
            &crew.live.failed
        };
        count.fetch_add(1, Relaxed);
        crew.kept.borrow_mut().error(error);
    }
    participant.send.close();
    participant.recv.close();
}

impl Participant {
    async fn connect(
        crew: &Rc<Crew>,
        role: Role,
        permit: OwnedSemaphorePermit,
    ) -> Result<(Self, Listener), ClientError> {
        let begun = Instant::now();
        let claims = Claims::read(&role.token)?;
        let peer = Uuid::new_v4().to_string();
        let (talker, listener) =
            socket::connect(&crew.plan.target, &role.token, &claims.meeting_id, &peer).await?;
        let profile = &crew.plan.profile;
        let mut to_produce = VecDeque::new();
        if role.sends.is_some() {
            to_produce.extend(profile.audio.is_some().then_some(MediaKind::Audio));
            to_produce.extend(profile.video.is_some().then_some(MediaKind::Video));
        }
        let participant = Self {
            crew: Rc::clone(crew),
            role,
            claims,
            peer,
            talker,
            pending: HashMap::new(),
            send: Transport::new(crew.certificate.clone(), true, begun),
            recv: Transport::new(crew.certificate.clone(), false, begun),
            admitted: false,
            completing: false,
            joined: false,
            ready: false,
            to_produce,
            producing: false,
            tracks: Vec::new(),
            packets: HashMap::new(),
            known: HashSet::new(),
            to_consume: Vec::new(),
            consuming: false,
            subscriptions: Vec::new(),
            negotiated: 0,
            streams: HashMap::new(),
            awaits_first: false,
            begun,
            permit: Some(permit),
            next_switch: None,
            switches: 0,
        };
        Ok((participant, listener))
    }

    /// Runs until it is told to leave.
    async fn live(
        &mut self,
        listener: &mut Listener,
        mut phase: watch::Receiver<Phase>,
    ) -> Result<(), ClientError> {
        self.begin().await?;
        let sleep = sleep_until(self.begun.into());
        tokio::pin!(sleep);
        loop {
            self.advance().await?;
            let wake = self.wake().into();
            // Waking too early costs less than setting the timer anew for each packet.
            if wake < sleep.deadline() || sleep.is_elapsed() {
                sleep.as_mut().reset(wake);
            }
            tokio::select! {
                biased;
                left = phase.wait_for(|phase| *phase == Phase::Leave) => {
                    drop(left);
                    return self.leave(listener).await;
                }
                heard = listener.next() => self.hear(heard).await?,
                () = self.recv.readable() => self.recv.read(&mut self.crew.buffers.borrow_mut()),
                () = self.send.readable() => self.send.read(&mut self.crew.buffers.borrow_mut()),
                () = &mut sleep => {}
            }
            if self.recv.has_read() || self.send.has_read() {
                // Others read first: what takes time here would be taken for delay there.
                tokio::task::yield_now().await;
                self.recv.take_in();
                self.send.take_in();
            }
            self.work().await?;
        }
    }

    /// When something is due.
    fn wake(&self) -> Instant {
        let join = (!self.joined).then_some(self.begun + JOIN_LIMIT);
        let tracks = self.tracks.iter().map(Track::due);
        let media = self.send.deadline().min(self.recv.deadline());
        tracks
            .chain(join)
            .chain(self.next_switch)
            .fold(media, Instant::min)
    }

    /// Sends what is due, and looks at what came.
    async fn work(&mut self) -> Result<(), ClientError> {
        let now = Instant::now();
        if !self.joined && now >= self.begun + JOIN_LIMIT {
            return Err(ClientError::Slow("join"));
        }
        for track in &mut self.tracks {
            if track.due() > now {
                continue;
            }
            let sent = track.send(&mut self.send, now, &self.crew.clock);
            *self.packets.entry(track.number).or_default() += sent.packets;
            let mut kept = self.crew.kept.borrow_mut();
            kept.sent_bytes += sent.bytes;
            if sent.packets > 0 {
                kept.lag = kept.lag.max(sent.late);
            }
        }
        self.send.tick(now);
        self.recv.tick(now);
        self.notice()?;
        if self.next_switch.is_some_and(|at| at <= now) {
            self.next_switch = self.crew.plan.switch_every.map(|every| now + every);
            self.switch().await?;
        }
        Ok(())
    }

    fn notice(&mut self) -> Result<(), ClientError> {
        let gone = || ClientError::Media("the server ended the connection".to_owned());
        for happened in self.send.happened() {
            match happened {
                Happened::KeyFrameWanted(mid, rid) => {
                    self.crew.kept.borrow_mut().key_frame_requests += 1;
                    let tracks = self.tracks.iter_mut();
                    tracks
                        .filter(|track| track.mid == mid)
                        .for_each(|track| track.want_key_frame(rid));
                }
                Happened::Closed => return Err(gone()),
                Happened::Connected | Happened::Packet(..) => {}
            }
        }
        let mut happened: Vec<Happened> = self.recv.happened().collect();
        let (mut packets, mut bytes) = (0, 0);
        for happened in happened.drain(..) {
            match happened {
                Happened::Packet(at, packet) => {
                    if self.take_in(at, &packet) {
                        packets += 1;
                        bytes += packet.payload.len() as u64;
                    }
                }
                Happened::Closed => return Err(gone()),
                Happened::Connected | Happened::KeyFrameWanted(..) => {}
            }
        }
        if packets > 0 {
            self.crew.live.received.fetch_add(packets, Relaxed);
            self.crew.live.received_bytes.fetch_add(bytes, Relaxed);
        }
        Ok(())
    }

    /// Counts a packet; whether it is one of ours.
    fn take_in(&mut self, at: Instant, packet: &RtpPacket) -> bool {
        let ssrc = packet.header.ssrc;
        let place = if let Some(place) = self.streams.get(&ssrc) {
            *place
        } else {
            let mid = self.recv.section(ssrc);
            let found = self
                .subscriptions
                .iter()
                .position(|subscription| Some(subscription.mid) == mid);
            let Some(place) = found else { return false };
            self.streams.insert(ssrc, place);
            place
        };
        let subscription = &mut self.subscriptions[place];
        let stamp = if subscription.video {
            payload::read_video(&packet.payload)
        } else {
            payload::read_audio(&packet.payload)
        };
        let Some(stamp) = stamp else { return false };
        let mut kept = self.crew.kept.borrow_mut();
        if std::mem::take(&mut self.awaits_first) {
            kept.first_packets.add(at.saturating_duration_since(self.begun));
        }
        let received = &mut subscription.received;
        let counts = self.crew.clock.counts(stamp.sent) == 1;
        if received
            .layer
            .replace(stamp.layer)
            .is_some_and(|before| before != stamp.layer)
        {
            received.switches += u64::from(counts);
        }
        if counts {
            received.add(*packet.seq_no, packet.payload.len());
            let took = self.crew.clock.nanos(at).saturating_sub(stamp.sent);
            kept.delays.add(Duration::from_nanos(took));
        }
        true
    }

    async fn hear(&mut self, heard: Heard) -> Result<(), ClientError> {
        match heard {
            Heard::Frame(frame) => self.take_frame(frame).await,
            // Whatever else is said in texts is a ping.
            Heard::Text(_) => self.talker.send(Message::Text(PONG.into())).await,
            Heard::Closed(Closed::Code(code)) => {
                Err(ClientError::Socket(format!("the server closed it with {code}")))
            }
            Heard::Closed(Closed::Broken) => Err(ClientError::Socket("it broke".to_owned())),
        }
    }

    /// Notes that it is inside.
    pub fn came_in(&mut self) {
        self.joined = true;
        self.permit = None;
        self.crew.live.joined.fetch_add(1, Relaxed);
        self.crew.kept.borrow_mut().joins.add(self.begun.elapsed());
        if self.role.receives {
            self.next_switch = self.crew.plan.switch_every.map(|every| Instant::now() + every);
        }
    }

    /// Leaves for good: media first, then the socket (PROTOCOL d.5).
    async fn leave(&mut self, listener: &mut Listener) -> Result<(), ClientError> {
        let leaving = edge::PeerLeaveRequest { close_room: false };
        let id = self.talker.tell(event::MEDIA_LEAVE_ROOM, &leaving).await?;
        let reply = async {
            loop {
                match listener.next().await {
                    Heard::Frame(frame) if frame.id == id => return,
                    Heard::Closed(_) => return,
                    Heard::Frame(_) | Heard::Text(_) => {}
                }
            }
        };
        let _ = tokio::time::timeout(LEAVE_LIMIT, reply).await;
        let _ = self.talker.close(1000).await;
        Ok(())
    }

    /// Hands in what it counted. Who was lost is not counted as somebody who should have received.
    fn account(&mut self, whole: bool) {
        let mut kept = self.crew.kept.borrow_mut();
        let receives = self.role.receives && self.joined && whole;
        for packets in self.packets.values() {
            kept.sent.push(SentTrack {
                meeting: self.role.meeting,
                packets: *packets,
                own: receives,
            });
        }
        if receives {
            *kept.receivers.entry(self.role.meeting).or_default() += 1;
            let received = self
                .subscriptions
                .iter()
                .map(|subscription| subscription.received);
            kept.subscriptions.extend(received);
        }
    }
}
