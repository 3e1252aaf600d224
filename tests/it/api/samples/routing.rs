//! One body per kind of logical routing.

use super::{PARENT, Sample};
use serde_json::json;
use std::sync::atomic::{AtomicU8, Ordering};
use tests::Manager;

/// What the samples name beside themselves.
pub fn prepare(manager: &Manager) {
    let cluster = manager.get("/edge-clusters").results();
    let body = json!({
        "id": PARENT,
        "router_type": "TIER0",
        "edge_cluster_id": cluster[0]["id"],
        "high_availability_mode": "ACTIVE_STANDBY",
    });
    manager.post("/logical-routers", body).expect(201);
}

/// The address of a gateway in a network that no call before gave.
fn gateway() -> String {
    static NUMBER: AtomicU8 = AtomicU8::new(0);
    format!("10.{}.0.1", NUMBER.fetch_add(1, Ordering::Relaxed))
}

/// One sample per kind.
pub const SAMPLES: &[Sample] = &[
    Sample {
        kind: "LogicalRouter",
        body: || json!({"router_type": "TIER1"}),
        required: Some("router_type"),
        read_only: "firewall_sections",
    },
    Sample {
        kind: "LogicalRouterPort",
        body: || {
            json!({
                "resource_type": "LogicalRouterDownLinkPort",
                "logical_router_id": PARENT,
                "subnets": [{"ip_addresses": [gateway()], "prefix_length": 16}],
            })
        },
        required: Some("subnets"),
        read_only: "mac_address",
    },
    Sample {
        kind: "StaticRoute",
        body: || json!({"network": "10.0.0.0/8", "next_hops": [{"ip_address": "192.0.2.1"}]}),
        required: Some("network"),
        read_only: "logical_router_id",
    },
    Sample {
        kind: "StaticHopBfdPeer",
        body: || json!({"peer_ip_address": "192.0.2.1"}),
        required: Some("peer_ip_address"),
        read_only: "_self",
    },
    Sample {
        kind: "IPPrefixList",
        body: || json!({"prefixes": [{"network": "10.0.0.0/8", "action": "PERMIT", "le": 24}]}),
        required: Some("prefixes"),
        read_only: "logical_router_id",
    },
    Sample {
        kind: "BGPCommunityList",
        body: || json!({"communities": ["65001:7", "NO_EXPORT"]}),
        required: Some("communities"),
        read_only: "logical_router_id",
    },
    Sample {
        kind: "RouteMap",
        body: || {
            json!({
                "sequences": [{
                    "action": "PERMIT", "match_criteria": {}, "set_criteria": {"weight": 7},
                }],
            })
        },
        required: Some("sequences"),
        read_only: "logical_router_id",
    },
    Sample {
        kind: "BgpNeighbor",
        body: || json!({"neighbor_address": "192.0.2.1", "remote_as_num": "65001"}),
        required: Some("neighbor_address"),
        read_only: "logical_router_id",
    },
    Sample {
        kind: "DADProfile",
        body: || json!({"wait_time": 2}),
        required: None,
        read_only: "_self",
    },
    Sample {
        kind: "NDRAProfile",
        body: || json!({"ra_mode": "DISABLED", "ra_config": {}}),
        required: Some("ra_config"),
        read_only: "_self",
    },
];
