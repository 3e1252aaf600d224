//! Rules that send packets through partners' services [spec ServiceInsertionSection].

use crate::inventory::{Error, Filter, Kind, Object, Verbs, Words};
use crate::kinds::firewall::order::SectionOrder;
use crate::kinds::firewall::rule::{Direction, IpProtocol, check_peers, check_service};
use crate::kinds::firewall::{SectionType, rule::Action};
use crate::kinds::reference::{References, ResourceReference, Target};
use crate::kinds::rule_book::{Book, BookRule, BookSection, Section, Services};
use crate::wire::{Items, Text, Told};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// The declaration of sections; their routes are in `http::rule_books`.
pub static SECTION: Kind = Kind {
    verbs: Verbs::NONE,
    stale_conflicts: true,
    read_only: &["rule_count"],
    filters: &[Filter {
        name: "type",
        words: Some(Words::Of(&["L3REDIRECT"])),
        passes: |_, _, _| true,
    }],
    ..Kind::of::<Section<Redirection>>("ServiceInsertionSection", "/serviceinsertion/sections")
};

/// The declaration of the one object that holds their order, reached by no path.
pub static ORDER: Kind = Kind {
    verbs: Verbs::NONE,
    system_owned_changes: true,
    ..Kind::of::<SectionOrder>("ServiceInsertionSectionOrder", "")
};

/// The book of service insertion.
#[derive(Clone, Debug)]
pub struct Redirection;

impl Book for Redirection {
    type Section = ServiceInsertionSection;
    type Rule = ServiceInsertionRule;
    const RULE: &'static str = "ServiceInsertionRule";
    const TELLS_PLACE: bool = true;

    fn sections() -> &'static Kind {
        &SECTION
    }

    fn order() -> &'static Kind {
        &ORDER
    }
}

/// Rules with an order, and what they have in common.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ServiceInsertionSection {
    section_type: SectionType,
    stateful: bool,
    #[serde(default)]
    tcp_strict: bool,
    applied_tos: Option<References>,
    #[serde(default)]
    is_default: Told<bool>,
}

impl BookSection for ServiceInsertionSection {
    fn applied_tos(&self) -> Option<&References> {
        self.applied_tos.as_ref()
    }

    fn check(&mut self, before: Option<&Self>) -> Result<(), Error> {
        if self.section_type != SectionType::L3Redirect {
            return Err(Error::field("section_type", "must be L3REDIRECT"));
        }
        if self.tcp_strict && !self.stateful {
            return Err(Error::field("tcp_strict", "needs a stateful section"));
        }
        if before.is_some_and(|before| before.stateful != self.stateful) {
            return Err(Error::field("stateful", "can not be changed"));
        }
        self.is_default = Told(Some(false));
        Ok(())
    }
}

/// A rule: what it matches, where, and whereto the packet is sent.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ServiceInsertionRule {
    action: Action,
    #[serde(skip_serializing)]
    redirect_tos: Option<Items<ResourceReference, 1>>,
    #[serde(skip_serializing)]
    sources: Option<References>,
    #[serde(default)]
    sources_excluded: bool,
    #[serde(skip_serializing)]
    destinations: Option<References>,
    #[serde(default)]
    destinations_excluded: bool,
    #[serde(skip_serializing)]
    services: Option<Services>,
    #[serde(skip_serializing)]
    applied_tos: Option<References>,
    #[serde(default)]
    direction: Direction,
    #[serde(default)]
    ip_protocol: IpProtocol,
    #[serde(default)]
    disabled: bool,
    #[serde(default)]
    logged: bool,
    rule_tag: Option<Text<32>>,
    notes: Option<Text<2048>>,
}

/// The kinds of whereto [spec ServiceInsertionRule.redirect_tos].
const SERVICES: [&str; 3] = ["ServiceInstance", "InstanceEndpoint", "ServiceChain"];

impl ServiceInsertionRule {
    /// Whether it sends packets to an object.
    pub fn redirects_to(&self, kind: &str, id: &str) -> bool {
        let targets = self.redirect_tos.iter().flat_map(|list| list.iter());
        targets.map(ResourceReference::target).any(|own| own == Target::Object { kind, id })
    }
}

impl BookRule for ServiceInsertionRule {
    fn lists(&self) -> Vec<(&'static str, &[ResourceReference])> {
        let targets = self.redirect_tos.as_ref().map(|list| ("redirect_tos", &**list));
        let lists = [
            ("sources", &self.sources),
            ("destinations", &self.destinations),
            ("applied_tos", &self.applied_tos),
        ];
        let lists = lists.into_iter().filter_map(|(name, list)| Some((name, list.as_deref()?)));
        targets.into_iter().chain(lists).collect()
    }

    fn services(&self) -> Option<&Services> {
        self.services.as_ref()
    }

    fn check(&self) -> Result<(), Error> {
        let targets = self.redirect_tos.as_deref().unwrap_or_default();
        match self.action {
            Action::Redirect if targets.is_empty() => {
                return Err(Error::field("redirect_tos", "is required where action is REDIRECT"));
            }
            Action::Redirect | Action::DoNotRedirect => {}
            _ => return Err(Error::field("action", "must be REDIRECT or DO_NOT_REDIRECT")),
        }
        for (index, target) in targets.iter().enumerate() {
            match target.target() {
                Target::Object { kind, .. } if SERVICES.contains(&kind) => {}
                _ => {
                    let problem = format!("must be one of {}", SERVICES.join(", "));
                    return Err(Error::field(
                        format!("redirect_tos[{index}].target_type"),
                        problem,
                    ));
                }
            }
        }
        check_peers("sources", self.sources.as_ref(), false)?;
        check_peers("destinations", self.destinations.as_ref(), false)?;
        let services = self.services.iter().flat_map(|list| list.iter()).enumerate();
        for (index, service) in services {
            check_service(&format!("services[{index}]"), service, false)?;
        }
        Ok(())
    }
}

/// Every rule of service insertion, with its section.
pub fn rules(sections: &[std::sync::Arc<Object>]) -> impl Iterator<Item = &ServiceInsertionRule> {
    let sections = sections.iter().filter_map(|own| own.body::<Section<Redirection>>());
    sections.flat_map(|section| section.rules.iter().map(|rule| &rule.body))
}
