//! Pools of the numbers of overlay segments [spec VniPool].

use super::range::fault_of;
use crate::inventory::{Error, Header, Kind, Level, Resource, Transaction, Verbs};
use crate::kinds::logical_switch::BY_VNI;
use crate::wire::Int;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// The declaration; callers read and change them.
pub static KIND: Kind = Kind {
    level: Level::Semantic,
    verbs: Verbs { list: true, update: true, ..Verbs::NONE },
    system_owned_changes: true,
    ..Kind::of::<VniPool>("VniPool", "/pools/vni-pools")
};

/// The pool that every manager has, by id and name.
pub const DEFAULT: (&str, &str) = ("5e9a7c3e-52f1-4b4a-8d5e-0d8d0a0b6c01", "DefaultVniPool");

/// Numbers that overlay switches take theirs from.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct VniPool {
    ranges: Vec<VniRange>,
}

/// Numbers from the first to the last, both included [spec VniRange].
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct VniRange {
    start: Int<5000, 16_777_215>,
    end: Int<5000, 16_777_215>,
}

impl VniRange {
    fn span(&self) -> (i64, i64) {
        (self.start.get(), self.end.get())
    }

    fn contains(&self, number: i64) -> bool {
        let (start, end) = self.span();
        (start..=end).contains(&number)
    }
}

impl Resource for VniPool {
    /// Ranges may be added, and end elsewhere; what switches have taken must stay
    /// [spec UpdateVNIPool].
    fn admit(
        &mut self,
        header: &mut Header,
        before: Option<&Self>,
        transaction: &mut Transaction<'_>,
    ) -> Result<(), Error> {
        for (place, range) in self.ranges.iter().enumerate() {
            let (start, end) = range.span();
            let field = format!("ranges[{place}]");
            if start > end {
                return Err(Error::field(field, "must not end before it starts"));
            }
            let clash = |other: &VniRange| start <= other.end.get() && other.start.get() <= end;
            if self.ranges[..place].iter().any(clash) {
                return Err(Error::field(field, "overlaps another range"));
            }
        }
        for lost in before.iter().flat_map(|before| &before.ranges) {
            let (start, end) = lost.span();
            let left = (start..=end).find(|number| {
                let used =
                    || !transaction.inventory().by_key(BY_VNI, &number.to_string()).is_empty();
                !self.ranges.iter().any(|range| range.contains(*number)) && used()
            });
            if let Some(number) = left {
                let fault = fault_of(lost.span(), self.ranges.iter().map(VniRange::span));
                let (pool, what) = (header.id.clone(), number.to_string());
                return Err(Error::Pool { pool, fault, what });
            }
        }
        Ok(())
    }
}

/// Whether a pool has a number.
pub fn holds(transaction: &Transaction<'_>, number: i32) -> bool {
    ranges(transaction).iter().any(|range| range.contains(number.into()))
}

/// The lowest number that no switch has.
///
/// # Errors
/// [`Error::Pool`] where all are taken.
pub fn free(transaction: &Transaction<'_>) -> Result<i32, Error> {
    let ranges = ranges(transaction);
    let free =
        |number: &i32| transaction.inventory().by_key(BY_VNI, &number.to_string()).is_empty();
    let numbers = ranges.iter().flat_map(|range| range.span().0..=range.span().1);
    numbers.filter_map(|number| i32::try_from(number).ok()).find(free).ok_or_else(|| Error::Pool {
        pool: DEFAULT.0.to_owned(),
        fault: crate::inventory::PoolFault::Exhausted,
        what: DEFAULT.0.to_owned(),
    })
}

/// The ranges of all pools, the lowest first.
fn ranges(transaction: &Transaction<'_>) -> Vec<VniRange> {
    let pools = transaction.all(&KIND);
    let pools = pools.iter().filter_map(|pool| pool.body::<VniPool>());
    let mut ranges: Vec<VniRange> = pools.flat_map(|pool| pool.ranges.iter().cloned()).collect();
    ranges.sort_unstable_by_key(VniRange::span);
    ranges
}
