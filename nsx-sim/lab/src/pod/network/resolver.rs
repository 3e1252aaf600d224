//! The resolver of a container's C library: search list, servers, patience.

use std::net::{IpAddr, SocketAddr};
use std::time::Duration;

use tokio::time::sleep;

use super::names::{self, Answer};
use super::{Libc, Network, Reply, SEARCH, ephemeral_port};
use crate::pod::Dns;
use crate::pod::host::Transport;
use crate::pod::wire::{Fate, Packet};

/// Names with fewer dots are tried with the search list first [kubelet's resolv.conf].
const NDOTS: usize = 5;
/// How long an answer is waited for, and how often a question is asked [resolv.conf(5)].
const TIMEOUT: Duration = Duration::from_secs(5);
/// Likewise.
const ATTEMPTS: usize = 2;
/// The port of DNS.
const DNS_PORT: u16 = 53;

/// A name that was found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::pod) struct Resolved {
    /// The name that had the addresses.
    pub(in crate::pod) name: String,
    /// The first of its addresses.
    pub(in crate::pod) address: IpAddr,
}

/// Why a name was not found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::pod) enum LookupError {
    /// The server knows no such name.
    NoName,
    /// No server answered.
    NoServer,
}

/// What one question gave.
enum Asked {
    Answered(Answer),
    Refused,
    Silent,
}

impl Network {
    /// Finds the address of a name, or takes an address as it is.
    pub(in crate::pod) async fn resolve(&self, name: &str) -> Result<Resolved, LookupError> {
        let known = |address| Ok(Resolved { name: name.to_owned(), address });
        if let Ok(address) = name.trim_matches(['[', ']']).parse() {
            return known(address);
        }
        if name == "localhost" {
            return known(IpAddr::from([127, 0, 0, 1]));
        }
        if let Some(address) = self.address().filter(|_| name == self.pod) {
            return known(address);
        }
        if self.nameserver().is_none() {
            return Err(LookupError::NoName);
        }
        for candidate in self.candidates(name) {
            match self.ask_for(&candidate).await {
                Some(Answer::Addresses(all)) => {
                    if let Some(&address) = all.first() {
                        return Ok(Resolved { name: candidate, address });
                    }
                }
                Some(Answer::NoName) => {}
                None if self.libc == Libc::Musl => return Err(LookupError::NoServer),
                None => {
                    // The search ends where no server answers; the name alone is still asked for.
                    if candidate != name {
                        self.ask_for(name).await;
                    }
                    return Err(LookupError::NoServer);
                }
            }
        }
        Err(LookupError::NoName)
    }

    /// The names to ask for, in order.
    fn candidates(&self, name: &str) -> Vec<String> {
        if let Some(whole) = name.strip_suffix('.') {
            return vec![whole.to_owned()];
        }
        let searched = std::iter::once(format!("{name}.{}.{}", self.namespace, SEARCH[0]))
            .chain(SEARCH.iter().map(|domain| format!("{name}.{domain}")));
        let own = std::iter::once(name.to_owned());
        if name.matches('.').count() < NDOTS {
            searched.chain(own).collect()
        } else {
            own.chain(searched).collect()
        }
    }

    /// Asks for both families' addresses of one name, from one socket. Nothing if nobody answered.
    async fn ask_for(&self, name: &str) -> Option<Answer> {
        let answer = || names::addresses(&*self.runtime.host, name);
        for _ in 0..ATTEMPTS {
            let port = ephemeral_port();
            let asked = self.ask(port, answer).await;
            // The other family's question goes along; services have no addresses of it.
            let other = self.ask(port, || Answer::NoName).await;
            match (asked, other) {
                (Asked::Answered(answer), _) => return Some(answer),
                (Asked::Refused, _) if self.libc == Libc::Gnu => {}
                _ => sleep(TIMEOUT).await,
            }
        }
        None
    }

    /// The name of an address.
    pub(in crate::pod) async fn reverse(&self, address: IpAddr) -> Option<String> {
        let mut name = None;
        let answer = || {
            name = names::name_of(&*self.runtime.host, address);
            Answer::NoName
        };
        self.ask(ephemeral_port(), answer).await;
        name
    }

    /// Sends one question, and has it answered if it arrives.
    async fn ask(&self, port: u16, answer: impl FnOnce() -> Answer) -> Asked {
        let Some(server) = self.nameserver() else { return Asked::Refused };
        let server = SocketAddr::new(server, DNS_PORT);
        match self.question(port, server).await {
            Reply::Came => Asked::Answered(answer()),
            Reply::Prohibited | Reply::NoRoute => Asked::Refused,
            Reply::Lost => Asked::Silent,
        }
    }

    async fn question(&self, port: u16, server: SocketAddr) -> Reply {
        let Some(own) = self.own() else { return Reply::NoRoute };
        let Some(address) = own.address else { return Reply::NoRoute };
        // Without a DNS pod kube-proxy refuses.
        let Ok(Some(target)) = self.translate(server, Transport::Udp) else {
            return Reply::NoRoute;
        };
        if self.runtime.dns == Dns::Exempt || target.ip() == address {
            return Reply::Came;
        }
        let from = SocketAddr::new(address, port);
        let there = self.send(Packet::Udp { from, to: target }).await;
        let reply = match there {
            Fate::Delivered(_) => match self.send(Packet::Udp { from: target, to: from }).await {
                Fate::Delivered(_) => return Reply::Came,
                _ => Reply::Lost,
            },
            Fate::Prohibited | Fate::Reset => Reply::Prohibited,
            Fate::NoRoute => return Reply::NoRoute,
            Fate::Dropped => Reply::Lost,
        };
        self.runtime.host.note(
            &own,
            "DNSBlocked",
            &format!(
                "The firewall keeps this pod's lookups from the cluster's DNS (UDP {address} to \
                 {target}): names do not resolve, while addresses work as the rules say. To mend \
                 it, allow on top of the section: sources the groups that it protects, destination \
                 a group of logical ports tagged k8s-app=kube-dns, services UDP 53 and TCP 53. Or \
                 serve with --dns exempt, for the guide's table as it is printed."
            ),
        );
        reply
    }
}

#[cfg(test)]
mod tests {
    use super::super::super::testing::Cluster;
    use super::*;
    use tokio::time::Instant;

    #[tokio::test(start_paused = true)]
    async fn a_short_name_is_found_by_the_search_list() {
        let cluster = Cluster::guide();
        let found = cluster.network("x1", "a1").resolve("svc-service-b.y1").await.unwrap();
        assert_eq!(found.name, "svc-service-b.y1.svc.cluster.local");
        assert_eq!(found.address.to_string(), "10.100.200.12");
        // Two names, two families each, there and back.
        assert_eq!(cluster.sent().len(), 8);
        let own = cluster.network("y1", "b1").resolve("svc-service-b").await.unwrap();
        assert_eq!(own.name, "svc-service-b.y1.svc.cluster.local");
    }

    #[tokio::test(start_paused = true)]
    async fn what_nobody_knows_is_no_name() {
        let network = Cluster::guide().network("x1", "a1");
        for unknown in ["nothing", "svc-service-b.y1.", "a.b.c.d.e.f", ""] {
            assert_eq!(network.resolve(unknown).await, Err(LookupError::NoName), "{unknown}");
        }
    }

    #[tokio::test(start_paused = true)]
    async fn a_rejected_lookup_fails_at_once_and_is_noted() {
        let cluster = Cluster::guide().with_fate(|_| Fate::Prohibited);
        let start = Instant::now();
        let failed = cluster.network("y1", "b1").resolve("svc-service-c.z1").await;
        assert_eq!(failed, Err(LookupError::NoServer));
        assert_eq!(start.elapsed(), Duration::ZERO);
        assert!(cluster.notes()[0].contains("k8s-app=kube-dns"));
    }

    #[tokio::test(start_paused = true)]
    async fn a_dropped_lookup_takes_as_long_as_the_library_waits() {
        let cluster = Cluster::guide().with_fate(|_| Fate::Dropped);
        let start = Instant::now();
        let failed = cluster.network("y1", "b1").resolve("svc-service-c.z1").await;
        assert_eq!(failed, Err(LookupError::NoServer));
        assert_eq!(start.elapsed().as_secs(), 20);
    }

    #[tokio::test(start_paused = true)]
    async fn an_exempt_lookup_meets_no_firewall() {
        let cluster = Cluster::guide().with_fate(|_| Fate::Prohibited).exempt();
        let found = cluster.network("y1", "b1").resolve("svc-service-c.z1").await;
        assert_eq!(found.unwrap().address.to_string(), "10.100.200.117");
        assert!(cluster.sent().is_empty() && cluster.notes().is_empty());
    }
}
