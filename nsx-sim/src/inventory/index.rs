//! Objects by what others know them by: a key of an index, or an object that they name.

use super::table::ByPlace;
use super::{Few, Object};
use dashmap::DashMap;
use std::hash::{BuildHasher, RandomState};
use std::sync::Arc;

/// Sets of objects by pairs of words.
///
/// Of a pair only its digest is kept, twice 64 bits under secrets of the index, by which two pairs
/// are told apart for certain enough: most keys lead to one object, which says the words itself.
#[derive(Default)]
pub(super) struct Index {
    secrets: [RandomState; 2],
    sets: DashMap<Digest, Few<ByPlace>>,
}

type Digest = [u64; 2];

impl Index {
    fn digest(&self, first: &str, second: &str) -> Digest {
        self.secrets.each_ref().map(|secret| secret.hash_one((first, second)))
    }

    /// The objects of a pair, by kind and id.
    pub(super) fn get(&self, first: &str, second: &str) -> Vec<Arc<Object>> {
        let set = self.sets.get(&self.digest(first, second));
        let set = set.as_deref().into_iter().flat_map(Few::iter);
        set.map(|place| Arc::clone(&place.0)).collect()
    }

    /// How many objects a pair has.
    pub(super) fn count(&self, first: &str, second: &str) -> usize {
        self.sets.get(&self.digest(first, second)).map_or(0, |set| set.len())
    }

    pub(super) fn insert(&self, first: &str, second: &str, object: &Arc<Object>) {
        let place = ByPlace(Arc::clone(object));
        self.sets.entry(self.digest(first, second)).or_default().insert(place);
    }

    pub(super) fn remove(&self, first: &str, second: &str, object: &Arc<Object>) {
        if let dashmap::Entry::Occupied(mut entry) = self.sets.entry(self.digest(first, second)) {
            entry.get_mut().remove(&ByPlace(Arc::clone(object)));
            if entry.get().is_empty() {
                entry.remove();
            }
        }
    }
}
