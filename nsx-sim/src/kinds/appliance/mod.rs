//! The appliance that the manager runs on: its own settings and services, and those of its cluster.
//!
//! None is a managed resource: they have no header on the wire and stand at paths of their own
//! (`http::appliance`). They are objects of the inventory all the same, so that they change by
//! commits like everything else.

pub mod backup;
pub mod network;
pub mod node;
pub mod served;
pub mod service;
pub mod syslog;

use crate::inventory::{Kind, Resource, Verbs};

/// The declaration of a document of which there is one: read and replaced by whoever registers its
/// path.
pub const fn document<T: Resource>(name: &'static str) -> Kind {
    Kind { single: true, ..entries::<T>(name) }
}

/// The declaration of entries of a list, known by names of their own.
pub const fn entries<T: Resource>(name: &'static str) -> Kind {
    Kind { verbs: Verbs::NONE, system_owned_changes: true, ..Kind::of::<T>(name, "") }
}
