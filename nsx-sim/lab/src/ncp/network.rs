//! A namespace's network: a subnet of a block, a pool, a logical switch on the router, a translation.

use super::external::allocate;
use super::foundation::Block;
use super::manager::{Error, Result, id_of, text_of};
use super::naming::{Tag, object_name, project_tags, scope, tag_of};
use super::reports::ERROR;
use super::state::{External, Project, Segment, first_host};
use super::{Ncp, told};
use crate::pins::{self, Pod};
use ipnet::Ipv4Net;
use k8s_openapi::api::core::v1::Namespace;
use kube::api::{Patch, PatchParams};
use serde_json::{Value, json};
use std::net::Ipv4Addr;
use std::sync::Arc;

/// The annotation of a namespace whose pods keep their addresses on the way out.
const NO_SNAT: &str = "ncp/no_snat";
/// How many networks are looked at to get the one that is wanted.
const MOST_TRIES: usize = 256;

impl Ncp {
    /// Makes of a namespace's network what is missing, or takes it away.
    ///
    /// # Errors
    /// Where something was not done, or pods are still in a namespace that is gone.
    pub async fn sync_namespace(&self, name: &str) -> Result<()> {
        let wanted = self.view.namespace(name);
        let known = self.state.project(name);
        let uid = wanted.as_ref().and_then(|own| own.metadata.uid.clone());
        if let Some(known) = known.filter(|known| uid.as_ref() != Some(&known.uid)) {
            self.dismantle(&known).await?;
            self.state.projects.lock().remove(name);
        }
        let (Some(namespace), Some(uid)) = (wanted, uid) else { return Ok(()) };
        if namespace.metadata.deletion_timestamp.is_some() {
            return Ok(());
        }
        let project = self.project(name, &uid);
        let _growing = project.growth.lock().await;
        if project.segments.lock().is_empty() {
            self.grow(&project, &namespace).await?;
        }
        let annotations = namespace.metadata.annotations.as_ref();
        if annotations.is_some_and(|own| own.contains_key(ERROR)) {
            let patch = Patch::Merge(json!({"metadata": {"annotations": {ERROR: null}}}));
            let api = told::everywhere::<Namespace>(&self.kube);
            api.patch(name, &PatchParams::default(), &patch).await?;
        }
        Ok(())
    }

    fn project(&self, name: &str, uid: &str) -> Arc<Project> {
        let mut projects = self.state.projects.lock();
        let project = || Arc::new(Project::new(name, uid));
        projects.entry(name.to_owned()).or_insert_with(project).clone()
    }

    /// Room for a pod in a namespace, which gets a further network where all are full.
    ///
    /// # Errors
    /// [`Error::Missing`] where there is no such namespace.
    pub async fn seat(
        &self,
        name: &str,
        address: Option<Ipv4Addr>,
    ) -> Result<(Arc<Project>, Segment)> {
        let missing = || Error::Missing(format!("there is no namespace {name}"));
        let namespace = self.view.namespace(name).ok_or_else(missing)?;
        let uid = namespace.metadata.uid.clone().ok_or_else(missing)?;
        let project = self.project(name, &uid);
        if project.uid != uid {
            return Err(Error::Missing(format!("the namespace {name} is made anew")));
        }
        loop {
            if let Some(segment) = project.seat(address) {
                return Ok((project, segment));
            }
            let growing = project.growth.lock().await;
            let Some(segment) = project.seat(address) else {
                self.grow(&project, &namespace).await?;
                continue;
            };
            drop(growing);
            return Ok((project, segment));
        }
    }

    /// A further network for a namespace. What was made before something failed is taken back; a
    /// process that ends in the middle leaves it to the next start.
    async fn grow(&self, project: &Project, namespace: &Namespace) -> Result<()> {
        let (index, snat) = {
            let segments = project.segments.lock();
            let index = segments.iter().map(|own| own.index + 1).max().unwrap_or(0);
            (index, segments.first().and_then(|own| own.snat.clone()))
        };
        let pinned = pins::namespace(&project.name).filter(|_| self.config.pins);
        let wanted = pinned.and_then(|own| own.subnet).filter(|_| index == 0);
        let name = self.segment_name(project, index);
        let tags = project_tags(&self.config.cluster, &project.name, &project.uid);
        let translates = self.config.enable_snat && !keeps_addresses(namespace);
        if !translates {
            self.advertise_networks().await?;
        }
        let foundation = &self.foundation;
        let blocks = match &foundation.blocks_without_snat[..] {
            own if !translates && !own.is_empty() => own,
            _ => &foundation.blocks,
        };
        let (subnet, network) = self.carve(blocks, &name, &tags, wanted).await?;
        // All of a namespace's networks share the address that the first one got.
        let is_new = index == 0 && translates;
        let made = self.grow_on(project, (&name, &subnet, network), snat, is_new).await;
        if made.is_err() {
            self.manager.delete(format!("/pools/ip-subnets/{subnet}")).await?;
        }
        let (pool, switch, snat) = made?;
        let segment = Segment { index, switch, pool, subnet, network, snat, used: 0 };
        project.segments.lock().push(segment.clone());
        self.complete(project, &segment).await
    }

    /// Pool and switch of a network, and the address that stands for it outside.
    async fn grow_on(
        &self,
        project: &Project,
        (name, subnet, network): (&str, &str, Ipv4Net),
        snat: Option<External>,
        is_new: bool,
    ) -> Result<(String, String, Option<External>)> {
        let tags = project_tags(&self.config.cluster, &project.name, &project.uid);
        let choosing = self.state.external.lock().await;
        let snat = match snat {
            None if is_new => Some(self.free_external(&self.foundation.external).await?),
            known => known,
        };
        let mut pool_tags = tags.clone();
        pool_tags.push(Tag::new(scope::SUBNET, network.to_string()));
        pool_tags.push(Tag::new(scope::SUBNET_ID, subnet));
        pool_tags.extend(snat.iter().flat_map(external_tags));
        let pool = json!({
            "display_name": name,
            "subnets": [{
                "cidr": network.to_string(),
                "gateway_ip": first_host(network),
                "allocation_ranges": [range(network)],
            }],
            "tags": pool_tags,
        });
        // The pool says which address it means to have before that is taken: so what is taken has an
        // owner, whenever the process ends.
        let pool = id_of(&self.manager.post("/pools/ip-pools".to_owned(), pool).await?);
        let taken = match snat.as_ref().filter(|_| is_new) {
            Some(own) => allocate(&self.manager, &own.pool, own.address).await,
            None => Ok(()),
        };
        drop(choosing);
        let made = match taken {
            Ok(()) => self.switch(project, name, &pool).await,
            Err(error) => Err(error),
        };
        match made {
            Ok(switch) => Ok((pool, switch, snat)),
            Err(error) => {
                self.manager.delete(format!("/pools/ip-pools/{pool}?force=true")).await?;
                if let Some(own) = snat.filter(|_| is_new) {
                    self.give_back(&own).await?;
                }
                Err(error)
            }
        }
    }

    async fn switch(&self, project: &Project, name: &str, pool: &str) -> Result<String> {
        let body = json!({
            "display_name": name,
            "transport_zone_id": self.foundation.overlay_zone,
            "admin_state": "UP",
            "replication_mode": "MTEP",
            "ip_pool_id": pool,
            "mac_pool_id": self.foundation.mac_pool,
            "tags": project_tags(&self.config.cluster, &project.name, &project.uid),
        });
        Ok(id_of(&self.manager.post("/logical-switches".to_owned(), body).await?))
    }

    /// Joins a network to the router and has its addresses translated, as far as that is not so yet;
    /// and keeps the guide's addresses for the guide's pods.
    ///
    /// # Errors
    /// Where something was not done.
    pub async fn complete(&self, project: &Project, segment: &Segment) -> Result<()> {
        let Segment { switch, pool, network, .. } = segment;
        let name = self.segment_name(project, segment.index);
        let tags = project_tags(&self.config.cluster, &project.name, &project.uid);
        let on_switch = format!("/logical-router-ports?logical_switch_id={switch}");
        if self.manager.list(on_switch).await?.is_empty() {
            let port = self.port_for_router(&name, switch, &tags).await?;
            let body = json!({
                "resource_type": "LogicalRouterDownLinkPort",
                "display_name": name,
                "logical_router_id": self.foundation.router,
                "linked_logical_switch_port_id": {"target_type": "LogicalPort", "target_id": port},
                "subnets": [{
                    "ip_addresses": [segment.gateway()],
                    "prefix_length": network.prefix_len(),
                }],
                "tags": tags,
            });
            self.manager.post("/logical-router-ports".to_owned(), body).await?;
        }
        if let Some(snat) = &segment.snat {
            self.translate(&name, *network, snat, tags).await?;
        }
        if self.config.pins {
            let own = pinned_pods().filter(|own| own.namespace == project.name);
            for pod in own.filter(|own| network.contains(&own.address)) {
                match allocate(&self.manager, pool, pod.address).await {
                    // It is kept already.
                    Err(error) if error.is_refusal() => {}
                    done => done?,
                }
            }
        }
        Ok(())
    }

    /// The switch's port for the router; one that a process left without its router is taken.
    async fn port_for_router(&self, name: &str, switch: &str, tags: &[Tag]) -> Result<String> {
        let path = format!("/logical-ports?logical_switch_id={switch}&attachment_type=NONE");
        if let Some(left) = self.manager.list(path).await?.first() {
            return Ok(id_of(left));
        }
        let body = json!({
            "display_name": format!("{name}-to-t1"),
            "logical_switch_id": switch,
            "admin_state": "UP",
            "tags": tags,
        });
        Ok(id_of(&self.manager.post("/logical-ports".to_owned(), body).await?))
    }

    async fn translate(
        &self,
        name: &str,
        network: Ipv4Net,
        snat: &External,
        mut tags: Vec<Tag>,
    ) -> Result<()> {
        let path = format!("/logical-routers/{}/nat/rules", self.foundation.router);
        let rules = self.manager.list(path.clone()).await?;
        let source = network.to_string();
        if rules.iter().any(|rule| rule["match_source_network"] == source.as_str()) {
            return Ok(());
        }
        tags.extend(external_tags(snat));
        let body = json!({
            "display_name": name,
            "action": "SNAT",
            "match_source_network": source,
            "translated_network": snat.address,
            "tags": tags,
        });
        self.manager.post(path, body).await.map(drop)
    }

    /// A network of a block: the one that is wanted, or else the first.
    ///
    /// The manager gives the first that is free and lets nobody choose [spec IpBlockSubnet]. So what
    /// is free before the one that is wanted is taken, and given back once that is there.
    async fn carve(
        &self,
        blocks: &[Block],
        name: &str,
        tags: &[Tag],
        wanted: Option<Ipv4Addr>,
    ) -> Result<(String, Ipv4Net)> {
        let _carving = self.state.carving.lock().await;
        let post = async |block: &Block| {
            let size = 1_u64 << (32 - self.config.subnet_prefix);
            let body =
                json!({"display_name": name, "block_id": block.id, "size": size, "tags": tags});
            self.manager.post("/pools/ip-subnets".to_owned(), body).await
        };
        let mut fillers = Vec::new();
        let mut made = Err(Error::Missing("there is no IP block".to_owned()));
        let block = wanted.and_then(|wanted| {
            let block = blocks.iter().find(|own| own.cidr.contains(&wanted))?;
            Some((wanted, block))
        });
        if let Some((wanted, block)) = block {
            for _ in 0..MOST_TRIES {
                made = post(block).await;
                let found = made.as_ref().ok().and_then(network_of);
                if found.is_none_or(|found| found.network() >= wanted) {
                    break;
                }
                fillers.extend(made.as_ref().ok().map(id_of));
            }
        }
        for block in blocks {
            if made.is_ok() {
                break;
            }
            made = post(block).await;
        }
        for filler in fillers {
            self.manager.delete(format!("/pools/ip-subnets/{filler}")).await?;
        }
        let made = made?;
        let unread = || Error::Missing(format!("the subnet {} has no network", id_of(&made)));
        Ok((id_of(&made), network_of(&made).ok_or_else(unread)?))
    }

    /// Takes a namespace's networks away, once its pods are.
    async fn dismantle(&self, project: &Project) -> Result<()> {
        let left = self.state.ports.lock().keys().filter(|own| own.0 == project.name).count();
        if left > 0 {
            return Err(Error::Missing(format!("{left} pods of {} are still there", project.name)));
        }
        let _growing = project.growth.lock().await;
        let segments = project.segments.lock().clone();
        let manager = &self.manager;
        for segment in &segments {
            let Segment { switch, pool, subnet, network, .. } = segment;
            let rules = format!("/logical-routers/{}/nat/rules", self.foundation.router);
            for rule in manager.list(rules.clone()).await? {
                if rule["match_source_network"] == network.to_string().as_str() {
                    manager.delete(format!("{rules}/{}", text_of(&rule, "id"))).await?;
                }
            }
            let ports = format!("/logical-router-ports?logical_switch_id={switch}");
            for port in manager.list(ports).await? {
                manager
                    .delete(format!("/logical-router-ports/{}?force=true", id_of(&port)))
                    .await?;
            }
            let ports = format!("/logical-ports?logical_switch_id={switch}");
            for port in manager.list(ports).await? {
                manager.delete(format!("/logical-ports/{}?detach=true", id_of(&port))).await?;
            }
            manager.delete(format!("/logical-switches/{switch}?cascade=true&detach=true")).await?;
            manager.delete(format!("/pools/ip-pools/{pool}?force=true")).await?;
            manager.delete(format!("/pools/ip-subnets/{subnet}")).await?;
        }
        if let Some(snat) = segments.first().and_then(|own| own.snat.clone()) {
            self.give_back(&snat).await?;
        }
        project.segments.lock().clear();
        Ok(())
    }

    fn segment_name(&self, project: &Project, index: usize) -> String {
        object_name(&self.config.cluster, &project.name, &index.to_string())
    }

    /// Has the router tell the outside of the addresses that stand for namespaces and Services.
    ///
    /// # Errors
    /// Where the manager does not take it.
    pub async fn advertise(&self) -> Result<()> {
        self.advertising(&["enabled", "advertise_nat_routes", "advertise_lb_vip"]).await
    }

    /// Has it tell of the networks themselves, for pods that keep their addresses on the way out.
    async fn advertise_networks(&self) -> Result<()> {
        self.advertising(&["enabled", "advertise_nsx_connected_routes"]).await
    }

    async fn advertising(&self, wanted: &[&str]) -> Result<()> {
        let path = format!("/logical-routers/{}/routing/advertisement", self.foundation.router);
        let mut config = self.manager.get(path.clone()).await?;
        if wanted.iter().all(|own| config[*own] == true) {
            return Ok(());
        }
        for own in wanted {
            config[*own] = true.into();
        }
        self.manager.put(path, config).await.map(drop)
    }
}

/// The pods that get the guide's addresses: those of the world document have theirs.
pub fn pinned_pods() -> impl Iterator<Item = &'static Pod> {
    let is_later =
        |own: &&Pod| pins::namespace(own.namespace).is_some_and(|namespace| !namespace.initial);
    pins::PODS.iter().filter(is_later)
}

fn keeps_addresses(namespace: &Namespace) -> bool {
    let annotations = namespace.metadata.annotations.as_ref();
    annotations.and_then(|own| own.get(NO_SNAT)).is_some_and(|own| own.eq_ignore_ascii_case("true"))
}

fn external_tags(snat: &External) -> [Tag; 2] {
    let address = snat.address.to_string();
    [Tag::new(scope::EXTERNAL_POOL, &*snat.pool), Tag::new(scope::SNAT_IP, address)]
}

/// The outside address of a pool, as its tags tell it.
pub fn external_of(pool: &Value) -> Option<External> {
    let address = tag_of(pool, scope::SNAT_IP)?.parse().ok()?;
    Some(External { pool: tag_of(pool, scope::EXTERNAL_POOL)?.to_owned(), address })
}

/// What pods can get of a network: all but its own address, the router's and the last one.
fn range(network: Ipv4Net) -> Value {
    let last = u32::from(network.broadcast()).saturating_sub(1);
    let first = u32::from(first_host(network)).saturating_add(1);
    json!({"start": Ipv4Addr::from(first), "end": Ipv4Addr::from(last)})
}

fn network_of(subnet: &Value) -> Option<Ipv4Net> {
    text_of(subnet, "cidr").parse::<Ipv4Net>().ok().map(|own| own.trunc())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pods_get_what_is_neither_the_network_s_nor_the_router_s_nor_everybody_s() {
        let network = "172.15.23.0/24".parse().unwrap();
        assert_eq!(range(network), json!({"start": "172.15.23.2", "end": "172.15.23.254"}));
    }

    #[test]
    fn a_pool_tells_its_outside_address_by_its_tags() {
        let own = External { pool: "vips".into(), address: Ipv4Addr::new(10, 40, 14, 35) };
        assert_eq!(external_of(&json!({"tags": external_tags(&own)})), Some(own));
        assert_eq!(external_of(&json!({"tags": []})), None);
    }
}
