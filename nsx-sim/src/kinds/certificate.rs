//! Certificates that callers imported, with or without their keys [spec Certificate].

use crate::inventory::{
    Error, Header, HeaderFields, Incoming, IndexKey, Inventory, Kind, Level, Object, Resource,
    Transaction, Verbs,
};
use crate::kinds::appliance::node::ID;
use crate::kinds::appliance::served;
use crate::kinds::crl;
use crate::wire::{self, Fields};
use crate::x509;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use std::sync::Arc;

/// The declaration. They come by [`import`] and do not change.
pub static KIND: Kind = Kind {
    level: Level::Semantic,
    verbs: Verbs { list: true, create: false, update: false, delete: true },
    polymorphic: true,
    ..Kind::of::<Certificate>("Certificate", "/trust-management/certificates")
};

/// The index of certificates by their bytes.
const BY_BYTES: &str = "certificate-bytes";

/// One certificate.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Certificate {
    pem_encoded: String,
    /// Kept and never shown, like what follows.
    #[serde(skip_serializing)]
    private_key: Option<String>,
    #[serde(skip_serializing)]
    passphrase: Option<String>,
    #[serde(skip_serializing)]
    key_algo: Option<String>,
    #[serde(skip)]
    parsed: Option<x509::Certificate>,
}

impl Certificate {
    /// What the certificate itself says.
    pub fn parsed(&self) -> Option<&x509::Certificate> {
        self.parsed.as_ref()
    }

    /// Its private key, PEM.
    pub fn key(&self) -> Option<&str> {
        self.private_key.as_deref()
    }

    /// Whether its private key was imported with it.
    pub fn has_key(&self) -> bool {
        self.private_key.is_some()
    }
}

impl Resource for Certificate {
    fn resource_type(&self) -> Option<&'static str> {
        let parsed = self.parsed.as_ref()?;
        Some(match (parsed.is_ca, parsed.is_self_signed) {
            (true, _) => "certificate_ca",
            (false, true) => "certificate_self_signed",
            (false, false) => "certificate_signed",
        })
    }

    fn fields(&self, header: &Header, inventory: &Inventory) -> Fields {
        let mut fields = wire::fields_of(self);
        let uses = served::current(inventory).uses(&header.id);
        let uses = (!uses.is_empty()).then(|| json!({"node_id": ID, "service_types": uses}));
        fields.insert("used_by".into(), uses.into_iter().collect());
        fields
    }

    fn keys(&self) -> Vec<IndexKey> {
        self.parsed.iter().map(|own| (BY_BYTES, STANDARD.encode(&own.der))).collect()
    }
}

/// Imports the certificates of a text, one object for each [client nsxlib]. The key is the first one's, as
/// are the name and the id where the caller chose one.
///
/// # Errors
/// [`Error::InvalidFields`] for what is no certificate, or not the first one's key.
pub fn import(tx: &mut Transaction<'_>, mut fields: Fields) -> Result<Vec<Arc<Object>>, Error> {
    let header = HeaderFields::take(&mut fields)?;
    fields.shift_remove("resource_type");
    let sent: Certificate = wire::read(Value::Object(fields))?;
    let invalid = |why| Error::field("pem_encoded", why);
    let parsed = x509::certificates(&sent.pem_encoded).map_err(invalid)?;
    if let (Some(key), Some(first)) = (&sent.private_key, parsed.first()) {
        if sent.passphrase.is_some() && key.contains("ENCRYPTED") {
            return Err(Error::Unsupported("a private key that is encrypted".into()));
        }
        first.check_key(key).map_err(|why| Error::field("private_key", why))?;
    }
    let base = header.with(Box::new(sent.clone()));
    let mut imported = Vec::new();
    for (place, own) in parsed.into_iter().enumerate() {
        let first = place == 0;
        let body = Certificate {
            pem_encoded: own.pem(),
            private_key: sent.private_key.clone().filter(|_| first),
            passphrase: sent.passphrase.clone().filter(|_| first),
            key_algo: sent.key_algo.clone().filter(|_| first),
            parsed: Some(own),
        };
        let incoming = Incoming {
            id: base.id.clone().filter(|_| first),
            display_name: base.display_name.clone(),
            description: base.description.clone(),
            tags: base.tags.clone(),
            ..Incoming::of(body)
        };
        imported.push(tx.create(&KIND, incoming)?);
    }
    Ok(imported)
}

/// Imports the one certificate that comes with a principal.
///
/// # Errors
/// As for [`import`], and [`Error::InvalidFields`] for more than one.
pub fn import_one(tx: &mut Transaction<'_>, name: &str, pem: &str) -> Result<String, Error> {
    let fields = wire::fields_of(&json!({"pem_encoded": pem, "display_name": name}));
    match import(tx, fields)?.as_slice() {
        [one] => Ok(one.header.id.clone()),
        _ => Err(Error::field("certificate_pem", "must be one certificate")),
    }
}

/// The ids of the stored certificates with these bytes that are valid at a time, unless their issuer
/// took them back.
pub fn of_bytes(inventory: &Inventory, der: &[u8], now: u64) -> Vec<String> {
    let mut found = inventory.by_key(BY_BYTES, &STANDARD.encode(der));
    if !found.is_empty() && crl::is_revoked(inventory, der) {
        found.clear();
    }
    let is_valid = |object: &Arc<Object>| {
        let parsed = object.body::<Certificate>().and_then(Certificate::parsed);
        parsed.is_some_and(|own| own.is_valid(now))
    };
    found.iter().filter(|own| is_valid(own)).map(|own| own.header.id.clone()).collect()
}
