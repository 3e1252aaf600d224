//! Time and chance as arguments: a world reads both from here and from nowhere else.

use parking_lot::Mutex;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, SystemTime, UNIX_EPOCH};
use uuid::Uuid;

/// Milliseconds since 1970, as in `_create_time` [spec ManagedResource].
pub type Millis = u64;

/// Where a world reads the time.
#[derive(Clone, Debug)]
pub enum Clock {
    /// The machine's own clock.
    System,
    /// A clock that stands still until it is moved; clones move together.
    Manual(Arc<AtomicU64>),
}

impl Clock {
    /// A clock that stands at `start` until [`Clock::advance`] moves it.
    pub fn manual(start: Millis) -> Self {
        Self::Manual(Arc::new(AtomicU64::new(start)))
    }

    /// The time now.
    pub fn now(&self) -> Millis {
        match self {
            Self::System => {
                let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
                u64::try_from(since.as_millis()).unwrap_or(Millis::MAX)
            }
            Self::Manual(at) => at.load(Ordering::SeqCst),
        }
    }

    /// Moves a manual clock on; the machine's clock moves by itself, so nothing happens to it.
    pub fn advance(&self, by: Duration) {
        if let Self::Manual(at) = self {
            at.fetch_add(u64::try_from(by.as_millis()).unwrap_or(Millis::MAX), Ordering::SeqCst);
        }
    }
}

/// Where a world takes identifiers from: the same seed gives the same sequence.
#[derive(Debug)]
pub struct Ids {
    state: Mutex<u64>,
    number: AtomicU64,
}

impl Ids {
    /// A source that starts from a seed.
    pub fn new(seed: u64) -> Self {
        Self { state: Mutex::new(seed), number: AtomicU64::new(FIRST_NUMBER) }
    }

    /// A new UUID of version 4, lower case with dashes once printed.
    pub fn uuid(&self) -> Uuid {
        let mut state = self.state.lock();
        let mut bytes = [0; 16];
        bytes[..8].copy_from_slice(&split_mix(&mut state).to_be_bytes());
        bytes[8..].copy_from_slice(&split_mix(&mut state).to_be_bytes());
        uuid::Builder::from_random_bytes(bytes).into_uuid()
    }

    /// The next number, for what NSX numbers rather than names (firewall rules). Never given twice.
    pub fn number(&self) -> u64 {
        self.number.fetch_add(1, Ordering::SeqCst)
    }

    /// Lets the numbers go on from `next`, or from where they are when that is further.
    pub fn skip_numbers_to(&self, next: u64) {
        self.number.fetch_max(next, Ordering::SeqCst);
    }
}

/// User rules' ids are seen above 1000 [tf, sapcc samples]; smaller ones are the manager's own.
const FIRST_NUMBER: u64 = 1024;

/// `SplitMix64` (Steele, Lea and Flood 2014): small, and good enough for names.
fn split_mix(state: &mut u64) -> u64 {
    *state = state.wrapping_add(0x9e37_79b9_7f4a_7c15);
    let mut z = *state;
    z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ (z >> 31)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_same_seed_gives_the_same_ids() {
        let (one, two, other) = (Ids::new(7), Ids::new(7), Ids::new(8));
        let first = one.uuid();
        assert_eq!(first, two.uuid());
        assert_ne!(first, other.uuid());
        assert_ne!(first, one.uuid());
        assert_eq!(first.get_version_num(), 4);
    }

    #[test]
    fn a_manual_clock_moves_only_when_told() {
        let clock = Clock::manual(1_000);
        assert_eq!(clock.now(), 1_000);
        clock.clone().advance(Duration::from_secs(2));
        assert_eq!(clock.now(), 3_000);
    }
}
