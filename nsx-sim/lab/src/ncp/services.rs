//! Services of type LoadBalancer: a virtual server with its pool for each port, and one address.

use super::external::allocate;
use super::manager::{Error, Result, id_of};
use super::naming::{Tag, object_name, project_tags, scope};
use super::state::{Balanced, External, Member, Name, Server};
use super::told::Kind;
use super::view::is_balanced;
use super::{Ncp, told};
use crate::ports;
use k8s_openapi::api::core::v1::{Pod, Service, ServicePort};
use kube::api::{Patch, PatchParams};
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::net::Ipv4Addr;

/// Pools of the load balancer.
pub const POOLS: &str = "/loadbalancer/pools";
/// Its virtual servers.
pub const SERVERS: &str = "/loadbalancer/virtual-servers";

/// The annotation of a Service that tells why it has no address.
pub const ERROR: &str = "ncp/error.loadbalancer";
/// There is no such pool.
const NOT_FOUND: &str = "IP_POOL_NOT_FOUND";
/// All of its addresses are taken.
pub const EXHAUSTED: &str = "IP_POOL_EXHAUSTED";

/// What of a Service concerns the load balancer.
struct Wanted {
    name: Name,
    uid: String,
    ports: Vec<ServicePort>,
    selector: BTreeMap<String, String>,
    address: Option<String>,
    told: Vec<String>,
    error: Option<String>,
}

impl Wanted {
    fn of(service: &Service) -> Option<Self> {
        let (meta, spec) = (&service.metadata, service.spec.as_ref()?);
        if !is_balanced(service) || meta.deletion_timestamp.is_some() {
            return None;
        }
        let balanced = service.status.as_ref().and_then(|own| own.load_balancer.as_ref());
        let ingress = balanced.and_then(|own| own.ingress.clone()).unwrap_or_default();
        Some(Self {
            name: (meta.namespace.clone()?, meta.name.clone()?),
            uid: meta.uid.clone()?,
            ports: spec.ports.clone().unwrap_or_default(),
            selector: spec.selector.clone().unwrap_or_default(),
            address: spec.load_balancer_ip.clone().filter(|own| !own.is_empty()),
            told: ingress.into_iter().filter_map(|own| own.ip).collect(),
            error: meta.annotations.as_ref().and_then(|own| own.get(ERROR).cloned()),
        })
    }
}

/// Why a Service gets no address; told to its owner, not tried again before something changes.
enum NoAddress {
    Told(&'static str),
    Failed(Error),
}

impl From<Error> for NoAddress {
    fn from(error: Error) -> Self {
        Self::Failed(error)
    }
}

/// By which name a Service's port is known: its own, or none where it is the only one.
fn key_of(port: &ServicePort) -> String {
    port.name.clone().unwrap_or_else(|| port.port.to_string())
}

/// The port of a pod that a Service's port leads to.
fn target_of(port: &ServicePort, pod: &Pod) -> Option<u16> {
    let Some(target) = &port.target_port else { return port.port.try_into().ok() };
    let containers = pod.spec.iter().flat_map(|own| &own.containers);
    ports::number(target, containers.flat_map(|own| own.ports.iter().flatten()))
}

/// Whether a pod takes traffic.
fn is_ready(pod: &Pod) -> bool {
    let conditions = pod.status.iter().flat_map(|own| own.conditions.iter().flatten());
    conditions.into_iter().any(|own| own.type_ == "Ready" && own.status == "True")
        && pod.metadata.deletion_timestamp.is_none()
}

fn selects(selector: &BTreeMap<String, String>, pod: &Pod) -> bool {
    let labels = pod.metadata.labels.as_ref();
    let has =
        |(key, value): (&String, &String)| labels.is_some_and(|own| own.get(key) == Some(value));
    !selector.is_empty() && selector.iter().all(has)
}

/// Members of a pool as the manager reads them.
pub fn members_json(members: &[Member]) -> Value {
    let one = |own: &Member| json!({"display_name": own.pod, "ip_address": own.address, "port": own.port.to_string()});
    members.iter().map(one).collect()
}

impl Ncp {
    /// Makes of a Service at the load balancer what is missing, or takes it away.
    ///
    /// # Errors
    /// Where something was not done.
    pub async fn sync_service(&self, name: &Name) -> Result<()> {
        let service = self.view.service(name);
        let wanted = service.as_deref().and_then(Wanted::of);
        let known = self.state.services.lock().get(name).cloned();
        let uid = wanted.as_ref().map(|own| &own.uid);
        let known = match known {
            Some(known) if uid != Some(&known.uid) => {
                self.withdraw(name, &known).await?;
                None
            }
            known => known,
        };
        let (Some(wanted), Some(balancer)) = (wanted, &self.foundation.balancer) else {
            return Ok(());
        };
        let known = match known {
            Some(known) => known,
            None => match self.address_for(&wanted).await {
                Ok(vip) => {
                    let servers = BTreeMap::new();
                    Balanced { uid: wanted.uid.clone(), vip, servers }
                }
                Err(NoAddress::Told(why)) => {
                    let before = wanted.error.as_deref();
                    return self.tell_error::<Service>(name, before, Some(why)).await;
                }
                Err(NoAddress::Failed(error)) => return Err(error),
            },
        };
        let known = self.serve(&wanted, known, balancer).await?;
        self.tell_error::<Service>(name, wanted.error.as_deref(), None).await?;
        if wanted.told == [known.vip.address.to_string()] {
            return Ok(());
        }
        self.tell_address::<Service>(name, known.vip.address).await
    }

    /// Which address a Service is to have; nobody has taken it yet.
    async fn address_for(&self, wanted: &Wanted) -> std::result::Result<External, NoAddress> {
        let pools = &self.foundation.external_for_services;
        let pinned = crate::pins::service(&wanted.name.0, &wanted.name.1);
        let pinned = pinned.filter(|_| self.config.pins).and_then(|own| own.external_ip);
        let asked = wanted.address.as_deref();
        let address = asked.and_then(|own| own.parse::<Ipv4Addr>().ok()).or(pinned);
        if let Some(address) = address {
            return match self.pool_with(pools, address).await? {
                Some(pool) => Ok(External { pool, address }),
                None => Err(NoAddress::Told(NOT_FOUND)),
            };
        }
        let named;
        let pools = match asked {
            None => pools,
            Some(asked) => {
                let all = self.manager.list("/pools/ip-pools".to_owned()).await?;
                let mut all = all.iter();
                let found = all.find(|own| own["id"] == asked || own["display_name"] == asked);
                named = [id_of(found.ok_or(NoAddress::Told(NOT_FOUND))?)];
                &named[..]
            }
        };
        match self.free_external(pools).await {
            Err(Error::Missing(_)) => Err(NoAddress::Told(EXHAUSTED)),
            found => Ok(found?),
        }
    }

    async fn serve(
        &self,
        wanted: &Wanted,
        mut known: Balanced,
        balancer: &str,
    ) -> Result<Balanced> {
        let keys: Vec<_> = wanted.ports.iter().map(key_of).collect();
        let gone: Vec<_> =
            known.servers.keys().filter(|own| !keys.contains(own)).cloned().collect();
        for key in gone {
            if let Some(server) = known.servers.get(&key).cloned() {
                self.remove_server(&server).await?;
                known.servers.remove(&key);
                self.remember(wanted, &known);
            }
        }
        for port in &wanted.ports {
            let key = key_of(port);
            let members = self.members_of(&wanted.name.0, &wanted.selector, port);
            match known.servers.get_mut(&key) {
                Some(server) if server.members == members => {}
                Some(server) => {
                    let path = format!("{POOLS}/{}", server.pool);
                    let mut pool = self.manager.get(path.clone()).await?;
                    pool["members"] = members_json(&members);
                    self.manager.put(path, pool).await?;
                    server.members = members;
                    self.remember(wanted, &known);
                }
                None => {
                    let server = self.make_server(wanted, port, &known.vip, members).await?;
                    known.servers.insert(key, server);
                    self.remember(wanted, &known);
                }
            }
        }
        let servers = known.servers.values().map(|own| own.id.clone()).collect();
        self.list_servers(balancer, servers, Vec::new()).await?;
        Ok(known)
    }

    fn remember(&self, wanted: &Wanted, known: &Balanced) {
        self.state.services.lock().insert(wanted.name.clone(), known.clone());
    }

    /// The ready pods behind a Service's port, at their ports' addresses.
    pub fn members_of(
        &self,
        namespace: &str,
        selector: &BTreeMap<String, String>,
        port: &ServicePort,
    ) -> Vec<Member> {
        let in_namespace = |pod: &Pod| pod.metadata.namespace.as_deref() == Some(namespace);
        let fits = |pod: &Pod| in_namespace(pod) && selects(selector, pod) && is_ready(pod);
        let ports = self.state.ports.lock();
        let pods = self.view.pods.state();
        let members = pods.iter().filter(|pod| fits(pod)).filter_map(|pod| {
            let name = super::view::name_of(&**pod);
            let address = ports.get(&name)?.address;
            Some(Member { address, port: target_of(port, pod)?, pod: name.1 })
        });
        let mut members: Vec<_> = members.collect();
        members.sort();
        members
    }

    /// A pool and a virtual server on it. The virtual server says which address it has before that
    /// is taken, so what is taken has an owner whenever the process ends.
    async fn make_server(
        &self,
        wanted: &Wanted,
        port: &ServicePort,
        vip: &External,
        members: Vec<Member>,
    ) -> Result<Server> {
        let (namespace, service) = (&*wanted.name.0, &*wanted.name.1);
        let key = key_of(port);
        let what =
            if wanted.ports.len() == 1 { service.to_owned() } else { format!("{service}-{key}") };
        let name = object_name(&self.config.cluster, namespace, &what);
        let project = self.state.project(namespace);
        let uid = project.as_ref().map(|own| &*own.uid).unwrap_or_default();
        let mut tags = project_tags(&self.config.cluster, namespace, uid);
        tags.push(Tag::new(scope::SERVICE, service));
        tags.push(Tag::new(scope::SERVICE_UID, &*wanted.uid));
        tags.push(Tag::new(scope::SERVICE_PORT, &*key));
        let pool = json!({
            "display_name": name,
            "algorithm": "ROUND_ROBIN",
            "members": members_json(&members),
            "snat_translation": {"type": "LbSnatAutoMap"},
            "tags": tags,
        });
        let pool = id_of(&self.manager.post(POOLS.to_owned(), pool).await?);
        tags.push(Tag::new(scope::VIP_POOL, &*vip.pool));
        let udp = port.protocol.as_deref() == Some("UDP");
        let profiles = self.foundation.profiles.as_ref();
        let profile = profiles.map(|own| if udp { &own.1 } else { &own.0 });
        let server = json!({
            "display_name": name,
            "ip_address": vip.address,
            "ports": [port.port.to_string()],
            "ip_protocol": if udp { "UDP" } else { "TCP" },
            "application_profile_id": profile,
            "pool_id": pool,
            "tags": tags,
        });
        let made = self.manager.post(SERVERS.to_owned(), server).await;
        let made = match made {
            Ok(made) => match self.own_address(&wanted.name, vip).await {
                Ok(()) => Ok(id_of(&made)),
                Err(error) => Err((error, Some(id_of(&made)))),
            },
            Err(error) => Err((error, None)),
        };
        match made {
            Ok(id) => Ok(Server { id, pool, members }),
            Err((error, server)) => {
                if let Some(server) = server {
                    let path = format!("{SERVERS}/{server}");
                    self.manager.delete(path).await?;
                }
                self.manager.delete(format!("{POOLS}/{pool}")).await?;
                Err(error)
            }
        }
    }

    /// Takes the address of a Service, unless another of its virtual servers has taken it.
    async fn own_address(&self, name: &Name, vip: &External) -> Result<()> {
        if self.state.services.lock().get(name).is_some_and(|own| own.vip == *vip) {
            return Ok(());
        }
        allocate(&self.manager, &vip.pool, vip.address).await
    }

    /// Has the load balancer serve some servers and not others.
    pub async fn list_servers(
        &self,
        balancer: &str,
        with: Vec<String>,
        without: Vec<String>,
    ) -> Result<()> {
        let _changing = self.state.balancer.lock().await;
        let path = format!("/loadbalancer/services/{balancer}");
        let mut service = self.manager.get(path.clone()).await?;
        let listed = service["virtual_server_ids"].as_array().into_iter().flatten();
        let before: Vec<String> =
            listed.filter_map(|own| own.as_str().map(str::to_owned)).collect();
        let mut after = before.clone();
        after.retain(|own| !without.contains(own));
        after.extend(with.into_iter().filter(|own| !before.contains(own)));
        if after == before {
            return Ok(());
        }
        service["virtual_server_ids"] = json!(after);
        self.manager.put(path, service).await.map(drop)
    }

    async fn remove_server(&self, server: &Server) -> Result<()> {
        if let Some(balancer) = &self.foundation.balancer {
            self.list_servers(balancer, Vec::new(), vec![server.id.clone()]).await?;
        }
        self.manager.delete(format!("{SERVERS}/{}", server.id)).await?;
        self.manager.delete(format!("{POOLS}/{}", server.pool)).await
    }

    async fn withdraw(&self, name: &Name, known: &Balanced) -> Result<()> {
        for server in known.servers.values() {
            self.remove_server(server).await?;
        }
        self.give_back(&known.vip).await?;
        self.state.services.lock().remove(name);
        Ok(())
    }

    /// Tells a Service or an Ingress its address.
    pub async fn tell_address<K: Kind>(
        &self,
        (namespace, name): &Name,
        address: Ipv4Addr,
    ) -> Result<()> {
        let status = json!({"status": {"loadBalancer": {"ingress": [{"ip": address}]}}});
        let api = told::within::<K>(&self.kube, namespace);
        let patch = Patch::Merge(status);
        ignore_gone(api.patch_status(name, &PatchParams::default(), &patch).await)
    }

    /// Tells one why it has no address, or that it has one, unless that is what was told before.
    pub async fn tell_error<K: Kind>(
        &self,
        (namespace, name): &Name,
        before: Option<&str>,
        error: Option<&str>,
    ) -> Result<()> {
        if before == error {
            return Ok(());
        }
        let patch = Patch::Merge(json!({"metadata": {"annotations": {ERROR: error}}}));
        let api = told::within::<K>(&self.kube, namespace);
        ignore_gone(api.patch(name, &PatchParams::default(), &patch).await)
    }
}

/// That an object went meanwhile is told by the watch.
fn ignore_gone<T>(done: std::result::Result<T, kube::Error>) -> Result<()> {
    match done.map_err(Error::from) {
        Err(error) if error.is_gone() => Ok(()),
        done => done.map(drop),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pod() -> Pod {
        let value = json!({
            "metadata": {"name": "p", "labels": {"app": "service-a"}},
            "spec": {"containers": [
                {"name": "one"},
                {"name": "two", "ports": [{"name": "web", "containerPort": 8080}]},
            ]},
            "status": {"conditions": [{"type": "Ready", "status": "True"}]},
        });
        serde_json::from_value(value).unwrap()
    }

    #[test]
    fn a_service_s_port_leads_to_a_number_a_name_or_itself() {
        let of = |value: Value| serde_json::from_value::<ServicePort>(value).unwrap();
        let target = |value: Value| target_of(&of(value), &pod());
        assert_eq!(target(json!({"port": 80})), Some(80));
        assert_eq!(target(json!({"port": 80, "targetPort": 8080})), Some(8080));
        assert_eq!(target(json!({"port": 80, "targetPort": "web"})), Some(8080));
        assert_eq!(target(json!({"port": 80, "targetPort": "other"})), None);
    }

    #[test]
    fn members_are_pods_that_are_selected_and_ready() {
        let selector = BTreeMap::from([("app".to_owned(), "service-a".to_owned())]);
        assert!(selects(&selector, &pod()) && is_ready(&pod()));
        assert!(!selects(&BTreeMap::new(), &pod()), "no selector selects nothing");
        let mut going = pod();
        going.metadata.deletion_timestamp = serde_json::from_str("\"2020-05-18T20:55:53Z\"").ok();
        assert!(!is_ready(&going));
    }
}
