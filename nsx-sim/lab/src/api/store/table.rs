//! The objects of one kind and the history of their changes.

use super::object::Object;
use super::watch::{Change, Event};
use std::collections::{BTreeMap, HashSet, VecDeque};
use std::ops::Bound;
use std::sync::Arc;

/// How many changes of a kind are remembered. A watcher that falls further behind starts anew.
const HISTORY: usize = 32_768;

#[derive(Default)]
pub(super) struct Table {
    namespaces: BTreeMap<String, BTreeMap<String, Arc<Object>>>,
    pub(super) uids: HashSet<String>,
    pub(super) history: VecDeque<Event>,
    /// The version of the last change that history has forgotten.
    pub(super) forgotten: u64,
    /// Oldest first, for kinds with a limit.
    ages: VecDeque<(String, String)>,
}

impl Table {
    pub(super) fn get(&self, namespace: &str, name: &str) -> Option<&Arc<Object>> {
        self.namespaces.get(namespace)?.get(name)
    }

    pub(super) fn iter(&self, namespace: Option<&str>) -> impl Iterator<Item = &Arc<Object>> {
        let one = namespace.map(|n| self.namespaces.get(n).into_iter());
        let all = namespace.is_none().then(|| self.namespaces.values());
        one.into_iter().flatten().chain(all.into_iter().flatten()).flat_map(BTreeMap::values)
    }

    /// The objects of a namespace whose names begin so.
    pub(super) fn beginning<'a>(
        &'a self,
        namespace: &str,
        prefix: &'a str,
    ) -> impl Iterator<Item = &'a Arc<Object>> {
        let names = self.namespaces.get(namespace).into_iter();
        let from = (Bound::Included(prefix), Bound::Unbounded);
        let named = names.flat_map(move |own| own.range::<str, _>(from));
        named.take_while(move |(name, _)| name.starts_with(prefix)).map(|(_, object)| object)
    }

    /// Puts a version in its place. Gives the object that a limit pushes out.
    pub(super) fn put(
        &mut self,
        object: &Arc<Object>,
        old: Option<&Arc<Object>>,
        most: Option<usize>,
    ) -> Option<Arc<Object>> {
        let (namespace, name) = (object.meta.namespace.clone(), object.meta.name.clone());
        let mut pushed_out = None;
        if let (Some(most), None) = (most, old) {
            self.ages.push_back((namespace.clone(), name.clone()));
            // Those that were deleted stand here still; they are passed over.
            while self.uids.len() >= most && pushed_out.is_none() {
                let Some((namespace, name)) = self.ages.pop_front() else { break };
                pushed_out = self.get(&namespace, &name).cloned();
            }
        }
        self.uids.insert(object.meta.uid.clone());
        self.namespaces.entry(namespace).or_default().insert(name, object.clone());
        let change = if old.is_some() { Change::Modified } else { Change::Added };
        self.remember(Event { change, object: object.clone(), previous: old.cloned() });
        pushed_out
    }

    pub(super) fn take(&mut self, last: &Arc<Object>, old: &Arc<Object>) {
        if let Some(names) = self.namespaces.get_mut(&old.meta.namespace) {
            names.remove(&old.meta.name);
            if names.is_empty() {
                self.namespaces.remove(&old.meta.namespace);
            }
        }
        self.uids.remove(&old.meta.uid);
        self.remember(Event {
            change: Change::Deleted,
            object: last.clone(),
            previous: Some(old.clone()),
        });
    }

    fn remember(&mut self, event: Event) {
        if self.history.len() == HISTORY
            && let Some(oldest) = self.history.pop_front()
        {
            self.forgotten = oldest.object.meta.resource_version;
        }
        self.history.push_back(event);
    }
}
