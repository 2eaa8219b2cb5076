//! Random doings of a few people, held against a plain account of what should be so.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use muster_model::{
    PeerId, SessionId, Timestamp,
    event::DomainEvent,
    preset::WaitingRoomType::{OnPrivilegedUserEntry, Skip, SkipOnAccept},
};
use muster_room::{Command, Effect, Event, MediaEffect, MediaKinds, Person, Request};
use proptest::prelude::*;

use crate::account::{Account, At, Seat};
use crate::harness::{GRACE, KEEP_ALIVE, Meeting, Outcome, P, SECOND, START, peer_id, person, seed};

/// Participants 0 to 3; each has two peers: peer `n` is of participant `n / 2`.
const PEERS: usize = 8;

fn cast() -> Vec<Arc<Person>> {
    let roles = [
        ("webinar_presenter", SkipOnAccept),
        ("webinar_viewer", Skip),
        ("group_call_guest", SkipOnAccept),
        ("group_call_guest", OnPrivilegedUserEntry),
    ];
    let people = roles.into_iter().zip(0..).map(|((preset, waits), number)| {
        let mut preset = seed(preset);
        preset.permissions.waiting_room_type = waits;
        person(number, &format!("P{number}"), &preset)
    });
    people.collect()
}

/// What somebody does. Numbers are peers.
#[derive(Debug, Clone)]
enum Act {
    Connect(usize),
    Join(usize),
    Leave(usize),
    Lose(usize),
    /// The connection before the last says something.
    Stale(usize),
    /// A stranger says it is that peer.
    Steal(usize),
    Accept(usize, usize),
    Deny(usize, usize),
    Kick(usize, usize),
    KickAll(usize),
    RestKick(usize),
    RestKickAll,
    Remove(usize),
    Media(usize, u8),
    Pin(usize, usize),
    Mute(usize, usize),
    Stage(usize, usize, u8),
    Pass(i64),
}

fn act() -> impl Strategy<Value = Act> {
    let one = || 0..PEERS;
    // The first two may moderate; others may try.
    let who = || prop_oneof![3 => 0..2_usize, 1 => 0..PEERS];
    prop_oneof![
        12 => one().prop_map(Act::Connect),
        20 => one().prop_map(Act::Join),
        2 => one().prop_map(Act::Leave),
        4 => one().prop_map(Act::Lose),
        1 => one().prop_map(Act::Stale),
        1 => one().prop_map(Act::Steal),
        8 => (who(), one()).prop_map(|(a, b)| Act::Accept(a, b)),
        2 => (who(), one()).prop_map(|(a, b)| Act::Deny(a, b)),
        3 => (who(), one()).prop_map(|(a, b)| Act::Kick(a, b)),
        1 => who().prop_map(Act::KickAll),
        1 => one().prop_map(Act::RestKick),
        1 => Just(Act::RestKickAll),
        1 => one().prop_map(Act::Remove),
        2 => (one(), 0..3_u8).prop_map(|(a, b)| Act::Media(a, b)),
        1 => (who(), one()).prop_map(|(a, b)| Act::Pin(a, b)),
        1 => (who(), one()).prop_map(|(a, b)| Act::Mute(a, b)),
        5 => (one(), one(), 0..6_u8).prop_map(|(a, b, c)| Act::Stage(a, b, c)),
        4 => prop_oneof![
            Just(SECOND), Just(GRACE / 2), Just(GRACE), Just(KEEP_ALIVE), Just(-SECOND), 0..2 * KEEP_ALIVE
        ].prop_map(Act::Pass),
    ]
}

/// The room and the account, side by side.
struct Both {
    meeting: Meeting,
    account: Account,
    cast: Vec<Arc<Person>>,
    peers: Vec<P>,
    /// Stays that are open, by record.
    open: BTreeSet<PeerId>,
    session: Option<SessionId>,
}

impl Both {
    fn new() -> Self {
        let cast = cast();
        let mut meeting = Meeting::new();
        let peers = (0..PEERS).map(|peer| P {
            id: peer_id(peer as u128),
            connection: meeting.next_connection(),
            user: cast[peer / 2].participant,
        });
        let peers = peers.collect();
        Self {
            meeting,
            account: Account::default(),
            cast,
            peers,
            open: BTreeSet::new(),
            session: None,
        }
    }

    fn now(&self) -> i64 {
        self.meeting.now.as_micros() - START.as_micros()
    }

    fn step(&mut self, act: &Act) {
        if let Act::Pass(micros) = act {
            self.pass(*micros);
            return;
        }
        let now = self.now();
        self.account.settle(now);
        let before = self.account.inside();
        let outcome = self.act(act);
        self.account.settle(now);
        self.check(act, &before, &outcome);
    }

    fn pass(&mut self, micros: i64) {
        let before = self.account.inside();
        let outcome = if micros < 0 {
            self.meeting.now = Timestamp::from_micros(self.meeting.now.as_micros() + micros);
            Outcome::default()
        } else {
            self.meeting.pass(micros)
        };
        let now = self.now();
        self.account.settle(now);
        // What is due at the room's own time, where the clock went back.
        let more = self.meeting.input(muster_room::Input::Timeout);
        let all = Outcome([outcome.0, more.0].concat());
        self.check(&Act::Pass(micros), &before, &all);
    }

    #[allow(clippy::too_many_lines)] // one arm for each act
    fn act(&mut self, act: &Act) -> Outcome {
        let user = |peer: usize| self.cast[peer / 2].participant;
        let (account, meeting) = (&mut self.account, &mut self.meeting);
        match *act {
            Act::Connect(peer) => {
                let (again, outcome) = meeting.reconnect(self.peers[peer], &self.cast[peer / 2]);
                self.peers[peer] = again;
                let outside = Seat {
                    at: At::Outside,
                    lost: None,
                };
                account.seats.entry(peer).or_insert(outside).lost = None;
                outcome
            }
            Act::Join(peer) => {
                let waits = self.cast[peer / 2].permissions.waiting_room_type;
                account.join(peer, waits);
                meeting.ask(self.peers[peer], Request::Join { display_name: None })
            }
            Act::Leave(peer) => {
                if account.seats.get(&peer).is_some_and(|seat| seat.lost.is_none()) {
                    account.remove(peer);
                }
                meeting.leave(self.peers[peer])
            }
            Act::Lose(peer) => {
                let now = account.now;
                if let Some(seat) = account.seats.get_mut(&peer)
                    && seat.lost.is_none()
                {
                    seat.lost = Some(now);
                    if seat.at == At::Outside {
                        account.seats.remove(&peer);
                    }
                }
                meeting.lose(self.peers[peer])
            }
            Act::Stale(peer) => {
                let stale = P {
                    connection: muster_room::ConnectionId(0),
                    ..self.peers[peer]
                };
                let outcome = meeting.leave(stale);
                assert!(meeting.ask(stale, Request::KickAll).is_nothing());
                outcome
            }
            Act::Steal(peer) => {
                if !account.seats.contains_key(&peer) {
                    return Outcome::default();
                }
                let (thief, outcome) = meeting.reconnect(self.peers[peer], &self.cast[(peer / 2 + 1) % 4]);
                assert_eq!(outcome.0.len(), 1, "{outcome:#?}");
                assert_eq!(outcome.closed()[0].1, thief.connection);
                outcome
            }
            Act::Accept(by, peer) => {
                if account.moderates(by) && account.at(At::Waiting).iter().any(|w| w / 2 == peer / 2) {
                    account.admitted.insert(peer / 2);
                }
                meeting.ask(self.peers[by], Request::AcceptWaiting(vec![user(peer)]))
            }
            Act::Deny(by, peer) => {
                let waiting = account.at(At::Waiting).into_iter();
                let waiting: Vec<usize> = waiting.filter(|w| w / 2 == peer / 2).collect();
                if account.moderates(by) && !waiting.is_empty() {
                    if !account.inside().iter().any(|inside| inside / 2 == peer / 2) {
                        account.admitted.remove(&(peer / 2));
                    }
                    account.seats.retain(|other, _| !waiting.contains(other));
                }
                meeting.ask(self.peers[by], Request::DenyWaiting(vec![user(peer)]))
            }
            Act::Kick(by, peer) => {
                let there = account
                    .seats
                    .get(&peer)
                    .is_some_and(|seat| seat.at != At::Outside);
                if account.moderates(by) && there {
                    account.remove(peer);
                    account.admitted.remove(&(peer / 2));
                }
                meeting.ask(self.peers[by], Request::Kick(vec![self.peers[peer].id]))
            }
            Act::KickAll(by) => {
                if account.moderates(by) {
                    account.end_for_all();
                }
                meeting.ask(self.peers[by], Request::KickAll)
            }
            Act::RestKick(peer) => {
                let victims = account.seats.iter().filter(|(_, seat)| seat.at != At::Outside);
                let victims = victims
                    .map(|(other, _)| *other)
                    .filter(|other| other / 2 == peer / 2);
                let victims: Vec<usize> = victims.collect();
                if account.live && !victims.is_empty() {
                    for victim in victims {
                        account.remove(victim);
                    }
                    account.admitted.remove(&(peer / 2));
                }
                meeting.command(Command::Kick {
                    participants: vec![user(peer)],
                    custom_ids: vec![],
                    ban: false,
                })
            }
            Act::RestKickAll => {
                account.end_for_all();
                meeting.command(Command::KickAll)
            }
            Act::Remove(peer) => {
                account.admitted.remove(&(peer / 2));
                for victim in [peer & !1, peer | 1] {
                    account.remove(victim);
                }
                meeting.command(Command::RemoveParticipant(user(peer)))
            }
            Act::Media(peer, what) => {
                let request = match what {
                    0 => Request::JoinMedia,
                    1 => Request::CompleteMediaJoin,
                    _ => Request::LeaveMedia,
                };
                meeting.ask(self.peers[peer], request)
            }
            Act::Pin(by, peer) => {
                let whom = Some(self.peers[peer].id).filter(|_| by != peer);
                meeting.ask(self.peers[by], Request::PinPeer(whom))
            }
            Act::Mute(by, peer) => {
                let peer = self.peers[peer].id;
                let kinds = MediaKinds::ALL;
                meeting.ask(self.peers[by], Request::MutePeer { peer, kinds })
            }
            Act::Stage(by, peer, what) => {
                let request = match what {
                    0 => Request::RequestStage,
                    1 => Request::CancelStageRequest,
                    2 => Request::GrantStage(vec![user(peer)]),
                    3 => Request::DenyStage(vec![user(peer)]),
                    4 => Request::JoinStage,
                    _ => Request::LeaveStage(vec![user(peer)]),
                };
                meeting.ask(self.peers[by], request)
            }
            Act::Pass(_) => Outcome::default(),
        }
    }

    fn check(&mut self, act: &Act, before: &BTreeSet<usize>, outcome: &Outcome) {
        let Self { account, peers, .. } = &*self;
        let after = account.inside();
        let number: BTreeMap<PeerId, usize> = (0..PEERS).map(|peer| (peers[peer].id, peer)).collect();
        for effect in &outcome.0 {
            if let Effect::Send { to, event } = effect {
                let unsought = matches!(
                    event,
                    Event::WaitingAccepted | Event::WaitingDenied | Event::Kicked | Event::KickedAll
                );
                let hosts_only = matches!(event, Event::WaitingRequests(_) | Event::StageRequests(_));
                for peer in to {
                    let peer = number[peer];
                    let inside = before.contains(&peer) || after.contains(&peer);
                    assert!(inside || unsought, "{act:?} tells {peer}: {event:?}");
                    assert!(!hosts_only || peer / 2 == 0, "{act:?} tells {peer}: {event:?}");
                }
                let unique: BTreeSet<&PeerId> = to.iter().collect();
                assert_eq!(unique.len(), to.len(), "twice: {effect:?}");
            }
            if let Effect::Media(MediaEffect::Admit { peer, .. } | MediaEffect::MayProduce { peer, .. }) =
                effect
            {
                assert!(after.contains(&number[peer]), "{act:?}: {effect:?}");
            }
        }
        assert_eq!(self.meeting.room.session().is_some(), account.live, "{act:?}");
        let live = account.live;
        for event in outcome.records() {
            self.follow(&event);
        }
        assert_eq!(self.session.is_some(), live, "{act:?}");
        let stays: BTreeSet<PeerId> = after.iter().map(|peer| self.peers[*peer].id).collect();
        assert_eq!(self.open, stays, "{act:?}");
        self.check_lists(act, &after);
        let due = self.account.due().map(Meeting::at);
        assert_eq!(self.meeting.room.next_deadline(), due, "{act:?}");
        let idle = !live && self.account.seats.is_empty();
        assert_eq!(self.meeting.room.is_idle(), idle, "{act:?}");
    }

    /// Sessions follow one another, and each stay that is opened is closed before its session is.
    fn follow(&mut self, event: &DomainEvent) {
        match event {
            DomainEvent::SessionStarted { session, .. } => {
                assert_eq!(self.session.replace(*session), None);
            }
            DomainEvent::PeerJoined { session, stay } => {
                assert_eq!(self.session, Some(*session));
                assert!(self.open.insert(stay.record), "in twice: {stay:?}");
            }
            DomainEvent::PeerLeft { session, record, .. } => {
                assert_eq!(self.session, Some(*session));
                assert!(self.open.remove(record), "out without in: {record}");
            }
            DomainEvent::SessionEnded { session, .. } => {
                assert_eq!(self.session.take(), Some(*session));
                assert!(self.open.is_empty());
            }
            DomainEvent::AdmissionRevoked { session, .. } => assert_eq!(self.session, Some(*session)),
            other => panic!("{other:?}"),
        }
    }

    /// The room's own lists say the same as the account.
    fn check_lists(&mut self, act: &Act, inside: &BTreeSet<usize>) {
        let connected = |peer: &&usize| self.account.connected_inside(**peer);
        let Some(asker) = inside.iter().find(connected).copied() else {
            return;
        };
        for peer in 0..PEERS {
            let about = Request::PeerInfo(self.peers[peer].id);
            let outcome = self.meeting.ask(self.peers[asker], about);
            let known = outcome
                .0
                .iter()
                .any(|effect| matches!(effect, Effect::Reply { .. }));
            assert_eq!(known, inside.contains(&peer), "{act:?}: {peer}");
        }
        let Some(host) = (0..2).find(|peer| self.account.moderates(*peer)) else {
            return;
        };
        let Event::WaitingRequests(listed) = self
            .meeting
            .ask(self.peers[host], Request::WaitingRequests)
            .reply(self.peers[host])
        else {
            panic!()
        };
        let listed: BTreeSet<PeerId> = listed.iter().map(|one| one.peer).collect();
        let waiting = self.account.at(At::Waiting).into_iter();
        let waiting = waiting.filter(|peer| !self.account.admitted.contains(&(peer / 2)));
        let waiting: BTreeSet<PeerId> = waiting.map(|peer| self.peers[peer].id).collect();
        assert_eq!(listed, waiting, "{act:?}");
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 256, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn a_room_agrees_with_the_plain_account(acts in proptest::collection::vec(act(), 1..150)) {
        let mut both = Both::new();
        for act in &acts {
            both.step(act);
        }
    }
}
