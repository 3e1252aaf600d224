//! The barrier by which callers tell whether what they asked for is realized
//! [spec RealizationStateBarrierConfig]. Its number rises by itself, and when asked.

use super::super::appliance::document;
use crate::clock::Millis;
use crate::inventory::{Error, Header, Kind, Resource, Transaction};
use crate::wire::{Int, int};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// The declaration.
pub static BARRIER: Kind = document::<Barrier>("RealizationStateBarrierConfig");

/// What the publication of management nodes' names is set to [spec ManagementConfig].
pub static MANAGEMENT: Kind = document::<Management>("ManagementConfig");

/// How the number rises, and where it stands.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Barrier {
    /// Milliseconds between two numbers; 0 stands still. How long a real manager's is at first is
    /// not known.
    #[serde(default = "int::<5_000, 0, { i64::MAX }>")]
    interval: Int<0, { i64::MAX }>,
    /// The number at the time of the last change.
    #[serde(skip)]
    number: u64,
    /// When that was; none before the first.
    #[serde(skip)]
    since: Option<Millis>,
}

impl Barrier {
    /// The number at a time.
    pub fn number(&self, now: Millis) -> u64 {
        let passed = self.since.map_or(0, |since| now.saturating_sub(since));
        let interval = u64::try_from(self.interval.get()).unwrap_or(0);
        self.number.saturating_add(passed.checked_div(interval).unwrap_or(0))
    }

    /// Lets the number rise by one.
    pub fn increment(&mut self, now: Millis) {
        self.number = self.number(now).saturating_add(1);
        self.since = Some(now);
    }
}

impl Resource for Barrier {
    fn admit(
        &mut self,
        _: &mut Header,
        before: Option<&Self>,
        tx: &mut Transaction<'_>,
    ) -> Result<(), Error> {
        // A document that a caller sent knows no number: it goes on from where it was.
        if self.since.is_none() {
            self.number = before.map_or(0, |before| before.number(tx.now()));
            self.since = Some(tx.now());
        }
        Ok(())
    }
}

/// Whether nodes tell their names rather than addresses.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Management {
    publish_fqdns: bool,
}

impl Resource for Management {}
