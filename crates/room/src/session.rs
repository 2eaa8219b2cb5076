//! When the session begins, how long it outlives its people, and how it goes on after a crash.

use std::{collections::BTreeSet, sync::Arc};

use muster_model::{
    PeerId, SessionId, Timestamp,
    chat::ChatMessage,
    event::{DomainEvent, EndReason},
    poll::Poll,
    session::SessionKind,
};

use crate::{
    effect::{CloseReason, Effect, Event, Stage},
    input::Person,
    people::{Peer, Place},
    room::Room,
};

/// How often at most those inside are told how many they are, in microseconds.
const COUNT_EVERY: i64 = 1_000_000;

/// The session a room goes on with, as the store has it.
#[derive(Debug, Clone)]
pub struct Resumed {
    /// The session.
    pub session: SessionId,
    /// When it began.
    pub started_at: Timestamp,
    /// When the room was last known to be alive: those who do not come back left then.
    pub alive_at: Timestamp,
    /// Who was inside: peer, record of its stay, and who it is. They may come back within the grace period.
    pub inside: Vec<(PeerId, PeerId, Arc<Person>)>,
    /// Participants who were inside at any time, and not sent away since: they need no letting in.
    pub admitted: Vec<muster_model::ParticipantId>,
    /// Messages, oldest first.
    pub chat: Vec<ChatMessage>,
    /// Polls, oldest first.
    pub polls: Vec<Poll>,
    /// Breakout rooms, in the order in which they were made.
    pub connected_rooms: Vec<(muster_model::MeetingId, String)>,
}

/// The session that is live, if one is, and everything that is due at some time.
#[derive(Debug, Default)]
pub(crate) struct Clock {
    now: Option<Timestamp>,
    live: Option<Live>,
    /// How many are inside.
    inside: u64,
    /// How many of them came to a livestream: their clients show the number of all.
    watching: u64,
    /// Peers whose connection is lost, by the time until which they may come back.
    lost: BTreeSet<(Timestamp, PeerId)>,
    /// When those inside were last told how many they are, and whether that number changed since.
    count_told_at: Option<Timestamp>,
    count_changed: bool,
}

#[derive(Debug)]
struct Live {
    session: SessionId,
    started_at: Timestamp,
    /// When the last one left; counts while nobody is inside.
    empty_since: Timestamp,
    /// Set until the first one comes back after a crash: when the room was last alive, and until when
    /// one may come back.
    cut_short: Option<(Timestamp, Timestamp)>,
}

/// `at` and some microseconds more.
fn later(at: Timestamp, micros: i64) -> Timestamp {
    Timestamp::from_micros(at.as_micros().saturating_add(micros.max(0)))
}

impl Clock {
    /// The time, which never goes back.
    pub(crate) fn advance(&mut self, now: Timestamp) -> Timestamp {
        let now = self.now.map_or(now, |before| before.max(now));
        self.now = Some(now);
        now
    }

    /// Somebody came in.
    pub(crate) fn came_in(&mut self, watches: bool) {
        self.inside += 1;
        self.watching += u64::from(watches);
        self.count_changed = true;
        self.came_back();
    }

    /// Somebody who was inside came back, or came in anew: what a crash cut short goes on.
    pub(crate) fn came_back(&mut self) {
        if let Some(live) = &mut self.live {
            live.cut_short = None;
        }
    }

    /// Somebody who was inside went.
    pub(crate) fn went(&mut self, at: Timestamp, watched: bool) {
        self.inside = self.inside.saturating_sub(1);
        self.watching = self.watching.saturating_sub(u64::from(watched));
        self.count_changed = true;
        if let Some(live) = &mut self.live {
            live.empty_since = live.empty_since.max(at);
        }
    }

    /// A connection was lost.
    pub(crate) fn lost(&mut self, peer: PeerId, until: Timestamp) {
        self.lost.insert((until, peer));
    }

    /// A lost connection does not matter any more.
    pub(crate) fn found(&mut self, peer: &Peer) {
        if let Some(until) = peer.grace_until {
            self.lost.remove(&(until, peer.id));
        }
    }
}

impl Room {
    /// Takes up what there was before: the kept chat, and the session that was cut short.
    pub(crate) fn begin(&mut self, resumed: Option<Resumed>, now: Timestamp) {
        let now = self.clock.advance(now);
        let mut chat = std::mem::take(&mut self.settings.earlier_chat);
        let Some(resumed) = resumed else {
            self.chat.resume(chat, &self.settings.limits);
            return;
        };
        chat.extend(resumed.chat);
        self.chat.resume(chat, &self.settings.limits);
        self.polls.resume(resumed.polls);
        let waits_for_somebody = !resumed.inside.is_empty() || !resumed.connected_rooms.is_empty();
        self.connected.resume(resumed.connected_rooms);
        let alive_at = resumed.alive_at.max(resumed.started_at);
        let until = later(now, self.settings.grace_micros);
        self.clock.live = Some(Live {
            session: resumed.session,
            started_at: resumed.started_at,
            empty_since: alive_at,
            cut_short: Some((alive_at, if waits_for_somebody { until } else { now })),
        });
        for participant in resumed.admitted {
            self.admissions.admit(participant);
        }
        for (peer, record, person) in resumed.inside {
            self.put_back(peer, record, person, alive_at, until);
        }
        if self.settings.parent.is_none() || self.clock.inside > 0 {
            // The rest of the family may have been cut short too, or not: either way it has to hear.
            self.roster_changed();
        }
    }

    /// Somebody who was inside before the crash is inside again, with its connection lost.
    fn put_back(
        &mut self,
        id: PeerId,
        record: PeerId,
        person: Arc<Person>,
        lost_at: Timestamp,
        until: Timestamp,
    ) {
        if self.people.get(id).is_some() {
            return;
        }
        self.admissions.admit(person.participant);
        self.turns += 1;
        let mut peer = Peer {
            id,
            permissions: Arc::new(person.permissions.clone()),
            display_name: person.name.clone(),
            person,
            record,
            place: Place::Inside,
            stage: Stage::On,
            turn: self.turns,
            connection: None,
            connected_at: lost_at,
            grace_until: Some(until),
            lost_at: Some(lost_at),
            in_media: false,
            media_told: None,
        };
        peer.stage = peer.first_stage();
        let watches = peer.watches();
        self.people.insert(peer);
        self.clock.inside += 1;
        self.clock.watching += u64::from(watches);
        self.clock.lost(id, until);
    }

    /// The live session; a new one where there is none.
    pub(crate) fn open_session(&mut self, now: Timestamp) -> SessionId {
        if let Some(live) = &self.clock.live {
            return live.session;
        }
        let session = self.new_id();
        self.clock.live = Some(Live {
            session,
            started_at: now,
            empty_since: now,
            cut_short: None,
        });
        self.record(DomainEvent::SessionStarted {
            session,
            parent: self.settings.parent_session,
            kind: self.settings.kind,
            title: self.settings.title.clone(),
            at: now,
        });
        session
    }

    /// When the live session began.
    pub(crate) fn started_at(&self) -> Option<Timestamp> {
        self.clock.live.as_ref().map(|live| live.started_at)
    }

    /// Somebody ends the session for all. Who is inside or waits is sent away.
    ///
    /// Gives how many were inside; none where no session was live.
    pub(crate) fn end_for_all(&mut self, now: Timestamp) -> Option<u64> {
        self.session()?;
        let victims: Vec<PeerId> = self
            .people
            .all()
            .filter(|peer| peer.place != Place::Outside)
            .map(|peer| peer.id)
            .collect();
        let mut gone: Vec<Peer> = Vec::new();
        for id in victims {
            gone.extend(self.take_out(id, now));
        }
        self.end_session(now, EndReason::EndedByHost);
        let told = gone
            .iter()
            .filter(|peer| peer.connection.is_some())
            .map(|peer| peer.id)
            .collect();
        self.send(told, Event::KickedAll);
        for peer in &gone {
            self.close(peer, CloseReason::Removed);
            self.end_media(peer.id);
        }
        Some(gone.iter().filter(|peer| peer.is_inside()).count() as u64)
    }

    /// The session is over; nobody is inside. What belongs to it is forgotten.
    fn end_session(&mut self, at: Timestamp, reason: EndReason) {
        let Some(live) = self.clock.live.take() else {
            return;
        };
        self.record(DomainEvent::SessionEnded {
            session: live.session,
            reason,
            at: at.max(live.started_at),
        });
        // First, so that rooms that are given up hear nothing of a family that is over.
        self.close_connected(reason);
        self.roster_changed();
        self.forget_changes();
        if !self.settings.persist_chat {
            self.chat.clear();
        }
        self.polls.clear();
        self.stores.clear();
        self.admissions.clear();
        self.media.clear();
        self.recordings.clear();
        self.clock.count_changed = false;
    }

    /// Does everything that has become due.
    pub(crate) fn pass_time(&mut self, now: Timestamp) {
        while let Some((until, peer)) = self.clock.lost.first().copied()
            && until <= now
        {
            self.clock.lost.pop_first();
            let lost_at = self.people.get(peer).and_then(|known| known.lost_at);
            self.depart(peer, lost_at.unwrap_or(now));
        }
        self.end_when_empty(now);
        if self.count_due().is_some_and(|due| due <= now) {
            self.clock.count_changed = false;
            self.clock.count_told_at = Some(now);
            let inside = self.people.inside_but(None);
            self.send(inside, Event::PeerCount(self.clock.inside));
        }
    }

    fn end_when_empty(&mut self, now: Timestamp) {
        let occupied = self.clock.inside > 0;
        let kept = self.connected.keeps_room();
        let Some(live) = &mut self.clock.live else { return };
        if occupied {
            return;
        }
        if kept {
            // People in breakout rooms come back here: the time begins when they are gone too.
            live.empty_since = now;
            live.cut_short = None;
            return;
        }
        match live.cut_short {
            Some((alive_at, until)) if until <= now => self.end_session(alive_at, EndReason::AllLeft),
            Some(_) => {}
            None => {
                let ends_at = later(live.empty_since, self.settings.keep_alive_micros);
                if ends_at <= now {
                    self.end_session(ends_at, EndReason::AllLeft);
                }
            }
        }
    }

    /// When the session ends if nobody comes.
    fn end_due(&self) -> Option<Timestamp> {
        let live = self.clock.live.as_ref()?;
        if self.clock.inside > 0 || self.connected.keeps_room() {
            return None;
        }
        Some(match live.cut_short {
            Some((_, until)) => until,
            None => later(live.empty_since, self.settings.keep_alive_micros),
        })
    }

    /// When those who watch a livestream are to be told how many they are.
    fn count_due(&self) -> Option<Timestamp> {
        if !self.clock.count_changed
            || self.clock.inside == 0
            || (self.clock.watching == 0 && self.settings.kind != SessionKind::Livestream)
        {
            return None;
        }
        Some(match self.clock.count_told_at {
            Some(at) => later(at, COUNT_EVERY),
            None => self.clock.now?,
        })
    }

    /// The live session.
    pub fn session(&self) -> Option<SessionId> {
        self.clock.live.as_ref().map(|live| live.session)
    }

    /// When the room wants [`crate::Input::Timeout`].
    pub fn next_deadline(&self) -> Option<Timestamp> {
        let lost = self.clock.lost.first().map(|(until, _)| *until);
        // What a room that goes on has to say at once.
        let waiting = self.clock.now.filter(|_| self.has_effects());
        [waiting, lost, self.end_due(), self.count_due()]
            .into_iter()
            .flatten()
            .min()
    }

    /// Whether nothing is left to do: no session, nobody connected, no breakout rooms to keep.
    pub fn is_idle(&self) -> bool {
        self.session().is_none() && self.people.len() == 0 && !self.connected.keeps_room()
    }
}

impl Room {
    /// Ends the connection of somebody who is already taken out.
    pub(crate) fn close(&mut self, peer: &Peer, reason: CloseReason) {
        if let Some(connection) = peer.connection {
            self.push(Effect::Close {
                peer: peer.id,
                connection,
                reason,
            });
        }
    }
}
