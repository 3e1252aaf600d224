//! Rules and programs: plain data, given by the caller.

use std::fmt;
use std::num::ParseIntError;
use std::str::FromStr;
use std::sync::Arc;

use crate::{Action, AddressRange, Direction, Family, MacAddr, RuleId, ScopeId, SetId, VnicId};

/// Where a rule looks.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum Layer {
    /// Ethernet addresses and type, for every frame; comes first.
    Ethernet,
    /// IP addresses and transport headers, for IP packets that the Ethernet layer allows.
    Ip,
}

/// One rule. All fields must match.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub struct Rule {
    /// The name evidence and counters go by.
    pub id: RuleId,
    /// The layer the rule belongs to.
    pub layer: Layer,
    /// What happens to packets it matches.
    pub action: Action,
    /// The way packets cross the filter; `None` for both.
    pub direction: Option<Direction>,
    /// The IP version; `None` for any, non-IP frames included.
    pub family: Option<Family>,
    /// Where packets come from.
    pub source: Peer,
    /// Where packets go.
    pub destination: Peer,
    /// What packets carry.
    pub service: ServiceMatch,
    /// The vNICs on whose filter the rule stands. Has no say in what it matches there.
    pub applied_to: AppliedTo,
    /// Whether allowed packets open a flow that admits the rest of the conversation. Counts for
    /// IP rules only: Ethernet rules judge every frame.
    pub stateful: bool,
    /// Whether a TCP conversation must begin with SYN to be allowed. Counts for stateful rules.
    pub tcp_strict: bool,
}

impl Rule {
    /// Drops every IP packet, on every vNIC: what others are made of, field by field.
    pub const fn drop_all(id: RuleId) -> Self {
        Self {
            id,
            layer: Layer::Ip,
            action: Action::Drop,
            direction: None,
            family: None,
            source: Peer::Any,
            destination: Peer::Any,
            service: ServiceMatch::Any,
            applied_to: AppliedTo::Everywhere,
            stateful: true,
            tcp_strict: false,
        }
    }
}

/// One end of a packet.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub enum Peer {
    /// Every address.
    Any,
    /// Addresses that one of the terms holds, or with `negated` those that none holds. Without
    /// terms, and with empty sets, that is nobody, or everybody.
    OneOf {
        /// The alternatives.
        terms: Vec<Term>,
        /// Whether the whole field is turned round.
        negated: bool,
    },
}

/// One alternative of a [`Peer`]. Ethernet rules compare Ethernet addresses only, IP rules IP
/// addresses only; a term of the other sort holds nobody.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Term {
    /// The members of an address set; a set that does not exist has none.
    Set(SetId),
    /// A fixed range of IP addresses.
    Range(AddressRange),
    /// A fixed Ethernet address.
    Mac(MacAddr),
}

/// What a packet may carry.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub enum ServiceMatch {
    /// Anything.
    Any,
    /// One of the services; nothing if there is none.
    OneOf(Vec<Service>),
}

/// One service. [`Service::EtherType`] belongs to Ethernet rules, the others to IP rules; at the
/// other layer they match nothing.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub enum Service {
    /// TCP with these ports.
    Tcp(Ports),
    /// UDP with these ports.
    Udp(Ports),
    /// ICMP of one version.
    Icmp {
        /// The version.
        family: Family,
        /// The message's type; `None` for any.
        kind: Option<u8>,
        /// The message's code; `None` for any.
        code: Option<u8>,
    },
    /// An IP protocol by number, whatever its header says.
    Protocol(u8),
    /// An Ethernet type.
    EtherType(u16),
}

/// Port conditions; both must hold, and an empty list means any port.
#[derive(Clone, PartialEq, Eq, Hash, Debug, Default)]
pub struct Ports {
    /// Alternatives for the source port.
    pub source: Vec<PortRange>,
    /// Alternatives for the destination port.
    pub destination: Vec<PortRange>,
}

impl Ports {
    /// Any source port, one of these destination ports.
    pub fn to(destination: impl IntoIterator<Item = PortRange>) -> Self {
        Self { source: Vec::new(), destination: destination.into_iter().collect() }
    }
}

/// Ports from `first` to `last`, both included; none if `first` lies after `last`. Reads `22`
/// and `33-70`.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct PortRange {
    /// The lowest port.
    pub first: u16,
    /// The highest port.
    pub last: u16,
}

impl From<u16> for PortRange {
    fn from(port: u16) -> Self {
        Self { first: port, last: port }
    }
}

/// Why text is no port range.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum ParsePortsError {
    /// A part is not a number from 0 to 65535.
    Number(ParseIntError),
    /// The first port lies after the last.
    Reversed,
}

impl fmt::Display for ParsePortsError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Number(error) => write!(f, "expected a port or first-last: {error}"),
            Self::Reversed => f.write_str("a range's first port must not lie after its last"),
        }
    }
}

impl std::error::Error for ParsePortsError {}

impl FromStr for PortRange {
    type Err = ParsePortsError;

    fn from_str(text: &str) -> Result<Self, ParsePortsError> {
        let port = |text: &str| text.parse::<u16>().map_err(ParsePortsError::Number);
        let Some((first, last)) = text.split_once('-') else {
            return port(text).map(Self::from);
        };
        let range = Self { first: port(first)?, last: port(last)? };
        if range.first > range.last { Err(ParsePortsError::Reversed) } else { Ok(range) }
    }
}

impl fmt::Display for PortRange {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.first == self.last {
            write!(f, "{}", self.first)
        } else {
            write!(f, "{}-{}", self.first, self.last)
        }
    }
}

/// The vNICs whose filters hold a rule.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub enum AppliedTo {
    /// Every vNIC.
    Everywhere,
    /// vNICs named, or in a scope named. Without either the rule stands nowhere.
    OneOf {
        /// Scopes whose vNICs hold the rule.
        scopes: Vec<ScopeId>,
        /// vNICs that hold the rule by name.
        vnics: Vec<VnicId>,
    },
}

/// All rules in global order, both layers.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct RuleProgram {
    /// The rules; an earlier one wins. Whoever made them may keep them, too.
    pub rules: Vec<Arc<Rule>>,
}

impl FromIterator<Rule> for RuleProgram {
    fn from_iter<I: IntoIterator<Item = Rule>>(rules: I) -> Self {
        rules.into_iter().map(Arc::new).collect()
    }
}

impl FromIterator<Arc<Rule>> for RuleProgram {
    fn from_iter<I: IntoIterator<Item = Arc<Rule>>>(rules: I) -> Self {
        Self { rules: rules.into_iter().collect() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn port_ranges_read_and_print() {
        for text in ["22", "33-70", "0-65535"] {
            assert_eq!(text.parse::<PortRange>().unwrap().to_string(), text);
        }
        assert_eq!("70-33".parse::<PortRange>(), Err(ParsePortsError::Reversed));
        for text in ["", "-", "65536", "1-2-3", "ssh"] {
            assert!(matches!(text.parse::<PortRange>(), Err(ParsePortsError::Number(_))), "{text}");
        }
    }
}
