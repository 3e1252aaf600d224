//! DHCP: servers with what they give out, relays, and the profiles of both.

pub mod lease;
pub mod options;
pub mod profile;
pub mod relay;
pub mod server;
