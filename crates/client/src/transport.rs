//! One WebRTC connection of a participant, over a UDP socket of its own. The official client has two: one
//! that sends and one that receives.

use std::{
    net::SocketAddr,
    time::{Duration, Instant},
};

use str0m::{
    Candidate, Event, Input, Output, Rtc,
    change::{SdpAnswer, SdpOffer, SdpPendingOffer},
    config::DtlsCert,
    format::{Codec, FormatParams},
    media::{Direction, Frequency, MediaKind, Mid, Pt, Rid, Simulcast, SimulcastLayer},
    net::{Protocol, Receive},
    rtp::{RtpPacket, RtpWrite, Ssrc},
};

use crate::{
    ClientError,
    udp::{Buffers, Udp, local_ip_towards},
};

/// Between the first checks of ICE. The second one nominates, and browsers do not wait for that either where
/// the other side is lite; str0m's 250 ms would be most of a join.
const CHECKS: Duration = Duration::from_millis(20);
/// Reads before others get their turn.
const READS: usize = 8;

/// What came of what was done with a connection.
#[derive(Debug)]
pub enum Happened {
    /// ICE and DTLS are up.
    Connected,
    /// The other side ended it.
    Closed,
    /// The other side wants a key frame of a layer.
    KeyFrameWanted(Mid, Option<Rid>),
    /// A packet arrived, at this time.
    Packet(Instant, Box<RtpPacket>),
}

/// Makes the certificate that all connections of a load share, as the tabs of one browser would.
pub fn certificate() -> Result<DtlsCert, ClientError> {
    str0m::crypto::from_feature_flags()
        .dtls_provider
        .generate_certificate()
        .ok_or_else(|| ClientError::Media("no certificate could be made".to_owned()))
}

/// A connection.
pub struct Transport {
    /// The server's name for it; empty until that is known.
    pub id: String,
    /// Whether it is up.
    pub connected: bool,
    rtc: Rtc,
    pending: Option<SdpPendingOffer>,
    udp: Option<Udp>,
    deadline: Instant,
    /// What was read, from whom, and when.
    incoming: Vec<(Instant, SocketAddr, Vec<u8>)>,
    outgoing: Vec<(SocketAddr, Vec<u8>)>,
    happened: Vec<Happened>,
    arrived: Instant,
}

impl std::fmt::Debug for Transport {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Transport({})", self.id)
    }
}

fn media(error: impl std::fmt::Display) -> ClientError {
    ClientError::Media(error.to_string())
}

impl Transport {
    /// A connection that is not made yet. One that sends has no RTX, as the official client's sections have
    /// none.
    pub fn new(certificate: DtlsCert, sending: bool, now: Instant) -> Self {
        let mut config = Rtc::builder()
            .set_dtls_cert(certificate)
            .set_rtp_mode(true)
            .clear_codecs()
            .enable_opus(true, false);
        if sending {
            config.codec_config().add_config(
                96.into(),
                None,
                Codec::Vp8,
                Frequency::NINETY_KHZ,
                None,
                FormatParams::default(),
            );
        } else {
            config = config.enable_vp8(true);
        }
        config.set_initial_stun_rto(CHECKS);
        Self {
            id: String::new(),
            connected: false,
            rtc: config.build(now),
            pending: None,
            udp: None,
            deadline: now,
            incoming: Vec::new(),
            outgoing: Vec::new(),
            happened: Vec::new(),
            arrived: now,
        }
    }

    /// The first offer: a section of each kind without a track (PROTOCOL e.2).
    pub fn bootstrap(&mut self, rids: &[&str]) -> Result<String, ClientError> {
        let mut api = self.rtc.sdp_api();
        api.add_media(MediaKind::Audio, Direction::SendOnly, None, None, None);
        api.add_media(MediaKind::Video, Direction::SendOnly, None, None, layers(rids));
        let made = api.apply();
        self.offered(made)
    }

    /// An offer with one more section, in which something will be sent.
    pub fn offer_track(&mut self, kind: MediaKind, rids: &[&str]) -> Result<(Mid, String), ClientError> {
        let mut api = self.rtc.sdp_api();
        let mid = api.add_media(kind, Direction::SendOnly, None, None, layers(rids));
        let made = api.apply();
        Ok((mid, self.offered(made)?))
    }

    /// The official client names no candidates.
    fn offered(&mut self, made: Option<(SdpOffer, SdpPendingOffer)>) -> Result<String, ClientError> {
        let (offer, pending) = made.ok_or_else(|| media("nothing to offer"))?;
        self.pending = Some(pending);
        Ok(only(&offer.to_sdp_string(), |line| {
            !line.starts_with("a=candidate") && !line.starts_with("a=end-of")
        }))
    }

    /// Takes the answer to the offer made last. The first one tells where the server is; unless `remote` is
    /// allowed, addresses beyond this machine are passed over.
    pub fn answered(&mut self, answer: &str, remote: bool) -> Result<(), ClientError> {
        let pending = self
            .pending
            .take()
            .ok_or_else(|| media("an answer without an offer"))?;
        let near = candidates(answer).find(|address| address.ip().is_loopback());
        let server = near
            .or_else(|| candidates(answer).find(|_| remote))
            .ok_or_else(|| media("the server has no address here that may be reached"))?;
        if self.udp.is_none() {
            let ip = local_ip_towards(server).map_err(media)?;
            let udp = Udp::bind(SocketAddr::new(ip, 0)).map_err(media)?;
            let candidate = Candidate::host(udp.local(), "udp").map_err(media)?;
            self.rtc.add_local_candidate(candidate);
            self.udp = Some(udp);
        }
        // One candidate: each further one would be tried first for as long as ICE takes to give it up.
        let answer = only(answer, |line| {
            !line.starts_with("a=candidate") || candidate(line) == Some(server)
        });
        let answer = SdpAnswer::from_sdp_string(&answer).map_err(media)?;
        self.rtc.sdp_api().accept_answer(pending, answer).map_err(media)?;
        self.drain();
        Ok(())
    }

    /// Takes the server's offer and answers it.
    pub fn accept(&mut self, offer: &str) -> Result<String, ClientError> {
        let offer = only(offer, |line| !line.starts_with("a=candidate"));
        let offer = SdpOffer::from_sdp_string(&offer).map_err(media)?;
        let answer = self.rtc.sdp_api().accept_offer(offer).map_err(media)?;
        self.drain();
        Ok(answer.to_sdp_string())
    }

    /// When [`Transport::tick`] is due.
    pub fn deadline(&self) -> Instant {
        self.deadline
    }

    /// Waits until something may have arrived; for ever where the server is not known yet.
    pub async fn readable(&self) {
        match &self.udp {
            // An error shows when it is read.
            Some(udp) => {
                let _ = udp.readable().await;
            }
            None => std::future::pending().await,
        }
    }

    /// Reads what has arrived, and when; it is dealt with by [`Transport::take_in`].
    pub fn read(&mut self, buffers: &mut Buffers) {
        let Some(udp) = &self.udp else { return };
        for _ in 0..READS {
            let mut now = None;
            let taken = udp.receive(buffers, |from, datagram| {
                let now = *now.get_or_insert_with(Instant::now);
                self.incoming.push((now, from, datagram.to_vec()));
            });
            if !taken.is_ok_and(|taken| taken > 0) {
                break;
            }
        }
    }

    /// Whether something was read that was not dealt with.
    pub fn has_read(&self) -> bool {
        !self.incoming.is_empty()
    }

    /// Deals with what was read.
    pub fn take_in(&mut self) {
        let Some(local) = self.udp.as_ref().map(Udp::local) else {
            return;
        };
        for (at, from, datagram) in std::mem::take(&mut self.incoming) {
            self.arrived = at;
            if let Ok(received) = Receive::new(Protocol::Udp, from, local, &datagram) {
                let _ = self.rtc.handle_input(Input::Receive(at, received));
                self.drain();
            }
        }
        self.flush();
    }

    /// Lets time pass.
    pub fn tick(&mut self, now: Instant) {
        if self.deadline <= now {
            let _ = self.rtc.handle_input(Input::Timeout(now));
            self.drain();
        }
        self.flush();
    }

    /// By which payload type something is sent.
    pub fn payload_type(&self, codec: Codec) -> Option<Pt> {
        let params = self.rtc.codec_config().params();
        params
            .iter()
            .find(|params| params.spec().codec == codec)
            .map(str0m::format::PayloadParams::pt)
    }

    /// Writes a packet; it leaves with the next [`Transport::tick`].
    pub fn write(&mut self, mid: Mid, rid: Option<Rid>, packet: RtpWrite, now: Instant) -> bool {
        let mut direct = self.rtc.direct_api();
        let Some(stream) = direct.stream_tx_by_mid(mid, rid) else {
            return false;
        };
        stream.write_rtp(packet);
        self.drain();
        let _ = self.rtc.handle_input(Input::Timeout(now));
        self.drain();
        true
    }

    /// The section to which an incoming stream belongs.
    pub fn section(&mut self, ssrc: Ssrc) -> Option<Mid> {
        self.rtc.direct_api().stream_rx(&ssrc).map(|stream| stream.mid())
    }

    /// What has happened since this was asked last.
    pub fn happened(&mut self) -> std::vec::Drain<'_, Happened> {
        self.happened.drain(..)
    }

    /// Says good-bye.
    pub fn close(&mut self) {
        let _ = self.rtc.close();
        self.drain();
        let _ = self.rtc.handle_input(Input::Timeout(Instant::now()));
        self.drain();
        self.flush();
    }

    fn drain(&mut self) {
        loop {
            match self.rtc.poll_output() {
                Ok(Output::Timeout(at)) => {
                    self.deadline = at;
                    return;
                }
                Ok(Output::Transmit(sent)) => {
                    self.outgoing.push((sent.destination, sent.contents.into()));
                }
                Ok(Output::Event(event)) => {
                    let happened = match event {
                        Event::RtpPacket(packet) => Happened::Packet(self.arrived, Box::new(packet)),
                        Event::Connected => {
                            self.connected = true;
                            Happened::Connected
                        }
                        Event::Closed => Happened::Closed,
                        Event::KeyframeRequest(wanted) => Happened::KeyFrameWanted(wanted.mid, wanted.rid),
                        _ => continue,
                    };
                    self.happened.push(happened);
                }
                Err(_) => {
                    self.happened.push(Happened::Closed);
                    self.deadline = Instant::now() + Duration::from_secs(1);
                    return;
                }
            }
        }
    }

    fn flush(&mut self) {
        if let Some(udp) = &mut self.udp
            && !self.outgoing.is_empty()
        {
            udp.send(&self.outgoing);
        }
        self.outgoing.clear();
    }
}

fn layers(rids: &[&str]) -> Option<Simulcast> {
    (!rids.is_empty()).then(|| Simulcast {
        send: rids.iter().map(|rid| SimulcastLayer::new(rid)).collect(),
        recv: Vec::new(),
    })
}

/// The lines of a description for which `keep` holds.
fn only(description: &str, keep: impl Fn(&str) -> bool) -> String {
    let kept = description.lines().filter(|line| keep(line));
    kept.chain([""]).collect::<Vec<_>>().join("\r\n")
}

/// The UDP host candidates of a description.
fn candidates(description: &str) -> impl Iterator<Item = SocketAddr> {
    description.lines().filter_map(candidate)
}

fn candidate(line: &str) -> Option<SocketAddr> {
    let mut words = line.strip_prefix("a=candidate:")?.split_whitespace();
    let udp = words.nth(2)?.eq_ignore_ascii_case("udp");
    let ip = words.nth(1)?.parse().ok()?;
    let port = words.next()?.parse().ok()?;
    udp.then(|| SocketAddr::new(ip, port))
}

#[cfg(test)]
mod tests {
    use super::*;

    const ANSWER: &str = "v=0\r\na=candidate:1 1 udp 2130706175 192.0.2.1 50000 typ host\r\n\
        a=candidate:2 1 tcp 2130706175 127.0.0.1 50000 typ host tcptype passive\r\n\
        a=candidate:3 1 UDP 2130706175 127.0.0.1 50001 typ host\r\na=mid:0\r\n";

    #[test]
    fn candidates_are_read() {
        let read: Vec<String> = candidates(ANSWER).map(|address| address.to_string()).collect();
        assert_eq!(read, ["192.0.2.1:50000", "127.0.0.1:50001"]);
        assert_eq!(candidate("a=candidate:1 1 udp"), None);
    }

    #[tokio::test]
    async fn only_this_machine_is_reached_unless_allowed() {
        let far = "v=0\r\na=candidate:1 1 udp 1 192.0.2.1 50000 typ host\r\n";
        let mut transport = Transport::new(certificate().unwrap(), false, Instant::now());
        transport.bootstrap(&[]).unwrap();
        let refused = transport.answered(far, false).unwrap_err();
        assert!(refused.to_string().contains("may be reached"), "{refused}");
    }
}
