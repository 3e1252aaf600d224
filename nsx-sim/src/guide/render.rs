//! The report as text: the guide's table with its evidence beside it.

use std::fmt::Write;

use super::report::{Check, Dns, Outcome, Outside, Report, Row};

/// Headings of the table; the first three are the guide's own.
const HEADINGS: [&str; 7] =
    ["Source Pod", "Destination Pod", "Result", "Expected", "Decided by", "At", "Pairs"];

impl Report {
    /// Plain text, one line per fact; the last line counts the rows that are as in the guide.
    pub fn to_text(&self) -> String {
        let mut text = String::new();
        let _ = writeln!(
            text,
            "{}, section {}, applied to {}\n",
            self.manager,
            self.section,
            self.applied_to.join(", ")
        );
        let cells: Vec<_> = self.rows.iter().chain(&self.also).map(cells).collect();
        let table = aligned(&[&[HEADINGS.map(str::to_owned)][..], &cells].concat());
        let (guide, also) = table.split_at(1 + self.rows.len());
        block(&mut text, guide);
        text.push_str("\nNot in the guide's table:\n");
        block(&mut text, also);
        text.push_str("\nFrom outside the cluster:\n");
        block(&mut text, &aligned(&self.outside.iter().map(outside_cells).collect::<Vec<_>>()));
        for lesson in self.outside.iter().filter_map(|target| target.lesson.as_ref()) {
            let _ = writeln!(text, "{lesson}");
        }
        text.push_str("\nMembership follows the pods:\n");
        block(&mut text, &aligned(&self.dynamic.iter().map(check_cells).collect::<Vec<_>>()));
        if let Some(dns) = &self.dns {
            let _ = write!(text, "\nName resolution:\n{}", dns_text(dns));
        }
        let _ = writeln!(text, "\n{}", self.conclusion());
        text
    }

    /// One JSON document with the same facts.
    pub fn to_json(&self) -> String {
        let mut document = serde_json::json!(self);
        document["rows_as_in_guide"] = serde_json::json!(self.rows_as_in_guide());
        document["differences"] = serde_json::json!(self.differences());
        format!("{document:#}\n")
    }

    fn conclusion(&self) -> String {
        let counted =
            format!("{} of {} rows as in the guide", self.rows_as_in_guide(), self.rows.len());
        let differences = self.differences();
        if differences.is_empty() {
            return counted;
        }
        format!("{counted}; not as in the guide: {}", differences.join("; "))
    }
}

fn cells(row: &Row) -> [String; 7] {
    let mut rules: Vec<String> = Vec::new();
    let mut vnics: Vec<String> = Vec::new();
    let mut directions: Vec<&str> = Vec::new();
    for verdict in row.pairs.iter().filter_map(|pair| pair.verdicts.last()) {
        let mut rule = format!("{} ({})", verdict.rule.name, verdict.rule.id);
        if verdict.rule.name != row.expected_rule {
            let _ = write!(rule, ", expected {}", row.expected_rule);
        }
        add(&mut rules, rule);
        add(&mut vnics, verdict.at.clone());
        add(&mut directions, verdict.direction.as_str());
    }
    let at = match vnics.as_slice() {
        [] => String::new(),
        [only] => format!("{only} {}", directions.join("/")),
        [first, others @ ..] => format!("{first} +{} {}", others.len(), directions.join("/")),
    };
    let agreeing = row.pairs.iter().filter(|pair| pair.outcome == row.expected).count();
    [
        row.source.clone(),
        row.destination.clone(),
        row.result.to_string(),
        format!("{} {}", row.expected, mark(row.as_expected())),
        rules.join("; "),
        at,
        format!("{agreeing}/{}", row.pairs.len()),
    ]
}

fn outside_cells(target: &Outside) -> [String; 4] {
    let mark = if target.result == Outcome::Unjudged { "-" } else { mark(target.as_expected()) };
    let expected = format!("{} {mark}", target.expected);
    [target.target.clone(), target.result.to_string(), expected, target.detail.clone()]
}

fn check_cells(check: &Check) -> [String; 2] {
    [format!("{} {}", mark(check.holds), check.what), check.detail.clone()]
}

fn dns_text(dns: &Dns) -> String {
    let query = &dns.query;
    let decided = query.verdicts.last().map(|verdict| format!(", {}", verdict.summary()));
    let mut text = format!(
        "{} to {} UDP 53: {}{}\n{}\n",
        query.from,
        query.to,
        query.outcome,
        decided.unwrap_or_default(),
        dns.meaning
    );
    if let Some(rule) = &dns.mending_rule {
        let _ = writeln!(text, "To mend it: {rule}");
    }
    text
}

fn mark(holds: bool) -> &'static str {
    if holds { "✓" } else { "✗" }
}

/// Adds what is not there yet, so that the order of first appearance stays.
fn add<T: PartialEq>(list: &mut Vec<T>, item: T) {
    if !list.contains(&item) {
        list.push(item);
    }
}

/// Lines whose cells start in the same columns, two spaces apart.
fn aligned<const N: usize>(rows: &[[String; N]]) -> Vec<String> {
    let width = |column: usize| rows.iter().map(|row| row[column].chars().count()).max();
    let widths: [usize; N] = std::array::from_fn(|column| width(column).unwrap_or_default());
    rows.iter()
        .map(|row| {
            let cells = row.iter().zip(widths).map(|(cell, width)| format!("{cell:width$}"));
            cells.collect::<Vec<_>>().join("  ").trim_end().to_owned()
        })
        .collect()
}

fn block(text: &mut String, lines: &[String]) {
    for line in lines {
        text.push_str(line);
        text.push('\n');
    }
}

#[cfg(test)]
mod tests {
    use super::super::report::{Direction, Pair, RuleName, Verdict};
    use super::*;

    fn verdict(id: u64, name: &str, at: &str, direction: Direction) -> Verdict {
        let rule = RuleName { id, name: name.to_owned() };
        Verdict { rule, at: at.to_owned(), direction, allowed: name != "DenyAll" }
    }

    fn pair(from: &str, to: &str, outcome: Outcome, last: Verdict) -> Pair {
        let (from, to) = (from.to_owned(), to.to_owned());
        Pair { from, to, outcome, reason: None, verdicts: vec![last] }
    }

    fn row(names: [&str; 2], expected: Outcome, expected_rule: &str, pairs: Vec<Pair>) -> Row {
        Row {
            source: names[0].to_owned(),
            destination: names[1].to_owned(),
            result: Outcome::of_all(pairs.iter().map(|pair| pair.outcome)),
            expected,
            expected_rule: expected_rule.to_owned(),
            pairs,
        }
    }

    fn report() -> Report {
        use Outcome::{Fail, Success};
        let allowed = |to: &str| {
            pair("a-1", to, Success, verdict(15400, "service-aToservice-b", to, Direction::In))
        };
        let refused =
            |to: &str| pair("a-1", to, Fail, verdict(15399, "DenyAll", to, Direction::In));
        Report {
            manager: "NSX-T 2.5.1".to_owned(),
            section: "PtoPDFW-MicroSegmentation".to_owned(),
            applied_to: vec!["nsg-service-b".to_owned(), "nsg-service-c".to_owned()],
            rules: Vec::new(),
            rows: vec![
                row(
                    ["service-a", "service-b"],
                    Success,
                    "service-aToservice-b",
                    vec![allowed("b-1"), allowed("b-2")],
                ),
                row(["service-a", "service-d"], Fail, "DenyAll", vec![refused("d-1")]),
            ],
            also: vec![row(["service-d", "service-a"], Fail, "DenyAll", vec![])],
            outside: vec![Outside {
                target: "10.40.14.50:80".to_owned(),
                result: Success,
                expected: Success,
                detail: "ALLOW by 2 at a-1 IN".to_owned(),
                lesson: None,
            }],
            dynamic: vec![Check {
                what: "b-3 is in nsg-service-b".to_owned(),
                holds: true,
                detail: "10.0.0.4".to_owned(),
            }],
            dns: Some(Dns {
                query: pair("b-1", "dns-1", Fail, verdict(15399, "DenyAll", "b-1", Direction::Out)),
                meaning: "No names.".to_owned(),
                mending_rule: Some("Allow DNS.".to_owned()),
            }),
        }
    }

    #[test]
    fn the_text_is_the_guides_table_with_its_evidence() {
        let mut report = report();
        report.also.clear();
        let golden = "\
NSX-T 2.5.1, section PtoPDFW-MicroSegmentation, applied to nsg-service-b, nsg-service-c

Source Pod  Destination Pod  Result   Expected   Decided by                    At         Pairs
service-a   service-b        Success  Success ✓  service-aToservice-b (15400)  b-1 +1 IN  2/2
service-a   service-d        Fail     Fail ✓     DenyAll (15399)               d-1 IN     1/1

Not in the guide's table:

From outside the cluster:
10.40.14.50:80  Success  Success ✓  ALLOW by 2 at a-1 IN

Membership follows the pods:
✓ b-3 is in nsg-service-b  10.0.0.4

Name resolution:
b-1 to dns-1 UDP 53: Fail, 15399 DenyAll at b-1 OUT
No names.
To mend it: Allow DNS.

2 of 2 rows as in the guide
";
        assert_eq!(report.to_text(), golden);
        assert!(report.as_in_guide());
    }

    #[test]
    fn a_difference_is_marked_and_named_at_the_end() {
        let mut report = report();
        report.outside[0].result = Outcome::Fail;
        report.rows[1].pairs[0].verdicts[0].rule.name = "Other".to_owned();
        let text = report.to_text();
        assert!(text.contains("10.40.14.50:80  Fail  Success ✗"), "{text}");
        assert!(text.contains("Other (15399), expected DenyAll"), "{text}");
        assert!(
            text.ends_with(
                "\n2 of 2 rows as in the guide; not as in the guide: outside to 10.40.14.50:80\n"
            ),
            "{text}"
        );
        assert!(!report.as_in_guide());
    }

    #[test]
    fn what_could_not_be_judged_contradicts_nothing_outside_but_does_in_the_table() {
        let mut report = report();
        report.outside[0].result = Outcome::Unjudged;
        assert!(report.as_in_guide());
        assert!(report.to_text().contains("10.40.14.50:80  Unjudged  Success -"));
        report.rows[0].result = Outcome::Unjudged;
        assert_eq!(report.differences(), ["service-a to service-b"]);
    }

    #[test]
    fn the_document_has_the_same_facts() {
        let document: serde_json::Value = serde_json::from_str(&report().to_json()).unwrap();
        assert_eq!(document["rows_as_in_guide"], 2);
        let verdict = &document["rows"][1]["pairs"][0]["verdicts"][0];
        assert_eq!(
            *verdict,
            serde_json::json!({
                "rule": {"id": 15399, "name": "DenyAll"}, "at": "d-1", "direction": "IN",
                "allowed": false,
            })
        );
    }
}
