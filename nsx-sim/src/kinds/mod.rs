//! The kinds of managed resources, one file each; [`KINDS`] is the only place that names them all.

pub mod bindings;
pub mod expression;
pub mod fabric;
pub mod firewall;
pub mod load_balancer;
pub mod logical_port;
pub mod logical_switch;
pub mod ns_group;
pub mod ns_service;
pub mod reference;
pub mod service_element;
pub mod sets;
pub mod switching_profile;
pub mod transport_zone;
pub mod values;

use crate::inventory::Kind;

/// Every kind of a world.
pub static KINDS: &[&Kind] = &[
    &transport_zone::KIND,
    &logical_switch::KIND,
    &logical_port::KIND,
    &switching_profile::KIND,
    &ns_group::KIND,
    &sets::IP_SET,
    &sets::MAC_SET,
    &ns_service::SERVICE,
    &ns_service::GROUP,
    &firewall::section::KIND,
    &firewall::order::KIND,
    &firewall::exclude_list::KIND,
    &firewall::status::KIND,
    &load_balancer::VIRTUAL_SERVER,
    &load_balancer::POOL,
    &load_balancer::APPLICATION_PROFILE,
    &fabric::cluster_profile::KIND,
    &fabric::host_switch_profile::KIND,
    &fabric::failure_domain::KIND,
    &fabric::node::KIND,
    &fabric::transport_node::KIND,
    &fabric::edge_cluster::KIND,
];
