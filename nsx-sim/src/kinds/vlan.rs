//! VLAN trunks [spec VlanTrunkSpec].

use crate::inventory::Error;
use crate::wire::Int;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// A VLAN's number.
pub type VlanId = Int<0, 4094>;

/// The VLANs that pass.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct VlanTrunkSpec {
    vlan_ranges: Vec<VlanRange>,
}

#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct VlanRange {
    start: VlanId,
    end: VlanId,
}

impl VlanTrunkSpec {
    /// Refuses ranges that end before they start.
    ///
    /// # Errors
    /// [`Error::InvalidFields`].
    pub fn check(&self) -> Result<(), Error> {
        if self.vlan_ranges.iter().any(|range| range.start > range.end) {
            let field = "vlan_trunk_spec.vlan_ranges";
            return Err(Error::field(field, "must not end before they start"));
        }
        Ok(())
    }
}
