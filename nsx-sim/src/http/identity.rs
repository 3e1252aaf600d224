//! Users: directories, the identity firewall, and what guests run.
//!
//! No directory is connected and no guest runs, so nobody is logged in and nothing is installed.

use super::call::{Call, Reply};
use super::collections;
use super::error::Failure;
use super::list::{Paging, Row, place_key};
use super::routes::Routes;
use crate::inventory::{Error, Object};
use crate::kinds::app_discovery::{self, AppDiscoverySession, AppProfile, PROFILE, SESSION};
use crate::kinds::directory::DOMAIN;
use crate::kinds::ns_group;
use crate::wire;
use serde::Deserialize;
use serde_json::{Value, json};

/// The most patterns of a search for groups [spec SearchDirectoryGroups].
const MAX_PATTERNS: usize = 100;

/// Adds the routes.
pub fn register(routes: &mut Routes) {
    register_directory(routes);
    register_sessions(routes);
    register_discovery(routes);
}

fn register_directory(routes: &mut Routes) {
    routes.on("GET", "/directory/domains/{id}/groups", |call| {
        call.world.inventory.get(&DOMAIN, call.param(0))?;
        let pattern = call.query.get("filter_value");
        let pattern = pattern.ok_or_else(|| Error::field("filter_value", "is required"))?;
        if pattern.split('|').count() > MAX_PATTERNS {
            let problem = format!("must hold at most {MAX_PATTERNS} patterns");
            return Err(Error::field("filter_value", problem).into());
        }
        nothing(call)
    });
    routes.on("GET", "/directory/domains/{id}/groups/{group}/member-groups", |call| {
        call.world.inventory.get(&DOMAIN, call.param(0))?;
        let id = call.param(1).to_owned();
        Err(Error::NotFound { kind: "DirectoryGroup", id }.into())
    });
    routes.on("GET", "/directory/domains/{id}/sync-stats", |call| {
        let domain = call.world.inventory.get(&DOMAIN, call.param(0))?;
        Ok(Reply::ok(json!({
            "current_state": "IDLE",
            "current_state_begin_time": domain.header.created.time,
            "prev_sync_type": "IDLE",
            "prev_sync_status": "UNKNOWN",
            "num_full_sync": 0,
            "num_delta_sync": 0,
            "avg_full_sync_time": 0,
            "avg_delta_sync_time": 0,
        })))
    });
}

fn register_sessions(routes: &mut Routes) {
    routes.on("GET", "/idfw/user-session-data", |_| {
        Ok(Reply::ok(json!({
            "active_user_sessions": [],
            "archived_user_sessions": [],
            "dir_group_to_user_session_data_mappings": [],
        })))
    });
    routes.on("GET", "/idfw/system-stats", |_| {
        Ok(Reply::ok(json!({"num_concurrent_users": 0, "num_user_sessions": 0})))
    });
    routes.on("GET", "/idfw/user-stats/{id}", |call| {
        Ok(Reply::ok(json!({
            "user_id": call.param(0), "active_sessions": [], "archived_sessions": [],
        })))
    });
    routes.on("GET", "/idfw/nsgroup-vm-details/{id}", |call| {
        let group = call.world.inventory.get(&ns_group::KIND, call.param(0))?;
        let mut reply = nothing(call)?;
        if let Some(body) = &mut reply.body {
            body["ns_group_id"] = group.header.id.as_str().into();
        }
        Ok(reply)
    });
}

fn register_discovery(routes: &mut Routes) {
    routes.on("POST", "/app-discovery/sessions", |call| {
        let request = call.object()?;
        let object = call.commit(|tx| app_discovery::start(tx, request))?;
        Ok(Reply::created(call.print(&object)))
    });
    routes.on("GET", "/app-discovery/sessions/{id}/summary", |call| {
        let object = call.world.inventory.get(&SESSION, call.param(0))?;
        Ok(Reply::ok(summary(call, &object)))
    });
    routes.on("POST", "/app-discovery/sessions/{id}/re-classify", |call| {
        let asked: Reclassification =
            wire::read(Value::Object(call.object()?)).map_err(Error::from)?;
        let profiles = asked.app_profile_ids.unwrap_or_default();
        let object = call.commit(|tx| app_discovery::reclassify(tx, call.param(0), profiles))?;
        Ok(Reply::ok(summary(call, &object)))
    });
    routes.on("GET", "/app-discovery/sessions/{id}/app-profiles", |call| {
        let object = call.world.inventory.get(&SESSION, call.param(0))?;
        let ids = object.body::<AppDiscoverySession>().map(|own| own.app_profile_ids.as_slice());
        let ids = ids.unwrap_or_default().iter();
        let profiles = ids.filter_map(|id| call.world.inventory.find(PROFILE.name, id));
        collections::page(call, &PROFILE, &profiles.collect::<Vec<_>>(), |object| {
            call.print(object)
        })
    });
    routes.on("GET", "/app-discovery/sessions/{id}/ns-groups", |call| {
        let paging = Paging::read(&call.query, 1000)?;
        let object = call.world.inventory.get(&SESSION, call.param(0))?;
        let rows = groups(&object).into_iter().enumerate().map(|(place, item)| {
            let key = place_key(place);
            Row { id: key.clone(), key, item }
        });
        Ok(paging.by_member(rows.collect(), Value::clone)?)
    });
    routes.on("GET", "/app-discovery/sessions/{id}/installed-apps", |call| {
        call.world.inventory.get(&SESSION, call.param(0))?;
        nothing(call)
    });
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Reclassification {
    app_profile_ids: Option<Vec<String>>,
}

/// The groups of a session, as it tells them.
fn groups(session: &Object) -> Vec<Value> {
    let ids = session.body::<AppDiscoverySession>().map(|own| own.ns_group_ids.as_slice());
    let print = |id: &String| json!({"ns_group_id": id});
    ids.unwrap_or_default().iter().map(print).collect()
}

fn summary(call: &Call<'_>, session: &Object) -> Value {
    let ids = session.body::<AppDiscoverySession>().map(|own| own.app_profile_ids.as_slice());
    let profiles: Vec<_> = ids
        .unwrap_or_default()
        .iter()
        .filter_map(|id| call.world.inventory.find(PROFILE.name, id))
        .collect();
    let found: Vec<Value> = profiles
        .iter()
        .map(|own| {
            json!({
                "app_profile_id": own.header.id,
                "display_name": own.header.name(),
                "installed_apps_count": 0,
            })
        })
        .collect();
    let asked: Value = profiles
        .iter()
        .map(|own| {
            let category =
                own.body::<AppProfile>().and_then(|own| own.app_profile_category.clone());
            json!({
                "app_profile_id": own.header.id,
                "app_profile_name": own.header.name(),
                "app_profile_category": category,
            })
        })
        .collect();
    let mut printed = call.print(session);
    printed["app_profile_summary_list"] = found.into();
    printed["app_profiles"] = asked;
    printed["ns_groups"] = groups(session).into();
    wire::without_nulls(&mut printed);
    printed
}

/// An empty list.
fn nothing(call: &Call<'_>) -> Result<Reply, Failure> {
    let paging = Paging::read(&call.query, 1000)?;
    Ok(paging.ordered(&Vec::<Row<'_, Value>>::new(), Value::clone))
}
