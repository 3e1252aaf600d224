//! What belongs to a group in the end, and what uses it.

use super::call::{Call, Reply};
use super::collections;
use super::error::Failure;
use super::list::{Paging, Row};
use super::routes::Routes;
use crate::inventory::{Error, Kind, Object};
use crate::kinds::fabric::discovered;
use crate::kinds::fabric::virtual_machine::{INTERFACE, MACHINE};
use crate::kinds::firewall::{FirewallSection, section};
use crate::kinds::ns_group::{KIND, NSGroup};
use crate::kinds::reference::ResourceReference;
use crate::realize::Node;
use dataplane::Member;
use serde_json::{Value, json};
use std::sync::Arc;

/// Adds the routes.
pub fn register(routes: &mut Routes) {
    routes.on("GET", "/ns-groups", |call| {
        let populate = call.query.flag("populate_references")?;
        collections::list(call, &KIND, |object| print(call, object, populate))
    });
    routes.on("GET", "/ns-groups/{id}", |call| {
        let populate = call.query.flag("populate_references")?;
        let object = call.world.inventory.get(&KIND, call.param(0))?;
        Ok(Reply::ok(print(call, &object, populate)))
    });
    effective(routes, "logical-port", |node| matches!(node, Node::Port(_)));
    effective(routes, "logical-switch", |node| matches!(node, Node::Switch(_)));
    effective(routes, "ipset", |node| matches!(node, Node::IpSet(_)));
    effective(routes, "transport-node", |node| matches!(node, Node::TransportNode(_)));
    // Directories are not in this inventory, so no group has any of their groups.
    effective(routes, "directory-group", |_| false);
    found(routes, "virtual-machine", &MACHINE, |node| matches!(node, Node::Machine(_)));
    found(routes, "vif", &INTERFACE, |node| matches!(node, Node::Interface(_)));
    routes.on("GET", "/ns-groups/{id}/effective-ip-address-members", effective_addresses);
    routes.on("GET", "/ns-groups/{id}/member-types", |call| {
        let object = call.world.inventory.get(&KIND, call.param(0))?;
        let types = object.body::<NSGroup>().map(NSGroup::member_types).unwrap_or_default();
        let words: Vec<&str> = types.iter().map(|own| own.word()).collect();
        Ok(Reply::ok(json!({"result_count": words.len(), "results": words})))
    });
    routes.on("GET", "/ns-groups/{id}/service-associations", associations);
    routes.on("GET", "/ns-groups/unassociated-virtual-machines", |call| {
        let mut machines = collections::filtered(call, &MACHINE)?;
        let fabric = call.world.fabric();
        machines.retain(|own| {
            let node = Node::Machine(own.header.id.as_str().into());
            let holders = fabric.realization().holders(&node);
            !holders.iter().any(|holder| matches!(holder, Node::Group(_)))
        });
        drop(fabric);
        let print = |own: &Object| Value::Object(discovered::print(own, &call.world.inventory));
        collections::page(call, &MACHINE, &machines, print)
    });
}

fn print(call: &Call<'_>, object: &Object, populate: bool) -> Value {
    match object.body::<NSGroup>().filter(|_| populate) {
        Some(group) => {
            let fields = group.populated_fields(&call.world.inventory);
            Value::Object(object.with_header(fields, &call.actor))
        }
        None => call.print(object),
    }
}

/// One of the lists of effective members: references to those nodes that it is about.
fn effective(routes: &mut Routes, name: &str, about: fn(&Node) -> bool) {
    routes.on("GET", &format!("/ns-groups/{{id}}/effective-{name}-members"), move |call| {
        let paging = Paging::read(&call.query, 1000)?;
        let (inventory, members) = (&call.world.inventory, members(call, about)?);
        let rows = members.iter().map(collections::row).collect();
        Ok(paging.printed_by_value(rows, |object| {
            let (kind, id) = (object.kind.name, &object.header.id);
            Value::Object(ResourceReference::to_object(kind, id).fields(inventory))
        })?)
    });
}

/// One of the lists of effective members that hold the members themselves.
fn found(routes: &mut Routes, name: &str, kind: &'static Kind, about: fn(&Node) -> bool) {
    routes.on("GET", &format!("/ns-groups/{{id}}/effective-{name}-members"), move |call| {
        let members = members(call, about)?;
        let print = |own: &Object| Value::Object(discovered::print(own, &call.world.inventory));
        collections::page(call, kind, &members, print)
    });
}

/// The effective members of some sort, in no order.
fn members(call: &Call<'_>, about: fn(&Node) -> bool) -> Result<Vec<Arc<Object>>, Error> {
    let inventory = &call.world.inventory;
    inventory.get(&KIND, call.param(0))?;
    let fabric = call.world.fabric();
    let nodes = fabric.realization().effective(call.param(0)).filter(|node| about(node));
    let objects = nodes.filter_map(Node::object);
    Ok(objects.filter_map(|(kind, id)| inventory.find(kind, id)).collect())
}

fn effective_addresses(call: &Call<'_>) -> Result<Reply, Failure> {
    let paging = Paging::read(&call.query, 1000)?;
    paging.refuse_member()?;
    call.world.inventory.get(&KIND, call.param(0))?;
    let fabric = call.world.fabric();
    let nodes = fabric.realization().effective(call.param(0));
    let members = nodes.flat_map(|node| fabric.realization().addresses(node));
    let mut addresses: Vec<_> = members
        .filter_map(|member| match member {
            Member::Range(range) => Some(*range),
            Member::Mac(_) => None,
        })
        .collect();
    drop(fabric);
    addresses.sort_unstable();
    addresses.dedup();
    Ok(paging.ordered_by_place(&addresses, ToString::to_string, |range| range.to_string().into()))
}

/// The rules that name the group, or with `fetch_parentgroup_associations` one that holds it.
fn associations(call: &Call<'_>) -> Result<Reply, Failure> {
    let inventory = &call.world.inventory;
    inventory.get(&KIND, call.param(0))?;
    let paging = Paging::read(&call.query, 1000)?;
    let service = call.query.one_of("service_type", &["firewall", "ipfix"])?;
    let class = match service {
        Some("firewall") => "FireWallServiceAssociationListResult",
        Some(_) => "IpfixServiceAssociationListResult",
        None => return Err(Error::field("service_type", "is required").into()),
    };
    let mut groups = vec![call.param(0).to_owned()];
    if call.query.flag("fetch_parentgroup_associations")? {
        groups.extend(ancestors(call));
    }
    let mut rows = Vec::new();
    let names_one = |reference: &crate::inventory::Reference| {
        reference.kind == KIND.name && groups.contains(&reference.id)
    };
    for object in inventory.all(section::KIND.name) {
        let Some(section) =
            object.body::<FirewallSection>().filter(|_| service == Some("firewall"))
        else {
            continue;
        };
        let by_section = section
            .applied_tos
            .iter()
            .flat_map(|list| list.iter())
            .filter_map(ResourceReference::object)
            .any(|reference| names_one(&reference));
        for (place, rule) in section.rules.iter().enumerate() {
            if by_section || rule.references().any(|reference| names_one(&reference)) {
                let fields = rule.fields(&object.header, place, inventory);
                let name = fields.get("display_name").and_then(Value::as_str);
                let key = name.unwrap_or_default().to_owned();
                rows.push(Row {
                    key: key.into(),
                    id: rule.id.to_string().into(),
                    item: Value::Object(fields),
                });
            }
        }
    }
    let mut reply = paging.by_member(rows, Value::clone)?;
    if let Some(Value::Object(body)) = &mut reply.body {
        body.insert("service_type".into(), class.into());
    }
    Ok(reply)
}

fn ancestors(call: &Call<'_>) -> Vec<String> {
    let (fabric, group) = (call.world.fabric(), Node::group(call.param(0)));
    let holders = fabric.realization().holders(&group).into_iter().filter_map(Node::object);
    holders.map(|(_, id)| id.to_owned()).collect()
}
