//! The API as clients rely on it, called in this process.

mod fabric;
mod firewall_lock;
mod firewall_rules;
mod firewall_search;
mod firewall_sections;
mod firewall_status;
mod group_members;
mod groups;
mod header;
mod kinds;
mod lists;
mod load_balancer;
mod odd_values;
mod ownership;
mod packets;
mod ports;
mod printed;
mod profiles;
mod roles;
pub mod samples;
mod services;
mod sets;
mod switches;
mod traceflow;
mod trust;
mod users;
mod worlds;
