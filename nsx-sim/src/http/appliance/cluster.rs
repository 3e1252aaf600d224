//! The management cluster, which is one node: this one.

use super::super::Endpoint;
use super::super::call::{Call, Reply};
use super::super::error::Failure;
use super::super::routes::Routes;
use super::node::{missing, names, started, status};
use super::settings;
use crate::inventory::{Error, Level};
use crate::kinds::appliance::network::INTERFACE;
use crate::kinds::appliance::node::{ADDRESS, CLUSTER_ID, ID, VIRTUAL_IP, VirtualIp};
use crate::kinds::appliance::served;
use crate::kinds::certificate::{self, Certificate};
use crate::version::{API_LISTEN_ADDRESS, DETAILED_CLUSTER_STATUS};
use serde_json::{Value, json};
use std::net::Ipv4Addr;

/// Adds the routes.
pub fn register(routes: &mut Routes) {
    routes.on("GET", "/cluster", |call| {
        Ok(Reply::ok(json!({
            "cluster_id": CLUSTER_ID,
            "mgmt_cluster_changes_allowed": true,
            "control_cluster_changes_allowed": true,
            "nodes": [node_info(call)?],
            "_revision": 0,
        })))
    });
    routes.on("GET", "/cluster/status", |call| {
        let own = json!({"uuid": ID, "mgmt_cluster_listen_ip_address": ADDRESS});
        let mut status = json!({
            "cluster_id": CLUSTER_ID,
            "mgmt_cluster_status": {
                "status": "STABLE",
                "online_nodes": [own],
                "offline_nodes": [],
            },
            "control_cluster_status": {"status": "STABLE"},
        });
        if call.world.inventory.version().has(DETAILED_CLUSTER_STATUS) {
            status["detailed_cluster_status"] = detailed_status(call)?;
        }
        Ok(Reply::ok(status))
    });
    // Not of the description; a client has asked here since 2.5 whether the manager is up
    // [client ansible].
    routes.on("GET", "/cluster-manager/status", |call| Ok(Reply::ok(detailed_status(call)?)));
    routes.on("GET", "/cluster/{node}", |call| {
        own_node(call, "ClusterNodeInfo")?;
        Ok(Reply::ok(node_info(call)?))
    });
    routes.on("GET", "/cluster/nodes", |call| {
        settings::rows(call, [(ID.to_owned(), node_config(call)?)])
    });
    routes.on("GET", "/cluster/nodes/status", |call| Ok(Reply::ok(aggregate(call)?)));
    routes.on("GET", "/cluster/nodes/{node}", |call| {
        own_node(call, "ClusterNodeConfig")?;
        Ok(Reply::ok(node_config(call)?))
    });
    routes.on("GET", "/cluster/nodes/{node}/status", |call| {
        own_node(call, "ClusterNodeConfig")?;
        source(call)?;
        Ok(Reply::ok(node_status(call)?))
    });
    routes.on("GET", "/cluster/nodes/{node}/repo_sync/status", |call| {
        own_node(call, "ClusterNodeConfig")?;
        let done = call.world.node.read().repository_synchronized;
        Ok(Reply::ok(json!({"status": if done { "SUCCESS" } else { "NOT_STARTED" }})))
    });
    // One node has no other to fetch from, so it has all at once.
    routes.on("POST", "/cluster/node?action=repo_sync", |call| {
        call.world.node.write().repository_synchronized = true;
        Ok(Reply::empty())
    });
    register_interfaces(routes);
    register_deployments(routes);
    register_virtual_ip(routes);
    register_removal(routes);
}

fn own_node(call: &Call<'_>, kind: &'static str) -> Result<(), Error> {
    if call.param(0) == ID { Ok(()) } else { Err(missing(kind, call.param(0))) }
}

fn source(call: &Call<'_>) -> Result<(), Error> {
    call.query.one_of("source", &["realtime", "cached"]).map(|_| ())
}

fn node_info(call: &Call<'_>) -> Result<Value, Error> {
    let (name, whole_name) = names(call)?;
    let entities = ["HTTP", "DATASTORE", "MANAGER", "POLICY", "CONTROLLER"];
    let entities = entities.map(|entity| json!({"entity_type": entity, "ip_address": ADDRESS}));
    let mut info = json!({
        "node_uuid": ID,
        "display_name": name,
        "fqdn": whole_name,
        "status": "JOINED",
        "entities": entities,
    });
    if let Some(Endpoint { certificate, .. }) = api_served(call) {
        info["certificates"] = json!([{
            "entity_type": "HTTP",
            "certificate": certificate.pem(),
            "certificate_sha256_thumbprint": certificate.thumbprint(),
        }]);
    }
    if call.world.inventory.version().has(API_LISTEN_ADDRESS) {
        info["api_listen_addr"] = api_endpoint(call);
    }
    Ok(info)
}

/// Where the API is served, with the certificate that new connections are shown: the one that is
/// applied, else the listener's own.
fn api_served(call: &Call<'_>) -> Option<Endpoint> {
    let own = call.api.endpoint.clone()?;
    let inventory = &call.world.inventory;
    let applied = served::current(inventory);
    let applied = applied.shown().and_then(|id| inventory.find(certificate::KIND.name, id));
    let applied = applied.and_then(|object| object.body::<Certificate>()?.parsed().cloned());
    Some(Endpoint { certificate: applied.unwrap_or(own.certificate), ..own })
}

/// Where the API is served [spec ServiceEndpoint]; its certificate where there is TLS.
fn api_endpoint(call: &Call<'_>) -> Value {
    let Some(Endpoint { address, certificate }) = api_served(call) else { return endpoint() };
    let ip = address.ip();
    json!({
        "ip_address": if ip.is_unspecified() { ADDRESS.to_owned() } else { ip.to_string() },
        "port": address.port(),
        "certificate": certificate.pem(),
        "certificate_sha256_thumbprint": certificate.thumbprint(),
    })
}

/// Where a service is that nobody can reach, for nothing but the API leaves the process.
fn endpoint() -> Value {
    json!({"ip_address": ADDRESS})
}

/// The node as a manager. Clients read the addresses without asking whether they are there
/// [client gojek/nsxt_exporter].
fn manager_role(call: &Call<'_>) -> Value {
    json!({
        "type": "ManagementClusterRoleConfig",
        "api_listen_addr": api_endpoint(call),
        "mgmt_cluster_listen_addr": endpoint(),
        "mgmt_plane_listen_addr": endpoint(),
    })
}

/// The node as a controller; the addresses as above.
fn controller_role() -> Value {
    json!({
        "type": "ControllerClusterRoleConfig",
        "control_cluster_listen_addr": endpoint(),
        "control_plane_listen_addr": endpoint(),
    })
}

fn node_config(call: &Call<'_>) -> Result<Value, Error> {
    let (name, _) = names(call)?;
    let started = started(call)?;
    Ok(json!({
        "manager_role": manager_role(call),
        "controller_role": controller_role(),
        "external_id": ID,
        "appliance_mgmt_listen_addr": ADDRESS,
        "resource_type": "ClusterNodeConfig",
        "id": ID,
        "display_name": name,
        "_create_user": "system",
        "_create_time": started,
        "_last_modified_user": "system",
        "_last_modified_time": started,
        "_system_owned": true,
        "_protection": "NOT_PROTECTED",
        "_revision": 0,
    }))
}

/// The one service that all the others are part of, on the one node.
fn detailed_status(call: &Call<'_>) -> Result<Value, Error> {
    let (_, name) = names(call)?;
    let member = json!({
        "member_uuid": ID,
        "member_fqdn": name,
        "member_ip": ADDRESS,
        "member_status": "UP",
    });
    let group = json!({
        "group_id": CLUSTER_ID,
        "group_type": "MANAGER",
        "group_status": "STABLE",
        "members": [member],
    });
    Ok(json!({"cluster_id": CLUSTER_ID, "overall_status": "STABLE", "groups": [group]}))
}

fn node_status(call: &Call<'_>) -> Result<Value, Error> {
    Ok(json!({
        "system_status": status(call)?,
        "version": call.world.inventory.version().node(),
        "mgmt_cluster_status": {"mgmt_cluster_status": "CONNECTED"},
        "control_cluster_status": {
            "control_cluster_status": "CONNECTED",
            "mgmt_connection_status": {"connectivity_status": "CONNECTED"},
        },
    }))
}

fn aggregate(call: &Call<'_>) -> Result<Value, Error> {
    let (name, whole_name) = names(call)?;
    let member = json!({
        "member_uuid": ID, "member_ip": ADDRESS, "member_fqdn": whole_name, "member_status": "UP",
    });
    let groups = ["MANAGER", "CONTROLLER", "POLICY", "HTTPS", "DATASTORE", "CLUSTER_BOOT_MANAGER"];
    let groups = groups
        .map(|group| json!({"group_type": group, "group_status": "STABLE", "members": [member]}));
    let node = json!({
        "id": ID,
        "display_name": name,
        "node_status": node_status(call)?,
        "node_status_properties": [status(call)?],
        "node_interface_properties": interfaces(call),
    });
    let mut manager = node.clone();
    manager["transport_nodes_connected"] = call.world.fabric().machines().hosts().count().into();
    manager["role_config"] = manager_role(call);
    let mut controller = node;
    controller["role_config"] = controller_role();
    Ok(json!({
        "management_cluster": [manager],
        "controller_cluster": [controller],
        "cluster_status": {
            "cluster_id": CLUSTER_ID, "overall_status": "STABLE", "groups": groups,
        },
    }))
}

/// The node's interfaces in the form that the cluster shows them.
fn interfaces(call: &Call<'_>) -> Vec<Value> {
    let print = |object| {
        let own = settings::print(call, object);
        let alias = json!({
            "ip_configuration": own["ip_configuration"],
            "ip_address": own["ip_addresses"][0]["ip_address"],
            "netmask": own["ip_addresses"][0]["netmask"],
        });
        json!({
            "interface_id": own["interface_id"],
            "admin_status": "UP",
            "link_status": "UP",
            "interface_type": "VIRTUAL",
            "mtu": own["mtu"],
            "interface_alias": [alias],
            "source": "realtime",
        })
    };
    call.world.inventory.all(INTERFACE.name).iter().map(|object| print(&**object)).collect()
}

fn register_interfaces(routes: &mut Routes) {
    let all = "/cluster/nodes/{node}/network/interfaces";
    routes.on("GET", all, |call| {
        own_node(call, "ClusterNodeConfig")?;
        source(call)?;
        let rows = interfaces(call).into_iter();
        settings::rows(call, rows.map(|row| (row["interface_id"].to_string(), row)))
    });
    routes.on("GET", &format!("{all}/{{interface}}"), |call| {
        own_node(call, "ClusterNodeConfig")?;
        source(call)?;
        let wanted = call.param(1);
        let found = interfaces(call).into_iter().find(|row| row["interface_id"] == wanted);
        Ok(Reply::ok(found.ok_or_else(|| missing(INTERFACE.name, wanted))?))
    });
}

/// No node is ever deployed, so none is listed.
fn register_deployments(routes: &mut Routes) {
    let all = "/cluster/nodes/deployments";
    routes.on_as(Level::Shape, "GET", all, |call| settings::rows(call, []));
    for path in [format!("{all}/{{node}}"), format!("{all}/{{node}}/status")] {
        routes.on_as(Level::Shape, "GET", &path, |call| {
            Err(missing("ClusterNodeVMDeploymentRequest", call.param(0)).into())
        });
    }
}

fn register_virtual_ip(routes: &mut Routes) {
    let path = "/cluster/api-virtual-ip";
    routes.on_as(Level::Stateful, "GET", path, |call| {
        Ok(Reply::ok(settings::read(call, &VIRTUAL_IP)?))
    });
    routes.on_as(Level::Stateful, "POST", &format!("{path}?action=set_virtual_ip"), |call| {
        let asked = call.query.get("ip_address");
        let asked = asked.ok_or_else(|| Error::field("ip_address", "is required"))?;
        let address: Ipv4Addr = asked
            .parse()
            .map_err(|_| Error::field("ip_address", format!("must be an address, not {asked}")))?;
        set_virtual_ip(call, address)
    });
    routes.on_as(Level::Stateful, "POST", &format!("{path}?action=clear_virtual_ip"), |call| {
        set_virtual_ip(call, Ipv4Addr::UNSPECIFIED)
    });
}

fn set_virtual_ip(call: &Call<'_>, address: Ipv4Addr) -> Result<Reply, Failure> {
    let id = call.world.inventory.single(&VIRTUAL_IP, None)?.header.id.clone();
    call.commit(|tx| {
        tx.edit(&VIRTUAL_IP, &id, |own: &mut VirtualIp, _| {
            own.ip_address = address.to_string();
            Ok(())
        })
    })?;
    Ok(Reply::ok(settings::read(call, &VIRTUAL_IP)?))
}

/// The only node of a cluster stays.
fn register_removal(routes: &mut Routes) {
    for (verb, path, kind) in [
        ("DELETE", "/cluster/nodes/{node}", "ClusterNodeConfig"),
        ("POST", "/cluster/{node}?action=remove_node", "ClusterNodeInfo"),
    ] {
        routes.on(verb, path, move |call| {
            own_node(call, kind)?;
            let why = "it is the only node of the cluster";
            Err(Error::NotModifiable { kind, id: ID.to_owned(), why }.into())
        });
    }
}
