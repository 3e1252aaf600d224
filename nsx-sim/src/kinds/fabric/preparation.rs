//! How the hosts of a cluster become transport nodes: profiles, and what they are applied to.

use super::compute;
use super::host_switch::HostSwitchSpec;
use super::transport_node::{self, TransportNode, ZoneEndpoint};
use crate::inventory::{
    Error, Filter, Header, IndexKey, Inventory, Kind, Object, Reference, Resource, Transaction,
};
use crate::kinds::transport_zone;
use crate::wire::{Items, Told};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// The declaration of transport node profiles.
pub static PROFILE: Kind =
    Kind::of::<TransportNodeProfile>("TransportNodeProfile", "/transport-node-profiles");

/// The declaration of transport node collections.
pub static COLLECTION: Kind =
    Kind::of::<TransportNodeCollection>("TransportNodeCollection", "/transport-node-collections");

/// The declaration of the older form of both.
pub static TEMPLATE: Kind = Kind {
    filters: &[Filter {
        name: "compute_collection_id",
        words: None,
        passes: |_, object, id| {
            object
                .body::<ComputeCollectionTransportNodeTemplate>()
                .is_some_and(|own| own.compute_collection_ids.iter().any(|own| own == id))
        },
    }],
    ..Kind::of::<ComputeCollectionTransportNodeTemplate>(
        "ComputeCollectionTransportNodeTemplate",
        "/compute-collection-transport-node-templates",
    )
};

/// The declaration of fabric templates.
pub static FABRIC_TEMPLATE: Kind = Kind {
    filters: &[Filter {
        name: "compute_collection_id",
        words: None,
        passes: |_, object, id| {
            object
                .body::<ComputeCollectionFabricTemplate>()
                .is_some_and(|own| own.compute_collection_id == id)
        },
    }],
    ..Kind::of::<ComputeCollectionFabricTemplate>(
        "ComputeCollectionFabricTemplate",
        "/fabric/compute-collection-fabric-templates",
    )
};

/// Index: compute collection to what is applied to it.
const BY_CLUSTER: &str = "preparation-by-cluster";

/// What the transport nodes of a cluster have in common [spec TransportNodeProfile].
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct TransportNodeProfile {
    host_switch_spec: Option<HostSwitchSpec>,
    transport_zone_endpoints: Option<Vec<ZoneEndpoint>>,
}

/// A profile applied to a cluster [spec TransportNodeCollection].
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct TransportNodeCollection {
    compute_collection_id: String,
    transport_node_profile_id: String,
}

/// [spec ComputeCollectionTransportNodeTemplate]
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ComputeCollectionTransportNodeTemplate {
    /// The cluster.
    pub compute_collection_ids: Items<String, 1, 1>,
    host_switch_spec: Option<HostSwitchSpec>,
    transport_zone_endpoints: Option<Vec<ZoneEndpoint>>,
    network_migration_spec_ids: Option<Items<MigrationSpec, 1>>,
}

#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct MigrationSpec {
    value: String,
    #[serde(default)]
    key: Told<MigrationClass>,
}

#[derive(Clone, Copy, Debug, Serialize, Deserialize, JsonSchema)]
enum MigrationClass {
    HostProfileNetworkMigrationSpec,
}

/// Whether new hosts of a cluster are prepared by themselves
/// [spec ComputeCollectionFabricTemplate].
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ComputeCollectionFabricTemplate {
    compute_collection_id: String,
    auto_install_nsx: bool,
}

fn zones(list: Option<&Vec<ZoneEndpoint>>) -> impl Iterator<Item = Reference> {
    list.into_iter()
        .flatten()
        .map(|own| Reference::new(transport_zone::KIND.name, &own.transport_zone_id))
}

fn collection(id: &str) -> Reference {
    Reference::new(compute::COLLECTION.name, id)
}

/// Makes the hosts of a cluster what a profile says.
fn apply(
    profile: &TransportNodeProfile,
    cluster: &str,
    tx: &mut Transaction<'_>,
) -> Result<(), Error> {
    for id in compute::nodes(tx.inventory(), cluster) {
        let Some(node) = transport_node::of_node(tx.inventory(), &id) else { continue };
        tx.edit(&transport_node::KIND, &node.header.id, |node: &mut TransportNode, _| {
            node.apply(&profile.host_switch_spec, &profile.transport_zone_endpoints);
            Ok(())
        })?;
    }
    Ok(())
}

/// Whether a fabric node is in a cluster to which a profile is applied, and is not as that has it
/// [spec TransportNode.is_overridden].
pub fn is_overridden(node: &TransportNode, inventory: &Inventory) -> bool {
    let id = node.node_id.as_deref().unwrap_or_default();
    let cluster = compute::cluster_of(inventory, id);
    let applied = cluster.map(|id| inventory.by_key(BY_CLUSTER, &id)).unwrap_or_default();
    applied.iter().filter_map(|own| own.body::<TransportNodeCollection>()).any(|own| {
        let profile = inventory.find(PROFILE.name, &own.transport_node_profile_id);
        let profile = profile.as_deref().and_then(Object::body::<TransportNodeProfile>);
        profile.is_some_and(|own| !node.is_as(&own.host_switch_spec))
    })
}

/// Makes one host what the profile of its cluster says, again.
///
/// # Errors
/// [`Error::NotFound`], and where no profile is applied to its cluster.
pub fn restore(tx: &mut Transaction<'_>, id: &str) -> Result<(), Error> {
    let node = tx.get(&transport_node::KIND, id)?;
    let own = node.body::<TransportNode>().and_then(|own| own.node_id.as_deref());
    let inventory = tx.inventory();
    let cluster = own.and_then(|own| compute::cluster_of(inventory, own));
    let applied = cluster.map(|id| inventory.by_key(BY_CLUSTER, &id)).unwrap_or_default();
    let profile = applied.iter().find_map(|own| {
        let own = own.body::<TransportNodeCollection>()?;
        inventory.find(PROFILE.name, &own.transport_node_profile_id)
    });
    let Some(profile) = profile.as_deref().and_then(Object::body::<TransportNodeProfile>) else {
        return Err(Error::field(
            "action",
            "needs a profile that is applied to the host's cluster",
        ));
    };
    tx.edit(&transport_node::KIND, id, |node: &mut TransportNode, _| {
        node.apply(&profile.host_switch_spec, &profile.transport_zone_endpoints);
        Ok(())
    })?;
    Ok(())
}

impl TransportNodeCollection {
    /// Whether each host of the cluster is as the profile has it.
    pub fn is_applied(&self, inventory: &Inventory) -> bool {
        let nodes = compute::nodes(inventory, &self.compute_collection_id);
        let nodes = nodes.iter().filter_map(|id| transport_node::of_node(inventory, id));
        nodes
            .filter_map(|node| {
                node.body::<TransportNode>().map(|own| is_overridden(own, inventory))
            })
            .all(|overridden| !overridden)
    }
}

impl Resource for TransportNodeProfile {
    fn references(&self) -> Vec<Reference> {
        let switches = self.host_switch_spec.iter().flat_map(HostSwitchSpec::references);
        zones(self.transport_zone_endpoints.as_ref()).chain(switches).collect()
    }

    /// Where the profile is applied, the hosts follow it.
    fn admit(
        &mut self,
        header: &mut Header,
        _: Option<&Self>,
        tx: &mut Transaction<'_>,
    ) -> Result<(), Error> {
        self.host_switch_spec.as_mut().map_or(Ok(()), HostSwitchSpec::settle)?;
        for user in tx.referrers(PROFILE.name, &header.id) {
            if let Some(own) = user.body::<TransportNodeCollection>() {
                apply(self, &own.compute_collection_id, tx)?;
            }
        }
        Ok(())
    }
}

impl Resource for TransportNodeCollection {
    fn keys(&self) -> Vec<IndexKey> {
        vec![(BY_CLUSTER, self.compute_collection_id.clone())]
    }

    fn references(&self) -> Vec<Reference> {
        let profile = Reference::new(PROFILE.name, &self.transport_node_profile_id);
        vec![collection(&self.compute_collection_id), profile]
    }

    /// The hosts of the cluster become what the profile says.
    fn admit(
        &mut self,
        _: &mut Header,
        before: Option<&Self>,
        tx: &mut Transaction<'_>,
    ) -> Result<(), Error> {
        if before.is_some_and(|own| own.compute_collection_id != self.compute_collection_id) {
            return Err(Error::field("compute_collection_id", "can not be changed"));
        }
        let profile = tx.find(PROFILE.name, &self.transport_node_profile_id);
        match profile.as_deref().and_then(Object::body::<TransportNodeProfile>) {
            Some(profile) => apply(profile, &self.compute_collection_id, tx),
            // The reference is refused right after.
            None => Ok(()),
        }
    }
}

impl Resource for ComputeCollectionTransportNodeTemplate {
    fn references(&self) -> Vec<Reference> {
        let switches = self.host_switch_spec.iter().flat_map(HostSwitchSpec::references);
        let collections = self.compute_collection_ids.iter().map(|id| collection(id));
        zones(self.transport_zone_endpoints.as_ref()).chain(switches).chain(collections).collect()
    }

    fn admit(
        &mut self,
        _: &mut Header,
        _: Option<&Self>,
        _: &mut Transaction<'_>,
    ) -> Result<(), Error> {
        self.host_switch_spec.as_mut().map_or(Ok(()), HostSwitchSpec::settle)
    }
}

impl Resource for ComputeCollectionFabricTemplate {
    fn references(&self) -> Vec<Reference> {
        vec![collection(&self.compute_collection_id)]
    }
}
