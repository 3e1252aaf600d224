//! Certificates, requests and revocation lists in PEM: made, taken apart, and told in words.
//!
//! A leaf: it knows nothing of the manager that keeps them.

pub mod request;
mod revocation;

pub use revocation::Revocations;

use crate::wire::Fields;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use ring::digest::{SHA256, digest};
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use serde_json::{Value, json};
use std::fmt::Write;
use std::sync::Arc;
use x509_parser::prelude::{ASN1Time, FromDer, X509Certificate};
use x509_parser::public_key::PublicKey;
use x509_parser::x509::{SubjectPublicKeyInfo, X509Name, X509Version};

/// A certificate that was read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Certificate {
    /// Its bytes, DER.
    pub der: Arc<[u8]>,
    /// Whether it may vouch for others.
    pub is_ca: bool,
    /// Whether it vouches for itself: issuer and subject are one.
    pub is_self_signed: bool,
    /// Seconds since 1970 from which it is valid.
    not_before: i64,
    /// Seconds since 1970 after which it is no more.
    not_after: i64,
}

impl Certificate {
    /// Whether it is valid at a time, in milliseconds since 1970.
    pub fn is_valid(&self, now: u64) -> bool {
        let now = i64::try_from(now / 1000).unwrap_or(i64::MAX);
        (self.not_before..=self.not_after).contains(&now)
    }

    /// Its PEM form.
    pub fn pem(&self) -> String {
        let text = STANDARD.encode(&self.der);
        let lines = text.as_bytes().chunks(64).map(String::from_utf8_lossy);
        let lines = lines.collect::<Vec<_>>().join("\n");
        format!("-----BEGIN CERTIFICATE-----\n{lines}\n-----END CERTIFICATE-----\n")
    }

    /// The SHA-256 of its bytes, in hexadecimal digits.
    pub fn thumbprint(&self) -> String {
        hex(digest(&SHA256, &self.der).as_ref())
    }

    /// Whether a private key, PEM, is the certificate's own.
    ///
    /// # Errors
    /// What is wrong with the key.
    pub fn check_key(&self, pem: &str) -> Result<(), String> {
        if pem.contains("ENCRYPTED") {
            return Err("is encrypted, which is not modelled".into());
        }
        let key = PrivateKeyDer::from_pem_slice(pem.as_bytes())
            .map_err(|error| format!("is no private key in PEM: {error}"))?;
        let parsed = parse(&self.der).ok();
        let own = parsed.as_ref().map(|certificate| certificate.public_key());
        let loaded = match rustls::crypto::ring::sign::any_supported_type(&key) {
            Ok(loaded) => loaded,
            Err(error) => {
                // Keys that are too short to be used here are kept by a manager all the same [tf].
                let modulus = own.and_then(|own| match own.parsed() {
                    Ok(PublicKey::RSA(rsa)) => Some(without_sign(rsa.modulus).to_vec()),
                    _ => None,
                });
                return match (modulus, rsa_modulus(&key)) {
                    (Some(own), Some(modulus)) if own == modulus => Ok(()),
                    (Some(_), Some(_)) => Err("is not the key of the certificate".into()),
                    _ => Err(format!("is not of a kind that is supported: {error}")),
                };
            }
        };
        let own = own.map(|own| own.raw);
        match loaded.public_key() {
            Some(public) if Some(public.as_ref()) != own => {
                Err("is not the key of the certificate".into())
            }
            _ => Ok(()),
        }
    }

    /// Everything that it says, as a manager tells it at a time [spec X509Certificate]. The numbers
    /// of a curve that has a name are left out.
    pub fn details(&self, now: u64) -> Fields {
        let Ok(parsed) = parse(&self.der) else { return Fields::new() };
        let mut fields = Fields::new();
        let mut put = |name: &str, value: Value| {
            fields.insert(name.to_owned(), value);
        };
        let millis = |seconds: i64| json!(seconds.saturating_mul(1000));
        put("version", version(parsed.version()).into());
        put("serial_number", parsed.tbs_certificate.serial.to_string().into());
        put("issuer", parsed.issuer().to_string().into());
        put("issuer_cn", common_name(parsed.issuer()).into());
        put("subject", parsed.subject().to_string().into());
        put("subject_cn", common_name(parsed.subject()).into());
        put("not_before", millis(self.not_before));
        put("not_after", millis(self.not_after));
        put("is_ca", self.is_ca.into());
        put("is_valid", self.is_valid(now).into());
        let algorithm = parsed.signature_algorithm.algorithm.to_id_string();
        put("signature_algorithm", signature_algorithm(&algorithm).into());
        put("signature", hex(&parsed.signature_value.data).into());
        fields.extend(key_details(parsed.public_key()));
        fields
    }
}

/// The certificates of a text in PEM, in its order: at least one.
///
/// # Errors
/// What is wrong with the text.
pub fn certificates(pem: &str) -> Result<Vec<Certificate>, String> {
    let ders = CertificateDer::pem_slice_iter(pem.as_bytes()).collect::<Result<Vec<_>, _>>();
    let ders = ders.map_err(|error| format!("is no PEM: {error}"))?;
    if ders.is_empty() {
        return Err("has no certificate in PEM".into());
    }
    ders.iter().map(|der| certificate(der)).collect()
}

/// A certificate of its bytes.
///
/// # Errors
/// What is wrong with them.
pub fn certificate(der: &[u8]) -> Result<Certificate, String> {
    let parsed = parse(der)?;
    let validity = parsed.validity();
    Ok(Certificate {
        der: der.into(),
        is_ca: parsed.is_ca(),
        is_self_signed: parsed.issuer().as_raw() == parsed.subject().as_raw(),
        not_before: validity.not_before.timestamp(),
        not_after: validity.not_after.timestamp(),
    })
}

fn parse(der: &[u8]) -> Result<X509Certificate<'_>, String> {
    match X509Certificate::from_der(der) {
        Ok((_, parsed)) => Ok(parsed),
        Err(error) => Err(format!("is no X.509 certificate: {error}")),
    }
}

fn date(time: ASN1Time) -> String {
    time.to_rfc2822().unwrap_or_else(|_| time.to_string())
}

/// Counted from one, as it is written.
fn version(version: X509Version) -> String {
    (version.0 + 1).to_string()
}

fn common_name(name: &X509Name<'_>) -> String {
    let own = name.iter_common_name().next().and_then(|own| own.as_str().ok());
    own.unwrap_or_default().to_owned()
}

/// The modulus of an RSA key in the form of PKCS #1, without leading zeros.
fn rsa_modulus(key: &PrivateKeyDer<'_>) -> Option<Vec<u8>> {
    let PrivateKeyDer::Pkcs1(der) = key else { return None };
    let (_, sequence) = x509_parser::der_parser::parse_der(der.secret_pkcs1_der()).ok()?;
    let modulus = sequence.as_sequence().ok()?.get(1)?.as_slice().ok()?;
    Some(without_sign(modulus).to_vec())
}

/// A number's bytes without the zero that keeps it positive.
fn without_sign(number: &[u8]) -> &[u8] {
    let zeros = number.iter().take_while(|byte| **byte == 0).count();
    &number[zeros..]
}

fn key_details(key: &SubjectPublicKeyInfo<'_>) -> Fields {
    let mut fields = Fields::new();
    let mut put = |name: &str, value: Value| {
        fields.insert(name.to_owned(), value);
    };
    match key.parsed() {
        Ok(PublicKey::RSA(rsa)) => {
            put("public_key_algo", "RSA".into());
            put("public_key_length", rsa.key_size().into());
            put("rsa_public_key_modulus", hex(rsa.modulus).into());
            put("rsa_public_key_exponent", hex(rsa.exponent).into());
        }
        Ok(PublicKey::EC(point)) => {
            put("public_key_algo", "ECDSA".into());
            put("public_key_length", point.key_size().into());
            let curve = key.algorithm.parameters.as_ref().and_then(|own| own.as_oid().ok());
            if let Some(curve) = curve {
                put("ecdsa_curve_name", curve_name(&curve.to_id_string()).into());
            }
        }
        Ok(PublicKey::DSA(_)) => put("public_key_algo", "DSA".into()),
        _ => {}
    }
    fields
}

/// Names as Java has them, which is what a manager is written in; others by number.
fn signature_algorithm(number: &str) -> &str {
    match number {
        "1.2.840.113549.1.1.5" => "SHA1WITHRSA",
        "1.2.840.113549.1.1.11" => "SHA256WITHRSA",
        "1.2.840.113549.1.1.12" => "SHA384WITHRSA",
        "1.2.840.113549.1.1.13" => "SHA512WITHRSA",
        "1.2.840.10045.4.1" => "SHA1WITHECDSA",
        "1.2.840.10045.4.3.2" => "SHA256WITHECDSA",
        "1.2.840.10045.4.3.3" => "SHA384WITHECDSA",
        "1.2.840.10045.4.3.4" => "SHA512WITHECDSA",
        other => other,
    }
}

fn curve_name(number: &str) -> &str {
    match number {
        "1.2.840.10045.3.1.7" => "secp256r1",
        "1.3.132.0.34" => "secp384r1",
        "1.3.132.0.35" => "secp521r1",
        other => other,
    }
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::with_capacity(bytes.len() * 2), |mut text, byte| {
        // Writing to a string does not fail.
        let _ = write!(text, "{byte:02x}");
        text
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use rcgen::{BasicConstraints, CertificateParams, DnType, IsCa, KeyPair};

    fn self_signed(name: &str, is_ca: bool) -> (rcgen::Certificate, KeyPair) {
        let mut params = CertificateParams::default();
        params.distinguished_name.push(DnType::CommonName, name);
        if is_ca {
            params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        }
        let key = KeyPair::generate().unwrap();
        (params.self_signed(&key).unwrap(), key)
    }

    #[test]
    fn a_chain_is_read_in_its_order() {
        let (one, two) = (self_signed("one", false).0, self_signed("two", true).0);
        let text = format!("{}\n{}", one.pem(), two.pem().replace('\n', "\r\n"));
        let read = certificates(&text).unwrap();
        let cas: Vec<bool> = read.iter().map(|own| own.is_ca).collect();
        assert_eq!(cas, [false, true]);
        assert!(read.iter().all(|own| own.is_self_signed));
        assert_eq!(certificates(&read[0].pem()).unwrap(), read[..1]);
    }

    #[test]
    fn what_is_no_certificate_is_told_so() {
        for wrong in [
            "",
            "text",
            "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n",
            "-----BEGIN CERTIFICATE-----\n????",
        ] {
            assert!(certificates(wrong).is_err(), "{wrong}");
            assert!(Revocations::read(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn details_are_what_the_certificate_says() {
        let (own, _) = self_signed("nsx.corp.local", false);
        let read = certificates(&own.pem()).unwrap().remove(0);
        let details = read.details(1_589_835_353_000);
        for (name, value) in [
            ("version", json!("3")),
            ("subject_cn", json!("nsx.corp.local")),
            ("issuer_cn", json!("nsx.corp.local")),
            ("is_ca", json!(false)),
            ("is_valid", json!(true)),
            ("public_key_algo", json!("ECDSA")),
            ("public_key_length", json!(256)),
            ("ecdsa_curve_name", json!("secp256r1")),
            ("signature_algorithm", json!("SHA256WITHECDSA")),
        ] {
            assert_eq!(details.get(name), Some(&value), "{name}");
        }
    }

    #[test]
    fn a_key_is_the_certificates_own_or_refused() {
        let ((own, key), (_, other)) = (self_signed("own", false), self_signed("other", false));
        let read = certificates(&own.pem()).unwrap().remove(0);
        assert_eq!(read.check_key(&key.serialize_pem()), Ok(()));
        assert!(read.check_key(&other.serialize_pem()).is_err());
        assert!(read.check_key("text").is_err());
    }
}
