//! What several kinds of service insertion are made of.

use crate::kinds::values::Formed;
use crate::wire::{Int, Items, Told};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::net::Ipv4Addr;

/// A named value that is the partner's own [spec Attribute].
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Attribute {
    key: String,
    value: Option<String>,
    display_name: Option<String>,
    attribute_type: Option<AttributeType>,
    #[serde(default)]
    read_only: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
enum AttributeType {
    IpAddress,
    Port,
    Password,
    String,
    Long,
    Boolean,
}

/// As many attributes as any of the kinds takes.
pub type Attributes = Items<Attribute, 128>;

/// Attributes for deployment [spec DeploymentTemplate].
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct DeploymentTemplate {
    name: Option<String>,
    attributes: Option<Attributes>,
}

/// The interfaces of an appliance [spec VmNicInfo].
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct VmNicInfo {
    nic_infos: Vec<NicInfo>,
}

#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct NicInfo {
    nic_metadata: Option<NicMetadata>,
    ip_allocation_type: Option<IpAllocation>,
    ip_address: Option<String>,
    ip_pool_id: Option<String>,
    subnet_mask: Option<String>,
    gateway_address: Option<String>,
    network_id: Option<String>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "UPPERCASE")]
enum IpAllocation {
    Static,
    Dhcp,
    None,
}

/// What an interface is for [spec NicMetadata].
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct NicMetadata {
    interface_index: Int<0, { i64::MAX }>,
    interface_label: String,
    interface_type: InterfaceType,
    transports: Option<Items<Transport, 3>>,
    user_configurable: Option<bool>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "UPPERCASE")]
enum InterfaceType {
    Management,
    Data1,
    Data2,
    Ha1,
    Ha2,
    Control,
}

/// How packets reach an appliance.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub enum Transport {
    /// As if it were a wire.
    #[serde(rename = "L2_BRIDGE")]
    L2Bridge,
    /// As the next router.
    #[serde(rename = "L3_ROUTED")]
    L3Routed,
    /// In an envelope with a network service header.
    #[serde(rename = "NSH")]
    Nsh,
}

/// What becomes of packets while the service is out of order.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "UPPERCASE")]
pub enum FailurePolicy {
    /// They pass.
    #[default]
    Allow,
    /// They do not.
    Block,
}

/// Whether packets go through the service or a copy goes to it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "UPPERCASE")]
pub enum RedirectionAction {
    /// Through it.
    #[default]
    Punt,
    /// A copy.
    Copy,
}

/// What a service is good for [spec ServiceDefinition.functionalities].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
#[allow(missing_docs, reason = "wire names that say it all")]
pub enum Functionality {
    NgFw,
    IdsIps,
    NetMon,
    Hcx,
    Byod,
    Epp,
}

/// Which traffic a service is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum Implementation {
    /// In and out of the data center.
    NorthSouth,
    /// Within it.
    EastWest,
}

/// An address and its network [spec IPInfo].
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct IpInfo {
    ip_addresses: Items<Formed<Ipv4Addr>, 1, 1>,
    prefix_length: Int<1, 32>,
}

/// A member that tells of what an object is part.
pub fn part_of(parent: Option<&String>) -> Told<String> {
    Told(parent.cloned())
}
