//! Certificates, requests for them, revocation lists and principal identities
//! [spec: trust management].

mod requests;
mod revocation;
mod served;

use super::call::{Call, Reply};
use super::collections;
use super::error::Failure;
use super::routes::Routes;
use crate::inventory::{Level, Object};
use crate::kinds::appliance::served::current;
use crate::kinds::certificate::{self, Certificate};
use crate::kinds::csr::KEY_SIZES;
use crate::kinds::principal_identity;
use serde_json::{Value, json};
use std::sync::Arc;

/// Adds the routes.
pub fn register(routes: &mut Routes) {
    // The sizes that the admin guide tells.
    routes.on_as(Level::Shape, "GET", "/trust-management", |_| {
        let rsa = json!({"name": "RSA", "key_size": KEY_SIZES});
        Ok(Reply::ok(json!({"supported_algorithms": [rsa]})))
    });
    routes.on("GET", "/trust-management/certificates", |call| {
        let details = call.query.flag("details")?;
        let mut objects = collections::filtered(call, &certificate::KIND)?;
        if call.query.one_of("type", &["cluster_api_certificate"])?.is_some() {
            let own = current(&call.world.inventory).cluster;
            objects.retain(|object| own.as_deref() == Some(&*object.header.id));
        }
        collections::page(call, &certificate::KIND, &objects, |own| print(call, own, details))
    });
    routes.on("GET", "/trust-management/certificates/{id}", |call| {
        let details = call.query.flag("details")?;
        let object = call.world.inventory.get(&certificate::KIND, call.param(0))?;
        Ok(Reply::ok(print(call, &object, details)))
    });
    routes.on("POST", "/trust-management/certificates?action=import", import);
    routes.on("POST", "/trust-management/principal-identities", |call| {
        let fields = call.object()?;
        let object = call.commit(|tx| principal_identity::create(tx, fields))?;
        Ok(Reply::created(call.print(&object)))
    });
    routes.on("POST", "/trust-management/principal-identities/with-certificate", |call| {
        let fields = call.object()?;
        let object = call.commit(|tx| principal_identity::create_with_certificate(tx, fields))?;
        Ok(Reply::created(call.print(&object)))
    });
    routes.on("POST", "/trust-management/principal-identities?action=update_certificate", |call| {
        let fields = call.object()?;
        let object = call.commit(|tx| principal_identity::update_certificate(tx, fields))?;
        Ok(Reply::ok(call.print(&object)))
    });
    requests::register(routes);
    revocation::register(routes);
    served::register(routes);
}

/// Answers 201 with a list, whether of one or of a chain [nsxlib].
fn import(call: &Call<'_>) -> Result<Reply, Failure> {
    let fields = call.object()?;
    let made = call.commit(|tx| certificate::import(tx, fields))?;
    Ok(imported(call, &made))
}

fn imported(call: &Call<'_>, made: &[Arc<Object>]) -> Reply {
    let results: Vec<Value> = made.iter().map(|own| print(call, own, true)).collect();
    Reply::created(json!({"result_count": results.len(), "results": results}))
}

/// A certificate, with what it says where that is asked for [spec: `details`].
fn print(call: &Call<'_>, object: &Object, details: bool) -> Value {
    let mut printed = call.print(object);
    let parsed = object.body::<Certificate>().and_then(Certificate::parsed);
    if let (true, Some(parsed)) = (details, parsed) {
        printed["details"] = json!([parsed.details(call.world.clock.now())]);
    }
    printed
}
