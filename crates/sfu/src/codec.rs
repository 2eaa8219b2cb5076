//! What is forwarded: which codecs, who can receive which, and what of their packets matters.

use str0m::format::{Codec as Kind, CodecConfig, CodecSpec, FormatParams};

use crate::{api::MediaKind, h264, vp8, vp9};

/// Something that is forwarded.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Codec {
    Opus,
    Vp8,
    /// Profile 0, with 8 bits a sample.
    Vp9,
    /// In packetization mode 1.
    H264(Profile),
}

/// A profile of H.264.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Profile {
    ConstrainedBaseline,
    Baseline,
    Main,
    ConstrainedHigh,
    High,
}

/// H.264 as it is offered by default: payload types of packets and of repairs, and profile-level-id. A
/// constrained baseline first, which all browsers decode.
const H264: [(u8, u8, u32); 5] = [
    (106, 107, 0x42_e01f),
    (102, 103, 0x42_001f),
    (127, 125, 0x4d_001f),
    (116, 117, 0x64_0c1f),
    (112, 113, 0x64_001f),
];

/// Has a connection take what is forwarded, what is preferred first.
pub(crate) fn configure(config: &mut CodecConfig) {
    config.clear();
    config.enable_opus(true, false);
    config.enable_vp8(true);
    for (packets, repairs, profile) in H264 {
        config.add_h264(packets.into(), Some(repairs.into()), true, profile);
    }
    config.add_config(
        98.into(),
        Some(99.into()),
        Kind::Vp9,
        str0m::media::Frequency::NINETY_KHZ,
        None,
        FormatParams {
            profile_id: Some(0),
            ..FormatParams::default()
        },
    );
}

impl Profile {
    /// Of a profile-level-id (RFC 6184, table 5).
    fn of(id: u32) -> Option<Self> {
        let [_, profile, constraints, _] = id.to_be_bytes();
        let is = |mask: u8, bits: u8| constraints & mask == bits;
        Some(match profile {
            0x42 if is(0x4f, 0x40) => Self::ConstrainedBaseline,
            0x4d if is(0x8f, 0x80) => Self::ConstrainedBaseline,
            0x58 if is(0xcf, 0xc0) => Self::ConstrainedBaseline,
            0x42 if is(0x4f, 0x00) => Self::Baseline,
            0x58 if is(0xcf, 0x80) => Self::Baseline,
            0x4d if is(0xaf, 0x00) => Self::Main,
            0x64 if is(0xff, 0x0c) => Self::ConstrainedHigh,
            0x64 if is(0xff, 0x00) => Self::High,
            _ => return None,
        })
    }

    /// Decoders of other profiles that can decode this one too, the nearest first.
    fn decoded_by(self) -> &'static [Self] {
        match self {
            Self::ConstrainedBaseline => &[Self::Baseline, Self::Main, Self::ConstrainedHigh, Self::High],
            // Flexible block orders, which the plain profile has beyond the constrained one, are sent by no
            // browser, and each decodes the constrained one alone.
            Self::Baseline => &[
                Self::ConstrainedBaseline,
                Self::Main,
                Self::ConstrainedHigh,
                Self::High,
            ],
            Self::Main | Self::ConstrainedHigh => &[Self::High],
            Self::High => &[],
        }
    }
}

impl Codec {
    /// By the words of a session description: `rtpmap`'s name of the encoding, and `fmtp`.
    pub(crate) fn read(encoding: &str, parameters: &str) -> Option<Self> {
        let (name, _) = encoding.split_once('/')?;
        let parameter = |wanted: &str| {
            let mut pairs = parameters.split(';').filter_map(|pair| pair.split_once('='));
            let (_, value) = pairs.find(|(name, _)| name.trim().eq_ignore_ascii_case(wanted))?;
            Some(value.trim())
        };
        if name.eq_ignore_ascii_case("opus") {
            Some(Self::Opus)
        } else if name.eq_ignore_ascii_case("VP8") {
            Some(Self::Vp8)
        } else if name.eq_ignore_ascii_case("VP9") {
            (parameter("profile-id").unwrap_or("0") == "0").then_some(Self::Vp9)
        } else if name.eq_ignore_ascii_case("H264") && parameter("packetization-mode") == Some("1") {
            let profile = parameter("profile-level-id").map_or(Some(Profile::Baseline), |id| {
                Profile::of(u32::from_str_radix(id, 16).ok()?)
            });
            profile.map(Self::H264)
        } else {
            None
        }
    }

    /// By what str0m negotiated.
    pub(crate) fn of(spec: &CodecSpec) -> Option<Self> {
        let format = &spec.format;
        match spec.codec {
            Kind::Opus => Some(Self::Opus),
            Kind::Vp8 => Some(Self::Vp8),
            Kind::Vp9 => (format.profile_id.unwrap_or(0) == 0).then_some(Self::Vp9),
            Kind::H264 if format.packetization_mode == Some(1) => format
                .profile_level_id
                .map_or(Some(Profile::Baseline), Profile::of)
                .map(Self::H264),
            _ => None,
        }
    }

    pub(crate) fn kind(self) -> MediaKind {
        match self {
            Self::Opus => MediaKind::Audio,
            Self::Vp8 | Self::Vp9 | Self::H264(_) => MediaKind::Video,
        }
    }

    pub(crate) fn mime_type(self) -> &'static str {
        match self {
            Self::Opus => "audio/opus",
            Self::Vp8 => "video/VP8",
            Self::Vp9 => "video/VP9",
            Self::H264(_) => "video/H264",
        }
    }

    /// Ticks of RTP time in a second.
    pub(crate) fn clock_rate(self) -> u32 {
        match self.kind() {
            MediaKind::Audio => 48_000,
            MediaKind::Video => 90_000,
        }
    }

    /// How well a stream of this can be received as another, 0 being best; none where it cannot.
    pub(crate) fn received_as(self, other: Self) -> Option<usize> {
        match (self, other) {
            _ if self == other => Some(0),
            (Self::H264(sent), Self::H264(received)) => {
                let at = sent
                    .decoded_by()
                    .iter()
                    .position(|profile| *profile == received)?;
                Some(at + 1)
            }
            _ => None,
        }
    }

    /// What matters of a picture's packet; none where it does not read.
    pub(crate) fn describe(self, payload: &[u8]) -> Option<Descriptor> {
        match self {
            Self::Opus => None,
            Self::Vp8 => vp8::parse(payload).map(|read| Descriptor {
                start: Start::of(read.starts_key_frame),
                picture_id: read.picture_id,
                tl0_picture_index: read.tl0_picture_index,
            }),
            Self::Vp9 => vp9::parse(payload).map(|read| Descriptor {
                start: Start::of(read.starts_key_frame),
                picture_id: read.picture_id,
                tl0_picture_index: read.tl0_picture_index,
            }),
            Self::H264(_) => h264::parse(payload).map(|start| Descriptor {
                start: match start {
                    h264::Start::Nothing => Start::Nothing,
                    h264::Start::Picture => Start::Bare,
                    h264::Start::ParameterSets => Start::Whole,
                },
                picture_id: None,
                tl0_picture_index: None,
            }),
        }
    }
}

/// What begins with a packet.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Start {
    /// No key frame.
    Nothing,
    /// A key frame that needs something sent apart from it.
    Bare,
    /// A key frame that can be decoded.
    Whole,
}

impl Start {
    fn of(starts_key_frame: bool) -> Self {
        if starts_key_frame {
            Self::Whole
        } else {
            Self::Nothing
        }
    }
}

/// What matters of a picture's packet.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Descriptor {
    pub start: Start,
    /// The number of the picture and how many bits it has (7 or 15).
    pub picture_id: Option<(u16, u8)>,
    /// The running number of pictures in the lowest temporal layer.
    pub tl0_picture_index: Option<u8>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_browsers_offer() {
        let h264 = |id| format!("level-asymmetry-allowed=1;packetization-mode=1;profile-level-id={id}");
        let cases = [
            (
                "opus/48000/2",
                "minptime=10;useinbandfec=1".to_owned(),
                Some(Codec::Opus),
            ),
            ("VP8/90000", String::new(), Some(Codec::Vp8)),
            ("VP9/90000", "profile-id=0".to_owned(), Some(Codec::Vp9)),
            ("VP9/90000", String::new(), Some(Codec::Vp9)),
            ("VP9/90000", "profile-id=2".to_owned(), None),
            ("AV1/90000", "level-idx=5;profile=0;tier=0".to_owned(), None),
            (
                "H264/90000",
                h264("42e01f"),
                Some(Codec::H264(Profile::ConstrainedBaseline)),
            ),
            ("H264/90000", h264("42001f"), Some(Codec::H264(Profile::Baseline))),
            ("H264/90000", h264("4d001f"), Some(Codec::H264(Profile::Main))),
            ("H264/90000", h264("64001F"), Some(Codec::H264(Profile::High))),
            (
                "H264/90000",
                h264("640c34"),
                Some(Codec::H264(Profile::ConstrainedHigh)),
            ),
            ("H264/90000", h264("f4001f"), None),
            ("H264/90000", h264("nonsense"), None),
            (
                "H264/90000",
                "packetization-mode=0;profile-level-id=42e01f".to_owned(),
                None,
            ),
            ("H264/90000", "profile-level-id=42e01f".to_owned(), None),
            ("rtx/90000", "apt=96".to_owned(), None),
            ("VP8", String::new(), None),
        ];
        for (encoding, parameters, expected) in cases {
            assert_eq!(
                Codec::read(encoding, &parameters),
                expected,
                "{encoding} {parameters}"
            );
        }
    }

    #[test]
    fn what_is_negotiated_is_what_is_forwarded() {
        let mut config = CodecConfig::empty();
        configure(&mut config);
        let codecs: Vec<_> = config.params().iter().map(|p| Codec::of(&p.spec())).collect();
        assert_eq!(
            codecs[..3],
            [
                Some(Codec::Opus),
                Some(Codec::Vp8),
                Some(Codec::H264(Profile::ConstrainedBaseline))
            ]
        );
        assert!(codecs.iter().all(Option::is_some), "{codecs:?}");
    }

    #[test]
    fn who_can_decode_more_receives_less() {
        let [simple, plain, main, high] = [
            Profile::ConstrainedBaseline,
            Profile::Baseline,
            Profile::Main,
            Profile::High,
        ]
        .map(Codec::H264);
        assert_eq!(simple.received_as(simple), Some(0));
        assert!(simple.received_as(plain) < simple.received_as(high));
        assert!(plain.received_as(simple).is_some() && main.received_as(high).is_some());
        assert_eq!(high.received_as(simple), None);
        assert_eq!(main.received_as(plain), None);
        assert_eq!(Codec::Vp8.received_as(Codec::Vp9), None);
        assert_eq!(Codec::Vp9.received_as(simple), None);
    }
}
