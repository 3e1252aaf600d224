//! Every kind: revisions, ids and types that fit or do not, and what is not there.

use super::contract::Contract;
use super::found::Found;
use crate::api::samples::{Sample, prepared, with};
use nsx_sim::http::Verb;
use serde_json::{Value, json};

/// Tries to change, make and delete objects of a kind.
pub fn run(contract: &Contract, sample: &Sample, found: &mut Found) {
    let (manager, path, declaration) = (prepared(), &*sample.path(), sample.declaration());
    let base = (sample.body)();
    let mut tell = |verb: Verb, how: &str, answer: tests::Answer, expected: u16| {
        let Some(operation) = contract.verb(sample.kind, verb) else { return answer };
        let status = answer.status;
        let other = (status != expected).then(|| format!("{status} and not {expected}"));
        let call = format!("{} {verb:?} {how}", sample.kind);
        found.tell(&call, other.or_else(|| contract.problem(operation, &answer)));
        answer
    };
    let named = |id: &str| with(base.clone(), json!({"id": id, "_revision": 7}));
    let (one, none) = (format!("{path}/own"), format!("{path}/none"));
    let made = manager.post(path, named("own"));
    let made = tell(Verb::Create, "with an id", made, declaration.created);
    tell(Verb::Create, "with an id that is taken", manager.post(path, named("own")), 400);
    tell(Verb::Read, "what is there", manager.get(&one), 200);
    tell(Verb::Read, "what is not there", manager.get(&none), 404);
    if declaration.verbs.update {
        let revision = made.body["_revision"].as_i64().unwrap_or_default();
        let stale = if declaration.stale_conflicts { 409 } else { 412 };
        for (how, sent, expected) in [
            ("without revision", Value::Null, stale),
            ("with a later revision", json!(revision + 1), stale),
            ("with an earlier revision", json!(revision - 1), stale),
            ("with a great revision", json!(i64::MAX), stale),
            ("with a revision that is no number", json!("first"), 400),
            ("with a revision that is a list", json!([revision]), 400),
            ("with a revision of another world", json!("99999999999999999999"), 400),
        ] {
            let body = with(base.clone(), json!({ "_revision": sent }));
            tell(Verb::Update, how, manager.put(&one, body), expected);
        }
        for (how, more) in [
            ("with another's id", json!({"id": "other"})),
            ("with another type", json!({"resource_type": "NoSuchType"})),
            ("with an unknown member", json!({"no_such_member": 1})),
        ] {
            let body = with(with(made.body.clone(), more), json!({"_revision": revision}));
            tell(Verb::Update, how, manager.put(&one, body), 400);
        }
        let body = with(base.clone(), json!({"_revision": 0}));
        tell(Verb::Update, "what is not there", manager.put(&none, body), 404);
        let kept = manager.get(&one).body == made.body;
        tell(Verb::Read, "what was not changed", manager.get(&one), if kept { 200 } else { 0 });
        // What a manager gave may be sent back as it is, with its revision as text.
        let back = with(made.body.clone(), json!({"_revision": revision.to_string()}));
        tell(Verb::Update, "sent back", manager.put(&one, back), 200);
    }
    if declaration.verbs.delete {
        tell(Verb::Delete, "what is not there", manager.delete(&none), 404);
        tell(Verb::Delete, "what is there", manager.delete(&one), declaration.deleted);
        tell(Verb::Delete, "what was deleted", manager.delete(&one), 404);
        tell(Verb::Read, "what was deleted", manager.get(&one), 404);
    }
}
