//! Connections that ended here while their clients may still hold them for alive.
//!
//! A browser whose checks are not answered needs five seconds to take ICE for down; one whose check is refused
//! knows at once, and the official client then makes the connection anew. So what a connection's checks are
//! proven by is kept for a while, to refuse those that come after its end. Who does not know its password gets
//! no answer, as before.

use std::{
    collections::{HashMap, VecDeque},
    time::{Duration, Instant},
};

use crate::stun;

/// How long checks are refused: longer than a browser takes to notice by itself.
const REMEMBERED: Duration = Duration::from_secs(30);
/// Connections that are remembered at most.
const MOST: usize = 4_096;

/// The latest connections that ended.
#[derive(Debug, Default)]
pub(crate) struct Departed {
    /// Passwords by user fragment.
    passwords: HashMap<String, String>,
    /// When which ended, the earliest first.
    ends: VecDeque<(Instant, String)>,
}

impl Departed {
    /// Remembers a connection that ends now.
    pub(crate) fn note(&mut self, now: Instant, fragment: String, password: String) {
        if self.ends.len() >= MOST {
            self.forget_first();
        }
        self.passwords.insert(fragment.clone(), password);
        self.ends.push_back((now, fragment));
    }

    /// Forgets what ended long ago.
    pub(crate) fn tick(&mut self, now: Instant) {
        let is_old = |(at, _): &(Instant, String)| now.saturating_duration_since(*at) >= REMEMBERED;
        while self.ends.front().is_some_and(is_old) {
            self.forget_first();
        }
    }

    fn forget_first(&mut self) {
        if let Some((_, fragment)) = self.ends.pop_front() {
            self.passwords.remove(&fragment);
        }
    }

    /// The refusal of a check of one of these connections; `hmac` is HMAC-SHA1 with the password that comes first.
    pub(crate) fn refusal(
        &self,
        datagram: &[u8],
        hmac: impl Fn(&[u8], &[&[u8]]) -> [u8; 20],
    ) -> Option<Vec<u8>> {
        let password = self.passwords.get(stun::addressee(datagram)?)?;
        stun::refusal(datagram, |payloads| hmac(password.as_bytes(), payloads))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        api::{Command, Protocol},
        world::{SERVER, World},
    };

    const SECOND: Duration = Duration::from_secs(1);

    #[test]
    fn few_are_remembered_and_not_for_ever() {
        let mut departed = Departed::default();
        let start = Instant::now();
        for end in 0..MOST + 100 {
            departed.note(start, end.to_string(), String::new());
        }
        assert_eq!((departed.ends.len(), departed.passwords.len()), (MOST, MOST));
        assert!(!departed.passwords.contains_key("99") && departed.passwords.contains_key("100"));
        departed.note(start + SECOND, "later".to_owned(), String::new());
        departed.tick(start + REMEMBERED);
        assert_eq!(departed.passwords.keys().collect::<Vec<_>>(), ["later"]);
        departed.tick(start + REMEMBERED + SECOND);
        assert!(departed.ends.is_empty() && departed.passwords.is_empty());
    }

    /// What is sent in answer to a datagram from somewhere new.
    fn answers(world: &mut World, datagram: &[u8]) -> Vec<Vec<u8>> {
        let source = "10.0.9.9:999".parse().unwrap();
        let server = SERVER.parse().unwrap();
        world.sfu.take_in(Protocol::Udp, source, server, datagram);
        let all = std::iter::from_fn(|| world.sfu.poll_transmit());
        all.filter(|sent| sent.to == source)
            .map(|sent| sent.bytes)
            .collect()
    }

    #[test]
    fn a_check_after_the_end_is_refused_if_it_is_authentic() {
        let mut world = World::new(9);
        let ana = world.join();
        let peer = world.clients[ana].peer;
        let place = world.sfu.peer_mut(world.meeting, peer).unwrap().sending.unwrap();
        let transport = &mut world.sfu.transports[place];
        let (fragment, password) = (transport.fragment.clone(), transport.link.password());
        let hmac = world.sfu.crypto.sha1_hmac_provider;
        let check = |password: &str| {
            stun::tests::authentic(&format!("{fragment}:theirs"), |payloads| {
                hmac.sha1_hmac(password.as_bytes(), payloads)
            })
        };
        world.command(ana, Command::RemovePeer);
        let refused = answers(&mut world, &check(&password));
        assert!(
            matches!(&refused[..], [answer] if answer[..2] == [1, 0x11]),
            "{refused:?}"
        );
        assert!(refused[0].len() <= check(&password).len(), "nothing grows");
        assert!(answers(&mut world, &check("another password of this length")).is_empty());
        let strange = stun::tests::authentic("nobody:theirs", |payloads| {
            hmac.sha1_hmac(password.as_bytes(), payloads)
        });
        assert!(answers(&mut world, &strange).is_empty());
        world.run(REMEMBERED + SECOND);
        assert!(answers(&mut world, &check(&password)).is_empty());
    }
}
