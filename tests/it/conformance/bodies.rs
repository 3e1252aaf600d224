//! Every kind: a new object and a change of one, with each of the bodies made from its type.

use super::contract::Contract;
use super::found::{Found, remove};
use super::mutate::{Case, Expect, cases};
use super::shape;
use crate::api::samples::{Sample, prepared};
use nsx_sim::http::Verb;
use serde_json::{Value, json};
use std::collections::HashSet;
use tests::{Answer, Facts, Manager};

/// Members that are told otherwise than they were sent: kind, member, and why.
const TOLD_OTHERWISE: [(&str, &str, &str); 4] = [
    ("BgpNeighbor", "/password", "a secret"),
    ("BgpNeighbor", "/remote_as", "remote_as_num, which is sent beside it, counts"),
    ("IPSecVPNLocalEndpoint", "/ipsec_vpn_service_id/target_type", "there is one type alone"),
    ("LogicalSwitch", "/vni", "once there is one, only the manager sets it"),
];

/// Members that are published as the manager's own and are read all the same: kind and member. Without
/// them the object would say nothing.
const READ_ALL_THE_SAME: [(&str, &str); 2] =
    [("CrlDistributionPoint", "/cdp_uri"), ("CrlDistributionPoint", "/issuer")];

/// What a kind's answers are held against.
struct Judge<'a> {
    facts: &'a Facts,
    contract: &'a Contract,
    of: &'a str,
    kind: &'static str,
}

impl Judge<'_> {
    /// Holds one answer against what was expected of it.
    fn judge(&self, found: &mut Found, verb: Verb, case: &Case, answer: &Answer) {
        let sent = if verb == Verb::Create { "POST" } else { "PUT" };
        let call = format!("{} {sent} {}", self.kind, case.name);
        let taken = (200..300).contains(&answer.status);
        let right = match case.expect {
            Expect::Taken if READ_ALL_THE_SAME.contains(&(self.kind, &case.member)) => {
                answer.status == 400
            }
            Expect::Taken => taken,
            Expect::Refused => answer.status == 400,
            Expect::Judged | Expect::Kept => true,
        };
        let of_status = || self.contract.problem(self.contract.verb(self.kind, verb)?, answer);
        let of_type = || shape::problem_of_object(self.facts, self.of, &answer.body);
        let of_value = || {
            let (sent, own) = (case.body.pointer(&case.member), answer.body.pointer(&case.member));
            let told = || own.map_or_else(|| "nothing".to_owned(), Value::to_string);
            let otherwise = TOLD_OTHERWISE
                .iter()
                .any(|(kind, member, _)| (*kind, *member) == (self.kind, &*case.member));
            let kept = case.expect != Expect::Kept || sent == own || otherwise;
            (!kept).then(|| format!("tells {} of what was sent", told()))
        };
        let problem = if right { None } else { Some(answer.status.to_string()) };
        let problem = problem.or_else(of_status);
        let of_answer = || if taken { of_type().or_else(of_value) } else { None };
        found.tell(&call, problem.or_else(of_answer));
    }
}

/// Sends every `step`-th case of a kind, and the first of each member, as a new object and as a change
/// of one.
pub fn run(facts: &Facts, contract: &Contract, sample: &Sample, step: usize, found: &mut Found) {
    let Some(of) = facts.name_of_kind(sample.kind) else { return };
    let judge = Judge { facts, contract, of: &of, kind: sample.kind };
    let (manager, path) = (prepared(), &*sample.path());
    let base = (sample.body)();
    let mut all = cases(facts, &of, &base);
    all.extend(cases(facts, "ManagedResource", &base).into_iter().skip(1));
    let mut members = HashSet::new();
    let mut place = 0..;
    all.retain(|case| {
        let is_first = members.insert(case.member.clone());
        place.next().is_some_and(|place| place % step == 0) || is_first
    });
    for case in &all {
        let answer = manager.post(path, case.body.clone());
        judge.judge(found, Verb::Create, case, &answer);
        remove(&manager, path, &answer);
    }
    if sample.declaration().verbs.update {
        changes(&judge, sample, &manager, all, found);
    }
    defaults(facts, &of, sample, &manager, found);
}

/// Sends each case as a change of an object. What was refused is as it was, so the next may change it.
fn changes(
    judge: &Judge<'_>,
    sample: &Sample,
    manager: &Manager,
    all: Vec<Case>,
    found: &mut Found,
) {
    let path = &*sample.path();
    let mut kept = None;
    for case in all {
        let made = kept.take().unwrap_or_else(|| manager.post(path, (sample.body)()));
        let one = format!("{path}/{}", made.body["id"].as_str().unwrap_or_default());
        let mut body = case.body.clone();
        if body.get("_revision").is_none() {
            body["_revision"] = made.body["_revision"].clone();
        }
        let answer = manager.put(&one, body);
        judge.judge(found, Verb::Update, &case, &answer);
        if answer.status < 300 {
            remove(manager, path, &made);
        } else if manager.get(&one).body == made.body {
            kept = Some(made);
        } else {
            found.fail(format!("{} PUT {}: changed what it refused", sample.kind, case.name));
            remove(manager, path, &made);
        }
    }
    if let Some(made) = kept {
        remove(manager, path, &made);
    }
}

/// What callers leave out has the published default when it is read.
fn defaults(facts: &Facts, of: &str, sample: &Sample, manager: &Manager, found: &mut Found) {
    let (path, base) = (&*sample.path(), (sample.body)());
    let made = manager.post(path, base.clone());
    let variant = made.body["resource_type"].as_str().unwrap_or(of);
    for (name, default) in shape::defaults(facts, of, variant) {
        let own = made.body.get(name);
        let same = own == Some(&default)
            || own.is_none() && (default == json!([]) || default == "")
            || own.and_then(Value::as_f64).is_some_and(|own| Some(own) == default.as_f64());
        if base.get(name).is_none() && !same {
            let own = own.map_or_else(|| "nothing".to_owned(), Value::to_string);
            found.fail(format!("{} /{name} is {own} and not {default}", sample.kind));
        }
    }
    remove(manager, path, &made);
}
