//! A plane that one thread changes while others ask it.
//!
//! There are two copies of the plane. Readers see one of them, which nobody changes; the *spare* lags
//! behind by what was published last. To publish is to change the spare and show it in place of the
//! other: so readers see each publication whole or not at all, and wait for nobody. What was published
//! is then done once more, to the copy that was shown before, as soon as its last reader has left it,
//! and readers go back to that one: its tables are in their caches, and both would not be. Of the two
//! copies only the small tables are really two: the rows of the bitmap engine are shared
//! (`engine/bitmap/arena.rs`).

use std::sync::Arc;
use std::time::Duration;

use arc_swap::{ArcSwap, Guard};

use crate::counters::Counters;
use crate::engine::Index;
use crate::{Dataplane, Direction, Edit, Explanation, Packet, Rule, Verdict, VnicId};

/// How often to look whether the last reader has left: about a fifth of a millisecond's worth of looks,
/// and then so many with a nap between, for a reader that has no processor. Together that is about as
/// long as to copy a large plane. Naps, for on a busy machine who only gives way waits for all others
/// each time.
const LOOKS: u32 = if cfg!(miri) { 20 } else { 8_000 };
const PATIENT_LOOKS: u32 = if cfg!(miri) { 2 } else { 200 };
const NAP: Duration = Duration::from_micros(50);

/// The side that changes the plane. It carries no packets: those would be another plane's.
#[derive(Debug)]
pub struct Publisher {
    shown: Arc<ArcSwap<Dataplane>>,
    /// The other copy; none only while it is at work.
    spare: Option<Arc<Dataplane>>,
    missed: Missed,
    /// Whether many rules wait to be worked into the rows.
    due: bool,
    /// Whether the spare copy is the one that readers had for longer, and so have in their caches.
    away: bool,
}

/// What the shown copy has and the spare has not.
#[derive(Debug)]
enum Missed {
    Nothing,
    Edits(Vec<Edit>),
    /// It has rows that the spare does not share.
    Everything,
}

/// The side that asks. Clones see the same plane.
#[derive(Clone, Debug)]
pub struct Reader {
    shown: Arc<ArcSwap<Dataplane>>,
}

/// A plane as a reader found it, which stays as it is. Meant to be held for a batch: who publishes
/// twice meanwhile waits a little for it to be given back, and then goes on with a copy.
#[derive(Debug)]
pub struct Shown(Guard<Arc<Dataplane>>);

impl Publisher {
    /// Shows a plane.
    pub fn new(mut plane: Dataplane) -> Self {
        plane.counters = Counters::idle();
        plane.share_rows();
        let spare = Some(Arc::new(twin(&plane)));
        let shown = Arc::new(ArcSwap::from_pointee(plane));
        Self { shown, spare, missed: Missed::Nothing, due: false, away: false }
    }

    /// A reader of what is shown.
    pub fn reader(&self) -> Reader {
        Reader { shown: Arc::clone(&self.shown) }
    }

    /// Makes changes, and shows them all at once. True if any of them changed something.
    ///
    /// Readers see them when this returns. If a reader still holds the copy that is to be changed, this
    /// waits for the end of its batch; if that takes too long, the copy is left to the reader and
    /// another one is made, which is slow for large planes.
    pub fn publish(&mut self, edits: Vec<Edit>) -> bool {
        // No count is raised, for readers would have to fetch it anew.
        let shown = self.shown.load();
        let vacated = self.vacated();
        let apart = vacated.is_none();
        let mut next = vacated.unwrap_or_else(|| Arc::clone(&shown));
        // Copied if it is still what is shown: with rows of its own, for who holds the spare reads those
        // that it shares.
        let plane = Arc::make_mut(&mut next);
        if !apart {
            self.catch_up(plane, &shown);
            plane.turn(&shown, false);
        }
        let mut changed = false;
        for edit in &edits {
            changed |= plane.apply(edit);
        }
        (self.missed, self.away) = if plane.shares_rows() {
            (Missed::Edits(edits), !self.away)
        } else {
            plane.share_rows();
            (Missed::Everything, false)
        };
        self.due = plane.lists.index().is_some_and(Index::is_due) || plane.seats.are_due();
        drop(shown);
        self.spare = Some(self.shown.swap(next));
        changed
    }

    /// Does now what the next change would have to wait for: the spare copy catches up, and if many rules
    /// came or went, one of them is worked into the rows; then readers go back to the copy that they have in
    /// their caches. To be called when there is time, as long as it says that there was something to do. No
    /// verdict changes by it.
    pub fn tend(&mut self) -> bool {
        if matches!(self.missed, Missed::Nothing) {
            return if self.due { self.publish(vec![Edit::SettleOne]) } else { self.go_back() };
        }
        let mut spare = self.spare.take();
        let vacant = spare.as_mut().and_then(vacant);
        let caught_up = vacant.map(|plane| self.catch_up(plane, &self.shown.load())).is_some();
        self.spare = spare;
        caught_up
    }

    /// Shows the copy again that readers have in their caches, now that it has caught up. False if it is
    /// shown.
    fn go_back(&mut self) -> bool {
        let back = if self.away { self.spare.take() } else { None };
        self.away = false;
        back.map(|copy| self.spare = Some(self.shown.swap(copy))).is_some()
    }

    /// Does to the spare copy what it has missed.
    fn catch_up(&mut self, spare: &mut Dataplane, shown: &Dataplane) {
        match std::mem::replace(&mut self.missed, Missed::Nothing) {
            Missed::Nothing => return,
            Missed::Edits(edits) => {
                spare.turn(shown, true);
                for edit in &edits {
                    spare.apply(edit);
                }
                if spare.agrees(shown) {
                    return;
                }
            }
            Missed::Everything => {}
        }
        // Of which nothing is in a cache.
        self.away = false;
        *spare = twin(shown);
    }

    /// The spare copy, once nobody reads it any more.
    fn vacated(&mut self) -> Option<Arc<Dataplane>> {
        let mut spare = self.spare.take()?;
        for look in 0..LOOKS + PATIENT_LOOKS {
            if vacant(&mut spare).is_some() {
                return Some(spare);
            }
            if look < LOOKS { std::hint::spin_loop() } else { std::thread::sleep(NAP) }
        }
        None
    }
}

/// The plane, if no reader has it. Looks first, so as not to take the counts out of readers' caches.
fn vacant(plane: &mut Arc<Dataplane>) -> Option<&mut Dataplane> {
    if Arc::strong_count(plane) == 1 { Arc::get_mut(plane) } else { None }
}

/// A copy of a plane that shares its rows.
fn twin(plane: &Dataplane) -> Dataplane {
    let mut twin = plane.clone();
    twin.share_rows();
    twin.turn(plane, false);
    twin
}

impl Reader {
    /// The plane as it is now. Whoever holds the answer holds that state; ask again for each batch.
    pub fn plane(&self) -> Shown {
        Shown(self.shown.load())
    }

    /// Judges one packet by the plane as it is now.
    pub fn judge(&self, vnic: VnicId, direction: Direction, packet: &Packet) -> Verdict {
        self.plane().judge(vnic, direction, packet)
    }
}

/// The questions of a [`Dataplane`] that readers may ask. There is no way to the plane itself: a clone
/// would read rows while they are written.
impl Shown {
    /// [`Dataplane::judge`].
    pub fn judge(&self, vnic: VnicId, direction: Direction, packet: &Packet) -> Verdict {
        self.0.judge(vnic, direction, packet)
    }

    /// [`Dataplane::judge_batch`].
    pub fn judge_batch(&self, asked: &[(VnicId, Direction, &Packet)], verdicts: &mut Vec<Verdict>) {
        self.0.judge_batch(asked, verdicts);
    }

    /// [`Dataplane::explain`].
    pub fn explain(&self, vnic: VnicId, direction: Direction, packet: &Packet) -> Explanation {
        self.0.explain(vnic, direction, packet)
    }

    /// [`Dataplane::rules_on`].
    pub fn rules_on(&self, vnic: VnicId) -> impl Iterator<Item = &Rule> {
        self.0.rules_on(vnic)
    }

    /// [`Dataplane::generation`].
    pub fn generation(&self) -> u64 {
        self.0.generation()
    }
}
