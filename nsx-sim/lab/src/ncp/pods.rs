//! A pod's port: made once the pod has a node, tagged with its labels, gone when the pod is.

use super::external::{allocate, release};
use super::manager::{Error, Result, id_of, text_of};
use super::naming::{object_name, pod_tags, scope, tag_of, tags_of};
use super::network::pinned_pods;
use super::reports::ERROR;
use super::state::{Name, NodeVif, Port, Project, Segment};
use super::view::GATHERING;
use super::{Key, Ncp, told};
use k8s_openapi::api::core::v1::Pod;
use kube::api::{Patch, PatchParams};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::net::Ipv4Addr;
use std::time::Duration;
use uuid::Uuid;

/// The annotation by which a pod's container interface learns what it has.
pub const NETWORK: &str = "ncp/pod-network";

/// How often an address is asked for that is to rest and that another pod has got, and how long in
/// between.
const MOST_TRIES: usize = 100;
const BETWEEN_TRIES: Duration = Duration::from_millis(5);

/// What that says.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PodNetwork {
    /// The pod's address.
    pub ip: Ipv4Addr,
    /// The same of layer 2.
    pub mac: String,
    /// The router's address.
    pub gateway: Ipv4Addr,
    /// The logical port's id.
    pub port_id: String,
}

/// What of a pod concerns its port.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Wanted {
    /// Namespace and name.
    pub name: Name,
    /// Its uid.
    pub uid: String,
    /// Its node.
    pub node: String,
    /// Its labels.
    pub labels: BTreeMap<String, String>,
    /// What it was told of its network.
    pub told: Option<PodNetwork>,
    /// Whether it was told that it has none.
    pub is_blamed: bool,
}

impl Wanted {
    /// What a pod wants; nothing where it has no node yet, shares the node's network or has ended.
    pub fn of(pod: &Pod) -> Option<Self> {
        let spec = pod.spec.as_ref()?;
        let phase = pod.status.as_ref().and_then(|own| own.phase.as_deref());
        if spec.host_network == Some(true) || matches!(phase, Some("Succeeded" | "Failed")) {
            return None;
        }
        let meta = &pod.metadata;
        let annotation = |name: &str| meta.annotations.as_ref().and_then(|own| own.get(name));
        let told = annotation(NETWORK);
        Some(Self {
            name: (meta.namespace.clone()?, meta.name.clone()?),
            uid: meta.uid.clone()?,
            node: spec.node_name.clone().filter(|own| !own.is_empty())?,
            labels: meta.labels.clone().unwrap_or_default(),
            told: told.and_then(|own| serde_json::from_str(own).ok()),
            is_blamed: annotation(ERROR).is_some(),
        })
    }
}

/// The id of a pod's VIF: made of the pod's, so that a call that is made twice makes one port.
fn vif_of(uid: &str) -> String {
    Uuid::new_v5(&Uuid::NAMESPACE_OID, uid.as_bytes()).to_string()
}

/// A MAC address for an address that no pool gave: outside the range of the manager's pool.
fn mac_of(address: Ipv4Addr) -> String {
    let [_, _, third, last] = address.octets();
    format!("02:50:56:40:{third:02x}:{last:02x}")
}

impl Port {
    /// A pod's port, as the manager prints it, with the pod's name.
    pub fn read(object: &Value, nodes: impl Fn(&str) -> Option<String>) -> Option<(Name, Self)> {
        let context = &object["attachment"]["context"];
        let bindings = object["address_bindings"].as_array()?;
        let (address, mac) = bindings.iter().find_map(|own| {
            let address = own["ip_address"].as_str()?.parse().ok()?;
            Some((address, text_of(own, "mac_address")))
        })?;
        let name = (tag_of(object, scope::PROJECT)?, tag_of(object, scope::POD)?);
        let port = Self {
            id: id_of(object),
            uid: tag_of(object, scope::POD_UID)?.to_owned(),
            switch: text_of(object, "logical_switch_id"),
            node: nodes(context["parent_vif_id"].as_str()?)?,
            traffic_tag: context["traffic_tag"].as_u64()?.try_into().ok()?,
            address,
            mac,
            tags: sorted(tags_of(object)),
        };
        Some(((name.0.to_owned(), name.1.to_owned()), port))
    }
}

fn sorted<T: Ord>(mut list: Vec<T>) -> Vec<T> {
    list.sort();
    list
}

impl Ncp {
    /// Makes a pod's port what the pod wants.
    ///
    /// # Errors
    /// Where something was not done.
    pub async fn sync_pod(&self, name: &Name) -> Result<()> {
        let pod = self.view.pod(name);
        let wanted = pod.as_deref().and_then(Wanted::of);
        let known = self.state.ports.lock().get(name).cloned();
        let fits =
            |wanted: &Wanted, known: &Port| wanted.uid == known.uid && wanted.node == known.node;
        let known = match (&wanted, known) {
            (Some(wanted), Some(known)) if fits(wanted, &known) => Some(known),
            (_, Some(known)) => {
                self.remove_port(name, &known).await?;
                None
            }
            (_, None) => None,
        };
        let Some(wanted) = wanted else { return Ok(()) };
        let port = match known {
            Some(known) => self.retag(&wanted, known).await?,
            None => self.make_port(&wanted).await?,
        };
        self.tell(&wanted, &port).await
    }

    async fn make_port(&self, wanted: &Wanted) -> Result<Port> {
        let (namespace, pod) = (&*wanted.name.0, &*wanted.name.1);
        let address = self.pinned_address(namespace, pod);
        let (vif, tag) = self.tag_on(&wanted.node).await?;
        let made = loop {
            let (project, segment) = match self.seat(namespace, address).await {
                Ok(seat) => seat,
                Err(error) => break Err(error),
            };
            match self.post_port(wanted, &project, &segment, (&vif, tag), address).await {
                // The pod that had its address is gone a moment ago.
                Ok(port) if address.is_none() && self.state.rests(&segment.pool, port.address) => {
                    project.leave(&segment.switch);
                    let path = format!("/logical-ports/{}?detach=true", port.id);
                    if let Err(error) = self.manager.delete(path).await {
                        break Err(error);
                    }
                }
                Ok(port) => break Ok(port),
                // Its pool has nothing left: addresses rest, or others took some.
                Err(error)
                    if error.is_refusal()
                        && address.is_none()
                        && self.is_full(&segment).await? =>
                {
                    project.fill(&segment.switch);
                }
                Err(error) => {
                    project.leave(&segment.switch);
                    break Err(error);
                }
            }
        };
        if made.is_err() {
            self.state.release_tag(&wanted.node, tag);
        }
        let port = made?;
        if port.traffic_tag != tag {
            self.state.release_tag(&wanted.node, tag);
        }
        self.state.ports.lock().insert(wanted.name.clone(), port.clone());
        self.port_moved(&wanted.name);
        Ok(port)
    }

    async fn post_port(
        &self,
        wanted: &Wanted,
        project: &Project,
        segment: &Segment,
        (parent, tag): (&str, u16),
        address: Option<Ipv4Addr>,
    ) -> Result<Port> {
        let (namespace, pod) = (&*wanted.name.0, &*wanted.name.1);
        let cluster = &self.config.cluster;
        let vif = vif_of(&wanted.uid);
        let asked = if address.is_some() { "None" } else { "Both" };
        let mut body = json!({
            "display_name": object_name(cluster, namespace, pod),
            "logical_switch_id": segment.switch,
            "admin_state": "UP",
            "attachment": {
                "attachment_type": "VIF",
                "id": vif,
                "context": {
                    "resource_type": "VifAttachmentContext",
                    "vif_type": "CHILD",
                    "parent_vif_id": parent,
                    "traffic_tag": tag,
                    "app_id": format!("{namespace}.{pod}"),
                    "allocate_addresses": asked,
                },
            },
            "tags": pod_tags(cluster, (namespace, &project.uid), (pod, &wanted.uid), &wanted.labels),
        });
        if let Some(address) = address {
            let mac = mac_of(address);
            body["address_bindings"] =
                json!([{"ip_address": address, "mac_address": mac, "vlan": tag}]);
        }
        let made = match self.manager.post("/logical-ports".to_owned(), body).await {
            Err(error) if error.is_refusal() => {
                // A call whose answer was lost has made it.
                let path = format!("/logical-ports?attachment_id={vif}");
                self.manager.list(path).await?.into_iter().next().ok_or(error)?
            }
            made => made?,
        };
        let on = |vif: &str| (vif == parent).then(|| wanted.node.clone());
        let unread = || Error::Missing(format!("the port of {namespace}/{pod} has no address"));
        Ok(Port::read(&made, on).ok_or_else(unread)?.1)
    }

    async fn is_full(&self, segment: &Segment) -> Result<bool> {
        let given = super::external::allocations(&self.manager, &segment.pool).await?;
        Ok(given.len() >= segment.capacity())
    }

    /// A node's VIF with a VLAN tag for a pod; a node that is not known is looked for.
    async fn tag_on(&self, node: &str) -> Result<(String, u16)> {
        if let Some(taken) = self.state.take_tag(node) {
            return taken;
        }
        let wanted = |own: &Value| tag_of(own, scope::NODE) == Some(node);
        let ports = self.manager.list("/logical-ports?attachment_type=VIF".to_owned()).await?;
        if let Some(port) = ports.iter().find(|own| self.is_own(own) && wanted(own)) {
            self.learn_node(port);
        }
        let missing = || Error::Missing(format!("the manager has no port of node {node}"));
        self.state.take_tag(node).ok_or_else(missing)?
    }

    /// Learns which VIF a node has, of its port.
    pub fn learn_node(&self, port: &Value) {
        let Some(node) = tag_of(port, scope::NODE) else { return };
        let vif = text_of(&port["attachment"], "id");
        let mut nodes = self.state.nodes.lock();
        nodes.entry(node.to_owned()).or_insert_with(|| NodeVif::new(vif));
    }

    /// Whether an object is of this cluster.
    pub fn is_own(&self, object: &Value) -> bool {
        tag_of(object, scope::CLUSTER) == Some(&*self.config.cluster)
    }

    /// Makes a port's tags those of its pod.
    async fn retag(&self, wanted: &Wanted, mut known: Port) -> Result<Port> {
        let (namespace, pod) = (&*wanted.name.0, &*wanted.name.1);
        let of = |own: &str| known.tags.iter().find(|tag| tag.scope == own).map(|tag| &*tag.tag);
        let project = of(scope::PROJECT_UID).unwrap_or_default().to_owned();
        let cluster = &self.config.cluster;
        let tags = pod_tags(cluster, (namespace, &project), (pod, &wanted.uid), &wanted.labels);
        let order = sorted(tags.clone());
        if order == known.tags {
            return Ok(known);
        }
        let path = format!("/logical-ports/{}", known.id);
        let Some(mut port) = self.manager.find(path.clone()).await? else {
            self.forget_port(&wanted.name, &known);
            return Err(Error::Missing(format!("the port of {namespace}/{pod} is gone")));
        };
        port["tags"] = json!(tags);
        self.manager.put(path, port).await?;
        known.tags = order;
        self.state.ports.lock().insert(wanted.name.clone(), known.clone());
        Ok(known)
    }

    /// Tells a pod what it has.
    async fn tell(&self, wanted: &Wanted, port: &Port) -> Result<()> {
        let (namespace, pod) = (&*wanted.name.0, &*wanted.name.1);
        let project = self.state.project(namespace);
        let segment = project.and_then(|own| own.on(&port.switch));
        let Some(segment) = segment else { return Ok(()) };
        let network = PodNetwork {
            ip: port.address,
            mac: port.mac.clone(),
            gateway: segment.gateway(),
            port_id: port.id.clone(),
        };
        if wanted.told.as_ref() == Some(&network) && !wanted.is_blamed {
            return Ok(());
        }
        let text = serde_json::to_string(&network).unwrap_or_default();
        let mut annotations = json!({NETWORK: text});
        if wanted.is_blamed {
            annotations[ERROR] = Value::Null;
        }
        let patch = Patch::Merge(json!({"metadata": {"annotations": annotations}}));
        let api = told::within::<Pod>(&self.kube, namespace);
        match api.patch(pod, &PatchParams::default(), &patch).await.map_err(Error::from) {
            // The pod's end is told by the watch.
            Err(error) if error.is_gone() => Ok(()),
            done => done.map(drop),
        }
    }

    fn forget_port(&self, name: &Name, port: &Port) {
        self.state.release_tag(&port.node, port.traffic_tag);
        self.state.ports.lock().remove(name);
        if let Some(project) = self.state.project(&name.0) {
            project.leave(&port.switch);
        }
    }

    /// Takes a port away. Its address rests for a while: it is taken from the pool anew.
    async fn remove_port(&self, name: &Name, port: &Port) -> Result<()> {
        let project = self.state.project(&name.0);
        let segment = project.as_ref().and_then(|own| own.on(&port.switch));
        let rests = !self.is_pinned(port.address) && !self.config.ip_reallocation_time.is_zero();
        // Said before the address is free: whoever gets it meanwhile gives it back.
        let place = segment.as_ref().filter(|_| rests).map(|own| (own.pool.clone(), port.address));
        self.state.resting.lock().extend(place.clone());
        self.manager.delete(format!("/logical-ports/{}?detach=true", port.id)).await?;
        self.state.release_tag(&port.node, port.traffic_tag);
        self.state.ports.lock().remove(name);
        if let (Some(project), Some(segment)) = (project, segment) {
            match place {
                Some(place) if self.retake(&segment.pool, port.address).await.is_err() => {
                    // The pool is gone.
                    self.state.resting.lock().remove(&place);
                    project.leave(&segment.switch);
                }
                Some(_) => self.rest(&name.0, &segment, port.address),
                None => project.leave(&segment.switch),
            }
        }
        self.port_moved(name);
        self.queue.push_after(Key::Probes, GATHERING);
        // It waits for its last pod.
        if self.view.namespace(&name.0).is_none() {
            self.queue.push(Key::Namespace(name.0.clone()));
        }
        Ok(())
    }

    /// Takes an address that has just become free; a pod that got it meanwhile gives it back.
    async fn retake(&self, pool: &str, address: Ipv4Addr) -> Result<()> {
        let mut tries = 0;
        loop {
            match allocate(&self.manager, pool, address).await {
                Err(error) if error.is_refusal() && tries < MOST_TRIES => {
                    tries += 1;
                    tokio::time::sleep(BETWEEN_TRIES).await;
                }
                done => return done,
            }
        }
    }

    /// The address that the guide has for a pod.
    fn pinned_address(&self, namespace: &str, pod: &str) -> Option<Ipv4Addr> {
        let mut pods = pinned_pods().filter(|_| self.config.pins);
        pods.find(|own| own.namespace == namespace && own.name == pod).map(|own| own.address)
    }

    /// Whether an address is kept for a pod of the guide.
    pub fn is_pinned(&self, address: Ipv4Addr) -> bool {
        self.config.pins && pinned_pods().any(|own| own.address == address)
    }

    /// Gives an address back to its pool once it has rested.
    pub fn rest(&self, namespace: &str, segment: &Segment, address: Ipv4Addr) {
        let (manager, time) = (self.manager.clone(), self.config.ip_reallocation_time);
        let (pool, switch) = (segment.pool.clone(), segment.switch.clone());
        let project = self.state.project(namespace);
        let resting = self.state.resting.clone();
        self.tasks.spawn(async move {
            tokio::time::sleep(time).await;
            if let Err(error) = release(&manager, &pool, address).await {
                tracing::warn!(%error, %address, "an address is not given back before the next start");
            }
            resting.lock().remove(&(pool, address));
            if let Some(project) = project {
                project.leave(&switch);
            }
        });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pod(value: Value) -> Option<Wanted> {
        Wanted::of(&serde_json::from_value(value).unwrap())
    }

    #[test]
    fn a_pod_wants_a_port_once_it_has_a_node_and_until_it_has_ended() {
        let of = |spec: Value, phase: &str| {
            pod(json!({
                "metadata": {"namespace": "x1", "name": "p", "uid": "u", "labels": {"app": "a"}},
                "spec": spec,
                "status": {"phase": phase},
            }))
        };
        let on_node = || json!({"nodeName": "n", "containers": []});
        assert!(of(json!({"containers": []}), "Pending").is_none());
        let wanted = of(on_node(), "Pending").unwrap();
        assert_eq!((wanted.node.as_str(), wanted.labels["app"].as_str()), ("n", "a"));
        assert!(of(on_node(), "Running").is_some());
        assert!(of(on_node(), "Succeeded").is_none());
        let on_host = json!({"nodeName": "n", "hostNetwork": true, "containers": []});
        assert!(of(on_host, "Running").is_none());
    }

    #[test]
    fn a_port_is_read_as_it_was_made() {
        let tags = [("ncp/project", "x1"), ("ncp/pod", "p"), ("ncp/pod_uid", "u"), ("app", "a")];
        let tags: Vec<_> =
            tags.iter().map(|(scope, tag)| json!({"scope": scope, "tag": tag})).collect();
        let object = json!({
            "id": "port",
            "logical_switch_id": "switch",
            "attachment": {"id": "vif", "context": {"parent_vif_id": "parent", "traffic_tag": 7}},
            "address_bindings": [{"ip_address": "172.15.23.2", "mac_address": "02:50:56:00:00:01"}],
            "tags": tags,
        });
        let on = |vif: &str| (vif == "parent").then(|| "node".to_owned());
        let (name, port) = Port::read(&object, on).unwrap();
        assert_eq!((name.0.as_str(), name.1.as_str()), ("x1", "p"));
        assert_eq!((port.node.as_str(), port.traffic_tag), ("node", 7));
        assert!(Port::read(&object, |_| None).is_none(), "of no known node");
    }

    #[test]
    fn a_pod_s_vif_is_the_same_whoever_asks() {
        assert_eq!(vif_of("u"), vif_of("u"));
        assert_ne!(vif_of("u"), vif_of("v"));
        assert_eq!(mac_of(Ipv4Addr::new(172, 15, 23, 3)), "02:50:56:40:17:03");
    }
}
