//! The load balancer at work: which virtual server takes a packet, which member gets it, and what is
//! remembered of that.

mod choice;
mod memory;
mod pool;
mod way;

pub use choice::table;
pub use memory::{Counted, Memory, Sessions};
pub use pool::{Health, Member, Standing};
pub(super) use way::Balanced;
