//! A plane written as a specification: everything in lists, nothing remembered that can be
//! worked out again. Flows are judged anew for every packet, which asks of the real plane that
//! its generation misses no change.

pub(crate) mod matching;
mod session;

use std::sync::Arc;

use dataplane::{
    Action, Answer, AppliedTo, Config, Dataplane, Direction, Edit, Evidence, Family, Frame, Guard,
    IpHeader, Layer, Member, Outcome, Packet, Path, Rule, RuleCounters, RuleId, ScopeId, SetId,
    Time, Transit, Transport, Verdict, VnicId,
};

use session::Session;

pub(crate) struct Model {
    config: Config,
    enabled: bool,
    pub(crate) rules: Vec<Rule>,
    /// Every contribution of a member to a set.
    pub(crate) members: Vec<(SetId, Member)>,
    pub(crate) scopes: Vec<(ScopeId, VnicId)>,
    pub(crate) vnics: Vec<VnicId>,
    pub(crate) excluded: Vec<VnicId>,
    /// The vNICs whose own filter is off.
    pub(crate) off: Vec<VnicId>,
    flows: Vec<Flow>,
    /// First fragments that a filter let come to its IP rules: when, which way, id and header.
    fragments: Vec<(VnicId, u64, Direction, u32, IpHeader)>,
    /// What happened to packets: rule, whether it decided itself, bytes.
    packets: Vec<(RuleId, bool, u64)>,
    admissions: Vec<RuleId>,
}

struct Flow {
    vnic: VnicId,
    rule: RuleId,
    direction: Direction,
    origin: Packet,
    session: Session,
    expires: u64,
}

impl Model {
    pub(crate) fn new(config: Config) -> Self {
        Self {
            config,
            enabled: true,
            rules: Vec::new(),
            members: Vec::new(),
            scopes: Vec::new(),
            vnics: Vec::new(),
            excluded: Vec::new(),
            off: Vec::new(),
            flows: Vec::new(),
            fragments: Vec::new(),
            packets: Vec::new(),
            admissions: Vec::new(),
        }
    }

    /// Makes a change here and in the plane.
    pub(crate) fn edit(&mut self, plane: &mut Dataplane, edit: &Edit) {
        match edit.clone() {
            Edit::Load(program) | Edit::Reload(program) => {
                self.rules = program.rules.iter().map(|rule| Rule::clone(rule)).collect();
                plane.apply(edit);
                let known: Vec<RuleId> = self.rules.iter().map(|rule| rule.id).collect();
                self.packets.retain(|(rule, ..)| known.contains(rule));
                self.admissions.retain(|rule| known.contains(rule));
            }
            Edit::InsertRule { rule, before } => {
                if self.rules.iter().any(|own| own.id == rule.id) {
                    return;
                }
                let same = |own: &Rule| Some(own.id) == before && own.layer == rule.layer;
                let at = match before {
                    Some(_) => self.rules.iter().position(same),
                    None => Some(self.rules.len()),
                };
                assert_eq!(plane.insert_rule(Arc::clone(&rule), before), at.is_some());
                if let Some(at) = at {
                    self.rules.insert(at, Rule::clone(&rule));
                }
            }
            Edit::RemoveRule(id) => {
                let before = self.rules.len();
                self.rules.retain(|rule| rule.id != id);
                assert_eq!(plane.remove_rule(id), self.rules.len() < before);
                self.packets.retain(|(rule, ..)| *rule != id);
                self.admissions.retain(|rule| *rule != id);
            }
            Edit::SettleOne | Edit::Settle => {
                plane.settle();
            }
            Edit::AddMember(set, member) => {
                let new = !self.members.contains(&(set, member));
                self.members.push((set, member));
                assert_eq!(plane.add_member(set, member), new);
            }
            Edit::RemoveMember(set, member) => {
                let at = self.members.iter().position(|m| *m == (set, member));
                let gone = at.is_some_and(|at| {
                    self.members.swap_remove(at);
                    !self.members.contains(&(set, member))
                });
                assert_eq!(plane.remove_member(set, &member), gone);
            }
            Edit::DropSet(set) => {
                self.members.retain(|(id, _)| *id != set);
                plane.drop_set(set);
            }
            Edit::AddVnic(vnic) => {
                if plane.add_vnic(vnic) {
                    self.vnics.push(vnic);
                }
            }
            Edit::RemoveVnic(vnic) => {
                plane.remove_vnic(vnic);
                self.vnics.retain(|id| *id != vnic);
                self.scopes.retain(|(_, id)| *id != vnic);
                self.excluded.retain(|id| *id != vnic);
                self.off.retain(|id| *id != vnic);
                self.flows.retain(|flow| flow.vnic != vnic);
                self.fragments.retain(|own| own.0 != vnic);
            }
            Edit::Join(scope, vnic) => {
                if plane.join(scope, vnic) {
                    self.scopes.push((scope, vnic));
                }
            }
            Edit::Leave(scope, vnic) => {
                plane.leave(scope, vnic);
                self.scopes.retain(|pair| *pair != (scope, vnic));
            }
            Edit::DropScope(scope) => {
                plane.drop_scope(scope);
                self.scopes.retain(|(id, _)| *id != scope);
            }
            Edit::Exclude(vnic, excluded) => {
                plane.exclude(vnic, excluded);
                self.excluded.retain(|id| *id != vnic);
                if excluded && self.vnics.contains(&vnic) {
                    self.excluded.push(vnic);
                }
            }
            Edit::SetEnabled(enabled) => {
                plane.set_enabled(enabled);
                self.enabled = enabled;
            }
            Edit::SetVnicAddress(vnic, address) => {
                plane.set_vnic_address(vnic, address);
            }
            Edit::SetVnicEnabled(vnic, enabled) => {
                plane.set_vnic_enabled(vnic, enabled);
                self.off.retain(|id| *id != vnic);
                if !enabled && self.vnics.contains(&vnic) {
                    self.off.push(vnic);
                }
            }
        }
    }

    /// The verdict as if there were no flow.
    pub(crate) fn judge(&self, vnic: VnicId, direction: Direction, packet: &Packet) -> Verdict {
        let (action, by) = self.guard(vnic).unwrap_or_else(|| {
            let ethernet = self.layer(Layer::Ethernet, vnic, direction, packet);
            if ethernet.0 == Action::Allow && packet.ip.is_some() {
                self.layer(Layer::Ip, vnic, direction, packet)
            } else {
                ethernet
            }
        });
        Verdict { vnic, direction, action, by }
    }

    pub(crate) fn transit(&mut self, now: Time, path: Path, frame: &Frame) -> Transit {
        let packet = &frame.packet;
        let mut transit = Transit { outbound: None, inbound: None, outcome: Outcome::Delivered };
        if let Some(vnic) = path.from {
            let verdict = self.cross(now, vnic, Direction::Out, frame);
            transit.outbound = Some(verdict);
            if verdict.action != Action::Allow {
                transit.outcome = lost(verdict, packet);
                return transit;
            }
        }
        if let Some(vnic) = path.to {
            let verdict = self.cross(now, vnic, Direction::In, frame);
            transit.inbound = Some(verdict);
            if verdict.action != Action::Allow {
                transit.outcome = lost(verdict, packet);
            }
        }
        transit
    }

    /// A rule's counters but for the highest number of sessions, which depends on when the plane
    /// finds out that a flow has expired.
    pub(crate) fn counters(&mut self, now: Time, rule: RuleId) -> RuleCounters {
        self.flows.retain(|flow| now.0 < flow.expires);
        if self.rules.iter().all(|known| known.id != rule) {
            return RuleCounters::default();
        }
        let mine = || self.packets.iter().filter(|(id, ..)| *id == rule);
        let count = |n: usize| u64::try_from(n).unwrap();
        RuleCounters {
            hits: count(mine().filter(|(_, decided, _)| *decided).count()),
            packets: count(mine().count()),
            bytes: mine().map(|(.., bytes)| bytes).sum(),
            sessions: count(self.flows.iter().filter(|flow| flow.rule == rule).count()),
            total_sessions: count(self.admissions.iter().filter(|id| **id == rule).count()),
            max_sessions: 0,
        }
    }

    /// The rules on a vNIC in the order they are tried.
    pub(crate) fn rules_on(&self, vnic: VnicId) -> impl Iterator<Item = &Rule> {
        let known = self.vnics.contains(&vnic);
        [Layer::Ethernet, Layer::Ip].into_iter().flat_map(move |layer| {
            self.rules.iter().filter(move |r| known && r.layer == layer && self.applies(r, vnic))
        })
    }

    fn applies(&self, rule: &Rule, vnic: VnicId) -> bool {
        match &rule.applied_to {
            AppliedTo::Everywhere => true,
            AppliedTo::OneOf { scopes, vnics } => {
                vnics.contains(&vnic)
                    || scopes.iter().any(|scope| self.scopes.contains(&(*scope, vnic)))
            }
        }
    }

    fn guard(&self, vnic: VnicId) -> Option<(Action, Evidence)> {
        if !self.vnics.contains(&vnic) {
            Some((Action::Drop, Evidence::Guard(Guard::NoFilter)))
        } else if !self.enabled || self.off.contains(&vnic) {
            Some((Action::Allow, Evidence::Guard(Guard::Disabled)))
        } else if self.excluded.contains(&vnic) {
            Some((Action::Allow, Evidence::Guard(Guard::Excluded)))
        } else {
            None
        }
    }

    fn first(
        &self,
        layer: Layer,
        vnic: VnicId,
        direction: Direction,
        packet: &Packet,
    ) -> Option<&Rule> {
        self.rules_on(vnic)
            .filter(|rule| rule.layer == layer)
            .find(|rule| matching::matches(&self.members, rule, direction, packet))
    }

    fn layer(
        &self,
        layer: Layer,
        vnic: VnicId,
        direction: Direction,
        packet: &Packet,
    ) -> (Action, Evidence) {
        match self.first(layer, vnic, direction, packet) {
            None => (Action::Allow, Evidence::NoRule),
            Some(rule) if admits(rule) && rule.tcp_strict && session::is_midway(packet) => {
                (Action::Drop, Evidence::Guard(Guard::StateMismatch { rule: rule.id }))
            }
            Some(rule) => (rule.action, Evidence::Rule(rule.id)),
        }
    }

    /// The rule in whose name a packet opens a flow.
    fn admitting(&self, vnic: VnicId, direction: Direction, packet: &Packet) -> Option<RuleId> {
        let decided = self.layer(Layer::Ip, vnic, direction, packet).1;
        let rule = self.first(Layer::Ip, vnic, direction, packet)?;
        (admits(rule) && decided == Evidence::Rule(rule.id)).then_some(rule.id)
    }

    fn cross(&mut self, now: Time, vnic: VnicId, direction: Direction, frame: &Frame) -> Verdict {
        let verdict = |(action, by)| Verdict { vnic, direction, action, by };
        let later = frame.fragment.is_some_and(|fragment| !fragment.first);
        if let Some(guarded) = self.guard(vnic) {
            return verdict(guarded);
        }
        let ethernet = self.layer(Layer::Ethernet, vnic, direction, &frame.packet);
        self.count_decision(ethernet.1, &frame.packet);
        let Some(ip) = frame.packet.ip.filter(|_| ethernet.0 == Action::Allow) else {
            return verdict(ethernet);
        };
        let packet =
            &Packet { ip: Some(self.whole(now, vnic, direction, frame, ip)), ..frame.packet };
        self.flows.retain(|flow| now.0 < flow.expires);
        let report = frame.reports.filter(|told| !later && session::tells(packet, told));
        if let Some(rule) = self.follow(now, vnic, direction, packet, report) {
            self.count(rule, false, packet);
            return verdict((Action::Allow, Evidence::Flow(rule)));
        }
        if let Some(rule) = self.admitting(vnic, direction, packet)
            && session::has_state(packet)
            && !later
        {
            let held = self.flows.iter().filter(|flow| flow.vnic == vnic).count();
            if held >= self.config.flow_limit {
                return verdict((Action::Drop, Evidence::Guard(Guard::StateLimit { rule })));
            }
            let mut session = Session::default();
            let expires = now.0 + session.observe(true, packet);
            self.flows.push(Flow { vnic, rule, direction, origin: *packet, session, expires });
            self.admissions.push(rule);
        }
        let mut decided = self.layer(Layer::Ip, vnic, direction, packet);
        self.count_decision(decided.1, packet);
        if later && decided.0 == Action::Reject {
            decided.0 = Action::Drop;
        }
        verdict(decided)
    }

    /// The header of a fragment with the transport header of its datagram's first.
    fn whole(
        &mut self,
        now: Time,
        vnic: VnicId,
        direction: Direction,
        frame: &Frame,
        ip: IpHeader,
    ) -> IpHeader {
        let Some(fragment) = frame.fragment else { return ip };
        if fragment.first {
            self.fragments.push((vnic, now.0, direction, fragment.id, ip));
            return ip;
        }
        let protocol = |ip: &IpHeader| match ip.family() {
            Family::V4 => ip.transport.protocol(Family::V4),
            Family::V6 => 0,
        };
        let first = self.fragments.iter().rev().find(|(at, _, way, id, first)| {
            (*at, *way, *id) == (vnic, direction, fragment.id)
                && (first.src, first.dst, protocol(first)) == (ip.src, ip.dst, protocol(&ip))
        });
        match first {
            Some((_, since, .., first)) if now.0 < since + 30_000 => *first,
            _ => ip,
        }
    }

    fn follow(
        &mut self,
        now: Time,
        vnic: VnicId,
        direction: Direction,
        packet: &Packet,
        report: Option<IpHeader>,
    ) -> Option<RuleId> {
        let at = self.flows.iter().position(|flow| {
            let forth = flow.direction == direction;
            let quoted = report.is_some_and(|told| {
                let quoted = Packet { ip: Some(told), ..*packet };
                session::belongs(&flow.origin, !forth, &quoted)
            });
            flow.vnic == vnic && (quoted || session::belongs(&flow.origin, forth, packet))
        })?;
        let mut flow = self.flows.swap_remove(at);
        if flow.session.is_over() && session::is_opening(packet) {
            return None;
        }
        if self.config.revalidate_flows {
            let rule = self.admitting(vnic, flow.direction, &flow.origin)?;
            if rule != flow.rule {
                self.admissions.push(rule);
                flow.rule = rule;
            }
        }
        if report.is_none() {
            flow.expires = now.0 + flow.session.observe(flow.direction == direction, packet);
        } else if session::is_icmp(&flow.origin) {
            flow.expires = now.0 + 10_000;
        }
        let rule = flow.rule;
        self.flows.push(flow);
        Some(rule)
    }

    fn count_decision(&mut self, by: Evidence, packet: &Packet) {
        if let Evidence::Rule(rule) = by {
            self.count(rule, true, packet);
        }
    }

    /// A flow may outlive its rule; what it carries then is counted nowhere.
    fn count(&mut self, rule: RuleId, decided: bool, packet: &Packet) {
        if self.rules.iter().any(|known| known.id == rule) {
            self.packets.push((rule, decided, packet.length.into()));
        }
    }
}

fn admits(rule: &Rule) -> bool {
    rule.action == Action::Allow && rule.stateful && rule.layer == Layer::Ip
}

fn lost(verdict: Verdict, packet: &Packet) -> Outcome {
    let at = verdict.vnic;
    if verdict.action == Action::Drop {
        return Outcome::Dropped { at };
    }
    let answer = match packet.ip {
        Some(ip) if matches!(ip.transport, Transport::Tcp { .. }) => Answer::TcpReset,
        Some(ip) if ip.src.is_ipv6() => Answer::Unreachable { kind: 1, code: 1 },
        _ => Answer::Unreachable { kind: 3, code: 13 },
    };
    Outcome::Rejected { at, answer }
}
