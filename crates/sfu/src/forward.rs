//! The way of one media packet.

use str0m::{
    media::{ExtensionValues, Pt},
    rtp::{RtpPacket, RtpWrite, Ssrc, Vp8Descriptor, Vp8Patch},
};

use crate::{
    api::MediaKind,
    codec::Codec,
    layers,
    rewrite::{Incoming, Outgoing},
    sfu::Sfu,
    vp9,
};

/// What IP, UDP, RTP and SRTP add to a payload, in bytes.
const OVERHEAD: usize = 60;
/// Incoming streams of one connection whose places are remembered.
const STREAMS_MAX: usize = 256;

impl Sfu {
    /// Hands a packet on to all who receive it.
    pub(crate) fn forward(&mut self, place: usize, packet: &RtpPacket) {
        let Some((source, layer)) = self.stream(place, packet.header.ssrc) else {
            return;
        };
        #[cfg(test)]
        self.falter(crate::isolation::Fault::Forward, place);
        let now = self.now;
        let Some(transport) = self.transports.get(place) else {
            return;
        };
        let Some(producer) = self.producers.get_mut(source) else {
            return;
        };
        if !producer.is_live() {
            return;
        }
        let codec = producer.codec;
        let is_audio = producer.kind == MediaKind::Audio;
        // A client that sends what was not agreed on is not understood by those who receive it.
        if !is_audio && packet.header.payload_type != producer.pt {
            return;
        }
        let was_present = producer.present(now)[layer];
        let encoding = &mut producer.encodings[layer];
        if encoding.ssrc != Some(packet.header.ssrc) {
            if encoding.ssrc.is_some() {
                encoding.restart();
            }
            encoding.ssrc = Some(packet.header.ssrc);
            encoding.report = None;
        }
        encoding.last_packet = Some(now);
        encoding.meter.add(packet.payload.len() + OVERHEAD);
        // Padding between frames has no payload. It would be passed on as media, so it is left out.
        let empty = packet.payload.is_empty();
        let descriptor = codec.describe(&packet.payload);
        let unreadable = !is_audio && descriptor.is_none();
        if (empty || unreadable) && encoding.numbering.leave_out(*packet.seq_no) {
            return;
        }
        let Some(numbered) = encoding.numbering.number(*packet.seq_no) else {
            return;
        };
        if unreadable && !empty {
            return;
        }
        let is_entry = encoding.is_entry(descriptor);
        let incoming = Incoming {
            source: (layer, encoding.epoch),
            number: numbered.number,
            late: numbered.late,
            time: packet.header.timestamp,
            captured: encoding.captured(transport, codec.clock_rate(), packet.header.timestamp, now),
            descriptor,
        };
        if is_entry {
            encoding.wants_key_frame = false;
        }
        let microphone = is_audio && !producer.screen_share;
        if let (true, Some(level)) = (microphone, packet.header.ext_vals.audio_level)
            && let Some(room) = self.rooms.get_mut(&producer.meeting)
        {
            room.speakers.heard(producer.peer, level);
        }
        if !was_present {
            self.retarget_consumers(source);
        }
        self.fan_out(source, packet, &incoming, codec, is_entry || is_audio);
    }

    /// Which stream of which producer this is.
    fn stream(&mut self, place: usize, ssrc: Ssrc) -> Option<(usize, usize)> {
        let transport = self.transports.get(place)?;
        if let Some(known) = transport.streams.get(&ssrc) {
            return *known;
        }
        let (mid, rid) = self.with_link(place, |link, said| link.incoming(ssrc, said))??;
        let transport = self.transports.get_mut(place)?;
        let peer = self.rooms.get(&transport.meeting)?.peers.get(&transport.peer)?;
        let producer = peer.producers.iter().copied().find(|p| {
            self.producers
                .get(*p)
                .is_some_and(|p| p.transport == place && p.mid == mid)
        });
        let found = producer.zip(layers::of_rid(rid.as_deref()));
        // A client has a handful; one that makes up more is looked up anew.
        if transport.streams.len() >= STREAMS_MAX {
            transport.streams.clear();
        }
        transport.streams.insert(ssrc, found);
        found
    }

    fn fan_out(
        &mut self,
        source: usize,
        packet: &RtpPacket,
        incoming: &Incoming,
        codec: Codec,
        is_entry: bool,
    ) {
        let count = self
            .producers
            .get(source)
            .map_or(0, |producer| producer.consumers.len());
        for at in 0..count {
            let Some(place) = self
                .producers
                .get(source)
                .and_then(|p| p.consumers.get(at))
                .copied()
            else {
                return;
            };
            let Some(consumer) = self.consumers.get_mut(place) else {
                continue;
            };
            let Some(target) = consumer.target else { continue };
            let layer = incoming.source.0;
            if target == layer && consumer.rewriter.source() != Some(incoming.source) {
                if !is_entry || packet.payload.is_empty() {
                    continue;
                }
                if incoming.late {
                    // What came before this first packet of the key frame was not handed on.
                    self.want_key_frame(source, layer);
                    continue;
                }
                self.counters.layer_switches += u64::from(consumer.rewriter.source().is_some());
                consumer.rewriter.attach(incoming);
            }
            let Some(outgoing) = consumer.rewriter.rewrite(incoming) else {
                continue;
            };
            let (transport, ssrc) = (consumer.transport, consumer.ssrc);
            let write = consumer_packet(codec, consumer.pt, packet, incoming, outgoing);
            if self.write(transport, ssrc, write) {
                self.counters.forwarded += 1;
            }
        }
    }
}

/// The packet as one receiver gets it. The payload is shared by all where nothing in it changes, and for VP8,
/// of which the few changed bytes are written when it leaves.
fn consumer_packet(
    codec: Codec,
    pt: Pt,
    packet: &RtpPacket,
    incoming: &Incoming,
    outgoing: Outgoing,
) -> RtpWrite {
    let theirs = &packet.header.ext_vals;
    // The publisher's names of sections and layers and its measures of the way mean nothing to a receiver.
    let extensions = ExtensionValues {
        audio_level: theirs.audio_level,
        voice_activity: theirs.voice_activity,
        video_orientation: theirs.video_orientation,
        ..ExtensionValues::default()
    };
    let changed = incoming.descriptor.is_some_and(|descriptor| {
        descriptor.picture_id.map(|(id, _)| id) != outgoing.picture_id
            || descriptor.tl0_picture_index != outgoing.tl0_picture_index
    });
    let rewritten = (changed && codec == Codec::Vp9)
        .then(|| vp9::rewrite(&packet.payload, outgoing.picture_id, outgoing.tl0_picture_index))
        .flatten();
    let write = RtpWrite::new(
        pt,
        outgoing.number.into(),
        outgoing.time,
        incoming.captured,
        rewritten.map_or_else(|| packet.payload.clone(), Into::into),
    )
    .marker(packet.header.marker)
    .ext_vals(extensions)
    .nackable(incoming.descriptor.is_some());
    match (changed && codec == Codec::Vp8)
        .then(|| vp8_patch(packet, outgoing))
        .flatten()
    {
        Some(patch) => write.vp8_patch(patch),
        None => write,
    }
}

fn vp8_patch(packet: &RtpPacket, outgoing: Outgoing) -> Option<Vp8Patch> {
    let mut patch = Vp8Descriptor::parse(&packet.payload).ok()?.patch();
    if let Some(id) = outgoing.picture_id {
        patch = patch.picture_id(id);
    }
    if let Some(index) = outgoing.tl0_picture_index {
        patch = patch.tl0_pic_idx(index);
    }
    patch.build().ok()
}
