//! Session descriptions as lines: just enough to add sections to what the other side described.
//!
//! On a receiving connection it is the server that offers new sections, and they have to go into the
//! places of closed ones, or descriptions would grow for as long as the connection lives. str0m does that
//! only when it answers. So what it is given is the other side's latest description with the new sections
//! in it as if the client had asked for them, and its answer is what the client is offered.

use std::collections::{BTreeMap, BTreeSet};

use crate::{
    api::{Caps, MediaError},
    shape,
};

pub(crate) const BUNDLE: &str = "a=group:BUNDLE";

/// A description.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Description {
    session: Vec<String>,
    pub sections: Vec<Section>,
}

/// An `m=` line with what belongs to it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Section {
    lines: Vec<String>,
}

impl Description {
    /// Reads what came from outside; what [`shape::check`] refuses is not read.
    pub(crate) fn received(text: &str, caps: &Caps) -> Result<Self, MediaError> {
        shape::check(text, caps)?;
        Ok(Self::read(text))
    }

    /// Splits a description of ours into its sections.
    pub(crate) fn read(text: &str) -> Self {
        let mut session = Vec::new();
        let mut sections: Vec<Section> = Vec::new();
        for line in lines_of(text) {
            if line.starts_with("m=") {
                sections.push(Section { lines: Vec::new() });
            }
            match sections.last_mut() {
                Some(section) => section.lines.push(line.to_owned()),
                None => session.push(line.to_owned()),
            }
        }
        Self { session, sections }
    }

    /// Its length as text, about.
    pub(crate) fn bytes(&self) -> usize {
        let session: usize = self.session.iter().map(String::len).sum();
        session + self.sections.iter().map(Section::bytes).sum::<usize>()
    }

    /// The description as text, its bundle group being what is not rejected.
    pub(crate) fn write(&self) -> String {
        let mut text = String::with_capacity(self.bytes());
        let bundle = self.bundle();
        for line in &self.session {
            if line.starts_with(BUNDLE) {
                text.push_str(BUNDLE);
                let kept = self.sections.iter().filter(|s| !s.is_closed(&bundle));
                for mid in kept.filter_map(Section::mid) {
                    text.push(' ');
                    text.push_str(mid);
                }
            } else {
                text.push_str(line);
            }
            text.push_str("\r\n");
        }
        for line in self.sections.iter().flat_map(|section| &section.lines) {
            text.push_str(line);
            text.push_str("\r\n");
        }
        text
    }

    fn bundle(&self) -> BTreeSet<&str> {
        let group = self.session.iter().find_map(|line| line.strip_prefix(BUNDLE));
        group.unwrap_or_default().split_whitespace().collect()
    }

    /// Puts a section in place of a closed one, or at the end.
    pub(crate) fn put(&mut self, at: Option<usize>, section: Section) {
        match at.and_then(|at| self.sections.get_mut(at)) {
            Some(place) => *place = section,
            None => self.sections.push(section),
        }
    }

    /// Rejects one section of a client's offer that is sent no longer. The answer then tells the client
    /// that the place is free for what it sends next; one that is only inactive would keep its place, and the
    /// offers would grow with each shared screen.
    ///
    /// One at a time, and of those without `msid` only the last: browsers give the first free place to whatever is
    /// sent next, while the official client looks for the `msid` in the last section of its kind, and fails where
    /// there is none. What is free has none; what is inactive has one by JSEP (RFC 8829, section 5.2.2), as in
    /// Chromium and Safari, but not in Firefox.
    pub(crate) fn reject_ended(&mut self, ended: impl Fn(&Section) -> bool) {
        let bundle = self.bundle();
        if self.sections.iter().any(|section| section.is_closed(&bundle)) {
            return;
        }
        let last = self.sections.len().saturating_sub(1);
        let mut sections = self.sections.iter().enumerate();
        let place = sections.rposition(|(at, section)| ended(section) && (at == last || section.has_msid()));
        let Some(section) = place.and_then(|place| self.sections.get_mut(place)) else {
            return;
        };
        let Some(mid) = section.mid().map(str::to_owned) else {
            return;
        };
        section.close();
        if let Some(group) = self.session.iter_mut().find(|line| line.starts_with(BUNDLE)) {
            let kept = group.split(' ').filter(|word| *word != mid);
            *group = kept.collect::<Vec<_>>().join(" ");
        }
    }

    /// Makes an answer an offer: the other side chooses who begins DTLS.
    pub(crate) fn into_offer(mut self) -> Self {
        let setup = |line: &mut String| {
            if line.starts_with("a=setup:") {
                "a=setup:actpass".clone_into(line);
            }
        };
        self.session.iter_mut().for_each(setup);
        self.sections
            .iter_mut()
            .flat_map(|section| &mut section.lines)
            .for_each(setup);
        self
    }
}

impl Section {
    fn attribute(&self, name: &str) -> Option<&str> {
        self.lines
            .iter()
            .find_map(|line| line.strip_prefix("a=")?.strip_prefix(name)?.strip_prefix(':'))
    }

    pub(crate) fn mid(&self) -> Option<&str> {
        self.attribute("mid").map(str::trim)
    }

    pub(crate) fn is_audio(&self) -> bool {
        self.lines
            .first()
            .is_some_and(|line| line.starts_with("m=audio "))
    }

    pub(crate) fn is_video(&self) -> bool {
        self.lines
            .first()
            .is_some_and(|line| line.starts_with("m=video "))
    }

    /// Its length as text.
    pub(crate) fn bytes(&self) -> usize {
        self.lines.iter().map(|line| line.len() + 2).sum()
    }

    /// Payload types with the words of `rtpmap` and `fmtp`, in the order of the `m=` line.
    pub(crate) fn formats(&self) -> impl Iterator<Item = (u8, &str, &str)> {
        let encodings = self.by_type("a=rtpmap:");
        let parameters = self.by_type("a=fmtp:");
        let types = self.lines.first().into_iter();
        let types = types.flat_map(|line| line.split_whitespace().skip(3).filter_map(|pt| pt.parse().ok()));
        types.filter_map(move |pt: u8| {
            let encoding = *encodings.get(&pt)?;
            Some((pt, encoding, parameters.get(&pt).copied().unwrap_or_default()))
        })
    }

    /// The words of the first line of this name for each payload type.
    fn by_type(&self, name: &str) -> BTreeMap<u8, &str> {
        let mut words = BTreeMap::new();
        for line in &self.lines {
            let rest = line.strip_prefix(name).and_then(|rest| rest.split_once(' '));
            if let Some((pt, rest)) = rest
                && let Ok(pt) = pt.parse()
            {
                words.entry(pt).or_insert(rest);
            }
        }
        words
    }

    /// Leaves nothing but this payload type and its repair.
    pub(crate) fn only(mut self, pt: u8) -> Self {
        let repairs = |words: &str| words.split(';').any(|pair| pair.trim() == format!("apt={pt}"));
        let mut kept: Vec<u8> = self
            .formats()
            .filter(|(of, _, parameters)| *of == pt || repairs(parameters))
            .map(|(of, ..)| of)
            .collect();
        if !kept.contains(&pt) {
            kept.push(pt);
        }
        let is_kept = |of: &str| of.parse().is_ok_and(|of| kept.contains(&of));
        if let Some(first) = self.lines.first_mut() {
            let words = first.split_whitespace().enumerate();
            let words = words
                .filter(|(at, word)| *at < 3 || is_kept(word))
                .map(|(_, word)| word);
            *first = words.collect::<Vec<_>>().join(" ");
        }
        self.lines.retain(|line| {
            let rest = ["a=rtpmap:", "a=fmtp:", "a=rtcp-fb:"]
                .iter()
                .find_map(|name| line.strip_prefix(name));
            rest.and_then(|rest| rest.split(' ').next())
                .is_none_or(|of| of == "*" || is_kept(of))
        });
        self
    }

    /// Whether neither side sends in it.
    pub(crate) fn is_inactive(&self) -> bool {
        self.lines.iter().any(|line| line == "a=inactive")
    }

    fn close(&mut self) {
        if let Some(line) = self.lines.first_mut() {
            let mut words: Vec<&str> = line.split(' ').collect();
            if let Some(port) = words.get_mut(1) {
                *port = "0";
            }
            *line = words.join(" ");
        }
    }

    fn port_is_zero(&self) -> bool {
        self.lines
            .first()
            .is_some_and(|line| line.split_whitespace().nth(1) == Some("0"))
    }

    /// Whether it is rejected or stopped: its port is 0, and not for being in the bundle.
    fn is_closed(&self, bundle: &BTreeSet<&str>) -> bool {
        self.port_is_zero() && !self.mid().is_some_and(|mid| bundle.contains(mid))
    }

    fn has_msid(&self) -> bool {
        self.attribute("msid").is_some()
    }

    /// A section like this one in which the other side only receives.
    pub(crate) fn receiving(&self, mid: &str, stream: &str, track: &str) -> Self {
        const KEPT: [&str; 11] = [
            "a=ice-",
            "a=fingerprint",
            "a=setup",
            "a=extmap:",
            "a=extmap-allow-mixed",
            "a=rtcp:",
            "a=rtcp-mux",
            "a=rtcp-rsize",
            "a=rtpmap",
            "a=fmtp",
            "a=rtcp-fb",
        ];
        let mut lines = Vec::with_capacity(self.lines.len() + 3);
        for line in &self.lines {
            if line.starts_with("m=") {
                let mut words = line.split_whitespace();
                let kind = words.next().unwrap_or("m=audio");
                let rest: Vec<&str> = words.skip(1).collect();
                lines.push(format!("{kind} 9 {}", rest.join(" ")));
                lines.push("c=IN IP4 0.0.0.0".to_owned());
            } else if KEPT.iter().any(|kept| line.starts_with(kept)) {
                lines.push(line.clone());
            }
        }
        lines.push(format!("a=mid:{mid}"));
        lines.push("a=recvonly".to_owned());
        lines.push(format!("a=msid:{stream} {track}"));
        Self { lines }
    }
}

/// The lines of a description that say something.
pub(crate) fn lines_of(text: &str) -> impl Iterator<Item = &str> {
    text.lines().map(str::trim_end).filter(|line| !line.is_empty())
}

#[cfg(test)]
mod tests {
    use std::fmt::Write;

    use proptest::prelude::*;

    use super::*;
    use crate::api::MediaKind;

    const OFFER: &str = "v=0\r\no=- 1 2 IN IP4 127.0.0.1\r\ns=-\r\nt=0 0\r\na=group:BUNDLE 0 1\r\n\
        m=audio 9 UDP/TLS/RTP/SAVPF 111\r\nc=IN IP4 0.0.0.0\r\na=ice-ufrag:x\r\na=setup:active\r\na=mid:0\r\na=sendonly\r\na=rtpmap:111 opus/48000/2\r\n\
        m=video 0 UDP/TLS/RTP/SAVPF 96\r\na=mid:1\r\na=bundle-only\r\na=rid:f send\r\na=rtpmap:96 VP8/90000\r\n\
        m=video 0 UDP/TLS/RTP/SAVPF 96\r\na=mid:2\r\na=inactive\r\n";

    #[test]
    fn it_writes_what_it_read() {
        assert_eq!(Description::read(OFFER).write(), OFFER);
    }

    #[test]
    fn a_closed_place_is_taken() {
        let mut description = Description::read(OFFER);
        let section = description.sections[1].receiving("s1", "stream", "track");
        description.put(Some(2), section);
        let text = description.write();
        assert!(text.contains("a=group:BUNDLE 0 1 s1\r\n"), "{text}");
        let added = text.split("m=video").nth(2).unwrap();
        assert!(added.starts_with(" 9 UDP/TLS/RTP/SAVPF 96\r\n"), "{added}");
        assert!(added.contains("a=rtpmap:96 VP8/90000\r\n") && added.contains("a=msid:stream track\r\n"));
        assert!(!added.contains("a=rid"), "{added}");
        assert_eq!(Description::read(&text).sections.len(), 3);
    }

    #[test]
    fn one_codec_stays_with_its_repair() {
        let text = "m=video 9 UDP/TLS/RTP/SAVPF 96 97 106 107\r\na=mid:1\r\na=rtpmap:96 VP8/90000\r\na=rtcp-fb:96 nack\r\n\
            a=rtpmap:97 rtx/90000\r\na=fmtp:97 apt=96\r\na=rtpmap:106 H264/90000\r\na=rtcp-fb:106 nack\r\na=rtcp-fb:* transport-cc\r\n\
            a=fmtp:106 packetization-mode=1\r\na=rtpmap:107 rtx/90000\r\na=fmtp:107 apt=106\r\n";
        let read = Description::read(text);
        let formats: Vec<_> = read.sections[0].formats().collect();
        assert_eq!(formats[0], (96, "VP8/90000", ""));
        assert_eq!(formats[3], (107, "rtx/90000", "apt=106"));
        assert_eq!(
            read.sections[0].clone().only(106).lines.join("|"),
            "m=video 9 UDP/TLS/RTP/SAVPF 106 107|a=mid:1|a=rtpmap:106 H264/90000|a=rtcp-fb:106 nack|\
             a=rtcp-fb:* transport-cc|a=fmtp:106 packetization-mode=1|a=rtpmap:107 rtx/90000|a=fmtp:107 apt=106"
        );
    }

    #[test]
    fn one_place_at_a_time_is_free_again() {
        let offer = "v=0\r\no=- 1 2 IN IP4 127.0.0.1\r\ns=-\r\nt=0 0\r\na=group:BUNDLE 0 1 12\r\n\
            m=audio 9 UDP/TLS/RTP/SAVPF 111\r\na=mid:0\r\na=inactive\r\na=msid:stream sound\r\n\
            m=video 9 UDP/TLS/RTP/SAVPF 96\r\na=mid:1\r\na=inactive\r\n\
            m=video 9 UDP/TLS/RTP/SAVPF 96\r\na=mid:12\r\na=inactive\r\n";
        let rejected = |offer: &str, mids: &[&str]| {
            let mut description = Description::read(offer);
            description.reject_ended(|section| mids.contains(&section.mid().unwrap()));
            description.write()
        };
        let last = rejected(offer, &["0", "1", "12"]);
        assert!(last.contains("a=group:BUNDLE 0 1\r\n"), "{last}");
        assert!(
            last.contains("m=video 0 UDP/TLS/RTP/SAVPF 96\r\na=mid:12\r\n"),
            "{last}"
        );
        assert_eq!(last.matches(" 0 UDP").count(), 1);
        assert_eq!(rejected(&last, &["0", "1", "12"]), last, "one is free already");
        let named = rejected(offer, &["0", "1"]);
        assert!(named.contains("a=group:BUNDLE 1 12\r\nm=audio 0 "), "{named}");
        assert_eq!(
            rejected(offer, &["1"]),
            offer,
            "the next would be looked for in the wrong place"
        );
        let new = offer.replacen("m=video 9", "m=video 0", 1);
        assert_eq!(
            rejected(&new, &["12"]).matches("m=video 0").count(),
            2,
            "a new one is not free"
        );
    }

    #[derive(Clone, Copy, PartialEq)]
    enum Use {
        Sent,
        Ended,
        Free,
    }

    /// The sections of a browser, as the official client has it use them.
    struct Browser {
        /// Whether what is sent no longer keeps its `msid`.
        names: bool,
        sections: Vec<(MediaKind, usize, Use)>,
        made: usize,
    }

    impl Browser {
        fn offer(&self) -> Description {
            let (mut group, mut lines) = (String::new(), String::new());
            for (kind, mid, used) in &self.sections {
                let (port, direction) = match used {
                    Use::Sent => (9, "sendonly"),
                    Use::Ended => (9, "inactive"),
                    Use::Free => (0, "inactive"),
                };
                let kind = if *kind == MediaKind::Audio {
                    "audio"
                } else {
                    "video"
                };
                let _ = write!(
                    lines,
                    "m={kind} {port} UDP/TLS/RTP/SAVPF 96\r\na=mid:{mid}\r\na={direction}\r\n"
                );
                if *used == Use::Sent || *used == Use::Ended && self.names {
                    lines += "a=msid:stream track\r\n";
                }
                if *used != Use::Free {
                    let _ = write!(group, " {mid}");
                }
            }
            Description::read(&format!("v=0\r\n{BUNDLE}{group}\r\n{lines}"))
        }

        fn negotiate(&mut self) {
            let mut given = self.offer();
            given.reject_ended(Section::is_inactive);
            let bundle = given.bundle();
            for ((.., used), section) in self.sections.iter_mut().zip(&given.sections) {
                if section.is_closed(&bundle) {
                    *used = Use::Free;
                }
            }
        }

        /// Begins to send; whether the client finds it.
        fn begin(&mut self, kind: MediaKind) -> bool {
            self.made += 1;
            let new = (kind, self.made, Use::Sent);
            let mut sections = self.sections.iter_mut();
            match sections.find(|(.., used)| *used == Use::Free) {
                Some(free) => *free = new,
                None => self.sections.push(new),
            }
            let offer = self.offer();
            let video = kind == MediaKind::Video;
            let last = offer.sections.iter().rfind(|section| section.is_video() == video);
            let found = last.is_some_and(Section::has_msid);
            self.negotiate();
            found
        }

        fn end(&mut self, which: usize) {
            let mut sent = self.sections.iter_mut().filter(|(.., used)| *used == Use::Sent);
            if let Some((.., used)) = sent.nth(which) {
                *used = Use::Ended;
            }
            self.negotiate();
        }

        fn count(&self) -> usize {
            self.sections
                .iter()
                .filter(|(.., used)| *used == Use::Sent)
                .count()
        }
    }

    proptest! {
        #[test]
        fn whatever_is_sent_and_ended_the_client_finds_its_track(
            names: bool,
            steps in proptest::collection::vec((any::<bool>(), any::<bool>(), 0usize..4), 0..80),
        ) {
            let mut browser = Browser { names, sections: Vec::new(), made: 0 };
            let mut most = 0;
            for (begin, video, which) in steps {
                if begin {
                    let kind = if video { MediaKind::Video } else { MediaKind::Audio };
                    prop_assert!(browser.begin(kind));
                } else {
                    browser.end(which);
                }
                most = most.max(browser.count());
            }
            if names {
                prop_assert_eq!(browser.sections.len(), most, "nothing is in vain");
            }
        }
    }

    #[test]
    fn an_answer_becomes_an_offer() {
        let offer = Description::read(OFFER).into_offer().write();
        assert!(offer.contains("a=setup:actpass") && !offer.contains("a=setup:active"));
    }
}
