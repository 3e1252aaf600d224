//! The pools and profiles of segments that every manager has.

use super::create;
use crate::inventory::{Error, Transaction};
use crate::kinds::pools::{mac_pool, vni_pool, vtep_label_pool};
use crate::kinds::transport_zone_profile;
use serde_json::json;

/// Makes them.
///
/// # Errors
/// Where they contradict each other: a mistake in the program.
pub fn populate(tx: &mut Transaction<'_>) -> Result<(), Error> {
    let (id, name) = transport_zone_profile::DEFAULT;
    let body = json!({
        "resource_type": "BfdHealthMonitoringProfile",
        "id": id,
        "display_name": name,
        "enabled": true,
    });
    create(tx, &transport_zone_profile::KIND, &body)?;
    let (id, name) = mac_pool::DEFAULT;
    let ranges = json!([{"start": "02:50:56:00:00:00", "end": "02:50:56:3f:ff:ff"}]);
    create(tx, &mac_pool::KIND, &json!({"id": id, "display_name": name, "ranges": ranges}))?;
    let (id, name) = vni_pool::DEFAULT;
    // [spec ListVNIPools]
    let ranges = json!([{"start": 5_000, "end": 65_535}, {"start": 65_536, "end": 75_000}]);
    create(tx, &vni_pool::KIND, &json!({"id": id, "display_name": name, "ranges": ranges}))?;
    let (id, name) = vtep_label_pool::DEFAULT;
    let ranges = json!([{"start": 1, "end": 131_071}]);
    create(tx, &vtep_label_pool::KIND, &json!({"id": id, "display_name": name, "ranges": ranges}))
}
