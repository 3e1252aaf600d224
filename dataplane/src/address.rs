//! Address ranges.

use std::fmt;
use std::net::IpAddr;
use std::str::FromStr;

use ipnet::{IpNet, Ipv4Subnets, Ipv6Subnets};

use crate::Family;

/// All addresses from `first` to `last`, both included, of one family.
///
/// Reads and prints `10.0.0.1`, `10.0.0.0/24` (host bits are ignored) and `10.0.0.1-10.0.0.9`,
/// and the same for IPv6.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct AddressRange {
    first: IpAddr,
    last: IpAddr,
}

/// Why text or a pair of addresses is no range.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum ParseRangeError {
    /// Not an address, a network or two addresses joined by `-`.
    Syntax,
    /// The two ends are of different families.
    MixedFamilies,
    /// The first address lies after the last.
    Reversed,
}

impl fmt::Display for ParseRangeError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Syntax => "expected an address, address/length or address-address",
            Self::MixedFamilies => "a range's ends must be of one address family",
            Self::Reversed => "a range's first address must not lie after its last",
        })
    }
}

impl std::error::Error for ParseRangeError {}

impl AddressRange {
    /// The range between two addresses of one family, both included.
    pub fn new(first: IpAddr, last: IpAddr) -> Result<Self, ParseRangeError> {
        if Family::of(first) != Family::of(last) {
            Err(ParseRangeError::MixedFamilies)
        } else if first > last {
            Err(ParseRangeError::Reversed)
        } else {
            Ok(Self { first, last })
        }
    }

    /// The lowest address.
    pub const fn first(&self) -> IpAddr {
        self.first
    }

    /// The highest address.
    pub const fn last(&self) -> IpAddr {
        self.last
    }

    /// Whether the address lies within; never for one of the other family.
    pub fn contains(&self, address: IpAddr) -> bool {
        // IpAddr sorts every IPv4 address before every IPv6 one, so a stranger is outside.
        self.first <= address && address <= self.last
    }

    /// The only address, if there is just one.
    pub fn single(&self) -> Option<IpAddr> {
        (self.first == self.last).then_some(self.first)
    }

    /// The range from this one's first address to the later of both ends.
    pub(crate) fn joined(self, other: Self) -> Self {
        Self { first: self.first, last: self.last.max(other.last) }
    }

    /// The network that holds exactly these addresses, if there is one.
    fn network(&self) -> Option<IpNet> {
        // A range is a network when its smallest cover by networks is that one network.
        let (net, whole) = match (self.first, self.last) {
            (IpAddr::V4(a), IpAddr::V4(b)) => {
                let mut cover = Ipv4Subnets::new(a, b, 0);
                (cover.next().map(IpNet::V4), cover.next().is_none())
            }
            (IpAddr::V6(a), IpAddr::V6(b)) => {
                let mut cover = Ipv6Subnets::new(a, b, 0);
                (cover.next().map(IpNet::V6), cover.next().is_none())
            }
            _ => (None, false),
        };
        net.filter(|_| whole)
    }
}

impl From<IpAddr> for AddressRange {
    fn from(address: IpAddr) -> Self {
        Self { first: address, last: address }
    }
}

impl From<IpNet> for AddressRange {
    fn from(net: IpNet) -> Self {
        // For IPv6 ipnet's "broadcast" is simply the last address.
        Self { first: net.network(), last: net.broadcast() }
    }
}

impl FromStr for AddressRange {
    type Err = ParseRangeError;

    fn from_str(text: &str) -> Result<Self, ParseRangeError> {
        let address = |text: &str| text.parse::<IpAddr>().map_err(|_| ParseRangeError::Syntax);
        if let Some((first, last)) = text.split_once('-') {
            Self::new(address(first)?, address(last)?)
        } else if text.contains('/') {
            text.parse::<IpNet>().map(Self::from).map_err(|_| ParseRangeError::Syntax)
        } else {
            address(text).map(Self::from)
        }
    }
}

impl fmt::Display for AddressRange {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(address) = self.single() {
            write!(f, "{address}")
        } else if let Some(net) = self.network() {
            write!(f, "{net}")
        } else {
            write!(f, "{}-{}", self.first, self.last)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn range(text: &str) -> AddressRange {
        text.parse().unwrap()
    }

    #[test]
    fn reads_and_prints_the_three_forms() {
        for (text, printed) in [
            ("10.0.0.1", "10.0.0.1"),
            ("10.0.0.1/32", "10.0.0.1"),
            ("10.0.0.77/24", "10.0.0.0/24"),
            ("10.0.0.0-10.0.0.255", "10.0.0.0/24"),
            ("10.0.0.1-10.0.0.9", "10.0.0.1-10.0.0.9"),
            ("0.0.0.0/0", "0.0.0.0/0"),
            ("fd00::/64", "fd00::/64"),
            ("::/0", "::/0"),
            ("fd00::1-fd00::4", "fd00::1-fd00::4"),
        ] {
            assert_eq!(range(text).to_string(), printed, "{text}");
        }
    }

    #[test]
    fn refuses_what_is_no_range() {
        use ParseRangeError::{MixedFamilies, Reversed, Syntax};
        for (text, error) in [
            ("", Syntax),
            ("10.0.0", Syntax),
            ("10.0.0.0/33", Syntax),
            ("10.0.0.1-", Syntax),
            ("10.0.0.1-10.0.0.2-10.0.0.3", Syntax),
            ("10.0.0.1-fd00::1", MixedFamilies),
            ("10.0.0.2-10.0.0.1", Reversed),
        ] {
            assert_eq!(text.parse::<AddressRange>(), Err(error), "{text}");
        }
    }

    #[test]
    fn holds_both_ends_and_no_other_family() {
        let holds = |range: &str, address: &str| {
            range.parse::<AddressRange>().unwrap().contains(address.parse().unwrap())
        };
        assert!(holds("10.0.0.1-10.0.0.9", "10.0.0.1") && holds("10.0.0.1-10.0.0.9", "10.0.0.9"));
        assert!(!holds("10.0.0.1-10.0.0.9", "10.0.0.0"));
        assert!(!holds("10.0.0.1-10.0.0.9", "10.0.0.10"));
        assert!(!holds("0.0.0.0/0", "::1") && !holds("::/0", "10.0.0.1"));
    }
}
