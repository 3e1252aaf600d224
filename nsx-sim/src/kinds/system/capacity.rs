//! Thresholds at which the use of something becomes a warning [spec CapacityThresholdList], and what
//! is counted.

use super::the_one;
use crate::inventory::{Error, Header, Kind, Resource, Transaction};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;

/// The declaration.
pub static THRESHOLDS: Kind = the_one::<Thresholds>("CapacityThresholdList", "/capacity/threshold");

/// All thresholds, the one for whatever has none of its own among them.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Thresholds {
    capacity_thresholds: Vec<Threshold>,
}

/// In percent of what is supported.
#[derive(Clone, Copy, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Threshold {
    threshold_type: Counted,
    /// Where information becomes a warning.
    pub min_threshold_percentage: f64,
    /// Where a warning becomes critical.
    pub max_threshold_percentage: f64,
}

/// What is counted.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema,
)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
#[allow(missing_docs, reason = "wire names that say it all")]
pub enum Counted {
    NumberOfLogicalSwitches,
    NumberOfPreparedHosts,
    NumberOfSystemWideVifs,
    #[serde(rename = "NUMBER_OF_NSGROUP")]
    NumberOfNsGroups,
    NumberOfVcenterClusters,
    NumberOfGiProtectedHosts,
    NumberOfGiProtectedVms,
    NumberOfDfwRules,
    NumberOfDfwSections,
    #[serde(rename = "NUMBER_OF_IPSETS")]
    NumberOfIpSets,
    NumberOfGroupsBasedOnIpSets,
    NumberOfLogicalPorts,
    NumberOfEdgeClusters,
    NumberOfEdgeNodes,
    #[serde(rename = "NUMBER_OF_TIER0_ROUTERS")]
    NumberOfTier0Routers,
    #[serde(rename = "NUMBER_OF_TIER1_ROUTERS")]
    NumberOfTier1Routers,
    NumberOfPrefixList,
    NumberOfNatRules,
    #[serde(rename = "NUMBER_OF_TIER1_WITH_NAT_RULE")]
    NumberOfTier1WithNatRule,
    NumberOfDhcpServers,
    NumberOfDhcpIpPools,
    NumberOfActiveDirectoryGroups,
    NumberOfActiveDirectoryDomains,
    NumberOfFirewallSections,
    NumberOfFirewallRules,
    GlobalDefault,
}

impl Thresholds {
    /// The thresholds of something that is counted: its own, or everybody's.
    pub fn of(&self, counted: Counted) -> Option<&Threshold> {
        let find =
            |wanted| self.capacity_thresholds.iter().find(move |own| own.threshold_type == wanted);
        find(counted).or_else(|| find(Counted::GlobalDefault))
    }
}

impl Resource for Thresholds {
    fn admit(
        &mut self,
        _: &mut Header,
        _: Option<&Self>,
        _: &mut Transaction<'_>,
    ) -> Result<(), Error> {
        let mut seen = BTreeSet::new();
        for (place, own) in self.capacity_thresholds.iter().enumerate() {
            let at = |name: &str| format!("capacity_thresholds[{place}].{name}");
            if !seen.insert(own.threshold_type) {
                return Err(Error::field(at("threshold_type"), "stands there twice"));
            }
            let percent = 0.0..=100.0;
            let (min, max) = (own.min_threshold_percentage, own.max_threshold_percentage);
            if !percent.contains(&min) || !percent.contains(&max) {
                return Err(Error::field(at("threshold"), "must lie between 0 and 100"));
            }
            if min > max {
                let name = at("min_threshold_percentage");
                return Err(Error::field(name, "must not be above max_threshold_percentage"));
            }
        }
        if !seen.contains(&Counted::GlobalDefault) {
            return Err(Error::field("capacity_thresholds", "must hold GLOBAL_DEFAULT"));
        }
        Ok(())
    }
}
