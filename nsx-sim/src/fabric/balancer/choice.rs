//! Which virtual server takes a packet, and which member of which pool gets it.

use super::super::Fabric;
use super::memory::{Counted, Key, Route};
use super::pool::{Health, Member, Standing};
use crate::clock::Millis;
use crate::inventory::{Inventory, Object};
use crate::kinds::load_balancer::action::Action;
use crate::kinds::load_balancer::application_profile::{self, LbAppProfile};
use crate::kinds::load_balancer::persistence_profile::{self, LbPersistenceProfile};
use crate::kinds::load_balancer::pool::{self, Algorithm, LbPool, Source};
use crate::kinds::load_balancer::rule::{self, LbRule, Phase};
use crate::kinds::load_balancer::service::{self, LbService};
use crate::kinds::load_balancer::virtual_server::{self, BY_ADDRESS, LbVirtualServer};
use crate::kinds::service_element::L4Protocol;
use crate::wire::Int;
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;

/// A virtual server that takes a packet, and the service that carries it.
pub struct Taker {
    /// The virtual server.
    pub server: Arc<Object>,
    /// The service.
    pub service: String,
}

/// The virtual server that takes a connection: it and the service that carries it are on. Of
/// several the one with the smallest id.
pub fn taker(inventory: &Inventory, key: &Key) -> Option<Taker> {
    let protocol = if key.tcp { L4Protocol::Tcp } else { L4Protocol::Udp };
    let (address, port) = (key.server.ip(), key.server.port());
    inventory.by_key(BY_ADDRESS, &address.to_string()).into_iter().find_map(|server| {
        let own = server.body::<LbVirtualServer>()?;
        let service = carrier(inventory, &server.header.id)?;
        let takes = own.enabled && own.takes(protocol, address, port);
        takes.then_some(Taker { server, service })
    })
}

/// The service that carries a virtual server, where it is on and attached to something.
fn carrier(inventory: &Inventory, server: &str) -> Option<String> {
    let users = inventory.referrers(virtual_server::KIND.name, server);
    users.into_iter().filter(|user| user.kind.name == service::KIND.name).find_map(|user| {
        let works = user.body::<LbService>().is_some_and(|own| own.enabled && own.is_attached());
        works.then(|| user.header.id.clone())
    })
}

/// Connections as they are being made.
struct Client<'a> {
    fabric: &'a Fabric,
    inventory: &'a Inventory,
    key: &'a Key,
    /// None as if nothing were remembered.
    now: Option<Millis>,
}

impl Fabric {
    /// Where a connection to a virtual server goes; `now` is none as if nothing were remembered.
    ///
    /// # Errors
    /// In words, where it goes nowhere.
    pub(super) fn route(
        &self,
        inventory: &Inventory,
        taker: &Taker,
        key: &Key,
        now: Option<Millis>,
    ) -> Result<Route, String> {
        let name = taker.server.header.name();
        let missing = || format!("{name} is none");
        let server = taker.server.body::<LbVirtualServer>().ok_or_else(missing)?;
        let profile =
            inventory.find(application_profile::KIND.name, &server.application_profile_id);
        let profile = profile.as_deref().and_then(Object::body::<LbAppProfile>);
        let profile = profile.ok_or_else(|| format!("{name} has no application profile"))?;
        let client = Client { fabric: self, inventory, key, now };
        let table = table(inventory, &taker.server.header.id, server);
        let route = |pool: &str, member: SocketAddr, source: SocketAddr| Route {
            service: taker.service.clone(),
            server: taker.server.header.id.clone(),
            layer_7: profile.is_layer_7(),
            pool: pool.to_owned(),
            member,
            source,
            idle: millis(profile.idle_timeout()),
            close: profile.close_timeout().map(millis),
            table: table.clone(),
        };
        if let Some(known) = now.and_then(|_| self.balancer.connection(key))
            && known.route.server == taker.server.header.id
            && client.serves(server, &known.route.pool, known.route.member)
        {
            return Ok(known.route.clone());
        }
        let most = server.max_concurrent_connections.map(Int::get);
        let open = self.balancer.tally(&Counted::Server(taker.server.header.id.clone())).open;
        if most.is_some_and(|most| i64::try_from(open).is_ok_and(|open| open >= most)) {
            return Err(format!("{name} has as many connections as it may have"));
        }
        if profile.redirects_all() {
            return Err(format!("{name} sends every request elsewhere"));
        }
        let chosen = match client.ruling(server) {
            Some(Ruling::Pool(pool)) => Some(pool),
            Some(Ruling::Answer) => {
                return Err(format!("a rule of {name} answers every request itself"));
            }
            None => server.pool_id.clone(),
        };
        for id in chosen.iter().chain(&server.sorry_pool_id) {
            let Some(object) = inventory.find(pool::KIND.name, id) else { continue };
            let Some(pool) = object.body::<LbPool>() else { continue };
            if let Some(member) = client.member(server, id, pool, table.as_ref()) {
                let source = client.source(pool, member);
                return Ok(route(id, member, source));
            }
        }
        Err(format!("{name} has no member that takes connections"))
    }
}

/// What rules make of a connection, whatever is said on it.
enum Ruling {
    Pool(String),
    Answer,
}

impl Client<'_> {
    /// The first rule that matches for sure says where the connection goes.
    fn ruling(&self, server: &LbVirtualServer) -> Option<Ruling> {
        let client = (self.key.client.ip(), self.key.client.port());
        server.rules().iter().find_map(|id| {
            let object = self.inventory.find(rule::KIND.name, id)?;
            let rule = object.body::<LbRule>()?;
            if rule.phase != Phase::HttpForwarding || !rule.surely_matches(client) {
                return None;
            }
            match rule.actions.first()? {
                Action::LbSelectPoolAction(own) => Some(Ruling::Pool(own.pool_id.clone())),
                Action::LbHttpRejectAction(_) | Action::LbHttpRedirectAction(_) => {
                    Some(Ruling::Answer)
                }
                _ => None,
            }
        })
    }

    /// Whether a member goes on with the connections that it has.
    fn serves(&self, server: &LbVirtualServer, pool: &str, member: SocketAddr) -> bool {
        let Some(object) = self.inventory.find(pool::KIND.name, pool) else { return false };
        let Some(pool) = object.body::<LbPool>() else { return false };
        let default = server.member_port(self.key.server.port());
        self.fabric.members(self.inventory, pool, Some(default)).iter().any(|own| {
            let same = SocketAddr::new(own.address, own.port.unwrap_or(default)) == member;
            same && matches!(own.health, Health::Up | Health::GracefulDisabled)
        })
    }

    /// The member of a pool that gets a new connection.
    fn member(
        &self,
        server: &LbVirtualServer,
        id: &str,
        pool: &LbPool,
        table: Option<&(String, Millis)>,
    ) -> Option<SocketAddr> {
        let default = server.member_port(self.key.server.port());
        let members = self.fabric.members(self.inventory, pool, Some(default));
        let socket = |own: &Member| SocketAddr::new(own.address, own.port.unwrap_or(default));
        let memory = &self.fabric.balancer;
        if let (Some(now), Some((table, _))) = (self.now, table)
            && let Some(known) = memory.member_of(table, self.key.client.ip(), now)
            && members.iter().any(|own| {
                socket(own) == known && matches!(own.health, Health::Up | Health::GracefulDisabled)
            })
        {
            return Some(known);
        }
        let needed = u64::try_from(pool.min_active_members.get()).unwrap_or(1);
        let backup = Standing::of(&members, needed) == Standing::PrimaryDown;
        let open = |own: &Member| memory.tally(&Counted::Member(id.to_owned(), socket(own))).open;
        let ready: Vec<&Member> = members
            .iter()
            .filter(|own| own.health == Health::Up && own.backup == backup)
            .filter(|own| own.limit.is_none_or(|limit| open(own) < limit))
            .collect();
        let turn = memory.turn(id);
        // Among equals the one whose turn it is.
        let place = turn.checked_rem(ready.len())?;
        let in_turn = || ready[place..].iter().chain(&ready[..place]);
        let chosen = match pool.algorithm {
            Algorithm::RoundRobin => ready.get(place),
            Algorithm::WeightedRoundRobin => by_weight(&ready, turn),
            Algorithm::LeastConnection => in_turn().min_by_key(|own| open(own)),
            Algorithm::WeightedLeastConnection => {
                in_turn().min_by_key(|own| open(own).saturating_mul(SCALE) / own.weight.max(1))
            }
            Algorithm::IpHash => ready.get(hash(self.key.client.ip()) % ready.len()),
        };
        chosen.map(|own| socket(own))
    }

    /// The source that a member sees.
    fn source(&self, pool: &LbPool, member: SocketAddr) -> SocketAddr {
        let client = self.key.client;
        let own = match pool.source(member.is_ipv4()) {
            Source::Client => return client,
            Source::Own => self.fabric.topology().load_balancer_snat_ip,
            Source::Given(address) => address,
        };
        let wanted = SocketAddr::new(own, client.port());
        match self.now {
            Some(_) => self.fabric.balancer.free_source(self.key.tcp, member, wanted),
            None => wanted,
        }
    }
}

/// Keeps apart numbers of connections that differ by less than a weight.
const SCALE: u64 = 1 << 16;

/// In turn, each as often in a row as its weight says.
fn by_weight<'a, 'b>(ready: &'a [&'b Member], turn: usize) -> Option<&'a &'b Member> {
    let total: u64 = ready.iter().map(|own| own.weight).sum();
    let mut left = (turn as u64).checked_rem(total)?;
    ready.iter().find(|own| {
        let his = left < own.weight;
        left = left.saturating_sub(own.weight);
        his
    })
}

/// Spreads addresses evenly enough, and the same way each time.
fn hash(address: IpAddr) -> usize {
    let spread = |octets: &[u8]| {
        octets.iter().fold(0u32, |hash, octet| hash.wrapping_mul(31).wrapping_add((*octet).into()))
    };
    let hash = match address {
        IpAddr::V4(own) => spread(&own.octets()),
        IpAddr::V6(own) => spread(&own.octets()),
    };
    hash as usize
}

/// The table of clients of a virtual server, and how long an entry lives: its own, or one that all
/// servers with the same profile share.
pub fn table(
    inventory: &Inventory,
    id: &str,
    server: &LbVirtualServer,
) -> Option<(String, Millis)> {
    let profile_id = server.persistence_profile_id.as_deref()?;
    let object = inventory.find(persistence_profile::KIND.name, profile_id)?;
    match object.body::<LbPersistenceProfile>()? {
        LbPersistenceProfile::LbSourceIpPersistenceProfile(own) => {
            let table = if own.persistence_shared { profile_id } else { id };
            Some((table.to_owned(), millis(own.timeout.get())))
        }
        _ => None,
    }
}

fn millis(seconds: i64) -> Millis {
    u64::try_from(seconds).unwrap_or_default().saturating_mul(1000)
}
