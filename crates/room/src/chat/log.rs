//! The messages at hand.

use std::{collections::BTreeMap, sync::Arc};

use muster_model::{ChatMessageId, ParticipantId, chat::ChatMessage};

use crate::limits::Limits;

/// What a message takes beside its texts, about.
const MESSAGE_BYTES: usize = size_of::<ChatMessage>() + 2 * size_of::<usize>();

fn size_of_message(message: &ChatMessage) -> usize {
    MESSAGE_BYTES
        + message.payload.len()
        + message.display_name.len()
        + message.recipients.len() * size_of::<ParticipantId>()
}

/// The messages at hand, in the order in which they were written. The oldest fall out where the bounds
/// are reached; they stay in the record.
#[derive(Debug, Default)]
pub(crate) struct Chat {
    messages: BTreeMap<u64, Arc<ChatMessage>>,
    places: BTreeMap<ChatMessageId, u64>,
    /// Counts up with each message.
    next: u64,
    bytes: usize,
}

impl Chat {
    /// Takes up messages of before, oldest first. One that comes twice stands where it came first, as
    /// it came last.
    pub(crate) fn resume(&mut self, messages: Vec<ChatMessage>, limits: &Limits) {
        for message in messages {
            self.put(Arc::new(message), limits);
        }
    }

    /// Forgets everything, when a session ends that does not keep its chat.
    pub(crate) fn clear(&mut self) {
        *self = Self::default();
    }

    /// Adds a message at the end, or puts one that was changed in its own place.
    pub(super) fn put(&mut self, message: Arc<ChatMessage>, limits: &Limits) {
        let place = *self.places.entry(message.id).or_insert_with(|| {
            self.next += 1;
            self.next
        });
        self.bytes += size_of_message(&message);
        if let Some(old) = self.messages.insert(place, message) {
            self.bytes -= size_of_message(&old);
        }
        while self.messages.len() > limits.chat_messages || self.bytes > limits.chat_bytes {
            let Some((_, old)) = self.messages.pop_first() else {
                break;
            };
            self.forget(&old);
        }
    }

    pub(super) fn remove(&mut self, id: ChatMessageId) {
        let place = self.places.get(&id);
        if let Some(old) = place.and_then(|place| self.messages.remove(place)) {
            self.forget(&old);
        }
    }

    fn forget(&mut self, old: &ChatMessage) {
        self.places.remove(&old.id);
        self.bytes -= size_of_message(old);
    }

    pub(super) fn get(&self, id: ChatMessageId) -> Option<&Arc<ChatMessage>> {
        self.messages.get(self.places.get(&id)?)
    }

    /// All, oldest first.
    pub(super) fn iter(&self) -> impl DoubleEndedIterator<Item = &Arc<ChatMessage>> {
        self.messages.values()
    }
}
