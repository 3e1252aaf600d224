//! Plans of upgrades and migrations: units in groups, and how to go through them
//! [spec UpgradeUnitGroup, MigrationUnitGroup]. No plan is ever begun.

use super::super::appliance::entries;
use crate::inventory::{Error, Header, Kind, Object, Query, Resource, Transaction};
use crate::kinds::fabric;
use crate::wire::{Items, Text, Told, yes};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;

/// The most units of a group.
const MOST: usize = 100;

/// Groups of nodes to be upgraded.
pub static UPGRADE_GROUP: Kind =
    Kind::of::<UpgradeGroup>("UpgradeUnitGroup", "/upgrade/upgrade-unit-groups");
/// Groups of what is to be migrated.
pub static MIGRATION_GROUP: Kind =
    Kind::of::<MigrationGroup>("MigrationUnitGroup", "/migration/migration-unit-groups");
/// How to go through a component's groups, by component type.
pub static UPGRADE_SETTINGS: Kind = entries::<PlanSettings>("UpgradePlanSettings");
/// The same for migrations.
pub static MIGRATION_SETTINGS: Kind = entries::<PlanSettings>("MigrationPlanSettings");

/// Nodes to be upgraded together.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct UpgradeGroup {
    r#type: String,
    #[serde(default = "yes")]
    enabled: bool,
    #[serde(default = "yes")]
    parallel: bool,
    #[serde(default)]
    upgrade_units: Items<Unit, MOST>,
    #[serde(default)]
    extended_configuration: Items<KeyValue, MOST>,
    #[serde(default)]
    upgrade_unit_count: Told<usize>,
}

/// What is to be migrated together.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct MigrationGroup {
    r#type: String,
    #[serde(default = "yes")]
    enabled: bool,
    #[serde(default = "yes")]
    parallel: bool,
    #[serde(default)]
    migration_units: Items<Unit, MOST>,
    #[serde(default)]
    extended_configuration: Items<KeyValue, MOST>,
    #[serde(default)]
    migration_unit_count: Told<usize>,
}

/// A member of a group, by its id; the rest is read elsewhere.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Unit {
    /// The node's.
    pub id: String,
    r#type: Option<String>,
    display_name: Option<String>,
    #[serde(default)]
    current_version: Told<String>,
    #[serde(default)]
    group: Told<Value>,
    #[serde(default)]
    metadata: Told<Value>,
    #[serde(default)]
    warnings: Told<Value>,
}

#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct KeyValue {
    key: Text<255>,
    value: Text<255>,
}

/// A place beside another [spec ReorderRequest, ReorderMigrationRequest].
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Order {
    id: String,
    #[serde(default = "yes")]
    is_before: bool,
}

/// What both kinds of groups have.
pub trait UnitGroup: Resource + Clone {
    /// The declaration.
    fn kind() -> &'static Kind;

    /// Its units.
    fn units(&mut self) -> &mut Items<Unit, MOST>;

    /// The member that tells how many.
    fn count(&mut self) -> &mut Told<usize>;

    /// Whether there is such a unit at all.
    fn known(tx: &Transaction<'_>, id: &str) -> bool;

    /// Adds units behind those that are there.
    ///
    /// # Errors
    /// [`Error::InvalidFields`] where they are too many.
    fn add(&mut self, units: Vec<Unit>) -> Result<(), Error> {
        let own = self.units();
        for unit in units {
            if !own.iter().any(|own| own.id == unit.id) && !own.try_push(unit) {
                return Err(Error::field("list", format!("has exceeded maximum size {MOST}")));
            }
        }
        Ok(())
    }

    /// Puts a unit before or behind another one of the group.
    ///
    /// # Errors
    /// [`Error::NotFound`] for a unit that is not of the group, [`Error::InvalidFields`] where the
    /// other is not.
    fn reorder(&mut self, id: &str, order: &Order) -> Result<(), Error> {
        let kind = Self::kind().name;
        let mut units = self.units().to_vec();
        let place = |units: &[Unit], id: &str| units.iter().position(|own| own.id == id);
        let missing = || Error::NotFound { kind, id: id.to_owned() };
        let unit = units.remove(place(&units, id).ok_or_else(missing)?);
        let other = place(&units, &order.id)
            .ok_or_else(|| Error::field("id", format!("names no other unit: {}", order.id)))?;
        units.insert(if order.is_before { other } else { other + 1 }, unit);
        *self.units() = Items::try_new(units)
            .map_err(|_| Error::field("list", format!("has exceeded maximum size {MOST}")))?;
        Ok(())
    }

    /// The type of component that it is of.
    fn component_type(&self) -> &str;
}

impl UnitGroup for UpgradeGroup {
    fn kind() -> &'static Kind {
        &UPGRADE_GROUP
    }

    fn units(&mut self) -> &mut Items<Unit, MOST> {
        &mut self.upgrade_units
    }

    fn count(&mut self) -> &mut Told<usize> {
        &mut self.upgrade_unit_count
    }

    fn known(tx: &Transaction<'_>, id: &str) -> bool {
        tx.find(fabric::node::KIND.name, id).is_some()
    }

    fn component_type(&self) -> &str {
        &self.r#type
    }
}

impl UnitGroup for MigrationGroup {
    fn kind() -> &'static Kind {
        &MIGRATION_GROUP
    }

    fn units(&mut self) -> &mut Items<Unit, MOST> {
        &mut self.migration_units
    }

    fn count(&mut self) -> &mut Told<usize> {
        &mut self.migration_unit_count
    }

    /// Nothing is ever discovered that could be migrated.
    fn known(_: &Transaction<'_>, _: &str) -> bool {
        false
    }

    fn component_type(&self) -> &str {
        &self.r#type
    }
}

impl Resource for UpgradeGroup {
    fn admit(
        &mut self,
        header: &mut Header,
        before: Option<&Self>,
        tx: &mut Transaction<'_>,
    ) -> Result<(), Error> {
        admit(self, header, before, tx)
    }

    fn retire(object: &Object, _: &mut Transaction<'_>, _: &Query) -> Result<(), Error> {
        retire::<Self>(object)
    }
}

impl Resource for MigrationGroup {
    fn admit(
        &mut self,
        header: &mut Header,
        before: Option<&Self>,
        tx: &mut Transaction<'_>,
    ) -> Result<(), Error> {
        admit(self, header, before, tx)
    }

    fn retire(object: &Object, _: &mut Transaction<'_>, _: &Query) -> Result<(), Error> {
        retire::<Self>(object)
    }
}

/// Units exist, are in one group only, and do not leave theirs [spec UpdateUpgradeUnitGroup].
fn admit<T: UnitGroup>(
    group: &mut T,
    header: &Header,
    before: Option<&T>,
    tx: &Transaction<'_>,
) -> Result<(), Error> {
    for other in tx.all(T::kind()) {
        let Some(mut units) = other.body::<T>().cloned() else { continue };
        let mut held = group.units().iter().filter(|_| other.header.id != header.id);
        if let Some(unit) = held.find(|unit| units.units().iter().any(|own| own.id == unit.id)) {
            let text = format!("is in group {} already: {}", other.header.id, unit.id);
            return Err(Error::field("id", text));
        }
    }
    let was = before.cloned().map(|mut before| before.units().to_vec()).unwrap_or_default();
    let units = group.units();
    if let Some(unit) = was.iter().find(|was| units.iter().all(|own| own.id != was.id)) {
        return Err(Error::field("id", format!("can not leave its group: {}", unit.id)));
    }
    if let Some(unit) = units.iter().find(|unit| !T::known(tx, &unit.id)) {
        return Err(Error::field("id", format!("names no unit: {}", unit.id)));
    }
    let count = units.len();
    *group.count() = Told(Some(count));
    Ok(())
}

fn retire<T: UnitGroup>(object: &Object) -> Result<(), Error> {
    let empty = object.body::<T>().cloned().is_none_or(|mut group| group.units().is_empty());
    if empty {
        return Ok(());
    }
    let (kind, id) = (object.kind.name, object.header.id.clone());
    Err(Error::NotModifiable { kind, id, why: "a group that holds units can not be deleted" })
}

/// How to go through the groups of a component.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct PlanSettings {
    #[serde(default = "yes")]
    parallel: bool,
    #[serde(default)]
    pause_after_each_group: bool,
    #[serde(default)]
    pause_on_error: bool,
}

impl Resource for PlanSettings {}
