//! Service configs: which profile holds for which objects [spec ServiceConfig].

use super::firewall::profile;
use super::reference::{ResourceReference, Target, list_fields};
use crate::inventory::{
    Error, Filter, Header, Inventory, Kind, Level, Object, Reference, Resource, Transaction,
};
use crate::wire::{self, Fields, Int, Items, Text, Told};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use std::sync::Arc;

/// The declaration.
pub static KIND: Kind = Kind {
    level: Level::Semantic,
    filters: &[Filter {
        name: "profile_type",
        words: None,
        passes: |_, object, word| {
            object.body::<ServiceConfig>().is_some_and(|config| config.profile().1 == word)
        },
    }],
    ..Kind::of::<ServiceConfig>("ServiceConfig", "/service-configs")
};

/// The kinds that a profile can be applied to.
const TARGETS: [&str; 6] =
    ["NSGroup", "LogicalPort", "LogicalSwitch", "VirtualMachine", "TransportNode", "LogicalRouter"];

/// Where a config stands among those of its profile's type: the lowest number counts first.
type Precedence = Int<0, { u32::MAX as i64 }>;

/// How far below the lowest precedence a new config without one is put [spec ServiceConfig].
const STEP: i64 = 100;

/// One profile and what it is applied to.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ServiceConfig {
    profiles: Items<ProfileReference, 1, 1>,
    precedence: Option<Precedence>,
    applied_to: Option<Items<ResourceReference, { usize::MAX }>>,
}

/// Names a profile [spec NSXProfileReference].
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ProfileReference {
    profile_type: ProfileType,
    target_id: Option<Text<64>>,
    target_type: Option<Text<255>>,
    #[serde(default, rename = "target_display_name", skip_serializing)]
    _target_display_name: Told<String>,
    #[serde(default, rename = "is_valid", skip_serializing)]
    _is_valid: Told<bool>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
enum ProfileType {
    FirewallSessionTimerProfile,
    FirewallCpuMemThresholdsProfile,
    GiServiceProfile,
    FirewallFloodProtectionProfile,
    FirewallDnsProfile,
}

impl ProfileType {
    fn word(self) -> &'static str {
        match self {
            Self::FirewallSessionTimerProfile => "FirewallSessionTimerProfile",
            Self::FirewallCpuMemThresholdsProfile => "FirewallCpuMemThresholdsProfile",
            Self::GiServiceProfile => "GiServiceProfile",
            Self::FirewallFloodProtectionProfile => "FirewallFloodProtectionProfile",
            Self::FirewallDnsProfile => "FirewallDnsProfile",
        }
    }

    /// The kind whose objects are such profiles.
    fn kind(self) -> &'static str {
        match self {
            Self::GiServiceProfile => "ServiceProfile",
            _ => profile::KIND.name,
        }
    }
}

impl ProfileReference {
    /// The wire form with the profile's present name and whether it still exists.
    pub fn fields(&self, inventory: &Inventory) -> Fields {
        let mut fields = wire::fields_of(self);
        let id = self.target_id.as_deref().unwrap_or_default();
        let found = inventory.find(self.profile_type.kind(), id);
        if let Some(profile) = &found {
            fields.insert("target_display_name".into(), profile.header.name().into());
        }
        fields.insert("is_valid".into(), found.is_some().into());
        fields
    }
}

impl ServiceConfig {
    /// The profile: its id and its type.
    pub fn profile(&self) -> (&str, &'static str) {
        let own = self.profiles.first();
        own.map_or(("", ""), |own| {
            (own.target_id.as_deref().unwrap_or_default(), own.profile_type.word())
        })
    }

    /// What the profile is applied to.
    pub fn targets(&self) -> impl Iterator<Item = Reference> {
        self.applied_to.iter().flat_map(|list| list.iter()).filter_map(ResourceReference::object)
    }

    /// The reference to the profile, as printed.
    pub fn profile_fields(&self, inventory: &Inventory) -> Option<Fields> {
        self.profiles.first().map(|own| own.fields(inventory))
    }

    fn check_profile(&mut self, transaction: &Transaction<'_>) -> Result<(), Error> {
        let Some(own) = self.profiles.first() else { return Ok(()) };
        let Some(id) = own.target_id.as_deref().filter(|id| !id.is_empty()) else {
            return Err(Error::field("profiles[0].target_id", "is required"));
        };
        let found = transaction.find(own.profile_type.kind(), id);
        let word = own.profile_type.word();
        match found {
            Some(profile) if profile.resource_type() != word => {
                let problem = format!("must be {}, the profile's type", profile.resource_type());
                Err(Error::field("profiles[0].profile_type", problem))
            }
            _ => Ok(()),
        }
    }

    /// A precedence of its own among the configs of its profile's type.
    fn settle_precedence(
        &mut self,
        id: &str,
        before: Option<&Self>,
        transaction: &Transaction<'_>,
    ) -> Result<(), Error> {
        let word = self.profile().1;
        let others = transaction.all(&KIND);
        let others = others.iter().filter(|other| other.header.id != id);
        let taken: Vec<i64> = others
            .filter_map(|other| other.body::<Self>())
            .filter(|other| other.profile().1 == word)
            .filter_map(|other| other.precedence.map(Int::get))
            .collect();
        let known =
            before.filter(|before| before.profile().1 == word).and_then(|own| own.precedence);
        let Some(own) = self.precedence.or(known) else {
            let lowest = taken.iter().min().copied();
            let next = lowest.map_or(i64::from(u32::MAX), |lowest| lowest - STEP);
            self.precedence = Some(wire::read(next.max(0).into())?);
            return self.check_free(&taken);
        };
        self.precedence = Some(own);
        self.check_free(&taken)
    }

    fn check_free(&self, taken: &[i64]) -> Result<(), Error> {
        match self.precedence {
            Some(own) if taken.contains(&own.get()) => {
                let problem = format!("{} is another config's of the same profile type", own.get());
                Err(Error::field("precedence", problem))
            }
            _ => Ok(()),
        }
    }
}

impl Resource for ServiceConfig {
    fn fields(&self, _: &Header, inventory: &Inventory) -> Fields {
        let mut fields = wire::fields_of(self);
        let profiles = self.profiles.iter().map(|own| Value::Object(own.fields(inventory)));
        fields.insert("profiles".into(), profiles.collect());
        if let Some(targets) = &self.applied_to {
            fields.insert("applied_to".into(), list_fields(targets, inventory));
        }
        fields
    }

    fn references(&self) -> Vec<Reference> {
        let profiles = self.profiles.iter().filter_map(|own| {
            Some(Reference::new(own.profile_type.kind(), &**own.target_id.as_ref()?))
        });
        profiles.chain(self.targets()).collect()
    }

    fn admit(
        &mut self,
        header: &mut Header,
        before: Option<&Self>,
        transaction: &mut Transaction<'_>,
    ) -> Result<(), Error> {
        for (index, target) in self.applied_to.iter().flat_map(|list| list.iter()).enumerate() {
            match target.target() {
                Target::Object { kind, .. } if TARGETS.contains(&kind) => {}
                _ => {
                    let problem = format!("must be one of {}", TARGETS.join(", "));
                    return Err(Error::field(format!("applied_to[{index}].target_type"), problem));
                }
            }
        }
        self.check_profile(transaction)?;
        self.settle_precedence(&header.id, before, transaction)
    }
}

/// All configs, those that count first at the front.
pub fn by_precedence(inventory: &Inventory) -> Vec<Arc<Object>> {
    let mut configs = inventory.all(KIND.name);
    configs.sort_by_key(|object| {
        let own = object.body::<ServiceConfig>();
        (own.and_then(|own| own.precedence), object.header.id.clone())
    });
    configs
}
