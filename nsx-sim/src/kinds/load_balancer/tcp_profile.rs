//! How the load balancer speaks TCP with clients and members [spec LbTcpProfile].

use super::{CountOrNone, MAX};
use crate::inventory::{Kind, Resource};
use crate::wire::{Int, yes};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// The declaration.
pub static KIND: Kind = Kind::of::<LbTcpProfile>("LbTcpProfile", "/loadbalancer/tcp-profiles");

/// Settings of one side's TCP; absent ones are the engine's own. Sizes in bytes, times in seconds.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct LbTcpProfile {
    #[serde(default = "yes")]
    nagle_algorithm_enabled: bool,
    receive_window_size: Option<Int<1024, MAX>>,
    transmit_window_size: Option<Int<2048, MAX>>,
    fin_wait2_timeout: Option<CountOrNone>,
    max_syn_retransmissions: Option<Int<1, 127>>,
}

impl Resource for LbTcpProfile {}
