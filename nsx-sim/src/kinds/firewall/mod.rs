//! The distributed firewall's configuration: sections in order, rules in order within them, the
//! list of exempt members, and the switch for it all.

pub mod enforcement;
pub mod exclude_list;
pub mod operations;
pub mod order;
pub mod profile;
pub mod rule;
pub mod section;
pub mod status;

pub use enforcement::Enforcement;
pub use order::Placement;
pub use rule::FirewallRule;
pub use section::{FirewallSection, SectionType};
