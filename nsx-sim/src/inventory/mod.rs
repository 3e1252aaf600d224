//! The objects of a world, and the one law by which they change.
//!
//! Readers look into concurrent tables and never wait. Writers pass one by one through
//! [`Inventory::commit`]: a transaction checks references, revisions, ownership and the kind's own
//! rules against what it sees, then its writes land one after the other, with whoever follows the
//! changes holding still those who must not see half of them. Comparing a revision and inserting without that order let two
//! updates with the same revision both win.

mod actor;
mod error;
mod few;
mod incoming;
mod index;
mod kind;
mod object;
mod table;
#[cfg(test)]
mod tests;
mod together;
mod transaction;

pub use actor::{Actor, Role};
pub use error::{Error, PoolFault};
pub use few::Few;
pub use incoming::{HeaderFields, Incoming};
pub use kind::{Action, Draft, Filter, Kind, Level, Parent, Query, Resource, Verbs, Words};
pub use object::{
    Body, Header, IndexKey, MAX_TAG, MAX_TAG_SCOPE, MAX_TAGS, Object, Reference, Shown, Stamp, Tag,
    Tags,
};
pub use transaction::Transaction;

use crate::clock::{Ids, Millis};
use crate::version::Version;
use dashmap::DashSet;
use hashbrown::HashMap;
use index::Index;
use std::sync::Arc;
use table::Table;
use together::Writer;

/// Objects by kind and id, and the indexes over them.
pub struct Inventory {
    kinds: HashMap<&'static str, &'static Kind>,
    /// Kind to the kinds of its parts.
    parts: HashMap<&'static str, Vec<&'static Kind>>,
    tables: HashMap<&'static str, Table>,
    /// Index name and key to objects.
    keys: Index,
    /// Kind and id of an object to the objects that name it.
    referrers: Index,
    /// Names of users as objects carry them, each once.
    users: DashSet<Arc<str>>,
    ids: Ids,
    version: Version,
    writer: Writer,
}

/// What one commit did.
#[derive(Debug)]
pub struct Change {
    /// The inventory's generation after it.
    pub generation: u64,
    /// Each object that changed, once.
    pub writes: Vec<Write>,
}

/// One object's change: made, changed or removed.
#[derive(Clone, Debug)]
pub struct Write {
    /// Its kind.
    pub kind: &'static Kind,
    /// Its id.
    pub id: String,
    /// The object before; none where it is new.
    pub before: Option<Arc<Object>>,
    /// The object after; none where it is gone.
    pub after: Option<Arc<Object>>,
}

impl Inventory {
    /// An empty inventory of some kinds, as a release has them.
    pub fn new(kinds: &[&'static Kind], seed: u64, version: Version) -> Self {
        let mut parts: HashMap<_, Vec<_>> = HashMap::new();
        for kind in kinds {
            if let Some(parent) = &kind.parent {
                parts.entry(parent.kind).or_default().push(*kind);
            }
        }
        Self {
            parts,
            kinds: kinds.iter().map(|kind| (kind.name, *kind)).collect(),
            tables: kinds.iter().map(|kind| (kind.name, Table::default())).collect(),
            keys: Index::default(),
            referrers: Index::default(),
            users: DashSet::new(),
            ids: Ids::new(seed),
            version,
            writer: Writer::default(),
        }
    }

    /// The release that the manager says it is.
    pub fn version(&self) -> &Version {
        &self.version
    }

    /// Where this world's identifiers come from.
    pub fn ids(&self) -> &Ids {
        &self.ids
    }

    /// A user's name, shared by all objects that carry it.
    fn user(&self, name: &str) -> Arc<str> {
        if let Some(known) = self.users.get(name) {
            return Arc::clone(&known);
        }
        let new = Arc::from(name);
        self.users.insert(Arc::clone(&new));
        new
    }

    /// A kind by its name.
    pub fn kind(&self, name: &str) -> Option<&'static Kind> {
        self.kinds.get(name).copied()
    }

    /// The kinds of an object's parts.
    pub fn parts(&self, kind: &Kind) -> &[&'static Kind] {
        self.parts.get(kind.name).map_or(&[], Vec::as_slice)
    }

    /// An object by kind and id.
    pub fn find(&self, kind: &str, id: &str) -> Option<Arc<Object>> {
        self.tables.get(kind)?.find(id)
    }

    /// An object that must be there.
    ///
    /// # Errors
    /// [`Error::NotFound`].
    pub fn get(&self, kind: &'static Kind, id: &str) -> Result<Arc<Object>, Error> {
        let missing = || Error::NotFound { kind: kind.name, id: id.to_owned() };
        self.find(kind.name, id).ok_or_else(missing)
    }

    /// All objects of a kind, by name and id.
    pub fn all(&self, kind: &str) -> Vec<Arc<Object>> {
        self.tables.get(kind).map(Table::all).unwrap_or_default()
    }

    /// All objects of all kinds, by kind, name and id.
    pub fn everything(&self) -> Vec<Arc<Object>> {
        let mut kinds: Vec<&str> = self.tables.keys().copied().collect();
        kinds.sort_unstable();
        kinds.into_iter().flat_map(|kind| self.all(kind)).collect()
    }

    /// At most so many objects of a kind that follow a name and id in the order of lists, or in the
    /// opposite one, and how many there are of the kind in all.
    pub fn page(
        &self,
        kind: &str,
        after: Option<(&str, &str)>,
        ascending: bool,
        most: usize,
    ) -> (Vec<Arc<Object>>, usize) {
        let table = self.tables.get(kind);
        table.map(|table| table.page(after, ascending, most)).unwrap_or_default()
    }

    /// The objects with a key in an index.
    pub fn by_key(&self, index: &'static str, key: &str) -> Vec<Arc<Object>> {
        self.keys.get(index, key)
    }

    /// How many objects have a key in an index.
    pub fn count_by_key(&self, index: &'static str, key: &str) -> usize {
        self.keys.count(index, key)
    }

    /// The objects that name this one.
    pub fn referrers(&self, kind: &str, id: &str) -> Vec<Arc<Object>> {
        self.referrers.get(kind, id)
    }

    /// The objects of a kind that are part of one object.
    pub fn children(&self, kind: &'static Kind, parent: &str) -> Vec<Arc<Object>> {
        let Some(above) = &kind.parent else { return Vec::new() };
        self.by_key(kind.name, &format!("{}/{parent}", above.kind))
    }

    /// How many objects of a kind are part of one object.
    pub fn count_children(&self, kind: &'static Kind, parent: &str) -> usize {
        let Some(above) = &kind.parent else { return 0 };
        self.count_by_key(kind.name, &format!("{}/{parent}", above.kind))
    }

    /// The one object of a kind that has but one, in the world or below a parent.
    ///
    /// # Errors
    /// [`Error::NotFound`].
    pub fn single(&self, kind: &'static Kind, parent: Option<&str>) -> Result<Arc<Object>, Error> {
        let found = match parent {
            Some(parent) => self.children(kind, parent).into_iter().next(),
            None => self.all(kind.name).into_iter().next(),
        };
        found.ok_or_else(|| Error::NotFound {
            kind: kind.name,
            id: parent.unwrap_or(kind.name).to_owned(),
        })
    }

    /// How many changes have been committed.
    pub fn generation(&self) -> u64 {
        self.writer.lock().generation.get()
    }

    /// Makes one change. `work` builds it; when it returns an error nothing has happened. `follow`
    /// is told of it before the next change can begin; it calls what it is given to let the writes
    /// land in the tables.
    ///
    /// # Errors
    /// What `work` returns.
    pub fn commit<T>(
        &self,
        actor: &Actor,
        now: Millis,
        work: impl FnOnce(&mut Transaction<'_>) -> Result<T, Error>,
        follow: impl FnOnce(&Change, &dyn Fn()),
    ) -> Result<T, Error> {
        let writer = self.writer.lock();
        let mut transaction = Transaction::new(self, actor, now);
        let answer = work(&mut transaction)?;
        let change = transaction.finish(writer.generation.get() + 1);
        if !change.writes.is_empty() {
            writer.generation.set(change.generation);
            follow(&change, &|| change.writes.iter().for_each(|write| self.apply(write)));
            writer.note(&change);
        }
        Ok(answer)
    }

    fn apply(&self, write: &Write) {
        if let Some(before) = &write.before {
            for (index, key) in before.keys() {
                self.keys.remove(index, &key, before);
            }
            for Reference { kind, id } in before.body.references() {
                self.referrers.remove(&kind, &id, before);
            }
        }
        if let Some(after) = &write.after {
            for (index, key) in after.keys() {
                self.keys.insert(index, &key, after);
            }
            for Reference { kind, id } in after.body.references() {
                self.referrers.insert(&kind, &id, after);
            }
        }
        if let Some(table) = self.tables.get(write.kind.name) {
            table.put(write.before.as_ref(), write.after.as_ref());
        }
    }
}
