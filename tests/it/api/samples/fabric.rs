//! Of hosts, edges and their profiles.

use super::Sample;
use serde_json::json;
use tests::Manager;

/// The compute collection that is there from the start.
const COLLECTION: &str = "0b0a5e3c-6f0e-4a2b-9a55-8f7e5d2c1b01:domain-c7";

/// What the samples name.
pub fn prepare(manager: &Manager) {
    manager.post("/transport-node-profiles", json!({"id": "profile"})).expect(201);
}

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
    Sample {
        kind: "ComputeManager",
        body: || json!({"server": "vcenter.example.com", "origin_type": "vCenter"}),
        required: Some("server"),
        read_only: "origin_properties",
    },
    Sample { kind: "TransportNodeProfile", body: || json!({}), required: None, read_only: "_self" },
    Sample {
        kind: "TransportNodeCollection",
        body: || json!({"compute_collection_id": COLLECTION, "transport_node_profile_id": "profile"}),
        required: Some("compute_collection_id"),
        read_only: "_self",
    },
    Sample {
        kind: "ComputeCollectionTransportNodeTemplate",
        body: || json!({"compute_collection_ids": [COLLECTION]}),
        required: Some("compute_collection_ids"),
        read_only: "_self",
    },
    Sample {
        kind: "ComputeCollectionFabricTemplate",
        body: || json!({"compute_collection_id": COLLECTION, "auto_install_nsx": false}),
        required: Some("auto_install_nsx"),
        read_only: "_self",
    },
];
