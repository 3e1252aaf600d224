//! IPsec sessions between two ends [spec IPSecVPNSession].

use super::endpoint::{self, IPSecVPNLocalEndpoint};
use super::service::{PolicyAction, PolicyRule};
use crate::inventory::{
    Error, Filter, Header, Inventory, Kind, Object, Reference, Resource, Transaction, Words,
};
use crate::kinds::values::Formed;
use crate::wire::{Int, Items, Told, polymorphic, yes};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::net::IpAddr;

/// The declaration.
pub static KIND: Kind = Kind {
    polymorphic: true,
    forceable: true,
    filters: &[
        Filter {
            name: "ipsec_vpn_service_id",
            words: None,
            passes: |_, object, id| {
                object.body::<IPSecVPNSession>().and_then(IPSecVPNSession::service) == Some(id)
            },
        },
        Filter { name: "logical_router_id", words: None, passes: is_on_router },
        Filter {
            name: "session_type",
            words: Some(Words::Of(&["PolicyBasedIPSecVPNSession", "RouteBasedIPSecVPNSession"])),
            passes: |_, object, word| object.resource_type() == word,
        },
    ],
    ..Kind::of::<IPSecVPNSession>("IPSecVPNSession", "/vpn/ipsec/sessions")
};

fn is_on_router(inventory: &Inventory, object: &Object, router: &str) -> bool {
    let local = object
        .body::<IPSecVPNSession>()
        .and_then(|own| inventory.find(endpoint::LOCAL.name, own.common().1.local_endpoint_id));
    local
        .as_deref()
        .and_then(Object::body::<IPSecVPNLocalEndpoint>)
        .is_some_and(|local| local.router(inventory).as_deref() == Some(router))
}

/// A session: what goes through it is said by policies or by routes.
#[derive(Clone, Debug, Deserialize)]
pub enum IPSecVPNSession {
    /// Whatever its rules match.
    PolicyBasedIPSecVPNSession(PolicyBased),
    /// Whatever is routed to its tunnel port.
    RouteBasedIPSecVPNSession(RouteBased),
}

polymorphic!(IPSecVPNSession { PolicyBasedIPSecVPNSession, RouteBasedIPSecVPNSession });

/// Between subnets [spec PolicyBasedIPSecVPNSession].
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct PolicyBased {
    local_endpoint_id: String,
    peer_endpoint_id: String,
    #[serde(default)]
    ipsec_vpn_service_id: Told<String>,
    #[serde(default = "yes")]
    enabled: bool,
    tcp_mss_clamping: Option<TcpMssClamping>,
    policy_rules: Vec<PolicyRule>,
}

/// By routes [spec RouteBasedIPSecVPNSession].
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct RouteBased {
    local_endpoint_id: String,
    peer_endpoint_id: String,
    #[serde(default)]
    ipsec_vpn_service_id: Told<String>,
    #[serde(default = "yes")]
    enabled: bool,
    tcp_mss_clamping: Option<TcpMssClamping>,
    tunnel_ports: Items<TunnelPort, 1, 1>,
}

#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct TcpMssClamping {
    #[serde(default)]
    direction: ClampingDirection,
    max_segment_size: Option<Int<108, 8852>>,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
enum ClampingDirection {
    #[default]
    None,
    InboundConnection,
    OutboundConnection,
    Both,
}

#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct TunnelPort {
    ip_subnets: Items<IpSubnet, 1>,
    /// No router port is made for the tunnel, so there is none to tell.
    #[serde(default)]
    tunnel_port_id: Told<String>,
}

#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct IpSubnet {
    ip_addresses: Items<Formed<IpAddr>, 2, 1>,
    prefix_length: Int<1, 128>,
}

/// What sessions of both types have.
pub struct Common<'a> {
    /// The end here.
    pub local_endpoint_id: &'a str,
    /// The end there.
    pub peer_endpoint_id: &'a str,
    /// Whether it is meant to be up.
    pub enabled: bool,
}

impl IPSecVPNSession {
    /// The service of the local end, and what both types have.
    fn common(&self) -> (Option<&str>, Common<'_>) {
        let (service, local_endpoint_id, peer_endpoint_id, enabled) = match self {
            Self::PolicyBasedIPSecVPNSession(own) => (
                &own.ipsec_vpn_service_id,
                &own.local_endpoint_id,
                &own.peer_endpoint_id,
                own.enabled,
            ),
            Self::RouteBasedIPSecVPNSession(own) => (
                &own.ipsec_vpn_service_id,
                &own.local_endpoint_id,
                &own.peer_endpoint_id,
                own.enabled,
            ),
        };
        (service.as_deref(), Common { local_endpoint_id, peer_endpoint_id, enabled })
    }

    /// The id of the service of its local end.
    pub fn service(&self) -> Option<&str> {
        self.common().0
    }

    /// The id of its end on the other site.
    pub fn peer(&self) -> &str {
        self.common().1.peer_endpoint_id
    }

    /// Whether it is meant to be up.
    pub fn is_enabled(&self) -> bool {
        self.common().1.enabled
    }

    /// How many tunnels it asks for.
    pub fn tunnels(&self) -> usize {
        match self {
            Self::PolicyBasedIPSecVPNSession(own) => {
                own.policy_rules.iter().map(PolicyRule::tunnels).sum()
            }
            Self::RouteBasedIPSecVPNSession(own) => own.tunnel_ports.len(),
        }
    }
}

impl Resource for IPSecVPNSession {
    fn resource_type(&self) -> Option<&'static str> {
        Some(self.variant())
    }

    fn references(&self) -> Vec<Reference> {
        let own = self.common().1;
        vec![
            Reference::new(endpoint::LOCAL.name, own.local_endpoint_id),
            Reference::new(endpoint::PEER.name, own.peer_endpoint_id),
        ]
    }

    fn admit(
        &mut self,
        _: &mut Header,
        before: Option<&Self>,
        transaction: &mut Transaction<'_>,
    ) -> Result<(), Error> {
        if before.is_some_and(|before| before.variant() != self.variant()) {
            return Err(Error::field("resource_type", "can not be changed"));
        }
        let local = transaction.find(endpoint::LOCAL.name, self.common().1.local_endpoint_id);
        let service = local
            .as_deref()
            .and_then(Object::body::<IPSecVPNLocalEndpoint>)
            .and_then(|local| local.service().map(str::to_owned));
        match self {
            Self::PolicyBasedIPSecVPNSession(own) => {
                own.ipsec_vpn_service_id = Told(service);
                for rule in &mut own.policy_rules {
                    rule.settle(PolicyAction::Protect, transaction);
                }
            }
            Self::RouteBasedIPSecVPNSession(own) => own.ipsec_vpn_service_id = Told(service),
        }
        Ok(())
    }
}
