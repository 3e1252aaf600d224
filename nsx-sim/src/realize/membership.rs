//! Who belongs to what, kept by difference.
//!
//! Nodes hold members directly. In the end a node holds the leaves (ports, switches, sets) of all
//! its direct members; for each leaf it counts through how many of them. A leaf whose count leaves
//! zero, or comes back to it, is news for the node's own holders, and for the dataplane's set of the
//! node where a rule names it. So a change costs what it affects.

use super::node::Node;
use dataplane::{Dataplane, Member, ScopeId, SetId, VnicId};
use hashbrown::{HashMap, HashSet};
use std::collections::BTreeMap;
use std::sync::Arc;

/// Ports to their vNICs.
pub type Vnics = HashMap<Arc<str>, VnicId>;

/// The graph of membership.
#[derive(Default)]
pub struct Membership {
    states: HashMap<Node, State>,
    next_set: u32,
    /// Ports that came to or left the exclude list since this was last taken.
    exempted: Vec<Arc<str>>,
    /// Nodes that were given back since the last look at them.
    idle: Vec<Node>,
}

#[derive(Default)]
struct State {
    /// Sorted; mostly a switch and a group or two.
    parents: Box<[Node]>,
    /// What it holds, where it holds anything: ports, the most of all nodes by far, do not.
    held: Option<Box<Held>>,
    /// What the node itself brings, where it is a leaf.
    addresses: Box<[Member]>,
    watch: Option<Watch>,
}

/// What a node holds: direct members, and the leaves that they bring. Most are both.
type Held = BTreeMap<Node, Ways>;

/// How a node is held.
#[derive(Clone, Copy, Default)]
struct Ways {
    /// As a direct member.
    direct: bool,
    /// Through how many direct members, for a leaf.
    through: u32,
}

/// The dataplane's set and scope of a node that a rule names; both have the same number.
#[derive(Clone, Copy)]
struct Watch {
    number: u32,
    /// How many have taken hold of it.
    users: u32,
}

/// What happened to a leaf in a node.
#[derive(Clone, Copy, PartialEq)]
enum News {
    Came,
    Went,
}

impl State {
    /// Counts one more or one less way to a leaf; true where it is the first or was the last.
    fn count(&mut self, leaf: &Node, news: News) -> bool {
        self.hold(leaf, |ways| match news {
            News::Came => {
                ways.through += 1;
                ways.through == 1
            }
            News::Went => {
                ways.through = ways.through.saturating_sub(1);
                ways.through == 0
            }
        })
    }

    /// Puts a direct member in or takes it out; true where that changes anything.
    fn set_direct(&mut self, member: &Node, belongs: bool) -> bool {
        self.hold(member, |ways| std::mem::replace(&mut ways.direct, belongs) != belongs)
    }

    /// Changes how a node is held, and gives back the room of what is held in no way.
    fn hold(&mut self, node: &Node, change: impl FnOnce(&mut Ways) -> bool) -> bool {
        let held = self.held.get_or_insert_default();
        let ways = held.entry(node.clone()).or_default();
        let changed = change(ways);
        if !ways.direct && ways.through == 0 {
            held.remove(node);
            self.held.take_if(|held| held.is_empty());
        }
        changed
    }

    /// Puts a node among those that this one is a direct member of, or takes it out.
    fn set_parent(&mut self, holder: Node, belongs: bool) {
        match (self.parents.binary_search(&holder), belongs) {
            (Err(place), true) => {
                let mut parents = std::mem::take(&mut self.parents).into_vec();
                // Few, and of a hundred thousand ports: no room to spare.
                parents.reserve_exact(1);
                parents.insert(place, holder);
                self.parents = parents.into();
            }
            (Ok(place), false) => {
                let mut parents = std::mem::take(&mut self.parents).into_vec();
                parents.remove(place);
                self.parents = parents.into();
            }
            _ => {}
        }
    }

    /// The direct members, in order.
    fn direct(&self) -> impl Iterator<Item = &Node> {
        let held = self.held.iter().flat_map(|held| held.iter());
        held.filter(|(_, ways)| ways.direct).map(|(node, _)| node)
    }

    /// Whether a node is a direct member.
    fn has_direct(&self, node: &Node) -> bool {
        self.held.as_deref().and_then(|held| held.get(node)).is_some_and(|ways| ways.direct)
    }

    /// The leaves that are held in the end, in order.
    fn leaves(&self) -> impl Iterator<Item = &Node> {
        let held = self.held.iter().flat_map(|held| held.iter());
        held.filter(|(_, ways)| ways.through > 0).map(|(node, _)| node)
    }

    /// Whether nothing is known of the node any more.
    fn is_empty(&self) -> bool {
        self.watch.is_none()
            && self.held.is_none()
            && self.parents.is_empty()
            && self.addresses.is_empty()
    }
}

impl Membership {
    /// Everything that a node holds in the end, in order.
    pub fn effective<'a>(&'a self, node: &Node) -> impl Iterator<Item = &'a Node> + use<'a> {
        self.states.get(node).into_iter().flat_map(State::leaves)
    }

    /// Whether a node holds a leaf in the end.
    pub fn holds(&self, node: &Node, leaf: &Node) -> bool {
        let held = self.states.get(node).and_then(|state| state.held.as_deref());
        held.and_then(|held| held.get(leaf)).is_some_and(|ways| ways.through > 0)
    }

    /// What holds a node, directly or through others, each once.
    pub fn holders(&self, node: &Node) -> Vec<&Node> {
        let above =
            |node: &Node| self.states.get(node).into_iter().flat_map(|own| own.parents.iter());
        let mut holders: Vec<&Node> = above(node).collect();
        let mut seen: HashSet<&Node> = holders.iter().copied().collect();
        let mut next = 0;
        while let Some(holder) = holders.get(next) {
            holders.extend(above(holder).filter(|node| seen.insert(node)));
            next += 1;
        }
        holders
    }

    /// What a node is a direct member of.
    pub fn direct_holders(&self, node: &Node) -> Vec<&Node> {
        self.states.get(node).into_iter().flat_map(|own| own.parents.iter()).collect()
    }

    /// What a leaf brings.
    pub fn addresses(&self, leaf: &Node) -> &[Member] {
        self.states.get(leaf).map(|state| &*state.addresses).unwrap_or_default()
    }

    /// Makes a node a direct member of another, or no longer.
    pub fn set_member(
        &mut self,
        holder: &Node,
        member: &Node,
        belongs: bool,
        vnics: &Vnics,
        plane: &mut Dataplane,
    ) {
        let (holder, member) = (&self.known(holder), &self.known(member));
        if !self.states.entry(holder.clone()).or_default().set_direct(member, belongs) {
            return;
        }
        self.states.entry(member.clone()).or_default().set_parent(holder.clone(), belongs);
        let news = if belongs { News::Came } else { News::Went };
        for leaf in self.leaves(member) {
            self.tell(holder, &leaf, news, vnics, plane);
        }
        self.drop_if_empty(member);
        self.drop_if_empty(holder);
    }

    /// Gives a node exactly these direct members.
    pub fn set_direct(
        &mut self,
        holder: &Node,
        wanted: &HashSet<Node>,
        vnics: &Vnics,
        plane: &mut Dataplane,
    ) {
        let state = self.states.get(holder);
        let direct = state.into_iter().flat_map(State::direct);
        let gone: Vec<Node> = direct.filter(|node| !wanted.contains(*node)).cloned().collect();
        let has = |node: &Node| state.is_some_and(|state| state.has_direct(node));
        let new: Vec<&Node> = wanted.iter().filter(|node| !has(node)).collect();
        for member in &gone {
            self.set_member(holder, member, false, vnics, plane);
        }
        for member in new {
            self.set_member(holder, member, true, vnics, plane);
        }
    }

    /// Takes a node out of all that hold it, except the exclude list: that names its members
    /// whether they exist or not, and holds one again when it is made anew.
    pub fn leave_all(&mut self, node: &Node, vnics: &Vnics, plane: &mut Dataplane) {
        let state = self.states.get(node);
        let holders = state.into_iter().flat_map(|state| state.parents.iter()).cloned();
        for holder in holders.filter(|holder| *holder != Node::Excluded).collect::<Vec<_>>() {
            self.set_member(&holder, node, false, vnics, plane);
        }
        self.drop_if_empty(node);
    }

    /// Gives a leaf other addresses, in all the sets that hold it.
    pub fn set_addresses(&mut self, leaf: &Node, addresses: &[Member], plane: &mut Dataplane) {
        if *self.addresses(leaf) == *addresses {
            return;
        }
        let sets = self.watches_over(leaf);
        let old = self.states.entry(leaf.clone()).or_default();
        let old = std::mem::replace(&mut old.addresses, addresses.into());
        for Watch { number, .. } in sets {
            // New ones first: an address that stays never leaves the set in between.
            for member in addresses {
                plane.add_member(SetId(number), *member);
            }
            for member in &*old {
                plane.remove_member(SetId(number), member);
            }
        }
        self.drop_if_empty(leaf);
    }

    /// Lets a port's new vNIC into all the scopes that hold the port.
    pub fn join_all(&self, port: &Arc<str>, vnic: VnicId, plane: &mut Dataplane) {
        let leaf = Node::Port(port.clone());
        for Watch { number, .. } in self.watches_over(&leaf) {
            plane.join(ScopeId(number), vnic);
        }
    }

    /// The ports that came to or left the exclude list since the last call.
    pub fn take_exempted(&mut self) -> Vec<Arc<str>> {
        std::mem::take(&mut self.exempted)
    }

    /// The number of the set and scope of a node, which the dataplane has from now on. To be held by
    /// whoever names it.
    pub fn watch(&mut self, node: &Node, vnics: &Vnics, plane: &mut Dataplane) -> u32 {
        let state = self.states.entry(node.clone()).or_default();
        if let Some(watch) = &state.watch {
            return watch.number;
        }
        let number = self.next_set;
        self.next_set += 1;
        state.watch = Some(Watch { number, users: 0 });
        for leaf in self.leaves(node) {
            self.show(number, &leaf, News::Came, vnics, plane);
        }
        number
    }

    /// Takes hold of a node's set and scope.
    pub fn hold(&mut self, node: &Node) {
        let state = self.states.get_mut(node);
        if let Some(watch) = state.and_then(|state| state.watch.as_mut()) {
            watch.users += 1;
        }
    }

    /// Gives a node's set and scope back.
    pub fn give_back(&mut self, node: Node) {
        let state = self.states.get_mut(&node);
        if let Some(watch) = state.and_then(|state| state.watch.as_mut()) {
            watch.users = watch.users.saturating_sub(1);
            if watch.users == 0 {
                self.idle.push(node);
            }
        }
    }

    /// Drops the sets and scopes that were given back and that nobody holds.
    pub fn forget_unused(&mut self, plane: &mut Dataplane) {
        for node in std::mem::take(&mut self.idle) {
            let Some(state) = self.states.get_mut(&node) else { continue };
            if let Some(watch) = state.watch.take_if(|watch| watch.users == 0) {
                plane.drop_set(SetId(watch.number));
                plane.drop_scope(ScopeId(watch.number));
            }
            self.drop_if_empty(&node);
        }
    }

    /// A node as it is known already: its name lies in memory once.
    pub fn known(&self, node: &Node) -> Node {
        self.states.get_key_value(node).map_or(node, |(known, _)| known).clone()
    }

    /// Forgets a node of which nothing is known any more.
    fn drop_if_empty(&mut self, node: &Node) {
        if self.states.get(node).is_some_and(State::is_empty) {
            self.states.remove(node);
        }
    }

    /// The leaves that a node brings to whoever holds it.
    fn leaves(&self, node: &Node) -> Vec<Node> {
        let held = self.states.get(node).into_iter().flat_map(State::leaves);
        held.cloned().chain(node.is_leaf().then(|| node.clone())).collect()
    }

    /// The watches of a leaf and of all that hold it in the end.
    fn watches_over(&self, leaf: &Node) -> Vec<Watch> {
        let state = self.states.get(leaf);
        let over = self.holders(leaf).into_iter().filter_map(|node| self.states.get(node));
        state.into_iter().chain(over).filter_map(|state| state.watch).collect()
    }

    /// Tells a node that one more or one less of its members brings a leaf, and all that hold it
    /// for which that is news. Walks instead of calling itself: groups nest as deep as callers like.
    fn tell(&mut self, node: &Node, leaf: &Node, news: News, vnics: &Vnics, plane: &mut Dataplane) {
        let mut ahead = vec![node.clone()];
        while let Some(node) = ahead.pop() {
            let state = self.states.entry(node.clone()).or_default();
            if !state.count(leaf, news) {
                continue;
            }
            ahead.extend(state.parents.iter().cloned());
            if let Some(watch) = state.watch {
                self.show(watch.number, leaf, news, vnics, plane);
            }
            if let (Node::Excluded, Node::Port(port)) = (&node, leaf) {
                self.exempted.push(port.clone());
            }
        }
    }

    /// Puts a leaf into a set and scope of the dataplane, or takes it out.
    fn show(&self, number: u32, leaf: &Node, news: News, vnics: &Vnics, plane: &mut Dataplane) {
        for member in self.addresses(leaf) {
            match news {
                News::Came => plane.add_member(SetId(number), *member),
                News::Went => plane.remove_member(SetId(number), member),
            };
        }
        if let Node::Port(port) = leaf
            && let Some(vnic) = vnics.get(port)
        {
            match news {
                News::Came => plane.join(ScopeId(number), *vnic),
                News::Went => plane.leave(ScopeId(number), *vnic),
            };
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use dataplane::{AddressRange, AddressSet};

    struct Graph(Membership, Vnics, Dataplane);

    impl Graph {
        fn new() -> Self {
            Self(Membership::default(), Vnics::new(), Dataplane::default())
        }

        fn set(&mut self, holder: &Node, member: &Node, belongs: bool) {
            let Self(membership, vnics, plane) = self;
            membership.set_member(holder, member, belongs, vnics, plane);
        }

        fn address(&mut self, port: &Node, text: &str) {
            let range: AddressRange = text.parse().unwrap();
            self.0.set_addresses(port, &[Member::Range(range)], &mut self.2);
        }

        fn effective(&self, node: &Node) -> Vec<Node> {
            let mut leaves: Vec<Node> = self.0.effective(node).cloned().collect();
            leaves.sort_unstable();
            leaves
        }

        fn set_of(&mut self, node: &Node) -> Vec<String> {
            let Self(membership, vnics, plane) = self;
            let number = membership.watch(node, vnics, plane);
            membership.hold(node);
            let members = plane.set(SetId(number)).into_iter().flat_map(AddressSet::iter);
            members
                .map(|member| match member {
                    Member::Range(range) => range.to_string(),
                    Member::Mac(mac) => mac.to_string(),
                })
                .collect()
        }
    }

    #[test]
    fn a_leaf_held_through_two_ways_goes_with_the_last_of_them() {
        let mut graph = Graph::new();
        let (outer, inner, port) = (Node::group("outer"), Node::group("inner"), Node::port("p"));
        graph.set(&outer, &inner, true);
        graph.set(&outer, &port, true);
        graph.set(&inner, &port, true);
        assert_eq!(graph.effective(&outer), std::slice::from_ref(&port));
        graph.set(&outer, &port, false);
        assert_eq!(graph.effective(&outer), std::slice::from_ref(&port));
        graph.set(&inner, &port, false);
        assert_eq!(graph.effective(&outer), []);
    }

    #[test]
    fn groups_nest_deeper_than_a_stack_would_bear() {
        let mut graph = Graph::new();
        let group = |level: u32| Node::group(&level.to_string());
        for level in 0..20_000 {
            graph.set(&group(level + 1), &group(level), true);
        }
        graph.set(&group(0), &Node::port("p"), true);
        assert_eq!(graph.effective(&group(20_000)), [Node::port("p")]);
        graph.set(&group(0), &Node::port("p"), false);
        assert_eq!(graph.effective(&group(20_000)), []);
    }

    #[test]
    fn a_switch_brings_itself_and_its_ports() {
        let mut graph = Graph::new();
        let (group, switch, port) = (Node::group("g"), Node::switch("s"), Node::port("p"));
        graph.set(&group, &switch, true);
        graph.set(&switch, &port, true);
        assert_eq!(graph.effective(&group), [switch, port]);
    }

    #[test]
    fn watched_sets_follow_addresses_that_move() {
        let mut graph = Graph::new();
        let (group, one, two) = (Node::group("g"), Node::port("1"), Node::port("2"));
        graph.address(&one, "10.0.0.1");
        graph.set(&group, &one, true);
        assert_eq!(graph.set_of(&group), ["10.0.0.1"]);
        // Two ports may have one address; it stays while one of them has it.
        graph.address(&two, "10.0.0.1");
        graph.set(&group, &two, true);
        graph.address(&one, "10.0.0.2");
        assert_eq!(graph.set_of(&group), ["10.0.0.1", "10.0.0.2"]);
        graph.set(&group, &two, false);
        assert_eq!(graph.set_of(&group), ["10.0.0.2"]);
        assert_eq!(graph.set_of(&one), ["10.0.0.2"]);
    }

    #[test]
    fn sets_that_no_rule_names_any_more_are_dropped() {
        let mut graph = Graph::new();
        let group = Node::group("g");
        graph.address(&Node::port("p"), "10.0.0.1");
        graph.set(&group, &Node::port("p"), true);
        graph.set_of(&group);
        graph.set_of(&group);
        graph.0.give_back(group.clone());
        graph.0.forget_unused(&mut graph.2);
        assert!(graph.2.set(SetId(0)).is_some());
        graph.0.give_back(group.clone());
        graph.0.hold(&group);
        graph.0.forget_unused(&mut graph.2);
        assert!(graph.2.set(SetId(0)).is_some());
        graph.0.give_back(group);
        graph.0.forget_unused(&mut graph.2);
        assert!(graph.2.set(SetId(0)).is_none());
    }
}
