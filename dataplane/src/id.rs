//! The names things go by and the small enums that everything shares.

use std::fmt;
use std::net::IpAddr;
use std::ops::Add;
use std::time::Duration;

/// A virtual network card: the place where a filter sits.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct VnicId(pub u32);

/// An address set, named by rules and filled by the fast lane.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct SetId(pub u32);

/// An applied-to scope: a named group of vNICs on which rules are in force.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct ScopeId(pub u32);

/// A rule. Counters and evidence go by this id, so it should be unique in a program; rules that
/// share one share its counters.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct RuleId(pub u64);

/// A moment in milliseconds on the caller's clock; its zero is the caller's choice.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Default)]
pub struct Time(pub u64);

impl Time {
    /// Later than any other moment.
    pub const NEVER: Self = Self(u64::MAX);
}

impl Add<Duration> for Time {
    type Output = Self;

    /// The moment `wait` later; it stops at [`Time::NEVER`] instead of overflowing.
    fn add(self, wait: Duration) -> Self {
        let millis = u64::try_from(wait.as_millis()).unwrap_or(u64::MAX);
        Self(self.0.saturating_add(millis))
    }
}

/// Which way a packet crosses a filter, seen from the vNIC.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum Direction {
    /// Towards the vNIC.
    In,
    /// From the vNIC.
    Out,
}

impl Direction {
    /// The other way.
    #[must_use]
    pub const fn opposite(self) -> Self {
        match self {
            Self::In => Self::Out,
            Self::Out => Self::In,
        }
    }
}

impl fmt::Display for Direction {
    /// `IN` or `OUT`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::In => "IN",
            Self::Out => "OUT",
        })
    }
}

/// What a rule does with the packets it matches.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum Action {
    /// Let the packet pass.
    Allow,
    /// Discard it silently.
    Drop,
    /// Discard it and tell the sender, see [`Answer`](crate::Answer).
    Reject,
}

/// An IP version.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum Family {
    /// IP version 4.
    V4,
    /// IP version 6.
    V6,
}

impl Family {
    /// The family of an address. An IPv4-mapped IPv6 address is IPv6, as on the wire.
    pub const fn of(address: IpAddr) -> Self {
        match address {
            IpAddr::V4(_) => Self::V4,
            IpAddr::V6(_) => Self::V6,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn time_saturates() {
        assert_eq!(Time(5) + Duration::from_secs(2), Time(2005));
        assert_eq!(Time(5) + Duration::MAX, Time::NEVER);
    }

    #[test]
    fn a_mapped_address_is_v6() {
        assert_eq!(Family::of("::ffff:10.0.0.1".parse().unwrap()), Family::V6);
    }
}
