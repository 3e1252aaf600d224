//! Services at router ports.

use crate::inventory::{Inventory, Reference};
use crate::kinds::dhcp::relay;
use crate::kinds::reference::ResourceReference;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

/// A service at a router port, such as a DHCP relay [spec ServiceBinding].
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ServiceBinding {
    service_id: ResourceReference,
}

impl ServiceBinding {
    /// The service; a DHCP relay is the only sort of logical service there is.
    pub(super) fn service(&self) -> Option<Reference> {
        Some(Reference::new(relay::SERVICE.name, self.service_id.target_id.as_deref()?))
    }

    /// The wire form, with the service's present name; its type stays as it was sent, for clients
    /// call it `LogicalService` [tf].
    pub(super) fn fields(&self, inventory: &Inventory) -> Value {
        let mut printed = self.service_id.fields(inventory);
        let found = self.service().and_then(|own| inventory.find(&own.kind, &own.id));
        if let Some(found) = &found {
            printed.insert("target_display_name".into(), found.header.name().into());
        }
        printed.insert("is_valid".into(), found.is_some().into());
        json!({ "service_id": printed })
    }
}
