//! The settings of the API's own service, by its two names [spec ApiServiceConfig,
//! NodeHttpServiceProperties].

use super::call::{Call, Reply};
use super::routes::Routes;
use crate::inventory::{Error, Level};
use crate::node::{self, ApiServiceConfig, HttpServiceProperties};
use serde_json::{Value, json};

/// Adds the routes.
pub fn register(routes: &mut Routes) {
    routes.on("GET", "/cluster/api-service", |call| Ok(Reply::ok(current(call))));
    routes.on("PUT", "/cluster/api-service", |call| {
        let sent = node::read(call.object()?, &[]).map_err(Error::from)?;
        change(call, sent)?;
        Ok(Reply::ok(current(call)))
    });
    routes.on("GET", "/node/services/http", |call| Ok(Reply::ok(service(call))));
    // 202 and nothing else, for the product restarts to obey it [nsxlib].
    routes.on("PUT", "/node/services/http", |call| {
        let mut fields = call.object()?;
        if fields.shift_remove("service_name").is_some_and(|name| name != "http") {
            return Err(Error::field("service_name", "must be http").into());
        }
        let sent = fields.shift_remove("service_properties").unwrap_or_default();
        let _: NoMore = node::read(fields, &[]).map_err(Error::from)?;
        if let Value::Object(own) = sent {
            // The certificate is applied by an action of its own.
            change(call, node::read(own, &["certificate"]).map_err(Error::from)?)?;
        } else if !sent.is_null() {
            return Err(Error::field("service_properties", "must be an object").into());
        }
        Ok(Reply::of(202, Some(service(call))))
    });
    routes.on_as(Level::Shape, "GET", "/node/services/http/status", |_| Ok(Reply::ok(running())));
    // It obeys at once, and sessions outlive a restart that does not happen.
    routes.on_as(Level::Shape, "POST", "/node/services/http?action=restart", |_| {
        Ok(Reply::of(202, None))
    });
    routes.on_as(Level::Shape, "POST", "/node/services/http?action=start", |_| {
        Ok(Reply::ok(running()))
    });
}

/// What remains of a body whose members were all taken out.
#[derive(serde::Deserialize)]
#[serde(deny_unknown_fields)]
struct NoMore {}

fn current(call: &Call<'_>) -> Value {
    json!(call.world.node.read().api_service)
}

/// The settings in their older form, which has no immune addresses.
fn service(call: &Call<'_>) -> Value {
    let mut properties = current(call);
    if let Value::Object(fields) = &mut properties {
        fields.shift_remove("lockout_immune_addresses");
    }
    json!({"service_name": "http", "service_properties": properties})
}

fn running() -> Value {
    json!({"runtime_state": "running", "monitor_runtime_state": "running"})
}

fn change(call: &Call<'_>, sent: HttpServiceProperties) -> Result<(), Error> {
    let node = &call.world.node;
    let config = ApiServiceConfig::update(node.default_limits(), sent)
        .map_err(|(name, problem)| Error::field(name, problem))?;
    node.write().api_service = config;
    Ok(())
}
