//! Signing requests with keys of their own, and certificates that vouch for themselves.

use rand_chacha::ChaCha20Rng;
use rand_chacha::rand_core::SeedableRng;
use rcgen::{CertificateParams, DnType, KeyPair, PKCS_RSA_SHA256, SerialNumber};
use rsa::RsaPrivateKey;
use rsa::pkcs8::{EncodePrivateKey, LineEnding};
use time::OffsetDateTime;

/// What a request says of its subject: names of attributes, as `CN`, and their values.
pub type Subject<'a> = &'a [(&'a str, &'a str)];

/// Where the chance of a key begins: two identifiers.
pub type Seed = [[u8; 16]; 2];

/// A private RSA key, PEM, of some bits; the same for the same seed.
///
/// # Errors
/// None but for sizes that are none.
pub fn rsa_key(bits: usize, seed: Seed) -> Result<String, String> {
    let mut whole = [0; 32];
    whole.iter_mut().zip(seed.concat()).for_each(|(own, byte)| *own = byte);
    let mut chance = ChaCha20Rng::from_seed(whole);
    let key = RsaPrivateKey::new(&mut chance, bits).map_err(|error| error.to_string())?;
    let pem = key.to_pkcs8_pem(LineEnding::LF).map_err(|error| error.to_string())?;
    Ok(pem.to_string())
}

/// Whether a certificate could be for a subject.
///
/// # Errors
/// Where an attribute has no name that is known.
pub fn check(subject: Subject<'_>) -> Result<(), String> {
    params(subject).map(drop)
}

/// A signing request, PEM, for a subject and its key.
///
/// # Errors
/// Where an attribute has no name that is known, or a value that it can not have.
pub fn request(subject: Subject<'_>, key: &str) -> Result<String, String> {
    let request = params(subject)?.serialize_request(&read_key(key)?);
    request.and_then(|own| own.pem()).map_err(|error| error.to_string())
}

/// A certificate, PEM, that a subject signs for itself, valid between two times in seconds since 1970.
///
/// # Errors
/// As for [`request`], and for times that no calendar has.
pub fn self_signed(
    subject: Subject<'_>,
    key: &str,
    serial: &[u8],
    (from, to): (i64, i64),
) -> Result<String, String> {
    let date =
        |seconds| OffsetDateTime::from_unix_timestamp(seconds).map_err(|own| own.to_string());
    let mut params = params(subject)?;
    params.serial_number = Some(SerialNumber::from_slice(serial));
    params.not_before = date(from)?;
    params.not_after = date(to)?;
    let certificate = params.self_signed(&read_key(key)?).map_err(|error| error.to_string())?;
    Ok(certificate.pem())
}

fn read_key(pem: &str) -> Result<KeyPair, String> {
    KeyPair::from_pkcs8_pem_and_sign_algo(pem, &PKCS_RSA_SHA256).map_err(|error| error.to_string())
}

fn params(subject: Subject<'_>) -> Result<CertificateParams, String> {
    let mut params = CertificateParams::default();
    params.distinguished_name = rcgen::DistinguishedName::new();
    for (name, value) in subject {
        let sort = match *name {
            "CN" => DnType::CommonName,
            "O" => DnType::OrganizationName,
            "OU" => DnType::OrganizationalUnitName,
            "L" => DnType::LocalityName,
            "ST" => DnType::StateOrProvinceName,
            "C" => DnType::CountryName,
            other => return Err(format!("has no attribute {other}")),
        };
        params.distinguished_name.push(sort, *value);
    }
    Ok(params)
}
