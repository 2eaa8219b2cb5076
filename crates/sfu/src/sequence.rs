//! Sequence numbers without the gaps that dropped packets would leave.

use std::collections::VecDeque;

/// Dropped packets that are remembered for late ones.
const REMEMBERED: usize = 256;
/// Where the numbers of a stream begin, so that packets before the first keep a number above zero.
const FIRST: u64 = 1 << 32;

/// Numbers the packets of one incoming stream that are handed on.
#[derive(Debug, Default)]
pub(crate) struct Numbering {
    /// What is added to an incoming number, before drops are taken off. Wraps.
    shift: u64,
    highest: Option<u64>,
    /// Incoming numbers of packets that were dropped, in rising order.
    dropped: VecDeque<u64>,
    /// Below this, drops are forgotten.
    forgotten: u64,
    /// The number after the highest given.
    next: u64,
}

/// A number that was given.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Numbered {
    pub number: u64,
    /// Whether a later packet came before.
    pub late: bool,
}

impl Numbering {
    /// Numbers a packet; none where it is too old.
    pub(crate) fn number(&mut self, incoming: u64) -> Option<Numbered> {
        let Some(highest) = self.highest else {
            self.start(incoming);
            self.next += 1;
            return Some(Numbered {
                number: self.next - 1,
                late: false,
            });
        };
        let late = incoming < highest;
        if !late {
            self.highest = Some(incoming);
        } else if incoming < self.forgotten {
            return None;
        }
        let before = self.dropped.partition_point(|dropped| *dropped < incoming);
        let number = incoming.wrapping_add(self.shift) - before as u64;
        self.next = self.next.max(number + 1);
        Some(Numbered { number, late })
    }

    /// Leaves a packet out; false where later packets were numbered already, so that its number is
    /// taken and has to be used.
    pub(crate) fn leave_out(&mut self, incoming: u64) -> bool {
        match self.highest {
            None => {
                self.start(incoming);
                self.shift = self.shift.wrapping_sub(1);
                self.next = self.next.max(FIRST);
                // The packet after it gets the first number.
                true
            }
            Some(highest) if incoming <= highest => false,
            Some(_) => {
                self.highest = Some(incoming);
                self.dropped.push_back(incoming);
                if self.dropped.len() > REMEMBERED
                    && let Some(oldest) = self.dropped.pop_front()
                {
                    self.shift = self.shift.wrapping_sub(1);
                    self.forgotten = oldest + 1;
                }
                true
            }
        }
    }

    /// The stream starts anew with numbers of its own; ours go on.
    pub(crate) fn restart(&mut self) {
        let next = self.next;
        *self = Self {
            next,
            ..Self::default()
        };
    }

    fn start(&mut self, incoming: u64) {
        self.next = self.next.max(FIRST);
        self.shift = self.next.wrapping_sub(incoming);
        self.highest = Some(incoming);
        self.forgotten = incoming;
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn drops_leave_no_gap() {
        let mut numbering = Numbering::default();
        let first = numbering.number(500).unwrap().number;
        assert!(numbering.leave_out(501));
        assert!(numbering.leave_out(502));
        assert_eq!(
            numbering.number(503),
            Some(Numbered {
                number: first + 1,
                late: false
            })
        );
        assert_eq!(
            numbering.number(506),
            Some(Numbered {
                number: first + 4,
                late: false
            })
        );
        assert_eq!(
            numbering.number(505),
            Some(Numbered {
                number: first + 3,
                late: true
            })
        );
        assert!(!numbering.leave_out(504), "its number is taken");
        assert_eq!(numbering.number(499), None, "before the first");
    }

    #[test]
    fn a_restarted_stream_goes_on() {
        let mut numbering = Numbering::default();
        let first = numbering.number(60_000).unwrap().number;
        numbering.number(60_001);
        numbering.restart();
        assert_eq!(numbering.number(3).unwrap().number, first + 2);
    }

    #[test]
    fn a_stream_may_begin_with_padding() {
        let mut numbering = Numbering::default();
        assert!(numbering.leave_out(10));
        assert_eq!(numbering.number(11).unwrap().number, FIRST);
    }

    proptest! {
        #[test]
        fn in_order_there_are_no_gaps(drops in proptest::collection::vec(any::<bool>(), 1..2_000), start in 0u64..1 << 40) {
            let mut numbering = Numbering::default();
            let mut expected = None;
            for (incoming, drop) in (start..).zip(drops) {
                if drop {
                    prop_assert!(numbering.leave_out(incoming));
                } else {
                    let number = numbering.number(incoming).unwrap().number;
                    if let Some(expected) = expected {
                        prop_assert_eq!(number, expected);
                    }
                    expected = Some(number + 1);
                }
            }
        }

        #[test]
        fn no_number_is_given_twice(swaps in proptest::collection::vec((0usize..300, 0usize..300), 0..60), drops in proptest::collection::vec(any::<bool>(), 300)) {
            let mut order: Vec<u64> = (1_000..1_300).collect();
            for (a, b) in swaps {
                order.swap(a, b);
            }
            let mut numbering = Numbering::default();
            let mut given = std::collections::BTreeSet::new();
            for incoming in order {
                let drop = drops[usize::try_from(incoming - 1_000).unwrap()];
                if drop && numbering.leave_out(incoming) {
                    continue;
                }
                if let Some(numbered) = numbering.number(incoming) {
                    prop_assert!(given.insert(numbered.number), "{} twice", numbered.number);
                }
            }
        }
    }
}
