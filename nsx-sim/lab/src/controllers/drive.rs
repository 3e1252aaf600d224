//! How every controller is driven.

use crate::api::store::{Change, Event, Gone, Object, Watcher};
use crate::api::{Resource, Store};
use futures_util::future::select_all;
use std::future::Future;
use std::sync::Arc;
use std::time::Duration;
use tokio::task::JoinHandle;

/// After how many writes a controller lets others run.
pub const BREATH: usize = 128;

/// What keeps a part of the cluster as it is wanted.
pub trait Controller: Send + 'static {
    /// What it is told of.
    const RESOURCES: &'static [Resource];

    /// Notes a change. What was there from the start comes as added.
    fn note(&mut self, event: &Event);

    /// Does what the noted changes call for. Says when to call it again even if nothing changes.
    fn act(&mut self, store: &Store) -> impl Future<Output = Option<Duration>> + Send;
}

/// Runs a controller until the task is aborted. One that changes have outrun begins anew.
pub fn spawn<C: Controller>(
    store: &Store,
    make: impl Fn() -> C + Send + 'static,
) -> JoinHandle<()> {
    let store = store.clone();
    tokio::spawn(async move {
        loop {
            let gone = run(&store, make()).await;
            tracing::warn!(%gone, "a controller lists its objects anew");
        }
    })
}

async fn run<C: Controller>(store: &Store, mut controller: C) -> Gone {
    let mut watchers = Vec::new();
    for resource in C::RESOURCES {
        let (objects, watcher) = store.subscribe(*resource);
        for object in objects {
            controller.note(&added(object));
        }
        watchers.push(watcher);
    }
    loop {
        let again = controller.act(store).await;
        let first = match again {
            Some(after) => match tokio::time::timeout(after, any(&mut watchers)).await {
                Ok(events) => events,
                Err(_) => Ok(Vec::new()),
            },
            None => any(&mut watchers).await,
        };
        match first {
            Ok(events) => events.iter().for_each(|event| controller.note(event)),
            Err(gone) => return gone,
        }
        for watcher in &mut watchers {
            match watcher.take() {
                Ok(events) => events.iter().for_each(|event| controller.note(event)),
                Err(gone) => return gone,
            }
        }
    }
}

async fn any(watchers: &mut [Watcher]) -> Result<Vec<Event>, Gone> {
    select_all(watchers.iter_mut().map(|w| Box::pin(w.next()))).await.0
}

fn added(object: Arc<Object>) -> Event {
    Event { change: Change::Added, object, previous: None }
}
