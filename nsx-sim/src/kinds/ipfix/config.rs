//! The older form of IPFIX: collectors, and configs of switches and of the distributed firewall
//! [spec IpfixCollectorConfig, IpfixConfig, IpfixObsPointConfig].

use super::{Collector, Collectors, DomainId, MaxFlows, Priority, SampleProbability, Timeout};
use crate::inventory::{
    Error, Filter, Header, Inventory, Kind, Reference, Resource, Transaction, Words,
};
use crate::kinds::reference::{References, ResourceReference, list_fields};
use crate::wire::{self, Fields, Int, Told, int, polymorphic};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// The declaration of collectors.
pub static COLLECTOR: Kind =
    Kind::of::<IpfixCollectorConfig>("IpfixCollectorConfig", "/ipfix/collectorconfigs");

/// The declaration of configs.
pub static CONFIG: Kind = Kind {
    polymorphic: true,
    filters: &[
        Filter {
            name: "applied_to",
            words: None,
            passes: |_, object, id| {
                object.body::<IpfixConfig>().is_some_and(|own| {
                    own.applied_tos().any(|target| target.target_id.as_deref() == Some(id))
                })
            },
        },
        Filter {
            name: "ipfix_config_type",
            words: Some(Words::Of(&["IpfixSwitchConfig", "IpfixDfwConfig"])),
            passes: |_, object, word| object.resource_type() == word,
        },
    ],
    ..Kind::of::<IpfixConfig>("IpfixConfig", "/ipfix/configs")
};

/// The declaration of the one config of all switches.
pub static GLOBAL: Kind = Kind {
    single: true,
    system_owned_changes: true,
    ..Kind::of::<IpfixObsPointConfig>("IpfixObsPointConfig", "/ipfix-obs-points/switch-global")
};

/// The id of the one config of all switches.
pub const GLOBAL_ID: &str = "switch-global";

/// A set of collectors.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct IpfixCollectorConfig {
    collectors: Collectors,
}

/// What is exported, and where.
#[derive(Clone, Debug, Deserialize)]
#[allow(clippy::enum_variant_names, reason = "wire names")]
pub enum IpfixConfig {
    /// Flows through switches.
    IpfixSwitchConfig(SwitchConfig),
    /// Connections that the distributed firewall sees.
    IpfixDfwConfig(DfwConfig),
}

polymorphic!(IpfixConfig { IpfixSwitchConfig, IpfixDfwConfig });

/// Of switches [spec IpfixSwitchConfig].
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct SwitchConfig {
    applied_tos: Option<References>,
    #[serde(default = "int::<300, 60, 3600>")]
    idle_timeout: Timeout,
    #[serde(default = "int::<300, 60, 3600>")]
    active_timeout: Timeout,
    #[serde(default)]
    packet_sample_probability: SampleProbability,
    #[serde(default = "int::<16_384, 0, 4_294_967_295>")]
    max_flows: MaxFlows,
}

/// Of the distributed firewall [spec IpfixDfwConfig].
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct DfwConfig {
    applied_tos: Option<References>,
    collector: String,
    observation_domain_id: DomainId,
    #[serde(default = "int::<0, 0, 65_536>")]
    priority: Priority,
    /// Minutes.
    #[serde(default = "int::<1, 1, 60>")]
    active_flow_export_timeout: Int<1, 60>,
    template_parameters: Option<TemplateParameters>,
}

/// Which members the records have: all of them [spec IpfixDfwTemplateParameters].
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
struct TemplateParameters {
    destination_address: Told<bool>,
    destination_transport_port: Told<bool>,
    firewall_event: Told<bool>,
    flow_direction: Told<bool>,
    flow_end: Told<bool>,
    flow_start: Told<bool>,
    icmp_code: Told<bool>,
    octet_delta_count: Told<bool>,
    packet_delta_count: Told<bool>,
    protocol_identifier: Told<bool>,
    rule_id: Told<bool>,
    source_address: Told<bool>,
    source_icmp_type: Told<bool>,
    source_transport_port: Told<bool>,
    vif_uuid: Told<bool>,
}

impl Default for TemplateParameters {
    fn default() -> Self {
        let yes = || Told(Some(true));
        Self {
            destination_address: yes(),
            destination_transport_port: yes(),
            firewall_event: yes(),
            flow_direction: yes(),
            flow_end: yes(),
            flow_start: yes(),
            icmp_code: yes(),
            octet_delta_count: yes(),
            packet_delta_count: yes(),
            protocol_identifier: yes(),
            rule_id: yes(),
            source_address: yes(),
            source_icmp_type: yes(),
            source_transport_port: yes(),
            vif_uuid: yes(),
        }
    }
}

/// The one config of all switches [spec IpfixObsPointConfig].
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct IpfixObsPointConfig {
    enabled: bool,
    collectors: Option<Vec<Collector>>,
    #[serde(default = "int::<0, 0, 4_294_967_295>")]
    observation_domain_id: DomainId,
    #[serde(default = "int::<300, 60, 3600>")]
    idle_timeout: Timeout,
    #[serde(default = "int::<300, 60, 3600>")]
    active_timeout: Timeout,
    #[serde(default)]
    packet_sample_probability: SampleProbability,
    #[serde(default = "int::<16_384, 0, 4_294_967_295>")]
    max_flows: MaxFlows,
}

impl Resource for IpfixCollectorConfig {}

impl Resource for IpfixObsPointConfig {}

impl IpfixConfig {
    fn targets(&self) -> Option<&References> {
        match self {
            Self::IpfixSwitchConfig(own) => own.applied_tos.as_ref(),
            Self::IpfixDfwConfig(own) => own.applied_tos.as_ref(),
        }
    }

    fn applied_tos(&self) -> impl Iterator<Item = &ResourceReference> {
        self.targets().into_iter().flat_map(|list| list.iter())
    }
}

impl Resource for IpfixConfig {
    fn resource_type(&self) -> Option<&'static str> {
        Some(self.variant())
    }

    fn fields(&self, _: &Header, inventory: &Inventory) -> Fields {
        let mut fields = wire::fields_of(self);
        if let Some(targets) = self.targets() {
            fields.insert("applied_tos".into(), list_fields(targets, inventory));
        }
        fields
    }

    fn references(&self) -> Vec<Reference> {
        let targets = self.applied_tos().filter_map(ResourceReference::object);
        let collector = match self {
            Self::IpfixDfwConfig(own) => Some(Reference::new(COLLECTOR.name, &own.collector)),
            Self::IpfixSwitchConfig(_) => None,
        };
        targets.chain(collector).collect()
    }

    fn admit(
        &mut self,
        _: &mut Header,
        before: Option<&Self>,
        _: &mut Transaction<'_>,
    ) -> Result<(), Error> {
        if before.is_some_and(|before| before.variant() != self.variant()) {
            return Err(Error::field("resource_type", "can not be changed"));
        }
        if let Self::IpfixDfwConfig(own) = self {
            own.template_parameters = Some(TemplateParameters::default());
        }
        Ok(())
    }
}
