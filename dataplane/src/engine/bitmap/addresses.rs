//! From an address to its class: which of the sets and ranges that rules name hold it.

use std::net::IpAddr;

use rustc_hash::FxHashMap;

use super::classes::{Classes, STRANGER};
use super::radix::Radix;
use super::rows::Shape;
use crate::{AddressRange, AddressSet, AddressSets, Family, Member, Peer, SetId, Term};

/// The field of a rule that a label is named in.
pub(super) const SOURCE: usize = 0;
/// Likewise.
pub(super) const DESTINATION: usize = 1;
/// The row of the labels themselves that rules listed by vNIC name.
pub(super) const SIGN: usize = 2;
/// No row but the bits of the services that are wanted by rules which are listed by the destination.
pub(super) const WANTED: usize = 3;

/// An address as a number.
fn number(address: IpAddr) -> u128 {
    match address {
        IpAddr::V4(address) => u32::from(address).into(),
        IpAddr::V6(address) => address.into(),
    }
}

/// What is known of one family's addresses.
#[derive(Clone, Debug)]
struct Half {
    /// Addresses that are members by themselves.
    exact: FxHashMap<u128, u32>,
    /// The classes of all others: from each address on to the next entry's.
    spans: Vec<(u128, u32)>,
    highest: u128,
}

impl Half {
    fn new(highest: u128) -> Self {
        Self { exact: FxHashMap::default(), spans: vec![(0, STRANGER)], highest }
    }

    /// The entry that an address lies in.
    fn span(&self, address: u128) -> usize {
        self.spans.partition_point(|(first, _)| *first <= address) - 1
    }

    fn class(&self, address: u128) -> u32 {
        let exact = self.exact.get(&address);
        exact.copied().unwrap_or_else(|| self.spans[self.span(address)].1)
    }

    fn last_of(&self, span: usize) -> u128 {
        self.spans.get(span + 1).map_or(self.highest, |(first, _)| first - 1)
    }
}

/// The addresses and their classes. Holds no membership of its own: it follows [`AddressSets`].
#[derive(Clone, Debug)]
pub(super) struct Addresses {
    pub(super) classes: Classes<4>,
    sets: FxHashMap<SetId, u32>,
    ranges: FxHashMap<AddressRange, u32>,
    v4: Half,
    v6: Half,
    /// The classes of all IPv4 addresses once more, for packets.
    pub(super) table: Radix,
    /// Where addresses may have come to be of another class since somebody asked.
    pub(super) moved: Vec<AddressRange>,
}

impl Addresses {
    pub(super) fn new(shape: Shape) -> Self {
        Self {
            classes: Classes::new([shape, shape.listed(), Shape::Signs, Shape::Wanted]),
            sets: FxHashMap::default(),
            ranges: FxHashMap::default(),
            v4: Half::new(u32::MAX.into()),
            v6: Half::new(u128::MAX),
            table: Radix::long(STRANGER),
            moved: Vec::new(),
        }
    }

    /// The class of an address.
    #[inline]
    pub(super) fn class(&self, address: IpAddr) -> u32 {
        match address {
            IpAddr::V4(address) => self.table.get_long(address.into()),
            IpAddr::V6(address) => self.v6.class(address.into()),
        }
    }

    /// The label of a set, and whether it is new.
    pub(super) fn set_label(&mut self, set: SetId) -> (u32, bool) {
        let new = !self.sets.contains_key(&set);
        (*self.sets.entry(set).or_insert_with(|| self.classes.label()), new)
    }

    /// The label of a range that a rule names, and whether it is new.
    pub(super) fn range_label(&mut self, range: AddressRange) -> (u32, bool) {
        let new = !self.ranges.contains_key(&range);
        (*self.ranges.entry(range).or_insert_with(|| self.classes.label()), new)
    }

    /// Whether an address of a class is one of those that a rule's end names.
    pub(super) fn meets(&self, class: u32, peer: &Peer) -> bool {
        let Peer::OneOf { terms, negated } = peer else { return true };
        let carried =
            |label: Option<&u32>| label.is_some_and(|own| self.classes.carries(class, *own));
        let held = terms.iter().any(|term| match term {
            Term::Set(set) => carried(self.sets.get(set)),
            Term::Range(range) => carried(self.ranges.get(range)),
            Term::Mac(_) => false,
        });
        held != *negated
    }

    /// Classes of all addresses, for labels whose rules are all named.
    pub(super) fn fill(&mut self, sets: &AddressSets) {
        let (mut exact_v4, mut exact_v6, mut spans) = (Vec::new(), Vec::new(), Vec::new());
        let mut exact = |address: IpAddr, label: u32| match address {
            IpAddr::V4(address) => {
                exact_v4.push(u64::from(u32::from(address)) << 32 | u64::from(label));
            }
            IpAddr::V6(address) => exact_v6.push((u128::from(address), label)),
        };
        for (set, label) in &self.sets {
            let Some(set) = sets.get(*set) else { continue };
            for address in set.addresses() {
                exact(address, *label);
            }
            spans.extend(set.spans().iter().map(|range| (*range, *label)));
        }
        for (range, label) in &self.ranges {
            match range.single() {
                Some(address) => exact(address, *label),
                None => spans.push((*range, *label)),
            }
        }
        for (range, label) in spans {
            self.change_spans(range, label, &|_| true);
        }
        exact_v4.sort_unstable();
        for group in exact_v4.chunk_by(|a, b| a >> 32 == b >> 32) {
            let low = |pair: &u64| u32::try_from(pair & u64::from(u32::MAX)).unwrap_or(u32::MAX);
            let labels = group.iter().map(low);
            self.put_exact(Family::V4, u128::from(group[0] >> 32), labels);
        }
        exact_v6.sort_unstable();
        for group in exact_v6.chunk_by(|a, b| a.0 == b.0) {
            self.put_exact(Family::V6, group[0].0, group.iter().map(|pair| pair.1));
        }
    }

    /// Gives an address that was in none the labels that it carries by itself.
    fn put_exact(&mut self, family: Family, address: u128, labels: impl Iterator<Item = u32>) {
        let around = self.half(family).class(address);
        let mut all: Vec<u32> = self.classes.labels_of(around).to_vec();
        all.extend(labels);
        all.sort_unstable();
        all.dedup();
        let class = self.classes.acquire(&all);
        self.half_mut(family).exact.insert(address, class);
        self.point(family, address, class);
    }

    /// Follows a change of one member of a set; the sets are as they are now.
    pub(super) fn follow(&mut self, sets: &AddressSets, set: SetId, member: &Member) {
        let (Some(&label), Member::Range(range)) = (self.sets.get(&set), member) else { return };
        self.follow_label(sets.get(set), label, *range);
    }

    /// A label's addresses within a range are what the set says.
    pub(super) fn follow_label(
        &mut self,
        set: Option<&AddressSet>,
        label: u32,
        range: AddressRange,
    ) {
        self.moved.push(range);
        if let Some(address) = range.single() {
            let holds = set.is_some_and(|set| set.contains_ip(address));
            self.change_exact(Family::of(address), number(address), label, holds);
            return;
        }
        let family = Family::of(range.first());
        let address = |number| at(family, number);
        let span_holds = |first| set.is_some_and(|set| set.spans_hold(address(first)));
        self.change_spans(range, label, &span_holds);
        self.change_exact_within(range, label, &|number| {
            set.is_some_and(|set| set.contains_ip(address(number)))
        });
    }

    /// All of a range that a rule names carries its label; for a label that nothing carries yet.
    pub(super) fn cover(&mut self, range: AddressRange, label: u32) {
        self.moved.push(range);
        if let Some(address) = range.single() {
            self.change_exact(Family::of(address), number(address), label, true);
        } else {
            self.change_spans(range, label, &|_| true);
            self.change_exact_within(range, label, &|_| true);
        }
    }

    /// An address carries a label, or no longer does.
    fn change_exact(&mut self, family: Family, address: u128, label: u32, carried: bool) {
        let half = self.half(family);
        let (old, around) = (half.class(address), half.spans[half.span(address)].1);
        if self.classes.carries(old, label) == carried {
            return;
        }
        let new = self.classes.acquire_changed(old, label, carried);
        let half = self.half_mut(family);
        let before = if new == around {
            half.exact.remove(&address)
        } else {
            half.exact.insert(address, new)
        };
        if new == around {
            self.classes.release(new);
        }
        if let Some(before) = before {
            self.classes.release(before);
        }
        self.point(family, address, new);
    }

    /// The addresses of a range that are no members by themselves carry a label, or no longer do.
    fn change_spans(&mut self, range: AddressRange, label: u32, holds: &impl Fn(u128) -> bool) {
        let family = Family::of(range.first());
        let (first, last) = (number(range.first()), number(range.last()));
        self.split(family, first);
        if last < self.half(family).highest {
            self.split(family, last + 1);
        }
        let half = self.half(family);
        let within = half.span(first)..=half.span(last);
        for span in within.clone() {
            let half = self.half(family);
            let ((start, old), end) = (half.spans[span], half.last_of(span));
            let carried = holds(start);
            if self.classes.carries(old, label) == carried {
                continue;
            }
            let new = self.classes.acquire_changed(old, label, carried);
            self.half_mut(family).spans[span].1 = new;
            self.classes.release(old);
            if let (Family::V4, Ok(start), Ok(end)) = (family, start.try_into(), end.try_into()) {
                self.table.fill(start, end, new);
                self.restore_exact(start, end);
            }
        }
        // Neighbours that are alike again become one.
        let (low, high) = (*within.start(), *within.end() + 1);
        for span in (low.max(1)..=high).rev() {
            let spans = &mut self.half_mut(family).spans;
            if span < spans.len() && spans[span].1 == spans[span - 1].1 {
                let (_, class) = spans.remove(span);
                self.classes.release(class);
            }
        }
    }

    /// The members by themselves within a range carry a label, or no longer do.
    fn change_exact_within(
        &mut self,
        range: AddressRange,
        label: u32,
        holds: &impl Fn(u128) -> bool,
    ) {
        let family = Family::of(range.first());
        let within = number(range.first())..=number(range.last());
        let known = self.half(family).exact.keys().copied();
        let known: Vec<u128> = known.filter(|address| within.contains(address)).collect();
        for address in known {
            let half = self.half(family);
            let (old, around) = (half.class(address), half.spans[half.span(address)].1);
            if self.classes.carries(old, label) != holds(address) {
                self.change_exact(family, address, label, holds(address));
            } else if old == around {
                self.half_mut(family).exact.remove(&address);
                self.classes.release(old);
            }
        }
    }

    /// Puts single addresses back over a span that was filled.
    fn restore_exact(&mut self, first: u32, last: u32) {
        let within = u128::from(first)..=u128::from(last);
        for (address, class) in &self.v4.exact {
            if let (true, Ok(key)) = (within.contains(address), u32::try_from(*address)) {
                self.table.fill(key, key, *class);
            }
        }
    }

    /// Makes an entry begin at an address.
    fn split(&mut self, family: Family, address: u128) {
        let half = self.half(family);
        let span = half.span(address);
        let (first, class) = half.spans[span];
        if first != address {
            // One more entry of the class.
            let labels = self.classes.labels_of(class).to_vec();
            let class = self.classes.acquire(&labels);
            self.half_mut(family).spans.insert(span + 1, (address, class));
        }
    }

    fn point(&mut self, family: Family, address: u128, class: u32) {
        if let (Family::V4, Ok(key)) = (family, u32::try_from(address)) {
            self.table.fill(key, key, class);
        }
    }

    const fn half(&self, family: Family) -> &Half {
        match family {
            Family::V4 => &self.v4,
            Family::V6 => &self.v6,
        }
    }

    const fn half_mut(&mut self, family: Family) -> &mut Half {
        match family {
            Family::V4 => &mut self.v4,
            Family::V6 => &mut self.v6,
        }
    }

    pub(super) fn bytes(&self) -> usize {
        let entry = size_of::<(u128, u32)>() + 1;
        let exact = self.v4.exact.capacity() + self.v6.exact.capacity();
        self.classes.bytes() + self.table.bytes() + exact * entry
    }
}

/// The address of a number.
fn at(family: Family, number: u128) -> IpAddr {
    match family {
        Family::V4 => IpAddr::V4(u32::try_from(number).unwrap_or(u32::MAX).into()),
        Family::V6 => IpAddr::V6(number.into()),
    }
}
