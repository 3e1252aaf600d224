//! Points at which services are joined to the network [spec ServiceAttachment].

use super::parts::IpInfo;
use crate::inventory::{Header, Inventory, Kind, Reference, Resource, Verbs};
use crate::kinds::reference::ResourceReference;
use crate::wire::{self, Fields, Items, Told};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// The declaration.
pub static KIND: Kind = Kind {
    verbs: Verbs { update: false, ..Verbs::ALL },
    created: 200,
    ..Kind::of::<ServiceAttachment>("ServiceAttachment", "/serviceinsertion/service-attachments")
};

/// One point; no port or switch is made for it, so there is none to tell.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ServiceAttachment {
    deployed_to: ResourceReference,
    local_ips: Option<Items<IpInfo, 1, 1>>,
    #[serde(default)]
    attachment_status: AttachmentStatus,
    #[serde(default)]
    service_port: Told<ResourceReference>,
    #[serde(default)]
    logical_switch: Told<ResourceReference>,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "UPPERCASE")]
enum AttachmentStatus {
    #[default]
    Up,
    Down,
}

impl Resource for ServiceAttachment {
    fn fields(&self, _: &Header, inventory: &Inventory) -> Fields {
        let mut fields = wire::fields_of(self);
        fields.insert("deployed_to".into(), self.deployed_to.fields(inventory).into());
        fields
    }

    fn references(&self) -> Vec<Reference> {
        self.deployed_to.object().into_iter().collect()
    }
}
