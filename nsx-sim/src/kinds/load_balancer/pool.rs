//! Members that share the connections to virtual servers [spec LbPool].

use super::monitor::{self, LbMonitor};
use super::pool_members::{self, MemberGroup, PoolMember};
use super::{Count, CountOrNone, MAX, must_be};
use crate::inventory::{
    Action, Error, Header, Inventory, Kind, Level, Reference, Resource, Transaction,
};
use crate::kinds::values::IpElement;
use crate::wire::{self, Fields, Int, Items, int, polymorphic};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use std::net::IpAddr;

/// The declaration.
pub static KIND: Kind = Kind {
    level: Level::Semantic,
    actions: &[
        Action { word: "ADD_MEMBERS", status: 200, run: pool_members::add },
        Action { word: "REMOVE_MEMBERS", status: 200, run: pool_members::remove },
        Action { word: "UPDATE_MEMBERS", status: 200, run: pool_members::update },
    ],
    ..Kind::of::<LbPool>("LbPool", "/loadbalancer/pools")
};

/// Members that share the connections to a virtual server.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct LbPool {
    /// Who is next.
    #[serde(default)]
    pub algorithm: Algorithm,
    /// Who answers, one by one.
    #[serde(default)]
    pub members: Vec<PoolMember>,
    /// Who answers, as a group.
    pub member_group: Option<MemberGroup>,
    /// What checks the members.
    pub active_monitor_ids: Option<Vec<String>>,
    /// What watches the members.
    pub passive_monitor_id: Option<String>,
    /// With fewer members that are well, backup members take over.
    #[serde(default = "int::<1, 1, MAX>")]
    pub min_active_members: Count,
    snat_translation: Option<SnatTranslation>,
    #[serde(default)]
    tcp_multiplexing_enabled: bool,
    #[serde(default = "int::<6, 0, MAX>")]
    tcp_multiplexing_number: CountOrNone,
}

/// Who gets the next connection.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum Algorithm {
    /// Each in turn.
    #[default]
    RoundRobin,
    /// Each in turn, as often as its weight says.
    WeightedRoundRobin,
    /// Who has the fewest.
    LeastConnection,
    /// Who has the fewest for its weight.
    WeightedLeastConnection,
    /// Whom the client's address falls to.
    IpHash,
}

/// The sources that members see.
#[derive(Clone, Debug, Deserialize)]
enum SnatTranslation {
    LbSnatAutoMap(AutoMap),
    LbSnatIpPool(IpPool),
}

polymorphic!(SnatTranslation by "type" { LbSnatAutoMap, LbSnatIpPool });

/// The load balancer's own address.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct AutoMap {
    #[serde(default = "int::<32, 1, 32>")]
    port_overload: Int<1, 32>,
}

/// Addresses set aside.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct IpPool {
    ip_addresses: Items<SnatElement, 64>,
    #[serde(default = "int::<32, 1, 32>")]
    port_overload: Int<1, 32>,
}

#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct SnatElement {
    ip_address: IpElement,
    prefix_length: Option<i64>,
}

/// The source address of what the load balancer sends to a member.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Source {
    /// The client's.
    Client,
    /// The load balancer's.
    Own,
    /// One set aside for it.
    Given(IpAddr),
}

impl LbPool {
    /// The addresses that are set aside for what members see.
    pub fn sources(&self) -> impl Iterator<Item = &IpElement> {
        let pool = match &self.snat_translation {
            Some(SnatTranslation::LbSnatIpPool(pool)) => Some(pool),
            _ => None,
        };
        let elements = pool.into_iter().flat_map(|pool| pool.ip_addresses.iter());
        elements.map(|element| &element.ip_address)
    }

    /// Whose address members see; of several that are set aside the first of the family.
    pub fn source(&self, of_ipv4: bool) -> Source {
        match &self.snat_translation {
            None => Source::Client,
            Some(SnatTranslation::LbSnatAutoMap(_)) => Source::Own,
            Some(SnatTranslation::LbSnatIpPool(_)) => {
                let own = self.sources().filter(|element| element.is_ipv4() == of_ipv4);
                own.map(|element| Source::Given(element.span().0)).next().unwrap_or(Source::Own)
            }
        }
    }
}

impl Resource for LbPool {
    fn fields(&self, _: &Header, inventory: &Inventory) -> Fields {
        let mut fields = wire::fields_of(self);
        if let (Some(group), Some(printed)) = (&self.member_group, fields.get_mut("member_group")) {
            printed["grouping_object"] = Value::Object(group.grouping_object.fields(inventory));
        }
        fields
    }

    fn references(&self) -> Vec<Reference> {
        let active = self.active_monitor_ids.iter().flatten();
        let monitors = active.chain(&self.passive_monitor_id);
        let group = self.member_group.as_ref().and_then(|own| own.grouping_object.object());
        monitors.map(|id| Reference::new(monitor::KIND.name, id)).chain(group).collect()
    }

    fn admit(
        &mut self,
        _: &mut Header,
        _: Option<&Self>,
        transaction: &mut Transaction<'_>,
    ) -> Result<(), Error> {
        if self.active_monitor_ids.as_ref().is_some_and(|ids| ids.len() > 1) {
            return Err(Error::field("active_monitor_ids", "can hold only one"));
        }
        for id in self.active_monitor_ids.iter().flatten() {
            let named = ("active_monitor_ids", monitor::KIND.name, &**id);
            must_be(transaction, named, "an active monitor", LbMonitor::is_active)?;
        }
        if let Some(id) = &self.passive_monitor_id {
            let named = ("passive_monitor_id", monitor::KIND.name, &**id);
            must_be(transaction, named, "a passive monitor", |own: &LbMonitor| !own.is_active())?;
        }
        if let Some(group) = &self.member_group {
            if !self.members.is_empty() {
                return Err(Error::field("members", "can not stand beside a member_group"));
            }
            if group.grouping_object.target_type.as_deref() != Some("NSGroup")
                || group.grouping_object.target_id.is_none()
            {
                return Err(Error::field("member_group.grouping_object", "must name an NSGroup"));
            }
        }
        pool_members::check(&self.members)
    }
}
