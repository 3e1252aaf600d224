//! Ingresses: one virtual server of layer 7 for all of them, a rule for each of their routes, a pool for
//! each backend. It is there as long as there is an Ingress.

mod translate;

use super::Ncp;
use super::external::{allocate, allocations};
use super::manager::{Error, Result, id_of, text_of};
use super::naming::{Tag, cluster_tags, scope, tag_of};
use super::policies::{CONTENT, content_of};
use super::services::{ERROR, EXHAUSTED, POOLS, SERVERS, members_json};
use super::state::External;
use super::view::name_of;
use k8s_openapi::api::networking::v1::Ingress;
use serde_json::{Value, json};
use std::collections::HashMap;
use std::net::Ipv4Addr;
use std::sync::Arc;
use translate::{Backend, is_own, routes};

const RULES: &str = "/loadbalancer/rules";
/// What the virtual server is to the Ingresses.
const SERVER: &str = "http";
/// The port for HTTP [P manifest of NCP 2.5.1: http_ingress_port].
const PORT: &str = "80";

/// What is there of a collection, by what it is to the Ingresses.
type Present = HashMap<String, Value>;

impl Ncp {
    /// Makes of the Ingresses at the load balancer what is missing, and takes away what is left.
    ///
    /// # Errors
    /// Where something was not done.
    pub async fn sync_ingresses(&self) -> Result<()> {
        let Some(balancer) = &self.foundation.balancer else { return Ok(()) };
        let mut ingresses = self.view.ingresses.state();
        ingresses.retain(|own| is_own(own));
        ingresses.sort_by_key(|own| name_of(&**own));
        let (routes, default) = routes(ingresses.iter().map(|own| &**own));
        let mut pools = self.present(POOLS).await?;
        let mut rules = self.present(RULES).await?;
        let server = self.present(SERVERS).await?.remove(SERVER);
        if ingresses.is_empty() {
            if let Some(server) = server {
                self.withdraw_ingresses(balancer, &server).await?;
            }
        } else {
            let mut ids = HashMap::new();
            for backend in routes.iter().map(|own| &own.backend).chain(&default) {
                if !ids.contains_key(backend) {
                    let pool = self.keep_pool(backend, &mut pools).await?;
                    ids.insert(backend.clone(), pool);
                }
            }
            let mut ordered = Vec::new();
            for route in &routes {
                let action =
                    json!({"type": "LbSelectPoolAction", "pool_id": ids.get(&route.backend)});
                let body = json!({
                    "phase": "HTTP_FORWARDING",
                    "match_strategy": "ALL",
                    "match_conditions": route.conditions(),
                    "actions": [action],
                });
                // The same route twice is one rule.
                let part = content_of(&body);
                let rule = self.keep_ingress_part(RULES, &part, body, &mut rules).await?;
                if !ordered.contains(&rule) {
                    ordered.push(rule);
                }
            }
            let pool = default.as_ref().and_then(|own| ids.get(own));
            let body = json!({"rule_ids": ordered, "pool_id": pool});
            match self.keep_server(server, body).await {
                Ok((id, vip)) => {
                    self.list_servers(balancer, vec![id], Vec::new()).await?;
                    self.tell_ingresses(&ingresses, vip.address).await?;
                }
                Err(Error::Missing(_)) => self.blame_ingresses(&ingresses).await?,
                Err(error) => return Err(error),
            }
        }
        for (collection, left) in [(RULES, rules), (POOLS, pools)] {
            for own in left.values() {
                self.manager.delete(format!("{collection}/{}", id_of(own))).await?;
            }
        }
        Ok(())
    }

    async fn present(&self, collection: &str) -> Result<Present> {
        let objects = self.manager.list(collection.to_owned()).await?;
        let own = objects.into_iter().filter(|own| self.is_own(own));
        let part = |own: Value| Some((tag_of(&own, scope::INGRESS_PART)?.to_owned(), own));
        Ok(own.filter_map(part).collect())
    }

    async fn keep_pool(&self, backend: &Backend, present: &mut Present) -> Result<String> {
        let Backend { namespace, service, port } = backend;
        let name = (namespace.clone(), service.clone());
        let found = self.view.service(&name);
        let spec = found.as_ref().and_then(|own| own.spec.as_ref());
        let ports = spec.iter().flat_map(|own| own.ports.iter().flatten());
        let fits = |own: &&_| is_port(own, port);
        let members = match (spec, ports.into_iter().find(fits)) {
            (Some(spec), Some(port)) => {
                let selector = spec.selector.clone().unwrap_or_default();
                self.members_of(namespace, &selector, port)
            }
            // No such Service yet: requests find nobody.
            _ => Vec::new(),
        };
        let body = json!({
            "algorithm": "ROUND_ROBIN",
            "members": members_json(&members),
            "snat_translation": {"type": "LbSnatAutoMap"},
        });
        let part = format!("{namespace}/{service}/{port}");
        self.keep_ingress_part(POOLS, &part, body, present).await
    }

    /// Has an object be there with that content, and returns its id.
    async fn keep_ingress_part(
        &self,
        collection: &str,
        part: &str,
        mut body: Value,
        present: &mut Present,
    ) -> Result<String> {
        let content = content_of(&body);
        let found = present.remove(part);
        let known = found.as_ref().and_then(|own| tag_of(own, CONTENT));
        if let (Some(own), Some(known)) = (&found, known)
            && known == content
        {
            return Ok(id_of(own));
        }
        self.mark_ingress_part(&mut body, part, content);
        match found {
            None => Ok(id_of(&self.manager.post(collection.to_owned(), body).await?)),
            Some(own) => {
                body["_revision"] = own["_revision"].clone();
                let id = id_of(&own);
                self.manager.put(format!("{collection}/{id}"), body).await?;
                Ok(id)
            }
        }
    }

    fn mark_ingress_part(&self, body: &mut Value, part: &str, content: String) {
        let cluster = &self.config.cluster;
        let mut tags = cluster_tags(cluster);
        tags.push(Tag::new(scope::INGRESS_PART, part));
        tags.push(Tag::new(CONTENT, content));
        body["display_name"] = format!("{cluster}-ingress-{}", part.replace('/', "-")).into();
        body["tags"] = json!(tags);
    }

    /// The virtual server, and its address, which it says it has before that is taken.
    async fn keep_server(
        &self,
        found: Option<Value>,
        mut body: Value,
    ) -> Result<(String, External)> {
        let content = content_of(&body);
        let known = found.as_ref().and_then(|own| tag_of(own, CONTENT)) == Some(&content);
        let vip = match &found {
            Some(own) => vip_of(own)?,
            None => self.free_external(&self.foundation.external_for_services).await?,
        };
        let mut id = found.as_ref().map(id_of).unwrap_or_default();
        if !known {
            self.mark_ingress_part(&mut body, SERVER, content);
            if let Some(tags) = body["tags"].as_array_mut() {
                tags.push(json!(Tag::new(scope::VIP_POOL, &*vip.pool)));
            }
            body["ip_address"] = json!(vip.address);
            body["ports"] = json!([PORT]);
            body["ip_protocol"] = "TCP".into();
            body["application_profile_id"] = json!(self.foundation.http_profile);
            match &found {
                Some(own) => {
                    body["_revision"] = own["_revision"].clone();
                    self.manager.put(format!("{SERVERS}/{id}"), body).await?;
                }
                None => id = id_of(&self.manager.post(SERVERS.to_owned(), body).await?),
            }
        }
        if !allocations(&self.manager, &vip.pool).await?.contains(&vip.address) {
            allocate(&self.manager, &vip.pool, vip.address).await?;
        }
        Ok((id, vip))
    }

    async fn withdraw_ingresses(&self, balancer: &str, server: &Value) -> Result<()> {
        let id = id_of(server);
        self.list_servers(balancer, Vec::new(), vec![id.clone()]).await?;
        self.manager.delete(format!("{SERVERS}/{id}")).await?;
        self.give_back(&vip_of(server)?).await
    }

    /// Tells Ingresses their address.
    async fn tell_ingresses(&self, ingresses: &[Arc<Ingress>], address: Ipv4Addr) -> Result<()> {
        for ingress in ingresses {
            let name = name_of(&**ingress);
            self.tell_error::<Ingress>(&name, error_of(ingress), None).await?;
            let balancer = ingress.status.as_ref().and_then(|own| own.load_balancer.as_ref());
            let told = balancer.and_then(|own| own.ingress.as_ref()?.first()?.ip.as_deref());
            if told != Some(&*address.to_string()) {
                self.tell_address::<Ingress>(&name, address).await?;
            }
        }
        Ok(())
    }

    /// Tells them that there is no address.
    async fn blame_ingresses(&self, ingresses: &[Arc<Ingress>]) -> Result<()> {
        for ingress in ingresses {
            let name = name_of(&**ingress);
            self.tell_error::<Ingress>(&name, error_of(ingress), Some(EXHAUSTED)).await?;
        }
        Ok(())
    }
}

/// Why an Ingress was told to have no address.
fn error_of(ingress: &Ingress) -> Option<&str> {
    ingress.metadata.annotations.as_ref()?.get(ERROR).map(String::as_str)
}

/// Whether a Service's port is meant by its name or its number.
fn is_port(own: &k8s_openapi::api::core::v1::ServicePort, wanted: &str) -> bool {
    own.name.as_deref() == Some(wanted) || own.port.to_string() == wanted
}

fn vip_of(server: &Value) -> Result<External> {
    let lost =
        || Error::Missing("the virtual server for Ingresses has lost its address".to_owned());
    let address = text_of(server, "ip_address").parse().map_err(|_| lost())?;
    let pool = tag_of(server, scope::VIP_POOL).ok_or_else(lost)?.to_owned();
    Ok(External { pool, address })
}
