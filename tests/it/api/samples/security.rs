//! One body per kind of firewall profiles, VPN, monitoring and their kin.

use super::{PARENT, Sample};
use serde_json::json;
use tests::{Manager, OVERLAY};

/// What the samples name beside themselves.
pub fn prepare(manager: &Manager) {
    let timers = json!({"id": "timers", "resource_type": "FirewallSessionTimerProfile"});
    manager.post("/firewall/profiles", timers).expect(201);
    let service = json!({"id": "vpn", "logical_router_id": "tier-0"});
    manager.post("/vpn/ipsec/services", service).expect(201);
    let local = json!({
        "id": "local",
        "ipsec_vpn_service_id": {"target_type": "IPSecVPNService", "target_id": "vpn"},
        "local_address": "198.51.100.1",
    });
    manager.post("/vpn/ipsec/local-endpoints", local).expect(201);
    let peer = json!({
        "id": "peer", "peer_address": "203.0.113.1", "peer_id": "site-b", "psk": "secret",
    });
    manager.post("/vpn/ipsec/peer-endpoints", peer).expect(201);
    let session = json!({
        "id": "session",
        "resource_type": "RouteBasedIPSecVPNSession",
        "local_endpoint_id": "local",
        "peer_endpoint_id": "peer",
        "tunnel_ports": [{"ip_subnets": [{"ip_addresses": ["169.254.0.1"], "prefix_length": 30}]}],
    });
    manager.post("/vpn/ipsec/sessions", session).expect(201);
    let l2 = json!({"id": "l2vpn", "logical_router_id": "tier-0"});
    manager.post("/vpn/l2vpn/services", l2).expect(201);
    let collectors = json!({
        "id": "collectors", "collectors": [{"collector_ip_address": "192.0.2.1"}],
    });
    manager.post("/ipfix/collectorconfigs", collectors.clone()).expect(201);
    manager.post("/ipfix-collector-profiles", collectors).expect(201);
    prepare_service_insertion(manager);
    let domain = json!({
        "id": PARENT,
        "resource_type": "DirectoryAdDomain",
        "name": "example.com",
        "netbios_name": "example",
        "base_distinguished_name": "DC=example,DC=com",
        "ldap_servers": [],
    });
    manager.post("/directory/domains", domain).expect(201);
}

fn prepare_service_insertion(manager: &Manager) {
    let base = "/serviceinsertion";
    let service = json!({
        "id": PARENT,
        "vendor_id": "acme",
        "functionalities": ["EPP"],
        "implementations": ["EAST_WEST"],
    });
    manager.post(&format!("{base}/services"), service).expect(201);
    let service = format!("{base}/services/{PARENT}");
    let instance = json!({
        "id": PARENT, "resource_type": "VirtualServiceInstance", "transport_type": "NA",
    });
    manager.post(&format!("{service}/service-instances"), instance).expect(200);
    let template = json!({"id": "template", "vendor_template_key": "gold"});
    manager.post(&format!("{service}/vendor-templates"), template).expect(200);
    let profile = json!({
        "id": "profile",
        "resource_type": "ServiceInsertionServiceProfile",
        "vendor_template_id": "template",
    });
    manager.post(&format!("{service}/service-profiles"), profile).expect(200);
    let attachment = json!({
        "id": "attachment",
        "deployed_to": {"target_type": "TransportZone", "target_id": OVERLAY},
    });
    manager.post(&format!("{base}/service-attachments"), attachment).expect(200);
}

/// One sample per kind that the API can make.
pub const SAMPLES: &[Sample] = &[
    Sample {
        kind: "FirewallProfile",
        body: || json!({"resource_type": "FirewallCpuMemThresholdsProfile"}),
        required: Some("resource_type"),
        read_only: "_self",
    },
    Sample {
        kind: "ServiceConfig",
        body: || {
            json!({
                "profiles": [{
                    "profile_type": "FirewallSessionTimerProfile",
                    "target_id": "timers",
                }],
            })
        },
        required: Some("profiles"),
        read_only: "_self",
    },
    Sample {
        kind: "NSProfile",
        body: || {
            json!({
                "nsprofile_attribute": [{
                    "attributes_data": {"key": "APP_ID", "datatype": "STRING", "value": ["SSH"]},
                }],
            })
        },
        required: Some("nsprofile_attribute"),
        read_only: "is_valid",
    },
    Sample { kind: "IPSecVPNIKEProfile", body: || json!({}), required: None, read_only: "_self" },
    Sample {
        kind: "IPSecVPNTunnelProfile",
        body: || json!({}),
        required: None,
        read_only: "encapsulation_mode",
    },
    Sample { kind: "IPSecVPNDPDProfile", body: || json!({}), required: None, read_only: "_self" },
    Sample {
        kind: "IPSecVPNService",
        body: || json!({"logical_router_id": "tier-1"}),
        required: Some("logical_router_id"),
        read_only: "_self",
    },
    Sample {
        kind: "IPSecVPNLocalEndpoint",
        body: || {
            json!({
                "ipsec_vpn_service_id": {"target_type": "IPSecVPNService", "target_id": "vpn"},
                "local_address": "198.51.100.2",
            })
        },
        required: Some("local_address"),
        read_only: "_self",
    },
    Sample {
        kind: "IPSecVPNPeerEndpoint",
        body: || json!({"peer_address": "203.0.113.2", "peer_id": "site-c", "psk": "secret"}),
        required: Some("peer_id"),
        read_only: "_self",
    },
    Sample {
        kind: "IPSecVPNSession",
        body: || {
            json!({
                "resource_type": "PolicyBasedIPSecVPNSession",
                "local_endpoint_id": "local",
                "peer_endpoint_id": "peer",
                "policy_rules": [{
                    "id": "one",
                    "sources": [{"subnet": "10.0.0.0/24"}],
                    "destinations": [{"subnet": "10.1.0.0/24"}],
                }],
            })
        },
        required: Some("policy_rules"),
        read_only: "ipsec_vpn_service_id",
    },
    Sample {
        kind: "L2VpnService",
        body: || json!({"logical_router_id": "tier-1"}),
        required: Some("logical_router_id"),
        read_only: "_self",
    },
    Sample {
        kind: "L2VpnSession",
        body: || {
            json!({
                "l2vpn_service_id": "l2vpn",
                "transport_tunnels": [{
                    "target_type": "RouteBasedIPSecVPNSession", "target_id": "session",
                }],
            })
        },
        required: Some("transport_tunnels"),
        read_only: "_self",
    },
    Sample {
        kind: "IpfixCollectorConfig",
        body: || json!({"collectors": [{"collector_ip_address": "192.0.2.1"}]}),
        required: Some("collectors"),
        read_only: "_self",
    },
    Sample {
        kind: "IpfixConfig",
        body: || {
            json!({
                "resource_type": "IpfixDfwConfig",
                "collector": "collectors",
                "observation_domain_id": 7,
                "priority": 1,
            })
        },
        required: Some("collector"),
        read_only: "_self",
    },
    Sample {
        kind: "IpfixCollectorUpmProfile",
        body: || json!({"collectors": [{"collector_ip_address": "192.0.2.1"}]}),
        required: Some("collectors"),
        read_only: "_self",
    },
    Sample {
        kind: "IpfixUpmProfile",
        body: || {
            json!({
                "resource_type": "IpfixSwitchUpmProfile",
                "collector_profile": "collectors",
                "observation_domain_id": 7,
                "priority": 1,
            })
        },
        required: Some("priority"),
        read_only: "_self",
    },
    Sample {
        kind: "PortMirroringSession",
        body: || {
            json!({
                "direction": "BIDIRECTIONAL",
                "mirror_sources": [{
                    "resource_type": "LogicalSwitchMirrorSource", "switch_id": "segment",
                }],
                "mirror_destination": {
                    "resource_type": "IPMirrorDestination", "destination_ips": ["192.0.2.1"],
                },
            })
        },
        required: Some("direction"),
        read_only: "_self",
    },
    Sample {
        kind: "ServiceDefinition",
        body: || {
            json!({
                "vendor_id": "acme",
                "functionalities": ["NG_FW"],
                "implementations": ["NORTH_SOUTH"],
                "attachment_point": ["TIER0_LR"],
                "transports": ["L2_BRIDGE"],
            })
        },
        required: Some("vendor_id"),
        read_only: "service_manager_id",
    },
    Sample {
        kind: "ServiceManager",
        body: || {
            json!({
                "server": "partner.example.com",
                "port": 443,
                "uri": "/events",
                "authentication_scheme": {
                    "scheme_name": "BASIC_AUTH", "username": "nsx", "password": "secret",
                },
                "service_ids": [{"target_id": PARENT, "target_type": "ServiceDefinition"}],
            })
        },
        required: Some("server"),
        read_only: "vendor_id",
    },
    Sample { kind: "VendorTemplate", body: || json!({}), required: None, read_only: "service_id" },
    Sample {
        kind: "ServiceProfile",
        body: || json!({"resource_type": "GiServiceProfile", "vendor_template_id": "template"}),
        required: Some("vendor_template_id"),
        read_only: "vendor_template_key",
    },
    Sample {
        kind: "SolutionConfig",
        body: || json!({"solution_id": "6", "control_ip": "192.0.2.1", "listen_port": 48651}),
        required: Some("control_ip"),
        read_only: "service_id",
    },
    Sample {
        kind: "ServiceInstance",
        body: || json!({"resource_type": "ByodServiceInstance", "transport_type": "L2_BRIDGE"}),
        required: Some("transport_type"),
        read_only: "service_id",
    },
    Sample {
        kind: "InstanceEndpoint",
        body: || {
            json!({
                "target_ips": [{"ip_addresses": ["192.0.2.1"], "prefix_length": 24}],
                "service_attachments": [{
                    "target_id": "attachment", "target_type": "ServiceAttachment",
                }],
            })
        },
        required: Some("target_ips"),
        read_only: "service_instance_id",
    },
    Sample {
        kind: "ServiceDeployment",
        body: || {
            json!({
                "deployment_spec_name": "small",
                "instance_deployment_template": {"name": "plain"},
                "service_deployment_config": {
                    "compute_manager_id": "vcenter", "compute_collection_id": "cluster",
                },
            })
        },
        required: Some("deployment_spec_name"),
        read_only: "service_id",
    },
    Sample {
        kind: "ServiceAttachment",
        body: || json!({"deployed_to": {"target_type": "TransportZone", "target_id": OVERLAY}}),
        required: Some("deployed_to"),
        read_only: "service_port",
    },
    Sample {
        kind: "ServiceChain",
        body: || {
            json!({
                "forward_path_service_profiles": [{
                    "target_type": "ServiceInsertionServiceProfile", "target_id": "profile",
                }],
                "service_attachments": [{
                    "target_type": "ServiceAttachment", "target_id": "attachment",
                }],
            })
        },
        required: Some("service_attachments"),
        read_only: "service_chain_id",
    },
    Sample {
        kind: "DirectoryDomain",
        body: || {
            json!({
                "resource_type": "DirectoryAdDomain",
                "name": "example.org",
                "netbios_name": "EXAMPLE",
                "base_distinguished_name": "DC=example,DC=org",
                "ldap_servers": [],
            })
        },
        required: Some("ldap_servers"),
        read_only: "_self",
    },
    Sample {
        kind: "DirectoryLdapServer",
        body: || json!({"host": "ldap.example.com"}),
        required: Some("host"),
        read_only: "_self",
    },
    Sample {
        kind: "AppProfile",
        body: || json!({"app_profile_criteria": ["*"]}),
        required: Some("app_profile_criteria"),
        read_only: "_self",
    },
];
