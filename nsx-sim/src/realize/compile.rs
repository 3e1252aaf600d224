//! The slow lane: a section into rules, a pure function of the inventory and of where routers' rules
//! stand.

use super::gate::{EVERY_VNIC, GatePlan, Gates};
use super::node::{Node, address_range};
use crate::inventory::{Inventory, Object};
use crate::kinds::firewall::rule::{Action, Direction, FirewallRule, FirewallService, IpProtocol};
use crate::kinds::firewall::{Enforcement, FirewallSection, SectionType};
use crate::kinds::ns_service::{NSService, NSServiceGroup};
use crate::kinds::reference::{References, Target};
use crate::kinds::service_element::{IcmpProtocol, L4Protocol, ServiceElement};
use crate::kinds::values::PortElement;
use dataplane::{
    AppliedTo, Family, Layer, Peer, PortRange, Ports, Rule, RuleId, ScopeId, Service, ServiceMatch,
    SetId, Term,
};
use std::sync::Arc;

/// Gives the number of the set and scope of a node.
pub type Watch<'a> = dyn FnMut(&Node) -> u32 + 'a;

/// IGMP's number among IP protocols.
const IGMP: u8 = 2;

/// The enabled rules of a section, in order, on vNICs or at routers.
pub fn rules(
    inventory: &Inventory,
    section: &FirewallSection,
    plan: &GatePlan,
    gates: &Gates,
    watch: &mut Watch<'_>,
) -> Vec<Arc<Rule>> {
    let enabled = section.rules.iter().filter(|rule| !rule.disabled);
    let rules = enabled.filter_map(|rule| {
        let applied_to = match section.enforcement() {
            Enforcement::Vnics => match applied_to(section, rule, watch) {
                AppliedTo::Everywhere if plan.stands() => {
                    AppliedTo::OneOf { scopes: vec![EVERY_VNIC], vnics: Vec::new() }
                }
                own => own,
            },
            Enforcement::Routers => {
                let own = plan.gates(inventory, section, rule);
                let vnics = own.iter().filter_map(|gate| gates.get(gate)).copied().collect();
                AppliedTo::OneOf { scopes: Vec::new(), vnics }
            }
        };
        compile(inventory, section, rule, applied_to, watch).map(Arc::new)
    });
    rules.collect()
}

fn compile(
    inventory: &Inventory,
    section: &FirewallSection,
    rule: &FirewallRule,
    applied_to: AppliedTo,
    watch: &mut Watch<'_>,
) -> Option<Rule> {
    // Sections of type L3REDIRECT and actions for them are refused where they are made.
    let layer = match section.section_type {
        SectionType::Layer2 => Layer::Ethernet,
        SectionType::Layer3 => Layer::Ip,
        SectionType::L3Redirect => return None,
    };
    let action = match rule.action {
        Action::Allow => dataplane::Action::Allow,
        Action::Drop => dataplane::Action::Drop,
        Action::Reject => dataplane::Action::Reject,
        Action::Redirect | Action::DoNotRedirect => return None,
    };
    Some(Rule {
        id: RuleId(rule.id),
        layer,
        action,
        direction: match rule.direction {
            Direction::In => Some(dataplane::Direction::In),
            Direction::Out => Some(dataplane::Direction::Out),
            Direction::InOut => None,
        },
        family: match (layer, rule.ip_protocol) {
            // Ethernet frames have no IP version to tell by.
            (Layer::Ethernet, _) | (_, IpProtocol::Both) => None,
            (_, IpProtocol::V4) => Some(Family::V4),
            (_, IpProtocol::V6) => Some(Family::V6),
        },
        source: peer(rule.sources.as_ref(), rule.sources_excluded, watch),
        destination: peer(rule.destinations.as_ref(), rule.destinations_excluded, watch),
        service: service_match(inventory, rule.services.as_deref().unwrap_or_default()),
        applied_to,
        stateful: section.stateful,
        tcp_strict: section.tcp_strict,
    })
}

/// None and the empty list are anyone [spec DSRule]. An empty group is nobody, and so is one that
/// was deleted: its set is empty.
fn peer(list: Option<&References>, negated: bool, watch: &mut Watch<'_>) -> Peer {
    let list = list.map(|list| &**list).unwrap_or_default();
    if list.is_empty() {
        return Peer::Any;
    }
    let terms = list.iter().filter_map(|reference| match reference.target() {
        Target::Address(element) => address_range(&element).map(Term::Range),
        Target::Object { kind, id } => {
            Node::of(kind, id).map(|node| Term::Set(SetId(watch(&node))))
        }
        Target::Nothing => None,
    });
    Peer::OneOf { terms: terms.collect(), negated }
}

/// The section's Applied To goes before the rule's [spec DSSection.applied_tos].
fn applied_to(section: &FirewallSection, rule: &FirewallRule, watch: &mut Watch<'_>) -> AppliedTo {
    let stated = |list: &Option<References>| list.clone().filter(|list| !list.is_empty());
    let Some(list) = stated(&section.applied_tos).or_else(|| stated(&rule.applied_tos)) else {
        return AppliedTo::Everywhere;
    };
    let scopes = list.iter().filter_map(|reference| match reference.target() {
        Target::Object { kind, id } => Node::of(kind, id).map(|node| ScopeId(watch(&node))),
        _ => None,
    });
    AppliedTo::OneOf { scopes: scopes.collect(), vnics: Vec::new() }
}

/// None and the empty list are any service; a service that was deleted is none at all.
fn service_match(inventory: &Inventory, list: &[FirewallService]) -> ServiceMatch {
    if list.is_empty() {
        return ServiceMatch::Any;
    }
    let mut services = Vec::new();
    for entry in list {
        if let Some(element) = &entry.service {
            services.push(service(element));
        } else if let Some(named) = entry.object() {
            let object = inventory.find(&named.kind, &named.id);
            services.extend(object.iter().flat_map(|object| named_services(inventory, object)));
        }
    }
    ServiceMatch::OneOf(services)
}

fn named_services(inventory: &Inventory, object: &Object) -> Vec<Service> {
    if let Some(plain) = object.body::<NSService>() {
        return vec![service(&plain.nsservice_element)];
    }
    let Some(group) = object.body::<NSServiceGroup>() else { return Vec::new() };
    let members = group.services(&|kind, id| inventory.find(kind, id));
    let plain = members.iter().filter_map(|member| member.body::<NSService>());
    plain.map(|plain| service(&plain.nsservice_element)).collect()
}

/// The traffic that a service stands for.
pub fn service(element: &ServiceElement) -> Service {
    match element {
        ServiceElement::L4PortSetNSService(set) => {
            l4(set.l4_protocol, &set.source_ports, &set.destination_ports)
        }
        // The control connection; negotiated ports are not modelled (docs/fidelity.md).
        ServiceElement::ALGTypeNSService(alg) => {
            l4(alg.alg.carrier(), &alg.source_ports, &alg.destination_ports)
        }
        ServiceElement::ICMPTypeNSService(icmp) => Service::Icmp {
            family: match icmp.protocol {
                IcmpProtocol::ICMPv4 => Family::V4,
                IcmpProtocol::ICMPv6 => Family::V6,
            },
            kind: icmp.icmp_type.and_then(|kind| u8::try_from(kind.get()).ok()),
            code: icmp.icmp_code.and_then(|code| u8::try_from(code.get()).ok()),
        },
        ServiceElement::IPProtocolNSService(ip) => {
            Service::Protocol(u8::try_from(ip.protocol_number.get()).unwrap_or(u8::MAX))
        }
        ServiceElement::IGMPTypeNSService(_) => Service::Protocol(IGMP),
        ServiceElement::EtherTypeNSService(ether) => {
            Service::EtherType(u16::try_from(ether.ether_type.get()).unwrap_or(u16::MAX))
        }
    }
}

fn l4(protocol: L4Protocol, source: &[PortElement], destination: &[PortElement]) -> Service {
    let ranges = |list: &[PortElement]| {
        list.iter()
            .map(PortElement::span)
            .map(|(first, last)| PortRange { first, last })
            .collect::<Vec<_>>()
    };
    let ports = Ports { source: ranges(source), destination: ranges(destination) };
    match protocol {
        L4Protocol::Tcp => Service::Tcp(ports),
        L4Protocol::Udp => Service::Udp(ports),
    }
}
