//! DHCP relays of router ports [spec DhcpRelayProfile, DhcpRelayService].

use crate::inventory::{Kind, Reference, Resource};
use crate::kinds::values::Formed;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::net::IpAddr;

/// The declaration of profiles.
pub static PROFILE: Kind = Kind::of::<DhcpRelayProfile>("DhcpRelayProfile", "/dhcp/relay-profiles");

/// The declaration of services. Their references call them logical services
/// [spec ServiceBinding].
pub static SERVICE: Kind = Kind::of::<DhcpRelayService>("DhcpRelayService", "/dhcp/relays");

/// The servers to which requests are handed on.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct DhcpRelayProfile {
    server_addresses: Vec<Formed<IpAddr>>,
}

/// Hands on the requests of a router port's segment.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct DhcpRelayService {
    dhcp_relay_profile_id: String,
}

impl Resource for DhcpRelayProfile {}

impl Resource for DhcpRelayService {
    fn references(&self) -> Vec<Reference> {
        vec![Reference::new(PROFILE.name, &self.dhcp_relay_profile_id)]
    }
}
