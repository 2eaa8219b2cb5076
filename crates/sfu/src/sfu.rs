//! The shard: its tables, its deadlines, and how a connection is driven and ended.

use std::{
    collections::{BTreeMap, BTreeSet, HashMap, VecDeque},
    net::SocketAddr,
    time::{Duration, Instant},
};

use muster_model::{MeetingId, PeerId};
use slab::Slab;
use str0m::{
    Event,
    config::{CryptoProvider, DtlsCert},
    rtp::{RtpWrite, Ssrc},
};

use crate::{
    api::{Counters, Lost, MediaError, ProducerInfo, Protocol, SfuConfig, SfuEvent, Told, Transmit},
    departed::Departed,
    link::{Broken, Link, Said},
    shedding::Shedder,
    state::{Consumer, Peer, Producer, Room, Transport},
};

/// How often layers, speakers and key frames are looked after.
const TICK: Duration = Duration::from_millis(200);

/// One shard.
#[derive(Debug)]
pub struct Sfu {
    pub(crate) config: SfuConfig,
    pub(crate) crypto: CryptoProvider,
    pub(crate) certificate: DtlsCert,
    pub(crate) rooms: BTreeMap<MeetingId, Room>,
    pub(crate) transports: Slab<Transport>,
    pub(crate) producers: Slab<Producer>,
    pub(crate) consumers: Slab<Consumer>,
    pub(crate) by_address: HashMap<(Protocol, SocketAddr), usize>,
    pub(crate) by_fragment: HashMap<String, usize>,
    pub(crate) departed: Departed,
    /// From where TCP connections came that are of nobody any more.
    pub(crate) closed: VecDeque<SocketAddr>,
    deadlines: BTreeSet<(Instant, usize)>,
    /// Connections with packets that leave at the next flush.
    dirty: Vec<usize>,
    pub(crate) said: Said,
    /// What connections said that was not looked at yet.
    queue: VecDeque<(usize, Event)>,
    /// Connections that end when the present input is dealt with.
    doomed: Vec<(usize, Lost)>,
    /// Connections that said how they fared.
    pub(crate) reports: Vec<usize>,
    told: VecDeque<Told>,
    next_tick: Option<Instant>,
    pub(crate) now: Instant,
    pub(crate) counters: Counters,
    pub(crate) shedder: Shedder,
    /// The connection that is being dealt with.
    pub(crate) present: Option<usize>,
    /// What panics, of which connection.
    #[cfg(test)]
    pub(crate) faulty: Option<(crate::isolation::Fault, usize)>,
}

impl Sfu {
    /// A shard without rooms. Fails where no certificate can be made.
    pub fn new(config: SfuConfig, now: Instant) -> Result<Self, MediaError> {
        let provider = str0m::crypto::from_feature_flags();
        // One certificate for the shard: making a key for each connection would cost most of a join.
        let certificate = provider
            .dtls_provider
            .generate_certificate()
            .ok_or(MediaError::Internal)?;
        Ok(Self {
            config,
            crypto: provider,
            certificate,
            rooms: BTreeMap::new(),
            transports: Slab::new(),
            producers: Slab::new(),
            consumers: Slab::new(),
            by_address: HashMap::new(),
            by_fragment: HashMap::new(),
            departed: Departed::default(),
            closed: VecDeque::new(),
            deadlines: BTreeSet::new(),
            dirty: Vec::new(),
            said: Said::default(),
            queue: VecDeque::new(),
            doomed: Vec::new(),
            reports: Vec::new(),
            told: VecDeque::new(),
            next_tick: None,
            now,
            counters: Counters::default(),
            shedder: Shedder::default(),
            present: None,
            #[cfg(test)]
            faulty: None,
        })
    }

    /// Opens a room; an open one stays as it is.
    pub fn open_room(&mut self, meeting: MeetingId) {
        self.rooms.entry(meeting).or_default();
        self.next_tick.get_or_insert(self.now + TICK);
    }

    /// Ends a room and all connections in it, without a word about it.
    pub fn close_room(&mut self, now: Instant, meeting: MeetingId) {
        self.advance(now);
        let peers: Vec<PeerId> = self
            .rooms
            .get(&meeting)
            .map_or_else(Vec::new, |r| r.peers.keys().copied().collect());
        for peer in peers {
            self.remove_peer(meeting, peer, false);
        }
        self.rooms.remove(&meeting);
        self.settle();
    }

    /// What peers of a room send now.
    pub fn producers(&self, meeting: MeetingId, peer: PeerId) -> Vec<ProducerInfo> {
        let peer = self.rooms.get(&meeting).and_then(|room| room.peers.get(&peer));
        let places = peer.map_or(&[][..], |peer| &peer.producers);
        places
            .iter()
            .filter_map(|place| Some(self.producers.get(*place)?.info()))
            .collect()
    }

    /// What was counted since the beginning.
    pub fn counters(&self) -> Counters {
        self.counters
    }

    /// Takes a UDP datagram that came from `source` to `destination`.
    pub fn handle_datagram(
        &mut self,
        now: Instant,
        source: SocketAddr,
        destination: SocketAddr,
        datagram: &[u8],
    ) {
        self.advance(now);
        self.guarded(|sfu| {
            sfu.take_in(Protocol::Udp, source, destination, datagram);
            sfu.settle();
        });
    }

    /// Takes a frame of the TCP connection from `source` to `destination`. The answer is whether that
    /// connection belongs to somebody; one that does not is to be closed.
    pub fn handle_frame(
        &mut self,
        now: Instant,
        source: SocketAddr,
        destination: SocketAddr,
        frame: &[u8],
    ) -> bool {
        self.advance(now);
        self.guarded(|sfu| {
            sfu.take_in(Protocol::Tcp, source, destination, frame);
            sfu.settle();
        });
        self.by_address.contains_key(&(Protocol::Tcp, source))
    }

    /// Forgets the TCP connection from `source`, which is closed.
    pub fn forget_connection(&mut self, source: SocketAddr) {
        let address = (Protocol::Tcp, source);
        if let Some(place) = self.by_address.remove(&address)
            && let Some(transport) = self.transports.get_mut(place)
        {
            transport.addresses.retain(|other| *other != address);
        }
    }

    /// Whether an ICE user fragment is that of a connection here.
    pub fn knows_fragment(&self, fragment: &str) -> bool {
        self.by_fragment.contains_key(fragment)
    }

    /// Does what is due.
    pub fn handle_timeout(&mut self, now: Instant) {
        self.advance(now);
        let now = self.now;
        while let Some((at, place)) = self.deadlines.first().copied()
            && at <= now
        {
            self.deadlines.pop_first();
            self.guarded_at(place, |sfu| sfu.meet_deadline(place));
        }
        self.guarded(Self::flush);
        if self.next_tick.is_some_and(|at| at <= now) {
            self.next_tick = (!self.rooms.is_empty()).then(|| now + TICK);
            self.tick();
        }
    }

    /// Lets time pass for a connection.
    fn meet_deadline(&mut self, place: usize) {
        let now = self.now;
        #[cfg(test)]
        self.falter(crate::isolation::Fault::Deadline, place);
        let Some(transport) = self.transports.get_mut(place) else {
            return;
        };
        transport.queued = None;
        if transport.link.deadline() <= now {
            self.with_link(place, |link, said| link.tick(now, said));
            // A deadline that does not move would be due for ever.
            self.reschedule(place, now + Duration::from_millis(1));
        } else {
            self.reschedule(place, now);
        }
        self.settle();
    }

    /// When [`Sfu::handle_timeout`] is due; never where there is nothing to do.
    pub fn poll_timeout(&self) -> Option<Instant> {
        if !self.dirty.is_empty() {
            return Some(self.now);
        }
        let first = self.deadlines.first().map(|(at, _)| *at);
        first.into_iter().chain(self.next_tick).min()
    }

    /// The next datagram to be sent.
    pub fn poll_transmit(&mut self) -> Option<Transmit> {
        if self.said.transmits.is_empty() && !self.dirty.is_empty() {
            self.guarded(Self::flush);
        }
        self.said.transmits.pop_front()
    }

    /// The next event.
    pub fn poll_event(&mut self) -> Option<(MeetingId, SfuEvent)> {
        self.told.pop_front()
    }

    /// Time does not go back.
    pub(crate) fn advance(&mut self, now: Instant) {
        self.now = self.now.max(now);
    }

    pub(crate) fn tell(&mut self, meeting: MeetingId, event: SfuEvent) {
        self.told.push_back((meeting, event));
    }

    /// Does something with a connection, queues what it says, and dooms it if it breaks.
    pub(crate) fn with_link<R>(
        &mut self,
        place: usize,
        act: impl FnOnce(&mut Link, &mut Said) -> Result<R, Broken>,
    ) -> Option<R> {
        let transport = self.transports.get_mut(place)?;
        let result = act(&mut transport.link, &mut self.said);
        self.queue
            .extend(self.said.events.drain(..).map(|event| (place, event)));
        let Ok(result) = result else {
            self.broke(place);
            return None;
        };
        if !self
            .transports
            .get(place)
            .is_some_and(|transport| transport.dirty)
        {
            self.reschedule(place, self.now);
        }
        Some(result)
    }

    /// Writes a packet to a connection, which leaves with the next flush; whether it has such a stream.
    pub(crate) fn write(&mut self, place: usize, ssrc: Ssrc, packet: RtpWrite) -> bool {
        let Some(transport) = self.transports.get_mut(place) else {
            return false;
        };
        let Ok(written) = transport.link.write(ssrc, packet) else {
            self.broke(place);
            return false;
        };
        if written {
            self.soil(place);
        }
        written
    }

    fn broke(&mut self, place: usize) {
        self.counters.failures += 1;
        self.doom(place, Lost::Failed);
    }

    /// Marks a connection whose written packets leave with the next flush.
    pub(crate) fn soil(&mut self, place: usize) {
        if let Some(transport) = self.transports.get_mut(place)
            && !transport.dirty
        {
            transport.dirty = true;
            self.dirty.push(place);
        }
    }

    /// Ends a connection when the present input is dealt with.
    pub(crate) fn doom(&mut self, place: usize, why: Lost) {
        if !self.doomed.iter().any(|(other, _)| *other == place) {
            self.doomed.push((place, why));
        }
    }

    /// Forgets what a connection said that was not looked at yet.
    pub(crate) fn silence(&mut self, place: usize) {
        self.queue.retain(|(other, _)| *other != place);
        self.reports.retain(|other| *other != place);
    }

    /// Looks at all that was said, and ends what has to end.
    pub(crate) fn settle(&mut self) {
        loop {
            while let Some((place, event)) = self.queue.pop_front() {
                self.present = Some(place);
                self.heard(place, event);
            }
            while let Some(place) = self.reports.pop() {
                self.present = Some(place);
                self.report(place);
            }
            let Some((place, why)) = self.doomed.pop() else {
                return;
            };
            self.present = Some(place);
            if let Some(transport) = self.transports.get(place) {
                let lost = SfuEvent::TransportLost {
                    peer: transport.peer,
                    transport: transport.id.clone(),
                    consuming: transport.consuming,
                    why,
                };
                let meeting = transport.meeting;
                self.end_transport(place, true);
                self.tell(meeting, lost);
            }
        }
    }

    /// Sends what was written.
    fn flush(&mut self) {
        let now = self.now;
        while let Some(place) = self.dirty.pop() {
            self.present = Some(place);
            #[cfg(test)]
            self.falter(crate::isolation::Fault::Flush, place);
            let Some(transport) = self.transports.get_mut(place) else {
                continue;
            };
            if std::mem::take(&mut transport.dirty) {
                self.with_link(place, |link, said| link.flush(now, said));
            }
        }
        self.settle();
    }

    fn reschedule(&mut self, place: usize, earliest: Instant) {
        let Some(transport) = self.transports.get_mut(place) else {
            return;
        };
        let deadline = transport.link.deadline().max(earliest);
        match transport.queued {
            Some(queued) if queued <= deadline => {}
            queued => {
                if let Some(queued) = queued {
                    self.deadlines.remove(&(queued, place));
                }
                transport.queued = Some(deadline);
                self.deadlines.insert((deadline, place));
            }
        }
    }

    /// Ends a connection with all that it carries.
    pub(crate) fn end_transport(&mut self, place: usize, tell: bool) {
        let Some(transport) = self.transports.get(place) else {
            return;
        };
        let (meeting, peer, consuming) = (transport.meeting, transport.peer, transport.consuming);
        let consumers: Vec<usize> = transport.consumers.values().copied().collect();
        for consumer in consumers {
            self.end_consumer(consumer);
        }
        if !consuming {
            self.end_producers(meeting, peer, tell);
        }
        if let Some(transport) = self.transports.get_mut(place) {
            let password = transport.link.password();
            self.departed.note(self.now, transport.fragment.clone(), password);
            transport.link.close(self.now, &mut self.said);
            self.said.events.clear();
        }
        self.silence(place);
        self.doomed.retain(|(other, _)| *other != place);
        self.dirty.retain(|other| *other != place);
        let Some(transport) = self.transports.try_remove(place) else {
            return;
        };
        if let Some(queued) = transport.queued {
            self.deadlines.remove(&(queued, place));
        }
        for address in transport.addresses {
            if self.by_address.get(&address) == Some(&place) {
                self.drop_address(address);
            }
        }
        if self.by_fragment.get(&transport.fragment) == Some(&place) {
            self.by_fragment.remove(&transport.fragment);
        }
        if let Some(peer) = self.peer_mut(meeting, peer) {
            let side = if consuming {
                &mut peer.receiving
            } else {
                &mut peer.sending
            };
            if *side == Some(place) {
                *side = None;
            }
        }
    }

    pub(crate) fn peer_mut(&mut self, meeting: MeetingId, peer: PeerId) -> Option<&mut Peer> {
        self.rooms.get_mut(&meeting)?.peers.get_mut(&peer)
    }

    /// Ends all that a peer sends.
    pub(crate) fn end_producers(&mut self, meeting: MeetingId, peer: PeerId, tell: bool) {
        let places = self.peer_mut(meeting, peer).map(|peer| peer.producers.clone());
        for place in places.unwrap_or_default() {
            self.end_producer(place, tell);
        }
    }

    /// Ends something that is sent; its consumers' sections stay for the client to close.
    pub(crate) fn end_producer(&mut self, place: usize, tell: bool) {
        let Some(producer) = self.producers.get(place) else {
            return;
        };
        for consumer in producer.consumers.clone() {
            self.end_consumer(consumer);
        }
        let Some(producer) = self.producers.try_remove(place) else {
            return;
        };
        if let Some(transport) = self.transports.get_mut(producer.transport) {
            transport.streams.clear();
            transport.ended.insert(producer.mid);
        }
        if let Some(room) = self.rooms.get_mut(&producer.meeting) {
            room.producers.remove(&producer.id);
            if let Some(peer) = room.peers.get_mut(&producer.peer) {
                peer.producers.retain(|other| *other != place);
            }
        }
        if tell {
            self.tell(producer.meeting, SfuEvent::ProducerClosed(producer.info()));
        }
    }

    pub(crate) fn end_consumer(&mut self, place: usize) {
        let Some(consumer) = self.consumers.try_remove(place) else {
            return;
        };
        if let Some(producer) = self.producers.get_mut(consumer.producer) {
            producer.consumers.retain(|other| *other != place);
        }
        if let Some(transport) = self.transports.get_mut(consumer.transport) {
            transport.consumers.remove(&consumer.mid);
        }
    }

    /// Forgets a peer with all that is its.
    pub(crate) fn remove_peer(&mut self, meeting: MeetingId, peer: PeerId, tell: bool) {
        let Some(known) = self.peer_mut(meeting, peer) else {
            return;
        };
        for place in [known.sending, known.receiving].into_iter().flatten() {
            self.end_transport(place, tell);
        }
        self.end_producers(meeting, peer, tell);
        if let Some(room) = self.rooms.get_mut(&meeting) {
            room.peers.remove(&peer);
            room.speakers.forget(peer);
        }
    }
}
