//! Compute managers, and the clusters and hosts that they tell of
//! [spec ComputeManager, ComputeCollection, DiscoveredNode].

use super::node;
use super::secret::Secret;
use crate::inventory::{
    Error, Filter, Header, IndexKey, Inventory, Kind, Object, Reference, Resource, Transaction,
    Verbs, Words,
};
use crate::kinds::values::{Formed, Host};
use crate::version::{COMPUTE_MANAGER_ACCESS, Version};
use crate::wire::{Int, Text, Told, int, polymorphic};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::net::IpAddr;
use std::sync::Arc;

/// The declaration of compute managers.
pub static MANAGER: Kind = Kind {
    filters: &[
        Filter {
            name: "origin_type",
            words: None,
            passes: |_, object, word| {
                object.body::<ComputeManager>().is_some_and(|own| own.origin_type == word)
            },
        },
        Filter {
            name: "server",
            words: None,
            passes: |_, object, word| {
                object.body::<ComputeManager>().is_some_and(|own| &*own.server == word)
            },
        },
    ],
    ..Kind::of::<ComputeManager>("ComputeManager", "/fabric/compute-managers")
};

/// The declaration of compute collections; their id is the external one.
pub static COLLECTION: Kind = Kind {
    verbs: Verbs::NONE,
    filters: &[
        Filter {
            name: "display_name",
            words: None,
            passes: |_, object, name| object.header.name() == name,
        },
        Filter { name: "external_id", words: None, passes: |_, object, id| object.header.id == id },
        Filter {
            name: "origin_id",
            words: None,
            passes: |_, object, id| cluster(object).is_some_and(|own| own.origin_id == id),
        },
        Filter {
            name: "origin_type",
            words: None,
            passes: |_, object, word| cluster(object).is_some_and(|own| own.origin_type == word),
        },
        Filter {
            name: "owner_id",
            words: None,
            passes: |_, object, id| {
                cluster(object).is_some_and(|own| own.owner_id.as_deref() == Some(id))
            },
        },
        Filter {
            name: "cm_local_id",
            words: None,
            passes: |_, object, id| cluster(object).is_some_and(|own| own.cm_local_id == id),
        },
        Filter {
            name: "discovered_node_id",
            words: None,
            passes: |inventory, object, id| {
                let host = inventory.find(DISCOVERED_NODE.name, id);
                host.is_some_and(|host| parent_of(&host) == Some(&object.header.id))
            },
        },
        Filter {
            name: "node_id",
            words: None,
            passes: |inventory, object, id| {
                cluster_of(inventory, id).as_ref() == Some(&object.header.id)
            },
        },
    ],
    ..Kind::of::<ComputeCollection>("ComputeCollection", "/fabric/compute-collections")
};

/// The declaration of discovered nodes; their id is the external one.
pub static DISCOVERED_NODE: Kind = Kind {
    verbs: Verbs::NONE,
    filters: &[
        Filter {
            name: "display_name",
            words: None,
            passes: |_, object, name| object.header.name() == name,
        },
        Filter { name: "external_id", words: None, passes: |_, object, id| object.header.id == id },
        Filter {
            name: "origin_id",
            words: None,
            passes: |_, object, id| host(object).is_some_and(|own| own.origin_id == id),
        },
        Filter {
            name: "cm_local_id",
            words: None,
            passes: |_, object, id| host(object).is_some_and(|own| own.cm_local_id == id),
        },
        Filter {
            name: "node_type",
            words: None,
            passes: |_, object, word| host(object).is_some_and(|own| own.node_type == word),
        },
        Filter {
            name: "node_id",
            words: None,
            passes: |_, object, id| host(object).is_some_and(|own| own.is_node(id)),
        },
        Filter {
            name: "ip_address",
            words: None,
            passes: |_, object, text| {
                let asked = text.parse::<IpAddr>().ok();
                host(object).is_some_and(|own| {
                    own.ip_addresses.iter().flatten().any(|own| Some(*own.value()) == asked)
                })
            },
        },
        Filter {
            name: "has_parent",
            words: Some(Words::Boolean),
            passes: |_, object, word| parent_of(object).is_some().to_string() == word,
        },
        Filter {
            name: "parent_compute_collection",
            words: None,
            passes: |_, object, id| parent_of(object).is_some_and(|own| own == id),
        },
    ],
    ..Kind::of::<DiscoveredNode>("DiscoveredNode", "/fabric/discovered-nodes")
};

/// Index: fabric node to the discovered node that it was made of.
const BY_NODE: &str = "discovered-by-node";
/// Index: compute collection to its discovered nodes.
const BY_PARENT: &str = "discovered-by-parent";

/// The fabric nodes of a compute collection.
pub fn nodes(inventory: &Inventory, collection: &str) -> Vec<String> {
    let hosts = inventory.by_key(BY_PARENT, collection);
    hosts.iter().filter_map(|own| host(own)?.node_id.clone()).collect()
}

/// The hosts of a compute collection.
pub fn hosts(inventory: &Inventory, collection: &str) -> Vec<Arc<Object>> {
    inventory.by_key(BY_PARENT, collection)
}

/// The compute collection that a fabric node is in.
pub fn cluster_of(inventory: &Inventory, node: &str) -> Option<String> {
    let hosts = inventory.by_key(BY_NODE, node);
    hosts.iter().find_map(|host| parent_of(host).cloned())
}

fn cluster(object: &Object) -> Option<&ComputeCollection> {
    object.body()
}

fn host(object: &Object) -> Option<&DiscoveredNode> {
    object.body()
}

fn parent_of(object: &Object) -> Option<&String> {
    host(object)?.parent_compute_collection.as_ref()
}

/// A vCenter or the like that the manager is registered with.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ComputeManager {
    server: Formed<Host>,
    origin_type: String,
    credential: Option<Credential>,
    #[serde(default)]
    origin_properties: Told<Vec<Pair>>,
    // Members of later releases: no part of the description, which is that of 2.5.1.
    #[schemars(skip)]
    access_level_for_oidc: Option<AccessLevel>,
    #[schemars(skip)]
    create_service_account: Option<bool>,
    #[schemars(skip)]
    multi_nsx: Option<bool>,
    #[schemars(skip)]
    reverse_proxy_https_port: Option<Int<0, 65_535>>,
    #[schemars(skip)]
    set_as_oidc_provider: Option<bool>,
}

/// How much of the manager a compute manager's users may reach [client tf].
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
#[serde(rename_all = "UPPERCASE")]
enum AccessLevel {
    Full,
    Limited,
}

impl ComputeManager {
    /// Fills in the members of later releases, or refuses them, by the release that the manager is.
    fn settle_access(&mut self, version: &Version) -> Result<(), Error> {
        if version.has(COMPUTE_MANAGER_ACCESS) {
            self.access_level_for_oidc.get_or_insert(AccessLevel::Full);
            self.create_service_account.get_or_insert(false);
            self.multi_nsx.get_or_insert(false);
            self.reverse_proxy_https_port.get_or_insert_with(int::<443, 0, 65_535>);
            self.set_as_oidc_provider.get_or_insert(false);
            return Ok(());
        }
        let sent = [
            ("access_level_for_oidc", self.access_level_for_oidc.is_some()),
            ("create_service_account", self.create_service_account.is_some()),
            ("multi_nsx", self.multi_nsx.is_some()),
            ("reverse_proxy_https_port", self.reverse_proxy_https_port.is_some()),
            ("set_as_oidc_provider", self.set_as_oidc_provider.is_some()),
        ];
        match sent.iter().find(|(_, sent)| *sent) {
            Some((name, _)) => Err(Error::UnknownField((*name).to_owned())),
            None => Ok(()),
        }
    }
}

/// A name and a value [spec KeyValuePair].
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Pair {
    key: Text<255>,
    value: Text<255>,
}

#[derive(Clone, Debug, Deserialize)]
enum Credential {
    UsernamePasswordLoginCredential(Password),
    VerifiableAsymmetricLoginCredential(Asymmetric),
}

polymorphic!(Credential by "credential_type" {
    UsernamePasswordLoginCredential,
    VerifiableAsymmetricLoginCredential
});

#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Password {
    username: Option<String>,
    password: Option<Secret>,
    thumbprint: Option<String>,
}

#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Asymmetric {
    asymmetric_credential: Option<Secret>,
    credential_key: Option<Secret>,
    credential_verifier: Option<Secret>,
}

/// A cluster of hosts, as its compute manager tells.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ComputeCollection {
    /// As the collection is named by others.
    pub external_id: String,
    /// The compute manager.
    pub origin_id: String,
    /// As `VC_Cluster`.
    pub origin_type: String,
    /// The compute manager's own id of it.
    pub cm_local_id: String,
    /// The compute manager's own id of what it is in.
    pub owner_id: Option<String>,
    #[serde(default)]
    origin_properties: Vec<Pair>,
}

/// A host, as its compute manager tells.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct DiscoveredNode {
    /// As the host is named by others.
    pub external_id: String,
    /// The compute manager.
    pub origin_id: String,
    /// The compute manager's own id of it.
    pub cm_local_id: String,
    /// The collection that it is in.
    pub parent_compute_collection: Option<String>,
    node_type: String,
    os_type: String,
    os_version: Option<String>,
    ip_addresses: Option<Vec<Formed<IpAddr>>>,
    #[serde(default)]
    stateless: bool,
    #[serde(default)]
    origin_properties: Vec<Pair>,
    /// The fabric node that was made of it; not printed.
    #[serde(skip_serializing)]
    pub node_id: Option<String>,
}

impl DiscoveredNode {
    fn is_node(&self, id: &str) -> bool {
        self.node_id.as_deref() == Some(id)
    }
}

impl Resource for ComputeManager {
    fn admit(
        &mut self,
        _: &mut Header,
        _: Option<&Self>,
        transaction: &mut Transaction<'_>,
    ) -> Result<(), Error> {
        self.settle_access(transaction.inventory().version())
    }
}

impl Resource for ComputeCollection {
    fn references(&self) -> Vec<Reference> {
        vec![Reference::new(MANAGER.name, &self.origin_id)]
    }
}

impl Resource for DiscoveredNode {
    fn keys(&self) -> Vec<IndexKey> {
        let node = self.node_id.iter().map(|id| (BY_NODE, id.clone()));
        let parent = self.parent_compute_collection.iter().map(|id| (BY_PARENT, id.clone()));
        node.chain(parent).collect()
    }

    fn references(&self) -> Vec<Reference> {
        let manager = Reference::new(MANAGER.name, &self.origin_id);
        let parent = self.parent_compute_collection.iter();
        let parent = parent.map(|id| Reference::new(COLLECTION.name, id));
        let node = self.node_id.iter().map(|id| Reference::new(node::KIND.name, id));
        parent.chain(node).chain([manager]).collect()
    }
}
