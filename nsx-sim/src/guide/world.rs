//! Step 2: the objects that the container network plugin makes, where they are missing.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::Value;

use super::{Done, Fault};
use nsx_client::Client;

/// The part of a world document that can be made through the Manager API.
#[derive(Debug, Deserialize)]
pub(super) struct World {
    objects: Vec<Object>,
}

/// One POST of the document's script.
#[derive(Debug, Deserialize)]
struct Object {
    /// Path below `/api/v1`, with its query.
    post: String,
    body: Value,
}

impl Object {
    fn collection(&self) -> &str {
        self.post.split('?').next().unwrap_or(&self.post)
    }
}

/// Ids of the document that have another value on this manager.
type Aliases = BTreeMap<String, String>;

impl World {
    fn load() -> Result<Self, Fault> {
        serde_json::from_str(fixtures::GUIDE_WORLD)
            .map_err(|error| Fault::State(format!("the guide's world document: {error}")))
    }

    /// Address and port under which the cluster is reached from outside.
    pub(super) fn virtual_server(&self) -> Option<(&str, u16)> {
        let server = self.objects.iter().find(|o| o.post == "/loadbalancer/virtual-servers")?;
        let port = server.body["ports"][0].as_str()?.parse().ok()?;
        Some((server.body["ip_address"].as_str()?, port))
    }
}

/// Makes what is missing of the guide's world.
pub(super) fn ensure(client: &Client) -> Done<World> {
    let world = World::load()?;
    let mut aliases = stand_ins(client, &world)?;
    let mut existing: BTreeMap<&str, Vec<Value>> = BTreeMap::new();
    let mut made = 0;
    for object in &world.objects {
        let collection = object.collection();
        if !existing.contains_key(collection) {
            existing.insert(collection, client.list_all(collection)?);
        }
        let here = existing.get(collection).and_then(|list| find(list, &object.body));
        if let Some(here) = here {
            alias(&mut aliases, &object.body["id"], &here["id"]);
        } else {
            client.post(&object.post, &renamed(&object.body, &aliases))?;
            made += 1;
        }
    }
    let found = world.objects.len() - made;
    Ok((world, format!("{made} objects made, {found} there already")))
}

/// The object of `list` that has the body's id, or else its name.
fn find<'a>(list: &'a [Value], body: &Value) -> Option<&'a Value> {
    let same = |key: &str| list.iter().find(|here| here[key] == body[key]);
    same("id").or_else(|| same("display_name"))
}

fn alias(aliases: &mut Aliases, document: &Value, here: &Value) {
    if let (Some(document), Some(here)) = (document.as_str(), here.as_str())
        && document != here
    {
        aliases.insert(document.to_owned(), here.to_owned());
    }
}

/// `value` with every string that is an alias replaced.
fn renamed(value: &Value, aliases: &Aliases) -> Value {
    match value {
        Value::String(text) => Value::String(aliases.get(text).unwrap_or(text).clone()),
        Value::Array(items) => items.iter().map(|item| renamed(item, aliases)).collect(),
        Value::Object(fields) => {
            fields.iter().map(|(key, item)| (key.clone(), renamed(item, aliases))).collect()
        }
        other => other.clone(),
    }
}

/// The document names objects that each manager has from the start; another installation has its
/// own ids for them.
fn stand_ins(client: &Client, world: &World) -> Result<Aliases, Fault> {
    let mut aliases = Aliases::new();
    for (field, collection, suits) in [
        ("transport_zone_id", "/transport-zones", ("transport_type", "OVERLAY")),
        (
            "application_profile_id",
            "/loadbalancer/application-profiles",
            ("display_name", "nsx-default-lb-fast-tcp-profile"),
        ),
        // Any will do.
        ("edge_cluster_id", "/edge-clusters", ("resource_type", "EdgeCluster")),
    ] {
        let named = world.objects.iter().map(|o| &o.body[field]).find(|id| id.is_string());
        let Some(named) = named else { continue };
        let list = client.list_all(collection)?;
        if list.iter().all(|here| &here["id"] != named)
            && let Some(here) = list.iter().find(|here| here[suits.0] == suits.1)
        {
            alias(&mut aliases, named, &here["id"]);
        }
    }
    Ok(aliases)
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;
    use std::collections::BTreeSet;

    fn bodies<'a>(world: &'a World, collection: &str) -> Vec<&'a Value> {
        world.objects.iter().filter(|o| o.collection() == collection).map(|o| &o.body).collect()
    }

    #[test]
    fn an_id_wins_over_a_name() {
        let list = [json!({"id": "1", "display_name": "x"}), json!({"id": "2"})];
        let find = |body| find(&list, &body).map(|here| here["id"].clone());
        assert_eq!(find(json!({"id": "2", "display_name": "x"})), Some(json!("2")));
        assert_eq!(find(json!({"id": "9", "display_name": "x"})), Some(json!("1")));
        assert_eq!(find(json!({"id": "9", "display_name": "y"})), None);
    }

    #[test]
    fn aliases_reach_every_depth() {
        let aliases = Aliases::from([("old".to_owned(), "new".to_owned())]);
        let body = json!({"a": "old", "b": [{"c": "old"}, 1], "d": "older"});
        assert_eq!(
            renamed(&body, &aliases),
            json!({"a": "new", "b": [{"c": "new"}, 1], "d": "older"})
        );
    }

    #[test]
    fn the_virtual_server_is_the_guides() {
        assert_eq!(World::load().unwrap().virtual_server(), Some(("10.40.14.50", 80)));
    }

    #[test]
    fn the_document_names_only_what_it_makes() {
        let world = World::load().unwrap();
        let ids: BTreeSet<_> = world.objects.iter().map(|o| o.body["id"].as_str()).collect();
        assert_eq!(ids.len(), world.objects.len(), "ids are unique");
        for port in bodies(&world, "/logical-ports") {
            assert!(ids.contains(&port["logical_switch_id"].as_str()), "{port}");
        }
        for section in bodies(&world, "/firewall/sections") {
            for rule in section["rules"].as_array().unwrap() {
                for reference in rule["applied_tos"].as_array().into_iter().flatten() {
                    assert!(ids.contains(&reference["target_id"].as_str()), "{rule}");
                }
            }
        }
    }

    #[test]
    fn ports_keep_the_rules_of_the_container_plugin() {
        let world = World::load().unwrap();
        let ports = bodies(&world, "/logical-ports");
        let vifs: BTreeSet<_> = ports.iter().map(|p| p["attachment"]["id"].as_str()).collect();
        assert_eq!(vifs.len(), ports.len(), "each attachment is used once");
        let mut traffic = BTreeSet::new();
        for port in &ports {
            assert!(port["display_name"].as_str().unwrap().len() <= 80, "{port}");
            let context = &port["attachment"]["context"];
            if context["vif_type"] == "CHILD" {
                assert!(vifs.contains(&context["parent_vif_id"].as_str()), "{port}");
                assert_eq!(port["address_bindings"][0]["vlan"], context["traffic_tag"]);
                let on_node = (context["parent_vif_id"].as_str(), context["traffic_tag"].as_u64());
                assert!(traffic.insert(on_node), "traffic tag used twice: {port}");
            }
        }
        let cut =
            "pks-592ff063-c3b0-46b4-81ce-0bcfaffd62-jenkins-jenkins-operator-6d5477b784-kf6mv";
        assert!(ports.iter().any(|port| port["display_name"] == cut));
    }
}
