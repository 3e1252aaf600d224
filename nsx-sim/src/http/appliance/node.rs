//! The node: its properties, its figures, and the settings that stand directly below `/node`.

use super::super::call::{Call, Reply};
use super::super::node::date;
use super::super::routes::Routes;
use super::{host, settings};
use crate::clock::Millis;
use crate::inventory::{Actor, Error, Kind, Level, Query};
use crate::kinds::appliance::node::{
    ACCESS_CONTROL, AGENT, BUS_PORT, BusPort, ID, MANAGEMENT_PLANE, NodeProperties, PROPERTIES,
};
use serde_json::{Map, Value, json};

/// Adds the routes.
pub fn register(routes: &mut Routes) {
    routes.on("GET", "/node", |call| Ok(Reply::ok(properties(call)?)));
    routes.on("PUT", "/node", |call| {
        settings::replace(call, &PROPERTIES)?;
        Ok(Reply::ok(properties(call)?))
    });
    routes.on("GET", "/node/status", |call| Ok(Reply::ok(status(call)?)));
    // There is no error at start to clear: what could not start does not answer.
    routes
        .on("POST", "/node/status?action=clear_bootup_error", |call| Ok(Reply::ok(status(call)?)));
    routes.on("GET", "/node/processes", |call| {
        let process = host::process(call.world.clock.now(), started(call)?);
        settings::rows(call, [(process["pid"].to_string(), process)])
    });
    routes.on("GET", "/node/processes/{pid}", |call| {
        let process = host::process(call.world.clock.now(), started(call)?);
        if process["pid"].as_u64() != call.param(0).parse().ok() {
            return Err(missing("NodeProcessProperties", call.param(0)).into());
        }
        Ok(Reply::ok(process))
    });
    routes.on("GET", "/node/mode", |_| Ok(Reply::ok(json!({"mode_id": "ON_PREM"}))));
    let path = "/node/hardening-policy/mandatory-access-control";
    settings::document(routes, path, &ACCESS_CONTROL);
    register_bus_port(routes);
    optional(routes, "/node/management-plane", &MANAGEMENT_PLANE);
    optional(routes, "/node/mpa-config", &AGENT);
    // The process logs to its standard error; it keeps no log files.
    routes.on_as(Level::Shape, "GET", "/node/logs", |call| settings::rows(call, []));
    for path in ["/node/logs/{log}", "/node/logs/{log}/data"] {
        routes.on_as(Level::Shape, "GET", path, |call| {
            Err(missing("NodeLogProperties", call.param(0)).into())
        });
    }
}

/// When the world began.
pub fn started(call: &Call<'_>) -> Result<Millis, Error> {
    Ok(call.world.inventory.single(&PROPERTIES, None)?.header.created.time)
}

/// What the node measures.
///
/// # Errors
/// None but for a mistake in the program.
pub fn status(call: &Call<'_>) -> Result<Value, Error> {
    Ok(host::status(call.world.clock.now(), started(call)?))
}

/// An object that is not there.
pub fn missing(kind: &'static str, id: &str) -> Error {
    Error::NotFound { kind, id: id.to_owned() }
}

/// The node's name and, with the domain that it is in, its whole name.
///
/// # Errors
/// None but for a mistake in the program.
pub fn names(call: &Call<'_>) -> Result<(String, String), Error> {
    let object = call.world.inventory.single(&PROPERTIES, None)?;
    let own = object.body::<NodeProperties>().map(|node| node.hostname.to_string());
    let name = own.unwrap_or_default();
    let whole = if name.contains('.') { name.clone() } else { format!("{name}.{DOMAIN}") };
    Ok((name, whole))
}

/// The domain of nodes whose name has none.
const DOMAIN: &str = "corp.local";

fn properties(call: &Call<'_>) -> Result<Value, Error> {
    let now = call.world.clock.now();
    let (_, whole_name) = names(call)?;
    let version = call.world.inventory.version();
    let told = json!({
        "node_version": version.node(),
        "product_version": version.product(),
        "kernel_version": "4.4.0-157-generic",
        "fully_qualified_domain_name": whole_name,
        "export_type": "UNRESTRICTED",
        "node_uuid": ID,
        "system_time": now,
        "system_datetime": date(now),
    });
    let mut fields = Map::new();
    for part in [told, settings::read(call, &PROPERTIES)?] {
        if let Value::Object(own) = part {
            fields.extend(own);
        }
    }
    Ok(Value::Object(fields))
}

fn register_bus_port(routes: &mut Routes) {
    let path = "/node/rabbitmq-management-port";
    routes.on_as(Level::Stateful, "GET", path, |call| {
        Ok(Reply::ok(settings::read(call, &BUS_PORT)?))
    });
    for (verb, enabled) in [("POST", true), ("DELETE", false)] {
        routes.on_as(Level::Stateful, verb, path, move |call| {
            let id = call.world.inventory.single(&BUS_PORT, None)?.header.id.clone();
            call.commit(|tx| {
                tx.edit(&BUS_PORT, &id, |port: &mut BusPort, _| {
                    port.enabled = enabled;
                    Ok(())
                })
            })?;
            Ok(Reply::empty())
        });
    }
}

/// `GET`, `PUT` and `DELETE` of a document that need not be there.
fn optional(routes: &mut Routes, path: &str, kind: &'static Kind) {
    routes.on_as(Level::Stateful, "GET", path, move |call| {
        Ok(Reply::ok(settings::print(call, &*call.world.inventory.get(kind, ONLY)?)))
    });
    routes.on_as(Level::Stateful, "PUT", path, move |call| {
        let known = call.world.inventory.find(kind.name, ONLY).is_some();
        Ok(Reply::ok(if known {
            settings::replace_entry(call, kind, ONLY)?
        } else {
            settings::create(call, kind, Some(ONLY))?
        }))
    });
    routes.on_as(Level::Stateful, "DELETE", path, move |call| {
        delete(call, kind, ONLY)?;
        Ok(Reply::empty())
    });
}

/// The id of the one object of [`optional`].
const ONLY: &str = "config";

/// Deletes an entry, the manager's own included.
///
/// # Errors
/// [`Error::NotFound`].
pub fn delete(call: &Call<'_>, kind: &'static Kind, id: &str) -> Result<(), Error> {
    let system = Actor::system();
    call.world.commit(&system, |tx| tx.delete(kind, id, &Query::default()))
}
