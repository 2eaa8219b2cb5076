//! The plain account that the model test holds a room against: who is where, worked out anew at each step.

use std::collections::{BTreeMap, BTreeSet};

use muster_model::preset::WaitingRoomType::{self, OnPrivilegedUserEntry, Skip, SkipOnAccept};

use crate::harness::{GRACE, KEEP_ALIVE};

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum At {
    Outside,
    Waiting,
    Inside,
}

/// A peer, as the plain account has it.
#[derive(Debug, Clone, Copy)]
pub struct Seat {
    pub at: At,
    /// Since when the connection is lost.
    pub lost: Option<i64>,
}

/// Everything that matters; times are microseconds since the beginning.
#[derive(Default)]
pub struct Account {
    pub seats: BTreeMap<usize, Seat>,
    pub admitted: BTreeSet<usize>,
    pub live: bool,
    /// When the last one left.
    pub empty_since: i64,
    pub now: i64,
}

impl Account {
    pub fn inside(&self) -> BTreeSet<usize> {
        self.at(At::Inside)
    }

    pub fn at(&self, at: At) -> BTreeSet<usize> {
        let here = self.seats.iter().filter(|(_, seat)| seat.at == at);
        here.map(|(peer, _)| *peer).collect()
    }

    pub fn connected_inside(&self, peer: usize) -> bool {
        self.seats
            .get(&peer)
            .is_some_and(|seat| seat.at == At::Inside && seat.lost.is_none())
    }

    /// Participant 0 moderates.
    pub fn moderates(&self, peer: usize) -> bool {
        peer / 2 == 0 && self.connected_inside(peer)
    }

    pub fn remove(&mut self, peer: usize) {
        if let Some(seat) = self.seats.remove(&peer)
            && seat.at == At::Inside
        {
            self.empty_since = self.empty_since.max(seat.lost.unwrap_or(self.now));
        }
    }

    pub fn end(&mut self) {
        self.live = false;
        self.admitted.clear();
    }

    /// What time alone brings about by `now`.
    pub fn settle(&mut self, now: i64) {
        self.now = self.now.max(now);
        let now = self.now;
        let late: Vec<usize> = self
            .seats
            .iter()
            .filter(|(_, seat)| seat.lost.is_some_and(|lost| lost + GRACE <= now))
            .map(|(peer, _)| *peer)
            .collect();
        for peer in late {
            self.remove(peer);
        }
        if self.live && self.inside().is_empty() && self.empty_since + KEEP_ALIVE <= now {
            self.end();
        }
    }

    pub fn join(&mut self, peer: usize, waits: WaitingRoomType) {
        let user = peer / 2;
        let here: Vec<usize> = self.inside().into_iter().collect();
        let must_wait = user != 0
            && !self.admitted.contains(&user)
            && match waits {
                Skip => false,
                SkipOnAccept => true,
                OnPrivilegedUserEntry => !here.iter().any(|other| other / 2 == 0),
            };
        let Some(seat) = self.seats.get_mut(&peer) else {
            return;
        };
        if seat.lost.is_some() || seat.at == At::Inside {
            return;
        }
        if must_wait {
            seat.at = At::Waiting;
            return;
        }
        seat.at = At::Inside;
        if !self.live {
            self.live = true;
            self.empty_since = self.now;
        }
        self.admitted.insert(user);
        if user == 0 && self.at(At::Waiting).iter().any(|waiting| waiting / 2 == 3) {
            self.admitted.insert(3);
        }
    }

    /// When something is due next.
    pub fn due(&self) -> Option<i64> {
        let lost = self.seats.values().filter_map(|seat| seat.lost);
        let grace = lost.map(|lost| lost + GRACE).min();
        let empty = self.live && self.inside().is_empty();
        let end = empty.then_some(self.empty_since + KEEP_ALIVE);
        grace.into_iter().chain(end).min()
    }

    pub fn end_for_all(&mut self) {
        if self.live {
            self.seats.retain(|_, seat| seat.at == At::Outside);
            self.end();
        }
    }
}
