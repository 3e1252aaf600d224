//! Members of IP sets and MAC sets, one by one.

use super::call::Reply;
use super::routes::Routes;
use crate::inventory::Error;
use crate::kinds::sets::{self, IP_SET, IPSet, MAC_SET, MACSet, MacElement};
use crate::wire;
use serde_json::{Value, json};

/// Adds the routes.
pub fn register(routes: &mut Routes) {
    routes.on("GET", "/ip-sets/{id}/members", |call| {
        let object = call.world.inventory.get(&IP_SET, call.param(0))?;
        let addresses = object.body::<IPSet>().map(|set| &*set.ip_addresses).unwrap_or_default();
        let results: Vec<Value> =
            addresses.iter().map(|address| json!({"ip_address": address})).collect();
        Ok(Reply::ok(json!({"result_count": results.len(), "results": results})))
    });
    routes.on("GET", "/mac-sets/{id}/members", |call| {
        let object = call.world.inventory.get(&MAC_SET, call.param(0))?;
        let addresses = object.body::<MACSet>().map(|set| &*set.mac_addresses).unwrap_or_default();
        let results: Vec<Value> =
            addresses.iter().map(|address| json!({"mac_address": address})).collect();
        Ok(Reply::ok(json!({"result_count": results.len(), "results": results})))
    });
    routes.on("POST", "/mac-sets/{id}/members", |call| {
        let element: MacElement = wire::read(Value::Object(call.object()?)).map_err(Error::from)?;
        let answer = json!({"mac_address": element.mac_address});
        call.commit(|tx| sets::add_mac(tx, call.param(0), element.mac_address))?;
        Ok(Reply::created(answer))
    });
    routes.on("DELETE", "/mac-sets/{id}/members/{mac}", |call| {
        call.commit(|tx| sets::remove_mac(tx, call.param(0), call.param(1)))?;
        Ok(Reply::empty())
    });
}
