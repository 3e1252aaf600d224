//! The load balancer beyond the plain verbs: virtual servers with their rules, and services as they
//! are at run time.

mod scope;
mod statistics;
mod status;
mod usage;

pub use usage::{CreditPool, credit_pools, places};

use super::call::{Call, Reply};
use super::routes::Routes;
use crate::inventory::{Error, Level};
use crate::kinds::load_balancer::{ssl, with_rules};
use scope::Scope;
use serde_json::{Value, json};

/// Adds the routes.
pub fn register(routes: &mut Routes) {
    routes.on("POST", "/loadbalancer/virtual-servers?action=create_with_rules", |call| {
        let body = Value::Object(call.object()?);
        Ok(Reply::created(call.commit(|tx| with_rules::create(tx, body))?))
    });
    routes.on("PUT", "/loadbalancer/virtual-servers/{id}?action=update_with_rules", |call| {
        let body = Value::Object(call.object()?);
        Ok(Reply::ok(call.commit(|tx| with_rules::update(tx, call.param(0), body))?))
    });
    routes.on_as(Level::Shape, "GET", "/loadbalancer/ssl/ciphers-and-protocols", |_| {
        Ok(Reply::ok(ssl::known()))
    });
    routes.on("GET", "/loadbalancer/services/{id}/debug-info", |call| {
        Ok(Reply::ok(Scope::of(call)?.everything(call)))
    });
    status::register(routes);
    statistics::register(routes);
    usage::register(routes);
}

/// Reads `source`, which makes no difference: everything is up to date at once.
fn check_source(call: &Call<'_>) -> Result<(), Error> {
    call.query.one_of("source", &["realtime", "cached"])?;
    Ok(())
}

/// A list that is given whole.
fn whole(results: &[Value]) -> Reply {
    Reply::ok(json!({"result_count": results.len(), "results": results}))
}
