//! Tasks of the manager and of the node. All that the simulator does is done when the call that asks
//! for it is answered, so there never is one.

use super::super::routes::Routes;
use super::node::missing;
use super::settings;
use crate::inventory::Level;

/// The states of tasks [spec TaskProperties.status].
const STATES: [&str; 6] = ["running", "error", "success", "canceling", "canceled", "killed"];

/// Adds the routes.
pub fn register(routes: &mut Routes) {
    for (root, kind) in
        [("/tasks", "TaskProperties"), ("/node/tasks", "ApplianceManagementTaskProperties")]
    {
        routes.on_as(Level::Shape, "GET", root, |call| {
            call.query.one_of("status", &STATES)?;
            settings::rows(call, [])
        });
        for path in [format!("{root}/{{id}}"), format!("{root}/{{id}}/response")] {
            routes.on_as(Level::Shape, "GET", &path, move |call| {
                Err(missing(kind, call.param(0)).into())
            });
        }
    }
    for (verb, path) in [("DELETE", "/node/tasks/{id}"), ("POST", "/node/tasks/{id}?action=cancel")]
    {
        routes.on_as(Level::Shape, verb, path, |call| {
            Err(missing("ApplianceManagementTaskProperties", call.param(0)).into())
        });
    }
}
