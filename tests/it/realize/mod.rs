//! Realization kept honest: after any sequence of changes, what was built up change by change is
//! what a build from scratch gives, and what the definitions give when they are worked out anew.

mod cases;
mod model;
mod op;
mod picture;
mod rebuild;
mod strategies;

use crate::realize::model::Model;
use crate::realize::op::Op;
use crate::realize::picture::Picture;
use crate::realize::rebuild::{Objects, from_scratch};
use nsx_sim::http::WorldDocument;
use proptest::prelude::*;
use proptest::test_runner::RngSeed;
use tests::Manager;

/// How many changes lie between two looks at the whole.
const BETWEEN_LOOKS: usize = 6;

fn config(cases: u32) -> ProptestConfig {
    ProptestConfig {
        cases,
        rng_seed: RngSeed::Fixed(0x5eed),
        failure_persistence: None,
        ..ProptestConfig::default()
    }
}

/// A manager with something of everything, on two hosts so that the firewall can be off on one of
/// them alone.
fn manager() -> Manager {
    let mut document = WorldDocument::empty();
    document.topology.transport_nodes.truncate(2);
    let manager = Manager::of(&document);
    for op in strategies::beginning() {
        op.apply(&manager);
    }
    manager
}

/// What is realized must be what the definitions say, and what a build from scratch gives.
fn look(manager: &Manager, backwards: bool) -> Result<(), TestCaseError> {
    let world = manager.api().world();
    let realized = Picture::of(&world.fabric(), &world.inventory);
    realized.same_as(&Model::read(manager).picture(), "the definitions")?;
    let scratch = from_scratch(world, backwards);
    let mut rebuilt = Picture::of(&scratch, &world.inventory);
    // Hosts are given out in order of arrival, so a port may be on another one after a rebuild.
    rebuilt.take_hosts_of(&realized);
    realized.same_as(&rebuilt, if backwards { "a backward rebuild" } else { "a rebuild" })
}

fn play(ops: &[Op]) -> Result<(), TestCaseError> {
    let manager = manager();
    for (number, some) in ops.chunks(BETWEEN_LOOKS).enumerate() {
        for op in some {
            op.apply(&manager);
        }
        look(&manager, number % 2 == 1)?;
    }
    Ok(())
}

proptest! {
    #![proptest_config(config(32))]

    #[test]
    fn realization_by_difference_equals_the_definitions_and_a_build_from_scratch(
        ops in prop::collection::vec(strategies::any_op(), 40..72),
    ) {
        play(&ops)?;
    }

    #[test]
    fn members_follow_groups_within_groups_that_come_and_go(
        ops in prop::collection::vec(strategies::grouping_op(), 40..72),
    ) {
        play(&ops)?;
    }
}

proptest! {
    #![proptest_config(config(16))]

    #[test]
    fn changes_of_ports_and_groups_never_recompile_a_rule(
        before in prop::collection::vec(strategies::any_op(), 24..40),
        after in prop::collection::vec(strategies::grouping_op(), 8..16),
    ) {
        let manager = manager();
        for op in &before {
            op.apply(&manager);
        }
        let world = manager.api().world();
        let mut follower = from_scratch(world, false);
        for op in &after {
            let known = Objects::of(world);
            op.apply(&manager);
            follower.apply(&world.inventory, &Objects::of(world).since(&known));
            prop_assert!(!follower.is_stale(), "{op:?}");
        }
        let realized = Picture::of(&world.fabric(), &world.inventory);
        let mut followed = Picture::of(&follower, &world.inventory);
        followed.take_hosts_of(&realized);
        realized.same_as(&followed, "a fabric that was told of the differences alone")?;
    }
}
