//! What an earlier run has made: taken over where it is whole, taken away where it was left half made.

use super::Ncp;
use super::external::{allocations, release};
use super::manager::{Result, id_of, text_of};
use super::naming::{scope, tag_of};
use super::network::external_of;
use super::state::{Balanced, External, Member, Name, Port, Project, Segment, Server};
use serde_json::Value;
use std::collections::{HashMap, HashSet};
use std::net::Ipv4Addr;
use std::sync::Arc;

impl Ncp {
    /// Learns what there is.
    ///
    /// # Errors
    /// Where the manager does not answer, or does not let go of what is left.
    pub async fn adopt(&self) -> Result<()> {
        let ports = self.manager.list("/logical-ports?attachment_type=VIF".to_owned()).await?;
        let ports: Vec<_> = ports.into_iter().filter(|own| self.is_own(own)).collect();
        for port in &ports {
            self.learn_node(port);
        }
        self.adopt_networks().await?;
        self.adopt_ports(&ports).await?;
        self.adopt_rest().await?;
        self.adopt_services().await
    }

    async fn adopt_networks(&self) -> Result<()> {
        let switches = self.manager.list("/logical-switches".to_owned()).await?;
        let pools = self.manager.list("/pools/ip-pools".to_owned()).await?;
        let subnets = self.manager.list("/pools/ip-subnets".to_owned()).await?;
        let own = |objects: Vec<Value>| -> Vec<Value> {
            let of_project = |own: &Value| tag_of(own, scope::PROJECT).is_some();
            objects.into_iter().filter(|own| self.is_own(own) && of_project(own)).collect()
        };
        let (switches, pools, subnets) = (own(switches), own(pools), own(subnets));
        let by_id: HashMap<_, _> = pools.iter().map(|own| (id_of(own), own)).collect();
        let mut used = HashSet::new();
        for switch in &switches {
            let pool = by_id.get(&text_of(switch, "ip_pool_id"));
            let Some(segment) = pool.and_then(|pool| segment_of(switch, pool)) else {
                let name = text_of(switch, "display_name");
                tracing::warn!(switch = %name, "a switch of a namespace has no pool of its own");
                continue;
            };
            used.extend([segment.pool.clone(), segment.subnet.clone()]);
            let name = tag_of(switch, scope::PROJECT).unwrap_or_default();
            let uid = tag_of(switch, scope::PROJECT_UID).unwrap_or_default();
            let mut projects = self.state.projects.lock();
            let project = || Arc::new(Project::new(name, uid));
            let project = projects.entry(name.to_owned()).or_insert_with(project);
            let mut segments = project.segments.lock();
            segments.push(segment);
            segments.sort_by_key(|own| own.index);
        }
        // A namespace's network begins with its switch: what has none was left half made.
        let kept: Vec<_> = self.state.projects.lock().values().cloned().collect();
        let held: Vec<External> = kept
            .iter()
            .filter_map(|own| own.segments.lock().first().and_then(|own| own.snat.clone()))
            .collect();
        for pool in pools.iter().filter(|own| !used.contains(&id_of(own))) {
            self.manager.delete(format!("/pools/ip-pools/{}?force=true", id_of(pool))).await?;
            if let Some(own) = external_of(pool).filter(|own| !held.contains(own)) {
                release(&self.manager, &own.pool, own.address).await?;
            }
        }
        for subnet in subnets.iter().filter(|own| !used.contains(&id_of(own))) {
            self.manager.delete(format!("/pools/ip-subnets/{}", id_of(subnet))).await?;
        }
        for project in kept {
            let segments = project.segments.lock().clone();
            for segment in segments {
                self.complete(&project, &segment).await?;
            }
        }
        Ok(())
    }

    async fn adopt_ports(&self, ports: &[Value]) -> Result<()> {
        let nodes = self.state.nodes.lock().clone();
        let by_vif: HashMap<_, _> = nodes.iter().map(|(name, own)| (&*own.vif, name)).collect();
        let node = |vif: &str| by_vif.get(vif).map(|name| (*name).clone());
        for object in ports.iter().filter(|own| tag_of(own, scope::POD).is_some()) {
            let Some((name, port)) = Port::read(object, node) else {
                let name = text_of(object, "display_name");
                tracing::warn!(port = %name, "a pod's port has no address or no node, and goes");
                let path = format!("/logical-ports/{}?detach=true", id_of(object));
                self.manager.delete(path).await?;
                continue;
            };
            if let Some(node) = self.state.nodes.lock().get_mut(&port.node) {
                node.mark(port.traffic_tag);
            }
            self.adopt_port(name, port).await?;
        }
        Ok(())
    }

    /// Of two ports for one pod the one stays that was made for the pod that is there.
    async fn adopt_port(&self, name: Name, port: Port) -> Result<()> {
        let pod = self.view.pod(&name);
        let fits =
            |own: &Port| pod.as_ref().and_then(|pod| pod.metadata.uid.as_ref()) == Some(&own.uid);
        let seat = |own: &Port| {
            let project = self.state.project(&name.0);
            project.and_then(|project| project.seat(Some(own.address))).is_some()
        };
        let other = self.state.ports.lock().get(&name).cloned();
        let (stays, goes) = match other {
            None => (port, None),
            Some(other) if fits(&other) => (other, Some(port)),
            Some(other) => (port, Some(other)),
        };
        if goes.is_none() {
            seat(&stays);
        }
        if let Some(gone) = goes {
            self.manager.delete(format!("/logical-ports/{}?detach=true", gone.id)).await?;
            self.state.release_tag(&gone.node, gone.traffic_tag);
        }
        self.state.ports.lock().insert(name, stays);
        Ok(())
    }

    /// Addresses that are taken and no port has: they rest, or a process ended before they were given.
    async fn adopt_rest(&self) -> Result<()> {
        let held: HashSet<Ipv4Addr> =
            self.state.ports.lock().values().map(|own| own.address).collect();
        let projects: Vec<_> = self.state.projects.lock().values().cloned().collect();
        for project in projects {
            let segments = project.segments.lock().clone();
            for segment in segments {
                for address in allocations(&self.manager, &segment.pool).await? {
                    if held.contains(&address) {
                        continue;
                    }
                    project.seat(Some(address));
                    if !self.is_pinned(address) {
                        self.rest(&project.name, &segment, address);
                    }
                }
            }
        }
        Ok(())
    }

    async fn adopt_services(&self) -> Result<()> {
        let own = |objects: Vec<Value>| -> Vec<Value> {
            let of_service = |own: &Value| tag_of(own, scope::SERVICE).is_some();
            objects.into_iter().filter(|own| self.is_own(own) && of_service(own)).collect()
        };
        let servers = self.manager.list("/loadbalancer/virtual-servers".to_owned()).await?;
        let pools = self.manager.list("/loadbalancer/pools".to_owned()).await?;
        let (servers, pools) = (own(servers), own(pools));
        let members: HashMap<_, _> =
            pools.iter().map(|own| (id_of(own), members_of(own))).collect();
        let mut used = HashSet::new();
        for object in &servers {
            let Some((name, uid, port, vip)) = service_of(object) else { continue };
            let pool = text_of(object, "pool_id");
            used.insert(pool.clone());
            let members = members.get(&pool).cloned().unwrap_or_default();
            // Its address was to be taken next.
            if !allocations(&self.manager, &vip.pool).await?.contains(&vip.address) {
                super::external::allocate(&self.manager, &vip.pool, vip.address).await?;
            }
            let mut services = self.state.services.lock();
            let service = || Balanced { uid, vip, servers: std::collections::BTreeMap::new() };
            let service = services.entry(name).or_insert_with(service);
            service.servers.insert(port, Server { id: id_of(object), pool, members });
        }
        for pool in pools.iter().map(id_of).filter(|own| !used.contains(own)) {
            self.manager.delete(format!("/loadbalancer/pools/{pool}")).await?;
        }
        Ok(())
    }
}

/// A namespace's network, of its switch and its pool.
fn segment_of(switch: &Value, pool: &Value) -> Option<Segment> {
    let name = switch["display_name"].as_str()?;
    Some(Segment {
        index: name.rsplit_once('-')?.1.parse().ok()?,
        switch: id_of(switch),
        pool: id_of(pool),
        subnet: tag_of(pool, scope::SUBNET_ID)?.to_owned(),
        network: tag_of(pool, scope::SUBNET)?.parse().ok()?,
        snat: external_of(pool),
        used: 0,
    })
}

fn service_of(server: &Value) -> Option<(Name, String, String, External)> {
    let tag = |scope: &str| tag_of(server, scope).map(str::to_owned);
    let address = server["ip_address"].as_str()?.parse().ok()?;
    Some((
        (tag(scope::PROJECT)?, tag(scope::SERVICE)?),
        tag(scope::SERVICE_UID)?,
        tag(scope::SERVICE_PORT)?,
        External { pool: tag(scope::VIP_POOL)?, address },
    ))
}

fn members_of(pool: &Value) -> Vec<Member> {
    let members = pool["members"].as_array().into_iter().flatten();
    let mut members: Vec<_> = members
        .filter_map(|own| {
            Some(Member {
                address: own["ip_address"].as_str()?.parse().ok()?,
                port: own["port"].as_str()?.parse().ok()?,
                pod: text_of(own, "display_name"),
            })
        })
        .collect();
    members.sort();
    members
}
