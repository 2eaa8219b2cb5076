//! Carries out what a room wants, once its records are kept.

use std::sync::Arc;

use bytes::Bytes;
use muster_model::{ParticipantId, PeerId, PresetId};
use muster_room::{CloseReason, Connected, Effect, Event, Refusal, RequestId};
use muster_store::participants::MeetingScope;

use super::task::Task;
use crate::{
    media::MediaEvent,
    realtime::{
        codec::{self, MediaPush, MediaRequest},
        outbox::{CloseCode, Outbox},
    },
};

impl Task {
    pub(super) fn deliver(&mut self, effect: Effect) {
        match effect {
            // Kept by now.
            Effect::Record(_) => {}
            Effect::Reply { peer, to, event } => self.reply(peer, &to, &event),
            Effect::Refuse { peer, to, why } => self.refuse(peer, &to, &why),
            Effect::Send { to, event } => {
                let frame = self.encode(&event);
                for peer in to {
                    if let Some(outbox) = self.outbox(peer) {
                        outbox.push_to_many(frame.clone());
                    }
                }
            }
            Effect::Close {
                connection, reason, ..
            } => {
                if let Some(outbox) = self.lines.get(&connection) {
                    outbox.close(close_code(reason));
                }
            }
            Effect::Media(effect) => self.media.apply(effect),
            Effect::Answer { to, answer } => {
                if let Some(reply) = self.commands.remove(&to) {
                    // The caller may have gone.
                    let _ = reply.send(answer);
                }
            }
            Effect::ToRoom(meeting, word) => self.pass_on(meeting, word),
            Effect::Transfer {
                participant,
                peers,
                destination,
                preset,
            } => self.transfer(participant, &peers, destination, preset),
        }
    }

    fn context(&self) -> codec::Context {
        codec::Context {
            meeting: self.at.meeting,
        }
    }

    fn encode(&self, event: &Event) -> Bytes {
        codec::event_frame(&self.context(), event)
    }

    fn outbox(&self, peer: PeerId) -> Option<&Arc<Outbox>> {
        self.current.get(&peer).and_then(|open| self.lines.get(open))
    }

    fn push(&self, peer: PeerId, frame: Bytes) {
        if let Some(outbox) = self.outbox(peer) {
            outbox.push(frame);
        }
    }

    fn reply(&self, peer: PeerId, to: &RequestId, event: &Event) {
        let frame = match event {
            // What everybody sends is the engine's to say.
            Event::MediaJoinCompleted { participants, .. } => {
                let producers: Vec<_> = participants
                    .iter()
                    .map(|view| (view.peer, self.sent.get(&view.peer).cloned().unwrap_or_default()))
                    .collect();
                codec::media_join_frame(to, event, &producers)
            }
            _ => codec::reply_frame(&self.context(), to, event),
        };
        self.push(peer, frame);
    }

    fn refuse(&self, peer: PeerId, to: &RequestId, why: &Refusal) {
        self.app.metrics.requests_refused.increment(1);
        self.push(peer, codec::refusal_frame(to.event, &to.id, &why.to_string()));
    }

    /// A peer wants something of the media engine, which may have it only as the room allows.
    pub(super) fn ask_media(&mut self, peer: PeerId, id: RequestId, request: MediaRequest) {
        match self.room.may_use_media(peer, request.needs_presence()) {
            Ok(()) => self.media.request(peer, id, request),
            Err(why) => self.refuse(peer, &id, &why),
        }
    }

    pub(super) fn hear_media(&mut self, event: MediaEvent) {
        match event {
            MediaEvent::Reply { peer, to, reply } => {
                self.push(peer, codec::media_reply_frame(&to, &reply));
            }
            MediaEvent::Failed { peer, to, why } => {
                self.push(peer, codec::refusal_frame(to.event, &to.id, &why));
            }
            MediaEvent::Quality(stats) => {
                if let Some(record) = self.room.record_of(stats.peer) {
                    self.quality.note(record, self.app.now(), &stats);
                }
            }
            MediaEvent::Tell(peer, push) => self.push(peer, codec::media_push_frame(&push)),
            MediaEvent::TellAll { but, push } => {
                self.note_sent(&push);
                let frame = codec::media_push_frame(&push);
                let pinned = self.room.pinned();
                let of_others = match push {
                    // Who is told to speak is no longer always taken by clients, unless that is said again.
                    MediaPush::SelectedPeers(mut entries) if pinned.is_some() => {
                        entries.extend(pinned.map(|pinned| (pinned, codec::ALWAYS)));
                        codec::media_push_frame(&MediaPush::SelectedPeers(entries))
                    }
                    _ => frame.clone(),
                };
                for peer in self.room.media_peers() {
                    if Some(peer) != but {
                        let frame = if Some(peer) == pinned { &frame } else { &of_others };
                        self.push(peer, frame.clone());
                    }
                }
            }
        }
    }

    /// Keeps in mind what everybody sends, as it is told: who comes later is told the same at once.
    fn note_sent(&mut self, push: &MediaPush) {
        match push {
            MediaPush::ProducerCreated(peer, state) => {
                self.sent.entry(*peer).or_default().push(state.clone());
            }
            MediaPush::ProducerToggled(peer, state, _) => {
                for known in self.sent.get_mut(peer).into_iter().flatten() {
                    if known.id == state.id {
                        known.paused = state.paused;
                    }
                }
            }
            MediaPush::ProducerClosed(peer, state) => {
                if let Some(known) = self.sent.get_mut(peer) {
                    known.retain(|known| known.id != state.id);
                    if known.is_empty() {
                        self.sent.remove(peer);
                    }
                }
            }
            MediaPush::SelectedPeers(_) | MediaPush::Terminated(_) => {}
        }
    }

    fn pass_on(&self, meeting: muster_model::MeetingId, word: Connected) {
        if let Some(room) = self.app.rooms.get(meeting) {
            // Someone else's meeting is not found.
            if room.at().scope == self.at.scope {
                room.pass_on(word);
            }
            return;
        }
        // A breakout room speaks to its parent, which keeps the family, whether or not anybody is in it.
        if self.parent == Some(meeting) && matches!(word, Connected::Roster { .. }) {
            let at = MeetingScope {
                scope: self.at.scope.clone(),
                meeting,
            };
            match self.app.rooms.get_or_start(&self.app, &at, None) {
                Ok(parent) => parent.pass_on(word),
                Err(error) => tracing::warn!(%meeting, %error, "a parent meeting did not begin"),
            }
        }
    }

    fn transfer(
        &self,
        participant: ParticipantId,
        peers: &[PeerId],
        destination: muster_model::MeetingId,
        preset: Option<PresetId>,
    ) {
        let Some(preset) = preset.or_else(|| self.room.preset_of(participant)) else {
            return;
        };
        let signed = self.app.participant_tokens.sign_for(
            self.at.scope.app,
            destination,
            participant,
            preset,
            self.app.config.participant_token_ttl,
            self.app.now(),
        );
        match signed {
            Ok(signed) => {
                let frame = codec::transfer_frame(destination, &signed.token);
                for peer in peers {
                    self.push(*peer, frame.clone());
                }
            }
            Err(error) => tracing::error!(%error, "no token for a move"),
        }
    }
}

/// Only 1000 keeps a client from coming back by itself.
fn close_code(reason: CloseReason) -> CloseCode {
    match reason {
        CloseReason::Replaced => CloseCode::Replaced,
        CloseReason::Refused => CloseCode::Refused,
        CloseReason::Removed => CloseCode::Final,
        CloseReason::Full => CloseCode::TryLater,
    }
}
