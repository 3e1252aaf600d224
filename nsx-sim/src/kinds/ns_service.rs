//! Services and groups of services [spec NSService, NSServiceGroup].

use super::reference::{ResourceReference, list_fields};
use super::service_element::ServiceElement;
use crate::inventory::{
    Error, Filter, Header, Inventory, Kind, Level, Object, Reference, Resource, Transaction, Words,
};
use crate::wire::{self, Fields, Items};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::sync::Arc;

const DEFAULT_SERVICE: Filter = Filter {
    name: "default_service",
    words: Some(Words::Boolean),
    passes: |_, object, word| object.header.system_owned.to_string() == word,
};

/// The declaration of services.
pub static SERVICE: Kind = Kind {
    level: Level::Semantic,
    forceable: true,
    read_only: &["default_service"],
    filters: &[DEFAULT_SERVICE],
    // The Go client names the service itself by its element's class [gosdk grouping_objects_api.go].
    aliases: &[
        "L4PortSetNSService",
        "ICMPTypeNSService",
        "IPProtocolNSService",
        "IGMPTypeNSService",
        "ALGTypeNSService",
        "EtherTypeNSService",
    ],
    ..Kind::of::<NSService>("NSService", "/ns-services")
};

/// The declaration of service groups.
pub static GROUP: Kind = Kind {
    level: Level::Semantic,
    forceable: true,
    read_only: &["default_service", "service_type"],
    filters: &[DEFAULT_SERVICE],
    ..Kind::of::<NSServiceGroup>("NSServiceGroup", "/ns-service-groups")
};

/// Traffic with a name.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct NSService {
    /// What traffic; its class is fixed [doc admin guide].
    pub nsservice_element: ServiceElement,
}

/// Services under one name.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct NSServiceGroup {
    /// Services, or groups of them.
    pub members: Items<ResourceReference, 50>,
}

impl Resource for NSService {
    fn fields(&self, header: &Header, _: &Inventory) -> Fields {
        let mut fields = wire::fields_of(self);
        fields.insert("default_service".into(), header.system_owned.into());
        fields
    }

    fn admit(
        &mut self,
        _: &mut Header,
        before: Option<&Self>,
        _: &mut Transaction<'_>,
    ) -> Result<(), Error> {
        let class = self.nsservice_element.variant();
        if before.is_some_and(|before| before.nsservice_element.variant() != class) {
            return Err(Error::field("nsservice_element.resource_type", "can not be changed"));
        }
        match self.nsservice_element.problem() {
            Some(problem) => Err(Error::field("nsservice_element", problem)),
            None => Ok(()),
        }
    }
}

/// Whether a service or group of services speaks of Ethernet frames; none for other objects, and
/// for groups without a service.
pub fn is_ether(
    object: &Object,
    find: &impl Fn(&str, &str) -> Option<Arc<Object>>,
) -> Option<bool> {
    if let Some(service) = object.body::<NSService>() {
        return Some(service.nsservice_element.is_ether());
    }
    object.body::<NSServiceGroup>()?.is_ether(find)
}

impl NSServiceGroup {
    fn member_ids(&self) -> impl Iterator<Item = Reference> {
        self.members.iter().filter_map(ResourceReference::object)
    }

    /// Whether its services speak of Ethernet frames; none where it has no service.
    fn is_ether(&self, find: &impl Fn(&str, &str) -> Option<Arc<Object>>) -> Option<bool> {
        let services = self.services(find);
        services.first()?.body::<NSService>().map(|own| own.nsservice_element.is_ether())
    }

    /// Every service below the group, once each, however deep.
    pub fn services(&self, find: &impl Fn(&str, &str) -> Option<Arc<Object>>) -> Vec<Arc<Object>> {
        let mut found: Vec<Arc<Object>> = Vec::new();
        let mut ahead: Vec<Reference> = self.member_ids().collect();
        let mut seen = std::collections::HashSet::new();
        while let Some(Reference { kind, id }) = ahead.pop() {
            let Some(object) = find(&kind, &id) else { continue };
            if !seen.insert((kind, id)) {
                continue;
            }
            if let Some(group) = object.body::<Self>() {
                ahead.extend(group.member_ids());
            } else {
                found.push(object);
            }
        }
        found
    }
}

impl Resource for NSServiceGroup {
    fn fields(&self, header: &Header, inventory: &Inventory) -> Fields {
        let ether = self.is_ether(&|kind, id| inventory.find(kind, id)).unwrap_or(false);
        let service_type = if ether { "ETHER" } else { "NON_ETHER" };
        let mut fields = Fields::new();
        fields.insert("members".into(), list_fields(&self.members, inventory));
        fields.insert("service_type".into(), service_type.into());
        fields.insert("default_service".into(), header.system_owned.into());
        fields
    }

    fn references(&self) -> Vec<Reference> {
        self.member_ids().collect()
    }

    fn admit(
        &mut self,
        header: &mut Header,
        before: Option<&Self>,
        transaction: &mut Transaction<'_>,
    ) -> Result<(), Error> {
        for (index, member) in self.members.iter().enumerate() {
            let kind = member.object().map(|reference| reference.kind).unwrap_or_default();
            if ![SERVICE.name, GROUP.name].contains(&kind.as_str()) {
                let field = format!("members[{index}].target_type");
                return Err(Error::field(field, "must be NSService or NSServiceGroup"));
            }
        }
        let mut ahead: Vec<Reference> = self.member_ids().collect();
        let mut seen = Vec::new();
        while let Some(reference) = ahead.pop() {
            if reference.kind == GROUP.name && reference.id == header.id {
                return Err(Error::field("members", "would make the group a member of itself"));
            }
            if !seen.contains(&reference)
                && let Some(object) = transaction.find(&reference.kind, &reference.id)
            {
                ahead.extend(object.any_body().references());
                seen.push(reference);
            }
        }
        let find = |kind: &str, id: &str| transaction.find(kind, id);
        let elements = self.services(&find);
        let mut layers = elements.iter().filter_map(|object| is_ether(object, &find));
        let ether = layers.next();
        if layers.any(|other| Some(other) != ether) {
            return Err(Error::field("members", "can not mix layer 2 and layer 3 services"));
        }
        // Whatever holds the group was admitted for the layer that it had.
        if before
            .and_then(|before| before.is_ether(&find))
            .is_some_and(|before| ether != Some(before))
            && !transaction.referrers(GROUP.name, &header.id).is_empty()
        {
            return Err(Error::field("members", "can not change the layer of a group in use"));
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::SERVICE;
    use crate::inventory::Incoming;
    use serde_json::json;

    #[test]
    fn a_service_may_be_named_by_a_class_of_element_and_by_nothing_else() {
        let read = |name: &str| {
            let element = json!({"resource_type": "L4PortSetNSService", "l4_protocol": "TCP"});
            let sent = [("nsservice_element", element), ("resource_type", json!(name))];
            let fields = sent.into_iter().map(|(name, value)| (name.to_owned(), value));
            Incoming::read(&SERVICE, fields.collect())
        };
        for name in SERVICE.aliases.iter().chain(["NSService"].iter()) {
            assert!(read(name).is_ok(), "{name}");
        }
        assert!(read("NSGroup").is_err());
    }
}
