//! What concerns the manager as a whole: barriers, notifications, capacity, associations, plans of
//! upgrades and migrations.

mod associations;
mod capacity;
mod manager;
mod plan;
mod upgrade;
mod views;

use super::routes::Routes;

/// Adds the routes.
pub fn register(routes: &mut Routes) {
    associations::register(routes);
    capacity::register(routes);
    manager::register(routes);
    upgrade::register(routes);
    views::register(routes);
}
