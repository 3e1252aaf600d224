//! Of pools, DHCP, DNS and bridges.

use super::{PARENT, Sample, with};
use serde_json::{Value, json};
use std::sync::atomic::{AtomicU32, Ordering};
use tests::Manager;

/// What the samples name beside themselves.
pub fn prepare(manager: &Manager) {
    manager.post("/pools/ip-blocks", json!({"id": "block", "cidr": "10.0.0.0/8"})).expect(201);
    manager.post("/edge-clusters", json!({"id": "edges"})).expect(201);
    let profile = json!({"id": "profile", "edge_cluster_id": "edges"});
    manager.post("/dhcp/server-profiles", profile).expect(201);
    manager.post("/dhcp/servers", with(server(), json!({"id": PARENT}))).expect(201);
    let profile = json!({"id": "profile", "server_addresses": ["10.0.0.1"]});
    manager.post("/dhcp/relay-profiles", profile).expect(201);
    manager.post("/bridge-clusters", json!({"id": "cluster"})).expect(201);
}

fn server() -> Value {
    json!({"dhcp_profile_id": "profile", "ipv4_dhcp_server": {"dhcp_server_ip": "10.0.0.1/24"}})
}

/// Another number each time, for members in which no two objects may be alike.
fn another() -> u32 {
    static NUMBER: AtomicU32 = AtomicU32::new(0);
    NUMBER.fetch_add(1, Ordering::Relaxed)
}

/// One sample per kind.
pub const SAMPLES: &[Sample] = &[
    Sample {
        kind: "IpPool",
        body: || {
            let range = json!({"start": "10.0.0.2", "end": "10.0.0.9"});
            json!({"subnets": [{"cidr": "10.0.0.0/24", "allocation_ranges": [range]}]})
        },
        required: None,
        read_only: "pool_usage",
    },
    Sample {
        kind: "IpBlock",
        body: || json!({"cidr": "10.0.0.0/16"}),
        required: Some("cidr"),
        read_only: "_self",
    },
    Sample {
        kind: "IpBlockSubnet",
        body: || json!({"block_id": "block", "size": 16}),
        required: Some("size"),
        read_only: "cidr",
    },
    Sample {
        kind: "DhcpProfile",
        body: || json!({"edge_cluster_id": "edges"}),
        required: Some("edge_cluster_id"),
        read_only: "_self",
    },
    Sample {
        kind: "LogicalDhcpServer",
        body: server,
        required: Some("ipv4_dhcp_server"),
        read_only: "attached_logical_port_id",
    },
    Sample {
        kind: "DhcpIpPool",
        body: || json!({"allocation_ranges": []}),
        required: Some("allocation_ranges"),
        read_only: "_self",
    },
    Sample {
        kind: "DhcpStaticBinding",
        body: || {
            let number = another();
            let mac = format!("02:50:56:00:{:02x}:{:02x}", number >> 8 & 255, number & 255);
            json!({"mac_address": mac, "ip_address": format!("fd00::{number:x}")})
        },
        required: Some("mac_address"),
        read_only: "_self",
    },
    Sample {
        kind: "DhcpRelayProfile",
        body: || json!({"server_addresses": ["10.0.0.1"]}),
        required: Some("server_addresses"),
        read_only: "_self",
    },
    Sample {
        kind: "DhcpRelayService",
        body: || json!({"dhcp_relay_profile_id": "profile"}),
        required: Some("dhcp_relay_profile_id"),
        read_only: "_self",
    },
    Sample {
        kind: "MetadataProxy",
        body: || json!({"metadata_server_url": "http://10.0.0.1:3000/", "edge_cluster_id": "edges"}),
        required: Some("metadata_server_url"),
        read_only: "attached_logical_port_id",
    },
    Sample {
        kind: "DnsForwarder",
        body: || {
            json!({
                "logical_router_id": format!("router-{}", another()),
                "listener_ip": "10.0.0.1",
                "default_forwarder": {"upstream_servers": ["10.0.0.2"]},
            })
        },
        required: Some("listener_ip"),
        read_only: "_self",
    },
    Sample {
        kind: "BridgeEndpoint",
        body: || json!({"bridge_cluster_id": "cluster", "vlan": 7}),
        required: None,
        read_only: "_self",
    },
    Sample {
        kind: "BridgeEndpointProfile",
        body: || json!({"edge_cluster_id": "edges"}),
        required: Some("edge_cluster_id"),
        read_only: "_self",
    },
    Sample { kind: "BridgeCluster", body: || json!({}), required: None, read_only: "_self" },
    Sample {
        kind: "TransportZoneProfile",
        body: || json!({"resource_type": "BfdHealthMonitoringProfile", "enabled": true}),
        required: Some("enabled"),
        read_only: "_self",
    },
];
