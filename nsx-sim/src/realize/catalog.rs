//! Which groups may want an object, and which objects a group may want, without trying them all.
//!
//! A criterion that names both scope and tag is found by the two; every other by the kind of member
//! it wants, of which all objects are tried. Anchors are hashes: two that collide only mean one more
//! comparison.

use super::criteria::TagMatching;
use super::node::Node;
use crate::inventory::{Few, Inventory, Object, Write};
use crate::kinds::expression::{Comparison, Expression, TargetType};
use crate::kinds::ns_group::NSGroup;
use hashbrown::{HashMap, HashSet};
use std::hash::{BuildHasher, BuildHasherDefault, DefaultHasher};

/// Scope and tag, or the kind alone.
type Anchor = u64;

/// Objects and groups by anchor.
pub struct Catalog {
    tags: TagMatching,
    /// Those by scope and tag.
    objects: HashMap<Anchor, Few<Node>>,
    groups: HashMap<Anchor, Few<Node>>,
    /// Static member to the groups that name it, whether it exists or not.
    named: HashMap<Node, Few<Node>>,
    /// What was last indexed of each group.
    indexed: HashMap<Node, (Vec<Anchor>, Vec<Node>)>,
}

impl Catalog {
    /// An empty catalog.
    pub fn new(tags: TagMatching) -> Self {
        Self {
            tags,
            objects: HashMap::new(),
            groups: HashMap::new(),
            named: HashMap::new(),
            indexed: HashMap::new(),
        }
    }

    /// Follows an object; tells of each group that may be concerned whether it wants the object.
    pub fn follow(
        &mut self,
        inventory: &Inventory,
        write: &Write,
        node: &Node,
    ) -> Vec<(Node, bool)> {
        let anchors = |object: Option<&Object>| -> HashSet<Anchor> {
            object.map(|object| self.anchors_of(object)).unwrap_or_default().into_iter().collect()
        };
        let (before, after) = (anchors(write.before.as_deref()), anchors(write.after.as_deref()));
        for anchor in before.difference(&after) {
            remove(&mut self.objects, anchor, node);
        }
        for anchor in after.difference(&before) {
            self.objects.entry(*anchor).or_default().insert(node.clone());
        }
        let of_kind = self.hash(write.kind.name, None);
        let anchors = before.union(&after).chain([&of_kind]);
        let by_anchor = anchors.filter_map(|anchor| self.groups.get(anchor));
        let concerned: HashSet<&Node> = by_anchor
            .chain(self.named.get(node))
            .flat_map(Few::iter)
            .filter(|group| *group != node)
            .collect();
        let wants = |group: &Node| {
            write.after.as_deref().is_some_and(|object| self.wants(inventory, group, object, node))
        };
        concerned.into_iter().map(|group| (group.clone(), wants(group))).collect()
    }

    /// Follows a group; tells what its direct members are now.
    pub fn follow_group(
        &mut self,
        inventory: &Inventory,
        group: &Node,
        body: Option<&NSGroup>,
    ) -> HashSet<Node> {
        let (anchors, members) = self.indexed.remove(group).unwrap_or_default();
        for anchor in anchors {
            remove(&mut self.groups, &anchor, group);
        }
        for member in members {
            remove(&mut self.named, &member, group);
        }
        let Some(body) = body else { return HashSet::new() };
        let anchors: Vec<Anchor> = body.criteria().map(|own| self.anchor(own)).collect();
        let members: Vec<Node> = members_of(body).collect();
        for anchor in &anchors {
            self.groups.entry(*anchor).or_default().insert(group.clone());
        }
        for member in &members {
            self.named.entry(member.clone()).or_default().insert(group.clone());
        }
        let exists = |node: &&Node| object(inventory, node).is_some();
        let mut wanted: HashSet<Node> = members.iter().filter(exists).cloned().collect();
        for (criterion, anchor) in body.criteria().zip(&anchors) {
            let fits = |own: &Object| self.tags.fits(criterion, own);
            if both(criterion).is_some() {
                let candidates = self.objects.get(anchor).into_iter().flat_map(Few::iter);
                let fitting =
                    candidates.filter(|node| object(inventory, node).is_some_and(|own| fits(&own)));
                wanted.extend(fitting.filter(|node| *node != group).cloned());
            } else {
                let candidates = inventory.all(kind_of(criterion)).into_iter();
                let fitting = candidates.filter(|own| fits(own));
                let fitting = fitting.filter_map(|own| Node::of(own.kind.name, &own.header.id));
                wanted.extend(fitting.filter(|node| node != group));
            }
        }
        self.indexed.insert(group.clone(), (anchors, members));
        wanted
    }

    fn wants(&self, inventory: &Inventory, group: &Node, own: &Object, node: &Node) -> bool {
        let Some(holder) = object(inventory, group) else { return false };
        let Some(body) = holder.body::<NSGroup>() else { return false };
        members_of(body).any(|member| member == *node)
            || body.criteria().any(|criterion| self.tags.fits(criterion, own))
    }

    fn anchors_of(&self, object: &Object) -> Vec<Anchor> {
        let kind = object.kind.name;
        let tags = object.header.tags().iter();
        tags.map(|tag| self.hash(kind, Some((&tag.scope, &tag.tag)))).collect()
    }

    /// Where a criterion looks for objects; one that wants no single kind, which is refused where
    /// groups are made, looks where none is.
    fn anchor(&self, criterion: &[Expression]) -> Anchor {
        match both(criterion) {
            Some((kind, scope, tag)) => self.hash(kind, Some((scope, tag))),
            None => self.hash(kind_of(criterion), None),
        }
    }

    fn hash(&self, kind: &str, tag: Option<(&str, &str)>) -> Anchor {
        let tag = tag.map(|(scope, tag)| (self.tags.fold(scope), self.tags.fold(tag)));
        BuildHasherDefault::<DefaultHasher>::default().hash_one((kind, tag))
    }
}

/// Kind, scope and tag of a criterion that names both.
fn both(criterion: &[Expression]) -> Option<(&'static str, &str, &str)> {
    criterion.iter().find_map(|expression| match expression {
        Expression::NSGroupTagExpression(tag) if tag.tag_op == Comparison::Equals => {
            Some((tag.target_type.word(), tag.scope.as_deref()?, tag.tag.as_deref()?))
        }
        _ => None,
    })
}

/// The kind that a criterion wants.
fn kind_of(criterion: &[Expression]) -> &'static str {
    criterion.first().and_then(Expression::target_type).map_or("", TargetType::word)
}

fn members_of(group: &NSGroup) -> impl Iterator<Item = Node> {
    group.members.iter().filter_map(|member| Node::of(member.target_type.word(), &member.value))
}

fn object(inventory: &Inventory, node: &Node) -> Option<std::sync::Arc<Object>> {
    let (kind, id) = node.object()?;
    inventory.find(kind, id)
}

fn remove<K: Eq + std::hash::Hash>(index: &mut HashMap<K, Few<Node>>, key: &K, node: &Node) {
    if let Some(nodes) = index.get_mut(key) {
        nodes.remove(node);
        if nodes.is_empty() {
            index.remove(key);
        }
    }
}
