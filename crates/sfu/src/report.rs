//! How connections fare, as it is told every few seconds.

use std::{
    collections::BTreeMap,
    time::{Duration, Instant},
};

use str0m::{
    media::Mid,
    stats::{MediaEgressStats, MediaIngressStats, PeerStats},
};

use crate::{
    api::{MediaKind, SfuEvent, StreamStats, TransportStats},
    layers,
    sfu::Sfu,
    state::{Producer, Transport},
};

/// What is said of one stream.
#[derive(Debug, Clone, Copy)]
struct Stream {
    mid: Mid,
    layer: usize,
    packets: u64,
    bytes: u64,
    loss: Option<f32>,
    /// In ticks of the stream's clock.
    jitter: Option<u32>,
    round_trip: Option<Duration>,
    nacks: u64,
    key_frame_requests: u64,
}

/// What a connection said of the present interval, and the sums at the end of the one before.
#[derive(Debug, Default)]
pub(crate) struct Gathered {
    connection: Option<PeerStats>,
    streams: Vec<Stream>,
    measures: u32,
    /// The parts of what was sent that were lost, by each measure: each is of one second.
    lost: Vec<f32>,
    /// When, and the bytes received and sent until then.
    before: Option<(Instant, u64, u64)>,
    bytes_before: BTreeMap<(Mid, usize), u64>,
}

impl Gathered {
    /// Takes a measure of the connection; whether that makes a report, of which each has so many.
    pub(crate) fn connection(&mut self, stats: PeerStats, in_report: u32) -> bool {
        self.lost.extend(stats.egress_loss_fraction);
        self.connection = Some(stats);
        self.measures += 1;
        let due = self.measures >= in_report;
        if due {
            self.measures = 0;
        }
        due
    }

    /// Takes a measure of a stream. What an earlier one of the same report said and this one leaves out stays.
    fn stream(&mut self, stream: Stream) {
        let same = |known: &&mut Stream| (known.mid, known.layer) == (stream.mid, stream.layer);
        match self.streams.iter_mut().find(same) {
            None => self.streams.push(stream),
            Some(known) => {
                let before = *known;
                *known = Stream {
                    loss: stream.loss.or(before.loss),
                    jitter: stream.jitter.or(before.jitter),
                    round_trip: stream.round_trip.or(before.round_trip),
                    ..stream
                };
            }
        }
    }

    pub(crate) fn incoming(&mut self, stats: &MediaIngressStats) {
        let Some(layer) = layers::of_rid(stats.rid.as_deref()) else {
            return;
        };
        self.stream(Stream {
            mid: stats.mid,
            layer,
            packets: stats.packets,
            bytes: stats.bytes,
            loss: stats.loss,
            jitter: Some(stats.jitter),
            round_trip: stats.rtt,
            nacks: stats.nacks,
            key_frame_requests: stats.plis + stats.firs,
        });
    }

    pub(crate) fn outgoing(&mut self, stats: &MediaEgressStats) {
        let Some(layer) = layers::of_rid(stats.rid.as_deref()) else {
            return;
        };
        self.stream(Stream {
            mid: stats.mid,
            layer,
            packets: stats.packets,
            bytes: stats.bytes,
            loss: stats.loss,
            jitter: stats.remote.as_ref().map(|remote| remote.jitter),
            round_trip: stats.rtt,
            nacks: stats.nacks,
            key_frame_requests: stats.plis + stats.firs,
        });
    }
}

fn mean(parts: &[f32]) -> Option<f32> {
    let count = u16::try_from(parts.len()).ok().filter(|count| *count > 0)?;
    Some(parts.iter().sum::<f32>() / f32::from(count))
}

/// Bits per second.
fn bitrate(bytes: u64, before: u64, elapsed: Duration) -> u64 {
    let millis = u64::try_from(elapsed.as_millis()).unwrap_or(u64::MAX).max(1);
    bytes.saturating_sub(before).saturating_mul(8_000) / millis
}

impl Sfu {
    /// Tells how a connection fares, when all it says of an interval is there.
    pub(crate) fn report(&mut self, place: usize) {
        #[cfg(test)]
        self.falter(crate::isolation::Fault::Report, place);
        let Some(transport) = self.transports.get_mut(place) else {
            return;
        };
        let Some(connection) = transport.gathered.connection.take() else {
            return;
        };
        let mut said = std::mem::take(&mut transport.gathered.streams);
        let lost = std::mem::take(&mut transport.gathered.lost);
        said.sort_by_key(|stream| (stream.mid, stream.layer));
        let sums = (
            connection.timestamp,
            connection.peer_bytes_rx,
            connection.peer_bytes_tx,
        );
        let bytes = said
            .iter()
            .map(|stream| ((stream.mid, stream.layer), stream.bytes))
            .collect();
        let before = transport.gathered.before.replace(sums);
        let bytes_before = std::mem::replace(&mut transport.gathered.bytes_before, bytes);
        let elapsed = before.map(|(at, ..)| connection.timestamp.saturating_duration_since(at));
        let Some(transport) = self.transports.get(place) else {
            return;
        };
        let streams: Vec<StreamStats> = said
            .iter()
            .filter_map(|stream| {
                let before = bytes_before.get(&(stream.mid, stream.layer)).copied();
                let rate = elapsed.map(|elapsed| bitrate(stream.bytes, before.unwrap_or_default(), elapsed));
                self.stream_stats(place, transport, stream, rate)
            })
            .collect();
        let rate = |now: u64, of: fn((Instant, u64, u64)) -> u64| {
            before
                .zip(elapsed)
                .map(|(before, elapsed)| bitrate(now, of(before), elapsed))
        };
        let stats = TransportStats {
            peer: transport.peer,
            transport: transport.id.clone(),
            consuming: transport.consuming,
            bytes_received: connection.peer_bytes_rx,
            bytes_sent: connection.peer_bytes_tx,
            bitrate_received: rate(connection.peer_bytes_rx, |(_, received, _)| received),
            bitrate_sent: rate(connection.peer_bytes_tx, |(_, _, sent)| sent),
            loss: if transport.consuming {
                mean(&lost)
            } else {
                connection.ingress_loss_fraction
            },
            round_trip: connection
                .rtt
                .or_else(|| streams.iter().filter_map(|stream| stream.round_trip).max()),
            jitter: streams.iter().filter_map(|stream| stream.jitter).max(),
            estimate: transport.estimate,
            held_back: transport.held_back,
            layers: self.layers(transport),
            streams,
        };
        let meeting = transport.meeting;
        self.tell(meeting, SfuEvent::Stats(stats));
    }

    /// What is told of a stream; none where it belongs to nothing.
    fn stream_stats(
        &self,
        place: usize,
        transport: &Transport,
        stream: &Stream,
        bitrate: Option<u64>,
    ) -> Option<StreamStats> {
        let (producer, layer) = if transport.consuming {
            let consumer = self.consumers.get(*transport.consumers.get(&stream.mid)?)?;
            let layer = consumer.rewriter.source().map(|(layer, _)| layer);
            (self.producers.get(consumer.producer)?, layer)
        } else {
            let peer = self.rooms.get(&transport.meeting)?.peers.get(&transport.peer)?;
            let mut own = peer
                .producers
                .iter()
                .filter_map(|place| self.producers.get(*place));
            let sent = |producer: &&Producer| producer.transport == place && producer.mid == stream.mid;
            (own.find(sent)?, Some(stream.layer))
        };
        let ticks = u64::from(producer.codec.clock_rate());
        let is_video = producer.kind == MediaKind::Video;
        Some(StreamStats {
            producer: producer.id.clone(),
            kind: producer.kind,
            screen_share: producer.screen_share,
            mime_type: producer.codec.mime_type(),
            layer: layer.filter(|_| is_video).map(|layer| layers::RIDS[layer]),
            packets: stream.packets,
            bytes: stream.bytes,
            bitrate,
            loss: stream.loss,
            jitter: stream
                .jitter
                .map(|jitter| Duration::from_micros(u64::from(jitter) * 1_000_000 / ticks)),
            round_trip: stream.round_trip,
            nacks: stream.nacks,
            key_frame_requests: stream.key_frame_requests,
        })
    }

    /// What a connection gets of each picture.
    fn layers(&self, transport: &Transport) -> Vec<(String, Option<&'static str>)> {
        let consumers = transport.consumers.values();
        let consumers = consumers.filter_map(|consumer| self.consumers.get(*consumer));
        consumers
            .filter_map(|consumer| {
                let producer = self.producers.get(consumer.producer)?;
                let layer = consumer.rewriter.source().map(|(layer, _)| layers::RIDS[layer]);
                (producer.kind == MediaKind::Video).then(|| (producer.id.clone(), layer))
            })
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_rate_is_of_its_interval() {
        assert_eq!(bitrate(1_250, 625, Duration::from_secs(5)), 1_000);
        assert_eq!(mean(&[]), None);
        assert_eq!(mean(&[0.5, 0.0]), Some(0.25));
        assert_eq!(bitrate(5, 10, Duration::ZERO), 0, "a sum that began anew");
    }
}
