//! Layer 2 networks stretched over IPsec [spec L2VpnService, L2VpnSession].

use super::session;
use crate::inventory::{
    Error, Filter, Header, Inventory, Kind, Object, Reference, Resource, Transaction,
};
use crate::kinds::reference::ResourceReference;
use crate::kinds::values::Formed;
use crate::wire::{self, Fields, Items, yes};
use ipnet::Ipv4Net;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use std::net::Ipv4Addr;

/// The declaration of services.
pub static SERVICE: Kind =
    Kind { forceable: true, ..Kind::of::<L2VpnService>("L2VpnService", "/vpn/l2vpn/services") };

/// The declaration of sessions.
pub static SESSION: Kind = Kind {
    filters: &[Filter {
        name: "l2vpn_service_id",
        words: None,
        passes: |_, object, id| {
            object.body::<L2VpnSession>().is_some_and(|own| own.l2vpn_service_id == id)
        },
    }],
    ..Kind::of::<L2VpnSession>("L2VpnSession", "/vpn/l2vpn/sessions")
};

/// Layer 2 on a router.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct L2VpnService {
    logical_router_id: String,
    #[serde(default)]
    mode: Mode,
    /// Out of use since 2.4; kept for those who send it.
    #[serde(default)]
    enable_full_mesh: bool,
    #[serde(default)]
    enable_hub: bool,
    logical_tap_ip_pool: Option<Vec<Formed<Ipv4Net>>>,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "UPPERCASE")]
enum Mode {
    #[default]
    Server,
    Client,
}

/// One stretch, through one tunnel.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct L2VpnSession {
    l2vpn_service_id: String,
    /// The IPsec session that carries it.
    pub transport_tunnels: Items<ResourceReference, 1, 1>,
    tunnel_encapsulation: Option<TunnelEncapsulation>,
    #[serde(default = "yes")]
    enabled: bool,
}

#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct TunnelEncapsulation {
    #[serde(default)]
    protocol: Protocol,
    local_endpoint_ip: Option<Formed<Ipv4Addr>>,
    peer_endpoint_ip: Option<Formed<Ipv4Addr>>,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "UPPERCASE")]
enum Protocol {
    #[default]
    Gre,
}

impl Resource for L2VpnService {}

impl L2VpnSession {
    /// The IPsec sessions that carry it, as printed.
    pub fn tunnels_fields(&self, inventory: &Inventory) -> Vec<Value> {
        let print =
            |own: &ResourceReference| Value::Object(own.fields_of_a(session::KIND.name, inventory));
        self.transport_tunnels.iter().map(print).collect()
    }
}

impl Resource for L2VpnSession {
    fn fields(&self, _: &Header, inventory: &Inventory) -> Fields {
        let mut fields = wire::fields_of(self);
        fields.insert("transport_tunnels".into(), self.tunnels_fields(inventory).into());
        fields
    }

    fn references(&self) -> Vec<Reference> {
        let service = Reference::new(SERVICE.name, &self.l2vpn_service_id);
        // Callers name the concrete type of session.
        let tunnels = self.transport_tunnels.iter();
        let tunnels = tunnels.filter_map(|tunnel| tunnel.object_of_a(session::KIND.name));
        tunnels.chain([service]).collect()
    }

    fn admit(
        &mut self,
        _: &mut Header,
        _: Option<&Self>,
        transaction: &mut Transaction<'_>,
    ) -> Result<(), Error> {
        if self.transport_tunnels.iter().any(|tunnel| tunnel.target_id.is_none()) {
            return Err(Error::field("transport_tunnels[0].target_id", "is required"));
        }
        let service = transaction.find(SERVICE.name, &self.l2vpn_service_id);
        let service = service.as_deref().and_then(Object::body::<L2VpnService>);
        // The client's end takes it from the server's [spec L2VpnSession.tunnel_encapsulation].
        if service.is_some_and(|service| service.mode == Mode::Client)
            && self.tunnel_encapsulation.is_none()
        {
            return Err(Error::field("tunnel_encapsulation", "is required of a CLIENT"));
        }
        Ok(())
    }
}
