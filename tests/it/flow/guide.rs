//! The guide's matrix, statistics and DNS finding, packet by packet.

use super::{DEFAULT, Net, rule, tell};
use nsx_sim::http::WorldDocument;
use serde_json::{Value, json};
use tests::{DEFAULT_L3, Manager, group_by_tag, reference};

/// The guide's pods, the first of each service standing for it.
pub(super) const PODS: [(&str, [&str; 2]); 4] = [
    ("service-a", ["service-a-84965f57cc-nhbrx", "service-a-84965f57cc-q72fh"]),
    ("service-b", ["service-b-86d8c888c7-6r9kp", "service-b-86d8c888c7-jpwf9"]),
    ("service-c", ["service-c-5c5fc5c857-d9sqm", "service-c-5c5fc5c857-jxqbh"]),
    ("service-d", ["service-d-69f59f4cb9-f94rs", "service-d-69f59f4cb9-pkplt"]),
];

/// The guide's world with its groups and its section, rule by rule as the guide adds them.
pub(super) struct Guide {
    pub(super) net: Net,
    pub(super) section: String,
}

impl Guide {
    pub(super) fn new(applied_to: &[&str]) -> Self {
        let document = WorldDocument::read(fixtures::GUIDE_WORLD).expect("the guide's world");
        let net = Net(Manager::of(&document));
        for (service, _) in PODS {
            group_by_tag(&net.0, &format!("nsg-{service}"), "app", service);
        }
        let first = net.0.get("/firewall/sections").column("id").swap_remove(0);
        let groups = |services: &[&str]| -> Value {
            services.iter().map(|own| reference("NSGroup", &format!("nsg-{own}"))).collect()
        };
        let body = json!({
            "display_name": "PtoPDFW-MicroSegmentation",
            "section_type": "LAYER3",
            "stateful": true,
            "applied_tos": groups(applied_to),
        });
        let query = format!("operation=insert_before&id={first}");
        let made = net.0.post(&format!("/firewall/sections?{query}"), body).expect(201);
        let section = made["id"].as_str().unwrap_or_default().to_owned();
        let guide = Self { net, section };
        guide.add(rule("DenyAll", "REJECT", json!({})));
        for (from, to) in [("a", "b"), ("a", "c"), ("b", "c"), ("c", "d")] {
            let ends = [format!("service-{from}"), format!("service-{to}")];
            let own = json!({"sources": groups(&[&ends[0]]), "destinations": groups(&[&ends[1]])});
            guide.add(rule(&format!("service-{from}Toservice-{to}"), "ALLOW", own));
        }
        guide
    }

    /// Adds a rule on top of the section.
    pub(super) fn add(&self, mut rule: Value) {
        let path = format!("/firewall/sections/{}", self.section);
        rule["_revision"] = self.net.0.get(&path).expect(200)["_revision"].clone();
        self.net.0.post(&format!("{path}/rules?operation=insert_top"), rule).expect(200);
    }

    /// Sends a packet; ports are named by their service.
    pub(super) fn send(&self, packet: Value) -> String {
        let mut answer = self.net.0.post("/sim/v1/packets", packet).expect(200);
        for verdict in answer["verdicts"].as_array_mut().into_iter().flatten() {
            let name = verdict["logical_port_name"].as_str().unwrap_or_default();
            let service = PODS.iter().find(|(service, _)| name.contains(service));
            if let Some((service, _)) = service {
                verdict["logical_port_name"] = (*service).into();
            }
        }
        tell(&answer)
    }

    /// The rule's id by its name.
    fn rule(&self, name: &str) -> String {
        let rules = self.net.0.get(&format!("/firewall/sections/{}/rules", self.section)).results();
        let found = rules.iter().find(|rule| rule["display_name"] == name);
        found.and_then(|rule| rule["id"].as_str()).unwrap_or_default().to_owned()
    }
}

const PROTECTED: [&str; 3] = ["service-b", "service-c", "service-d"];

/// The guide's table with who decides where, and the pairs that it leaves out.
const MATRIX: &str = "\
a->b DELIVERED: service-a OUT Default Layer3 Rule, service-b IN service-aToservice-b
a->c DELIVERED: service-a OUT Default Layer3 Rule, service-c IN service-aToservice-c
a->d REJECTED with TCP_RESET: service-a OUT Default Layer3 Rule, service-d IN DenyAll
b->c DELIVERED: service-b OUT service-bToservice-c, service-c IN service-bToservice-c
b->d REJECTED with TCP_RESET: service-b OUT DenyAll
c->d DELIVERED: service-c OUT service-cToservice-d, service-d IN service-cToservice-d
c->b REJECTED with TCP_RESET: service-c OUT DenyAll
d->c REJECTED with TCP_RESET: service-d OUT DenyAll
d->b REJECTED with TCP_RESET: service-d OUT DenyAll
c->a REJECTED with TCP_RESET: service-c OUT DenyAll
b->a REJECTED with TCP_RESET: service-b OUT DenyAll
d->a REJECTED with TCP_RESET: service-d OUT DenyAll
b->b REJECTED with TCP_RESET: service-b OUT DenyAll
c->c REJECTED with TCP_RESET: service-c OUT DenyAll
d->d REJECTED with TCP_RESET: service-d OUT DenyAll
a->a DELIVERED: service-a OUT Default Layer3 Rule, service-a IN Default Layer3 Rule";

fn pods(letter: &str) -> [&'static str; 2] {
    let found = PODS.iter().find(|(service, _)| service.ends_with(letter));
    found.map(|(_, pods)| *pods).expect("a service's letter")
}

#[test]
fn the_matrix_holds_for_every_pair_of_pods_with_the_rule_that_decides_and_where() {
    let guide = Guide::new(&PROTECTED);
    for row in MATRIX.lines() {
        let (pair, told) = row.split_once(' ').unwrap();
        let (from, to) = pair.split_once("->").unwrap();
        for from in pods(from) {
            for to in pods(to).into_iter().filter(|to| *to != from) {
                let packet = json!({"from": from, "to": to, "dst_port": 8080});
                assert_eq!(guide.send(packet), told, "{from} -> {to}");
            }
        }
    }
}

#[test]
fn a_connection_counts_once_at_each_filter_that_it_crosses() {
    let guide = Guide::new(&PROTECTED);
    let connect = |from: &str, to: &str| {
        guide.send(json!({"from": pods(from)[0], "to": pods(to)[0], "dst_port": 8080}))
    };
    let hits = |name: &str| guide.net.hits(&guide.section, &guide.rule(name));
    connect("b", "c");
    assert_eq!(hits("service-bToservice-c"), 2);
    connect("a", "b");
    assert_eq!(hits("service-aToservice-b"), 1);
    assert_eq!(guide.net.hits(DEFAULT_L3, "2"), 1);
    connect("b", "d");
    assert_eq!(hits("DenyAll"), 1);
    guide.net.0.post("/firewall/stats?action=reset&category=L3DFW", json!({})).expect(200);
    assert_eq!((hits("service-bToservice-c"), hits("DenyAll")), (0, 0));
}

#[test]
fn rules_are_numbered_as_the_guide_shows() {
    let guide = Guide::new(&PROTECTED);
    assert_eq!(guide.rule("DenyAll"), "15399");
    assert_eq!(guide.rule("service-aToservice-b"), "15400");
    assert_eq!(guide.rule("service-aToservice-c"), "15401");
}

#[test]
fn names_do_not_resolve_behind_deny_all_until_a_rule_opens_dns() {
    let guide = Guide::new(&PROTECTED);
    let query = |from: &str, port: u16| {
        let server = "kube-system/coredns-6f9bcd8956-6znfz";
        let packet = json!({
            "from": pods(from)[0], "to": server, "protocol": "UDP", "src_port": port, "dst_port": 53,
        });
        guide.send(packet)
    };
    for from in ["b", "c", "d"] {
        let told = format!("REJECTED with ICMP 3/13: service-{from} OUT DenyAll");
        assert_eq!(query(from, 40_000), told);
    }
    assert!(query("a", 40_000).starts_with(&format!("DELIVERED: service-a OUT {DEFAULT}")));
    group_by_tag(&guide.net.0, "kube-dns", "k8s-app", "kube-dns");
    let dns = json!({"service": {
        "resource_type": "L4PortSetNSService", "l4_protocol": "UDP", "destination_ports": ["53"],
    }});
    let own = json!({"destinations": [reference("NSGroup", "kube-dns")], "services": [dns]});
    guide.add(rule("dns", "ALLOW", own));
    assert!(query("b", 40_001).starts_with("DELIVERED: service-b OUT dns"));
}
