//! Which certificates the manager shows: the node's, and that of the whole cluster
//! [spec ClusterCertificateId].

use super::document;
use crate::inventory::{Inventory, Kind, Reference, Resource};
use crate::kinds::certificate;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// The declaration.
pub static SERVED: Kind = document::<Served>("ServedCertificates");

/// The certificates that are applied; without any the listener shows its own.
#[derive(Clone, Debug, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Served {
    /// The node's own.
    pub node: Option<String>,
    /// The cluster's, which goes before it.
    pub cluster: Option<String>,
}

impl Resource for Served {
    /// A certificate that is shown does not go.
    fn references(&self) -> Vec<Reference> {
        let applied = self.node.iter().chain(&self.cluster);
        applied.map(|id| Reference::new(certificate::KIND.name, id)).collect()
    }
}

/// What is applied now.
pub fn current(inventory: &Inventory) -> Served {
    let object = inventory.single(&SERVED, None).ok();
    object.and_then(|own| own.body::<Served>().cloned()).unwrap_or_default()
}

impl Served {
    /// The one that connections are shown.
    pub fn shown(&self) -> Option<&str> {
        self.cluster.as_deref().or(self.node.as_deref())
    }

    /// What a certificate is used for [spec NodeIdServicesMap].
    pub fn uses(&self, certificate: &str) -> Vec<&'static str> {
        let uses = [(&self.cluster, "MGMT_CLUSTER"), (&self.node, "API")];
        let own = uses.into_iter().filter(|(id, _)| id.as_deref() == Some(certificate));
        own.map(|(_, word)| word).collect()
    }
}
