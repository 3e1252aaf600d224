//! Who watches: a place in the history of a kind.

use super::object::Object;
use super::{Resource, Store};
use std::sync::Arc;

/// What happened.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Change {
    /// The object is new.
    Added,
    /// Another version of it.
    Modified,
    /// It is gone; the event has its last version.
    Deleted,
}

/// A change of an object.
#[derive(Clone, Debug)]
pub struct Event {
    /// What happened.
    pub change: Change,
    /// The version that the change made.
    pub object: Arc<Object>,
    /// The version before.
    pub previous: Option<Arc<Object>>,
}

/// History no longer reaches back to where the watcher stands: list anew.
#[derive(Debug, thiserror::Error)]
#[error("too old resource version: {asked} ({oldest})")]
pub struct Gone {
    /// Where the watcher stands.
    pub asked: u64,
    /// The last change that was forgotten.
    pub oldest: u64,
}

/// A place in the history of a kind.
pub struct Watcher {
    store: Store,
    resource: Resource,
    version: u64,
    wake: tokio::sync::watch::Receiver<u64>,
}

impl Watcher {
    pub(super) fn new(store: Store, resource: Resource, version: u64) -> Watcher {
        let wake = store.wakers[resource as usize].subscribe();
        Watcher { store, resource, version, wake }
    }

    /// Which kind is watched.
    pub fn resource(&self) -> Resource {
        self.resource
    }

    /// The version up to which all changes were given.
    pub fn version(&self) -> u64 {
        self.version
    }

    /// All changes since the last call, at least one; waits for it. May be dropped while it waits
    /// without losing a change.
    pub async fn next(&mut self) -> Result<Vec<Event>, Gone> {
        loop {
            self.wake.borrow_and_update();
            let events = self.take()?;
            if !events.is_empty() {
                return Ok(events);
            }
            if self.wake.changed().await.is_err() {
                // The store holds the sender, and this watcher the store.
                std::future::pending::<()>().await;
            }
        }
    }

    /// All changes since the last call, perhaps none.
    pub fn take(&mut self) -> Result<Vec<Event>, Gone> {
        let inner = self.store.inner.read();
        let table = &inner.tables[self.resource as usize];
        if self.version < table.forgotten {
            return Err(Gone { asked: self.version, oldest: table.forgotten });
        }
        let first =
            table.history.partition_point(|e| e.object.meta.resource_version <= self.version);
        let events: Vec<Event> = table.history.range(first..).cloned().collect();
        // Later changes of this kind have higher numbers than any write there has been.
        self.version = inner.version.max(self.version);
        Ok(events)
    }
}
