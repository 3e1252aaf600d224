//! Shared by the integration tests: a manager in this process, what is put into it, and files that
//! hold what is expected.

mod answer;
mod build;
mod facts;
mod golden;
mod manager;

pub use answer::Answer;
pub use build::{
    Port, RuleIds, address_set, any_rule, group_by_tag, load_balancer, reference, section, switch,
    tag,
};
pub use facts::{Facts, Member, Type};
pub use golden::{document, golden};
pub use manager::{DEFAULT_L2, DEFAULT_L3, Manager, OVERLAY, START, VLAN};
