//! Which rules a search is about: those that name certain objects [spec ListSections, GetRules].

use super::call::Call;
use crate::inventory::{Error, Inventory, Query, Reference};
use crate::kinds::firewall::{FirewallRule, FirewallSection};
use crate::kinds::ns_service;
use crate::kinds::reference::{References, ResourceReference, Target};
use crate::realize::Node;
use std::collections::HashSet;

/// What a rule must name; nothing is asked where nothing is said.
pub struct RuleSearch {
    sources: Option<HashSet<String>>,
    destinations: Option<HashSet<String>>,
    services: Option<HashSet<String>>,
    applied_tos: Option<HashSet<String>>,
    invalid_references: bool,
}

impl RuleSearch {
    /// Reads the search's parameters.
    ///
    /// # Errors
    /// [`Error::InvalidFields`] for values that are none, [`Error::Unsupported`] for searches by
    /// what rules here do not have.
    pub fn read(call: &Call<'_>) -> Result<Self, Error> {
        let query = &call.query;
        query.one_of("filter_type", &["FILTER", "SEARCH"])?;
        for name in ["context_profiles", "extended_sources", "search_scope"] {
            if query.get(name).is_some() {
                return Err(Error::Unsupported(format!("the search parameter {name}")));
            }
        }
        let deep = query.flag("deep_search")?;
        let ids = |name: &str| {
            ids(query, name).map(|ids| if deep { with_holders(call, ids) } else { ids })
        };
        Ok(Self {
            sources: ids("sources"),
            destinations: ids("destinations"),
            services: self::ids(query, "services")
                .map(|ids| if deep { with_service_groups(call, ids) } else { ids }),
            applied_tos: ids("applied_tos"),
            invalid_references: query.flag("search_invalid_references")?,
        })
    }

    /// Whether anything is asked at all.
    pub fn asks(&self) -> bool {
        let lists = [&self.sources, &self.destinations, &self.services, &self.applied_tos];
        self.invalid_references || lists.iter().any(|list| list.is_some())
    }

    /// Whether a rule of a section is one that the search is about.
    pub fn finds(
        &self,
        inventory: &Inventory,
        section: &FirewallSection,
        rule: &FirewallRule,
    ) -> bool {
        let applied = section.applied_tos.as_ref().filter(|list| !list.is_empty());
        let services = rule.services.iter().flat_map(|list| list.iter());
        let service_ids = services.filter_map(|service| service.object().map(|named| named.id));
        let broken =
            |reference: &Reference| inventory.find(&reference.kind, &reference.id).is_none();
        names(self.sources.as_ref(), rule.sources.as_ref())
            && names(self.destinations.as_ref(), rule.destinations.as_ref())
            && names(self.applied_tos.as_ref(), applied.or(rule.applied_tos.as_ref()))
            && self.services.as_ref().is_none_or(|wanted| {
                service_ids.collect::<HashSet<_>>().intersection(wanted).next().is_some()
            })
            && (!self.invalid_references || rule.references().any(|own| broken(&own)))
    }
}

fn ids(query: &Query, name: &str) -> Option<HashSet<String>> {
    let text = query.get(name)?;
    Some(text.split(',').map(|id| id.trim().to_owned()).collect())
}

fn names(wanted: Option<&HashSet<String>>, list: Option<&References>) -> bool {
    let Some(wanted) = wanted else { return true };
    let list = list.map(|list| &**list).unwrap_or_default();
    list.iter().filter_map(target_id).any(|id| wanted.contains(id))
}

fn target_id(reference: &ResourceReference) -> Option<&str> {
    match reference.target() {
        Target::Nothing => None,
        _ => reference.target_id.as_deref(),
    }
}

/// The ids, and those of all service groups that hold the services.
fn with_service_groups(call: &Call<'_>, mut ids: HashSet<String>) -> HashSet<String> {
    let kinds = [ns_service::SERVICE.name, ns_service::GROUP.name];
    let mut ahead: Vec<String> = ids.iter().cloned().collect();
    while let Some(id) = ahead.pop() {
        for holder in kinds.iter().flat_map(|kind| call.world.inventory.referrers(kind, &id)) {
            let group = holder.kind.name == ns_service::GROUP.name;
            if group && ids.insert(holder.header.id.clone()) {
                ahead.push(holder.header.id.clone());
            }
        }
    }
    ids
}

/// The ids, and those of all groups and switches that hold the objects.
fn with_holders(call: &Call<'_>, mut ids: HashSet<String>) -> HashSet<String> {
    let fabric = call.world.fabric();
    let kinds = ["LogicalPort", "LogicalSwitch", "IPSet", "MACSet", "NSGroup"];
    let named: Vec<Node> =
        ids.iter().flat_map(|id| kinds.iter().filter_map(|kind| Node::of(kind, id))).collect();
    let holders = named.iter().flat_map(|node| fabric.realization().holders(node));
    ids.extend(holders.filter_map(Node::object).map(|(_, id)| id.to_owned()));
    ids
}
