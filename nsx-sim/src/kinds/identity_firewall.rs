//! The switches of the identity firewall [spec IdfwMasterSwitchSetting].

use crate::inventory::{Kind, Resource};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// The declaration of the switch for it all.
pub static MASTER: Kind = Kind {
    single: true,
    system_owned_changes: true,
    ..Kind::of::<IdfwMasterSwitchSetting>("IdfwMasterSwitchSetting", "/idfw/master-switch-setting")
};

/// The declaration of the switch for hosts outside clusters.
pub static STANDALONE: Kind = Kind {
    single: true,
    system_owned_changes: true,
    ..Kind::of::<IdfwStandaloneHostsSwitchSetting>(
        "IdfwStandaloneHostsSwitchSetting",
        "/idfw/standalone-host-switch-setting",
    )
};

/// Whether users' groups count in rules at all.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct IdfwMasterSwitchSetting {
    idfw_master_switch_enabled: bool,
}

/// Whether they do on hosts outside clusters.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct IdfwStandaloneHostsSwitchSetting {
    standalone_hosts_enabled: bool,
}

impl Resource for IdfwMasterSwitchSetting {}

impl Resource for IdfwStandaloneHostsSwitchSetting {}
