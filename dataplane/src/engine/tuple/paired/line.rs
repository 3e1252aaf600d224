//! Lists: cache lines of ten filters each.

use crate::engine::tuple::NONE;
use crate::engine::tuple::forest::leaf::{Service, Services};

/// Filters of a line.
pub(super) const PLACES: usize = 10;

/// Some filters of a list, in the order of their ranks.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[repr(C, align(64))]
pub(super) struct Line {
    pub(super) services: [Service; PLACES],
    /// The ranks, and behind them where the list goes on: [`NONE`] if it does not.
    pub(super) ends: [u32; PLACES + 1],
}

const _: () = assert!(size_of::<Line>() == 64);

impl Line {
    /// Holds nothing.
    pub(super) const EMPTY: Self =
        Self { services: [Service::NOTHING; PLACES], ends: [NONE; PLACES + 1] };

    /// The rank of the first filter with one of the services, [`NONE`] if the whole list has none; or the
    /// line in which to go on.
    pub(super) fn found(&self, services: &Services) -> Result<u32, u32> {
        let at = self.services.iter().position(|service| services.holds(*service));
        match at {
            Some(at) => Ok(self.ends[at]),
            None if self.ends[PLACES] == NONE => Ok(NONE),
            None => Err(self.ends[PLACES]),
        }
    }
}
