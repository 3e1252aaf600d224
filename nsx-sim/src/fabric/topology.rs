//! What a world stands on and no Manager API call of this version makes: hosts, the router between
//! segments, the load balancer's own address.

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
    /// By the name that terraform's acceptance tests look for [tf].
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
