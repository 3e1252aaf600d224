//! Stand-ins for the PKS command and the two APIs that it calls: UAA for tokens, PKS for clusters.
//!
//! The real command is proprietary and was never seen by us at work; what is known of its wire and
//! words is public documentation and public scripts. So this is enough for the guide's first two
//! commands and what a learner tries beside them, and no more.

mod api;
mod client;
mod command;
mod files;
mod hosts;
pub mod kubeconfig;
mod server;
mod uaa;

pub use client::{Login, PksClient};
pub use command::{Cli, Command, LoginArgs, Options as CommandOptions, run};
pub use files::{Credentials, Places, merged, read_kubeconfig, write_kubeconfig};
pub use hosts::{Hosts, HostsArg};
pub use server::{Cluster, Options, Running, start};

/// The name of the guide's PKS API.
pub const HOST: &str = "pks.corp.local";
/// The port of UAA on the API's host.
pub const UAA_PORT: u16 = 8443;
/// The port of the PKS API.
pub const API_PORT: u16 = 9021;
/// Where the lab's UAA listens unless told otherwise: 8443 of this machine is the manager's.
pub const LAB_UAA: &str = "127.0.0.1:8444";
/// Where the lab's PKS API listens unless told otherwise.
pub const LAB_API: &str = "127.0.0.1:9021";
