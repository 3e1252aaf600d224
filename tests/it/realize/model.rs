//! Membership, Applied To and rule matching worked out by definition from what the API prints:
//! everything is looked at anew for every question, and nothing is kept between two of them.

use super::picture::{Filter, Picture, crossings, packets};
use dataplane::{
    Action, AddressRange, Direction, Evidence, Guard, MacAddr, Member, Packet, RuleId, Transport,
};
use serde_json::{Value, json};
use std::collections::{BTreeMap, BTreeSet};
use tests::Manager;

/// The kinds that can be members of a group.
const KINDS: [(&str, &str); 5] = [
    ("LogicalSwitch", "/logical-switches"),
    ("LogicalPort", "/logical-ports"),
    ("IPSet", "/ip-sets"),
    ("MACSet", "/mac-sets"),
    ("NSGroup", "/ns-groups"),
];

/// Services that rules may name.
const SERVICES: [&str; 2] = ["service-0", "service-1"];

/// Objects as the API prints them.
pub(super) struct Model {
    /// By kind and id.
    objects: BTreeMap<(String, String), Value>,
    /// Layer 2 before layer 3, each in order, with rules.
    sections: Vec<Value>,
    excluded: Value,
    status: Value,
    /// Port to its host.
    hosts: BTreeMap<String, String>,
}

/// A rule with its peers worked out.
struct Plain<'a> {
    id: RuleId,
    layer2: bool,
    rule: &'a Value,
    on: Option<BTreeSet<String>>,
    sources: Option<BTreeSet<Member>>,
    destinations: Option<BTreeSet<Member>>,
    /// What its services stand for; none is anything.
    services: Option<Vec<&'a Value>>,
}

impl Model {
    /// Reads everything over the API.
    pub(super) fn read(manager: &Manager) -> Self {
        let mut objects = BTreeMap::new();
        for (kind, path) in KINDS {
            for object in manager.get(path).results() {
                objects.insert((kind.to_owned(), text(&object["id"]).to_owned()), object);
            }
        }
        for id in SERVICES {
            let service = manager.get(&format!("/ns-services/{id}"));
            if service.status == 200 {
                objects.insert(("NSService".to_owned(), id.to_owned()), service.body);
            }
        }
        let sections = ["LAYER2", "LAYER3"].into_iter().flat_map(|layer| {
            manager.get(&format!("/firewall/sections?type={layer}")).column("id")
        });
        let with_rules = |id: String| {
            let path = format!("/firewall/sections/{id}?action=list_with_rules");
            manager.post(&path, json!({})).expect(200)
        };
        let host = |id: &str| {
            let world = manager.api().world();
            let host = world.fabric().host(id).map(|host| host.id.clone());
            host.map(|host| (id.to_owned(), host))
        };
        let ports = objects.keys().filter(|(kind, _)| kind == "LogicalPort");
        Self {
            sections: sections.map(with_rules).collect(),
            excluded: manager.get("/firewall/excludelist").expect(200)["members"].clone(),
            status: manager.get("/firewall/status/transport_nodes").expect(200),
            hosts: ports.filter_map(|(_, id)| host(id)).collect(),
            objects,
        }
    }

    /// What should be realized.
    pub(super) fn picture(&self) -> Picture {
        let mut picture = Picture::default();
        for id in self.ids("NSGroup") {
            let members = self.members("NSGroup", id);
            let brought = members.iter().flat_map(|(kind, id)| self.brings(kind, id));
            picture.addresses.insert(id.to_owned(), brought.collect());
            let names = members.iter().map(|(kind, id)| format!("{kind}/{id}"));
            picture.members.insert(id.to_owned(), names.collect());
        }
        let rules: Vec<Plain<'_>> = self.rules();
        let exempt = self.ports_of(&self.excluded);
        for id in self.ids("LogicalPort").filter(|id| self.has_vif(id)) {
            picture.ports.insert(id.to_owned(), self.filter(id, &rules, exempt.contains(id)));
        }
        picture
    }

    fn filter(&self, id: &str, rules: &[Plain<'_>], excluded: bool) -> Filter {
        let on: Vec<&Plain<'_>> =
            rules.iter().filter(|rule| rule.on.as_ref().is_none_or(|on| on.contains(id))).collect();
        let host = self.hosts.get(id).cloned().unwrap_or_default();
        // A host's own switch goes before that of all.
        let off = |host: &str| {
            let targets = items(&self.status["target_statuses"]);
            let own = targets.iter().find(|own| own["target_id"] == *host);
            let switch = own.map_or(&self.status["global_status"], |own| &own["target_status"]);
            switch == "DISABLED"
        };
        let exempt = match (off(&host), excluded) {
            (true, _) => Some(Guard::Disabled),
            (false, true) => Some(Guard::Excluded),
            (false, false) => None,
        };
        let packets = packets();
        let verdicts = match exempt {
            Some(_) => Vec::new(),
            None => crossings(&packets).map(|(packet, way)| judge(&on, packet, way)).collect(),
        };
        Filter { host, exempt, rules: on.iter().map(|rule| rule.id.0).collect(), verdicts }
    }

    /// All rules that are not disabled, in order.
    fn rules(&self) -> Vec<Plain<'_>> {
        let rules = self
            .sections
            .iter()
            .flat_map(|section| items(&section["rules"]).iter().map(move |rule| (section, rule)));
        let enabled = rules.filter(|(_, rule)| rule["disabled"] == false);
        let plain = enabled.map(|(section, rule)| {
            // The section's Applied To goes before the rule's; an empty one says nothing.
            let lists = [&section["applied_tos"], &rule["applied_tos"]];
            let stated = lists.into_iter().find(|list| !items(list).is_empty());
            Plain {
                id: RuleId(text(&rule["id"]).parse().unwrap_or_default()),
                layer2: section["section_type"] == "LAYER2",
                rule,
                on: stated.map(|list| self.ports_of(list)),
                sources: self.peers(&rule["sources"]),
                destinations: self.peers(&rule["destinations"]),
                services: self.services(&rule["services"]),
            }
        });
        plain.collect()
    }

    /// What a list of services stands for; a service that is gone stands for nothing.
    fn services<'a>(&'a self, list: &'a Value) -> Option<Vec<&'a Value>> {
        let element = |own: &'a Value| {
            own.get("service").or_else(|| {
                let id = text(&own["target_id"]).to_owned();
                let object = self.objects.get(&("NSService".to_owned(), id));
                object.map(|object| &object["nsservice_element"])
            })
        };
        let list = items(list);
        (!list.is_empty()).then(|| list.iter().filter_map(element).collect())
    }

    /// The ports that a list of references resolves to.
    fn ports_of(&self, list: &Value) -> BTreeSet<String> {
        let named = items(list)
            .iter()
            .flat_map(|one| self.with_members(text(&one["target_type"]), text(&one["target_id"])));
        named.filter(|(kind, _)| kind == "LogicalPort").map(|(_, id)| id).collect()
    }

    /// The addresses that a list of references stands for; no list stands for any.
    fn peers(&self, list: &Value) -> Option<BTreeSet<Member>> {
        let list = items(list);
        let members = list.iter().flat_map(|one| {
            let (kind, id) = (text(&one["target_type"]), text(&one["target_id"]));
            if kind == "IPv4Address" {
                return range(id).into_iter().collect();
            }
            let named = self.with_members(kind, id).into_iter();
            named.flat_map(|(kind, id)| self.brings(&kind, &id)).collect::<Vec<_>>()
        });
        (!list.is_empty()).then(|| members.collect())
    }

    /// An object that exists (a group stands for its members alone), and all that belongs to it.
    fn with_members(&self, kind: &str, id: &str) -> BTreeSet<(String, String)> {
        let place = (kind.to_owned(), id.to_owned());
        if !self.objects.contains_key(&place) {
            return BTreeSet::new();
        }
        let mut all = self.members(kind, id);
        if kind != "NSGroup" {
            all.insert(place);
        }
        all
    }

    /// All that belongs to a group or switch, however deep.
    fn members(&self, kind: &str, id: &str) -> BTreeSet<(String, String)> {
        let belongs = |(other, own): &(&(String, String), &Value)| match kind {
            "LogicalSwitch" => other.0 == "LogicalPort" && own["logical_switch_id"] == id,
            "NSGroup" => self.holds(id, other, own),
            _ => false,
        };
        let direct = self.objects.iter().filter(belongs);
        direct.flat_map(|((kind, id), _)| self.with_members(kind, id)).collect()
    }

    /// Whether an object is a member of a group, by id or by any of the criteria.
    fn holds(&self, group: &str, place: &(String, String), object: &Value) -> bool {
        let group = &self.objects[&("NSGroup".to_owned(), group.to_owned())];
        let by_id = items(&group["members"])
            .iter()
            .any(|member| member["target_type"] == *place.0 && member["value"] == *place.1);
        let criteria = items(&group["membership_criteria"]);
        by_id || criteria.iter().any(|criterion| fits(criterion, &place.0, object))
    }

    /// What an object itself brings to an address set.
    fn brings(&self, kind: &str, id: &str) -> Vec<Member> {
        let object = &self.objects[&(kind.to_owned(), id.to_owned())];
        let bindings = items(&object["address_bindings"]).iter();
        let bound = bindings
            .filter(|_| kind == "LogicalPort")
            .flat_map(|own| [range(text(&own["ip_address"])), mac(text(&own["mac_address"]))]);
        let ips = items(&object["ip_addresses"]).iter().map(|own| range(text(own)));
        let macs = items(&object["mac_addresses"]).iter().map(|own| mac(text(own)));
        bound.chain(ips).chain(macs).flatten().collect()
    }

    fn has_vif(&self, port: &str) -> bool {
        let port = &self.objects[&("LogicalPort".to_owned(), port.to_owned())];
        port["attachment"]["attachment_type"] == "VIF"
    }

    fn ids(&self, kind: &'static str) -> impl Iterator<Item = &str> {
        self.objects.keys().filter(move |place| place.0 == kind).map(|place| place.1.as_str())
    }
}

/// Whether an object fits a criterion: all expressions of a complex one.
fn fits(criterion: &Value, kind: &str, object: &Value) -> bool {
    if criterion["resource_type"] == "NSGroupComplexExpression" {
        return items(&criterion["expressions"]).iter().all(|own| fits(own, kind, object));
    }
    if criterion["target_type"] != kind {
        return false;
    }
    if criterion["resource_type"] == "NSGroupTagExpression" {
        let same =
            |part: &str, tag: &Value| criterion.get(part).is_none_or(|wanted| *wanted == tag[part]);
        return items(&object["tags"]).iter().any(|tag| same("scope", tag) && same("tag", tag));
    }
    let (name, value) = (text(&object["display_name"]), text(&criterion["value"]));
    match text(&criterion["op"]) {
        "EQUALS" => name == value,
        "CONTAINS" => name.contains(value),
        "STARTSWITH" => name.starts_with(value),
        "ENDSWITH" => name.ends_with(value),
        _ => name != value,
    }
}

/// The first rule of layer 2 that matches decides unless it allows; then the first of layer 3.
fn judge(rules: &[&Plain<'_>], packet: &Packet, way: Direction) -> (Action, Evidence) {
    let layer = |layer2: bool| {
        let found = rules.iter().find(|rule| rule.layer2 == layer2 && rule.matches(packet, way));
        found.map_or((Action::Allow, Evidence::NoRule), |rule| {
            (rule.action(), Evidence::Rule(rule.id))
        })
    };
    let ethernet = layer(true);
    if ethernet.0 == Action::Allow && packet.ip.is_some() { layer(false) } else { ethernet }
}

impl Plain<'_> {
    fn action(&self) -> Action {
        match text(&self.rule["action"]) {
            "ALLOW" => Action::Allow,
            "DROP" => Action::Drop,
            _ => Action::Reject,
        }
    }

    fn matches(&self, packet: &Packet, way: Direction) -> bool {
        let direction = match text(&self.rule["direction"]) {
            "IN" => way == Direction::In,
            "OUT" => way == Direction::Out,
            _ => true,
        };
        let peer = |list: &Option<BTreeSet<Member>>, excluded: &Value, source: bool| {
            let within = |member: &Member| match (member, self.layer2, packet.ip) {
                (Member::Mac(mac), true, _) => {
                    *mac == if source { packet.src_mac } else { packet.dst_mac }
                }
                (Member::Range(range), false, Some(ip)) => {
                    range.contains(if source { ip.src } else { ip.dst })
                }
                _ => false,
            };
            list.as_ref().is_none_or(|list| list.iter().any(within) != (*excluded == true))
        };
        let carried = |own: &&Value| carries(own, packet);
        direction
            && self.is_of_version(packet)
            && peer(&self.sources, &self.rule["sources_excluded"], true)
            && peer(&self.destinations, &self.rule["destinations_excluded"], false)
            && self.services.as_ref().is_none_or(|services| services.iter().any(carried))
    }

    /// Frames have no IP version; a packet is of that of its addresses.
    fn is_of_version(&self, packet: &Packet) -> bool {
        match (text(&self.rule["ip_protocol"]), packet.ip) {
            _ if self.layer2 => true,
            ("IPV4", Some(ip)) => ip.src.is_ipv4(),
            ("IPV6", Some(ip)) => ip.src.is_ipv6(),
            (_, ip) => ip.is_some(),
        }
    }
}

/// Whether a packet is what a service element stands for.
fn carries(service: &Value, packet: &Packet) -> bool {
    let within = |list: &Value, port: u16| {
        let list = items(list);
        list.is_empty()
            || list.iter().map(text).any(|own| {
                let (first, last) = own.split_once('-').unwrap_or((own, own));
                let bound = |text: &str| text.parse::<u16>().unwrap_or_default();
                (bound(first)..=bound(last)).contains(&port)
            })
    };
    let ports = |protocol: &str, from: u16, to: u16| {
        service["l4_protocol"] == protocol
            && within(&service["source_ports"], from)
            && within(&service["destination_ports"], to)
    };
    match packet.ip.map(|ip| ip.transport) {
        _ if service["resource_type"] == "EtherTypeNSService" => {
            service["ether_type"] == packet.ethertype
        }
        Some(Transport::Tcp { src_port, dst_port, .. }) => ports("TCP", src_port, dst_port),
        Some(Transport::Udp { src_port, dst_port }) => ports("UDP", src_port, dst_port),
        Some(Transport::Other(number)) => service["protocol_number"] == number,
        _ => false,
    }
}

fn range(text: &str) -> Option<Member> {
    text.parse::<AddressRange>().ok().map(Member::Range)
}

fn mac(text: &str) -> Option<Member> {
    text.parse::<MacAddr>().ok().map(Member::Mac)
}

fn text(value: &Value) -> &str {
    value.as_str().unwrap_or_default()
}

fn items(value: &Value) -> &[Value] {
    value.as_array().map(Vec::as_slice).unwrap_or_default()
}
