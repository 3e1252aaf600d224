//! Licences and the agreement with the user [spec: licensing, EULA].

use super::call::{Call, Reply};
use super::routes::Routes;
use crate::inventory::{Error, Level};
use crate::kinds::fabric::virtual_machine::{MACHINE, MachineType, VirtualMachine};
use crate::node::{self, Agreement, KeyProblem, License, LicenseKey};
use serde_json::{Value, json};

/// What stands in place of the product's agreement, which is its maker's text.
const AGREEMENT: &str = "This is a simulator. There is nothing to agree to.";

/// Features that clients look for before they begin [nsx-operator].
const FEATURES: [&str; 2] = ["CONTAINER", "DFW"];

/// Adds the routes.
pub fn register(routes: &mut Routes) {
    routes.on("GET", "/licenses", |call| {
        let node = call.world.node.read();
        let results = node.licenses.all();
        Ok(Reply::ok(json!({"result_count": results.len(), "results": results})))
    });
    // 200 where other collections answer 201 [spec CreateLicense].
    routes.on("POST", "/licenses", |call| {
        let key = read(call)?;
        let mut node = call.world.node.write();
        Ok(Reply::ok(print(&node.licenses.add(&key).map_err(|own| refusal(own, &key.text()))?)))
    });
    routes.on("POST", "/licenses?action=delete", |call| {
        let key = read(call)?.text();
        call.world.node.write().licenses.remove(&key).map_err(|own| refusal(own, &key))?;
        Ok(Reply::empty())
    });
    routes.on("GET", "/licenses/{license-key}", |call| {
        let (node, key) = (call.world.node.read(), call.param(0));
        let found = node.licenses.of_key(key).ok_or_else(|| refusal(KeyProblem::Unknown, key))?;
        Ok(Reply::ok(print(found)))
    });
    routes.on("DELETE", "/licenses/{license-key}", |call| {
        let key = call.param(0);
        call.world.node.write().licenses.remove(key).map_err(|own| refusal(own, key))?;
        Ok(Reply::empty())
    });
    // Before there could be several; a login test of some [miq].
    routes.on("GET", "/license", |call| {
        let node = call.world.node.read();
        Ok(Reply::ok(node.licenses.main().map(print).unwrap_or_default()))
    });
    routes.on("PUT", "/license", |call| {
        let key = read(call)?;
        let mut node = call.world.node.write();
        let old = node.licenses.main().map(|own| own.license_key.clone()).unwrap_or_default();
        if old == key.text() {
            return Ok(Reply::ok(node.licenses.main().map(print).unwrap_or_default()));
        }
        let new = node.licenses.add(&key).map_err(|own| refusal(own, &key.text()))?;
        node.licenses.remove(&old).map_err(|own| refusal(own, &old))?;
        Ok(Reply::ok(print(&new)))
    });
    routes.on_as(Level::Shape, "GET", "/licenses/licensed-features", |_| {
        let licensed = |name| json!({"feature_name": name, "is_licensed": true});
        let results = FEATURES.map(licensed);
        Ok(Reply::ok(json!({"result_count": results.len(), "results": results})))
    });
    routes.on("GET", "/licenses/licenses-usage", |call| {
        let count = machines(call);
        let usage = |name| {
            let machines = json!({"capacity_type": "VM", "usage_count": count});
            json!({"feature": name, "capacity_usage": [machines]})
        };
        Ok(Reply::ok(json!({"feature_usage_info": FEATURES.map(usage)})))
    });
    routes.on("GET", "/licenses/licenses-usage?format=csv", |call| {
        let rows = FEATURES.map(|name| [name.to_owned(), machines(call).to_string()]);
        Ok(Reply::csv(["feature", "vm_usage_count"], rows))
    });
    register_agreement(routes, "/eula", Agreement::Installation);
    register_agreement(routes, "/upgrade/eula", Agreement::Upgrade);
}

/// An agreement's text, and whether somebody has agreed.
fn register_agreement(routes: &mut Routes, path: &str, own: Agreement) {
    routes.on("GET", &format!("{path}/acceptance"), move |call| {
        Ok(Reply::ok(json!({"acceptance": call.world.node.read().agreed.contains(&own)})))
    });
    routes.on("POST", &format!("{path}/accept"), move |call| {
        call.world.node.write().agreed.insert(own);
        Ok(Reply::empty())
    });
    routes.on_as(Level::Shape, "GET", &format!("{path}/content"), |_| {
        Ok(Reply::ok(json!({"content": AGREEMENT})))
    });
}

/// The machines that features are used for: all but edges' and services' own. Processors are not
/// known.
fn machines(call: &Call<'_>) -> usize {
    let machines = call.world.inventory.all(MACHINE.name);
    let regular = |own: &&VirtualMachine| own.r#type == MachineType::Regular;
    machines.iter().filter_map(|own| own.body::<VirtualMachine>()).filter(regular).count()
}

fn read(call: &Call<'_>) -> Result<LicenseKey, Error> {
    Ok(node::read(call.object()?, &node::LICENSE_SHOWN_ONLY)?)
}

fn print(license: &License) -> Value {
    json!(license)
}

fn refusal(problem: KeyProblem, key: &str) -> Error {
    let (kind, id) = ("License", key.to_owned());
    match problem {
        KeyProblem::Form => {
            Error::field("license_key", "must be five times five letters and digits")
        }
        KeyProblem::Known => Error::AlreadyExists { kind, id },
        KeyProblem::Unknown => Error::NotFound { kind, id },
        KeyProblem::Last => Error::NotModifiable { kind, id, why: "the last licence stays" },
    }
}
