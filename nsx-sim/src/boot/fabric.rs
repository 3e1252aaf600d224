//! Hosts, edges and the profiles that they have from the start.

use super::{ZONES, create};
use crate::fabric::{NodeType, Topology};
use crate::inventory::{Error, Transaction};
use crate::kinds::fabric::host_switch_profile::{DEFAULT_LLDP, DEFAULT_NIOC, DEFAULT_UPLINK};
use crate::kinds::fabric::{cluster_profile, edge_cluster, host_switch_profile, transport_node};
use crate::kinds::routing::router;
use serde_json::{Value, json};

/// The switch that carries zones on every node at boot.
const HOST_SWITCH: &str = "nsxHostSwitch";

/// Further uplink profiles, for edges: id, name and uplinks.
const EDGE_UPLINKS: [(&str, &str, &[&str]); 1] =
    [("f4ff5d4e-0c5f-4a6b-9d0c-6c1a3f4c7b21", "nsx-edge-single-nic-uplink-profile", &["uplink-1"])];

/// The neighbour discovery profile that tells of itself.
const LLDP_SENDING: (&str, &str) =
    ("5cfb5d7b-4b9b-4d9e-8f36-9d4bb2a7f7a1", "LLDP [Send Packet Enabled]");

/// Makes the profiles of clusters and host switches.
///
/// # Errors
/// Where they contradict each other: a mistake in the program.
pub fn profiles(tx: &mut Transaction<'_>) -> Result<(), Error> {
    let classes = [
        ("EdgeHighAvailabilityProfile", cluster_profile::DEFAULT_EDGE),
        ("BridgeHighAvailabilityClusterProfile", cluster_profile::DEFAULT_BRIDGE),
    ];
    for (class, (id, name)) in classes {
        let body = json!({"resource_type": class, "id": id, "display_name": name});
        create(tx, &cluster_profile::KIND, &body)?;
    }
    let (id, name) = DEFAULT_UPLINK;
    uplinks(tx, id, name, &["uplink-1"], &["uplink-2"])?;
    for (id, name, active) in EDGE_UPLINKS {
        uplinks(tx, id, name, active, &[])?;
    }
    for ((id, name), sending) in [(DEFAULT_LLDP, false), (LLDP_SENDING, true)] {
        let body = json!({
            "resource_type": "LldpHostSwitchProfile",
            "id": id,
            "display_name": name,
            "send_enabled": sending,
        });
        create(tx, &host_switch_profile::KIND, &body)?;
    }
    let (id, name) = DEFAULT_NIOC;
    let body = json!({"resource_type": "NiocProfile", "id": id, "display_name": name});
    create(tx, &host_switch_profile::KIND, &body)
}

fn uplinks(
    tx: &mut Transaction<'_>,
    id: &str,
    name: &str,
    active: &[&str],
    standby: &[&str],
) -> Result<(), Error> {
    let list = |names: &[&str]| -> Vec<Value> {
        let one = |name: &&str| json!({"uplink_name": name, "uplink_type": "PNIC"});
        names.iter().map(one).collect()
    };
    let body = json!({
        "resource_type": "UplinkHostSwitchProfile",
        "id": id,
        "display_name": name,
        "mtu": 1600,
        "teaming": {
            "policy": "FAILOVER_ORDER",
            "active_list": list(active),
            "standby_list": list(standby),
        },
    });
    create(tx, &host_switch_profile::KIND, &body)
}

/// The router to the outside that clients look for by name [tf].
const TIER0: (&str, &str) = ("6d1b9a1e-7f52-4c9e-a4a1-52d0a1c60e3f", "PLR-1 LogicalRouterTier0");

/// Makes the topology's hosts and edges, the cluster of the edges, and the tier-0 router on it.
///
/// # Errors
/// Where two have one id.
pub fn nodes(tx: &mut Transaction<'_>, topology: &Topology) -> Result<(), Error> {
    for host in &topology.transport_nodes {
        let os = match host.node_type {
            NodeType::Esx => "ESXI",
            NodeType::RhelKvm => "RHELKVM",
            NodeType::UbuntuKvm => "UBUNTUKVM",
        };
        let machine = json!({"resource_type": "HostNode", "os_type": os});
        let switch = switch("vmnic1", &host.tep.to_string());
        create(tx, &transport_node::KIND, &node(&host.id, &host.display_name, &machine, &switch))?;
    }
    let mut members = Vec::new();
    for edge in &topology.edges {
        let machine = json!({"resource_type": "EdgeNode"});
        let switch = switch("fp-eth0", &edge.tep.to_string());
        create(tx, &transport_node::KIND, &node(&edge.id, &edge.display_name, &machine, &switch))?;
        members.push(json!({"transport_node_id": edge.id}));
    }
    let cluster = &topology.edge_cluster;
    let body = json!({"id": cluster.id, "display_name": cluster.display_name, "members": members});
    create(tx, &edge_cluster::KIND, &body)?;
    if topology.edges.is_empty() {
        return Ok(());
    }
    let (id, name) = TIER0;
    let body = json!({
        "id": id,
        "display_name": name,
        "router_type": "TIER0",
        "edge_cluster_id": cluster.id,
        "high_availability_mode": "ACTIVE_STANDBY",
        "failover_mode": "NON_PREEMPTIVE",
    });
    create(tx, &router::KIND, &body)
}

/// A host switch with one card and one tunnel endpoint. Mask and gateway of the endpoint's network
/// are told by nobody: a /24 with its first address (docs/fidelity.md).
fn switch(device: &str, tep: &str) -> Value {
    let (mask, gateway) = match tep.rsplit_once('.') {
        Some((network, _)) => ("255.255.255.0", format!("{network}.1")),
        None => ("ffff:ffff:ffff:ffff::", tep.to_owned()),
    };
    json!({
        "host_switch_name": HOST_SWITCH,
        "host_switch_profile_ids": [{"key": "UplinkHostSwitchProfile", "value": DEFAULT_UPLINK.0}],
        "pnics": [{"device_name": device, "uplink_name": "uplink-1"}],
        "ip_assignment_spec": {
            "resource_type": "StaticIpListSpec",
            "ip_list": [tep],
            "subnet_mask": mask,
            "default_gateway": gateway,
        },
    })
}

fn node(id: &str, name: &str, machine: &Value, switch: &Value) -> Value {
    let zones: Vec<Value> = ZONES.iter().map(|(id, ..)| json!({"transport_zone_id": id})).collect();
    json!({
        "id": id,
        "display_name": name,
        "node_deployment_info": machine,
        "host_switch_spec": {
            "resource_type": "StandardHostSwitchSpec",
            "host_switches": [switch],
        },
        "transport_zone_endpoints": zones,
    })
}
