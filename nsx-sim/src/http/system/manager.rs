//! Settings of the manager beside its plain kinds: the barrier, what watchers watch, what resolves
//! errors.

use super::super::appliance::{missing, settings};
use super::super::call::{Call, Reply};
use super::super::error::Failure;
use super::super::routes::Routes;
use crate::inventory::{Error, Level};
use crate::kinds::system::barrier::{BARRIER, Barrier, MANAGEMENT};
use crate::kinds::system::notification::{NOTIFICATIONS, Notification, Notifications, WATCHER};
use crate::wire;
use serde::Deserialize;
use serde_json::{Value, json};

/// Compute managers that may be registered, as 2.5 has it by default. From memory of the published
/// maximums (docs/fidelity.md).
const COMPUTE_MANAGERS: u32 = 16;

/// Adds the routes.
pub fn register(routes: &mut Routes) {
    register_barrier(routes);
    register_watched(routes);
    register_resolver(routes);
    settings::revisioned(routes, "/configs/management", &MANAGEMENT);
    routes.on_as(Level::Shape, "GET", "/configs/inventory", |_| {
        Ok(Reply::ok(json!({"compute_managers_soft_limit": COMPUTE_MANAGERS})))
    });
    // Nothing here raises an alarm.
    routes.on_as(Level::Shape, "GET", "/hpm/alarms", |call| settings::rows(call, []));
}

fn register_barrier(routes: &mut Routes) {
    settings::revisioned(routes, "/realization-state-barrier/config", &BARRIER);
    let path = "/realization-state-barrier/current";
    routes.on("GET", path, |call| Ok(Reply::ok(barrier(call)?)));
    routes.on("POST", &format!("{path}?action=increment"), |call| {
        let id = call.world.inventory.single(&BARRIER, None)?.header.id.clone();
        call.commit(|tx| {
            let now = tx.now();
            tx.edit(&BARRIER, &id, |own: &mut Barrier, _| {
                own.increment(now);
                Ok(())
            })
        })?;
        Ok(Reply::created(barrier(call)?))
    });
}

fn barrier(call: &Call<'_>) -> Result<Value, Error> {
    let object = call.world.inventory.single(&BARRIER, None)?;
    let number = object.body::<Barrier>().map_or(0, |own| own.number(call.world.clock.now()));
    Ok(json!({"current_barrier_number": number}))
}

fn register_watched(routes: &mut Routes) {
    let path = "/notification-watchers/{id}/notifications";
    routes.on_as(Level::Stateful, "POST", &format!("{path}?action=add_uri_filters"), |call| {
        watch(call, |own, more| {
            own.add(more);
            Ok(())
        })
    });
    routes.on_as(Level::Stateful, "POST", &format!("{path}?action=delete_uri_filters"), |call| {
        watch(call, |own, less| own.remove(&less))
    });
}

fn watch(
    call: &Call<'_>,
    change: impl FnOnce(&mut Notifications, Notification) -> Result<(), Error>,
) -> Result<Reply, Failure> {
    let inventory = &call.world.inventory;
    let watcher = inventory.get(&WATCHER, call.param(0))?;
    let id = inventory.single(&NOTIFICATIONS, Some(&watcher.header.id))?.header.id.clone();
    let sent: Notification = wire::read(call.json()?).map_err(Error::from)?;
    let object = call.commit(|tx| {
        tx.edit(&NOTIFICATIONS, &id, |own: &mut Notifications, _| change(own, sent))
    })?;
    Ok(Reply::ok(call.print(&object)))
}

/// Errors that were to be resolved [spec ErrorResolverMetadataList].
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Errors {
    errors: Vec<OneError>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct OneError {
    error_id: i64,
    entity_id: String,
    #[serde(default, rename = "system_metadata")]
    _system: Option<Value>,
    #[serde(default, rename = "user_metadata")]
    _user: Option<Value>,
}

/// No error of the simulator's has anything that resolves it.
fn register_resolver(routes: &mut Routes) {
    routes.on_as(Level::Shape, "GET", "/error-resolver", |_| Ok(Reply::ok(json!({"results": []}))));
    routes.on_as(Level::Shape, "GET", "/error-resolver/{error}", |call| {
        let error: i64 =
            call.param(0).parse().map_err(|_| missing("ErrorResolverInfo", call.param(0)))?;
        Ok(Reply::ok(json!({"error_id": error, "resolver_present": false})))
    });
    routes.on_as(Level::Shape, "POST", "/error-resolver?action=resolve_error", |call| {
        let Errors { errors } = wire::read(call.json()?).map_err(Error::from)?;
        let unknown = errors.iter().map(|own| {
            format!("errors.error_id {} of {} has no resolver", own.error_id, own.entity_id)
        });
        match unknown.collect::<Vec<_>>() {
            none if none.is_empty() => Ok(Reply::of(204, None)),
            unknown => Err(Error::InvalidFields(unknown).into()),
        }
    });
}
