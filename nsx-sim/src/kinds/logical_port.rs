//! Logical ports [spec LogicalPort].

use super::bindings::{AddressBinding, AdminState, ExtraConfig, check_complete};
use super::port_addresses::{AllocateAddresses, Allocated};
use super::switching_profile::ProfileBindings;
use super::{bridge, dhcp, logical_switch, metadata_proxy, ns_group};
use crate::inventory::{
    Error, Filter, Header, IndexKey, Inventory, Kind, Level, Object, Query, Reference, Resource,
    Shown, Transaction, Words,
};
use crate::wire::{Int, Items, polymorphic};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::sync::Arc;

/// The declaration.
pub static KIND: Kind = Kind {
    level: Level::Semantic,
    filters: &[
        Filter {
            name: "logical_switch_id",
            words: None,
            passes: |_, object, id| port(object).is_some_and(|port| port.logical_switch_id == id),
        },
        Filter {
            name: "attachment_type",
            words: Some(Words::Of(&[
                "VIF",
                "LOGICALROUTER",
                "BRIDGEENDPOINT",
                "DHCP_SERVICE",
                "METADATA_PROXY",
                "L2VPN_SESSION",
                "NONE",
            ])),
            passes: |_, object, word| {
                port(object).is_some_and(|port| {
                    port.attachment.as_ref().map_or("NONE", |own| own.attachment_type.word())
                        == word
                })
            },
        },
        Filter {
            name: "attachment_id",
            words: None,
            passes: |_, object, id| {
                attachment(object).is_some_and(|attachment| attachment.id == id)
            },
        },
        // What it would add are the manager's own transit ports, and there are none.
        Filter { name: "diagnostic", words: Some(Words::Boolean), passes: |_, _, _| true },
        Filter {
            name: "bridge_cluster_id",
            words: None,
            passes: |inventory, object, id| {
                let endpoint = attachment(object)
                    .and_then(|own| inventory.find(bridge::ENDPOINT.name, &own.id));
                endpoint.is_some_and(|endpoint| {
                    let endpoint = endpoint.body::<bridge::BridgeEndpoint>();
                    endpoint.is_some_and(|own| own.bridge_cluster_id.as_deref() == Some(id))
                })
            },
        },
        Filter {
            name: "parent_vif_id",
            words: None,
            passes: |_, object, id| {
                attachment(object).and_then(Attachment::parent_vif_id) == Some(id)
            },
        },
        Filter {
            name: "container_ports_only",
            words: Some(Words::Boolean),
            passes: |_, object, word| {
                let child = attachment(object).and_then(Attachment::parent_vif_id).is_some();
                child || word != "true"
            },
        },
        Filter {
            name: "switching_profile_id",
            words: None,
            passes: |_, object, id| {
                port(object).is_some_and(|port| port.switching_profile_ids.hold(id))
            },
        },
        Filter {
            name: "transport_zone_id",
            words: None,
            passes: |inventory, object, id| {
                let switch = port(object).and_then(|port| {
                    inventory.find(logical_switch::KIND.name, &port.logical_switch_id)
                });
                switch.is_some_and(|switch| {
                    let switch = switch.body::<logical_switch::LogicalSwitch>();
                    switch.is_some_and(|switch| switch.transport_zone_id == id)
                })
            },
        },
    ],
    indexed: &[
        ("attachment_id", BY_ATTACHMENT),
        ("parent_vif_id", BY_PARENT),
        ("logical_switch_id", BY_SWITCH),
    ],
    ..Kind::of::<LogicalPort>("LogicalPort", "/logical-ports")
};

/// Index: attachment id to port.
pub const BY_ATTACHMENT: &str = "port-by-attachment";
/// Index: attachment id of a parent VIF to its children's ports.
pub const BY_PARENT: &str = "port-by-parent-vif";
/// Index: logical switch id to ports.
pub const BY_SWITCH: &str = "port-by-switch";

fn port(object: &Object) -> Option<&LogicalPort> {
    object.body()
}

fn attachment(object: &Object) -> Option<&Attachment> {
    port(object)?.attachment.as_ref()
}

/// The ports to which something is attached, by id.
pub fn attached_ports(inventory: &Inventory, what: AttachmentType, id: &str) -> Vec<Arc<Object>> {
    let mut ports = inventory.by_key(BY_ATTACHMENT, id);
    ports.retain(|port| attachment(port).is_some_and(|own| own.attachment_type == what));
    ports
}

/// The id of the first of them.
pub fn attached_port(inventory: &Inventory, what: AttachmentType, id: &str) -> Option<String> {
    let port = attached_ports(inventory, what, id).into_iter().next()?;
    Some(port.header.id.clone())
}

/// Where something attaches to a logical switch.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct LogicalPort {
    /// The switch; fixed.
    pub logical_switch_id: String,
    /// What is attached; none leaves the port free.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub attachment: Option<Attachment>,
    /// Up or down.
    pub admin_state: AdminState,
    /// Addresses set by hand; the port's realized addresses.
    #[serde(default)]
    pub address_bindings: Items<AddressBinding, 512>,
    /// One of each class.
    #[serde(default)]
    pub switching_profile_ids: ProfileBindings,
    #[serde(default)]
    ignore_address_bindings: Items<AddressBinding, 16>,
    #[serde(skip_serializing_if = "Option::is_none")]
    init_state: Option<InitState>,
    #[serde(skip_serializing_if = "Option::is_none")]
    extra_configs: Option<Vec<ExtraConfig>>,
    /// The manager itself changes the attachment, for a router.
    #[serde(skip)]
    by_router: bool,
    /// What the segment's pools gave; among the `address_bindings`, too.
    #[serde(skip)]
    allocated: Option<Box<Allocated>>,
}

/// What is attached to a port [spec LogicalPortAttachment].
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Attachment {
    /// What sort of thing.
    #[serde(default)]
    pub attachment_type: AttachmentType,
    /// Its own id, for VIFs the VIF's.
    pub id: String,
    /// More of it, by type.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub context: Option<Box<AttachmentContext>>,
}

/// What sort of thing is attached.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[allow(missing_docs, reason = "wire names that say it all")]
pub enum AttachmentType {
    #[default]
    #[serde(rename = "VIF")]
    Vif,
    #[serde(rename = "LOGICALROUTER")]
    LogicalRouter,
    #[serde(rename = "BRIDGEENDPOINT")]
    BridgeEndpoint,
    #[serde(rename = "DHCP_SERVICE")]
    DhcpService,
    #[serde(rename = "METADATA_PROXY")]
    MetadataProxy,
    #[serde(rename = "L2VPN_SESSION")]
    L2VpnSession,
}

impl AttachmentType {
    /// The kind of what is attached, where it is an object of the manager's own.
    fn kind(self) -> Option<&'static Kind> {
        match self {
            Self::BridgeEndpoint => Some(&bridge::ENDPOINT),
            Self::DhcpService => Some(&dhcp::server::KIND),
            Self::MetadataProxy => Some(&metadata_proxy::KIND),
            // References to routers' ports go the other way; the rest has no collection.
            Self::Vif | Self::LogicalRouter | Self::L2VpnSession => None,
        }
    }

    /// The wire name.
    pub fn word(self) -> &'static str {
        match self {
            Self::Vif => "VIF",
            Self::LogicalRouter => "LOGICALROUTER",
            Self::BridgeEndpoint => "BRIDGEENDPOINT",
            Self::DhcpService => "DHCP_SERVICE",
            Self::MetadataProxy => "METADATA_PROXY",
            Self::L2VpnSession => "L2VPN_SESSION",
        }
    }
}

/// More of an attachment, by type.
#[derive(Clone, Debug, PartialEq, Deserialize)]
pub enum AttachmentContext {
    /// A VIF's place among other VIFs.
    VifAttachmentContext(VifContext),
    /// The far side of a stretched segment.
    L2VpnAttachmentContext(L2VpnContext),
}

polymorphic!(AttachmentContext { VifAttachmentContext, L2VpnAttachmentContext });

/// A VIF's place among other VIFs [spec VifAttachmentContext].
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct VifContext {
    /// Parent, child or on its own.
    pub vif_type: VifType,
    /// For children: the attachment id of the parent's port.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub parent_vif_id: Option<String>,
    /// For children: what the container is.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub app_id: Option<String>,
    /// For children: the VLAN tag on the parent's vNIC.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub traffic_tag: Option<i32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    transport_node_uuid: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    allocate_addresses: Option<AllocateAddresses>,
}

/// A VIF's place among other VIFs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "UPPERCASE")]
pub enum VifType {
    /// Carries children.
    Parent,
    /// A container's, behind a parent.
    Child,
    /// On its own.
    Independent,
}

/// The far side of a stretched segment [spec L2VpnAttachmentContext].
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct L2VpnContext {
    tunnel_id: Int<1, 4093>,
    #[serde(skip_serializing_if = "Option::is_none")]
    allocate_addresses: Option<AllocateAddresses>,
}

#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
enum InitState {
    UnblockedVlan,
}

impl Attachment {
    /// Which pools of the segment are to give the port an address.
    fn allocate_addresses(&self) -> AllocateAddresses {
        let asked = match self.context.as_deref() {
            Some(AttachmentContext::VifAttachmentContext(own)) => own.allocate_addresses,
            Some(AttachmentContext::L2VpnAttachmentContext(own)) => own.allocate_addresses,
            None => None,
        };
        asked.unwrap_or(AllocateAddresses::None)
    }

    /// For a child VIF the attachment id of its parent's port.
    pub fn parent_vif_id(&self) -> Option<&str> {
        match self.context.as_deref() {
            Some(AttachmentContext::VifAttachmentContext(context))
                if context.vif_type == VifType::Child =>
            {
                context.parent_vif_id.as_deref()
            }
            _ => None,
        }
    }
}

impl LogicalPort {
    /// Whether the port has a vNIC of a guest: a packet filter of its own.
    pub fn has_vif(&self) -> bool {
        self.vif().is_some()
    }

    /// The ids of the attached VIF and, for a child, of its parent.
    pub fn vif(&self) -> Option<(&str, Option<&str>)> {
        let own = self.attachment.as_ref()?;
        let is_vif = own.attachment_type == AttachmentType::Vif;
        is_vif.then(|| (own.id.as_str(), own.parent_vif_id()))
    }

    /// What pools give is among the bindings; it is not the caller's to bring or to leave out.
    fn settle_addresses(
        &mut self,
        before: Option<&Self>,
        transaction: &mut Transaction<'_>,
    ) -> Result<(), Error> {
        let held =
            before.and_then(|before| before.allocated.as_deref()).cloned().unwrap_or_default();
        if let Some(given) = held.binding() {
            self.address_bindings.retain(|own| *own != given);
        }
        check_complete(&self.address_bindings)?;
        let asked = self.attachment.as_ref().map(Attachment::allocate_addresses);
        let switch = transaction.find(logical_switch::KIND.name, &self.logical_switch_id);
        let switch = switch.as_ref().and_then(|switch| switch.body());
        let asked = asked.unwrap_or(AllocateAddresses::None);
        let settled = held.settle(asked, switch, transaction)?;
        let given = settled.binding();
        self.allocated = given.is_some().then(|| Box::new(settled));
        if let Some(given) = given
            && !self.address_bindings.try_push(given)
        {
            return Err(Error::field("address_bindings", "is full"));
        }
        Ok(())
    }

    fn check_attachment(&self, own_id: &str, transaction: &Transaction<'_>) -> Result<(), Error> {
        let Some(attachment) = &self.attachment else { return Ok(()) };
        if let Some(AttachmentContext::VifAttachmentContext(context)) =
            attachment.context.as_deref()
            && context.vif_type == VifType::Child
            && context.parent_vif_id.is_none()
        {
            let field = "attachment.context.parent_vif_id";
            return Err(Error::field(field, "is required where vif_type is CHILD"));
        }
        // One metadata proxy serves many segments [osp].
        if attachment.attachment_type == AttachmentType::MetadataProxy {
            return Ok(());
        }
        let users = transaction.inventory().by_key(BY_ATTACHMENT, &attachment.id);
        // This change may have moved it away from there.
        let still = |id: &str| {
            let user = transaction.find(KIND.name, id);
            user.as_deref().and_then(self::attachment).is_some_and(|own| own.id == attachment.id)
        };
        let mut others = users.iter().map(|user| &user.header).filter(|user| user.id != own_id);
        match others.find(|user| still(&user.id)) {
            Some(user) => {
                let problem = format!("{} is attached to {}", attachment.id, user.id);
                Err(Error::field("attachment.id", problem))
            }
            None => Ok(()),
        }
    }
}

impl Resource for LogicalPort {
    fn print(&self, header: &Shown<'_>, depth: usize, out: &mut Vec<u8>) -> bool {
        header.print_after(self, depth, out);
        true
    }

    fn references(&self) -> Vec<Reference> {
        let switch = Reference::new(logical_switch::KIND.name, &self.logical_switch_id);
        let attached = self.attachment.as_ref().and_then(|own| {
            own.attachment_type.kind().map(|kind| Reference::new(kind.name, &own.id))
        });
        self.switching_profile_ids.references().chain([switch]).chain(attached).collect()
    }

    fn keys(&self) -> Vec<IndexKey> {
        let attachment = self.attachment.iter().map(|own| (BY_ATTACHMENT, own.id.clone()));
        let parent = self.vif().and_then(|(_, parent)| Some((BY_PARENT, parent?.to_owned())));
        let switch = [(BY_SWITCH, self.logical_switch_id.clone())];
        let allocated = self.allocated.iter().flat_map(|own| own.keys());
        attachment.chain(parent).chain(switch).chain(allocated).collect()
    }

    fn admit(
        &mut self,
        header: &mut Header,
        before: Option<&Self>,
        transaction: &mut Transaction<'_>,
    ) -> Result<(), Error> {
        if let Some(before) = before {
            if self.logical_switch_id != before.logical_switch_id {
                return Err(Error::field("logical_switch_id", "can not be changed"));
            }
            let routers = |port: &Self| {
                port.attachment
                    .clone()
                    .filter(|own| own.attachment_type == AttachmentType::LogicalRouter)
            };
            if let Some(router) = routers(before)
                && routers(self).as_ref() != Some(&router)
                && !std::mem::take(&mut self.by_router)
            {
                return Err(Error::RouterAttachment { id: header.id.clone() });
            }
        }
        self.switching_profile_ids.complete(transaction)?;
        self.check_attachment(&header.id, transaction)?;
        self.settle_addresses(before, transaction)
    }

    /// An attachment or membership of a group holds the port unless `detach=true`
    /// [spec DeleteLogicalPort].
    fn retire(
        object: &Object,
        transaction: &mut Transaction<'_>,
        query: &Query,
    ) -> Result<(), Error> {
        if !query.flag("detach")? {
            if attachment(object).is_some() {
                return Err(Error::PortAttached { id: object.header.id.clone() });
            }
            transaction.refuse_if_used(object, |user| user.kind.name == ns_group::KIND.name)?;
        }
        match port(object).and_then(|port| port.allocated.as_deref()) {
            Some(allocated) => allocated.give_back(transaction),
            None => Ok(()),
        }
    }
}

/// Attaches a router's port to a logical port.
///
/// # Errors
/// [`Error::InvalidFields`] where something else is attached, and whatever forbids the change.
pub fn attach_to_router(
    transaction: &mut Transaction<'_>,
    id: &str,
    router_port: &str,
) -> Result<(), Error> {
    let attachment = Attachment {
        attachment_type: AttachmentType::LogicalRouter,
        id: router_port.to_owned(),
        context: None,
    };
    let object = transaction.get(&KIND, id)?;
    match port(&object).and_then(|port| port.attachment.as_ref()) {
        Some(own) if *own == attachment => return Ok(()),
        Some(own) => {
            let problem = format!("names a port to which {} is attached", own.id);
            return Err(Error::field("linked_logical_switch_port_id", problem));
        }
        None => {}
    }
    transaction.edit(&KIND, id, |port: &mut LogicalPort, _| {
        port.attachment = Some(attachment);
        Ok(())
    })?;
    Ok(())
}

/// Detaches a router's port from a logical port, where it is there and attached.
///
/// # Errors
/// Whatever forbids the change.
pub fn release_from_router(
    transaction: &mut Transaction<'_>,
    id: &str,
    router_port: &str,
) -> Result<(), Error> {
    let object = transaction.find(KIND.name, id);
    let own = object.as_deref().and_then(attachment).is_some_and(|own| {
        own.attachment_type == AttachmentType::LogicalRouter && own.id == router_port
    });
    if own {
        transaction.edit(&KIND, id, |port: &mut LogicalPort, _| {
            port.attachment = None;
            port.by_router = true;
            Ok(())
        })?;
    }
    Ok(())
}
