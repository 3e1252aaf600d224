//! What is to be looked at: each thing once, however often it is named, and never twice at a time.

use parking_lot::Mutex;
use std::collections::hash_map::Entry;
use std::collections::{HashMap, VecDeque};
use std::hash::Hash;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::Notify;

/// How long a thing waits after its first failure; twice as long after each further one.
const FIRST_RETRY: Duration = Duration::from_millis(50);
/// How long it waits at most.
const LAST_RETRY: Duration = Duration::from_secs(30);

/// The queue; clones are the same one.
pub struct Queue<K> {
    inner: Arc<Inner<K>>,
}

impl<K> Clone for Queue<K> {
    fn clone(&self) -> Self {
        Self { inner: self.inner.clone() }
    }
}

struct Inner<K> {
    lists: Mutex<Lists<K>>,
    ready: Notify,
}

struct Lists<K> {
    ready: VecDeque<K>,
    known: HashMap<K, Standing>,
}

/// How a thing that is known stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Standing {
    /// In the list.
    Ready { failures: u32 },
    /// A timer puts it into the list.
    Waiting { failures: u32 },
    /// Somebody looks at it, and whether it has been named since.
    Taken { failures: u32, again: bool },
}

impl<K: Clone + Eq + Hash + Send + 'static> Queue<K> {
    /// An empty queue.
    pub fn new() -> Self {
        let lists = Lists { ready: VecDeque::new(), known: HashMap::new() };
        Self { inner: Arc::new(Inner { lists: Mutex::new(lists), ready: Notify::new() }) }
    }

    /// Names a thing: it is looked at soon, even if it waits after a failure.
    pub fn push(&self, key: K) {
        let mut lists = self.inner.lists.lock();
        match lists.known.entry(key.clone()) {
            Entry::Vacant(entry) => {
                entry.insert(Standing::Ready { failures: 0 });
            }
            Entry::Occupied(mut entry) => match *entry.get() {
                Standing::Ready { .. } => return,
                Standing::Taken { failures, .. } => {
                    entry.insert(Standing::Taken { failures, again: true });
                    return;
                }
                Standing::Waiting { failures } => {
                    entry.insert(Standing::Ready { failures });
                }
            },
        }
        lists.ready.push_back(key);
        drop(lists);
        self.inner.ready.notify_one();
    }

    /// Names a thing of which more is to be expected: it is looked at after a while, once.
    pub fn push_after(&self, key: K, delay: Duration) {
        let mut lists = self.inner.lists.lock();
        match lists.known.entry(key.clone()) {
            Entry::Vacant(entry) => {
                entry.insert(Standing::Waiting { failures: 0 });
            }
            Entry::Occupied(mut entry) => {
                if let Standing::Taken { failures, .. } = *entry.get() {
                    entry.insert(Standing::Taken { failures, again: true });
                }
                return;
            }
        }
        drop(lists);
        self.wake_after(key, delay);
    }

    fn wake_after(&self, key: K, delay: Duration) {
        let queue = self.clone();
        tokio::spawn(async move {
            tokio::time::sleep(delay).await;
            let mut lists = queue.inner.lists.lock();
            if let Some(Standing::Waiting { failures }) = lists.known.get(&key).copied() {
                lists.known.insert(key.clone(), Standing::Ready { failures });
                lists.ready.push_back(key);
                drop(lists);
                queue.inner.ready.notify_one();
            }
        });
    }

    /// Takes the next thing, once there is one.
    pub async fn take(&self) -> K {
        loop {
            let ready = self.inner.ready.notified();
            {
                let mut lists = self.inner.lists.lock();
                if let Some(key) = lists.ready.pop_front() {
                    let failures = match lists.known.get(&key) {
                        Some(Standing::Ready { failures }) => *failures,
                        _ => 0,
                    };
                    lists.known.insert(key.clone(), Standing::Taken { failures, again: false });
                    if !lists.ready.is_empty() {
                        self.inner.ready.notify_one();
                    }
                    return key;
                }
            }
            ready.await;
        }
    }

    /// Gives a thing back: done with, or to be tried again after a while. Returns how often it has
    /// failed in a row.
    pub fn done(&self, key: K, success: bool) -> u32 {
        let mut lists = self.inner.lists.lock();
        let Some(Standing::Taken { failures, again }) = lists.known.get(&key).copied() else {
            return 0;
        };
        if success && !again {
            lists.known.remove(&key);
        } else if success {
            lists.known.insert(key.clone(), Standing::Ready { failures: 0 });
            lists.ready.push_back(key);
            drop(lists);
            self.inner.ready.notify_one();
        } else {
            lists.known.insert(key.clone(), Standing::Waiting { failures: failures + 1 });
            drop(lists);
            let delay = FIRST_RETRY.saturating_mul(1 << failures.min(10)).min(LAST_RETRY);
            self.wake_after(key, delay);
            return failures + 1;
        }
        0
    }

    /// Whether nothing is in the list, waits or is looked at.
    pub fn is_idle(&self) -> bool {
        self.inner.lists.lock().known.is_empty()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn what_is_named_often_is_looked_at_once_and_again_if_named_meanwhile() {
        let queue = Queue::new();
        queue.push("a");
        queue.push("a");
        assert_eq!(queue.take().await, "a");
        queue.push("a");
        queue.push("b");
        assert_eq!(queue.take().await, "b", "a is taken");
        queue.done("a", true);
        assert_eq!(queue.take().await, "a");
        queue.done("a", true);
        queue.done("b", true);
        assert!(queue.is_idle());
    }

    #[tokio::test(start_paused = true)]
    async fn what_failed_waits_longer_each_time_unless_it_is_named() {
        let queue = Queue::new();
        queue.push("a");
        let mut waited = Vec::new();
        for _ in 0..4 {
            let before = tokio::time::Instant::now();
            let key = queue.take().await;
            waited.push(before.elapsed().as_millis());
            queue.done(key, false);
        }
        assert_eq!(waited, [0, 50, 100, 200]);
        queue.push("a");
        let before = tokio::time::Instant::now();
        assert_eq!(queue.take().await, "a");
        assert!(before.elapsed().is_zero());
        queue.done("a", true);
        assert!(queue.is_idle());
    }

    #[tokio::test(start_paused = true)]
    async fn what_is_to_be_looked_at_later_gathers() {
        let queue = Queue::new();
        let before = tokio::time::Instant::now();
        for _ in 0..3 {
            queue.push_after("a", Duration::from_millis(20));
        }
        assert_eq!(queue.take().await, "a");
        assert_eq!(before.elapsed().as_millis(), 20);
        queue.done("a", true);
        assert!(queue.is_idle());
    }
}
