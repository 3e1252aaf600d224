//! Classes: things that carry the same labels, and so have the same rows.
//!
//! A label is what rules name: an address set, a range, a scope. A rule tells each of its labels at
//! which place it stands; a class has a row of all the places of its labels. Changing what a thing
//! carries means giving it another class; no row is ever changed under those who share it, but for a
//! rule that comes or goes.

use rustc_hash::FxHashMap;
use std::sync::Arc;

use super::rows::{Rows, Shape};

/// The class of things without labels.
pub(super) const STRANGER: u32 = 0;

#[derive(Clone, Debug)]
struct Class {
    /// Ascending.
    labels: Arc<[u32]>,
    /// How many things are of this class.
    count: u32,
}

/// Places of the rules that name a label, and classes that carry it.
#[derive(Clone, Debug)]
struct Label<const D: usize> {
    places: [Vec<u32>; D],
    /// Some are no longer there; see [`Classes::note`].
    classes: Vec<u32>,
    /// The length at which gone classes are swept.
    sweep_at: usize,
}

/// Classes with `D` rows each: source, destination and labels of addresses, Applied To and own list of
/// vNICs.
#[derive(Clone, Debug)]
pub(super) struct Classes<const D: usize> {
    pub(super) rows: [Rows; D],
    /// The rows of each class.
    pub(super) of: Vec<[u32; D]>,
    classes: Vec<Class>,
    by_labels: FxHashMap<Arc<[u32]>, u32>,
    labels: Vec<Label<D>>,
    free: Vec<u32>,
    /// Room to work in.
    places: Vec<u32>,
    list: Vec<u32>,
}

impl<const D: usize> Classes<D> {
    pub(super) fn new(shapes: [Shape; D]) -> Self {
        let nobody: Arc<[u32]> = Arc::new([]);
        Self {
            rows: shapes.map(Rows::new),
            of: vec![[0; D]],
            classes: vec![Class { labels: Arc::clone(&nobody), count: 1 }],
            by_labels: FxHashMap::from_iter([(nobody, STRANGER)]),
            labels: Vec::new(),
            free: Vec::new(),
            places: Vec::new(),
            list: Vec::new(),
        }
    }

    /// A new label that no rule names yet and nothing carries.
    pub(super) fn label(&mut self) -> u32 {
        let places = std::array::from_fn(|_| Vec::new());
        self.labels.push(Label { places, classes: Vec::new(), sweep_at: 16 });
        u32::try_from(self.labels.len() - 1).unwrap_or(u32::MAX)
    }

    /// How many labels there are.
    pub(super) const fn count_labels(&self) -> usize {
        self.labels.len()
    }

    /// Notes that a rule's field names a label, before any thing carries it.
    pub(super) fn name(&mut self, label: u32, field: usize, place: u32) {
        self.labels[label as usize].places[field].push(place);
    }

    /// Whether a rule's field has named a label.
    pub(super) fn is_named(&self, label: u32, field: usize) -> bool {
        !self.labels[label as usize].places[field].is_empty()
    }

    pub(super) fn labels_of(&self, class: u32) -> &[u32] {
        &self.classes[class as usize].labels
    }

    pub(super) fn carries(&self, class: u32, label: u32) -> bool {
        self.labels_of(class).binary_search(&label).is_ok()
    }

    /// The class with these labels, ascending, for one more thing.
    pub(super) fn acquire(&mut self, labels: &[u32]) -> u32 {
        self.acquire_like(labels, None)
    }

    /// The class with these labels, which are those of another class but for one label that is new to it.
    fn acquire_like(&mut self, labels: &[u32], other: Option<(u32, u32)>) -> u32 {
        if let Some(&class) = self.by_labels.get(labels) {
            self.classes[class as usize].count += 1;
            return class;
        }
        let of = std::array::from_fn(|field| self.make_row(field, labels, other));
        let own = Class { labels: labels.into(), count: 1 };
        let key = Arc::clone(&own.labels);
        let class = if let Some(class) = self.free.pop() {
            self.classes[class as usize] = own;
            self.of[class as usize] = of;
            class
        } else {
            self.classes.push(own);
            self.of.push(of);
            u32::try_from(self.classes.len() - 1).unwrap_or(u32::MAX)
        };
        self.by_labels.insert(key, class);
        for label in labels {
            self.note(*label, class);
        }
        class
    }

    /// The row of labels. That of a class which has all but one of them is mostly the same, or has all but one
    /// place: then it is copied, and no other label asked, of which none is in a cache.
    fn make_row(&mut self, field: usize, labels: &[u32], other: Option<(u32, u32)>) -> u32 {
        let rows = &mut self.rows[field];
        if let Some((class, label)) = other {
            let row = self.of[class as usize][field];
            match self.labels[label as usize].places[field][..] {
                [] => return rows.copied(row),
                [place] => return rows.with(row, place, true),
                _ => {}
            }
        }
        self.places.clear();
        for label in labels {
            self.places.extend_from_slice(&self.labels[*label as usize].places[field]);
        }
        rows.make(&mut self.places)
    }

    /// The class of a thing that comes to carry a label or no longer does; for one more thing.
    pub(super) fn acquire_changed(&mut self, class: u32, label: u32, carried: bool) -> u32 {
        let mut list = std::mem::take(&mut self.list);
        list.clear();
        list.extend_from_slice(self.labels_of(class));
        let mut like = None;
        match (list.binary_search(&label), carried) {
            (Err(at), true) => {
                list.insert(at, label);
                like = Some((class, label));
            }
            (Ok(at), false) => {
                list.remove(at);
            }
            _ => {}
        }
        let changed = self.acquire_like(&list, like);
        self.list = list;
        changed
    }

    /// One more thing of a class that there is.
    pub(super) fn retain(&mut self, class: u32) {
        self.classes[class as usize].count += 1;
    }

    /// Gives a class back for one thing. The stranger's stays.
    pub(super) fn release(&mut self, class: u32) {
        if class == STRANGER {
            return;
        }
        let own = &mut self.classes[class as usize];
        own.count -= 1;
        if own.count == 0 {
            let labels = std::mem::replace(&mut own.labels, Arc::new([]));
            self.by_labels.remove(&labels);
            for field in 0..D {
                self.rows[field].give_back(self.of[class as usize][field]);
            }
            self.free.push(class);
        }
    }

    /// A class more that carries a label. Now and then those are forgotten that are gone.
    fn note(&mut self, label: u32, class: u32) {
        let own = &mut self.labels[label as usize];
        if own.classes.len() >= own.sweep_at {
            own.classes.sort_unstable();
            own.classes.dedup();
            let classes = &self.classes;
            own.classes.retain(|class| {
                let own = &classes[*class as usize];
                own.count > 0 && own.labels.binary_search(&label).is_ok()
            });
            own.sweep_at = (2 * own.classes.len()).max(16);
        }
        own.classes.push(class);
    }

    /// A rule comes whose field names the label.
    pub(super) fn enter(&mut self, label: u32, field: usize, place: u32) {
        self.labels[label as usize].places[field].push(place);
        for class in self.with(label) {
            let row = &mut self.of[class as usize][field];
            *row = self.rows[field].set(*row, place);
        }
    }

    /// A rule goes whose field names the label.
    pub(super) fn quit(&mut self, label: u32, field: usize, place: u32) {
        self.labels[label as usize].places[field].retain(|own| *own != place);
        for class in self.with(label) {
            let row = &mut self.of[class as usize][field];
            *row = self.rows[field].clear(*row, place);
        }
    }

    /// The classes that carry a label.
    pub(super) fn with(&self, label: u32) -> Vec<u32> {
        let mut classes = self.labels[label as usize].classes.clone();
        classes.sort_unstable();
        classes.dedup();
        classes.retain(|class| self.carries(*class, label));
        classes
    }

    pub(super) fn bytes(&self) -> usize {
        let rows: usize = self.rows.iter().map(Rows::bytes).sum();
        rows + self.of.capacity() * size_of::<[u32; D]>()
    }
}
