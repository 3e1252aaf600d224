//! What every manager has from the start [facts: boot inventory that clients look for].

mod appliance;
mod compute;
mod fabric;
mod global_configs;
mod load_balancer;
mod pools;
mod security;
mod services;
mod users;

use crate::inventory::{Actor, Error, Incoming, Kind, Transaction};
use crate::kinds::firewall::operations::create_default;
use crate::kinds::firewall::status::Context;
use crate::kinds::firewall::{FirewallRule, FirewallSection, SectionType, exclude_list, status};
use crate::kinds::switching_profile::DEFAULTS;
use crate::kinds::{switching_profile, transport_zone};
use crate::wire;
use crate::world::World;
use serde_json::{Value, json};

/// The two zones that terraform's acceptance tests look for by name [tf].
const ZONES: [(&str, &str, &str); 2] = [
    ("1b3a2f36-bfd1-443e-a0f6-4de01abc963e", "1-transportzone", "OVERLAY"),
    ("a95c914d-748d-497c-94ab-10d4647daeba", "transportzone2", "VLAN"),
];

/// Default sections: id, name, type, and the id and name of the one rule [G image26]. Sections'
/// ids differ per installation; these follow the form of later releases.
const SECTIONS: [(&str, &str, SectionType, u64, &str); 2] = [
    (
        "ffffffff-8a04-4924-a5b4-54d30e81befe",
        "Default Layer3 Section",
        SectionType::Layer3,
        2,
        "Default Layer3 Rule",
    ),
    (
        "ffffffff-8a04-4924-a5b4-54d30e81beff",
        "Default Layer2 Section",
        SectionType::Layer2,
        1,
        "Default Layer2 Rule",
    ),
];

/// Ids of the switch security profiles beside the one that guests' ports have.
const OTHER_PROFILES: [(&str, &str); 2] = [
    ("fbc4fb17-83d9-4b53-a286-ccdf04301888", "nsx-default-switch-security-non-vif-profile"),
    ("c8ad3a0e-7f8a-4c3b-9c55-2a5d5f3e9f10", "nsx-default-switch-security-non-vif-profile-for-ens"),
];

/// Makes the objects that every manager has.
///
/// # Errors
/// Where they contradict each other: a mistake in the program.
pub fn populate(world: &World) -> Result<(), Error> {
    world.commit(&Actor::system(), |tx| {
        for (class, id, name) in DEFAULTS {
            let body = profile(&json!(class), id, name);
            create(tx, &switching_profile::KIND, &body)?;
        }
        for (id, name) in OTHER_PROFILES {
            let body = profile(&json!("SwitchSecuritySwitchingProfile"), id, name);
            create(tx, &switching_profile::KIND, &body)?;
        }
        load_balancer::populate(tx)?;
        services::populate(tx)?;
        fabric::profiles(tx)?;
        appliance::populate(tx)?;
        pools::populate(tx)?;
        security::populate(tx)?;
        global_configs::populate(tx)?;
        let list = json!({"id": exclude_list::ID, "display_name": "Exclude List", "members": []});
        create(tx, &exclude_list::KIND, &list)?;
        for context in [Context::TransportNodes, Context::LogicalRouters] {
            let id = context.word();
            let body = json!({"id": id, "context": context, "global_status": "ENABLED"});
            create(tx, &status::KIND, &body)?;
        }
        for (id, name, section_type, rule, rule_name) in SECTIONS {
            let body = json!({"display_name": rule_name, "action": "ALLOW"});
            let mut default = FirewallRule::read(wire::fields_of(&body))?.rule;
            default.id = rule;
            default.created = tx.now();
            let stateful = section_type == SectionType::Layer3;
            let body = json!({
                "id": id, "display_name": name, "section_type": section_type, "stateful": stateful,
            });
            let section = FirewallSection::default_of(section_type, default);
            create_default(tx, wire::fields_of(&body), section)?;
        }
        Ok(())
    })?;
    users::populate(world)?;
    // Zones, nodes and clusters are an administrator's, not the system's.
    let topology = world.fabric().topology().clone();
    world.commit(&Actor::admin("admin"), |tx| {
        for (id, name, transport_type) in ZONES {
            let body = json!({
                "id": id,
                "display_name": name,
                "transport_type": transport_type,
                "host_switch_name": "nsxHostSwitch",
            });
            create(tx, &transport_zone::KIND, &body)?;
        }
        fabric::nodes(tx, &topology)?;
        compute::manager(tx, &topology)
    })?;
    // What the platform tells is the system's.
    world.commit(&Actor::system(), |tx| {
        compute::clusters(tx, &topology)?;
        compute::machines(tx, &topology)
    })
}

/// A profile with nothing but its defaults; where a member is required, it is what the default
/// profile of the class is known to have.
fn profile(class: &Value, id: &str, name: &str) -> Value {
    let mut body = json!({"resource_type": class, "id": id, "display_name": name});
    if class == "SpoofGuardSwitchingProfile" {
        body["white_list_providers"] = json!([]);
    }
    if class == "SwitchSecuritySwitchingProfile" {
        body["bpdu_filter"] = json!({"enabled": true, "white_list": []});
        let server_block_enabled = !name.contains("non-vif");
        body["dhcp_filter"] =
            json!({"client_block_enabled": false, "server_block_enabled": server_block_enabled});
    }
    body
}

fn create(tx: &mut Transaction<'_>, kind: &'static Kind, body: &Value) -> Result<(), Error> {
    let incoming = Incoming::read(kind, wire::fields_of(body))?;
    tx.create(kind, incoming)?;
    Ok(())
}
