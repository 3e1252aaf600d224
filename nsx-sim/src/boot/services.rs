//! The services that every manager knows by name.
//!
//! `services.txt` lists them as recorded from a real manager [miq]: the name, and one or more
//! entries of protocol and ports. One entry makes a service; several make a group of services, whose
//! members are the services of that very traffic, named ones where there are any. That the manager
//! API shows it so is inferred; ids are made from the names (docs/fidelity.md).

use crate::inventory::{Error, Incoming, Transaction};
use crate::kinds::ns_service::{GROUP, SERVICE};
use crate::wire;
use serde_json::{Value, json};
use std::collections::HashMap;
use uuid::Uuid;

const SERVICES: &str = include_str!("services.txt");

/// Makes them all.
///
/// # Errors
/// Where a line does not read: a mistake in the list.
pub fn populate(tx: &mut Transaction<'_>) -> Result<(), Error> {
    let lines = SERVICES.lines().filter_map(|line| line.split_once(" | "));
    let (groups, plain): (Vec<_>, Vec<_>) = lines.partition(|(_, entries)| entries.contains(" ; "));
    let mut known = HashMap::new();
    for (name, entry) in plain {
        let id = service(tx, name, entry)?;
        known.entry(entry.trim()).or_insert(id);
    }
    for (name, entries) in groups {
        let mut members = Vec::new();
        for entry in entries.split(';').map(str::trim) {
            let id = match known.get(entry) {
                Some(id) => String::clone(id),
                None => {
                    let id = service(tx, &format!("{name} {entry}"), entry)?;
                    known.insert(entry, id.clone());
                    id
                }
            };
            let member = json!({"target_id": id, "target_type": SERVICE.name});
            if !members.contains(&member) {
                members.push(member);
            }
        }
        let body = json!({
            "id": id_of(name), "display_name": name, "description": name, "members": members,
        });
        tx.create(&GROUP, Incoming::read(&GROUP, wire::fields_of(&body))?)?;
    }
    Ok(())
}

fn service(tx: &mut Transaction<'_>, name: &str, entry: &str) -> Result<String, Error> {
    let element = element(entry.trim())
        .ok_or_else(|| Error::field("services.txt", format!("has an entry unknown: {entry}")))?;
    let id = id_of(name);
    let body = json!({
        "id": id, "display_name": name, "description": name, "nsservice_element": element,
    });
    tx.create(&SERVICE, Incoming::read(&SERVICE, wire::fields_of(&body))?)?;
    Ok(id)
}

fn id_of(name: &str) -> String {
    Uuid::new_v5(&Uuid::NAMESPACE_OID, name.as_bytes()).to_string()
}

/// An entry as `TCP 80,443`, `ALG FTP 21`, `ICMPv4 8/None` or `IGMP`.
fn element(entry: &str) -> Option<Value> {
    let mut words = entry.split_whitespace();
    let kind = words.next()?;
    let ports = |text: &str| -> Value { text.split(',').collect() };
    let element = match kind {
        "TCP" | "UDP" => json!({
            "resource_type": "L4PortSetNSService",
            "l4_protocol": kind,
            "destination_ports": ports(words.next()?),
        }),
        "ALG" => json!({
            "resource_type": "ALGTypeNSService",
            "alg": words.next()?,
            "destination_ports": ports(words.next()?),
        }),
        "ICMPv4" | "ICMPv6" => {
            let (icmp_type, icmp_code) = words.next()?.split_once('/')?;
            json!({
                "resource_type": "ICMPTypeNSService",
                "protocol": kind,
                "icmp_type": icmp_type.parse::<u8>().ok(),
                "icmp_code": icmp_code.parse::<u8>().ok(),
            })
        }
        "IGMP" => json!({"resource_type": "IGMPTypeNSService"}),
        _ => return None,
    };
    Some(element)
}
