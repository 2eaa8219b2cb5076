//! Changes of what people may do. They are of a participant, so that each of its peers has them, and
//! last as long as the session.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use muster_model::{ParticipantId, PeerId, Timestamp, preset::Permissions};
use serde_json::Value;

use crate::{
    effect::{Event, PeerPermissions, Refusal},
    input::{PermissionPatch, Person, RequestId},
    limits::Rate,
    room::{Handled, Room},
};

/// What makes somebody a recorder or unseen: never changed in the room.
const FIXED: [&str; 3] = ["hidden_participant", "is_recorder", "recorder_type"];

/// What a preset may leave out, and a change may set all the same.
const OPTIONAL: [&str; 4] = [
    "stage_access",
    "media.audio.can_consume",
    "media.video.can_consume",
    "media.screenshare.can_consume",
];

/// Characters of a value; those that exist are names of choices.
const VALUE_MAX: usize = 64;

/// The changes made in the session, merged for each participant.
pub(crate) type Changes = BTreeMap<ParticipantId, PermissionPatch>;

/// Sets one value. None where the path leads nowhere, or to more than one value.
fn set(root: &mut Value, path: &str, value: &Value) -> Option<()> {
    let optional = OPTIONAL.contains(&path);
    let (parents, last) = path
        .rsplit_once('.')
        .map_or((None, path), |(p, last)| (Some(p), last));
    let mut place = root.as_object_mut()?;
    for name in parents.into_iter().flat_map(|parents| parents.split('.')) {
        place = place.get_mut(name)?.as_object_mut()?;
    }
    match place.get_mut(last) {
        Some(Value::Object(_) | Value::Array(_)) => None,
        Some(old) => {
            *old = value.clone();
            Some(())
        }
        None if optional => {
            place.insert(last.to_owned(), value.clone());
            Some(())
        }
        None => None,
    }
}

fn invalid(path: &str) -> Refusal {
    let shown: String = path.chars().take(VALUE_MAX).collect();
    Refusal::Invalid(format!("the permission {shown} cannot be changed so"))
}

/// The permissions with a change; refused unless all of it fits.
fn changed(permissions: &Permissions, patch: &PermissionPatch) -> Result<Permissions, Refusal> {
    let unreadable = |_| Refusal::Invalid("the permissions would make no sense".to_owned());
    let mut root = serde_json::to_value(permissions).map_err(unreadable)?;
    for (path, value) in &patch.0 {
        let fits = match value {
            Value::Object(_) | Value::Array(_) => false,
            Value::String(text) => text.chars().count() <= VALUE_MAX,
            Value::Null | Value::Bool(_) | Value::Number(_) => true,
        };
        if !fits || FIXED.contains(&path.as_str()) {
            return Err(invalid(path));
        }
        set(&mut root, path, value).ok_or_else(|| invalid(path))?;
    }
    serde_json::from_value(root).map_err(unreadable)
}

impl Room {
    /// What a person may do, with the changes made in this session. A change made to another preset of
    /// the participant counts as far as this one has such permissions.
    pub(crate) fn changed_permissions(&self, person: &Person) -> Arc<Permissions> {
        let mut permissions = person.permissions.clone();
        if let Some(patch) = self.changes.get(&person.participant) {
            for (path, value) in &patch.0 {
                let one = PermissionPatch(BTreeMap::from([(path.clone(), value.clone())]));
                if let Ok(more) = changed(&permissions, &one) {
                    permissions = more;
                }
            }
        }
        Arc::new(permissions)
    }

    /// Tells a peer what was changed for its participant, which its preset does not say.
    pub(crate) fn tell_own_changes(&mut self, peer: PeerId) {
        let Some(participant) = self.people.get(peer).map(|known| known.person.participant) else {
            return;
        };
        if let Some(patch) = self.changes.get(&participant) {
            let change = Event::PermissionsUpdated(vec![(participant, patch.clone())]);
            self.send(vec![peer], change);
        }
    }

    /// The session is over: those who are still connected are what their presets say.
    pub(crate) fn forget_changes(&mut self) {
        for participant in std::mem::take(&mut self.changes).into_keys() {
            let peers: Vec<PeerId> = self.people.of(participant).map(|peer| peer.id).collect();
            for peer in peers {
                if let Some(known) = self.people.get_mut(peer) {
                    known.permissions = Arc::new(known.person.permissions.clone());
                }
            }
        }
    }

    /// Changes what participants may do: all that is asked for, or nothing.
    pub(crate) fn update_permissions(
        &mut self,
        now: Timestamp,
        peer: PeerId,
        id: &RequestId,
        changes: Vec<(ParticipantId, PermissionPatch)>,
    ) -> Handled {
        self.member_who_may(peer, "change permissions", |may| {
            may.can_change_participant_permissions
        })?;
        self.take(peer, Rate::Permissions, now)?;
        let mut merged = Changes::new();
        for (participant, patch) in &changes {
            let all = &mut merged.entry(*participant).or_default().0;
            all.extend(patch.0.iter().map(|(path, value)| (path.clone(), value.clone())));
        }
        let mut outcome: Vec<(PeerId, Arc<Permissions>)> = Vec::new();
        for (participant, patch) in &merged {
            let before = outcome.len();
            for known in self.people.of(*participant) {
                outcome.push((known.id, Arc::new(changed(&known.permissions, patch)?)));
            }
            if outcome.len() == before {
                return Err(Refusal::NotFound("participant"));
            }
        }
        for (affected, permissions) in &outcome {
            if let Some(known) = self.people.get_mut(*affected) {
                known.permissions = permissions.clone();
            }
        }
        self.reply(peer, id, Event::PermissionsUpdated(changes));
        for (participant, patch) in merged {
            // The reply acts on the asker like a push.
            let others = self.people.of(participant).map(|known| known.id);
            let others = others.filter(|other| *other != peer).collect();
            self.send(
                others,
                Event::PermissionsUpdated(vec![(participant, patch.clone())]),
            );
            self.changes.entry(participant).or_default().0.extend(patch.0);
        }
        for (affected, _) in outcome {
            self.rights_changed(affected);
        }
        Ok(())
    }

    /// What participants may do, for each of their peers. Everybody may ask about oneself.
    pub(crate) fn tell_permissions(
        &mut self,
        now: Timestamp,
        peer: PeerId,
        id: &RequestId,
        users: &[ParticipantId],
    ) -> Handled {
        let member = self.member(peer)?;
        let own = member.person.participant;
        let users: BTreeSet<ParticipantId> = users.iter().copied().collect();
        let only_oneself = users.iter().all(|user| *user == own);
        if !only_oneself && !member.permissions.can_change_participant_permissions {
            return Err(Refusal::NotPermitted("read the permissions of others"));
        }
        self.take(peer, Rate::Permissions, now)?;
        let mut found = Vec::new();
        for user in &users {
            let before = found.len();
            found.extend(self.people.of(*user).map(|known| PeerPermissions {
                peer: known.id,
                participant: *user,
                permissions: known.permissions.clone(),
            }));
            if found.len() == before {
                return Err(Refusal::NotFound("participant"));
            }
        }
        self.reply(peer, id, Event::Permissions(found));
        Ok(())
    }
}
