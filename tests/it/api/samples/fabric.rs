//! Of hosts, edges and their profiles.

use super::Sample;
use serde_json::json;

/// One sample per kind.
pub const SAMPLES: &[Sample] = &[
    Sample {
        kind: "ClusterProfile",
        body: || json!({"resource_type": "EdgeHighAvailabilityProfile"}),
        required: Some("resource_type"),
        read_only: "_self",
    },
    Sample {
        kind: "BaseHostSwitchProfile",
        body: || {
            let uplink = json!({"uplink_name": "uplink-1", "uplink_type": "PNIC"});
            let teaming = json!({"policy": "FAILOVER_ORDER", "active_list": [uplink]});
            json!({"resource_type": "UplinkHostSwitchProfile", "teaming": teaming})
        },
        required: Some("teaming"),
        read_only: "required_capabilities",
    },
    Sample { kind: "FailureDomain", body: || json!({}), required: None, read_only: "_self" },
    Sample {
        kind: "Node",
        body: || json!({"resource_type": "HostNode", "os_type": "ESXI"}),
        required: Some("os_type"),
        read_only: "fqdn",
    },
    Sample {
        kind: "TransportNode",
        body: || json!({"node_deployment_info": {"resource_type": "HostNode", "os_type": "RHELKVM"}}),
        required: Some("node_deployment_info"),
        read_only: "is_overridden",
    },
    Sample {
        kind: "EdgeCluster",
        body: || json!({}),
        required: None,
        read_only: "member_node_type",
    },
];
