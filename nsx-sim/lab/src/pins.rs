//! What the guide's screens show of its cluster, where a cluster of one's own would choose by chance:
//! names, hashes, identifiers and addresses.
//!
//! The API server and the controllers give these to objects that have the guide's namespace and name,
//! NCP gives the addresses. Everything else is made as a real cluster makes it. What no screen shows
//! (some nodes, MACs, identifiers) is as in the guide's world document, which fits it to the rest.

use std::net::Ipv4Addr;

/// The cluster's name for NCP; also its principal identity at the manager [G image19].
pub const CLUSTER: &str = "pks-592ff063-c3b0-46b4-81ce-0bcfaffd6246";
/// The cluster's name for PKS, and the context in the kubeconfig `[G]`.
pub const CONTEXT: &str = "ci-cluster";

/// A worker node.
#[derive(Clone, Copy, Debug)]
pub struct Node {
    /// Its name, an id of BOSH's.
    pub name: &'static str,
    /// Its address: the source of its kubelet's probes [G image26].
    pub address: Ipv4Addr,
}

/// The workers; the third one's name is on no screen.
pub const NODES: [Node; 3] = [
    Node { name: "a60cfb28-f6d8-4022-8dcb-c202aa9335c3", address: Ipv4Addr::new(172, 16, 0, 3) },
    Node { name: "f9be16c4-7396-41c6-9c97-7b5280f165f0", address: Ipv4Addr::new(172, 16, 0, 4) },
    Node { name: "8f9fd9a8-3bdc-419d-a880-f370ca2b6f5a", address: Ipv4Addr::new(172, 16, 0, 5) },
];

/// A namespace.
#[derive(Clone, Copy, Debug)]
pub struct Namespace {
    /// Its name.
    pub name: &'static str,
    /// Its `metadata.uid`.
    pub uid: &'static str,
    /// Its first network, a /24; for a namespace without pods any will do.
    pub subnet: Option<Ipv4Addr>,
    /// Whether it is there before step 4 of the guide.
    pub initial: bool,
}

/// The namespaces of image 3.
pub static NAMESPACES: &[Namespace] = &[
    Namespace {
        name: "default",
        uid: "7b5d2f41-bf57-48b2-a01a-b53353409d8a",
        subnet: Some(Ipv4Addr::new(172, 15, 2, 0)),
        initial: true,
    },
    Namespace {
        name: "jenkinso",
        uid: "3dff20d6-7215-41f9-bf06-08b090d77c23",
        subnet: Some(Ipv4Addr::new(172, 15, 7, 0)),
        initial: true,
    },
    Namespace {
        name: "kube-node-lease",
        uid: "5a0d7f0e-8f4b-4d1c-9c53-3f6d1f0b7a41",
        subnet: None,
        initial: true,
    },
    Namespace {
        name: "kube-public",
        uid: "c1b8a6d2-4e79-4f0a-8d35-96e2b7f41c58",
        subnet: None,
        initial: true,
    },
    Namespace {
        name: "kube-system",
        uid: "eb6b3db3-ac76-4d0a-a968-aac13b55ac86",
        subnet: Some(Ipv4Addr::new(172, 15, 3, 0)),
        initial: true,
    },
    Namespace {
        name: "pks-system",
        uid: "85ea83a9-5c1c-4909-b320-b8785c5fcfac",
        subnet: Some(Ipv4Addr::new(172, 15, 5, 0)),
        initial: true,
    },
    Namespace {
        name: "x1",
        uid: "f2cb34bf-c7e1-4e3c-9c2e-8b9505bb16f3",
        subnet: Some(Ipv4Addr::new(172, 15, 23, 0)),
        initial: false,
    },
    Namespace {
        name: "y1",
        uid: "a0f9d6f5-d161-4105-bb3e-a606320e34c8",
        subnet: Some(Ipv4Addr::new(172, 15, 13, 0)),
        initial: false,
    },
    Namespace {
        name: "z1",
        uid: "e7305446-d4cb-4073-adab-63f06470c153",
        subnet: Some(Ipv4Addr::new(172, 15, 9, 0)),
        initial: false,
    },
];

/// A pod.
#[derive(Clone, Copy, Debug)]
pub struct Pod {
    /// Its namespace.
    pub namespace: &'static str,
    /// Its name; with a ReplicaSet's name before the last dash, where one made it.
    pub name: &'static str,
    /// Its `metadata.uid`.
    pub uid: &'static str,
    /// Its labels, as its port's tags tell them.
    pub labels: &'static [(&'static str, &'static str)],
    /// The node it runs on.
    pub node: &'static str,
    /// Its address.
    pub address: Ipv4Addr,
    /// The ports of its containers' probes, as the section for them tells [G image26].
    pub probes: &'static [u16],
}

/// The pods of the guide's screens; those of the namespaces x1, y1 and z1 come by its manifest.
pub static PODS: &[Pod] = &[
    Pod {
        namespace: "default",
        name: "busybox-7b87695f88-jgc4f",
        uid: "8286d020-29c7-4788-a73a-55c886d6d49c",
        labels: &[("run", "busybox"), ("pod-template-hash", "7b87695f88")],
        node: NODES[1].name,
        address: Ipv4Addr::new(172, 15, 2, 2),
        probes: &[],
    },
    Pod {
        namespace: "jenkinso",
        name: "jenkins-operator-6d5477b784-kf6mv",
        uid: "2cb0d71c-72ea-4277-bf17-5b71144bf45a",
        labels: &[("name", "jenkins-operator"), ("pod-template-hash", "6d5477b784")],
        node: NODES[0].name,
        address: Ipv4Addr::new(172, 15, 7, 2),
        probes: &[60000],
    },
    Pod {
        namespace: "jenkinso",
        name: "jenkins-example",
        uid: "b94578bf-197e-40c8-908f-646b43fcd66e",
        labels: &[("app", "jenkins-operator"), ("jenkins-cr", "example")],
        node: NODES[2].name,
        address: Ipv4Addr::new(172, 15, 7, 3),
        probes: &[8080],
    },
    Pod {
        namespace: "kube-system",
        name: "coredns-6f9bcd8956-6znfz",
        uid: "e06358cd-98b0-43ae-91c8-5cb43716d04c",
        labels: &[("k8s-app", "kube-dns"), ("pod-template-hash", "6f9bcd8956")],
        node: NODES[0].name,
        address: Ipv4Addr::new(172, 15, 3, 2),
        probes: &[8080, 8181],
    },
    Pod {
        namespace: "kube-system",
        name: "coredns-6f9bcd8956-cgl4n",
        uid: "7a119292-b4d9-4433-8f95-2e7eb5daabc0",
        labels: &[("k8s-app", "kube-dns"), ("pod-template-hash", "6f9bcd8956")],
        node: NODES[1].name,
        address: Ipv4Addr::new(172, 15, 3, 3),
        probes: &[8080, 8181],
    },
    Pod {
        namespace: "kube-system",
        name: "coredns-6f9bcd8956-kmcpc",
        uid: "b0ee33be-e9e6-4379-971e-ccb1d572eced",
        labels: &[("k8s-app", "kube-dns"), ("pod-template-hash", "6f9bcd8956")],
        node: NODES[2].name,
        address: Ipv4Addr::new(172, 15, 3, 4),
        probes: &[8080, 8181],
    },
    Pod {
        namespace: "pks-system",
        name: "fluent-bit-hxh69",
        uid: "607c4b45-f622-4474-89e7-924d82a87c7c",
        labels: &[
            ("app", "fluent-bit"),
            ("controller-revision-hash", "65cd6c5f8b"),
            ("pod-template-generation", "1"),
        ],
        node: NODES[0].name,
        address: Ipv4Addr::new(172, 15, 5, 2),
        probes: &[],
    },
    Pod {
        namespace: "pks-system",
        name: "fluent-bit-whqxw",
        uid: "73cc4748-9808-4133-b753-44557fbcf978",
        labels: &[
            ("app", "fluent-bit"),
            ("controller-revision-hash", "65cd6c5f8b"),
            ("pod-template-generation", "1"),
        ],
        node: NODES[1].name,
        address: Ipv4Addr::new(172, 15, 5, 3),
        probes: &[],
    },
    Pod {
        namespace: "pks-system",
        name: "fluent-bit-xrbzx",
        uid: "9589d4eb-54f8-4dbe-b0f0-08732d17af71",
        labels: &[
            ("app", "fluent-bit"),
            ("controller-revision-hash", "65cd6c5f8b"),
            ("pod-template-generation", "1"),
        ],
        node: NODES[2].name,
        address: Ipv4Addr::new(172, 15, 5, 4),
        probes: &[],
    },
    Pod {
        namespace: "pks-system",
        name: "validator-847cb99cc-pzhrl",
        uid: "cde38d31-e634-4077-ac8e-2de9014c79bf",
        labels: &[("app", "validator"), ("pod-template-hash", "847cb99cc")],
        node: NODES[1].name,
        address: Ipv4Addr::new(172, 15, 5, 5),
        probes: &[8080],
    },
    Pod {
        namespace: "x1",
        name: "service-a-84965f57cc-nhbrx",
        uid: "67dee814-8246-4858-9f06-9c607bbc30b5",
        labels: &[("app", "service-a"), ("pod-template-hash", "84965f57cc")],
        node: NODES[0].name,
        address: Ipv4Addr::new(172, 15, 23, 3),
        probes: &[],
    },
    Pod {
        namespace: "x1",
        name: "service-a-84965f57cc-q72fh",
        uid: "201a2565-231d-4a50-9e00-437a2bb9a6f4",
        labels: &[("app", "service-a"), ("pod-template-hash", "84965f57cc")],
        node: NODES[1].name,
        address: Ipv4Addr::new(172, 15, 23, 2),
        probes: &[],
    },
    Pod {
        namespace: "y1",
        name: "service-b-86d8c888c7-6r9kp",
        uid: "8320fb6d-b23e-4495-b6be-faa2b78e966a",
        labels: &[("app", "service-b"), ("pod-template-hash", "86d8c888c7")],
        node: NODES[2].name,
        address: Ipv4Addr::new(172, 15, 13, 2),
        probes: &[],
    },
    Pod {
        namespace: "y1",
        name: "service-b-86d8c888c7-jpwf9",
        uid: "7ae4d4ef-6ae1-4550-aaeb-97bcfe7a9974",
        labels: &[("app", "service-b"), ("pod-template-hash", "86d8c888c7")],
        node: NODES[0].name,
        address: Ipv4Addr::new(172, 15, 13, 3),
        probes: &[],
    },
    Pod {
        namespace: "z1",
        name: "service-c-5c5fc5c857-d9sqm",
        uid: "1aa9a5b3-a11d-4b2a-a14d-87d391051f4d",
        labels: &[("app", "service-c"), ("pod-template-hash", "5c5fc5c857")],
        node: NODES[1].name,
        address: Ipv4Addr::new(172, 15, 9, 2),
        probes: &[],
    },
    Pod {
        namespace: "z1",
        name: "service-c-5c5fc5c857-jxqbh",
        uid: "e6e71ec3-2b85-405d-baeb-fb3f92d5ea35",
        labels: &[("app", "service-c"), ("pod-template-hash", "5c5fc5c857")],
        node: NODES[2].name,
        address: Ipv4Addr::new(172, 15, 9, 3),
        probes: &[],
    },
    Pod {
        namespace: "z1",
        name: "service-d-69f59f4cb9-f94rs",
        uid: "60928090-b7b3-4176-a412-99401f155bf7",
        labels: &[("app", "service-d"), ("pod-template-hash", "69f59f4cb9")],
        node: NODES[0].name,
        address: Ipv4Addr::new(172, 15, 9, 4),
        probes: &[],
    },
    Pod {
        namespace: "z1",
        name: "service-d-69f59f4cb9-pkplt",
        uid: "c756fa50-b2eb-4d56-a8a4-d26c47c18f90",
        labels: &[("app", "service-d"), ("pod-template-hash", "69f59f4cb9")],
        node: NODES[1].name,
        address: Ipv4Addr::new(172, 15, 9, 5),
        probes: &[],
    },
];

/// A Deployment of the guide's manifest.
#[derive(Clone, Copy, Debug)]
pub struct Deployment {
    /// Its namespace.
    pub namespace: &'static str,
    /// Its name.
    pub name: &'static str,
    /// The `pod-template-hash` of its first ReplicaSet [G image5–7].
    pub hash: &'static str,
}

/// The Deployments of the guide's manifest.
pub static DEPLOYMENTS: &[Deployment] = &[
    Deployment { namespace: "x1", name: "service-a", hash: "84965f57cc" },
    Deployment { namespace: "y1", name: "service-b", hash: "86d8c888c7" },
    Deployment { namespace: "z1", name: "service-c", hash: "5c5fc5c857" },
    Deployment { namespace: "z1", name: "service-d", hash: "69f59f4cb9" },
];

/// A Service.
#[derive(Clone, Copy, Debug)]
pub struct Service {
    /// Its namespace.
    pub namespace: &'static str,
    /// Its name.
    pub name: &'static str,
    /// Its `spec.clusterIP`.
    pub cluster_ip: Ipv4Addr,
    /// The node port of its only port.
    pub node_port: Option<u16>,
    /// The address by which the load balancer has it.
    pub external_ip: Option<Ipv4Addr>,
}

/// The Services of the guide, and the two that every cluster of PKS has.
pub static SERVICES: &[Service] = &[
    internal("default", "kubernetes", 1),
    internal("kube-system", "kube-dns", 2),
    internal("x1", "svc-service-a", 143),
    internal("y1", "svc-service-b", 12),
    internal("z1", "svc-service-c", 117),
    internal("z1", "svc-service-d", 211),
    Service {
        node_port: Some(32650),
        external_ip: Some(Ipv4Addr::new(10, 40, 14, 50)),
        ..internal("x1", "service-a-lb", 49)
    },
];

const fn internal(namespace: &'static str, name: &'static str, host: u8) -> Service {
    let cluster_ip = Ipv4Addr::new(10, 100, 200, host);
    Service { namespace, name, cluster_ip, node_port: None, external_ip: None }
}

/// The namespace of that name, if the guide has it.
pub fn namespace(name: &str) -> Option<&'static Namespace> {
    NAMESPACES.iter().find(|own| own.name == name)
}

/// The pod of that name, if the guide has it.
pub fn pod(namespace: &str, name: &str) -> Option<&'static Pod> {
    PODS.iter().find(|own| own.namespace == namespace && own.name == name)
}

/// The Deployment of that name, if the guide has it.
pub fn deployment(namespace: &str, name: &str) -> Option<&'static Deployment> {
    DEPLOYMENTS.iter().find(|own| own.namespace == namespace && own.name == name)
}

/// The Service of that name, if the guide has it.
pub fn service(namespace: &str, name: &str) -> Option<&'static Service> {
    SERVICES.iter().find(|own| own.namespace == namespace && own.name == name)
}

/// The pods of a ReplicaSet, in the order of the screens.
pub fn pods_of<'a>(namespace: &'a str, replica_set: &'a str) -> impl Iterator<Item = &'static Pod> {
    PODS.iter().filter(move |pod| {
        let owner = pod.name.rsplit_once('-').map(|(owner, _)| owner);
        pod.namespace == namespace && owner == Some(replica_set)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_pod_is_in_its_namespace_s_network_on_a_known_node() {
        for pod in PODS {
            let network = namespace(pod.namespace).unwrap().subnet.unwrap();
            assert_eq!(pod.address.octets()[..3], network.octets()[..3], "{}", pod.name);
            assert!(NODES.iter().any(|node| node.name == pod.node));
        }
    }

    #[test]
    fn each_deployment_has_its_two_pods_and_they_its_hash() {
        for own in DEPLOYMENTS {
            let replica_set = format!("{}-{}", own.name, own.hash);
            let pods: Vec<_> = pods_of(own.namespace, &replica_set).collect();
            assert_eq!(pods.len(), 2, "{replica_set}");
            for pod in pods {
                assert!(pod.labels.contains(&("pod-template-hash", own.hash)));
            }
        }
    }
}
