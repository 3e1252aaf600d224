//! The services of the node: whether they run, and what can be set of them.

use super::super::call::{Call, Reply};
use super::super::routes::Routes;
use super::{node, settings};
use crate::inventory::{Error, Level};
use crate::kinds::appliance::service::{
    Declared, Logging, MANAGER, POLICY, PROFILER, SERVICE, SERVICES, SNMP_ENGINE, Service,
    ServiceState,
};
use crate::kinds::appliance::syslog::{EXPORTER, Exporter};
use crate::wire;
use serde_json::{Value, json};

/// Adds the routes.
pub fn register(routes: &mut Routes) {
    routes.on("GET", "/node/services", |call| {
        let rows: Result<Vec<_>, Error> = SERVICES
            .iter()
            .map(|service| Ok((service.name.to_owned(), print(call, service)?)))
            .collect();
        settings::rows(call, rows?)
    });
    for service in SERVICES {
        one(routes, service);
    }
    // Beside the shell's own actions, the same ones by way of the agent.
    for word in ["start", "stop", "restart"] {
        let path = format!("/node/services/ssh/notify_mpa?action={word}");
        routes.on("POST", &path, move |call| act(call, "ssh", word));
    }
    for (name, kind) in [("manager", &MANAGER), ("policy", &POLICY)] {
        let path = format!("/node/services/{name}?action=reset-manager-logging-levels");
        routes.on("POST", &path, move |call| {
            let id = call.world.inventory.single(kind, None)?.header.id.clone();
            call.commit(|tx| {
                tx.edit(kind, &id, |service: &mut Service<Logging>, _| {
                    service.service_properties = Some(Logging::default());
                    Ok(())
                })
            })?;
            Ok(Reply::empty())
        });
    }
    settings::document(routes, "/node/services/snmp/v3-engine-id", &SNMP_ENGINE);
    let path = "/node/services/controller/profiler";
    routes.on_as(Level::Stateful, "GET", path, |call| {
        Ok(Reply::ok(settings::read(call, &PROFILER)?))
    });
    routes.on_as(Level::Stateful, "PUT", path, |call| {
        settings::replace(call, &PROFILER)?;
        Ok(Reply::empty())
    });
    register_exporters(routes);
}

fn one(routes: &mut Routes, service: &'static Declared) {
    let path = format!("/node/services/{}", service.name);
    match service.properties {
        Some(kind) => settings::document(routes, &path, kind),
        None => {
            routes.on_as(Level::Shape, "GET", &path, |call| Ok(Reply::ok(print(call, service)?)));
        }
    }
    routes.on("GET", &format!("{path}/status"), |call| Ok(Reply::ok(status(call, service.name)?)));
    if service.name == "node-mgmt" {
        // It serves this very API: it can only be restarted, which takes no time here.
        routes.on("POST", &format!("{path}?action=restart"), |_| Ok(Reply::of(202, None)));
        return;
    }
    for word in ["start", "stop", "restart"] {
        routes.on("POST", &format!("{path}?action={word}"), move |call| {
            act(call, service.name, word)
        });
    }
}

fn print(call: &Call<'_>, service: &Declared) -> Result<Value, Error> {
    match service.properties {
        Some(kind) => settings::read(call, kind),
        None => Ok(json!({"service_name": service.name})),
    }
}

/// Services have no processes of their own here, so no process ids are told.
fn status(call: &Call<'_>, name: &str) -> Result<Value, Error> {
    let object = call.world.inventory.get(&SERVICE, name)?;
    let running = object.body::<ServiceState>().is_some_and(|state| state.running);
    let state = if running { "running" } else { "stopped" };
    Ok(json!({"runtime_state": state, "monitor_runtime_state": state}))
}

fn act(call: &Call<'_>, name: &str, word: &str) -> Result<Reply, super::super::error::Failure> {
    call.commit(|tx| {
        tx.edit(&SERVICE, name, |state: &mut ServiceState, _| {
            state.running = word != "stop";
            Ok(())
        })
    })?;
    Ok(Reply::ok(status(call, name)?))
}

fn register_exporters(routes: &mut Routes) {
    let (all, one) = ("/node/services/syslog/exporters", "/node/services/syslog/exporters/{name}");
    routes.on_as(Level::Stateful, "GET", all, |call| settings::list(call, &EXPORTER));
    routes.on_as(Level::Stateful, "POST", all, |call| {
        let exporter: Exporter = wire::read(call.json()?).map_err(Error::from)?;
        let name = exporter.exporter_name.to_string();
        Ok(Reply::created(settings::create(call, &EXPORTER, Some(&name))?))
    });
    routes.on_as(Level::Stateful, "GET", one, |call| {
        Ok(Reply::ok(settings::print(call, &*settings::named(call, &EXPORTER)?)))
    });
    routes.on_as(Level::Stateful, "DELETE", one, |call| {
        node::delete(call, &EXPORTER, call.param(0))?;
        Ok(Reply::empty())
    });
}
