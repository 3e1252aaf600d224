//! Step 7: the guide's table, every pod of one service to every pod of the other.

use super::pods::{self, Pod};
use super::report::{Outcome, Pair, Row};
use super::section::{self, DENY_ALL};
use super::trace::{Probe, Tracer};
use super::{Done, Fault};
use fixtures::GUIDE_TABLE;

/// Port of the web server in each pod. The service port never reaches the firewall: the node has
/// put the pod's address and port in its place by then.
pub(super) const POD_PORT: u16 = 8080;

/// Source, destination, whether the connection is allowed.
type Expectation = (&'static str, &'static str, bool);

/// What the rules decide beside the table: the sender's own vNIC rejects.
const ALSO: [Expectation; 4] = [
    ("service-d", "service-a", false),
    ("service-b", "service-b", false),
    ("service-c", "service-c", false),
    ("service-d", "service-d", false),
];

/// What the pod to pod connections gave.
pub(super) struct Matrix {
    /// The guide's rows.
    pub(super) rows: Vec<Row>,
    /// The rows that it leaves out.
    pub(super) also: Vec<Row>,
}

/// Judges the guide's rows and those that it leaves out.
pub(super) fn judge_all(tracer: &Tracer, pods: &[Pod]) -> Done<Matrix> {
    let rows = judge_each(tracer, pods, &GUIDE_TABLE)?;
    let also = judge_each(tracer, pods, &ALSO)?;
    let as_expected = rows.iter().filter(|row| row.as_expected()).count();
    let pairs: usize = rows.iter().chain(&also).map(|row| row.pairs.len()).sum();
    let note =
        format!("{as_expected} of {} rows as in the guide, {pairs} pairs judged", rows.len());
    Ok((Matrix { rows, also }, note))
}

fn judge_each(tracer: &Tracer, pods: &[Pod], table: &[Expectation]) -> Result<Vec<Row>, Fault> {
    table
        .iter()
        .map(|expectation| {
            let mut pairs = Vec::new();
            for (from, to) in pairs_of(pods, expectation.0, expectation.1) {
                pairs.push(connect(tracer, from, to)?);
            }
            Ok(row(*expectation, pairs))
        })
        .collect()
}

/// Judges one connection of the kind that the table is about.
pub(super) fn connect(tracer: &Tracer, from: &Pod, to: &Pod) -> Result<Pair, Fault> {
    tracer.probe(from, to, Probe::Tcp(POD_PORT))
}

/// Every pod of `source` with every other pod of `destination`.
fn pairs_of<'a>(pods: &'a [Pod], source: &str, destination: &str) -> Vec<(&'a Pod, &'a Pod)> {
    let receivers = pods::of_app(pods, destination);
    pods::of_app(pods, source)
        .into_iter()
        .flat_map(|from| receivers.iter().map(move |to| (from, *to)))
        .filter(|(from, to)| from.port_id() != to.port_id())
        .collect()
}

fn row((source, destination, allowed): Expectation, pairs: Vec<Pair>) -> Row {
    let (expected, expected_rule) = if allowed {
        (Outcome::Success, section::rule_name(source, destination))
    } else {
        (Outcome::Fail, DENY_ALL.to_owned())
    };
    Row {
        source: source.to_owned(),
        destination: destination.to_owned(),
        result: Outcome::of_all(pairs.iter().map(|pair| pair.outcome)),
        expected,
        expected_rule,
        pairs,
    }
}

#[cfg(test)]
mod tests {
    use super::super::pods::tests::pod;
    use super::*;

    fn pair(outcome: Outcome) -> Pair {
        let (from, to) = ("x".to_owned(), "y".to_owned());
        Pair { from, to, outcome, reason: None, verdicts: Vec::new() }
    }

    #[test]
    fn a_row_holds_if_every_pair_agrees() {
        use Outcome::{Fail, Success, Unreachable};
        let judge = |outcomes: &[Outcome]| {
            row(GUIDE_TABLE[2], outcomes.iter().map(|&outcome| pair(outcome)).collect())
        };
        assert!(judge(&[Fail, Fail]).as_expected());
        assert_eq!(judge(&[Fail, Success]).result, Outcome::Mixed);
        assert!(!judge(&[Success]).as_expected());
        assert!(!judge(&[Unreachable]).as_expected(), "only the firewall may be the cause");
        assert_eq!(judge(&[]).result, Outcome::Unjudged);
    }

    #[test]
    fn the_expected_rule_is_the_connections_own_or_the_last_one() {
        assert_eq!(row(GUIDE_TABLE[0], vec![]).expected_rule, "service-aToservice-b");
        assert_eq!(row(GUIDE_TABLE[2], vec![]).expected_rule, "DenyAll");
    }

    #[test]
    fn a_pod_is_not_paired_with_itself() {
        let pods = [
            pod("service-b", "b-1", "10.0.0.1"),
            pod("service-b", "b-2", "10.0.0.2"),
            pod("service-c", "c-1", "10.0.0.3"),
        ];
        assert_eq!(pairs_of(&pods, "service-b", "service-b").len(), 2);
        assert_eq!(pairs_of(&pods, "service-b", "service-c").len(), 2);
    }
}
