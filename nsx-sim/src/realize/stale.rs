//! What has to be compiled anew.

use crate::inventory::{Inventory, Write};
use crate::kinds::firewall::{order, section};
use crate::kinds::ns_service;
use crate::kinds::routing::port as router_port;
use std::collections::HashSet;
use std::sync::Arc;

/// What changed since rules were last compiled.
#[derive(Debug, Default)]
pub struct Stale {
    /// Whether any section may mean something else, and the order of all is to be read.
    pub everything: bool,
    /// Whether the order of sections changed.
    pub order: bool,
    /// The ids of sections that changed.
    pub sections: HashSet<Arc<str>>,
}

impl Stale {
    /// All there is.
    pub fn everything() -> Self {
        Self { everything: true, order: true, ..Self::default() }
    }

    /// Whether there is anything.
    pub fn is_any(&self) -> bool {
        self.everything || self.order || !self.sections.is_empty()
    }

    /// Follows a change of an object; `gates` tells whether rules stand at routers.
    pub fn follow(&mut self, inventory: &Inventory, write: &Write, gates: bool) {
        let kind = write.kind.name;
        if kind == section::KIND.name {
            self.sections.insert(write.id.as_str().into());
        } else if kind == order::KIND.name {
            self.order = true;
        } else if is_service(kind) {
            self.follow_service(inventory, kind, &write.id);
        } else if kind == router_port::KIND.name && gates {
            // Its router is where a rule that names it stands.
            *self = Self::everything();
        }
    }

    /// The sections that name a service, themselves or by groups of services.
    fn follow_service(&mut self, inventory: &Inventory, kind: &str, id: &str) {
        let mut ahead = vec![(kind.to_owned(), id.to_owned())];
        let mut seen = HashSet::new();
        while let Some(service) = ahead.pop() {
            let (kind, id) = &service;
            for object in inventory.referrers(kind, id) {
                let header = &object.header;
                if object.kind.name == section::KIND.name {
                    self.sections.insert(header.id.as_str().into());
                } else if is_service(object.kind.name) {
                    ahead.push((object.kind.name.to_owned(), header.id.clone()));
                }
            }
            seen.insert(service);
            ahead.retain(|service| !seen.contains(service));
        }
    }
}

fn is_service(kind: &str) -> bool {
    kind == ns_service::SERVICE.name || kind == ns_service::GROUP.name
}
