//! Steps 5 and 6: the section above all others and its five rules.

use serde_json::{Value, json};

use super::groups::{self, Group};
use super::report::RuleName;
use super::{Done, Fault};
use nsx_client::Client;

/// Display name of the section.
pub(super) const NAME: &str = "PtoPDFW-MicroSegmentation";
/// Display name of the rule that rejects the rest.
pub(super) const DENY_ALL: &str = "DenyAll";

/// The connections that are allowed, in the order in which the guide adds their rules. Each new
/// rule goes to the top, so the section reads the other way round.
const ALLOWED: [(&str, &str); 4] = [
    ("service-a", "service-b"),
    ("service-a", "service-c"),
    ("service-b", "service-c"),
    ("service-c", "service-d"),
];

/// The guide's section on this manager.
pub(super) struct Section {
    path: String,
    /// Names of the groups that it is applied to.
    pub(super) applied_to: Vec<String>,
}

/// The guide's name for the rule that allows `source` to connect to `destination`.
pub(super) fn rule_name(source: &str, destination: &str) -> String {
    format!("{source}To{destination}")
}

/// Makes the section, empty, above the first one; one of that name is removed before.
pub(super) fn insert(client: &Client, groups: &[Group], applied_to_all: bool) -> Done<Section> {
    remove(client)?;
    // The guide protects b, c and d; service-a must stay open to the load balancer.
    let applied: Vec<&Group> =
        groups.iter().filter(|group| applied_to_all || group.service != "service-a").collect();
    let sections = client.list_all("/firewall/sections")?;
    let first = sections.first().ok_or_else(|| Fault::State("there is no section".to_owned()))?;
    let anchor = first["id"].as_str().unwrap_or_default();
    let references: Vec<Value> = applied.iter().map(|group| group.reference()).collect();
    let section = client.post(
        &format!("/firewall/sections?operation=insert_before&id={anchor}"),
        &json!({
            "display_name": NAME, "section_type": "LAYER3", "stateful": true, "tcp_strict": false,
            "applied_tos": references,
        }),
    )?;
    let above = first["display_name"].as_str().unwrap_or(anchor);
    let applied_to: Vec<String> = applied.iter().map(|group| group.name.clone()).collect();
    let note = format!("{NAME} above {above}, applied to {}", applied_to.join(", "));
    let path = format!("/firewall/sections/{}", section["id"].as_str().unwrap_or_default());
    Ok((Section { path, applied_to }, note))
}

/// Adds the rules, waits until they are realized and gives them as they stand, top first.
pub(super) fn publish(client: &Client, section: &Section, groups: &[Group]) -> Done<Vec<RuleName>> {
    let path = &section.path;
    let rules = rules(groups)?;
    for rule in &rules {
        let mut rule = rule.clone();
        // A rule is added to the state of the section that its author has seen.
        rule["_revision"] = client.get(path)?["_revision"].clone();
        client.post(&format!("{path}/rules?operation=insert_top"), &rule)?;
    }
    let state = groups::await_value(
        || Ok(client.get(&format!("{path}/state"))?["state"].clone()),
        |state| matches!(state.as_str(), Some("success" | "failed" | "error")),
    )?;
    if state != "success" {
        return Err(Fault::State(format!("{NAME} is not realized: state is {state}")));
    }
    let listed = client.list_all(&format!("{path}/rules"))?;
    let wanted: Vec<&Value> = rules.iter().rev().map(|rule| &rule["display_name"]).collect();
    let found: Vec<&Value> = listed.iter().map(|rule| &rule["display_name"]).collect();
    if found != wanted {
        return Err(Fault::State(format!("rules are {found:?}, wanted {wanted:?}")));
    }
    let named: Vec<RuleName> = listed.iter().map(read_rule).collect();
    let note = named.iter().map(|rule| format!("{} {}", rule.id, rule.name)).collect::<Vec<_>>();
    Ok((named, note.join(", ")))
}

/// Removes the section and the groups.
pub(super) fn remove_all(client: &Client, groups: &[Group]) -> Done<()> {
    remove(client)?;
    for group in groups {
        client.delete(&format!("/ns-groups/{}", group.id))?;
    }
    Ok(((), format!("{NAME} and {} groups removed", groups.len())))
}

/// A rule's id and name. Ids are strings of digits here and numbers in observations.
pub(super) fn read_rule(rule: &Value) -> RuleName {
    RuleName {
        id: rule["id"].as_str().and_then(|id| id.parse().ok()).unwrap_or_default(),
        name: rule["display_name"].as_str().unwrap_or_default().to_owned(),
    }
}

fn remove(client: &Client) -> Result<(), Fault> {
    for section in client.list_all("/firewall/sections")? {
        if section["display_name"] == NAME {
            let id = section["id"].as_str().unwrap_or_default();
            client.delete(&format!("/firewall/sections/{id}?cascade=true"))?;
        }
    }
    Ok(())
}

/// Rule bodies in the order in which the guide adds them, `DenyAll` first.
fn rules(groups: &[Group]) -> Result<Vec<Value>, Fault> {
    let group = |service: &str| {
        let group = groups.iter().find(|group| group.service == service);
        group.ok_or_else(|| Fault::State(format!("no group for {service}")))
    };
    let rule = |name: &str, action: &str| {
        json!({
            "display_name": name, "action": action, "direction": "IN_OUT",
            "ip_protocol": "IPV4_IPV6", "logged": false, "disabled": false,
        })
    };
    let mut rules = vec![rule(DENY_ALL, "REJECT")];
    for (source, destination) in ALLOWED {
        let mut allow = rule(&rule_name(source, destination), "ALLOW");
        allow["sources"] = json!([group(source)?.reference()]);
        allow["destinations"] = json!([group(destination)?.reference()]);
        rules.push(allow);
    }
    Ok(rules)
}

#[cfg(test)]
mod tests {
    use super::super::SERVICES;
    use super::*;

    #[test]
    fn the_rules_are_added_bottom_up() {
        let groups: Vec<Group> = SERVICES
            .into_iter()
            .map(|service| Group {
                service,
                name: format!("nsg-{service}"),
                id: format!("id-{service}"),
            })
            .collect();
        let rules = rules(&groups).unwrap();
        let names: Vec<_> = rules.iter().filter_map(|rule| rule["display_name"].as_str()).collect();
        assert_eq!(
            names,
            [
                "DenyAll",
                "service-aToservice-b",
                "service-aToservice-c",
                "service-bToservice-c",
                "service-cToservice-d"
            ]
        );
        assert_eq!(rules[0].get("sources"), None, "DenyAll is for any source");
        assert_eq!(rules[4]["destinations"][0]["target_id"], "id-service-d");
    }

    #[test]
    fn a_rule_id_is_a_string_of_digits() {
        let rule = read_rule(&json!({"id": "15399", "display_name": "DenyAll"}));
        assert_eq!(rule, RuleName { id: 15399, name: "DenyAll".to_owned() });
    }
}
