//! The exclude list and the firewall's switches.

use super::call::{Call, Reply};
use super::list::{Paging, Row};
use super::routes::Routes;
use crate::inventory::{Error, Incoming, Object};
use crate::kinds::firewall::exclude_list::{self, ExcludeList};
use crate::kinds::firewall::status::{self, Context, FirewallStatus, Switch};
use crate::kinds::reference::ResourceReference;
use crate::realize::Node;
use crate::wire;
use serde_json::{Value, json};
use std::collections::HashSet;

/// Adds the routes.
pub fn register(routes: &mut Routes) {
    register_exclude_list(routes);
    routes.on("GET", "/firewall/status", |call| {
        let paging = Paging::read(&call.query, status::KIND.page_cap)?;
        let rows = call.world.inventory.all(status::KIND.name).into_iter().map(|object| {
            let id = object.header.id.clone();
            Row { key: id.clone().into(), id: id.into(), item: object }
        });
        Ok(paging.by_member(rows.collect(), |object| call.print(object))?)
    });
    routes.on("GET", "/firewall/status/{context}", |call| {
        let object = call.world.inventory.get(&status::KIND, call.param(0))?;
        Ok(Reply::ok(call.print(&object)))
    });
    routes.on("PUT", "/firewall/status/{context}", |call| {
        let incoming = Incoming::read(&status::KIND, call.object()?)?;
        check_targets(call, &incoming)?;
        let object = call.commit(|tx| tx.replace(&status::KIND, call.param(0), incoming))?;
        Ok(Reply::ok(call.print(&object)))
    });
    routes.on("GET", "/firewall/status/{context}/{id}", |call| {
        let object = call.world.inventory.get(&status::KIND, call.param(0))?;
        check_target(call)?;
        Ok(Reply::ok(target(&object, call.param(1))))
    });
    for (word, switch) in
        [("enable_firewall", Switch::Enabled), ("disable_firewall", Switch::Disabled)]
    {
        routes.on(
            "POST",
            &format!("/firewall/status/{{context}}/{{id}}?action={word}"),
            move |call| {
                let id = call.param(1);
                check_target(call)?;
                call.commit(|tx| status::switch_target(tx, call.param(0), id, switch))?;
                let object = call.world.inventory.get(&status::KIND, call.param(0))?;
                Ok(Reply::ok(target(&object, id)))
            },
        );
    }
}

fn register_exclude_list(routes: &mut Routes) {
    routes.on("GET", "/firewall/excludelist", |call| {
        let object = call.world.inventory.get(&exclude_list::KIND, exclude_list::ID)?;
        Ok(Reply::ok(call.print(&object)))
    });
    routes.on("PUT", "/firewall/excludelist", |call| {
        let incoming = Incoming::read(&exclude_list::KIND, call.object()?)?;
        let object =
            call.commit(|tx| tx.replace(&exclude_list::KIND, exclude_list::ID, incoming))?;
        Ok(Reply::ok(call.print(&object)))
    });
    routes.on("POST", "/firewall/excludelist?action=add_member", |call| {
        let member: ResourceReference =
            wire::read(Value::Object(call.object()?)).map_err(Error::from)?;
        let answer = member.clone();
        call.commit(|tx| exclude_list::add(tx, member))?;
        Ok(Reply::ok(answer.fields(&call.world.inventory)))
    });
    routes.on("POST", "/firewall/excludelist?action=remove_member", |call| {
        let (id, kind) = member(call)?;
        // What it takes out of the groups that hold the object no source tells.
        if call.query.flag("deep_check")? {
            return Err(Error::Unsupported("remove_member with deep_check".into()).into());
        }
        let removed = call.commit(|tx| exclude_list::remove(tx, id, kind))?;
        Ok(Reply::ok(removed.fields(&call.world.inventory)))
    });
    routes.on("POST", "/firewall/excludelist?action=check_if_exists", |call| {
        let (id, kind) = member(call)?;
        let object = call.world.inventory.get(&exclude_list::KIND, exclude_list::ID)?;
        let direct = object.body::<ExcludeList>().and_then(|list| list.member(id, kind)).cloned();
        let found = match direct {
            None if call.query.flag("deep_check")? => indirect(call, id, kind),
            direct => direct,
        };
        let missing = || Error::NotFound { kind: "ExcludeListMember", id: id.to_owned() };
        Ok(Reply::ok(found.ok_or_else(missing)?.fields(&call.world.inventory)))
    });
}

/// The member that a query names: the id, and the kind where it is told [nsxlib].
fn member<'a>(call: &'a Call<'_>) -> Result<(&'a str, Option<&'a str>), Error> {
    let id = call.query.get("object_id").ok_or_else(|| Error::field("object_id", "is required"))?;
    let kind = call.query.one_of("object_type", &["NSGroup", "LogicalPort", "LogicalSwitch"])?;
    Ok((id, kind))
}

/// A port or switch that a member of the list holds.
fn indirect(call: &Call<'_>, id: &str, kind: Option<&str>) -> Option<ResourceReference> {
    let fabric = call.world.fabric();
    let kinds = ["LogicalPort", "LogicalSwitch"].into_iter();
    kinds.filter(|own| kind.is_none_or(|kind| kind == *own)).find_map(|own| {
        let node = Node::of(own, id)?;
        let held = fabric.realization().excludes(&node);
        held.then(|| ResourceReference::to_object(own, id))
    })
}

/// The target that a path names must be one of its context.
fn check_target(call: &Call<'_>) -> Result<(), Error> {
    let id = call.param(1);
    if is_target(call, id) {
        return Ok(());
    }
    Err(Error::NotFound { kind: target_kind(call), id: id.to_owned() })
}

/// So must be those that a body names, each of them once.
fn check_targets(call: &Call<'_>, incoming: &Incoming) -> Result<(), Error> {
    let body: &dyn std::any::Any = incoming.body.as_ref();
    let targets = body.downcast_ref().map_or(&[][..], |own: &FirewallStatus| &own.target_statuses);
    let mut seen = HashSet::new();
    for (index, target) in targets.iter().enumerate() {
        let wrong =
            |problem| Err(Error::field(format!("target_statuses[{index}].target_id"), problem));
        let Some(id) = target.target_id.as_deref() else { return wrong("is required") };
        if !is_target(call, id) {
            return Err(Error::MissingReference { kind: target_kind(call).into(), id: id.into() });
        }
        if !seen.insert(id) {
            return wrong("names a target twice");
        }
    }
    Ok(())
}

/// The distributed firewall stands on transport nodes, the other one on routers.
fn is_target(call: &Call<'_>, id: &str) -> bool {
    if call.param(0) == Context::LogicalRouters.word() {
        return call.world.inventory.find("LogicalRouter", id).is_some();
    }
    let fabric = call.world.fabric();
    fabric.machines().hosts().any(|host| host.id == id)
}

fn target_kind(call: &Call<'_>) -> &'static str {
    let routers = call.param(0) == Context::LogicalRouters.word();
    if routers { "LogicalRouter" } else { "TransportNode" }
}

fn target(object: &Object, id: &str) -> Value {
    let switch = object.body::<FirewallStatus>().map(|status| status.of_target(id));
    json!({"target_id": id, "target_status": switch})
}
