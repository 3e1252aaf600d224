//! Worlds by number: so many hosts, machines, groups and rules, the same from the same seed.
//!
//! What comes out is a world document, as anybody could write one: it speaks the public API and
//! knows nothing of what is behind it. Each object is named by its kind and number (`vm-17`), its id
//! follows from the seed and that name, and so does every choice. So more of one kind changes no id
//! of any other.

mod firewall;
mod machines;

use serde_json::{Value, json};
use uuid::Uuid;

/// The overlay zone that every manager has from the start.
const OVERLAY_ZONE: &str = "1b3a2f36-bfd1-443e-a0f6-4de01abc963e";

/// The most rules that one section holds [spec FirewallSectionRuleList].
const RULES_PER_SECTION: u32 = 1000;

/// How much of what.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Size {
    /// Hosts; at least one.
    pub hosts: u32,
    /// Edge nodes, all in one cluster.
    pub edges: u32,
    /// Virtual machines, each with one interface on one logical port.
    pub vms: u32,
    /// Logical switches; the machines go round them.
    pub switches: u32,
    /// Groups by tag: one by machines, the next by ports, and so on.
    pub groups: u32,
    /// Firewall sections of layer 3.
    pub sections: u32,
    /// Firewall rules, spread over the sections.
    pub rules: u32,
}

/// Why there is no such world.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SizeError {
    /// Something that cannot be none.
    #[error("{given} {what} need at least one {needed}")]
    Missing {
        /// How many there should be.
        given: u32,
        /// Of what.
        what: &'static str,
        /// What they stand on.
        needed: &'static str,
    },
    /// More than an address plan or the API takes.
    #[error("{given} {what} are too many: at most {most}")]
    TooMany {
        /// How many there should be.
        given: u32,
        /// Of what.
        what: &'static str,
        /// How many there may be.
        most: u32,
    },
}

/// The world document of that size.
///
/// # Errors
/// [`SizeError`] where the numbers do not go together.
pub fn document(size: &Size, seed: u64) -> Result<Value, SizeError> {
    size.check()?;
    let plan = Plan { size: *size, seed };
    let mut objects = plan.switches();
    objects.extend(plan.ports());
    objects.extend(plan.groups());
    objects.extend(plan.sections());
    Ok(json!({
        "name": format!("generated-{seed}"),
        "description": "Made by number; the same numbers and seed make the same world.",
        "topology": plan.topology(),
        "objects": objects,
    }))
}

impl Size {
    /// Switches, sections and the like that nobody named, as many as the rest needs.
    #[must_use]
    pub fn new(hosts: Option<u32>, vms: Option<u32>) -> Self {
        let vms = vms.unwrap_or(0);
        Self {
            hosts: hosts.unwrap_or(3),
            edges: 2,
            vms,
            switches: vms.div_ceil(25),
            groups: 0,
            sections: 0,
            rules: 0,
        }
    }

    fn check(&self) -> Result<(), SizeError> {
        let limits = [
            ("hosts", self.hosts, 1000),
            ("edges", self.edges, 200),
            ("vms", self.vms, 100_000),
            ("switches", self.switches, 10_000),
            ("groups", self.groups, 20_000),
            ("sections", self.sections, 10_000),
            ("rules", self.rules, self.sections.saturating_mul(RULES_PER_SECTION).max(1)),
        ];
        let needs = [
            ("vms", self.vms, "host", self.hosts),
            ("vms", self.vms, "switch", self.switches),
            ("rules", self.rules, "section", self.sections),
        ];
        if self.hosts == 0 {
            return Err(SizeError::Missing { given: 1, what: "world", needed: "host" });
        }
        for (what, given, needed, there) in needs {
            if given > 0 && there == 0 {
                return Err(SizeError::Missing { given, what, needed });
            }
        }
        for (what, given, most) in limits {
            if given > most {
                return Err(SizeError::TooMany { given, what, most });
            }
        }
        Ok(())
    }
}

/// A size and a seed: all that a world follows from.
struct Plan {
    size: Size,
    seed: u64,
}

impl Plan {
    /// The id of something by its name.
    fn id(&self, name: &str) -> String {
        let text = format!("nsx-sim/{}/{name}", self.seed);
        Uuid::new_v5(&Uuid::NAMESPACE_OID, text.as_bytes()).to_string()
    }

    /// A number below `below` for a question, the same whenever it is asked.
    fn pick(&self, question: &str, below: u32) -> u32 {
        let text = format!("nsx-sim/{}/{question}?", self.seed);
        let (high, _) = Uuid::new_v5(&Uuid::NAMESPACE_OID, text.as_bytes()).as_u64_pair();
        u32::try_from(high % u64::from(below.max(1))).unwrap_or_default()
    }

    /// One of a few, the same whenever it is asked.
    fn choose<'a>(&self, question: &str, among: &[&'a str]) -> &'a str {
        let count = u32::try_from(among.len()).unwrap_or_default();
        among.get(self.pick(question, count) as usize).copied().unwrap_or_default()
    }

    fn topology(&self) -> Value {
        json!({
            "transport_nodes": self.hosts(),
            "edges": self.edges(),
            "edge_cluster": {"id": self.id("edge-cluster"), "display_name": "EDGECLUSTER1"},
            "clusters": [self.cluster()],
            "virtual_machines": self.virtual_machines(),
            "router": {"id": self.id("router"), "display_name": "router-1"},
            "load_balancer_snat_ip": "100.64.128.1",
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn size() -> Size {
        Size { switches: 2, groups: 4, sections: 2, rules: 10, ..Size::new(Some(2), Some(6)) }
    }

    #[test]
    fn the_same_seed_makes_the_same_bytes_and_another_one_others() {
        let made = |seed| document(&size(), seed).unwrap().to_string();
        assert_eq!(made(7), made(7));
        assert_ne!(made(7), made(8));
    }

    #[test]
    fn more_of_one_kind_changes_no_id_of_another() {
        let ids = |size: &Size, post: &str| -> Vec<Value> {
            let document = document(size, 7).unwrap();
            let objects = document["objects"].as_array().unwrap().clone();
            let of_kind = objects.into_iter().filter(|own| own["post"] == post);
            of_kind.map(|own| own["body"]["id"].clone()).collect()
        };
        let more = Size { vms: 60, rules: 20, ..size() };
        assert_eq!(ids(&size(), "/ns-groups"), ids(&more, "/ns-groups"));
        let (few, many) = (ids(&size(), "/logical-ports"), ids(&more, "/logical-ports"));
        assert_eq!(few[..], many[..few.len()]);
    }

    #[test]
    fn numbers_that_do_not_go_together_are_refused() {
        let told = |size: Size| document(&size, 1).unwrap_err().to_string();
        assert_eq!(told(Size { hosts: 0, ..size() }), "1 world need at least one host");
        assert_eq!(told(Size { switches: 0, ..size() }), "6 vms need at least one switch");
        assert_eq!(told(Size { sections: 0, ..size() }), "10 rules need at least one section");
        let crowded = Size { rules: 2001, ..size() };
        assert_eq!(told(crowded), "2001 rules are too many: at most 2000");
    }
}
