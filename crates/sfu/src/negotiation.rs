//! Session descriptions of connections: what clients offer, and what they are offered.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use muster_model::PeerId;
use str0m::media::Mid;

use crate::{
    api::{Caps, ConsumeError, ConsumeRequest, Consumed, MediaError, MediaKind, Reply},
    codec::Codec,
    layers,
    rewrite::Rewriter,
    sdp::{Description, Section},
    sfu::Sfu,
    state::{Consumer, Transport},
};

/// Bytes by which a section of ours may be longer than the client's that it is made from, its place in the
/// bundle group included.
const GROWTH: usize = 512;

/// What there is left for new sections of a connection.
struct Left {
    /// Closed sections.
    free: VecDeque<usize>,
    /// Bytes: a longer offer could not be answered within the bounds either.
    bytes: usize,
}

impl Left {
    fn of(transport: &Transport, caps: &Caps) -> Self {
        let sections = &transport.view.sections;
        let is_free = |section: &Section| {
            let mid = section.mid().map(Mid::from);
            mid.is_some_and(|mid| transport.link.is_stopped(mid) && !transport.consumers.contains_key(&mid))
        };
        let free = sections
            .iter()
            .enumerate()
            .filter(|(_, section)| is_free(section));
        let taken = transport.view.bytes() + sections.len() * GROWTH;
        Self {
            free: free.map(|(at, _)| at).collect(),
            bytes: caps.description.saturating_sub(taken),
        }
    }
}

fn invalid(why: impl Into<String>) -> MediaError {
    MediaError::InvalidDescription(why.into())
}

/// A section with nothing but what a stream of a codec can best be received as.
fn playable(template: &Section, sent: Codec) -> Option<Section> {
    let formats = template.formats().filter_map(|(pt, encoding, parameters)| {
        let rank = sent.received_as(Codec::read(encoding, parameters)?)?;
        Some((rank, pt))
    });
    let (_, pt) = formats.min_by_key(|(rank, _)| *rank)?;
    Some(template.clone().only(pt))
}

impl Sfu {
    /// Takes a client's offer and answers it.
    pub(crate) fn answer(&mut self, place: usize, offer: &str) -> Result<String, MediaError> {
        let read = Description::received(offer, &self.config.caps)?;
        let answer = self.accept_offer(place, read)?;
        Ok(self.narrowed(place, answer))
    }

    /// Takes a client's offer; the answer still has all codecs of each producer.
    pub(crate) fn accept_offer(&mut self, place: usize, read: Description) -> Result<String, MediaError> {
        let transport = self.transports.get(place).ok_or(MediaError::NoTransport)?;
        if transport.consuming && read.sections.len() < transport.view.sections.len() {
            return Err(invalid("sections are missing"));
        }
        let ended = |section: &Section| {
            let mid = section.mid().map(Mid::from);
            section.is_inactive() && mid.is_some_and(|mid| transport.ended.contains(&mid))
        };
        let mut given = read.clone();
        given.reject_ended(ended);
        let answer = self.accept(place, &given.write())?;
        let transport = self.transports.get_mut(place).ok_or(MediaError::NoTransport)?;
        let offered: BTreeSet<Mid> = read
            .sections
            .iter()
            .filter_map(Section::mid)
            .map(Mid::from)
            .collect();
        transport.ended.retain(|mid| offered.contains(mid));
        transport.view = read;
        self.end_stopped(place);
        Ok(answer)
    }

    /// An answer by which the client sends each of its producers as what it was announced.
    pub(crate) fn narrowed(&self, place: usize, answer: String) -> String {
        let producers = self.transports.get(place).and_then(|transport| {
            let room = self.rooms.get(&transport.meeting)?;
            Some(&room.peers.get(&transport.peer)?.producers)
        });
        let own = producers
            .into_iter()
            .flatten()
            .filter_map(|p| self.producers.get(*p));
        let chosen: BTreeMap<Mid, u8> = own
            .filter(|producer| producer.transport == place && producer.kind == MediaKind::Video)
            .map(|producer| (producer.mid, *producer.pt))
            .collect();
        if chosen.is_empty() {
            return answer;
        }
        let mut read = Description::read(&answer);
        for section in &mut read.sections {
            if let Some(pt) = section.mid().and_then(|mid| chosen.get(&Mid::from(mid))) {
                *section = section.clone().only(*pt);
            }
        }
        read.write()
    }

    /// Gives a description to the link, whatever it was made from.
    fn accept(&mut self, place: usize, description: &str) -> Result<String, MediaError> {
        let accepted = self.with_link(place, |link, said| {
            let answer = link.accept(description, said)?;
            Ok((answer, link.fragment()))
        });
        let (answer, fragment) = accepted.ok_or(MediaError::Internal)?;
        let transport = self.transports.get_mut(place).ok_or(MediaError::NoTransport)?;
        // Sections may have moved and NACK may be off again.
        transport.streams.clear();
        if transport.fragment != fragment {
            let before = std::mem::replace(&mut transport.fragment, fragment.clone());
            self.by_fragment.remove(&before);
            self.by_fragment.insert(fragment, place);
        }
        answer.map_err(MediaError::InvalidDescription)
    }

    /// Ends consumers whose sections the client closed.
    fn end_stopped(&mut self, place: usize) {
        let Some(transport) = self.transports.get(place) else {
            return;
        };
        let stopped: Vec<usize> = transport
            .consumers
            .iter()
            .filter(|(mid, _)| transport.link.is_stopped(**mid))
            .map(|(_, consumer)| *consumer)
            .collect();
        for consumer in stopped {
            self.end_consumer(consumer);
        }
    }

    /// Takes the client's answer to this side's offer.
    pub(crate) fn renegotiate(&mut self, place: usize, answer: &str) -> Result<Reply, MediaError> {
        let mut read = Description::received(answer, &self.config.caps)?.into_offer();
        let transport = self.transports.get(place).ok_or(MediaError::NoTransport)?;
        let offered = &transport.view.sections;
        let fits = read.sections.len() <= offered.len()
            && read
                .sections
                .iter()
                .zip(offered)
                .all(|(theirs, ours)| theirs.mid() == ours.mid());
        if !transport.consuming || !fits {
            return Err(invalid("it answers another offer"));
        }
        let answered = read.sections.len();
        read.sections.extend_from_slice(&offered[answered..]);
        self.accept(place, &read.write())?;
        let transport = self.transports.get_mut(place).ok_or(MediaError::NoTransport)?;
        let mids: Vec<Mid> = read.sections[..answered]
            .iter()
            .filter_map(Section::mid)
            .map(Mid::from)
            .collect();
        transport.view = read;
        let consumers: Vec<usize> = mids
            .iter()
            .filter_map(|mid| transport.consumers.get(mid))
            .copied()
            .collect();
        for consumer in consumers {
            if let Some(consumer) = self.consumers.get_mut(consumer) {
                consumer.negotiated = true;
            }
        }
        self.end_stopped(place);
        self.retarget(place);
        Ok(Reply::Done)
    }

    /// Makes consumers and the offer that tells the client of them.
    pub(crate) fn consume(
        &mut self,
        place: usize,
        peer: PeerId,
        requests: &[ConsumeRequest],
    ) -> Result<Reply, MediaError> {
        let transport = self.transports.get(place).ok_or(MediaError::NoTransport)?;
        let before = transport.view.clone();
        let mut left = Left::of(transport, &self.config.caps);
        let mut results = Vec::with_capacity(requests.len());
        let mut made = Vec::new();
        let mut untold = false;
        for request in requests.iter().take(self.config.caps.consumers) {
            let result = self.consumer(place, peer, request, &mut left);
            if let Ok((consumer, new)) = result {
                untold |= self.consumers.get(consumer).is_some_and(|c| !c.negotiated);
                if new {
                    made.push(consumer);
                }
            }
            let told = result.and_then(|(consumer, _)| self.consumed(consumer).ok_or(ConsumeError::NotFound));
            results.push((request.producer.clone(), told));
        }
        let offer = if untold {
            match self.offer(place, &made) {
                Ok(offer) => Some(offer),
                Err(error) => {
                    for consumer in made {
                        self.end_consumer(consumer);
                    }
                    if let Some(transport) = self.transports.get_mut(place) {
                        transport.view = before;
                    }
                    return Err(error);
                }
            }
        } else {
            None
        };
        Ok(Reply::Consumed {
            consumers: results,
            offer,
        })
    }

    fn consumed(&self, consumer: usize) -> Option<Consumed> {
        let consumer = self.consumers.get(consumer)?;
        let producer = self.producers.get(consumer.producer)?;
        Some(Consumed {
            consumer: producer.id.clone(),
            mid: consumer.mid.to_string(),
            track: producer.id.clone(),
            producing_peer: producer.peer,
            producing_transport: producer.transport_id.clone(),
            app_data: producer.app_data.clone(),
        })
    }

    /// The consumer of a producer on a connection, and whether it is new; new ones have a section in the
    /// view but not in the link.
    fn consumer(
        &mut self,
        place: usize,
        peer: PeerId,
        request: &ConsumeRequest,
        left: &mut Left,
    ) -> Result<(usize, bool), ConsumeError> {
        let transport = self.transports.get_mut(place).ok_or(ConsumeError::NotFound)?;
        let room = self.rooms.get(&transport.meeting).ok_or(ConsumeError::NotFound)?;
        let source = *room
            .producers
            .get(&request.producer)
            .ok_or(ConsumeError::NotFound)?;
        let producer = self
            .producers
            .get_mut(source)
            .filter(|p| p.peer != peer)
            .ok_or(ConsumeError::NotFound)?;
        let wish = layers::of_rid(request.preferred_rid.as_deref()).unwrap_or_default();
        if let Some(existing) = producer
            .consumers
            .iter()
            .find(|c| self.consumers[**c].transport == place)
        {
            return Ok((*existing, false));
        }
        let template = transport.templates[usize::from(producer.kind == MediaKind::Video)].as_ref();
        let wanted = producer.codec;
        let playable = template.and_then(|template| playable(template, wanted));
        let view = &mut transport.view;
        let full = transport.consumers.len() >= self.config.caps.consumers
            || (left.free.is_empty() && view.sections.len() >= self.config.caps.sections);
        if full {
            return Err(ConsumeError::TooMany);
        }
        let template = playable.ok_or(ConsumeError::UnsupportedCodec)?;
        // Never the name of a client's own section, which browsers number.
        let mid = format!("s{}", transport.added + 1);
        // What shares a stream is played in step, so a person's sound goes with the person's picture.
        let stream = format!(
            "{}{}",
            producer.peer,
            if producer.screen_share { "-screen" } else { "" }
        );
        let section = template.receiving(&mid, &stream, &producer.id);
        left.bytes = left
            .bytes
            .checked_sub(section.bytes() + GROWTH)
            .ok_or(ConsumeError::TooMany)?;
        transport.added += 1;
        view.put(left.free.pop_front(), section);
        let mid = Mid::from(mid.as_str());
        let consumer = self.consumers.insert(Consumer {
            producer: source,
            transport: place,
            mid,
            ssrc: 0.into(),
            pt: 0.into(),
            negotiated: false,
            wish,
            target: None,
            changed: None,
            rewriter: Rewriter::new(producer.codec.clock_rate()),
        });
        producer.consumers.push(consumer);
        transport.consumers.insert(mid, consumer);
        Ok((consumer, true))
    }

    /// Brings new sections into the link; its answer is what the client is offered.
    fn offer(&mut self, place: usize, made: &[usize]) -> Result<String, MediaError> {
        let transport = self.transports.get(place).ok_or(MediaError::NoTransport)?;
        let view = transport.view.clone().into_offer().write();
        let answer = self.accept(place, &view)?;
        let transport = self.transports.get_mut(place).ok_or(MediaError::NoTransport)?;
        for made in made {
            let Some(consumer) = self.consumers.get_mut(*made) else {
                continue;
            };
            // The section lists a single codec.
            let codecs = transport.link.codecs(consumer.mid);
            let pt = codecs.and_then(|codecs| codecs.first().map(|(_, pt)| *pt));
            let ssrc = transport.link.outgoing(consumer.mid);
            let (Some(pt), Some(ssrc)) = (pt, ssrc) else {
                return Err(MediaError::UnsupportedCodec);
            };
            (consumer.pt, consumer.ssrc) = (pt, ssrc);
        }
        Ok(Description::read(&answer).into_offer().write())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{api::Command, world::World};

    #[test]
    fn an_offer_stays_within_what_may_be_answered() {
        let mut world = World::new(5);
        let (ana, bo) = (world.join(), world.join());
        let sounds: Vec<String> = (0..5)
            .map(|_| world.produce(ana, MediaKind::Audio, &[], false).0)
            .collect();
        let peer = world.clients[bo].peer;
        let place = world
            .sfu
            .peer_mut(world.meeting, peer)
            .unwrap()
            .receiving
            .unwrap();
        world.consume(bo, &[(&sounds[0], "f")]);
        let transport = &world.sfu.transports[place];
        let taken = transport.view.bytes() + transport.view.sections.len() * GROWTH;
        let one = transport.view.sections.last().unwrap().bytes() + GROWTH;
        world.sfu.config.caps.description = taken + 2 * one + one / 2;
        let requests = sounds[1..].iter().map(|sound| ConsumeRequest {
            producer: sound.clone(),
            preferred_rid: None,
        });
        let consume = Command::Consume {
            requests: requests.collect(),
            transport: None,
        };
        let Reply::Consumed { consumers, offer } = world.command(bo, consume) else {
            panic!("not consumed")
        };
        let errors: Vec<_> = consumers.iter().map(|(_, made)| made.as_ref().err()).collect();
        let full = Some(&ConsumeError::TooMany);
        assert_eq!(errors, [None, None, full, full]);
        let offer = offer.unwrap();
        assert!(
            offer.len() <= world.sfu.config.caps.description,
            "{}",
            offer.len()
        );
        world.renegotiate(bo, &offer);
    }
}
