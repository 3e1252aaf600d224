//! Members of a pool as they are now: listed or brought by a group, well or not.

use super::super::Fabric;
use super::super::journey::{End, Leg, Obstacle, port_down};
use crate::inventory::Inventory;
use crate::kinds::load_balancer::monitor::{self, LbMonitor, Probe};
use crate::kinds::load_balancer::pool::LbPool;
use crate::kinds::load_balancer::pool_members::{MemberGroup, MemberState};
use dataplane::{AddressRange, Direction, Packet, TcpFlags};
use std::collections::BTreeSet;
use std::net::{IpAddr, SocketAddr};

/// The most members that a group brings: what a large service carries [VMware configuration limits].
const MOST: usize = 7_500;

/// A member as it is now.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Member {
    /// Its address.
    pub address: IpAddr,
    /// Its own port; none takes that of the virtual server.
    pub port: Option<u16>,
    /// Its share of connections.
    pub weight: u64,
    /// Whether it waits until the others are not well.
    pub backup: bool,
    /// The most connections that it takes at once.
    pub limit: Option<u64>,
    /// How it is.
    pub health: Health,
}

/// How a member is [spec LbPoolMemberStatus].
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Health {
    /// Nothing says that it is not well.
    Up,
    /// A check does not come through, for this reason.
    Down(String),
    /// Switched off.
    Disabled,
    /// Switched off for new clients.
    GracefulDisabled,
    /// Beyond the number of addresses that the group may bring.
    Unused,
}

/// How a pool is, by its members [spec LbPoolStatus].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[allow(missing_docs, reason = "wire names that say it all")]
pub enum Standing {
    Up,
    PartiallyUp,
    PrimaryDown,
    Down,
}

impl Standing {
    /// The standing of members of which so many are needed.
    pub fn of(members: &[Member], needed: u64) -> Self {
        let used = members.iter().filter(|member| member.health != Health::Unused);
        let (backup, primary): (Vec<&Member>, Vec<&Member>) = used.partition(|own| own.backup);
        let up =
            |members: &[&Member]| members.iter().filter(|own| own.health == Health::Up).count();
        let (primary_up, backup_up) = (up(&primary), up(&backup));
        if primary_up == primary.len() && primary_up > 0 {
            Self::Up
        } else if (primary_up as u64) < needed && backup_up > 0 {
            Self::PrimaryDown
        } else if primary_up > 0 {
            Self::PartiallyUp
        } else {
            Self::Down
        }
    }

    /// The wire name.
    pub fn word(self) -> &'static str {
        match self {
            Self::Up => "UP",
            Self::PartiallyUp => "PARTIALLY_UP",
            Self::PrimaryDown => "PRIMARY_DOWN",
            Self::Down => "DOWN",
        }
    }
}

impl Fabric {
    /// The members of a pool; `default` is the port of those that have none of their own, where it
    /// is known.
    pub fn members(
        &self,
        inventory: &Inventory,
        pool: &LbPool,
        default: Option<u16>,
    ) -> Vec<Member> {
        let mut members = match &pool.member_group {
            Some(group) => self.group_members(group),
            None => listed(pool),
        };
        let probe = pool.active_monitor_ids.iter().flatten().find_map(|id| {
            let object = inventory.find(monitor::KIND.name, id)?;
            object.body::<LbMonitor>()?.probe()
        });
        if let Some(probe) = probe {
            for member in members.iter_mut().filter(|member| member.health == Health::Up) {
                let port = member.port.or(default);
                if let Some(why) = self.fails(inventory, probe, member.address, port) {
                    member.health = Health::Down(why);
                }
            }
        }
        members
    }

    /// The addresses of a group's effective members, in order.
    fn group_members(&self, group: &MemberGroup) -> Vec<Member> {
        let id = group.grouping_object.target_id.as_deref().unwrap_or_default();
        let nodes = self.realization().effective(id);
        let ranges: BTreeSet<AddressRange> = nodes
            .flat_map(|node| self.realization().addresses(node))
            .filter_map(|member| match member {
                dataplane::Member::Range(range) => Some(*range),
                dataplane::Member::Mac(_) => None,
            })
            .collect();
        let addresses: BTreeSet<IpAddr> = ranges
            .iter()
            .flat_map(|range| addresses(*range).take(MOST))
            .filter(|address| group.takes(*address))
            .take(MOST)
            .collect();
        let most = group.max_ip_list_size.and_then(|size| usize::try_from(size.get()).ok());
        let port = group.port.and_then(|port| u16::try_from(port.get()).ok());
        let members = addresses.into_iter().enumerate().map(|(place, address)| Member {
            address,
            port,
            weight: 1,
            backup: false,
            limit: None,
            health: match group.state_of(address) {
                _ if most.is_some_and(|most| place >= most) => Health::Unused,
                state => Health::of(state),
            },
        });
        members.collect()
    }

    /// Why a check of a member does not come through; none where it does, or where nobody knows the
    /// port. No guest runs here: a member answers whatever reaches it.
    fn fails(
        &self,
        inventory: &Inventory,
        probe: Probe,
        address: IpAddr,
        port: Option<u16>,
    ) -> Option<String> {
        let source = self.topology().load_balancer_snat_ip;
        let socket =
            |port| (SocketAddr::new(source, CHECKING_PORT), SocketAddr::new(address, port));
        let packet = match probe {
            Probe::Tcp(own) => {
                let (from, to) = socket(own.or(port)?);
                Packet::tcp(from, to, TcpFlags::SYN)
            }
            Probe::Udp(own) => {
                let (from, to) = socket(own.or(port)?);
                Packet::udp(from, to)
            }
            Probe::Icmp => Packet::icmp_echo(source, address, CHECKING_PORT),
        };
        let Some(own) = self.port_at(address) else {
            return Some(format!("no port has the address {address}"));
        };
        let from = End { port: None, address: source };
        let to = End { port: Some(own.to_owned()), address };
        let leg = Leg::new(inventory, from, to, packet);
        if let Some(Obstacle::PortDown { why, .. }) = port_down(inventory, &leg.to) {
            return Some(why);
        }
        let verdict = self.judge(own, Direction::In, leg.packet(Direction::In))?;
        (!verdict.allows()).then(|| "the firewall at the member keeps the check".to_owned())
    }
}

/// The source port of checks: any ephemeral one [IANA].
const CHECKING_PORT: u16 = 49_152;

impl Health {
    fn of(state: MemberState) -> Self {
        match state {
            MemberState::Enabled => Self::Up,
            MemberState::Disabled => Self::Disabled,
            MemberState::GracefulDisabled => Self::GracefulDisabled,
        }
    }

    /// The wire name.
    pub fn word(&self) -> &'static str {
        match self {
            Self::Up => "UP",
            Self::Down(_) => "DOWN",
            Self::Disabled => "DISABLED",
            Self::GracefulDisabled => "GRACEFUL_DISABLED",
            Self::Unused => "UNUSED",
        }
    }
}

fn listed(pool: &LbPool) -> Vec<Member> {
    let members = pool.members.iter().map(|own| Member {
        address: *own.ip_address.value(),
        port: own.port.as_ref().map(|port| port.span().0),
        weight: u64::try_from(own.weight.get()).unwrap_or(1),
        backup: own.backup_member,
        limit: own.max_concurrent_connections.and_then(|most| u64::try_from(most.get()).ok()),
        health: Health::of(own.admin_state),
    });
    members.collect()
}

/// The addresses of a range, one by one.
fn addresses(range: AddressRange) -> Box<dyn Iterator<Item = IpAddr>> {
    match (range.first(), range.last()) {
        (IpAddr::V4(first), IpAddr::V4(last)) => {
            Box::new((u32::from(first)..=u32::from(last)).map(|own| IpAddr::V4(own.into())))
        }
        (IpAddr::V6(first), IpAddr::V6(last)) => {
            Box::new((u128::from(first)..=u128::from(last)).map(|own| IpAddr::V6(own.into())))
        }
        // A range is of one family.
        (first, _) => Box::new(std::iter::once(first)),
    }
}
