//! What a run of the guide found. Serialized as it stands for `--json`.

use std::fmt;

use serde::Serialize;

/// The whole result.
#[derive(Clone, Debug, Serialize)]
pub struct Report {
    /// Product and version of the manager.
    pub manager: String,
    /// Name of the guide's firewall section.
    pub section: String,
    /// Groups that the section is applied to.
    pub applied_to: Vec<String>,
    /// Rules of the section, top first.
    pub rules: Vec<RuleName>,
    /// The guide's table.
    pub rows: Vec<Row>,
    /// Rows that the guide's table does not have but its rules decide.
    pub also: Vec<Row>,
    /// Traffic from outside the cluster.
    pub outside: Vec<Outside>,
    /// Pods that come, go and change their labels.
    pub dynamic: Vec<Check>,
    /// Name resolution from a protected pod; absent where the cluster has no DNS pods.
    pub dns: Option<Dns>,
}

/// A rule by id and name.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct RuleName {
    /// Id given by the manager.
    pub id: u64,
    /// Display name; empty if the rule is gone.
    pub name: String,
}

/// Result of a connection, in the guide's words where it has them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub enum Outcome {
    /// All packets were delivered.
    Success,
    /// A firewall rule stopped all packets.
    Fail,
    /// Nothing leads there, the firewall was not asked.
    Unreachable,
    /// Some packets were delivered and some not.
    Mixed,
    /// There was nothing to judge, or the manager cannot judge it.
    Unjudged,
}

impl Outcome {
    /// What many connections have in common.
    pub(super) fn of_all(outcomes: impl IntoIterator<Item = Self>) -> Self {
        let mut outcomes = outcomes.into_iter();
        let Some(first) = outcomes.next() else { return Self::Unjudged };
        if outcomes.all(|outcome| outcome == first) { first } else { Self::Mixed }
    }
}

impl fmt::Display for Outcome {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Success => "Success",
            Self::Fail => "Fail",
            Self::Unreachable => "Unreachable",
            Self::Mixed => "Mixed",
            Self::Unjudged => "Unjudged",
        })
    }
}

/// One row of the table: a service's pods to another's.
#[derive(Clone, Debug, Serialize)]
pub struct Row {
    /// Service that connects.
    pub source: String,
    /// Service connected to.
    pub destination: String,
    /// What was found.
    pub result: Outcome,
    /// What is printed in the guide, or follows from its rules.
    pub expected: Outcome,
    /// Name of the rule that is expected to decide.
    pub expected_rule: String,
    /// One entry for each pair of pods.
    pub pairs: Vec<Pair>,
}

/// One pod's connection to another, TCP to the container's port.
#[derive(Clone, Debug, Serialize)]
pub struct Pair {
    /// Pod that connects.
    pub from: String,
    /// Pod connected to.
    pub to: String,
    /// What became of the packet.
    pub outcome: Outcome,
    /// Why the packet was dropped, as the traceflow says.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// Rules that decided, in the order of the packet's way; the last one settled it.
    pub verdicts: Vec<Verdict>,
}

/// The deciding rule at one vNIC.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Verdict {
    /// The rule.
    pub rule: RuleName,
    /// Pod, or logical port where no pod is known, whose vNIC it is.
    pub at: String,
    /// Direction seen from the vNIC.
    pub direction: Direction,
    /// Whether the packet went on.
    pub allowed: bool,
}

impl Verdict {
    /// The verdict in one line: rule, vNIC and direction.
    pub(super) fn summary(&self) -> String {
        let direction = self.direction.as_str();
        format!("{} {} at {} {direction}", self.rule.id, self.rule.name, self.at)
    }
}

/// Direction seen from the vNIC.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "UPPERCASE")]
pub enum Direction {
    /// Sent by the vNIC.
    Out,
    /// On its way to the vNIC.
    In,
}

impl Direction {
    /// The word for it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Out => "OUT",
            Self::In => "IN",
        }
    }
}

/// A connection from outside the cluster.
#[derive(Clone, Debug, Serialize)]
pub struct Outside {
    /// Who is connected to.
    pub target: String,
    /// What was found.
    pub result: Outcome,
    /// What is printed in the guide.
    pub expected: Outcome,
    /// How it came about.
    pub detail: String,
    /// What is to be learned from a result that is not the guide's.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub lesson: Option<String>,
}

/// Something that must hold after a change.
#[derive(Clone, Debug, Serialize)]
pub struct Check {
    /// The change and what must hold after it.
    pub what: String,
    /// Whether it held.
    pub holds: bool,
    /// What was found.
    pub detail: String,
}

/// Name resolution from a protected pod.
#[derive(Clone, Debug, Serialize)]
pub struct Dns {
    /// Pod that asks, DNS pod that is asked, verdicts in between.
    pub query: Pair,
    /// What it means to one who follows the guide by service name.
    pub meaning: String,
    /// Rule that makes names work again; absent where nothing is broken.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub mending_rule: Option<String>,
}

impl Row {
    /// Whether the row is as in the guide.
    pub fn as_expected(&self) -> bool {
        self.result == self.expected
    }
}

impl Outside {
    /// Whether this is as in the guide, or could not be judged and so contradicts nothing.
    pub fn as_expected(&self) -> bool {
        self.result == self.expected || self.result == Outcome::Unjudged
    }
}

impl Report {
    /// Number of rows of the guide's table that came out as printed there.
    pub fn rows_as_in_guide(&self) -> usize {
        self.rows.iter().filter(|row| row.as_expected()).count()
    }

    /// Everything that did not come out as in the guide, by name.
    pub fn differences(&self) -> Vec<String> {
        let rows = self.rows.iter().filter(|row| !row.as_expected());
        let outside = self.outside.iter().filter(|target| !target.as_expected());
        let dynamic = self.dynamic.iter().filter(|check| !check.holds);
        rows.map(|row| format!("{} to {}", row.source, row.destination))
            .chain(outside.map(|target| format!("outside to {}", target.target)))
            .chain(dynamic.map(|check| check.what.clone()))
            .collect()
    }

    /// Whether all the guide prints came out: its table, the way in from outside, and membership
    /// that follows the pods.
    pub fn as_in_guide(&self) -> bool {
        self.differences().is_empty()
    }
}
