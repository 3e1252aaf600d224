//! What an ICMP message is to a conversation.

use crate::{Family, IpHeader, Transport};

/// The part a message plays in an exchange of ICMP messages.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Role {
    /// Asks for a reply of kind `reply`.
    Request { reply: u8 },
    /// Answers a request of kind `request`.
    Reply { request: u8 },
    /// Reports a fault of some other conversation.
    Error,
    /// Stands for itself, such as a neighbour solicitation.
    Notice,
}

/// Requests and the kinds that answer them: echo, timestamp, information, address mask.
const V4_PAIRS: [(u8, u8); 4] = [(8, 0), (13, 14), (15, 16), (17, 18)];
const V6_PAIRS: [(u8, u8); 1] = [(128, 129)];

/// The echo request's kind.
pub(crate) const fn echo_request(family: Family) -> u8 {
    match family {
        Family::V4 => 8,
        Family::V6 => 128,
    }
}

/// The part a message of this kind plays.
pub(crate) fn role(family: Family, kind: u8) -> Role {
    let (pairs, is_error) = match family {
        Family::V4 => (&V4_PAIRS[..], matches!(kind, 3..=5 | 11 | 12)),
        Family::V6 => (&V6_PAIRS[..], kind < 128),
    };
    if is_error {
        return Role::Error;
    }
    pairs
        .iter()
        .find_map(|&(request, reply)| match kind {
            k if k == request => Some(Role::Request { reply }),
            k if k == reply => Some(Role::Reply { request }),
            _ => None,
        })
        .unwrap_or(Role::Notice)
}

/// Whether a packet is an ICMP error.
pub(crate) fn is_error(ip: &IpHeader) -> bool {
    matches!(ip.transport, Transport::Icmp { kind, .. } if role(ip.family(), kind) == Role::Error)
}

/// Whether an error of this kind belongs to the conversation that it reports on: unreachable, time
/// exceeded and bad parameter, and in IPv6 packet too big. Source quench and redirect do not; they
/// would have a host change its ways.
pub(crate) const fn tells_of_conversation(family: Family, kind: u8) -> bool {
    match family {
        Family::V4 => matches!(kind, 3 | 11 | 12),
        Family::V6 => matches!(kind, 1..=4),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn roles_of_well_known_kinds() {
        assert_eq!(role(Family::V4, 8), Role::Request { reply: 0 });
        assert_eq!(role(Family::V4, 0), Role::Reply { request: 8 });
        for error in [3, 4, 5, 11, 12] {
            assert_eq!(role(Family::V4, error), Role::Error);
        }
        assert_eq!(role(Family::V4, 9), Role::Notice);
        assert_eq!(role(Family::V6, 8), Role::Error);
        assert_eq!(role(Family::V6, 129), Role::Reply { request: 128 });
        assert_eq!(role(Family::V6, 135), Role::Notice);
    }

    #[test]
    fn what_tells_of_a_conversation_is_an_error() {
        for family in [Family::V4, Family::V6] {
            let kinds = (0..=255).filter(|kind| tells_of_conversation(family, *kind));
            assert!(kinds.clone().all(|kind| role(family, kind) == Role::Error));
            assert_eq!(kinds.count(), if family == Family::V4 { 3 } else { 4 });
        }
    }
}
