//! Pools of MAC addresses [spec MacPool].

use crate::inventory::{Error, Header, Inventory, Kind, Level, Resource, Transaction, Verbs};
use crate::kinds::values::MacText;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// The declaration; callers read them only.
pub static KIND: Kind = Kind {
    level: Level::Semantic,
    verbs: Verbs { list: true, ..Verbs::NONE },
    ..Kind::of::<MacPool>("MacPool", "/pools/mac-pools")
};

/// The pool that every manager has, by id and name [client tf].
pub const DEFAULT: (&str, &str) = ("6d2b1a54-2d9c-4d0b-9a0e-3f7c1d0f8a11", "DefaultMacPool");

/// MAC addresses that are given to ports.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct MacPool {
    ranges: Vec<MacRange>,
}

/// Addresses from the first to the last, both included [spec MacRange].
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct MacRange {
    start: MacText,
    end: MacText,
}

impl MacRange {
    fn span(&self) -> (u64, u64) {
        (number(&self.start), number(&self.end))
    }
}

impl MacPool {
    /// An address that nobody was given, by the index in which ports tell theirs. The search begins
    /// as far into the pool as addresses are given out.
    ///
    /// # Errors
    /// [`Error::Pool`] where there is none left.
    pub fn free(
        &self,
        id: &str,
        index: &'static str,
        inventory: &Inventory,
    ) -> Result<MacText, Error> {
        let total: u64 = self.ranges.iter().map(|range| range.span().1 - range.span().0 + 1).sum();
        let given = inventory.count_by_key(index, id) as u64;
        let free = (0..total).find_map(|step| {
            let address = self.at((given + step) % total)?;
            inventory.by_key(index, &address).is_empty().then_some(address)
        });
        free.ok_or_else(|| Error::Pool {
            pool: id.to_owned(),
            fault: crate::inventory::PoolFault::Exhausted,
            what: id.to_owned(),
        })
    }

    fn at(&self, mut place: u64) -> Option<MacText> {
        for (start, end) in self.ranges.iter().map(MacRange::span) {
            if place <= end - start {
                return text(start + place);
            }
            place -= end - start + 1;
        }
        None
    }
}

impl Resource for MacPool {
    fn admit(
        &mut self,
        _: &mut Header,
        _: Option<&Self>,
        _: &mut Transaction<'_>,
    ) -> Result<(), Error> {
        match self.ranges.iter().map(MacRange::span).position(|(start, end)| start > end) {
            Some(place) => {
                Err(Error::field(format!("ranges[{place}]"), "must not end before it starts"))
            }
            None => Ok(()),
        }
    }
}

fn number(address: &MacText) -> u64 {
    address.octets().iter().fold(0, |sum, octet| sum << 8 | u64::from(*octet))
}

fn text(number: u64) -> Option<MacText> {
    let [_, _, octets @ ..] = number.to_be_bytes();
    let pairs: Vec<String> = octets.iter().map(|octet| format!("{octet:02x}")).collect();
    MacText::parse(&pairs.join(":"))
}
