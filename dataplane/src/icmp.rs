//! What an ICMP message is to a conversation.

use crate::Family;

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
}
