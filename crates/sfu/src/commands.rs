//! What peers and the room ask for.

use std::{
    collections::{BTreeMap, BTreeSet, HashMap},
    time::Instant,
};

use muster_model::{MeetingId, PeerId};
use str0m::media::{Mid, Pt};
use uuid::Uuid;

use crate::{
    api::{Command, Kinds, MediaError, MediaKind, Reply, SfuEvent},
    codec::Codec,
    floor::Floor,
    layers::{self, Climb},
    link::Link,
    report::Gathered,
    retire::Retirement,
    sdp::{Description, Section},
    sfu::Sfu,
    state::{Producer, Transport},
};

/// What is to be sent.
struct Production {
    kind: MediaKind,
    paused: bool,
    screen_share: bool,
    app_data: Option<String>,
    mime: Option<String>,
}

impl Sfu {
    /// Does what a peer, or the room about a peer, asks for.
    pub fn command(
        &mut self,
        now: Instant,
        meeting: MeetingId,
        peer: PeerId,
        command: Command,
    ) -> Result<Reply, MediaError> {
        self.advance(now);
        let room = self.rooms.get_mut(&meeting).ok_or(MediaError::NoRoom)?;
        if !matches!(command, Command::RemovePeer) {
            room.peers.entry(peer).or_default();
        }
        self.guarded_for(meeting, peer, |sfu| {
            let reply = sfu.obey(meeting, peer, command);
            sfu.settle();
            reply
        })
    }

    fn obey(&mut self, meeting: MeetingId, peer: PeerId, command: Command) -> Result<Reply, MediaError> {
        match command {
            Command::CreateTransport { consuming, offer } => {
                self.create_transport(meeting, peer, consuming, &offer)
            }
            Command::Produce {
                kind,
                paused,
                screen_share,
                offer,
                app_data,
                mime_type: mime,
                transport,
            } => {
                let place = self.transport(meeting, peer, false, transport.as_deref())?;
                let production = Production {
                    kind,
                    paused,
                    screen_share,
                    app_data,
                    mime,
                };
                let produced = self.produce(meeting, peer, place, &offer, production);
                self.consider_retirement(place);
                produced
            }
            Command::Consume { requests, transport } => {
                let place = self.transport(meeting, peer, true, transport.as_deref())?;
                if !self.peer_mut(meeting, peer).is_some_and(|peer| peer.admitted) {
                    return Err(MediaError::NotAllowed);
                }
                self.consume(place, peer, &requests)
            }
            Command::Renegotiate { transport, answer } => {
                let place = self.transport(meeting, peer, true, Some(&transport))?;
                self.renegotiate(place, &answer)
            }
            Command::CloseProducer { producer, offer } => {
                let place = self.transport(meeting, peer, false, None)?;
                if let Ok(producer) = self.producer(meeting, peer, &producer) {
                    self.end_producer(producer, true);
                }
                let answer = self.answer(place, &offer)?;
                self.consider_retirement(place);
                Ok(Reply::Answer(answer))
            }
            Command::CloseConsumer {
                mids,
                offer,
                transport,
            } => {
                let place = self.transport(meeting, peer, true, transport.as_deref())?;
                for mid in mids {
                    let consumers = self.transports.get(place).map(|transport| &transport.consumers);
                    if let Some(consumer) = consumers.and_then(|c| c.get(&Mid::from(mid.as_str()))).copied() {
                        self.end_consumer(consumer);
                    }
                }
                let answer = self.answer(place, &offer)?;
                self.retarget(place);
                Ok(Reply::Answer(answer))
            }
            Command::ToggleProducer { producer, pause } => self.toggle(meeting, peer, &producer, pause),
            Command::UpdateSimulcast { layers } => {
                self.wish(meeting, peer, &layers);
                Ok(Reply::Done)
            }
            Command::RemovePeer => {
                self.remove_peer(meeting, peer, true);
                Ok(Reply::Done)
            }
            Command::Rejoined => {
                self.end_producers(meeting, peer, true);
                Ok(Reply::Done)
            }
            Command::Admit(_) | Command::MayProduce(_) | Command::Mute(_) => {
                self.permit(meeting, peer, &command);
                Ok(Reply::Done)
            }
        }
    }

    /// A peer's connection by direction, and by id where that is given.
    fn transport(
        &mut self,
        meeting: MeetingId,
        peer: PeerId,
        consuming: bool,
        id: Option<&str>,
    ) -> Result<usize, MediaError> {
        let peer = self.peer_mut(meeting, peer).ok_or(MediaError::NoTransport)?;
        let place = if consuming { peer.receiving } else { peer.sending };
        let place = place.ok_or(MediaError::NoTransport)?;
        match id {
            Some(id)
                if self
                    .transports
                    .get(place)
                    .is_none_or(|transport| transport.id != id) =>
            {
                Err(MediaError::NoTransport)
            }
            _ => Ok(place),
        }
    }

    fn producer(&self, meeting: MeetingId, peer: PeerId, id: &str) -> Result<usize, MediaError> {
        let place = self.rooms.get(&meeting).and_then(|room| room.producers.get(id));
        place
            .copied()
            .filter(|place| {
                self.producers
                    .get(*place)
                    .is_some_and(|producer| producer.peer == peer)
            })
            .ok_or(MediaError::NoProducer)
    }

    fn create_transport(
        &mut self,
        meeting: MeetingId,
        peer: PeerId,
        consuming: bool,
        offer: &str,
    ) -> Result<Reply, MediaError> {
        let read = Description::received(offer, &self.config.caps)?;
        let known = self.peer_mut(meeting, peer).ok_or(MediaError::NoRoom)?;
        if let Some(before) = if consuming { known.receiving } else { known.sending } {
            self.end_transport(before, true);
        }
        let now = self.now;
        let bitrate = consuming.then_some(self.config.initial_bitrate);
        let mut link = Link::new(self.certificate.clone(), &self.config.candidates, bitrate, now);
        link.add_tcp(&self.config.tcp_candidates);
        let fragment = link.fragment();
        let id = Uuid::new_v4().to_string();
        let find = |is: fn(&Section) -> bool| read.sections.iter().find(|section| is(section)).cloned();
        let place = self.transports.insert(Transport {
            id: id.clone(),
            meeting,
            peer,
            consuming,
            link,
            fragment: fragment.clone(),
            addresses: Vec::new(),
            down_since: Some(now),
            queued: None,
            dirty: false,
            streams: HashMap::new(),
            ended: BTreeSet::new(),
            retirement: Retirement::default(),
            clock: None,
            view: Description::read(""),
            templates: [find(Section::is_audio), find(Section::is_video)],
            added: 0,
            consumers: BTreeMap::new(),
            estimate: None,
            momentary: None,
            suffers: false,
            desired: (0, 0),
            climb: Climb::default(),
            floor: Floor::default(),
            held_back: false,
            gathered: Gathered::default(),
        });
        self.by_fragment.insert(fragment, place);
        let answer = match self.accept_offer(place, read) {
            Ok(answer) => answer,
            Err(error) => {
                self.end_transport(place, false);
                return Err(error);
            }
        };
        if let Some(peer) = self.peer_mut(meeting, peer) {
            let side = if consuming {
                &mut peer.receiving
            } else {
                &mut peer.sending
            };
            *side = Some(place);
        }
        Ok(Reply::Transport {
            transport: id,
            answer,
        })
    }

    fn produce(
        &mut self,
        meeting: MeetingId,
        peer: PeerId,
        place: usize,
        offer: &str,
        what: Production,
    ) -> Result<Reply, MediaError> {
        let caps = self.config.caps;
        let known = self.peer_mut(meeting, peer).ok_or(MediaError::NoTransport)?;
        let allowed = known.kinds.contains(what.kind, what.screen_share);
        if !known.admitted || !allowed {
            return Err(MediaError::NotAllowed);
        }
        let count = known.producers.len();
        let read = Description::received(offer, &caps)?;
        let mid = section_of(&read, what.kind, what.app_data.as_deref())
            .ok_or_else(|| MediaError::InvalidDescription("no section for it".to_owned()))?;
        let same = |producer: &Producer| producer.transport == place && producer.mid == mid;
        let retried = self
            .producers
            .iter()
            .find(|(_, producer)| same(producer))
            .map(|(place, _)| place);
        if retried.is_none() && count >= caps.producers {
            return Err(MediaError::TooMany("producers"));
        }
        if let Some(transport) = self.transports.get_mut(place) {
            transport.ended.remove(&mid);
        }
        let answer = self.accept_offer(place, read)?;
        let (codec, pt) = self.choose(place, mid, &what)?;
        let transport = self.transports.get(place).ok_or(MediaError::NoTransport)?;
        if let Some(retried) = retried.and_then(|place| self.producers.get_mut(place)) {
            retried.app_data = what.app_data;
            let producer = retried.id.clone();
            let answer = self.narrowed(place, answer);
            return Ok(Reply::Produced { producer, answer });
        }
        let id = Uuid::new_v4().to_string();
        let producer = self.producers.insert(Producer {
            id: id.clone(),
            meeting,
            peer,
            kind: what.kind,
            codec,
            pt,
            screen_share: what.screen_share,
            app_data: what.app_data,
            paused: what.paused,
            muted: false,
            allowed: true,
            transport: place,
            transport_id: transport.id.clone(),
            mid,
            encodings: Default::default(),
            consumers: Vec::new(),
        });
        #[cfg(test)]
        self.falter(crate::isolation::Fault::Produce, place);
        let info = self.producers[producer].info();
        if let Some(room) = self.rooms.get_mut(&meeting) {
            room.producers.insert(id.clone(), producer);
            if let Some(peer) = room.peers.get_mut(&peer) {
                peer.producers.push(producer);
            }
        }
        self.tell(meeting, SfuEvent::ProducerCreated(info));
        let answer = self.narrowed(place, answer);
        Ok(Reply::Produced { producer: id, answer })
    }

    /// The codec by which something is sent, and its payload type.
    fn choose(&self, place: usize, mid: Mid, what: &Production) -> Result<(Codec, Pt), MediaError> {
        let transport = self.transports.get(place).ok_or(MediaError::NoTransport)?;
        if transport.link.kind(mid) != Some(what.kind) {
            let why = "the section is of another kind".to_owned();
            return Err(MediaError::InvalidDescription(why));
        }
        let named = |(codec, _): &(Codec, Pt)| {
            let mime = what.mime.as_deref();
            mime.is_none_or(|mime| mime.eq_ignore_ascii_case(codec.mime_type()))
        };
        let offered = transport.link.codecs(mid).unwrap_or_default();
        // The official client names VP8 even where its application had the section offer another alone.
        let chosen = offered.iter().find(|offer| named(offer)).or(offered.first());
        chosen.copied().ok_or(MediaError::UnsupportedCodec)
    }

    fn toggle(
        &mut self,
        meeting: MeetingId,
        peer: PeerId,
        id: &str,
        pause: bool,
    ) -> Result<Reply, MediaError> {
        let place = self.producer(meeting, peer, id)?;
        let producer = &self.producers[place];
        if !pause && !producer.allowed {
            return Err(MediaError::NotAllowed);
        }
        let transport = producer.transport;
        self.change(place, false, |producer| {
            producer.paused = pause;
            producer.muted &= pause;
        });
        self.consider_retirement(transport);
        Ok(Reply::Done)
    }

    fn permit(&mut self, meeting: MeetingId, peer: PeerId, command: &Command) {
        let Some(known) = self.peer_mut(meeting, peer) else {
            return;
        };
        match command {
            Command::Admit(admitted) => known.admitted = *admitted,
            Command::MayProduce(kinds) => known.kinds = *kinds,
            _ => {}
        }
        let may = if known.admitted {
            known.kinds
        } else {
            Kinds::default()
        };
        let receiving = known.receiving;
        for place in known.producers.clone() {
            self.change(place, true, |producer| {
                producer.allowed = may.contains(producer.kind, producer.screen_share);
                if let Command::Mute(kinds) = command {
                    producer.muted |= kinds.contains(producer.kind, producer.screen_share);
                }
            });
        }
        if let Some(receiving) = receiving {
            self.retarget(receiving);
        }
    }

    /// Changes whether something is handed on, and tells it.
    fn change(&mut self, place: usize, by_room: bool, change: impl FnOnce(&mut Producer)) {
        let Some(producer) = self.producers.get_mut(place) else {
            return;
        };
        let before = producer.is_live();
        change(producer);
        if producer.is_live() == before {
            return;
        }
        for encoding in &mut producer.encodings {
            encoding.restart();
        }
        let (meeting, info) = (producer.meeting, producer.info());
        let toggled = SfuEvent::ProducerToggled {
            producer: info,
            muted: by_room,
        };
        self.tell(meeting, toggled);
        self.retarget_consumers(place);
    }

    fn wish(&mut self, meeting: MeetingId, peer: PeerId, wishes: &[(String, String)]) {
        let Some(receiving) = self.peer_mut(meeting, peer).and_then(|peer| peer.receiving) else {
            return;
        };
        let Some(transport) = self.transports.get(receiving) else {
            return;
        };
        for place in transport.consumers.values() {
            let Some(consumer) = self.consumers.get_mut(*place) else {
                continue;
            };
            let producer = self.producers.get(consumer.producer);
            let wished = wishes
                .iter()
                .find(|(id, _)| producer.is_some_and(|producer| producer.id == *id));
            if let Some(layer) = wished.and_then(|(_, rid)| layers::of_rid(Some(rid))) {
                // What is asked for need not wait for the time that holds back steps up.
                if consumer.wish != layer {
                    (consumer.wish, consumer.changed) = (layer, None);
                }
            }
        }
        self.retarget(receiving);
    }
}

/// The section that the client's own JSON names, else the last of the kind.
fn section_of(read: &Description, kind: MediaKind, app_data: Option<&str>) -> Option<Mid> {
    let named = app_data
        .and_then(|json| serde_json::from_str::<serde_json::Value>(json).ok())
        .and_then(|value| match value.get("mid")? {
            serde_json::Value::String(mid) => Some(mid.clone()),
            serde_json::Value::Number(mid) => Some(mid.to_string()),
            _ => None,
        });
    let of_kind = |section: &&Section| match kind {
        MediaKind::Audio => section.is_audio(),
        MediaKind::Video => section.is_video(),
    };
    let sections = || read.sections.iter().filter(of_kind);
    match named {
        Some(named) => sections().find(|section| section.mid() == Some(&named))?.mid(),
        None => sections().next_back()?.mid(),
    }
    .map(Mid::from)
}
