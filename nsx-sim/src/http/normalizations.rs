//! What a group comes down to in objects of one kind.

use super::call::{Call, Reply};
use super::error::Failure;
use super::list::{Paging, Row};
use super::routes::Routes;
use crate::inventory::Error;
use crate::kinds::ns_group;
use crate::kinds::reference::ResourceReference;
use crate::realize::Node;
use serde_json::Value;
use std::collections::BTreeSet;

/// The kinds that can be asked for [spec GetNormalizations].
const KINDS: [&str; 6] =
    ["NSGroup", "IPSet", "MACSet", "LogicalSwitch", "LogicalPort", "DirectoryGroup"];

/// Adds the routes.
pub fn register(routes: &mut Routes) {
    routes.on("GET", "/normalizations", normalize);
}

fn normalize(call: &Call<'_>) -> Result<Reply, Failure> {
    let required = |name| Error::field(name, "is required");
    let wanted = call.query.one_of("preferred_normalization_type", &KINDS)?;
    let wanted = wanted.ok_or_else(|| required("preferred_normalization_type"))?;
    let id = call.query.get("resource_id").ok_or_else(|| required("resource_id"))?;
    let kind = call.query.one_of("resource_type", &[ns_group::KIND.name])?;
    kind.ok_or_else(|| required("resource_type"))?;
    let paging = Paging::read(&call.query, 1000)?;
    let inventory = &call.world.inventory;
    inventory.get(&ns_group::KIND, id)?;
    // A group is itself; of users' groups none is known.
    let ids: BTreeSet<String> = if wanted == ns_group::KIND.name {
        [id.to_owned()].into()
    } else {
        let fabric = call.world.fabric();
        let of_kind = |node: &Node| {
            let (kind, id) = node.object()?;
            (kind == wanted).then(|| id.to_owned())
        };
        fabric.realization().effective(id).filter_map(of_kind).collect()
    };
    let rows = ids.into_iter().map(|id| {
        let item = ResourceReference::to_object(wanted, &id);
        let name = inventory.find(wanted, &id).map(|own| own.header.name().to_owned());
        Row { key: name.unwrap_or_default().into(), id: id.into(), item }
    });
    Ok(paging.by_member(rows.collect(), |own| Value::Object(own.fields(inventory)))?)
}
