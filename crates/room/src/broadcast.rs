//! Broadcasts to the room, to peers, to other rooms.

use std::collections::BTreeSet;

use muster_model::{MeetingId, PeerId, Timestamp};

use crate::{
    effect::{Effect, Event, Refusal},
    input::{Broadcast, Connected, RequestId},
    limits::Rate,
    room::{Handled, Room},
};

/// Characters of the kind of a broadcast.
const KIND_MAX: usize = 256;

/// Rooms that one broadcast may go to.
const ROOMS_MAX: usize = 32;

impl Room {
    /// Passes a message on to everybody else inside. The sender has an empty reply: one with the message
    /// would reach its own application (PROTOCOL f.7).
    pub(crate) fn broadcast(
        &mut self,
        now: Timestamp,
        peer: PeerId,
        id: &RequestId,
        broadcast: Broadcast,
    ) -> Handled {
        self.may_broadcast(now, peer, &broadcast)?;
        self.reply(peer, id, Event::Done);
        let others = self.people.inside_but(Some(peer));
        self.send(others, Event::Broadcast(broadcast));
        Ok(())
    }

    /// Passes a message on to those named who are inside. There is no reply.
    pub(crate) fn broadcast_to_peers(
        &mut self,
        now: Timestamp,
        peer: PeerId,
        peers: &[PeerId],
        broadcast: Broadcast,
    ) -> Handled {
        self.may_broadcast(now, peer, &broadcast)?;
        let peers: BTreeSet<PeerId> = peers.iter().copied().collect();
        let to = peers
            .into_iter()
            .filter(|id| self.people.inside(*id).is_some())
            .collect();
        self.send(
            to,
            Event::BroadcastTo {
                broadcast,
                rooms: false,
            },
        );
        Ok(())
    }

    /// Passes a message on to everybody in other rooms; where this one is named, to the others here too.
    pub(crate) fn broadcast_to_rooms(
        &mut self,
        now: Timestamp,
        peer: PeerId,
        id: &RequestId,
        rooms: &[MeetingId],
        broadcast: Broadcast,
    ) -> Handled {
        self.may_broadcast(now, peer, &broadcast)?;
        let rooms: BTreeSet<MeetingId> = rooms.iter().copied().collect();
        if rooms.len() > ROOMS_MAX {
            return Err(Refusal::Invalid(format!(
                "a broadcast goes to {ROOMS_MAX} rooms at most"
            )));
        }
        self.reply(peer, id, Event::Done);
        for meeting in rooms {
            if meeting == self.settings.meeting {
                let others = self.people.inside_but(Some(peer));
                self.pass_on_broadcast(others, broadcast.clone());
            } else {
                self.push(Effect::ToRoom(meeting, Connected::Broadcast(broadcast.clone())));
            }
        }
        Ok(())
    }

    /// A message that came by way of rooms.
    pub(crate) fn pass_on_broadcast(&mut self, to: Vec<PeerId>, broadcast: Broadcast) {
        self.send(
            to,
            Event::BroadcastTo {
                broadcast,
                rooms: true,
            },
        );
    }

    fn may_broadcast(&mut self, now: Timestamp, peer: PeerId, broadcast: &Broadcast) -> Handled {
        self.member(peer)?;
        self.take(peer, Rate::Store, now)?;
        if broadcast.kind.chars().count() > KIND_MAX {
            return Err(Refusal::Invalid(format!(
                "the type of a broadcast has at most {KIND_MAX} characters"
            )));
        }
        let payload = &broadcast.payload;
        let max = self.settings.limits.broadcast_bytes;
        if payload.len() > max {
            return Err(Refusal::Invalid(format!("a broadcast has at most {max} bytes")));
        }
        if !payload.is_empty() && serde_json::from_slice::<serde_json::Value>(payload).is_err() {
            return Err(Refusal::Invalid("the payload of a broadcast is JSON".to_owned()));
        }
        Ok(())
    }
}
