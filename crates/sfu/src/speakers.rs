//! Who speaks, by the audio levels that clients put into packets (RFC 6464).

use std::{
    collections::BTreeMap,
    time::{Duration, Instant},
};

use muster_model::PeerId;

/// Levels are 0 (silence) to 127 (the loudest there is).
const SPEECH: f32 = 75.0;
/// How much louder one has to be to take the word from a speaker.
const LOUDER: f32 = 6.0;
/// For how long one has to be loud before one counts.
const PATIENCE: Duration = Duration::from_millis(500);
/// How long a speaker stays while still loud.
const DWELL: Duration = Duration::from_millis(1_500);
/// How long a speaker may pause for breath.
const BREATH: Duration = Duration::from_millis(900);
/// How many are told.
const TOLD: usize = 10;

#[derive(Debug, Default)]
struct Voice {
    sum: u32,
    packets: u32,
    level: f32,
    loud_since: Option<Instant>,
    last_loud: Option<Instant>,
}

/// The voices of one room.
#[derive(Debug, Default)]
pub(crate) struct Speakers {
    voices: BTreeMap<PeerId, Voice>,
    active: Option<(PeerId, Instant)>,
}

impl Speakers {
    /// A packet came; `level` as in the extension, 0 down to −127.
    pub(crate) fn heard(&mut self, peer: PeerId, level: i8) {
        let voice = self.voices.entry(peer).or_default();
        voice.sum += u32::from(127 - level.unsigned_abs().min(127));
        voice.packets += 1;
    }

    /// Forgets a peer.
    pub(crate) fn forget(&mut self, peer: PeerId) {
        self.voices.remove(&peer);
        if self.active.is_some_and(|(active, _)| active == peer) {
            self.active = None;
        }
    }

    /// Decides anew; the order of speakers when the first changed.
    pub(crate) fn tick(&mut self, now: Instant) -> Option<Vec<PeerId>> {
        for voice in self.voices.values_mut() {
            #[expect(clippy::cast_precision_loss)]
            let level = if voice.packets == 0 {
                0.0
            } else {
                voice.sum as f32 / voice.packets as f32
            };
            voice.level += (level - voice.level) * if level > voice.level { 0.6 } else { 0.4 };
            voice.sum = 0;
            voice.packets = 0;
            if voice.level >= SPEECH {
                voice.loud_since.get_or_insert(now);
                voice.last_loud = Some(now);
            } else {
                voice.loud_since = None;
            }
        }
        let patient = |voice: &Voice| {
            voice
                .loud_since
                .is_some_and(|since| now.saturating_duration_since(since) >= PATIENCE)
        };
        let loudest = self.voices.iter().filter(|(_, voice)| patient(voice));
        let (challenger, level) = loudest
            .map(|(peer, voice)| (*peer, voice.level))
            .max_by(|a, b| a.1.total_cmp(&b.1))?;
        if let Some((active, since)) = self.active {
            if active == challenger {
                return None;
            }
            let voice = self.voices.get(&active);
            let silent = voice
                .and_then(|voice| voice.last_loud)
                .is_none_or(|last| now.saturating_duration_since(last) >= BREATH);
            let stays = now.saturating_duration_since(since) < DWELL
                || voice.is_some_and(|voice| voice.level + LOUDER > level);
            if !silent && stays {
                return None;
            }
        }
        self.active = Some((challenger, now));
        Some(self.order(challenger))
    }

    /// The first, then whoever spoke last.
    fn order(&self, first: PeerId) -> Vec<PeerId> {
        let mut others: Vec<(Instant, PeerId)> = self
            .voices
            .iter()
            .filter(|(peer, _)| **peer != first)
            .filter_map(|(peer, voice)| Some((voice.last_loud?, *peer)))
            .collect();
        others.sort_by(|a, b| b.cmp(a));
        std::iter::once(first)
            .chain(others.into_iter().map(|(_, peer)| peer))
            .take(TOLD)
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Lets two people talk for a while, at levels of their own; every change is returned.
    fn talk(speakers: &mut Speakers, now: &mut Instant, millis: u64, levels: &[(PeerId, i8)]) -> Vec<PeerId> {
        let mut changes = Vec::new();
        for _ in 0..millis / 200 {
            for (peer, level) in levels {
                for _ in 0..10 {
                    speakers.heard(*peer, *level);
                }
            }
            *now += Duration::from_millis(200);
            changes.extend(speakers.tick(*now).map(|order| order[0]));
        }
        changes
    }

    #[test]
    fn the_word_goes_round() {
        let (a, b) = (PeerId::random(), PeerId::random());
        let mut speakers = Speakers::default();
        let mut now = Instant::now();
        assert_eq!(talk(&mut speakers, &mut now, 2_000, &[(a, -30), (b, -90)]), [a]);
        assert!(
            talk(&mut speakers, &mut now, 400, &[(a, -90), (b, -30)]).is_empty(),
            "a cough"
        );
        assert!(
            talk(&mut speakers, &mut now, 2_000, &[(a, -30), (b, -29)]).is_empty(),
            "as loud"
        );
        assert_eq!(talk(&mut speakers, &mut now, 3_000, &[(a, -90), (b, -30)]), [b]);
        assert!(
            talk(&mut speakers, &mut now, 3_000, &[(a, -80), (b, -80)]).is_empty(),
            "silence keeps the last"
        );
    }

    #[test]
    fn who_left_is_no_speaker() {
        let (a, b) = (PeerId::random(), PeerId::random());
        let mut speakers = Speakers::default();
        let mut now = Instant::now();
        talk(&mut speakers, &mut now, 2_000, &[(a, -20), (b, -40)]);
        speakers.forget(a);
        assert_eq!(talk(&mut speakers, &mut now, 1_000, &[(b, -40)]), [b]);
    }
}
