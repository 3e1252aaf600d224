//! Changes that nobody reads beside.

use super::Times;
use super::oracle::Oracle;
use dataplane::{Edit, Member, Publisher, RuleId, SetId};
use fixtures::grouped::World;
use std::sync::Arc;
use std::time::Instant;

/// Makes changes of members and rules, each published by itself, while nobody reads. What the publisher
/// has to do between changes is not timed.
pub(super) fn churn(
    publisher: &mut Publisher,
    world: &mut World,
    oracle: &mut Oracle,
    changes: u32,
    times: &mut Times,
) {
    for _ in 0..changes {
        let (set, member) = another_member(world);
        if oracle.sets.add(set, member) {
            publish(publisher, Edit::AddMember(set, member), "member_in", times);
        } else {
            oracle.sets.remove(set, &member);
            oracle.sets.remove(set, &member);
            // Counted twice by the attempt to add.
            publish(publisher, Edit::RemoveMember(set, member), "member_out", times);
        }
        while publisher.tend() {}
    }
    // A rule comes before another and goes again; at the end all is as it was.
    for number in 0..changes {
        let (edit, id) = another_rule(world, number);
        publish(publisher, edit, "rule_in", times);
        while publisher.tend() {}
        publish(publisher, Edit::RemoveRule(id), "rule_out", times);
        while publisher.tend() {}
    }
}

/// A pod's address and a group, whichever they are.
pub(super) fn another_member(world: &mut World) -> (SetId, Member) {
    let (group, pod) = world.another_membership();
    (SetId(group), Member::from(world.pods[pod as usize]))
}

/// A rule like the others before one of them.
pub(super) fn another_rule(world: &mut World, number: u32) -> (Edit, RuleId) {
    let id = RuleId(u64::from(u32::MAX) + u64::from(number));
    let rule = Arc::new(world.another_rule(id.0));
    let before = RuleId(u64::from(world.another_membership().1) % world.rules.len() as u64);
    (Edit::InsertRule { rule, before: Some(before) }, id)
}

/// Publishes a change, and keeps how long the call took.
pub(super) fn publish(
    publisher: &mut Publisher,
    edit: Edit,
    sort: &'static str,
    times: &mut Times,
) {
    let edits = vec![edit];
    let start = Instant::now();
    publisher.publish(edits);
    times.entry(sort).or_default().push(super::nanos(start.elapsed()));
}
