//! What tokens have said whose signature was good: it is checked once, and not at every call.
//!
//! A token is known here by its digest, never by itself. That one is remembered says nothing about whether it is good at
//! this moment: its times, its revocation and whom it names are looked at in every call.

use std::collections::{HashMap, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use sha2::{Digest as _, Sha256};

/// The most tokens that are remembered; the oldest goes first. \[P\]
const MOST: usize = 10_000;

/// SHA-256 of a token.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) struct Name([u8; 32]);

impl Name {
    pub(super) fn of(token: &str) -> Self {
        Self(Sha256::digest(token.as_bytes()).into())
    }
}

/// Remembers what tokens have said.
pub(super) struct Memory<T>(Mutex<Kept<T>>);

struct Kept<T> {
    /// The keys by which they all were checked.
    keys: u64,
    said: HashMap<Name, Arc<T>>,
    order: VecDeque<Name>,
}

impl<T> Memory<T> {
    pub(super) fn new() -> Self {
        Self(Mutex::new(Kept { keys: 0, said: HashMap::new(), order: VecDeque::new() }))
    }

    /// What a token has said that was checked by these keys.
    pub(super) fn find(&self, name: &Name, keys: u64) -> Option<Arc<T>> {
        let kept = self.kept();
        if kept.keys == keys { kept.said.get(name).cloned() } else { None }
    }

    /// Remembers what a token has said that was checked by these keys. What was checked by those before them is forgotten.
    pub(super) fn keep(&self, name: Name, keys: u64, said: Arc<T>) {
        let mut kept = self.kept();
        if kept.keys > keys {
            // They were replaced meanwhile.
            return;
        }
        if kept.keys < keys {
            *kept = Kept { keys, said: HashMap::new(), order: VecDeque::new() };
        }
        if kept.said.insert(name, said).is_some() {
            return;
        }
        kept.order.push_back(name);
        if kept.order.len() > MOST
            && let Some(oldest) = kept.order.pop_front()
        {
            kept.said.remove(&oldest);
        }
    }

    fn kept(&self) -> MutexGuard<'_, Kept<T>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn name(number: usize) -> Name {
        Name::of(&number.to_string())
    }

    #[test]
    fn the_oldest_goes_first() {
        let memory = Memory::new();
        for number in 0..=MOST {
            memory.keep(name(number), 1, Arc::new(number));
            memory.keep(name(1), 1, Arc::new(1));
        }
        assert_eq!(memory.find(&name(0), 1), None);
        assert_eq!(memory.find(&name(1), 1).as_deref(), Some(&1));
        assert_eq!(memory.find(&name(MOST), 1).as_deref(), Some(&MOST));
        memory.keep(name(MOST + 1), 1, Arc::new(7));
        assert_eq!(memory.find(&name(1), 1), None);
        assert_eq!(memory.kept().said.len(), MOST);
    }

    #[test]
    fn what_other_keys_have_checked_is_not_known() {
        let memory = Memory::new();
        memory.keep(name(1), 1, Arc::new('a'));
        assert_eq!(memory.find(&name(1), 2), None);
        memory.keep(name(2), 2, Arc::new('b'));
        // Whoever was checked by keys that were replaced meanwhile.
        memory.keep(name(3), 1, Arc::new('c'));
        for keys in [1, 2] {
            assert_eq!((memory.find(&name(1), keys), memory.find(&name(3), keys)), (None, None), "{keys}");
        }
        assert_eq!(memory.find(&name(2), 2).as_deref(), Some(&'b'));
    }
}
