//! The plan of an upgrade or of a migration: groups of units, none of them ever begun.

use super::super::appliance::{missing, settings};
use super::super::call::{Call, Reply};
use super::super::collections;
use super::super::routes::Routes;
use crate::inventory::{Error, Kind, Level, Object};
use crate::kinds::system::plan::{Order, Unit, UnitGroup};
use crate::wire;
use serde::Deserialize;
use serde_json::{Value, json};

/// What an upgrade and a migration call their own.
#[derive(Clone, Copy)]
pub struct Plan {
    /// `upgrade` or `migration`: the first step of its paths, and the word before `unit`.
    pub word: &'static str,
    /// How to go through a component's groups, by component type.
    pub settings: &'static Kind,
    /// The units that there are.
    pub units: fn(&Call<'_>) -> Vec<Value>,
}

/// Units to be added [spec UpgradeUnitList].
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct List {
    list: Vec<Unit>,
}

/// Adds the routes of a plan whose groups are of a kind.
pub fn register<T: UnitGroup>(routes: &mut Routes, plan: Plan) {
    let word = plan.word;
    groups::<T>(routes, plan);
    statuses::<T>(routes, plan);
    units(routes, plan);
    let path = format!("/{word}/plan/{{component}}/settings");
    routes.on_as(Level::Stateful, "GET", &path, move |call| {
        Ok(Reply::ok(settings::print(call, &*settings::named(call, plan.settings)?)))
    });
    routes.on_as(Level::Stateful, "PUT", &path, move |call| {
        Ok(Reply::ok(settings::replace_entry(call, plan.settings, call.param(0))?))
    });
    routes.on("GET", &format!("/{word}/nodes"), move |call| {
        let rows = selected(call, (plan.units)(call), "component_version")?;
        let rows = rows.into_iter().map(|unit| {
            let node = json!({
                "id": unit["id"],
                "display_name": unit["display_name"],
                "type": unit["type"],
                "component_version": unit["current_version"],
            });
            (text(&node["id"]), node)
        });
        settings::rows(call, rows)
    });
    routes.on("GET", &format!("/{word}/nodes-summary"), move |call| {
        Ok(Reply::ok(json!({"results": summary(&(plan.units)(call))})))
    });
}

/// How many units there are of each type and version.
pub fn summary(units: &[Value]) -> Vec<Value> {
    let mut found: Vec<Value> = Vec::new();
    for unit in units {
        let (own, version) = (&unit["type"], &unit["current_version"]);
        let known = found
            .iter_mut()
            .find(|row| row["type"] == *own && row["component_version"] == *version);
        match known {
            Some(row) => row["node_count"] = (row["node_count"].as_u64().unwrap_or(0) + 1).into(),
            None => found.push(json!({"type": own, "component_version": version, "node_count": 1})),
        }
    }
    found
}

fn groups<T: UnitGroup>(routes: &mut Routes, plan: Plan) {
    let kind = T::kind();
    let one = format!("{}/{{id}}", kind.path);
    routes.on_as(Level::Stateful, "GET", kind.path, move |call| {
        call.query.flag("sync")?;
        let (short, wanted) = (call.query.flag("summary")?, call.query.get("component_type"));
        let mut groups = collections::filtered(call, kind)?;
        groups.retain(|group| of_type::<T>(group, wanted));
        collections::page(call, kind, &groups, |group| print(call, group, plan, short))
    });
    routes.on_as(Level::Stateful, "GET", &one, move |call| {
        let short = call.query.flag("summary")?;
        let group = call.world.inventory.get(kind, call.param(0))?;
        Ok(Reply::ok(print(call, &group, plan, short)))
    });
    let add = format!("{one}?action=add_{}_units", plan.word);
    routes.on_as(Level::Stateful, "POST", &add, move |call| {
        let List { list } = wire::read(call.json()?).map_err(Error::from)?;
        let group =
            call.commit(|tx| tx.edit(kind, call.param(0), |group: &mut T, _| group.add(list)))?;
        let printed = call.print(&group);
        Ok(Reply::ok(json!({"list": printed[format!("{}_units", plan.word)]})))
    });
    let reorder = format!("{one}/{}-unit/{{unit}}?action=reorder", plan.word);
    routes.on_as(Level::Stateful, "POST", &reorder, move |call| {
        let order: Order = wire::read(call.json()?).map_err(Error::from)?;
        let unit = call.param(1);
        call.commit(|tx| {
            tx.edit(kind, call.param(0), |group: &mut T, _| group.reorder(unit, &order))
        })?;
        Ok(Reply::empty())
    });
    routes.on("GET", &format!("{}/aggregate-info", kind.path), move |call| {
        call.query.flag("sync")?;
        let (short, wanted) = (call.query.flag("summary")?, call.query.get("component_type"));
        let mut groups = call.world.inventory.all(kind.name);
        groups.retain(|group| of_type::<T>(group, wanted));
        collections::page(call, kind, &groups, |group| {
            let own = print(call, group, plan, short);
            let mut told = json!({
                "status": "NOT_STARTED", "percent_complete": 0.0, "failed_count": 0,
            });
            if plan.word == "migration" {
                told["group"] = own;
                return told;
            }
            let Value::Object(mut fields) = own else { return told };
            if let Value::Object(told) = told {
                fields.extend(told);
            }
            fields.insert("post_upgrade_status".into(), json!({"status": "NOT_STARTED"}));
            Value::Object(fields)
        })
    });
}

fn statuses<T: UnitGroup>(routes: &mut Routes, plan: Plan) {
    let kind = T::kind();
    routes.on("GET", &format!("{}-status", kind.path), move |call| {
        let wanted = call.query.get("component_type");
        let mut groups = call.world.inventory.all(kind.name);
        groups.retain(|group| of_type::<T>(group, wanted));
        collections::page(call, kind, &groups, |group| {
            let mut told = json!({
                "group_id": group.header.id,
                "group_name": group.header.name(),
                "status": "NOT_STARTED",
                "failed_count": 0,
                "percent_complete": 0.0,
            });
            told[format!("{}_unit_count", plan.word)] = units_of::<T>(group).len().into();
            told
        })
    });
    routes.on("GET", &format!("{}/{{id}}/status", kind.path), move |call| {
        let failed_only = call.query.flag("has_errors")?;
        let group = call.world.inventory.get(kind, call.param(0))?;
        let names = (plan.units)(call);
        let units = units_of::<T>(&group).into_iter().filter(|_| !failed_only).map(|unit| {
            let known = names.iter().find(|own| own["id"] == *unit.id);
            let status = json!({
                "id": unit.id,
                "display_name": known.map(|own| own["display_name"].clone()),
                "status": "NOT_STARTED",
                "percent_complete": 0.0,
                "errors": [],
            });
            (unit.id, status)
        });
        settings::rows(call, units)
    });
}

fn units(routes: &mut Routes, plan: Plan) {
    let word = plan.word;
    let path = format!("/{word}/{word}-units");
    let kind = if word == "upgrade" { "UpgradeUnit" } else { "MigrationUnit" };
    routes.on("GET", &path, move |call| {
        let warned = call.query.flag("has_warnings")?;
        let mut units = selected(call, (plan.units)(call), "current_version")?;
        let wanted = call.query.get(&format!("{word}_unit_type"));
        units.retain(|unit| !warned && wanted.is_none_or(|wanted| unit["type"] == wanted));
        settings::rows(call, units.into_iter().map(|unit| (text(&unit["id"]), unit)))
    });
    routes.on("GET", &format!("{path}/{{id}}"), move |call| {
        let found = (plan.units)(call).into_iter().find(|unit| unit["id"] == call.param(0));
        Ok(Reply::ok(found.ok_or_else(|| missing(kind, call.param(0)))?))
    });
    routes.on("GET", &format!("{path}/aggregate-info"), move |call| {
        call.query.one_of("selection_status", &["SELECTED", "DESELECTED", "ALL"])?;
        let failed_only = call.query.flag("has_errors")?;
        let mut units = selected(call, (plan.units)(call), "current_version")?;
        let name = call.query.get("upgrade_unit_display_name");
        units.retain(|unit| !failed_only && name.is_none_or(|name| unit["display_name"] == name));
        settings::rows(
            call,
            units.into_iter().map(|mut unit| {
                unit["status"] = "NOT_STARTED".into();
                unit["percent_complete"] = 0.0.into();
                unit["errors"] = json!([]);
                (text(&unit["id"]), unit)
            }),
        )
    });
    routes.on("GET", &format!("{path}-stats"), move |call| {
        call.query.flag("sync")?;
        let rows = summary(&(plan.units)(call)).into_iter().map(|row| {
            let stats = json!({
                "type": row["type"],
                "version": row["component_version"],
                "node_count": row["node_count"],
                "node_with_issues_count": 0,
            });
            (text(&row["type"]), stats)
        });
        settings::rows(call, rows)
    });
}

/// The units that pass the filters that all lists of them have; the version's goes by two names.
fn selected(call: &Call<'_>, mut units: Vec<Value>, version: &str) -> Result<Vec<Value>, Error> {
    let component = call.query.get("component_type");
    let (group, version) = (call.query.get("group_id"), call.query.get(version));
    if call.query.get("metadata").is_some() {
        return Err(Error::Unsupported("The filter metadata of units".into()));
    }
    units.retain(|unit| {
        component.is_none_or(|wanted| unit["type"] == wanted)
            && group.is_none_or(|wanted| unit["group"]["id"] == wanted)
            && version.is_none_or(|wanted| unit["current_version"] == wanted)
    });
    Ok(units)
}

fn units_of<T: UnitGroup>(group: &Object) -> Vec<Unit> {
    group.body::<T>().cloned().map(|mut group| group.units().to_vec()).unwrap_or_default()
}

fn of_type<T: UnitGroup>(group: &Object, wanted: Option<&str>) -> bool {
    let own = group.body::<T>().map(UnitGroup::component_type);
    wanted.is_none_or(|wanted| own == Some(wanted))
}

/// A group, in short with its units counted but not listed.
fn print(call: &Call<'_>, group: &Object, plan: Plan, short: bool) -> Value {
    let mut printed = call.print(group);
    if short {
        printed[format!("{}_units", plan.word)] = json!([]);
    }
    printed
}

fn text(value: &Value) -> String {
    value.as_str().unwrap_or_default().to_owned()
}
