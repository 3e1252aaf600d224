//! A partner's service [spec ServiceDefinition]: the root of all that is deployed of it.

use super::parts::{
    DeploymentTemplate, FailurePolicy, Functionality, Implementation, NicMetadata, Transport,
};
use super::{instance, manager};
use crate::inventory::{Error, Header, Inventory, Kind, Object, Query, Resource, Transaction};
use crate::wire::{self, Fields, Items, Told};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// The declaration.
pub static KIND: Kind = Kind::of::<ServiceDefinition>(KIND_NAME, "/serviceinsertion/services");

/// The kind's name, for its parts.
pub const KIND_NAME: &str = "ServiceDefinition";

/// What a partner offers, and how it is deployed.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ServiceDefinition {
    /// Whose service it is.
    pub vendor_id: String,
    functionalities: Items<Functionality, { usize::MAX }, 1>,
    implementations: Items<Implementation, 1, 1>,
    attachment_point: Option<Items<AttachmentPoint, 2>>,
    transports: Option<Items<Transport, 1>>,
    #[serde(default)]
    on_failure_policy: FailurePolicy,
    service_capability: Option<Capability>,
    service_deployment_spec: Option<DeploymentSpec>,
    /// Told by the manager that names the service.
    #[serde(default)]
    service_manager_id: Told<String>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
enum AttachmentPoint {
    #[serde(rename = "TIER0_LR")]
    Tier0,
    #[serde(rename = "TIER1_LR")]
    Tier1,
    #[serde(rename = "SERVICE_PLANE")]
    ServicePlane,
}

#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Capability {
    #[serde(default)]
    nsh_liveness_support_enabled: bool,
    #[serde(default)]
    can_decrement_si: Told<bool>,
}

#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct DeploymentSpec {
    deployment_template: Vec<DeploymentTemplate>,
    deployment_specs: Option<Items<SvmDeploymentSpec, 128>>,
    nic_metadata_list: Option<Vec<NicMetadata>>,
    svm_version: Option<String>,
}

#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct SvmDeploymentSpec {
    name: Option<String>,
    ovf_url: String,
    host_type: HostType,
    #[serde(default)]
    service_form_factor: FormFactor,
    #[serde(default = "min_host_version")]
    min_host_version: String,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "UPPERCASE")]
enum HostType {
    Esxi,
    Rhelkvm,
    Ubuntukvm,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "UPPERCASE")]
enum FormFactor {
    Small,
    #[default]
    Medium,
    Large,
}

fn min_host_version() -> String {
    "6.5".into()
}

impl ServiceDefinition {
    /// Whether it protects guests from within, and so needs no way for packets.
    fn is_endpoint_protection(&self) -> bool {
        self.functionalities.iter().all(|own| *own == Functionality::Epp)
    }
}

impl Resource for ServiceDefinition {
    fn fields(&self, header: &Header, inventory: &Inventory) -> Fields {
        let mut fields = wire::fields_of(self);
        let managers = inventory.referrers(KIND.name, &header.id);
        let manager = managers.iter().find(|own| own.kind.name == manager::KIND.name);
        if let Some(manager) = manager {
            fields.insert("service_manager_id".into(), manager.header.id.as_str().into());
        }
        fields
    }

    fn admit(
        &mut self,
        _: &mut Header,
        _: Option<&Self>,
        _: &mut Transaction<'_>,
    ) -> Result<(), Error> {
        if let Some(capability) = &mut self.service_capability {
            capability.can_decrement_si = Told(Some(false));
        }
        if self.is_endpoint_protection() {
            return Ok(());
        }
        for (name, absent) in [
            ("attachment_point", self.attachment_point.as_ref().is_none_or(|own| own.is_empty())),
            ("transports", self.transports.as_ref().is_none_or(|own| own.is_empty())),
        ] {
            if absent {
                return Err(Error::field(name, "is required of any functionality but EPP"));
            }
        }
        Ok(())
    }

    /// Instances keep it unless `cascade=true`; all else goes with it.
    fn retire(
        object: &Object,
        transaction: &mut Transaction<'_>,
        query: &Query,
    ) -> Result<(), Error> {
        let instances = transaction.children(&instance::KIND, &object.header.id);
        if !query.flag("cascade")? && !instances.is_empty() {
            let by = instances.iter().map(|own| format!("{}/{}", own.kind.name, own.header.id));
            let id = object.header.id.clone();
            return Err(Error::InUse { kind: KIND.name, id, by: by.collect() });
        }
        transaction.refuse_if_used(object, |_| true)
    }
}
