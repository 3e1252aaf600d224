//! Context profiles: applications, domains and categories by which later packets of a connection
//! can be told [spec NSProfile]. Kept, and without use in rules (docs/fidelity.md).

use crate::inventory::{Error, Filter, Header, Kind, Resource, Transaction};
use crate::wire::{Items, Told};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// The declaration.
pub static KIND: Kind = Kind {
    // Pages of profiles hold 50 whatever is asked for [spec ListNSProfiles].
    page_cap: 50,
    forceable: true,
    filters: &[Filter {
        name: "attribute_type",
        words: Some(crate::inventory::Words::Of(&ATTRIBUTE_TYPES)),
        passes: |_, object, word| {
            let own = object.body::<NSProfile>();
            own.is_some_and(|own| {
                own.nsprofile_attribute.iter().any(|one| one.attributes_data.key == word)
            })
        },
    }],
    ..Kind::of::<NSProfile>("NSProfile", "/ns-profiles")
};

/// What profiles can speak of [spec NSAttributesData; doc: context profiles].
pub const ATTRIBUTE_TYPES: [&str; 3] = ["APP_ID", "DOMAIN_NAME", "URL_CATEGORY"];

/// Attributes that a connection must have.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct NSProfile {
    nsprofile_attribute: Vec<Attribute>,
    #[serde(default)]
    is_valid: Told<bool>,
}

/// An attribute, and what narrows it [spec NSAttributes].
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Attribute {
    attributes_data: AttributeData,
    sub_attributes: Option<Vec<AttributeData>>,
}

/// A key and its values [spec NSAttributesData].
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct AttributeData {
    key: String,
    datatype: DataType,
    value: Items<String, { usize::MAX }, 1>,
    description: Option<String>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "UPPERCASE")]
enum DataType {
    String,
}

impl AttributeData {
    fn check_values(&self, field: &str) -> Result<(), Error> {
        let repeats = |(place, value)| self.value[..place].contains(value);
        if self.value.iter().enumerate().any(repeats) {
            return Err(Error::field(format!("{field}.value"), "names a value twice"));
        }
        Ok(())
    }
}

impl Attribute {
    fn check(&self, field: &str) -> Result<(), Error> {
        let data = &self.attributes_data;
        if !ATTRIBUTE_TYPES.contains(&data.key.as_str()) {
            let problem = format!("must be one of {}", ATTRIBUTE_TYPES.join(", "));
            return Err(Error::field(format!("{field}.attributes_data.key"), problem));
        }
        data.check_values(&format!("{field}.attributes_data"))?;
        let subs = self.sub_attributes.as_deref().unwrap_or_default();
        for (index, sub) in subs.iter().enumerate() {
            sub.check_values(&format!("{field}.sub_attributes[{index}]"))?;
        }
        if !subs.is_empty() && data.value.len() > 1 {
            let problem = "can hold one value only beside sub_attributes";
            return Err(Error::field(format!("{field}.attributes_data.value"), problem));
        }
        Ok(())
    }
}

impl Resource for NSProfile {
    fn admit(
        &mut self,
        _: &mut Header,
        _: Option<&Self>,
        _: &mut Transaction<'_>,
    ) -> Result<(), Error> {
        for (index, attribute) in self.nsprofile_attribute.iter().enumerate() {
            let field = format!("nsprofile_attribute[{index}]");
            attribute.check(&field)?;
            let key = &attribute.attributes_data.key;
            let others = &self.nsprofile_attribute[..index];
            if others.iter().any(|other| other.attributes_data.key == *key) {
                let problem = format!("{key} stands in another attribute, too");
                return Err(Error::field(format!("{field}.attributes_data.key"), problem));
            }
        }
        self.is_valid = Told(Some(true));
        Ok(())
    }
}
