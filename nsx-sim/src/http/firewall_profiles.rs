//! Firewall profiles, and the service configs that apply profiles to objects.

use super::call::{Call, Reply};
use super::collections;
use super::error::Failure;
use super::list::{Paging, Row, place_key};
use super::routes::{Routes, Verb};
use crate::inventory::{Error, Incoming, Object};
use crate::kinds::firewall::profile;
use crate::kinds::service_config::{self, ServiceConfig};
use crate::wire::Fields;
use serde_json::{Value, json};

/// The kinds whose effective profiles can be asked for [spec EffectiveProfiles].
const TARGETS: [&str; 5] =
    ["NSGroup", "LogicalPort", "VirtualMachine", "TransportNode", "LogicalRouter"];

/// The most configs of a batch [spec ServiceConfigList].
const MAX_BATCH: usize = 100;

/// Adds the routes.
pub fn register(routes: &mut Routes) {
    routes.verb(&profile::KIND, Verb::List, profile::KIND.path, |call| {
        let wanted = call.query.one_of("resource_type", &profile::TYPES)?;
        let wanted = wanted.ok_or_else(|| Error::field("resource_type", "is required"))?;
        let mut profiles = collections::filtered(call, &profile::KIND)?;
        profiles.retain(|own| own.resource_type() == wanted);
        collections::page(call, &profile::KIND, &profiles, |object| call.print(object))
    });
    routes.on("POST", "/service-configs/batch", batch);
    routes.on("GET", "/service-configs/effective-profiles", effective);
}

/// Makes the configs that are new and changes those that are known, all or none.
fn batch(call: &Call<'_>) -> Result<Reply, Failure> {
    let mut body = call.object()?;
    let configs = match body.shift_remove("service_configs") {
        Some(Value::Array(configs)) => configs,
        None | Some(Value::Null) => {
            return Err(Error::field("service_configs", "is required").into());
        }
        Some(_) => return Err(Error::field("service_configs", "must be a list").into()),
    };
    if let Some((name, _)) = body.iter().next() {
        return Err(Error::UnknownField(name.clone()).into());
    }
    if configs.is_empty() || configs.len() > MAX_BATCH {
        let problem = format!("must hold 1 to {MAX_BATCH}");
        return Err(Error::field("service_configs", problem).into());
    }
    let fields = |(index, config)| match config {
        Value::Object(fields) => Ok(fields),
        _ => Err(Error::field(format!("service_configs[{index}]"), "must be an object")),
    };
    let configs: Vec<Fields> =
        configs.into_iter().enumerate().map(fields).collect::<Result<_, _>>()?;
    let written = call.commit(|tx| {
        let mut written = Vec::new();
        for fields in configs {
            let incoming = Incoming::read(&service_config::KIND, fields)?;
            let known = incoming.id.as_deref().filter(|id| {
                tx.find(service_config::KIND.name, id).is_some() && incoming.revision.is_some()
            });
            written.push(match known.map(str::to_owned) {
                Some(id) => tx.replace(&service_config::KIND, &id, incoming)?,
                None => tx.create(&service_config::KIND, incoming)?,
            });
        }
        Ok(written)
    })?;
    let results: Vec<Value> = written.iter().map(|object| call.print(object)).collect();
    Ok(Reply::created(json!({"result_count": results.len(), "results": results})))
}

/// Of each type the profile whose config comes first among those applied to the object or to
/// what holds it.
fn effective(call: &Call<'_>) -> Result<Reply, Failure> {
    let required = |name| Error::field(name, "is required");
    let kind = call.query.one_of("resource_type", &TARGETS)?;
    let kind = kind.ok_or_else(|| required("resource_type"))?;
    let id = call.query.get("resource_id").ok_or_else(|| required("resource_id"))?;
    let paging = Paging::read(&call.query, service_config::KIND.page_cap)?;
    let inventory = &call.world.inventory;
    let fabric = call.world.fabric();
    let applied = fabric.applied_to(kind, id);
    if inventory.find(kind, id).is_none() {
        return Err(Error::MissingReference { kind: kind.into(), id: id.into() }.into());
    }
    let mut found: Vec<(&str, Fields)> = Vec::new();
    let configs = service_config::by_precedence(inventory);
    for config in configs.iter().filter_map(|own| Object::body::<ServiceConfig>(own)) {
        let class = config.profile().1;
        let known = found.iter().any(|(own, _)| *own == class);
        if !known && config.targets().any(|target| applied.holds(&target)) {
            found.extend(config.profile_fields(inventory).map(|fields| (class, fields)));
        }
    }
    let rows: Vec<Row<'_, Fields>> = found
        .into_iter()
        .enumerate()
        .map(|(place, (class, item))| Row { key: place_key(place), id: class.into(), item })
        .collect();
    paging.refuse_member()?;
    Ok(paging.ordered(&rows, |fields| Value::Object(fields.clone())))
}
