//! What passed each router port, on each host.

use super::journey::Leg;
use dataplane::Direction;
use std::collections::{BTreeMap, HashMap};

/// Packets one way through a router port.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Tally {
    /// Packets.
    pub packets: u64,
    /// Their bytes, headers included.
    pub bytes: u64,
    /// Packets that went no further.
    pub dropped: u64,
}

/// Packets both ways through a router port.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Passed {
    /// Towards the router.
    pub received: Tally,
    /// From the router.
    pub sent: Tally,
}

impl Tally {
    fn count(&mut self, bytes: u64, dropped: bool) {
        self.packets += 1;
        self.bytes += bytes;
        self.dropped += u64::from(dropped);
    }

    fn and(self, other: Self) -> Self {
        Self {
            packets: self.packets + other.packets,
            bytes: self.bytes + other.bytes,
            dropped: self.dropped + other.dropped,
        }
    }
}

impl Passed {
    /// Both together.
    #[must_use]
    pub fn and(self, other: Self) -> Self {
        Self { received: self.received.and(other.received), sent: self.sent.and(other.sent) }
    }
}

/// The counts of all router ports that something passed.
#[derive(Debug, Default)]
pub struct RouterCounters {
    ports: HashMap<String, BTreeMap<String, Passed>>,
}

impl RouterCounters {
    /// Counts a packet that is past its source's filter, on the host that routes it; so many of the
    /// routers let it pass their firewall.
    pub fn count(&mut self, host: &str, leg: &Leg, passed: usize) {
        let bytes = u64::from(leg.packet(Direction::Out).length);
        for (place, hop) in leg.routers.iter().enumerate().take(passed.saturating_add(1)) {
            let lost = place == passed || (leg.stranded && place + 1 == leg.routers.len());
            if let Some(port) = &hop.received_on {
                self.at(port, host).received.count(bytes, lost);
            }
            if let Some(port) = hop.sent_on.as_ref().filter(|_| !lost) {
                self.at(port, host).sent.count(bytes, false);
            }
        }
    }

    /// What passed a port, by host.
    pub fn of(&self, port: &str) -> Option<&BTreeMap<String, Passed>> {
        self.ports.get(port)
    }

    /// Forgets a port that is gone.
    pub fn forget(&mut self, port: &str) {
        self.ports.remove(port);
    }

    fn at(&mut self, port: &str, host: &str) -> &mut Passed {
        self.ports.entry(port.to_owned()).or_default().entry(host.to_owned()).or_default()
    }
}
