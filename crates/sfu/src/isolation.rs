//! One client's failure is that client's alone.
//!
//! What panics inside a connection ends there already ([`crate::link`]). What panics in this crate while it
//! deals with a datagram or with what is due of a connection ends that connection here, and while it deals
//! with a command, that peer's. Only the choice of speakers, which is of a room, can still end the shard.

use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};

use muster_model::{MeetingId, PeerId};

use crate::{
    api::{Lost, MediaError, Reply},
    sfu::Sfu,
};

impl Sfu {
    /// Does what an input asks for. After a panic the connection that was being dealt with is ended; what
    /// others said meanwhile is still dealt with. A panic that is nobody's, or that of an end, is the shard's.
    pub(crate) fn guarded(&mut self, act: impl FnOnce(&mut Self)) {
        self.contained(None, act);
    }

    /// Does what is due of a connection. After a panic that one is ended.
    pub(crate) fn guarded_at(&mut self, place: usize, act: impl FnOnce(&mut Self)) {
        self.contained(Some(place), act);
    }

    fn contained(&mut self, place: Option<usize>, act: impl FnOnce(&mut Self)) {
        self.present = place;
        let mut done = catch_unwind(AssertUnwindSafe(|| act(self)));
        let mut failed = Vec::new();
        while let Err(panic) = done {
            let place = match self.present.take() {
                Some(place) if !failed.contains(&place) => place,
                _ => resume_unwind(panic),
            };
            failed.push(place);
            self.counters.failures += 1;
            self.fail(place);
            done = catch_unwind(AssertUnwindSafe(|| self.settle()));
        }
    }

    /// Ends a connection whose next word could panic again.
    fn fail(&mut self, place: usize) {
        self.silence(place);
        self.doom(place, Lost::Failed);
    }

    /// Does what a command asks for. After a panic the peer's connections are ended, one that it did not come
    /// to hear of included, and that which was being dealt with.
    pub(crate) fn guarded_for(
        &mut self,
        meeting: MeetingId,
        peer: PeerId,
        act: impl FnOnce(&mut Self) -> Result<Reply, MediaError>,
    ) -> Result<Reply, MediaError> {
        self.present = None;
        if let Ok(reply) = catch_unwind(AssertUnwindSafe(|| act(self))) {
            return reply;
        }
        self.counters.failures += 1;
        // By what they say themselves: what was half made is in no list yet.
        let own = self.transports.iter();
        let own = own.filter(|(_, transport)| (transport.meeting, transport.peer) == (meeting, peer));
        let own: Vec<usize> = own.map(|(place, _)| place).collect();
        let sent = self.producers.iter();
        let sent = sent.filter(|(_, producer)| own.contains(&producer.transport));
        for producer in sent.map(|(place, _)| place).collect::<Vec<_>>() {
            self.end_producer(producer, true);
        }
        let received = self.consumers.iter();
        let received = received.filter(|(_, consumer)| own.contains(&consumer.transport));
        for consumer in received.map(|(place, _)| place).collect::<Vec<_>>() {
            self.end_consumer(consumer);
        }
        for place in own.into_iter().chain(self.present.take()) {
            self.fail(place);
        }
        self.guarded(Self::settle);
        Err(MediaError::Internal)
    }
}

/// Where a test makes this crate panic.
#[cfg(test)]
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Fault {
    Produce,
    Forward,
    Deadline,
    Flush,
    Report,
    Tick,
    Retarget,
}

#[cfg(test)]
impl Sfu {
    /// Panics where a test has that happen to a connection.
    pub(crate) fn falter(&self, fault: Fault, place: usize) {
        assert!(self.faulty != Some((fault, place)), "a fault of a test");
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::Fault;
    use crate::{
        api::{Command, Lost, MediaError, MediaKind, SfuEvent},
        world::World,
    };

    const SECOND: Duration = Duration::from_secs(1);

    /// Ana, Bo and Cy speak; Dee hears them all. What makes Bo's connection fail must end that alone.
    fn only_bo_is_gone(fail: impl FnOnce(&mut World, usize)) {
        let mut world = World::new(7);
        let people = [world.join(), world.join(), world.join()];
        let dee = world.join();
        let sounds: Vec<String> = people
            .iter()
            .map(|who| world.produce(*who, MediaKind::Audio, &[], false).0)
            .collect();
        let wishes: Vec<(&str, &str)> = sounds.iter().map(|sound| (sound.as_str(), "f")).collect();
        let consumed = world.consume(dee, &wishes);
        world.run(2 * SECOND);
        let bo = world.clients[people[1]].peer;
        let place = world.sfu.peer_mut(world.meeting, bo).unwrap().sending.unwrap();
        let before = world.clients[dee].recv.of(&consumed[1].mid).len();
        assert!(before > 50, "{before}");
        fail(&mut world, place);
        world.run(4 * SECOND);
        let lost = |event: &&SfuEvent| {
            matches!(
                event,
                SfuEvent::TransportLost {
                    why: Lost::Failed,
                    ..
                }
            )
        };
        let lost: Vec<&SfuEvent> = world.events.iter().filter(lost).collect();
        assert!(
            matches!(lost[..], [SfuEvent::TransportLost { peer, consuming: false, .. }] if *peer == bo),
            "{lost:?}"
        );
        assert_eq!(world.sfu.counters().failures, 1);
        let heard = |at: usize| world.clients[dee].recv.of(&consumed[at].mid);
        assert!(heard(1).len() <= before + 12, "nothing more of Bo after a tick");
        for at in [0, 2] {
            let heard = heard(at);
            assert!(heard.len() > 280, "{}", heard.len());
            let whole = heard.windows(2).all(|pair| pair[1].number == pair[0].number + 1);
            assert!(whole, "every packet of the others");
        }
    }

    #[test]
    fn a_panic_in_a_connection_ends_it_alone() {
        only_bo_is_gone(|world, place| world.sfu.transports[place].link.faulty = true);
    }

    #[test]
    fn a_panic_of_a_command_ends_the_connections_of_its_peer_alone() {
        let mut world = World::new(8);
        let (ana, bo) = (world.join(), world.join());
        let place_of = |world: &mut World, who: usize| {
            let peer = world.clients[who].peer;
            world.sfu.peer_mut(world.meeting, peer).unwrap().sending
        };
        world.sfu.faulty = place_of(&mut world, bo).map(|place| (Fault::Produce, place));
        let (_, offer) = world.clients[bo].offer_track(MediaKind::Audio, &[]);
        let produce = Command::Produce {
            kind: MediaKind::Audio,
            paused: false,
            screen_share: false,
            offer,
            app_data: None,
            mime_type: None,
            transport: None,
        };
        assert_eq!(world.try_command(bo, produce), Err(MediaError::Internal));
        world.sfu.faulty = None;
        assert_eq!(world.sfu.counters().failures, 1);
        assert!(place_of(&mut world, bo).is_none());
        assert!(place_of(&mut world, ana).is_some());
        assert_eq!(world.sfu.transports.len(), 2, "Ana's alone");
        assert!(world.sfu.producers.is_empty());
        // Bo begins anew, and is heard.
        world.connect(bo, false);
        let sound = world.produce(bo, MediaKind::Audio, &[], false).0;
        let consumed = world.consume(ana, &[(&sound, "f")]);
        world.run(2 * SECOND);
        assert!(world.clients[ana].recv.of(&consumed[0].mid).len() > 50);
    }

    #[test]
    fn a_panic_of_the_forwarding_ends_the_connection_alone() {
        only_bo_is_gone(|world, place| world.sfu.faulty = Some((Fault::Forward, place)));
    }

    #[test]
    fn a_panic_in_what_is_due_ends_the_connection_alone() {
        for fault in [Fault::Deadline, Fault::Tick] {
            only_bo_is_gone(|world, place| world.sfu.faulty = Some((fault, place)));
        }
    }

    #[test]
    fn a_panic_about_a_receiver_leaves_the_others_theirs() {
        for fault in [Fault::Deadline, Fault::Flush, Fault::Report, Fault::Retarget] {
            let mut world = World::new(9);
            let ana = world.join();
            let (bo, cy) = (world.join(), world.join());
            let sound = world.produce(ana, MediaKind::Audio, &[], false).0;
            let mids = [bo, cy].map(|who| world.consume(who, &[(&sound, "f")])[0].mid.clone());
            world.run(2 * SECOND);
            let peer = world.clients[bo].peer;
            let place = world
                .sfu
                .peer_mut(world.meeting, peer)
                .unwrap()
                .receiving
                .unwrap();
            let before = world.clients[bo].recv.of(&mids[0]).len();
            world.sfu.faulty = Some((fault, place));
            world.run(6 * SECOND);
            let lost: Vec<&SfuEvent> = world
                .events
                .iter()
                .filter(|event| matches!(event, SfuEvent::TransportLost { .. }))
                .collect();
            let [
                SfuEvent::TransportLost {
                    peer: of,
                    consuming: true,
                    why: Lost::Failed,
                    ..
                },
            ] = lost[..]
            else {
                panic!("{fault:?}: {lost:?}")
            };
            assert_eq!(*of, peer, "{fault:?}");
            assert_eq!(world.sfu.counters().failures, 1, "{fault:?}");
            assert!(
                world.clients[bo].recv.of(&mids[0]).len() <= before + 260,
                "{fault:?}"
            );
            let heard = world.clients[cy].recv.of(&mids[1]);
            assert!(heard.len() > 380, "{fault:?}: {}", heard.len());
            let whole = heard.windows(2).all(|pair| pair[1].number == pair[0].number + 1);
            assert!(whole, "{fault:?}: every packet of the others");
        }
    }

    #[test]
    fn a_connection_that_would_panic_again_and_again_ends_once() {
        let mut world = World::new(10);
        let (ana, bo) = (world.join(), world.join());
        let sound = world.produce(ana, MediaKind::Audio, &[], false).0;
        world.consume(bo, &[(&sound, "f")]);
        world.run(SECOND);
        let peer = world.clients[ana].peer;
        let place = world.sfu.peer_mut(world.meeting, peer).unwrap().sending.unwrap();
        world.sfu.faulty = Some((Fault::Report, place));
        world.sfu.guarded(|sfu| {
            sfu.reports.extend([place; 3]);
            sfu.settle();
        });
        assert_eq!(world.sfu.counters().failures, 1);
        assert!(world.sfu.transports.get(place).is_none());
    }
}
