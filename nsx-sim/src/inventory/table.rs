//! Where objects stand: the tables of the kinds, and the sets that indexes keep.
//!
//! All hold the object itself and order it by what it says of itself, so nothing keeps a name or an
//! id twice: with 100,000 ports that is most of what an index would weigh.

use super::Object;
use hashbrown::hash_table::Entry;
use hashbrown::{DefaultHashBuilder, HashTable};
use parking_lot::RwLock;
use std::borrow::Borrow;
use std::cmp::Ordering;
use std::collections::BTreeSet;
use std::hash::BuildHasher;
use std::ops::Bound;
use std::sync::Arc;

/// Parts of a table that writers and readers lock apart: enough for readers, who never hold one long.
const SHARDS: usize = 8;

/// The objects of one kind.
#[derive(Default)]
pub(super) struct Table {
    by_id: ById,
    /// The order of lists.
    by_name: RwLock<BTreeSet<ByName>>,
}

/// Objects by id.
#[derive(Default)]
struct ById {
    hasher: DefaultHashBuilder,
    shards: [RwLock<HashTable<Arc<Object>>>; SHARDS],
}

impl ById {
    /// The hash of an id and the shard that has it. The table itself goes by the lowest bits and the
    /// highest.
    fn place(&self, id: &str) -> (u64, &RwLock<HashTable<Arc<Object>>>) {
        let hash = self.hasher.hash_one(id);
        (hash, &self.shards[(hash >> 32) as usize % SHARDS])
    }

    fn find(&self, id: &str) -> Option<Arc<Object>> {
        let (hash, shard) = self.place(id);
        shard.read().find(hash, |own| own.header.id == id).cloned()
    }

    fn insert(&self, object: &Arc<Object>) {
        let (hash, shard) = self.place(&object.header.id);
        let mut shard = shard.write();
        let rehash = |own: &Arc<Object>| self.hasher.hash_one(own.header.id.as_str());
        match shard.entry(hash, |own| own.header.id == object.header.id, rehash) {
            Entry::Occupied(mut own) => *own.get_mut() = Arc::clone(object),
            Entry::Vacant(place) => {
                place.insert(Arc::clone(object));
            }
        }
    }

    fn remove(&self, id: &str) {
        let (hash, shard) = self.place(id);
        if let Ok(own) = shard.write().find_entry(hash, |own| own.header.id == id) {
            own.remove();
        }
    }
}

impl Table {
    pub(super) fn find(&self, id: &str) -> Option<Arc<Object>> {
        self.by_id.find(id)
    }

    /// All objects, by name and id.
    pub(super) fn all(&self) -> Vec<Arc<Object>> {
        self.by_name.read().iter().map(|own| Arc::clone(&own.0)).collect()
    }

    /// See [`Inventory::page`](super::Inventory::page).
    pub(super) fn page(
        &self,
        after: Option<(&str, &str)>,
        ascending: bool,
        most: usize,
    ) -> (Vec<Arc<Object>>, usize) {
        let by_name = self.by_name.read();
        let after = after.as_ref().map(|after| after as &dyn NameAndId);
        let past = after.map_or(Bound::Unbounded, Bound::Excluded);
        let take = |own: &ByName| Arc::clone(&own.0);
        let bounds = if ascending { (past, Bound::Unbounded) } else { (Bound::Unbounded, past) };
        let range = by_name.range::<dyn NameAndId, _>(bounds);
        let page = if ascending {
            range.take(most).map(take).collect()
        } else {
            range.rev().take(most).map(take).collect()
        };
        (page, by_name.len())
    }

    pub(super) fn put(&self, before: Option<&Arc<Object>>, after: Option<&Arc<Object>>) {
        let mut by_name = self.by_name.write();
        if let Some(before) = before {
            by_name.remove(&ByName(Arc::clone(before)));
            if after.is_none() {
                self.by_id.remove(&before.header.id);
            }
        }
        if let Some(after) = after {
            by_name.insert(ByName(Arc::clone(after)));
            self.by_id.insert(after);
        }
    }
}

/// An object in a set of one that holds several kinds, ordered by kind and id.
#[derive(Debug, Clone)]
pub(super) struct ByPlace(pub(super) Arc<Object>);

impl ByPlace {
    fn place(&self) -> (&'static str, &str) {
        (self.0.kind.name, &self.0.header.id)
    }
}

impl Ord for ByPlace {
    fn cmp(&self, other: &Self) -> Ordering {
        self.place().cmp(&other.place())
    }
}

impl PartialOrd for ByPlace {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl PartialEq for ByPlace {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other).is_eq()
    }
}

impl Eq for ByPlace {}

/// An object of one kind, ordered by name and id.
#[derive(Debug)]
struct ByName(Arc<Object>);

/// What a [`ByName`] is compared by, so that a place in the order needs no object.
trait NameAndId {
    fn name_and_id(&self) -> (&str, &str);
}

impl NameAndId for ByName {
    fn name_and_id(&self) -> (&str, &str) {
        (self.0.header.name(), &self.0.header.id)
    }
}

impl NameAndId for (&str, &str) {
    fn name_and_id(&self) -> (&str, &str) {
        *self
    }
}

impl<'a> Borrow<dyn NameAndId + 'a> for ByName {
    fn borrow(&self) -> &(dyn NameAndId + 'a) {
        self
    }
}

impl Ord for dyn NameAndId + '_ {
    fn cmp(&self, other: &Self) -> Ordering {
        self.name_and_id().cmp(&other.name_and_id())
    }
}

impl PartialOrd for dyn NameAndId + '_ {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl PartialEq for dyn NameAndId + '_ {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other).is_eq()
    }
}

impl Eq for dyn NameAndId + '_ {}

impl Ord for ByName {
    fn cmp(&self, other: &Self) -> Ordering {
        self.name_and_id().cmp(&other.name_and_id())
    }
}

impl PartialOrd for ByName {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl PartialEq for ByName {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other).is_eq()
    }
}

impl Eq for ByName {}
