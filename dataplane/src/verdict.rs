//! Decisions and the evidence they carry.

use crate::{Action, Direction, Family, Packet, RuleId, Transport, VnicId};

/// What one filter decided about one packet.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct Verdict {
    /// The vNIC whose filter decided.
    pub vnic: VnicId,
    /// The packet's way through the filter.
    pub direction: Direction,
    /// The decision.
    pub action: Action,
    /// Why. Of the two layers it speaks for the last one consulted: the IP layer for IP packets
    /// that the Ethernet layer allowed, the Ethernet layer for all others.
    pub by: Evidence,
}

impl Verdict {
    /// Whether the packet may pass.
    pub const fn allows(&self) -> bool {
        matches!(self.action, Action::Allow)
    }
}

/// Why a filter decided as it did.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Evidence {
    /// This rule was the first to match.
    Rule(RuleId),
    /// The packet belongs to a flow that this rule admitted.
    Flow(RuleId),
    /// The list ended without a match: allowed.
    NoRule,
    /// Something other than a rule or flow decided.
    Guard(Guard),
}

impl Evidence {
    /// The rule behind the decision: the one that matched, or that admitted the flow.
    pub const fn rule(&self) -> Option<RuleId> {
        match *self {
            Self::Rule(rule)
            | Self::Flow(rule)
            | Self::Guard(Guard::StateMismatch { rule } | Guard::StateLimit { rule }) => Some(rule),
            Self::Guard(Guard::Excluded | Guard::Disabled | Guard::NoFilter) | Self::NoRule => None,
        }
    }
}

/// Decisions that no rule makes.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Guard {
    /// The vNIC is exempt from all rules: allowed.
    Excluded,
    /// The vNIC's filter is switched off, or all are: allowed.
    Disabled,
    /// The plane has no filter for this vNIC: dropped, since a missing filter fails closed.
    NoFilter,
    /// The rule would allow, but insists on SYN as first segment: dropped.
    StateMismatch {
        /// The rule that matched.
        rule: RuleId,
    },
    /// The rule would allow, but the vNIC can hold no further flow: dropped.
    StateLimit {
        /// The rule that matched.
        rule: RuleId,
    },
}

impl Guard {
    /// What becomes of the packet.
    pub const fn action(&self) -> Action {
        match self {
            Self::Excluded | Self::Disabled => Action::Allow,
            Self::NoFilter | Self::StateMismatch { .. } | Self::StateLimit { .. } => Action::Drop,
        }
    }
}

/// The filters a packet crosses. An end that is `None` is outside the plane and filters nothing.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Default)]
pub struct Path {
    /// The vNIC that sends.
    pub from: Option<VnicId>,
    /// The vNIC that is to receive.
    pub to: Option<VnicId>,
}

impl Path {
    /// From one vNIC to another.
    pub const fn between(from: VnicId, to: VnicId) -> Self {
        Self { from: Some(from), to: Some(to) }
    }
}

/// What became of a packet on its path.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct Transit {
    /// The sender's filter; `None` if there is no sender in the plane.
    pub outbound: Option<Verdict>,
    /// The receiver's filter; `None` if there is none or the packet did not get there.
    pub inbound: Option<Verdict>,
    /// The end of it.
    pub outcome: Outcome,
}

impl Transit {
    /// Whether the packet arrived.
    pub const fn delivered(&self) -> bool {
        matches!(self.outcome, Outcome::Delivered)
    }
}

/// How a packet's path ended.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Outcome {
    /// Every filter let it pass.
    Delivered,
    /// A filter discarded it silently.
    Dropped {
        /// The vNIC of that filter.
        at: VnicId,
    },
    /// A filter discarded it and answers the sender.
    Rejected {
        /// The vNIC of that filter.
        at: VnicId,
        /// The answer. It is not put through the filters.
        answer: Answer,
    },
}

/// What the sender of a rejected packet gets to see.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Answer {
    /// A reset in the name of the destination.
    TcpReset,
    /// An ICMP message of the packet's IP version: administratively prohibited.
    Unreachable {
        /// The message's type.
        kind: u8,
        /// The message's code.
        code: u8,
    },
}

impl Answer {
    /// The answer to a rejected packet: reset for TCP, else unreachable by administrative
    /// prohibition (type 3 code 13; in IPv6 type 1 code 1). A frame that is not IP is answered as if it were
    /// IPv4; its sender has no use for either.
    pub fn to(packet: &Packet) -> Self {
        match packet.ip {
            Some(ip) if matches!(ip.transport, Transport::Tcp { .. }) => Self::TcpReset,
            Some(ip) if ip.family() == Family::V6 => Self::Unreachable { kind: 1, code: 1 },
            _ => Self::Unreachable { kind: 3, code: 13 },
        }
    }
}
