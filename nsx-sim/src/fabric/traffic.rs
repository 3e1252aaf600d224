//! What has passed logical ports.

use super::{Carried, Leg};
use dataplane::{Direction, Verdict};
use std::collections::HashMap;
use std::ops::AddAssign;
use std::sync::Arc;

/// What a port's guest has sent and what has come to it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Traffic {
    /// From the guest.
    pub sent: Flow,
    /// To the guest.
    pub received: Flow,
}

/// One way: frames and their bytes, and how many of them the port's filter dropped.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[allow(missing_docs, reason = "the names say it all")]
pub struct Flow {
    pub packets: u64,
    pub bytes: u64,
    pub dropped_packets: u64,
    pub dropped_bytes: u64,
}

impl Flow {
    fn count(&mut self, bytes: u32, allowed: bool) {
        self.packets += 1;
        self.bytes += u64::from(bytes);
        if !allowed {
            self.dropped_packets += 1;
            self.dropped_bytes += u64::from(bytes);
        }
    }
}

impl AddAssign for Flow {
    fn add_assign(&mut self, other: Self) {
        self.packets += other.packets;
        self.bytes += other.bytes;
        self.dropped_packets += other.dropped_packets;
        self.dropped_bytes += other.dropped_bytes;
    }
}

impl AddAssign for Traffic {
    fn add_assign(&mut self, other: Self) {
        self.sent += other.sent;
        self.received += other.received;
    }
}

/// The counters of all ports that anything has passed, and of the cards of their hosts.
#[derive(Debug, Default)]
pub(super) struct Meter {
    ports: HashMap<Arc<str>, Traffic>,
    machines: HashMap<usize, Traffic>,
}

impl Meter {
    /// What has passed a port.
    pub fn of(&self, port: &str) -> Traffic {
        self.ports.get(port).copied().unwrap_or_default()
    }

    /// Counts a packet at the ends that it came to.
    pub fn count(&mut self, leg: &Leg, carried: &Carried) {
        let crossed = [(Direction::Out, carried.outbound), (Direction::In, carried.inbound)];
        for (direction, verdict) in crossed {
            let Some(port) = leg.filter(direction) else { continue };
            // What an earlier filter dropped never comes to the last; a port without a filter lets
            // everything pass.
            let stopped = !carried.comes_to_the_end();
            if direction == Direction::In && stopped {
                continue;
            }
            let allowed = verdict.as_ref().is_none_or(Verdict::allows);
            let bytes = leg.packet(direction).length;
            let traffic = self.ports.entry(port.into()).or_default();
            match direction {
                Direction::Out => traffic.sent.count(bytes, allowed),
                Direction::In => traffic.received.count(bytes, allowed),
            }
        }
    }

    /// What has left a machine by its cards and come by them.
    pub fn of_machine(&self, place: usize) -> Traffic {
        self.machines.get(&place).copied().unwrap_or_default()
    }

    /// Counts a packet that left its sender's host for another one, or for nowhere that is known.
    pub fn count_crossing(&mut self, from: Option<usize>, to: Option<usize>, leg: &Leg) {
        if from == to {
            return;
        }
        if let Some(from) = from {
            let sent = &mut self.machines.entry(from).or_default().sent;
            sent.count(leg.packet(Direction::Out).length, true);
        }
        if let Some(to) = to {
            let received = &mut self.machines.entry(to).or_default().received;
            received.count(leg.packet(Direction::In).length, true);
        }
    }

    /// Forgets a machine that is gone.
    pub fn forget_machine(&mut self, place: usize) {
        self.machines.remove(&place);
    }

    /// Forgets a port that is gone.
    pub fn forget(&mut self, port: &str) {
        self.ports.remove(port);
    }
}
