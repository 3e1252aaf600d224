//! Addresses of a cluster without NCP.

use std::collections::{BTreeSet, HashMap};
use std::net::Ipv4Addr;

/// The plain range of a cluster without NCP begins here; it is a /14.
const PLAIN: u32 = u32::from_be_bytes([172, 20, 0, 0]);
const PLAIN_SIZE: u32 = 1 << 18;
/// A pod's namespace and name.
pub type Key = (String, String);

/// The range, and who has which address of it.
#[derive(Default)]
pub struct Plain {
    next: u32,
    taken: HashMap<Key, Ipv4Addr>,
    used: BTreeSet<Ipv4Addr>,
}

impl Plain {
    /// The pod's address: the one it has, the one it should have, or the next free one.
    pub fn give(&mut self, key: &Key, pinned: Option<Ipv4Addr>) -> Option<Ipv4Addr> {
        if let Some(address) = self.taken.get(key) {
            return Some(*address);
        }
        let free = |address: &Ipv4Addr| !self.used.contains(address);
        let address = pinned.filter(free).or_else(|| {
            (0..PLAIN_SIZE)
                .map(|n| PLAIN + 2 + (self.next + n) % (PLAIN_SIZE - 3))
                .map(Ipv4Addr::from)
                .find(free)
        })?;
        self.next = (self.next + 1) % (PLAIN_SIZE - 3);
        self.used.insert(address);
        self.taken.insert(key.clone(), address);
        Some(address)
    }

    /// Takes back the address of a pod that is gone.
    pub fn take_back(&mut self, key: &Key) {
        if let Some(address) = self.taken.remove(key) {
            self.used.remove(&address);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn plain_addresses_are_given_once_and_pinned_ones_first() {
        let mut plain = Plain::default();
        let key = |n: &str| ("x".to_owned(), n.to_owned());
        let pinned = Ipv4Addr::new(172, 15, 23, 3);
        assert_eq!(plain.give(&key("a"), Some(pinned)), Some(pinned));
        let second = plain.give(&key("b"), Some(pinned)).unwrap();
        assert_ne!(second, pinned);
        assert_eq!(plain.give(&key("b"), None), Some(second));
        assert_ne!(plain.give(&key("c"), None), Some(second));
    }
}
