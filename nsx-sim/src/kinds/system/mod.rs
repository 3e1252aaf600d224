//! What administrators set of the manager as a whole, and what it plans: notifications, telemetry,
//! capacity, upgrades, migrations.

pub mod barrier;
pub mod capacity;
pub mod collection;
pub mod network_migration;
pub mod notification;
pub mod plan;
pub mod telemetry;
pub mod ui;
pub mod version_list;

use crate::inventory::{Kind, Resource};

/// The declaration of a managed resource of which there is one, made with the world.
const fn the_one<T: Resource>(name: &'static str, path: &'static str) -> Kind {
    Kind { single: true, system_owned_changes: true, ..Kind::of::<T>(name, path) }
}
