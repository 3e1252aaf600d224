//! The newer form of IPFIX: profiles of collectors, and profiles of switches that are applied to
//! single entities [spec IpfixCollectorUpmProfile, IpfixUpmProfile].

use super::{Collectors, DomainId, MaxFlows, Priority, SampleProbability, Timeout};
use crate::inventory::{
    Error, Filter, Header, Inventory, Kind, Object, Reference, Resource, Transaction, Words,
};
use crate::kinds::reference::{ResourceReference, list_fields};
use crate::wire::{self, Fields, int, polymorphic, yes};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;

/// The declaration of collectors.
pub static COLLECTOR: Kind = Kind {
    filters: &[PROFILE_TYPES],
    ..Kind::of::<IpfixCollectorUpmProfile>("IpfixCollectorUpmProfile", "/ipfix-collector-profiles")
};

/// The declaration of profiles.
pub static PROFILE: Kind = Kind {
    polymorphic: true,
    filters: &[
        PROFILE_TYPES,
        Filter {
            name: "applied_to_entity_id",
            words: None,
            passes: |_, object, id| {
                targets(object).any(|target| target.target_id.as_deref() == Some(id))
            },
        },
        Filter {
            name: "applied_to_entity_type",
            words: Some(Words::Of(&["LogicalPort", "LogicalSwitch", "NSGroup"])),
            passes: |_, object, kind| {
                targets(object).any(|target| target.target_type.as_deref() == Some(kind))
            },
        },
    ],
    ..Kind::of::<IpfixUpmProfile>("IpfixUpmProfile", "/ipfix-profiles")
};

/// Comma-separated types.
const PROFILE_TYPES: Filter = Filter {
    name: "profile_types",
    words: None,
    passes: |_, object, types| types.split(',').any(|own| own.trim() == object.resource_type()),
};

/// The most entities that a profile is applied to [spec IpfixSwitchUpmProfile.applied_tos].
const MAX_TARGETS: usize = 128;

/// A set of collectors.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct IpfixCollectorUpmProfile {
    collectors: Collectors,
}

/// What is exported, and where.
#[derive(Clone, Debug, Deserialize)]
pub enum IpfixUpmProfile {
    /// Flows through switches.
    IpfixSwitchUpmProfile(SwitchProfile),
}

polymorphic!(IpfixUpmProfile { IpfixSwitchUpmProfile });

/// Of switches [spec IpfixSwitchUpmProfile].
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct SwitchProfile {
    applied_tos: Option<AppliedTos>,
    collector_profile: String,
    observation_domain_id: DomainId,
    priority: Priority,
    #[serde(default = "int::<300, 60, 3600>")]
    idle_timeout: Timeout,
    #[serde(default = "int::<300, 60, 3600>")]
    active_timeout: Timeout,
    #[serde(default)]
    packet_sample_probability: SampleProbability,
    #[serde(default = "int::<16_384, 0, 4_294_967_295>")]
    max_flows: MaxFlows,
    #[serde(default = "yes")]
    export_overlay_flow: bool,
}

#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct AppliedTos {
    logical_ports: Option<Vec<ResourceReference>>,
    logical_switches: Option<Vec<ResourceReference>>,
    nsgroups: Option<Vec<ResourceReference>>,
}

impl AppliedTos {
    /// The three lists: the member's name, the kind of its entities, the entities.
    fn lists(&self) -> [(&'static str, &'static str, Option<&Vec<ResourceReference>>); 3] {
        [
            ("logical_ports", "LogicalPort", self.logical_ports.as_ref()),
            ("logical_switches", "LogicalSwitch", self.logical_switches.as_ref()),
            ("nsgroups", "NSGroup", self.nsgroups.as_ref()),
        ]
    }

    fn all(&self) -> impl Iterator<Item = &ResourceReference> {
        self.lists().into_iter().filter_map(|(_, _, list)| list).flatten()
    }
}

impl IpfixUpmProfile {
    fn switches(&self) -> &SwitchProfile {
        let Self::IpfixSwitchUpmProfile(own) = self;
        own
    }
}

fn targets(object: &Object) -> impl Iterator<Item = &ResourceReference> {
    let own = object.body::<IpfixUpmProfile>().and_then(|own| own.switches().applied_tos.as_ref());
    own.into_iter().flat_map(AppliedTos::all)
}

impl Resource for IpfixCollectorUpmProfile {}

impl Resource for IpfixUpmProfile {
    fn resource_type(&self) -> Option<&'static str> {
        Some(self.variant())
    }

    fn fields(&self, _: &Header, inventory: &Inventory) -> Fields {
        let mut fields = wire::fields_of(self);
        if let Some(applied) = &self.switches().applied_tos {
            let lists = applied.lists().into_iter().filter_map(|(name, _, list)| {
                Some((name.to_owned(), list_fields(list?, inventory)))
            });
            fields.insert("applied_tos".into(), Value::Object(lists.collect()));
        }
        fields
    }

    fn references(&self) -> Vec<Reference> {
        let own = self.switches();
        let collector = Reference::new(COLLECTOR.name, &own.collector_profile);
        let targets = own.applied_tos.iter().flat_map(AppliedTos::all);
        targets.filter_map(ResourceReference::object).chain([collector]).collect()
    }

    fn admit(
        &mut self,
        _: &mut Header,
        _: Option<&Self>,
        _: &mut Transaction<'_>,
    ) -> Result<(), Error> {
        let Some(applied) = &self.switches().applied_tos else { return Ok(()) };
        if applied.all().count() > MAX_TARGETS {
            let problem = format!("has exceeded maximum size {MAX_TARGETS}");
            return Err(Error::field("applied_tos", problem));
        }
        for (name, kind, list) in applied.lists() {
            let of_kind = |own: &ResourceReference| own.target_type.as_deref() == Some(kind);
            if let Some(index) = list.into_iter().flatten().position(|own| !of_kind(own)) {
                let field = format!("applied_tos.{name}[{index}].target_type");
                return Err(Error::field(field, format!("must be {kind}")));
            }
        }
        Ok(())
    }
}
