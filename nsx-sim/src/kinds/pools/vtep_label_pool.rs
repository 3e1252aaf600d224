//! Pools of the labels of tunnel endpoints [spec VtepLabelPool].

use super::range::PoolUsage;
use crate::inventory::{Kind, Resource, Verbs};
use crate::wire::{Int, Told};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// The declaration; callers read them only.
pub static KIND: Kind = Kind {
    verbs: Verbs { list: true, ..Verbs::NONE },
    ..Kind::of::<VtepLabelPool>("VtepLabelPool", "/pools/vtep-label-pools")
};

/// The pool that every manager has, by id and name.
pub const DEFAULT: (&str, &str) = ("7f0c2f0b-7f6d-4f37-9d23-6f2d3b5f1c02", "DefaultVtepLabelPool");

/// Labels that tunnel endpoints have.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct VtepLabelPool {
    ranges: Vec<VtepLabelRange>,
    #[serde(default)]
    pool_usage: Told<PoolUsage>,
}

/// Labels from the first to the last, both included [spec VtepLabelRange].
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct VtepLabelRange {
    start: Int<1, 131_071>,
    end: Int<1, 131_071>,
}

impl VtepLabelPool {
    /// How many labels it has.
    pub fn size(&self) -> u128 {
        let sizes = self.ranges.iter().map(|range| range.end.get() - range.start.get() + 1);
        u128::try_from(sizes.sum::<i64>()).unwrap_or_default()
    }
}

impl Resource for VtepLabelPool {}
