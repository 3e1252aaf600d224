//! A world of pods in groups, whose vNICs have the addresses of the pods, against the walk.

use dataplane::{
    AppliedTo, Config, Dataplane, Direction, EngineKind, Evidence, Member, Packet, RuleId, ScopeId,
    SetId, VnicId,
};
use fixtures::grouped::{Families, Size, World};

type Asked<'p> = (VnicId, Direction, &'p Packet);

fn plane(world: &World, engine: EngineKind) -> Dataplane {
    let mut plane = Dataplane::new(Config { engine, ..Config::default() });
    for (vnic, address) in (0..).map(VnicId).zip(&world.pods) {
        plane.add_vnic(vnic);
        plane.set_vnic_address(vnic, Some(*address));
    }
    for (group, pods) in (0..).zip(&world.groups) {
        for pod in pods {
            plane.add_member(SetId(group), Member::from(world.pods[*pod as usize]));
            plane.join(ScopeId(group), VnicId(*pod));
        }
    }
    for (set, member) in &world.outside {
        plane.add_member(*set, *member);
    }
    plane.load(world.rules.iter().cloned().collect());
    plane
}

#[test]
fn verdicts_between_pods_agree_with_the_walk_through_changes() {
    let size = Size { rules: 5_000, groups: 300, pods: 1_500 };
    let mut world = World::new(size, Families::Mixed, 3);
    // Enough rules on all vNICs that rows are packed, and lists of a destination are most often empty of
    // what a packet wants: then it is the default rule.
    for rule in world.rules.iter_mut().step_by(3) {
        rule.applied_to = AppliedTo::Everywhere;
    }
    let mut planes = [EngineKind::Walk, EngineKind::Auto].map(|engine| plane(&world, engine));
    let packets: Vec<_> = (0..300).map(|_| world.packet()).collect();
    let asked: Vec<Asked<'_>> = packets
        .iter()
        .flat_map(|(from, to, packet)| {
            [(*from, Direction::Out, packet), (*to, Direction::In, packet)]
        })
        .collect();
    let [mut walked, mut found] = [Vec::new(), Vec::new()];
    for change in 0..15_u64 {
        planes[0].judge_batch(&asked, &mut walked);
        planes[1].judge_batch(&asked, &mut found);
        assert_eq!(walked, found, "after {change} changes");
        let (group, pod) = world.another_membership();
        let (set, member) = (SetId(group), Member::from(world.pods[pod as usize]));
        let (vnic, rule) = (VnicId(pod), world.another_rule(10_000 + change));
        let elsewhere = world.pods[(pod as usize + 1) % world.pods.len()];
        for plane in &mut planes {
            match change % 5 {
                0 => plane.add_member(set, member),
                1 => plane.remove_member(set, &member),
                2 => plane.insert_rule(rule.clone(), Some(RuleId(pod.into()))),
                3 => plane.join(ScopeId(group), vnic),
                _ => plane.set_vnic_address(vnic, Some(elsewhere)),
            };
        }
        while change % 7 == 0 && planes[1].settle() {}
    }
    let last = RuleId(u64::from(size.rules) - 1);
    assert!(walked.iter().any(|verdict| verdict.by == Evidence::Rule(last)));
    // The default rule goes, too.
    for plane in &mut planes {
        assert!(plane.remove_rule(last));
    }
    planes[0].judge_batch(&asked, &mut walked);
    planes[1].judge_batch(&asked, &mut found);
    assert_eq!(walked, found);
    assert!(walked.iter().any(|verdict| verdict.by == Evidence::NoRule));
}
