//! Ranges of addresses and numbers, and how much of them is in use.

use crate::inventory::{Error, PoolFault};
use crate::kinds::values::Formed;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::net::IpAddr;

/// Addresses from the first to the last, both included [spec IpPoolRange].
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct IpRange {
    start: Formed<IpAddr>,
    end: Formed<IpAddr>,
}

impl IpRange {
    /// The range between two addresses of one family.
    pub fn new(start: IpAddr, end: IpAddr) -> Option<Self> {
        let formed = |address: IpAddr| Formed::parse(&address.to_string());
        Some(Self { start: formed(start)?, end: formed(end)? })
    }

    /// The first and the last address.
    pub fn span(&self) -> (IpAddr, IpAddr) {
        (*self.start.value(), *self.end.value())
    }

    /// Refuses a range of two families, or one that ends before it starts.
    ///
    /// # Errors
    /// [`Error::InvalidFields`] that names `field`.
    pub fn check(&self, field: &str) -> Result<(), Error> {
        let (start, end) = self.span();
        if start.is_ipv4() != end.is_ipv4() {
            return Err(Error::field(field, "can not mix IPv4 and IPv6"));
        }
        if start > end {
            return Err(Error::field(field, "must not end before it starts"));
        }
        Ok(())
    }

    /// Whether an address lies in it.
    pub fn contains(&self, address: IpAddr) -> bool {
        let (start, end) = self.span();
        start.is_ipv4() == address.is_ipv4() && (start..=end).contains(&address)
    }

    /// Whether the two share an address.
    pub fn overlaps(&self, other: &Self) -> bool {
        let ((start, end), (first, last)) = (self.span(), other.span());
        start.is_ipv4() == first.is_ipv4() && start <= last && first <= end
    }

    /// How many addresses it holds; of the largest ranges of IPv6 one too few.
    pub fn size(&self) -> u128 {
        let (start, end) = self.span();
        number(end).saturating_sub(number(start)).saturating_add(1)
    }

    /// The address at a place counted from the first one; none beyond the last.
    pub fn at(&self, place: u128) -> Option<IpAddr> {
        let (start, end) = self.span();
        let found = number(start).checked_add(place)?;
        if found > number(end) {
            return None;
        }
        Some(match start {
            IpAddr::V4(_) => IpAddr::V4(u32::try_from(found).ok()?.into()),
            IpAddr::V6(_) => IpAddr::V6(found.into()),
        })
    }
}

/// Refuses ranges that are none, or that share addresses.
///
/// # Errors
/// [`Error::InvalidFields`] that names `field` and the range's place.
pub fn check_ranges(ranges: &[IpRange], field: &str) -> Result<(), Error> {
    for (place, range) in ranges.iter().enumerate() {
        let own = format!("{field}[{place}]");
        range.check(&own)?;
        if ranges[..place].iter().any(|other| other.overlaps(range)) {
            return Err(Error::field(own, "overlaps another range"));
        }
    }
    Ok(())
}

/// What happens to a range of a pool when other ranges take the place of the old ones, for a range
/// from which something is taken that the new ones leave out: still there and shorter, there with
/// another start, or gone.
pub fn fault_of<N: PartialOrd + Copy>(
    old: (N, N),
    new: impl IntoIterator<Item = (N, N)>,
) -> PoolFault {
    let mut fault = PoolFault::RangeDeleted;
    for (start, end) in new {
        if start == old.0 {
            return PoolFault::RangeShrunk;
        }
        if start <= old.1 && old.0 <= end {
            fault = PoolFault::RangeChanged;
        }
    }
    fault
}

/// How much of a pool is in use [spec PoolUsage]; counts of more than 2^63 stop there.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub struct PoolUsage {
    total_ids: i64,
    allocated_ids: i64,
    free_ids: i64,
}

impl PoolUsage {
    /// The usage of a pool of `total`, of which `allocated` are taken.
    pub fn new(total: u128, allocated: usize) -> Self {
        let total_ids = i64::try_from(total).unwrap_or(i64::MAX);
        let allocated_ids = i64::try_from(allocated).unwrap_or(i64::MAX);
        Self { total_ids, allocated_ids, free_ids: total_ids.saturating_sub(allocated_ids).max(0) }
    }
}

fn number(address: IpAddr) -> u128 {
    match address {
        IpAddr::V4(address) => u32::from(address).into(),
        IpAddr::V6(address) => address.into(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn range(start: &str, end: &str) -> IpRange {
        IpRange::new(start.parse().unwrap(), end.parse().unwrap()).unwrap()
    }

    #[test]
    fn ranges_count_and_number_their_addresses() {
        let four = range("10.0.0.254", "10.0.1.1");
        assert_eq!(four.size(), 4);
        assert_eq!(four.at(2), Some("10.0.1.0".parse().unwrap()));
        assert_eq!(four.at(4), None);
        let all = range("::", "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff");
        assert_eq!(all.size(), u128::MAX);
        assert!(
            all.contains("fe80::1".parse().unwrap()) && !all.contains("10.0.0.1".parse().unwrap())
        );
        assert!(!all.overlaps(&four));
    }

    #[test]
    fn a_range_that_loses_what_is_taken_is_shrunk_changed_or_deleted() {
        assert_eq!(fault_of((10, 20), [(10, 15)]), PoolFault::RangeShrunk);
        assert_eq!(fault_of((10, 20), [(12, 20)]), PoolFault::RangeChanged);
        assert_eq!(fault_of((10, 20), [(30, 40)]), PoolFault::RangeDeleted);
        assert_eq!(fault_of((10, 20), []), PoolFault::RangeDeleted);
    }
}
