//! The kinds of managed resources, one file each; [`KINDS`] is the only place that names them all.

pub mod app_discovery;
pub mod appliance;
pub mod bindings;
pub mod bridge;
pub mod certificate;
pub mod crl;
pub mod csr;
pub mod dhcp;
pub mod directory;
pub mod dns_forwarder;
pub mod edge_placement;
pub mod expression;
pub mod fabric;
pub mod firewall;
pub mod global_config;
pub mod health_check;
pub mod identity_firewall;
pub mod ipfix;
pub mod load_balancer;
pub mod logical_port;
pub mod logical_switch;
pub mod metadata_proxy;
pub mod mirror_session;
pub mod ns_group;
pub mod ns_profile;
pub mod ns_service;
pub mod packet_capture;
pub mod pbr;
pub mod pools;
pub mod port_addresses;
pub mod principal_identity;
pub mod reference;
pub mod role_binding;
pub mod routing;
pub mod rule_book;
pub mod service_config;
pub mod service_element;
pub mod service_insertion;
pub mod sets;
pub mod switching_profile;
pub mod system;
pub mod transport_zone;
pub mod transport_zone_profile;
pub mod values;
pub mod vlan;
pub mod vpn;

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
    &fabric::cluster_profile::KIND,
    &fabric::host_switch_profile::KIND,
    &fabric::failure_domain::KIND,
    &fabric::node::KIND,
    &fabric::transport_node::KIND,
    &fabric::edge_cluster::KIND,
    &load_balancer::service::KIND,
    &load_balancer::virtual_server::KIND,
    &load_balancer::pool::KIND,
    &load_balancer::monitor::KIND,
    &load_balancer::rule::KIND,
    &load_balancer::application_profile::KIND,
    &load_balancer::persistence_profile::KIND,
    &load_balancer::ssl::CLIENT,
    &load_balancer::ssl::SERVER,
    &load_balancer::tcp_profile::KIND,
    &certificate::KIND,
    &crl::LIST,
    &crl::POINT,
    &csr::KIND,
    &appliance::served::SERVED,
    &principal_identity::KIND,
    &role_binding::KIND,
    &appliance::service::SERVICE,
    &appliance::service::NTP,
    &appliance::service::SNMP,
    &appliance::service::SSH,
    &appliance::service::INSTALL_UPGRADE,
    &appliance::service::MANAGER,
    &appliance::service::POLICY,
    &appliance::service::SNMP_ENGINE,
    &appliance::service::PROFILER,
    &appliance::node::PROPERTIES,
    &appliance::node::ACCESS_CONTROL,
    &appliance::node::BUS_PORT,
    &appliance::node::VIRTUAL_IP,
    &appliance::node::MANAGEMENT_PLANE,
    &appliance::node::AGENT,
    &appliance::network::NAME_SERVERS,
    &appliance::network::SEARCH_DOMAINS,
    &appliance::network::INTERFACE,
    &appliance::network::ROUTE,
    &appliance::syslog::EXPORTER,
    &appliance::backup::BACKUP,
    &appliance::backup::RESTORE,
    &pools::ip_pool::KIND,
    &pools::ip_block::BLOCK,
    &pools::ip_block::SUBNET,
    &pools::allocation::FROM_POOL,
    &pools::allocation::FROM_SUBNET,
    &pools::mac_pool::KIND,
    &pools::vni_pool::KIND,
    &pools::vtep_label_pool::KIND,
    &dhcp::profile::KIND,
    &dhcp::server::KIND,
    &dhcp::lease::POOL,
    &dhcp::lease::BINDING,
    &dhcp::relay::PROFILE,
    &dhcp::relay::SERVICE,
    &metadata_proxy::KIND,
    &dns_forwarder::KIND,
    &bridge::ENDPOINT,
    &bridge::PROFILE,
    &bridge::CLUSTER,
    &transport_zone_profile::KIND,
    &firewall::profile::KIND,
    &service_config::KIND,
    &ns_profile::KIND,
    &vpn::profile::IKE,
    &vpn::profile::TUNNEL,
    &vpn::profile::DPD,
    &vpn::service::KIND,
    &vpn::endpoint::LOCAL,
    &vpn::endpoint::PEER,
    &vpn::session::KIND,
    &vpn::l2::SERVICE,
    &vpn::l2::SESSION,
    &ipfix::config::COLLECTOR,
    &ipfix::config::CONFIG,
    &ipfix::config::GLOBAL,
    &ipfix::profile::COLLECTOR,
    &ipfix::profile::PROFILE,
    &mirror_session::KIND,
    &packet_capture::KIND,
    &global_config::KIND,
    &routing::router::KIND,
    &routing::port::KIND,
    &routing::config::ROUTING,
    &routing::config::ADVERTISEMENT,
    &routing::config::ADVERTISE_RULES,
    &routing::config::BFD,
    &routing::redistribution::CONFIG,
    &routing::redistribution::RULES,
    &routing::static_route::KIND,
    &routing::static_route::BFD_PEER,
    &routing::filters::PREFIX_LIST,
    &routing::filters::COMMUNITY_LIST,
    &routing::filters::ROUTE_MAP,
    &routing::bgp::CONFIG,
    &routing::bgp::NEIGHBOR,
    &routing::nat::KIND,
    &routing::ipv6::DAD_PROFILE,
    &routing::ipv6::NDRA_PROFILE,
    &fabric::compute::MANAGER,
    &fabric::compute::COLLECTION,
    &fabric::compute::DISCOVERED_NODE,
    &fabric::preparation::PROFILE,
    &fabric::preparation::COLLECTION,
    &fabric::preparation::TEMPLATE,
    &fabric::preparation::FABRIC_TEMPLATE,
    &fabric::virtual_machine::MACHINE,
    &fabric::virtual_machine::INTERFACE,
    &pbr::SECTION,
    &pbr::ORDER,
    &service_insertion::service::KIND,
    &service_insertion::manager::KIND,
    &service_insertion::profile::TEMPLATE,
    &service_insertion::profile::KIND,
    &service_insertion::profile::SOLUTION,
    &service_insertion::instance::KIND,
    &service_insertion::instance::ENDPOINT,
    &service_insertion::deployment::KIND,
    &service_insertion::attachment::KIND,
    &service_insertion::chain::KIND,
    &service_insertion::section::SECTION,
    &service_insertion::section::ORDER,
    &service_insertion::status::KIND,
    &service_insertion::status::EXCLUDE_LIST,
    &system::barrier::BARRIER,
    &system::barrier::MANAGEMENT,
    &system::capacity::THRESHOLDS,
    &system::collection::GLOBAL,
    &system::network_migration::KIND,
    &system::notification::WATCHER,
    &system::notification::NOTIFICATIONS,
    &system::plan::UPGRADE_GROUP,
    &system::plan::UPGRADE_SETTINGS,
    &system::plan::MIGRATION_GROUP,
    &system::plan::MIGRATION_SETTINGS,
    &system::telemetry::AGREEMENT,
    &system::telemetry::CONFIG,
    &system::telemetry::PROXY,
    &system::version_list::KIND,
    &system::ui::VIEW,
    &system::ui::WIDGET,
    &directory::DOMAIN,
    &directory::SERVER,
    &health_check::KIND,
    &identity_firewall::ENABLED,
    &identity_firewall::MASTER,
    &identity_firewall::STANDALONE,
    &app_discovery::PROFILE,
    &app_discovery::SESSION,
];
