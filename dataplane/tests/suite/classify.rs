//! Every engine, and the whole plane's pure half, against the model.

use std::sync::Arc;

use dataplane::engine::{RuleList, Walk};
use dataplane::{AddressSets, Config, Dataplane, EngineKind, Key};
use proptest::collection::vec;
use proptest::prelude::*;

use crate::model::{Model, matching};
use crate::strategies::{Edit, config, direction, edit, packet, rule, vnic};

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
            if let Edit::Add(set, member) = edit {
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
        dataplane::engine::Classifier::classify_batch(
            &Walk::new(Arc::clone(&rules)), &sets, &keys, &mut answers,
        );
        prop_assert_eq!(&answers, &expected);
        for engine in EngineKind::ALL {
            let classifier = engine.build_or_walk(Arc::clone(&rules));
            classifier.classify_batch(&sets, &keys, &mut answers);
            prop_assert_eq!(&answers, &expected, "{:?}, batch", engine);
            for (key, expected) in keys.iter().zip(&expected) {
                prop_assert_eq!(&classifier.classify(&sets, *key), expected, "{:?}", engine);
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
            for edit in &edits {
                model.edit(&mut plane, edit);
            }
            for (vnic, direction, packet) in &asked {
                let verdict = plane.judge(*vnic, *direction, packet);
                prop_assert_eq!(verdict, model.judge(*vnic, *direction, packet));
                let explanation = plane.explain(*vnic, *direction, packet);
                prop_assert_eq!(explanation.verdict, verdict);
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
