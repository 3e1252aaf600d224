//! Address sets: the part of a rule that changes while the rule does not.

use std::collections::BTreeMap;
use std::net::IpAddr;
use std::sync::Arc;

use rustc_hash::FxHashMap;

use crate::{AddressRange, MacAddr, SetId};

/// One entry of an address set.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum Member {
    /// IP addresses; a range of one address is that address.
    Range(AddressRange),
    /// An Ethernet address.
    Mac(MacAddr),
}

impl From<IpAddr> for Member {
    fn from(address: IpAddr) -> Self {
        Self::Range(address.into())
    }
}

impl From<MacAddr> for Member {
    fn from(address: MacAddr) -> Self {
        Self::Mac(address)
    }
}

/// A counted set of addresses.
///
/// Two sources may contribute the same member; it stays until both take it back. Members that
/// overlap without being equal, such as a network and an address in it, are members of their own.
///
/// Looked up for every rule tried, so hashed fast rather than guarded against chosen keys: members
/// come from the plane's owner, and a packet's address is looked up but never put in.
#[derive(Clone, Debug, Default)]
pub struct AddressSet {
    addresses: FxHashMap<IpAddr, u32>,
    macs: FxHashMap<MacAddr, u32>,
    ranges: BTreeMap<AddressRange, u32>,
    /// The ranges of more than one address with overlaps merged: ascending, disjoint.
    merged: Vec<AddressRange>,
}

impl AddressSet {
    /// Adds a member once more. True if it was not in the set before.
    ///
    /// An address costs one hash; a true range rebuilds the table of ranges.
    pub fn add(&mut self, member: Member) -> bool {
        match member {
            Member::Mac(mac) => raise(self.macs.entry(mac).or_default()),
            Member::Range(range) => {
                if let Some(address) = range.single() {
                    return raise(self.addresses.entry(address).or_default());
                }
                let new = raise(self.ranges.entry(range).or_default());
                if new {
                    self.merge();
                }
                new
            }
        }
    }

    /// Takes a member back once. True if it is no longer in the set; false if another source
    /// still contributes it or it was never there.
    pub fn remove(&mut self, member: &Member) -> bool {
        let gone = match member {
            Member::Mac(mac) => lower(self.macs.get_mut(mac)),
            Member::Range(range) => match range.single() {
                Some(address) => lower(self.addresses.get_mut(&address)),
                None => lower(self.ranges.get_mut(range)),
            },
        };
        if gone {
            self.forget(member);
        }
        gone
    }

    /// Whether a member holds the IP address.
    pub fn contains_ip(&self, address: IpAddr) -> bool {
        self.addresses.contains_key(&address) || self.spans_hold(address)
    }

    /// The IP addresses that are members by themselves, in no order.
    pub(crate) fn addresses(&self) -> impl Iterator<Item = IpAddr> {
        self.addresses.keys().copied()
    }

    /// The members of more than one address with overlaps merged: ascending, disjoint.
    pub(crate) fn spans(&self) -> &[AddressRange] {
        &self.merged
    }

    /// Whether a member of more than one address holds the IP address.
    pub(crate) fn spans_hold(&self, address: IpAddr) -> bool {
        let after = self.merged.partition_point(|range| range.first() <= address);
        after.checked_sub(1).is_some_and(|at| self.merged[at].contains(address))
    }

    /// Whether the Ethernet address is a member.
    pub fn contains_mac(&self, address: MacAddr) -> bool {
        self.macs.contains_key(&address)
    }

    /// Whether there is no member.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The number of distinct members.
    pub fn len(&self) -> usize {
        self.addresses.len() + self.macs.len() + self.ranges.len()
    }

    /// The distinct members, ascending: IP before Ethernet, IPv4 before IPv6.
    pub fn iter(&self) -> impl Iterator<Item = Member> + use<> {
        let addresses = self.addresses.keys().map(|&address| Member::from(address));
        let ranges = self.ranges.keys().map(|&range| Member::Range(range));
        let macs = self.macs.keys().map(|&mac| Member::Mac(mac));
        let mut members: Vec<Member> = addresses.chain(ranges).chain(macs).collect();
        members.sort_unstable();
        members.into_iter()
    }

    /// Takes out a member that no source contributes any more.
    fn forget(&mut self, member: &Member) {
        match member {
            Member::Mac(mac) => {
                self.macs.remove(mac);
            }
            Member::Range(range) => {
                if let Some(address) = range.single() {
                    self.addresses.remove(&address);
                } else {
                    self.ranges.remove(range);
                    self.merge();
                }
            }
        }
    }

    /// Makes the table of ranges anew, in time linear in their number.
    fn merge(&mut self) {
        self.merged.clear();
        for range in self.ranges.keys() {
            match self.merged.last_mut() {
                // Ascending by first address, so only the table's last entry can overlap.
                Some(open) if open.contains(range.first()) => *open = open.joined(*range),
                _ => self.merged.push(*range),
            }
        }
    }
}

/// Counts one more source. True for the first.
fn raise(count: &mut u32) -> bool {
    *count += 1;
    *count == 1
}

/// Counts one source less, if there is any. True if that was the last.
fn lower(count: Option<&mut u32>) -> bool {
    count.is_some_and(|count| {
        *count -= 1;
        *count == 0
    })
}

/// A state of address sets, equal to itself and to that of untouched clones only. Who looked ahead
/// tells by it whether the sets are still what they were.
#[derive(Clone, Debug, Default)]
pub(crate) struct SetsState(Arc<()>);

impl PartialEq for SetsState {
    fn eq(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.0, &other.0)
    }
}

/// All address sets of a plane. The mutators here are the one place where membership changes.
#[derive(Clone, Debug, Default)]
pub struct AddressSets {
    sets: FxHashMap<SetId, AddressSet>,
    state: SetsState,
    before: SetsState,
}

impl AddressSets {
    /// The state that the sets are in.
    pub(crate) const fn state(&self) -> &SetsState {
        &self.state
    }

    /// The state that they were in before the last change.
    pub(crate) const fn state_before(&self) -> &SetsState {
        &self.before
    }

    /// Notes a change, and passes on whether there was one.
    fn note(&mut self, changed: bool) -> bool {
        if changed {
            self.before = std::mem::take(&mut self.state);
        }
        changed
    }

    /// The set of that name. Rules treat a set that is not there as empty.
    pub fn get(&self, id: SetId) -> Option<&AddressSet> {
        self.sets.get(&id)
    }

    /// Adds a member, making the set if need be. True if the set's distinct members changed.
    pub fn add(&mut self, id: SetId, member: Member) -> bool {
        let changed = self.sets.entry(id).or_default().add(member);
        self.note(changed)
    }

    /// Takes a member back. True if the set's distinct members changed.
    pub fn remove(&mut self, id: SetId, member: &Member) -> bool {
        let changed = self.sets.get_mut(&id).is_some_and(|set| set.remove(member));
        self.note(changed)
    }

    /// Forgets the set. True if it had members.
    pub fn drop_set(&mut self, id: SetId) -> bool {
        let changed = self.sets.remove(&id).is_some_and(|set| !set.is_empty());
        self.note(changed)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn member(text: &str) -> Member {
        Member::Range(text.parse().unwrap())
    }

    fn ip(text: &str) -> IpAddr {
        text.parse().unwrap()
    }

    #[test]
    fn a_member_added_twice_needs_two_removals() {
        for text in ["10.0.0.1", "10.0.0.0/24"] {
            let mut set = AddressSet::default();
            assert!(set.add(member(text)));
            assert!(!set.add(member(text)));
            assert_eq!(set.len(), 1);
            assert!(!set.remove(&member(text)));
            assert!(set.contains_ip(ip("10.0.0.1")));
            assert!(set.remove(&member(text)));
            assert!(!set.contains_ip(ip("10.0.0.1")) && set.is_empty());
            assert!(!set.remove(&member(text)));
        }
    }

    #[test]
    fn overlapping_ranges_leave_one_by_one() {
        let mut set = AddressSet::default();
        for text in ["10.0.0.0/8", "10.1.0.0/16", "10.255.0.0-11.0.0.5", "10.1.2.3"] {
            assert!(set.add(member(text)));
        }
        assert!(set.contains_ip(ip("11.0.0.5")) && !set.contains_ip(ip("11.0.0.6")));
        assert!(set.remove(&member("10.0.0.0/8")));
        assert!(set.contains_ip(ip("10.1.9.9")) && !set.contains_ip(ip("10.2.0.0")));
        assert!(set.remove(&member("10.1.0.0/16")));
        assert!(set.contains_ip(ip("10.1.2.3")) && !set.contains_ip(ip("10.1.2.4")));
    }

    #[test]
    fn families_and_macs_do_not_mix() {
        let mac = MacAddr([2, 0, 0, 0, 0, 1]);
        let mut set = AddressSet::default();
        set.add(member("0.0.0.0/0"));
        set.add(mac.into());
        assert!(set.contains_ip(ip("1.2.3.4")) && !set.contains_ip(ip("::1")));
        assert!(set.contains_mac(mac) && !set.contains_mac(MacAddr::BROADCAST));
    }

    #[test]
    fn members_come_in_order() {
        let mut set = AddressSet::default();
        let order = ["10.0.0.1", "10.0.0.0/24", "9.0.0.1", "fd00::1"].map(member);
        for member in order {
            set.add(member);
        }
        set.add(Member::Mac(MacAddr::BROADCAST));
        let texts: Vec<Member> = set.iter().collect();
        let [one, net, nine, six] = order;
        assert_eq!(texts, [nine, net, one, six, Member::Mac(MacAddr::BROADCAST)]);
    }

    #[test]
    fn sets_tell_whether_their_members_changed() {
        let mut sets = AddressSets::default();
        assert!(!sets.remove(SetId(1), &member("10.0.0.1")));
        assert!(sets.add(SetId(1), member("10.0.0.1")));
        assert!(sets.drop_set(SetId(1)) && !sets.drop_set(SetId(1)));
        assert!(sets.get(SetId(1)).is_none());
    }
}
