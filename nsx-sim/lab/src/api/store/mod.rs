//! All objects of the cluster, in memory, behind one lock.
//!
//! Every write has a number, the `resourceVersion`, from one counter. A write is made on the version
//! that was read; if another came first it is made again (`update`) or refused (a caller that named
//! its version). Each kind keeps a bounded history of changes, and who watches is a place in it
//! (`watch.rs`), so a slow watcher costs nothing but is told `Gone` when history has passed it by.

mod lifecycle;
mod object;
mod table;
mod watch;

pub use lifecycle::{Deletion, Propagation, now, timestamp};
pub use object::{Fields, Meta, Object, Owner};
pub use watch::{Change, Event, Gone, Watcher};

use super::error::Error;
use super::resource::Resource;
use lifecycle::{finished, mark, prepare, settle};
use parking_lot::RwLock;
use serde::de::DeserializeOwned;
use serde_json::Value;
use std::collections::{HashMap, HashSet};
use std::sync::Arc;
use table::Table;

/// Where an object stands.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Key {
    /// Its kind.
    pub resource: Resource,
    /// Its namespace; empty for objects of the cluster.
    pub namespace: String,
    /// Its name.
    pub name: String,
}

/// The store; clones share it.
#[derive(Clone)]
pub struct Store {
    inner: Arc<RwLock<Inner>>,
    wakers: Arc<Vec<tokio::sync::watch::Sender<u64>>>,
}

struct Inner {
    version: u64,
    tables: Vec<Table>,
    owned: HashMap<String, HashSet<Key>>,
}

impl Default for Store {
    fn default() -> Store {
        let tables = Resource::all().map(|_| Table::default()).collect();
        let wakers = Resource::all().map(|_| tokio::sync::watch::Sender::new(0)).collect();
        let inner = Inner { version: 1, tables, owned: HashMap::new() };
        Store { inner: Arc::new(RwLock::new(inner)), wakers: Arc::new(wakers) }
    }
}

impl Store {
    /// The number of the last write.
    pub fn version(&self) -> u64 {
        self.inner.read().version
    }

    /// One object.
    pub fn get(&self, resource: Resource, namespace: &str, name: &str) -> Option<Arc<Object>> {
        self.inner.read().tables[resource as usize].get(namespace, name).cloned()
    }

    /// One object as a generated type.
    pub fn read<K>(&self, namespace: &str, name: &str) -> Option<K>
    where
        K: k8s_openapi::Resource + DeserializeOwned,
    {
        self.get(Resource::of::<K>()?, namespace, name)?.read().ok()
    }

    /// All objects of a kind, of one namespace or of all, by namespace and name; and the number of
    /// the last write that they show.
    pub fn list(&self, resource: Resource, namespace: Option<&str>) -> (Vec<Arc<Object>>, u64) {
        let inner = self.inner.read();
        let table = &inner.tables[resource as usize];
        (table.iter(namespace).cloned().collect(), inner.version)
    }

    /// The objects of a kind and namespace whose names begin so.
    pub fn beginning(&self, resource: Resource, namespace: &str, prefix: &str) -> Vec<Arc<Object>> {
        let inner = self.inner.read();
        inner.tables[resource as usize].beginning(namespace, prefix).cloned().collect()
    }

    /// All objects of a generated type.
    pub fn read_all<K>(&self, namespace: Option<&str>) -> Vec<K>
    where
        K: k8s_openapi::Resource + DeserializeOwned,
    {
        let Some(resource) = Resource::of::<K>() else { return Vec::new() };
        self.list(resource, namespace).0.iter().filter_map(|o| o.read().ok()).collect()
    }

    /// A part of a list: those after `after` (a namespace and a name), `limit` of them that `keep`
    /// holds for; and whether there are more.
    pub fn page(
        &self,
        resource: Resource,
        namespace: Option<&str>,
        after: Option<(&str, &str)>,
        limit: usize,
        keep: impl Fn(&Object) -> bool,
    ) -> (Vec<Arc<Object>>, bool, u64) {
        let inner = self.inner.read();
        let table = &inner.tables[resource as usize];
        let mut rest = table
            .iter(namespace)
            .skip_while(|o| {
                after.is_some_and(|a| (o.meta.namespace.as_str(), o.meta.name.as_str()) <= a)
            })
            .filter(|o| keep(o));
        let page = rest.by_ref().take(limit).cloned().collect();
        (page, rest.next().is_some(), inner.version)
    }

    /// What this object owns.
    pub fn owned_by(&self, uid: &str) -> Vec<Key> {
        self.inner.read().owned.get(uid).into_iter().flatten().cloned().collect()
    }

    /// Whether any object of the kind has this identity.
    pub fn exists(&self, uid: &str) -> bool {
        self.inner.read().tables.iter().any(|t| t.uids.contains(uid))
    }

    /// The changes of a kind from this version on, each once, in order.
    pub fn watch(&self, resource: Resource, version: u64) -> Watcher {
        Watcher::new(self.clone(), resource, version)
    }

    /// What there is of a kind and every change from then on: what a controller starts with.
    pub fn subscribe(&self, resource: Resource) -> (Vec<Arc<Object>>, Watcher) {
        let (objects, version) = self.list(resource, None);
        (objects, self.watch(resource, version))
    }

    /// Keeps a new object. Its kind has filled in and checked it; the store adds identity and time.
    pub fn create(&self, resource: Resource, mut value: Value) -> Result<Arc<Object>, Error> {
        prepare(resource, &mut value);
        let mut inner = self.inner.write();
        let object = Self::place(&mut inner, resource, value, None)?;
        drop(inner);
        self.wake(resource, object.meta.resource_version);
        Ok(object)
    }

    /// What `create` would keep, without keeping it.
    pub fn rehearse(&self, resource: Resource, mut value: Value) -> Result<Arc<Object>, Error> {
        prepare(resource, &mut value);
        let object = build(resource, &value);
        if self.get(resource, &object.meta.namespace, &object.meta.name).is_some() {
            return Err(Error::exists(resource, &object.meta.name));
        }
        Ok(Arc::new(object))
    }

    /// What a change would keep, without keeping it.
    pub(crate) fn rehearse_change(
        resource: Resource,
        before: &Value,
        mut value: Value,
    ) -> Arc<Object> {
        settle(resource, before, &mut value);
        Arc::new(build(resource, &value))
    }

    /// Changes an object: `change` gets what is there and may be called again when another write
    /// came first. A change that changes nothing writes nothing. If the change took the last thing
    /// that held back a deletion, the object is gone.
    pub fn update<E: From<Error>>(
        &self,
        resource: Resource,
        namespace: &str,
        name: &str,
        mut change: impl FnMut(&mut Value) -> Result<(), E>,
    ) -> Result<Arc<Object>, E> {
        loop {
            let Some(old) = self.get(resource, namespace, name) else {
                return Err(Error::missing(resource, name).into());
            };
            let before = old.value();
            let mut value = before.clone();
            change(&mut value)?;
            if let Some(done) = self.replace(resource, &old, &before, value) {
                return Ok(done);
            }
        }
    }

    /// Puts `value` in the place of `old`; nothing if another write came first.
    pub(crate) fn replace(
        &self,
        resource: Resource,
        old: &Arc<Object>,
        before: &Value,
        mut value: Value,
    ) -> Option<Arc<Object>> {
        settle(resource, before, &mut value);
        if *before == value {
            return Some(old.clone());
        }
        let goes = finished(resource, &value);
        let mut inner = self.inner.write();
        let table = &inner.tables[resource as usize];
        let same = table
            .get(&old.meta.namespace, &old.meta.name)
            .is_some_and(|there| there.meta.resource_version == old.meta.resource_version);
        if !same {
            return None;
        }
        let object = if goes {
            Self::remove(&mut inner, resource, value, old)
        } else {
            Self::place(&mut inner, resource, value, Some(old)).ok()?
        };
        drop(inner);
        self.wake(resource, object.meta.resource_version);
        Some(object)
    }

    /// Asks that an object goes. Gives what is left of it, and whether it is gone already.
    pub fn delete(
        &self,
        resource: Resource,
        namespace: &str,
        name: &str,
        how: &Deletion,
    ) -> Result<(Arc<Object>, bool), Error> {
        loop {
            let Some(old) = self.get(resource, namespace, name) else {
                return Err(Error::missing(resource, name));
            };
            how.check(resource, &old)?;
            let before = old.value();
            let mut value = before.clone();
            let rules = &resource.info().rules;
            let grace = (rules.grace)(&value, how.grace);
            mark(&mut value, how.propagation, grace);
            (rules.deleting)(&mut value);
            let gone = finished(resource, &value);
            if how.dry {
                return Ok((Arc::new(build(resource, &value)), gone));
            }
            if let Some(object) = self.replace(resource, &old, &before, value) {
                return Ok((object, gone));
            }
        }
    }

    fn place(
        inner: &mut Inner,
        resource: Resource,
        mut value: Value,
        old: Option<&Arc<Object>>,
    ) -> Result<Arc<Object>, Error> {
        let version = inner.version + 1;
        value["metadata"]["resourceVersion"] = version.to_string().into();
        let object = Arc::new(build(resource, &value));
        let table = &mut inner.tables[resource as usize];
        if old.is_none() && table.get(&object.meta.namespace, &object.meta.name).is_some() {
            return Err(Error::exists(resource, &object.meta.name));
        }
        inner.version = version;
        let pushed_out = table.put(&object, old, resource.info().most);
        let Inner { owned, tables, .. } = inner;
        if let Some(old) = old {
            disown(owned, resource, old);
        }
        for owner in &object.meta.owners {
            owned.entry(owner.uid.clone()).or_default().insert(key(resource, &object));
        }
        if let Some(oldest) = pushed_out {
            inner.version += 1;
            let mut value = oldest.value();
            value["metadata"]["resourceVersion"] = inner.version.to_string().into();
            let last = Arc::new(build(resource, &value));
            tables[resource as usize].take(&last, &oldest);
            disown(owned, resource, &oldest);
        }
        Ok(object)
    }

    fn remove(
        inner: &mut Inner,
        resource: Resource,
        mut value: Value,
        old: &Arc<Object>,
    ) -> Arc<Object> {
        inner.version += 1;
        value["metadata"]["resourceVersion"] = inner.version.to_string().into();
        let last = Arc::new(build(resource, &value));
        inner.tables[resource as usize].take(&last, old);
        disown(&mut inner.owned, resource, old);
        last
    }

    fn wake(&self, resource: Resource, version: u64) {
        self.wakers[resource as usize].send_if_modified(|v| {
            let newer = version > *v;
            *v = version.max(*v);
            newer
        });
    }
}

fn key(resource: Resource, object: &Object) -> Key {
    let Meta { namespace, name, .. } = &object.meta;
    Key { resource, namespace: namespace.clone(), name: name.clone() }
}

fn build(resource: Resource, value: &Value) -> Object {
    Object::new(resource, value, (resource.info().rules.fields)(value))
}

fn disown(owned: &mut HashMap<String, HashSet<Key>>, resource: Resource, old: &Object) {
    for owner in &old.meta.owners {
        if let Some(keys) = owned.get_mut(&owner.uid) {
            keys.remove(&key(resource, old));
            if keys.is_empty() {
                owned.remove(&owner.uid);
            }
        }
    }
}
