//! The switch of the firewall, as a whole and per target [spec FirewallStatus].

use crate::inventory::{Error, Header, Kind, Resource, Transaction, Verbs};
use crate::wire::Text;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// The declaration: one object per context, whose id is the context's name.
pub static KIND: Kind = Kind {
    verbs: Verbs::NONE,
    system_owned_changes: true,
    ..Kind::of::<FirewallStatus>("FirewallStatus", "/firewall/status")
};

/// On or off.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "UPPERCASE")]
#[allow(missing_docs, reason = "wire names that say it all")]
pub enum Switch {
    Enabled,
    Disabled,
}

/// Where a firewall stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Context {
    /// On vNICs: the distributed firewall.
    TransportNodes,
    /// On routers.
    LogicalRouters,
}

impl Context {
    /// The wire name.
    pub fn word(self) -> &'static str {
        match self {
            Self::TransportNodes => "transport_nodes",
            Self::LogicalRouters => "logical_routers",
        }
    }
}

/// The switch of one context.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct FirewallStatus {
    /// For all targets.
    pub global_status: Switch,
    /// Which firewall.
    pub context: Context,
    /// For single targets.
    #[serde(default)]
    pub target_statuses: Vec<TargetStatus>,
}

/// The switch of one target.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct TargetStatus {
    /// The transport node's or router's id.
    pub target_id: Option<Text<64>>,
    /// On or off.
    pub target_status: Switch,
}

impl FirewallStatus {
    /// The switch of one target: its own where it has one [spec FirewallStatus.target_statuses],
    /// else that of all.
    pub fn of_target(&self, id: &str) -> Switch {
        let own = self.target_statuses.iter().find(|own| own.target_id.as_deref() == Some(id));
        own.map_or(self.global_status, |own| own.target_status)
    }
}

impl Resource for FirewallStatus {
    fn admit(
        &mut self,
        _: &mut Header,
        before: Option<&Self>,
        _: &mut Transaction<'_>,
    ) -> Result<(), Error> {
        if before.is_some_and(|before| before.context != self.context) {
            return Err(Error::field("context", "can not be changed"));
        }
        Ok(())
    }
}

/// Forgets the switch of a target that goes.
///
/// # Errors
/// None that an inventory in order has.
pub fn forget_target(
    tx: &mut Transaction<'_>,
    context: Context,
    target: &str,
) -> Result<(), Error> {
    let object = tx.find(KIND.name, context.word());
    let own = object.as_deref().and_then(crate::inventory::Object::body::<FirewallStatus>);
    let is_own = |own: &TargetStatus| own.target_id.as_deref() == Some(target);
    if !own.is_some_and(|own| own.target_statuses.iter().any(is_own)) {
        return Ok(());
    }
    tx.edit(&KIND, context.word(), |status: &mut FirewallStatus, _| {
        status.target_statuses.retain(|own| !is_own(own));
        Ok(())
    })?;
    Ok(())
}

/// Switches one target.
///
/// # Errors
/// [`Error::NotFound`] for an unknown context.
pub fn switch_target(
    tx: &mut Transaction<'_>,
    context: &str,
    target: &str,
    switch: Switch,
) -> Result<(), Error> {
    tx.edit(&KIND, context, |status: &mut FirewallStatus, _| {
        status.target_statuses.retain(|own| own.target_id.as_deref() != Some(target));
        if switch != status.global_status {
            let target_id = Some(Text::cut(target));
            status.target_statuses.push(TargetStatus { target_id, target_status: switch });
        }
        Ok(())
    })?;
    Ok(())
}
