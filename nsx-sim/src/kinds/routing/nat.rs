//! Translation of addresses at routers [spec NatRule].

use super::port::{self, RouterPort};
use super::router::{self, LogicalRouter};
use super::{ROUTER, of_router};
use crate::inventory::{
    Error, Header, Inventory, Kind, Level, Object, Query, Reference, Resource, Transaction, Verbs,
};
use crate::kinds::reference::ResourceReference;
use crate::kinds::service_element::ServiceElement;
use crate::kinds::values::{IpElement, PortElement};
use crate::version::NO_NAT;
use crate::wire::{Int, Items, Told, blank_is_none, int, yes};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// The declaration. Rules are made and found otherwise than other parts: their ids are numbers, and
/// one that is missing is no 404.
pub static KIND: Kind = Kind {
    parent: ROUTER,
    level: Level::Semantic,
    verbs: Verbs::NONE,
    ..Kind::of::<NatRule>("NatRule", "/logical-routers/{}/nat/rules")
};

/// Addresses that a router gives instead of others.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct NatRule {
    /// What is translated.
    pub action: NatAction,
    /// The sources that it is about; none is any.
    #[serde(default, deserialize_with = "blank_is_none")]
    pub match_source_network: Option<IpElement>,
    /// The destinations that it is about; none is any.
    #[serde(default, deserialize_with = "blank_is_none")]
    pub match_destination_network: Option<IpElement>,
    /// The traffic that it is about; none is any.
    pub match_service: Option<ServiceElement>,
    /// What stands in packets instead.
    #[serde(default, deserialize_with = "blank_is_none")]
    pub translated_network: Option<IpElement>,
    /// The destination port that stands in packets instead.
    #[serde(default, deserialize_with = "blank_is_none")]
    pub translated_ports: Option<PortElement>,
    /// The lower, the earlier.
    #[serde(default = "int::<1024, 0, { i32::MAX as i64 }>")]
    pub rule_priority: Int<0, { i32::MAX as i64 }>,
    /// Whether it counts.
    #[serde(default = "yes")]
    pub enabled: bool,
    #[serde(default)]
    logging: bool,
    nat_pass: Option<bool>,
    firewall_match: Option<FirewallMatch>,
    applied_tos: Option<Items<ResourceReference, 1>>,
    #[serde(default)]
    internal_rule_id: Told<String>,
    #[serde(default)]
    logical_router_id: Told<String>,
}

/// What a rule translates.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum NatAction {
    /// Sources.
    Snat,
    /// Destinations.
    Dnat,
    /// Nothing, in either direction.
    NoNat,
    /// Sources one way and destinations the other, without remembering connections.
    Reflexive,
    /// No sources, whatever later rules say.
    NoSnat,
    /// No destinations, whatever later rules say.
    NoDnat,
}

/// Which form of a packet the router's firewall sees.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum FirewallMatch {
    /// That of the outer side.
    MatchExternalAddress,
    /// That of the inner side.
    MatchInternalAddress,
    /// None: it lets the packet pass.
    Bypass,
}

impl NatAction {
    /// Whether connections are remembered [spec NatRule.action].
    pub fn is_stateful(self) -> bool {
        matches!(self, Self::Snat | Self::Dnat)
    }

    /// Whether the rule gives other addresses.
    fn translates(self) -> bool {
        matches!(self, Self::Snat | Self::Dnat | Self::Reflexive)
    }
}

impl NatRule {
    /// What the router's firewall sees of its packets.
    pub fn seen_by_firewall(&self) -> FirewallMatch {
        self.firewall_match.unwrap_or(FirewallMatch::Bypass)
    }

    /// The port that it is applied to; none is every port of the router.
    pub fn applied_to(&self) -> Option<&str> {
        self.applied_tos.as_ref()?.first()?.target_id.as_deref()
    }

    /// The destination ports of the rule's service among which a port is, as first and last.
    pub fn destination_ports_around(&self, port: u16) -> Option<(u16, u16)> {
        let Some(ServiceElement::L4PortSetNSService(set)) = &self.match_service else {
            return None;
        };
        let mut spans = set.destination_ports.iter().map(PortElement::span);
        spans.find(|(first, last)| (*first..=*last).contains(&port))
    }

    /// `nat_pass` is the older form of `firewall_match`, which counts where both are given
    /// [spec NatRule.nat_pass]; both are always told [tf resource_nsxt_nat_rule.go].
    fn settle_firewall(&mut self) -> Result<(), Error> {
        let older = match self.nat_pass {
            Some(false) => FirewallMatch::MatchInternalAddress,
            _ => FirewallMatch::Bypass,
        };
        let own = *self.firewall_match.get_or_insert(older);
        let passes = own == FirewallMatch::Bypass;
        self.nat_pass = Some(passes);
        if !passes && matches!(self.action, NatAction::NoSnat | NatAction::NoDnat) {
            return Err(Error::field("nat_pass", "must be true where nothing is translated"));
        }
        Ok(())
    }

    /// Which members go with which action [spec NatRule].
    fn check_members(&self) -> Result<(), Error> {
        let single_or_block = |element: &IpElement| !element.contains('-');
        let networks = [
            ("match_source_network", &self.match_source_network),
            ("match_destination_network", &self.match_destination_network),
        ];
        for (name, network) in networks {
            if network.as_ref().is_some_and(|own| !single_or_block(own)) {
                return Err(Error::field(name, "must be an address or a block"));
            }
        }
        match &self.translated_network {
            None if self.action.translates() => {
                return Err(Error::field("translated_network", "is required for this action"));
            }
            Some(_) if !self.action.translates() => {
                return Err(Error::field("translated_network", "is of no use to this action"));
            }
            Some(own) if self.action != NatAction::Snat && !single_or_block(own) => {
                return Err(Error::field("translated_network", "must be an address or a block"));
            }
            _ => {}
        }
        if self.translated_ports.is_some() && self.action != NatAction::Dnat {
            return Err(Error::field("translated_ports", "are for DNAT only"));
        }
        if self.action == NatAction::Dnat && self.match_destination_network.is_none() {
            return Err(Error::field("match_destination_network", "is required for DNAT"));
        }
        if self.action == NatAction::Reflexive {
            if self.match_source_network.is_none() {
                return Err(Error::field("match_source_network", "is required for REFLEXIVE"));
            }
            if self.match_service.is_some() {
                return Err(Error::field("match_service", "is not for REFLEXIVE"));
            }
        }
        Ok(())
    }

    /// Rules that remember connections need one active node, and do not mix with those that do not
    /// [spec NatRule.action].
    fn check_state(&self, header: &Header, transaction: &Transaction<'_>) -> Result<(), Error> {
        let parent = header.parent.as_deref().unwrap_or_default();
        let router = transaction.find(router::KIND.name, parent);
        let router = router.as_deref().and_then(Object::body::<LogicalRouter>);
        if self.action.is_stateful() && router.is_some_and(LogicalRouter::is_active_active) {
            return Err(Error::field("action", "needs a router in ACTIVE_STANDBY"));
        }
        let clashes = |other: &NatRule| {
            (self.action.is_stateful() && other.action == NatAction::Reflexive)
                || (self.action == NatAction::Reflexive && other.action.is_stateful())
        };
        let mut others = transaction.children(&KIND, parent);
        others.retain(|other| other.header.id != header.id);
        if others.iter().any(|other| other.body::<Self>().is_some_and(clashes)) {
            let problem =
                "can not be mixed with the router's other rules: REFLEXIVE keeps no state";
            return Err(Error::field("action", problem));
        }
        Ok(())
    }

    fn check_applied(&self, header: &Header, transaction: &Transaction<'_>) -> Result<(), Error> {
        for applied in self.applied_tos.iter().flat_map(|own| own.iter()) {
            let id = applied.target_id.as_deref().unwrap_or_default();
            let found = transaction.find(port::KIND.name, id);
            let of_router = found.as_deref().and_then(Object::body::<RouterPort>);
            if of_router.is_some_and(|port| Some(port.router()) != header.parent.as_deref()) {
                return Err(Error::field("applied_tos", "must be ports of this router"));
            }
        }
        Ok(())
    }
}

impl Resource for NatRule {
    fn references(&self) -> Vec<Reference> {
        let ports = self.applied_tos.iter().flat_map(|own| own.iter());
        let ids = ports.map(|own| own.target_id.as_deref().unwrap_or_default());
        ids.map(|id| Reference::new(port::KIND.name, id)).collect()
    }

    fn admit(
        &mut self,
        header: &mut Header,
        before: Option<&Self>,
        transaction: &mut Transaction<'_>,
    ) -> Result<(), Error> {
        self.logical_router_id = of_router(header);
        self.settle_firewall()?;
        if self.action == NatAction::NoNat && !transaction.inventory().version().has(NO_NAT) {
            return Err(Error::field("action", "has value NO_NAT, which this release has not"));
        }
        self.check_members()?;
        self.check_state(header, transaction)?;
        self.check_applied(header, transaction)?;
        self.internal_rule_id = Told(match before {
            Some(before) => before.internal_rule_id.0.clone(),
            None => Some(transaction.inventory().ids().uuid().to_string()),
        });
        Ok(())
    }

    /// A rule goes whenever it is told to.
    fn retire(_: &Object, _: &mut Transaction<'_>, _: &Query) -> Result<(), Error> {
        Ok(())
    }
}

/// A router's rules that count, with their ids, in the order in which they are tried.
pub fn rules_of(inventory: &Inventory, router: &str) -> Vec<(String, NatRule)> {
    let mut rules: Vec<(String, NatRule)> = inventory
        .children(&KIND, router)
        .iter()
        .filter_map(|object| {
            let rule = object.body::<NatRule>().filter(|rule| rule.enabled)?;
            Some((object.header.id.clone(), rule.clone()))
        })
        .collect();
    rules.sort_by(|(one_id, one), (other_id, other)| {
        // Older rules have smaller numbers, and shorter ones.
        let key = |id: &String, rule: &NatRule| (rule.rule_priority, id.len(), id.clone());
        key(one_id, one).cmp(&key(other_id, other))
    });
    rules
}
