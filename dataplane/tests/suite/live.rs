//! Rules that change one after another, held against a scan of the rules as they are.

use dataplane::engine::tuple::{
    EditError, Filter, FlowCache, Header, HeaderClassifier, Live, LiveReader, NONE, Place, Rebuild,
    Scan,
};
use dataplane::{EngineKind, RuleId};
use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::Index;
use proptest::strategy::ValueTree;
use proptest::test_runner::TestRunner;

use crate::filters::{corners, filters, header};
use crate::strategies::{cases, under_miri};

/// The engines below.
const KINDS: [EngineKind; 5] = [
    EngineKind::Walk,
    EngineKind::Crossed,
    EngineKind::Paired,
    EngineKind::Forest,
    EngineKind::Auto,
];

/// What is done to the rules. Indexes pick among those that there are.
#[derive(Clone, Debug)]
enum Step {
    Insert(Place, Vec<Filter>),
    Remove(Index),
    Replace(Index, Vec<Filter>),
    Shift(Index, Place),
    /// Tables are begun for the rules as they are.
    Begin,
    /// What was begun last is shown.
    Finish,
}

/// A place whose number is one of `0..1_000`, to be taken for one of those that there are.
fn place() -> impl Strategy<Value = Place> {
    prop_oneof![
        1 => Just(Place::First),
        1 => Just(Place::Last),
        3 => (0_u64..1_000).prop_map(|at| Place::Before(RuleId(at))),
        3 => (0_u64..1_000).prop_map(|at| Place::After(RuleId(at))),
    ]
}

fn step() -> impl Strategy<Value = Step> {
    let of = || filters(4);
    prop_oneof![
        4 => (place(), of()).prop_map(|(place, filters)| Step::Insert(place, filters)),
        4 => any::<Index>().prop_map(Step::Remove),
        3 => (any::<Index>(), of()).prop_map(|(at, filters)| Step::Replace(at, filters)),
        3 => (any::<Index>(), place()).prop_map(|(at, place)| Step::Shift(at, place)),
        1 => Just(Step::Begin),
        1 => Just(Step::Finish),
    ]
}

/// The rules as they should be, beside those that are edited.
struct Both {
    rules: Vec<(RuleId, Vec<Filter>)>,
    live: Live,
    reader: LiveReader,
    cache: FlowCache,
    begun: Option<Rebuild>,
    next: u64,
}

impl Both {
    fn new(kind: EngineKind, filters: &[Filter]) -> Self {
        let rules: Vec<_> = (0..).map(RuleId).zip(filters.iter().map(|one| vec![*one])).collect();
        let live = Live::new(kind, rules.clone()).unwrap();
        let (reader, next) = (live.reader(), rules.len() as u64);
        Self { rules, live, reader, cache: FlowCache::new(64, 3), begun: None, next }
    }

    fn at(&self, name: RuleId) -> usize {
        self.rules.iter().position(|(own, _)| *own == name).unwrap()
    }

    /// The place by a rule that there is, and where that is.
    fn by_rule(&self, place: Place) -> (Place, usize) {
        let number = |RuleId(at): RuleId| usize::try_from(at).unwrap() % self.rules.len();
        let pick = |at| self.rules[number(at)].0;
        match place {
            Place::Before(_) | Place::After(_) if self.rules.is_empty() => (Place::First, 0),
            Place::First => (Place::First, 0),
            Place::Last => (Place::Last, self.rules.len()),
            Place::Before(at) => (Place::Before(pick(at)), self.at(pick(at))),
            Place::After(at) => (Place::After(pick(at)), self.at(pick(at)) + 1),
        }
    }

    fn step(&mut self, step: &Step) {
        let pick = |at: &Index| (!self.rules.is_empty()).then(|| at.index(self.rules.len()));
        match step {
            Step::Insert(place, filters) => {
                let (place, at) = self.by_rule(*place);
                let name = RuleId(self.next);
                self.next += 1;
                self.live.insert(name, place, filters).unwrap();
                self.rules.insert(at, (name, filters.clone()));
            }
            Step::Remove(at) => {
                let Some(at) = pick(at) else { return };
                let (name, _) = self.rules.remove(at);
                self.live.remove(name).unwrap();
            }
            Step::Replace(at, filters) => {
                let Some(at) = pick(at) else { return };
                self.live.replace(self.rules[at].0, filters).unwrap();
                self.rules[at].1.clone_from(filters);
            }
            Step::Shift(at, place) => {
                let Some(at) = pick(at) else { return };
                let (place, to) = self.by_rule(*place);
                self.live.shift(self.rules[at].0, place).unwrap();
                let rule = self.rules.remove(at);
                // What stands behind it has moved up by one.
                self.rules.insert(if to > at { to - 1 } else { to }, rule);
            }
            Step::Begin => self.begun = Some(self.live.rebuild()),
            Step::Finish => {
                let Some(begun) = self.begun.take() else { return };
                assert!(self.live.adopt(begun.run().unwrap()));
            }
        }
    }

    /// The first difference between the answers and the scan's, if there is any.
    fn difference(&mut self, headers: &[Header]) -> Option<String> {
        if !self.live.rules().eq(self.rules.iter().map(|(name, _)| *name)) {
            return Some("the order is another".to_owned());
        }
        let ranked = (0..).zip(&self.rules);
        let filters = ranked.flat_map(|(rank, (_, filters))| {
            filters.iter().map(move |filter| Filter { rank, ..*filter })
        });
        let mut expected = vec![NONE; headers.len()];
        Scan::new(filters.collect()).classify_headers(headers, &mut expected);
        let tables = self.reader.tables();
        for cached in [false, true] {
            let mut places = vec![7; headers.len()];
            if cached {
                self.cache.classify_tables(tables, headers, &mut places);
            } else {
                tables.classify_headers(headers, &mut places);
            }
            for ((header, place), rank) in headers.iter().zip(places).zip(&expected) {
                let right = self.rules.get(*rank as usize).map(|(name, _)| *name);
                let found = tables.rule(place);
                if found != right || (place == NONE) != right.is_none() {
                    return Some(format!("{header:?}: {found:?}, not {right:?} ({cached})"));
                }
            }
        }
        None
    }
}

proptest! {
    #![proptest_config(cases(24))]

    #[test]
    fn rules_that_change_are_answered_like_a_scan_of_them(
        filters in filters(90),
        steps in vec(step(), 1..60),
        mut headers in vec(header(), 0..60),
    ) {
        headers.extend(corners(&filters));
        for kind in KINDS {
            let mut both = Both::new(kind, &filters);
            for (number, step) in steps.iter().enumerate() {
                both.step(step);
                let difference = both.difference(&headers);
                prop_assert_eq!(difference, None, "{} after {}: {:?}", kind, number, step);
            }
        }
    }
}

/// Draws from a strategy.
fn draw<S: Strategy>(runner: &mut TestRunner, strategy: &S) -> S::Value {
    strategy.new_tree(runner).unwrap().current()
}

#[test]
fn ten_thousand_edits_leave_no_wrong_answer() {
    for kind in [EngineKind::Crossed, EngineKind::Forest] {
        let mut runner = TestRunner::deterministic();
        let first: Vec<Filter> = draw(&mut runner, &vec(filters(2), 200)).concat();
        let headers = draw(&mut runner, &vec(header(), 32));
        let mut both = Both::new(kind, &first);
        let (steps, mut edits) = (step(), 0);
        while edits < under_miri(10_000, 40) {
            let step = draw(&mut runner, &steps);
            // Tables only when they are wanted, and some edits later.
            if !matches!(step, Step::Begin | Step::Finish) {
                both.step(&step);
                edits += 1;
                assert_eq!(both.difference(&headers), None, "{kind} after edit {edits}: {step:?}");
            } else if both.begun.is_some() {
                both.step(&Step::Finish);
            } else if both.live.wants_rebuild() {
                both.step(&Step::Begin);
            }
        }
        let last: Vec<Filter> =
            both.rules.iter().flat_map(|(_, filters)| filters.clone()).collect();
        assert_eq!(both.difference(&corners(&last)), None, "{kind}");
    }
}

#[test]
fn rules_put_in_at_one_place_again_and_again_keep_their_order() {
    let mut both = Both::new(EngineKind::Forest, &[]);
    let mut runner = TestRunner::deterministic();
    let headers = draw(&mut runner, &vec(header(), 16));
    for place in [Place::First, Place::Last, Place::Before(RuleId(1)), Place::After(RuleId(1))] {
        for _ in 0..under_miri(150, 10) {
            let filters = draw(&mut runner, &filters(3));
            both.step(&Step::Insert(place, filters));
        }
        assert_eq!(both.difference(&headers), None);
    }
}

#[test]
fn tables_in_hand_stay_as_they_are() {
    let all = draw(&mut TestRunner::deterministic(), &vec(filters(2), 100)).concat();
    let mut both = Both::new(EngineKind::Forest, &all);
    let headers = corners(&all);
    let answers = |tables: &dataplane::engine::tuple::Tables| {
        let mut places = vec![NONE; headers.len()];
        tables.classify_headers(&headers, &mut places);
        places.iter().map(|place| tables.rule(*place)).collect::<Vec<_>>()
    };
    let held = std::sync::Arc::clone(both.reader.tables());
    let before = answers(&held);
    for name in 0..all.len() as u64 / 2 {
        both.live.remove(RuleId(name * 2)).unwrap();
    }
    let rebuilt = both.live.rebuild().run().unwrap();
    assert!(both.live.adopt(rebuilt));
    assert_eq!(answers(&held), before);
    assert_ne!(answers(both.reader.tables()), before);
}

#[test]
fn an_edit_that_names_what_is_not_there_changes_nothing() {
    let all = draw(&mut TestRunner::deterministic(), &vec(filters(2), 20)).concat();
    let mut both = Both::new(EngineKind::Forest, &all);
    let (known, unknown) = (RuleId(0), RuleId(999));
    let live = &mut both.live;
    assert_eq!(live.insert(known, Place::First, &all), Err(EditError::Known(known)));
    for place in [Place::Before(unknown), Place::After(unknown)] {
        assert_eq!(live.insert(RuleId(77), place, &all), Err(EditError::Unknown(unknown)));
        assert_eq!(live.shift(known, place), Err(EditError::Unknown(unknown)));
    }
    assert_eq!(live.remove(unknown), Err(EditError::Unknown(unknown)));
    assert_eq!(live.replace(unknown, &all), Err(EditError::Unknown(unknown)));
    assert_eq!(live.shift(unknown, Place::First), Err(EditError::Unknown(unknown)));
    assert_eq!(live.shift(known, Place::After(known)), Ok(()));
    let headers = corners(&all);
    assert_eq!(both.difference(&headers), None);
}

#[test]
fn of_two_rebuilds_only_the_later_is_adopted() {
    let mut both = Both::new(EngineKind::Crossed, &[]);
    let (first, second) = (both.live.rebuild(), both.live.rebuild());
    let second = second.run().unwrap();
    assert!(!both.live.adopt(first.run().unwrap()));
    assert!(both.live.adopt(second));
}
