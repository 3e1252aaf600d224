//! Steps 3 and 4: one group per service, by tag, and a look at its members.

use std::collections::BTreeSet;
use std::thread;
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use super::pods::{self, Pod};
use super::{Done, Fault, SERVICES};
use nsx_client::Client;

/// How long a change may take to be realized before it counts as not happening.
const PATIENCE: Duration = Duration::from_secs(30);
/// Pause after the first look; each further one is twice as long, up to [`LONGEST_PAUSE`].
const FIRST_PAUSE: Duration = Duration::from_millis(10);
/// Longest pause between two looks.
const LONGEST_PAUSE: Duration = Duration::from_millis(500);

/// A service's group.
#[derive(Clone, Debug)]
pub(super) struct Group {
    /// Service whose pods are the members.
    pub(super) service: &'static str,
    /// Display name.
    pub(super) name: String,
    /// Id on this manager.
    pub(super) id: String,
}

impl Group {
    /// A reference to the group, for rules and Applied To.
    pub(super) fn reference(&self) -> Value {
        json!({"target_id": self.id, "target_type": "NSGroup"})
    }

    /// Addresses of the effective members.
    pub(super) fn addresses(&self, client: &Client) -> Result<BTreeSet<String>, Fault> {
        let path = format!("/ns-groups/{}/effective-ip-address-members", self.id);
        Ok(strings(&client.list_all(&path)?))
    }
}

/// Finds or makes the four groups.
pub(super) fn ensure(client: &Client) -> Done<Vec<Group>> {
    let existing = client.list_all("/ns-groups")?;
    let mut made = 0;
    let mut groups = Vec::new();
    for service in SERVICES {
        let name = format!("nsg-{service}");
        let here = existing.iter().find(|group| group["display_name"] == name.as_str());
        let group = if let Some(here) = here {
            here.clone()
        } else {
            made += 1;
            client.post("/ns-groups", &body(service, &name))?
        };
        let id = group["id"].as_str().unwrap_or_default().to_owned();
        groups.push(Group { service, name, id });
    }
    let note = format!("{made} made, {} there already", groups.len() - made);
    Ok((groups, note))
}

/// A group of the logical ports that NCP tagged with the label `app=<service>`.
fn body(service: &str, name: &str) -> Value {
    json!({
        "resource_type": "NSGroup",
        "display_name": name,
        "membership_criteria": [{
            "resource_type": "NSGroupTagExpression", "target_type": "LogicalPort",
            "scope": "app", "scope_op": "EQUALS", "tag": service, "tag_op": "EQUALS",
        }],
    })
}

/// Compares each group's members with the pods of its service.
pub(super) fn check_members(client: &Client, groups: &[Group]) -> Done<Vec<Pod>> {
    let pods = pods::read(client)?;
    let mut notes = Vec::new();
    for group in groups {
        let running = pods::of_app(&pods, group.service);
        if running.is_empty() {
            return Err(Fault::State(format!("no pod is labelled app={}", group.service)));
        }
        let wanted: BTreeSet<String> = running.iter().map(|pod| pod.address.clone()).collect();
        let found = await_addresses(client, group, |found| *found == wanted)?;
        demand(group, "addresses", &found, &wanted)?;
        let types = client.get(&format!("/ns-groups/{}/member-types", group.id))?;
        let types = strings(types["results"].as_array().map_or(&[], Vec::as_slice));
        demand(group, "member types", &types, &BTreeSet::from(["LogicalPort".to_owned()]))?;
        let path = format!("/ns-groups/{}/effective-logical-port-members", group.id);
        let ports = client.list_all(&path)?;
        let ports =
            ports.iter().filter_map(|port| port["target_id"].as_str()).map(str::to_owned).collect();
        let wanted = running.iter().map(|pod| pod.port_id().to_owned()).collect();
        demand(group, "ports", &ports, &wanted)?;
        notes.push(format!("{} {}", group.name, join(&found)));
    }
    Ok((pods, notes.join("; ")))
}

/// Reads the group's addresses until they are as wanted or patience ends; gives the last ones read.
pub(super) fn await_addresses(
    client: &Client,
    group: &Group,
    wanted: impl Fn(&BTreeSet<String>) -> bool,
) -> Result<BTreeSet<String>, Fault> {
    await_value(|| group.addresses(client), wanted)
}

/// Reads until the value is as wanted or patience ends; gives the last value read.
pub(super) fn await_value<T>(
    mut read: impl FnMut() -> Result<T, Fault>,
    wanted: impl Fn(&T) -> bool,
) -> Result<T, Fault> {
    let deadline = Instant::now() + PATIENCE;
    let mut pause = FIRST_PAUSE;
    loop {
        let value = read()?;
        if wanted(&value) || Instant::now() >= deadline {
            return Ok(value);
        }
        thread::sleep(pause);
        pause = (pause * 2).min(LONGEST_PAUSE);
    }
}

fn demand(
    group: &Group,
    what: &str,
    found: &BTreeSet<String>,
    wanted: &BTreeSet<String>,
) -> Result<(), Fault> {
    if found == wanted {
        return Ok(());
    }
    let (name, found, wanted) = (&group.name, join(found), join(wanted));
    Err(Fault::State(format!("{name}: {what} are [{found}], the pods have [{wanted}]")))
}

fn strings(values: &[Value]) -> BTreeSet<String> {
    values.iter().filter_map(Value::as_str).map(str::to_owned).collect()
}

/// The elements with commas between them.
pub(super) fn join(set: &BTreeSet<String>) -> String {
    set.iter().map(String::as_str).collect::<Vec<_>>().join(", ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_difference_in_members_shows_both_sides() {
        let group =
            Group { service: "service-a", name: "nsg-service-a".to_owned(), id: String::new() };
        let set = |addresses: &[&str]| addresses.iter().map(|&a| a.to_owned()).collect();
        let (one, two) = (set(&["10.0.0.2"]), set(&["10.0.0.2", "10.0.0.3"]));
        assert!(demand(&group, "addresses", &one, &one).is_ok());
        assert_eq!(
            demand(&group, "addresses", &one, &two).unwrap_err().to_string(),
            "nsg-service-a: addresses are [10.0.0.2], the pods have [10.0.0.2, 10.0.0.3]"
        );
    }

    #[test]
    fn waiting_ends_with_the_wanted_value() {
        let mut reads = 0;
        let value = await_value(
            || {
                reads += 1;
                Ok(reads)
            },
            |&value| value == 2,
        );
        assert_eq!(value.unwrap(), 2);
    }
}
