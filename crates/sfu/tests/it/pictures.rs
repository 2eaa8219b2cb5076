//! Packets of pictures as encoders make them, without anything in the pictures.

use muster_sfu::{h264, vp8, vp9};
use str0m::{
    format::{Codec, CodecConfig, FormatParams},
    media::Frequency,
};

/// Adds a codec to what a client offers.
pub fn offer(config: &mut CodecConfig, codec: Codec, rtx: bool) {
    let (pt, format) = match codec {
        Codec::Vp8 => (96, FormatParams::default()),
        Codec::Vp9 => (
            98,
            FormatParams {
                profile_id: Some(0),
                ..FormatParams::default()
            },
        ),
        Codec::H264 => {
            // As Chromium numbers them, with a mode that is not forwarded first.
            for (pt, mode, profile) in [
                (104, false, 0x42_001f),
                (102, true, 0x42_001f),
                (106, true, 0x42_e01f),
            ] {
                config.add_h264(pt.into(), rtx.then(|| (pt + 1).into()), mode, profile);
            }
            return;
        }
        other => panic!("{other:?}"),
    };
    let repairs = rtx.then(|| (pt + 1).into());
    config.add_config(pt.into(), repairs, codec, Frequency::NINETY_KHZ, None, format);
}

/// One packet of a picture.
pub struct Picture {
    pub number: u16,
    pub index: u8,
    pub key: bool,
    pub part: usize,
    pub parts: usize,
}

impl Picture {
    fn is_first(&self) -> bool {
        self.part == 0
    }

    fn is_last(&self) -> bool {
        self.part + 1 == self.parts
    }

    /// What comes before the bytes of the picture.
    pub fn header(&self, codec: Codec) -> Vec<u8> {
        match codec {
            Codec::H264 => self.h264(),
            Codec::Vp9 => self.vp9(),
            _ => self.vp8(),
        }
    }

    fn vp8(&self) -> Vec<u8> {
        let mut header = vec![if self.is_first() { 0x90 } else { 0x80 }, 0xe0];
        header.extend((self.number | 0x8000).to_be_bytes());
        header.extend([self.index, 0x20, u8::from(!(self.key && self.is_first()))]);
        header
    }

    /// The first packet is of the lowest of two spatial layers, the others of the one above.
    fn vp9(&self) -> Vec<u8> {
        let begins = self.part < 2;
        let ends = self.is_first() || self.is_last();
        let flags = 0xa0 | u8::from(!self.key) << 6 | u8::from(begins) << 3 | u8::from(ends) << 2;
        let mut header = vec![flags];
        header.extend((self.number | 0x8000).to_be_bytes());
        header.extend([
            u8::from(!self.is_first()) << 1 | u8::from(!self.is_first()),
            self.index,
        ]);
        header
    }

    /// A key frame is parameter sets and then fragments of a picture; others are fragments alone. A picture of
    /// one packet is an aggregate of all.
    fn h264(&self) -> Vec<u8> {
        let sets = [0, 4, 0x67, 0x42, 0xe0, 0x1f, 0, 2, 0x68, 0xce];
        let kind: u8 = if self.key { 0x65 } else { 0x41 };
        match (self.key, self.parts) {
            // The last size is not known yet.
            (true, 1) => [&[0x78][..], &sets, &[0, 0, kind, 0x88]].concat(),
            (true, _) if self.is_first() => [&[0x78][..], &sets, &[0, 0, 6, 0]].concat(),
            (false, 1) => vec![kind, 0x9a],
            (key, _) => {
                let begins = self.part == usize::from(key);
                let flags = u8::from(begins) << 7 | u8::from(self.is_last()) << 6;
                vec![0x7c, flags | (kind & 0x1f), 0x88]
            }
        }
    }
}

/// Writes the size of the last unit of an aggregate.
pub fn seal(codec: Codec, payload: &mut [u8]) {
    if codec == Codec::H264 && payload[0] == 0x78 {
        let size = u16::try_from(payload.len() - 13).unwrap();
        payload[11..13].copy_from_slice(&size.to_be_bytes());
    }
}

/// Whether a key frame can be decoded from this packet on.
pub fn starts_key_frame(codec: Codec, payload: &[u8]) -> bool {
    match codec {
        Codec::H264 => h264::parse(payload).unwrap() == h264::Start::ParameterSets,
        Codec::Vp9 => vp9::parse(payload).unwrap().starts_key_frame,
        _ => vp8::parse(payload).unwrap().starts_key_frame,
    }
}

/// The number of the picture, where the codec has one.
pub fn number(codec: Codec, payload: &[u8]) -> Option<u16> {
    let (id, _) = match codec {
        Codec::H264 => return None,
        Codec::Vp9 => vp9::parse(payload).unwrap().picture_id?,
        _ => vp8::parse(payload).unwrap().picture_id?,
    };
    Some(id)
}
