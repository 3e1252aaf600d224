//! Services: their addresses and node ports are given when they are made.

use super::super::error::{Cause, Error};
use super::super::resource::Resource;
use super::super::store::Store;
use super::columns::{self, text, wide};
use super::{Admission, Rules, fill, labels, list, names, split_status, text as member, typed};
use k8s_openapi::api::core::v1::Service;
use serde_json::{Value, json};
use std::collections::BTreeSet;
use std::net::Ipv4Addr;

/// The first address of the services' range, which is a /24.
const RANGE: Ipv4Addr = Ipv4Addr::new(10, 100, 200, 0);
/// Node ports, as Kubernetes has them from the start.
const NODE_PORTS: std::ops::RangeInclusive<i64> = 30_000..=32_767;
const TYPES: [&str; 4] = ["ClusterIP", "ExternalName", "LoadBalancer", "NodePort"];

pub(crate) const RULES: Rules = Rules {
    typed: typed::<Service>,
    fields: |object| {
        let of = |path: &'static str, pointer: &str| (path, member(object, pointer).to_owned());
        vec![of("spec.clusterIP", "/spec/clusterIP"), of("spec.type", "/spec/type")]
    },
    default,
    admit,
    name: names::service,
    columns: &[
        text("Name"),
        text("Type"),
        text("Cluster-IP"),
        text("External-IP"),
        text("Port(s)"),
        text("Age"),
        wide("Selector"),
    ],
    cells,
    ..Rules::PLAIN
};

fn default(object: &mut Value) {
    fill(object, "spec", json!({}));
    let spec = &mut object["spec"];
    fill(spec, "sessionAffinity", "None");
    fill(spec, "type", "ClusterIP");
    if ["NodePort", "LoadBalancer"].contains(&member(spec, "/type")) {
        fill(spec, "externalTrafficPolicy", "Cluster");
    }
    for port in spec["ports"].as_array_mut().into_iter().flatten() {
        fill(port, "protocol", "TCP");
        let same = port["port"].clone();
        fill(port, "targetPort", same);
    }
    fill(object, "status", json!({"loadBalancer": {}}));
}

fn admit(admission: &Admission, object: &mut Value) -> Result<(), Error> {
    split_status(admission, object);
    if admission.status {
        return Ok(());
    }
    if admission.old.is_none() {
        object["status"] = json!({"loadBalancer": {}});
    }
    let name = member(object, "/metadata/name").to_owned();
    let mut causes = Vec::new();
    labels(&object["metadata"], "metadata", &mut causes);
    check(&object["spec"], &mut causes);
    address(admission, object, &mut causes);
    node_ports(admission, object, &mut causes);
    if causes.is_empty() { Ok(()) } else { Err(Error::invalid(Resource::Services, &name, &causes)) }
}

fn check(spec: &Value, causes: &mut Vec<Cause>) {
    let kind = member(spec, "/type");
    if !TYPES.contains(&kind) {
        causes.push(Cause::unsupported("spec.type", &spec["type"], &TYPES));
    }
    let ports = list(spec, "/ports");
    let headless = spec["clusterIP"] == "None";
    if ports.is_empty() && !headless && kind != "ExternalName" {
        causes.push(Cause::required("spec.ports", ""));
    }
    let (mut seen, mut named) = (BTreeSet::new(), BTreeSet::new());
    for (place, port) in ports.iter().enumerate() {
        let at = format!("spec.ports[{place}]");
        let number = port["port"].as_i64().unwrap_or_default();
        if !(1..=65_535).contains(&number) {
            let why = "must be between 1 and 65535, inclusive";
            causes.push(Cause::invalid(&format!("{at}.port"), &port["port"], why));
        }
        let name = member(port, "/name");
        if ports.len() > 1 && name.is_empty() {
            causes.push(Cause::required(&format!("{at}.name"), ""));
        } else if !name.is_empty() && !named.insert(name) {
            causes.push(Cause::duplicate(&format!("{at}.name"), &name.into()));
        }
        if !seen.insert((number, member(port, "/protocol"))) {
            causes.push(Cause::duplicate(&at, port));
        }
    }
}

/// The service's address: kept, as asked for, as pinned, or a free one.
fn address(admission: &Admission, object: &mut Value, causes: &mut Vec<Cause>) {
    if object["spec"]["type"] == "ExternalName" {
        return;
    }
    let asked = member(object, "/spec/clusterIP").to_owned();
    let had = admission.old.map(|o| member(o, "/spec/clusterIP")).unwrap_or_default();
    if !had.is_empty() {
        if asked.is_empty() || asked == had {
            object["spec"]["clusterIP"] = had.into();
        } else {
            let why = "field is immutable";
            causes.push(Cause::invalid("spec.clusterIP", &asked.into(), why));
        }
        return;
    }
    if asked == "None" {
        return;
    }
    let taken = taken(admission.store);
    let within = |a: &Ipv4Addr| a.octets()[..3] == RANGE.octets()[..3] && a.octets()[3] > 0;
    let address = if asked.is_empty() {
        pinned(object).filter(|a| !taken.contains(a)).or_else(|| free(object, &taken))
    } else {
        let parsed: Option<Ipv4Addr> = asked.parse().ok().filter(within);
        let why = match parsed {
            None => {
                "failed to allocate an IP address: the provided IP is not in the valid range. \
                     The range of valid IPs is 10.100.200.0/24"
            }
            Some(a) if taken.contains(&a) => {
                "failed to allocate an IP address: provided IP is already allocated"
            }
            some => {
                object["spec"]["clusterIP"] = some.map(|a| a.to_string()).into();
                return;
            }
        };
        causes.push(Cause::invalid("spec.clusterIP", &asked.into(), why));
        return;
    };
    match address {
        Some(address) => object["spec"]["clusterIP"] = address.to_string().into(),
        None => {
            let why = "failed to allocate an IP address: range is full";
            causes.push(Cause::invalid("spec.clusterIP", &Value::Null, why));
        }
    }
}

fn taken(store: &Store) -> BTreeSet<Ipv4Addr> {
    let (services, _) = store.list(Resource::Services, None);
    services.iter().filter_map(|s| s.field("spec.clusterIP")?.parse().ok()).collect()
}

/// What the guide's services have, so that they get it again.
fn pinned(object: &Value) -> Option<Ipv4Addr> {
    let namespace = member(object, "/metadata/namespace");
    crate::pins::service(namespace, member(object, "/metadata/name")).map(|s| s.cluster_ip)
}

/// A free address; which one follows from the name, so that the same commands give the same.
fn free(object: &Value, taken: &BTreeSet<Ipv4Addr>) -> Option<Ipv4Addr> {
    let namespace = member(object, "/metadata/namespace");
    let start = super::hash(&format!("{namespace}/{}", member(object, "/metadata/name")));
    let [a, b, c, _] = RANGE.octets();
    // The first few are left to who asks for them: .1 is the API's, .2 the DNS's.
    (0..244u32)
        .map(|n| Ipv4Addr::new(a, b, c, 11 + u8::try_from((start + n) % 244).unwrap_or_default()))
        .find(|address| {
            !taken.contains(address)
                && !crate::pins::SERVICES.iter().any(|s| s.cluster_ip == *address)
        })
}

fn node_ports(admission: &Admission, object: &mut Value, causes: &mut Vec<Cause>) {
    let wants = ["NodePort", "LoadBalancer"].contains(&member(object, "/spec/type"));
    let uid = member(object, "/metadata/uid").to_owned();
    let (namespace, name) =
        (member(object, "/metadata/namespace").to_owned(), member(object, "/metadata/name"));
    let pinned = crate::pins::service(&namespace, name).and_then(|s| s.node_port).map(i64::from);
    let mut start = i64::from(super::hash(&format!("{namespace}/{name}")) % 2_768);
    let old = admission.old.map(|o| list(o, "/spec/ports").to_vec()).unwrap_or_default();
    let mut taken: Option<BTreeSet<i64>> = None;
    for (place, port) in object["spec"]["ports"].as_array_mut().into_iter().flatten().enumerate() {
        if !wants {
            if let Some(port) = port.as_object_mut() {
                port.remove("nodePort");
            }
            continue;
        }
        let taken = taken.get_or_insert_with(|| node_ports_taken(admission.store, &uid));
        let before = old.iter().find(|o| o["port"] == port["port"]).map(|o| o["nodePort"].clone());
        let asked = port["nodePort"].as_i64().filter(|p| *p != 0);
        let number = match asked.or_else(|| before.and_then(|p| p.as_i64())) {
            Some(number) if !NODE_PORTS.contains(&number) => {
                let at = format!("spec.ports[{place}].nodePort");
                let why = "provided port is not in the valid range. The range of valid ports is \
                           30000-32767";
                causes.push(Cause::invalid(&at, &number.into(), why));
                continue;
            }
            Some(number) if taken.contains(&number) => {
                let at = format!("spec.ports[{place}].nodePort");
                causes.push(Cause::invalid(
                    &at,
                    &number.into(),
                    "provided port is already allocated",
                ));
                continue;
            }
            Some(number) => number,
            None => match pinned.filter(|p| place == 0 && !taken.contains(p)) {
                Some(pinned) => pinned,
                None => {
                    while taken.contains(&(30_000 + start)) && taken.len() < 2_768 {
                        start = (start + 1) % 2_768;
                    }
                    30_000 + start
                }
            },
        };
        taken.insert(number);
        port["nodePort"] = number.into();
    }
}

fn node_ports_taken(store: &Store, but: &str) -> BTreeSet<i64> {
    let (services, _) = store.list(Resource::Services, None);
    let others = services.iter().filter(|s| s.meta.uid != but).map(|s| s.value());
    others
        .flat_map(|s| {
            list(&s, "/spec/ports")
                .iter()
                .filter_map(|p| p["nodePort"].as_i64())
                .collect::<Vec<_>>()
        })
        .collect()
}

fn cells(object: &Value) -> Vec<Value> {
    let spec = &object["spec"];
    let kind = member(spec, "/type");
    let cluster = match member(spec, "/clusterIP") {
        "" => "<none>",
        address => address,
    };
    let ports: Vec<String> = list(spec, "/ports")
        .iter()
        .map(|p| match p["nodePort"].as_i64() {
            Some(node) if node > 0 => format!("{}:{node}/{}", p["port"], member(p, "/protocol")),
            _ => format!("{}/{}", p["port"], member(p, "/protocol")),
        })
        .collect();
    let ports = if ports.is_empty() { "<none>".to_owned() } else { ports.join(",") };
    vec![
        columns::name(object),
        kind.into(),
        cluster.into(),
        external(object, kind).into(),
        ports.into(),
        columns::age(object),
        columns::labels(&spec["selector"]),
    ]
}

fn external(object: &Value, kind: &str) -> String {
    let given: Vec<&str> =
        list(object, "/spec/externalIPs").iter().filter_map(Value::as_str).collect();
    let mut all: Vec<&str> = list(object, "/status/loadBalancer/ingress")
        .iter()
        .map(|i| match member(i, "/ip") {
            "" => member(i, "/hostname"),
            ip => ip,
        })
        .collect();
    match kind {
        "ExternalName" => member(object, "/spec/externalName").to_owned(),
        "LoadBalancer" => {
            all.extend(given);
            if all.is_empty() { "<pending>".to_owned() } else { all.join(",") }
        }
        _ if given.is_empty() => "<none>".to_owned(),
        _ => given.join(","),
    }
}
