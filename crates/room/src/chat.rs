//! Chat: public and private messages, edits, pins, pages, search.

use muster_model::{
    ChatMessageId, PeerId, Timestamp,
    chat::{ChatMessage, ChatPayloadKind},
};

use crate::{
    effect::Refusal,
    input::{ChatPage, RequestId},
    room::{Handled, Room},
};

/// The messages at hand.
#[derive(Debug, Default)]
pub(crate) struct Chat;

impl Chat {
    /// Takes up messages of before, oldest first.
    pub(crate) fn resume(&mut self, _messages: Vec<ChatMessage>) {}

    /// Forgets everything, when a session ends that does not keep its chat.
    pub(crate) fn clear(&mut self) {}
}

impl Room {
    pub(crate) fn tell_chat(&mut self, _peer: PeerId, _id: &RequestId) -> Handled {
        Err(Refusal::NotFound("this feature"))
    }

    pub(crate) fn send_chat(
        &mut self,
        _now: Timestamp,
        _peer: PeerId,
        _id: &RequestId,
        _kind: ChatPayloadKind,
        _payload: String,
    ) -> Handled {
        Err(Refusal::NotFound("this feature"))
    }

    pub(crate) fn send_private_chat(
        &mut self,
        _now: Timestamp,
        _peer: PeerId,
        _id: &RequestId,
        _peers: &[PeerId],
        _kind: ChatPayloadKind,
        _payload: String,
    ) -> Handled {
        Err(Refusal::NotFound("this feature"))
    }

    pub(crate) fn edit_chat(
        &mut self,
        _now: Timestamp,
        _peer: PeerId,
        _id: &RequestId,
        _message: ChatMessageId,
        _kind: Option<ChatPayloadKind>,
        _payload: Option<String>,
        _pinned: Option<bool>,
    ) -> Handled {
        Err(Refusal::NotFound("this feature"))
    }

    pub(crate) fn delete_chat(
        &mut self,
        _now: Timestamp,
        _peer: PeerId,
        _id: &RequestId,
        _message: ChatMessageId,
    ) -> Handled {
        Err(Refusal::NotFound("this feature"))
    }

    pub(crate) fn pin_chat(
        &mut self,
        _now: Timestamp,
        _peer: PeerId,
        _id: &RequestId,
        _message: ChatMessageId,
        _pinned: bool,
    ) -> Handled {
        Err(Refusal::NotFound("this feature"))
    }

    pub(crate) fn tell_chat_page(&mut self, _peer: PeerId, _id: &RequestId, _page: &ChatPage) -> Handled {
        Err(Refusal::NotFound("this feature"))
    }

    pub(crate) fn search_chat(
        &mut self,
        _now: Timestamp,
        _peer: PeerId,
        _id: &RequestId,
        _term: &str,
        _page: &ChatPage,
    ) -> Handled {
        Err(Refusal::NotFound("this feature"))
    }
}
