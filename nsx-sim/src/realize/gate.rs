//! Where routers' firewalls stand.

use crate::inventory::{Inventory, Object};
use crate::kinds::firewall::{Enforcement, FirewallRule, FirewallSection, order};
use crate::kinds::reference::{References, ResourceReference, Target};
use crate::kinds::routing::port::{self, RouterPort};
use dataplane::{ScopeId, VnicId};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

/// A place of a router's firewall: all of its ports, or one that some rule is applied to.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Gate {
    /// The router.
    pub router: Arc<str>,
    /// The port.
    pub port: Option<Arc<str>>,
}

/// All gates with their filters.
pub type Gates = BTreeMap<Gate, VnicId>;

/// The gates that rules of sections on routers stand at.
#[derive(Debug, Default)]
pub struct GatePlan {
    /// Router to those of its ports that rules are applied to.
    ports: BTreeMap<Arc<str>, BTreeSet<Arc<str>>>,
    stands: bool,
}

/// The scope of all vNICs, while there are gates: rules for everybody are for these alone then.
/// Scopes of nodes are numbered from 0 on.
pub const EVERY_VNIC: ScopeId = ScopeId(u32::MAX);

impl GatePlan {
    /// That of all enabled rules.
    pub fn of(inventory: &Inventory) -> Self {
        let mut plan = Self::default();
        for object in on_routers(inventory) {
            let Some(section) = object.body::<FirewallSection>() else { continue };
            let routers = named(section.applied_tos.as_ref());
            for rule in section.rules.iter().filter(|rule| !rule.disabled) {
                plan.stands = true;
                for (router, port) in ports(inventory, rule) {
                    if routers.contains(&&*router) {
                        plan.ports.entry(router).or_default().insert(port);
                    }
                }
            }
        }
        plan
    }

    /// Whether any rule stands at a router.
    pub fn stands(&self) -> bool {
        self.stands
    }

    /// The gates that any enabled rule stands at.
    pub fn all(&self, inventory: &Inventory) -> BTreeSet<Gate> {
        let mut gates = BTreeSet::new();
        for object in on_routers(inventory) {
            let Some(section) = object.body::<FirewallSection>() else { continue };
            for rule in section.rules.iter().filter(|rule| !rule.disabled) {
                gates.extend(self.gates(inventory, section, rule));
            }
        }
        gates
    }

    /// The gates that a rule stands at: every port of the section's routers, or those of them that
    /// it is applied to.
    pub fn gates(
        &self,
        inventory: &Inventory,
        section: &FirewallSection,
        rule: &FirewallRule,
    ) -> Vec<Gate> {
        let routers = named(section.applied_tos.as_ref());
        if !named(rule.applied_tos.as_ref()).is_empty() {
            let own = ports(inventory, rule).into_iter();
            let own = own.filter(|(router, _)| routers.contains(&&**router));
            return own.map(|(router, port)| Gate { router, port: Some(port) }).collect();
        }
        let mut gates = Vec::new();
        for router in routers {
            let router: Arc<str> = router.into();
            let ports = self.ports.get(&router).into_iter().flatten();
            let ports = ports.map(|port| Gate { router: router.clone(), port: Some(port.clone()) });
            gates.extend(ports);
            gates.push(Gate { router, port: None });
        }
        gates
    }
}

/// The sections on routers, in order.
fn on_routers(inventory: &Inventory) -> impl Iterator<Item = Arc<Object>> {
    let sections = order::sections(inventory).into_iter();
    sections.filter(|object| {
        let section = object.body::<FirewallSection>();
        section.is_some_and(|section| section.enforcement() == Enforcement::Routers)
    })
}

/// The ids that a list names.
fn named(list: Option<&References>) -> Vec<&str> {
    let targets = list.into_iter().flat_map(|list| list.iter()).map(ResourceReference::target);
    let ids = targets.filter_map(|target| match target {
        Target::Object { id, .. } => Some(id),
        _ => None,
    });
    ids.collect()
}

/// The ports that a rule is applied to, each with its router.
fn ports(inventory: &Inventory, rule: &FirewallRule) -> Vec<(Arc<str>, Arc<str>)> {
    let ids = named(rule.applied_tos.as_ref()).into_iter();
    let ports = ids.filter_map(|id| {
        let object = inventory.find(port::KIND.name, id)?;
        let router = object.body::<RouterPort>()?.router();
        Some((router.into(), id.into()))
    });
    ports.collect()
}
