//! How transport nodes are [spec TransportNodeStatus]: the worst of their connections to manager and
//! controller, their cards and their tunnels.

use super::super::call::{Call, Reply};
use super::super::list::Row;
use super::super::routes::Routes;
use super::{check_source, machine, nodes};
use crate::fabric::{Fabric, Machine, Session, Tunnel};
use crate::inventory::Error;
use serde_json::{Value, json};
use std::collections::BTreeMap;

/// Adds the routes.
pub fn register(routes: &mut Routes) {
    routes.on("GET", "/transport-nodes/{id}/status", |call| {
        check_source(call)?;
        let fabric = call.world.fabric();
        Ok(Reply::ok(print(call, &fabric, machine(call, &fabric)?)))
    });
    routes.on("GET", "/transport-nodes/status", |call| {
        let sort = call.query.one_of("node_type", &["HOST", "EDGE"])?;
        let fabric = call.world.fabric();
        let wanted = |own: &&Machine| sort.is_none_or(|sort| own.is_edge() == (sort == "EDGE"));
        Ok(Reply::ok(heat_map(&fabric, fabric.machines().all().filter(wanted))))
    });
}

/// The grades of a status.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Grade {
    /// Nothing to judge by.
    Unknown,
    /// All is well.
    Up,
    /// Some of it is well.
    Degraded,
    /// Nothing is well.
    Down,
}

impl Grade {
    /// The wire name.
    pub fn word(self) -> &'static str {
        match self {
            Self::Unknown => "UNKNOWN",
            Self::Up => "UP",
            Self::Degraded => "DEGRADED",
            Self::Down => "DOWN",
        }
    }

    fn of(up: usize, down: usize) -> Self {
        match (up, down) {
            (0, 0) => Self::Unknown,
            (_, 0) => Self::Up,
            (0, _) => Self::Down,
            _ => Self::Degraded,
        }
    }
}

/// What a node's status is made of.
struct Health {
    cards: usize,
    up: usize,
    down: usize,
    prepared: bool,
}

impl Health {
    fn of(fabric: &Fabric, machine: &Machine) -> Self {
        let mut health = Self {
            cards: machine.switches.iter().map(|own| own.cards.len()).sum(),
            up: 0,
            down: 0,
            prepared: machine.prepared,
        };
        for tunnel in fabric.machines().tunnels(machine) {
            if tunnel.is_up() {
                health.up += 1;
            } else {
                health.down += 1;
            }
        }
        health
    }

    fn tunnels(&self) -> Grade {
        Grade::of(self.up, self.down)
    }

    /// A node without a host switch has no connection to the controller [spec ReadNodeStatus].
    fn controller(&self) -> Grade {
        if self.prepared { Grade::Up } else { Grade::Down }
    }

    fn cards(&self) -> Grade {
        Grade::of(self.cards, 0)
    }

    fn grade(&self) -> Grade {
        self.tunnels().max(self.controller()).max(self.cards())
    }
}

/// How a node is, all in all.
pub fn grade(fabric: &Fabric, machine: &Machine) -> Grade {
    Health::of(fabric, machine).grade()
}

/// How many of some nodes are in which status [spec HeatMapTransportZoneStatus].
pub fn heat_map<'a>(fabric: &Fabric, machines: impl Iterator<Item = &'a Machine>) -> Value {
    let mut counts: BTreeMap<Grade, usize> = BTreeMap::new();
    for machine in machines {
        *counts.entry(grade(fabric, machine)).or_default() += 1;
    }
    let count = |grade| counts.get(&grade).copied().unwrap_or_default();
    json!({
        "up_count": count(Grade::Up),
        "degraded_count": count(Grade::Degraded),
        "down_count": count(Grade::Down),
        "unknown_count": count(Grade::Unknown),
    })
}

/// The status of one node.
pub fn print(call: &Call<'_>, fabric: &Fabric, machine: &Machine) -> Value {
    let health = Health::of(fabric, machine);
    let controllers = usize::from(health.prepared);
    let mut status = json!({
        "node_uuid": machine.id,
        "node_display_name": machine.display_name,
        "status": health.grade().word(),
        "pnic_status": count(health.cards(), health.cards, 0),
        "mgmt_connection_status": "UP",
        "control_connection_status":
            count(health.controller(), controllers, 1 - controllers),
        "tunnel_status": tunnels(&health, fabric.machines().tunnels(machine)),
        "node_status": nodes::status(call, machine),
    });
    if !machine.is_edge() {
        status["agent_status"] = agents(health.prepared);
    }
    status
}

/// A row of a list of statuses.
pub fn row<'a>(call: &Call<'_>, fabric: &Fabric, machine: &'a Machine) -> Row<'a, Value> {
    Row {
        key: machine.display_name.as_str().into(),
        id: machine.id.as_str().into(),
        item: print(call, fabric, machine),
    }
}

/// Those of some nodes whose status is the one that a call asks for.
pub fn wanted<'a>(
    call: &Call<'_>,
    fabric: &Fabric,
    words: &[&str],
    machines: impl Iterator<Item = &'a Machine>,
) -> Result<Vec<&'a Machine>, Error> {
    let asked = call.query.one_of("status", words)?;
    let fits = |own: &&Machine| asked.is_none_or(|asked| asked == grade(fabric, own).word());
    Ok(machines.filter(fits).collect())
}

/// [spec StatusCount]
fn count(grade: Grade, up: usize, down: usize) -> Value {
    json!({"status": grade.word(), "up_count": up, "down_count": down, "degraded_count": 0})
}

/// [spec TunnelStatusCount]
fn tunnels<'a>(health: &Health, tunnels: impl Iterator<Item = Tunnel<'a>>) -> Value {
    let mut sessions = [Session::Up, Session::Down, Session::AdminDown].map(|own| (own, 0));
    let mut reasons = [0; 9];
    for tunnel in tunnels {
        let (own, _) = tunnel.sessions();
        for (session, count) in &mut sessions {
            *count += u32::from(*session == own);
        }
        let ((number, _), _) = tunnel.diagnostics();
        if let Some(count) = reasons.get_mut(usize::from(number)) {
            *count += 1;
        }
    }
    let [(_, up), (_, down), (_, admin_down)] = sessions;
    let mut status = count(health.tunnels(), health.up, health.down);
    status["bfd_status"] = json!({
        "bfd_up_count": up,
        "bfd_down_count": down,
        "bfd_admin_down_count": admin_down,
        "bfd_init_count": 0,
    });
    status["bfd_diagnostic"] = json!({
        "no_diagnostic_count": reasons[0],
        "control_detection_time_expired_count": reasons[1],
        "echo_function_failed_count": reasons[2],
        "neighbor_signaled_session_down_count": reasons[3],
        "forwarding_plane_reset_count": reasons[4],
        "path_down_count": reasons[5],
        "concatenated_path_down_count": reasons[6],
        "administratively_down_count": reasons[7],
        "reverse_concatenated_path_down_count": reasons[8],
    });
    status
}

/// The product's processes on a host, which count as running once it is prepared
/// [spec AgentStatusCount].
fn agents(prepared: bool) -> Value {
    let names = ["NSX_AGENT", "NSX_OPSAGENT", "NSX_CFGAGENT", "NSX_NESTDB"];
    let names = if prepared { &names[..] } else { &[] };
    let agents: Vec<Value> =
        names.iter().map(|name| json!({"name": name, "status": "UP"})).collect();
    let grade = Grade::of(agents.len(), 0);
    json!({"status": grade.word(), "up_count": agents.len(), "down_count": 0, "agents": agents})
}
