//! What can be set of the node itself, and what it always is.

use super::{document, entries};
use crate::inventory::{Error, Header, Kind, Resource, Transaction};
use crate::kinds::fabric::secret::Secret;
use crate::kinds::values::{Formed, Host, Hostname};
use crate::wire::{Int, Told, int};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// The only node of the management cluster.
pub const ID: &str = "422f3b6e-0b7d-4c4f-9d3c-7f5a2a6c9b10";

/// The cluster.
pub const CLUSTER_ID: &str = "9d1ef6ff-3f54-4b07-9a4a-0f9d3c6a2f51";

/// Where the node says that it is.
pub const ADDRESS: &str = "127.0.0.1";

/// Name, zone and prompts of the node [spec NodeProperties].
pub static PROPERTIES: Kind = document::<NodeProperties>("NodeProperties");
/// Mandatory access control [spec MandatoryAccessControlProperties].
pub static ACCESS_CONTROL: Kind = document::<AccessControl>("MandatoryAccessControlProperties");
/// Whether the message bus shows its management port [spec PortStatus].
pub static BUS_PORT: Kind = document::<BusPort>("PortStatus");
/// The cluster's virtual address [spec ClusterVirtualIpProperties].
pub static VIRTUAL_IP: Kind = document::<VirtualIp>("ClusterVirtualIpProperties");
/// The management plane that a controller talks to [spec ManagementPlaneProperties]; there is at
/// most one.
pub static MANAGEMENT_PLANE: Kind = entries::<ManagementPlane>("ManagementPlaneProperties");
/// The management plane agent's configuration [spec MPAConfigProperties]; there is at most one.
pub static AGENT: Kind = entries::<Agent>("MPAConfigProperties");

/// What can be set of the node; what it measures is told beside it.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct NodeProperties {
    /// Without a domain, or with one.
    pub hostname: Formed<Hostname>,
    /// Kept; all times are in UTC.
    #[serde(default = "utc")]
    pub timezone: String,
    /// Seconds after which an idle shell ends.
    #[serde(default = "int::<600, 0, { i64::MAX }>")]
    pub cli_timeout: Int<0, { i64::MAX }>,
    /// The message of the day.
    pub motd: Option<String>,
    #[serde(default)]
    node_version: Told<String>,
    #[serde(default)]
    product_version: Told<String>,
    #[serde(default)]
    kernel_version: Told<String>,
    #[serde(default)]
    fully_qualified_domain_name: Told<String>,
    #[serde(default)]
    export_type: Told<String>,
    #[serde(default)]
    node_uuid: Told<String>,
    #[serde(default)]
    system_time: Told<i64>,
    /// The machine's clock is not set.
    #[serde(default)]
    system_datetime: Told<String>,
}

fn utc() -> String {
    "Etc/UTC".into()
}

impl Resource for NodeProperties {}

/// Whether access control is on. It takes effect with a reboot, which does not come.
#[derive(Clone, Debug, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct AccessControl {
    #[serde(default)]
    enabled: bool,
    #[serde(default)]
    status: Told<AccessControlStatus>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
enum AccessControlStatus {
    Enabled,
    Disabled,
    EnabledPendingReboot,
}

impl Resource for AccessControl {
    fn admit(
        &mut self,
        _: &mut Header,
        _: Option<&Self>,
        _: &mut Transaction<'_>,
    ) -> Result<(), Error> {
        self.status = Told(Some(if self.enabled {
            AccessControlStatus::EnabledPendingReboot
        } else {
            AccessControlStatus::Disabled
        }));
        Ok(())
    }
}

/// Whether the port is shown.
#[derive(Clone, Debug, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct BusPort {
    /// As last asked for.
    pub enabled: bool,
}

impl Resource for BusPort {}

/// An address that the cluster answers on beside its nodes'. The simulator keeps it and does not
/// listen there.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct VirtualIp {
    /// All zeros where none is set.
    pub ip_address: String,
}

impl Resource for VirtualIp {}

/// A management plane by its brokers.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ManagementPlane {
    account: Option<String>,
    secret: Option<Secret>,
    #[serde(default)]
    brokers: Vec<Broker>,
}

impl Resource for ManagementPlane {}

#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Broker {
    host: Formed<Host>,
    #[serde(default = "int::<5671, 0, 65_535>")]
    port: Int<0, 65_535>,
    thumbprint: String,
}

/// How the agent reaches its brokers.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "PascalCase")]
pub struct Agent {
    account_name: Option<String>,
    rmq_client_type: Option<String>,
    shared_secret: Option<Secret>,
    #[serde(default)]
    rmq_broker_cluster: Vec<AgentBroker>,
}

impl Resource for Agent {}

#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "PascalCase")]
struct AgentBroker {
    broker_ip_address: Formed<Host>,
    broker_fqdn: Option<String>,
    broker_port: Option<String>,
    broker_is_master: Option<String>,
    broker_virtual_host: Option<String>,
    broker_ssl_cert_thumbprint: String,
}
