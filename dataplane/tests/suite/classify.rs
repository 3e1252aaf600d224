//! Every engine, and the whole plane's pure half, against the model.

use std::sync::Arc;

use dataplane::engine::{Classifier, RuleList, Walk};
use dataplane::{AddressSets, Config, Dataplane, Edit, EngineKind, Evidence, Key, Layer};
use proptest::collection::vec;
use proptest::prelude::*;

use crate::model::{Model, matching};
use crate::strategies::{config, direction, edit, packet, rule, vnic};

proptest! {
    #![proptest_config(config())]

    #[test]
    fn every_engine_equals_the_walk_and_the_walk_the_model(
        rules in vec(rule(), 0..8),
        edits in vec(edit(), 0..24),
        asked in vec((direction(), packet()), 1..12),
    ) {
        let rules: RuleList = rules.into_iter().map(Arc::new).collect();
        let (mut sets, mut members) = (AddressSets::default(), Vec::new());
        for edit in edits {
            if let Edit::AddMember(set, member) = edit {
                sets.add(set, member);
                members.push((set, member));
            }
        }
        let keys: Vec<Key<'_>> =
            asked.iter().map(|(direction, packet)| Key { direction: *direction, packet }).collect();
        let mut expected = Vec::new();
        for key in &keys {
            expected.push(rules.iter().position(|rule| {
                matching::matches(&members, rule, key.direction, key.packet)
            }));
        }
        let mut answers = Vec::new();
        Walk::new(Arc::clone(&rules)).classify_batch(&sets, &keys, &mut answers);
        prop_assert_eq!(&answers, &expected);
        for engine in EngineKind::ALL {
            let mut classifier = engine.build_or_walk(Arc::clone(&rules));
            classifier.classify_batch(&sets, &keys, &mut answers);
            prop_assert_eq!(&answers, &expected, "{:?}, batch, before it learned", engine);
            classifier.learn(&sets);
            classifier.classify_batch(&sets, &keys, &mut answers);
            prop_assert_eq!(&answers, &expected, "{:?}, batch", engine);
            for (key, expected) in keys.iter().zip(&expected) {
                prop_assert_eq!(&classifier.classify(&sets, *key), expected, "{:?}", engine);
            }
        }
    }

    #[test]
    fn engines_follow_every_member_that_comes_and_goes(
        rules in vec(rule(), 0..8),
        edits in vec(edit(), 0..40),
        asked in vec((direction(), packet()), 1..12),
    ) {
        // Engines that serve no Ethernet rules are to be tried, too.
        let rules: RuleList =
            rules.into_iter().filter(|rule| rule.layer == Layer::Ip).map(Arc::new).collect();
        let walk = Walk::new(Arc::clone(&rules));
        let mut sets = AddressSets::default();
        let mut engines: Vec<_> = EngineKind::ALL
            .iter()
            .map(|kind| (kind, kind.build_or_walk(Arc::clone(&rules))))
            .collect();
        for (_, engine) in &mut engines {
            engine.learn(&sets);
        }
        for edit in edits {
            let changed = match edit {
                Edit::AddMember(set, member) => sets.add(set, member).then_some((set, member)),
                Edit::RemoveMember(set, member) => sets.remove(set, &member).then_some((set, member)),
                _ => None,
            };
            let Some((set, member)) = changed else { continue };
            for (kind, engine) in &mut engines {
                engine.follow(&sets, set, &member);
                for (direction, packet) in &asked {
                    let key = Key { direction: *direction, packet };
                    let answer = engine.classify(&sets, key);
                    prop_assert_eq!(answer, walk.classify(&sets, key), "{:?}", kind);
                }
            }
        }
    }

    #[test]
    fn judge_equals_the_model_and_explain_equals_judge(
        edits in vec(edit(), 0..40),
        asked in vec((vnic(), direction(), packet()), 1..12),
    ) {
        for engine in EngineKind::ALL {
            let settings = Config { engine: *engine, ..Config::default() };
            let mut plane = Dataplane::new(settings.clone());
            let mut model = Model::new(settings);
            let all: Vec<_> = asked.iter().map(|(vnic, way, packet)| (*vnic, *way, packet)).collect();
            let mut verdicts = Vec::new();
            for edit in &edits {
                model.edit(&mut plane, edit);
                plane.judge_batch(&all, &mut verdicts);
                for ((vnic, direction, packet), of_batch) in all.iter().zip(&verdicts) {
                    let expected = model.judge(*vnic, *direction, packet);
                    prop_assert_eq!(*of_batch, expected, "{:?}, batch", engine);
                    let verdict = plane.judge(*vnic, *direction, packet);
                    prop_assert_eq!(verdict, expected, "{:?}", engine);
                }
            }
            for (vnic, direction, packet) in &asked {
                let verdict = plane.judge(*vnic, *direction, packet);
                let explanation = plane.explain(*vnic, *direction, packet);
                prop_assert_eq!(explanation.verdict, verdict);
                let last = explanation.steps.last().filter(|step| step.failed.is_none());
                if let Evidence::Rule(rule) = verdict.by {
                    prop_assert_eq!(last.map(|step| step.rule), Some(rule));
                }
            }
        }
    }
}

#[test]
fn every_engine_reads_its_name() {
    for engine in EngineKind::ALL {
        assert_eq!(engine.to_string().parse(), Ok(*engine));
    }
    assert!("wlak".parse::<EngineKind>().is_err());
}
