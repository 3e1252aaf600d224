//! The profiles of firewall and VPN that hold where nobody chose others, and the switches of their
//! kin.

use super::create;
use crate::inventory::{Error, Transaction};
use crate::kinds::firewall::profile;
use crate::kinds::identity_firewall;
use crate::kinds::ipfix::config;
use crate::kinds::service_insertion::status;
use crate::kinds::vpn::profile::DEFAULTS;
use serde_json::json;

/// Makes them all.
///
/// # Errors
/// Where they contradict each other: a mistake in the program.
pub fn populate(tx: &mut Transaction<'_>) -> Result<(), Error> {
    let timers = json!({
        "resource_type": "FirewallSessionTimerProfile",
        "id": profile::DEFAULT_TIMERS,
        "display_name": "Default Session Timer Profile",
    });
    create(tx, &profile::KIND, &timers)?;
    for (kind, id, name) in DEFAULTS {
        create(tx, kind, &json!({"id": id, "display_name": name}))?;
    }
    let global =
        json!({"id": config::GLOBAL_ID, "display_name": config::GLOBAL_ID, "enabled": false});
    create(tx, &config::GLOBAL, &global)?;
    let list =
        json!({"id": status::EXCLUDE_LIST_ID, "display_name": "SI Exclude List", "members": []});
    create(tx, &status::EXCLUDE_LIST, &list)?;
    for context in [status::Context::EastWest, status::Context::NorthSouth] {
        let id = context.word();
        let body = json!({"id": id, "context": context, "global_status": "ENABLED"});
        create(tx, &status::KIND, &body)?;
    }
    let off = json!({"id": "idfw-master-switch", "idfw_master_switch_enabled": false});
    create(tx, &identity_firewall::MASTER, &off)?;
    let off = json!({"id": "idfw-standalone-hosts-switch", "standalone_hosts_enabled": false});
    create(tx, &identity_firewall::STANDALONE, &off)
}
