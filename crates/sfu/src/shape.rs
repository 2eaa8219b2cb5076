//! What a session description from outside may look like.

use crate::{
    api::{Caps, MediaError},
    sdp::{BUNDLE, lines_of},
};

/// Lines before the first section; browsers write a dozen.
const SESSION_LINES: usize = 64;
/// Lines of a section. Chromium writes some 150 for a camera with all its codecs and layers.
const SECTION_LINES: usize = 400;
/// Bytes of a section, likewise some 8,000.
const SECTION_BYTES: usize = 64 << 10;
/// Bytes of a line.
const LINE_BYTES: usize = 4 << 10;
/// Bytes of a line before the first section: the bundle group names every section.
const SESSION_LINE_BYTES: usize = 16 << 10;
/// Words of an `m=` line: there are 128 payload types.
const MEDIA_WORDS: usize = 140;
/// Bytes of the name of a section; str0m cuts longer ones off.
const MID_BYTES: usize = 16;

/// Refuses what is longer than `caps` allows, or of a shape that no browser makes: the work and the memory that a
/// description costs grow with these numbers multiplied.
pub(crate) fn check(text: &str, caps: &Caps) -> Result<(), MediaError> {
    if text.len() > caps.description {
        return Err(MediaError::TooMany("bytes"));
    }
    let (mut sections, mut lines, mut bytes, mut groups) = (0, 0, 0, 0);
    for line in lines_of(text) {
        if line.starts_with("m=") {
            sections += 1;
            (lines, bytes) = (0, 0);
            refuse_beyond(
                MEDIA_WORDS,
                line.split_whitespace().count(),
                "words in an m= line",
            )?;
        }
        lines += 1;
        bytes += line.len();
        if sections == 0 {
            groups += usize::from(line.starts_with(BUNDLE));
            refuse_beyond(SESSION_LINES, lines, "lines")?;
            refuse_beyond(SESSION_LINE_BYTES, line.len(), "bytes in a line")?;
            refuse_beyond(1, groups, "bundle groups")?;
        } else {
            refuse_beyond(SECTION_LINES, lines, "lines in a section")?;
            refuse_beyond(SECTION_BYTES, bytes, "bytes in a section")?;
            refuse_beyond(LINE_BYTES, line.len(), "bytes in a line")?;
            let mid = line.strip_prefix("a=mid:").unwrap_or_default().trim();
            refuse_beyond(MID_BYTES, mid.len(), "bytes in a mid")?;
        }
        if sections > caps.sections {
            return Err(MediaError::TooMany("sections"));
        }
    }
    Ok(())
}

fn refuse_beyond(bound: usize, count: usize, of_what: &str) -> Result<(), MediaError> {
    if count > bound {
        return Err(MediaError::InvalidDescription(format!("too many {of_what}")));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use std::fmt::Write;

    use super::*;
    use crate::sdp::Description;

    /// An offer as Chromium's, of so many cameras: 45 payload types and three layers by two SSRCs each.
    fn of_chromium(cameras: usize) -> String {
        let mids: Vec<String> = (0..cameras).map(|mid| mid.to_string()).collect();
        let types: Vec<u8> = (83..128).collect();
        let mut text = format!(
            "v=0\r\no=- 4611731400430051336 2 IN IP4 127.0.0.1\r\ns=-\r\nt=0 0\r\n{BUNDLE} {}\r\n\
             a=extmap-allow-mixed\r\na=msid-semantic: WMS 2c5ab0f4-0d5b-4b6f-9f5c-0f0d5d1f7a10\r\n",
            mids.join(" ")
        );
        for mid in mids {
            let words: Vec<String> = types.iter().map(u8::to_string).collect();
            write!(
                text,
                "m=video 9 UDP/TLS/RTP/SAVPF {}\r\na=mid:{mid}\r\n",
                words.join(" ")
            )
            .unwrap();
            for pt in &types {
                write!(text, "a=rtpmap:{pt} H264/90000\r\n").unwrap();
                for feedback in ["goog-remb", "transport-cc", "ccm fir", "nack", "nack pli"] {
                    write!(text, "a=rtcp-fb:{pt} {feedback}\r\n").unwrap();
                }
                write!(
                    text,
                    "a=fmtp:{pt} level-asymmetry-allowed=1;packetization-mode=1;profile-level-id=42001f\r\n"
                )
                .unwrap();
            }
            for ssrc in 0..6 {
                write!(
                    text,
                    "a=ssrc:{ssrc} cname:4TOk42mSjMCkVIa6\r\na=ssrc:{ssrc} msid:- {mid}\r\n"
                )
                .unwrap();
            }
        }
        text
    }

    #[test]
    fn what_browsers_offer_is_read_in_full() {
        let caps = Caps::default();
        for cameras in [1, 40] {
            let offer = of_chromium(cameras);
            assert_eq!(Description::received(&offer, &caps).unwrap().write(), offer);
        }
        let (mut group, mut many) = (String::new(), String::new());
        for mid in 0..600 {
            write!(group, " s4294{mid:06}").unwrap();
            write!(many, "m=audio 9 UDP/TLS/RTP/SAVPF 111\r\na=mid:s4294{mid:06}\r\n").unwrap();
        }
        let offer = format!("v=0\r\n{BUNDLE}{group}\r\n{many}");
        assert_eq!(Description::received(&offer, &caps).unwrap().write(), offer);
        assert_eq!(
            Description::received(&format!("{offer}m=audio 9 UDP/TLS/RTP/SAVPF 111\r\n"), &caps),
            Err(MediaError::TooMany("sections"))
        );
        assert_eq!(
            Description::received(&"\r\n".repeat(caps.description), &caps),
            Err(MediaError::TooMany("bytes"))
        );
    }

    #[test]
    fn a_shape_that_no_browser_makes_is_refused() {
        let section = "m=video 9 UDP/TLS/RTP/SAVPF 96\r\na=mid:0\r\n";
        // The session's lines, the section's further ones, and what the refusal names.
        let bounds: [(&str, usize, &str, usize, &str); 6] = [
            ("a=x\r\n", SESSION_LINES - 1, "", 0, "lines"),
            ("a=group:BUNDLE 0\r\n", 1, "", 0, "bundle groups"),
            ("", 0, "a=y\r\n", SECTION_LINES - 2, "lines in a section"),
            ("", 0, "z", LINE_BYTES, "bytes in a line"),
            ("", 0, "m=video 9 UDP/TLS/RTP/SAVPF", 0, "words in an m= line"),
            ("", 0, "a=mid:", 0, "bytes in a mid"),
        ];
        for (session, sessions, line, lines, why) in bounds {
            let offer = |more: usize| {
                let own = match why {
                    "words in an m= line" => format!("{line}{}", " 96".repeat(MEDIA_WORDS - 3 + more)),
                    "bytes in a mid" => format!("{line}{}", "7".repeat(MID_BYTES + more)),
                    _ => line.repeat(if lines == 0 { 0 } else { lines + more }),
                };
                let session = session.repeat(if sessions == 0 { 0 } else { sessions + more });
                format!("v=0\r\n{session}{section}{own}\r\n")
            };
            let read = |more| Description::received(&offer(more), &Caps::default());
            assert!(read(0).is_ok(), "{why}: {:?}", read(0));
            let refused = MediaError::InvalidDescription(format!("too many {why}"));
            assert_eq!(read(1), Err(refused));
        }
        let long = format!("{section}{}", format!("a={}\r\n", "x".repeat(4_000)).repeat(17));
        assert_eq!(
            Description::received(&long, &Caps::default()),
            Err(MediaError::InvalidDescription(
                "too many bytes in a section".to_owned()
            ))
        );
    }
}
