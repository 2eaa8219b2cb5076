//! Values that are believed for a moment.

use std::{
    collections::HashMap,
    hash::Hash,
    sync::{Mutex, MutexGuard, PoisonError},
    time::{Duration, Instant},
};

/// Values remembered at most; a full memory starts anew.
const CAPACITY: usize = 10_000;

/// A bounded memory whose values are forgotten after a fixed time.
#[derive(Debug)]
pub struct Momentary<K, V> {
    ttl: Duration,
    values: Mutex<HashMap<K, (V, Instant)>>,
}

impl<K: Eq + Hash, V: Clone> Momentary<K, V> {
    /// A memory whose values hold for `ttl`.
    pub fn new(ttl: Duration) -> Self {
        Self {
            ttl,
            values: Mutex::default(),
        }
    }

    /// The value, if it was put within the last `ttl`.
    pub fn get(&self, key: &K) -> Option<V> {
        self.lock()
            .get(key)
            .filter(|(_, at)| at.elapsed() < self.ttl)
            .map(|(value, _)| value.clone())
    }

    /// Remembers a value that was true at the time of the call.
    pub fn put(&self, key: K, value: V) {
        self.put_as_of(key, value, Instant::now());
    }

    /// Remembers a value that was true at `at`.
    pub fn put_as_of(&self, key: K, value: V, at: Instant) {
        let mut values = self.lock();
        if values.len() >= CAPACITY {
            let ttl = self.ttl;
            values.retain(|_, (_, at)| at.elapsed() < ttl);
            if values.len() >= CAPACITY {
                values.clear();
            }
        }
        values.insert(key, (value, at));
    }

    /// Forgets a value.
    pub fn forget(&self, key: &K) {
        self.lock().remove(key);
    }

    /// Forgets the values for which `keep` is false.
    pub fn retain(&self, keep: impl Fn(&V) -> bool) {
        self.lock().retain(|_, (value, _)| keep(value));
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<K, (V, Instant)>> {
        self.values.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_are_forgotten_in_time_and_in_number() {
        let memory = Momentary::new(Duration::from_secs(3600));
        memory.put(1, "a");
        memory.put_as_of(
            2,
            "old",
            Instant::now().checked_sub(Duration::from_secs(3601)).unwrap(),
        );
        assert_eq!((memory.get(&1), memory.get(&2)), (Some("a"), None));
        memory.forget(&1);
        assert_eq!(memory.get(&1), None);
        for key in 0..CAPACITY * 2 {
            memory.put(key, "x");
        }
        assert!(memory.lock().len() <= CAPACITY);
    }
}
