//! Rules by address classes: one row of bits for what a packet's source is, one for its
//! destination, one for what it carries, one for the vNIC; the first bit they share is the verdict.
//!
//! Rules name sets, so two addresses in the same sets meet the same rules: they are of one *class*
//! and share their rows. A member that joins or leaves a set gives one address another class; no
//! rule and no other address is touched. A set with thousands of members costs no more than their
//! classes, where a list of five-tuples would be multiplied out.
//!
//! | file | what |
//! |---|---|
//! | `rows` | rows, flat or packed, as differences from the stranger's |
//! | `listed`, `codes` | rows of destinations as lists, where there are many rules |
//! | `arena`, `pages` | the lines of rows, which two copies of the tables may share |
//! | `classes` | things with the same labels share rows |
//! | `addresses`, `services` | from a header to its class and rows |
//! | `layout` | which place in the rows each rule has |
//! | `order` | all other rules by rank and name |
//! | `late` | rules that came since and are no part of the rows yet |
//! | `local`, `local_search`, `signs` | rules that stand on few vNICs, listed by the class of the vNIC |
//! | `homes`, `home_search` | the same for packets that have the vNIC's own address at one end |
//! | `index`, `settling` | all of it, and how rules come and go |
//! | `search`, `tables` | the rows laid over one another |
//! | `on_vnics` | the same and lists for many packets on vNICs |

mod addresses;
mod arena;
mod asked;
mod classes;
mod codes;
mod home_search;
mod homes;
mod index;
mod late;
mod layout;
mod listed;
mod local;
mod local_search;
mod on_vnics;
mod order;
mod pages;
mod radix;
mod rows;
mod search;
mod services;
mod settling;
mod signs;
mod tables;
mod view;
mod wide;

use std::sync::Arc;

use asked::Keys;
pub(crate) use asked::{Apart, OnVnic, OnVnics};
pub(crate) use homes::NOWHERE as NO_HOME;
pub(crate) use index::{Ground, Index};
pub(crate) use late::{Late, SomeVnics};
pub(crate) use layout::{Rank, STEP};
pub(crate) use settling::Crowded;

use super::tuple::{Header, HeaderClassifier, NONE};
use super::{Classifier, EngineKind, RuleList, Unsupported};
use crate::address_set::SetsState;
use crate::matching::Key;
use crate::{AddressSets, Layer, Member, SetId};

/// The engine for a list of IP rules whose ends are address sets.
///
/// It looks ahead: it keeps what it [learned](Classifier::learn) of the sets, and in which state it
/// saw them. Asked about another state it walks.
#[derive(Clone, Debug)]
pub struct Bitmap {
    rules: RuleList,
    index: Index,
    state: Option<SetsState>,
}

impl Bitmap {
    /// An engine for these rules, which knows nothing of any set yet.
    pub fn new(rules: RuleList) -> Result<Self, Unsupported> {
        if rules.iter().any(|rule| rule.layer == Layer::Ethernet) {
            return Err(Unsupported::EthernetRules);
        }
        let index = Self::index(&rules, &AddressSets::default()).ok_or(Unsupported::TooLarge)?;
        Ok(Self { rules, index, state: None })
    }

    fn index(rules: &RuleList, sets: &AddressSets) -> Option<Index> {
        let ranked = (0..).zip(rules.iter()).map(|(at, rule)| (at * STEP, Arc::clone(rule)));
        // A list is one vNIC's own: where its rules are applied is settled.
        Index::of_one_list(ranked.collect(), sets)
    }

    fn knows(&self, sets: &AddressSets) -> bool {
        self.state.as_ref() == Some(sets.state())
    }
}

fn place_in_list(rank: Rank) -> usize {
    usize::try_from(rank / STEP).unwrap_or(usize::MAX)
}

/// Answers for IPv4 headers as of what the engine learned: whoever asks sees to it that it knows the
/// sets.
impl HeaderClassifier for Bitmap {
    fn classify_headers(&self, headers: &[Header], ranks: &mut [u32]) {
        let count = headers.len().min(ranks.len());
        let (headers, ranks) = (&headers[..count], &mut ranks[..count]);
        let own = &self.index.layout.ranks;
        self.index.first_of_each(headers, |at, place| {
            let rank = own.get(place as usize).map(|rank| u32::try_from(rank / STEP));
            ranks[at] = rank.and_then(Result::ok).unwrap_or(NONE);
        });
    }

    fn kind(&self) -> EngineKind {
        EngineKind::Bitmap
    }

    fn memory(&self) -> usize {
        self.index.bytes()
    }
}

impl Classifier for Bitmap {
    fn kind(&self) -> EngineKind {
        EngineKind::Bitmap
    }

    fn memory(&self) -> usize {
        self.index.bytes()
    }

    fn classify(&self, sets: &AddressSets, key: Key<'_>) -> Option<usize> {
        if !self.knows(sets) {
            return self.rules.iter().position(|rule| rule.matches(sets, key));
        }
        self.index.first(0, key).map(|(rank, _)| place_in_list(rank))
    }

    fn classify_batch(
        &self,
        sets: &AddressSets,
        keys: &[Key<'_>],
        answers: &mut Vec<Option<usize>>,
    ) {
        answers.clear();
        if !self.knows(sets) {
            answers.extend(keys.iter().map(|key| self.classify(sets, *key)));
            return;
        }
        answers.resize(keys.len(), None);
        let answers = answers.as_mut_slice();
        self.index.first_of_each(Keys(0, keys), |at, place| {
            answers[at] = self.index.layout.at(place).map(|(rank, _)| place_in_list(rank));
        });
    }

    fn learn(&mut self, sets: &AddressSets) {
        if !self.knows(sets)
            && let Some(index) = Self::index(&self.rules, sets)
        {
            self.index = index;
            self.state = Some(sets.state().clone());
        }
    }

    fn follow(&mut self, sets: &AddressSets, set: SetId, member: &Member) {
        if self.knows(sets) {
            return;
        }
        if self.state.as_ref() == Some(sets.state_before()) {
            self.index.follow(sets, set, member);
            self.state = Some(sets.state().clone());
        } else {
            self.learn(sets);
        }
    }
}

#[cfg(test)]
mod tests {
    use std::net::{IpAddr, Ipv4Addr};

    use super::wide::Processor;
    use super::*;
    use crate::{
        Action, AppliedTo, Direction, Packet, Peer, PortRange, Ports, Rule, RuleId, ScopeId,
        Service, ServiceMatch, TcpFlags, Term,
    };

    const SETS: u32 = 50;

    /// How often to do something: Miri takes a thousand times as long for each.
    pub(super) const fn under_miri<T: Copy>(otherwise: T, miri: T) -> T {
        if cfg!(miri) { miri } else { otherwise }
    }

    fn address(number: u32) -> IpAddr {
        Ipv4Addr::from(0x0a00_0000 + number % 700).into()
    }

    /// The same number for the same words, and nearly any.
    fn mixed(what: u32, number: u32) -> u32 {
        (number.wrapping_mul(0x9e37_79b9) ^ what.wrapping_mul(0x85eb_ca6b)).rotate_left(13) >> 7
    }

    fn rule(number: u32) -> Arc<Rule> {
        let peer = |what: u32| match mixed(what, number) % 12 {
            0 => Peer::Any,
            own => {
                let set = SetId(mixed(what + 1, number) % SETS);
                Peer::OneOf { terms: vec![Term::Set(set)], negated: own == 1 }
            }
        };
        let port = u16::try_from(mixed(5, number) % 40).unwrap();
        let ports = Ports::to([PortRange { first: port, last: port + 2 }]);
        Arc::new(Rule {
            action: Action::Allow,
            direction: [None, Some(Direction::In)][mixed(6, number) as usize % 2],
            source: peer(1),
            destination: peer(3),
            service: match mixed(7, number) % 8 {
                0 => ServiceMatch::Any,
                1 => ServiceMatch::OneOf(vec![Service::Udp(ports)]),
                _ => ServiceMatch::OneOf(vec![Service::Tcp(ports)]),
            },
            ..Rule::drop_all(RuleId(number.into()))
        })
    }

    #[test]
    fn every_processor_finds_what_the_walk_finds() {
        let mut sets = AddressSets::default();
        for number in 0..under_miri(4_000, 200) {
            let set = SetId(mixed(8, number) % SETS);
            sets.add(set, Member::from(address(mixed(9, number))));
        }
        let packets: Vec<Packet> = (0..under_miri(300, 12))
            .map(|number| {
                let ends = [10, 11].map(|what| address(mixed(what, number)));
                let port = u16::try_from(mixed(12, number) % 40).unwrap();
                Packet::tcp((ends[0], 999).into(), (ends[1], port).into(), TcpFlags::SYN)
            })
            .collect();
        let keys = packets.iter().zip([Direction::In, Direction::Out].into_iter().cycle());
        let keys: Vec<Key<'_>> =
            keys.map(|(packet, direction)| Key { direction, packet }).collect();
        // One line, three lines, lists and parts of eight rules and of 32.
        let counts: &[_] = under_miri(&[200, 1_300, 3_000, 6_000], &[200, 1_600]);
        for &count in counts {
            let rules: RuleList = (0..count).map(rule).collect();
            let walk = |key: &Key<'_>| rules.iter().position(|rule| rule.matches(&sets, *key));
            let right: Vec<Option<usize>> = keys.iter().map(walk).collect();
            let mut engine = Bitmap::new(Arc::clone(&rules)).unwrap();
            engine.learn(&sets);
            let mut answers = Vec::new();
            for processor in Processor::all() {
                engine.index.processor = processor;
                engine.classify_batch(&sets, &keys, &mut answers);
                assert_eq!(answers, right, "{count} rules on {processor:?}");
            }
        }
    }

    #[test]
    fn every_processor_finds_the_rules_of_few_vnics() {
        let mut sets = AddressSets::default();
        for number in 0..under_miri(4_000, 200) {
            let set = SetId(mixed(8, number) % SETS);
            sets.add(set, Member::from(address(mixed(9, number))));
        }
        let scope = |number: u32| ScopeId(number % 70);
        let rules = (0..under_miri(3_000_u32, 1_600)).map(|number| {
            let scopes = vec![scope(mixed(13, number))];
            let applied_to = AppliedTo::OneOf { scopes, vnics: Vec::new() };
            (u64::from(number) * STEP, Arc::new(Rule { applied_to, ..(*rule(number)).clone() }))
        });
        let mut index = Index::new(rules.collect(), &sets).unwrap();
        assert!(index.has_local());
        let own: Vec<Vec<ScopeId>> = (0..30)
            .map(|vnic| (0..vnic % 9).map(|nth| scope(mixed(14 + nth, vnic))).collect())
            .collect();
        let classes: Vec<u32> = own
            .iter()
            .map(|scopes| index.acquire(scopes.iter().copied().map(Ground::Scope)))
            .collect();
        let packets: Vec<Packet> = (0..under_miri(3_000, 12))
            .map(|number| {
                let ends = [10, 11].map(|what| address(mixed(what, number)));
                let port = u16::try_from(mixed(12, number) % 40).unwrap();
                Packet::tcp((ends[0], 999).into(), (ends[1], port).into(), TcpFlags::SYN)
            })
            .collect();
        for processor in Processor::all() {
            index.processor = processor;
            for (at, packet) in packets.iter().enumerate() {
                let key = Key { direction: Direction::In, packet };
                let stands = |rule: &Rule| match &rule.applied_to {
                    AppliedTo::OneOf { scopes, .. } => own[at % 30].contains(&scopes[0]),
                    AppliedTo::Everywhere => true,
                };
                let mut rules = index.rules().map(|(_, rule)| rule);
                let right = rules.find(|rule| stands(rule) && rule.matches(&sets, key));
                let found = index.first(classes[at % 30], key).map(|(_, rule)| rule.id);
                assert_eq!(found, right.map(|rule| rule.id), "{packet:?} on {processor:?}");
            }
        }
    }
}
