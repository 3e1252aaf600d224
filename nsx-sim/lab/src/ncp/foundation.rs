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
    /// The pools that namespaces get their outside address of.
    pub external: Vec<String>,
    /// The pools that Services get theirs of.
    pub external_for_services: Vec<String>,
    /// The application profiles of virtual servers, for TCP and UDP.
    pub profiles: Option<(String, String)>,
}

impl Foundation {
    /// Looks for it: what the configuration names, or else what is tagged for this cluster or all.
    ///
    /// # Errors
    /// [`Error::Missing`] that names what is not there.
    pub async fn find(manager: &Manager, config: &Config) -> Result<Self> {
        let cluster = &config.cluster;
        let routers = manager.list("/logical-routers?router_type=TIER1".to_owned()).await?;
        let router = match &config.top_tier_router {
            Some(wanted) => named(&routers, wanted),
            None => routers.iter().find(|own| tag_of(own, scope::CLUSTER) == Some(cluster)),
        };
        let router = router.map(id_of).ok_or_else(|| missing("tier-1 router", cluster))?;

        let zones = manager.list("/transport-zones".to_owned()).await?;
        let zone = match &config.overlay_tz {
            Some(wanted) => named(&zones, wanted),
            None => zones.iter().find(|own| own["transport_type"] == "OVERLAY"),
        };
        let zone = zone.map(id_of).ok_or_else(|| missing("overlay transport zone", cluster))?;

        let blocks = manager.list("/pools/ip-blocks".to_owned()).await?;
        let blocks = chosen(&blocks, &config.container_ip_blocks, |block| is_for(block, cluster))?;
        let blocks: Vec<_> = blocks.into_iter().filter_map(block).collect();
        if blocks.is_empty() {
            return Err(missing("IP block for namespaces", cluster));
        }

        let pools = manager.list("/pools/ip-pools".to_owned()).await?;
        let is_external =
            |pool: &Value| tag_of(pool, scope::EXTERNAL).is_some() && is_for(pool, cluster);
        let ids = |pools: Vec<&Value>| pools.into_iter().map(id_of).collect::<Vec<_>>();
        let external = ids(chosen(&pools, &config.external_ip_pools, is_external)?);
        let external_for_services = match &config.external_ip_pools_lb[..] {
            [] => external.clone(),
            wanted => ids(chosen(&pools, wanted, is_external)?),
        };
        if external.is_empty() && config.enable_snat {
            return Err(missing("external IP pool", cluster));
        }

        let balancers = manager.list("/loadbalancer/services".to_owned()).await?;
        let balancer = balancers.iter().find(|own| tag_of(own, scope::CLUSTER) == Some(cluster));
        let profiles = manager.list("/loadbalancer/application-profiles".to_owned()).await?;
        let profile =
            |class: &str| profiles.iter().find(|own| own["resource_type"] == class).map(id_of);
        Ok(Self {
            overlay_zone: zone,
            router,
            balancer: balancer.map(id_of),
            blocks,
            external,
            external_for_services,
            profiles: profile("LbFastTcpProfile").zip(profile("LbFastUdpProfile")),
        })
    }
}

fn missing(what: &str, cluster: &str) -> Error {
    Error::Missing(format!("the manager has no {what} for the cluster {cluster}"))
}

/// Whether something may be used: it is tagged with this cluster, or for all.
fn is_for(object: &Value, cluster: &str) -> bool {
    match tag_of(object, scope::CLUSTER) {
        Some(own) => own == cluster,
        None => tag_of(object, scope::SHARED) == Some("true"),
    }
}

fn named<'a>(objects: &'a [Value], wanted: &str) -> Option<&'a Value> {
    objects.iter().find(|own| own["id"] == wanted || own["display_name"] == wanted)
}

/// What the configuration names, all of it, or else whatever fits.
fn chosen<'a>(
    objects: &'a [Value],
    wanted: &[String],
    fits: impl Fn(&Value) -> bool,
) -> Result<Vec<&'a Value>> {
    if wanted.is_empty() {
        return Ok(objects.iter().filter(|own| fits(own)).collect());
    }
    let one = |wanted: &String| {
        let absent = || Error::Missing(format!("the manager has no {wanted}"));
        named(objects, wanted).ok_or_else(absent)
    };
    wanted.iter().map(one).collect()
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
        let ids = |wanted: &[&str]| {
            let wanted: Vec<_> = wanted.iter().map(|own| (*own).to_owned()).collect();
            chosen(&pools, &wanted, |_| true).map(|found| found.into_iter().map(id_of).collect())
        };
        assert_eq!(ids(&["vips"]).unwrap(), ["p1"]);
        assert_eq!(ids(&[]).unwrap(), ["p1", "p2"]);
        let missing: Result<Vec<String>> = ids(&["p2", "p3"]);
        assert_eq!(missing.unwrap_err().to_string(), "the manager has no p3");
    }
}
