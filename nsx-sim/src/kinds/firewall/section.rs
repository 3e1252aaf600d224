//! Firewall sections [spec FirewallSection].

use super::enforcement::{self, Enforcement};
use super::order;
use super::rule::{self, FirewallRule};
use crate::clock::Millis;
use crate::inventory::{
    Error, Filter, Header, IndexKey, Inventory, Kind, Object, Query, Reference, Resource,
    Transaction, Verbs, Words,
};
use crate::kinds::ns_service;
use crate::kinds::reference::{References, ResourceReference, list_fields};
use crate::wire::Fields;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use std::sync::Arc;

/// The declaration. Lists and writes have their own rules, so their routes are in
/// `http::firewall`; what is common is here.
pub static KIND: Kind = Kind {
    verbs: Verbs::NONE,
    stale_conflicts: true,
    system_owned_changes: true,
    read_only: &[
        "is_default",
        "rule_count",
        "priority",
        "enforced_on",
        "locked",
        "lock_modified_by",
        "lock_modified_time",
        "comments",
        "autoplumbed",
    ],
    filters: &[
        Filter {
            name: "type",
            words: Some(Words::Of(&["LAYER2", "LAYER3"])),
            passes: |_, object, word| {
                section(object).is_some_and(|own| own.section_type.word() == word)
            },
        },
        Filter {
            name: "locked",
            words: Some(Words::Boolean),
            passes: |_, object, word| {
                section(object).is_some_and(|own| own.lock.is_some().to_string() == word)
            },
        },
        Filter {
            name: "include_applied_to_type",
            words: Some(Words::Of(&["NSGroup", "LogicalSwitch", "LogicalRouter", "LogicalPort"])),
            passes: |_, object, kind| section(object).is_some_and(|own| own.is_applied_to_a(kind)),
        },
        Filter {
            name: "exclude_applied_to_type",
            words: Some(Words::Of(&["NSGroup", "LogicalSwitch", "LogicalRouter", "LogicalPort"])),
            passes: |_, object, kind| section(object).is_some_and(|own| !own.is_applied_to_a(kind)),
        },
        Filter {
            name: "enforced_on",
            words: Some(Words::Of(&[
                "VIF",
                "LOGICALROUTER",
                "BRIDGEENDPOINT",
                "DHCP_SERVICE",
                "METADATA_PROXY",
                "L2VPN_SESSION",
                "NONE",
            ])),
            passes: |_, object, word| {
                section(object).is_some_and(|own| own.enforcement().word() == word)
            },
        },
    ],
    ..Kind::of::<FirewallSection>("FirewallSection", "/firewall/sections")
};

/// Index: rule id to section.
pub const BY_RULE: &str = "section-by-rule";

/// The most rules of a section [spec FirewallSectionRuleList].
pub const MAX_RULES: usize = 1000;

fn section(object: &Object) -> Option<&FirewallSection> {
    object.body()
}

/// Rules with an order, and what they have in common.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct FirewallSection {
    /// Ethernet or IP; fixed.
    pub section_type: SectionType,
    /// Whether connections are tracked; fixed [doc: can not be changed later].
    pub stateful: bool,
    /// Whether a TCP connection must begin with SYN.
    #[serde(default)]
    pub tcp_strict: bool,
    /// On which vNICs the rules stand, over whatever they say themselves; none leaves it to them.
    /// Or on which routers: then a rule may narrow it to some of their ports.
    pub applied_tos: Option<References>,
    /// The last section of its layer, which can not go.
    #[serde(skip)]
    pub is_default: bool,
    /// First match wins.
    #[serde(skip)]
    pub rules: Vec<Arc<FirewallRule>>,
    /// Who keeps others from changing it.
    #[serde(skip)]
    pub lock: Option<Lock>,
    /// What was said at the last lock or unlock.
    #[serde(skip)]
    pub comments: Option<String>,
}

/// Ethernet or IP.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
pub enum SectionType {
    /// Ethernet frames; always stateless.
    #[serde(rename = "LAYER2")]
    Layer2,
    /// IP packets.
    #[serde(rename = "LAYER3")]
    Layer3,
    /// Service insertion; not modelled.
    #[serde(rename = "L3REDIRECT")]
    L3Redirect,
}

impl SectionType {
    /// The wire name.
    pub fn word(self) -> &'static str {
        match self {
            Self::Layer2 => "LAYER2",
            Self::Layer3 => "LAYER3",
            Self::L3Redirect => "L3REDIRECT",
        }
    }
}

/// Who holds a section, and since when.
#[derive(Clone, Debug)]
pub struct Lock {
    /// The user.
    pub user: String,
    /// Since when.
    pub time: Millis,
}

impl FirewallSection {
    /// A section that the manager itself makes last of its layer, with one rule for the rest.
    pub fn default_of(section_type: SectionType, rule: FirewallRule) -> Self {
        Self {
            section_type,
            stateful: section_type == SectionType::Layer3,
            tcp_strict: false,
            applied_tos: None,
            is_default: true,
            rules: vec![Arc::new(FirewallRule { is_default: true, ..rule })],
            lock: None,
            comments: None,
        }
    }

    /// The place and the rule with an id, written as the manager writes it.
    pub fn rule(&self, id: &str) -> Option<(usize, &Arc<FirewallRule>)> {
        let number: u64 = id.parse().ok().filter(|number: &u64| number.to_string() == id)?;
        self.rules.iter().enumerate().find(|(_, rule)| rule.id == number)
    }

    /// The rules in wire form.
    pub fn rules_fields(&self, header: &Header, inventory: &Inventory) -> Vec<Fields> {
        let rules = self.rules.iter().enumerate();
        rules.map(|(place, rule)| rule.fields(header, place, inventory)).collect()
    }

    /// Where the rules stand.
    pub fn enforcement(&self) -> Enforcement {
        if self.is_applied_to_a("LogicalRouter") {
            Enforcement::Routers
        } else {
            Enforcement::Vnics
        }
    }

    fn is_applied_to_a(&self, kind: &str) -> bool {
        let targets = self.applied_tos.as_deref().unwrap_or_default();
        targets.iter().any(|target| target.target_type.as_deref() == Some(kind))
    }
}

impl Resource for FirewallSection {
    fn fields(&self, _: &Header, inventory: &Inventory) -> Fields {
        let applied_tos = self.applied_tos.as_ref().filter(|list| !list.is_empty());
        let mut printed = json!({
            "section_type": self.section_type,
            "stateful": self.stateful,
            "tcp_strict": self.tcp_strict,
            "applied_tos": applied_tos.map(|list| list_fields(list, inventory)),
            "rule_count": self.rules.len(),
            "is_default": self.is_default,
            "enforced_on": self.enforcement().word(),
            "locked": self.lock.is_some(),
            "lock_modified_by": self.lock.as_ref().map(|lock| &lock.user),
            "lock_modified_time": self.lock.as_ref().map(|lock| lock.time),
            "comments": self.comments,
            "autoplumbed": false,
        });
        crate::wire::without_nulls(&mut printed);
        match printed {
            Value::Object(fields) => fields,
            _ => Fields::new(),
        }
    }

    fn references(&self) -> Vec<Reference> {
        let own = self.applied_tos.iter().flat_map(|list| list.iter());
        let mut references: Vec<Reference> = own
            .filter_map(ResourceReference::object)
            .chain(self.rules.iter().flat_map(|rule| rule.references().collect::<Vec<_>>()))
            .collect();
        references.sort_by(|one, other| (&one.kind, &one.id).cmp(&(&other.kind, &other.id)));
        references.dedup();
        references
    }

    fn keys(&self) -> Vec<IndexKey> {
        self.rules.iter().map(|rule| (BY_RULE, rule.id.to_string())).collect()
    }

    fn admit(
        &mut self,
        _: &mut Header,
        before: Option<&Self>,
        transaction: &mut Transaction<'_>,
    ) -> Result<(), Error> {
        if self.section_type == SectionType::L3Redirect {
            return Err(Error::Unsupported("a firewall section of type L3REDIRECT".into()));
        }
        if self.section_type == SectionType::Layer2 && self.stateful {
            return Err(Error::field("stateful", "must be false in a LAYER2 section"));
        }
        if let Some(before) = before {
            if self.section_type != before.section_type {
                return Err(Error::field("section_type", "can not be changed"));
            }
            if self.stateful != before.stateful {
                return Err(Error::field("stateful", "can not be changed"));
            }
            if self.is_default && self.applied_tos.as_ref().is_some_and(|list| !list.is_empty()) {
                return Err(Error::field("applied_tos", "can not be set on a default section"));
            }
        }
        let enforcement = self.enforcement();
        if enforcement == Enforcement::Routers && self.section_type == SectionType::Layer2 {
            return Err(Error::field("applied_tos", "routers have rules of layer 3 only"));
        }
        enforcement::check(self.applied_tos.as_ref(), enforcement.sections())?;
        if self.rules.len() > MAX_RULES {
            return Err(Error::field("rules", format!("has exceeded maximum size {MAX_RULES}")));
        }
        let layer2 = self.section_type == SectionType::Layer2;
        let find = |kind: &str, id: &str| transaction.find(kind, id);
        for rule in &self.rules {
            rule.check(self.section_type)?;
            enforcement::check(rule.applied_tos.as_ref(), enforcement.rules())?;
            // What the rule named before was admitted then, and may have been made anew since.
            let known = before.and_then(|before| before.rule(&rule.id.to_string()));
            let is_known = |named: &Reference| {
                known.is_some_and(|(_, known)| known.named_services().any(|own| own == *named))
            };
            for named in rule.named_services().filter(|named| !is_known(named)) {
                let service = find(&named.kind, &named.id);
                let ether = service.and_then(|own| ns_service::is_ether(&own, &find));
                if ether.is_some_and(|ether| ether != layer2) {
                    let problem = format!("{}/{} is of another layer", named.kind, named.id);
                    return Err(Error::field("services", problem));
                }
            }
        }
        Ok(())
    }

    fn retire(
        object: &Object,
        transaction: &mut Transaction<'_>,
        query: &Query,
    ) -> Result<(), Error> {
        let own = section(object);
        let id = &object.header.id;
        let refuse = |why| Err(Error::NotModifiable { kind: KIND.name, id: id.clone(), why });
        if own.is_some_and(|own| own.is_default) {
            return refuse("a default section can not be deleted");
        }
        if own.is_some_and(|own| !own.rules.is_empty()) && !query.flag("cascade")? {
            return refuse("the section has rules; cascade=true deletes them too");
        }
        super::operations::check_lock(object, transaction.actor())?;
        order::remove(transaction, id)
    }
}

/// A rule that was not found.
pub(super) fn missing_rule(id: &str) -> Error {
    Error::NotFound { kind: rule::RESOURCE_TYPE, id: id.to_owned() }
}
