//! Revocation lists that callers imported, and the points that they come from
//! [spec Crl, CrlDistributionPoint].

use crate::inventory::{
    Error, Header, HeaderFields, Inventory, Kind, Level, Object, Resource, Transaction, Verbs,
};
use crate::kinds::global_config::{self, GlobalConfig};
use crate::wire::{self, Fields, Text, Told};
use crate::x509::Revocations;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use std::sync::Arc;

/// The declaration of lists. They come by [`import`].
pub static LIST: Kind = Kind {
    level: Level::Semantic,
    verbs: Verbs { list: true, create: false, update: true, delete: true },
    ..Kind::of::<Crl>("Crl", "/trust-management/crls")
};

/// The declaration of distribution points.
pub static POINT: Kind = Kind::of::<CrlDistributionPoint>(
    "CrlDistributionPoint",
    "/trust-management/crl-distribution-points",
);

/// A revocation list.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Crl {
    /// The list, PEM.
    pub pem_encoded: String,
    /// Printed where it is asked for.
    #[serde(default)]
    details: Told<Value>,
    #[serde(skip)]
    parsed: Option<Revocations>,
}

impl Crl {
    /// What the list itself says.
    pub fn parsed(&self) -> Option<&Revocations> {
        self.parsed.as_ref()
    }
}

impl Resource for Crl {
    fn admit(
        &mut self,
        _: &mut Header,
        _: Option<&Self>,
        _: &mut Transaction<'_>,
    ) -> Result<(), Error> {
        let read = Revocations::read(&self.pem_encoded);
        self.parsed = Some(read.map_err(|why| Error::field("pem_encoded", why))?);
        Ok(())
    }
}

/// Where an authority publishes its list. Nobody fetches it (docs/fidelity.md).
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct CrlDistributionPoint {
    /// Told to be the manager's alone; what is sent when the point is made is kept all the same, for
    /// without it there would be none (docs/fidelity.md).
    #[schemars(extend("readOnly" = true))]
    pub cdp_uri: Option<Text<255>>,
    /// Likewise.
    #[schemars(extend("readOnly" = true))]
    pub issuer: Option<Text<255>>,
}

impl Resource for CrlDistributionPoint {
    /// A change is of the header alone [spec UpdateCrlDistributionPoint].
    fn admit(
        &mut self,
        _: &mut Header,
        before: Option<&Self>,
        _: &mut Transaction<'_>,
    ) -> Result<(), Error> {
        if let Some(before) = before {
            *self = before.clone();
        }
        Ok(())
    }
}

impl CrlDistributionPoint {
    /// The stored list of the point's issuer.
    pub fn list(&self, inventory: &Inventory) -> Option<Arc<Object>> {
        let issuer = self.issuer.as_deref()?;
        let mut lists = inventory.all(LIST.name).into_iter();
        lists.find(|own| {
            let parsed = own.body::<Crl>().and_then(Crl::parsed);
            parsed.is_some_and(|own| own.issuer == issuer)
        })
    }
}

/// Imports a list [spec CrlObjectData].
///
/// # Errors
/// [`Error::InvalidFields`] for what is none.
pub fn import(tx: &mut Transaction<'_>, mut fields: Fields) -> Result<Arc<Object>, Error> {
    let header = HeaderFields::take(&mut fields)?;
    fields.shift_remove("resource_type");
    let body: Crl = wire::read(Value::Object(fields))?;
    tx.create(&LIST, header.with(Box::new(body)))
}

/// Whether a stored list takes a certificate, DER, back; none does while
/// `SecurityGlobalConfig.crl_checking_enabled` is false. Signatures of lists are not checked
/// (docs/fidelity.md).
pub fn is_revoked(inventory: &Inventory, certificate: &[u8]) -> bool {
    let settings = inventory.find(global_config::KIND.name, "SecurityGlobalConfig");
    let off = settings.is_some_and(|own| {
        matches!(own.body(), Some(GlobalConfig::SecurityGlobalConfig(own)) if !own.crl_checking_enabled)
    });
    let lists = inventory.all(LIST.name);
    !off && lists
        .iter()
        .filter_map(|own| own.body::<Crl>()?.parsed())
        .any(|own| own.hold(certificate))
}
