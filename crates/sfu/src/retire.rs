//! Making a client replace its sending connection.
//!
//! Of what the official client has ceased to send only the last section can be used again (see
//! `Description::reject_ended`), so that its offers grow with every screen that is shared with its sound. It does make a connection anew, with all that it sends, when ICE is down there for two
//! seconds, and a browser takes ICE for down at once when a check is refused. What is sent pauses
//! meanwhile, so that a moment in which nothing is sent is better.

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
