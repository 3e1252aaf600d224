//! What tests put into a manager: one line each.

use crate::{Manager, OVERLAY};
use serde_json::{Value, json};

/// The ids of a section and of its rules, in order.
#[derive(Clone, Debug)]
pub struct RuleIds {
    /// The section's.
    pub section: String,
    /// The rules', decimal.
    pub rules: Vec<String>,
}

/// A tag.
pub fn tag(scope: &str, tag: &str) -> Value {
    json!({"scope": scope, "tag": tag})
}

/// A reference to an object.
pub fn reference(kind: &str, id: &str) -> Value {
    json!({"target_type": kind, "target_id": id})
}

/// A rule that matches everything.
pub fn any_rule(name: &str, action: &str) -> Value {
    json!({"display_name": name, "action": action})
}

/// Makes an overlay switch and gives its id.
#[track_caller]
pub fn switch(manager: &Manager, id: &str) -> String {
    let body = json!({"id": id, "transport_zone_id": OVERLAY, "admin_state": "UP"});
    id_of(&manager.post("/logical-switches", body).expect(201))
}

/// A port with a VIF on a switch, still to be made.
#[derive(Clone, Debug)]
pub struct Port(Value);

impl Port {
    /// A port of this name (and id) whose VIF has the id `vif-NAME`.
    pub fn new(switch: &str, name: &str) -> Self {
        Self(json!({
            "id": name,
            "display_name": name,
            "logical_switch_id": switch,
            "admin_state": "UP",
            "attachment": {"attachment_type": "VIF", "id": format!("vif-{name}")},
        }))
    }

    /// With one more tag.
    #[must_use]
    pub fn tag(mut self, scope: &str, tag: &str) -> Self {
        push(&mut self.0, "tags", crate::tag(scope, tag));
        self
    }

    /// With one more address.
    #[must_use]
    pub fn address(mut self, ip: &str) -> Self {
        let binding = json!({"ip_address": ip, "mac_address": "02:50:56:00:00:01"});
        push(&mut self.0, "address_bindings", binding);
        self
    }

    /// Behind another port: a container of it.
    #[must_use]
    pub fn child_of(mut self, parent: &str) -> Self {
        self.0["attachment"]["context"] = json!({
            "resource_type": "VifAttachmentContext",
            "vif_type": "CHILD",
            "parent_vif_id": format!("vif-{parent}"),
            "traffic_tag": 7,
        });
        self
    }

    /// The request's body.
    pub fn body(self) -> Value {
        self.0
    }

    /// Makes the port and gives its id.
    #[track_caller]
    pub fn make(self, manager: &Manager) -> String {
        id_of(&manager.post("/logical-ports", self.0).expect(201))
    }
}

/// Makes a group of the ports with a tag and gives its id.
#[track_caller]
pub fn group_by_tag(manager: &Manager, id: &str, scope: &str, tag: &str) -> String {
    let criterion = json!({
        "resource_type": "NSGroupTagExpression",
        "target_type": "LogicalPort",
        "scope": scope,
        "tag": tag,
    });
    let body = json!({"id": id, "display_name": id, "membership_criteria": [criterion]});
    id_of(&manager.post("/ns-groups", body).expect(201))
}

/// Makes an IP set and gives its id.
#[track_caller]
pub fn address_set(manager: &Manager, id: &str, addresses: &[&str]) -> String {
    let body = json!({"id": id, "display_name": id, "ip_addresses": addresses});
    id_of(&manager.post("/ip-sets", body).expect(201))
}

/// Makes a stateful layer 3 section with rules at the top and gives their ids.
#[track_caller]
pub fn section(manager: &Manager, name: &str, rules: &[Value]) -> RuleIds {
    let body = json!({
        "display_name": name,
        "section_type": "LAYER3",
        "stateful": true,
        "rules": rules,
    });
    let made = manager.post("/firewall/sections?action=create_with_rules", body).expect(201);
    let rules = made["rules"].as_array().into_iter().flatten().map(id_of).collect();
    RuleIds { section: id_of(&made), rules }
}

/// Makes a load balancer that carries virtual servers.
#[track_caller]
pub fn load_balancer(manager: &Manager, servers: &[&str]) -> String {
    let body = json!({"id": "balancer", "size": "DLB", "virtual_server_ids": servers});
    id_of(&manager.post("/loadbalancer/services", body).expect(201))
}

fn push(body: &mut Value, list: &str, item: Value) {
    if !body[list].is_array() {
        body[list] = json!([]);
    }
    if let Some(items) = body[list].as_array_mut() {
        items.push(item);
    }
}

fn id_of(object: &Value) -> String {
    object["id"].as_str().unwrap_or_default().to_owned()
}
