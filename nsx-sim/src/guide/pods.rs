//! Pods as the manager knows them: logical ports with the tags that NCP gives them.

use serde_json::Value;

use super::Fault;
use nsx_client::Client;

/// A pod's logical port.
#[derive(Clone, Debug)]
pub(super) struct Pod {
    /// The port as the API gave it.
    pub(super) port: Value,
    /// Pod name.
    pub(super) name: String,
    /// First address bound to the port.
    pub(super) address: String,
    /// MAC address of that binding.
    pub(super) mac: String,
}

impl Pod {
    /// Reads a port; `None` where it is no pod's, or has no address yet.
    pub(super) fn from_port(port: Value) -> Option<Self> {
        let name = tag(&port, "ncp/pod")?.to_owned();
        let binding = &port["address_bindings"][0];
        let address = binding["ip_address"].as_str()?.to_owned();
        let mac = binding["mac_address"].as_str()?.to_owned();
        Some(Self { port, name, address, mac })
    }

    /// Id of the logical port.
    pub(super) fn port_id(&self) -> &str {
        self.port["id"].as_str().unwrap_or_default()
    }

    /// Id of the switch that the port is on.
    pub(super) fn switch_id(&self) -> &str {
        self.port["logical_switch_id"].as_str().unwrap_or_default()
    }

    /// Value of a label, which NCP turns into a tag with the key as scope.
    pub(super) fn label(&self, key: &str) -> Option<&str> {
        tag(&self.port, key)
    }
}

/// First tag of that scope.
pub(super) fn tag<'a>(port: &'a Value, scope: &str) -> Option<&'a str> {
    port["tags"].as_array()?.iter().find(|tag| tag["scope"] == scope)?["tag"].as_str()
}

/// All pods, in the order of their names.
pub(super) fn read(client: &Client) -> Result<Vec<Pod>, Fault> {
    let ports = client.list_all("/logical-ports")?;
    let mut pods: Vec<Pod> = ports.into_iter().filter_map(Pod::from_port).collect();
    pods.sort_by(|a, b| a.name.cmp(&b.name));
    Ok(pods)
}

/// Those of `pods` that run `app`.
pub(super) fn of_app<'a>(pods: &'a [Pod], app: &str) -> Vec<&'a Pod> {
    pods.iter().filter(|pod| pod.label("app") == Some(app)).collect()
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;
    use serde_json::json;

    /// A pod of `app` for tests: port id `port-<name>`, on switch `ls-<app>`.
    pub(in crate::guide) fn pod(app: &str, name: &str, address: &str) -> Pod {
        Pod::from_port(json!({
            "id": format!("port-{name}"),
            "display_name": format!("cluster-ns-{name}"),
            "logical_switch_id": format!("ls-{app}"),
            "attachment": {"id": format!("vif-{name}"), "context": {
                "vif_type": "CHILD", "parent_vif_id": "node", "traffic_tag": 3,
                "app_id": format!("ns.{name}")}},
            "address_bindings": [
                {"ip_address": address, "mac_address": "02:50:56:00:01:01", "vlan": 3}],
            "tags": [
                {"scope": "ncp/pod", "tag": name},
                {"scope": "ncp/pod_uid", "tag": "uid"},
                {"scope": "app", "tag": app}],
        }))
        .unwrap()
    }

    #[test]
    fn ports_without_a_pod_tag_or_an_address_are_no_pods() {
        assert!(Pod::from_port(json!({"id": "p", "tags": [], "address_bindings": []})).is_none());
        let no_address = json!({"id": "p", "tags": [{"scope": "ncp/pod", "tag": "x"}]});
        assert!(Pod::from_port(no_address).is_none());
    }

    #[test]
    fn pods_are_chosen_by_their_app_label() {
        let pods = [pod("service-a", "a-1", "10.0.0.2"), pod("service-b", "b-1", "10.0.0.3")];
        let names: Vec<_> = of_app(&pods, "service-b").iter().map(|p| p.name.as_str()).collect();
        assert_eq!(names, ["b-1"]);
    }
}
