//! Connections, coming in, and who is inside.

use std::sync::Arc;

use muster_model::{
    PeerId, Timestamp,
    event::{DomainEvent, Stay},
    preset::ViewType,
    session::PeerViewType,
};

use crate::{
    effect::{CloseReason, Effect, Event, MediaEffect, PeerView, Refusal, RoomInfo, Stage},
    input::{Connect, ConnectionId, Disconnect, RequestId},
    limits::Rate,
    people::{Peer, Place},
    room::{Handled, Room},
};

/// Characters of a name that is shown.
const NAME_MAX: usize = 256;

const fn view_type(view: ViewType) -> PeerViewType {
    match view {
        ViewType::GroupCall => PeerViewType::GroupCall,
        ViewType::Webinar => PeerViewType::Webinar,
        ViewType::AudioRoom => PeerViewType::AudioRoom,
        ViewType::Livestream => PeerViewType::Livestream,
    }
}

// Connections
impl Room {
    /// A connection was accepted. A peer that is known goes on where it was; a peer id that is somebody
    /// else's is refused, and nobody notices.
    pub(crate) fn connect(&mut self, now: Timestamp, connect: Connect) {
        match self.people.get(connect.peer) {
            None => self.connect_new(now, connect),
            Some(known) if known.person.participant != connect.person.participant => {
                self.turn_away(&connect, CloseReason::Refused);
            }
            Some(known) if known.connection.is_some_and(|old| old >= connect.connection) => {
                // A newer one was faster.
                self.turn_away(&connect, CloseReason::Replaced);
            }
            Some(_) => self.connect_again(connect),
        }
    }

    fn turn_away(&mut self, connect: &Connect, reason: CloseReason) {
        self.push(Effect::Close {
            peer: connect.peer,
            connection: connect.connection,
            reason,
        });
    }

    fn connect_new(&mut self, now: Timestamp, connect: Connect) {
        let participant = connect.person.participant;
        if self.people.of(participant).count() >= self.settings.limits.peers_per_participant {
            // One that reloads its page again and again makes room for itself.
            let longest_lost = self
                .people
                .of(participant)
                .filter_map(|peer| Some((peer.lost_at?, peer.id)))
                .min();
            match longest_lost {
                Some((lost_at, peer)) => self.depart(peer, lost_at),
                None => return self.turn_away(&connect, CloseReason::Full),
            }
        }
        if self.people.len() >= self.settings.limits.peers {
            return self.turn_away(&connect, CloseReason::Full);
        }
        self.people.insert(Peer {
            id: connect.peer,
            permissions: self.changed_permissions(&connect.person),
            display_name: connect.person.name.clone(),
            person: connect.person,
            record: connect.record,
            place: Place::Outside,
            stage: Stage::Off,
            turn: 0,
            connection: Some(connect.connection),
            connected_at: now,
            grace_until: None,
            lost_at: None,
            in_media: false,
            media_told: None,
        });
    }

    fn connect_again(&mut self, connect: Connect) {
        let permissions = self.changed_permissions(&connect.person);
        let Some(known) = self.people.get_mut(connect.peer) else {
            return;
        };
        self.clock.found(known);
        let old = known.connection.replace(connect.connection);
        known.grace_until = None;
        known.lost_at = None;
        let place = known.place;
        let participant = known.person.participant;
        if place == Place::Outside {
            // Nothing has come of it yet: it is who it says it is now.
            known.permissions = permissions;
            known.display_name.clone_from(&connect.person.name);
            known.person = connect.person;
            known.record = connect.record;
        }
        if let Some(connection) = old {
            self.push(Effect::Close {
                peer: connect.peer,
                connection,
                reason: CloseReason::Replaced,
            });
        }
        self.push(Effect::Media(MediaEffect::Rejoined(connect.peer)));
        match place {
            // It may have missed that it was let in.
            Place::Waiting if self.admissions.has(participant) => {
                self.send(vec![connect.peer], Event::WaitingAccepted);
            }
            Place::Outside | Place::Waiting => {}
            Place::Inside => {
                self.clock.came_back();
                // After a restart the media engine knows nobody.
                self.admit_to_media(connect.peer);
                // It may have missed them.
                self.tell_own_changes(connect.peer);
            }
        }
    }

    /// A connection ended. One that left is gone; one that was lost may come back, unless it had not
    /// even asked to come in.
    pub(crate) fn disconnect(
        &mut self,
        now: Timestamp,
        peer: PeerId,
        connection: ConnectionId,
        how: Disconnect,
    ) {
        let until = Timestamp::from_micros(now.as_micros().saturating_add(self.settings.grace_micros.max(0)));
        let Some(known) = self.people.get_mut(peer) else {
            return;
        };
        if known.connection != Some(connection) {
            return;
        }
        known.connection = None;
        if how == Disconnect::Left || known.place == Place::Outside {
            self.depart(peer, now);
            return;
        }
        known.lost_at = Some(now);
        known.grace_until = Some(until);
        self.clock.lost(peer, until);
    }
}

// Coming in
impl Room {
    /// A peer asks to come in. It comes in, or waits; asked again, it is told how it stands.
    pub(crate) fn join(
        &mut self,
        now: Timestamp,
        peer: PeerId,
        id: &RequestId,
        display_name: Option<String>,
    ) -> Handled {
        let known = self.people.get_mut(peer).ok_or(Refusal::NotJoined)?;
        let before = known.place;
        if before == Place::Inside {
            let view = known.view();
            self.reply(peer, id, Event::PeerJoined(view));
            return Ok(());
        }
        if self.inactive {
            return Err(Refusal::NotPermitted("join an inactive meeting"));
        }
        known.take_name(display_name.as_deref());
        if !self.must_wait(peer) {
            self.come_in(now, peer, id);
            return Ok(());
        }
        let Some(known) = self.people.get_mut(peer) else {
            return Err(Refusal::NotJoined);
        };
        known.place = Place::Waiting;
        let view = known.view();
        self.reply(peer, id, Event::PeerJoined(view));
        if before == Place::Outside {
            self.tell_who_waits();
        }
        Ok(())
    }

    fn come_in(&mut self, now: Timestamp, peer: PeerId, id: &RequestId) {
        let session = self.open_session(now);
        self.turns += 1;
        let turn = self.turns;
        let Some(known) = self.people.get_mut(peer) else {
            return;
        };
        let waited = known.place == Place::Waiting && !self.admissions.has(known.person.participant);
        known.place = Place::Inside;
        known.turn = turn;
        known.stage = known.first_stage();
        let (view, watches) = (known.view(), known.watches());
        let lets_in = known.permissions.accept_waiting_requests;
        let stay = Stay {
            peer,
            record: known.record,
            participant_id: known.person.participant,
            custom_participant_id: known.person.custom_participant_id.clone(),
            display_name: Some(known.display_name.clone()).filter(|name| !name.is_empty()),
            preset_name: known.person.preset_name.clone(),
            view_type: view_type(known.person.view_type),
            connected_at: known.connected_at,
            joined_at: now,
        };
        self.admissions.admit(stay.participant_id);
        self.clock.came_in(watches);
        self.record(DomainEvent::PeerJoined { session, stay });
        self.admit_to_media(peer);
        self.reply(peer, id, Event::PeerJoined(view.clone()));
        self.tell_own_changes(peer);
        let others = self.people.inside_but(Some(peer));
        self.send(others, Event::PeerJoined(view));
        if waited {
            self.tell_who_waits();
        }
        if lets_in {
            self.let_in_who_waited_for_somebody();
        }
        self.roster_changed();
    }

    /// The media engine is told that a peer is inside, and what it may send.
    fn admit_to_media(&mut self, peer: PeerId) {
        self.push(Effect::Media(MediaEffect::Admit { peer, admitted: true }));
        self.tell_media_rights(peer);
    }
}

impl Peer {
    fn take_name(&mut self, wished: Option<&str>) {
        if !self.permissions.can_edit_display_name {
            return;
        }
        // No database keeps a NUL in a text.
        let name = wished.unwrap_or_default().trim().chars().filter(|c| *c != '\0');
        let name: String = name.take(NAME_MAX).collect();
        if !name.is_empty() {
            self.display_name = name;
        }
    }
}

// Who is inside
impl Room {
    /// About the room. Those who are not inside do not learn of recordings.
    pub(crate) fn tell_room_info(&mut self, peer: PeerId, id: &RequestId) -> Handled {
        let asker = self.people.get(peer).ok_or(Refusal::NotJoined)?;
        let recordings = if asker.is_inside() {
            self.recordings.values().cloned().collect()
        } else {
            Vec::new()
        };
        let info = RoomInfo {
            meeting: self.settings.meeting,
            title: self.title(),
            started_at: self.started_at().unwrap_or(asker.connected_at),
            session: self.session(),
            recordings,
        };
        self.reply(peer, id, Event::RoomInfo(info));
        Ok(())
    }

    /// Who is inside, in the order in which they came. Nobody, for one who waits or would have to.
    pub(crate) fn tell_peers(
        &mut self,
        now: Timestamp,
        peer: PeerId,
        id: &RequestId,
        search: &str,
        limit: usize,
        offset: usize,
    ) -> Handled {
        self.take(peer, Rate::Peers, now)?;
        let mut found: Vec<&Peer> = if self.may_look_in(peer) {
            let search = search.trim().to_lowercase();
            self.people
                .all_inside()
                .filter(|other| search.is_empty() || other.display_name.to_lowercase().contains(&search))
                .collect()
        } else {
            Vec::new()
        };
        found.sort_by_key(|other| other.turn);
        let limit = if limit == 0 { usize::MAX } else { limit };
        let views: Vec<Arc<PeerView>> = found
            .into_iter()
            .skip(offset)
            .take(limit)
            .map(Peer::view)
            .collect();
        self.reply(peer, id, Event::Peers(views));
        Ok(())
    }

    /// About one peer inside, or oneself.
    pub(crate) fn tell_peer(&mut self, peer: PeerId, id: &RequestId, about: PeerId) -> Handled {
        let found = if about == peer {
            self.people.get(about)
        } else if self.may_look_in(peer) {
            self.people.inside(about)
        } else {
            None
        };
        let view = found.ok_or(Refusal::NotFound("peer"))?.view();
        self.reply(peer, id, Event::PeerInfo(view));
        Ok(())
    }

    /// Whether a peer may know who is inside: it is inside itself, or could come in without waiting.
    fn may_look_in(&self, peer: PeerId) -> bool {
        match self.people.get(peer).map(|asker| asker.place) {
            Some(Place::Inside) => true,
            Some(Place::Outside) => !self.must_wait(peer),
            Some(Place::Waiting) | None => false,
        }
    }
}
