//! Namespaces that go take all that is in them along, and go last.

use super::drive::{BREATH, Controller};
use crate::api::error::Error;
use crate::api::store::{Change, Deletion, Event};
use crate::api::{Resource, Store};
use serde_json::json;
use std::collections::BTreeSet;
use std::time::Duration;

/// The controller.
#[derive(Default)]
pub struct Namespaces {
    /// Namespaces that shall go.
    going: BTreeSet<String>,
    /// Those of them in which something changed.
    dirty: BTreeSet<String>,
}

impl Controller for Namespaces {
    const RESOURCES: &'static [Resource] = super::KEPT;

    fn note(&mut self, event: &Event) {
        let meta = &event.object.meta;
        if !meta.namespace.is_empty() {
            if self.going.contains(&meta.namespace) {
                self.dirty.insert(meta.namespace.clone());
            }
            return;
        }
        // A node is in no namespace, either.
        if event.object.resource() != Resource::Namespaces {
            return;
        }
        if event.change == Change::Deleted {
            self.going.remove(&meta.name);
        } else if meta.deleting {
            self.going.insert(meta.name.clone());
            self.dirty.insert(meta.name.clone());
        }
    }

    async fn act(&mut self, store: &Store) -> Option<Duration> {
        for namespace in std::mem::take(&mut self.dirty) {
            if let Err(error) = empty(store, &namespace).await {
                tracing::debug!(%error, %namespace, "a namespace is looked at again");
            }
        }
        None
    }
}

async fn empty(store: &Store, namespace: &str) -> Result<(), Error> {
    let mut left = 0;
    // Who makes others goes before those, or they would be made again. Events go last: the others
    // leave some.
    let mut kinds: Vec<Resource> = Resource::all().filter(|r| r.info().namespaced).collect();
    kinds.sort_by_key(|r| match r {
        Resource::Deployments => 0,
        Resource::ReplicaSets | Resource::Services => 1,
        Resource::Events => 3,
        _ => 2,
    });
    for kind in kinds {
        let (objects, _) = store.list(kind, Some(namespace));
        for (place, object) in objects.iter().enumerate() {
            if !object.meta.deleting {
                match store.delete(kind, namespace, &object.meta.name, &Deletion::default()) {
                    Ok((_, true)) => continue,
                    Ok((_, false)) => {}
                    Err(error) if error.code == 404 => continue,
                    Err(error) => return Err(error),
                }
            }
            left += 1;
            if place % BREATH == BREATH - 1 {
                tokio::task::yield_now().await;
            }
        }
    }
    if left > 0 {
        return Ok(());
    }
    store.update(Resource::Namespaces, "", namespace, |namespace| {
        namespace["spec"]["finalizers"] = json!([]);
        Ok::<_, Error>(())
    })?;
    Ok(())
}
