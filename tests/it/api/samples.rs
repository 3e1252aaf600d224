//! One body per kind, for the tests that try the plain verbs on every kind.

use nsx_sim::inventory::Kind;
use nsx_sim::kinds::KINDS;
use serde_json::{Value, json};
use std::sync::atomic::{AtomicU32, Ordering};
use tests::{Manager, OVERLAY, switch};

/// How an object of a kind is made.
pub struct Sample {
    /// The kind's name.
    pub kind: &'static str,
    /// The body of a `POST`, without the header's members.
    pub body: fn() -> Value,
    /// A member without which the `POST` is refused, if there is one.
    pub required: Option<&'static str>,
    /// A member that a caller may send and the manager never keeps.
    pub read_only: &'static str,
}

/// What the samples name beside themselves.
pub fn prepared() -> Manager {
    let manager = Manager::new();
    switch(&manager, "segment");
    let element = json!({"resource_type": "L4PortSetNSService", "l4_protocol": "TCP"});
    let body = json!({"id": "service", "nsservice_element": element});
    manager.post("/ns-services", body).expect(201);
    manager.post("/pools/ip-blocks", json!({"id": "block", "cidr": "10.0.0.0/8"})).expect(201);
    let profile = json!({"id": "profile", "edge_cluster_id": "edges"});
    manager.post("/dhcp/server-profiles", profile).expect(201);
    manager.post("/dhcp/servers", with(server(), json!({"id": PARENT}))).expect(201);
    let profile = json!({"id": "profile", "server_addresses": ["10.0.0.1"]});
    manager.post("/dhcp/relay-profiles", profile).expect(201);
    manager.post("/bridge-clusters", json!({"id": "cluster"})).expect(201);
    manager
}

/// The id of each object that the samples are part of.
const PARENT: &str = "parent";

fn server() -> Value {
    json!({"dhcp_profile_id": "profile", "ipv4_dhcp_server": {"dhcp_server_ip": "10.0.0.1/24"}})
}

/// Another number each time, for members in which no two objects may be alike.
fn another() -> u32 {
    static NUMBER: AtomicU32 = AtomicU32::new(0);
    NUMBER.fetch_add(1, Ordering::Relaxed)
}

/// One sample per kind that the API can make.
<<<<<<< HEAD
pub const SAMPLES: [Sample; 25] = [
=======
pub const SAMPLES: [Sample; 33] = [
>>>>>>> 6d5fa37 (Pools give out addresses and numbers, and DHCP, metadata proxies, DNS forwarders and bridges are kept)
    Sample {
        kind: "TransportZone",
        body: || json!({"transport_type": "OVERLAY"}),
        required: Some("transport_type"),
        read_only: "host_switch_id",
    },
    Sample {
        kind: "LogicalSwitch",
        body: || json!({"transport_zone_id": OVERLAY, "admin_state": "UP"}),
        required: Some("admin_state"),
        read_only: "span",
    },
    Sample {
        kind: "LogicalPort",
        body: || json!({"logical_switch_id": "segment", "admin_state": "UP"}),
        required: Some("logical_switch_id"),
        read_only: "_links",
    },
    Sample {
        kind: "SwitchingProfile",
        body: || {
            json!({
                "resource_type": "SpoofGuardSwitchingProfile",
                "white_list_providers": ["LPORT_BINDINGS"],
            })
        },
        required: Some("white_list_providers"),
        read_only: "required_capabilities",
    },
    Sample { kind: "NSGroup", body: || json!({}), required: None, read_only: "member_count" },
    Sample {
        kind: "IPSet",
        body: || json!({"ip_addresses": ["10.0.0.1"]}),
        required: None,
        read_only: "_self",
    },
    Sample {
        kind: "MACSet",
        body: || json!({"mac_addresses": ["02:50:56:00:00:01"]}),
        required: None,
        read_only: "_schema",
    },
    Sample {
        kind: "NSService",
        body: || json!({"nsservice_element": {"resource_type": "IPProtocolNSService", "protocol_number": 47}}),
        required: Some("nsservice_element"),
        read_only: "default_service",
    },
    Sample {
        kind: "NSServiceGroup",
        body: || json!({"members": [{"target_type": "NSService", "target_id": "service"}]}),
        required: Some("members"),
        read_only: "service_type",
    },
    Sample {
        kind: "LbVirtualServer",
        body: || {
            json!({
                "ip_address": "10.40.14.50",
                "application_profile_id": "57b7e8f5-7b2d-4b3e-9b3f-3b3f6c1e7a01",
            })
        },
        required: Some("ip_address"),
        read_only: "_create_time",
    },
    Sample { kind: "LbPool", body: || json!({}), required: None, read_only: "_owner" },
    Sample {
        kind: "LbAppProfile",
        body: || json!({"resource_type": "LbFastUdpProfile"}),
        required: Some("resource_type"),
        read_only: "_protection",
    },
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
<<<<<<< HEAD
        kind: "LbService",
        body: || json!({"size": "SMALL"}),
        required: None,
        read_only: "_links",
    },
    Sample {
        kind: "LbMonitor",
        body: || json!({"resource_type": "LbHttpsMonitor"}),
        required: Some("resource_type"),
        read_only: "is_secure",
    },
    Sample {
        kind: "LbRule",
        body: || {
            json!({
                "phase": "HTTP_FORWARDING",
                "match_strategy": "ANY",
                "actions": [{"type": "LbHttpRejectAction", "reply_status": "403"}],
            })
        },
        required: Some("phase"),
        read_only: "_self",
    },
    Sample {
        kind: "LbPersistenceProfile",
        body: || json!({"resource_type": "LbSourceIpPersistenceProfile"}),
        required: Some("resource_type"),
        read_only: "_schema",
    },
    Sample {
        kind: "LbClientSslProfile",
        body: || json!({"protocols": ["TLS_V1"]}),
        required: None,
        read_only: "is_fips",
    },
    Sample {
        kind: "LbServerSslProfile",
        body: || json!({}),
        required: None,
        read_only: "is_secure",
    },
    Sample { kind: "LbTcpProfile", body: || json!({}), required: None, read_only: "_owner" },
=======
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
>>>>>>> 6d5fa37 (Pools give out addresses and numbers, and DHCP, metadata proxies, DNS forwarders and bridges are kept)
];

impl Sample {
    /// The declaration of its kind.
    pub fn declaration(&self) -> &'static Kind {
        KINDS.iter().find(|own| own.name == self.kind).expect("a kind of its name")
    }

    /// The collection of its kind, below the objects that are prepared.
    pub fn path(&self) -> String {
        self.declaration().path.replace("{}", PARENT)
    }
}

/// A JSON object with further members.
pub fn with(mut body: Value, more: Value) -> Value {
    if let (Value::Object(own), Value::Object(more)) = (&mut body, more) {
        own.extend(more);
    }
    body
}

/// A JSON object without a member.
pub fn without(mut body: Value, name: &str) -> Value {
    if let Value::Object(own) = &mut body {
        own.shift_remove(name);
    }
    body
}
