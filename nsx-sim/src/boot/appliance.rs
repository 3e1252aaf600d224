//! The settings and services of a fresh appliance and of the manager on it.

use crate::inventory::{Error, Incoming, Kind, Transaction};
use crate::kinds::appliance::{backup, network, node, served, service};
use crate::kinds::system::{barrier, capacity, collection, plan, telemetry, version_list};
use crate::wire::{Fields, Text, fields_of};
use serde_json::{Value, json};

/// Makes them all.
///
/// # Errors
/// Where one does not read: a mistake in the program.
pub fn populate(tx: &mut Transaction<'_>) -> Result<(), Error> {
    for own in service::SERVICES {
        entry(tx, &service::SERVICE, own.name, &json!({"running": own.running}))?;
        if let Some(kind) = own.properties {
            document(tx, kind, &json!({"service_name": own.name}))?;
        }
    }
    // By form the engine of a private enterprise's number (RFC 3411); which one is made up.
    let engine = json!({"service_name": "snmp", "v3_engine_id": "8000000001020304"});
    document(tx, &service::SNMP_ENGINE, &engine)?;
    document(tx, &service::PROFILER, &json!({}))?;
    document(tx, &node::PROPERTIES, &json!({"hostname": "nsxmgr-01a"}))?;
    document(tx, &node::ACCESS_CONTROL, &json!({}))?;
    document(tx, &served::SERVED, &json!({}))?;
    document(tx, &node::BUS_PORT, &json!({"enabled": false}))?;
    document(tx, &node::VIRTUAL_IP, &json!({"ip_address": "0.0.0.0"}))?;
    document(tx, &network::NAME_SERVERS, &json!({"name_servers": []}))?;
    document(tx, &network::SEARCH_DOMAINS, &json!({"search_domains": []}))?;
    let interface = json!({
        "ip_configuration": "static",
        "ip_addresses": [{"ip_address": node::ADDRESS, "netmask": "255.0.0.0"}],
        "plane": "mgmt",
        "mtu": 1500,
    });
    entry(tx, &network::INTERFACE, network::MANAGEMENT_INTERFACE, &interface)?;
    document(tx, &backup::BACKUP, &json!({}))?;
    document(tx, &backup::RESTORE, &json!({}))?;
    manager(tx)
}

/// What concerns the manager as a whole. Which values a real one has at first is known of few.
fn manager(tx: &mut Transaction<'_>) -> Result<(), Error> {
    document(tx, &barrier::BARRIER, &json!({}))?;
    document(tx, &barrier::MANAGEMENT, &json!({"publish_fqdns": false}))?;
    let threshold = json!({
        "threshold_type": "GLOBAL_DEFAULT",
        "min_threshold_percentage": 70.0,
        "max_threshold_percentage": 100.0,
    });
    document(tx, &capacity::THRESHOLDS, &json!({"capacity_thresholds": [threshold]}))?;
    let collection =
        json!({"is_data_collection_enabled": true, "aggregated_data_collection_frequency": 300});
    document(tx, &collection::GLOBAL, &collection)?;
    document(tx, &telemetry::AGREEMENT, &json!({"telemetry_agreement_displayed": false}))?;
    let programme = json!({"ceip_acceptance": false, "schedule_enabled": false});
    document(tx, &telemetry::CONFIG, &programme)?;
    document(tx, &telemetry::PROXY, &json!({"enabled": false}))?;
    for component in ["HOST", "EDGE", "CCP", "MP"] {
        entry(tx, &plan::UPGRADE_SETTINGS, component, &json!({}))?;
        entry(tx, &version_list::KIND, component, &json!({"acceptable_versions": []}))?;
    }
    for component in ["HOST", "EDGE"] {
        entry(tx, &plan::MIGRATION_SETTINGS, component, &json!({}))?;
    }
    Ok(())
}

fn document(tx: &mut Transaction<'_>, kind: &'static Kind, body: &Value) -> Result<(), Error> {
    entry(tx, kind, kind.name, body)
}

fn entry(
    tx: &mut Transaction<'_>,
    kind: &'static Kind,
    id: &str,
    body: &Value,
) -> Result<(), Error> {
    let header = Incoming { id: Some(Text::cut(id)), ..bare(kind, fields_of(body))? };
    tx.create(kind, header)?;
    Ok(())
}

/// A body all of whose members are its own.
fn bare(kind: &'static Kind, fields: Fields) -> Result<Incoming, Error> {
    Ok(Incoming {
        id: None,
        display_name: None,
        description: None,
        tags: None,
        revision: None,
        body: (kind.read)(fields)?,
    })
}
