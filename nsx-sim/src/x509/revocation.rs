//! Revocation lists: which certificates of an issuer are none any more.

use super::{date, parse, version};
use crate::wire::Fields;
use rustls::pki_types::CertificateRevocationListDer;
use rustls::pki_types::pem::PemObject;
use serde_json::json;
use std::collections::BTreeSet;
use x509_parser::prelude::{FromDer, X509Version};
use x509_parser::revocation_list::CertificateRevocationList;

/// A revocation list that was read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Revocations {
    /// Who revokes, in words.
    pub issuer: String,
    /// Who revokes, DER.
    issuer_der: Vec<u8>,
    /// The serial numbers of what is revoked.
    serials: BTreeSet<Vec<u8>>,
    /// What the list says [spec X509Crl].
    pub details: Fields,
}

impl Revocations {
    /// Reads a list in PEM.
    ///
    /// # Errors
    /// What is wrong with the text.
    pub fn read(pem: &str) -> Result<Self, String> {
        let der = CertificateRevocationListDer::from_pem_slice(pem.as_bytes())
            .map_err(|error| format!("has no revocation list in PEM: {error}"))?;
        let (_, list) = CertificateRevocationList::from_der(&der)
            .map_err(|error| format!("is no X.509 revocation list: {error}"))?;
        let entries = list.iter_revoked_certificates().map(|entry| {
            json!({
                "serial_number": entry.serial().to_string(),
                "revocation_date": date(entry.revocation_date),
            })
        });
        let mut fields = Fields::new();
        // A list without the member is of the first version.
        let version = version(list.version().unwrap_or(X509Version::V1));
        fields.insert("version".into(), version.into());
        fields.insert("issuer".into(), list.issuer().to_string().into());
        if let Some(next) = list.next_update() {
            fields.insert("next_update".into(), date(next).into());
        }
        fields.insert("crl_entries".into(), entries.collect());
        let serials = list.iter_revoked_certificates().map(|own| own.serial().to_bytes_be());
        Ok(Self {
            issuer: list.issuer().to_string(),
            issuer_der: list.issuer().as_raw().to_vec(),
            serials: serials.collect(),
            details: fields,
        })
    }

    /// Whether the list's issuer issued a certificate, DER, and has taken it back.
    pub fn hold(&self, certificate: &[u8]) -> bool {
        parse(certificate).is_ok_and(|own| {
            own.issuer().as_raw() == self.issuer_der
                && self.serials.contains(&own.tbs_certificate.serial.to_bytes_be())
        })
    }
}
