//! Groups by tag, and rules between them.

use super::Plan;
use serde_json::{Value, json};

/// What rules let through.
const PORTS: [(&str, &str); 6] =
    [("TCP", "22"), ("TCP", "80"), ("TCP", "443"), ("TCP", "3306"), ("TCP", "8080"), ("UDP", "53")];

/// One rule of this many drops, all others allow.
const DROPS: u32 = 8;

impl Plan {
    /// Groups of odd number take machines, those of even number take ports.
    pub(super) fn groups(&self) -> Vec<Value> {
        let group = |number| {
            let name = format!("group-{number}");
            let kind = if number % 2 == 1 { "VirtualMachine" } else { "LogicalPort" };
            json!({"post": "/ns-groups", "body": {
                "id": self.id(&name),
                "display_name": name,
                "membership_criteria": [{
                    "resource_type": "NSGroupTagExpression",
                    "target_type": kind,
                    "scope": "group",
                    "tag": name,
                }],
            }})
        };
        (1..=self.size.groups).map(group).collect()
    }

    /// Sections in order, each with its share of the rules.
    pub(super) fn sections(&self) -> Vec<Value> {
        let (sections, rules) = (self.size.sections, self.size.rules);
        let section = |number| {
            let name = format!("section-{number}");
            let own = (1..=rules).filter(|rule| (rule - 1) % sections == number - 1);
            let rules: Vec<Value> = own.map(|rule| self.rule(rule)).collect();
            json!({
                "post": "/firewall/sections?action=create_with_rules&operation=insert_bottom",
                "body": {
                    "id": self.id(&name),
                    "display_name": name,
                    "section_type": "LAYER3",
                    "stateful": true,
                    "rules": rules,
                },
            })
        };
        (1..=sections).map(section).collect()
    }

    fn rule(&self, number: u32) -> Value {
        let name = format!("rule-{number}");
        let port = self.pick(&format!("{name} port"), 6) as usize;
        let (protocol, port) = PORTS.get(port).copied().unwrap_or(("TCP", "443"));
        let drops = self.pick(&format!("{name} action"), DROPS) == 0;
        let mut rule = json!({
            "display_name": name,
            "action": if drops { "DROP" } else { "ALLOW" },
            "services": [{"service": {
                "resource_type": "L4PortSetNSService",
                "l4_protocol": protocol,
                "destination_ports": [port],
            }}],
        });
        for field in ["sources", "destinations"] {
            if self.size.groups > 0 {
                let group = self.pick(&format!("{name} {field}"), self.size.groups) + 1;
                let group = format!("group-{group}");
                rule[field] = json!([{"target_type": "NSGroup", "target_id": self.id(&group)}]);
            }
        }
        rule
    }
}
