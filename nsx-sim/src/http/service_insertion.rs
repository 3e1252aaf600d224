//! Service insertion beyond the plain verbs: what follows from chains and rules.

use super::call::{Call, Reply};
use super::collections;
use super::list::{Paging, Row, place_key};
use super::routes::Routes;
use crate::inventory::{Error, Object};
use crate::kinds::firewall::exclude_list;
use crate::kinds::reference::ResourceReference;
use crate::kinds::rule_book::{BookRule, sections};
use crate::kinds::service_insertion::chain::{self, ServiceChain, Way};
use crate::kinds::service_insertion::instance::{self, ServiceInstance};
use crate::kinds::service_insertion::profile;
use crate::kinds::service_insertion::section::{Redirection, ServiceInsertionRule, rules};
use crate::kinds::service_insertion::status::{EXCLUDE_LIST, EXCLUDE_LIST_ID};
use crate::wire;
use serde_json::{Value, json};
use std::collections::BTreeSet;

/// Adds the routes.
pub fn register(routes: &mut Routes) {
    routes.on("POST", "/serviceinsertion/excludelist?action=add_member", |call| {
        let member: ResourceReference =
            wire::read(Value::Object(call.object()?)).map_err(Error::from)?;
        let answer = member.clone();
        call.commit(|tx| exclude_list::add_to(tx, &EXCLUDE_LIST, EXCLUDE_LIST_ID, member))?;
        Ok(Reply::ok(answer.fields(&call.world.inventory)))
    });
    routes.on("POST", "/serviceinsertion/excludelist?action=remove_member", |call| {
        let id = call.query.get("object_id");
        let id = id.ok_or_else(|| Error::field("object_id", "is required"))?;
        let list = (&EXCLUDE_LIST, EXCLUDE_LIST_ID);
        let removed = call.commit(|tx| exclude_list::remove_from(tx, list, id, None))?;
        Ok(Reply::ok(removed.fields(&call.world.inventory)))
    });
    routes.on("GET", "/serviceinsertion/service-instances", |call| {
        let mut instances = call.world.inventory.all(instance::KIND.name);
        if let Some(id) = call.query.get("deployed_to") {
            instances.retain(|own| {
                let targets = own.body::<ServiceInstance>().map(ServiceInstance::deployed_to);
                let targets = targets.unwrap_or_default();
                targets.iter().any(|target| target.target_id.as_deref() == Some(id))
            });
        }
        collections::page(call, &instance::KIND, &instances, |object| call.print(object))
    });
    let instances = instance::KIND.path.replace("{}", "{service}") + "/{instance}";
    routes.on("GET", &format!("{instances}/instance-runtimes"), |call| {
        collections::named(call, &instance::KIND)?;
        // No appliance is ever deployed.
        let paging = Paging::read(&call.query, 1000)?;
        Ok(paging.ordered(&Vec::<Row<'_, Value>>::new(), Value::clone))
    });
    routes.on("GET", &format!("{instances}/group-associations"), |call| {
        let object = collections::named(call, &instance::KIND)?;
        let endpoints = call.world.inventory.children(&instance::ENDPOINT, &object.header.id);
        let groups = groups(call, |rule| {
            rule.redirects_to(instance::KIND.name, &object.header.id)
                || endpoints
                    .iter()
                    .any(|own| rule.redirects_to(instance::ENDPOINT.name, &own.header.id))
        });
        Ok(Reply::ok(json!({"nsroups": groups})))
    });
    register_profiles(routes);
}

fn register_profiles(routes: &mut Routes) {
    let profiles = profile::KIND.path.replace("{}", "{service}") + "/{profile}";
    routes.on("GET", &format!("{profiles}/nsgroups"), |call| {
        let object = collections::named(call, &profile::KIND)?;
        let id = &object.header.id;
        let chains = call.world.inventory.referrers(profile::KIND.name, id);
        let groups = groups(call, |rule| {
            chains.iter().any(|own| rule.redirects_to(chain::KIND.name, &own.header.id))
        });
        let mut printed = call.print(&object);
        printed["nsroups"] = groups.into();
        Ok(Reply::ok(printed))
    });
    routes.on("GET", &format!("{profiles}/service-chain-mappings"), |call| {
        let paging = Paging::read(&call.query, 1000)?;
        let object = collections::named(call, &profile::KIND)?;
        let id = &object.header.id;
        let chains = call.world.inventory.referrers(profile::KIND.name, id);
        let mappings: Vec<Value> = chains
            .iter()
            .filter_map(|own| Object::body::<ServiceChain>(own))
            .flat_map(|own| {
                own.places(id).into_iter().map(|(way, place)| {
                    let direction = if way == Way::Forward { "FORWARD" } else { "REVERSE" };
                    json!({
                        "service_chain_id": own.number(),
                        "direction": direction,
                        "service_index": place,
                    })
                })
            })
            .collect();
        let rows = mappings.into_iter().enumerate().map(|(place, item)| {
            let key = place_key(place);
            Row { id: key.clone(), key, item }
        });
        Ok(paging.by_member(rows.collect(), Value::clone)?)
    });
    routes.on("GET", "/serviceinsertion/service-chains/{id}/service-paths", |call| {
        call.world.inventory.get(&chain::KIND, call.param(0))?;
        // A path leads from appliance to appliance, and there is none.
        let paging = Paging::read(&call.query, 1000)?;
        Ok(paging.ordered(&Vec::<Row<'_, Value>>::new(), Value::clone))
    });
}

/// The groups that rules of some sort name, each once.
fn groups(call: &Call<'_>, wanted: impl Fn(&ServiceInsertionRule) -> bool) -> Vec<Value> {
    let inventory = &call.world.inventory;
    let sections = sections::<Redirection>(inventory);
    let lists = rules(&sections).filter(|rule| wanted(rule)).flat_map(BookRule::lists);
    let named = lists.flat_map(|(_, list)| list).filter_map(ResourceReference::object);
    let ids: BTreeSet<String> =
        named.filter(|own| own.kind == "NSGroup").map(|own| own.id).collect();
    let print = |id: String| json!({"nsgroup": ResourceReference::to_object("NSGroup", &id).fields(inventory)});
    ids.into_iter().map(print).collect()
}
