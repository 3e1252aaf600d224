//! Instances of a service, and the endpoints that rules send packets to
//! [spec BaseServiceInstance, InstanceEndpoint].

use super::attachment;
use super::parts::{DeploymentTemplate, FailurePolicy, Implementation, IpInfo, VmNicInfo, part_of};
use super::service::KIND_NAME as SERVICE;
use crate::inventory::{
    Error, Header, Inventory, Kind, Parent, Reference, Resource, Transaction, Verbs,
};
use crate::kinds::reference::{ResourceReference, list_fields};
use crate::wire::{self, Fields, Items, Told, polymorphic};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// The declaration of instances. Its objects are `ServiceInstance` to rules, whatever their type.
pub static KIND: Kind = Kind {
    parent: Some(Parent::of(SERVICE)),
    created: 200,
    polymorphic: true,
    ..Kind::of::<ServiceInstance>(
        "ServiceInstance",
        "/serviceinsertion/services/{}/service-instances",
    )
};

/// The declaration of endpoints.
pub static ENDPOINT: Kind = Kind {
    parent: Some(Parent::of("ServiceInstance")),
    created: 200,
    verbs: Verbs { update: false, ..Verbs::ALL },
    ..Kind::of::<InstanceEndpoint>(
        "InstanceEndpoint",
        "/serviceinsertion/services/{}/service-instances/{}/instance-endpoints",
    )
};

/// One instance, by who looks after its appliance.
#[derive(Clone, Debug, Deserialize)]
#[allow(clippy::large_enum_variant, reason = "few objects, each in a box of its own")]
pub enum ServiceInstance {
    /// The manager does.
    ServiceInstance(Deployed),
    /// The user does.
    ByodServiceInstance(Byod),
    /// Nobody: it stands for something else.
    VirtualServiceInstance(Virtual),
}

polymorphic!(ServiceInstance { ServiceInstance, ByodServiceInstance, VirtualServiceInstance });

/// Deployed by the manager [spec ServiceInstance].
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Deployed {
    transport_type: TransportType,
    on_failure_policy: Option<FailurePolicy>,
    implementation_type: Implementation,
    attachment_point: AttachmentPoint,
    #[serde(default)]
    deployment_mode: DeploymentMode,
    deployment_spec_name: String,
    instance_deployment_template: DeploymentTemplate,
    instance_deployment_config: Option<DeploymentConfig>,
    deployed_to: Items<ResourceReference, 128, 1>,
    #[serde(default)]
    service_id: Told<String>,
    #[serde(default)]
    service_deployment_id: Told<String>,
}

/// Brought by the user [spec ByodServiceInstance].
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Byod {
    transport_type: TransportType,
    on_failure_policy: Option<FailurePolicy>,
    #[serde(default)]
    deployment_mode: DeploymentMode,
    #[serde(default)]
    service_id: Told<String>,
}

/// Without an appliance [spec VirtualServiceInstance].
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Virtual {
    transport_type: TransportType,
    on_failure_policy: Option<FailurePolicy>,
    #[serde(default)]
    service_id: Told<String>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
enum TransportType {
    #[serde(rename = "L2_BRIDGE")]
    L2Bridge,
    #[serde(rename = "L3_ROUTED")]
    L3Routed,
    #[serde(rename = "NSH")]
    Nsh,
    #[serde(rename = "NA")]
    None,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
enum AttachmentPoint {
    #[serde(rename = "TIER0_LR")]
    Tier0,
    #[serde(rename = "TIER1_LR")]
    Tier1,
    #[serde(rename = "SERVICE_PLANE")]
    ServicePlane,
    #[serde(rename = "HOST")]
    Host,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
enum DeploymentMode {
    StandAlone,
    #[default]
    ActiveStandby,
}

#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct DeploymentConfig {
    context_id: String,
    compute_id: String,
    storage_id: String,
    host_id: Option<String>,
    vm_nic_infos: Items<VmNicInfo, 2, 1>,
}

/// What rules send packets to [spec InstanceEndpoint].
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct InstanceEndpoint {
    #[serde(default)]
    endpoint_type: EndpointType,
    target_ips: Items<IpInfo, 1, 1>,
    service_attachments: Option<Items<ResourceReference, 1, 1>>,
    link_ids: Option<Items<ResourceReference, 1, 1>>,
    #[serde(default)]
    service_instance_id: Told<String>,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "UPPERCASE")]
enum EndpointType {
    #[default]
    Logical,
    Virtual,
}

impl ServiceInstance {
    /// Where it is deployed.
    pub fn deployed_to(&self) -> &[ResourceReference] {
        match self {
            Self::ServiceInstance(own) => &own.deployed_to,
            Self::ByodServiceInstance(_) | Self::VirtualServiceInstance(_) => &[],
        }
    }
}

impl Resource for ServiceInstance {
    fn resource_type(&self) -> Option<&'static str> {
        Some(self.variant())
    }

    fn fields(&self, _: &Header, inventory: &Inventory) -> Fields {
        let mut fields = wire::fields_of(self);
        if let Self::ServiceInstance(own) = self {
            fields.insert("deployed_to".into(), list_fields(&own.deployed_to, inventory));
        }
        fields
    }

    fn references(&self) -> Vec<Reference> {
        self.deployed_to().iter().filter_map(ResourceReference::object).collect()
    }

    fn admit(
        &mut self,
        header: &mut Header,
        before: Option<&Self>,
        _: &mut Transaction<'_>,
    ) -> Result<(), Error> {
        if before.is_some_and(|before| before.variant() != self.variant()) {
            return Err(Error::field("resource_type", "can not be changed"));
        }
        let service = part_of(header.parent.as_ref());
        match self {
            Self::ServiceInstance(own) => own.service_id = service,
            Self::ByodServiceInstance(own) => own.service_id = service,
            Self::VirtualServiceInstance(own) => own.service_id = service,
        }
        Ok(())
    }
}

impl InstanceEndpoint {
    fn lists(&self) -> [(&'static str, Option<&[ResourceReference]>); 2] {
        [
            ("service_attachments", self.service_attachments.as_deref()),
            ("link_ids", self.link_ids.as_deref()),
        ]
    }
}

impl Resource for InstanceEndpoint {
    fn fields(&self, _: &Header, inventory: &Inventory) -> Fields {
        let mut fields = wire::fields_of(self);
        for (name, list) in self.lists() {
            if let Some(list) = list {
                fields.insert(name.into(), list_fields(list, inventory));
            }
        }
        fields
    }

    fn references(&self) -> Vec<Reference> {
        let attachments = self.service_attachments.iter().flat_map(|list| list.iter());
        let links = self.link_ids.iter().flat_map(|list| list.iter());
        attachments
            .filter_map(|own| own.object_of_a(attachment::KIND.name))
            .chain(links.filter_map(ResourceReference::object))
            .collect()
    }

    fn admit(
        &mut self,
        header: &mut Header,
        _: Option<&Self>,
        _: &mut Transaction<'_>,
    ) -> Result<(), Error> {
        let (needed, present) = match self.endpoint_type {
            EndpointType::Logical => ("service_attachments", self.service_attachments.is_some()),
            EndpointType::Virtual => ("link_ids", self.link_ids.is_some()),
        };
        if !present {
            return Err(Error::field(needed, "is required of this endpoint_type"));
        }
        self.service_instance_id = part_of(header.parent.as_ref());
        Ok(())
    }
}
