//! Firewall rules [spec FirewallRule]. A rule lives in its section, whose revision is its own.

use super::section::SectionType;
use crate::clock::Millis;
use crate::inventory::{Error, Header, HeaderFields, Inventory, Reference};
use crate::kinds::reference::{References, ResourceReference, Target, list_fields};
use crate::kinds::service_element::ServiceElement;
use crate::wire::{self, Fields, Items, Text, Told};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;

/// The wire name of the type.
pub const RESOURCE_TYPE: &str = "FirewallRule";

/// A rule: what it matches, where, and what happens then.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct FirewallRule {
    /// Decimal, unique over all sections, never given twice.
    #[serde(skip)]
    pub id: u64,
    /// The last rule of a default section.
    #[serde(skip)]
    pub is_default: bool,
    /// When it was made: its popularity is told by its age.
    #[serde(skip)]
    pub created: Millis,
    /// The id is shown where none was given.
    pub display_name: Option<Text<255>>,
    /// Free text.
    pub description: Option<Text<1024>>,
    /// What happens to a packet that matches.
    pub action: Action,
    /// None is any source.
    pub sources: Option<References>,
    /// Matches what `sources` does not.
    #[serde(default)]
    pub sources_excluded: bool,
    /// None is any destination.
    pub destinations: Option<References>,
    /// Matches what `destinations` does not.
    #[serde(default)]
    pub destinations_excluded: bool,
    /// None is any service.
    pub services: Option<Items<FirewallService, 128>>,
    pub(super) context_profiles: Option<References>,
    pub(super) extended_sources: Option<References>,
    /// On which vNICs the rule stands, where the section does not say; none is all.
    pub applied_tos: Option<References>,
    /// Seen from the vNIC.
    #[serde(default)]
    pub direction: Direction,
    /// Of which IP version.
    #[serde(default)]
    pub ip_protocol: IpProtocol,
    #[serde(default)]
    pub(super) logged: bool,
    /// Stored and never realized.
    #[serde(default)]
    pub disabled: bool,
    pub(super) rule_tag: Option<Text<32>>,
    pub(super) notes: Option<Text<2048>>,
}

/// What happens to a packet that matches.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
#[allow(missing_docs, reason = "wire names that say it all")]
pub enum Action {
    Allow,
    Drop,
    Reject,
    Redirect,
    DoNotRedirect,
}

/// Seen from the vNIC.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum Direction {
    /// Packets to it.
    In,
    /// Packets from it.
    Out,
    /// Both.
    #[default]
    InOut,
}

/// Of which IP version.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[allow(missing_docs, reason = "wire names that say it all")]
pub enum IpProtocol {
    #[serde(rename = "IPV4")]
    V4,
    #[serde(rename = "IPV6")]
    V6,
    #[default]
    #[serde(rename = "IPV4_IPV6")]
    Both,
}

/// A service by reference, or one written out [spec FirewallService].
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct FirewallService {
    target_id: Option<Text<64>>,
    target_type: Option<Text<255>>,
    #[serde(default, rename = "target_display_name")]
    _target_display_name: Told<String>,
    #[serde(default, rename = "is_valid")]
    _is_valid: Told<bool>,
    /// The service itself, where it is written out.
    pub service: Option<ServiceElement>,
}

impl FirewallService {
    /// The service or group of services it names.
    pub fn object(&self) -> Option<Reference> {
        match (&self.service, &self.target_type, &self.target_id) {
            (None, Some(kind), Some(id)) => Some(Reference::new(&**kind, &**id)),
            _ => None,
        }
    }

    /// The wire form, with the present name of what it names.
    pub fn fields(&self, inventory: &Inventory) -> Fields {
        if let Some(element) = &self.service {
            let mut fields = Fields::new();
            fields.insert("service".into(), serde_json::to_value(element).unwrap_or_default());
            return fields;
        }
        let named = self.object().unwrap_or_else(|| Reference::new("", ""));
        ResourceReference::to_object(&named.kind, &named.id).fields(inventory)
    }
}

/// Members that only the manager sets, or that say what the path says already.
const READ_ONLY: &[&str] = &["section_id", "is_default", "priority", "resource_type"];

impl FirewallRule {
    /// A rule as a caller sent it: the rule, the id it claims and the revision it was read at.
    ///
    /// # Errors
    /// [`Error::UnknownField`] and [`Error::InvalidFields`].
    pub fn read(mut fields: Fields) -> Result<Sent, Error> {
        if let Some(name) = fields.get("resource_type").and_then(Value::as_str)
            && name != RESOURCE_TYPE
        {
            return Err(Error::field("resource_type", format!("must be {RESOURCE_TYPE}")));
        }
        if fields.contains_key("tags") {
            return Err(Error::UnknownField("tags".into()));
        }
        let names = ["display_name", "description"].map(|name| (name, fields.shift_remove(name)));
        let id = fields.get("id").and_then(number);
        let header = HeaderFields::take(&mut fields)?;
        for name in READ_ONLY {
            fields.shift_remove(*name);
        }
        fields.extend(names.into_iter().filter_map(|(name, value)| Some((name.into(), value?))));
        let rule = wire::read(Value::Object(fields))?;
        Ok(Sent { rule, id, revision: header.revision })
    }

    /// The wire form within a section.
    pub fn fields(&self, section: &Header, place: usize, inventory: &Inventory) -> Fields {
        let id = self.id.to_string();
        let name = self.display_name.as_deref().unwrap_or(&id);
        let references = |list: &Option<References>| {
            list.as_ref().map(|references| list_fields(references, inventory))
        };
        let services = self.services.as_ref().map(|services| -> Value {
            services.iter().map(|service| Value::Object(service.fields(inventory))).collect()
        });
        let mut printed = serde_json::json!({
            "resource_type": RESOURCE_TYPE,
            "id": id,
            "display_name": name,
            "description": self.description,
            "notes": self.notes,
            "section_id": section.id,
            "is_default": self.is_default,
            "priority": place,
            "action": self.action,
            "direction": self.direction,
            "ip_protocol": self.ip_protocol,
            "sources": references(&self.sources),
            "sources_excluded": self.sources_excluded,
            "destinations": references(&self.destinations),
            "destinations_excluded": self.destinations_excluded,
            "services": services,
            "context_profiles": references(&self.context_profiles),
            "extended_sources": references(&self.extended_sources),
            "applied_tos": references(&self.applied_tos),
            "logged": self.logged,
            "disabled": self.disabled,
            "rule_tag": self.rule_tag,
            "_revision": section.revision,
        });
        wire::without_nulls(&mut printed);
        match printed {
            Value::Object(fields) => fields,
            _ => Fields::new(),
        }
    }

    /// Every object that the rule names.
    pub fn references(&self) -> impl Iterator<Item = Reference> {
        let lists = [&self.sources, &self.destinations, &self.applied_tos];
        let objects = lists.into_iter().flatten().flat_map(|list| list.iter());
        objects.filter_map(ResourceReference::object).chain(self.named_services())
    }

    /// The services and groups of services that the rule names.
    pub fn named_services(&self) -> impl Iterator<Item = Reference> {
        let services = self.services.as_deref().unwrap_or_default();
        services.iter().filter_map(FirewallService::object)
    }

    /// Whether the rule may stand in a section of this type.
    ///
    /// # Errors
    /// [`Error::InvalidFields`] where it may not, [`Error::Unsupported`] for what is not modelled.
    pub fn check(&self, section: SectionType) -> Result<(), Error> {
        if matches!(self.action, Action::Redirect | Action::DoNotRedirect) {
            return Err(Error::field("action", "must be ALLOW, DROP or REJECT"));
        }
        for (name, list) in [
            ("context_profiles", &self.context_profiles),
            ("extended_sources", &self.extended_sources),
        ] {
            if list.as_ref().is_some_and(|list| !list.is_empty()) {
                return Err(Error::Unsupported(format!("a firewall rule's {name}")));
            }
        }
        let layer2 = section == SectionType::Layer2;
        check_peers("sources", self.sources.as_ref(), layer2)?;
        check_peers("destinations", self.destinations.as_ref(), layer2)?;
        for (index, service) in self.services.iter().flat_map(|list| list.iter()).enumerate() {
            check_service(&format!("services[{index}]"), service, layer2)?;
        }
        Ok(())
    }
}

/// A rule as a caller sent it.
pub struct Sent {
    /// The rule, still without an id of its own.
    pub rule: FirewallRule,
    /// The id that the caller sent, if any.
    pub id: Option<u64>,
    /// The revision that the caller sent, if any.
    pub revision: Option<i64>,
}

fn number(value: &Value) -> Option<u64> {
    value.as_u64().or_else(|| value.as_str()?.parse().ok())
}

/// Sources and destinations name what resolves to addresses.
///
/// # Errors
/// [`Error::InvalidFields`] for the first reference that does not.
pub fn check_peers(field: &str, list: Option<&References>, layer2: bool) -> Result<(), Error> {
    for (index, peer) in list.iter().flat_map(|list| list.iter()).enumerate() {
        let allowed = match peer.target() {
            Target::Address(_) | Target::Object { kind: "IPSet", .. } => !layer2,
            Target::Object { kind: "MACSet", .. } => layer2,
            Target::Object { kind, .. } => {
                ["NSGroup", "LogicalSwitch", "LogicalPort"].contains(&kind)
            }
            Target::Nothing => false,
        };
        if !allowed {
            let kind = peer.target_type.as_deref().unwrap_or("nothing");
            let problem = format!("{kind} can not be named here");
            return Err(Error::field(format!("{field}[{index}].target_type"), problem));
        }
    }
    Ok(())
}

/// A service is written out, or a service or a group of services, of the layer asked for.
///
/// # Errors
/// [`Error::InvalidFields`] where it is not.
pub fn check_service(field: &str, service: &FirewallService, layer2: bool) -> Result<(), Error> {
    if let Some(element) = &service.service {
        if element.is_ether() != layer2 {
            let problem = format!("{} is of another layer", element.variant());
            return Err(Error::field(field, problem));
        }
        return element.problem().map_or(Ok(()), |problem| Err(Error::field(field, problem)));
    }
    match service.object() {
        Some(named) if ["NSService", "NSServiceGroup"].contains(&named.kind.as_str()) => Ok(()),
        _ => {
            Err(Error::field(field, "must name an NSService or NSServiceGroup, or hold a service"))
        }
    }
}
