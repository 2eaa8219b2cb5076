//! What connections say, and what is looked after every now and then.

use std::time::{Duration, Instant};

use str0m::{Event, IceConnectionState, bwe::BweKind, media::SenderFeedback};

use crate::{
    api::{Lost, MediaKind, SfuEvent},
    floor::{Least, Sample},
    layers::{self, LAYERS, Want},
    link::STATS_IN_REPORT,
    sfu::Sfu,
};

/// How long after a request for a key frame the next may follow.
const KEY_FRAME_INTERVAL: Duration = Duration::from_millis(400);
/// What a sound takes, in bits per second, with what goes around it.
const AUDIO: u64 = 60_000;

impl Sfu {
    /// Deals with what a connection said.
    pub(crate) fn heard(&mut self, place: usize, event: Event) {
        let now = self.now;
        let Some(transport) = self.transports.get_mut(place) else {
            return;
        };
        match event {
            Event::RtpPacket(packet) => self.forward(place, &packet),
            Event::Connected => {
                let connected = SfuEvent::TransportConnected {
                    peer: transport.peer,
                    transport: transport.id.clone(),
                    consuming: transport.consuming,
                };
                transport.down_since = None;
                let meeting = transport.meeting;
                self.tell(meeting, connected);
                self.retarget(place);
            }
            Event::IceConnectionStateChange(IceConnectionState::Disconnected) => {
                transport.down_since.get_or_insert(now);
            }
            // The first time round DTLS comes after, and counts.
            Event::IceConnectionStateChange(
                IceConnectionState::Connected | IceConnectionState::Completed,
            ) if transport.link.is_connected() => {
                transport.down_since = None;
            }
            Event::Closed => self.doom(place, Lost::Closed),
            Event::KeyframeRequest(request) => {
                let consumer = transport.consumers.get(&request.mid).copied();
                let Some(consumer) = consumer.and_then(|consumer| self.consumers.get(consumer)) else {
                    return;
                };
                let source = consumer.rewriter.source().map(|(layer, _)| layer);
                if let Some(layer) = source.or(consumer.target) {
                    let producer = consumer.producer;
                    self.want_key_frame(producer, layer);
                }
            }
            Event::SenderFeedback(feedback) => self.sender_report(place, &feedback),
            Event::EgressBitrateEstimate(BweKind::Twcc { estimate, can_probe }) => {
                transport.estimate = can_probe.then(|| estimate.as_u64());
                transport.climb.estimated(estimate.as_u64(), now);
            }
            Event::MediaIngressStats(stats) => transport.gathered.incoming(&stats),
            Event::MediaEgressStats(stats) => transport.gathered.outgoing(&stats),
            Event::PeerStats(stats) => {
                let in_report = if transport.consuming { STATS_IN_REPORT } else { 1 };
                let momentary = stats.bwe_tx.map(|rate| rate.as_u64());
                let sample = Sample {
                    loss: stats.egress_loss_fraction,
                    round_trip: stats.rtt,
                };
                if transport.gathered.connection(stats, in_report) {
                    self.reports.push(place);
                }
                if transport.consuming {
                    transport.momentary = momentary;
                    self.measured(place, sample);
                }
            }
            _ => {}
        }
    }

    fn sender_report(&mut self, place: usize, feedback: &SenderFeedback) {
        let Some(transport) = self.transports.get_mut(place) else {
            return;
        };
        let info = feedback.sender_info;
        transport.synchronise(feedback.received_at, info.ntp_time);
        let Some(layer) = layers::of_rid(feedback.rid.as_deref()) else {
            return;
        };
        let meeting = self.rooms.get(&transport.meeting);
        let places = meeting
            .and_then(|room| room.peers.get(&transport.peer))
            .map(|peer| &peer.producers);
        for producer in places.into_iter().flatten() {
            if let Some(producer) = self.producers.get_mut(*producer)
                && producer.transport == place
                && producer.mid == feedback.mid
            {
                // The report carries 32 bits of time.
                #[expect(clippy::cast_possible_truncation)]
                let rtp = info.rtp_time.numer() as u32;
                producer.encodings[layer].report = Some((info.ntp_time, rtp));
            }
        }
    }

    /// Asks for a key frame of a layer, now or as soon as that may be asked again.
    pub(crate) fn want_key_frame(&mut self, producer: usize, layer: usize) {
        if let Some(known) = self.producers.get_mut(producer)
            && known.kind == MediaKind::Video
        {
            known.encodings[layer].wants_key_frame = true;
            self.ask_key_frame(producer, layer);
        }
    }

    fn ask_key_frame(&mut self, producer: usize, layer: usize) {
        let now = self.now;
        let Some(known) = self.producers.get_mut(producer) else {
            return;
        };
        let live = known.is_live();
        let encoding = &mut known.encodings[layer];
        let waited = encoding
            .asked
            .is_none_or(|at| now.saturating_duration_since(at) >= KEY_FRAME_INTERVAL);
        if !live || !encoding.wants_key_frame || !waited {
            return;
        }
        let Some(ssrc) = encoding.ssrc else { return };
        encoding.asked = Some(now);
        let transport = known.transport;
        self.counters.key_frame_requests += 1;
        self.with_link(transport, |link, said| link.request_key_frame(ssrc, said));
        self.soil(transport);
    }

    /// Looks after what time changes, for each on its own.
    pub(crate) fn tick(&mut self) {
        let now = self.now;
        self.departed.tick(now);
        let mut orders = Vec::new();
        for (meeting, room) in &mut self.rooms {
            orders.extend(room.speakers.tick(now).map(|order| (*meeting, order)));
        }
        for (meeting, order) in orders {
            self.tell(meeting, SfuEvent::ActiveSpeakers(order));
        }
        let sent = self
            .producers
            .iter()
            .map(|(place, producer)| (place, producer.transport));
        for (producer, place) in sent.collect::<Vec<_>>() {
            self.guarded_at(place, |sfu| sfu.tick_producer(producer));
        }
        let mut receiving = Vec::new();
        let mut silent = Vec::new();
        for (place, transport) in &self.transports {
            if transport
                .down_since
                .is_some_and(|since| now.saturating_duration_since(since) >= self.config.patience)
            {
                silent.push(place);
            } else if transport.consuming {
                receiving.push(place);
            }
        }
        for place in silent {
            self.doom(place, Lost::Silent);
        }
        for place in receiving {
            self.guarded_at(place, |sfu| sfu.retarget(place));
        }
        self.guarded(Self::settle);
    }

    fn tick_producer(&mut self, place: usize) {
        let now = self.now;
        let Some(producer) = self.producers.get_mut(place) else {
            return;
        };
        for encoding in &mut producer.encodings {
            encoding.meter.tick(now);
        }
        #[cfg(test)]
        self.falter(crate::isolation::Fault::Tick, self.producers[place].transport);
        for layer in 0..LAYERS {
            self.ask_key_frame(place, layer);
        }
    }

    /// Decides anew what every receiver of a producer gets.
    pub(crate) fn retarget_consumers(&mut self, producer: usize) {
        let consumers = self
            .producers
            .get(producer)
            .map(|producer| producer.consumers.clone());
        for consumer in consumers.unwrap_or_default() {
            if let Some(consumer) = self.consumers.get(consumer) {
                self.retarget(consumer.transport);
            }
        }
    }

    /// Decides anew which layers a connection gets.
    pub(crate) fn retarget(&mut self, place: usize) {
        #[cfg(test)]
        self.falter(crate::isolation::Fault::Retarget, place);
        let now = self.now;
        let Some(transport) = self.transports.get(place) else {
            return;
        };
        let room = self.rooms.get(&transport.meeting);
        let admitted = room
            .and_then(|room| room.peers.get(&transport.peer))
            .is_some_and(|peer| peer.admitted);
        let mut sounds = 0;
        let mut pictures = Vec::new();
        let mut targets = Vec::new();
        for consumer in transport.consumers.values() {
            let Some(known) = self.consumers.get(*consumer) else {
                continue;
            };
            let Some(producer) = self.producers.get(known.producer) else {
                continue;
            };
            if !admitted || !known.negotiated || !producer.is_live() {
                targets.push((*consumer, None));
            } else if producer.kind == MediaKind::Audio {
                sounds += producer.rates(now)[0].unwrap_or_default().max(AUDIO);
                targets.push((*consumer, Some(0)));
            } else {
                let rates = producer.rates(now);
                let wish = self.shedder.wish(known.wish, producer.screen_share);
                let present = rates.map(|rate| rate.is_some());
                let Some(wish) = wish.and_then(|wish| layers::nearest(wish, present)) else {
                    targets.push((*consumer, None));
                    continue;
                };
                let want = Want {
                    wish,
                    rates,
                    now: known.target,
                    changed: known.changed,
                    screen: producer.screen_share,
                };
                pictures.push((*consumer, want));
            }
        }
        pictures.sort_by_key(|(consumer, _)| *consumer);
        let wants: Vec<Want> = pictures.iter().map(|(_, want)| *want).collect();
        let least = layers::least(&wants);
        let kept = least.filter(|_| transport.floor.holds());
        let budget = transport
            .believed()
            .map_or(u64::MAX, |estimate| estimate.saturating_sub(sounds))
            .max(kept.map_or(0, layers::with_margin));
        let budget = if transport.floor.holds() { budget } else { 0 };
        let may_climb = transport.climb.is_allowed(now) || layers::is_ample(budget, &wants);
        let shared = layers::share(budget, &wants, now, may_climb);
        let next = layers::next_rate(&wants, &shared);
        // Looking for more than may be used only does harm: a probe disturbs, and its result may be wrong.
        let searches = may_climb || shared.contains(&None);
        // Where pictures did harm, padding would, too.
        let padded = next
            .filter(|_| searches)
            .map(|rate| if transport.floor.holds() { rate + sounds } else { 0 });
        let desired = sounds + wants.iter().map(Want::desired).sum::<u64>();
        targets.extend(
            pictures
                .iter()
                .zip(&shared)
                .map(|((consumer, _), given)| (*consumer, *given)),
        );
        if let Some(transport) = self.transports.get_mut(place) {
            transport.held_back = next.is_some();
            transport.climb.note(&wants, &shared, now);
        }
        self.desire(place, padded, desired);
        self.lift(place, least, sounds);
        for (consumer, target) in targets {
            self.aim(consumer, target, now);
        }
    }

    /// Starts an estimation anew that has no room for the least of pictures, from what that takes. It then
    /// looks for all there is; else it would grow with what is sent, which is sound alone.
    fn lift(&mut self, place: usize, least: Option<u64>, sounds: u64) {
        let now = self.now;
        let Some(transport) = self.transports.get_mut(place) else {
            return;
        };
        let (Some(least), Some(estimate)) = (least, transport.estimate) else {
            return;
        };
        let start = sounds + layers::with_margin(least);
        if transport.floor.holds() && transport.floor.lifts(now, estimate >= start) {
            self.with_link(place, |link, said| link.restart_estimation(start, said));
        }
    }

    /// Takes what a way showed, for the least of pictures on it.
    fn measured(&mut self, place: usize, sample: Sample) {
        let now = self.now;
        let Some(transport) = self.transports.get_mut(place) else {
            return;
        };
        let mut sounds = 0;
        let mut least = None;
        let mut flows = false;
        for consumer in transport.consumers.values() {
            let Some(consumer) = self.consumers.get(*consumer) else {
                continue;
            };
            let Some(producer) = self.producers.get(consumer.producer) else {
                continue;
            };
            let rates = producer.rates(now);
            if producer.kind == MediaKind::Audio {
                sounds += rates[0].unwrap_or_default().max(AUDIO);
            } else {
                flows |= consumer.target.is_some();
                least = least.into_iter().chain(rates.into_iter().flatten()).min();
            }
        }
        transport.suffers = transport.floor.suffers(sample);
        let needed = sounds + layers::with_margin(least.unwrap_or_default());
        let vouched = transport
            .believed()
            .is_none_or(|estimate| estimate >= layers::with_margin(needed));
        let least = Least {
            rate: least.unwrap_or_default(),
            flows,
            vouched,
        };
        let changed = transport.floor.look(now, sample, least);
        if transport.floor.probes(now) {
            // What is wished for anew is looked for at once.
            self.desire(place, None, 0);
        }
        if changed
            || !self
                .transports
                .get(place)
                .is_some_and(|transport| transport.floor.holds())
        {
            self.retarget(place);
        }
    }

    /// Tells the bandwidth estimation what it is to look for.
    fn desire(&mut self, place: usize, padded: Option<u64>, desired: u64) {
        let Some(transport) = self.transports.get_mut(place) else {
            return;
        };
        // The result of a probe becomes the estimate, and where its packets were late it is far too low. So
        // there is none while nobody needs more; else for some more than needed, so that the step up has
        // the room to spare that it asks for.
        let desired = match padded {
            Some(_) => (desired.saturating_mul(3) / 2).max(self.config.initial_bitrate),
            None => 0,
        };
        let padded = padded.unwrap_or_default();
        let (before_padded, before) = transport.desired;
        let differs = |now: u64, before: u64| now.abs_diff(before) > before / 10;
        if differs(padded, before_padded) || differs(desired, before) {
            transport.desired = (padded, desired);
            self.with_link(place, |link, said| link.desire(padded, desired, said));
        }
    }

    fn aim(&mut self, place: usize, target: Option<usize>, now: Instant) {
        let Some(consumer) = self.consumers.get_mut(place) else {
            return;
        };
        if consumer.target != target {
            consumer.target = target;
            consumer.changed = Some(now);
        }
        let source = consumer.rewriter.source();
        let Some(layer) = target else {
            let (transport, mid) = (consumer.transport, consumer.mid);
            // Where there is no room for pictures, there is none for repairs of the last ones.
            if source.is_some()
                && let Some(transport) = self.transports.get_mut(transport)
            {
                transport.link.forget_sent(mid);
            }
            consumer.rewriter.detach();
            return;
        };
        let producer = consumer.producer;
        let current = self
            .producers
            .get(producer)
            .map(|producer| (layer, producer.encodings[layer].epoch));
        if source != current {
            self.want_key_frame(producer, layer);
        }
    }
}
