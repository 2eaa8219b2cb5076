//! One client's failure is that client's alone.
//!
//! What panics inside a connection ends there already ([`crate::link`]). What panics in this crate while it
//! deals with a connection ends that connection here.

use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};

use crate::{api::Lost, sfu::Sfu};

impl Sfu {
    /// Does what a datagram asks for. After a panic its connection is ended; what others said meanwhile is
    /// still dealt with. A panic that is nobody's, or another at that, is the shard's.
    pub(crate) fn guarded(&mut self, act: impl FnOnce(&mut Self)) {
        self.present = None;
        let Err(panic) = catch_unwind(AssertUnwindSafe(|| act(self))) else {
            return;
        };
        let Some(place) = self.present.take() else {
            resume_unwind(panic);
        };
        self.counters.failures += 1;
        self.doom(place, Lost::Failed);
        self.settle();
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use crate::{
        api::{Lost, MediaKind, SfuEvent},
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
        assert!(heard(1).len() <= before + 3, "nothing more of Bo");
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
    fn a_panic_of_the_forwarding_ends_the_connection_alone() {
        only_bo_is_gone(|world, place| world.sfu.faulty = Some(place));
    }
}
