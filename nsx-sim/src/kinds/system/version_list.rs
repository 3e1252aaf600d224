//! Which versions of a component an upgrade takes [spec AcceptableComponentVersion].

use super::super::appliance::entries;
use crate::inventory::{Header, Inventory, Kind, Resource};
use crate::wire::{Fields, Told, fields_of};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// The declaration, one object for each component type, by that.
pub static KIND: Kind = entries::<VersionList>("AcceptableComponentVersion");

/// The versions.
#[derive(Clone, Debug, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct VersionList {
    #[serde(default)]
    component_type: Told<String>,
    acceptable_versions: Vec<String>,
}

impl Resource for VersionList {
    fn fields(&self, header: &Header, _: &Inventory) -> Fields {
        let component_type = Told(Some(header.id.clone()));
        fields_of(&Self { component_type, ..self.clone() })
    }
}
