//! Which certificate the manager shows. Connections that begin after the call see it.

use super::super::call::{Call, Reply};
use super::super::routes::Routes;
use super::super::tls;
use crate::inventory::Error;
use crate::kinds::appliance::served::{self, SERVED, Served};
use crate::kinds::certificate::{self, Certificate};
use serde_json::{Value, json};

/// Adds the routes.
pub fn register(routes: &mut Routes) {
    routes.on("POST", "/node/services/http?action=apply_certificate", |call| {
        let id = usable(call)?;
        change(call, |own| own.node = Some(id))?;
        // The product's service restarts, so that nobody hears more [spec].
        Ok(Reply::of(202, None))
    });
    let path = "/cluster/api-certificate";
    routes.on("GET", path, |call| Ok(Reply::ok(of_cluster(call))));
    routes.on("POST", &format!("{path}?action=set_cluster_certificate"), |call| {
        let id = usable(call)?;
        change(call, |own| own.cluster = Some(id))?;
        Ok(Reply::ok(of_cluster(call)))
    });
    routes.on("POST", &format!("{path}?action=clear_cluster_certificate"), |call| {
        let id = asked(call)?;
        if served::current(&call.world.inventory).cluster.as_deref() != Some(id) {
            return Err(Error::field("certificate_id", "is not the cluster's certificate").into());
        }
        change(call, |own| own.cluster = None)?;
        Ok(Reply::ok(of_cluster(call)))
    });
}

/// Empty where the cluster has none, for the member must be there (docs/fidelity.md).
fn of_cluster(call: &Call<'_>) -> Value {
    json!({"certificate_id": served::current(&call.world.inventory).cluster.unwrap_or_default()})
}

fn asked<'a>(call: &'a Call<'_>) -> Result<&'a str, Error> {
    let id = call.query.get("certificate_id");
    let id = id.ok_or_else(|| Error::field("certificate_id", "is required"))?;
    call.world.inventory.get(&certificate::KIND, id)?;
    Ok(id)
}

/// The certificate that a call names, which must have its key, and be valid, to be shown.
fn usable(call: &Call<'_>) -> Result<String, Error> {
    let id = asked(call)?;
    let object = call.world.inventory.get(&certificate::KIND, id)?;
    let wrong = |why: &str| Error::field("certificate_id", why);
    let own = object.body::<Certificate>().ok_or_else(|| wrong("is no certificate"))?;
    if !own.parsed().is_some_and(|own| own.is_valid(call.world.clock.now())) {
        return Err(wrong("is of a certificate that is not valid now"));
    }
    tls::certified(own).map_err(|why| wrong(&why))?;
    Ok(id.to_owned())
}

fn change(call: &Call<'_>, work: impl FnOnce(&mut Served)) -> Result<(), Error> {
    let id = call.world.inventory.single(&SERVED, None)?.header.id.clone();
    call.commit(|tx| {
        tx.edit(&SERVED, &id, |own: &mut Served, _| {
            work(own);
            Ok(())
        })
    })?;
    Ok(())
}
