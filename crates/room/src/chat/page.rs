//! Reading the chat: the last messages, pages, search. Those who are not inside see nothing, and are
//! told so rather than refused: the client asks before it is let in, and waits for the answer
//! (PROTOCOL g.2).

use std::sync::Arc;

use muster_model::{ParticipantId, PeerId, Timestamp, chat::ChatMessage};

use crate::{
    effect::{Event, Refusal},
    input::{ChatFilter, ChatPage, RequestId},
    limits::Rate,
    room::{Handled, Room},
};

/// Messages given at once, at most.
const MESSAGES_MAX: usize = 1000;

/// Bytes of payloads given at once, at most: what is longer comes in further pages.
const BYTES_MAX: usize = 1 << 20;

/// As many of the messages, in their order, as may be given at once; one at least.
fn within_bytes<'a>(messages: impl Iterator<Item = &'a Arc<ChatMessage>>) -> Vec<Arc<ChatMessage>> {
    let mut bytes = 0;
    messages
        .enumerate()
        .take_while(|(at, message)| {
            bytes += message.payload.len() + message.display_name.len();
            *at == 0 || bytes <= BYTES_MAX
        })
        .map(|(_, message)| message.clone())
        .collect()
}

/// Whether a message is what a filter asks for. It must be one that the asker may see.
fn passes(message: &ChatMessage, filter: ChatFilter, asker: ParticipantId) -> bool {
    match filter {
        ChatFilter::Public => message.recipients.is_empty(),
        ChatFilter::Pinned(pinned) => message.pinned == pinned,
        // As clients sort them: what was for a third one too is another conversation.
        ChatFilter::With(other) => {
            !message.recipients.is_empty()
                && message.recipients.contains(&other)
                && message
                    .recipients
                    .iter()
                    .all(|one| *one == other || *one == asker)
        }
    }
}

/// Whether a message lies on the side of the page's time that is wanted.
fn in_time(message: &ChatMessage, page: &ChatPage) -> bool {
    let written = u64::try_from(message.created_at.as_micros() / 1000).unwrap_or(0);
    match page.time_ms {
        0 => true,
        until if page.reversed => written <= until,
        since => written >= since,
    }
}

impl Room {
    /// The last messages that the asker may see, oldest first.
    pub(crate) fn tell_chat(&mut self, now: Timestamp, peer: PeerId, id: &RequestId) -> Handled {
        let mut messages = Vec::new();
        if let Some(asker) = self.chat_reader(now, peer)? {
            let visible = self.chat.iter().rev().filter(|message| message.is_for(asker));
            messages = within_bytes(visible.take(MESSAGES_MAX));
            messages.reverse();
        }
        self.reply(peer, id, Event::ChatMessages(messages));
        Ok(())
    }

    /// A page of the messages that pass a filter.
    pub(crate) fn tell_chat_page(
        &mut self,
        now: Timestamp,
        peer: PeerId,
        id: &RequestId,
        page: &ChatPage,
    ) -> Handled {
        let (messages, more) = match self.chat_reader(now, peer)? {
            Some(asker) => self.chat_page(asker, page, |message| passes(message, page.filter, asker)),
            None => (Vec::new(), false),
        };
        self.reply(peer, id, Event::ChatPage { messages, more });
        Ok(())
    }

    /// A page of the messages whose payload has the term in it. The page's filter is not used.
    pub(crate) fn search_chat(
        &mut self,
        now: Timestamp,
        peer: PeerId,
        id: &RequestId,
        term: &str,
        page: &ChatPage,
    ) -> Handled {
        let messages = match self.chat_reader(now, peer)? {
            Some(asker) => {
                let term = term.to_lowercase();
                let found = |message: &ChatMessage| message.payload.to_lowercase().contains(&term);
                self.chat_page(asker, page, found).0
            }
            None => Vec::new(),
        };
        self.reply(peer, id, Event::ChatFound(messages));
        Ok(())
    }

    /// The participant that reads, if it is inside.
    fn chat_reader(&mut self, now: Timestamp, peer: PeerId) -> Result<Option<ParticipantId>, Refusal> {
        let Some(known) = self.people.inside(peer) else {
            return Ok(None);
        };
        let participant = known.person.participant;
        self.take(peer, Rate::Reads, now)?;
        Ok(Some(participant))
    }

    /// What of the chat is on a page, and whether there is more after it.
    fn chat_page(
        &self,
        asker: ParticipantId,
        page: &ChatPage,
        wanted: impl Fn(&ChatMessage) -> bool,
    ) -> (Vec<Arc<ChatMessage>>, bool) {
        let size = page.size.clamp(1, MESSAGES_MAX);
        let meant =
            |message: &&Arc<ChatMessage>| message.is_for(asker) && in_time(message, page) && wanted(message);
        // One more than the page holds tells whether there is more.
        let found: Vec<_> = if page.reversed {
            let found = self.chat.iter().rev().filter(meant);
            found.skip(page.from).take(size + 1).collect()
        } else {
            let found = self.chat.iter().filter(meant);
            found.skip(page.from).take(size + 1).collect()
        };
        let messages = within_bytes(found.iter().copied().take(size));
        let more = messages.len() < found.len();
        (messages, more)
    }
}
