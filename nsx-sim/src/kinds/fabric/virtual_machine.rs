//! Virtual machines and their network interfaces [spec VirtualMachine, VirtualNetworkInterface].
//!
//! A machine's interface names the logical port that it is attached to by the port's attachment id;
//! so a group of machines brings the ports of their interfaces, and those bring addresses.

use crate::inventory::{
    Error, Filter, Header, IndexKey, Inventory, Kind, Level, Object, Resource, Tag, Tags,
    Transaction, Verbs,
};
use crate::kinds::reference::ResourceReference;
use crate::kinds::values::{Formed, MacText};
use crate::wire::{self, Fields, Items};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::json;
use std::net::IpAddr;
use std::sync::Arc;

/// The declaration of virtual machines; their id is the external one.
pub static MACHINE: Kind = Kind {
    level: Level::Semantic,
    verbs: Verbs::NONE,
    // By VMware Tools and the platform, not by callers of the API.
    system_owned_changes: true,
    filters: &[
        Filter {
            name: "display_name",
            words: None,
            passes: |_, object, name| object.header.name() == name,
        },
        Filter { name: "external_id", words: None, passes: |_, object, id| object.header.id == id },
        Filter {
            name: "host_id",
            words: None,
            passes: |_, object, id| {
                object
                    .body::<VirtualMachine>()
                    .is_some_and(|own| own.host_id.as_deref() == Some(id))
            },
        },
    ],
    ..Kind::of::<VirtualMachine>("VirtualMachine", "/fabric/virtual-machines")
};

/// The declaration of network interfaces; their id is the external one.
pub static INTERFACE: Kind = Kind {
    level: Level::Semantic,
    verbs: Verbs::NONE,
    system_owned_changes: true,
    filters: &[
        Filter {
            name: "host_id",
            words: None,
            passes: |_, object, id| interface(object).is_some_and(|own| own.host_id == id),
        },
        Filter {
            name: "lport_attachment_id",
            words: None,
            passes: |_, object, id| {
                interface(object).is_some_and(|own| own.lport_attachment_id.as_deref() == Some(id))
            },
        },
        Filter {
            name: "owner_vm_id",
            words: None,
            passes: |_, object, id| interface(object).is_some_and(|own| own.owner_vm_id == id),
        },
        Filter {
            name: "vm_id",
            words: None,
            passes: |_, object, id| interface(object).is_some_and(|own| own.owner_vm_id == id),
        },
    ],
    indexed: &[("lport_attachment_id", BY_ATTACHMENT), ("owner_vm_id", BY_OWNER)],
    ..Kind::of::<VirtualNetworkInterface>("VirtualNetworkInterface", "/fabric/vifs")
};

/// Index: attachment id to the interface that is attached.
pub const BY_ATTACHMENT: &str = "interface-by-attachment";
/// Index: machine to its interfaces.
pub const BY_OWNER: &str = "interface-by-owner";

/// Index: host to the machines on it.
const BY_HOST: &str = "machine-by-host";

/// The most tags that callers may give a machine; the rest are the system's
/// [spec UpdateVirtualMachineTags].
pub type MachineTags = Items<Tag, 25>;

fn interface(object: &Object) -> Option<&VirtualNetworkInterface> {
    object.body()
}

/// A machine on a host.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct VirtualMachine {
    /// As the machine is named by others: its instance UUID.
    pub external_id: String,
    /// The host's own id of it.
    pub local_id_on_host: String,
    /// Under which ids others know it, as `biosUuid:…`.
    pub compute_ids: Vec<String>,
    /// The transport node that it is on.
    pub host_id: Option<String>,
    /// Whether it runs.
    pub power_state: PowerState,
    /// Whose it is.
    #[serde(default)]
    pub r#type: MachineType,
    /// What its guest tells.
    #[serde(default)]
    pub guest_info: GuestInfo,
}

/// Whether a machine runs.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
#[allow(missing_docs, reason = "wire names that say it all")]
pub enum PowerState {
    #[default]
    VmRunning,
    VmStopped,
    VmSuspended,
    Unknown,
}

/// Whose a machine is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "UPPERCASE")]
pub enum MachineType {
    /// An edge node's.
    Edge,
    /// A partner service's.
    Service,
    /// Anybody else's.
    #[default]
    Regular,
}

/// What a guest tells [spec GuestInfo].
#[derive(Clone, Debug, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct GuestInfo {
    /// Its operating system.
    pub os_name: Option<String>,
    /// Its host name.
    pub computer_name: Option<String>,
}

/// A machine's network card.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct VirtualNetworkInterface {
    /// As the interface is named by others: machine and device key.
    pub external_id: String,
    /// The machine.
    pub owner_vm_id: String,
    #[serde(default)]
    owner_vm_type: MachineType,
    /// The transport node that it is on.
    pub host_id: String,
    vm_local_id_on_host: String,
    device_key: String,
    device_name: String,
    mac_address: MacText,
    /// The attachment id of its logical port.
    pub lport_attachment_id: Option<String>,
    #[serde(default)]
    ip_address_info: Vec<AddressInfo>,
}

/// Addresses that a guest tells [spec IpAddressInfo].
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct AddressInfo {
    source: AddressSource,
    ip_addresses: Vec<Formed<IpAddr>>,
}

#[derive(Clone, Copy, Debug, Serialize, Deserialize, JsonSchema)]
enum AddressSource {
    #[serde(rename = "VM_TOOLS")]
    VmTools,
}

impl VirtualNetworkInterface {
    /// The addresses that the guest tells.
    pub fn addresses(&self) -> impl Iterator<Item = IpAddr> + '_ {
        self.ip_address_info.iter().flat_map(|own| &own.ip_addresses).map(|own| *own.value())
    }
}

/// Gives a machine these tags in place of those that it had.
///
/// # Errors
/// [`Error::NotFound`].
pub fn set_tags(tx: &mut Transaction<'_>, machine: &str, tags: &MachineTags) -> Result<(), Error> {
    tx.edit(&MACHINE, machine, |_: &mut VirtualMachine, header| {
        header.tags = Tags::try_new(tags.to_vec()).ok();
        Ok(())
    })?;
    Ok(())
}

/// The machines on a host.
pub fn on_host(inventory: &Inventory, host: &str) -> Vec<Arc<Object>> {
    inventory.by_key(BY_HOST, host)
}

/// Whether a machine runs.
pub fn runs(machine: &Object) -> bool {
    machine.body::<VirtualMachine>().is_some_and(|own| own.power_state == PowerState::VmRunning)
}

/// Forgets a machine with its network cards: nobody tells of it any more.
///
/// # Errors
/// None that an inventory in order has.
pub fn forget(tx: &mut Transaction<'_>, machine: &Object) -> Result<(), Error> {
    for card in tx.inventory().by_key(BY_OWNER, &machine.header.id) {
        tx.discard(&INTERFACE, &card.header.id)?;
    }
    tx.discard(&MACHINE, &machine.header.id)
}

impl Resource for VirtualMachine {
    fn keys(&self) -> Vec<IndexKey> {
        self.host_id.iter().map(|id| (BY_HOST, id.clone())).collect()
    }

    fn fields(&self, _: &Header, inventory: &Inventory) -> Fields {
        let mut fields = wire::fields_of(self);
        if let Some(host) = &self.host_id {
            // The host as a fabric node, which has the transport node's id.
            let mut source = ResourceReference::to_object("Node", host).fields(inventory);
            source.insert("target_type".into(), json!("HostNode"));
            fields.insert("source".into(), source.into());
        }
        fields
    }
}

impl Resource for VirtualNetworkInterface {
    fn keys(&self) -> Vec<IndexKey> {
        let attachment = self.lport_attachment_id.iter().map(|id| (BY_ATTACHMENT, id.clone()));
        attachment.chain([(BY_OWNER, self.owner_vm_id.clone())]).collect()
    }
}
