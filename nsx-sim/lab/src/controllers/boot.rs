//! What the cluster has before anybody types: nodes, namespaces, the services of the system, and the
//! pods of the guide's screens.

use super::status::owned_by;
use crate::api::error::Error;
use crate::api::kinds::template;
use crate::api::store::timestamp;
use crate::api::{Options, Resource, Store};
use crate::pins;
use k8s_openapi::jiff::Timestamp;
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::net::Ipv4Addr;

/// How old the cluster is: 12 days, as on the screens.
const AGE: i64 = 12 * 86_400 + 3_600;
/// How old what came a day later is.
const LATER: i64 = AGE - 86_400;
/// How many pods a node takes.
const ROOM: &str = "110";

/// Makes all of it.
pub fn fill(store: &Store, options: &Options) -> Result<(), Error> {
    let named = pins::NODES.iter().map(|n| (n.name.to_owned(), n.address));
    let nodes: Vec<(String, Ipv4Addr)> =
        if options.nodes.is_empty() { named.collect() } else { options.nodes.clone() };
    for (name, address) in &nodes {
        store.create(Resource::Nodes, node(name, *address, &options.version))?;
    }
    for own in pins::NAMESPACES.iter().filter(|n| n.initial) {
        let system = matches!(own.name, "jenkinso" | "pks-system");
        if system && !options.guide {
            continue;
        }
        let age = if system { LATER } else { AGE };
        store.create(
            Resource::Namespaces,
            json!({
                "metadata": {"name": own.name, "uid": own.uid, "creationTimestamp": ago(age)},
                "spec": {"finalizers": ["kubernetes"]},
                "status": {"phase": "Active"},
            }),
        )?;
    }
    services(store)?;
    if options.guide {
        workloads(store)?;
    }
    Ok(())
}

fn ago(seconds: i64) -> String {
    let at = Timestamp::from_second(Timestamp::now().as_second() - seconds);
    timestamp(at.unwrap_or_default())
}

fn node(name: &str, address: Ipv4Addr, version: &str) -> Value {
    let resources = json!({"cpu": "2", "ephemeral-storage": "16446332Ki", "memory": "8167848Ki",
                           "pods": ROOM});
    let condition = |kind: &str, status: &str, reason: &str, message: &str| {
        json!({"type": kind, "status": status, "reason": reason, "message": message,
               "lastHeartbeatTime": ago(0), "lastTransitionTime": ago(AGE)})
    };
    let fine = |kind: &str, has: &str| {
        let message = format!("kubelet has {has} available");
        condition(
            kind,
            "False",
            &format!("KubeletHasSufficient{}", &kind[..kind.len() - 8]),
            &message,
        )
    };
    json!({
        "metadata": {
            "name": name,
            "creationTimestamp": ago(AGE),
            "labels": {
                "beta.kubernetes.io/arch": "amd64", "beta.kubernetes.io/os": "linux",
                "bosh.id": name, "kubernetes.io/arch": "amd64", "kubernetes.io/hostname": address.to_string(),
                "kubernetes.io/os": "linux", "spec.ip": address.to_string(),
            },
        },
        "spec": {},
        "status": {
            "capacity": resources,
            "allocatable": resources,
            "addresses": [{"type": "InternalIP", "address": address.to_string()},
                          {"type": "Hostname", "address": address.to_string()}],
            "conditions": [
                fine("MemoryPressure", "sufficient memory"),
                fine("DiskPressure", "no disk pressure"),
                fine("PIDPressure", "sufficient PID"),
                condition("Ready", "True", "KubeletReady", "kubelet is posting ready status"),
            ],
            "nodeInfo": {
                "architecture": "amd64", "bootID": "", "containerRuntimeVersion": "docker://18.9.9",
                "kernelVersion": "4.15.0-96-generic", "kubeProxyVersion": version,
                "kubeletVersion": version, "machineID": name.replace('-', ""),
                "operatingSystem": "linux", "osImage": "Ubuntu 16.04.6 LTS", "systemUUID": name,
            },
        },
    })
}

fn services(store: &Store) -> Result<(), Error> {
    for own in &pins::SERVICES[..2] {
        let dns = own.name == "kube-dns";
        let port = |name: &str, protocol: &str, port: u16, target: u16| json!({"name": name, "protocol": protocol, "port": port, "targetPort": target});
        let ports = if dns {
            json!([port("dns", "UDP", 53, 53), port("dns-tcp", "TCP", 53, 53)])
        } else {
            json!([port("https", "TCP", 443, 8443)])
        };
        let labels = if dns {
            json!({"k8s-app": "kube-dns", "kubernetes.io/name": "CoreDNS"})
        } else {
            json!({"component": "apiserver", "provider": "kubernetes"})
        };
        let mut service = json!({
            "metadata": {"name": own.name, "namespace": own.namespace, "labels": labels,
                         "creationTimestamp": ago(AGE)},
            "spec": {"type": "ClusterIP", "sessionAffinity": "None", "ports": ports,
                     "clusterIP": own.cluster_ip.to_string()},
            "status": {"loadBalancer": {}},
        });
        if dns {
            service["spec"]["selector"] = json!({"k8s-app": "kube-dns"});
        }
        store.create(Resource::Services, service)?;
    }
    Ok(())
}

/// The pods of the screens; those with a hash in their labels belong to a deployment.
fn workloads(store: &Store) -> Result<(), Error> {
    let known = |p: &&pins::Pod| pins::namespace(p.namespace).is_some_and(|n| n.initial);
    let mut sets: BTreeMap<(&str, &str), Vec<&pins::Pod>> = BTreeMap::new();
    for pod in pins::PODS.iter().filter(known) {
        let hash = pod.labels.iter().find(|(key, _)| *key == HASH).map(|(_, hash)| *hash);
        let owner =
            hash.and_then(|h| Some(pod.name.rsplit_once('-')?.0).filter(|o| o.ends_with(h)));
        match owner {
            Some(owner) => sets.entry((pod.namespace, owner)).or_default().push(pod),
            None => drop(store.create(Resource::Pods, self::pod(pod, None))?),
        }
    }
    for ((namespace, name), pods) in sets {
        let Some(first) = pods.first() else { continue };
        let (set, deployment) = deployment(namespace, name, first, pods.len());
        let deployment = store.create(Resource::Deployments, deployment)?.value();
        let mut set = set;
        set["metadata"]["ownerReferences"] = owned_by(&deployment);
        let set = store.create(Resource::ReplicaSets, set)?.value();
        for own in pods {
            store.create(Resource::Pods, pod(own, Some(&set)))?;
        }
    }
    Ok(())
}

const HASH: &str = "pod-template-hash";

fn labels(pod: &pins::Pod) -> Value {
    pod.labels.iter().map(|(key, value)| ((*key).to_owned(), Value::from(*value))).collect()
}

fn deployment(namespace: &str, set: &str, first: &pins::Pod, replicas: usize) -> (Value, Value) {
    let name = set.rsplit_once('-').map_or(set, |(name, _)| name);
    let with_hash = labels(first);
    let mut without = with_hash.clone();
    if let Some(members) = without.as_object_mut() {
        members.remove(HASH);
    }
    let object = |name: &str, labels: &Value| {
        json!({
            "metadata": {"name": name, "namespace": namespace, "labels": labels,
                         "creationTimestamp": ago(created(namespace)),
                         "annotations": {"deployment.kubernetes.io/revision": "1"}},
            "spec": {
                "replicas": replicas,
                "selector": {"matchLabels": labels},
                "template": {"metadata": {"labels": labels}, "spec": spec(first)},
            },
            "status": {},
        })
    };
    let mut own = object(name, &without);
    own["spec"]["revisionHistoryLimit"] = 10.into();
    own["spec"]["progressDeadlineSeconds"] = 600.into();
    own["spec"]["strategy"] = json!({"type": "RollingUpdate",
        "rollingUpdate": {"maxUnavailable": "25%", "maxSurge": "25%"}});
    let mut set = object(set, &with_hash);
    // Its pods are there: it has not to make them.
    set["status"] = json!({"replicas": replicas, "observedGeneration": 1});
    (set, own)
}

fn created(namespace: &str) -> i64 {
    if matches!(namespace, "jenkinso" | "pks-system") { LATER } else { AGE }
}

fn pod(own: &pins::Pod, set: Option<&Value>) -> Value {
    let mut pod = json!({
        "metadata": {"name": own.name, "namespace": own.namespace, "uid": own.uid,
                     "labels": labels(own), "creationTimestamp": ago(created(own.namespace))},
        "spec": spec(own),
        "status": {"phase": "Pending", "qosClass": "BestEffort"},
    });
    pod["spec"]["nodeName"] = own.node.into();
    pod["spec"]["enableServiceLinks"] = true.into();
    if let Some(set) = set {
        pod["metadata"]["generateName"] =
            format!("{}-", set["metadata"]["name"].as_str().unwrap_or_default()).into();
        pod["metadata"]["ownerReferences"] = owned_by(set);
    }
    pod
}

/// One container, named as the pod is without what makes its name its own; its probes are those that
/// the section for them tells.
fn spec(own: &pins::Pod) -> Value {
    let (name, image, ports): (&str, &str, &[u16]) = match own.name {
        n if n.starts_with("coredns") => {
            ("coredns", "gcr.io/google_containers/coredns:1.6.2", &[53])
        }
        n if n.starts_with("busybox") => ("busybox", "yauritux/busybox-curl", &[]),
        n if n.starts_with("fluent-bit") => ("fluent-bit", "vmware/fluent-bit:1.3.2", &[]),
        n if n.starts_with("validator") => ("validator", "vmware/pks-validator:1.0.0", &[8080]),
        n if n.starts_with("jenkins-operator") => {
            ("jenkins-operator", "virtuslab/jenkins-operator:v0.4.0", &[60_000])
        }
        _ => ("jenkins-master", "jenkins/jenkins:lts", &[8080]),
    };
    let mut container = json!({"name": name, "image": image});
    if name == "busybox" {
        container["command"] = json!(["sleep", "9600"]);
    }
    let mut declared: Vec<Value> = ports.iter().map(|p| json!({"containerPort": p})).collect();
    if name == "coredns" {
        declared = vec![
            json!({"name": "dns", "containerPort": 53, "protocol": "UDP"}),
            json!({"name": "dns-tcp", "containerPort": 53}),
        ];
    }
    if !declared.is_empty() {
        container["ports"] = declared.into();
    }
    let probe = |port: &u16, path: &str| json!({"httpGet": {"port": port, "path": path}});
    if let Some(port) = own.probes.first() {
        container["livenessProbe"] = probe(port, "/health");
    }
    if let Some(port) = own.probes.get(1) {
        container["readinessProbe"] = probe(port, "/ready");
    }
    let mut spec = json!({"containers": [container]});
    template::default(&mut spec);
    spec
}
