//! What NCP knows of what it has made, so that it need not ask.

use super::manager::{Error, Result};
use super::naming::Tag;
use ipnet::Ipv4Net;
use parking_lot::Mutex;
use std::collections::{BTreeMap, HashMap, HashSet};
use std::net::Ipv4Addr;
use std::sync::Arc;

/// Something of a namespace: that and its own name.
pub type Name = (String, String);

/// All of it.
#[derive(Default)]
pub struct State {
    /// Namespaces by name.
    pub projects: Mutex<HashMap<String, Arc<Project>>>,
    /// Pods' ports.
    pub ports: Mutex<HashMap<Name, Port>>,
    /// Nodes' vNICs by the node's name.
    pub nodes: Mutex<HashMap<String, NodeVif>>,
    /// Addresses, by their pool, of pods that are gone: no other pod gets them yet.
    pub resting: Arc<Mutex<HashSet<(String, Ipv4Addr)>>>,
    /// Services of type LoadBalancer.
    pub services: Mutex<HashMap<Name, Balanced>>,
    /// Held while a network is carved.
    pub carving: tokio::sync::Mutex<()>,
    /// Held while an outside address is chosen and taken.
    pub external: tokio::sync::Mutex<()>,
    /// Held while the load balancer's list of servers is changed.
    pub balancer: tokio::sync::Mutex<()>,
}

/// A namespace and its networks.
#[derive(Debug)]
pub struct Project {
    /// Its name.
    pub name: String,
    /// Its uid.
    pub uid: String,
    /// Held while it gets a further network.
    pub growth: tokio::sync::Mutex<()>,
    /// Its networks, in the order in which they came.
    pub segments: Mutex<Vec<Segment>>,
}

/// A network of a namespace.
#[derive(Clone, Debug)]
pub struct Segment {
    /// Which of the namespace's it is, from 0.
    pub index: usize,
    /// The logical switch.
    pub switch: String,
    /// The pool of its addresses.
    pub pool: String,
    /// The subnet of the block that it is.
    pub subnet: String,
    /// Its addresses.
    pub network: Ipv4Net,
    /// Its pool's outside address.
    pub snat: Option<External>,
    /// How many addresses are taken.
    pub used: usize,
}

/// An outside address.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct External {
    /// The pool that it is of.
    pub pool: String,
    /// The address.
    pub address: Ipv4Addr,
}

/// The port of a pod.
#[derive(Clone, Debug)]
pub struct Port {
    /// Its id.
    pub id: String,
    /// The uid of the pod that it was made for.
    pub uid: String,
    /// The logical switch that it is on.
    pub switch: String,
    /// The node of the pod.
    pub node: String,
    /// Its VLAN tag on the node's vNIC.
    pub traffic_tag: u16,
    /// Its addresses.
    pub address: Ipv4Addr,
    /// The same of layer 2.
    pub mac: String,
    /// Its tags, in any order.
    pub tags: Vec<Tag>,
}

/// A Service at the load balancer.
#[derive(Clone, Debug)]
pub struct Balanced {
    /// The Service's uid.
    pub uid: String,
    /// Its address.
    pub vip: External,
    /// Its virtual servers by the name of the Service's port.
    pub servers: BTreeMap<String, Server>,
}

/// A virtual server with its pool.
#[derive(Clone, Debug)]
pub struct Server {
    /// The virtual server's id.
    pub id: String,
    /// The pool's id.
    pub pool: String,
    /// The members of the pool.
    pub members: Vec<Member>,
}

/// A member of a pool.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Member {
    /// Its address.
    pub address: Ipv4Addr,
    /// Its port.
    pub port: u16,
    /// The pod.
    pub pod: String,
}

/// A node's vNIC and the VLAN tags that pods have on it.
#[derive(Clone, Debug)]
pub struct NodeVif {
    /// The id of the VIF.
    pub vif: String,
    taken: [u64; 64],
}

/// VLAN tags on a vNIC are 1 to 4094.
const LAST_TAG: u16 = 4094;

impl NodeVif {
    /// A vNIC without pods.
    pub fn new(vif: String) -> Self {
        Self { vif, taken: [0; 64] }
    }

    /// Takes a tag that a pod has already.
    pub fn mark(&mut self, tag: u16) {
        if let Some(word) = self.taken.get_mut(usize::from(tag / 64)) {
            *word |= 1 << (tag % 64);
        }
    }

    /// Takes the lowest free tag.
    pub fn take(&mut self) -> Option<u16> {
        let is_free = |tag: &u16| self.taken[usize::from(tag / 64)] & (1 << (tag % 64)) == 0;
        let full = self.taken.iter().take_while(|word| **word == u64::MAX).count();
        let first = u16::try_from(full * 64).unwrap_or(LAST_TAG).max(1);
        let tag = (first..=LAST_TAG).find(is_free)?;
        self.mark(tag);
        Some(tag)
    }

    /// Gives a tag back.
    pub fn release(&mut self, tag: u16) {
        if let Some(word) = self.taken.get_mut(usize::from(tag / 64)) {
            *word &= !(1 << (tag % 64));
        }
    }
}

impl Segment {
    /// The router's address in it.
    pub fn gateway(&self) -> Ipv4Addr {
        first_host(self.network)
    }

    /// How many pods it has room for: all addresses but the network's, the router's and the last one.
    pub fn capacity(&self) -> usize {
        (1_usize << (32 - self.network.prefix_len())).saturating_sub(3)
    }
}

/// The first address of a network that a host can have.
pub fn first_host(network: Ipv4Net) -> Ipv4Addr {
    Ipv4Addr::from(u32::from(network.network()).saturating_add(1))
}

impl Project {
    /// A namespace without networks.
    pub fn new(name: &str, uid: &str) -> Self {
        Self {
            name: name.to_owned(),
            uid: uid.to_owned(),
            growth: tokio::sync::Mutex::new(()),
            segments: Mutex::new(Vec::new()),
        }
    }

    /// Takes room for a pod in the network with that address, or in the first that has room.
    pub fn seat(&self, address: Option<Ipv4Addr>) -> Option<Segment> {
        let mut segments = self.segments.lock();
        let fits = |own: &&mut Segment| match address {
            Some(address) => own.network.contains(&address),
            None => own.used < own.capacity(),
        };
        let segment = segments.iter_mut().find(fits)?;
        segment.used += 1;
        Some(segment.clone())
    }

    /// Gives back the room of a pod.
    pub fn leave(&self, switch: &str) {
        let mut segments = self.segments.lock();
        if let Some(segment) = segments.iter_mut().find(|own| own.switch == switch) {
            segment.used = segment.used.saturating_sub(1);
        }
    }

    /// Says of a network that it has no room, whatever was counted.
    pub fn fill(&self, switch: &str) {
        let mut segments = self.segments.lock();
        if let Some(segment) = segments.iter_mut().find(|own| own.switch == switch) {
            segment.used = segment.used.max(segment.capacity());
        }
    }

    /// The network on a switch.
    pub fn on(&self, switch: &str) -> Option<Segment> {
        self.segments.lock().iter().find(|own| own.switch == switch).cloned()
    }
}

impl State {
    /// A namespace.
    pub fn project(&self, name: &str) -> Option<Arc<Project>> {
        self.projects.lock().get(name).cloned()
    }

    /// A node's VIF and a VLAN tag on it.
    ///
    /// # Errors
    /// [`Error::Missing`] where all are taken; none where the node is not known.
    pub fn take_tag(&self, node: &str) -> Option<Result<(String, u16)>> {
        let mut nodes = self.nodes.lock();
        let own = nodes.get_mut(node)?;
        let full = || Error::Missing(format!("node {node} has no free VLAN tag"));
        Some(own.take().map(|tag| (own.vif.clone(), tag)).ok_or_else(full))
    }

    /// Whether an address rests.
    pub fn rests(&self, pool: &str, address: Ipv4Addr) -> bool {
        self.resting.lock().contains(&(pool.to_owned(), address))
    }

    /// Gives a tag back.
    pub fn release_tag(&self, node: &str, tag: u16) {
        if let Some(own) = self.nodes.lock().get_mut(node) {
            own.release(tag);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_node_s_tags_are_1_to_4094_the_lowest_first() {
        let mut node = NodeVif::new("vif".to_owned());
        let all: Vec<_> = std::iter::from_fn(|| node.take()).collect();
        assert_eq!(all, (1..=4094).collect::<Vec<_>>());
        node.release(700);
        node.release(70);
        assert_eq!((node.take(), node.take(), node.take()), (Some(70), Some(700), None));
    }

    #[test]
    fn a_network_has_room_for_253_pods_and_the_next_one_follows() {
        let project = Project::new("x1", "uid");
        assert!(project.seat(None).is_none());
        for (index, network) in ["172.15.23.0/24", "172.15.24.0/29"].into_iter().enumerate() {
            project.segments.lock().push(Segment {
                index,
                switch: index.to_string(),
                pool: String::new(),
                subnet: String::new(),
                network: network.parse().unwrap(),
                snat: None,
                used: 0,
            });
        }
        let seats: Vec<_> = std::iter::from_fn(|| project.seat(None)).collect();
        let on = |switch: &str| seats.iter().filter(|seat| seat.switch == switch).count();
        assert_eq!((on("0"), on("1")), (253, 5));
        project.leave("0");
        assert_eq!(project.seat(None).map(|seat| seat.switch).as_deref(), Some("0"));
        let pinned = project.seat(Some(Ipv4Addr::new(172, 15, 24, 3)));
        assert_eq!(pinned.map(|seat| seat.gateway()), Some(Ipv4Addr::new(172, 15, 24, 1)));
    }
}
