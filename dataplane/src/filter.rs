//! The filter in front of one vNIC: its list, its flows, and the way of a packet through both.

use std::collections::BTreeSet;
use std::sync::Arc;

use crate::counters::Counters;
use crate::flow::{Flow, FlowKey, FlowTable};
use crate::list::VnicList;
use crate::matching::Key;
use crate::ruling::Ruling;
use crate::{
    Action, AddressSets, Config, Evidence, Guard, IpHeader, Packet, RuleId, ScopeId, Time, Timers,
    VnicId,
};

/// What a vNIC's filter holds.
#[derive(Clone, Debug)]
pub(crate) struct Filter {
    pub(crate) vnic: VnicId,
    pub(crate) scopes: BTreeSet<ScopeId>,
    pub(crate) excluded: bool,
    /// Its own idle times, instead of the plane's.
    pub(crate) timers: Option<Timers>,
    pub(crate) list: Arc<VnicList>,
    pub(crate) flows: FlowTable,
}

/// What the plane lends a filter while a packet passes.
#[derive(Debug)]
pub(crate) struct Context<'p> {
    pub(crate) now: Time,
    pub(crate) enabled: bool,
    pub(crate) generation: u64,
    pub(crate) config: &'p Config,
    pub(crate) sets: &'p AddressSets,
    pub(crate) counters: &'p mut Counters,
}

impl Filter {
    /// The guard that lets every packet pass unseen, if one does. `enabled` is the plane's switch.
    pub(crate) const fn exemption(&self, enabled: bool) -> Option<Guard> {
        match (enabled, self.excluded) {
            (false, _) => Some(Guard::Disabled),
            (true, true) => Some(Guard::Excluded),
            (true, false) => None,
        }
    }

    /// Decides about a packet, counts it, and opens, follows or forgets flows.
    pub(crate) fn pass(&mut self, context: &mut Context<'_>, key: Key<'_>) -> Ruling {
        if let Some(guard) = self.exemption(context.enabled) {
            return guard.into();
        }
        let ethernet = self.list.ethernet.judge(context.sets, key);
        count_decision(context.counters, ethernet, key);
        match &key.packet.ip {
            Some(ip) if ethernet.action == Action::Allow => self.pass_ip(context, key, ip),
            _ => ethernet,
        }
    }

    fn pass_ip(&mut self, context: &mut Context<'_>, key: Key<'_>, ip: &IpHeader) -> Ruling {
        let conversation = FlowKey::of(key.direction, ip);
        if let Some(conversation) = &conversation
            && let Some(rule) = self.follow(context, conversation, key, ip)
        {
            context.counters.carried(rule, key.packet.length);
            return Ruling::by_flow(rule);
        }
        let ruling = self.list.ip.judge(context.sets, key);
        if let (Some(rule), Some(conversation)) = (ruling.admitted_by, conversation) {
            if !self.has_room(context) {
                return Guard::StateLimit { rule }.into();
            }
            let mut flow = Flow::new(rule, context.generation, key, ip.transport, context.now);
            flow.observe(context.now, self.timers(context), key, ip.transport);
            self.flows.insert(conversation, flow);
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
        let flow = self.flows.get(conversation)?;
        let before = flow.rule;
        let admitted_by = self.readmit(context, flow, key.packet);
        if admitted_by != Some(before) {
            context.counters.closed(before);
            if let Some(rule) = admitted_by {
                context.counters.opened(rule);
            }
        }
        if let Some(rule) = admitted_by {
            let timers = *self.timers(context);
            self.flows.update(conversation, |flow| {
                flow.rule = rule;
                flow.generation = context.generation;
                flow.observe(context.now, &timers, key, ip.transport);
            });
        } else {
            self.flows.remove(conversation);
        }
        admitted_by
    }

    fn timers<'a>(&'a self, context: &Context<'a>) -> &'a Timers {
        self.timers.as_ref().unwrap_or(&context.config.timers)
    }

    /// The rule in whose name a flow speaks for a packet of its conversation. After a change of
    /// rules, sets or scopes that is the stateful rule that would admit the flow's first packet
    /// now, which may be another one than then.
    fn readmit(&self, context: &Context<'_>, flow: &Flow, packet: &Packet) -> Option<RuleId> {
        if !flow.speaks_for(context.now, packet) {
            return None;
        }
        if !context.config.revalidate_flows || flow.generation == context.generation {
            return Some(flow.rule);
        }
        let origin = Key { direction: flow.direction, packet: &flow.origin };
        self.list.ip.judge(context.sets, origin).admitted_by
    }

    /// Whether a flow more can be held, after making room if need be.
    fn has_room(&mut self, context: &mut Context<'_>) -> bool {
        let limit = context.config.flow_limit;
        if self.flows.len() >= limit {
            for ended in self.flows.take_expired(self.vnic, context.now) {
                context.counters.closed(ended.rule);
            }
        }
        self.flows.len() < limit
    }
}

/// Counts a packet on the rule that decided it, if a rule did.
fn count_decision(counters: &mut Counters, ruling: Ruling, key: Key<'_>) {
    if let Evidence::Rule(rule) = ruling.by {
        counters.decided(rule, key.packet.length);
    }
}
