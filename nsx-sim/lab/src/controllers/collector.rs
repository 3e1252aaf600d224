//! The collector: what belonged to an object that is gone goes too, before it, or is set free.

use super::drive::{BREATH, Controller};
use crate::api::error::Error;
use crate::api::store::{Change, Deletion, Event, Key, Propagation};
use crate::api::{Resource, Store};
use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

const FOREGROUND: &str = "foregroundDeletion";
const ORPHAN: &str = "orphan";

/// The controller.
#[derive(Default)]
pub struct Collector {
    /// Identities of objects that are gone.
    gone: BTreeSet<String>,
    /// Objects that wait for what they own, by identity.
    waiting: BTreeMap<String, Key>,
    dirty: BTreeSet<String>,
    /// Objects whose owners have to be looked for.
    strays: BTreeSet<Key>,
}

impl Controller for Collector {
    const RESOURCES: &'static [Resource] = super::KEPT;

    fn note(&mut self, event: &Event) {
        let meta = &event.object.meta;
        for owner in &meta.owners {
            if self.waiting.contains_key(&owner.uid) {
                self.dirty.insert(owner.uid.clone());
            }
        }
        if event.change == Change::Deleted {
            self.waiting.remove(&meta.uid);
            self.gone.insert(meta.uid.clone());
            return;
        }
        let key = Key {
            resource: event.object.resource(),
            namespace: meta.namespace.clone(),
            name: meta.name.clone(),
        };
        if meta.deleting && meta.finalizers.iter().any(|f| f == FOREGROUND || f == ORPHAN) {
            self.waiting.insert(meta.uid.clone(), key);
            self.dirty.insert(meta.uid.clone());
        } else if event.change == Change::Added && !meta.owners.is_empty() {
            self.strays.insert(key);
        }
    }

    async fn act(&mut self, store: &Store) -> Option<Duration> {
        for key in std::mem::take(&mut self.strays) {
            log(&key, collect(store, &key));
        }
        for uid in std::mem::take(&mut self.gone) {
            for (place, key) in store.owned_by(&uid).iter().enumerate() {
                log(key, collect(store, key));
                if place % BREATH == BREATH - 1 {
                    tokio::task::yield_now().await;
                }
            }
        }
        for uid in std::mem::take(&mut self.dirty) {
            if let Some(key) = self.waiting.get(&uid) {
                log(key, finish(store, key, &uid));
            }
        }
        None
    }
}

fn log(key: &Key, done: Result<(), Error>) {
    if let Err(error) = done {
        tracing::debug!(%error, ?key, "an object was not collected");
    }
}

/// Deletes an object whose owners are all gone, or takes those that are gone off its list.
fn collect(store: &Store, key: &Key) -> Result<(), Error> {
    let Some(object) = store.get(key.resource, &key.namespace, &key.name) else { return Ok(()) };
    let lives = |uid: &str| store.exists(uid);
    let (there, gone): (Vec<_>, Vec<_>) = object.meta.owners.iter().partition(|o| lives(&o.uid));
    if gone.is_empty() || object.meta.deleting {
        return Ok(());
    }
    if there.is_empty() {
        let how = Deletion { uid: Some(object.meta.uid.clone()), ..Deletion::default() };
        return match store.delete(key.resource, &key.namespace, &key.name, &how) {
            Err(error) if error.code != 404 => Err(error),
            _ => Ok(()),
        };
    }
    free(store, key, |uid| !lives(uid))
}

/// Takes owners off an object's list.
fn free(store: &Store, key: &Key, whom: impl Fn(&str) -> bool) -> Result<(), Error> {
    store.update(key.resource, &key.namespace, &key.name, |object| {
        if let Some(owners) = object["metadata"]["ownerReferences"].as_array_mut() {
            owners.retain(|o| !whom(o["uid"].as_str().unwrap_or_default()));
        }
        Ok::<_, Error>(())
    })?;
    Ok(())
}

/// Goes on with an object that waits for what it owns.
fn finish(store: &Store, key: &Key, uid: &str) -> Result<(), Error> {
    let Some(object) = store.get(key.resource, &key.namespace, &key.name) else { return Ok(()) };
    let has = |finalizer: &str| object.meta.finalizers.iter().any(|f| f == finalizer);
    let owned = store.owned_by(uid);
    let done = if has(ORPHAN) {
        for key in &owned {
            free(store, key, |owner| owner == uid)?;
        }
        ORPHAN
    } else if has(FOREGROUND) {
        let mut blocked = false;
        for key in &owned {
            let Some(part) = store.get(key.resource, &key.namespace, &key.name) else { continue };
            blocked |= part.meta.owners.iter().any(|o| o.uid == uid && o.blocks);
            if !part.meta.deleting {
                let leaf = store.owned_by(&part.meta.uid).is_empty();
                let propagation =
                    if leaf { Propagation::Background } else { Propagation::Foreground };
                let how = Deletion { propagation, ..Deletion::default() };
                store.delete(key.resource, &key.namespace, &key.name, &how)?;
            }
        }
        if blocked {
            return Ok(());
        }
        FOREGROUND
    } else {
        return Ok(());
    };
    store.update(key.resource, &key.namespace, &key.name, |object| {
        if let Some(all) = object["metadata"]["finalizers"].as_array_mut() {
            all.retain(|f| f != done);
        }
        Ok::<_, Error>(())
    })?;
    Ok(())
}
