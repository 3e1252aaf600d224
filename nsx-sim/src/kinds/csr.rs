//! Requests for certificates, with keys that the manager makes and keeps [spec Csr].

use crate::inventory::{Error, Incoming, Kind, Level, Object, Query, Resource, Transaction, Verbs};
use crate::kinds::certificate;
use crate::wire::{self, Fields, Told};
use crate::x509;
use crate::x509::request::{self, Seed};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use std::any::Any;
use std::sync::Arc;

/// The declaration. They come with [`make`], and go when a certificate is there for them.
pub static KIND: Kind = Kind {
    level: Level::Semantic,
    verbs: Verbs { list: true, create: false, update: false, delete: true },
    ..Kind::of::<Csr>("Csr", "/trust-management/csrs")
};

/// The sizes of keys that the admin guide tells, in bits.
pub const KEY_SIZES: [u32; 3] = [2048, 3072, 4096];

/// A request for a certificate.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Csr {
    subject: Principal,
    algorithm: Algorithm,
    key_size: u32,
    #[serde(default)]
    pem_encoded: Told<String>,
    /// Kept and never shown.
    #[serde(skip)]
    private_key: String,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "UPPERCASE")]
enum Algorithm {
    Rsa,
    Dsa,
}

/// Whom the certificate is to be for.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Principal {
    attributes: Vec<KeyValue>,
}

#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct KeyValue {
    key: String,
    value: String,
}

impl Resource for Csr {}

impl Csr {
    /// The request, PEM.
    pub fn pem(&self) -> Option<&str> {
        self.pem_encoded.as_deref()
    }

    fn subject(&self) -> Vec<(&str, &str)> {
        self.subject.attributes.iter().map(|own| (&*own.key, &*own.value)).collect()
    }

    fn complete(&mut self, seed: Seed) -> Result<(), Error> {
        if self.algorithm == Algorithm::Dsa {
            return Err(Error::Unsupported("a key of the algorithm DSA".into()));
        }
        if !KEY_SIZES.contains(&self.key_size) {
            let sizes = KEY_SIZES.map(|own| own.to_string()).join(", ");
            return Err(Error::field("key_size", format!("must be one of {sizes}")));
        }
        // A subject that can not be is told before the key is made, which takes its time.
        let subject = self.subject();
        if subject.is_empty() {
            return Err(Error::field("subject.attributes", "is required"));
        }
        let wrong = |why| Error::field("subject.attributes", why);
        request::check(&subject).map_err(wrong)?;
        let bits = usize::try_from(self.key_size).unwrap_or_default();
        let key = request::rsa_key(bits, seed).map_err(|why| Error::field("key_size", why))?;
        let pem = request::request(&self.subject(), &key).map_err(wrong)?;
        self.private_key = key;
        self.pem_encoded = Told(Some(pem));
        Ok(())
    }
}

/// Makes the key of a request that a caller sent, and with it the request. It takes its time, so no
/// change of the inventory waits for it.
///
/// # Errors
/// For members that are not as they should be; [`Error::Unsupported`] for DSA.
pub fn make(fields: Fields, seed: Seed) -> Result<Incoming, Error> {
    let mut incoming = Incoming::read(&KIND, fields)?;
    let body: &mut dyn Any = incoming.body.as_mut();
    if let Some(own) = body.downcast_mut::<Csr>() {
        own.complete(seed)?;
    }
    Ok(incoming)
}

/// Takes the certificates that an authority gave for a request; the request goes
/// [spec ImportCertificateImport].
///
/// # Errors
/// As for [`certificate::import`]; the first one must have the request's key.
pub fn import(
    tx: &mut Transaction<'_>,
    id: &str,
    mut fields: Fields,
) -> Result<Vec<Arc<Object>>, Error> {
    let object = tx.get(&KIND, id)?;
    let Some(own) = object.body::<Csr>() else { return Ok(Vec::new()) };
    let sent = fields.get("pem_encoded").and_then(Value::as_str).unwrap_or_default();
    let wrong = |why| Error::field("pem_encoded", why);
    let read = x509::certificates(sent).map_err(wrong)?;
    if read.first().is_none_or(|first| first.check_key(&own.private_key).is_err()) {
        return Err(Error::field("pem_encoded", "is no certificate for this request"));
    }
    fields.insert("private_key".into(), own.private_key.as_str().into());
    fields.shift_remove("passphrase");
    let imported = certificate::import(tx, fields)?;
    tx.delete(&KIND, id, &Query::default())?;
    Ok(imported)
}

/// Makes a certificate that the request's subject signs for itself, under the request's name; the
/// request goes.
///
/// # Errors
/// [`Error::NotFound`].
pub fn self_sign(tx: &mut Transaction<'_>, id: &str, days: i64) -> Result<Arc<Object>, Error> {
    const DAY: i64 = 86_400;
    let object = tx.get(&KIND, id)?;
    let missing = || Error::NotFound { kind: KIND.name, id: id.to_owned() };
    let own = object.body::<Csr>().ok_or_else(missing)?;
    let now = i64::try_from(tx.now() / 1000).unwrap_or_default();
    let serial = *tx.inventory().ids().uuid().as_bytes();
    let span = (now, now.saturating_add(days.saturating_mul(DAY)));
    let pem = request::self_signed(&own.subject(), &own.private_key, &serial, span)
        .map_err(|why| Error::field("subject.attributes", why))?;
    let mut fields = wire::fields_of(&json!({
        "pem_encoded": pem,
        "private_key": own.private_key,
        "display_name": object.header.display_name,
        "description": object.header.description,
        "tags": object.header.tags,
    }));
    fields.retain(|_, value| *value != Value::Null);
    let made = certificate::import(tx, fields)?.into_iter().next().ok_or_else(missing)?;
    tx.delete(&KIND, id, &Query::default())?;
    Ok(made)
}
