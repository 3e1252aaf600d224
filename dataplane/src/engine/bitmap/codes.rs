//! What rules want of a packet beside its ends, by number: so that one line of bits tells of all rules
//! of a list whether they want it.

use std::hash::BuildHasher;

use rustc_hash::{FxBuildHasher, FxHashMap};

use super::index::way;
use super::rows::{Line, PARTS};
use crate::{Direction, Family, Rule, ServiceMatch};

/// A bit for every code.
pub(super) type CodeLines = [Line; 2];

/// The bits of a number that are a code.
pub(super) const CODE: u16 = 1023;

/// Codes of rules that want any service, one for each choice of direction and IP version. What every
/// packet carries has them.
const ANYTHING: u16 = 9;

/// From here on codes are shared by what finds no code of its own.
const SHARED: u16 = 960;

/// The code of rules that a list's destination is excepted from. No packet has it.
pub(super) const EXCEPTED: u16 = CODE - 1;

/// The code of nothing. No packet has it.
pub(super) const NEVER: u16 = CODE;

/// A service, and the directions and IP versions it is wanted of.
type Wanted = (ServiceMatch, Option<Direction>, Option<Family>);

/// The codes that are given. None is ever given anew, so nothing that was noted of one grows wrong.
#[derive(Clone, Debug)]
pub(super) struct Codes {
    own: FxHashMap<Wanted, u16>,
    /// The codes that packets of a way may have.
    pub(super) ways: [CodeLines; 8],
    /// Whether any are shared: then a code alone says nothing for sure.
    pub(super) shared: bool,
}

impl Codes {
    pub(super) fn new() -> Self {
        Self { own: FxHashMap::default(), ways: [[Line::ZERO; 2]; 8], shared: false }
    }

    /// The code of what a rule wants.
    pub(super) fn code(&mut self, rule: &Rule) -> u16 {
        let code = self.find(rule);
        for direction in [Direction::In, Direction::Out] {
            for family in [Family::V4, Family::V6] {
                let wanted = rule.direction.is_none_or(|own| own == direction)
                    && rule.family.is_none_or(|own| own == family);
                if wanted || code >= SHARED {
                    put(&mut self.ways[way(direction, family)], code);
                }
            }
        }
        code
    }

    fn find(&mut self, rule: &Rule) -> u16 {
        if rule.service == ServiceMatch::Any {
            let direction = rule.direction.map_or(2, |own| own as u16);
            let family = rule.family.map_or(2, |own| own as u16);
            return 3 * direction + family;
        }
        let wanted = (rule.service.clone(), rule.direction, rule.family);
        if let Some(code) = self.own.get(&wanted) {
            return *code;
        }
        let next = u16::try_from(self.own.len()).unwrap_or(CODE).saturating_add(ANYTHING);
        if next >= SHARED {
            self.shared = true;
            let place = FxBuildHasher.hash_one(wanted) % u64::from(EXCEPTED - SHARED);
            return SHARED + u16::try_from(place).unwrap_or(0);
        }
        self.own.insert(wanted, next);
        next
    }

    pub(super) fn bytes(&self) -> usize {
        size_of_val(&self.ways) + self.own.capacity() * size_of::<(Wanted, u16)>()
    }
}

/// The codes that everything has.
pub(super) const fn of_anything() -> CodeLines {
    let mut codes = [Line::ZERO; 2];
    codes[0].0[0] = (1 << ANYTHING) - 1;
    codes
}

/// The line and the bit of a code.
pub(super) const fn place(code: u16) -> (usize, usize) {
    (code as usize / PARTS, code as usize % PARTS)
}

/// Notes a code.
pub(super) fn put(codes: &mut [Line], code: u16) {
    let (line, bit) = place(code);
    codes[line].put(bit, true);
}
