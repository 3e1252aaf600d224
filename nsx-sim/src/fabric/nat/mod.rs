//! Address translation at routers: which rule concerns a packet, what it makes of it, and what is
//! remembered of that.
//!
//! Translations are a service: they meet what comes in or goes out where a router's services are,
//! that is by an uplink, the link to tier-0 or a service port. What goes from downlink to downlink is
//! routed on the host and passes them by.

mod choice;
mod memory;
mod stage;

pub use memory::{NatMemory, NatTally};
pub use stage::{Crossing, Translated};
