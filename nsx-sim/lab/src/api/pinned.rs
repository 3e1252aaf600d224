//! What the guide's screens show of services: names that get the same addresses again.

use std::net::Ipv4Addr;

/// Namespace, name, address, node port.
const SERVICES: [(&str, &str, u8, Option<u16>); 7] = [
    ("default", "kubernetes", 1, None),
    ("kube-system", "kube-dns", 2, None),
    ("x1", "svc-service-a", 143, None),
    ("y1", "svc-service-b", 12, None),
    ("z1", "svc-service-c", 117, None),
    ("z1", "svc-service-d", 211, None),
    ("x1", "service-a-lb", 49, Some(32_650)),
];

/// The address that a service of this name has.
pub fn service_address(namespace: &str, name: &str) -> Option<Ipv4Addr> {
    find(namespace, name).map(|(.., last, _)| Ipv4Addr::new(10, 100, 200, *last))
}

/// Whether some service of the guide has this address.
pub fn is_service_address(address: Ipv4Addr) -> bool {
    SERVICES.iter().any(|(.., last, _)| Ipv4Addr::new(10, 100, 200, *last) == address)
}

/// The node port that a service of this name has.
pub fn node_port(namespace: &str, name: &str) -> Option<u16> {
    find(namespace, name).and_then(|(.., port)| *port)
}

fn find(
    namespace: &str,
    name: &str,
) -> Option<&'static (&'static str, &'static str, u8, Option<u16>)> {
    SERVICES.iter().find(|(ns, n, ..)| (*ns, *n) == (namespace, name))
}
