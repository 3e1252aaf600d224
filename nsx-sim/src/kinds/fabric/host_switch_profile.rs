//! What host switches do with their uplinks [spec BaseHostSwitchProfile].

use crate::inventory::{Error, Filter, Header, Inventory, Kind, Resource, Transaction, Words};
use crate::wire::{self, Fields, Int, Items, Text, Told, int, polymorphic, yes};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;

/// The declaration.
pub static KIND: Kind = Kind {
    polymorphic: true,
    system_owned_hidden: true,
    read_only: &["required_capabilities"],
    filters: &[
        Filter {
            name: "hostswitch_profile_type",
            words: Some(Words::Of(&[
                "UplinkHostSwitchProfile",
                "LldpHostSwitchProfile",
                "NiocProfile",
                "ExtraConfigHostSwitchProfile",
            ])),
            passes: |_, object, word| object.resource_type() == word,
        },
        Filter {
            name: "uplink_teaming_policy_name",
            words: None,
            passes: |_, object, name| match object.body() {
                Some(HostSwitchProfile::UplinkHostSwitchProfile(profile)) => profile
                    .named_teamings
                    .iter()
                    .flat_map(|list| list.iter())
                    .any(|own| own.name == name),
                _ => false,
            },
        },
    ],
    ..Kind::of::<HostSwitchProfile>("BaseHostSwitchProfile", "/host-switch-profiles")
};

/// The uplink profile of a host switch that names none: id and name [facts §4.4].
pub const DEFAULT_UPLINK: (&str, &str) =
    ("0a26d126-7116-11e5-9d70-feff819cdc9f", "nsx-default-uplink-hostswitch-profile");

/// The bandwidth profile of a host switch that names none: id and name.
pub const DEFAULT_NIOC: (&str, &str) =
    ("8cb3de94-2834-414c-b07d-c034d878db56", "nsx-default-nioc-hostswitch-profile");

/// The neighbour discovery profile of a host switch that names none: id and name.
pub const DEFAULT_LLDP: (&str, &str) =
    ("9e0b4d2d-d155-4b4b-8947-fbfe5b79f7cb", "LLDP [Send Packet Disabled]");

/// One profile of any class.
#[derive(Clone, Debug, Deserialize)]
#[allow(clippy::enum_variant_names, reason = "wire names")]
pub enum HostSwitchProfile {
    /// Uplinks and how they share the traffic.
    UplinkHostSwitchProfile(Box<Uplinks>),
    /// Whether the switch tells its neighbours of itself.
    LldpHostSwitchProfile(Lldp),
    /// How infrastructure traffic shares the bandwidth.
    NiocProfile(Nioc),
    /// Settings that NSX hands on unread.
    ExtraConfigHostSwitchProfile(ExtraConfigs),
}

polymorphic!(HostSwitchProfile {
    UplinkHostSwitchProfile,
    LldpHostSwitchProfile,
    NiocProfile,
    ExtraConfigHostSwitchProfile
});

/// [spec UplinkHostSwitchProfile]
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Uplinks {
    lags: Option<Items<Lag, 64>>,
    teaming: Teaming,
    named_teamings: Option<Items<NamedTeaming, 32>>,
    #[serde(default = "int::<0, 0, 4094>")]
    transport_vlan: Int<0, 4094>,
    mtu: Option<Int<1280, { i32::MAX as i64 }>>,
    /// How frames are wrapped in tunnels.
    #[serde(default)]
    pub overlay_encap: Encapsulation,
}

/// How frames are wrapped in tunnels.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "UPPERCASE")]
#[allow(missing_docs, reason = "wire names that say it all")]
pub enum Encapsulation {
    Vxlan,
    #[default]
    Geneve,
}

/// Links that act as one [spec Lag].
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Lag {
    #[serde(default)]
    id: Told<String>,
    name: String,
    mode: LagMode,
    load_balance_algorithm: LagHash,
    number_of_uplinks: Int<2, 32>,
    #[serde(default)]
    timeout_type: LagTimeout,
    #[serde(default)]
    uplinks: Told<Vec<Uplink>>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "UPPERCASE")]
enum LagMode {
    Active,
    Passive,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "UPPERCASE")]
enum LagHash {
    SrcMac,
    DestMac,
    SrcDestMac,
    SrcDestIpVlan,
    SrcDestMacIpPort,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "UPPERCASE")]
enum LagTimeout {
    #[default]
    Slow,
    Fast,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
enum TeamingWord {
    #[serde(rename = "FAILOVER_ORDER")]
    FailoverOrder,
    #[serde(rename = "LOADBALANCE_SRCID")]
    SourceId,
    #[serde(rename = "LOADBALANCE_SRC_MAC")]
    SourceMac,
}

/// Which uplinks carry traffic [spec TeamingPolicy].
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Teaming {
    policy: TeamingWord,
    active_list: Vec<Uplink>,
    standby_list: Option<Vec<Uplink>>,
}

/// The same, with a name that logical switches choose [spec NamedTeamingPolicy].
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct NamedTeaming {
    name: String,
    policy: TeamingWord,
    active_list: Vec<Uplink>,
    standby_list: Option<Vec<Uplink>>,
}

/// A link by name [spec Uplink].
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Uplink {
    uplink_name: String,
    uplink_type: UplinkType,
}

#[derive(
    Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema,
)]
#[serde(rename_all = "UPPERCASE")]
enum UplinkType {
    Pnic,
    Lag,
}

/// [spec LldpHostSwitchProfile]
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Lldp {
    send_enabled: bool,
}

/// [spec NiocProfile]
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Nioc {
    #[serde(default = "yes")]
    enabled: bool,
    host_infra_traffic_res: Option<Vec<Allocation>>,
}

/// A share of the bandwidth; limit and reservation in percent, -1 for no limit
/// [spec ResourceAllocation].
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Allocation {
    #[serde(default = "unlimited")]
    limit: f64,
    #[serde(default)]
    reservation: f64,
    #[serde(default = "int::<50, 1, 100>")]
    shares: Int<1, 100>,
    traffic_type: TrafficType,
}

#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct TrafficType {
    dynamic_res_pool_name: Option<String>,
    traffic_name: Option<TrafficName>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
enum TrafficName {
    FaultTolerance,
    Hbr,
    Iscsi,
    Management,
    Nfs,
    Vdp,
    VirtualMachine,
    Vmotion,
    Vsan,
}

/// [spec ExtraConfigHostSwitchProfile]
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ExtraConfigs {
    extra_configs: Option<Vec<ExtraConfig>>,
}

#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct ExtraConfig {
    config_pair: Pair,
}

#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Pair {
    key: Text<255>,
    value: Text<255>,
}

fn unlimited() -> f64 {
    -1.0
}

impl Uplinks {
    /// The largest frame that its uplinks carry, where that is stated.
    pub fn mtu(&self) -> Option<i64> {
        self.mtu.as_ref().map(|own| own.get())
    }

    /// The names of uplinks that traffic may take, those of link aggregation groups among them.
    pub fn names(&self) -> BTreeSet<&str> {
        let named = self.named_teamings.iter().flat_map(|list| list.iter());
        let named =
            named.flat_map(|own| own.active_list.iter().chain(own.standby_list.iter().flatten()));
        let own = self.teaming.active_list.iter().chain(self.teaming.standby_list.iter().flatten());
        own.chain(named).map(|uplink| uplink.uplink_name.as_str()).collect()
    }

    /// Names the links of each group, as the product does: group, then number
    /// (docs/fidelity.md).
    fn settle(&mut self, before: Option<&Self>, tx: &Transaction<'_>) -> Result<(), Error> {
        let mut lags: Vec<Lag> = match self.lags.take() {
            Some(lags) => lags.to_vec(),
            None => return self.check(),
        };
        let known =
            before.iter().flat_map(|before| before.lags.iter().flat_map(|lags| lags.iter()));
        let known: Vec<&Lag> = known.collect();
        for lag in &mut lags {
            let same = known.iter().find(|own| own.name == lag.name);
            lag.id = match same {
                Some(same) => same.id.clone(),
                None => Told(Some(tx.inventory().ids().uuid().to_string())),
            };
            let link = |number| Uplink {
                uplink_name: format!("{}-{number}", lag.name),
                uplink_type: UplinkType::Pnic,
            };
            lag.uplinks = Told(Some((0..lag.number_of_uplinks.get()).map(link).collect()));
        }
        self.lags = Items::try_new(lags).ok();
        self.check()
    }

    fn check(&self) -> Result<(), Error> {
        let lags: Vec<&str> =
            self.lags.iter().flat_map(|list| list.iter()).map(|lag| lag.name.as_str()).collect();
        let unique = |field: &str, names: &[&str]| {
            let distinct: BTreeSet<_> = names.iter().collect();
            let same = distinct.len() == names.len();
            if same { Ok(()) } else { Err(Error::field(field, "must have different names")) }
        };
        unique("lags", &lags)?;
        let named = self.named_teamings.iter().flat_map(|list| list.iter());
        unique("named_teamings", &named.map(|own| own.name.as_str()).collect::<Vec<_>>())?;
        if self.teaming.active_list.is_empty() {
            return Err(Error::field("teaming.active_list", "must name an uplink"));
        }
        Ok(())
    }
}

impl Nioc {
    /// Reservations beyond three quarters of the bandwidth are refused [spec ResourceAllocation].
    fn check(&self) -> Result<(), Error> {
        let shares = || self.host_infra_traffic_res.iter().flatten();
        if shares().any(|own| own.limit < 0.0 && (own.limit - unlimited()).abs() > f64::EPSILON) {
            return Err(Error::field("limit", "must be -1 or a percentage"));
        }
        if shares().any(|own| !(0.0..=100.0).contains(&own.reservation) || own.limit > 100.0) {
            return Err(Error::field("host_infra_traffic_res", "must be percentages"));
        }
        if shares().map(|own| own.reservation).sum::<f64>() > 75.0 {
            return Err(Error::field("host_infra_traffic_res", "must not reserve more than 75%"));
        }
        Ok(())
    }
}

impl Resource for HostSwitchProfile {
    fn resource_type(&self) -> Option<&'static str> {
        Some(self.variant())
    }

    fn fields(&self, _: &Header, _: &Inventory) -> Fields {
        let mut fields = wire::fields_of(self);
        fields.insert("required_capabilities".into(), serde_json::json!([]));
        fields
    }

    fn admit(
        &mut self,
        _: &mut Header,
        before: Option<&Self>,
        tx: &mut Transaction<'_>,
    ) -> Result<(), Error> {
        match (self, before) {
            (Self::UplinkHostSwitchProfile(new), Some(Self::UplinkHostSwitchProfile(old))) => {
                new.settle(Some(old), tx)
            }
            (Self::UplinkHostSwitchProfile(new), None) => new.settle(None, tx),
            (own, Some(before)) if own.variant() != before.variant() => {
                Err(Error::field("resource_type", "can not be changed"))
            }
            (Self::NiocProfile(nioc), _) => nioc.check(),
            _ => Ok(()),
        }
    }
}
