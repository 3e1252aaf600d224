//! What the first fragment of a datagram tells of the later ones.
//!
//! Only the first holds the transport header. The filter remembers it for a while, and judges the
//! later ones as if they had it, too: so they fare as the first does.

use std::collections::{HashMap, VecDeque};
use std::net::IpAddr;
use std::time::Duration;

use ahash::RandomState;

use crate::{Direction, Family, Fragment, IpHeader, Time, Transport};

/// The datagrams that a filter remembers; the oldest goes where another needs its place.
const MOST: usize = 1024;

/// How long a first fragment is remembered: what hosts wait for the rest of a datagram.
const PATIENCE: Duration = Duration::from_secs(30);

/// A datagram on its way through a filter, by what its pieces have in common. [RFC 791; RFC 8200]
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
struct Datagram {
    direction: Direction,
    src: IpAddr,
    dst: IpAddr,
    /// In IPv6 the pieces need not agree in it.
    protocol: Option<u8>,
    id: u32,
}

/// The first fragments that a filter has seen lately.
#[derive(Clone, Debug)]
pub(crate) struct Fragments {
    transports: HashMap<Datagram, (Transport, Time), RandomState>,
    /// In the order they came, with when each is forgotten; one that came again is in it twice.
    order: VecDeque<(Datagram, Time)>,
}

impl Fragments {
    /// Nothing remembered yet; `hasher` should not be foreseeable.
    pub(crate) const fn new(hasher: RandomState) -> Self {
        Self { transports: HashMap::with_hasher(hasher), order: VecDeque::new() }
    }

    /// The transport header of the datagram that a fragment is of: its own for the first one, that
    /// of the first for a later one, or what it says itself where the first is not known.
    pub(crate) fn transport(
        &mut self,
        now: Time,
        direction: Direction,
        fragment: Fragment,
        ip: &IpHeader,
    ) -> Transport {
        let family = ip.family();
        let protocol = (family == Family::V4).then(|| ip.transport.protocol(family));
        let datagram = Datagram { direction, src: ip.src, dst: ip.dst, protocol, id: fragment.id };
        if fragment.first {
            self.remember(now, datagram, ip.transport);
            return ip.transport;
        }
        match self.transports.get(&datagram) {
            Some((transport, until)) if now < *until => *transport,
            _ => ip.transport,
        }
    }

    fn remember(&mut self, now: Time, datagram: Datagram, transport: Transport) {
        while let Some((oldest, until)) = self.order.front().copied() {
            if now < until && self.order.len() < MOST {
                break;
            }
            self.order.pop_front();
            // It may have come again since.
            if self.transports.get(&oldest).is_some_and(|(_, own)| *own == until) {
                self.transports.remove(&oldest);
            }
        }
        let until = now + PATIENCE;
        self.transports.insert(datagram, (transport, until));
        self.order.push_back((datagram, until));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Packet;

    fn header(src_port: u16) -> IpHeader {
        let (src, dst) = (format!("10.0.0.1:{src_port}"), "10.0.0.2:53");
        Packet::udp(src.parse().unwrap(), dst.parse().unwrap()).ip.unwrap()
    }

    #[test]
    fn no_more_is_remembered_than_the_limit_and_the_newest_stays() {
        let mut fragments = Fragments::new(RandomState::with_seeds(1, 2, 3, 4));
        let mut see = |first, id| {
            let ip = IpHeader { transport: Transport::Other(17), ..header(1) };
            let ip = if first { header(1) } else { ip };
            let fragment = Fragment { id, first };
            let seen = fragments.transport(Time(0), Direction::In, fragment, &ip);
            assert!(fragments.transports.len() <= MOST && fragments.order.len() <= MOST);
            seen == header(1).transport
        };
        let most = u32::try_from(MOST).unwrap();
        let last = 3 * most;
        for id in 0..=last {
            see(true, id);
        }
        assert!(see(false, last) && see(false, last + 1 - most));
        assert!(!see(false, last - most));
        // One datagram again and again takes places too, and is never lost.
        for _ in 0..2 * MOST {
            assert!(see(true, 7) && see(false, 7));
        }
    }
}
