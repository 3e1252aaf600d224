//! The node's own network: name servers, search domains, interfaces and routes. It is kept and told;
//! the machine that the simulator runs on is not touched.

use super::{document, entries};
use crate::inventory::{Error, Header, Kind, Resource, Transaction};
use crate::kinds::values::Formed;
use crate::wire::{Items, Told};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::net::{IpAddr, Ipv4Addr};

/// Name servers [spec NodeNameServersProperties].
pub static NAME_SERVERS: Kind = document::<NameServers>("NodeNameServersProperties");
/// Search domains [spec NodeSearchDomainsProperties].
pub static SEARCH_DOMAINS: Kind = document::<SearchDomains>("NodeSearchDomainsProperties");
/// Interfaces by name [spec NodeNetworkInterfaceProperties].
pub static INTERFACE: Kind = entries::<Interface>("NodeNetworkInterfaceProperties");
/// Routes by id [spec NodeRouteProperties].
pub static ROUTE: Kind = entries::<Route>("NodeRouteProperties");

/// The name of the interface that every node has.
pub const MANAGEMENT_INTERFACE: &str = "eth0";

/// Who resolves names for the node.
#[derive(Clone, Debug, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct NameServers {
    name_servers: Items<Formed<IpAddr>, 3>,
}

impl Resource for NameServers {}

/// Domains that names are looked up in.
#[derive(Clone, Debug, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct SearchDomains {
    search_domains: Vec<String>,
}

impl Resource for SearchDomains {}

/// An interface of the node.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Interface {
    #[serde(default)]
    interface_id: Told<String>,
    ip_configuration: IpConfiguration,
    #[serde(default)]
    ip_addresses: Items<Address, 1>,
    broadcast_address: Option<Formed<Ipv4Addr>>,
    default_gateway: Option<Formed<Ipv4Addr>>,
    plane: Option<Plane>,
    mtu: Option<i64>,
    bond_mode: Option<BondMode>,
    bond_primary: Option<String>,
    bond_slaves: Option<Vec<String>>,
    #[serde(default)]
    admin_status: Told<String>,
    #[serde(default)]
    link_status: Told<String>,
    #[serde(default)]
    physical_address: Told<String>,
    #[serde(default)]
    vlan: Told<i64>,
    #[serde(default)]
    is_kni: Told<bool>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
enum IpConfiguration {
    Dhcp,
    Static,
    #[serde(rename = "not configured")]
    NotConfigured,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Address {
    ip_address: Option<String>,
    netmask: Option<String>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
enum Plane {
    Mgmt,
    Debug,
    None,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
enum BondMode {
    ActiveBackup,
    #[serde(rename = "802_3AD")]
    Lacp,
    RoundRobin,
    Broadcast,
    Xor,
    Tlb,
    Alb,
}

impl Resource for Interface {
    /// Its addresses, how it has them and its plane are fixed [spec UpdateNodeNetworkInterface].
    fn admit(
        &mut self,
        header: &mut Header,
        before: Option<&Self>,
        _: &mut Transaction<'_>,
    ) -> Result<(), Error> {
        if let Some(before) = before {
            let fixed = [
                ("ip_configuration", self.ip_configuration == before.ip_configuration),
                ("ip_addresses", self.ip_addresses == before.ip_addresses),
                ("plane", self.plane == before.plane),
            ];
            if let Some((name, _)) = fixed.iter().find(|(_, same)| !same) {
                return Err(Error::field(name, "can not be changed"));
            }
        }
        self.interface_id = Told(Some(header.id.clone()));
        self.admin_status = Told(Some("up".into()));
        self.link_status = Told(Some("up".into()));
        self.is_kni = Told(Some(false));
        Ok(())
    }
}

/// A route of the node.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Route {
    #[serde(default)]
    route_id: Told<String>,
    route_type: RouteType,
    destination: Option<String>,
    netmask: Option<String>,
    gateway: Option<String>,
    interface_id: Option<String>,
    from_address: Option<String>,
    src: Option<String>,
    metric: Option<String>,
    #[serde(default)]
    proto: Protocol,
    scope: Option<String>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
enum RouteType {
    Default,
    Static,
    Blackhole,
    Prohibit,
    Throw,
    Unreachable,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
enum Protocol {
    Unspec,
    Redirect,
    Kernel,
    #[default]
    Boot,
    Static,
    Gated,
    Ra,
    Mrt,
    Zebra,
    Bird,
    Dnrouted,
    Xorp,
    Ntk,
    Dhcp,
}

impl Resource for Route {
    /// What each type of route needs [spec CreateNodeNetworkRoute].
    fn admit(
        &mut self,
        header: &mut Header,
        _: Option<&Self>,
        tx: &mut Transaction<'_>,
    ) -> Result<(), Error> {
        let members = [
            ("interface_id", &self.interface_id),
            ("netmask", &self.netmask),
            ("destination", &self.destination),
            ("gateway", &self.gateway),
        ];
        let needed: &[usize] = match self.route_type {
            RouteType::Static => &[0, 1, 2],
            RouteType::Default => &[0, 3],
            RouteType::Blackhole => &[2],
            RouteType::Prohibit | RouteType::Throw | RouteType::Unreachable => &[],
        };
        let missing: Vec<String> = needed
            .iter()
            .filter(|place| members[**place].1.is_none())
            .map(|place| format!("{} is required", members[*place].0))
            .collect();
        if !missing.is_empty() {
            return Err(Error::InvalidFields(missing));
        }
        if let Some(name) = &self.interface_id
            && tx.find(INTERFACE.name, name).is_none()
        {
            return Err(Error::field("interface_id", format!("names no interface: {name}")));
        }
        self.route_id = Told(Some(header.id.clone()));
        if self.route_type == RouteType::Static {
            self.scope.get_or_insert_with(|| "link".into());
        }
        Ok(())
    }
}
