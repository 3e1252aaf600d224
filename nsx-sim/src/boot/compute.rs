//! What a compute manager tells of: clusters, hosts and virtual machines.

use super::create;
use crate::fabric::{Interface, NodeType, Topology, VirtualMachine};
use crate::inventory::{Error, Transaction};
use crate::kinds::fabric::compute::{COLLECTION, DISCOVERED_NODE, MANAGER};
use crate::kinds::fabric::transport_node;
use crate::kinds::fabric::virtual_machine::{INTERFACE, MACHINE};
use serde_json::{Value, json};

/// The device key of a machine's first network card in vSphere; others follow.
const FIRST_DEVICE: usize = 4000;

/// Registers the compute manager where there are clusters.
///
/// # Errors
/// Where its server is no host's name.
pub fn manager(tx: &mut Transaction<'_>, topology: &Topology) -> Result<(), Error> {
    if topology.clusters().is_empty() {
        return Ok(());
    }
    let own = &topology.compute_manager;
    let body = json!({
        "id": own.id,
        "display_name": own.display_name,
        "server": own.server,
        "origin_type": "vCenter",
    });
    create(tx, &MANAGER, &body)
}

/// Makes the clusters, and their hosts as they were found.
///
/// # Errors
/// Where a cluster names a host that is not there.
pub fn clusters(tx: &mut Transaction<'_>, topology: &Topology) -> Result<(), Error> {
    let manager = &topology.compute_manager.id;
    let mut number = 0;
    for cluster in topology.clusters() {
        let id = format!("{manager}:{}", cluster.id);
        let body = json!({
            "id": id,
            "display_name": cluster.display_name,
            "external_id": id,
            "origin_id": manager,
            "origin_type": "VC_Cluster",
            "cm_local_id": cluster.id,
        });
        create(tx, &COLLECTION, &body)?;
        for host in &cluster.hosts {
            number += 1;
            let missing = || Error::NotFound { kind: transport_node::KIND.name, id: host.clone() };
            let known = topology.transport_nodes.iter().find(|own| own.id == *host);
            let known = known.ok_or_else(missing)?;
            let local = format!("host-{number}");
            let external = format!("{manager}:{local}");
            let os = match known.node_type {
                NodeType::Esx => "ESXI",
                NodeType::RhelKvm => "RHELKVM",
                NodeType::UbuntuKvm => "UBUNTUKVM",
            };
            let body = json!({
                "id": external,
                "display_name": known.display_name,
                "external_id": external,
                "origin_id": manager,
                "cm_local_id": local,
                "parent_compute_collection": id,
                "node_type": "HostNode",
                "os_type": os,
                "node_id": host,
            });
            create(tx, &DISCOVERED_NODE, &body)?;
        }
    }
    Ok(())
}

/// Makes the virtual machines and their network cards.
///
/// # Errors
/// Where a machine names a host that is not there, or a limit is broken.
pub fn machines(tx: &mut Transaction<'_>, topology: &Topology) -> Result<(), Error> {
    for (place, machine) in topology.virtual_machines.iter().enumerate() {
        tx.get(&transport_node::KIND, &machine.host)?;
        let local = (place + 1).to_string();
        create(tx, &MACHINE, &print(machine, &local))?;
        for (place, card) in machine.interfaces.iter().enumerate() {
            create(tx, &INTERFACE, &print_card(machine, &local, place, card))?;
        }
    }
    Ok(())
}

fn print(machine: &VirtualMachine, local: &str) -> Value {
    let id = &machine.external_id;
    let bios = machine.bios_uuid.as_ref().unwrap_or(id);
    json!({
        "id": id,
        "display_name": machine.display_name,
        "tags": machine.tags,
        "external_id": id,
        "local_id_on_host": local,
        "compute_ids": [
            format!("moIdOnHost:{local}"),
            format!("hostLocalId:{local}"),
            format!("externalId:{id}"),
            format!("instanceUuid:{id}"),
            format!("biosUuid:{bios}"),
        ],
        "host_id": machine.host,
        "power_state": machine.power_state,
        "type": machine.machine_type,
        "guest_info": {"os_name": machine.os_name, "computer_name": machine.computer_name},
    })
}

fn print_card(machine: &VirtualMachine, local: &str, place: usize, card: &Interface) -> Value {
    let key = FIRST_DEVICE + place;
    let id = format!("{}-{key}", machine.external_id);
    let mut told = Vec::new();
    if !card.addresses.is_empty() {
        told.push(json!({"source": "VM_TOOLS", "ip_addresses": card.addresses}));
    }
    json!({
        "id": id,
        "external_id": id,
        "owner_vm_id": machine.external_id,
        "owner_vm_type": machine.machine_type,
        "host_id": machine.host,
        "vm_local_id_on_host": local,
        "device_key": key.to_string(),
        "device_name": format!("Network adapter {}", place + 1),
        "mac_address": card.mac_address,
        "lport_attachment_id": card.attachment,
        "ip_address_info": told,
    })
}
