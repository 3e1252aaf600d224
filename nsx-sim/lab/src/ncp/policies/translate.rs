//! A NetworkPolicy in the manager's words: a group of the pods that it is about, sets of the addresses
//! that it lets through, and rules. Nothing here asks anybody.

use crate::ncp::naming::scope;
use ipnet::Ipv4Net;
use k8s_openapi::api::networking::v1::{NetworkPolicy, NetworkPolicyPeer, NetworkPolicyPort};
use k8s_openapi::apimachinery::pkg::apis::meta::v1::LabelSelector;
use k8s_openapi::apimachinery::pkg::util::intstr::IntOrString;
use kube::core::{Selector, SelectorExt};
use serde_json::{Value, json};
use std::collections::{BTreeMap, BTreeSet};
use std::net::Ipv4Addr;

/// The most expressions that one criterion of a group holds [spec NSGroupComplexExpression].
const MOST_EXPRESSIONS: usize = 5;

/// A pod that has a port.
#[derive(Clone, Debug)]
pub struct PodAt {
    /// Its namespace.
    pub namespace: String,
    /// Its labels.
    pub labels: BTreeMap<String, String>,
    /// Its address.
    pub address: Ipv4Addr,
    /// Its logical port's id.
    pub port: String,
    /// The named ports of its containers.
    pub named_ports: BTreeMap<String, u16>,
}

/// The cluster as policies see it.
#[derive(Clone, Debug, Default)]
pub struct Cluster {
    /// Its name.
    pub name: String,
    /// The labels of its namespaces.
    pub namespaces: BTreeMap<String, BTreeMap<String, String>>,
    /// Its pods.
    pub pods: Vec<PodAt>,
}

/// Which way a rule is about, seen from the policy's pods.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Way {
    /// What comes to them.
    In,
    /// What they send.
    Out,
}

/// A rule that lets something through.
#[derive(Clone, Debug, PartialEq)]
pub struct Allow {
    /// Which way.
    pub way: Way,
    /// From or to which addresses; any where there are none.
    pub peers: Option<Vec<String>>,
    /// The services; any where there are none.
    pub services: Option<Vec<Value>>,
}

/// A policy in the manager's words.
#[derive(Clone, Debug, PartialEq)]
pub struct Translated {
    /// What of a group says which pods it is about.
    pub target: Value,
    /// What it lets through.
    pub allows: Vec<Allow>,
    /// Which ways are closed to all else.
    pub isolated: Vec<Way>,
}

fn selector(wanted: &LabelSelector) -> Result<Selector, Unreadable> {
    wanted.clone().try_into().map_err(|_| Unreadable)
}

/// What a policy means in a cluster; none where its selectors are none.
pub fn translate(policy: &NetworkPolicy, cluster: &Cluster) -> Option<Translated> {
    let namespace = policy.metadata.namespace.as_deref()?;
    let spec = policy.spec.as_ref()?;
    let empty = LabelSelector::default();
    let about = spec.pod_selector.as_ref().unwrap_or(&empty);
    let chosen = selector(about).ok()?;
    let pods = cluster.pods.iter();
    let targets: Vec<_> =
        pods.filter(|own| own.namespace == namespace && chosen.matches(&own.labels)).collect();
    let mut allows = Vec::new();
    for rule in spec.ingress.iter().flatten() {
        let peers = peers_of(rule.from.as_deref(), namespace, cluster).ok()?;
        let services = services_of(rule.ports.as_deref(), &targets);
        allows.push(Allow { way: Way::In, peers, services });
    }
    for rule in spec.egress.iter().flatten() {
        let peers = peers_of(rule.to.as_deref(), namespace, cluster).ok()?;
        // A port's name is one of the pods at the other end.
        let others: Vec<_> = cluster.pods.iter().collect();
        let services = services_of(rule.ports.as_deref(), &others);
        allows.push(Allow { way: Way::Out, peers, services });
    }
    let types = spec.policy_types.as_deref().unwrap_or_default();
    let named = |word: &str| types.iter().any(|own| own == word);
    let mut isolated = Vec::new();
    if types.is_empty() || named("Ingress") {
        isolated.push(Way::In);
    }
    if named("Egress") || (types.is_empty() && spec.egress.is_some()) {
        isolated.push(Way::Out);
    }
    allows.retain(|own| isolated.contains(&own.way));
    Some(Translated { target: target(about, namespace, cluster, &targets), allows, isolated })
}

/// The group's members: by tags, which follow the pods by themselves, where a criterion can say it,
/// or else port by port.
fn target(about: &LabelSelector, namespace: &str, cluster: &Cluster, pods: &[&PodAt]) -> Value {
    let labels = about.match_labels.clone().unwrap_or_default();
    let plain = about.match_expressions.as_ref().is_none_or(Vec::is_empty);
    if plain && labels.len() + 2 <= MOST_EXPRESSIONS {
        let own = [(scope::CLUSTER, &*cluster.name), (scope::PROJECT, namespace)];
        let labels = labels.iter().map(|(key, value)| (&**key, &**value));
        let expressions: Vec<_> = own
            .into_iter()
            .chain(labels)
            .map(|(scope, tag)| {
                json!({
                    "resource_type": "NSGroupTagExpression",
                    "target_type": "LogicalPort",
                    "scope": scope,
                    "scope_op": "EQUALS",
                    "tag": tag,
                    "tag_op": "EQUALS",
                })
            })
            .collect();
        return json!({"membership_criteria": [
            {"resource_type": "NSGroupComplexExpression", "expressions": expressions},
        ]});
    }
    let one = |own: &&PodAt| {
        json!({
            "resource_type": "NSGroupSimpleExpression",
            "target_type": "LogicalPort",
            "target_property": "id",
            "op": "EQUALS",
            "value": own.port,
        })
    };
    json!({"members": pods.iter().map(one).collect::<Vec<_>>()})
}

/// A selector that can not be read; the API takes none.
struct Unreadable;

/// The addresses of peers, in order; any where a rule has no list.
fn peers_of(
    peers: Option<&[NetworkPolicyPeer]>,
    namespace: &str,
    cluster: &Cluster,
) -> Result<Option<Vec<String>>, Unreadable> {
    let Some(peers) = peers.filter(|own| !own.is_empty()) else { return Ok(None) };
    let mut addresses = BTreeSet::new();
    for peer in peers {
        if let Some(block) = &peer.ip_block {
            let Ok(cidr) = block.cidr.parse::<Ipv4Net>() else { continue };
            let except = block.except.iter().flatten();
            let except: Vec<Ipv4Net> = except.filter_map(|own| own.parse().ok()).collect();
            addresses.extend(without(cidr.trunc(), &except).iter().map(Ipv4Net::to_string));
            continue;
        }
        let pods = peer.pod_selector.clone().unwrap_or_default();
        let pods = selector(&pods)?;
        let spaces = peer.namespace_selector.as_ref().map(selector).transpose()?;
        let in_space = |own: &PodAt| match &spaces {
            None => own.namespace == namespace,
            Some(spaces) => {
                let labels = cluster.namespaces.get(&own.namespace);
                labels.is_some_and(|labels| spaces.matches(labels))
            }
        };
        let found = cluster.pods.iter().filter(|own| in_space(own) && pods.matches(&own.labels));
        addresses.extend(found.map(|own| own.address.to_string()));
    }
    Ok(Some(addresses.into_iter().collect()))
}

/// A network but for some others.
fn without(network: Ipv4Net, except: &[Ipv4Net]) -> Vec<Ipv4Net> {
    if except.iter().any(|own| own.contains(&network)) {
        return Vec::new();
    }
    let longer = network.prefix_len() + 1;
    match network.subnets(longer) {
        Ok(halves) if except.iter().any(|own| network.contains(own)) => {
            halves.flat_map(|half| without(half, except)).collect()
        }
        _ => vec![network],
    }
}

fn services_of(ports: Option<&[NetworkPolicyPort]>, pods: &[&PodAt]) -> Option<Vec<Value>> {
    let ports = ports.filter(|own| !own.is_empty())?;
    Some(ports.iter().filter_map(|own| service(own, pods)).collect())
}

fn service(port: &NetworkPolicyPort, pods: &[&PodAt]) -> Option<Value> {
    let protocol = port.protocol.as_deref().unwrap_or("TCP");
    let numbers: BTreeSet<String> = match (&port.port, port.end_port) {
        (None, _) => BTreeSet::new(),
        (Some(IntOrString::Int(first)), Some(last)) => [format!("{first}-{last}")].into(),
        (Some(IntOrString::Int(number)), None) => [number.to_string()].into(),
        (Some(IntOrString::String(name)), _) => {
            let named = pods.iter().filter_map(|own| own.named_ports.get(name));
            let named: BTreeSet<_> = named.map(u16::to_string).collect();
            // No pod has it: it lets nothing through, and an empty list would be any.
            if named.is_empty() {
                return None;
            }
            named
        }
    };
    let element = match protocol {
        "TCP" | "UDP" => json!({
            "resource_type": "L4PortSetNSService",
            "l4_protocol": protocol,
            "destination_ports": numbers,
        }),
        // SCTP's ports are not for the manager's services.
        _ => json!({"resource_type": "IPProtocolNSService", "protocol_number": 132}),
    };
    Some(json!({"service": element}))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn cluster() -> Cluster {
        let labels = |own: &[(&str, &str)]| {
            own.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect()
        };
        let pod = |namespace: &str, app: &str, last: u8| PodAt {
            namespace: namespace.to_owned(),
            labels: labels(&[("app", app)]),
            address: Ipv4Addr::new(10, 0, 0, last),
            port: format!("port-{last}"),
            named_ports: [("web".to_owned(), 8080)].into(),
        };
        Cluster {
            name: "one".to_owned(),
            namespaces: [
                ("x1".to_owned(), labels(&[("team", "x")])),
                ("y1".to_owned(), labels(&[("team", "y")])),
            ]
            .into(),
            pods: vec![pod("x1", "a", 1), pod("x1", "b", 2), pod("y1", "a", 3), pod("y1", "b", 4)],
        }
    }

    fn translated(spec: &Value) -> Translated {
        let value = json!({"metadata": {"namespace": "x1", "name": "p"}, "spec": spec});
        translate(&serde_json::from_value(value).unwrap(), &cluster()).unwrap()
    }

    fn peers(from: &Value) -> Option<Vec<String>> {
        let own = translated(&json!({"podSelector": {}, "ingress": [{"from": from}]}));
        own.allows[0].peers.clone()
    }

    #[test]
    fn peers_are_pods_of_the_policy_s_namespace_unless_namespaces_are_chosen() {
        let own =
            |list: &[u8]| Some(list.iter().map(|n| format!("10.0.0.{n}")).collect::<Vec<_>>());
        let app = |app: &str| json!({"matchLabels": {"app": app}});
        assert_eq!(peers(&json!([{"podSelector": app("a")}])), own(&[1]));
        assert_eq!(
            peers(&json!([{"namespaceSelector": {"matchLabels": {"team": "y"}}}])),
            own(&[3, 4])
        );
        let both = json!([{"namespaceSelector": {}, "podSelector": app("b")}]);
        assert_eq!(peers(&both), own(&[2, 4]));
        let either = json!([{"podSelector": app("a")}, {"podSelector": app("b")}]);
        assert_eq!(peers(&either), own(&[1, 2]));
        assert_eq!(peers(&json!([{"podSelector": app("none")}])), own(&[]), "nobody, not anybody");
        assert_eq!(peers(&json!([])), None, "anybody");
    }

    #[test]
    fn a_block_is_what_it_excepts_less() {
        let block = json!([{"ipBlock": {"cidr": "10.0.0.0/30", "except": ["10.0.0.1/32"]}}]);
        assert_eq!(peers(&block).unwrap(), ["10.0.0.0/32", "10.0.0.2/31"]);
        let none = json!([{"ipBlock": {"cidr": "10.0.0.0/30", "except": ["10.0.0.0/8"]}}]);
        assert_eq!(peers(&none).unwrap(), [""; 0]);
    }

    #[test]
    fn which_ways_are_closed_follows_from_the_types_or_else_from_the_rules() {
        let isolated = |spec: Value| translated(&spec).isolated;
        assert_eq!(isolated(json!({"podSelector": {}})), [Way::In]);
        assert_eq!(isolated(json!({"podSelector": {}, "egress": [{}]})), [Way::In, Way::Out]);
        assert_eq!(isolated(json!({"podSelector": {}, "policyTypes": ["Egress"]})), [Way::Out]);
    }

    #[test]
    fn ports_are_numbers_ranges_or_names_that_pods_have() {
        let services = |ports: Value| {
            let spec = json!({"podSelector": {}, "ingress": [{"ports": ports}]});
            translated(&spec).allows[0].services.clone()
        };
        let ports = |own: Value| {
            let found = services(json!([own])).unwrap();
            found.first().map(|own| own["service"]["destination_ports"].clone())
        };
        assert_eq!(ports(json!({"port": 80})), Some(json!(["80"])));
        assert_eq!(ports(json!({"port": 80, "endPort": 90})), Some(json!(["80-90"])));
        assert_eq!(ports(json!({"port": "web"})), Some(json!(["8080"])));
        assert_eq!(ports(json!({"protocol": "UDP"})), Some(json!([])), "any of UDP");
        assert_eq!(ports(json!({"port": "none"})), None, "no service, so not any");
        assert_eq!(services(json!([])), None, "any service");
    }

    #[test]
    fn the_group_follows_tags_where_they_can_say_which_pods() {
        let by_tags = translated(&json!({"podSelector": {"matchLabels": {"app": "a"}}})).target;
        let expressions = by_tags["membership_criteria"][0]["expressions"].as_array().unwrap();
        assert_eq!(expressions.len(), 3);
        let other = json!({"podSelector": {"matchExpressions": [
            {"key": "app", "operator": "NotIn", "values": ["a"]},
        ]}});
        let by_port = translated(&other).target;
        assert_eq!(by_port["members"][0]["value"], "port-2");
        assert_eq!(by_port["members"].as_array().unwrap().len(), 1);
    }
}
