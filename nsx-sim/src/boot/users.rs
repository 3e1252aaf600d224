//! The roles of the appliance's own users.

use crate::inventory::{Actor, Error, Role};
use crate::kinds::role_binding;
use crate::world::World;
use uuid::Uuid;

/// Binds the administrator, for good, and the auditor, until an administrator changes it. Root has
/// no access to the API and no role. Ids are made from the names.
///
/// # Errors
/// Where an id is taken: a mistake in the program.
pub fn populate(world: &World) -> Result<(), Error> {
    let node = world.node.read();
    let users = node.users.iter().filter(|user| !user.is_root());
    for user in users {
        let (actor, role) = if user.is_admin() {
            (Actor::system(), Role::EnterpriseAdmin)
        } else {
            (Actor::admin("admin"), Role::Auditor)
        };
        let id = Uuid::new_v5(&Uuid::NAMESPACE_OID, format!("user {}", user.name).as_bytes());
        world.commit(&actor, |tx| {
            role_binding::bind_local_user(tx, id.to_string(), &user.name, role)
        })?;
    }
    Ok(())
}
