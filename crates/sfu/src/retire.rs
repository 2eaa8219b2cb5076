//! Making a client replace its sending connection.
//!
//! The official client never uses a section of its own offers again, so that they grow with every screen
//! that is shared. It does make a connection anew, with all that it sends, when ICE fails there, and a
//! browser takes ICE for failed at once when a check is refused. Until the new connection is there, media
//! goes on over the old one.

use std::time::{Duration, Instant};

use crate::{sfu::Sfu, stun};

/// Sections of a sending connection at which it should be replaced.
const SECTIONS: usize = 30;
/// How many more there have to be for another try.
const SECTIONS_MORE: usize = 20;
/// How long checks are refused. A client that is not impressed by then keeps its connection.
const PATIENCE: Duration = Duration::from_secs(8);

/// Whether and when a connection is to be replaced.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Retirement {
    at: usize,
    until: Option<Instant>,
}

impl Default for Retirement {
    fn default() -> Self {
        Self {
            at: SECTIONS,
            until: None,
        }
    }
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
        let shares = self
            .producers
            .iter()
            .any(|(_, producer)| producer.transport == place && producer.screen_share);
        let sections = transport.view.sections.len();
        if shares || transport.consuming || sections < transport.retirement.at {
            return;
        }
        if let Some(transport) = self.transports.get_mut(place) {
            transport.retirement = Retirement {
                at: sections + SECTIONS_MORE,
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
