//! Key-value stores (PROTOCOL f.6).

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use muster_model::{PeerId, Timestamp};
use serde::de::IgnoredAny;

use crate::{
    effect::{Event, Refusal, StoreChange, StoreItem},
    input::RequestId,
    limits::{Limits, Rate},
    room::{Handled, Room},
};

/// The stores of the room; they live as long as its session, and are not recorded.
#[derive(Debug, Default)]
pub(crate) struct Stores {
    /// None of them is empty.
    stores: BTreeMap<String, BTreeMap<String, StoreItem>>,
    /// Of names, keys and values.
    bytes: usize,
}

fn item_bytes(item: &StoreItem) -> usize {
    item.key.len() + item.payload.len()
}

/// Whether clients can read a value: JSON, or nothing at all.
fn is_value(value: &[u8]) -> bool {
    // The parser passes over texts without a look at their encoding.
    let json = |text| serde_json::from_str::<IgnoredAny>(text).is_ok();
    value.is_empty() || std::str::from_utf8(value).is_ok_and(json)
}

impl Stores {
    /// Forgets everything, when a session ends.
    pub(crate) fn clear(&mut self) {
        *self = Self::default();
    }

    /// Those of the keys that are there, in the order of keys; all where none is named.
    fn read(&self, store: &str, keys: &[String]) -> Vec<StoreItem> {
        let Some(store) = self.stores.get(store) else {
            return Vec::new();
        };
        if keys.is_empty() {
            return store.values().cloned().collect();
        }
        // A key named a thousand times is still given once.
        let keys: BTreeSet<&String> = keys.iter().collect();
        keys.into_iter()
            .filter_map(|key| store.get(key))
            .cloned()
            .collect()
    }

    /// Writes all of the items, or none where they do not fit.
    fn write(&mut self, store: &str, items: &BTreeMap<String, StoreItem>, limits: &Limits) -> Handled {
        let there = self.stores.get(store);
        if there.is_none() && self.stores.len() >= limits.stores {
            return Err(Refusal::Full("no more stores in this room"));
        }
        let old = |key: &String| there.and_then(|there| there.get(key));
        let new_keys = items.keys().filter(|key| old(key).is_none()).count();
        if there.map_or(0, BTreeMap::len) + new_keys > limits.store_keys {
            return Err(Refusal::Full("no more keys in this store"));
        }
        let name = if there.is_none() { store.len() } else { 0 };
        let freed: usize = items.keys().filter_map(old).map(item_bytes).sum();
        let bytes = self.bytes + name + items.values().map(item_bytes).sum::<usize>() - freed;
        if bytes > limits.store_bytes {
            return Err(Refusal::Full("the stores of this room are full"));
        }
        self.bytes = bytes;
        self.stores
            .entry(store.to_owned())
            .or_default()
            .extend(items.clone());
        Ok(())
    }

    /// Deletes keys, and gives those that were there, in their order.
    fn delete(&mut self, store: &str, keys: Vec<String>) -> Vec<String> {
        let Some(there) = self.stores.get_mut(store) else {
            return Vec::new();
        };
        let mut deleted = BTreeSet::new();
        for key in keys {
            if let Some(old) = there.remove(&key) {
                self.bytes -= item_bytes(&old);
                deleted.insert(key);
            }
        }
        if there.is_empty() {
            self.stores.remove(store);
            self.bytes -= store.len();
        }
        deleted.into_iter().collect()
    }
}

impl Room {
    /// Reads keys. Those who are not inside find nothing, but always get an answer: the client asks
    /// before it comes in, and cannot begin without one (PROTOCOL 0, 3).
    pub(crate) fn read_store(
        &mut self,
        now: Timestamp,
        peer: PeerId,
        id: &RequestId,
        store: String,
        keys: &[String],
    ) -> Handled {
        let items = if self.people.inside(peer).is_some() {
            self.take(peer, Rate::Reads, now)?;
            self.stores.read(&store, keys)
        } else {
            Vec::new()
        };
        let change = StoreChange::Read;
        self.reply(peer, id, Event::Store { change, store, items });
        Ok(())
    }

    /// Writes keys, all or none. Everybody is told, the writer too, whose client passes over its own.
    pub(crate) fn write_store(
        &mut self,
        now: Timestamp,
        peer: PeerId,
        _id: &RequestId,
        store: String,
        items: Vec<(String, Vec<u8>)>,
    ) -> Handled {
        self.member(peer)?;
        self.take(peer, Rate::Store, now)?;
        if !items.iter().all(|(_, value)| is_value(value)) {
            return Err(Refusal::Invalid("a value is not JSON".to_owned()));
        }
        // Of a key that comes twice the last one counts.
        let items: BTreeMap<String, StoreItem> = items
            .into_iter()
            .map(|(key, value)| {
                let item = StoreItem {
                    key: key.clone(),
                    payload: value.into(),
                    peer,
                    at: now,
                };
                (key, item)
            })
            .collect();
        if items.is_empty() {
            return Ok(());
        }
        self.stores.write(&store, &items, &self.settings.limits)?;
        let items = items.into_values().collect();
        self.tell_store(StoreChange::Inserted, store, items);
        Ok(())
    }

    /// Deletes keys; none where none is named. Everybody is told which of them were there.
    pub(crate) fn clear_store(
        &mut self,
        now: Timestamp,
        peer: PeerId,
        _id: &RequestId,
        store: String,
        keys: Vec<String>,
    ) -> Handled {
        self.member(peer)?;
        self.take(peer, Rate::Store, now)?;
        let empty: Arc<[u8]> = Arc::new([]);
        let deleted = self.stores.delete(&store, keys).into_iter();
        let items: Vec<StoreItem> = deleted
            .map(|key| StoreItem {
                key,
                payload: empty.clone(),
                peer,
                at: now,
            })
            .collect();
        if !items.is_empty() {
            self.tell_store(StoreChange::Deleted, store, items);
        }
        Ok(())
    }

    fn tell_store(&mut self, change: StoreChange, store: String, items: Vec<StoreItem>) {
        let everybody = self.people.inside_but(None);
        self.send(everybody, Event::Store { change, store, items });
    }
}
