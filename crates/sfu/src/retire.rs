//! Making a client replace its sending connection.
//!
//! Where inactive sections have no `msid`, as in Firefox, of what the official client has ceased to send only the
//! last section can be used again (see `Description::reject_ended`), so that its offers grow with what it sends
//! anew. It does make a connection anew, with all that it sends, when ICE has failed there, or is down for two
//! seconds, and a browser takes ICE for down at once when a check is refused. What is sent pauses meanwhile,
//! so that a moment in which nothing is sent is better.
//!
//! Chromium never says that ICE has failed, only that it is down, and the client's timer of two seconds is all that
//! is left then: nothing else that a server says has it replace that connection alone. There the pause would be
//! of some three seconds, but there all sections can be used again.

use std::time::{Duration, Instant};

use crate::{sfu::Sfu, stun};

/// Sections of a sending connection at which it should be replaced.
const SECTIONS: usize = 24;
/// The same while something is sent, which is then not for some seconds.
const SECTIONS_BUSY: usize = 36;
/// How many more there have to be for another try.
const SECTIONS_MORE: usize = 20;
/// How long checks are refused. A client that is not impressed by then keeps its connection.
const PATIENCE: Duration = Duration::from_secs(8);

/// Whether and when a connection is to be replaced.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Retirement {
    /// How many sections there were at the last try.
    tried: usize,
    until: Option<Instant>,
}

impl Retirement {
    fn is_on(&self, now: Instant) -> bool {
        self.until.is_some_and(|until| now < until)
    }
}

impl Sfu {
    /// Has a sending connection replaced if it has grown too much. While a screen is shared is not the moment.
    pub(crate) fn consider_retirement(&mut self, place: usize) {
        let now = self.now;
        let Some(transport) = self.transports.get(place) else {
            return;
        };
        let own = || self.producers.iter().filter(|(_, p)| p.transport == place);
        let busy = own().any(|(_, producer)| producer.is_live());
        let at = match transport.retirement.tried {
            0 if busy => SECTIONS_BUSY,
            0 => SECTIONS,
            tried => tried + SECTIONS_MORE,
        };
        let shares = own().any(|(_, producer)| producer.screen_share);
        let sections = transport.view.sections.len();
        if shares || transport.consuming || sections < at {
            return;
        }
        if let Some(transport) = self.transports.get_mut(place) {
            transport.retirement = Retirement {
                tried: sections,
                until: Some(now + PATIENCE),
            };
        }
    }

    /// The refusal of an authentic check, if the connection is to be replaced; the message is dealt with then.
    pub(crate) fn refusal(&mut self, place: usize, datagram: &[u8]) -> Option<Vec<u8>> {
        let transport = self.transports.get_mut(place)?;
        if !transport.retirement.is_on(self.now) {
            return None;
        }
        let password = transport.link.password();
        let hmac = self.crypto.sha1_hmac_provider;
        stun::refusal(datagram, |payloads| hmac.sha1_hmac(password.as_bytes(), payloads))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        api::{Command, MediaKind, Reply},
        world::World,
    };

    /// Shares a screen for a moment, in a section of its own; whether the connection is to be replaced then.
    fn share(world: &mut World, client: usize, place: usize) -> bool {
        let (producer, mid) = world.produce(client, MediaKind::Video, &[], true);
        assert!(
            !world.sfu.transports[place].retirement.is_on(world.now),
            "not while shared"
        );
        let offer = world.clients[client].offer_inactive(mid);
        let Reply::Answer(answer) = world.command(client, Command::CloseProducer { producer, offer }) else {
            panic!("not closed")
        };
        world.clients[client].send.answered(&answer);
        world.sfu.transports[place].retirement.is_on(world.now)
    }

    /// Somebody, and the place of the sending connection.
    fn somebody(world: &mut World) -> (usize, usize) {
        let client = world.join();
        let peer = world.clients[client].peer;
        let place = world.sfu.peer_mut(world.meeting, peer).unwrap().sending;
        (client, place.unwrap())
    }

    #[test]
    fn what_is_sent_anew_after_cuts_counts_too() {
        let mut world = World::new(9);
        let (ana, place) = somebody(&mut world);
        while !world.sfu.transports[place].retirement.is_on(world.now) {
            world.command(ana, Command::Rejoined);
            world.produce(ana, MediaKind::Audio, &[], false);
        }
        assert_eq!(world.sfu.transports[place].view.sections.len(), SECTIONS_BUSY);
    }

    #[test]
    fn a_connection_that_has_grown_is_replaced_best_while_nothing_is_sent() {
        for quiet in [false, true] {
            let mut world = World::new(8);
            let (ana, place) = somebody(&mut world);
            let (producer, _) = world.produce(ana, MediaKind::Audio, &[], false);
            while world.sfu.transports[place].view.sections.len() + 1 < SECTIONS {
                assert!(!share(&mut world, ana, place));
            }
            if quiet {
                let pause = true;
                world.command(ana, Command::ToggleProducer { producer, pause });
            }
            while !share(&mut world, ana, place) {}
            let sections = world.sfu.transports[place].view.sections.len();
            assert_eq!(sections, if quiet { SECTIONS } else { SECTIONS_BUSY });

            let own = world.clients[ana].send.address;
            let check = (0..100).find_map(|_| {
                world.now += Duration::from_millis(100);
                world.clients[ana].tick(world.now);
                let mut sent = world.clients[ana].out.drain(..);
                sent.find(|(from, _, bytes)| *from == own && stun::addressee(bytes).is_some())
            });
            let (.., check) = check.unwrap();
            world.sfu.advance(world.now);
            assert!(world.sfu.refusal(place, &check).is_some());
            world.sfu.advance(world.now + PATIENCE);
            assert!(world.sfu.refusal(place, &check).is_none(), "not for ever");
        }
    }
}
