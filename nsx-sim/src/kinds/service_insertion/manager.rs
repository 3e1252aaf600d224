//! The partners' own managers, which are told of events [spec ServiceManager]. None is called from
//! here (docs/fidelity.md).

use super::service::{self, ServiceDefinition};
use crate::inventory::{Error, Header, Inventory, Kind, Object, Reference, Resource, Transaction};
use crate::kinds::reference::{ResourceReference, list_fields};
use crate::wire::{self, Fields, Int, Told};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// The declaration.
pub static KIND: Kind =
    Kind::of::<ServiceManager>("ServiceManager", "/serviceinsertion/service-managers");

/// Where a partner is told of events, and of which services.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ServiceManager {
    server: String,
    port: Int<0, 65_535>,
    uri: String,
    authentication_scheme: AuthenticationScheme,
    service_ids: Vec<ResourceReference>,
    thumbprint: Option<String>,
    /// That of the services.
    #[serde(default)]
    vendor_id: Told<String>,
}

#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct AuthenticationScheme {
    scheme_name: SchemeName,
    username: Option<String>,
    /// Never printed.
    #[serde(skip_serializing)]
    password: Option<String>,
    certificate_id: Option<String>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
enum SchemeName {
    BasicAuth,
    Certificate,
}

impl Resource for ServiceManager {
    fn fields(&self, _: &Header, inventory: &Inventory) -> Fields {
        let mut fields = wire::fields_of(self);
        fields.insert("service_ids".into(), list_fields(&self.service_ids, inventory));
        fields
    }

    fn references(&self) -> Vec<Reference> {
        self.service_ids.iter().filter_map(|own| own.object_of_a(service::KIND.name)).collect()
    }

    fn admit(
        &mut self,
        _: &mut Header,
        before: Option<&Self>,
        transaction: &mut Transaction<'_>,
    ) -> Result<(), Error> {
        let scheme = &mut self.authentication_scheme;
        if scheme.password.is_none() {
            // A caller that puts back what it read can not send what it was not shown.
            scheme.password =
                before.and_then(|before| before.authentication_scheme.password.clone());
        }
        let absent = match scheme.scheme_name {
            SchemeName::BasicAuth => {
                [("username", scheme.username.is_none()), ("password", scheme.password.is_none())]
            }
            SchemeName::Certificate => {
                let absent = scheme.certificate_id.is_none();
                [("certificate_id", absent), ("certificate_id", absent)]
            }
        };
        if let Some((name, _)) = absent.iter().find(|(_, absent)| *absent) {
            let field = format!("authentication_scheme.{name}");
            return Err(Error::field(field, "is required by the scheme"));
        }
        let services = self.references().into_iter();
        let vendor =
            services.filter_map(|own| transaction.find(&own.kind, &own.id)).find_map(|service| {
                Object::body::<ServiceDefinition>(&service).map(|own| own.vendor_id.clone())
            });
        self.vendor_id = Told(vendor);
        Ok(())
    }
}
