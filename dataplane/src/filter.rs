//! The filter in front of one vNIC: its list, its flows, and the way of a packet through both.

use std::collections::BTreeSet;
use std::net::IpAddr;
use std::sync::Arc;

use crate::counters::Counters;
use crate::flow::{self, Flow, FlowKey, FlowTable, FlowView};
use crate::fragments::Fragments;
use crate::icmp;
use crate::list::{Lists, VnicList};
use crate::matching::Key;
use crate::ruling::Ruling;
use crate::{
    Action, AddressSets, AppliedTo, Config, Direction, Evidence, Frame, Guard, IpHeader, Packet,
    RuleId, ScopeId, Time, Timers, Transport, VnicId,
};

/// What a vNIC's filter holds.
#[derive(Clone, Debug)]
pub(crate) struct Filter {
    pub(crate) vnic: VnicId,
    pub(crate) scopes: BTreeSet<ScopeId>,
    pub(crate) excluded: bool,
    pub(crate) enabled: bool,
    /// The address that its own end of packets mostly has, if that is known.
    pub(crate) address: Option<IpAddr>,
    /// Its own idle times, instead of the plane's; few vNICs have any.
    pub(crate) timers: Option<Box<Timers>>,
    pub(crate) list: Arc<VnicList>,
    /// Its class in the index of all rules, where there is one.
    pub(crate) class: Option<u32>,
    /// What passed and is not forgotten; many a vNIC never has any of it.
    memory: Option<Box<Memory>>,
}

/// The conversations that a filter admitted, and the datagrams of which it knows the first piece.
#[derive(Clone, Debug)]
struct Memory {
    flows: FlowTable,
    fragments: Fragments,
}

impl Memory {
    /// Nothing remembered yet.
    fn new(hash_seed: u64) -> Self {
        let hasher = flow::hasher(hash_seed);
        Self { flows: FlowTable::new(hasher.clone()), fragments: Fragments::new(hasher) }
    }
}

/// What the plane lends a filter while a packet passes.
#[derive(Debug)]
pub(crate) struct Context<'p> {
    pub(crate) now: Time,
    pub(crate) enabled: bool,
    pub(crate) generation: u64,
    pub(crate) config: &'p Config,
    pub(crate) lists: &'p Lists,
    pub(crate) sets: &'p AddressSets,
    pub(crate) counters: &'p mut Counters,
}

impl Filter {
    /// A filter without scopes, rules and flows.
    pub(crate) fn new(vnic: VnicId) -> Self {
        Self {
            vnic,
            scopes: BTreeSet::new(),
            excluded: false,
            enabled: true,
            address: None,
            timers: None,
            list: Arc::default(),
            class: None,
            memory: None,
        }
    }

    /// The admitting rule of every flow.
    pub(crate) fn flow_rules(&self) -> impl Iterator<Item = RuleId> {
        self.memory.iter().flat_map(|memory| memory.flows.rules())
    }

    /// All flows in order of their keys, expired ones included that nobody has met since.
    pub(crate) fn flow_views(&self) -> impl Iterator<Item = FlowView> + use<> {
        let memory = self.memory.as_deref();
        memory.map(|memory| memory.flows.views(self.vnic)).into_iter().flatten()
    }

    /// Takes out the flows whose timer has run down, in order of their keys.
    pub(crate) fn take_expired(&mut self, now: Time) -> Vec<FlowView> {
        let memory = self.memory.as_deref_mut();
        memory.map(|memory| memory.flows.take_all_expired(self.vnic, now)).unwrap_or_default()
    }

    /// What is remembered, from now on.
    fn memory(&mut self, config: &Config) -> &mut Memory {
        self.memory.get_or_insert_with(|| Box::new(Memory::new(config.hash_seed)))
    }

    /// Whether a rule applied like this stands here.
    pub(crate) fn holds(&self, applied_to: &AppliedTo) -> bool {
        match applied_to {
            AppliedTo::Everywhere => true,
            AppliedTo::OneOf { scopes, vnics } => {
                scopes.iter().any(|scope| self.scopes.contains(scope)) || vnics.contains(&self.vnic)
            }
        }
    }

    /// The guard that lets every packet pass unseen, if one does. `enabled` is the plane's switch.
    pub(crate) const fn exemption(&self, enabled: bool) -> Option<Guard> {
        match (enabled && self.enabled, self.excluded) {
            (false, _) => Some(Guard::Disabled),
            (true, true) => Some(Guard::Excluded),
            (true, false) => None,
        }
    }

    /// Decides about a frame, counts it, and opens, follows or forgets flows.
    pub(crate) fn pass(
        &mut self,
        context: &mut Context<'_>,
        direction: Direction,
        frame: &Frame,
    ) -> Ruling {
        if let Some(guard) = self.exemption(context.enabled) {
            return guard.into();
        }
        let key = Key { direction, packet: &frame.packet };
        let ethernet = self.list.ethernet.judge(context.sets, key);
        count_decision(context.counters, ethernet, key);
        match (&frame.packet.ip, frame.fragment) {
            _ if ethernet.action != Action::Allow => ethernet,
            (None, _) => ethernet,
            (Some(ip), None) => self.pass_ip(context, key, ip, Some(frame)),
            (Some(ip), Some(fragment)) => {
                let fragments = &mut self.memory(context.config).fragments;
                let transport = fragments.transport(context.now, direction, fragment, ip);
                let ip = IpHeader { transport, ..*ip };
                let packet = Packet { ip: Some(ip), ..frame.packet };
                let key = Key { direction, packet: &packet };
                if fragment.first {
                    return self.pass_ip(context, key, &ip, Some(frame));
                }
                let ruling = self.pass_ip(context, key, &ip, None);
                // Nobody is told of a later fragment's fate. [RFC 1122 3.2.2]
                let silent = ruling.action == Action::Reject;
                Ruling { action: if silent { Action::Drop } else { ruling.action }, ..ruling }
            }
        }
    }

    /// `whole` is the frame whose transport header the packet holds; `None` for a later fragment,
    /// which rides on flows, but opens none.
    fn pass_ip(
        &mut self,
        context: &mut Context<'_>,
        key: Key<'_>,
        ip: &IpHeader,
        whole: Option<&Frame>,
    ) -> Ruling {
        let own = FlowKey::of(key.direction, ip);
        let told = whole.and_then(|frame| reported(key.direction, ip, frame.reports.as_ref()?));
        if let Some(conversation) = own.or(told)
            && let Some(rule) = self.follow(context, &conversation, key, ip)
        {
            context.counters.carried(rule, key.packet.length);
            return Ruling::by_flow(rule);
        }
        let ruling = context.lists.judge_ip(self, context.sets, key);
        if let (Some(rule), Some(conversation), Some(_)) = (ruling.admitted_by, own, whole) {
            if !self.has_room(context) {
                return Guard::StateLimit { rule }.into();
            }
            let epoch = self.memory(context.config).flows.epoch(context.generation);
            let (now, direction) = (context.now, key.direction);
            let mut flow = Flow::new(conversation, rule, epoch, direction, ip.transport, now);
            flow.observe(now, self.timers(context), key, ip);
            self.memory(context.config).flows.insert(flow);
            context.counters.opened(rule);
        }
        count_decision(context.counters, ruling, key);
        ruling
    }

    /// Lets the flow of a conversation speak for a packet: the rule that admits it. A flow that
    /// cannot speak for the packet, or that the rules of today would not admit, is forgotten.
    fn follow(
        &mut self,
        context: &mut Context<'_>,
        conversation: &FlowKey,
        key: Key<'_>,
        ip: &IpHeader,
    ) -> Option<RuleId> {
        let flows = &mut self.memory.as_deref_mut()?.flows;
        let slot = flows.find(conversation)?;
        let epoch = flows.epoch(context.generation);
        let flow = self.memory.as_deref()?.flows.get(slot)?;
        let before = flow.rule;
        let admitted_by = self.readmit(context, flow, epoch, key.packet);
        if admitted_by != Some(before) {
            context.counters.closed(before);
            if let Some(rule) = admitted_by {
                context.counters.opened(rule);
            }
        }
        let flows = &mut self.memory.as_deref_mut()?.flows;
        if let Some(rule) = admitted_by {
            let timers = self.timers.as_deref().unwrap_or(&context.config.timers);
            flows.update(slot, |flow| {
                flow.rule = rule;
                flow.epoch = epoch;
                flow.observe(context.now, timers, key, ip);
            });
        } else {
            flows.remove(slot);
        }
        admitted_by
    }

    fn timers<'a>(&'a self, context: &Context<'a>) -> &'a Timers {
        self.timers.as_deref().unwrap_or(&context.config.timers)
    }

    /// The rule in whose name a flow speaks for a packet of its conversation. After a change of
    /// rules, sets or scopes that is the stateful rule that would admit the flow's first packet
    /// now, which may be another one than then.
    fn readmit(
        &self,
        context: &Context<'_>,
        flow: &Flow,
        epoch: u32,
        packet: &Packet,
    ) -> Option<RuleId> {
        if !flow.speaks_for(context.now, packet) {
            return None;
        }
        if !context.config.revalidate_flows || flow.epoch == epoch {
            return Some(flow.rule);
        }
        // IP rules look at the IP header alone.
        let origin = Packet { ip: Some(flow.origin()), ..*packet };
        let origin = Key { direction: flow.direction, packet: &origin };
        context.lists.judge_ip(self, context.sets, origin).admitted_by
    }

    /// Whether a flow more can be held, after making room. Each flow that opens takes two that have
    /// ended out of the table, so that those do not pile up; a full one takes out what it must.
    fn has_room(&mut self, context: &mut Context<'_>) -> bool {
        let limit = context.config.flow_limit;
        let flows = &mut self.memory(context.config).flows;
        let mut taken = 0;
        while taken < 2 || flows.is_full(limit) {
            let Some(ended) = flows.take_expired(context.now) else { break };
            context.counters.closed(ended.rule);
            taken += 1;
        }
        !flows.is_full(limit)
    }
}

/// The conversation that an ICMP error reports on: the packet it quotes went the other way, and it
/// goes to that packet's sender.
fn reported(direction: Direction, error: &IpHeader, quoted: &IpHeader) -> Option<FlowKey> {
    let Transport::Icmp { kind, .. } = error.transport else { return None };
    let told = icmp::tells_of_conversation(error.family(), kind) && error.dst == quoted.src;
    FlowKey::of(direction.opposite(), quoted).filter(|_| told)
}

/// Counts a packet on the rule that decided it, if a rule did.
fn count_decision(counters: &mut Counters, ruling: Ruling, key: Key<'_>) {
    if let Evidence::Rule(rule) = ruling.by {
        counters.decided(rule, key.packet.length);
    }
}
