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

impl Ruling {
    /// The ruling of the first rule that matches the packet.
    pub(crate) fn of(rule: Option<&Rule>, packet: &Packet) -> Self {
        let Some(rule) = rule else {
            return Self { action: Action::Allow, by: Evidence::NoRule, admitted_by: None };
        };
        let admits = rule.action == Action::Allow && rule.stateful && rule.layer == Layer::Ip;
        let midway = packet.tcp_flags().is_some_and(|flags| !flags.opens());
        if admits && rule.tcp_strict && midway {
            return Guard::StateMismatch { rule: rule.id }.into();
        }
        Self {
            action: rule.action,
            by: Evidence::Rule(rule.id),
            admitted_by: admits.then_some(rule.id),
        }
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
