//! `/capacity/usage`: how much of what the product supports is in use.

use super::super::call::{Call, Reply};
use super::super::routes::Routes;
use crate::inventory::Object;
use crate::kinds::firewall::{FirewallSection, SectionType, section};
use crate::kinds::system::capacity::{Counted, THRESHOLDS, Thresholds};
use serde_json::{Value, json};

/// Something that is counted.
struct Limit {
    counted: Counted,
    /// As shown.
    name: &'static str,
    /// How many a manager supports. Figures of a large installation of 2.5, from memory of the
    /// published maximums (docs/fidelity.md).
    most: u64,
    /// The kind that is counted; where it is not modelled nothing is told.
    kind: &'static str,
    /// What one object counts.
    each: fn(&Object, &Call<'_>) -> u64,
}

/// One for each object.
fn one(_: &Object, _: &Call<'_>) -> u64 {
    1
}

fn of_tier(object: &Object, call: &Call<'_>, tier: &str) -> u64 {
    let fields = object.any_body().fields(&object.header, &call.world.inventory);
    u64::from(fields.get("router_type").is_some_and(|own| own == tier))
}

static LIMITS: &[Limit] = &[
    Limit {
        counted: Counted::NumberOfLogicalSwitches,
        name: "Logical switches",
        most: 10_000,
        kind: "LogicalSwitch",
        each: one,
    },
    Limit {
        counted: Counted::NumberOfLogicalPorts,
        name: "Logical switch ports",
        most: 25_000,
        kind: "LogicalPort",
        each: one,
    },
    Limit {
        counted: Counted::NumberOfNsGroups,
        name: "Groups",
        most: 20_000,
        kind: "NSGroup",
        each: one,
    },
    Limit {
        counted: Counted::NumberOfIpSets,
        name: "IP sets",
        most: 10_000,
        kind: "IPSet",
        each: one,
    },
    Limit {
        counted: Counted::NumberOfDfwSections,
        name: "Distributed firewall sections",
        most: 10_000,
        kind: section::KIND.name,
        each: one,
    },
    Limit {
        counted: Counted::NumberOfDfwRules,
        name: "Distributed firewall rules",
        most: 100_000,
        kind: section::KIND.name,
        each: |object, _| {
            object.body::<FirewallSection>().map_or(0, |section| section.rules.len() as u64)
        },
    },
    Limit {
        counted: Counted::NumberOfFirewallSections,
        name: "Layer 3 firewall sections",
        most: 10_000,
        kind: section::KIND.name,
        each: |object, _| {
            let layer3 = |own: &FirewallSection| own.section_type == SectionType::Layer3;
            u64::from(object.body::<FirewallSection>().is_some_and(layer3))
        },
    },
    Limit {
        counted: Counted::NumberOfEdgeClusters,
        name: "Edge clusters",
        most: 160,
        kind: "EdgeCluster",
        each: one,
    },
    Limit {
        counted: Counted::NumberOfEdgeNodes,
        name: "Edge nodes",
        most: 320,
        kind: "Node",
        each: |object, _| u64::from(object.resource_type() == "EdgeNode"),
    },
    Limit {
        counted: Counted::NumberOfPreparedHosts,
        name: "Prepared hosts",
        most: 1_024,
        kind: "Node",
        each: |object, _| u64::from(object.resource_type() == "HostNode"),
    },
    Limit {
        counted: Counted::NumberOfTier0Routers,
        name: "Tier-0 logical routers",
        most: 160,
        kind: "LogicalRouter",
        each: |object, call| of_tier(object, call, "TIER0"),
    },
    Limit {
        counted: Counted::NumberOfTier1Routers,
        name: "Tier-1 logical routers",
        most: 4_000,
        kind: "LogicalRouter",
        each: |object, call| of_tier(object, call, "TIER1"),
    },
    Limit {
        counted: Counted::NumberOfPrefixList,
        name: "Prefix lists",
        most: 500,
        kind: "IPPrefixList",
        each: one,
    },
    Limit {
        counted: Counted::NumberOfNatRules,
        name: "NAT rules",
        most: 25_000,
        kind: "NatRule",
        each: one,
    },
    Limit {
        counted: Counted::NumberOfDhcpServers,
        name: "DHCP servers",
        most: 10_000,
        kind: "LogicalDhcpServer",
        each: one,
    },
    Limit {
        counted: Counted::NumberOfDhcpIpPools,
        name: "DHCP IP pools",
        most: 10_000,
        kind: "DhcpIpPool",
        each: one,
    },
];

/// Adds the route.
pub fn register(routes: &mut Routes) {
    routes.on("GET", "/capacity/usage", |call| {
        call.query.flag("force")?;
        let object = call.world.inventory.single(&THRESHOLDS, None)?;
        let thresholds = object.body::<Thresholds>();
        let known = LIMITS.iter().filter(|limit| call.world.inventory.kind(limit.kind).is_some());
        let usage: Vec<Value> = known.map(|limit| usage(call, limit, thresholds)).collect();
        Ok(Reply::ok(json!({
            "capacity_usage": usage,
            "meta_info": {"last_updated_timestamp": call.world.clock.now()},
        })))
    });
}

#[allow(clippy::cast_precision_loss, reason = "counts are far below 2^52")]
fn usage(call: &Call<'_>, limit: &Limit, thresholds: Option<&Thresholds>) -> Value {
    let objects = call.world.inventory.all(limit.kind);
    let count: u64 = objects.iter().map(|object| (limit.each)(object, call)).sum();
    let percent = count as f64 * 100.0 / limit.most as f64;
    let (least, most) = thresholds
        .and_then(|own| own.of(limit.counted))
        .map_or((100.0, 100.0), |own| (own.min_threshold_percentage, own.max_threshold_percentage));
    let severity = match percent {
        own if own > 100.0 => "ERROR",
        own if own >= most => "CRITICAL",
        own if own >= least => "WARNING",
        _ => "INFO",
    };
    json!({
        "usage_type": limit.counted,
        "display_name": limit.name,
        "current_usage_count": count,
        "max_supported_count": limit.most,
        "current_usage_percentage": percent,
        "min_threshold_percentage": least,
        "max_threshold_percentage": most,
        "severity": severity,
    })
}
