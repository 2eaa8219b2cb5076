//! Chat: public and private messages, edits, pins, pages, search (PROTOCOL f.4).
//!
//! Who may do what, where the presets say nothing of it: only the author changes a message; the author
//! and those who may remove people delete it; the author and those who may pin people pin it. Nobody
//! does anything to a message they cannot see.

mod log;
mod page;
mod payload;

use std::{collections::BTreeSet, sync::Arc};

use muster_model::{
    ChatMessageId, ParticipantId, PeerId, SessionId, Timestamp,
    chat::{ChatMessage, ChatPayloadKind},
    event::DomainEvent,
    preset::Permissions,
};

pub(crate) use self::log::Chat;
use self::payload::Contents;
use crate::{
    effect::{Event, Refusal},
    input::RequestId,
    limits::Rate,
    people::Peer,
    room::{Handled, Room},
};

const SEND: &str = "write to everybody";
const SEND_PRIVATE: &str = "write to others in private";

/// What is to change of a message.
#[derive(Debug)]
pub(crate) struct ChatChange {
    pub(crate) kind: Option<ChatPayloadKind>,
    pub(crate) payload: Option<String>,
    pub(crate) pinned: Option<bool>,
}

/// Whether somebody may write at all.
fn may_send(may: &Permissions, private: bool) -> bool {
    if private {
        may.chat.private.can_send
    } else {
        may.chat.public.can_send
    }
}

/// Whether somebody who may write may write this.
fn check_contents(may: &Permissions, private: bool, contents: Contents) -> Handled {
    let (text, files) = if private {
        (may.chat.private.text, may.chat.private.files)
    } else {
        (may.chat.public.text, may.chat.public.files)
    };
    if contents.text && !text {
        return Err(Refusal::NotPermitted("send text"));
    }
    if contents.files && !files {
        return Err(Refusal::NotPermitted("send files"));
    }
    Ok(())
}

// Writing
impl Room {
    /// Writes to everybody. There is no reply: the sender gets the message as all others do.
    pub(crate) fn send_chat(
        &mut self,
        now: Timestamp,
        peer: PeerId,
        _id: &RequestId,
        kind: ChatPayloadKind,
        payload: String,
    ) -> Handled {
        self.check_message(now, peer, false, kind, &payload)?;
        let message = self.new_message(now, peer, kind, payload, Vec::new())?;
        let everybody = self.people.inside_but(None);
        self.save_chat(&message)?;
        self.send(everybody, Event::ChatSent(message));
        Ok(())
    }

    /// Writes to the participants behind some peers. Each of their peers inside gets the message, and
    /// each of the sender's.
    pub(crate) fn send_private_chat(
        &mut self,
        now: Timestamp,
        peer: PeerId,
        _id: &RequestId,
        peers: &[PeerId],
        kind: ChatPayloadKind,
        payload: String,
    ) -> Handled {
        self.check_message(now, peer, true, kind, &payload)?;
        let sender = self.member(peer)?.person.participant;
        let others = || {
            let inside = peers.iter().filter_map(|other| self.people.inside(*other));
            inside.filter(|other| other.person.participant != sender)
        };
        let mut recipients: BTreeSet<ParticipantId> = others()
            .filter(|other| other.permissions.chat.private.can_receive)
            .map(|other| other.person.participant)
            .collect();
        if recipients.is_empty() {
            return Err(match others().next() {
                Some(_) => Refusal::NotPermitted("write to them in private"),
                None => Refusal::NotFound("recipient"),
            });
        }
        recipients.insert(sender);
        let message = self.new_message(now, peer, kind, payload, recipients.into_iter().collect())?;
        self.save_chat(&message)?;
        let to = self.chat_audience(&message, None);
        self.send(to, Event::PrivateChatSent(message));
        Ok(())
    }

    /// Whether somebody may write that now; counted even where it makes no sense.
    fn check_message(
        &mut self,
        now: Timestamp,
        peer: PeerId,
        private: bool,
        kind: ChatPayloadKind,
        payload: &str,
    ) -> Handled {
        let what = if private { SEND_PRIVATE } else { SEND };
        self.member_who_may(peer, what, |may| may_send(may, private))?;
        self.take(peer, payload::rate(kind), now)?;
        let contents = payload::check(kind, payload, &self.settings.limits)?;
        check_contents(&self.member(peer)?.permissions, private, contents)
    }

    fn new_message(
        &mut self,
        now: Timestamp,
        peer: PeerId,
        kind: ChatPayloadKind,
        payload: String,
        recipients: Vec<ParticipantId>,
    ) -> Result<Arc<ChatMessage>, Refusal> {
        let id = self.new_id();
        let writer = self.member(peer)?;
        Ok(Arc::new(ChatMessage {
            id,
            peer_id: peer,
            participant_id: writer.person.participant,
            display_name: writer.display_name.clone(),
            kind,
            payload,
            recipients,
            pinned: false,
            edited: false,
            created_at: now,
        }))
    }
}

// Changing
impl Room {
    /// Changes what a message holds, whether it is pinned, or both.
    pub(crate) fn edit_chat(
        &mut self,
        now: Timestamp,
        peer: PeerId,
        id: &RequestId,
        message: ChatMessageId,
        change: ChatChange,
    ) -> Handled {
        let ChatChange {
            kind,
            payload,
            pinned,
        } = change;
        let asker = self.member(peer)?;
        let old = self.visible_message(asker, message)?;
        let rewritten = kind.is_some() || payload.is_some();
        if !rewritten && pinned.is_none() {
            return Err(Refusal::Invalid("nothing to change".to_owned()));
        }
        if rewritten && asker.person.participant != old.participant_id {
            return Err(Refusal::NotPermitted("change messages of others"));
        }
        if pinned.is_some_and(|pinned| pinned != old.pinned) {
            check_may_pin(asker, &old)?;
        }
        let mut new = ChatMessage::clone(&old);
        new.pinned = pinned.unwrap_or(old.pinned);
        if rewritten {
            new.kind = kind.unwrap_or(old.kind);
            new.payload = payload.unwrap_or(new.payload);
            new.edited = true;
            let private = !old.recipients.is_empty();
            self.check_message(now, peer, private, new.kind, &new.payload)?;
        } else {
            self.take(peer, Rate::ChatText, now)?;
        }
        let new = Arc::new(new);
        if new != old {
            self.save_chat(&new)?;
            let others = self.chat_audience(&new, Some(peer));
            self.send(others, Event::ChatEdited(new.clone()));
        }
        self.reply(peer, id, Event::ChatEdited(new));
        Ok(())
    }

    /// Deletes a message.
    pub(crate) fn delete_chat(
        &mut self,
        now: Timestamp,
        peer: PeerId,
        id: &RequestId,
        message: ChatMessageId,
    ) -> Handled {
        let asker = self.member(peer)?;
        let old = self.visible_message(asker, message)?;
        if asker.person.participant != old.participant_id && !asker.permissions.kick_participant {
            return Err(Refusal::NotPermitted("delete messages of others"));
        }
        self.take(peer, Rate::ChatText, now)?;
        let session = self.chat_session()?;
        self.chat.remove(message);
        self.record(DomainEvent::ChatDeleted { session, message });
        let others = self.chat_audience(&old, Some(peer));
        self.reply(peer, id, Event::ChatDeleted(message));
        self.send(others, Event::ChatDeleted(message));
        Ok(())
    }

    /// Pins or unpins a message. To say again what is so already is no change.
    pub(crate) fn pin_chat(
        &mut self,
        now: Timestamp,
        peer: PeerId,
        id: &RequestId,
        message: ChatMessageId,
        pinned: bool,
    ) -> Handled {
        let asker = self.member(peer)?;
        let old = self.visible_message(asker, message)?;
        check_may_pin(asker, &old)?;
        self.take(peer, Rate::ChatText, now)?;
        let mut new = old.clone();
        if old.pinned != pinned {
            Arc::make_mut(&mut new).pinned = pinned;
            self.save_chat(&new)?;
            let others = self.chat_audience(&new, Some(peer));
            self.send(others, Event::ChatPinned(new.clone()));
        }
        self.reply(peer, id, Event::ChatPinned(new));
        Ok(())
    }
}

fn check_may_pin(asker: &Peer, message: &ChatMessage) -> Handled {
    if asker.permissions.pin_participant || asker.person.participant == message.participant_id {
        Ok(())
    } else {
        Err(Refusal::NotPermitted("pin messages of others"))
    }
}

// What these share
impl Room {
    /// A message, if the asker may see it: for others there is none.
    fn visible_message(&self, asker: &Peer, id: ChatMessageId) -> Result<Arc<ChatMessage>, Refusal> {
        let message = self.chat.get(id);
        message
            .filter(|message| message.is_for(asker.person.participant))
            .cloned()
            .ok_or(Refusal::NotFound("message"))
    }

    fn chat_session(&self) -> Result<SessionId, Refusal> {
        self.session().ok_or(Refusal::NotJoined)
    }

    /// Keeps a message, new or changed.
    fn save_chat(&mut self, message: &Arc<ChatMessage>) -> Handled {
        let session = self.chat_session()?;
        self.chat.put(message.clone(), &self.settings.limits);
        self.record(DomainEvent::ChatSaved {
            session,
            message: ChatMessage::clone(message),
        });
        Ok(())
    }

    /// Everybody inside who may see a message, but one.
    fn chat_audience(&self, message: &ChatMessage, but: Option<PeerId>) -> Vec<PeerId> {
        if message.recipients.is_empty() {
            return self.people.inside_but(but);
        }
        let peers = message.recipients.iter().flat_map(|one| self.people.of(*one));
        let inside = peers.filter(|peer| peer.is_inside() && Some(peer.id) != but);
        let mut audience: Vec<PeerId> = inside.map(|peer| peer.id).collect();
        audience.sort_unstable();
        audience
    }
}
