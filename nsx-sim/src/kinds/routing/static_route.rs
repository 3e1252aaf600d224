//! Static routes and what watches over their next hops [spec StaticRoute, StaticHopBfdPeer].

use super::bgp::BfdTimes;
use super::port::{self, RouterPort};
use super::{ROUTER, of_router};
use crate::inventory::{
    Error, Header, Inventory, Kind, Level, Object, Reference, Resource, Transaction,
};
use crate::kinds::reference::ResourceReference;
use crate::kinds::values::Formed;
use crate::wire::{self, Fields, Int, Items, Told, int, yes};
use ipnet::IpNet;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::net::IpAddr;

/// The declaration.
pub static KIND: Kind = Kind {
    parent: ROUTER,
    level: Level::Semantic,
    // As the operation declares, and as one client checks [spec AddStaticRoute, tf].
    created: 200,
    ..Kind::of::<StaticRoute>("StaticRoute", "/logical-routers/{}/routing/static-routes")
};

/// The declaration of what watches over next hops.
pub static BFD_PEER: Kind = Kind {
    parent: ROUTER,
    forceable: true,
    ..Kind::of::<StaticHopBfdPeer>(
        "StaticHopBfdPeer",
        "/logical-routers/{}/routing/static-routes/bfd-peers",
    )
};

/// A network and where packets to it go.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct StaticRoute {
    /// The network.
    pub network: Formed<IpNet>,
    /// Where packets go; any of them.
    pub next_hops: Items<NextHop, { usize::MAX }, 1>,
    #[serde(default)]
    logical_router_id: Told<String>,
}

/// Where packets go [spec StaticRouteNextHop]; neither address nor port discards them.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct NextHop {
    /// The address of the next router.
    pub ip_address: Option<Formed<IpAddr>>,
    /// The port that leads to it.
    pub logical_router_port_id: Option<ResourceReference>,
    /// The lower, the better.
    #[serde(default = "int::<1, 1, 255>")]
    pub administrative_distance: Int<1, 255>,
    #[serde(default)]
    blackhole_action: Told<BlackholeAction>,
    #[serde(default)]
    bfd_enabled: Told<bool>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "UPPERCASE")]
enum BlackholeAction {
    Discard,
}

/// Watches over the next hops with one address.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct StaticHopBfdPeer {
    peer_ip_address: Formed<IpAddr>,
    source_addresses: Option<Items<Formed<IpAddr>, 1>>,
    #[serde(default = "yes")]
    enabled: bool,
    bfd_config: Option<BfdTimes>,
}

impl NextHop {
    /// Whether packets are discarded.
    pub fn discards(&self) -> bool {
        self.ip_address.is_none() && self.port().is_none()
    }

    /// The port that leads to the next router, where it is stated.
    pub fn port(&self) -> Option<&str> {
        self.logical_router_port_id.as_ref()?.target_id.as_deref()
    }

    /// With what the manager tells of it: whether somebody watches over it.
    fn told(&self, router: Option<&str>, inventory: &Inventory) -> Self {
        let watchers = router.map(|router| inventory.children(&BFD_PEER, router));
        let watched = watchers.into_iter().flatten().any(|object| {
            object.body::<StaticHopBfdPeer>().is_some_and(|peer| {
                let own = self.ip_address.as_ref().map(Formed::value);
                peer.enabled && own == Some(peer.peer_ip_address.value())
            })
        });
        let blackhole_action = Told(self.discards().then_some(BlackholeAction::Discard));
        Self { blackhole_action, bfd_enabled: Told(Some(watched)), ..self.clone() }
    }
}

impl Resource for StaticRoute {
    fn fields(&self, header: &Header, inventory: &Inventory) -> Fields {
        let mut fields = wire::fields_of(self);
        let hops = self.next_hops.iter().map(|hop| {
            let mut hop_fields = wire::fields_of(&hop.told(header.parent.as_deref(), inventory));
            if let Some(port) = &hop.logical_router_port_id {
                let mut printed = wire::fields_of(port);
                let found = hop.port().and_then(|id| inventory.find(port::KIND.name, id));
                printed.insert("is_valid".into(), found.is_some().into());
                if let Some(found) = found {
                    printed.insert("target_display_name".into(), found.header.name().into());
                }
                hop_fields.insert("logical_router_port_id".into(), printed.into());
            }
            hop_fields
        });
        fields.insert("next_hops".into(), hops.collect::<Vec<_>>().into());
        fields
    }

    fn references(&self) -> Vec<Reference> {
        let ports = self.next_hops.iter().filter_map(NextHop::port);
        ports.map(|id| Reference::new(port::KIND.name, id)).collect()
    }

    fn admit(
        &mut self,
        header: &mut Header,
        _: Option<&Self>,
        transaction: &mut Transaction<'_>,
    ) -> Result<(), Error> {
        self.logical_router_id = of_router(header);
        for (place, hop) in self.next_hops.iter().enumerate() {
            let v4 = self.network.value().addr().is_ipv4();
            if hop.ip_address.as_ref().is_some_and(|own| own.value().is_ipv4() != v4) {
                let field = format!("next_hops[{place}].ip_address");
                return Err(Error::field(field, "must be of the network's family"));
            }
            let found = hop.port().and_then(|id| transaction.find(port::KIND.name, id));
            let found = found.as_deref().and_then(Object::body::<RouterPort>);
            if found.is_some_and(|port| Some(port.router()) != header.parent.as_deref()) {
                let field = format!("next_hops[{place}].logical_router_port_id");
                return Err(Error::field(field, "must be a port of this router"));
            }
        }
        Ok(())
    }
}

impl Resource for StaticHopBfdPeer {}
