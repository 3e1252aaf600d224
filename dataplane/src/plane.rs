//! The plane: every vNIC's filter, and what they share.

use std::collections::{BTreeMap, BTreeSet};
use std::net::IpAddr;
use std::sync::Arc;

use crate::counters::Counters;
use crate::engine::Index;
use crate::explain::{self, Explanation};
use crate::filter::{Context, Filter};
use crate::flow::FlowView;
use crate::list::Lists;
use crate::matching::Key;
use crate::ruling::Ruling;
use crate::seats::Seats;
use crate::{
    Action, AddressSet, AddressSets, Answer, Direction, EngineKind, Frame, Guard, Layer, Member,
    Outcome, Packet, Path, Rule, RuleCounters, RuleId, RuleProgram, ScopeId, SetId, Time, Timers,
    Transit, Verdict, VnicId,
};

/// The plane's settings.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Config {
    /// Idle times of flows, where a vNIC has none of its own.
    pub timers: Timers,
    /// Whether a flow has to be admitted anew after a change of rules, sets, scopes or exclusion.
    /// If not, it lives by its timers alone. On by default.
    pub revalidate_flows: bool,
    /// The most flows of one vNIC; 65,536 by default, about 8 MiB when all are used. Beyond it
    /// packets that would open a flow are dropped.
    pub flow_limit: usize,
    /// The seed of what flows are found by, so that nobody who does not know it can choose packets
    /// that collide. No answer depends on it.
    pub hash_seed: u64,
    /// The engine that searches rule lists. All give the same answers.
    pub engine: EngineKind,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            timers: Timers::default(),
            revalidate_flows: true,
            flow_limit: 65_536,
            hash_seed: 0,
            engine: EngineKind::default(),
        }
    }
}

/// Filters, rules, address sets and counters. See the [crate] for how they work together.
///
/// Methods that change something return whether they did.
#[derive(Clone, Debug)]
pub struct Dataplane {
    pub(crate) config: Config,
    enabled: bool,
    generation: u64,
    pub(crate) lists: Lists,
    pub(crate) sets: AddressSets,
    pub(crate) filters: BTreeMap<VnicId, Filter>,
    pub(crate) counters: Counters,
    /// For batches.
    pub(crate) seats: Seats,
}

impl Default for Dataplane {
    fn default() -> Self {
        Self::new(Config::default())
    }
}

impl Dataplane {
    /// A plane without vNICs, sets and rules.
    pub fn new(config: Config) -> Self {
        Self {
            lists: Lists::new(RuleProgram::default(), config.engine, &AddressSets::default()),
            config,
            enabled: true,
            generation: 0,
            sets: AddressSets::default(),
            filters: BTreeMap::new(),
            counters: Counters::default(),
            seats: Seats::default(),
        }
    }

    /// Whether filters are switched on.
    pub(crate) const fn is_enabled(&self) -> bool {
        self.enabled
    }

    /// Puts a new program in force (the slow lane). Vnics, sets, scopes and flows stay; so do the
    /// counters of rules whose id is in both programs.
    pub fn load(&mut self, program: RuleProgram) {
        self.lists = Lists::new(program, self.config.engine, &self.sets);
        self.place_all();
        self.count_program();
        self.generation += 1;
    }

    /// Switches all filters on or off. Off, every packet passes unseen; flows are kept.
    pub fn set_enabled(&mut self, enabled: bool) -> bool {
        let changed = self.enabled != enabled;
        self.enabled = enabled;
        self.note(changed)
    }

    /// Exempts a vNIC from all rules, or ends that. Flows are kept meanwhile. A vNIC that is not
    /// in the plane stays unknown.
    pub fn exclude(&mut self, vnic: VnicId, excluded: bool) -> bool {
        let Some(filter) = self.filters.get_mut(&vnic) else { return false };
        let changed = filter.excluded != excluded;
        filter.excluded = excluded;
        self.seat(vnic);
        self.note(changed)
    }

    /// Switches a vNIC's filter on or off. Off, every packet passes unseen; flows are kept. A vNIC
    /// that is not in the plane stays unknown.
    pub fn set_vnic_enabled(&mut self, vnic: VnicId, enabled: bool) -> bool {
        let Some(filter) = self.filters.get_mut(&vnic) else { return false };
        let changed = filter.enabled != enabled;
        filter.enabled = enabled;
        self.seat(vnic);
        self.note(changed)
    }

    /// Sets the idle times of all vNICs that have none of their own. They hold from each flow's next
    /// packet on.
    pub fn set_timers(&mut self, timers: Timers) -> bool {
        let changed = self.config.timers != timers;
        self.config.timers = timers;
        changed
    }

    /// Gives a vNIC idle times of its own, or those of the plane again. They hold from each flow's
    /// next packet on. A vNIC that is not in the plane stays unknown.
    pub fn set_vnic_timers(&mut self, vnic: VnicId, timers: Option<Timers>) -> bool {
        let Some(filter) = self.filters.get_mut(&vnic) else { return false };
        let changed = filter.timers.as_deref() != timers.as_ref();
        filter.timers = timers.map(Box::new);
        changed
    }

    /// Tells the address that a vNIC's own end of packets mostly has: the source of what it sends, the
    /// destination of what it is sent. Batches of such packets are judged sooner; no verdict depends on it.
    /// A vNIC that is not in the plane stays unknown.
    pub fn set_vnic_address(&mut self, vnic: VnicId, address: Option<IpAddr>) -> bool {
        let Some(filter) = self.filters.get_mut(&vnic) else { return false };
        let before = std::mem::replace(&mut filter.address, address);
        if before != address {
            self.seats.follow_address(vnic, before, address);
            self.seat(vnic);
        }
        before != address
    }

    /// Puts a filter in front of a vNIC. It has the rules applied everywhere and to its name at
    /// once, those of scopes as it joins them.
    pub fn add_vnic(&mut self, vnic: VnicId) -> bool {
        let new = !self.filters.contains_key(&vnic);
        if new {
            let mut filter = Filter::new(vnic);
            self.lists.place(&mut filter);
            self.filters.insert(vnic, filter);
            self.seat(vnic);
        }
        new
    }

    /// Forgets a vNIC with its scopes, its exclusion and its flows.
    pub fn remove_vnic(&mut self, vnic: VnicId) -> bool {
        let Some(filter) = self.filters.remove(&vnic) else { return false };
        self.forget_seat(&filter);
        self.lists.forget(&filter);
        for rule in filter.flow_rules() {
            self.counters.closed(rule);
        }
        true
    }

    /// Puts a vNIC into an applied-to scope. A vNIC that is not in the plane stays unknown.
    pub fn join(&mut self, scope: ScopeId, vnic: VnicId) -> bool {
        self.change_scopes(scope, vnic, |scopes| scopes.insert(scope))
    }

    /// Takes a vNIC out of an applied-to scope.
    pub fn leave(&mut self, scope: ScopeId, vnic: VnicId) -> bool {
        self.change_scopes(scope, vnic, |scopes| scopes.remove(&scope))
    }

    /// Takes every vNIC out of a scope.
    pub fn drop_scope(&mut self, scope: ScopeId) -> bool {
        let members: Vec<VnicId> = self.seats.within(scope).collect();
        for vnic in &members {
            self.leave(scope, *vnic);
        }
        !members.is_empty()
    }

    /// Adds a member to an address set, making the set if need be. Members are counted: see
    /// [`AddressSet`].
    pub fn add_member(&mut self, set: SetId, member: Member) -> bool {
        let changed = self.sets.add(set, member);
        if changed {
            self.lists.follow(&self.sets, set, &member);
            self.seat_moved();
        }
        self.note(changed)
    }

    /// Takes a member of an address set back once.
    pub fn remove_member(&mut self, set: SetId, member: &Member) -> bool {
        let changed = self.sets.remove(set, member);
        if changed {
            self.lists.follow(&self.sets, set, member);
            self.seat_moved();
        }
        self.note(changed)
    }

    /// Forgets an address set. Rules that name it see an empty one.
    pub fn drop_set(&mut self, set: SetId) -> bool {
        let members: Vec<Member> = self.set(set).into_iter().flat_map(AddressSet::iter).collect();
        let changed = self.sets.drop_set(set);
        for member in &members {
            self.lists.follow(&self.sets, set, member);
        }
        self.seat_moved();
        self.note(changed)
    }

    /// The settings.
    pub const fn config(&self) -> &Config {
        &self.config
    }

    /// An address set, if it was ever given a member and not dropped since.
    pub fn set(&self, set: SetId) -> Option<&AddressSet> {
        self.sets.get(set)
    }

    /// The rules on a vNIC in the order they are tried: Ethernet, then IP, each in the program's
    /// order. Exclusion suspends them without changing the list.
    pub fn rules_on(&self, vnic: VnicId) -> impl Iterator<Item = &Rule> {
        self.filters.get(&vnic).into_iter().flat_map(|filter| {
            let ethernet = filter.list.ethernet.rules.iter().map(Arc::as_ref);
            ethernet.chain(self.lists.ip_rules(filter))
        })
    }

    /// A number that rises with every change of rules, scopes, sets or exemptions: of all that can
    /// change the verdict on a vNIC that was there before and is after.
    pub const fn generation(&self) -> u64 {
        self.generation
    }

    /// The engine that was asked for, and how many vNICs have their IP rules searched by which. A list that
    /// the engine can not serve ([`Unsupported`](crate::engine::Unsupported)) is walked.
    pub fn engines(&self) -> (EngineKind, Vec<(EngineKind, usize)>) {
        let searched_by = |filter: &Filter| match filter.class {
            Some(_) => EngineKind::Bitmap,
            None => filter.list.ip.engine(),
        };
        let count = |kind: &EngineKind| {
            let filters = self.filters.values();
            (*kind, filters.filter(|filter| searched_by(filter) == *kind).count())
        };
        let counts = EngineKind::ALL.iter().map(count).filter(|(_, count)| *count > 0);
        (self.config.engine, counts.collect())
    }

    /// The verdict on a packet as if no flow existed. Changes and counts nothing.
    pub fn judge(&self, vnic: VnicId, direction: Direction, packet: &Packet) -> Verdict {
        let ruling = match self.filter(vnic) {
            Ok(filter) => self.lists.judge(filter, &self.sets, Key { direction, packet }),
            Err(guard) => guard.into(),
        };
        verdict(vnic, direction, ruling)
    }

    /// The verdict of [`judge`](Dataplane::judge) with every rule that was considered for it.
    pub fn explain(&self, vnic: VnicId, direction: Direction, packet: &Packet) -> Explanation {
        let steps = match self.filter(vnic) {
            Ok(filter) => {
                explain::steps(&self.lists, filter, &self.sets, Key { direction, packet })
            }
            Err(_) => Vec::new(),
        };
        Explanation { steps, verdict: self.judge(vnic, direction, packet) }
    }

    /// Sends a packet along a path: out through the sender's filter, then in through the
    /// receiver's. Counts, and opens, follows and forgets flows. `now` should not go back.
    pub fn transit(&mut self, now: Time, path: Path, packet: &Packet) -> Transit {
        self.transit_frame(now, path, &Frame::from(*packet))
    }

    /// Sends a frame along a path, like [`transit`](Dataplane::transit): an ICMP error belongs to
    /// the flow that it reports on, and a later fragment fares as the first one of its datagram.
    pub fn transit_frame(&mut self, now: Time, path: Path, frame: &Frame) -> Transit {
        let packet = &frame.packet;
        let outbound = path.from.map(|vnic| self.cross(now, vnic, Direction::Out, frame));
        let inbound = match outbound {
            Some(verdict) if !verdict.allows() => None,
            _ => path.to.map(|vnic| self.cross(now, vnic, Direction::In, frame)),
        };
        let outcome = match inbound.or(outbound) {
            Some(Verdict { vnic: at, action: Action::Drop, .. }) => Outcome::Dropped { at },
            Some(Verdict { vnic: at, action: Action::Reject, .. }) => {
                Outcome::Rejected { at, answer: Answer::to(packet) }
            }
            Some(Verdict { action: Action::Allow, .. }) | None => Outcome::Delivered,
        };
        Transit { outbound, inbound, outcome }
    }

    /// A rule's counters, summed over all vNICs; zero for a rule that is not in the program.
    pub fn counters(&self, rule: RuleId) -> RuleCounters {
        self.counters.get(rule)
    }

    /// Sets the counters of one rule to zero. Open sessions stay counted.
    pub fn reset_rule(&mut self, rule: RuleId) {
        self.counters.reset(rule);
    }

    /// Sets the counters of one layer's rules to zero, or with `None` those of all. Open sessions
    /// stay counted.
    pub fn reset_counters(&mut self, layer: Option<Layer>) {
        for rule in self.lists.program() {
            if layer.is_none_or(|layer| layer == rule.layer) {
                self.counters.reset(rule.id);
            }
        }
    }

    /// A vNIC's flows in a fixed order. Flows past their time are among them until they are met
    /// by a packet or by [`expire`](Dataplane::expire).
    pub fn flows(&self, vnic: VnicId) -> impl Iterator<Item = FlowView> + use<> {
        self.filters.get(&vnic).map(Filter::flow_views).into_iter().flatten()
    }

    /// Forgets the flows that are past their time and returns them, by vNIC in a fixed order.
    /// Never needed for right verdicts; it frees memory and brings session counters up to date.
    pub fn expire(&mut self, now: Time) -> Vec<FlowView> {
        let filters = self.filters.values_mut();
        let ended: Vec<FlowView> = filters.flat_map(|filter| filter.take_expired(now)).collect();
        for flow in &ended {
            self.counters.closed(flow.rule);
        }
        ended
    }

    /// From now on rows are shared with another copy of the plane: see [`crate::publisher`].
    pub(crate) fn share_rows(&mut self) {
        if let Some(index) = self.lists.index_mut() {
            index.share();
        }
    }

    /// Whether there are no rows that are not shared.
    pub(crate) fn shares_rows(&self) -> bool {
        self.lists.index().is_none_or(Index::is_shared)
    }

    /// Begins a turn as the copy that nobody sees: one of its own, or with `repeats` the one that the
    /// shown copy has made.
    pub(crate) fn turn(&mut self, shown: &Self, repeats: bool) {
        if let (Some(own), Some(shown)) = (self.lists.index_mut(), shown.lists.index()) {
            own.turn(shown, repeats);
        }
    }

    /// Whether both copies have the same rows, having made the same changes.
    pub(crate) fn agrees(&self, other: &Self) -> bool {
        match (self.lists.index(), other.lists.index()) {
            (Some(own), Some(other)) => own.agrees(other),
            (None, None) => true,
            _ => false,
        }
    }

    /// Gives every vNIC the rules of its scopes.
    pub(crate) fn place_all(&mut self) {
        for filter in self.filters.values_mut() {
            // A class of rows that are no more.
            filter.class = None;
            self.lists.place(filter);
        }
        self.seats.forget_homes();
        self.seat_all();
    }

    /// Counts by the rules of the program.
    pub(crate) fn count_program(&mut self) {
        self.counters.follow_program(
            self.lists.program().map(|rule| rule.id),
            self.filters.values().flat_map(Filter::flow_rules),
        );
    }

    /// Raises the generation if something changed, and passes that on.
    pub(crate) const fn note(&mut self, changed: bool) -> bool {
        if changed {
            self.generation += 1;
        }
        changed
    }

    fn change_scopes(
        &mut self,
        scope: ScopeId,
        vnic: VnicId,
        change: impl FnOnce(&mut BTreeSet<ScopeId>) -> bool,
    ) -> bool {
        let Some(filter) = self.filters.get_mut(&vnic) else { return false };
        let changed = change(&mut filter.scopes);
        if changed {
            self.seats.follow(scope, vnic, filter.scopes.contains(&scope));
            if self.lists.mentions(scope) {
                self.lists.place(filter);
            }
            self.seat(vnic);
        }
        self.note(changed)
    }

    /// The filter whose rules a packet of this vNIC meets, or the guard that stands before them.
    pub(crate) fn filter(&self, vnic: VnicId) -> Result<&Filter, Guard> {
        let filter = self.filters.get(&vnic).ok_or(Guard::NoFilter)?;
        filter.exemption(self.enabled).map_or(Ok(filter), Err)
    }

    fn cross(&mut self, now: Time, vnic: VnicId, direction: Direction, frame: &Frame) -> Verdict {
        let mut context = Context {
            now,
            enabled: self.enabled,
            generation: self.generation,
            config: &self.config,
            lists: &self.lists,
            sets: &self.sets,
            counters: &mut self.counters,
        };
        let ruling = match self.filters.get_mut(&vnic) {
            Some(filter) => filter.pass(&mut context, direction, frame),
            None => Guard::NoFilter.into(),
        };
        verdict(vnic, direction, ruling)
    }
}

pub(crate) fn verdict(vnic: VnicId, direction: Direction, ruling: Ruling) -> Verdict {
    Verdict { vnic, direction, action: ruling.action, by: ruling.by }
}
