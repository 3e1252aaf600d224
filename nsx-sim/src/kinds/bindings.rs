//! Parts that logical switches and logical ports share.

use super::values::{IpElement, MacText};
use crate::inventory::Error;
use crate::wire::{Int, Text};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// An address that belongs to a port or a switch [spec PacketAddressClassifier].
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct AddressBinding {
    /// An address, a block or a range.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ip_address: Option<IpElement>,
    /// The MAC address it is bound to.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub mac_address: Option<MacText>,
    /// The VLAN tag that packets carry.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub vlan: Option<Int<0, 4094>>,
}

/// The six classes of switching profiles.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema,
)]
#[allow(clippy::enum_variant_names, reason = "wire names")]
pub enum ProfileClass {
    /// Which guests' requests and frames are let through.
    SwitchSecuritySwitchingProfile,
    /// Which source addresses a port may use.
    SpoofGuardSwitchingProfile,
    /// How the port's addresses are learnt.
    IpDiscoverySwitchingProfile,
    /// How MAC addresses are learnt and changed.
    MacManagementSwitchingProfile,
    /// Where copies of the traffic go.
    PortMirroringSwitchingProfile,
    /// Marks and rates.
    QosSwitchingProfile,
}

/// A pair that only the owner understands [spec ExtraConfig].
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ExtraConfig {
    config_pair: ConfigPair,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct ConfigPair {
    key: Text<255>,
    value: Text<255>,
}

/// Up or down, as the administrator wants it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "UPPERCASE")]
pub enum AdminState {
    /// Passes traffic.
    Up,
    /// Does not.
    Down,
}

/// Each binding names both an IP and a MAC address [spec LogicalPort.address_bindings].
///
/// # Errors
/// [`Error::InvalidFields`] for the first that does not.
pub fn check_complete(bindings: &[AddressBinding]) -> Result<(), Error> {
    for (index, binding) in bindings.iter().enumerate() {
        let missing = match (&binding.ip_address, &binding.mac_address) {
            (Some(_), Some(_)) => continue,
            (None, _) => "ip_address",
            _ => "mac_address",
        };
        return Err(Error::field(format!("address_bindings[{index}].{missing}"), "is required"));
    }
    Ok(())
}
