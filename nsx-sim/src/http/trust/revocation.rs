//! Revocation lists and distribution points.

use super::super::call::{Call, Reply};
use super::super::collections;
use super::super::error::Failure;
use super::super::routes::Routes;
use crate::inventory::{Error, Object};
use crate::kinds::crl::{self, Crl, CrlDistributionPoint, LIST, POINT};
use crate::wire::{self, Fields};
use serde::Deserialize;
use serde_json::{Value, json};
use std::sync::Arc;

/// Adds the routes.
pub fn register(routes: &mut Routes) {
    routes.on("POST", "/trust-management/crls?action=import", |call| {
        let fields = call.object()?;
        let object = call.commit(|tx| crl::import(tx, fields))?;
        let results = [print(call, &object, true)];
        Ok(Reply::created(json!({"result_count": 1, "results": results})))
    });
    routes.on("GET", LIST.path, |call| {
        let details = call.query.flag("details")?;
        // No revocation list is a certificate of the cluster's.
        let none = call.query.one_of("type", &["cluster_api_certificate"])?.is_some();
        let objects = if none { Vec::new() } else { collections::filtered(call, &LIST)? };
        collections::page(call, &LIST, &objects, |own| print(call, own, details))
    });
    routes.on("GET", &format!("{}/{{id}}", LIST.path), |call| {
        let details = call.query.flag("details")?;
        let object = call.world.inventory.get(&LIST, call.param(0))?;
        Ok(Reply::ok(print(call, &object, details)))
    });
    routes.on("GET", &format!("{}/{{id}}/status", POINT.path), |call| {
        let object = call.world.inventory.get(&POINT, call.param(0))?;
        let ready = list_of(call, &object).is_some();
        Ok(Reply::ok(json!({"status": if ready { "READY" } else { "NOT_READY" }})))
    });
    routes.on("POST", &format!("{}/pem-file", POINT.path), pem);
}

/// A list, with what it says where that is asked for.
fn print(call: &Call<'_>, object: &Object, details: bool) -> Value {
    let mut printed = call.print(object);
    if let (true, Some(parsed)) = (details, object.body::<Crl>().and_then(Crl::parsed)) {
        printed["details"] = Value::Object(parsed.details.clone());
    }
    printed
}

/// The stored list of a point.
fn list_of(call: &Call<'_>, point: &Object) -> Option<Arc<Object>> {
    point.body::<CrlDistributionPoint>()?.list(&call.world.inventory)
}

/// [spec CrlPemRequestType]
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Asked {
    cdp_uri: Option<String>,
}

/// The stored list of the point that a body names by its address.
fn pem(call: &Call<'_>) -> Result<Reply, Failure> {
    let mut fields: Fields = call.object()?;
    fields.retain(|name, _| !name.starts_with('_'));
    let Asked { cdp_uri } = wire::read(Value::Object(fields)).map_err(Error::from)?;
    let uri = cdp_uri.ok_or_else(|| Error::field("cdp_uri", "is required"))?;
    let points = call.world.inventory.all(POINT.name);
    let named = |own: &&Arc<Object>| {
        let point = own.body::<CrlDistributionPoint>();
        point.and_then(|own| own.cdp_uri.as_deref()) == Some(&*uri)
    };
    let found = points.iter().find(named).and_then(|point| list_of(call, point));
    let missing = || Error::NotFound { kind: LIST.name, id: uri.clone() };
    let found = found.ok_or_else(missing)?;
    let pem = found.body::<Crl>().map(|own| own.pem_encoded.clone()).unwrap_or_default();
    Ok(Reply::text("text/plain;charset=UTF-8", pem))
}
