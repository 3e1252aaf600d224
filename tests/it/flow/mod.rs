//! What packets meet: objects go in through the API, packets through the simulator's own, and a
//! line of text comes out.

mod advertised;
mod balanced;
mod balancer;
mod engines;
mod gateway;
mod guide;
mod matching;
mod nat;
mod reference;
mod routers;
mod scope;
mod services;
mod spoof_guard;
mod state;

use serde_json::{Value, json};
use tests::{Manager, Port, group_by_tag, reference, switch};

/// The name of the last rule of layer 3.
const DEFAULT: &str = "Default Layer3 Rule";

/// A manager with three pods `a`, `b` and `c` on one switch and a group of each by its tag. Pod
/// `a` has the addresses 10.0.0.1 and `fd00::1`, the next ones 2 and 3.
struct Net(Manager);

impl Net {
    fn new() -> Self {
        Self::on(Manager::new())
    }

    fn on(manager: Manager) -> Self {
        let segment = switch(&manager, "segment");
        for (number, name) in [(1, "a"), (2, "b"), (3, "c")] {
            Port::new(&segment, name)
                .tag("app", name)
                .address(&format!("10.0.0.{number}"))
                .address(&format!("fd00::{number}"))
                .make(&manager);
            group_by_tag(&manager, name, "app", name);
        }
        Self(manager)
    }

    /// Makes a section of layer 3 at the top; `own` is what it has beside its rules.
    #[track_caller]
    fn section(&self, own: Value, rules: &[Value]) -> Value {
        let mut body = json!({"section_type": "LAYER3", "stateful": true, "rules": rules});
        join(&mut body, own);
        self.0.post("/firewall/sections?action=create_with_rules", body).expect(201)
    }

    /// Sends a packet and tells how it fared, as [`tell`] does.
    #[track_caller]
    fn send(&self, packet: Value) -> String {
        tell(&self.0.post("/sim/v1/packets", packet).expect(200))
    }

    /// Sends a SYN to port 80.
    #[track_caller]
    fn connect(&self, from: &str, to: &str) -> String {
        self.send(json!({"from": from, "to": to, "dst_port": 80}))
    }

    /// Changes an object through its wire form.
    #[track_caller]
    fn edit(&self, path: &str, edit: impl FnOnce(&mut Value)) {
        let mut body = self.0.get(path).expect(200);
        edit(&mut body);
        self.0.overwriting().put(path, body).expect(200);
    }

    /// The `hit_count` of a rule.
    #[track_caller]
    fn hits(&self, section: &str, rule: &str) -> u64 {
        let path = format!("/firewall/sections/{section}/rules/{rule}/stats");
        self.0.get(&path).expect(200)["hit_count"].as_u64().unwrap_or_default()
    }
}

/// A rule of this name; `own` is what it has beside name and action.
fn rule(name: &str, action: &str, own: Value) -> Value {
    let mut rule = json!({"display_name": name, "action": action});
    join(&mut rule, own);
    rule
}

/// References to groups.
fn groups(ids: &[&str]) -> Value {
    ids.iter().map(|id| reference("NSGroup", id)).collect()
}

fn join(body: &mut Value, more: Value) {
    if let (Value::Object(body), Value::Object(more)) = (body, more) {
        body.extend(more);
    }
}

/// One line: the outcome, then for each filter on the way its port or router, direction and what decided: a
/// rule's name, `flow of` one, or the guard.
fn tell(answer: &Value) -> String {
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let verdicts = answer["verdicts"].as_array().into_iter().flatten().map(|verdict| {
        let by = match text(&verdict["by"]).as_str() {
            "RULE" => text(&verdict["rule_name"]),
            "FLOW" => format!("flow of {}", text(&verdict["rule_name"])),
            _ => text(&verdict["guard"]),
        };
        let place = match verdict.get("logical_router_name") {
            Some(router) => text(router),
            None => text(&verdict["logical_port_name"]),
        };
        format!("{place} {} {by}", text(&verdict["direction"]))
    });
    let answered = answer["answer"].as_str().map(|own| format!(" with {own}")).unwrap_or_default();
    let verdicts = verdicts.collect::<Vec<_>>().join(", ");
    format!("{}{answered}: {verdicts}", text(&answer["outcome"]))
}
