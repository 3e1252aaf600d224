//! Addresses and ports that stand for a pool [spec LbVirtualServer].

use super::application_profile::LbAppProfile;
use super::persistence_profile::LbPersistenceProfile;
use super::ssl::{ClientBinding, ServerBinding};
use super::{Count, application_profile, persistence_profile, pool, rule, tcp_profile};
use crate::inventory::{
    Error, Header, IndexKey, Inventory, Kind, Level, Object, Query, Reference, Resource,
    Transaction,
};
use crate::kinds::service_element::L4Protocol;
use crate::kinds::values::{Formed, PortElement};
use crate::wire::{Items, yes};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::net::IpAddr;

/// The declaration.
pub static KIND: Kind = Kind {
    level: Level::Semantic,
    ..Kind::of::<LbVirtualServer>("LbVirtualServer", "/loadbalancer/virtual-servers")
};

/// The index of virtual servers by their address.
pub const BY_ADDRESS: &str = "LbVirtualServer.ip_address";

/// An address and ports that stand for a pool.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct LbVirtualServer {
    /// The address that clients connect to.
    pub ip_address: Formed<IpAddr>,
    /// The ports that clients connect to; none is any.
    #[serde(default)]
    pub ports: Items<PortElement, 14>,
    /// The older form of `ports`: the first of them.
    port: Option<PortElement>,
    /// TCP or UDP.
    #[serde(default)]
    pub ip_protocol: L4Protocol,
    /// How connections are treated.
    pub application_profile_id: String,
    /// Where connections go.
    pub pool_id: Option<String>,
    /// Where connections go that the pool can not take.
    pub sorry_pool_id: Option<String>,
    /// What brings a client back to its member.
    pub persistence_profile_id: Option<String>,
    client_tcp_profile_id: Option<String>,
    server_tcp_profile_id: Option<String>,
    client_ssl_profile_binding: Option<ClientBinding>,
    server_ssl_profile_binding: Option<ServerBinding>,
    /// Rules over what is said, in order.
    pub rule_ids: Option<Items<String, 512>>,
    /// The older form of `default_pool_member_ports`: the first of them.
    default_pool_member_port: Option<PortElement>,
    /// The ports of members that have none of their own.
    default_pool_member_ports: Option<Items<PortElement, 14>>,
    /// With so many connections it takes no more.
    pub max_concurrent_connections: Option<Count>,
    max_new_connection_rate: Option<Count>,
    #[serde(default)]
    access_log_enabled: bool,
    /// Off takes no connections.
    #[serde(default = "yes")]
    pub enabled: bool,
}

impl LbVirtualServer {
    /// The ids of its rules, in order.
    pub fn rules(&self) -> &[String] {
        self.rule_ids.as_deref().unwrap_or_default()
    }

    /// The pools that it names itself.
    pub fn pools(&self) -> impl Iterator<Item = &String> {
        [&self.pool_id, &self.sorry_pool_id].into_iter().flatten()
    }

    /// Whether it takes packets to an address and port.
    pub fn takes(&self, protocol: L4Protocol, address: IpAddr, port: u16) -> bool {
        let holds = |(first, last): (u16, u16)| (first..=last).contains(&port);
        self.ip_protocol == protocol
            && *self.ip_address.value() == address
            && (self.ports.is_empty() || self.ports.iter().any(|own| holds(own.span())))
    }

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

    /// The port of a member that has none of its own, for whoever asks for the first port; none where
    /// any port is taken.
    pub fn first_member_port(&self) -> Option<u16> {
        Some(self.member_port(self.ports.first()?.span().0))
    }

    /// Whether its application profile is of layer 7.
    pub fn is_layer_7(&self, inventory: &Inventory) -> bool {
        let profile = inventory.find(application_profile::KIND.name, &self.application_profile_id);
        let profile = profile.as_deref().and_then(Object::body::<LbAppProfile>);
        profile.is_some_and(LbAppProfile::is_layer_7)
    }

    /// Both forms of the ports say the same; the newer one counts [spec LbVirtualServer.port].
    fn settle_ports(&mut self) {
        let older = self.port.take();
        if self.ports.is_empty() {
            self.ports = Items::try_new(older.into_iter().collect()).unwrap_or_default();
        }
        self.port = self.ports.first().cloned();
        let older = self.default_pool_member_port.take();
        let given = self.default_pool_member_ports.take().filter(|ports| !ports.is_empty());
        let ports = given.or_else(|| Items::try_new(vec![older?]).ok());
        self.default_pool_member_port = ports.as_ref().and_then(|ports| ports.first().cloned());
        self.default_pool_member_ports = ports;
    }

    /// The layer of the application profile says what else there may be.
    fn check_layer(&self, profile: &LbAppProfile) -> Result<(), Error> {
        if profile.protocol() != self.ip_protocol {
            let problem = format!("is none of {}", profile.variant());
            return Err(Error::field("ip_protocol", problem));
        }
        if profile.is_layer_7() {
            let single = |port: &PortElement| port.span().0 == port.span().1;
            if self.ports.len() > 1 || !self.ports.iter().all(single) {
                return Err(Error::field("ports", "must be a single port for layer 7"));
            }
            return Ok(());
        }
        let wrong = [
            ("rule_ids", !self.rules().is_empty()),
            ("client_tcp_profile_id", self.client_tcp_profile_id.is_some()),
            ("server_tcp_profile_id", self.server_tcp_profile_id.is_some()),
            ("client_ssl_profile_binding", self.client_ssl_profile_binding.is_some()),
            ("server_ssl_profile_binding", self.server_ssl_profile_binding.is_some()),
        ];
        match wrong.iter().find(|(_, present)| *present) {
            Some((name, _)) => Err(Error::field(name, "needs an LbHttpProfile")),
            None => Ok(()),
        }
    }
}

/// Cookies are read on layer 7 only; generic tables are for rules [spec LbPersistenceProfile].
fn check_persistence(layer_7: bool, profile: &LbPersistenceProfile) -> Result<(), Error> {
    let fits = match profile {
        LbPersistenceProfile::LbSourceIpPersistenceProfile(_) => true,
        LbPersistenceProfile::LbCookiePersistenceProfile(_) => layer_7,
        LbPersistenceProfile::LbGenericPersistenceProfile(_) => false,
    };
    if fits {
        return Ok(());
    }
    let problem = format!("can not be an {} here", profile.variant());
    Err(Error::field("persistence_profile_id", problem))
}

impl Resource for LbVirtualServer {
    fn references(&self) -> Vec<Reference> {
        let of = |kind: &'static Kind| move |id: &String| Reference::new(kind.name, id);
        let tcp = [&self.client_tcp_profile_id, &self.server_tcp_profile_id];
        let client = self.client_ssl_profile_binding.iter().flat_map(ClientBinding::references);
        let server = self.server_ssl_profile_binding.iter().flat_map(ServerBinding::references);
        [Reference::new(application_profile::KIND.name, &self.application_profile_id)]
            .into_iter()
            .chain(self.pools().map(of(&pool::KIND)))
            .chain(self.persistence_profile_id.iter().map(of(&persistence_profile::KIND)))
            .chain(tcp.into_iter().flatten().map(of(&tcp_profile::KIND)))
            .chain(client.chain(server))
            .chain(self.rules().iter().map(of(&rule::KIND)))
            .collect()
    }

    fn keys(&self) -> Vec<IndexKey> {
        vec![(BY_ADDRESS, self.ip_address.value().to_string())]
    }

    fn admit(
        &mut self,
        _: &mut Header,
        _: Option<&Self>,
        transaction: &mut Transaction<'_>,
    ) -> Result<(), Error> {
        self.settle_ports();
        let kind = application_profile::KIND.name;
        let Some(object) = transaction.find(kind, &self.application_profile_id) else {
            return Ok(()); // The check of references tells it.
        };
        let Some(profile) = object.body::<LbAppProfile>() else { return Ok(()) };
        self.check_layer(profile)?;
        let persistence = self.persistence_profile_id.as_deref();
        let persistence =
            persistence.and_then(|id| transaction.find(persistence_profile::KIND.name, id));
        match persistence.as_deref().and_then(Object::body::<LbPersistenceProfile>) {
            Some(persistence) => check_persistence(profile.is_layer_7(), persistence),
            None => Ok(()),
        }
    }

    /// With `delete_associated_rules=true` the rules that no other server has go, too
    /// [spec DeleteLoadBalancerVirtualServer].
    fn retire(
        object: &Object,
        transaction: &mut Transaction<'_>,
        query: &Query,
    ) -> Result<(), Error> {
        transaction.refuse_if_used(object, |_| true)?;
        let rules = object.body::<Self>().map(Self::rules).unwrap_or_default();
        if rules.is_empty() || !query.flag("delete_associated_rules")? {
            return Ok(());
        }
        transaction.edit(&KIND, &object.header.id, |server: &mut Self, _| {
            server.rule_ids = None;
            Ok(())
        })?;
        super::with_rules::delete_unused(transaction, rules, query)
    }
}
