//! What a DHCP server tells a client beside its address [spec DhcpOptions].

use crate::inventory::Error;
use crate::kinds::values::{Formed, IpElement};
use crate::wire::{Int, Items};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::net::IpAddr;

/// Options of a server, a pool or a binding; the narrower counts.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct DhcpOptions {
    option121: Option<DhcpOption121>,
    others: Option<Items<GenericDhcpOption, 255>>,
}

/// Routes for the client [spec DhcpOption121].
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct DhcpOption121 {
    static_routes: Items<ClasslessStaticRoute, 27, 1>,
}

#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct ClasslessStaticRoute {
    next_hop: Formed<IpAddr>,
    network: IpElement,
}

/// Any other option, by its number [spec GenericDhcpOption].
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct GenericDhcpOption {
    code: Int<0, 255>,
    values: Items<String, 10, 1>,
}

impl DhcpOptions {
    /// Refuses the routes among the other options: they have a member of their own.
    ///
    /// # Errors
    /// [`Error::InvalidFields`] that names `field`.
    pub fn check(&self, field: &str) -> Result<(), Error> {
        let others = self.others.as_deref().unwrap_or_default();
        match others.iter().position(|option| option.code.get() == 121) {
            Some(place) => {
                let field = format!("{field}.others[{place}].code");
                Err(Error::field(field, "is that of option121"))
            }
            None => Ok(()),
        }
    }
}
