//! A simulator of the NSX-T Manager (API 2.5) whose distributed firewall judges packets.
//!
//! ARCHITECTURE.md has the map. [`http::start`] starts a manager in this process in one line, on a
//! free port, with an empty world:
//!
//! ```
//! # async fn example() -> Result<(), Box<dyn std::error::Error>> {
//! let manager = nsx_sim::http::start(nsx_sim::http::Options::default()).await?;
//! println!("{}", manager.url());
//! # Ok(()) }
//! ```

pub mod access;
pub mod boot;
pub mod cli;
pub mod clock;
pub mod explain;
pub mod fabric;
pub mod generate;
pub mod guide;
pub mod http;
pub mod inventory;
pub mod kinds;
pub mod node;
pub mod observe;
pub mod realize;
pub mod search;
pub mod version;
pub mod wire;
pub mod world;
pub mod x509;
