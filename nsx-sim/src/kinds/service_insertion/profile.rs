//! Vendor templates and the profiles made of them, and solution configs: what a service is told
//! [spec VendorTemplate, BaseServiceProfile, SolutionConfig].

use super::parts::{Attributes, Functionality, RedirectionAction, part_of};
use super::service;
use crate::inventory::{
    Error, Filter, Header, Kind, Object, Parent, Reference, Resource, Transaction, Verbs,
};
use crate::kinds::values::Formed;
use crate::wire::{Int, Told, polymorphic};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::net::Ipv4Addr;

/// All plain verbs but `PUT`.
const FIXED: Verbs = Verbs { update: false, ..Verbs::ALL };

/// The declaration of vendor templates.
pub static TEMPLATE: Kind = Kind {
    parent: Some(Parent::of(service::KIND_NAME)),
    verbs: FIXED,
    created: 200,
    filters: &[Filter {
        name: "vendor_template_name",
        words: None,
        passes: |_, object, name| object.header.name() == name,
    }],
    ..Kind::of::<VendorTemplate>("VendorTemplate", "/serviceinsertion/services/{}/vendor-templates")
};

/// The declaration of profiles.
pub static KIND: Kind = Kind {
    parent: Some(Parent::of(service::KIND_NAME)),
    verbs: FIXED,
    created: 200,
    polymorphic: true,
    ..Kind::of::<ServiceProfile>("ServiceProfile", "/serviceinsertion/services/{}/service-profiles")
};

/// The declaration of solution configs.
pub static SOLUTION: Kind = Kind {
    parent: Some(Parent::of(service::KIND_NAME)),
    created: 200,
    ..Kind::of::<SolutionConfig>("SolutionConfig", "/serviceinsertion/services/{}/solution-configs")
};

/// What the partner lets be said.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct VendorTemplate {
    functionality: Option<Functionality>,
    vendor_template_key: Option<String>,
    #[serde(default)]
    redirection_action: RedirectionAction,
    attributes: Option<Attributes>,
    #[serde(default)]
    service_id: Told<String>,
}

/// What is said.
#[derive(Clone, Debug, Deserialize)]
#[allow(clippy::enum_variant_names, reason = "wire names")]
pub enum ServiceProfile {
    /// For services that look into guests.
    GiServiceProfile(GuestProfile),
    /// For services that packets go through.
    ServiceInsertionServiceProfile(InsertionProfile),
}

polymorphic!(ServiceProfile { GiServiceProfile, ServiceInsertionServiceProfile });

/// For services that look into guests [spec GiServiceProfile].
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct GuestProfile {
    vendor_template_id: String,
    /// That of the template.
    #[serde(default)]
    vendor_template_key: Told<String>,
    #[serde(default)]
    service_id: Told<String>,
}

/// For services that packets go through [spec ServiceInsertionServiceProfile].
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct InsertionProfile {
    vendor_template_id: String,
    #[serde(default)]
    redirection_action: RedirectionAction,
    attributes: Option<Attributes>,
    #[serde(default)]
    service_id: Told<String>,
}

/// Where a service listens for what looks into guests.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct SolutionConfig {
    solution_id: String,
    control_ip: Formed<Ipv4Addr>,
    listen_port: Int<48_651, 48_655>,
    #[serde(default)]
    service_id: Told<String>,
}

impl ServiceProfile {
    fn template(&self) -> &str {
        match self {
            Self::GiServiceProfile(own) => &own.vendor_template_id,
            Self::ServiceInsertionServiceProfile(own) => &own.vendor_template_id,
        }
    }
}

impl Resource for VendorTemplate {
    fn admit(
        &mut self,
        header: &mut Header,
        _: Option<&Self>,
        _: &mut Transaction<'_>,
    ) -> Result<(), Error> {
        self.service_id = part_of(header.parent.as_ref());
        Ok(())
    }
}

impl Resource for ServiceProfile {
    fn resource_type(&self) -> Option<&'static str> {
        Some(self.variant())
    }

    fn references(&self) -> Vec<Reference> {
        vec![Reference::new(TEMPLATE.name, self.template())]
    }

    fn admit(
        &mut self,
        header: &mut Header,
        _: Option<&Self>,
        transaction: &mut Transaction<'_>,
    ) -> Result<(), Error> {
        let service_id = part_of(header.parent.as_ref());
        let template = transaction.find(TEMPLATE.name, self.template());
        if template.as_ref().is_some_and(|own| own.header.parent != header.parent) {
            return Err(Error::field("vendor_template_id", "is of another service"));
        }
        let template = template.as_deref().and_then(Object::body::<VendorTemplate>);
        match self {
            Self::GiServiceProfile(own) => {
                own.service_id = service_id;
                let key = template.and_then(|template| template.vendor_template_key.clone());
                own.vendor_template_key = Told(key);
            }
            Self::ServiceInsertionServiceProfile(own) => {
                own.service_id = service_id;
                // It can not override the template's
                // [spec ServiceInsertionServiceProfile.redirection_action].
                if let Some(template) = template {
                    own.redirection_action = template.redirection_action;
                }
            }
        }
        Ok(())
    }
}

impl Resource for SolutionConfig {
    fn admit(
        &mut self,
        header: &mut Header,
        _: Option<&Self>,
        _: &mut Transaction<'_>,
    ) -> Result<(), Error> {
        self.service_id = part_of(header.parent.as_ref());
        Ok(())
    }
}
