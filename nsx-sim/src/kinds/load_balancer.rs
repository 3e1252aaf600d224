//! What a Kubernetes service of type `LoadBalancer` needs of the load balancer
//! [spec LbVirtualServer, LbPool, LbAppProfile].

use super::reference::ResourceReference;
use super::values::{IpElement, PortElement};
use crate::inventory::{
    Error, Filter, Header, Inventory, Kind, Reference, Resource, Transaction, Words,
};
use crate::wire::{self, Fields, Int, Items, polymorphic};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// The declaration of virtual servers.
pub static VIRTUAL_SERVER: Kind =
    Kind::of::<LbVirtualServer>("LbVirtualServer", "/loadbalancer/virtual-servers");

/// The declaration of pools.
pub static POOL: Kind = Kind::of::<LbPool>("LbPool", "/loadbalancer/pools");

/// The declaration of application profiles.
pub static APPLICATION_PROFILE: Kind = Kind {
    polymorphic: true,
    filters: &[Filter {
        name: "type",
        words: Some(Words::Of(&["HttpProfile", "FastTcpProfile", "FastUdpProfile"])),
        passes: |_, object, word| object.resource_type().strip_prefix("Lb") == Some(word),
    }],
    ..Kind::of::<LbAppProfile>("LbAppProfile", "/loadbalancer/application-profiles")
};

/// The application profile of layer 4 virtual servers that every manager has.
pub const FAST_TCP_PROFILE: (&str, &str) =
    ("57b7e8f5-7b2d-4b3e-9b3f-3b3f6c1e7a01", "nsx-default-lb-fast-tcp-profile");

type Count = Int<1, { i32::MAX as i64 }>;
type CountOrNone = Int<0, { i32::MAX as i64 }>;

/// An address and ports that stand for a pool.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct LbVirtualServer {
    /// The address that clients connect to.
    pub ip_address: IpElement,
    /// The ports that clients connect to; none is any.
    #[serde(default)]
    pub ports: Items<PortElement, 14>,
    /// The older form of `ports`.
    port: Option<PortElement>,
    /// TCP or UDP.
    #[serde(default)]
    pub ip_protocol: super::service_element::L4Protocol,
    application_profile_id: String,
    /// Where connections go.
    pub pool_id: Option<String>,
    sorry_pool_id: Option<String>,
    persistence_profile_id: Option<String>,
    client_tcp_profile_id: Option<String>,
    server_tcp_profile_id: Option<String>,
    rule_ids: Option<Items<String, 512>>,
    /// The older form of `default_pool_member_ports`: the first of them.
    default_pool_member_port: Option<PortElement>,
    /// The ports of members that have none of their own.
    default_pool_member_ports: Option<Items<PortElement, 14>>,
    max_concurrent_connections: Option<Count>,
    max_new_connection_rate: Option<Count>,
    #[serde(default)]
    access_log_enabled: bool,
    /// Off takes no connections.
    #[serde(default = "yes")]
    pub enabled: bool,
}

/// Members that share the connections to a virtual server.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct LbPool {
    #[serde(default)]
    algorithm: Algorithm,
    /// Who answers.
    #[serde(default)]
    pub members: Vec<PoolMember>,
    member_group: Option<MemberGroup>,
    active_monitor_ids: Option<Vec<String>>,
    passive_monitor_id: Option<String>,
    #[serde(default = "one")]
    min_active_members: Count,
    snat_translation: Option<SnatTranslation>,
    #[serde(default)]
    tcp_multiplexing_enabled: bool,
    #[serde(default = "multiplexing")]
    tcp_multiplexing_number: CountOrNone,
}

#[derive(Clone, Copy, Debug, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
enum Algorithm {
    #[default]
    RoundRobin,
    WeightedRoundRobin,
    LeastConnection,
    WeightedLeastConnection,
    IpHash,
}

/// One that answers.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct PoolMember {
    display_name: Option<String>,
    /// Its address.
    pub ip_address: IpElement,
    /// Its port; none is that of the virtual server, see [`LbVirtualServer::member_port`].
    pub port: Option<PortElement>,
    #[serde(default = "weight")]
    weight: Int<1, 256>,
    /// Whether it takes connections.
    #[serde(default)]
    pub admin_state: MemberState,
    #[serde(default)]
    backup_member: bool,
    max_concurrent_connections: Option<Count>,
}

/// Whether a member takes connections.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
#[allow(missing_docs, reason = "wire names that say it all")]
pub enum MemberState {
    #[default]
    Enabled,
    Disabled,
    GracefulDisabled,
}

#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct MemberGroup {
    grouping_object: ResourceReference,
    port: Option<Int<1, 65_535>>,
}

#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct SnatTranslation {
    r#type: SnatType,
    #[serde(default = "overload")]
    port_overload: Int<1, 32>,
}

/// The sources that members see; pools of addresses are not modelled.
#[derive(Clone, Copy, Debug, Serialize, Deserialize, JsonSchema)]
enum SnatType {
    LbSnatAutoMap,
}

/// How connections are treated.
#[derive(Clone, Debug, Deserialize)]
#[allow(clippy::enum_variant_names, reason = "wire names")]
pub enum LbAppProfile {
    /// Layer 4, TCP.
    LbFastTcpProfile(FastTcp),
    /// Layer 4, UDP.
    LbFastUdpProfile(FastUdp),
}

polymorphic!(LbAppProfile { LbFastTcpProfile, LbFastUdpProfile });

/// Layer 4, TCP; times in seconds.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct FastTcp {
    #[serde(default = "tcp_close")]
    close_timeout: Int<1, 60>,
    #[serde(default = "tcp_idle")]
    idle_timeout: Count,
    #[serde(default)]
    ha_flow_mirroring_enabled: bool,
}

/// Layer 4, UDP; times in seconds.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct FastUdp {
    #[serde(default = "udp_idle")]
    idle_timeout: Count,
    #[serde(default)]
    flow_mirroring_enabled: bool,
}

fn yes() -> bool {
    true
}

fn one() -> Count {
    Int::new(1)
}

fn multiplexing() -> CountOrNone {
    Int::new(6)
}

fn weight() -> Int<1, 256> {
    Int::new(1)
}

fn overload() -> Int<1, 32> {
    Int::new(32)
}

fn tcp_close() -> Int<1, 60> {
    Int::new(8)
}

fn tcp_idle() -> Count {
    Int::new(1800)
}

fn udp_idle() -> Count {
    Int::new(300)
}

impl LbVirtualServer {
    /// The port of a member that has none of its own, for a client that asked for `asked`.
    ///
    /// Ports and default ports go in pairs, and so do the ports of two ranges; a default without a
    /// pair is the first one. Without defaults it is the port asked for.
    pub fn member_port(&self, asked: u16) -> u16 {
        let Some(defaults) = self.default_pool_member_ports.as_deref() else { return asked };
        let asked_in = |(place, own): (usize, &PortElement)| {
            let (first, last) = own.span();
            (first..=last).contains(&asked).then(|| (place, asked - first))
        };
        let own = self.ports.iter().enumerate().find_map(asked_in);
        let (place, offset) = own.unwrap_or_default();
        let default = defaults.get(place).or(defaults.first()).map(PortElement::span);
        default.map_or(asked, |(first, last)| first.saturating_add(offset).min(last))
    }

    /// Both forms of the default ports say the same; the newer one counts.
    fn settle_default_ports(&mut self) {
        let older = self.default_pool_member_port.take();
        let given = self.default_pool_member_ports.take().filter(|ports| !ports.is_empty());
        let ports = given.or_else(|| Items::try_new(vec![older?]).ok());
        self.default_pool_member_port = ports.as_ref().and_then(|ports| ports.first().cloned());
        self.default_pool_member_ports = ports;
    }
}

impl Resource for LbVirtualServer {
    fn references(&self) -> Vec<Reference> {
        let pools = [&self.pool_id, &self.sorry_pool_id].into_iter().flatten();
        let profile = Reference::new(APPLICATION_PROFILE.name, &self.application_profile_id);
        pools.map(|id| Reference::new(POOL.name, id)).chain([profile]).collect()
    }

    fn admit(
        &mut self,
        _: &mut Header,
        _: Option<&Self>,
        _: &mut Transaction<'_>,
    ) -> Result<(), Error> {
        let (first, last) = self.ip_address.span();
        if first != last {
            return Err(Error::field("ip_address", "must be a single address"));
        }
        if let Some(port) = self.port.take()
            && self.ports.is_empty()
            && !self.ports.try_push(port)
        {
            return Err(Error::field("ports", "is full"));
        }
        self.settle_default_ports();
        // Parts of the load balancer that are not modelled must not look as if they were.
        let absent = [
            ("persistence_profile_id", self.persistence_profile_id.is_some()),
            ("client_tcp_profile_id", self.client_tcp_profile_id.is_some()),
            ("server_tcp_profile_id", self.server_tcp_profile_id.is_some()),
            ("rule_ids", self.rule_ids.as_ref().is_some_and(|rules| !rules.is_empty())),
        ];
        match absent.iter().find(|(_, present)| *present) {
            Some((name, _)) => Err(Error::Unsupported(format!("{name} of an LbVirtualServer"))),
            None => Ok(()),
        }
    }
}

impl Resource for LbPool {
    fn admit(
        &mut self,
        _: &mut Header,
        _: Option<&Self>,
        _: &mut Transaction<'_>,
    ) -> Result<(), Error> {
        let monitored = self.active_monitor_ids.as_ref().is_some_and(|ids| !ids.is_empty());
        let absent = [
            ("member_group", self.member_group.is_some()),
            ("active_monitor_ids", monitored),
            ("passive_monitor_id", self.passive_monitor_id.is_some()),
        ];
        match absent.iter().find(|(_, present)| *present) {
            Some((name, _)) => Err(Error::Unsupported(format!("{name} of an LbPool"))),
            None => Ok(()),
        }
    }
}

impl Resource for LbAppProfile {
    fn resource_type(&self) -> Option<&'static str> {
        Some(self.variant())
    }

    fn fields(&self, _: &Header, _: &Inventory) -> Fields {
        let mut fields = wire::fields_of(self);
        fields.shift_remove("resource_type");
        fields
    }
}
