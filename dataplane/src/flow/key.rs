//! The name of a conversation at one vNIC.

use std::hash::{Hash, Hasher};
use std::net::IpAddr;

use crate::icmp::{self, Role};
use crate::{Direction, Family, IpHeader, TcpFlags, Transport};

/// A conversation as its vNIC sees it. Packets of both directions have the same key because ends
/// are told apart as local and remote; a forged "reply" that crosses the filter the wrong way has
/// another one.
///
/// Packed into 38 bytes, for there is one in every flow; [`FlowKey::header`] takes it apart again.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub(crate) struct FlowKey {
    /// What is said; orders views first by protocol.
    talk: u8,
    /// The protocol's number, or the kind of the ICMP request.
    number: u8,
    /// The port of the local end, or the id of an ICMP query.
    local_port: u16,
    remote_port: u16,
    local: [u8; 16],
    remote: [u8; 16],
}

/// Bits of [`FlowKey::talk`]: the transport in the upper ones, then who asked, then the families.
const TCP: u8 = 0 << 3;
const UDP: u8 = 1 << 3;
const ICMP: u8 = 2 << 3;
const OTHER: u8 = 3 << 3;
const TRANSPORT: u8 = 3 << 3;
/// The vNIC itself sent the ICMP request: a reply belongs to it, a request of the other side with
/// the same id does not.
const ASKED_OUT: u8 = 1 << 2;
const LOCAL_V6: u8 = 1 << 1;
const REMOTE_V6: u8 = 1 << 0;

impl FlowKey {
    /// The conversation a packet belongs to. `None` for ICMP errors: they report on another
    /// conversation, which their own header does not name.
    pub(crate) fn of(direction: Direction, ip: &IpHeader) -> Option<Self> {
        fn ends<E>(direction: Direction, src: E, dst: E) -> (E, E) {
            match direction {
                Direction::Out => (src, dst),
                Direction::In => (dst, src),
            }
        }
        let (talk, number, src_port, dst_port) = match ip.transport {
            Transport::Tcp { src_port, dst_port, .. } => (TCP, 0, src_port, dst_port),
            Transport::Udp { src_port, dst_port } => (UDP, 0, src_port, dst_port),
            Transport::Icmp { kind, id, .. } => {
                let (request, asked) = match icmp::role(ip.family(), kind) {
                    Role::Error => return None,
                    Role::Reply { request } => (request, direction.opposite()),
                    Role::Request { .. } | Role::Notice => (kind, direction),
                };
                let asked = if asked == Direction::Out { ASKED_OUT } else { 0 };
                (ICMP | asked, request, id, id)
            }
            Transport::Other(number) => (OTHER, number, 0, 0),
        };
        let (local, remote) = ends(direction, ip.src, ip.dst);
        let (local_port, remote_port) = ends(direction, src_port, dst_port);
        let ((local, local_v6), (remote, remote_v6)) = (octets(local), octets(remote));
        let families = if local_v6 { LOCAL_V6 } else { 0 } | if remote_v6 { REMOTE_V6 } else { 0 };
        Some(Self { talk: talk | families, number, local_port, remote_port, local, remote })
    }

    /// The header of the conversation's packet that went this way; `detail` is that packet's
    /// [`detail`].
    pub(super) fn header(&self, direction: Direction, detail: u16) -> IpHeader {
        let local = (address(self.local, self.talk & LOCAL_V6 != 0), self.local_port);
        let remote = (address(self.remote, self.talk & REMOTE_V6 != 0), self.remote_port);
        let ((src, src_port), (dst, dst_port)) = match direction {
            Direction::Out => (local, remote),
            Direction::In => (remote, local),
        };
        let transport = match self.talk & TRANSPORT {
            TCP => Transport::Tcp { src_port, dst_port, flags: TcpFlags(detail) },
            UDP => Transport::Udp { src_port, dst_port },
            ICMP => {
                let asked = (self.talk & ASKED_OUT != 0) == (direction == Direction::Out);
                let kind = match icmp::role(Family::of(src), self.number) {
                    Role::Request { reply } if !asked => reply,
                    _ => self.number,
                };
                Transport::Icmp { kind, code: detail.to_le_bytes()[0], id: src_port }
            }
            _ => Transport::Other(self.number),
        };
        IpHeader { src, dst, transport }
    }
}

impl Hash for FlowKey {
    /// Three words instead of six fields.
    fn hash<H: Hasher>(&self, state: &mut H) {
        let [talk, number] = [u64::from(self.talk), u64::from(self.number)];
        let [local, remote] = [u64::from(self.local_port), u64::from(self.remote_port)];
        state.write_u64(talk << 40 | number << 32 | local << 16 | remote);
        state.write_u128(u128::from_ne_bytes(self.local));
        state.write_u128(u128::from_ne_bytes(self.remote));
    }
}

/// What a packet's header holds beside its conversation's name: TCP's flags or ICMP's code.
pub(super) const fn detail(transport: Transport) -> u16 {
    match transport {
        Transport::Tcp { flags, .. } => flags.0,
        Transport::Icmp { code, .. } => code as u16,
        Transport::Udp { .. } | Transport::Other(_) => 0,
    }
}

/// An address and whether it is of version 6.
fn octets(address: IpAddr) -> ([u8; 16], bool) {
    match address {
        IpAddr::V4(address) => {
            let mut octets = [0; 16];
            octets[12..].copy_from_slice(&address.octets());
            (octets, false)
        }
        IpAddr::V6(address) => (address.octets(), true),
    }
}

fn address(octets: [u8; 16], v6: bool) -> IpAddr {
    if v6 {
        octets.into()
    } else {
        let [.., a, b, c, d] = octets;
        [a, b, c, d].into()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Every kind of header, at the vNIC's end or the other.
    fn headers() -> Vec<IpHeader> {
        let (v4, v6) = (["10.0.0.1", "10.0.0.2"], ["::ffff:10.0.0.1", "fd00::2"]);
        let transports = [
            Transport::Tcp { src_port: 1, dst_port: 2, flags: TcpFlags(0x1ff) },
            Transport::Udp { src_port: 0, dst_port: 65_535 },
            Transport::Icmp { kind: 8, code: 3, id: 7 },
            Transport::Icmp { kind: 0, code: 255, id: 7 },
            Transport::Icmp { kind: 9, code: 0, id: 0 },
            Transport::Icmp { kind: 128, code: 0, id: 9 },
            Transport::Icmp { kind: 129, code: 0, id: 9 },
            Transport::Icmp { kind: 135, code: 0, id: 0 },
            Transport::Other(47),
        ];
        let mixed = [v4[0], v6[1]];
        let ends =
            [v4, v6, mixed].into_iter().flat_map(|[one, other]| [[one, other], [other, one]]);
        ends.flat_map(|ends| {
            transports.map(|transport| {
                let [src, dst] = ends.map(|end| end.parse().unwrap());
                IpHeader { src, dst, transport }
            })
        })
        .collect()
    }

    #[test]
    fn a_header_comes_back_as_it_went_in() {
        for ip in headers() {
            for direction in [Direction::In, Direction::Out] {
                let Some(key) = FlowKey::of(direction, &ip) else { continue };
                assert_eq!(key.header(direction, detail(ip.transport)), ip, "{direction}");
            }
        }
    }

    #[test]
    fn conversations_that_differ_have_keys_that_differ() {
        let keys: Vec<FlowKey> =
            headers().iter().filter_map(|ip| FlowKey::of(Direction::Out, ip)).collect();
        for (place, key) in keys.iter().enumerate() {
            assert!(!keys[..place].contains(key), "{key:?}");
        }
    }
}
