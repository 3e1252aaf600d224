//! What a data center is built of: nodes, the host switches on them, edge clusters.

pub mod cluster_profile;
pub mod compute;
pub mod discovered;
pub mod edge_cluster;
pub mod failure_domain;
pub mod host_switch;
pub mod host_switch_profile;
pub mod node;
pub mod preparation;
pub mod secret;
pub mod transport_node;
pub mod tunnel_endpoint;
pub mod virtual_machine;
