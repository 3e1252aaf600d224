//! Pools of addresses and numbers: who gives out what, and what is left of it.
//!
//! What is given out of an IP pool or an IP block's subnet is an object of its own below it
//! ([`allocation`]), so that taking an address changes no revision of the pool.

pub mod allocation;
pub mod ip_block;
pub mod ip_pool;
pub mod mac_pool;
pub mod range;
pub mod vni_pool;
pub mod vtep_label_pool;
