//! One WebRTC connection. The only place that holds an [`Rtc`], and so the only one that has to keep
//! its rules: after each change everything it has to say is taken out before the next change, and what
//! panics inside ends here.

use std::{
    collections::VecDeque,
    net::SocketAddr,
    panic::{AssertUnwindSafe, catch_unwind},
    time::{Duration, Instant},
};

use str0m::{
    Candidate, Event, Input, Output, Rtc, RtcError,
    bwe::Bitrate,
    change::SdpOffer,
    config::DtlsCert,
    media::{KeyframeRequestKind, Mid, Pt, Rid},
    net::{Protocol as Carrier, Receive, TcpType},
    rtp::{RtpWrite, Ssrc},
};

use crate::{
    api::{MediaKind, Protocol, Transmit},
    codec::{self, Codec},
};

/// Errors in a row that end a connection.
const FAULTS_MAX: u32 = 100;
/// Packets of a stream that can be repaired, and for how long: their heads are kept for each receiver.
const REPAIRABLE: usize = 512;
const REPAIRABLE_FOR: Duration = Duration::from_secs(3);
/// What part of a stream may be repairs.
const REPAIRS: f32 = 0.5;
/// How often a connection by which a client sends is measured, and one by which it receives.
const STATS_INTERVAL: Duration = Duration::from_secs(5);
const STATS_INTERVAL_BWE: Duration = Duration::from_millis(250);
/// After each packet str0m wants to be called at once, even if nothing else waits: that call can be the one
/// for the next packet, if there is one so soon.
const REST: Duration = Duration::from_millis(2);
/// So many measures of a connection make one report.
pub(crate) const STATS_IN_REPORT: u32 = 20;

/// The connection is broken for good.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Broken;

/// What the connection had to say.
#[derive(Debug, Default)]
pub(crate) struct Said {
    pub events: Vec<Event>,
    pub transmits: VecDeque<Transmit>,
}

pub(crate) struct Link {
    rtc: Rtc,
    deadline: Instant,
    /// Packets that were written and have not left.
    written: u32,
    faults: u32,
    broken: bool,
    /// Whether whatever is done next panics.
    #[cfg(test)]
    pub(crate) faulty: bool,
}

impl std::fmt::Debug for Link {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Link")
            .field("broken", &self.broken)
            .finish_non_exhaustive()
    }
}

impl Link {
    /// `bitrate` in bits per second, for a connection that sends media.
    pub(crate) fn new(
        certificate: DtlsCert,
        candidates: &[SocketAddr],
        bitrate: Option<u64>,
        now: Instant,
    ) -> Self {
        let interval = bitrate.map_or(STATS_INTERVAL, |_| STATS_INTERVAL_BWE);
        let mut config = Rtc::builder()
            .set_dtls_cert(certificate)
            .set_ice_lite(true)
            .set_rtp_mode(true)
            .set_stats_interval(Some(interval))
            .enable_bwe(bitrate.map(Bitrate::from));
        codec::configure(config.codec_config());
        let mut rtc = config.build(now);
        for address in candidates {
            if let Ok(candidate) = Candidate::host(*address, "udp") {
                rtc.add_local_candidate(candidate);
            }
        }
        Self {
            rtc,
            deadline: now,
            written: 0,
            faults: 0,
            broken: false,
            #[cfg(test)]
            faulty: false,
        }
    }

    /// Adds TCP addresses at which the other side reaches this one, before anything is described.
    pub(crate) fn add_tcp(&mut self, candidates: &[SocketAddr]) {
        for address in candidates {
            let candidate = Candidate::builder().tcp().host(*address);
            if let Ok(candidate) = candidate.tcptype(TcpType::Passive).build() {
                self.rtc.add_local_candidate(candidate);
            }
        }
    }

    /// When [`Link::tick`] is due.
    pub(crate) fn deadline(&self) -> Instant {
        self.deadline
    }

    /// Does one thing and takes out all that comes of it.
    fn act<R>(
        &mut self,
        said: &mut Said,
        act: impl FnOnce(&mut Rtc) -> Result<R, RtcError>,
    ) -> Result<Result<R, RtcError>, Broken> {
        if self.broken {
            return Err(Broken);
        }
        let done = catch_unwind(AssertUnwindSafe(|| {
            #[cfg(test)]
            assert!(!self.faulty, "a fault of a test");
            let result = act(&mut self.rtc);
            let deadline = drain(&mut self.rtc, said);
            (result, deadline)
        }));
        let Ok((result, deadline)) = done else {
            self.broken = true;
            return Err(Broken);
        };
        match deadline {
            Ok(deadline) if result.is_ok() => {
                self.deadline = deadline;
                self.faults = 0;
            }
            Ok(deadline) => {
                self.deadline = deadline;
                self.faults += 1;
            }
            Err(error) => {
                tracing::debug!(%error, "a media connection failed");
                self.faults += 1;
            }
        }
        if self.faults > FAULTS_MAX || !self.rtc.is_alive() {
            self.broken = true;
        }
        Ok(result)
    }

    /// Takes a datagram; whether it read.
    pub(crate) fn receive(
        &mut self,
        now: Instant,
        protocol: Protocol,
        source: SocketAddr,
        destination: SocketAddr,
        datagram: &[u8],
        said: &mut Said,
    ) -> Result<bool, Broken> {
        let carrier = match protocol {
            Protocol::Udp => Carrier::Udp,
            Protocol::Tcp => Carrier::Tcp,
        };
        let read = catch_unwind(|| Receive::new(carrier, source, destination, datagram));
        let Ok(Ok(received)) = read else {
            return Ok(false);
        };
        // What one datagram did wrong is counted there.
        let _ = self.act(said, |rtc| rtc.handle_input(Input::Receive(now, received)))?;
        Ok(true)
    }

    /// Lets time pass.
    pub(crate) fn tick(&mut self, now: Instant, said: &mut Said) -> Result<(), Broken> {
        let _ = self.act(said, |rtc| rtc.handle_input(Input::Timeout(now)))?;
        if self.broken { Err(Broken) } else { Ok(()) }
    }

    /// Takes a description of the other side and answers it. The other side's answers come this way
    /// too: whatever was said before, the one here is always the one that answers.
    pub(crate) fn accept(
        &mut self,
        description: &str,
        said: &mut Said,
    ) -> Result<Result<String, String>, Broken> {
        let parsed = catch_unwind(|| SdpOffer::from_sdp_string(description));
        let offer = match parsed {
            Ok(Ok(offer)) => offer,
            Ok(Err(error)) => return Ok(Err(error.to_string())),
            Err(_) => return Ok(Err("it does not read".to_owned())),
        };
        let answer = self.act(said, |rtc| rtc.sdp_api().accept_offer(offer))?;
        Ok(answer
            .map(|answer| answer.to_sdp_string())
            .map_err(|error| error.to_string()))
    }

    /// This side's ICE user fragment.
    pub(crate) fn fragment(&mut self) -> String {
        self.rtc.direct_api().local_ice_credentials().ufrag
    }

    /// This side's ICE password.
    pub(crate) fn password(&mut self) -> String {
        self.rtc.direct_api().local_ice_credentials().pass
    }

    /// Whether ICE and DTLS are up.
    pub(crate) fn is_connected(&self) -> bool {
        self.rtc.is_connected()
    }

    /// What a section may carry by both sides' descriptions, with payload types, what is preferred first;
    /// none where there is no such section.
    pub(crate) fn codecs(&self, mid: Mid) -> Option<Vec<(Codec, Pt)>> {
        let media = self.rtc.media(mid)?;
        let params = self.rtc.codec_config().params();
        let agreed = params.iter().filter(|p| media.remote_pts().contains(&p.pt()));
        Some(
            agreed
                .filter_map(|p| Some((Codec::of(&p.spec())?, p.pt())))
                .collect(),
        )
    }

    /// Sound or picture.
    pub(crate) fn kind(&self, mid: Mid) -> Option<MediaKind> {
        let media = self.rtc.media(mid)?;
        Some(if media.kind().is_audio() {
            MediaKind::Audio
        } else {
            MediaKind::Video
        })
    }

    /// Whether a section is rejected or stopped, so that its place may be taken.
    pub(crate) fn is_stopped(&self, mid: Mid) -> bool {
        self.rtc.media(mid).is_some_and(str0m::media::Media::disabled)
    }

    /// The stream by which this side sends in a section. It may be used for more repairs than str0m does,
    /// which drops all that are queued when they were more than 15 % of a second: bad ways need more.
    pub(crate) fn outgoing(&mut self, mid: Mid) -> Option<Ssrc> {
        let mut direct = self.rtc.direct_api();
        let stream = direct.stream_tx_by_mid(mid, None)?;
        stream.set_rtx_cache(REPAIRABLE, REPAIRABLE_FOR, Some(REPAIRS));
        // What arrives was paced by its sender. The pacer here goes by an estimate that falls to a fraction of
        // what the way carries with some packets lost at random, and would hold pictures back for seconds;
        // what is too much is for the choice of layers.
        stream.set_unpaced(true);
        Some(stream.ssrc())
    }

    /// Forgets what was sent in a section, so that none of it is repaired any more.
    pub(crate) fn forget_sent(&mut self, mid: Mid) {
        let mut direct = self.rtc.direct_api();
        if let Some(stream) = direct.stream_tx_by_mid(mid, None) {
            stream.set_rtx_cache(REPAIRABLE, REPAIRABLE_FOR, Some(REPAIRS));
        }
    }

    /// Where an incoming stream belongs. NACK is turned on for it: str0m leaves it off for streams
    /// without RTX, which is how the official client sends.
    pub(crate) fn incoming(
        &mut self,
        ssrc: Ssrc,
        said: &mut Said,
    ) -> Result<Option<(Mid, Option<Rid>)>, Broken> {
        let found = self.act(said, |rtc| {
            Ok(rtc.direct_api().stream_rx(&ssrc).map(|stream| {
                stream.suppress_nack(false);
                (stream.mid(), stream.rid())
            }))
        })?;
        Ok(found.ok().flatten())
    }

    /// Asks the sender for a key frame; whether there is such a stream.
    pub(crate) fn request_key_frame(&mut self, ssrc: Ssrc, said: &mut Said) -> Result<bool, Broken> {
        let asked = self.act(said, |rtc| {
            let mut direct = rtc.direct_api();
            let stream = direct.stream_rx(&ssrc);
            Ok(stream.map(|stream| stream.request_keyframe(KeyframeRequestKind::Pli)))
        })?;
        Ok(matches!(asked, Ok(Some(()))))
    }

    /// Queues a packet, which leaves with the next [`Link::flush`]; whether there is such a stream. This is the
    /// one change after which nothing is taken out: it makes str0m say nothing before time passes, and asking
    /// would cost as much as sending.
    pub(crate) fn write(&mut self, ssrc: Ssrc, packet: RtpWrite) -> Result<bool, Broken> {
        if self.broken {
            return Err(Broken);
        }
        let written = catch_unwind(AssertUnwindSafe(|| {
            let mut direct = self.rtc.direct_api();
            let stream = direct.stream_tx(&ssrc);
            stream.map(|stream| stream.write_rtp(packet)).is_some()
        }));
        let Ok(written) = written else {
            self.broken = true;
            return Err(Broken);
        };
        self.written += u32::from(written);
        Ok(written)
    }

    /// Lets what was written leave, as far as it may: with each call str0m lets one packet go.
    pub(crate) fn flush(&mut self, now: Instant, said: &mut Said) -> Result<(), Broken> {
        for _ in 0..std::mem::take(&mut self.written).max(1) {
            self.tick(now, said)?;
            if self.deadline > now {
                return Ok(());
            }
        }
        self.deadline = now + REST;
        Ok(())
    }

    /// Tells the bandwidth estimation what would be sent if it fitted, and up to which rate it may pad to
    /// find out whether more fits; in bits per second.
    pub(crate) fn desire(&mut self, padded: u64, desired: u64, said: &mut Said) -> Result<(), Broken> {
        let _ = self.act(said, |rtc| {
            rtc.bwe()
                .set_bitrate(Bitrate::from(padded), Bitrate::from(desired));
            Ok(())
        })?;
        Ok(())
    }

    /// Starts the bandwidth estimation anew, from so many bits per second.
    pub(crate) fn restart_estimation(&mut self, bitrate: u64, said: &mut Said) -> Result<(), Broken> {
        let _ = self.act(said, |rtc| {
            rtc.bwe().reset(Bitrate::from(bitrate));
            Ok(())
        })?;
        Ok(())
    }

    /// Says good-bye.
    pub(crate) fn close(&mut self, now: Instant, said: &mut Said) {
        let _ = self.act(said, Rtc::close);
        let _ = self.tick(now, said);
    }
}

/// Takes out all there is, up to the next deadline.
fn drain(rtc: &mut Rtc, said: &mut Said) -> Result<Instant, RtcError> {
    loop {
        match rtc.poll_output()? {
            Output::Timeout(at) => return Ok(at),
            Output::Transmit(datagram) => said.transmits.push_back(Transmit {
                protocol: match datagram.proto {
                    Carrier::Tcp => Protocol::Tcp,
                    _ => Protocol::Udp,
                },
                from: datagram.source,
                to: datagram.destination,
                bytes: datagram.contents.into(),
            }),
            Output::Event(event) => said.events.push(event),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_panic_breaks_the_connection_and_nothing_else() {
        let now = Instant::now();
        let provider = str0m::crypto::from_feature_flags();
        let certificate = provider.dtls_provider.generate_certificate().unwrap();
        let address = SocketAddr::from(([10, 0, 0, 1], 5_000));
        let mut said = Said::default();
        let mut link = Link::new(certificate.clone(), &[address], None, now);
        let mut neighbour = Link::new(certificate, &[address], None, now);
        let panicked = link.act(&mut said, |_| -> Result<(), RtcError> {
            panic!("as if in str0m")
        });
        assert!(matches!(panicked, Err(Broken)));
        assert_eq!(link.tick(now, &mut said), Err(Broken), "it stays broken");
        assert_eq!(neighbour.tick(now, &mut said), Ok(()));
    }

    #[test]
    fn errors_without_end_break_the_connection() {
        let now = Instant::now();
        let provider = str0m::crypto::from_feature_flags();
        let certificate = provider.dtls_provider.generate_certificate().unwrap();
        let mut said = Said::default();
        let mut link = Link::new(certificate, &[], None, now);
        let fail = |link: &mut Link, said: &mut Said| {
            let failed = link.act(said, |_| -> Result<(), RtcError> {
                Err(RtcError::RemoteSdp("no".to_owned()))
            });
            failed.is_ok()
        };
        assert!((0..=FAULTS_MAX).all(|_| fail(&mut link, &mut said)));
        assert!(!fail(&mut link, &mut said));
    }
}
