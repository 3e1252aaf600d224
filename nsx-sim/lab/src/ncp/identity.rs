//! NCP's principal identity: the name in which it acts at the manager.

use super::manager::{Error, Result};
use nsx_client::{Client, Principal};
use rcgen::{CertificateParams, DnType, KeyPair};
use serde_json::json;

/// Makes a certificate and registers it for a principal that is named as the cluster; what it makes
/// is then protected from others. Each call makes a new one beside the earlier ones, which share the
/// name and so what was made. Blocking.
///
/// # Errors
/// Where the manager does not take it.
pub fn register(admin: &Client, cluster: &str) -> Result<Principal> {
    let unmade = |error: rcgen::Error| Error::Missing(format!("no certificate: {error}"));
    let mut params = CertificateParams::new(Vec::new()).map_err(unmade)?;
    params.distinguished_name.push(DnType::CommonName, cluster);
    let key = KeyPair::generate().map_err(unmade)?;
    let certificate = params.self_signed(&key).map_err(unmade)?.pem();
    let body = json!({
        "display_name": cluster,
        "name": cluster,
        // One name may be registered for many nodes: each start is a node of its own.
        "node_id": format!("{cluster}-{}", uuid::Uuid::new_v4()),
        "role": "enterprise_admin",
        "is_protected": true,
        "certificate_pem": certificate,
    });
    admin.post("/trust-management/principal-identities/with-certificate", &body)?;
    Ok(Principal { certificate: certificate.into_bytes(), key: key.serialize_pem().into_bytes() })
}
