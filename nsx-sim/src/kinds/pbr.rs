//! Policy based routing of public clouds: which packets leave the overlay [spec PBRSection].
//!
//! Configuration only: no cloud gateway obeys it here.

use super::firewall::order::SectionOrder;
use super::firewall::rule::{check_peers, check_service};
use super::reference::{References, ResourceReference};
use super::rule_book::{Book, BookRule, BookSection, Section, Services};
use crate::inventory::{Error, Kind, Verbs};
use crate::wire::Text;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// The declaration of sections; their routes are in `http::rule_books`.
pub static SECTION: Kind = Kind {
    verbs: Verbs::NONE,
    stale_conflicts: true,
    read_only: &["rule_count"],
    ..Kind::of::<Section<Pbr>>("PBRSection", "/pbr/sections")
};

/// The declaration of the one object that holds their order, reached by no path.
pub static ORDER: Kind = Kind {
    verbs: Verbs::NONE,
    system_owned_changes: true,
    ..Kind::of::<SectionOrder>("PBRSectionOrder", "")
};

/// The book of policy based routing.
#[derive(Clone, Debug)]
pub struct Pbr;

impl Book for Pbr {
    type Section = PBRSection;
    type Rule = PBRRule;
    const RULE: &'static str = "PBRRule";
    const TELLS_PLACE: bool = false;

    fn sections() -> &'static Kind {
        &SECTION
    }

    fn order() -> &'static Kind {
        &ORDER
    }
}

/// A section, which has no members of its own.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct PBRSection {}

impl BookSection for PBRSection {}

/// A rule: what it matches, where, and which way the packet goes [spec PBRRule].
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct PBRRule {
    action: Action,
    #[serde(skip_serializing)]
    sources: Option<References>,
    #[serde(skip_serializing)]
    destinations: Option<References>,
    #[serde(skip_serializing)]
    services: Option<Services>,
    #[serde(skip_serializing)]
    applied_tos: Option<References>,
    #[serde(default)]
    disabled: bool,
    #[serde(default)]
    logged: bool,
    rule_tag: Option<Text<32>>,
    notes: Option<Text<2048>>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
#[allow(clippy::enum_variant_names, reason = "wire names")]
enum Action {
    RouteToUnderlayNat,
    RouteToOverlayNat,
    RouteToUnderlay,
    RouteToOverlay,
    RouteFromOverlay,
    RouteFromUnderlay,
}

impl BookRule for PBRRule {
    fn lists(&self) -> Vec<(&'static str, &[ResourceReference])> {
        let lists = [
            ("sources", &self.sources),
            ("destinations", &self.destinations),
            ("applied_tos", &self.applied_tos),
        ];
        lists.into_iter().filter_map(|(name, list)| Some((name, list.as_deref()?))).collect()
    }

    fn services(&self) -> Option<&Services> {
        self.services.as_ref()
    }

    fn check(&self) -> Result<(), Error> {
        check_peers("sources", self.sources.as_ref(), false)?;
        check_peers("destinations", self.destinations.as_ref(), false)?;
        let services = self.services.iter().flat_map(|list| list.iter()).enumerate();
        for (index, service) in services {
            check_service(&format!("services[{index}]"), service, false)?;
        }
        Ok(())
    }
}
