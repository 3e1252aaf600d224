//! What a rule says of a packet that no flow speaks for.

use crate::{Action, Evidence, Guard, Layer, Packet, Rule, RuleId};

/// A decision not yet bound to a vNIC.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Ruling {
    pub(crate) action: Action,
    pub(crate) by: Evidence,
    /// The rule, if the packet is to open a flow in its name.
    pub(crate) admitted_by: Option<RuleId>,
}

/// As much of a rule as its rulings need: engines keep it together for all rules, so that a packet's
/// verdict touches no rule.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Saying {
    pub(crate) rule: RuleId,
    pub(crate) action: Action,
    /// Whether a packet that the rule lets pass opens a flow.
    pub(crate) admits: bool,
    /// Whether only a segment that opens a TCP connection does.
    pub(crate) strict: bool,
}

impl From<&Rule> for Saying {
    fn from(rule: &Rule) -> Self {
        let admits = rule.action == Action::Allow && rule.stateful && rule.layer == Layer::Ip;
        Self { rule: rule.id, action: rule.action, admits, strict: admits && rule.tcp_strict }
    }
}

impl Ruling {
    /// The ruling of the first rule that matches the packet.
    pub(crate) fn of(rule: Option<&Rule>, packet: &Packet) -> Self {
        Self::by_saying(rule.map(Saying::from), packet)
    }

    /// The ruling by what the first rule that matches the packet says.
    #[inline]
    pub(crate) fn by_saying(said: Option<Saying>, packet: &Packet) -> Self {
        let Some(Saying { rule, action, admits, strict }) = said else {
            return Self { action: Action::Allow, by: Evidence::NoRule, admitted_by: None };
        };
        if strict && packet.tcp_flags().is_some_and(|flags| !flags.opens()) {
            return Guard::StateMismatch { rule }.into();
        }
        Self { action, by: Evidence::Rule(rule), admitted_by: admits.then_some(rule) }
    }

    /// The ruling for a packet of a flow.
    pub(crate) const fn by_flow(rule: RuleId) -> Self {
        Self { action: Action::Allow, by: Evidence::Flow(rule), admitted_by: None }
    }
}

impl From<Guard> for Ruling {
    fn from(guard: Guard) -> Self {
        Self { action: guard.action(), by: Evidence::Guard(guard), admitted_by: None }
    }
}
