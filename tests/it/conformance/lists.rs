//! Every collection: pages, cursors, order, members and filters.

use super::contract::Contract;
use super::found::Found;
use crate::api::samples::{self, PARENT, Sample, prepared, with};
use nsx_sim::http::{Listed, Verb};
use nsx_sim::inventory::{Kind, Words};
use serde_json::{Value, json};
use tests::Manager;

/// Sizes of pages that are none.
const SIZES: [&str; 7] = ["1001", "-1", "x", "1.5", "%2010", "0x10", "99999999999999999999"];
/// Cursors that no manager gave: among them one that reads, and holds something else.
const CURSORS: [&str; 6] = ["0000", "c", "x", "c%F0%9F", "cW10", "0036a1b2"];

/// Walks every list of a kind's verbs.
pub fn run(contract: &Contract, found: &mut Found) {
    let manager = prepared();
    for sample in samples::all() {
        for id in ["one", "two", "three"] {
            manager.post(&sample.path(), with((sample.body)(), json!({ "id": id })));
        }
    }
    for operation in contract.operations() {
        if let Some((kind, Verb::List)) = operation.of {
            Lists { manager: &manager, contract, operation, found }.run(kind);
        }
    }
}

struct Lists<'a> {
    manager: &'a Manager,
    contract: &'a Contract,
    operation: &'a Listed,
    found: &'a mut Found,
}

impl Lists<'_> {
    fn get(&mut self, list: &str, query: &str, expected: u16) -> Value {
        let join = if list.contains('?') { "&" } else { "?" };
        let answer = self.manager.get(&format!("{list}{join}{query}"));
        let status = answer.status;
        let other = (status != expected).then(|| format!("{status} and not {expected}"));
        let problem = other.or_else(|| self.contract.problem(self.operation, &answer));
        self.found.tell(&format!("GET {list}{join}{query}"), problem);
        answer.body
    }

    fn hold(&mut self, list: &str, query: &str, what: &str, holds: bool) {
        if !holds {
            self.found.fail(format!("GET {list} {query}: {what}"));
        }
    }

    fn run(&mut self, kind: &Kind) {
        let sample = samples::all().find(|own| own.kind == kind.name);
        let list = sample.map_or_else(|| kind.path.replace("{}", PARENT), Sample::list_with);
        let list = list.strip_suffix('?').unwrap_or(&list).to_owned();
        let whole = self.get(&list, "", 200);
        let rows = whole["results"].as_array().cloned().unwrap_or_default();
        for query in
            ["page_size=", "cursor=", "cursor=&page_size=&sort_by=", "no_such_word=1", "=&&"]
        {
            let same = self.get(&list, query, 200) == whole;
            self.hold(&list, query, "differs from the plain list", same);
        }
        self.pages(&list, kind, &whole);
        self.order(&list, &rows);
        self.members(&list, &rows);
        self.filters(&list, kind);
    }

    fn pages(&mut self, list: &str, kind: &Kind, whole: &Value) {
        for (size, most) in [("0", 0), ("1", 1), ("2", 2), ("1000", kind.page_cap)] {
            let query = format!("page_size={size}");
            let page = self.get(list, &query, 200);
            let rows = page["results"].as_array().map_or(0, Vec::len);
            let fits = rows <= most && page["result_count"] == whole["result_count"];
            self.hold(list, &query, "a page of another size", fits);
        }
        for size in SIZES {
            self.get(list, &format!("page_size={size}"), 400);
        }
        for cursor in CURSORS {
            self.get(list, &format!("cursor={cursor}"), 400);
        }
        // Two by two to the end, or for a while.
        let (mut seen, mut cursor) = (Vec::new(), String::new());
        for _ in 0..6 {
            let page = self.get(list, &format!("page_size=2&cursor={cursor}"), 200);
            seen.extend(page["results"].as_array().cloned().unwrap_or_default());
            match page["cursor"].as_str() {
                Some(next) => next.clone_into(&mut cursor),
                None => break,
            }
        }
        let rows = whole["results"].as_array().cloned().unwrap_or_default();
        let same = rows.starts_with(&seen) && (seen.len() == rows.len() || seen.len() == 12);
        self.hold(list, "page_size=2", "the walk gives other rows", same);
    }

    fn order(&mut self, list: &str, rows: &[Value]) {
        for query in ["sort_ascending=true", "sort_ascending=False"] {
            let sorted = self.get(list, query, 200);
            let all = sorted["results"].as_array().is_some_and(|own| own.len() == rows.len());
            self.hold(list, query, "other rows", all);
        }
        self.get(list, "sort_ascending=maybe", 400);
        let plain = |value: &Value| !value.is_array() && !value.is_object();
        for (name, _) in rows.first().and_then(Value::as_object).into_iter().flatten() {
            let sortable = rows.iter().filter_map(|row| row.get(name)).any(plain);
            self.get(list, &format!("sort_by={name}"), if sortable { 200 } else { 400 });
        }
        self.get(list, "sort_by=no_such_member", if rows.is_empty() { 200 } else { 400 });
    }

    fn members(&mut self, list: &str, rows: &[Value]) {
        let names = rows.first().and_then(Value::as_object).into_iter().flat_map(|row| row.keys());
        let mut names: Vec<&str> = names.map(String::as_str).collect();
        names.push("no_such_member");
        for name in names {
            let query = format!("included_fields={name}");
            let page = self.get(list, &query, 200);
            let narrow = page["results"].as_array().into_iter().flatten().all(|row| {
                row.as_object().is_some_and(|row| row.keys().all(|own| own == name || own == "id"))
            });
            self.hold(list, &query, "more than was asked for", narrow);
        }
    }

    fn filters(&mut self, list: &str, kind: &Kind) {
        for filter in kind.filters {
            let name = filter.name;
            // What one filter takes, another may want to go with something else.
            let mut any = |value: &str| {
                let query = format!("{name}={value}");
                let join = if list.contains('?') { "&" } else { "?" };
                let answer = self.manager.get(&format!("{list}{join}{query}"));
                let fine = matches!(answer.status, 200 | 400);
                let other = (!fine).then(|| answer.status.to_string());
                let problem = other.or_else(|| self.contract.problem(self.operation, &answer));
                self.found.tell(&format!("GET {list} {query}"), problem);
            };
            any(&"x".repeat(4000));
            any("%00");
            let (words, wrong): (&[&str], _) = match &filter.words {
                None => (&["no-such-value"], None),
                Some(Words::Of(words)) => (words, Some("no_such_word")),
                Some(Words::Boolean) => {
                    (&["true", "True", "TRUE", "false", "False"], Some("maybe"))
                }
                Some(Words::Number) => (&["0", "7", "-1", "4294967296"], Some("many")),
            };
            for word in words {
                any(word);
            }
            if let Some(wrong) = wrong {
                self.get(list, &format!("{name}={wrong}"), 400);
            }
            self.get(list, &format!("{name}="), 200);
        }
    }
}
