//! IPsec on a router [spec IPSecVPNService], and the rules that say what it protects
//! [spec IPSecVPNPolicyRule].

use crate::inventory::{Error, Header, Kind, Resource, Transaction};
use crate::kinds::values::Formed;
use crate::wire::{Items, Told, yes};
use ipnet::Ipv4Net;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// The declaration.
pub static KIND: Kind = Kind {
    forceable: true,
    ..Kind::of::<IPSecVPNService>("IPSecVPNService", "/vpn/ipsec/services")
};

/// IPsec on one router.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct IPSecVPNService {
    /// The router.
    pub logical_router_id: String,
    /// Off keeps all its sessions down.
    #[serde(default = "yes")]
    pub enabled: bool,
    #[serde(default)]
    ike_log_level: LogLevel,
    bypass_rules: Option<Vec<PolicyRule>>,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "UPPERCASE")]
enum LogLevel {
    Debug,
    #[default]
    Info,
    Warn,
    Error,
    Emergency,
}

/// Traffic between local and remote subnets, and what becomes of it.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct PolicyRule {
    /// Given by the caller or made by the manager.
    pub id: Option<String>,
    #[serde(default)]
    action: Told<PolicyAction>,
    sources: Option<Items<PolicySubnet, 128>>,
    destinations: Option<Items<PolicySubnet, 128>>,
    /// Off matches nothing.
    #[serde(default = "yes")]
    pub enabled: bool,
    #[serde(default)]
    logged: bool,
    resource_type: Option<String>,
}

#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct PolicySubnet {
    subnet: Formed<Ipv4Net>,
}

/// What a rule does, told by where it stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "UPPERCASE")]
pub enum PolicyAction {
    /// Of a session: the traffic goes through its tunnel.
    Protect,
    /// Of a service: the traffic goes through none.
    Bypass,
}

impl PolicyRule {
    /// Gives the rule its action and, where it has none, its id.
    pub fn settle(&mut self, action: PolicyAction, transaction: &Transaction<'_>) {
        self.action = Told(Some(action));
        if self.id.is_none() {
            self.id = Some(transaction.inventory().ids().number().to_string());
        }
    }

    /// How many tunnels the rule asks for: one for each pair of subnets.
    pub fn tunnels(&self) -> usize {
        let count = |list: &Option<Items<PolicySubnet, 128>>| {
            list.as_ref().map_or(1, |list| list.len().max(1))
        };
        if self.enabled { count(&self.sources) * count(&self.destinations) } else { 0 }
    }
}

impl Resource for IPSecVPNService {
    fn admit(
        &mut self,
        _: &mut Header,
        _: Option<&Self>,
        transaction: &mut Transaction<'_>,
    ) -> Result<(), Error> {
        for rule in self.bypass_rules.iter_mut().flatten() {
            rule.settle(PolicyAction::Bypass, transaction);
        }
        Ok(())
    }
}
