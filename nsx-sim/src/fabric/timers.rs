//! How long connections live: the session timers of firewall profiles, by the service configs that
//! apply them.
//!
//! Which config holds for a port is found when a packet passes its filter, for that is when timers
//! are wound up. So whoever joins or leaves a group changes nothing here.

use super::Fabric;
use crate::inventory::{Inventory, Kind, Object, Reference};
use crate::kinds::firewall::profile::{self, FirewallProfile, SessionTimers as Profile};
use crate::kinds::service_config::{self, ServiceConfig};
use crate::realize::Node;
use dataplane::{ExchangeTimers, IcmpTimers, TcpTimers, Timers};
use std::collections::HashSet;
use std::time::Duration;

/// The timers of each config that applies some, those that count first at the front.
#[derive(Default)]
pub struct SessionTimers {
    general: Timers,
    applied: Vec<(HashSet<(String, String)>, Timers)>,
}

/// An object and all that holds it: what a profile is applied to when it is applied to the object.
pub struct Applied(Vec<Reference>);

impl Applied {
    /// Whether an object is among them.
    pub fn holds(&self, target: &Reference) -> bool {
        self.0.contains(target)
    }
}

/// Whether a change of such an object can change timers.
pub fn concern(kind: &Kind) -> bool {
    [profile::KIND.name, service_config::KIND.name].contains(&kind.name)
}

impl SessionTimers {
    /// The timers as the inventory has them.
    pub fn read(inventory: &Inventory) -> Self {
        let timers = |id: &str| {
            let object = inventory.find(profile::KIND.name, id)?;
            match object.body::<FirewallProfile>()? {
                FirewallProfile::FirewallSessionTimerProfile(own) => Some(timers_of(own)),
                _ => None,
            }
        };
        let configs = service_config::by_precedence(inventory);
        let applied = configs.iter().filter_map(|object| {
            let config = Object::body::<ServiceConfig>(object)?;
            let targets = config.targets().map(|target| (target.kind, target.id)).collect();
            Some((targets, timers(config.profile().0)?))
        });
        Self {
            general: timers(profile::DEFAULT_TIMERS).unwrap_or_default(),
            applied: applied.collect(),
        }
    }

    /// What holds where no config applies.
    pub fn in_general(&self) -> Timers {
        self.general
    }
}

impl Fabric {
    /// An object and all that holds it: its switch, its host, its groups.
    pub fn applied_to(&self, kind: &str, id: &str) -> Applied {
        let mut found = vec![Reference::new(kind, id)];
        if let Some(node) = Node::of(kind, id) {
            let holders = self.realization.holders(&node).into_iter().filter_map(Node::object);
            found.extend(holders.map(|(kind, id)| Reference::new(kind, id)));
            let host = if let Node::Port(port) = &node { self.host(port) } else { None };
            found.extend(host.map(|host| Reference::new("TransportNode", &host.id)));
        }
        Applied(found)
    }

    /// Gives a port's filter the timers that hold for it now.
    pub(super) fn wind(&mut self, port: &str) {
        let Some(vnic) = self.realization.vnic(port) else { return };
        let own = if self.timers.applied.is_empty() {
            None
        } else {
            let Applied(holders) = self.applied_to("LogicalPort", port);
            let holders: Vec<(String, String)> =
                holders.into_iter().map(|own| (own.kind, own.id)).collect();
            let mut configs = self.timers.applied.iter();
            configs
                .find(|(targets, _)| holders.iter().any(|own| targets.contains(own)))
                .map(|(_, timers)| *timers)
        };
        self.plane.set_vnic_timers(vnic, own);
    }
}

fn timers_of(profile: &Profile) -> Timers {
    let seconds = |number: i64| Duration::from_secs(number.unsigned_abs());
    let udp = ExchangeTimers {
        first_packet: seconds(profile.udp_first_packet.get()),
        single: seconds(profile.udp_single.get()),
        multiple: seconds(profile.udp_multiple.get()),
    };
    Timers {
        tcp: TcpTimers {
            first_packet: seconds(profile.tcp_first_packet.get()),
            opening: seconds(profile.tcp_opening.get()),
            established: seconds(profile.tcp_established.get()),
            closing: seconds(profile.tcp_closing.get()),
            fin_wait: seconds(profile.tcp_finwait.get()),
            closed: seconds(profile.tcp_closed.get()),
        },
        udp,
        icmp: IcmpTimers {
            first_packet: seconds(profile.icmp_first_packet.get()),
            error_reply: seconds(profile.icmp_error_reply.get()),
        },
        other: udp,
    }
}
