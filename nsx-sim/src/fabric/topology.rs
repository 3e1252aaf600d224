//! What a world stands on before the first call: the hosts and edges that are there from the start,
//! the machines on them, the router between segments, the load balancer's own address.

use crate::inventory::Tag;
use crate::kinds::fabric::virtual_machine::{MachineType, PowerState};
use serde::{Deserialize, Serialize};
use std::net::IpAddr;

/// The part of a world document that is no API object.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Topology {
    /// The hosts that carry vNICs; at least one.
    pub transport_nodes: Vec<TransportNode>,
    /// The machines that routers' services are on.
    #[serde(default = "edges")]
    pub edges: Vec<Edge>,
    /// The cluster of all of them.
    #[serde(default)]
    pub edge_cluster: EdgeCluster,
    /// The vCenter that the hosts of clusters belong to.
    #[serde(default)]
    pub compute_manager: ComputeManager,
    /// The clusters of hosts; one of all ESX hosts unless told otherwise.
    pub clusters: Option<Vec<Cluster>>,
    /// The virtual machines on the hosts.
    #[serde(default)]
    pub virtual_machines: Vec<VirtualMachine>,
    /// The distributed router that joins all overlay segments.
    pub router: Router,
    /// The source address that pool members see (SNAT automap).
    pub load_balancer_snat_ip: IpAddr,
    /// The id of the first firewall rule that the document makes.
    pub first_rule_id: Option<u64>,
    /// The id of the first firewall rule after the document is loaded.
    pub next_rule_id: Option<u64>,
}

/// A host.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TransportNode {
    /// Its id.
    pub id: String,
    /// Its name.
    pub display_name: String,
    /// `ESX`, `RHELKVM` or `UBUNTUKVM`.
    #[serde(rename = "type")]
    pub node_type: NodeType,
    /// The address of its tunnel endpoint.
    pub tep: IpAddr,
}

/// What sort of host [spec TraceflowObservation.transport_node_type].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[allow(missing_docs, reason = "wire names that say it all")]
pub enum NodeType {
    #[serde(rename = "ESX")]
    Esx,
    #[serde(rename = "RHELKVM")]
    RhelKvm,
    #[serde(rename = "UBUNTUKVM")]
    UbuntuKvm,
}

/// An edge node.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Edge {
    /// Its id.
    pub id: String,
    /// Its name.
    pub display_name: String,
    /// The address of its tunnel endpoint.
    pub tep: IpAddr,
}

/// A cluster of edges.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct EdgeCluster {
    /// Its id.
    pub id: String,
    /// Its name.
    pub display_name: String,
}

impl Default for EdgeCluster {
    /// By the name that terraform's acceptance tests look for [client tf].
    fn default() -> Self {
        Self {
            id: "f6d6b3e8-5f6a-4c65-9d9b-2f3b9c1d7e10".into(),
            display_name: "EDGECLUSTER1".into(),
        }
    }
}

/// Two, for terraform's acceptance tests want a cluster of two [tf].
fn edges() -> Vec<Edge> {
    let edges = (1..=2u8).map(|number| Edge {
        id: format!("5e0c2f4a-7b1d-4d6e-8a9f-3c5b7d9e1f0{number}"),
        display_name: format!("edge-0{number}a.corp.local"),
        tep: IpAddr::from([192, 168, 130, 80 + number]),
    });
    edges.collect()
}

/// A vCenter.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ComputeManager {
    /// Its id.
    pub id: String,
    /// Its name.
    pub display_name: String,
    /// Its host name or address.
    pub server: String,
}

impl Default for ComputeManager {
    /// With the name of VMware's labs.
    fn default() -> Self {
        Self {
            id: "0b0a5e3c-6f0e-4a2b-9a55-8f7e5d2c1b01".into(),
            display_name: "vcsa-01a.corp.local".into(),
            server: "vcsa-01a.corp.local".into(),
        }
    }
}

/// A vSphere cluster.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Cluster {
    /// vCenter's own id, as `domain-c7`.
    pub id: String,
    /// Its name.
    pub display_name: String,
    /// The ids of its hosts.
    pub hosts: Vec<String>,
}

/// A virtual machine.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct VirtualMachine {
    /// Its instance UUID, by which the API names it.
    pub external_id: String,
    /// Its name.
    pub display_name: String,
    /// The id of the host that it is on.
    pub host: String,
    /// Its BIOS's UUID; the instance's unless told otherwise.
    pub bios_uuid: Option<String>,
    /// Whether it runs.
    #[serde(default)]
    pub power_state: PowerState,
    /// Whose it is.
    #[serde(default, rename = "type")]
    pub machine_type: MachineType,
    /// What its guest says of its operating system.
    pub os_name: Option<String>,
    /// What its guest calls itself.
    pub computer_name: Option<String>,
    /// Its tags.
    #[serde(default)]
    pub tags: Vec<Tag>,
    /// Its network cards.
    #[serde(default)]
    pub interfaces: Vec<Interface>,
}

/// A network card.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Interface {
    /// Its MAC address.
    pub mac_address: String,
    /// The attachment id of the logical port that it is attached to.
    pub attachment: Option<String>,
    /// The addresses that the guest tells.
    #[serde(default)]
    pub addresses: Vec<IpAddr>,
}

impl Topology {
    /// The clusters, told or not.
    pub fn clusters(&self) -> Vec<Cluster> {
        if let Some(clusters) = &self.clusters {
            return clusters.clone();
        }
        let hosts = self.transport_nodes.iter().filter(|host| host.node_type == NodeType::Esx);
        let hosts: Vec<String> = hosts.map(|host| host.id.clone()).collect();
        let (id, display_name) = ("domain-c7".to_owned(), "RegionA01-COMP01".to_owned());
        let cluster = Cluster { id, display_name, hosts };
        (!cluster.hosts.is_empty()).then_some(cluster).into_iter().collect()
    }
}

/// A router.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Router {
    /// Its id.
    pub id: String,
    /// Its name.
    pub display_name: String,
}

impl Default for Topology {
    /// Three ESX hosts and a router, with the names of VMware's labs.
    fn default() -> Self {
        let hosts = (1..=3u8).map(|number| TransportNode {
            id: format!("45a71150-f39e-4118-9890-e08d1bcd9ae{number}"),
            display_name: format!("esx-0{number}a.corp.local"),
            node_type: NodeType::Esx,
            tep: IpAddr::from([192, 168, 130, 50 + number]),
        });
        Self {
            transport_nodes: hosts.collect(),
            edges: edges(),
            edge_cluster: EdgeCluster::default(),
            compute_manager: ComputeManager::default(),
            clusters: None,
            virtual_machines: Vec::new(),
            router: Router {
                id: "610f44eb-f1ad-42e3-867a-f49f56c393d9".into(),
                display_name: "cluster-router".into(),
            },
            load_balancer_snat_ip: IpAddr::from([100, 64, 128, 1]),
            first_rule_id: None,
            next_rule_id: None,
        }
    }
}
