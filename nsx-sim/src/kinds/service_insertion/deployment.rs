//! Orders to deploy a service on hosts [spec ServiceDeployment]. No appliance comes of them.

use super::parts::{DeploymentTemplate, VmNicInfo, part_of};
use super::service;
use crate::inventory::{Error, Header, Inventory, Kind, Parent, Reference, Resource, Transaction};
use crate::kinds::reference::{ResourceReference, list_fields};
use crate::wire::{self, Fields, Int, Items, Told, int};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// The declaration.
pub static KIND: Kind = Kind {
    parent: Some(Parent::of(service::KIND_NAME)),
    forceable: true,
    deleted: 202,
    ..Kind::of::<ServiceDeployment>(
        "ServiceDeployment",
        "/serviceinsertion/services/{}/service-deployments",
    )
};

/// Where how many appliances are to be.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ServiceDeployment {
    deployment_spec_name: String,
    #[serde(default)]
    deployment_type: DeploymentType,
    #[serde(default)]
    deployment_mode: DeploymentMode,
    #[serde(default)]
    perimeter: Perimeter,
    #[serde(default = "int::<1, 1, 10>")]
    clustered_deployment_count: Int<1, 10>,
    instance_deployment_template: DeploymentTemplate,
    service_deployment_config: DeploymentConfig,
    deployed_to: Option<Items<ResourceReference, 128, 1>>,
    #[serde(default)]
    service_id: Told<String>,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "UPPERCASE")]
enum DeploymentType {
    Hostlocal,
    #[default]
    Clustered,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
enum DeploymentMode {
    #[default]
    StandAlone,
    ActiveStandby,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "UPPERCASE")]
enum Perimeter {
    Cluster,
    #[default]
    Host,
}

#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct DeploymentConfig {
    compute_manager_id: String,
    compute_collection_id: String,
    storage_id: Option<String>,
    host_id: Option<String>,
    vm_nic_info: Option<VmNicInfo>,
}

impl Resource for ServiceDeployment {
    fn fields(&self, _: &Header, inventory: &Inventory) -> Fields {
        let mut fields = wire::fields_of(self);
        if let Some(targets) = &self.deployed_to {
            fields.insert("deployed_to".into(), list_fields(targets, inventory));
        }
        fields
    }

    fn references(&self) -> Vec<Reference> {
        let targets = self.deployed_to.iter().flat_map(|list| list.iter());
        targets.filter_map(ResourceReference::object).collect()
    }

    fn admit(
        &mut self,
        header: &mut Header,
        _: Option<&Self>,
        _: &mut Transaction<'_>,
    ) -> Result<(), Error> {
        self.service_id = part_of(header.parent.as_ref());
        Ok(())
    }
}
