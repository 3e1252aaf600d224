//! Bridges between overlay segments and VLANs [spec BridgeEndpoint, BridgeEndpointProfile,
//! BridgeCluster].

use super::edge_placement;
use super::fabric::{cluster_profile, transport_node};
use super::logical_port::{AttachmentType, attached_port};
use super::transport_zone::{self, TransportType, TransportZone};
use super::values::MacText;
use super::vlan::{VlanId, VlanTrunkSpec};
use crate::inventory::{
    Error, Header, Inventory, Kind, Level, Object, Query, Reference, Resource, Transaction,
};
use crate::wire::{Items, Text, Told, yes};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// The declaration of endpoints.
pub static ENDPOINT: Kind = Kind {
    level: Level::Semantic,
    ..Kind::of::<BridgeEndpoint>("BridgeEndpoint", "/bridge-endpoints")
};

/// The declaration of endpoint profiles.
pub static PROFILE: Kind =
    Kind::of::<BridgeEndpointProfile>("BridgeEndpointProfile", "/bridge-endpoint-profiles");

/// The declaration of clusters.
pub static CLUSTER: Kind = Kind::of::<BridgeCluster>("BridgeCluster", "/bridge-clusters");

/// The VLAN side of a bridge, on a cluster of hosts or, by a profile, on edge nodes.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct BridgeEndpoint {
    #[serde(default = "yes")]
    ha_enable: bool,
    /// The hosts.
    pub bridge_cluster_id: Option<Text<36>>,
    vlan_transport_zone_id: Option<String>,
    /// The edge nodes.
    pub bridge_endpoint_profile_id: Option<String>,
    uplink_teaming_policy_name: Option<String>,
    vlan_trunk_spec: Option<VlanTrunkSpec>,
    vlan: Option<VlanId>,
}

/// The edge nodes that carry bridges, the preferred one first.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct BridgeEndpointProfile {
    #[serde(default)]
    failover_mode: FailoverMode,
    /// Their places in the edge cluster.
    edge_cluster_member_indexes: Option<Vec<i64>>,
    #[serde(default)]
    high_availability_mode: HighAvailabilityMode,
    edge_cluster_id: Text<36>,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
enum FailoverMode {
    #[default]
    Preemptive,
    NonPreemptive,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
enum HighAvailabilityMode {
    #[default]
    ActiveStandby,
}

/// The hosts that carry bridges.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct BridgeCluster {
    cluster_profile_bindings: Option<Vec<ClusterProfileBinding>>,
    bridge_nodes: Option<Items<BridgeNode, 2>>,
}

#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct ClusterProfileBinding {
    profile_id: String,
    resource_type: Option<ClusterProfile>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
enum ClusterProfile {
    EdgeHighAvailabilityProfile,
    BridgeHighAvailabilityClusterProfile,
}

/// A host of a bridge cluster [spec BridgeClusterNode].
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct BridgeNode {
    #[serde(default)]
    ha_mac: Told<MacText>,
    transport_node_id: Text<36>,
}

impl BridgeEndpoint {
    /// A bridge is on hosts or on edge nodes, and on one VLAN or a trunk.
    fn check(&self) -> Result<(), Error> {
        match (&self.bridge_cluster_id, &self.bridge_endpoint_profile_id) {
            (Some(_), Some(_)) => {
                return Err(Error::field(
                    "bridge_endpoint_profile_id",
                    "excludes bridge_cluster_id",
                ));
            }
            (None, None) => {
                return Err(Error::field(
                    "bridge_cluster_id",
                    "is required without bridge_endpoint_profile_id",
                ));
            }
            (None, Some(_)) if self.vlan_transport_zone_id.is_none() => {
                return Err(Error::field(
                    "vlan_transport_zone_id",
                    "is required with bridge_endpoint_profile_id",
                ));
            }
            _ => {}
        }
        match (&self.vlan, &self.vlan_trunk_spec) {
            (None, None) => Err(Error::field("vlan", "is required without vlan_trunk_spec")),
            (Some(_), Some(_)) => Err(Error::field("vlan", "excludes vlan_trunk_spec")),
            (None, Some(_)) if self.bridge_cluster_id.is_some() => {
                Err(Error::field("vlan_trunk_spec", "is for bridges on edge nodes"))
            }
            (_, Some(trunk)) => trunk.check(),
            _ => Ok(()),
        }
    }
}

impl Resource for BridgeEndpoint {
    fn references(&self) -> Vec<Reference> {
        let cluster = self.bridge_cluster_id.iter().map(|id| Reference::new(CLUSTER.name, &**id));
        let profile =
            self.bridge_endpoint_profile_id.iter().map(|id| Reference::new(PROFILE.name, id));
        let zone = self
            .vlan_transport_zone_id
            .iter()
            .map(|id| Reference::new(transport_zone::KIND.name, id));
        cluster.chain(profile).chain(zone).collect()
    }

    fn admit(
        &mut self,
        _: &mut Header,
        _: Option<&Self>,
        transaction: &mut Transaction<'_>,
    ) -> Result<(), Error> {
        self.check()?;
        let zone = self.vlan_transport_zone_id.as_ref();
        let zone = zone.and_then(|id| transaction.find(transport_zone::KIND.name, id));
        let zone = zone.as_ref().and_then(|zone| zone.body::<TransportZone>());
        match zone.map(|zone| zone.transport_type) {
            Some(TransportType::Overlay) => {
                Err(Error::field("vlan_transport_zone_id", "must be a VLAN transport zone"))
            }
            _ => Ok(()),
        }
    }

    /// A port holds the endpoint to which it is attached [client osp].
    fn retire(object: &Object, transaction: &mut Transaction<'_>, _: &Query) -> Result<(), Error> {
        let id = &object.header.id;
        if let Some(port) =
            attached_port(transaction.inventory(), AttachmentType::BridgeEndpoint, id)
        {
            return Err(Error::BridgeAttached { id: id.clone(), port });
        }
        transaction.refuse_if_used(object, |_| true)
    }
}

impl BridgeEndpointProfile {
    /// The transport nodes, the preferred one first.
    pub fn nodes(&self, inventory: &Inventory) -> Vec<String> {
        let indexes = self.edge_cluster_member_indexes.as_deref();
        edge_placement::nodes(inventory, &self.edge_cluster_id, indexes)
    }
}

impl Resource for BridgeEndpointProfile {
    fn references(&self) -> Vec<Reference> {
        vec![edge_placement::reference(&self.edge_cluster_id)]
    }

    fn admit(
        &mut self,
        _: &mut Header,
        _: Option<&Self>,
        transaction: &mut Transaction<'_>,
    ) -> Result<(), Error> {
        let indexes = self.edge_cluster_member_indexes.as_deref().unwrap_or_default();
        edge_placement::check(transaction, &self.edge_cluster_id, indexes)
    }
}

impl BridgeCluster {
    /// The transport nodes.
    pub fn nodes(&self) -> impl Iterator<Item = &str> {
        self.bridge_nodes.iter().flat_map(|nodes| nodes.iter()).map(|own| &*own.transport_node_id)
    }
}

impl Resource for BridgeCluster {
    fn references(&self) -> Vec<Reference> {
        let nodes = self.nodes().map(|id| Reference::new(transport_node::KIND.name, id));
        let profiles = self.cluster_profile_bindings.iter().flatten();
        let profiles =
            profiles.map(|own| Reference::new(cluster_profile::KIND.name, &own.profile_id));
        nodes.chain(profiles).collect()
    }

    fn admit(
        &mut self,
        _: &mut Header,
        _: Option<&Self>,
        _: &mut Transaction<'_>,
    ) -> Result<(), Error> {
        let nodes: Vec<&str> = self.nodes().collect();
        match nodes.iter().enumerate().find(|(place, id)| nodes[..*place].contains(id)) {
            Some((_, id)) => Err(Error::field("bridge_nodes", format!("hold {id} twice"))),
            None => Ok(()),
        }
    }
}
