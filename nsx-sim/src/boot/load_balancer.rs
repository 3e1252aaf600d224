//! The profiles and monitors of the load balancer that every manager has.
//!
//! Ids differ per installation. The first profile has a fixed one, which world documents use; those
//! of the others are made from the names (docs/fidelity.md).

use super::create;
use crate::inventory::{Error, Kind, Transaction};
use crate::kinds::load_balancer::{application_profile, monitor, persistence_profile, ssl};
use serde_json::json;
use uuid::Uuid;

/// The id of the profile that virtual servers of layer 4 mostly have.
const FAST_TCP_ID: &str = "57b7e8f5-7b2d-4b3e-9b3f-3b3f6c1e7a01";

/// Kind, concrete type and name.
static DEFAULTS: [(&Kind, &str, &str); 12] = [
    // Clients look for these by name [osp, nsxlib, vmware-samples].
    (&application_profile::KIND, "LbFastTcpProfile", "nsx-default-lb-fast-tcp-profile"),
    (
        &persistence_profile::KIND,
        "LbSourceIpPersistenceProfile",
        "nsx-default-source-ip-persistence-profile",
    ),
    (&ssl::CLIENT, "LbClientSslProfile", "nsx-default-client-ssl-profile"),
    (&ssl::SERVER, "LbServerSslProfile", "nsx-default-server-ssl-profile"),
    (&monitor::KIND, "LbTcpMonitor", "nsx-default-tcp-monitor"),
    (&monitor::KIND, "LbPassiveMonitor", "nsx-default-passive-monitor"),
    // Named after the same pattern.
    (&application_profile::KIND, "LbFastUdpProfile", "nsx-default-lb-fast-udp-profile"),
    (&application_profile::KIND, "LbHttpProfile", "nsx-default-lb-http-profile"),
    (
        &persistence_profile::KIND,
        "LbCookiePersistenceProfile",
        "nsx-default-cookie-persistence-profile",
    ),
    (&monitor::KIND, "LbHttpMonitor", "nsx-default-http-monitor"),
    (&monitor::KIND, "LbHttpsMonitor", "nsx-default-https-monitor"),
    (&monitor::KIND, "LbIcmpMonitor", "nsx-default-icmp-monitor"),
];

/// Makes them all.
///
/// # Errors
/// Where one does not read: a mistake in the list.
pub fn populate(tx: &mut Transaction<'_>) -> Result<(), Error> {
    for (kind, class, name) in DEFAULTS {
        let id = match class {
            "LbFastTcpProfile" => FAST_TCP_ID.to_owned(),
            _ => Uuid::new_v5(&Uuid::NAMESPACE_OID, name.as_bytes()).to_string(),
        };
        let mut body = json!({"resource_type": class, "id": id, "display_name": name});
        if class == "LbCookiePersistenceProfile" {
            body["cookie_name"] = "NSXLB".into();
        }
        create(tx, kind, &body)?;
    }
    Ok(())
}
