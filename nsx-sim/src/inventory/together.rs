//! Several commits of which all stay or none does.

use super::{Change, Inventory, Write};
use hashbrown::HashMap;
use parking_lot::ReentrantMutex;
use std::cell::{Cell, RefCell};

/// The place of writers: one thread at a time, which may come back while it holds it.
#[derive(Default)]
pub(super) struct Writer {
    place: ReentrantMutex<Written>,
}

#[derive(Default)]
pub(super) struct Written {
    /// How many changes have been committed.
    pub generation: Cell<u64>,
    /// What must be taken back if the commits under way do not all succeed.
    undo: RefCell<Option<Vec<Write>>>,
}

impl Writer {
    pub(super) fn lock(&self) -> parking_lot::ReentrantMutexGuard<'_, Written> {
        self.place.lock()
    }
}

impl Written {
    /// Remembers a change that has landed, where somebody may want it back.
    pub(super) fn note(&self, change: &Change) {
        if let Some(undo) = self.undo.borrow_mut().as_mut() {
            undo.extend(change.writes.iter().cloned());
        }
    }
}

/// Forgets what was remembered, however the work ends.
struct Forget<'a>(&'a Written);

impl Drop for Forget<'_> {
    fn drop(&mut self) {
        self.0.undo.replace(None);
    }
}

impl Inventory {
    /// Lets the commits that `work` makes on this thread stand together: nobody else's comes
    /// between them, and when `work` fails all are taken back by one change, which `follow` is told
    /// of as [`Inventory::commit`] tells it. Readers see each as it lands. `work` begins no other
    /// such sequence.
    ///
    /// # Errors
    /// What `work` returns.
    pub fn together<T, E>(
        &self,
        work: impl FnOnce() -> Result<T, E>,
        follow: impl FnOnce(&Change, &dyn Fn()),
    ) -> Result<T, E> {
        let writer = self.writer.lock();
        writer.undo.replace(Some(Vec::new()));
        let forget = Forget(&writer);
        let outcome = work();
        let done = writer.undo.take().unwrap_or_default();
        drop(forget);
        if outcome.is_err() && !done.is_empty() {
            let generation = writer.generation.get() + 1;
            let change = Change { generation, writes: reversed(done) };
            writer.generation.set(generation);
            follow(&change, &|| change.writes.iter().for_each(|write| self.apply(write)));
        }
        outcome
    }
}

/// The change from where all writes led back to where the first began, each object once.
fn reversed(done: Vec<Write>) -> Vec<Write> {
    let mut places = HashMap::new();
    let mut back: Vec<Write> = Vec::new();
    for write in done {
        match places.get(&(write.kind.name, write.id.clone())) {
            Some(&place) => {
                let earlier: &mut Write = &mut back[place];
                earlier.before = write.after;
            }
            None => {
                places.insert((write.kind.name, write.id.clone()), back.len());
                let Write { kind, id, before, after } = write;
                back.push(Write { kind, id, before: after, after: before });
            }
        }
    }
    back
}
