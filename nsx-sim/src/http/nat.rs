//! NAT rules: their ids are numbers, and one that is missing is no 404 [tf #165].

use super::call::{Call, Reply};
use super::collections;
use super::error::Failure;
use super::routers::{named as router, places};
use super::routes::Routes;
use crate::fabric::NatTally;
use crate::inventory::{Error, Incoming, Object, Transaction};
use crate::kinds::fabric::transport_node;
use crate::kinds::routing::nat::KIND;
use crate::wire::{self, Fields, Items, Text};
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::{Value, json};
use std::sync::Arc;

const RULES: &str = "/logical-routers/{}/nat/rules";

/// The rules of one call [spec NatRuleList].
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct RuleList {
    rules: Items<Value, 128>,
}

/// Adds the routes.
pub fn register(routes: &mut Routes) {
    let one = format!("{RULES}/{{id}}");
    routes.on("GET", RULES, |call| collections::list(call, &KIND, |object| call.print(object)));
    routes.on("POST", RULES, |call| {
        let parent = router(call)?;
        let fields = call.object()?;
        let object = call.commit(|tx| create(tx, &parent.header.id, fields))?;
        Ok(Reply::created(call.print(&object)))
    });
    routes.on("POST", &format!("{RULES}?action=create_multiple"), |call| {
        let parent = router(call)?;
        let list: RuleList = wire::read(Value::Object(call.object()?)).map_err(Error::from)?;
        let objects = call.commit(|tx| {
            let rules = list.rules.iter().map(|rule| match rule {
                Value::Object(fields) => create(tx, &parent.header.id, fields.clone()),
                _ => Err(Error::Malformed("each rule must be a JSON object".into())),
            });
            rules.collect::<Result<Vec<_>, _>>()
        })?;
        let printed: Vec<Value> = objects.iter().map(|object| call.print(object)).collect();
        Ok(Reply::created(json!({ "rules": printed })))
    });
    routes.on("GET", &one, |call| Ok(Reply::ok(call.print(&*rule(call)?))));
    routes.on("PUT", &one, |call| {
        let incoming = Incoming::read(&KIND, call.object()?)?;
        let id = &rule(call)?.header.id;
        let object = call.commit(|tx| tx.replace(&KIND, id, incoming))?;
        Ok(Reply::ok(call.print(&object)))
    });
    routes.on("DELETE", &one, |call| {
        let id = &rule(call)?.header.id;
        call.commit(|tx| tx.delete(&KIND, id, &call.query))?;
        Ok(Reply::empty())
    });
    routes.on("GET", &format!("{RULES}/statistics"), statistics);
    routes.on("GET", &format!("{one}/statistics"), |call| {
        call.query.one_of("source", &["realtime", "cached"])?;
        let object = rule(call)?;
        let fabric = call.world.fabric();
        let mut printed = print(sum(fabric.translations().of(&object.header.id)));
        printed["id"] = object.header.id.as_str().into();
        printed["logical_router_id"] = call.param(0).into();
        printed["last_update_timestamp"] = call.world.clock.now().into();
        Ok(Reply::ok(printed))
    });
    routes.on("GET", "/transport-nodes/{id}/statistics/nat-rules", |call| {
        call.query.one_of("source", &["realtime", "cached"])?;
        let node = call.world.inventory.get(&transport_node::KIND, call.param(0))?;
        let own = call.world.fabric().translations().on(&node.header.id);
        Ok(Reply::ok(of_node(call, &node.header.id, own)))
    });
}

/// A rule gets the next number for its id, whatever the caller sent.
fn create(tx: &mut Transaction<'_>, router: &str, fields: Fields) -> Result<Arc<Object>, Error> {
    let mut incoming = Incoming::read(&KIND, fields)?;
    incoming.id = Some(Text::cut(tx.inventory().ids().number().to_string()));
    tx.create_part(&KIND, Some(router), incoming)
}

/// The rule that the path names.
fn rule(call: &Call<'_>) -> Result<Arc<Object>, Error> {
    router(call)?;
    collections::named(call, &KIND).map_err(|_| Error::NoSuchNatRule {
        id: call.param(1).to_owned(),
        router: call.param(0).to_owned(),
    })
}

/// What all rules of a router did, together and on each of its edge nodes.
fn statistics(call: &Call<'_>) -> Result<Reply, Failure> {
    call.query.one_of("source", &["realtime", "cached"])?;
    let router = router(call)?;
    let rules = call.world.inventory.children(&KIND, &router.header.id);
    let fabric = call.world.fabric();
    let done = |rule: &Arc<Object>| {
        let own = fabric.translations().of(&rule.header.id);
        own.map(|(node, tally)| (node.to_owned(), tally)).collect::<Vec<_>>()
    };
    let done: Vec<(String, NatTally)> = rules.iter().flat_map(done).collect();
    let on = |node: &str| {
        let own = done.iter().filter(|(own, _)| own == node);
        sum(own.map(|(node, tally)| (node.as_str(), *tally)))
    };
    let nodes = places(call, &router).into_iter();
    let nodes = nodes.map(|place| of_node(call, &place.node, on(&place.node)));
    Ok(Reply::ok(json!({
        "logical_router_id": router.header.id,
        "last_update_timestamp": call.world.clock.now(),
        "statistics_across_all_nodes": print(sum(done.iter().map(|(node, own)| (&**node, *own)))),
        "per_transport_node_statistics": nodes.collect::<Vec<_>>(),
    })))
}

fn sum<'a>(tallies: impl Iterator<Item = (&'a str, NatTally)>) -> NatTally {
    tallies.fold(NatTally::default(), |sum, (_, own)| sum.and(own))
}

fn of_node(call: &Call<'_>, node: &str, tally: NatTally) -> Value {
    let mut printed = print(tally);
    printed["transport_node_id"] = node.into();
    printed["last_update_timestamp"] = call.world.clock.now().into();
    printed
}

fn print(tally: NatTally) -> Value {
    json!({
        "total_packets": tally.packets,
        "total_bytes": tally.bytes,
        "active_sessions": tally.sessions,
    })
}
