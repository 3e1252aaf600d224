//! How rules come into the rows and lists, and leave them.

use std::sync::Arc;

use super::addresses::{DESTINATION, SIGN, SOURCE, WANTED};
use super::index::{APPLIED, Ground, Index, LIST, Named, Spot, way};
use super::layout::{Rank, is_open};
use super::listed::Tag;
use super::local::Entries;
use super::rows::Shape;
use super::services;
use crate::{
    AddressRange, AddressSets, AppliedTo, Direction, Family, Member, Peer, Rule, ServiceMatch,
    SetId, Term,
};

impl Index {
    /// Works one change of rules into the rows, if one waits. No answer changes by it. An error says
    /// that there is no room at a rule's place in the order, and the rows must be made anew. Tells the grounds
    /// that are new with it: the vNICs on them must be given classes anew.
    pub(crate) fn settle(&mut self, sets: &AddressSets) -> Result<Option<Vec<Ground>>, Crowded> {
        let next = self.late.first().map(|(rank, rule)| (rank, Arc::clone(rule)));
        let local = next.as_ref().is_some_and(|(_, rule)| self.local.takes(rule));
        let place = next.as_ref().and_then(|(rank, rule)| self.layout.place(*rank, rule));
        // Every packet may have to try late rules; those that went only take room.
        if (!local && place.is_none() || !self.late.is_many())
            && let Some((spot, rule)) = self.gone.pop()
        {
            self.clear(&rule, spot);
            return Ok(Some(Vec::new()));
        }
        let Some((rank, rule)) = next else { return Ok(None) };
        if !local && place.is_none() {
            return Err(Crowded);
        }
        self.late.remove(rank);
        let new = match place.filter(|_| !local) {
            Some(place) => self.work_in(&rule, rank, place, sets),
            None => self.list(&rule, rank, sets),
        };
        Ok(Some(new))
    }

    /// Puts a rule into the rows.
    pub(super) fn work_in(
        &mut self,
        rule: &Arc<Rule>,
        rank: Rank,
        place: u32,
        sets: &AddressSets,
    ) -> Vec<Ground> {
        self.put_bases(rule, rank, place);
        let (named, new) = self.peers(rule);
        for (label, field) in named {
            for field in self.fields(field) {
                self.addresses.classes.enter(label, *field, place);
            }
        }
        self.carry(new, sets);
        self.services.change(&rule.service, place, true);
        let (labels, new) = self.grounds(rule);
        for label in labels {
            self.applied.enter(label, APPLIED, place);
        }
        self.layout.take(place, rank, rule);
        self.order.insert(rank, Arc::clone(rule), Spot::Row(place));
        new
    }

    /// Puts a rule into the lists of the vNICs that it stands on.
    pub(super) fn list(&mut self, rule: &Arc<Rule>, rank: Rank, sets: &AddressSets) -> Vec<Ground> {
        self.local.count(rule, true);
        let (entries, new) = self.enter(rule, rank);
        self.carry(new, sets);
        let (labels, new) = self.grounds(rule);
        for label in labels {
            for place in entries.places() {
                self.applied.enter(label, LIST, place);
            }
            self.renew_homes(label);
        }
        self.order.insert(rank, Arc::clone(rule), Spot::Lists(entries));
        new
    }

    /// Gives a rule entries for lists, and its labels to the signs of those who carry them.
    pub(super) fn enter(&mut self, rule: &Arc<Rule>, rank: Rank) -> (Entries, Vec<(u32, Origin)>) {
        let (named, new) = self.peers(rule);
        for (label, _) in &named {
            if !self.addresses.classes.is_named(*label, SIGN) {
                self.addresses.classes.enter(*label, SIGN, *label);
            }
        }
        (self.local.enter(rule, rank, &named, &mut self.applied.rows[LIST]), new)
    }

    /// Addresses carry labels that are new.
    pub(super) fn carry(&mut self, new: Vec<(u32, Origin)>, sets: &AddressSets) {
        for (label, origin) in new {
            match origin {
                Origin::Range(range) => self.addresses.cover(range, label),
                Origin::Set(set) => {
                    let set = sets.get(set);
                    for member in set.into_iter().flat_map(crate::AddressSet::iter) {
                        if let Member::Range(range) = member {
                            self.addresses.follow_label(set, label, range);
                        }
                    }
                }
            }
        }
    }

    /// Takes a rule out of all rows and lists, and frees its place.
    pub(super) fn clear(&mut self, rule: &Rule, spot: Spot) {
        let place = match spot {
            Spot::Row(place) => place,
            Spot::Lists(entries) => {
                for label in self.grounds(rule).0 {
                    for place in entries.places() {
                        self.applied.quit(label, LIST, place);
                    }
                    self.renew_homes(label);
                }
                self.local.count(rule, false);
                self.local.give_back(entries);
                return;
            }
        };
        for (label, field) in self.peers(rule).0 {
            for field in self.fields(field) {
                self.addresses.classes.quit(label, *field, place);
            }
        }
        for label in self.grounds(rule).0 {
            self.applied.quit(label, APPLIED, place);
        }
        self.services.change(&rule.service, place, false);
        for base in [SOURCE, DESTINATION] {
            self.addresses.classes.rows[base].base.put(place as usize, false);
        }
        self.services.rows.base.put(place as usize, false);
        self.applied.rows[APPLIED].base.put(place as usize, false);
        self.layout.give_back(place);
    }

    /// The rows that tell of a rule where one of its ends is named.
    pub(super) const fn fields(&self, end: usize) -> &'static [usize] {
        match (end, self.layout.shape) {
            (SOURCE, _) => &[SOURCE],
            (_, Shape::Packed { .. }) => &[DESTINATION, WANTED],
            _ => &[DESTINATION],
        }
    }

    /// What a stranger meets of a rule.
    pub(super) fn put_bases(&mut self, rule: &Rule, rank: Rank, place: u32) {
        let code = self.services.codes.code(rule);
        self.services.rows.tag(place, Tag { rank, bits: code });
        let tag = Tag::of(rule, rank, code);
        let [source, destination, _, wanted] = &mut self.addresses.classes.rows;
        destination.tag(place, tag);
        wanted.want(place, services::wanted(&rule.service));
        let place = place as usize;
        source.base.put(place, is_open(&rule.source));
        destination.base.put(place, is_open(&rule.destination));
        self.services.rows.base.put(place, rule.service == ServiceMatch::Any);
        let everywhere = rule.applied_to == AppliedTo::Everywhere;
        self.applied.rows[APPLIED].base.put(place, everywhere);
        self.restricted |= !everywhere;
        self.conditions |= self.layout.is_conditional(rule);
        for direction in [Direction::In, Direction::Out] {
            for family in [Family::V4, Family::V6] {
                let holds = rule.direction.is_none_or(|own| own == direction)
                    && rule.family.is_none_or(|own| own == family);
                self.ways[way(direction, family)].put(place, holds);
            }
        }
    }

    /// The labels of a rule's ends, each once, and what those stand for that are new.
    pub(super) fn peers(&mut self, rule: &Rule) -> (Named, Vec<(u32, Origin)>) {
        let (mut named, mut new) = (Named::new(), Vec::new());
        for (field, peer) in [(SOURCE, &rule.source), (DESTINATION, &rule.destination)] {
            let Peer::OneOf { terms, .. } = peer else { continue };
            for term in terms {
                let (label, origin) = match term {
                    Term::Set(set) => (self.addresses.set_label(*set), Origin::Set(*set)),
                    Term::Range(range) => {
                        (self.addresses.range_label(*range), Origin::Range(*range))
                    }
                    Term::Mac(_) => continue,
                };
                if label.1 {
                    new.push((label.0, origin));
                }
                if !named.contains(&(label.0, field)) {
                    named.push((label.0, field));
                }
            }
        }
        (named, new)
    }

    /// The labels of what a rule is applied to, and the grounds that are new.
    pub(super) fn grounds(&mut self, rule: &Rule) -> (Vec<u32>, Vec<Ground>) {
        let (mut labels, mut new) = (Vec::new(), Vec::new());
        let AppliedTo::OneOf { scopes, vnics } = &rule.applied_to else { return (labels, new) };
        let scopes = scopes.iter().copied().map(Ground::Scope);
        for ground in scopes.chain(vnics.iter().copied().map(Ground::Vnic)) {
            let label = *self.grounds.entry(ground).or_insert_with(|| {
                new.push(ground);
                self.applied.label()
            });
            if !labels.contains(&label) {
                labels.push(label);
            }
        }
        (labels, new)
    }
}

/// There is no free place between a rule's neighbours.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Crowded;

/// What a label of an address stands for.
pub(super) enum Origin {
    Set(SetId),
    Range(AddressRange),
}
