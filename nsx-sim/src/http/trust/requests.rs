//! Requests for certificates, and what comes of them.

use super::super::call::{Call, Reply};
use super::super::error::Failure;
use super::super::routes::Routes;
use super::{imported, print};
use crate::inventory::Error;
use crate::kinds::csr::{self, Csr};

/// Adds the routes.
pub fn register(routes: &mut Routes) {
    let one = "/trust-management/csrs/{id}";
    routes.on("POST", "/trust-management/csrs", |call| {
        // From the world's own numbers, as all that it makes.
        let ids = call.world.inventory.ids();
        let seed = [ids.uuid().into_bytes(), ids.uuid().into_bytes()];
        let incoming = csr::make(call.object()?, seed)?;
        let object = call.commit(|tx| tx.create(&csr::KIND, incoming))?;
        Ok(Reply::created(call.print(&object)))
    });
    routes.on("GET", &format!("{one}/pem-file"), |call| {
        let object = call.world.inventory.get(&csr::KIND, call.param(0))?;
        let pem = object.body::<Csr>().and_then(Csr::pem).unwrap_or_default();
        Ok(Reply::text("text/plain;charset=UTF-8", pem))
    });
    routes.on("POST", &format!("{one}?action=import"), |call| {
        let fields = call.object()?;
        let made = call.commit(|tx| csr::import(tx, call.param(0), fields))?;
        Ok(imported(call, &made))
    });
    routes.on("POST", &format!("{one}?action=self_sign"), self_sign);
}

fn self_sign(call: &Call<'_>) -> Result<Reply, Failure> {
    let asked = call.query.get("days_valid");
    let asked = asked.ok_or_else(|| Error::field("days_valid", "is required"))?;
    let days = asked.parse().ok().filter(|days| (1..=10_000).contains(days));
    let days = days.ok_or_else(|| Error::field("days_valid", "must lie between 1 and 10000"))?;
    let made = call.commit(|tx| csr::self_sign(tx, call.param(0), days))?;
    Ok(Reply::created(print(call, &made, true)))
}
