//! What NCP finds at the manager and does not make: what the platform has made for the cluster.

use super::config::Config;
use super::manager::{Error, Manager, Result, id_of, text_of};
use super::naming::{scope, tag_of};
use ipnet::Ipv4Net;
use serde_json::Value;

/// A block that networks of namespaces are carved out of.
#[derive(Clone, Debug)]
pub struct Block {
    /// Its id.
    pub id: String,
    /// Its addresses.
    pub cidr: Ipv4Net,
}

/// What is there before NCP, by id.
#[derive(Clone, Debug)]
pub struct Foundation {
    /// The transport zone of the namespaces' switches.
    pub overlay_zone: String,
    /// The router that the namespaces' switches are on.
    pub router: String,
    /// The load balancer; without one Services stay pending.
    pub balancer: Option<String>,
    /// The blocks for namespaces, in the order of use.
    pub blocks: Vec<Block>,
    /// The blocks for namespaces without SNAT.
    pub blocks_without_snat: Vec<Block>,
    /// The pools that namespaces get their outside address of.
    pub external: Vec<String>,
    /// The pools that Services get theirs of.
    pub external_for_services: Vec<String>,
    /// The pool of ports' MAC addresses.
    pub mac_pool: Option<String>,
    /// The application profiles of virtual servers, for TCP and UDP.
    pub profiles: Option<(String, String)>,
    /// The application profile of the virtual server for Ingresses.
    pub http_profile: Option<String>,
}

impl Foundation {
    /// Looks for it: what the configuration names, or else what is tagged for this cluster or all.
    ///
    /// # Errors
    /// [`Error::Missing`] that names all that is not there, and how it comes to be.
    pub async fn find(manager: &Manager, config: &Config) -> Result<Self> {
        let cluster = &*config.cluster;
        let mut lack = Lack { cluster, lines: Vec::new() };

        let routers = manager.list("/logical-routers".to_owned()).await?;
        let router = router_of(&routers, config).map(id_of);
        if router.is_none() {
            lack.tagged("tier-1 router", "--top-tier-router", scope::CLUSTER, cluster);
        }
        let zones = manager.list("/transport-zones".to_owned()).await?;
        let zone = match &config.overlay_tz {
            Some(wanted) => named(&zones, wanted),
            None => zones.iter().find(|own| own["transport_type"] == "OVERLAY"),
        };
        if zone.is_none() {
            let zone = config.overlay_tz.as_deref().unwrap_or("of type OVERLAY");
            lack.lines.push(format!(
                "transport zone {zone}: make one (POST /api/v1/transport-zones), or name another by \
                 --overlay-tz"
            ));
        }

        let blocks = manager.list("/pools/ip-blocks".to_owned()).await?;
        let is_block = |block: &Value| is_for(block, cluster);
        let mut read = |wanted: &[String], or_tagged: bool| -> Vec<Block> {
            let found = chosen(&blocks, wanted, |own| or_tagged && is_block(own));
            let found = found.unwrap_or_else(|absent| lack.named("IP block", &absent));
            found.into_iter().filter_map(block).collect()
        };
        let blocks_without_snat = read(&config.no_snat_ip_blocks, false);
        let blocks = read(&config.container_ip_blocks, true);
        if blocks.is_empty() && config.container_ip_blocks.is_empty() {
            lack.tagged("IP block", "--container-ip-blocks", scope::CLUSTER, cluster);
        }

        let pools = manager.list("/pools/ip-pools".to_owned()).await?;
        let is_external =
            |pool: &Value| tag_of(pool, scope::EXTERNAL).is_some() && is_for(pool, cluster);
        let mut read = |wanted: &[String]| -> Vec<String> {
            let found = chosen(&pools, wanted, is_external);
            let found = found.unwrap_or_else(|absent| lack.named("IP pool", &absent));
            found.into_iter().map(id_of).collect()
        };
        let external = read(&config.external_ip_pools);
        let external_for_services = match &config.external_ip_pools_lb[..] {
            [] => external.clone(),
            wanted => read(wanted),
        };
        if external.is_empty() && config.external_ip_pools.is_empty() && config.enable_snat {
            lack.tagged("external IP pool", "--external-ip-pools", scope::EXTERNAL, "true");
        }

        let balancers = manager.list("/loadbalancer/services".to_owned()).await?;
        let balancer = balancers.iter().find(|own| tag_of(own, scope::CLUSTER) == Some(cluster));
        let profiles = manager.list("/loadbalancer/application-profiles".to_owned()).await?;
        let profile =
            |class: &str| profiles.iter().find(|own| own["resource_type"] == class).map(id_of);
        let mac_pools = manager.list("/pools/mac-pools".to_owned()).await?;
        let (Some(router), Some(zone), true) = (router, zone, lack.lines.is_empty()) else {
            return Err(lack.told());
        };
        Ok(Self {
            overlay_zone: id_of(zone),
            router,
            balancer: balancer.map(id_of),
            blocks,
            blocks_without_snat,
            external,
            external_for_services,
            mac_pool: mac_pools.first().map(id_of),
            http_profile: profile("LbHttpProfile"),
            profiles: profile("LbFastTcpProfile").zip(profile("LbFastUdpProfile")),
        })
    }
}

/// What is not there.
struct Lack<'a> {
    cluster: &'a str,
    lines: Vec<String>,
}

impl Lack<'_> {
    /// Something that would be found by a tag.
    fn tagged(&mut self, what: &str, option: &str, scope: &str, tag: &str) {
        let cluster = self.cluster;
        let also = if scope == scope::EXTERNAL {
            format!(" and {}={cluster} (or {}=true)", scope::CLUSTER, scope::SHARED)
        } else {
            String::new()
        };
        self.lines.push(format!("{what}: tag one {scope}={tag}{also}, or name one by {option}"));
    }

    /// Something that is named.
    fn named<T>(&mut self, what: &str, name: &str) -> Vec<T> {
        self.lines.push(format!("{what} {name}: none has that id or name"));
        Vec::new()
    }

    fn told(self) -> Error {
        let lines: Vec<_> = self.lines.iter().map(|line| format!("\n  {line}")).collect();
        Error::Missing(format!(
            "the manager lacks what the cluster {} needs:{}\nWith --prepare NCP makes what is missing \
             beneath an overlay zone and, for the way out, a tier-0 router.",
            self.cluster,
            lines.concat()
        ))
    }
}

/// The tier-1 router that is named, or else the cluster's own.
fn router_of<'a>(routers: &'a [Value], config: &Config) -> Option<&'a Value> {
    let named = config.top_tier_router.as_ref().map(|wanted| named(routers, wanted));
    match named {
        Some(None) => None,
        Some(Some(named)) if named["router_type"] == "TIER1" => Some(named),
        Some(_) | None => own_router(routers, &config.cluster),
    }
}

/// The tier-1 router tagged with a cluster.
pub fn own_router<'a>(routers: &'a [Value], cluster: &str) -> Option<&'a Value> {
    let own = |own: &&Value| {
        own["router_type"] == "TIER1" && tag_of(own, scope::CLUSTER) == Some(cluster)
    };
    routers.iter().find(own)
}

/// Whether something may be used: it is tagged with this cluster, or for all.
fn is_for(object: &Value, cluster: &str) -> bool {
    match tag_of(object, scope::CLUSTER) {
        Some(own) => own == cluster,
        None => tag_of(object, scope::SHARED) == Some("true"),
    }
}

/// The object of that id or name.
pub fn named<'a>(objects: &'a [Value], wanted: &str) -> Option<&'a Value> {
    objects.iter().find(|own| own["id"] == wanted || own["display_name"] == wanted)
}

/// What the configuration names, or else whatever fits; the name of the first that is not there.
fn chosen<'a>(
    objects: &'a [Value],
    wanted: &[String],
    fits: impl Fn(&Value) -> bool,
) -> std::result::Result<Vec<&'a Value>, String> {
    if wanted.is_empty() {
        return Ok(objects.iter().filter(|own| fits(own)).collect());
    }
    wanted.iter().map(|wanted| named(objects, wanted).ok_or_else(|| wanted.clone())).collect()
}

fn block(object: &Value) -> Option<Block> {
    Some(Block { id: id_of(object), cidr: text_of(object, "cidr").parse().ok()? })
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn what_is_another_cluster_s_is_not_taken() {
        let of = |scope: &str, tag: &str| json!({"tags": [{"scope": scope, "tag": tag}]});
        assert!(is_for(&of("ncp/cluster", "one"), "one"));
        assert!(!is_for(&of("ncp/cluster", "two"), "one"));
        assert!(is_for(&of("ncp/shared_resource", "true"), "one"));
        assert!(!is_for(&json!({}), "one"));
    }

    #[test]
    fn what_is_named_must_be_there() {
        let pools = [json!({"id": "p1", "display_name": "vips"}), json!({"id": "p2"})];
        let ids = |wanted: &[&str]| -> std::result::Result<Vec<String>, String> {
            let wanted: Vec<_> = wanted.iter().map(|own| (*own).to_owned()).collect();
            chosen(&pools, &wanted, |_| true).map(|found| found.into_iter().map(id_of).collect())
        };
        assert_eq!(ids(&["vips"]).unwrap(), ["p1"]);
        assert_eq!(ids(&[]).unwrap(), ["p1", "p2"]);
        assert_eq!(ids(&["p2", "p3"]).unwrap_err(), "p3");
    }

    #[test]
    fn a_tier_0_router_that_is_named_stands_above_the_cluster_s_own() {
        let own = json!([{"scope": "ncp/cluster", "tag": "one"}]);
        let routers = [
            json!({"id": "t0", "router_type": "TIER0"}),
            json!({"id": "t1", "router_type": "TIER1"}),
            json!({"id": "own", "router_type": "TIER1", "tags": own}),
        ];
        let found = |wanted: Option<&str>| {
            let top_tier_router = wanted.map(str::to_owned);
            let config = Config { cluster: "one".into(), top_tier_router, ..Config::default() };
            router_of(&routers, &config).map(id_of)
        };
        assert_eq!(found(None).as_deref(), Some("own"));
        assert_eq!(found(Some("t0")).as_deref(), Some("own"));
        assert_eq!(found(Some("t1")).as_deref(), Some("t1"));
        assert_eq!(found(Some("t2")), None);
    }
}
