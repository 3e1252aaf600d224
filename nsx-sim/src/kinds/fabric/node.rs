//! Fabric nodes: hosts and edges as machines, whether or not they carry traffic yet [spec Node].

use super::secret::Secret;
use crate::inventory::{Error, Filter, Header, Inventory, Kind, Resource, Transaction};
use crate::kinds::values::{Formed, Host, Hostname};
use crate::wire::{Fields, Int, Items, Told, fields_of, polymorphic};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::net::IpAddr;

/// The declaration.
pub static KIND: Kind = Kind {
    polymorphic: true,
    filters: &[
        Filter {
            name: "resource_type",
            words: None,
            passes: |_, object, types| {
                types.split(',').any(|own| own.trim() == object.resource_type())
            },
        },
        Filter {
            name: "display_name",
            words: None,
            passes: |_, object, name| object.header.name() == name,
        },
        Filter {
            name: "ip_address",
            words: None,
            passes: |_, object, address| {
                object.body::<Node>().is_some_and(|node| node.has_address(address))
            },
        },
        Filter {
            name: "external_id",
            words: None,
            passes: |_, object, id| {
                object.body::<Node>().is_some_and(|node| node.external_id() == Some(id))
            },
        },
        Filter {
            name: "hypervisor_os_type",
            words: None,
            passes: |_, object, word| matches!(object.body(), Some(Node::HostNode(host)) if host.os_type.word() == word),
        },
        Filter {
            name: "discovered_node_id",
            words: None,
            passes: |_, object, id| matches!(object.body(), Some(Node::HostNode(host)) if host.discovered_node_id.as_deref() == Some(id)),
        },
        // No host tells its hardware here.
        Filter { name: "hardware_id", words: None, passes: |_, _, _| false },
    ],
    ..Kind::of::<Node>("Node", "/fabric/nodes")
};

/// A machine.
#[derive(Clone, Debug, Deserialize)]
#[allow(clippy::enum_variant_names, reason = "wire names")]
pub enum Node {
    /// A hypervisor.
    HostNode(Box<HostNode>),
    /// A router's machine.
    EdgeNode(Box<EdgeNode>),
    /// A router's machine in a public cloud.
    PublicCloudGatewayNode(Box<EdgeNode>),
}

polymorphic!(Node { HostNode, EdgeNode, PublicCloudGatewayNode });

/// A hypervisor [spec HostNode].
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct HostNode {
    /// What runs on it.
    pub os_type: OsType,
    os_version: Option<String>,
    #[serde(default)]
    managed_by_server: Told<String>,
    #[serde(default)]
    discovered_node_id: Told<String>,
    host_credential: Option<Credential>,
    #[serde(default)]
    maintenance_mode_state: Told<MaintenanceState>,
    external_id: Option<String>,
    #[serde(default)]
    fqdn: Told<String>,
    ip_addresses: Option<Vec<Formed<IpAddr>>>,
    #[serde(default)]
    discovered_ip_addresses: Told<Vec<Formed<IpAddr>>>,
}

/// What runs on a host [spec HostNode.os_type].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "UPPERCASE")]
#[allow(missing_docs, reason = "wire names that say it all")]
pub enum OsType {
    Esxi,
    RhelKvm,
    RhelServer,
    RhelContainer,
    UbuntuKvm,
    UbuntuServer,
    HyperV,
    CentosKvm,
    CentosServer,
    CentosContainer,
    SlesKvm,
    SlesServer,
}

impl OsType {
    /// All of them.
    pub const ALL: [Self; 12] = [
        Self::Esxi,
        Self::RhelKvm,
        Self::RhelServer,
        Self::RhelContainer,
        Self::UbuntuKvm,
        Self::UbuntuServer,
        Self::HyperV,
        Self::CentosKvm,
        Self::CentosServer,
        Self::CentosContainer,
        Self::SlesKvm,
        Self::SlesServer,
    ];

    /// The wire name.
    pub fn word(self) -> &'static str {
        match self {
            Self::Esxi => "ESXI",
            Self::RhelKvm => "RHELKVM",
            Self::RhelServer => "RHELSERVER",
            Self::RhelContainer => "RHELCONTAINER",
            Self::UbuntuKvm => "UBUNTUKVM",
            Self::UbuntuServer => "UBUNTUSERVER",
            Self::HyperV => "HYPERV",
            Self::CentosKvm => "CENTOSKVM",
            Self::CentosServer => "CENTOSSERVER",
            Self::CentosContainer => "CENTOSCONTAINER",
            Self::SlesKvm => "SLESKVM",
            Self::SlesServer => "SLESSERVER",
        }
    }
}

/// How far a host is on its way into maintenance.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "UPPERCASE")]
#[allow(missing_docs, reason = "wire names that say it all")]
pub enum MaintenanceState {
    #[default]
    Off,
    Entering,
    On,
}

/// How the manager would log in [spec HostNodeLoginCredential].
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Credential {
    username: Option<String>,
    password: Option<Secret>,
    thumbprint: Option<String>,
}

/// A router's machine [spec EdgeNode].
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct EdgeNode {
    #[serde(default)]
    deployment_type: Told<DeploymentType>,
    deployment_config: Option<Deployment>,
    node_settings: Option<Settings>,
    #[serde(default)]
    allocation_list: Told<Vec<String>>,
    external_id: Option<String>,
    #[serde(default)]
    fqdn: Told<String>,
    ip_addresses: Option<Vec<Formed<IpAddr>>>,
    #[serde(default)]
    discovered_ip_addresses: Told<Vec<Formed<IpAddr>>>,
}

/// What an edge runs on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
#[allow(missing_docs, reason = "wire names that say it all")]
pub enum DeploymentType {
    VirtualMachine,
    PhysicalMachine,
    Unknown,
}

/// How an edge's virtual machine is made [spec EdgeNodeDeploymentConfig].
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Deployment {
    #[serde(default)]
    form_factor: FormFactor,
    node_user_settings: Users,
    vm_deployment_config: Placement,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "UPPERCASE")]
enum FormFactor {
    Small,
    #[default]
    Medium,
    Large,
}

/// Accounts on an edge [spec NodeUserSettings].
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Users {
    #[serde(default = "admin")]
    cli_username: String,
    cli_password: Option<Secret>,
    root_password: Option<Secret>,
    audit_username: Option<String>,
    audit_password: Option<Secret>,
}

#[derive(Clone, Debug, Deserialize)]
enum Placement {
    VsphereDeploymentConfig(Box<Vsphere>),
}

polymorphic!(Placement by "placement_type" { VsphereDeploymentConfig });

/// Where in vSphere [spec VsphereDeploymentConfig].
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Vsphere {
    vc_id: String,
    compute_id: String,
    storage_id: String,
    host_id: Option<String>,
    management_network_id: String,
    data_network_ids: Items<String, 3, 1>,
    management_port_subnets: Option<Items<Subnet, 1, 1>>,
    default_gateway_addresses: Option<Items<Formed<IpAddr>, 1, 1>>,
    hostname: Option<Formed<Hostname>>,
    dns_servers: Option<Vec<Formed<IpAddr>>>,
    ntp_servers: Option<Vec<Formed<Host>>>,
    search_domains: Option<Vec<String>>,
    #[serde(default)]
    enable_ssh: bool,
    #[serde(default)]
    allow_ssh_root_login: bool,
}

/// [spec IPSubnet]
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Subnet {
    ip_addresses: Items<Formed<IpAddr>, 2, 1>,
    prefix_length: Int<1, 128>,
}

/// How an edge is set up [spec EdgeNodeSettings].
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Settings {
    hostname: Option<Formed<Hostname>>,
    dns_servers: Option<Vec<Formed<IpAddr>>>,
    ntp_servers: Option<Vec<Formed<Host>>>,
    search_domains: Option<Vec<String>>,
    #[serde(default)]
    enable_ssh: bool,
    #[serde(default)]
    allow_ssh_root_login: bool,
}

fn admin() -> String {
    "admin".into()
}

impl Node {
    /// Whether it is a router's machine.
    pub fn is_edge(&self) -> bool {
        !matches!(self, Self::HostNode(_))
    }

    /// What it runs on, where it is an edge: deployed ones are virtual machines.
    pub fn deployment_type(&self) -> Option<DeploymentType> {
        match self {
            Self::HostNode(_) => None,
            Self::EdgeNode(edge) | Self::PublicCloudGatewayNode(edge) => *edge.deployment_type,
        }
    }

    /// The addresses that it was added with.
    pub fn addresses(&self) -> &[Formed<IpAddr>] {
        let own = match self {
            Self::HostNode(host) => &host.ip_addresses,
            Self::EdgeNode(edge) | Self::PublicCloudGatewayNode(edge) => &edge.ip_addresses,
        };
        own.as_deref().unwrap_or_default()
    }

    /// Whether a text names one of its addresses.
    pub fn has_address(&self, text: &str) -> bool {
        let asked = text.parse::<IpAddr>().ok();
        self.addresses().iter().any(|own| Some(*own.value()) == asked)
    }

    /// What it calls itself.
    pub fn external_id(&self) -> Option<&str> {
        match self {
            Self::HostNode(host) => host.external_id.as_deref(),
            Self::EdgeNode(edge) | Self::PublicCloudGatewayNode(edge) => {
                edge.external_id.as_deref()
            }
        }
    }

    /// Tells where a host is on its way into maintenance; edges tell it as transport nodes only.
    pub fn set_maintenance(&mut self, state: MaintenanceState) {
        if let Self::HostNode(host) = self {
            host.maintenance_mode_state = Told(Some(state));
        }
    }
}

impl Resource for Node {
    fn resource_type(&self) -> Option<&'static str> {
        Some(self.variant())
    }

    fn fields(&self, _: &Header, _: &Inventory) -> Fields {
        fields_of(self)
    }

    fn admit(
        &mut self,
        header: &mut Header,
        before: Option<&Self>,
        _: &mut Transaction<'_>,
    ) -> Result<(), Error> {
        if before.is_some_and(|before| before.variant() != self.variant()) {
            return Err(Error::field("resource_type", "can not be changed"));
        }
        match (self, before) {
            (Self::HostNode(host), Some(Self::HostNode(known))) => {
                host.external_id = host.external_id.take().or_else(|| known.external_id.clone());
                host.discovered_node_id = known.discovered_node_id.clone();
                host.managed_by_server = known.managed_by_server.clone();
                if host.maintenance_mode_state.is_none() {
                    host.maintenance_mode_state = known.maintenance_mode_state.clone();
                }
            }
            (Self::HostNode(host), _) => {
                host.external_id.get_or_insert_with(|| header.id.clone());
                host.maintenance_mode_state = Told(Some(MaintenanceState::Off));
            }
            (Self::EdgeNode(edge) | Self::PublicCloudGatewayNode(edge), _) => {
                // A machine that the manager deploys is virtual, and one that joins by itself is not
                // told apart (docs/fidelity.md).
                edge.deployment_type = Told(Some(DeploymentType::VirtualMachine));
                edge.external_id.get_or_insert_with(|| header.id.clone());
            }
        }
        Ok(())
    }
}
