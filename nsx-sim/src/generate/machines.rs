//! Hosts, edges, virtual machines, and the ports and switches that they are attached to.

use super::{OVERLAY_ZONE, Plan};
use serde_json::{Value, json};
use std::net::Ipv4Addr;

/// Where tunnel endpoints of hosts and of edges begin.
const HOST_TUNNELS: Ipv4Addr = Ipv4Addr::new(192, 168, 128, 0);
const EDGE_TUNNELS: Ipv4Addr = Ipv4Addr::new(192, 168, 120, 0);

/// Where the networks of switches begin, and the fewest addresses that each has.
const NETWORKS: Ipv4Addr = Ipv4Addr::new(10, 0, 0, 0);
const SMALLEST_NETWORK: u32 = 256;

/// What guests run.
const SYSTEMS: [&str; 3] =
    ["Ubuntu Linux (64-bit)", "Microsoft Windows Server 2019 (64-bit)", "CentOS 7 (64-bit)"];

/// What machines are for, and where they stand: tags beside that of their group.
const TIERS: [&str; 3] = ["web", "app", "db"];
const STAGES: [&str; 3] = ["prod", "test", "dev"];

impl Plan {
    pub(super) fn hosts(&self) -> Vec<Value> {
        let host = |number| {
            let name = format!("host-{number}");
            json!({
                "id": self.id(&name),
                "display_name": name,
                "type": "ESX",
                "tep": after(HOST_TUNNELS, number),
            })
        };
        (1..=self.size.hosts).map(host).collect()
    }

    pub(super) fn edges(&self) -> Vec<Value> {
        let edge = |number| {
            let name = format!("edge-{number}");
            json!({
                "id": self.id(&name), "display_name": name, "tep": after(EDGE_TUNNELS, number),
            })
        };
        (1..=self.size.edges).map(edge).collect()
    }

    /// One cluster of all hosts.
    pub(super) fn cluster(&self) -> Value {
        let hosts: Vec<String> =
            (1..=self.size.hosts).map(|number| self.id(&format!("host-{number}"))).collect();
        json!({"id": "domain-c1", "display_name": "cluster-1", "hosts": hosts})
    }

    /// The machines; they go round the hosts.
    pub(super) fn virtual_machines(&self) -> Vec<Value> {
        (1..=self.size.vms).map(|number| self.virtual_machine(number)).collect()
    }

    fn virtual_machine(&self, number: u32) -> Value {
        let name = format!("vm-{number}");
        let host = (number - 1) % self.size.hosts.max(1) + 1;
        json!({
            "external_id": self.id(&name),
            "display_name": name,
            "host": self.id(&format!("host-{host}")),
            "os_name": self.choose(&format!("{name} system"), &SYSTEMS),
            "computer_name": name,
            "tags": self.tags(number),
            "interfaces": [{
                "mac_address": mac(number),
                "attachment": self.vif(number),
                "addresses": [self.address(number)],
            }],
        })
    }

    pub(super) fn switches(&self) -> Vec<Value> {
        let switch = |number| {
            let name = format!("switch-{number}");
            json!({"post": "/logical-switches", "body": {
                "id": self.id(&name),
                "display_name": name,
                "transport_zone_id": OVERLAY_ZONE,
                "admin_state": "UP",
                "replication_mode": "MTEP",
            }})
        };
        (1..=self.size.switches).map(switch).collect()
    }

    /// A port for each machine, with the machine's name and tags.
    pub(super) fn ports(&self) -> Vec<Value> {
        let port = |number| {
            let name = format!("vm-{number}");
            let switch = self.switch_of(number);
            json!({"post": "/logical-ports", "body": {
                "id": self.id(&format!("{name} port")),
                "display_name": name,
                "logical_switch_id": self.id(&format!("switch-{switch}")),
                "admin_state": "UP",
                "attachment": {"attachment_type": "VIF", "id": self.vif(number)},
                "address_bindings": [
                    {"ip_address": self.address(number), "mac_address": mac(number)},
                ],
                "tags": self.tags(number),
            }})
        };
        (1..=self.size.vms).map(port).collect()
    }

    fn tags(&self, number: u32) -> Vec<Value> {
        let name = format!("vm-{number}");
        let mut tags = vec![
            json!({"scope": "tier", "tag": self.choose(&format!("{name} tier"), &TIERS)}),
            json!({"scope": "stage", "tag": self.choose(&format!("{name} stage"), &STAGES)}),
        ];
        if self.size.groups > 0 {
            let group = (number - 1) % self.size.groups + 1;
            tags.push(json!({"scope": "group", "tag": format!("group-{group}")}));
        }
        tags
    }

    /// The switches are dealt out in turn.
    fn switch_of(&self, number: u32) -> u32 {
        (number - 1) % self.size.switches.max(1) + 1
    }

    fn vif(&self, number: u32) -> String {
        self.id(&format!("vm-{number} vif"))
    }

    /// The next free address of the machine's switch; the first is the gateway's.
    fn address(&self, number: u32) -> Ipv4Addr {
        let switches = self.size.switches.max(1);
        let most = self.size.vms.div_ceil(switches) + 3;
        let network = most.next_power_of_two().max(SMALLEST_NETWORK);
        let place = (number - 1) / switches + 2;
        after(NETWORKS, (self.switch_of(number) - 1) * network + place)
    }
}

/// The address so many places behind another.
fn after(first: Ipv4Addr, places: u32) -> Ipv4Addr {
    Ipv4Addr::from(u32::from(first) + places)
}

/// A MAC address of VMware's own range.
fn mac(number: u32) -> String {
    let [_, high, middle, low] = number.to_be_bytes();
    format!("00:50:56:{high:02x}:{middle:02x}:{low:02x}")
}
