//! `/associations`: the groups that hold an object.

use super::super::appliance::settings;
use super::super::call::Call;
use super::super::routes::Routes;
use crate::inventory::Error;
use crate::kinds::ns_group;
use crate::kinds::reference::ResourceReference;
use crate::realize::Node;
use serde_json::Value;

/// What can be asked for [spec GetAssociations].
const SOURCES: [&str; 9] = [
    "NSGroup",
    "IPSet",
    "MACSet",
    "LogicalSwitch",
    "LogicalPort",
    "VirtualMachine",
    "DirectoryGroup",
    "VirtualNetworkInterface",
    "TransportNode",
];

/// Adds the route.
pub fn register(routes: &mut Routes) {
    routes.on("GET", "/associations", |call| {
        let kind = required(call, "resource_type", &SOURCES)?;
        required(call, "associated_resource_type", &[ns_group::KIND.name])?;
        let id = call.query.get("resource_id");
        let id = id.ok_or_else(|| Error::field("resource_id", "is required"))?;
        let ancestors = call.query.flag("fetch_ancestors")?;
        let groups = groups(call, kind, id, ancestors)?;
        let inventory = &call.world.inventory;
        settings::rows(
            call,
            groups.into_iter().map(|group| {
                let reference = ResourceReference::to_object(ns_group::KIND.name, &group);
                (group, Value::Object(reference.fields(inventory)))
            }),
        )
    });
}

/// The ids of the groups that hold an object: directly, or in the end. No group holds what this
/// inventory does not know to be a member.
fn groups(call: &Call<'_>, kind: &str, id: &str, ancestors: bool) -> Result<Vec<String>, Error> {
    let inventory = &call.world.inventory;
    if let Some(kind) = inventory.kind(kind) {
        inventory.get(kind, id)?;
    }
    let Some(node) = Node::of(kind, id) else { return Ok(Vec::new()) };
    let fabric = call.world.fabric();
    let realization = fabric.realization();
    let holders =
        if ancestors { realization.holders(&node) } else { realization.direct_holders(&node) };
    let groups = holders.into_iter().filter_map(|holder| match holder {
        Node::Group(group) => Some(group.to_string()),
        _ => None,
    });
    Ok(groups.collect())
}

fn required<'a>(call: &'a Call<'_>, name: &str, words: &[&str]) -> Result<&'a str, Error> {
    call.query.one_of(name, words)?.ok_or_else(|| Error::field(name, "is required"))
}
