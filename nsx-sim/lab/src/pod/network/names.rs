//! What CoreDNS answers: the names of services and pods [Kubernetes DNS specification].

use std::net::IpAddr;

use crate::pod::Host;

/// The domain of the cluster.
const DOMAIN: &str = "cluster.local";

/// The search list of a pod's `resolv.conf`, but for the pod's namespace before the first.
pub(in crate::pod) const SEARCH: [&str; 2] = ["svc.cluster.local", "cluster.local"];

/// An answer of the DNS.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Answer {
    /// The name's addresses.
    Addresses(Vec<IpAddr>),
    /// No such name, neither here nor in the world: the lab has no other DNS behind it.
    NoName,
}

/// The addresses of a name without its last dot.
pub(super) fn addresses(host: &dyn Host, name: &str) -> Answer {
    let name = name.to_ascii_lowercase();
    let Some(own) = name.strip_suffix(DOMAIN).and_then(|own| own.strip_suffix('.')) else {
        return Answer::NoName;
    };
    let labels: Vec<&str> = own.split('.').collect();
    let found = match labels.as_slice() {
        [service, namespace, "svc"] => of_service(host, namespace, service),
        [address, namespace, "pod"] => of_pod(host, namespace, address),
        _ => None,
    };
    found.map_or(Answer::NoName, Answer::Addresses)
}

/// A service's ClusterIP, or its endpoints' addresses if it has none.
fn of_service(host: &dyn Host, namespace: &str, name: &str) -> Option<Vec<IpAddr>> {
    let service = host.service(namespace, name)?;
    if let Some(address) = service.cluster_ip {
        return Some(vec![address]);
    }
    let mut all: Vec<IpAddr> = service
        .ports
        .iter()
        .flat_map(|port| host.endpoints(&service, port))
        .map(|endpoint| endpoint.address)
        .collect();
    all.sort_unstable();
    all.dedup();
    (!all.is_empty()).then_some(all)
}

/// A pod's address from the name that is made of it, such as `172-15-13-3`.
fn of_pod(host: &dyn Host, namespace: &str, label: &str) -> Option<Vec<IpAddr>> {
    let address: IpAddr = label.replace('-', ".").parse().ok()?;
    let pod = host.pod_at(address).filter(|pod| pod.namespace == namespace)?;
    pod.address.map(|address| vec![address])
}

/// The name of an address, for a question backwards: a service's alone.
pub(super) fn name_of(host: &dyn Host, address: IpAddr) -> Option<String> {
    let service = host.service_at(address).filter(|own| own.cluster_ip == Some(address))?;
    Some(format!("{}.{}.svc.{DOMAIN}", service.name, service.namespace))
}

#[cfg(test)]
mod tests {
    use super::super::super::testing::Cluster;
    use super::*;

    #[test]
    fn services_and_pods_have_names_and_nothing_else_has() {
        let host = Cluster::guide().host();
        let find = |name: &str| match addresses(&*host, name) {
            Answer::Addresses(all) => all[0].to_string(),
            Answer::NoName => String::new(),
        };
        assert_eq!(find("svc-service-b.y1.svc.cluster.local"), "10.100.200.12");
        assert_eq!(find("SVC-service-B.y1.svc.cluster.local"), "10.100.200.12");
        assert_eq!(find("172-15-13-3.y1.pod.cluster.local"), "172.15.13.3");
        for none in [
            "",
            ".",
            "svc-service-b.y1",
            "svc-service-b.x1.svc.cluster.local",
            "172-15-13-3.x1.pod.cluster.local",
            "cluster.local",
            "vmware.com",
        ] {
            assert_eq!(find(none), "", "{none}");
        }
        let backwards = name_of(&*host, "10.100.200.2".parse().unwrap());
        assert_eq!(backwards.as_deref(), Some("kube-dns.kube-system.svc.cluster.local"));
    }
}
