//! NCP's own identity at the manager, so that what it makes is its own and protected.

use crate::pins;
use anyhow::Context;
use nsx_client::{Client, Principal, Remote};
use serde_json::json;

/// Makes a certificate, registers it with the manager as the cluster's principal identity, and gives
/// a client that shows it.
///
/// A manager without TLS sees no certificates: there NCP works as the user that `manager` names, and
/// may change what others own.
///
/// # Errors
/// Where the manager is not reached, or refuses.
pub(super) fn register(manager: &Remote) -> anyhow::Result<Client> {
    let user = Client::new(manager)?;
    if manager.url.as_ref().is_some_and(|url| url.starts_with("http://")) {
        return Ok(user.overwriting());
    }
    let made = rcgen::generate_simple_self_signed([pins::CLUSTER.to_owned()])?;
    let principal = json!({
        "display_name": pins::CLUSTER,
        "name": pins::CLUSTER,
        "node_id": pins::CLUSTER,
        "role": "enterprise_admin",
        "is_protected": true,
        "certificate_pem": made.cert.pem(),
    });
    user.post("/trust-management/principal-identities/with-certificate", &principal)
        .context("NCP's principal identity")?;
    let principal = Principal {
        certificate: made.cert.pem().into_bytes(),
        key: made.signing_key.serialize_pem().into_bytes(),
    };
    Ok(Client::of_principal(manager, &principal)?)
}
