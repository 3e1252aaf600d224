//! Services in a row [spec ServiceChain].

use super::parts::FailurePolicy;
use super::{attachment, profile};
use crate::inventory::{
    Error, Header, Inventory, Kind, Object, Reference, Resource, Transaction, Verbs,
};
use crate::kinds::reference::ResourceReference;
use crate::wire::{self, Fields, Items, Told};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;

/// The declaration.
pub static KIND: Kind = Kind {
    verbs: Verbs { update: false, ..Verbs::ALL },
    created: 200,
    ..Kind::of::<ServiceChain>("ServiceChain", "/serviceinsertion/service-chains")
};

type Profiles = Items<ResourceReference, 4>;

/// Profiles that packets pass one after the other.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ServiceChain {
    forward_path_service_profiles: Profiles,
    reverse_path_service_profiles: Option<Profiles>,
    service_attachments: Items<ResourceReference, 1, 1>,
    #[serde(default)]
    path_selection_policy: PathSelection,
    #[serde(default)]
    on_failure_policy: FailurePolicy,
    /// A number of its own beside the id.
    #[serde(default)]
    service_chain_id: Told<String>,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "UPPERCASE")]
enum PathSelection {
    #[default]
    Any,
    Local,
    Remote,
}

/// Which way through a chain.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Way {
    /// As packets come.
    Forward,
    /// As answers go.
    Reverse,
}

impl ServiceChain {
    /// Its number.
    pub fn number(&self) -> Option<&str> {
        self.service_chain_id.as_deref()
    }

    /// Where a profile stands in it, from 1. Without profiles of its own the way back is the way
    /// there from behind [spec ServiceChain.reverse_path_service_profiles].
    pub fn places(&self, profile: &str) -> Vec<(Way, usize)> {
        let is = |own: &ResourceReference| own.target_id.as_deref() == Some(profile);
        let there: Vec<bool> = self.forward_path_service_profiles.iter().map(is).collect();
        let own = self.reverse_path_service_profiles.as_deref().filter(|list| !list.is_empty());
        let back: Vec<bool> = match own {
            Some(list) => list.iter().map(is).collect(),
            None => there.iter().rev().copied().collect(),
        };
        let places = |way, list: Vec<bool>| {
            let found = list.into_iter().enumerate().filter(|(_, is)| *is);
            found.map(move |(place, _)| (way, place + 1)).collect::<Vec<_>>()
        };
        [places(Way::Forward, there), places(Way::Reverse, back)].concat()
    }

    /// The lists of references: the member's name, the kind of its objects, the list.
    fn lists(&self) -> [(&'static str, &'static str, Option<&[ResourceReference]>); 3] {
        let profiles = |name, list| (name, profile::KIND.name, list);
        [
            profiles("forward_path_service_profiles", Some(&*self.forward_path_service_profiles)),
            profiles(
                "reverse_path_service_profiles",
                self.reverse_path_service_profiles.as_deref(),
            ),
            ("service_attachments", attachment::KIND.name, Some(&*self.service_attachments)),
        ]
    }
}

impl Resource for ServiceChain {
    fn fields(&self, _: &Header, inventory: &Inventory) -> Fields {
        let mut fields = wire::fields_of(self);
        for (name, kind, list) in self.lists() {
            if let Some(list) = list {
                let printed =
                    list.iter().map(|own| Value::Object(own.fields_of_a(kind, inventory)));
                fields.insert(name.into(), printed.collect());
            }
        }
        fields
    }

    fn references(&self) -> Vec<Reference> {
        let named = self.lists().into_iter().flat_map(|(_, kind, list)| {
            list.into_iter().flatten().filter_map(move |own| own.object_of_a(kind))
        });
        named.collect()
    }

    fn admit(
        &mut self,
        _: &mut Header,
        _: Option<&Self>,
        transaction: &mut Transaction<'_>,
    ) -> Result<(), Error> {
        if self.forward_path_service_profiles.is_empty() {
            return Err(Error::field("forward_path_service_profiles", "must hold at least 1"));
        }
        let chains = transaction.all(&KIND);
        let numbers = chains
            .iter()
            .filter_map(|own| Object::body::<Self>(own)?.number()?.parse::<u32>().ok());
        let next = numbers.max().unwrap_or(0).saturating_add(1);
        self.service_chain_id = Told(Some(next.to_string()));
        Ok(())
    }
}
