//! Upgrades and migrations in their idle state: what there is to upgrade, and that nothing was begun.

use super::super::appliance::{missing, names, settings};
use super::super::call::{Call, Reply};
use super::super::routes::Routes;
use super::plan::{self, Plan};
use crate::inventory::{Incoming, Level};
use crate::kinds::appliance::node::ID;
use crate::kinds::fabric;
use crate::kinds::system::plan::{
    MIGRATION_SETTINGS, MigrationGroup, UPGRADE_GROUP, UPGRADE_SETTINGS, UnitGroup, UpgradeGroup,
};
use crate::kinds::system::version_list;
use serde_json::{Value, json};

/// The components that are upgraded.
const COMPONENTS: [&str; 4] = ["HOST", "EDGE", "CCP", "MP"];

/// Adds the routes.
pub fn register(routes: &mut Routes) {
    let upgrade = Plan { word: "upgrade", settings: &UPGRADE_SETTINGS, units: upgrade_units };
    // Nothing leaves the process, so nothing is discovered that could be migrated.
    let migration =
        Plan { word: "migration", settings: &MIGRATION_SETTINGS, units: |_| Vec::new() };
    plan::register::<UpgradeGroup>(routes, upgrade);
    plan::register::<MigrationGroup>(routes, migration);
    register_upgrade(routes);
    register_versions(routes);
    register_migration(routes);
}

/// The nodes of this installation, all at the manager's version.
fn upgrade_units(call: &Call<'_>) -> Vec<Value> {
    let inventory = &call.world.inventory;
    let mut groups = Vec::new();
    for object in inventory.all(UPGRADE_GROUP.name) {
        let units = object.body::<UpgradeGroup>().cloned().map(|mut own| own.units().to_vec());
        for unit in units.unwrap_or_default() {
            let group = json!({"id": object.header.id, "display_name": object.header.name()});
            groups.push((unit.id, group));
        }
    }
    let version = inventory.version().node();
    let nodes = inventory.all(fabric::node::KIND.name);
    let mut units: Vec<Value> = nodes
        .iter()
        .map(|node| {
            let own = if node.resource_type() == "HostNode" { "HOST" } else { "EDGE" };
            unit(version, &node.header.id, node.header.name(), own)
        })
        .collect();
    let (name, _) = names(call).unwrap_or_default();
    units.push(unit(version, ID, &name, "MP"));
    for unit in &mut units {
        if let Some((_, group)) = groups.iter().find(|(id, _)| unit["id"] == **id) {
            unit["group"] = group.clone();
        }
    }
    units
}

fn unit(version: &str, id: &str, name: &str, component: &str) -> Value {
    json!({
        "id": id,
        "display_name": name,
        "type": component,
        "current_version": version,
        "warnings": [],
        "metadata": [],
    })
}

fn register_upgrade(routes: &mut Routes) {
    routes.on("GET", "/upgrade/summary", |call| {
        let version = call.world.inventory.version().node();
        Ok(Reply::ok(json!({
            "system_version": version,
            "upgrade_coordinator_version": version,
            "upgrade_coordinator_updated": false,
            "upgrade_status": "NOT_STARTED",
            "component_target_versions": [],
        })))
    });
    routes.on("GET", "/upgrade/status-summary", |call| {
        call.query.one_of("selection_status", &["SELECTED", "DESELECTED", "ALL"])?;
        call.query.flag("show_history")?;
        let wanted = call.query.one_of("component_type", &COMPONENTS)?;
        let units = upgrade_units(call);
        let own = COMPONENTS.iter().filter(|own| wanted.is_none_or(|wanted| wanted == **own));
        let components: Vec<Value> = own.map(|own| component_status(own, &units)).collect();
        Ok(Reply::ok(json!({
            "overall_upgrade_status": "NOT_STARTED",
            "component_status": components,
        })))
    });
    routes.on_as(Level::Shape, "GET", "/upgrade/uc-upgrade-status", |_| {
        Ok(Reply::ok(json!({"state": "NOT_STARTED"})))
    });
    routes.on_as(Level::Shape, "GET", "/upgrade/functional-state", |_| {
        Ok(Reply::ok(json!({"state": "RUNNING"})))
    });
    routes.on_as(Level::Shape, "GET", "/upgrade/history", |call| settings::rows(call, []));
    // No bundle was ever fetched.
    for path in ["/upgrade/bundles/{bundle}", "/upgrade/bundles/{bundle}/upload-status"] {
        routes.on_as(Level::Shape, "GET", path, |call| {
            Err(missing("UpgradeBundleInfo", call.param(0)).into())
        });
    }
    routes.on_as(Level::Shape, "GET", "/node/upgrade/progress-status", |_| {
        Ok(Reply::ok(json!({"upgrade_bundle_present": false})))
    });
    // Without a bundle there is no task to tell of [spec GetUpgradeTaskStatus].
    routes.on_as(Level::Shape, "GET", "/node/upgrade", |call| {
        let task = call.query.get("upgrade_task_id").unwrap_or_default();
        Err(missing("UpgradeTaskProperties", task).into())
    });
}

fn component_status(component: &str, units: &[Value]) -> Value {
    let own: Vec<Value> = units.iter().filter(|unit| unit["type"] == component).cloned().collect();
    json!({
        "component_type": component,
        "status": "NOT_STARTED",
        "percent_complete": 0.0,
        "node_count_at_target_version": 0,
        "pre_upgrade_status": {"status": "NOT_STARTED", "node_with_issues_count": 0},
        "current_version_node_summary": {"results": plan::summary(&own)},
    })
}

fn register_versions(routes: &mut Routes) {
    routes.on_as(Level::Stateful, "GET", "/upgrade/version-whitelist", |call| {
        let lists = call.world.inventory.all(version_list::KIND.name);
        let lists: Vec<Value> = lists.iter().map(|own| call.print(own)).collect();
        Ok(Reply::ok(json!({"results": lists})))
    });
    let one = "/upgrade/version-whitelist/{component}";
    routes.on_as(Level::Stateful, "GET", one, |call| {
        Ok(Reply::ok(call.print(&*settings::named(call, &version_list::KIND)?)))
    });
    routes.on_as(Level::Stateful, "PUT", one, |call| {
        let mut fields = call.object()?;
        // Sent as the list's own type, or as the component's.
        fields.shift_remove("resource_type");
        let incoming = Incoming::read(&version_list::KIND, fields)?;
        call.commit(|tx| tx.replace(&version_list::KIND, call.param(0), incoming))?;
        Ok(Reply::empty())
    });
}

fn register_migration(routes: &mut Routes) {
    routes.on("GET", "/migration/summary", |call| {
        let version = call.world.inventory.version().node();
        Ok(Reply::ok(json!({
            "system_version": version,
            "migration_coordinator_version": version,
            "migration_status": "NOT_STARTED",
            "component_target_versions": [],
        })))
    });
    routes.on_as(Level::Shape, "GET", "/migration/status-summary", |_| {
        Ok(Reply::ok(json!({"overall_migration_status": "NOT_STARTED", "component_status": []})))
    });
    for path in [
        "/migration/discovered-switches",
        "/migration/migrated-switches",
        "/migration/feedback-summary",
        "/migration/logical-constructs/stats",
    ] {
        routes.on_as(Level::Shape, "GET", path, |call| settings::rows(call, []));
    }
    for path in ["/migration/feedback-requests", "/migration/grouped-feedback-requests"] {
        routes.on_as(Level::Shape, "GET", path, |call| {
            call.query.one_of("state", &["ALL", "RESOLVED", "UNRESOLVED"])?;
            settings::rows(call, [])
        });
    }
}
